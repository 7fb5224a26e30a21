"""Corruptions of clean images: Gaussian, correlated, salt-and-pepper, Poisson, speckle, occlusion.

Each function takes clean images in [0, 1] and a numpy Generator, returns new float32 images of the
same shape and leaves its input alone.
"""

import cv2
import numpy as np

from ..checks import check_edges, check_images, check_number, check_rng, check_whole


def add_gaussian_noise(images, std, rng, *, clip=False):
    """Add independent Gaussian noise of mean 0 to each pixel.

    Parameters
    ----------
    images : array of shape (n, height, width, 1)
        Clean images in [0, 1].
    std : float or array of shape (n,)
        Standard deviation of the noise in grey levels, at least 0; one for all or one per image.
    rng : numpy.random.Generator
        Source of randomness.
    clip : bool
        Cut the result to [0, 1], as the classic MNIST recipe does. This shifts the mean of the noise
        in dark and in bright regions, so an estimator is better off without it.

    Returns
    -------
    ndarray of shape (n, height, width, 1), float32

    Raises
    ------
    ValueError
        If `images` is no batch in [0, 1], `std` no number (or array) of at least 0, or `rng` no Generator.

    References
    ----------
    Gonzalez and Woods, Digital Image Processing, 4th ed., section 5.2.

    Examples
    --------
    >>> noisy = add_gaussian_noise(np.zeros((1, 100, 100, 1)), 0.1, np.random.default_rng(0))
    >>> f"{noisy.std():.2f}"
    '0.10'
    """
    images = check_images(images)
    std = _one_or_each(std, "std", len(images))
    noisy = images + _gaussian(images.shape, std, check_rng(rng))
    return noisy.clip(0, 1) if clip else noisy


def add_correlated_noise(images, std, rng, *, sigma):
    """Add Gaussian noise of mean 0 whose neighbouring pixels are alike: white noise, blurred.

    The reconstruction of a CT scan correlates its noise like this. (It also takes away its lowest
    frequencies, which this simple model does not.)

    Parameters
    ----------
    images : array of shape (n, height, width, 1)
        Clean images in [0, 1].
    std : float or array of shape (n,)
        Standard deviation of the noise, after the blur, in grey levels, at least 0; one for all or one
        per image.
    rng : numpy.random.Generator
        Source of randomness.
    sigma : float or array of shape (n,)
        Width of the Gaussian blur (its standard deviation) in pixels, from 0 (white noise) to 100; one
        for all or one per image.

    Returns
    -------
    ndarray of shape (n, height, width, 1), float32

    Raises
    ------
    ValueError
        If `images` is no batch in [0, 1], `std` or `sigma` lies outside its range, or `rng` is no Generator.

    References
    ----------
    Riederer, Pelc and Chesler, "The noise power spectrum in computed x-ray tomography", Physics in
    Medicine and Biology 23, 1978, for what a scanner's noise is like.

    Examples
    --------
    >>> grey = np.full((1, 200, 200, 1), 0.5)
    >>> noise = add_correlated_noise(grey, 0.1, np.random.default_rng(0), sigma=1.0)[0, ..., 0] - 0.5
    >>> neighbours = np.corrcoef(noise[:, 1:].ravel(), noise[:, :-1].ravel())[0, 1]
    >>> f"std {noise.std():.2f}, correlation of neighbours {neighbours:.1f}"
    'std 0.10, correlation of neighbours 0.8'
    """
    images = check_images(images)
    std = _one_or_each(std, "std", len(images))
    sigma = _one_or_each(sigma, "sigma", len(images))
    if sigma.max() > 100:
        raise ValueError(f"sigma: expected at most 100 pixels, got {sigma.max():g}")
    margin = int(np.ceil(4 * sigma.max()))  # drawn and cut away: no pixel lacks neighbours
    height, width = (edge + 2 * margin for edge in images.shape[1:3])
    white = check_rng(rng).standard_normal((len(images), height, width), dtype=np.float32)
    offsets = np.arange(-margin, margin + 1)
    for one, blur in zip(white, np.broadcast_to(sigma, len(images))):
        kernel = np.exp(-0.5 * (offsets / max(blur, 1e-3)) ** 2)
        kernel /= np.sqrt((kernel**2).sum())  # leaves the variance of white noise as it is
        cv2.sepFilter2D(one, -1, kernel, kernel, dst=one)
    noise = white[:, margin : margin + images.shape[1], margin : margin + images.shape[2], None]
    return images + noise * std.reshape(-1, 1, 1, 1)


