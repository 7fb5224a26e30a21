"""NRRD and MetaImage files, by way of SimpleITK."""

import math
import shutil
import tempfile
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from ..quiet import quiet
from .grid import TURNED, Grid, check_memory, check_room


def open_itk(path, folder):
    """Read a volume, and store its voxels so that they can be read slice by slice.

    Parameters
    ----------
    path : Path
        A three-dimensional .nrrd, .nhdr, .mha or .mhd file.
    folder : Path
        An empty folder for its voxels.

    Returns
    -------
    grid.Grid
        Its `head` is a small image that holds geometry and metadata.

    Raises
    ------
    ValueError
        If it is not three-dimensional, has colours, or is larger than the memory or the room in the folder; without
        the name of the file.
    RuntimeError
        If it is damaged.

    References
    ----------
    SimpleITK, ImageFileReader; its coordinates go to the patient's left, back and head.

    Examples
    --------
    >>> open_itk(Path("scan.nrrd"), Path("empty")).shape  # doctest: +SKIP
    (512, 512, 320)
    """
    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    with quiet():
        reader.ReadImageInformation()
    shape = reader.GetSize()
    if len(shape) != 3:
        raise ValueError(f"it has {len(shape)} dimensions")
    if reader.GetNumberOfComponents() != 1:
        raise ValueError(f"it has {reader.GetNumberOfComponents()} values at each place")
    dtype = sitk.GetArrayViewFromImage(sitk.Image((1, 1, 1), reader.GetPixelID())).dtype
    if dtype.kind not in "iuf":
        raise ValueError("its values are no plain numbers")
    size = math.prod(shape) * dtype.itemsize
    check_memory(size)
    check_room(size, folder)
    with quiet():
        image = reader.Execute()
    raw = folder / "voxels.raw"
    sitk.GetArrayViewFromImage(image).tofile(raw)
    affine = np.eye(4)
    affine[:3, :3] = np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing()
    affine[:3, 3] = image.GetOrigin()
    head = {key: image.GetMetaData(key) for key in image.GetMetaDataKeys()}
    head = image.GetOrigin(), image.GetSpacing(), image.GetDirection(), head
    return Grid(raw, 0, shape, dtype, 1.0, 0.0, TURNED @ affine, head)


def save_itk(path, file, head, spool, of_noise):
    """Write a volume with the geometry and the metadata of the source.

    Parameters
    ----------
    path : Path
        Its name, which tells the format.
    file : file open for binary writing
    head : tuple
        As in `open_itk`.
    spool : spool.Spool
        The voxels.
    of_noise : bool
        What was removed.

    Examples
    --------
    >>> save_itk(Path("new.nrrd"), file, grid.head, spool, False)  # doctest: +SKIP
    """
    origin, spacing, direction, metadata = head
    image = sitk.GetImageFromArray(spool.mapped().T)
    image.SetOrigin(origin)
    image.SetSpacing(spacing)
    image.SetDirection(direction)
    for key, value in metadata.items():
        image.SetMetaData(key, value)
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder, "image" + path.suffix.lower())
        sitk.WriteImage(image, str(written), useCompression=True)
        with written.open("rb") as whole:
            shutil.copyfileobj(whole, file)
