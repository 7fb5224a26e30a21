"""Denoise a scan of any length in constant memory, in values that nothing can spoil."""

import itertools

import numpy as np

from ..contract import about
from ..hounsfield import HU_HIGH, HU_LOW, window

SLAB = 16  # slices that are denoised together
NOISE_FOLDER = "noise"  # in the destination, for what was removed


def removed_noise(
    denoiser, read, count, *, strength=1.0, skip=lambda index: False, ends=(HU_LOW, HU_HIGH)
):
    """Tell slice by slice what a denoiser removes from a scan.

    Slices are read in slabs of 16, with as many beside as the denoiser looks at on each side, so that memory does not
    grow with the scan. Slabs begin at the same slices whatever is skipped, so that an interrupted run goes on with the
    same numbers.

    Parameters
    ----------
    denoiser : function
        From a noisy batch (n, height, width, 1) in [0, 1] to a denoised one. How far it looks, its record says
        (`contract.About`): a function without one sees single slices.
    read : function
        read(index) -> array of shape (height, width) in Hounsfield units, or whatever `ends` are in. Slices may differ
        in size where the denoiser sees single slices.
    count : int
        Number of slices.
    strength : float
        Share of the removed noise that is removed indeed, 0 to 1.
    skip : function
        skip(index) -> True for slices that are not needed; they are still seen as neighbours.
    ends : (float, float)
        What the network sees as 0 and as 1.

    Yields
    ------
    (int, ndarray)
        The number of a slice, and what to subtract from its values, float32: exactly 0 where a value lies
        outside the window (`hounsfield.window`), which the network never saw.

    Raises
    ------
    ValueError
        If the denoiser works on all slices of a patient at once, as BM4D does.

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
    known = about(denoiser, "your function")
    beside = known.neighbours
    if beside is None:
        raise ValueError(
            "denoiser: expected one that looks at a known number of neighbouring slices, "
            f"{known.label} works on all slices at once"
        )
    low, high = ends
    for start in range(0, count, SLAB):
        wanted = {i for i in range(start, min(start + SLAB, count)) if not skip(i)}
        if not wanted:
            continue
        slab = range(max(0, start - beside), min(count, start + SLAB + beside))
        slices = ((index, np.asarray(read(index), np.float32)) for index in slab)
        for _, alike in itertools.groupby(slices, key=lambda pair: pair[1].shape):
            indices, images = zip(*alike)
            values = np.stack(images)
            grey = window(values, low, high)[..., None]
            removed = (grey - denoiser(grey))[..., 0] * np.float32(strength * (high - low))
            removed[(values < low) | (values > high)] = 0
            yield from ((i, one) for i, one in zip(indices, removed) if i in wanted)


def subtracted(stored, removed, slope=1.0, ends=None):
    """Subtract noise from stored values.

    Parameters
    ----------
    stored : array of any shape, of integers or real numbers
    removed : array of the same shape
        In Hounsfield units; where it is 0, the stored value stays bit for bit.
    slope : float
        Hounsfield units of one step of the stored values.
    ends : (float, float), optional
        The lowest and the highest value that can be stored: a result beyond them is set to them, never wrapped around.
        By default, what the type can hold.

    Returns
    -------
    ndarray of the same shape and type

    Examples
    --------
    >>> subtracted(np.array([500, 0, 4095], "uint16"), np.array([9.0, 9.0, 0.0]), 2.0, (0, 4095)).tolist()
    [496, 0, 4095]
    """
    changed, where = stored - removed.astype(float) / slope, removed != 0
    if stored.dtype.kind in "iu":
        whole = np.iinfo(stored.dtype)
        changed = np.rint(changed).clip(*(ends or (whole.min, whole.max)))
    result = stored.copy()
    result[where] = changed[where].astype(stored.dtype)
    return result
