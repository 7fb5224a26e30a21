"""The noise that a CT slice carries, estimated where soft tissue is calm."""

import numpy as np

from ..checks import NOISE_MARGIN, check_edges, check_images, check_whole
from ..hounsfield import HU_LOW, WINDOW_WIDTH

# Soft tissue, from -76 to 176 HU, in grey levels.
TISSUE_LOW, TISSUE_HIGH = ((hu - HU_LOW) / WINDOW_WIDTH for hu in (-76, 176))


def tissue_std(images):
    """Standard deviation of each CT slice where soft tissue is calm: an estimate of its noise.

    Windows of 7 x 7 pixels are laid over the slice, four pixels apart. In those that show soft tissue only,
    every pixel between -76 and 176 HU, the standard deviation is taken, and of these values the lower
    quartile: the median of the calmer half. White noise comes out 8 % too small, correlated noise smaller
    still, and anatomy, which varies a little even there, makes it larger. For weak noise only, up to about
    0.02 (30 HU): stronger noise leaves few windows in which every pixel looks like soft tissue.

    Parameters
    ----------
    images : array of shape (n, height, width, 1)
        CT slices, windowed to [0, 1] by `hounsfield.window`; noise may carry them outside.

    Returns
    -------
    ndarray of shape (n,), float64
        In grey levels; times `hounsfield.WINDOW_WIDTH` it is in HU.

    Raises
    ------
    ValueError
        If `images` is no batch near [0, 1] of at least 7 x 7 pixels, or a slice has fewer than 20 windows of
        soft tissue; slices are counted from 0.

    References
    ----------
    Noise of a CT scanner is commonly stated as the standard deviation in a region of uniform tissue;
    Christianson et al., "Automated technique to measure noise in clinical CT examinations", AJR 205,
    2015, find the region automatically.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> tissue_std(rng.normal(0.75, 0.01, (1, 64, 64, 1))).round(4).tolist()
    [0.0093]
    """
    images = check_images(images, "images", NOISE_MARGIN)
    check_edges(images, 7)
    values = np.empty(len(images))
    for number, image in enumerate(images):
        windows, calm = _windows(image, 7, 4)
        tissue = windows[calm]
        if len(tissue) < 20:
            raise ValueError(
                "images: expected soft tissue with weak noise in every slice, "
                f"found too little in number {number}"
            )
        values[number] = np.quantile(tissue.std(axis=(1, 2)), 0.25)
    return values


def tissue_differences(images, size=24):
    """Cut out what differs between neighbouring slices where both show calm soft tissue: mostly their noise.

    Windows are laid over each pair of neighbouring slices, eight pixels apart. Where every pixel of both lies
    between -76 and 176 HU, the difference of the two windows is taken, divided by the root of 2, as noise adds
    up in squares, less the plane that fits it best. Of all these the calmer half is kept, as borders of organs move
    from slice to slice. Slow changes of anatomy remain, so the lowest frequencies are too strong; where slices
    overlap, their noise is alike, and the difference too weak.

    Parameters
    ----------
    images : array of shape (n, height, width, 1)
        The slices of one patient in order, windowed to [0, 1] by `hounsfield.window`.
    size : int
        Edge of the windows in pixels.

    Returns
    -------
    ndarray of shape (m, size, size, 1), float32

    Raises
    ------
    ValueError
        If `images` is no batch near [0, 1] of two slices or more, `size` no whole number from 2 to the edge of the
        slices, or there is no window of soft tissue.

    References
    ----------
    Christianson et al., "Automated technique to measure noise in clinical CT examinations", AJR 205, 2015; the
    difference of two images as in ICRU Report 87, 2012.

    Examples
    --------
    >>> images = np.random.default_rng(0).normal(0.75, 0.01, (2, 64, 64, 1))
    >>> differences = tissue_differences(images)
    >>> differences.shape, f"{differences.std():.3f}"
    ((18, 24, 24, 1), '0.010')
    """
    images = check_images(images, "images", NOISE_MARGIN)
    size = check_whole(size, "size", 2, min(images.shape[1:3]))
    if len(images) < 2:
        raise ValueError(f"images: expected at least two neighbouring slices, got {len(images)}")
    pairs = [_windows(image, size, 8) for image in images]
    found = [
        (above - below)[both] / np.sqrt(2)
        for (below, calm), (above, calm_too) in zip(pairs, pairs[1:])
        for both in [calm & calm_too]
    ]
    differences = np.concatenate(found).reshape(-1, size**2)
    if not len(differences):
        raise ValueError("images: expected soft tissue with weak noise, found none")
    y, x = np.mgrid[0:size, 0:size]
    plane = np.stack([np.ones(size**2), y.ravel(), x.ravel()], axis=1)
    differences -= (plane @ np.linalg.lstsq(plane, differences.T, rcond=None)[0]).T
    spread = differences.std(axis=1)
    calmer = differences[spread <= np.median(spread)]
    return calmer.reshape(-1, size, size, 1).astype(np.float32)


def _windows(image, size, step):
    """Return windows of an image, and in which every pixel looks like soft tissue."""
    pixels = image[..., 0].astype(np.float64)
    windows = np.lib.stride_tricks.sliding_window_view(pixels, (size, size))[::step, ::step]
    low, high = windows.min(axis=(2, 3)), windows.max(axis=(2, 3))
    return windows, (low > TISSUE_LOW) & (high < TISSUE_HIGH)
