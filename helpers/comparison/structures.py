"""What PSNR does not see: faint bright spots of a few pixels, and how much of their contrast is left."""

import numpy as np
from scipy.ndimage import maximum_filter

from ..checks import check_images, check_number, check_whole

_DISTANCE = np.hypot(*np.mgrid[-7:8, -7:8])
_CORE, _RING = _DISTANCE <= 1.5, (_DISTANCE >= 4) & (_DISTANCE <= 7)


def small_structures(images, *, low=0.08, high=0.15, every=1):
    """Find faint bright spots a few pixels wide, alone in dark surroundings: vessels and nodules in lung.

    A spot is the brightest pixel within 2 pixels, its contrast lies between `low` and `high`, the ring
    around it is lung: its median is above 0.05 (-930 HU), and no pixel is brighter than 0.25 (-650 HU) or by
    more than 0.15 brighter than the median. The slices before and after show at least half
    of its contrast at the same place, so that it is anatomy and not noise.

    Parameters
    ----------
    images : array of shape (n, height, width, 1)
        Clean neighbouring slices of one patient.
    low, high : float
        Limits of the contrast in grey levels.
    every : int
        Search only every so many slices, from the second one on; never the first and the last.

    Returns
    -------
    list of (int, int, int)
        Slice, row and column of each spot.

    Raises
    ------
    ValueError
        If `images` are no batch in [0, 1], `low` and `high` no ascending contrasts, or `every` is below 1.

    Examples
    --------
    >>> images = np.full((3, 21, 21, 1), 0.1); images[:, 9:12, 9:12] = 0.2; images[:, 10, 10] = 0.21
    >>> small_structures(images)
    [(1, 10, 10)]
    """
    images = check_images(images, "images")
    low = check_number(low, "low", 0, 1)
    high = check_number(high, "high", low, 1)
    found = []
    for index in range(1, len(images) - 1, check_whole(every, "every", 1)):
        peaks = images[index, ..., 0] == maximum_filter(images[index, ..., 0], 5)
        for row, column in zip(*np.nonzero(peaks[7:-7, 7:-7])):
            place = int(row) + 7, int(column) + 7
            if not low <= spot_contrast(images[index : index + 1], place)[0] <= high:
                continue
            before, here, after = spot_contrast(images[index - 1 : index + 2], place)
            ring = _around(images[index : index + 1], place)[:, _RING]
            alone = 0.05 < np.median(ring) and ring.max() < min(0.25, np.median(ring) + 0.15)
            if alone and min(before, after) >= here / 2:
                found.append((index, *place))
    return found


def spot_contrast(images, place):
    """Measure how much brighter a spot is than the ring around it.

    Parameters
    ----------
    images : array of shape (n, height, width, 1)
    place : (int, int)
        Row and column of the spot's centre, at least 7 pixels from the edge.

    Returns
    -------
    ndarray of shape (n,)
        Mean within 1.5 pixels of the centre minus median at 4 to 7 pixels, in grey levels.

    Raises
    ------
    ValueError
        If the spot is too near to the edge.

    Examples
    --------
    >>> images = np.zeros((1, 21, 21, 1)); images[0, 8:13, 8:13] = 0.5
    >>> spot_contrast(images, (10, 10)).tolist()
    [0.5]
    """
    around = _around(images, place)
    return around[:, _CORE].mean(axis=1) - np.median(around[:, _RING], axis=1)


def _around(images, place):
    row, column = place
    height, width = images.shape[1:3]
    if not (7 <= row < height - 7 and 7 <= column < width - 7):
        raise ValueError(
            f"place: expected one at least 7 pixels inside {height} x {width} pixels, got {place}"
        )
    return images[:, row - 7 : row + 8, column - 7 : column + 8, 0]
