"""NIfTI files: the stored values of a volume, and a file of the same kind that keeps the header bit for bit."""

import contextlib
import gzip
import shutil

import nibabel
import numpy as np

from .grid import Grid, check_room


def open_nifti(path, folder):
    """Read the header of a NIfTI file, and make its voxels readable slice by slice.

    Parameters
    ----------
    path : Path
        A three-dimensional .nii or .nii.gz file.
    folder : Path
        An empty folder for a file that has to be unpacked.

    Returns
    -------
    grid.Grid
        Its `head` is the bytes before the voxels, and the header.

    Raises
    ------
    ValueError
        If it is not three-dimensional, or damaged; without the name of the file.

    References
    ----------
    Cox et al., NIfTI-1 data format, fields dim, datatype, vox_offset, scl_slope and scl_inter.

    Examples
    --------
    >>> open_nifti(Path("scan.nii.gz"), Path("empty")).shape  # doctest: +SKIP
    (512, 512, 320)
    """
    image = nibabel.load(path)
    if not isinstance(image, nibabel.Nifti1Image):
        raise ValueError("it is of another kind")
    voxels, header = image.dataobj, image.header
    if len(image.shape) < 3 or any(length != 1 for length in image.shape[3:]):
        raise ValueError(f"it has {len(image.shape)} dimensions")
    dtype, shape = header.get_data_dtype(), image.shape[:3]
    if dtype.kind not in "iuf" or dtype.itemsize > 8:
        raise ValueError(f"its values are of type {header['datatype']}, no plain numbers")
    size = voxels.offset + int(np.prod(shape, dtype=object)) * dtype.itemsize
    raw = path
    if path.suffix.lower() == ".gz":
        raw = folder / "voxels.nii"
        check_room(size, folder)
        with gzip.open(path) as packed, raw.open("wb") as file:
            _copy(packed, file, size)
    if raw.stat().st_size < size:
        raise ValueError("its voxels are cut off")
    with raw.open("rb") as file:
        head = file.read(voxels.offset)
    slope, intercept = float(voxels.slope), float(voxels.inter)
    return Grid(raw, voxels.offset, shape, dtype, slope, intercept, image.affine, (head, header))


def save_nifti(path, file, head, spool, of_noise):
    """Write a NIfTI file: the head of the source, and other voxels.

    Parameters
    ----------
    path : Path
        Its name; packed where it ends in .gz, always into the same bytes.
    file : file open for binary writing
    head : (bytes, nibabel.Nifti1Header)
        As in `open_nifti`.
    spool : spool.Spool
        The voxels, as they lie in the file.
    of_noise : bool
        What was removed: float32, without a scale.

    Examples
    --------
    >>> save_nifti(Path("new.nii.gz"), file, grid.head, spool, False)  # doctest: +SKIP
    """
    before, header = head
    if of_noise:
        header = header.as_byteswapped("<")  # the order of the spool
        header.set_data_dtype(spool.dtype)
        header.set_slope_inter(1, 0)
        header["cal_min"] = header["cal_max"] = 0
        before = _bytes(header)
    with contextlib.ExitStack() as stack:
        if path.suffix.lower() == ".gz":
            packed = gzip.GzipFile("", "wb", compresslevel=1, fileobj=file, mtime=0)
            file = stack.enter_context(packed)
        file.write(before)
        shutil.copyfileobj(stack.enter_context(spool.path.open("rb")), file)


def new_head(shape, dtype, affine, *, sheared):
    """Return the head of a new NIfTI file, in mm.

    Parameters
    ----------
    shape : (int, int, int)
    dtype : numpy.dtype
    affine : array of shape (4, 4)
        From voxels to mm to the patient's right, front and head.
    sheared : bool
        True where the axes are not at right angles: only one of NIfTI's two transforms can tell.

    Returns
    -------
    (bytes, nibabel.Nifti1Header)
        For `save_nifti`.

    Examples
    --------
    >>> head, header = new_head((8, 8, 3), np.dtype("<i2"), np.diag([0.7, 0.7, 2, 1]), sheared=False)
    >>> len(head), bytes(header["descrip"])[:8]
    (352, b'Denoised')
    """
    header = nibabel.Nifti1Header(endianness="<")
    header.set_data_dtype(dtype)
    header.set_data_shape(shape)
    header.set_xyzt_units("mm")
    header.set_sform(affine, code="scanner")
    header.set_qform(affine, code="unknown" if sheared else "scanner")
    header.set_slope_inter(1, 0)
    header["descrip"] = b"Denoised by a neural network. Not for clinical use."
    return _bytes(header), header


def _bytes(header):
    """Return what stands before the voxels of a file without extensions."""
    header["vox_offset"] = header.single_vox_offset
    return bytes(header.binaryblock).ljust(header.single_vox_offset, b"\0")


def _copy(source, file, size):
    """Copy the first `size` bytes, however many there are."""
    while size > 0 and (portion := source.read(min(size, 2**20))):
        size -= file.write(portion)
