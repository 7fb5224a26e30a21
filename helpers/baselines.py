"""Classical denoising filters behind one signature, and a search for their best parameters.

A filter is a function from a noisy batch (n, height, width, 1) and its parameters to a denoised
batch of the same shape, float32. `functools.partial(filter, **parameters)` turns it into a denoiser,
a function from noisy batch to denoised batch, the same signature that the networks have.

`BASELINES` names all filters of single slices, `GRIDS` holds for each a grid to search in with `tune`.
"""

import itertools

import bm3d as bm3d_package
import bm4d as bm4d_package
import cv2
import numpy as np
import pywt
from skimage.restoration import denoise_nl_means, denoise_tv_chambolle, denoise_wavelet

from .checks import (
    NOISE_MARGIN,
    check_images,
    check_number,
    check_pair,
    check_patients,
    check_whole,
)
from .metrics import psnr


def _each(denoise_image, noisy):
    """Apply a filter of one two-dimensional image to each image of a batch."""
    noisy = check_images(noisy, "noisy", NOISE_MARGIN)
    return np.stack([denoise_image(image[..., 0]) for image in noisy])[..., None].astype(np.float32)


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
        If an argument is not as described.

    References
    ----------
    cv2.GaussianBlur.

    Examples
    --------
    >>> gaussian(np.ones((1, 9, 9, 1)), sigma=2).max().round(3).item()
    1.0
    """
    sigma = check_number(sigma, "sigma", 1e-3)
    return _each(lambda image: cv2.GaussianBlur(image, (0, 0), sigma), noisy)


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
        If an argument is not as described.

    References
    ----------
    cv2.blur.

    Examples
    --------
    >>> average(np.ones((1, 9, 9, 1)), ksize=5).max().round(3).item()
    1.0
    """
    ksize = check_whole(ksize, "ksize", 1)
    return _each(lambda image: cv2.blur(image, (ksize, ksize)), noisy)


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
        If an argument is not as described.

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
    return _each(lambda image: cv2.medianBlur(image, int(ksize)), noisy)


def bilateral(noisy, sigma_color=0.3, sigma_spatial=1.5):
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
        If an argument is not as described.

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
    return _each(lambda image: cv2.bilateralFilter(image, -1, sigma_color, sigma_spatial), noisy)


