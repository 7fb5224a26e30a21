"""Your own scans: what a path names (`sources`), and one scan denoised (`run`)."""

from ..data.series import Frame, Series, choose_series, find_series
from .run import denoise_scan
from .sources import model_for
