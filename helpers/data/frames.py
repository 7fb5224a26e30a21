"""What a DICOM file says of its CT slices before a pixel is read: where each lies, and how its values become Hounsfield units."""

import functools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom
from pydicom import uid
from pydicom.errors import InvalidDicomError
from pydicom.pixels import get_decoder

from ..checks import reason_of

UNPLACED = "picture without a place"  # what `other_kind` says of it
CT_IMAGES = (
    uid.CTImageStorage,
    uid.EnhancedCTImageStorage,
    uid.LegacyConvertedEnhancedCTImageStorage,
)
_NEEDED = (
    "SeriesInstanceUID SOPInstanceUID Rows Columns SamplesPerPixel BitsAllocated BitsStored "
    "PixelRepresentation".split()
)
DICOM_ENDINGS = (".dcm", ".dicom", ".ima")  # of names, in lower case; many files have none
HOUNSFIELD = ("", "HU", "HU_MOD", "US")  # values of RescaleType; US is unspecified
_UNIT = 0.01  # directions may differ by as much from the length 1


@dataclass(frozen=True)
class Frame:
    """One CT slice: where it is stored, and where it lies.

    Parameters
    ----------
    path : Path
        Its file.
    number : int
        Its number in the file, from 0; a file of one slice has no other.
    place : tuple of float
        ImagePositionPatient: the centre of its first pixel, in mm.
    slope, intercept : float
        From stored values to Hounsfield units.
    unit : str
        RescaleType, or ""; only those in `HOUNSFIELD` mean Hounsfield units.
    """

    path: Path
    number: int
    place: tuple
    slope: float
    intercept: float
    unit: str = ""


def header_of(path):
    """Read what stands before the pixels of a DICOM file.

    Parameters
    ----------
    path : Path

    Returns
    -------
    (str, pydicom.Dataset or None, int)
        What it is instead of a DICOM file, or ""; its header, or None; how many bytes follow behind the header.

    Raises
    ------
    ValueError
        If it is empty.
    Exception
        Of many kinds, by pydicom, if it is damaged otherwise.

    Examples
    --------
    >>> from pydicom.data import get_testdata_file
    >>> other, header, left = header_of(Path(get_testdata_file("CT_small.dcm")))
    >>> other, header.Rows, left >= 128 * 128 * 2
    ('', 128, True)
    """
    if not path.is_file():
        return "broken link", None, 0
    if not claims_dicom(path):
        return "file that is not DICOM", None, 0
    if path.stat().st_size == 0:
        raise ValueError("it is empty")
    with path.open("rb") as file:
        header = pydicom.dcmread(file, stop_before_pixels=True)
        return "", header, path.stat().st_size - file.tell()


def damage_of(error):
    """Say in one line why a DICOM file could not be read.

    >>> damage_of(InvalidDicomError("Use force=True to force reading."))
    'it does not begin as DICOM files do'
    """
    if isinstance(error, InvalidDicomError):
        return "it does not begin as DICOM files do"
    return reason_of(error)


def claims_dicom(path):
    """Tell whether a file says that it is DICOM: by its name, or by the letters DICM behind its 128-byte preamble."""
    if path.suffix.lower() in DICOM_ENDINGS:
        return True
    with path.open("rb") as file:
        return file.read(132)[128:] == b"DICM"


def other_kind(header):
    """Say in words what a DICOM object is that holds no CT slices; "" for one that does.

    Parameters
    ----------
    header : pydicom.Dataset

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If what must be known of CT slices is missing.

    Examples
    --------
    >>> from pydicom.data import get_testdata_file
    >>> other_kind(pydicom.dcmread(get_testdata_file("MR_small.dcm"))), other_kind(
    ...     pydicom.dcmread(get_testdata_file("CT_small.dcm"))
    ... )
    ('MR Image', '')
    """
    kind = header.file_meta.get("MediaStorageSOPClassUID")
    if kind == uid.MediaStorageDirectoryStorage:
        return "table of contents"
    # A file can end within the name of its kind, or before it.
    if not kind or kind != header.get("SOPClassUID"):
        raise ValueError("its header is incomplete")
    if kind not in CT_IMAGES:
        return uid.UID(kind).name.removesuffix(" Storage")
    kinds = values_of(header, "ImageType")
    if "LOCALIZER" in kinds:
        return "localiser"
    # Such as the pages of a Siemens patient protocol. A file of many frames tells their places elsewhere.
    placed = header.get("ImagePositionPatient") or "PerFrameFunctionalGroupsSequence" in header
    if kinds[1:2] == ["SECONDARY"] and not placed:
        return UNPLACED
    for name in _NEEDED:
        if name not in header:
            raise ValueError(f"it has no {name}")
    if not header.Rows or not header.Columns:
        raise ValueError("it has no pixels")
    if not 0 < header.BitsStored <= header.BitsAllocated:
        raise ValueError(f"it stores {header.BitsStored} of {header.BitsAllocated} bits")
    return "colour picture" if header.SamplesPerPixel != 1 else ""


