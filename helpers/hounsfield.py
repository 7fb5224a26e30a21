"""The CT window: Hounsfield units to grey levels in [0, 1] and back.

Shipped weights and stored results are in its grey levels, and so are the strengths of noise and grain in `training`:
with another window, make them anew. The notebooks and the page "Try it" repeat its HU.
"""

import numpy as np

HU_LOW, HU_HIGH = -1000.0, 400.0  # air is black; bone, metal and dense contrast are white
WINDOW_WIDTH = HU_HIGH - HU_LOW  # HU: a noise of 0.07 grey levels is one of 98 HU


def window(hu, low=HU_LOW, high=HU_HIGH):
    """Map Hounsfield units to grey levels: `low` and below to 0, `high` and above to 1.

    Parameters
    ----------
    hu : array of any shape
        Hounsfield units.
    low, high : float
        Ends of the window, low < high. The default shows lung, soft tissue and most contrast.

    Returns
    -------
    ndarray of the same shape, float32 in [0, 1]

    Raises
    ------
    ValueError
        If low >= high, or a value is NaN or infinite.

    References
    ----------
    DICOM PS3.3, C.11.2 (VOI LUT): the same idea as a scanner's window centre and width.

    Examples
    --------
    >>> window([-2048, -1000, -300, 400, 3000]).tolist()
    [0.0, 0.0, 0.5, 1.0, 1.0]
    """
    hu = np.asarray(hu, dtype=np.float32)
    if not low < high:
        raise ValueError(f"low: expected a value below high, got low={low}, high={high}")
    if not np.isfinite(hu).all():
        raise ValueError("hu: expected finite Hounsfield units, got NaN or infinity")
    return np.clip((hu - np.float32(low)) / np.float32(high - low), 0, 1)


def unwindow(grey, low=HU_LOW, high=HU_HIGH):
    """Map grey levels back to Hounsfield units; what `window` cut off stays cut off.

    Parameters
    ----------
    grey : array of any shape
        Grey levels, 0 for `low`, 1 for `high`; values outside [0, 1] are carried on along the line.
    low, high : float
        Ends of the window, low < high.

    Returns
    -------
    ndarray of the same shape, float32
        Hounsfield units.

    Raises
    ------
    ValueError
        If low >= high.

    Examples
    --------
    >>> unwindow([0, 0.5, 1]).tolist()
    [-1000.0, -300.0, 400.0]
    """
    if not low < high:
        raise ValueError(f"low: expected a value below high, got low={low}, high={high}")
    return np.asarray(grey, np.float32) * np.float32(high - low) + np.float32(low)
