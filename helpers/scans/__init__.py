"""Your own scans: what a path names (`sources`), one scan denoised (`run`), and a whole archive (`archive`)."""

from ..data.frames import Frame
from ..data.series import Series, choose_series, find_series
from .archive import Scan, denoise_archive, failures
from .run import denoise_scan
from .sources import model_for
