"""What PSNR does not see: can a small faint spot still be detected? Two model observers answer.

The spot, its place and what a method makes of the lung behind it are known; what is not known is whether the spot
is there. An observer turns an image into one number, its *response*. Responses to images with the spot should
be larger than those without; by how much, counted in standard deviations over the noise, is the detectability d'.

Images are windows around the places of the spot, in arrays of shape (places, draws, size, size): at each place,
several draws of the noise.
"""

import numpy as np

from ..checks import check_number, check_rng, check_whole
from ..metrics import percentile_interval


def gaussian_spot(size, contrast, sigma):
    """Draw a round spot in the middle of a square.

    Parameters
    ----------
    size : int
        Edge of the square in pixels, odd.
    contrast : float
        Grey levels of its peak above the surroundings.
    sigma : float
        Standard deviation in pixels, above 0.

    Returns
    -------
    ndarray of shape (size, size), float32

    Raises
    ------
    ValueError
        If `size` is not odd, or `sigma` not above 0.

    Examples
    --------
    >>> gaussian_spot(5, 0.1, 1.0).max().round(2)
    np.float32(0.1)
    """
    size, sigma = _odd(size), check_number(sigma, "sigma", 1e-3)
    squares = np.square(np.arange(size) - size // 2)
    return np.float32(contrast) * np.exp(-(squares[:, None] + squares) / (2 * sigma**2)).astype(
        "f4"
    )


def calm_lung(image, rng, *, size=31):
    """Find places in a CT slice whose surroundings are lung without any large vessel.

    The surroundings are 15 x 15 pixels; all of them lie between 0.02 and 0.3 (-970 and -580 HU).

    Parameters
    ----------
    image : array of shape (height, width, 1)
        A clean slice in [0, 1].
    rng : numpy.random.Generator
        Decides which of many places are taken.
    size : int
        Edge in pixels, odd, at least 15, of a window around each place; windows do not overlap, nor leave the
        slice.

    Returns
    -------
    ndarray of shape (n, 2), int
        Rows and columns; n may be 0.

    Raises
    ------
    ValueError
        If `size` is even, below 15 or larger than the slice, or `rng` is no Generator.

    Examples
    --------
    >>> calm_lung(np.full((40, 40, 1), 0.1), np.random.default_rng(0)).shape
    (1, 2)
    """
    size = check_whole(_odd(size), "size", 15, min(image.shape[:2]))
    check_rng(rng)
    views = np.lib.stride_tricks.sliding_window_view(image[..., 0], (15, 15))
    calm = (views.min(axis=(2, 3)) > 0.02) & (views.max(axis=(2, 3)) < 0.3)
    places = rng.permutation(np.argwhere(calm) + 7)
    inside = np.all(
        (places >= size // 2) & (places < np.array(image.shape[:2]) - size // 2), axis=1
    )
    places, chosen = places[inside], []
    while len(places):
        chosen.append(places[0])
        places = places[np.abs(places - places[0]).max(axis=1) >= size]
    return np.array(chosen, int).reshape(-1, 2)


def windows(images, places, size):
    """Cut squares around places out of images.

    Parameters
    ----------
    images : array of shape (n, height, width, 1)
    places : array of shape (m, 2)
        Rows and columns, at least size // 2 inside the images.
    size : int
        Edge of the squares in pixels, odd.

    Returns
    -------
    ndarray of shape (m, n, size, size)

    Examples
    --------
    >>> windows(np.zeros((3, 20, 20, 1)), [(9, 10)], 5).shape
    (1, 3, 5, 5)
    """
    half = _odd(size) // 2
    return np.stack(
        [images[:, r - half : r + half + 1, c - half : c + half + 1, 0] for r, c in places]
    )


def dog_channels(size):
    """Return the ten difference-of-Gaussians channels of a human-like observer.

    Parameters
    ----------
    size : int
        Edge of the images in pixels, odd.

    Returns
    -------
    ndarray of shape (10, size, size), float64
        Each a filter around the middle pixel that passes one band of frequencies, in all directions alike; the
        sum of its squares is 1. The lowest bands are narrower than a small image can tell apart.

    Raises
    ------
    ValueError
        If `size` is not odd.

    References
    ----------
    Abbey and Barrett, "Human- and model-observer performance in ramp-spectrum noise", J. Optical Society of
    America A 18, 2001: the dense channels.

    Examples
    --------
    >>> dog_channels(21).shape
    (10, 21, 21)
    """
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(_odd(size)), np.fft.fftfreq(size)))
    widths = 0.005 * 1.4 ** np.arange(10)
    bands = [
        np.exp(-((frequency / (1.67 * width)) ** 2) / 2) - np.exp(-((frequency / width) ** 2) / 2)
        for width in widths
    ]
    channels = np.stack([np.fft.fftshift(np.fft.ifft2(band).real) for band in bands])
    return channels / np.sqrt(np.square(channels).sum(axis=(1, 2), keepdims=True))


def matched_filter(absent, present, signal):
    """Responses of the observer that knows the spot: it multiplies image and spot, and adds up.

    In white noise no observer is better. It does not know what a denoiser does to the spot, or to the noise.

    Parameters
    ----------
    absent, present : arrays of shape (places, draws, size, size)
        Images without and with the spot.
    signal : array of shape (size, size)
        The spot.

    Returns
    -------
    ndarray of shape (2, places, draws)
        The responses without and with the spot.

    References
    ----------
    Barrett and Myers, Foundations of Image Science, 2004, chapter 13.

    Examples
    --------
    >>> spot = np.zeros((3, 3)); spot[1, 1] = 2
    >>> matched_filter(0 * spot[None, None], spot[None, None], spot).ravel().tolist()
    [0.0, 4.0]
    """
    return np.stack([np.tensordot(images, signal, 2) for images in (absent, present)])


