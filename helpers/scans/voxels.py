"""Scans in one file of voxels: a table of formats, and how a volume is denoised from file to file."""

import numpy as np

from ..checks import last_reason_of
from ..data.frames import DICOM_ENDINGS
from ..hounsfield import HU_HIGH, HU_LOW
from ..replaced import replaced
from .grid import TURNED, Grid, check_grid
from .itk import open_itk, save_itk
from .nifti import new_head, open_nifti, save_nifti
from .pictures import WRITTEN
from .spool import Spool
from .stream import subtracted

NIFTI, ITK = (".nii", ".nii.gz"), (".nrrd", ".mha")
FORMATS = {  # how each is read, how it is written, and the names that a file made of it may have
    ".nii": (open_nifti, save_nifti, NIFTI),
    ".nii.gz": (open_nifti, save_nifti, NIFTI),
    ".nrrd": (open_itk, save_itk, ITK),
    ".nhdr": (open_itk, save_itk, ITK),
    ".mha": (open_itk, save_itk, ITK),
    ".mhd": (open_itk, save_itk, ITK),
}
_WHOLE = 1e-6  # a slope that differs by less from a whole number is one


def suffix_of(path):
    """Return the end of a name that tells its format, in lower case.

    >>> from pathlib import Path
    >>> suffix_of(Path("Scan.NII.gz")), suffix_of(Path("patient.7")), suffix_of(Path("a.nrrd"))
    ('.nii.gz', '', '.nrrd')
    """
    name = path.name.lower()
    known = (*FORMATS, *WRITTEN, *DICOM_ENDINGS, ".zip")
    return max((end for end in known if name.endswith(end)), key=len, default="")


class VoxelScan:
    """A file of voxels as the source of a run; its axial slices are what networks see.

    Parameters
    ----------
    path : Path
        A file whose suffix is one of `FORMATS`.
    folder : Path
        An empty folder for what has to be unpacked.

    Raises
    ------
    ValueError
        If it is damaged, not three-dimensional, or has no place in the patient; the message names the file.
    """

    unit, ends = "hu", (HU_LOW, HU_HIGH)

    def __init__(self, path, folder):
        self.path, self.label = path, f"{path.name}, {path.stat().st_size} bytes"
        open_file, self.save_file, self.suffixes = FORMATS[suffix_of(path)]
        self.readers = ("nibabel",) if self.suffixes == NIFTI else ("SimpleITK",)  # packages
        try:
            self.grid = open_file(path, folder)
            check_grid(self.grid)
        except Exception as error:  # nibabel, gzip, zlib, numpy and SimpleITK fail in many ways
            raise ValueError(
                f"{path}: expected a readable three-dimensional volume in Hounsfield units ({last_reason_of(error)})"
            ) from error
        self.series = self.grid.series(path)
        self.count = len(self.series.frames)

    def name(self, index):
        """Return the name of the file of a slice."""
        return self.path.name

    def stored(self, index):
        """Return the stored values of a slice."""
        return self.grid.stored(index)

    def view(self, array):
        """Return a view (slices, rows, columns) of an array of voxels."""
        return self.grid.axial(array)

    def read(self, index):
        """Return a slice in Hounsfield units."""
        return self.stored(index).astype(float) * self.grid.slope + self.grid.intercept

    def writer(self, destination, made_by, save_noise):
        """Return a `VoxelWriter` of a file of the same kind, or raise ValueError if its name ends otherwise."""
        if suffix_of(destination) not in self.suffixes:
            wanted = " or ".join(self.suffixes)
            raise ValueError(f"{destination}: expected a name that ends in {wanted}")
        return VoxelWriter(destination, self, save_noise)


