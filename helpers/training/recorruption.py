"""Pairs out of one noisy image whose noise is not white: Recorrupted-to-Recorrupted."""

import numpy as np

from ..checks import NOISE_MARGIN, check_images, check_number, check_whole
from .selfsupervised import clean_targets


def recorrupted(noisy, spectrum, rng, size=64, *, alpha=0.5, draws=8):
    """Learn a less noisy image from a noisier one, both made of the same: `noise2noise` with a single image.

    Fresh noise m, of the same kind as the image's own noise n, is added alpha times to the input; 1 / alpha times it is
    subtracted from the target. Their noise, n + alpha m and n - m / alpha, has the covariance cov(n) - cov(m) = 0, and
    Gaussian noise without covariance is independent. It need not be white, but its spectrum must be known.

    Parameters
    ----------
    noisy : array of shape (n, height, width, 1)
        Slices of one patient, near [0, 1].
    spectrum : array of shape (height, width)
        Of their noise, as `noise.power_spectrum` returns it.
    rng : numpy.random.Generator
        Draws the fresh noise; the patches, another one draws.
    size : int
        Edge of a patch in pixels.
    alpha : float
        0.1 to 10; the smaller, the more alike are the input and the image, and the noisier is the target. Its authors
        took 0.5.
    draws : int
        So often fresh noise is drawn for each slice.

    Returns
    -------
    function
        pairs(n, rng) -> (input, target, None), of shape (n, size, size, 1).

    Raises
    ------
    ValueError
        If `noisy` is no batch near [0, 1], `size` as for `training.clean_targets`, `alpha` not 0.1 to 10, `draws` no whole
        number of at least 1, or the spectrum of another shape than the slices.

    References
    ----------
    Pang, Zheng, Quan and Ji, "Recorrupted-to-Recorrupted: unsupervised deep learning for image denoising", CVPR 2021.
    Moran, Schmidt, Zhong and Coady, "Noisier2Noise: learning to denoise from unpaired noisy data", CVPR 2020, learn
    the noisy image and correct the answer afterwards.

    Examples
    --------
    >>> flat, white = np.full((2, 80, 80, 1), 0.5), np.full((80, 80), 80 * 80 * 0.1**2)
    >>> rng = np.random.default_rng(0)
    >>> given, target, _ = recorrupted(flat, white, rng)(20, rng)
    >>> round(float(given.std()), 2), round(float(target.std()), 1)
    (0.05, 0.2)
    """
    noisy, spectrum = check_images(noisy, "noisy", NOISE_MARGIN), np.asarray(spectrum)
    alpha = np.float32(check_number(alpha, "alpha", 0.1, 10))
    draws = check_whole(draws, "draws", 1)
    if spectrum.shape != noisy.shape[1:3]:
        raise ValueError(f"spectrum: expected shape {noisy.shape[1:3]}, got {spectrum.shape}")
    fresh = [_drawn(spectrum, len(noisy), rng) for _ in range(draws)]
    return clean_targets(
        [noisy + alpha * m for m in fresh], [noisy - m / alpha for m in fresh], size
    )


def _drawn(spectrum, n, rng):
    """Draw Gaussian noise with a power spectrum: (n, height, width, 1)."""
    white = rng.standard_normal((n, *spectrum.shape), np.float32)
    coloured = np.fft.ifft2(np.fft.fft2(white) * np.sqrt(spectrum / spectrum.size)).real
    return coloured[..., None].astype(np.float32)