def add_salt_and_pepper_noise(images, amount, rng, *, salt_vs_pepper=0.5):
    """Replace a share of the pixels by white (salt) or black (pepper).

    Parameters
    ----------
    images : array of shape (n, height, width, 1)
        Clean images in [0, 1].
    amount : float
        Probability in [0, 1] that a pixel is replaced.
    rng : numpy.random.Generator
        Source of randomness.
    salt_vs_pepper : float
        Probability in [0, 1] that a replaced pixel becomes white.

    Returns
    -------
    ndarray of shape (n, height, width, 1), float32

    Raises
    ------
    ValueError
        If `images` is no batch in [0, 1], `amount` or `salt_vs_pepper` lies outside [0, 1], or
        `rng` is no Generator.

    References
    ----------
    Names as in skimage.util.random_noise; Gonzalez and Woods, Digital Image Processing, section 5.2.

    Examples
    --------
    >>> noisy = add_salt_and_pepper_noise(np.full((1, 9, 9, 1), 0.5), 1.0, np.random.default_rng(0))
    >>> np.unique(noisy).tolist()
    [0.0, 1.0]
    """
    images = check_images(images)
    amount = check_number(amount, "amount", 0, 1)
    salt_vs_pepper = check_number(salt_vs_pepper, "salt_vs_pepper", 0, 1)
    replaced = check_rng(rng).random(images.shape) < amount
    salt = rng.random(images.shape) < salt_vs_pepper
    return np.where(replaced, salt, images).astype(np.float32)


def add_poisson_noise(images, peak, rng):
    """Count photons: draw each pixel from a Poisson distribution, then scale back.

    A pixel of value v becomes Poisson(v * peak) / peak: its mean stays v, its variance is v / peak.

    Parameters
    ----------
    images : array of shape (n, height, width, 1)
        Clean images in [0, 1].
    peak : float
        Mean number of photons in a pixel of value 1, above 0. Fewer photons, more noise.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    ndarray of shape (n, height, width, 1), float32
        Values of at least 0; bright pixels may exceed 1.

    Raises
    ------
    ValueError
        If `images` is no batch in [0, 1], `peak` no number above 0, or `rng` no Generator.

    References
    ----------
    Hasinoff, "Photon, Poisson Noise", in Computer Vision: A Reference Guide, 2014.

    Examples
    --------
    >>> noisy = add_poisson_noise(np.ones((1, 100, 100, 1)), 25, np.random.default_rng(0))
    >>> f"{noisy.mean():.1f} {noisy.std():.1f}"
    '1.0 0.2'
    """
    images = check_images(images)
    peak = check_number(peak, "peak", np.finfo(np.float32).tiny, 1e12)
    return (check_rng(rng).poisson(images * np.float64(peak)) / peak).astype(np.float32)


def add_speckle_noise(images, std, rng, *, clip=False):
    """Multiply each pixel by 1 plus Gaussian noise: bright regions become noisier, black stays black.

    Parameters
    ----------
    images : array of shape (n, height, width, 1)
        Clean images in [0, 1].
    std : float or array of shape (n,)
        Standard deviation of the factor, at least 0; one for all or one per image.
    rng : numpy.random.Generator
        Source of randomness.
    clip : bool
        Cut the result to [0, 1].

    Returns
    -------
    ndarray of shape (n, height, width, 1), float32

    Raises
    ------
    ValueError
        If `images` is no batch in [0, 1], `std` no number (or array) of at least 0, or `rng` no Generator.

    References
    ----------
    Goodman, "Some fundamental properties of speckle", J. Opt. Soc. Am. 66, 1976, and the Gaussian
    approximation of it in skimage.util.random_noise (mode "speckle").

    Examples
    --------
    >>> noisy = add_speckle_noise(np.zeros((1, 9, 9, 1)), 0.5, np.random.default_rng(0))
    >>> float(noisy.max())
    0.0
    """
    images = check_images(images)
    std = _one_or_each(std, "std", len(images))
    noisy = images * (1 + _gaussian(images.shape, std, check_rng(rng)))
    return noisy.clip(0, 1) if clip else noisy


