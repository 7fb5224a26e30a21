"""Classical filters, what is known of each (`registry`), and the search for the best settings (`tuning`)."""

from .filters import (
    average,
    bilateral,
    bm3d,
    bm4d,
    gaussian,
    median,
    nl_means,
    opencv_nl_means,
    total_variation,
    wavelet,
)
from .registry import BASELINES, baseline, grid
from .tuning import on_edge, tune
