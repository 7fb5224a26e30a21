"""Classical denoising filters behind one signature, each with the grid in which it is tuned.

A filter is a function from a noisy batch (n, height, width, 1) and its parameters to a denoised batch of the
same shape, float32. `functools.partial(filter, **parameters)` turns it into a denoiser, the same signature
that the networks have. A new filter is one function with `@baseline(...)` above it.
"""

import cv2
import numpy as np
import pywt
from skimage.restoration import denoise_nl_means, denoise_tv_chambolle, denoise_wavelet

from ..checks import check_number, check_whole
from .registry import baseline


def each_image(denoise_image, noisy):
    """Apply a filter of one two-dimensional image to each image of a batch."""
    return np.stack([denoise_image(image[..., 0]) for image in noisy])[..., None].astype(np.float32)


@baseline("Gaussian", "opencv-python", others={"sigma": [0.6, 0.7, 0.8, 0.9, 1.0]})
def gaussian(noisy, sigma=0.8):
    """Gaussian blur.

    Parameters
    ----------
    noisy : array of shape (n, height, width, 1)
        Noisy images, values near [0, 1].
    sigma : float
        Standard deviation of the kernel in pixels, above 0.

    Returns
    -------
    ndarray of the same shape, float32

    Raises
    ------
    ValueError
        If `noisy` is no batch near [0, 1], or `sigma` not above 0.

    References
    ----------
    cv2.GaussianBlur.

    Examples
    --------
    >>> gaussian(np.ones((1, 9, 9, 1)), sigma=2).max().round(3).item()
    1.0
    """
    sigma = check_number(sigma, "sigma", 1e-3)
    return each_image(lambda image: cv2.GaussianBlur(image, (0, 0), sigma), noisy)


@baseline("average", "opencv-python", others={"ksize": [2, 3, 4]})
def average(noisy, ksize=3):
    """Moving average over a square window.

    Parameters
    ----------
    noisy : array of shape (n, height, width, 1)
        Noisy images, values near [0, 1].
    ksize : int
        Edge of the window in pixels, at least 1.

    Returns
    -------
    ndarray of the same shape, float32

    Raises
    ------
    ValueError
        If `noisy` is no batch near [0, 1], or `ksize` no whole number of at least 1.

    References
    ----------
    cv2.blur.

    Examples
    --------
    >>> average(np.ones((1, 9, 9, 1)), ksize=5).max().round(3).item()
    1.0
    """
    ksize = check_whole(ksize, "ksize", 1)
    return each_image(lambda image: cv2.blur(image, (ksize, ksize)), noisy)


@baseline("median", "opencv-python", others={"ksize": [3, 5]})
def median(noisy, ksize=3):
    """Median over a square window.

    Parameters
    ----------
    noisy : array of shape (n, height, width, 1)
        Noisy images, values near [0, 1].
    ksize : {3, 5}
        Edge of the window in pixels; OpenCV knows these two for float images.

    Returns
    -------
    ndarray of the same shape, float32

    Raises
    ------
    ValueError
        If `noisy` is no batch near [0, 1], or `ksize` neither 3 nor 5.

    References
    ----------
    cv2.medianBlur.

    Examples
    --------
    >>> spot = np.zeros((1, 9, 9, 1)); spot[0, 4, 4] = 1
    >>> float(median(spot).max())
    0.0
    """
    if ksize not in (3, 5):
        raise ValueError(f"ksize: expected 3 or 5, got {ksize!r}")
    return each_image(lambda image: cv2.medianBlur(image, int(ksize)), noisy)


@baseline(
    "bilateral",
    "opencv-python",
    grey_levels={"sigma_color": [0.15, 0.2, 0.25, 0.3, 0.4]},
    others={"sigma_spatial": [1.0, 1.25, 1.5, 2.0]},
)
def bilateral(noisy, sigma_color=0.3, *, sigma_spatial=1.5):
    """Average over neighbours that are near in place and near in grey level.

    Parameters
    ----------
    noisy : array of shape (n, height, width, 1)
        Noisy images, values near [0, 1].
    sigma_color : float
        How far grey levels may differ, on the scale of the image: 0.3, not 75.
    sigma_spatial : float
        Standard deviation of the spatial kernel in pixels.

    Returns
    -------
    ndarray of the same shape, float32

    Raises
    ------
    ValueError
        If `noisy` is no batch near [0, 1], or a sigma is not above 0.

    References
    ----------
    Tomasi and Manduchi, "Bilateral filtering for gray and color images", ICCV 1998;
    cv2.bilateralFilter, names as in skimage.restoration.denoise_bilateral.

    Examples
    --------
    >>> step = np.zeros((1, 9, 9, 1)); step[:, :, 5:] = 1
    >>> bool(abs(bilateral(step, sigma_color=0.05) - step).max() < 1e-3)
    True
    """
    sigma_color = check_number(sigma_color, "sigma_color", 1e-6)
    sigma_spatial = check_number(sigma_spatial, "sigma_spatial", 1e-3)
    return each_image(
        lambda image: cv2.bilateralFilter(image, -1, sigma_color, sigma_spatial), noisy
    )


