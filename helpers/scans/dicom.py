"""DICOM slices: read in Hounsfield units, written as a derived series that nobody can take for the original."""

import copy
import functools
import struct

import numpy as np
from pydicom import dcmread, uid
from pydicom.dataset import Dataset
from pydicom.pixels import iter_pixels
from pydicom.sequence import Sequence
from pydicom.sr.codedict import codes

from ..replaced import replaced

COMMENT = "Denoised by a neural network. Not for clinical use."
_OF_THE_OLD_INSTANCE = (  # what holds for the original only
    "DigitalSignaturesSequence",
    "MACParametersSequence",
    "IconImageSequence",
    "InstanceCreationDate",
    "InstanceCreationTime",
    "InstanceCreatorUID",
    "SmallestPixelValueInSeries",
    "LargestPixelValueInSeries",
    "EncryptedAttributesSequence",
    "OriginalAttributesSequence",
)


def read_stored(frame):
    """Return the stored values of a slice, as they are in the file.

    Parameters
    ----------
    frame : series.Frame

    Returns
    -------
    ndarray of shape (height, width), of integers

    Raises
    ------
    ValueError
        If the pixels are damaged; the message names the file.

    References
    ----------
    DICOM PS3.5, section 8: all transfer syntaxes that pydicom's plug-ins decode.

    Examples
    --------
    >>> read_stored(series.frames[0]).dtype  # doctest: +SKIP
    dtype('int16')
    """
    try:
        return next(iter_pixels(frame.path, indices=[frame.number], raw=True))
    except Exception as error:  # pydicom and its decoders raise many kinds for damaged pixels
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise ValueError(f"{frame.path}: expected pixels that can be decoded ({reason})") from error


def to_hu(stored, frame):
    """Return stored values in Hounsfield units, float64."""
    return stored * frame.slope + frame.intercept


def subtracted(stored, removed, frame, *, bits, signed):
    """Subtract noise, given in Hounsfield units, from stored values.

    Parameters
    ----------
    stored : array of shape (height, width), of integers
    removed : array of the same shape
        Hounsfield units; where it is 0, the stored value stays bit for bit.
    frame : series.Frame
        With the slope of this slice.
    bits : int
        BitsStored: a result beyond what they can hold is the highest or lowest value, never wrapped around.
    signed : bool
        PixelRepresentation.

    Returns
    -------
    ndarray of the same shape and type

    Examples
    --------
    >>> from helpers.scans import Frame
    >>> frame, stored = Frame("a.dcm", 0, (0, 0, 0), 2.0, -1024.0), np.array([[500, 0, 4095]], "uint16")
    >>> subtracted(stored, np.array([[9.0, 9.0, 0.0]]), frame, bits=12, signed=False).tolist()
    [[496, 0, 4095]]
    """
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    changed = np.rint(stored - removed / frame.slope)
    result = stored.copy()
    where = removed != 0
    result[where] = changed.clip(low, high)[where].astype(stored.dtype)
    return result


def derived_header(header, made_by, *, series_uid, series_number, suffix):
    """Return the header of the derived image: the same patient, study and place, another series and instance.

    Parameters
    ----------
    header : pydicom.Dataset
        Of the original, without its pixels.
    made_by : str
        What made the image, such as "ct_scan 1a2b3c4d5e6f, strength 1": it goes into the description, and into the
        new identifiers, which are the same whenever the same is made of the same.
    series_uid : str
        SeriesInstanceUID of the derived series, from `new_uid`.
    series_number : int
        One that the study does not have yet.
    suffix : str
        What is added to SeriesDescription.

    Returns
    -------
    pydicom.Dataset
        Explicit VR, little endian.

    References
    ----------
    DICOM PS3.3: C.7.6.1.1.2 (image type), C.12.4.1 (derivation and source images), C.7.5.1 and C.7.5.2 (equipment and
    contributing equipment), C.7.6.1.1.5 (lossy compression, which stays as it was).

    Examples
    --------
    >>> header = dcmread("scans/1.dcm", stop_before_pixels=True)  # doctest: +SKIP
    >>> settings = {"series_uid": new_uid(header.SeriesInstanceUID, "blur"), "series_number": 1001}  # doctest: +SKIP
    >>> derived_header(header, "blur", **settings, suffix="blurred").ImageType[0]  # doctest: +SKIP
    'DERIVED'
    """
    derived = copy.deepcopy(header)
    for name in _OF_THE_OLD_INSTANCE:
        if name in derived:
            del derived[name]
    derived.SOPInstanceUID = new_uid(header.SOPInstanceUID, made_by)
    derived.SeriesInstanceUID, derived.SeriesNumber = series_uid, series_number
    description = f"{header.get('SeriesDescription', '')} {suffix}".strip()
    derived.SeriesDescription = description[:64]  # the longest that DICOM allows
    derived.ImageType = ["DERIVED", *(list(header.get("ImageType", []))[1:] or ["PRIMARY"])]
    derived.ImageComments = COMMENT
    derived.DerivationDescription = f"Noise removed by {made_by}"
    derived.DerivationCodeSequence = Sequence([_code(codes.cid7203.Smoothing)])
    source = Dataset()
    source.ReferencedSOPClassUID = header.SOPClassUID
    source.ReferencedSOPInstanceUID = header.SOPInstanceUID
    source.SpatialLocationsPreserved = "YES"
    purpose = codes.DCM.SourceImageForImageProcessingOperation
    source.PurposeOfReferenceCodeSequence = Sequence([_code(purpose)])
    derived.SourceImageSequence = Sequence([source])
    equipment = Dataset()
    equipment.PurposeOfReferenceCodeSequence = Sequence([_code(codes.DCM.ModifyingEquipment)])
    equipment.Manufacturer = "helpers.scans, Denoising autoencoders, from MNIST to CT"
    equipment.ContributionDescription = f"Noise removed by {made_by}"
    others = list(header.get("ContributingEquipmentSequence", []))
    derived.ContributingEquipmentSequence = Sequence([*others, equipment])
    for groups in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"):
        for group in derived.get(groups, []):
            for kind in group.get("CTImageFrameTypeSequence", []):
                kind.FrameType = ["DERIVED", *list(kind.FrameType)[1:]]
    derived.file_meta.MediaStorageSOPInstanceUID = derived.SOPInstanceUID
    derived.file_meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
    return derived