def first_decoder(syntax):
    """Return the name of the plug-in that decodes pixels, "" where they are not compressed or none does.

    pydicom asks the next one where the first refuses, and that may make pixels of damaged data.

    >>> first_decoder(uid.JPEG2000Lossless), first_decoder(uid.ExplicitVRLittleEndian)
    ('gdcm', '')
    """
    plugins = get_decoder(syntax).available_plugins if syntax.is_compressed else ()
    return plugins[0] if plugins else ""


def values_of(header, name):
    """Return the values of an element as a list, also where there is one or none.

    >>> header = pydicom.Dataset()
    >>> header.ImageType = "ORIGINAL"
    >>> values_of(header, "ImageType"), values_of(header, "FrameType")
    (['ORIGINAL'], [])
    """
    value = header.get(name) or []
    return [value] if isinstance(value, str) else list(value)


def check_length(header, left):
    """Raise ValueError if a file ends before its pixels do; of compressed ones, only decoding can tell."""
    syntax = header.file_meta.TransferSyntaxUID
    if syntax.is_compressed or syntax.is_deflated:
        return
    count = int(header.get("NumberOfFrames") or 1) * header.Rows * header.Columns
    if left < count * header.BitsAllocated // 8:
        raise ValueError("its pixels are cut off")


def frames_of(path, header):
    """Return each slice of a file, with what tells whether slices belong together.

    Parameters
    ----------
    path : Path
    header : pydicom.Dataset
        Of which `other_kind` says nothing.

    Returns
    -------
    list of (Frame, (shape, pixel_mm, orientation))

    Raises
    ------
    ValueError
        If a slice has no place, no size or no way from stored values to others.

    Examples
    --------
    >>> frames_of(Path("1.dcm"), header)[0][0].slope  # doctest: +SKIP
    1.0
    """
    shared = header.get("SharedFunctionalGroupsSequence", [])[:1]
    groups = header.get("PerFrameFunctionalGroupsSequence", [header])
    count = int(header.get("NumberOfFrames", 1) or 1)
    if count != len(groups):
        raise ValueError(f"it has {count} frames, and tells the place of {len(groups)}")
    frames = []
    for number, group in enumerate(groups):
        found = functools.partial(_found, (group, *shared), header)
        place = _numbers(found("PlanePositionSequence", "ImagePositionPatient"), 3)
        orientation = _numbers(found("PlaneOrientationSequence", "ImageOrientationPatient"), 6)
        pixel_mm = _numbers(found("PixelMeasuresSequence", "PixelSpacing"), 2)
        slope, intercept = (
            _numbers([found("PixelValueTransformationSequence", name)], 1)[0]
            for name in ("RescaleSlope", "RescaleIntercept")
        )
        if not slope:
            raise ValueError("its RescaleSlope is 0")
        if min(pixel_mm) <= 0:
            raise ValueError("its PixelSpacing is not above 0")
        normal = np.cross(orientation[:3], orientation[3:])
        if (
            abs(np.linalg.norm(normal) - 1) > _UNIT
            or abs(np.linalg.norm(orientation[:3]) - 1) > _UNIT
        ):
            raise ValueError("its ImageOrientationPatient is no pair of directions")
        unit = str(found("PixelValueTransformationSequence", "RescaleType", "") or "")
        kind = (header.Rows, header.Columns), pixel_mm, orientation
        frames.append((Frame(path, number, place, slope, intercept, unit), kind))
    return frames


def _found(groups, header, sequence, name, *default):
    """Return what the functional groups of a frame say, or the header of a file that has none."""
    place = next((group[sequence][0] for group in groups if sequence in group), header)
    if name in place:
        return place[name].value
    if default:
        return default[0]
    raise ValueError(f"it has no {name}")


def _numbers(values, count):
    """Return finite numbers, or raise ValueError."""
    numbers = tuple(float(value) for value in values)
    if len(numbers) != count or not np.isfinite(numbers).all():
        raise ValueError(f"expected {count} numbers, got {values}")
    return numbers