class DicomAsNifti:
    """A DICOM series as the source of a NIfTI file: Hounsfield units, columns, rows and slices as in DICOM.

    Parameters
    ----------
    scan : dicom.DicomScan

    Raises
    ------
    ValueError
        If the slices do not lie evenly.

    References
    ----------
    DICOM PS3.3, C.7.6.2.1.1; DICOM's axes go to the patient's left and back, NIfTI's to the right and front.
    """

    save_file, readers = staticmethod(save_nifti), ("nibabel",)

    def __init__(self, scan):
        series, self.scan, self.count = scan.series, scan, scan.count
        if self.count > 1 and not series.even:
            raise ValueError(
                series.gap
                or f"{scan.folder}: expected slices at even distances for a NIfTI file; take a folder for DICOM files"
            )
        lps = np.eye(4)
        across, down = np.reshape(series.orientation, (2, 3))
        lps[:3, 0], lps[:3, 1] = across * series.pixel_mm[1], down * series.pixel_mm[0]
        first, last = (np.array(series.frames[k].place) for k in (0, -1))
        lps[:3, 2] = (last - first) / (self.count - 1) if self.count > 1 else series.normal
        lps[:3, 3] = first
        affine = TURNED @ lps
        height, width = series.shape
        shape, dtype = (width, height, self.count), np.dtype(_smallest_type(scan))
        head = new_head(shape, dtype, affine, sheared=series.tilted)
        self.grid = Grid(scan.folder, 0, shape, dtype, 1.0, 0.0, affine, head)

    def stored(self, index):
        """Return a slice as it is to be stored without denoising."""
        hu = self.scan.read(index)
        return np.rint(hu).astype("<i2") if self.grid.dtype.kind == "i" else hu.astype("<f4")

    def view(self, array):
        """Return a view (slices, rows, columns) of an array of voxels."""
        return array.transpose(2, 1, 0)


def _smallest_type(scan):
    """Return the type that holds all Hounsfield units of a series: int16, or float32 where they are no whole numbers."""
    for frame in scan.series.frames:
        whole = all(abs(n - round(n)) < _WHOLE for n in (frame.slope, frame.intercept))
        header = scan.header(frame.path)
        bits = header.BitsStored - bool(header.PixelRepresentation)
        ends = np.array([-(2**bits) if header.PixelRepresentation else 0, 2**bits - 1])
        hu = ends * frame.slope + frame.intercept
        if not whole or hu.min() < -(2**15) or hu.max() >= 2**15:
            return "<f4"
    return "<i2"


class VoxelWriter:
    """Write a file of voxels, whose slices wait in a `Spool` until all are there.

    Parameters
    ----------
    destination : Path
        Its name tells the format.
    source : VoxelScan or DicomAsNifti
    save_noise : bool
        Write what was removed, too, as float32 in Hounsfield units, into a file beside it: of `scan.nii.gz`, into
        `scan.noise.nii.gz`.
    """

    is_file, noted = True, {}

    def __init__(self, destination, source, save_noise):
        self.destination, self.source, self.packages = destination, source, source.readers
        self.spools = {destination: Spool(destination, source.grid.shape, source.grid.dtype, "F")}
        if save_noise:
            noise = noise_name(destination)
            self.spools[noise] = Spool(noise, source.grid.shape, "<f4", "F")
        self.files = list(self.spools)

    def name(self, index):
        """Return the name of the file that a slice goes to."""
        return self.destination.name

    def holds(self, index):
        """True if what was written of a slice is still there."""
        return all(path.exists() or spool.exists() for path, spool in self.spools.items())

    def save(self, index, removed):
        """Store a slice without what was removed from it."""
        stored, slope = self.source.stored(index), self.source.grid.slope
        changed = subtracted(stored, removed, slope)
        for path, spool in self.spools.items():
            if path != self.destination:
                changed = (stored.astype(float) - changed) * slope
            spool.put(index, changed, self.source.view)

    def finish(self):
        """Make the file of what waits."""
        for path, spool in self.spools.items():
            if spool.exists():
                with replaced(path, "wb") as file:
                    of_noise = path != self.destination
                    self.source.save_file(path, file, self.source.grid.head, spool, of_noise)
                spool.remove()


def noise_name(path):
    """Name the file beside an image that holds what was removed from it.

    >>> from pathlib import Path
    >>> noise_name(Path("a/scan.nii.gz")).name
    'scan.noise.nii.gz'
    """
    end = len(suffix_of(path))
    return path.with_name(f"{path.name[:-end]}.noise{path.name[-end:]}")
