"""Your own scans: what a path names (`sources`), one scan denoised (`run`), and a whole archive (`archive`)."""

from ..data.series import Frame, Series, choose_series, find_series
from .archive import Scan, denoise_archive, failures
from .run import denoise_scan
from .sources import model_for
