"""Your own scans: the series in a folder (`series`), and one of them denoised (`run`)."""

from ..data.series import Frame, Series, choose_series, find_series
from .run import denoise_scan