@baseline(
    "NL-means (scikit-image)",
    "scikit-image",
    grey_levels={"h": [0.04, 0.05, 0.06], "std": [0.035, 0.07, 0.1]},
    told_std=True,
)
def nl_means(noisy, h=0.04, *, std=0.07, patch_size=5, patch_distance=6):
    """Non-local means: average pixels whose surroundings look alike.

    Parameters
    ----------
    noisy : array of shape (n, height, width, 1)
        Noisy images, values near [0, 1].
    h : float
        Strength: how unlike two patches may be, in grey levels.
    std : float
        Standard deviation of the noise, subtracted from patch distances.
    patch_size, patch_distance : int
        Edge of a patch, and how far away partners are sought, in pixels.

    Returns
    -------
    ndarray of the same shape, float32

    Raises
    ------
    ValueError
        If `noisy` is no batch near [0, 1], `h` or `std` is negative, or a size no whole number above 0.

    References
    ----------
    Buades, Coll and Morel, "A non-local algorithm for image denoising", CVPR 2005;
    skimage.restoration.denoise_nl_means in its fast mode.

    Examples
    --------
    >>> nl_means(np.ones((1, 16, 16, 1))).shape
    (1, 16, 16, 1)
    """
    h = check_number(h, "h", 1e-6)
    std = check_number(std, "std", 0)
    patch_size = check_whole(patch_size, "patch_size", 1)
    patch_distance = check_whole(patch_distance, "patch_distance", 1)
    return each_image(
        lambda image: denoise_nl_means(image, patch_size, patch_distance, h, sigma=std), noisy
    )


@baseline(
    "NL-means (OpenCV)",
    "opencv-python",
    grey_levels={"h": [0.05, 0.06, 0.07, 0.08]},
    others={"template_window": [3, 5, 7]},
)
def opencv_nl_means(noisy, h=0.07, *, template_window=7, search_window=21):
    """Non-local means in OpenCV's fast version, which works on 8-bit images.

    Values are cut to [0, 1] and rounded to 256 grey levels first; that costs some quality.

    Parameters
    ----------
    noisy : array of shape (n, height, width, 1)
        Noisy images, values near [0, 1].
    h : float
        Strength, in grey levels of the range [0, 1].
    template_window, search_window : int
        Edge of a patch and of the search region in pixels, odd.

    Returns
    -------
    ndarray of the same shape, float32 in [0, 1]

    Raises
    ------
    ValueError
        If `noisy` is no batch near [0, 1], `h` not above 0, or a window no whole number above 0.

    References
    ----------
    cv2.fastNlMeansDenoising.

    Examples
    --------
    >>> opencv_nl_means(np.ones((1, 32, 32, 1))).min().item()
    1.0
    """
    h = 255 * check_number(h, "h", 1e-3)
    template_window = check_whole(template_window, "template_window", 1)
    search_window = check_whole(search_window, "search_window", 1)

    def denoise_image(image):
        bytes_ = np.round(image.clip(0, 1) * 255).astype(np.uint8)
        return cv2.fastNlMeansDenoising(bytes_, None, h, template_window, search_window) / 255

    return each_image(denoise_image, noisy)


@baseline("total variation", "scikit-image", grey_levels={"weight": [0.04, 0.05, 0.06, 0.08, 0.1]})
def total_variation(noisy, weight=0.06):
    """Total variation denoising: stay near the image, but with little sum of gradients.

    Parameters
    ----------
    noisy : array of shape (n, height, width, 1)
        Noisy images, values near [0, 1].
    weight : float
        Strength, above 0.

    Returns
    -------
    ndarray of the same shape, float32

    Raises
    ------
    ValueError
        If `noisy` is no batch near [0, 1], or `weight` not above 0.

    References
    ----------
    Chambolle, "An algorithm for total variation minimization and applications", J. Math. Imaging and
    Vision 20, 2004; skimage.restoration.denoise_tv_chambolle.

    Examples
    --------
    >>> total_variation(np.ones((1, 16, 16, 1))).max().item()
    1.0
    """
    weight = check_number(weight, "weight", 1e-6)
    return each_image(lambda image: denoise_tv_chambolle(image, weight), noisy)


@baseline(
    "wavelet",
    "scikit-image",
    grey_levels={"std": [0.05, 0.06, 0.07, 0.08]},
    others={"wavelet": ["haar", "db2", "sym4"]},
    told_std=True,
)
def wavelet(noisy, std=0.07, *, wavelet="db2", shifts=4):
    """Shrink small wavelet coefficients, with thresholds set by BayesShrink.

    Where the grid of a wavelet happens to lie leaves traces. The mean over several grids has fewer of them.

    Parameters
    ----------
    noisy : array of shape (n, height, width, 1)
        Noisy images, values near [0, 1].
    std : float
        Standard deviation of the noise, above 0.
    wavelet : str
        Name of a wavelet that PyWavelets knows.
    shifts : int
        The mean is taken over so many shifts down times so many to the right, by 0, 1, ... pixels.

    Returns
    -------
    ndarray of the same shape, float32

    Raises
    ------
    ValueError
        If `noisy` is no batch near [0, 1], `std` not above 0, PyWavelets does not know `wavelet`, or `shifts`
        is no whole number of at least 1.

    References
    ----------
    Chang, Yu and Vetterli, "Adaptive wavelet thresholding for image denoising and compression", IEEE
    Trans. Image Processing 9, 2000; Coifman and Donoho, "Translation-invariant de-noising", 1995, for the
    shifts; skimage.restoration.denoise_wavelet.

    Examples
    --------
    >>> wavelet(np.ones((1, 16, 16, 1))).shape
    (1, 16, 16, 1)
    """
    std = check_number(std, "std", 1e-6)
    if wavelet not in pywt.wavelist(kind="discrete"):
        raise ValueError(f"wavelet: expected a name such as 'db2' or 'haar', got {wavelet!r}")
    offsets = np.mgrid[: check_whole(shifts, "shifts", 1), :shifts].reshape(2, -1).T

    def denoise_image(image):
        moved = (np.roll(image, offset, (0, 1)) for offset in offsets)
        done = (denoise_wavelet(one, std, wavelet, rescale_sigma=False) for one in moved)
        return np.mean(
            [np.roll(one, -offset, (0, 1)) for one, offset in zip(done, offsets)], axis=0
        )

    return each_image(denoise_image, noisy)
