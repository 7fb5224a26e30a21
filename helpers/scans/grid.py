"""A volume of voxels on a regular grid: where its values are stored, and how its axial slices lie in them."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import nibabel
import numpy as np

from ..data.files import axial
from ..data.frames import Frame
from ..data.series import Series

# From left, back, head, as in DICOM, to right, front, head, as in NIfTI, and back again.
TURNED = np.diag([-1.0, -1.0, 1.0, 1.0])


@dataclass(frozen=True)
class Grid:
    """A volume whose stored values lie in a file, the first index running fastest.

    Parameters
    ----------
    raw : Path
        The file that holds the stored values.
    offset : int
        Where they begin, in bytes.
    shape : (int, int, int)
    dtype : numpy.dtype
    slope, intercept : float
        From stored values to Hounsfield units.
    affine : array of shape (4, 4)
        From voxels to mm to the patient's right, front and head, as in NIfTI.
    head : object
        What is needed to write a file of the same kind.

    Examples
    --------
    >>> grid = Grid(Path("raw"), 0, (4, 5, 6), np.dtype("<i2"), 1, 0, np.diag([-1, -1, 2, 1]), None)
    >>> grid.axial(np.zeros((4, 5, 6))).shape
    (6, 5, 4)
    """

    raw: Path
    offset: int
    shape: tuple
    dtype: np.dtype
    slope: float
    intercept: float
    affine: np.ndarray
    head: object

    def axial(self, array):
        """Return a view (slices, rows, columns) of an array of this grid, as `data.files.axial` does."""
        return axial(array, self.affine)

    def stored(self, index):
        """Return a copy of the stored values of an axial slice."""
        where = {"offset": self.offset, "shape": self.shape, "order": "F"}
        return np.array(self.axial(np.memmap(self.raw, self.dtype, "r", **where))[index])

    def series(self, path):
        """Return the axial slices as a series, so that all that is known of one is known of them."""
        turn = nibabel.io_orientation(self.affine)
        affine = TURNED @ self.affine @ nibabel.orientations.inv_ornt_aff(turn, self.shape)
        width, height, count = (self.shape[int(k)] for k in np.argsort(turn[:, 0]))
        steps = np.linalg.norm(affine[:3, :3], axis=0)
        along = [tuple(-affine[:3, k] / steps[k]) for k in (0, 1)]
        places = [affine @ [width - 1, height - 1, k, 1] for k in range(count)]
        frames = tuple(
            Frame(path, k, tuple(place[:3]), self.slope, self.intercept)
            for k, place in enumerate(places)
        )
        pixel_mm = float(steps[1]), float(steps[0])
        return Series(path.name, "", frames, (height, width), pixel_mm, along[0] + along[1])


def check_grid(grid):
    """Raise ValueError if a grid cannot be denoised: no place in the patient, or values that are no numbers."""
    flat = not np.isfinite(grid.affine).all() or abs(np.linalg.det(grid.affine[:3, :3])) < 1e-12
    if flat or np.isnan(nibabel.io_orientation(grid.affine)).any():
        raise ValueError("its affine has no inverse")
    if 0 in grid.shape:
        raise ValueError("it has no voxels")
    if not np.isfinite([grid.slope, grid.intercept]).all() or not grid.slope:
        raise ValueError(f"its slope is {grid.slope:g}, its intercept {grid.intercept:g}")
    if grid.dtype.kind == "f":
        slices = range(grid.shape[int(np.argmax(nibabel.io_orientation(grid.affine)[:, 0]))])
        if not all(np.isfinite(grid.stored(index)).all() for index in slices):
            raise ValueError("it holds NaN or infinity")


def check_room(size, folder):
    """Raise ValueError if a folder has no room for so many bytes."""
    free = shutil.disk_usage(folder).free
    if size > free:
        raise ValueError(f"unpacked it has {size} bytes, {folder} has room for {free}")


def check_memory(size):
    """Raise ValueError if this machine has no memory for so many bytes; not every system tells."""
    if "SC_PHYS_PAGES" in getattr(os, "sysconf_names", {}):
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        if size > memory:
            raise ValueError(f"unpacked it has {size} bytes, the memory of this machine {memory}")
