"""BM3D and BM4D, which collect similar blocks, behind the signature of all filters (`filters`)."""

import bm3d as bm3d_package
import bm4d as bm4d_package
import numpy as np

from ..checks import check_edges, check_number
from .filters import each_image
from .registry import baseline


class _NumpyWithTrapz:
    """NumPy as the package bm4d knows it, which does the work for bm3d: `trapz` is called `trapezoid` now.

    It may go when bm4d (4.2.5 does not) works with NumPy 2.4 and a noise spectrum.
    """

    trapz = staticmethod(np.trapezoid)

    def __getattr__(self, name):
        return getattr(np, name)


bm4d_package.np = _NumpyWithTrapz()
PROFILES = ("np", "refilter", "vn", "vn_old", "high", "deb")  # those of the package bm3d
VOLUME_PROFILES = ("np", "refilter", "8x8", "8x8refilter")  # those of the package bm4d


@baseline("BM3D", "bm3d", grey_levels={"std": [0.06, 0.07, 0.08]}, told_std=True)
def bm3d(noisy, std=0.07, *, spectrum=None, profile="np"):
    """BM3D: collect similar blocks into stacks and shrink their three-dimensional transform.

    Parameters
    ----------
    noisy : array of shape (n, height, width, 1)
        Noisy images, values near [0, 1].
    std : float
        Standard deviation of white noise, above 0.
    spectrum : array of shape (height, width), optional
        Power spectrum of noise that is not white, as `noise.power_spectrum` estimates it; it stands in the
        place of `std`, which then counts for nothing.
    profile : {"np", "refilter", "vn", "vn_old", "high", "deb"}
        Settings that the package has ready: "np" is its usual one; "refilter" filters once more what was removed, for
        noise that is not white.

    Returns
    -------
    ndarray of the same shape, float32

    Raises
    ------
    ValueError
        If `noisy` is no batch near [0, 1] of at least 9 x 9 pixels, `std` not above 0, or `spectrum` no finite
        power spectrum of the images' size, or `profile` is unknown.

    References
    ----------
    Dabov, Foi, Katkovnik and Egiazarian, "Image denoising by sparse 3-D transform-domain collaborative
    filtering", IEEE Trans. Image Processing 16, 2007; with a spectrum: Makinen, Azzari and Foi, "Collaborative
    filtering of correlated noise", IEEE Trans. Image Processing 29, 2020; package bm3d, free for
    non-commercial use.

    Examples
    --------
    >>> bm3d(np.ones((1, 16, 16, 1))).shape
    (1, 16, 16, 1)
    """
    std = check_number(std, "std", 1e-6)
    check_edges(noisy, 9, "noisy")  # smaller ones are refused by the package, or crash it
    known = std if spectrum is None else _checked_spectrum(spectrum, noisy.shape[1:3])
    if profile not in PROFILES:
        raise ValueError(f"profile: expected one of {', '.join(PROFILES)}, got {profile!r}")
    return each_image(lambda image: bm3d_package.bm3d(image, known, profile=profile), noisy)


@baseline("BM4D", "bm4d", grey_levels={"std": [0.06, 0.07, 0.08]}, neighbours=None, told_std=True)
def bm4d(noisy, std=0.07, *, spectrum=None, profile="np"):
    """BM4D: as BM3D, with blocks that reach through neighbouring slices.

    Parameters
    ----------
    noisy : array of shape (n, height, width, 1)
        All noisy slices of one patient in order, values near [0, 1].
    std : float
        Standard deviation of white noise, above 0.
    spectrum : array of shape (height, width) or (n, height, width), optional
        Power spectrum of noise that is not white, as for `bm3d`, which is independent from slice to slice; or that of the
        noise of the whole volume, whose mean is its variance times the number of voxels.
    profile : {"np", "refilter", "8x8", "8x8refilter"}
        As for `bm3d`; "8x8" has blocks of a single slice.

    Returns
    -------
    ndarray of the same shape, float32

    Raises
    ------
    ValueError
        If `noisy` is no batch near [0, 1] of at least 8 slices, rows and columns, `std` not above 0,
        `spectrum` no finite power spectrum of the size of the images or of the volume, or `profile` is unknown.

    References
    ----------
    Maggioni, Katkovnik, Egiazarian and Foi, "Nonlocal transform-domain filter for volumetric data denoising
    and reconstruction", IEEE Trans. Image Processing 22, 2013; package bm4d, free for non-commercial use.

    Examples
    --------
    >>> bm4d(np.ones((8, 16, 16, 1))).shape
    (8, 16, 16, 1)
    """
    std = check_number(std, "std", 1e-6)
    if min(noisy.shape[:3]) < 8:
        raise ValueError(
            f"noisy: expected at least 8 slices of at least 8 x 8 pixels, got shape {noisy.shape}"
        )
    if profile not in VOLUME_PROFILES:
        raise ValueError(f"profile: expected one of {', '.join(VOLUME_PROFILES)}, got {profile!r}")
    known = std
    if spectrum is not None and np.ndim(spectrum) == 3:
        known = _checked_spectrum(spectrum, noisy.shape[:3])
    elif spectrum is not None:  # a volume has as many pixels more as there are slices
        one = _checked_spectrum(spectrum, noisy.shape[1:3]) * len(noisy)
        known = np.repeat(one[None], len(noisy), axis=0)
    denoised = bm4d_package.bm4d(noisy[..., 0], known, profile=profile)
    return np.asarray(denoised, np.float32)[..., None]


def _checked_spectrum(spectrum, size):
    spectrum = np.asarray(spectrum, np.float64)
    if spectrum.shape != size:
        raise ValueError(f"spectrum: expected the images' size {size}, got shape {spectrum.shape}")
    if not (np.isfinite(spectrum).all() and spectrum.min() >= 0 < spectrum.max()):
        raise ValueError("spectrum: expected finite values of at least 0, and some above it")
    return spectrum
