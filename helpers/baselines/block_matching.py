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


@baseline("BM3D", "bm3d", grey_levels={"std": [0.06, 0.07, 0.08]}, told_std=True)
def bm3d(noisy, std=0.07, *, spectrum=None):
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

    Returns
    -------
    ndarray of the same shape, float32

    Raises
    ------
    ValueError
        If `noisy` is no batch near [0, 1] of at least 9 x 9 pixels, `std` not above 0, or `spectrum` no finite
        power spectrum of the images' size.

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
    known = std
    if spectrum is not None:
        known = np.asarray(spectrum, np.float64)
        size = noisy.shape[1:3]
        if known.shape != size:
            raise ValueError(f"spectrum: expected the images' size {size}, got shape {known.shape}")
        if not (np.isfinite(known).all() and known.min() >= 0 < known.max()):
            raise ValueError("spectrum: expected finite values of at least 0, and some above it")
    return each_image(lambda image: bm3d_package.bm3d(image, known), noisy)


@baseline("BM4D", "bm4d", grey_levels={"std": [0.06, 0.07, 0.08]}, volume=True, told_std=True)
def bm4d(noisy, std=0.07):
    """BM4D: as BM3D, with blocks that reach through neighbouring slices.

    Parameters
    ----------
    noisy : array of shape (n, height, width, 1)
        All noisy slices of one patient in order, values near [0, 1].
    std : float
        Standard deviation of the noise, above 0.

    Returns
    -------
    ndarray of the same shape, float32

    Raises
    ------
    ValueError
        If `noisy` is no batch near [0, 1] of at least 8 slices, rows and columns, or `std` not above 0.

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
    return np.asarray(bm4d_package.bm4d(noisy[..., 0], std), np.float32)[..., None]
