"""Your own scans: the series in a folder (`series`), and one of them denoised (`run`)."""

from .run import denoise_scan
from .series import Frame, Series, choose_series, find_series
