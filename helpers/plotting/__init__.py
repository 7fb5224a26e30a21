"""The figures of the notebooks: pictures (`images`), curves and bars (`charts`), many values at once
(`distributions`), and what they share (`canvas`). Every function returns a closed Figure, which a
notebook shows once; `title` stands above it. Grey images share the scale 0 (black) to 1 (white);
errors share a blue-white-red scale with 0 in the middle, which colour-blind readers can tell apart.
"""

from .canvas import COLOURS
from .charts import (
    loss_curves,
    psnr_bars,
    quality_against_time,
    score_curves,
    score_dots,
    score_table,
)
from .distributions import arrow_fields, code_maps, histograms
from .images import (
    before_and_after,
    detail_grid,
    error_rows,
    image_grid,
    image_rows,
    noise_columns,
    weight_grid,
    zoom_rows,
)
