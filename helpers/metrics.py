"""Measures of image quality, one value per image, and the uncertainty of their mean.

Images lie in [0, 1], so every measure uses a data range of 1. The reference is the *clean* image.
"""

import time

import numpy as np
from skimage.metrics import structural_similarity

from .checks import (
    NOISE_MARGIN,
    check_images,
    check_number,
    check_pair,
    check_patients,
    check_rng,
    check_whole,
)


def psnr(clean, denoised):
    """Peak signal-to-noise ratio of each image: 10 log10(1 / mean squared error).

    Parameters
    ----------
    clean : array of shape (n, height, width, 1)
        Reference images in [0, 1].
    denoised : array of the same shape
        Images to judge; noise may carry them outside [0, 1].

    Returns
    -------
    ndarray of shape (n,), float64
        In dB; infinite where both images are equal.

    Raises
    ------
    ValueError
        If an argument is not as described.

    References
    ----------
    The same value as skimage.metrics.peak_signal_noise_ratio(..., data_range=1.0).

    Examples
    --------
    >>> psnr(np.zeros((1, 8, 8, 1)), np.full((1, 8, 8, 1), 0.1)).round(3).tolist()
    [20.0]
    """
    clean, denoised = check_pair(clean, denoised)
    mse = np.square(clean.astype(np.float64) - denoised).mean(axis=(1, 2, 3))
    with np.errstate(divide="ignore"):
        return -10 * np.log10(mse)


def ssim(clean, denoised):
    """Structural similarity of each image, with scikit-image's default 7x7 window.

    Parameters
    ----------
    clean : array of shape (n, height, width, 1)
        Reference images in [0, 1], at least 7 pixels high and wide.
    denoised : array of the same shape
        Images to judge.

    Returns
    -------
    ndarray of shape (n,), float64
        1 where both images are equal.

    Raises
    ------
    ValueError
        If an argument is not as described.

    References
    ----------
    Wang, Bovik, Sheikh and Simoncelli, "Image quality assessment: from error visibility to structural
    similarity", IEEE Trans. Image Processing 13, 2004; skimage.metrics.structural_similarity.

    Examples
    --------
    >>> ssim(np.zeros((1, 8, 8, 1)), np.zeros((1, 8, 8, 1))).tolist()
    [1.0]
    """
    clean, denoised = check_pair(clean, denoised)
    _check_window(clean, "clean")
    return np.array(
        [
            structural_similarity(a[..., 0], b[..., 0], data_range=1.0)
            for a, b in zip(clean.astype(np.float64), denoised.astype(np.float64))
        ]
    )


def mae(clean, denoised):
    """Mean absolute error of each image.

    Parameters
    ----------
    clean : array of shape (n, height, width, 1)
        Reference images in [0, 1].
    denoised : array of the same shape
        Images to judge.

    Returns
    -------
    ndarray of shape (n,), float64
        In grey levels, the whole range being 1.

    Raises
    ------
    ValueError
        If an argument is not as described.

    Examples
    --------
    >>> mae(np.zeros((1, 8, 8, 1)), np.full((1, 8, 8, 1), 0.25)).tolist()
    [0.25]
    """
    clean, denoised = check_pair(clean, denoised)
    return np.abs(clean.astype(np.float64) - denoised).mean(axis=(1, 2, 3))


def tissue_std(images):
    """Standard deviation of each CT slice where soft tissue is calm: an estimate of its noise.

    Windows of 7 x 7 pixels are laid over the slice, four pixels apart. In those that show soft tissue only, every
    pixel between -76 and 176 HU, the standard deviation is taken, and of these values the lower quartile:
    the median of the calmer half. White noise comes out 8 % too small, correlated noise smaller still, and
    anatomy, which varies a little even there, makes it larger. For weak noise only, up to about 0.02
    (30 HU): stronger noise leaves few windows in which every pixel looks like soft tissue.

    Parameters
    ----------
    images : array of shape (n, height, width, 1)
        CT slices in [0, 1], where 0 is -1000 HU and 1 is 400 HU; noise may carry them outside.

    Returns
    -------
    ndarray of shape (n,), float64
        In grey levels; times 1400 it is in HU.

    Raises
    ------
    ValueError
        If `images` is not as described, or a slice has fewer than 20 windows of soft tissue; slices are
        counted from 0.

    References
    ----------
    Noise of a CT scanner is commonly stated as the standard deviation in a region of uniform tissue; Christianson
    et al., "Automated technique to measure noise in clinical CT examinations", AJR 205, 2015, find the
    region automatically.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> tissue_std(rng.normal(0.75, 0.01, (1, 64, 64, 1))).round(4).tolist()
    [0.0093]
    """
    images = check_images(images, "images", NOISE_MARGIN)
    _check_window(images, "images")
    values = np.empty(len(images))
    for number, image in enumerate(images):
        pixels = image[..., 0].astype(np.float64)
        windows = np.lib.stride_tricks.sliding_window_view(pixels, (7, 7))[::4, ::4]
        low, high = windows.min(axis=(2, 3)), windows.max(axis=(2, 3))
        tissue = windows[(low > 0.66) & (high < 0.84)]
        if len(tissue) < 20:
            raise ValueError(
                "images: expected soft tissue with weak noise in every slice, "
                f"found too little in number {number}"
            )
        values[number] = np.quantile(tissue.std(axis=(1, 2)), 0.25)
    return values