def nl_means(noisy, h=0.04, sigma=0.07, patch_size=5, patch_distance=6):
    """Non-local means: average pixels whose surroundings look alike.

    Parameters
    ----------
    noisy : array of shape (n, height, width, 1)
        Noisy images, values near [0, 1].
    h : float
        Strength: how unlike two patches may be, in grey levels.
    sigma : float
        Standard deviation of the noise, subtracted from patch distances.
    patch_size, patch_distance : int
        Edge of a patch, and how far away partners are sought, in pixels.

    Returns
    -------
    ndarray of the same shape, float32

    Raises
    ------
    ValueError
        If an argument is not as described.

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
    sigma = check_number(sigma, "sigma", 0)
    patch_size = check_whole(patch_size, "patch_size", 1)
    patch_distance = check_whole(patch_distance, "patch_distance", 1)
    return _each(
        lambda image: denoise_nl_means(image, patch_size, patch_distance, h, sigma=sigma), noisy
    )


def opencv_nl_means(noisy, h=0.07, template_window=7, search_window=21):
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
        If an argument is not as described.

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

    return _each(denoise_image, noisy)


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
        If an argument is not as described.

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
    return _each(lambda image: denoise_tv_chambolle(image, weight), noisy)


def wavelet(noisy, sigma=0.07, wavelet="db2"):
    """Shrink small wavelet coefficients, with thresholds set by BayesShrink.

    Parameters
    ----------
    noisy : array of shape (n, height, width, 1)
        Noisy images, values near [0, 1].
    sigma : float
        Standard deviation of the noise, above 0.
    wavelet : str
        Name of a wavelet that PyWavelets knows.

    Returns
    -------
    ndarray of the same shape, float32

    Raises
    ------
    ValueError
        If an argument is not as described.

    References
    ----------
    Chang, Yu and Vetterli, "Adaptive wavelet thresholding for image denoising and compression", IEEE
    Trans. Image Processing 9, 2000; skimage.restoration.denoise_wavelet.

    Examples
    --------
    >>> wavelet(np.ones((1, 16, 16, 1))).shape
    (1, 16, 16, 1)
    """
    sigma = check_number(sigma, "sigma", 1e-6)
    if wavelet not in pywt.wavelist(kind="discrete"):
        raise ValueError(f"wavelet: expected a name such as 'db2' or 'haar', got {wavelet!r}")
    return _each(lambda image: denoise_wavelet(image, sigma, wavelet, rescale_sigma=False), noisy)


def bm3d(noisy, sigma=0.07):
    """BM3D: collect similar blocks into stacks and shrink their three-dimensional transform.

    Parameters
    ----------
    noisy : array of shape (n, height, width, 1)
        Noisy images, values near [0, 1].
    sigma : float
        Standard deviation of the noise, above 0.

    Returns
    -------
    ndarray of the same shape, float32

    Raises
    ------
    ValueError
        If an argument is not as described.

    References
    ----------
    Makinen, Azzari and Foi, "Collaborative filtering of correlated noise", IEEE Trans. Image
    Processing 29, 2020; package bm3d, free for non-commercial use.

    Examples
    --------
    >>> bm3d(np.ones((1, 16, 16, 1))).shape
    (1, 16, 16, 1)
    """
    sigma = check_number(sigma, "sigma", 1e-6)
    return _each(lambda image: bm3d_package.bm3d(image, sigma), noisy)


def bm4d(noisy, sigma=0.07):
    """BM4D: as BM3D, with blocks that reach through neighbouring slices.

    It is no entry of `BASELINES`, because it needs all slices of a patient at once.

    Parameters
    ----------
    noisy : array of shape (n, height, width, 1)
        All noisy slices of one patient in order, values near [0, 1].
    sigma : float
        Standard deviation of the noise, above 0.

    Returns
    -------
    ndarray of the same shape, float32

    Raises
    ------
    ValueError
        If an argument is not as described, or there are fewer than 8 slices, rows or columns.

    References
    ----------
    Maggioni, Katkovnik, Egiazarian and Foi, "Nonlocal transform-domain filter for volumetric data
    denoising and reconstruction", IEEE Trans. Image Processing 22, 2013; package bm4d, free for
    non-commercial use.

    Examples
    --------
    >>> bm4d(np.ones((8, 16, 16, 1))).shape
    (8, 16, 16, 1)
    """
    noisy = check_images(noisy, "noisy", NOISE_MARGIN)
    sigma = check_number(sigma, "sigma", 1e-6)
    if min(noisy.shape[:3]) < 8:
        raise ValueError(
            f"noisy: expected at least 8 slices of at least 8 x 8 pixels, got shape {noisy.shape}"
        )
    return np.asarray(bm4d_package.bm4d(noisy[..., 0], sigma), np.float32)[..., None]


BASELINES = {
    "gaussian": gaussian,
    "average": average,
    "median": median,
    "bilateral": bilateral,
    "opencv_nl_means": opencv_nl_means,
    "nl_means": nl_means,
    "total_variation": total_variation,
    "wavelet": wavelet,
    "bm3d": bm3d,
}

# Grids around noise of std 0.07; each point is a value that somebody might choose by hand.
GRIDS = {
    "gaussian": {"sigma": [0.6, 0.7, 0.8, 0.9, 1.0]},
    "average": {"ksize": [2, 3, 4]},
    "median": {"ksize": [3, 5]},
    "bilateral": {
        "sigma_color": [0.15, 0.2, 0.25, 0.3, 0.4],
        "sigma_spatial": [1.0, 1.25, 1.5, 2.0],
    },
    "opencv_nl_means": {"h": [0.05, 0.06, 0.07, 0.08], "template_window": [3, 5, 7]},
    "nl_means": {"h": [0.04, 0.05, 0.06], "sigma": [0.035, 0.07, 0.1]},
    "total_variation": {"weight": [0.04, 0.05, 0.06, 0.08, 0.1]},
    "wavelet": {"sigma": [0.05, 0.06, 0.07, 0.08], "wavelet": ["haar", "db2", "sym4"]},
    "bm3d": {"sigma": [0.06, 0.07, 0.08]},
}
_IN_GREY_LEVELS = {  # these grow with the noise; all others count pixels, or are names
    "bilateral": ["sigma_color"],
    "opencv_nl_means": ["h"],
    "nl_means": ["h", "sigma"],
    "total_variation": ["weight"],
    "wavelet": ["sigma"],
    "bm3d": ["sigma"],
}


def grid(name, noise_std):
    """Return the grid of a filter, moved to noise of a given strength.

    Parameters measured in grey levels are scaled by noise_std / 0.07; those in pixels stay.

    Parameters
    ----------
    name : str
        A key of `BASELINES`.
    noise_std : float
        Standard deviation of the noise in grey levels, above 0.

    Returns
    -------
    dict of str to list
        For `tune`.

    Raises
    ------
    ValueError
        If an argument is not as described.

    Examples
    --------
    >>> grid("bm3d", 0.14)
    {'sigma': [0.12, 0.14, 0.16]}
    """
    if name not in GRIDS:
        raise ValueError(f"name: expected one of {', '.join(GRIDS)}, got {name!r}")
    factor = check_number(noise_std, "noise_std", 1e-6) / 0.07
    return {
        parameter: [_round(value * factor) for value in values]
        if parameter in _IN_GREY_LEVELS.get(name, ())
        else list(values)
        for parameter, values in GRIDS[name].items()
    }


def tune(denoise_function, denoise_parameters, clean, noisy, widenings=0):
    """Try every point of a parameter grid on pairs of images and keep the one with the best PSNR.

    Tune on validation patients, never on those that you report results for.

    Parameters
    ----------
    denoise_function : function
        Takes a noisy batch and keyword parameters, returns a denoised batch.
    denoise_parameters : dict of str to list
        The values to try for each parameter; all combinations are tried.
    clean, noisy : lists of arrays of shape (n, height, width, 1)
        One array per patient, with its noisy counterpart.
    widenings : int
        How many times the grid may grow. It grows where the best value of a numeric parameter is the
        smallest or largest one tried, by one value beyond it: the next of the geometric sequence, or
        of the arithmetic one for whole numbers and next to 0. A value that the filter refuses with
        ValueError is beyond its limits, and dropped.

    Returns
    -------
    best : dict
        The parameters of the best point.
    scores : list of (dict, float)
        Every point tried, in order, with its mean PSNR over all images in dB.

    Raises
    ------
    ValueError
        If the grid is empty, the lists differ in length, or an array is not as described.

    References
    ----------
    Names as in skimage.restoration.calibrate_denoiser, which does the same without clean images.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> noisy = rng.normal(0.5, 0.1, (1, 32, 32, 1)).astype("float32")
    >>> tune(gaussian, {"sigma": [0.5, 5]}, [np.full_like(noisy, 0.5)], [noisy])[0]
    {'sigma': 5}
    """
    if not denoise_parameters or not all(len(values) for values in denoise_parameters.values()):
        raise ValueError(
            f"denoise_parameters: expected at least one value for each parameter, got {denoise_parameters}"
        )
    check_patients(clean, noisy)
    pairs = [check_pair(a, b, "noisy") for a, b in zip(clean, noisy)]
    names, scores = list(denoise_parameters), {}

    def score(values):
        if values not in scores:
            images = [denoise_function(b, **dict(zip(names, values))) for _, b in pairs]
            quality = [psnr(a, denoised) for (a, _), denoised in zip(pairs, images)]
            scores[values] = float(np.concatenate(quality).mean())

    def tried():
        return [(dict(zip(names, values)), quality) for values, quality in scores.items()]

    grids = {name: list(values) for name, values in denoise_parameters.items()}
    limits = set()
    for round_ in range(check_whole(widenings, "widenings", 0) + 1):
        for values in itertools.product(*grids.values()):
            score(values)
        best = dict(zip(names, max(scores, key=scores.get)))
        beyond = {name: _beyond(best[name], grids[name]) for name in on_edge(best, tried())}
        beyond = {
            name: v for name, v in beyond.items() if v is not None and (name, v) not in limits
        }
        if round_ == widenings or not beyond:
            break
        for name, value in beyond.items():
            try:
                score(tuple({**best, name: value}.values()))
                grids[name].append(value)
            except ValueError:
                limits.add((name, value))
    return best, tried()


def on_edge(best, scores):
    """Name the numeric parameters whose best value is the smallest or largest one that was tried.

    Parameters
    ----------
    best : dict
    scores : list of (dict, float)
        Both as `tune` returns them.

    Returns
    -------
    list of str
        A parameter with one value only, or with values that are not numbers, has no edge.

    Examples
    --------
    >>> on_edge({"sigma": 2}, [({"sigma": 1}, 20.0), ({"sigma": 2}, 21.0)])
    ['sigma']
    """
    edges = []
    for name, value in best.items():
        values = {parameters[name] for parameters, _ in scores}
        if len(values) > 1 and not isinstance(value, str) and value in (min(values), max(values)):
            edges.append(name)
    return edges


def _beyond(edge, values):
    """Return the next value of a sequence beyond its edge, or None where rounding finds no new one."""
    neighbour = min((value for value in values if value != edge), key=lambda v: abs(v - edge))
    whole = all(isinstance(value, (int, np.integer)) for value in values)
    next_ = edge * edge / neighbour if not whole and edge * neighbour > 0 else 2 * edge - neighbour
    next_ = next_ if whole else _round(next_)
    return None if next_ in values else next_


def _round(value):
    """Round to three significant digits, so that grids read well."""
    return float(f"{value:.3g}")
