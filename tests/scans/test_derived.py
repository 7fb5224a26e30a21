"""helpers.scans.derived: what a derived file keeps of its source, what it adds, and what it leaves out."""

import io
from pathlib import Path

import pydicom
import pytest
from pydicom import uid
from pydicom.dataset import Dataset
from scans_of_tests import frames_file, image_file, write

from helpers.data.series import File, sort_files
from helpers.scans.derived import COMMENT, derived_header, new_numbers
from helpers.scans.dicom import write_image

LAST = 2**31 - 1  # of an integer string
STEPS = ("DerivationCodeSequence", "SourceImageSequence", "ContributingEquipmentSequence")


def derived(file, suffix="denoised"):
    """The header of the derived file."""
    settings = {"series_uid": "1.2.9", "series_number": 1001, "suffix": suffix}
    return derived_header(file, "blur 1", **settings)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("lung", "lung removed noise"),
        (None, "removed noise"),
        ("", "removed noise"),
        ("x" * 50, "x" * 50 + " removed noise"),
        ("x" * 60, "x" * 50 + " removed noise"),
    ],
)
def test_a_long_description_is_cut_and_not_what_is_added(old, new):
    assert derived(image_file(SeriesDescription=old), "removed noise").SeriesDescription == new


@pytest.mark.parametrize(
    ("name", "ours", "longest"),
    [("ImageComments", COMMENT, 10240), ("DerivationDescription", "Noise removed by blur 1", 1024)],
)
def test_what_was_said_of_the_source_stays_said(name, ours, longest):
    assert derived(image_file())[name].value == ours
    assert derived(image_file(**{name: "lesion, see 7"}))[name].value == f"lesion, see 7; {ours}"
    long = derived(image_file(**{name: "x" * (longest - 3)}))[name].value
    assert len(long) == longest and long.startswith("xxx") and long.endswith(f"x; {ours}")


@pytest.mark.parametrize("syntax", [uid.ExplicitVRLittleEndian, uid.ExplicitVRBigEndian])
def test_a_series_number_that_is_none_is_replaced(syntax, tmp_path):
    file = image_file(SeriesNumber=123456)
    file.file_meta.TransferSyntaxUID = syntax
    (path,) = write(tmp_path, [file])
    path.write_bytes(path.read_bytes().replace(b"123456", b"abcdef"))
    assert derived(pydicom.dcmread(path)).SeriesNumber == 1001


def test_earlier_steps_and_their_sources_stay_before_ours():
    """Of an image that was derived before, by the scanner or by us."""
    file = image_file()
    code, source = Dataset(), Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "113091", "DCM", "Compression"
    source.ReferencedSOPInstanceUID = "1.2.8"
    file.DerivationCodeSequence, file.SourceImageSequence = [code], [source]
    new = derived(file)
    assert [one.CodeMeaning for one in new.DerivationCodeSequence] == ["Compression", "Smoothing"]
    sources = [one.ReferencedSOPInstanceUID for one in new.SourceImageSequence]
    assert sources == ["1.2.8", file.SOPInstanceUID]
    assert file.DerivationCodeSequence == [code] and file.SourceImageSequence == [source]
    again = derived(new)
    assert [len(again[name].value) for name in STEPS] == [3, 3, 2]


@pytest.mark.parametrize("empty", [[], None])
def test_an_empty_list_of_earlier_steps(empty):
    file = image_file()
    file.DerivationCodeSequence = file.SourceImageSequence = empty
    assert [len(derived(file)[name].value) for name in STEPS] == [1, 1, 1]


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ([1], [1001]),
        ([3, 4], [1003, 1004]),
        ([3, 3], [1003, 3003]),
        ([3, 1003], [2003, 4003]),
        ([1003, 3], [4003, 2003]),
        ([0, 0, 0], [1000, 3000, 5000]),
        ([-5], [1000995]),
        ([LAST, -LAST], [484647, 517353]),
        ([10**11], [1000]),
        ([], [1000]),
    ],
)
def test_numbers_of_the_derived_series_of_a_study(numbers, expected):
    """A pair for each series, which no other has; not those of another study."""
    taken = {("1", f"1.{k}", number) for k, number in enumerate(numbers)} | {("2", "2.0", 1001)}
    pairs = [new_numbers(taken, f"1.{k}") for k in range(len(expected))]
    assert [first for first, _ in pairs] == expected
    new = [number for pair in pairs for number in pair]
    assert len({*numbers, *new}) == len(set(numbers)) + len(new)
    assert all(0 < number <= LAST for number in new)


def derivations(groups):
    """What each group says of how it was derived."""
    sequences = [group.get("DerivationImageSequence", []) for group in groups]
    return [[item.DerivationDescription for item in items] for items in sequences]