def new_uid(old, made_by):
    """Derive an identifier from another one: the same from the same, everywhere.

    >>> new_uid("1.2.3", "blur") == new_uid("1.2.3", "blur") != new_uid("1.2.4", "blur")
    True
    """
    return uid.generate_uid(entropy_srcs=[str(old), made_by])


def write_image(file, header, pixels):
    """Write a DICOM file.

    Parameters
    ----------
    file : file open for binary writing
    header : pydicom.Dataset
        As `derived_header` returns it.
    pixels : array of shape (height, width) or (frames, height, width), of integers

    Examples
    --------
    >>> with open("new.dcm", "wb") as file:  # doctest: +SKIP
    ...     write_image(file, header, pixels)
    """
    little = pixels.dtype.newbyteorder("<")
    smallest, largest = (int(edge) for edge in (pixels.min(), pixels.max()))
    kind = "SS" if pixels.dtype.kind == "i" else "US"
    for name, value in (("SmallestImagePixelValue", smallest), ("LargestImagePixelValue", largest)):
        if name in header:
            header.add_new(name, kind, value)
    header.save_as(file, enforce_file_format=True)
    size = pixels.nbytes + pixels.nbytes % 2
    word = b"OB" if pixels.dtype.itemsize == 1 else b"OW"
    file.write(struct.pack("<HH2sHI", 0x7FE0, 0x0010, word, 0, size))
    file.write(pixels.astype(little, copy=False).tobytes())
    file.write(b"\0" * (pixels.nbytes % 2))


def _code(code):
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator = code.value, code.scheme_designator
    item.CodeMeaning = code.meaning
    return item


def _header(path):
    return dcmread(path, stop_before_pixels=True)


class DicomVolume:
    """A series whose slices can be read, and saved denoised: one file for each file, with the same name.

    Parameters
    ----------
    series : series.Series
    source : Path
        The folder in which it was found.
    series_number : int
        For the derived series.
    """

    def __init__(self, series, source, series_number):
        self.series, self.source, self.series_number = series, source, series_number
        self.count = len(series.frames)
        # Read for a slab, and again to be saved: decoded once.
        self._stored = functools.lru_cache(maxsize=32)(read_stored)
        self._header = functools.lru_cache(maxsize=1)(_header)
        self.in_file = {}  # the numbers of the slices in each file
        for index, frame in enumerate(series.frames):
            self.in_file.setdefault(frame.path, []).append(index)

    def name(self, index):
        """Return the name of a slice's file, relative to the source."""
        return self.series.frames[index].path.relative_to(self.source)

    def read(self, index):
        """Return a slice in Hounsfield units, or raise ValueError."""
        frame = self.series.frames[index]
        return to_hu(self._stored(frame), frame)

    def writer(self, destination, made_by):
        """Return save(index, removed), which writes a file, and returns True, when all its slices are there."""
        series_uid = new_uid(self.series.uid, made_by)
        waiting = {}

        def save(index, removed):
            frame = self.series.frames[index]
            header = self._header(frame.path)
            how = {"bits": header.BitsStored, "signed": bool(header.PixelRepresentation)}
            pixels = waiting.setdefault(frame.path, {})
            pixels[frame.number] = subtracted(self._stored(frame), removed, frame, **how)
            if len(pixels) < len(self.in_file[frame.path]):
                return False
            frames = np.stack([pixels[number] for number in sorted(pixels)])
            del waiting[frame.path]
            derived = derived_header(
                header,
                made_by,
                series_uid=series_uid,
                series_number=self.series_number,
                suffix="denoised",
            )
            path = destination / self.name(index)
            path.parent.mkdir(parents=True, exist_ok=True)
            with replaced(path, "wb") as file:
                write_image(file, derived, frames)
            return True

        return save
