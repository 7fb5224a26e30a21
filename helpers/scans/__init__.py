"""Your own scans: the series in a folder (`series`), one of them denoised (`run`), and a whole archive (`archive`)."""

from .archive import Scan, denoise_archive, failures
from .run import denoise_scan
from .series import Frame, Series, choose_series, find_series