def _check_window(images, name):
    """Raise unless a window of 7 x 7 pixels fits into the images."""
    if min(images.shape[1:3]) < 7:
        raise ValueError(
            f"{name}: expected at least 7 x 7 pixels, got {images.shape[1]} x {images.shape[2]}"
        )


def evaluate(denoiser, clean, noisy, warm_up=1):
    """Run a denoiser over several patients and measure quality and time.

    Parameters
    ----------
    denoiser : function
        From a noisy batch (n, height, width, 1) to a denoised batch of the same shape.
    clean, noisy : lists of arrays of shape (n, height, width, 1)
        One array per patient; sizes may differ between patients.
    warm_up : int
        So many noisy images are denoised once before the clock starts: set-up work is not timed. At least 1, and at
        least as many as the denoiser needs: 3 for a network of five slices.

    Returns
    -------
    dict
        "psnr" (dB) and "ssim": lists with one array of shape (n,) per patient;
        "seconds": wall-clock time per image, averaged over all.

    Raises
    ------
    ValueError
        If the lists differ in length, or an argument is not as described.

    Examples
    --------
    >>> clean = [np.zeros((2, 8, 8, 1))]
    >>> evaluate(lambda noisy: noisy, clean, clean)["ssim"][0].tolist()
    [1.0, 1.0]
    """
    check_patients(clean, noisy)
    clean, noisy = zip(*(check_pair(a, b, "noisy") for a, b in zip(clean, noisy)))
    denoiser(noisy[0][: check_whole(warm_up, "warm_up", 1)])
    start = time.perf_counter()
    denoised = [denoiser(images) for images in noisy]
    seconds = time.perf_counter() - start
    return {
        "psnr": [psnr(a, b) for a, b in zip(clean, denoised)],
        "ssim": [ssim(a, b) for a, b in zip(clean, denoised)],
        "seconds": seconds / sum(len(images) for images in noisy),
    }


def bootstrap_interval(values, rng, confidence=0.95, n_resamples=2000):
    """Bootstrap confidence interval of the mean over slices, resampled within each patient.

    Neighbouring slices of one patient are alike, so the interval tells how sure the mean is *for
    these patients*; it does not speak for patients who are not in the sample.

    Parameters
    ----------
    values : list of arrays of shape (n,)
        One array per patient, n may differ.
    rng : numpy.random.Generator
        Source of randomness.
    confidence : float
        Coverage of the interval, between 0 and 1.
    n_resamples : int
        Number of bootstrap samples.

    Returns
    -------
    (float, float)
        Lower and upper end (percentile method).

    Raises
    ------
    ValueError
        If an argument is not as described.

    References
    ----------
    Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapters 8 and 13.

    Examples
    --------
    >>> bootstrap_interval([np.full(5, 2.0)], np.random.default_rng(0))
    (2.0, 2.0)
    """
    values = [np.asarray(group, dtype=np.float64) for group in values]
    if not values or not all(
        group.ndim == 1 and group.size and np.isfinite(group).all() for group in values
    ):
        raise ValueError("values: expected a list of one-dimensional arrays of finite numbers")
    confidence = check_number(confidence, "confidence", 0, 1)
    n_resamples = check_whole(n_resamples, "n_resamples", 1, 1e6)
    check_rng(rng)
    totals = sum(rng.choice(group, (n_resamples, len(group))).sum(axis=1) for group in values)
    means = totals / sum(len(group) for group in values)
    tail = (1 - confidence) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return float(low), float(high)
