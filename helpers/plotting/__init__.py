"""The figures of the notebooks: pictures (`images`), curves (`charts`), charts with names beside curves and points
(`labelled`), dots, bars and tables of scores (`scores`), many values at once (`distributions`), and what they share
(`canvas`). Every function returns a closed Figure, which a notebook shows once; `title` stands above it. Grey images
share the scale 0 (black) to 1 (white); errors share a blue-white-red scale with 0 in the middle, which colour-blind
readers can tell apart.
"""

from .canvas import COLOURS, METHODS, colours_of
from .charts import loss_curves, quality_against_time, score_curves
from .distributions import arrow_fields, code_maps, correlation_maps
from .images import (
    before_and_after,
    detail_grid,
    image_grid,
    image_rows,
    noise_columns,
    weight_grid,
    zoom_rows,
)
from .labelled import difference_curves, labelled_points
from .scores import score_bars, score_dots, score_table
