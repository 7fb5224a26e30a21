"""The comparison: its rules (`protocol`), results and tables, and what PSNR does not see (`observer`)."""

from .observer import (
    detectability,
    detectability_interval,
    dog_channels,
    gaussian_spot,
    hotelling,
    matched_filter,
)
from .protocol import (
    STD,
    STDS,
    TUNING_SLAB,
    TUNING_SLICES,
    all_methods,
    compare,
    do_nothing,
    filters,
    measure,
    networks,
    noisy_copies,
    summarise,
    tune_filters,
)
from .results import RESULTS, TRANSFER, machine, read_results, write_results
from .tables import (
    lead_table,
    markdown_table,
    parameters_as_text,
    quality_table,
    search_table,
    transfer_table,
)
