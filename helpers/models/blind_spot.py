"""A blind spot for denoisers: each pixel is hidden behind its neighbours while it is asked for."""

from dataclasses import replace

import cv2
import numpy as np

from ..checks import check_edges, check_whole
from ..contract import about, checked, trusting

GRID_SPACING = 4  # of the pixels that are hidden at a time, in `hidden_grid`
_CROSS = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], np.float32) / 4


def hidden_grid(images, row, column, spacing):
    """Hide the pixels of a grid behind the mean of their four neighbours.

    Parameters
    ----------
    images : array of shape (n, height, width, 1), float32
    row, column : int
        The first pixel of the grid.
    spacing : int
        Distance of the pixels of the grid, at least 2, so that no neighbour is hidden.

    Returns
    -------
    ndarray of the same shape

    Examples
    --------
    >>> hidden_grid(np.eye(3, dtype="float32")[None, ..., None], 1, 1, 4)[0, 1, 1, 0]
    np.float32(0.0)
    """
    hidden, grid = images.copy(), (slice(row, None, spacing), slice(column, None, spacing))
    for image, covered in zip(images, hidden):
        covered[(*grid, 0)] = cv2.filter2D(image, -1, _CROSS)[grid]  # mirrored at the edges
    return hidden


def j_invariant(denoiser, spacing=GRID_SPACING):
    """Let a denoiser answer for each pixel without having seen it: hidden behind its neighbours' mean.

    So must be asked what has learned with `training.noise2self`: it knows what to do where a pixel is hidden, and
    may return what it sees elsewhere. It takes as many times as long as a cell of the grid has pixels.

    Parameters
    ----------
    denoiser : function
        From a noisy batch (n, height, width, 1) to a denoised one of the same shape.
    spacing : int
        Of the grid that is hidden at a time, 2 to 16.

    Returns
    -------
    function
        A denoiser, too, for images of at least 2 x 2 pixels. It raises ValueError for a wrong shape or type, and for
        values that noise cannot explain.

    Raises
    ------
    ValueError
        If `spacing` is no whole number from 2 to 16.

    References
    ----------
    Batson and Royer, "Noise2Self: blind denoising by self-supervision", ICML 2019.

    Examples
    --------
    >>> denoise = j_invariant(lambda noisy: noisy)  # returns neighbours' means
    >>> denoise(np.eye(3, dtype="float32")[None, ..., None])[0, 1, 1, 0]
    np.float32(0.0)
    """
    spacing, inner = check_whole(spacing, "spacing", 2, 16), trusting(denoiser)
    known = about(denoiser, "your function")

    def denoise(noisy):
        check_edges(noisy, 2, "noisy")  # a lone row has no neighbour but itself
        answer = np.empty_like(noisy)
        for row, column in np.ndindex(spacing, spacing):
            grid = slice(None), slice(row, None, spacing), slice(column, None, spacing)
            answer[grid] = inner(hidden_grid(noisy, row, column, spacing))[grid]
        return answer

    return checked(denoise, replace(known, label=f"{known.label}, blind spot"))
