"""What a derived DICOM file says of itself: nobody can take it for the original."""

import copy
import itertools

from pydicom import uid
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.sr.codedict import codes

from ..data.frames import values_of

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
    "ExtendedOffsetTable",
    "ExtendedOffsetTableLengths",
    "ConcatenationUID",
    "SOPInstanceUIDOfConcatenationSource",
    "InConcatenationNumber",
    "InConcatenationTotalNumber",
    "ConcatenationFrameOffsetNumber",
)
# Transfer syntaxes of lossy compression, and LossyImageCompressionMethod. "JPEG-LS Lossy (Near-Lossless)" may leave out
# nothing, but its name says lossy; the names of JPEG 2000 and its kin, which may be either, do not: there, only what the
# source says is said.
_LOSSY = {
    uid.JPEGBaseline8Bit: "ISO_10918_1",
    uid.JPEGExtended12Bit: "ISO_10918_1",
    uid.JPEGLSNearLossless: "ISO_14495_1",
}
_OF_THE_OLD_VALUES = (  # what does not hold for differences
    "PixelPaddingValue",
    "PixelPaddingRangeLimit",
    "SmallestImagePixelValue",
    "LargestImagePixelValue",
    "WindowCenterWidthExplanation",
    "VOILUTSequence",
)


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
        What is added to SeriesDescription; ImageComments and DerivationDescription are added to, too. What they say
        already is cut where there is no room for both. Earlier steps and sources stay, before ours.

    Returns
    -------
    pydicom.Dataset
        Explicit VR, little endian.

    References
    ----------
    DICOM PS3.3: C.7.6.1.1.2 (image type), C.12.4.1 (derivation and source images), C.7.5.1 and C.7.5.2 (equipment and
    contributing equipment), C.7.6.1.1.5 (lossy compression, which stays said), C.7.6.16 (functional groups, each either
    shared or of each frame). PS3.5: 6.2 (the longest texts), A.4 (transfer syntaxes).

    Examples
    --------
    >>> header = dcmread("scans/1.dcm", stop_before_pixels=True)  # doctest: +SKIP
    >>> settings = {"series_uid": new_uid(header.SeriesInstanceUID, "blur"), "series_number": 1001}  # doctest: +SKIP
    >>> derived_header(header, "blur", **settings, suffix="blurred").ImageType[0]  # doctest: +SKIP
    'DERIVED'
    """
    derived = copy.deepcopy(header)
    if not header.file_meta.TransferSyntaxUID.is_little_endian:
        for _ in derived.iterall():  # decode what has not been looked at; then its order can change
            pass
        derived.set_original_encoding(False, True, derived.original_character_set)
    for name in _OF_THE_OLD_INSTANCE:
        if name in derived:
            del derived[name]
    derived.SOPInstanceUID = new_uid(header.SOPInstanceUID, made_by)
    derived.SeriesInstanceUID, derived.SeriesNumber = series_uid, series_number
    derived.SeriesDescription = _added(header.get("SeriesDescription"), suffix, 64, " ")
    derived.ImageType = ["DERIVED", *(values_of(header, "ImageType")[1:] or ["PRIMARY"])]
    derived.ImageComments = _added(header.get("ImageComments"), COMMENT, 10240)
    lossy = _LOSSY.get(header.file_meta.TransferSyntaxUID)
    if lossy and header.get("LossyImageCompression") != "01":
        derived.LossyImageCompression, derived.LossyImageCompressionMethod = "01", lossy
    groups = derived.get("PerFrameFunctionalGroupsSequence", [])
    if not any("DerivationImageSequence" in group for group in groups):
        groups = derived.get("SharedFunctionalGroupsSequence", [])
    for group in groups:  # a file of many frames says it where it says how it was derived before
        steps = group.get("DerivationImageSequence", [])
        group.DerivationImageSequence = Sequence([*steps, _derivation(header, made_by)])
    if groups:
        sources = header.get("SourceImageEvidenceSequence", [])
        derived.SourceImageEvidenceSequence = Sequence([*sources, _evidence(header)])
    else:
        ours = _derivation(header, made_by)
        before = header.get("DerivationDescription")
        ours.DerivationDescription = _added(before, ours.DerivationDescription, 1024)
        # Several items stand for successive steps (C.12.4.1.1, C.12.4.1.2): those that led to the source come first.
        for name in ("DerivationCodeSequence", "SourceImageSequence"):
            ours[name].value = Sequence([*(derived.get(name) or []), *ours[name].value])
        derived.update(ours)
    equipment = Dataset()
    equipment.PurposeOfReferenceCodeSequence = Sequence([_code(codes.DCM.ModifyingEquipment)])
    equipment.Manufacturer = "helpers.scans, Denoising autoencoders, from MNIST to CT"
    equipment.ContributionDescription = f"Noise removed by {made_by}"
    others = list(derived.get("ContributingEquipmentSequence", []))
    derived.ContributingEquipmentSequence = Sequence([*others, equipment])
    for groups in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"):
        for group in derived.get(groups, []):
            for kind in group.get("CTImageFrameTypeSequence", []):
                kind.FrameType = ["DERIVED", *values_of(kind, "FrameType")[1:]]
    derived.preamble, derived.file_meta = bytes(128), FileMetaDataset()  # pydicom adds its name
    derived.file_meta.MediaStorageSOPClassUID = derived.SOPClassUID
    derived.file_meta.MediaStorageSOPInstanceUID = derived.SOPInstanceUID
    derived.file_meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
    return derived


def _added(old, ours, longest, between="; "):
    """Return a text with ours behind it, not longer than DICOM allows: the old one is cut."""
    ours = between + ours if old else ours
    return str(old or "")[: longest - len(ours)] + ours


def new_uid(old, made_by):
    """Derive an identifier from another one: the same from the same, everywhere.

    >>> new_uid("1.2.3", "blur") == new_uid("1.2.3", "blur") != new_uid("1.2.4", "blur")
    True
    """
    return uid.generate_uid(entropy_srcs=[str(old), made_by])


def new_numbers(taken, series_uid):
    """Return two SeriesNumbers for what is derived of a series: for its slices, and for what was removed from them.

    They are the old one and a multiple of 1000, the first two that no series of the study has. All series of a study
    are given numbers, in order of their old ones: they get different ones, whichever is derived first, or alone.

    Parameters
    ----------
    taken : set of (str, str, int)
        As `data.series.Found` has it. A number can be any integer.
    series_uid : str

    Returns
    -------
    (int, int)
        Positive, and small enough for DICOM.

    References
    ----------
    DICOM PS3.5, 6.2: an integer string (IS) is less than 2^31.

    Examples
    --------
    >>> taken = {("1", "1.3", 3), ("1", "1.4", 4), ("1", "1.5", 1004)}
    >>> new_numbers(taken, "1.3"), new_numbers(taken, "1.4"), new_numbers(taken, "1.5")
    ((1003, 2003), (2004, 3004), (4004, 5004))
    """
    studies = {study for study, series, _ in taken if series == series_uid}
    known = sorted({(number, series) for study, series, number in taken if study in studies})
    used = {number for number, _ in known}
    for number, series in known or [(0, series_uid)]:
        free = (new for new in itertools.count(1000 + number % 10**6, 1000) if new not in used)
        pair = next(free), next(free)
        if series == series_uid:
            return pair
        used.update(pair)


def noise_header(header):
    """Say in a derived header that its values are differences: signed, around 0 Hounsfield units.

    Parameters
    ----------
    header : pydicom.Dataset
        As `derived_header` returns it; it is changed.

    Returns
    -------
    pydicom.Dataset
        The same.

    Examples
    --------
    >>> noise_header(header).RescaleIntercept  # doctest: +SKIP
    0
    """
    header.BitsAllocated, header.BitsStored, header.HighBit = 16, 16, 15
    header.PixelRepresentation = 1
    for name in _OF_THE_OLD_VALUES:
        if name in header:
            del header[name]
    places = [header]
    for groups in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"):
        for group in header.get(groups, []):
            places += group.get("PixelValueTransformationSequence", [])
            places += group.get("FrameVOILUTSequence", [])
    for place in places:
        if "RescaleIntercept" in place:
            place.RescaleIntercept = 0
        if "WindowCenter" in place:
            place.WindowCenter, place.WindowWidth = 0, 200
    return header


def _derivation(header, made_by):
    """Return what a derived image says of its source."""
    derivation, source = Dataset(), Dataset()
    derivation.DerivationDescription = f"Noise removed by {made_by}"
    derivation.DerivationCodeSequence = Sequence([_code(codes.cid7203.Smoothing)])
    source.ReferencedSOPClassUID = header.SOPClassUID
    source.ReferencedSOPInstanceUID = header.SOPInstanceUID
    source.SpatialLocationsPreserved = "YES"
    purpose = codes.DCM.SourceImageForImageProcessingOperation
    source.PurposeOfReferenceCodeSequence = Sequence([_code(purpose)])
    derivation.SourceImageSequence = Sequence([source])
    return derivation


def _evidence(header):
    """Return where the source of a file of many frames is found."""
    study, series, image = Dataset(), Dataset(), Dataset()
    study.StudyInstanceUID = header.get("StudyInstanceUID", "")
    series.SeriesInstanceUID = header.SeriesInstanceUID
    image.ReferencedSOPClassUID = header.SOPClassUID
    image.ReferencedSOPInstanceUID = header.SOPInstanceUID
    series.ReferencedSOPSequence = Sequence([image])
    study.ReferencedSeriesSequence = Sequence([series])
    return study


def _code(code):
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator = code.value, code.scheme_designator
    item.CodeMeaning = code.meaning
    return item
