"""Checks of arguments, shared by all modules: one clear sentence when something is wrong."""

from numbers import Real

import numpy as np

NOISE_MARGIN = 4.0  # a noisy image may leave [0, 1] by this much; 0..255 or HU leave it by more


def check_images(images, name="images", margin=0.0):
    """Return a batch of images as float32, or say what is wrong with it.

    Parameters
    ----------
    images : array of shape (n, height, width, 1)
        Floating-point values in [0 - margin, 1 + margin], n >= 1, all finite.
    name : str
        How the caller calls this argument; it opens the error message.
    margin : float
        How far values may lie outside [0, 1]; `NOISE_MARGIN` suits noisy images.

    Returns
    -------
    ndarray of shape (n, height, width, 1), float32
        The input itself where it already is float32.

    Raises
    ------
    ValueError
        For another shape or type, NaN or infinity, or values outside the range.

    Examples
    --------
    >>> check_images(np.zeros((2, 8, 8, 1), "float32")).shape
    (2, 8, 8, 1)
    """
    try:
        images = np.asarray(images)
    except ValueError:
        raise ValueError(
            f"{name}: expected one array of shape (n, height, width, 1), "
            "got images of different sizes"
        ) from None
    if images.ndim != 4 or images.shape[-1] != 1 or 0 in images.shape:
        raise ValueError(
            f"{name}: expected an array of shape (n, height, width, 1) with at least one pixel, "
            f"got shape {images.shape}"
        )
    if not np.issubdtype(images.dtype, np.floating):
        raise ValueError(
            f"{name}: expected floating-point values in [0, 1], got {images.dtype}; "
            "divide 8-bit images by 255, or window Hounsfield units first"
        )
    # The extremes of the whole array also betray NaN and infinity, without a temporary array.
    smallest, largest = float(images.min()), float(images.max())
    if not np.isfinite([smallest, largest]).all():
        raise ValueError(f"{name}: expected finite values, got NaN or infinity")
    if smallest < -margin or largest > 1 + margin:
        raise ValueError(
            f"{name}: expected values in [{0 - margin:g}, {1 + margin:g}], "
            f"got {smallest:.4g} to {largest:.4g}; divide 8-bit images by 255, "
            "or window Hounsfield units first"
        )
    return images.astype(np.float32, copy=False)


def check_like(images, clean, name="denoised"):
    """Return images, which noise may carry outside [0, 1], as float32 if they have the shape of `clean`.

    Raises
    ------
    ValueError
        Where `check_images` does, or where the shapes differ.

    Examples
    --------
    >>> check_like(np.ones((1, 4, 4, 1)), np.zeros((1, 4, 4, 1))).dtype
    dtype('float32')
    """
    images = check_images(images, name, NOISE_MARGIN)
    if clean.shape != images.shape:
        raise ValueError(f"{name}: expected the shape of clean, {clean.shape}, got {images.shape}")
    return images


def check_pair(clean, other, name="denoised"):
    """Return two batches of the same shape as float32; `clean` lies in [0, 1].

    Raises
    ------
    ValueError
        Where `check_images` does, or where the shapes differ.

    Examples
    --------
    >>> clean, noisy = check_pair(np.zeros((1, 4, 4, 1)), np.ones((1, 4, 4, 1)), "noisy")
    """
    clean = check_images(clean, "clean")
    return clean, check_like(other, clean, name)


def check_patients(clean, noisy):
    """Return two lists of checked batches: at least one patient, and a noisy array for each clean one.

    Raises
    ------
    ValueError
        If the lists are empty or differ in length, or where `check_pair` does.

    Examples
    --------
    >>> clean, noisy = check_patients([np.zeros((1, 4, 4, 1))], [np.ones((1, 4, 4, 1))])
    """
    if len(clean) != len(noisy) or not len(clean):
        raise ValueError(
            f"noisy: expected one array for each of the {len(clean)} clean ones, got {len(noisy)}"
        )
    return zip(*(check_pair(a, b, "noisy") for a, b in zip(clean, noisy)))


def check_rng(rng):
    """Return `rng` if it is a numpy Generator.

    Raises
    ------
    ValueError
        For anything else, such as a bare seed.

    Examples
    --------
    >>> check_rng(np.random.default_rng(0)).integers(1)
    np.int64(0)
    """
    if not isinstance(rng, np.random.Generator):
        raise ValueError(
            f"rng: expected a numpy Generator such as numpy.random.default_rng(0), got {rng!r}"
        )
    return rng


def check_number(value, name, low, high=np.inf):
    """Return `value` as float if it is one finite number in [low, high].

    Raises
    ------
    ValueError
        For anything else.

    Examples
    --------
    >>> check_number(3, "size", low=1)
    3.0
    """
    if not isinstance(value, Real) or not np.isfinite(value) or not low <= value <= high:
        raise ValueError(f"{name}: expected a number in [{low:g}, {high:g}], got {value!r}")
    return float(value)


def check_whole(value, name, low, high=np.inf):
    """Return `value` as int if it is one whole number in [low, high].

    Raises
    ------
    ValueError
        For anything else.

    Examples
    --------
    >>> check_whole(3, "ksize", low=1)
    3
    """
    if not isinstance(value, Real) or not low <= value <= high or value % 1:
        raise ValueError(f"{name}: expected a whole number in [{low:g}, {high:g}], got {value!r}")
    return int(value)
