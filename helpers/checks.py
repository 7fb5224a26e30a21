"""Checks of arguments, shared by all modules: one clear sentence, as ValueError, when something is wrong.

Two functions take a line out of an error of another package, for such a sentence: `reason_of` the first, where what is
wrong comes first, and `last_reason_of` the last, where the cause does.
"""

from numbers import Real

import numpy as np

NOISE_MARGIN = 4.0  # a noisy image may leave [0, 1] by this much; 0..255 or HU leave it by more


def check_images(images, name="images", margin=0.0):
    """Return a batch of images (n, height, width, 1) as float32: the input itself where it already is.

    Another shape or type, NaN, infinity and values more than `margin` outside [0, 1] raise ValueError;
    `name` is how the caller calls the argument, and `NOISE_MARGIN` suits noisy images.

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
    remedy = "divide 8-bit images by 255, or window Hounsfield units first"
    if not np.issubdtype(images.dtype, np.floating):
        raise ValueError(
            f"{name}: expected floating-point values in [0, 1], got {images.dtype}; {remedy}"
        )
    # The extremes of the whole array also betray NaN and infinity, without a temporary array.
    smallest, largest = float(images.min()), float(images.max())
    if not np.isfinite([smallest, largest]).all():
        raise ValueError(f"{name}: expected finite values, got NaN or infinity")
    if smallest < -margin or largest > 1 + margin:
        raise ValueError(
            f"{name}: expected values in [{0 - margin:g}, {1 + margin:g}], "
            f"got {smallest:.4g} to {largest:.4g}; {remedy}"
        )
    return images.astype(np.float32, copy=False)


def check_edges(images, least, name="images"):
    """Raise ValueError unless the images of a checked batch are at least `least` pixels high and wide."""
    height, width = images.shape[1:3]
    if min(height, width) < least:
        raise ValueError(
            f"{name}: expected at least {least} x {least} pixels, got {height} x {width}"
        )


def check_like(images, clean, name="denoised"):
    """Return a batch, which noise may carry outside [0, 1], as float32 if it has the shape of `clean`.

    ValueError is raised where `check_images` does, and where the shapes differ.
    """
    images = check_images(images, name, NOISE_MARGIN)
    if clean.shape != images.shape:
        raise ValueError(f"{name}: expected the shape of clean, {clean.shape}, got {images.shape}")
    return images


def check_pair(clean, other, name="denoised"):
    """Return two batches of one shape as float32, the first in [0, 1], or raise ValueError.

    >>> clean, noisy = check_pair(np.zeros((1, 4, 4, 1)), np.ones((1, 4, 4, 1)), "noisy")
    """
    clean = check_images(clean, "clean")
    return clean, check_like(other, clean, name)


def check_patients(clean, noisy):
    """Return the clean and the noisy batches of one or more patients, each pair as `check_pair` does.

    ValueError is raised where `check_pair` does, and where the lists are empty or differ in length.

    >>> clean, noisy = check_patients([np.zeros((1, 4, 4, 1))], [np.ones((1, 4, 4, 1))])
    """
    if len(clean) != len(noisy) or not len(clean):
        raise ValueError(
            f"noisy: expected one array for each of the {len(clean)} clean ones, got {len(noisy)}"
        )
    return zip(*(check_pair(a, b, "noisy") for a, b in zip(clean, noisy)))


def check_rng(rng):
    """Return a numpy Generator; anything else, such as a bare seed, raises ValueError.

    >>> check_rng(np.random.default_rng(0)).integers(1)
    np.int64(0)
    """
    if not isinstance(rng, np.random.Generator):
        raise ValueError(
            f"rng: expected a numpy Generator such as numpy.random.default_rng(0), got {rng!r}"
        )
    return rng


def check_number(value, name, low, high=np.inf):
    """Return one finite number in [low, high] as float; anything else raises ValueError.

    >>> check_number(3, "size", low=1)
    3.0
    """
    if not isinstance(value, Real) or not np.isfinite(value) or not low <= value <= high:
        raise ValueError(f"{name}: expected a number in [{low:g}, {high:g}], got {value!r}")
    return float(value)


def check_whole(value, name, low, high=np.inf):
    """Return one whole number in [low, high] as int; anything else raises ValueError.

    >>> check_whole(3, "ksize", low=1)
    3
    """
    if not isinstance(value, Real) or not low <= value <= high or value % 1:
        raise ValueError(f"{name}: expected a whole number in [{low:g}, {high:g}], got {value!r}")
    return int(value)


def reason_of(error):
    """Return the first line of what an exception says, for a sentence of one's own; without one, its kind.

    >>> reason_of(OSError("disk full\\nand more")), reason_of(KeyboardInterrupt())
    ('disk full', 'KeyboardInterrupt')
    """
    return _lines_of(error)[0]


def last_reason_of(error):
    """Return the last line of what an exception says, where packages hand errors on; without one, its kind.

    >>> last_reason_of(RuntimeError("in file.cxx, line 7:\\n  no such tag \\n")), last_reason_of(KeyboardInterrupt())
    ('no such tag', 'KeyboardInterrupt')
    """
    return _lines_of(error)[-1].strip()


def _lines_of(error):
    return (str(error).strip() or type(error).__name__).splitlines()
