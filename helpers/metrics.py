"""Measures of image quality, one value per image, and the uncertainty of their mean.

Images lie in [0, 1], so every measure uses a data range of 1. The reference is the *clean* image.
"""

import numpy as np
from skimage.metrics import structural_similarity

from .checks import check_edges, check_like, check_number, check_pair, check_rng, check_whole

BLOCK = 10  # slices of a patient that the bootstrap of a comparison draws together


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
        If `clean` is no batch in [0, 1], or `denoised` no batch of its shape near [0, 1].

    References
    ----------
    The same value as skimage.metrics.peak_signal_noise_ratio(..., data_range=1.0).

    Examples
    --------
    >>> psnr(np.zeros((1, 8, 8, 1)), np.full((1, 8, 8, 1), 0.1)).round(3).tolist()
    [20.0]
    """
    return trusted_psnr(*check_pair(clean, denoised))


def trusted_psnr(clean, denoised):
    """Do what `psnr` does, but trust that both are float32 batches of one shape."""
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
        If `clean` is no batch in [0, 1] of at least 7 x 7 pixels, or `denoised` no batch of its
        shape near [0, 1].

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
    check_edges(clean, 7, "clean")
    return trusted_ssim(clean, denoised)


def trusted_ssim(clean, denoised):
    """Do what `ssim` does, but trust that both are float32 batches of one shape, 7 x 7 pixels or more."""
    pairs = zip(clean[..., 0].astype(np.float64), denoised[..., 0].astype(np.float64))
    return np.array([structural_similarity(a, b, data_range=1.0) for a, b in pairs])


def clipped(clean, denoised):
    """Return what a method made of noisy images as the comparison judges it: cut to [0, 1].

    The clean images are cut to the window, and so would a user cut the denoised ones. A method that
    overshoots, as transforms do at sharp edges, shall not pay for what nobody sees.

    Parameters
    ----------
    clean : array of shape (n, height, width, 1)
        Clean images in [0, 1], as float32.
    denoised : array
        What a method returned.

    Returns
    -------
    ndarray of the shape of `clean`, float32

    Raises
    ------
    ValueError
        If `denoised` is no batch of the shape of `clean`, or far outside [0, 1].

    Examples
    --------
    >>> clipped(np.ones((1, 8, 8, 1), "float32"), np.full((1, 8, 8, 1), 1.25)).max().item()
    1.0
    """
    return check_like(denoised, clean).clip(0, 1)


def bootstrap_interval(values, rng, *, block=1, confidence=0.95, n_resamples=2000):
    """Bootstrap confidence interval of the mean over slices, resampled within each patient.

    Neighbouring slices of one patient are alike. Drawn one by one, as if they were independent, they make
    an interval that is too narrow; so draw whole blocks of neighbours. In either case it tells how sure the
    mean is *for these patients*; it does not speak for patients who are not in the sample.

    Parameters
    ----------
    values : list of arrays of shape (n,)
        One array per patient, in the order of the slices, n may differ.
    rng : numpy.random.Generator
        Source of randomness.
    block : int
        So many neighbouring values are drawn together: 1 where values are independent. A block that starts
        near the end of a patient goes on at the beginning. It should be longer than the values are
        alike; of a short patient, a third is taken instead, as a block of all would never vary.
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
        If `values` is no list of such arrays of finite numbers, `block` no whole number of at least 1,
        `confidence` lies outside [0, 1], `n_resamples` is no whole number from 1 to a million, or `rng` is no
        Generator.

    References
    ----------
    Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapters 8 and 13; Politis and Romano, "A
    circular block-resampling procedure for stationary data", in: Exploring the Limits of Bootstrap, 1992.

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
    block = check_whole(block, "block", 1)
    confidence = check_number(confidence, "confidence", 0, 1)
    n_resamples = check_whole(n_resamples, "n_resamples", 1, 1e6)
    check_rng(rng)

    def totals(group):
        length = min(block, max(1, len(group) // 3))
        starts = rng.integers(len(group), size=(n_resamples, -(-len(group) // length), 1))
        drawn = group[(starts + np.arange(length)) % len(group)]
        return drawn.reshape(n_resamples, -1)[:, : len(group)].sum(axis=1)

    means = sum(map(totals, values)) / sum(map(len, values))
    return percentile_interval(means, confidence)


def percentile_interval(values, confidence=0.95):
    """Return the lower and the upper end of the middle of some bootstrap values.

    >>> percentile_interval(np.arange(101), 0.9)
    (5.0, 95.0)
    """
    tail = (1 - confidence) / 2
    low, high = np.quantile(values, [tail, 1 - tail])
    return float(low), float(high)
