"""Classical filters, what is known of each (`registry`), and the search for the best settings (`tuning`)."""

from .block_matching import bm3d, bm4d
from .filters import (
    average,
    bilateral,
    gaussian,
    median,
    nl_means,
    opencv_nl_means,
    total_variation,
    wavelet,
)
from .registry import BASELINES, baseline, grid
from .tuning import on_edge, tune
