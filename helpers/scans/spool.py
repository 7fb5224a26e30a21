"""Slices that wait on disk until their file is complete: memory stays constant, and an interrupted run goes on."""

import numpy as np

from ..replaced import naming

WAITING = ".slices"  # the end of the name of an array that waits
_PORTION = 2**20  # bytes that are written at a time


class Spool:
    """An array on disk, beside the file that it will become.

    Each access maps the file anew and lets go of it, so that nothing stays in memory. What was put is safe when the
    program is killed.

    Parameters
    ----------
    path : Path
        The file that is being made; the array lies beside it, under the same name with .slices at its end.
    shape : tuple of int
    dtype : numpy.dtype
    order : {"C", "F"}
        Whether the last or the first index runs fastest.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     spool = Spool(Path(folder, "a.nii"), (2, 3), np.dtype("i2"))
    ...     spool.put(1, [1, 2, 3])
    ...     spool.get(1).tolist()
    [1, 2, 3]
    """

    def __init__(self, path, shape, dtype, order="C"):
        self.path = path.with_name(path.name + WAITING)
        self.shape, self.dtype, self.order = tuple(shape), np.dtype(dtype), order
        self.size = int(np.prod(self.shape)) * self.dtype.itemsize

    def exists(self):
        """True if the array is there, at its full size."""
        return self.path.exists() and self.path.stat().st_size == self.size

    def put(self, where, values, view=lambda array: array):
        """Store values at an index of a view of the array; make the array if need be."""
        if not self.exists():  # written, not just declared: a full disk shows here
            with naming(self.path), self.path.open("wb") as file:
                for start in range(0, self.size, _PORTION):
                    file.write(bytes(min(_PORTION, self.size - start)))
        view(self.mapped("r+"))[where] = values

    def get(self, where):
        """Return a copy of the values at an index."""
        return np.array(self.mapped()[where])

    def remove(self):
        """Remove the array, if it is there."""
        self.path.unlink(missing_ok=True)

    def mapped(self, mode="r"):
        """Return the array as it lies on disk, of which memory holds only what is in use."""
        return np.memmap(self.path, self.dtype, mode, shape=self.shape, order=self.order)