def occlude(images, rng):
    """Hide one line of each image as the classic occluded-MNIST tutorial does.

    Images at an even index get a white row, those at an odd index a white column. Its position is
    drawn uniformly from 10, 11, ..., 20.

    Parameters
    ----------
    images : array of shape (n, height, width, 1)
        Clean images in [0, 1], at least 21 pixels high and wide.
    rng : numpy.random.Generator
        Source of randomness; one draw for each image, in order.

    Returns
    -------
    ndarray of shape (n, height, width, 1), float32

    Raises
    ------
    ValueError
        If `images` is no batch in [0, 1] of at least 21 x 21 pixels, or `rng` is no Generator.

    Examples
    --------
    >>> occluded = occlude(np.zeros((2, 28, 28, 1)), np.random.default_rng(0))
    >>> occluded.sum(axis=(1, 2, 3)).tolist()
    [28.0, 28.0]
    """
    images = check_images(images)
    check_edges(images, 21)
    occluded = images.copy()
    for index, position in enumerate(check_rng(rng).integers(10, 20, len(images), endpoint=True)):
        if index % 2 == 0:
            occluded[index, position, :] = 1
        else:
            occluded[index, :, position] = 1
    return occluded


def occlude_box(images, size, rng, *, value=1.0):
    """Hide a box of each image, at a random position inside it.

    Parameters
    ----------
    images : array of shape (n, height, width, 1)
        Clean images in [0, 1].
    size : (int, int)
        Height and width of the box in pixels, at most those of the image. A whole row is
        (1, width), a whole column (height, 1).
    rng : numpy.random.Generator
        Source of randomness.
    value : float
        Grey level of the box, in [0, 1].

    Returns
    -------
    ndarray of shape (n, height, width, 1), float32

    Raises
    ------
    ValueError
        If `images` is no batch in [0, 1], the box does not fit, `value` lies outside [0, 1], or
        `rng` is no Generator.

    References
    ----------
    DeVries and Taylor, "Improved Regularization of Convolutional Neural Networks with Cutout", 2017.

    Examples
    --------
    >>> occluded = occlude_box(np.zeros((1, 28, 28, 1)), (4, 5), np.random.default_rng(0))
    >>> float(occluded.sum())
    20.0
    """
    images = check_images(images)
    count, height, width, _ = images.shape
    if np.shape(size) != (2,):
        raise ValueError(f"size: expected a height and a width, got {size!r}")
    box_height = check_whole(size[0], "size", 1, height)
    box_width = check_whole(size[1], "size", 1, width)
    value = check_number(value, "value", 0, 1)
    occluded = images.copy()
    tops = check_rng(rng).integers(0, height - box_height, count, endpoint=True)
    lefts = rng.integers(0, width - box_width, count, endpoint=True)
    for image, top, left in zip(occluded, tops, lefts):
        image[top : top + box_height, left : left + box_width] = value
    return occluded


def _gaussian(shape, std, rng):
    """Draw independent Gaussian noise; `std` is an array of one value, or of one per image."""
    return rng.standard_normal(shape, dtype=np.float32) * std.reshape(-1, 1, 1, 1)


def _one_or_each(values, name, count):
    """Return as float32 one number of at least 0, or one for each image, or say what was expected."""
    values = np.asarray(values)
    if (
        values.dtype.kind not in "fiu"
        or values.shape not in ((), (count,))
        or not np.isfinite(values).all()
        or (values < 0).any()
    ):
        raise ValueError(
            f"{name}: expected a finite number of at least 0, or {count} of them, got {values}"
        )
    return values.astype(np.float32)