def hotelling(absent, present, channels):
    """Responses of the channelised Hotelling observer, which learns from examples what to look for.

    Each image becomes a few numbers, the outputs of the channels. The observer weighs them as tells images
    with from images without the spot best. It learns from every other place and judges the others, and the
    other way round, so that it is never flattered by having seen the images before. With few images it
    learns badly, and is judged too low.

    Parameters
    ----------
    absent, present : arrays of shape (places, draws, size, size)
        Images without and with the spot, at least two places and two draws.
    channels : array of shape (m, size, size)
        Such as `dog_channels`.

    Returns
    -------
    ndarray of shape (2, places, draws)
        The responses without and with the spot, in standard deviations over the draws.

    Raises
    ------
    ValueError
        If there are less than two places or draws, or, in half of the places, less than four times as many
        images as channels.

    References
    ----------
    Myers and Barrett, "Addition of a channel mechanism to the ideal-observer model", J. Optical Society of
    America A 4, 1987.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> absent, channels = rng.normal(0, 1, (20, 8, 3, 3)), np.eye(9).reshape(9, 3, 3)
    >>> responses = hotelling(absent, absent + 3 * channels[4], channels)
    >>> 2.5 < detectability(responses) < 3.5
    True
    """
    places, draws = absent.shape[:2]
    if min(places, draws) < 2 or places // 2 * draws < 4 * len(channels):
        raise ValueError(
            "absent: expected at least 2 places, 2 draws and, in half of the places, "
            f"{4 * len(channels)} images, got {places} places and {draws} draws"
        )
    outputs = np.stack(
        [np.tensordot(images, channels, ((2, 3), (1, 2))) for images in (absent, present)]
    )
    responses = np.empty((2, places, draws))
    for half in (slice(0, None, 2), slice(1, None, 2)):
        learned = outputs[:, slice(1 - half.start, None, 2)]
        around = learned - learned.mean(axis=2, keepdims=True)  # less what each place shows
        around = around.reshape(-1, len(channels))
        spread = around.T @ around / len(around)
        # Low channels are nearly the same in a small window: what they do not tell apart is left out.
        inverse = np.linalg.pinv(spread, rcond=1e-6, hermitian=True)
        template = inverse @ (learned[1] - learned[0]).mean(axis=(0, 1))
        judged = outputs[:, half] @ template
        deviation = _deviation(judged)
        responses[:, half] = judged / (deviation if deviation else 1)
    return responses


def detectability(responses):
    """Return d': the difference of the mean responses in units of their standard deviation over the draws.

    Parameters
    ----------
    responses : array of shape (2, places, draws)
        Without and with the spot, at least two draws.

    Returns
    -------
    float
        Infinite if the responses differ and never vary, 0 if they do neither.

    References
    ----------
    Green and Swets, Signal Detection Theory and Psychophysics, 1966.

    Examples
    --------
    >>> detectability(np.array([[[-1.0, 1.0]], [[2.0, 4.0]]])).__round__(2)
    2.12
    """
    difference, deviation = (
        float(np.mean(responses[1]) - np.mean(responses[0])),
        _deviation(responses),
    )
    if deviation:
        return difference / deviation
    return float(np.copysign(np.inf, difference)) if difference else 0.0


def detectability_interval(responses, rng, *, other=None, n_resamples=1000):
    """95 % bootstrap interval of d', over the places of the spot.

    Parameters
    ----------
    responses : array of shape (2, places, draws)
        Of an observer, which does not learn anew for each bootstrap sample.
    rng : numpy.random.Generator
        Source of randomness.
    other : array of the same shape, optional
        Responses to another method's images of the same places: then the interval is that of d' minus the
        other d'.
    n_resamples : int
        Number of bootstrap samples.

    Returns
    -------
    (float, float)

    Raises
    ------
    ValueError
        If `rng` is no Generator, the shapes differ, or a number is out of range.

    Examples
    --------
    >>> responses = np.random.default_rng(0).normal(0, 1, (2, 50, 4)) + [[[0]], [[2]]]
    >>> low, high = detectability_interval(responses, np.random.default_rng(1))
    >>> low < 2 < high
    True
    """
    check_rng(rng)
    n_resamples = check_whole(n_resamples, "n_resamples", 1, 1e6)
    if other is not None and other.shape != responses.shape:
        raise ValueError(f"other: expected the shape {responses.shape}, got {other.shape}")
    places = responses.shape[1]
    values = []
    for row in rng.integers(places, size=(n_resamples, places)):
        minus = 0 if other is None else detectability(other[:, row])
        values.append(detectability(responses[:, row]) - minus)
    return percentile_interval(values)


def _deviation(responses):
    """Standard deviation over the draws, the mean of variances over places, without and with the spot."""
    return float(np.sqrt(np.var(responses, axis=-1, ddof=1).mean()))


def _odd(size):
    size = check_whole(size, "size", 1)
    if size % 2 == 0:
        raise ValueError(f"size: expected an odd number, got {size}")
    return size
