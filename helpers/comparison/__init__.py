"""The comparison: its rules (`protocol`), results and tables, and what PSNR does not see (`structures`)."""

from .protocol import (
    STD,
    STDS,
    TUNING_SLAB,
    TUNING_SLICES,
    compare,
    do_nothing,
    filters,
    measure,
    networks,
    noisy_copies,
    summarise,
    tune_filters,
)
from .results import RESULTS, read_results, write_results
from .structures import small_structures, spot_contrast
from .tables import lead_table, markdown_table, parameters_as_text, quality_table, search_table