def test_a_series_that_names_no_study_is_alone():
    files = [File(Path(uid), uid=uid, number=1) for uid in ("1.1", "1.2")]
    taken = sort_files([*files, File(Path("2"), study="2", uid="2.1", number=1)]).taken
    assert {new_numbers(taken, uid) for _, uid, _ in taken} == {(1001, 2001)}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (None, ["DERIVED", "PRIMARY"]),
        ("ORIGINAL", ["DERIVED", "PRIMARY"]),
        (["ORIGINAL", "SECONDARY", "AXIAL"], ["DERIVED", "SECONDARY", "AXIAL"]),
    ],
)
def test_the_type_of_an_image(old, new):
    assert list(derived(image_file(ImageType=old)).ImageType) == new


def test_the_type_of_a_frame_may_be_missing():
    file = frames_file(3)
    kinds = [Dataset(), Dataset()]
    kinds[1].FrameType = "ORIGINAL"
    file.SharedFunctionalGroupsSequence[0].CTImageFrameTypeSequence = kinds
    new = derived(file).SharedFunctionalGroupsSequence[0].CTImageFrameTypeSequence
    assert [kind.FrameType for kind in new] == ["DERIVED", "DERIVED"]


@pytest.mark.parametrize("where", ["nowhere", "shared", "each frame"])
def test_the_derivation_of_frames_stands_in_one_place(where):
    """A functional group is either shared or of each frame (PS3.3, C.7.6.16)."""
    file = frames_file(3)
    shared, frames = file.SharedFunctionalGroupsSequence, file.PerFrameFunctionalGroupsSequence
    for group in {"nowhere": [], "shared": shared, "each frame": frames}[where]:
        group.DerivationImageSequence = [Dataset()]
        group.DerivationImageSequence[0].DerivationDescription = "cut"
        file.SourceImageEvidenceSequence = [Dataset()]
    new, ours = derived(file), "Noise removed by blur 1"
    shared, frames = new.SharedFunctionalGroupsSequence, new.PerFrameFunctionalGroupsSequence
    if where == "each frame":
        assert (derivations(shared), derivations(frames)) == ([[]], [["cut", ours]] * 3)
    else:
        assert derivations(shared) == [["cut"] * (where == "shared") + [ours]]
        assert derivations(frames) == [[]] * 3
    assert len(new.SourceImageEvidenceSequence) == 1 + (where != "nowhere")
    assert "DerivationDescription" not in new


def test_what_holds_for_the_old_file_only_is_left_out():
    stale = {
        "ConcatenationUID": "1.2.9",
        "SOPInstanceUIDOfConcatenationSource": "1.2.8",
        "InConcatenationNumber": 1,
        "InConcatenationTotalNumber": 2,
        "ConcatenationFrameOffsetNumber": 0,
        "ExtendedOffsetTable": bytes(8),
        "ExtendedOffsetTableLengths": bytes(8),
    }
    file = frames_file(3)
    for name, value in stale.items():
        setattr(file, name, value)
    assert not [name for name in stale if name in derived(file)]


@pytest.mark.parametrize(
    ("syntax", "method"),
    [
        (uid.JPEGBaseline8Bit, "ISO_10918_1"),
        (uid.JPEGExtended12Bit, "ISO_10918_1"),
        (uid.JPEGLSNearLossless, "ISO_14495_1"),
        (uid.JPEGLSLossless, None),
        (uid.JPEG2000, None),
        (uid.ExplicitVRLittleEndian, None),
    ],
)
@pytest.mark.parametrize("said", [None, "00", "01"])
def test_that_the_source_was_compressed_with_loss_is_said(syntax, method, said):
    file = image_file()
    file.file_meta.TransferSyntaxUID = syntax
    if said:
        file.LossyImageCompression, file.LossyImageCompressionMethod = said, "MINE"
    new = derived(file)
    if method and said != "01":
        assert (new.LossyImageCompression, new.LossyImageCompressionMethod) == ("01", method)
    else:
        assert new.get("LossyImageCompression") == said
        assert new.get("LossyImageCompressionMethod") == ("MINE" if said else None)


def test_the_head_of_the_file_is_ours():
    file, new = image_file(), io.BytesIO()
    file.preamble = b"II*\0" + b"x" * 124
    file.file_meta.ImplementationClassUID = "1.2.3"
    file.file_meta.ImplementationVersionName = "SCANNER"
    file.file_meta.SourceApplicationEntityTitle = "HOSPITAL"
    pixels = file.pixel_array
    write_image(new, derived(file), lambda: iter([pixels]))
    new.seek(0)
    read = pydicom.dcmread(new)
    assert read.preamble == bytes(128) and (read.pixel_array == pixels).all()
    assert read.file_meta.ImplementationVersionName.startswith("PYDICOM")
    assert read.file_meta.ImplementationClassUID == uid.PYDICOM_IMPLEMENTATION_UID
    assert read.file_meta.MediaStorageSOPInstanceUID == read.SOPInstanceUID != file.SOPInstanceUID
    assert "SourceApplicationEntityTitle" not in read.file_meta
