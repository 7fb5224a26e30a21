"""Denoise a scan of any length in constant memory, in Hounsfield units that nothing can spoil."""

import numpy as np

from ..contract import about
from ..hounsfield import HU_HIGH, HU_LOW, WINDOW_WIDTH, window

SLAB = 16  # slices that go through a network together
MARGIN = 4  # slices that are read beside a slab; no shipped network looks further than 2


def removed_noise(denoiser, read, count, *, strength=1.0, skip=lambda index: False):
    """Tell slice by slice what a denoiser removes from a scan.

    Slices are read in slabs of 16, with a few beside for networks that see neighbours, so that memory does not grow
    with the scan. Slabs begin at the same slices whatever is skipped, so that an interrupted run goes on with the
    same numbers.

    Parameters
    ----------
    denoiser : function
        From a noisy batch (n, height, width, 1) in [0, 1] to a denoised one.
    read : function
        read(index) -> array of shape (height, width) in Hounsfield units.
    count : int
        Number of slices.
    strength : float
        Share of the removed noise that is removed indeed, 0 to 1.
    skip : function
        skip(index) -> True for slices that are not needed; they are still seen as neighbours.

    Yields
    ------
    (int, ndarray)
        The number of a slice, and what to subtract from its Hounsfield units, float32: exactly 0 where a value lies
        outside the window (`hounsfield.window`), which the network never saw.

    References
    ----------
    `hounsfield.window`; TotalSegmentator and nnU-Net work through large scans in the same way.

    Examples
    --------
    >>> scan = np.full((3, 8, 8), 50.0)
    >>> darker = removed_noise(lambda noisy: noisy - 0.1, lambda index: scan[index], 3)
    >>> [(index, round(float(removed.mean()))) for index, removed in darker]
    [(0, 140), (1, 140), (2, 140)]
    """
    beside = MARGIN if about(denoiser).volume else 0
    for start in range(0, count, SLAB):
        wanted = [i for i in range(start, min(start + SLAB, count)) if not skip(i)]
        if not wanted:
            continue
        low, high = max(0, start - beside), min(count, start + SLAB + beside)
        hu = np.stack([read(index) for index in range(low, high)]).astype(np.float32)
        grey = window(hu)[..., None]
        removed = (grey - denoiser(grey))[..., 0] * np.float32(strength * WINDOW_WIDTH)
        removed[(hu < HU_LOW) | (hu > HU_HIGH)] = 0
        for index in wanted:
            yield index, removed[index - low]
