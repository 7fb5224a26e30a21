"""helpers.data.series: what is found, what is left out, what is refused."""

import os
import tracemalloc

import numpy as np
import pydicom
import pytest
from pydicom import uid
from scans_of_tests import HEIGHT, WIDTH, frames_file, image_file, write

from helpers.data import load_dicom
from helpers.data.series import choose_series, find_series

PROTOCOL = ["DERIVED", "SECONDARY", "OTHER", "CT_SOM5 PROT"]  # a page of a Siemens patient protocol


def test_slices_are_found_at_any_depth_in_order(scan):
    found = find_series(scan)
    (series,) = found.series
    assert [frame.place[2] for frame in series.frames] == [2.5 * k for k in range(7)]
    assert (series.description, series.shape, series.step_mm) == ("lung", (HEIGHT, WIDTH), 2.5)
    assert series.even and not series.tilted and not series.fault
    assert found.left_out == {"file that is not DICOM": 1} and not found.broken
    assert choose_series(found, scan) is series


def test_of_several_series_one_must_be_named(scan):
    write(scan / "c", [image_file(index, series="9.9") for index in range(2)])
    found = find_series(scan)
    assert [(one.uid, len(one.frames)) for one in found.series] == [("1.2.3.4", 7), ("9.9", 2)]
    with pytest.raises(
        ValueError, match=r"expected a series to be named, it has 1\.2\.3\.4 \(7 sl"
    ):
        choose_series(found, scan)
    with pytest.raises(ValueError, match=r"expected one of its series, got '8\.8', it has"):
        choose_series(found, scan, "8.8")
    assert choose_series(found, scan, "9.9").uid == "9.9"


def test_what_is_no_ct_slice_is_left_out_and_counted(scan):
    others = [
        image_file(0, series="5.1", SOPClassUID=uid.MRImageStorage),
        image_file(1, series="5.2", SOPClassUID=uid.XRayRadiationDoseSRStorage),
        image_file(2, series="5.3", ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"]),
        image_file(3, series="5.4", SamplesPerPixel=3),
        image_file(4, series="5.5", ImageType=PROTOCOL, ImagePositionPatient=None),
    ]
    for file in others:
        file.file_meta.MediaStorageSOPClassUID = file.SOPClassUID
    write(scan / "others", others)
    (scan / "loop").symlink_to(scan, target_is_directory=True)
    (scan / "gone.dcm").symlink_to(scan / "nothing.dcm")
    (scan / "folder.dcm").mkdir()
    found = find_series(scan)
    assert len(found.series) == 1 and not found.broken
    assert found.left_out == {
        "MR Image": 1,
        "X-Ray Radiation Dose SR": 1,
        "broken link": 1,
        "colour picture": 1,
        "file that is not DICOM": 1,
        "link to a folder": 1,
        "localiser": 1,
        "picture without a place": 1,
    }


@pytest.mark.parametrize(
    ("kind", "place", "other"),
    [
        (PROTOCOL, None, True),
        (PROTOCOL, [], True),
        (["DERIVED", "SECONDARY"], None, True),
        (["DERIVED", "SECONDARY", "REFORMATTED"], [0, 0, 0], False),
        (["DERIVED", "PRIMARY", "AXIAL"], None, False),
        (["ORIGINAL", "PRIMARY", "AXIAL"], None, False),
        ("SECONDARY", None, False),
        (None, None, False),
    ],
)
def test_a_secondary_picture_needs_no_place(kind, place, other, scan):
    """A patient protocol lies among the slices, as a series of its own; a slice without a place is a fault."""
    page = image_file(7, series="9.9", ImageType=kind, ImagePositionPatient=place)
    page.save_as(scan / "a" / "page.dcm", enforce_file_format=True)
    found = find_series(scan)
    assert found.left_out.get("picture without a place", 0) == other
    assert bool(found.broken) == (not other and place is None)
    if other:
        assert len(load_dicom(scan / "a")) == 4


def test_a_slice_that_lost_its_place_is_damaged(scan):
    """It names the series: the series is not complete without it."""
    page = image_file(7, ImageType=PROTOCOL, ImagePositionPatient=None)
    page.save_as(scan / "a" / "page.dcm", enforce_file_format=True)
    (broken,) = find_series(scan).broken
    assert broken.fault.endswith("page.dcm: expected a slice with an ImagePositionPatient")
    with pytest.raises(ValueError, match=r"page\.dcm: expected a slice with an ImagePositionP"):
        load_dicom(scan / "a")


def test_a_localiser_may_say_nothing_else(scan):
    image_file(7, ImageType="LOCALIZER").save_as(scan / "a" / "l.dcm", enforce_file_format=True)
    assert find_series(scan).left_out["localiser"] == 1
    image_file(8, NumberOfFrames="").save_as(scan / "a" / "8.dcm", enforce_file_format=True)
    assert not find_series(scan).broken


def test_frames_need_no_place_in_their_header(tmp_path):
    file = frames_file(3)
    file.ImageType = ["DERIVED", "SECONDARY", "AXIAL"]
    write(tmp_path, [file])
    assert len(find_series(tmp_path).series[0].frames) == 3


def test_frames_of_one_file(tmp_path):
    (path,) = write(tmp_path, [frames_file(3)])
    (series,) = find_series(tmp_path).series
    assert [(f.path, f.number, f.place[2], f.slope, f.intercept) for f in series.frames] == [
        (path, 2, -2, 3, -1024),
        (path, 1, -1, 2, -1024),
        (path, 0, 0, 1, -1024),
    ]
    assert (series.shape, series.pixel_mm) == ((HEIGHT, WIDTH), (0.5, 0.6))


@pytest.mark.parametrize(
    ("places", "even", "tilted"),
    [
        ([(0, 0, 0), (0, 0, 2), (0, 0, 4)], True, False),
        ([(0, 0, 0), (0, 0, 2), (0, 0, 4), (0, 0, 8)], False, False),
        ([(0, 0, 0), (0, 1, 2), (0, 2, 4)], True, True),
        ([(0, 0, 0)], False, False),
    ],
)
def test_how_slices_lie(places, even, tilted, tmp_path):
    write(tmp_path, [image_file(k, ImagePositionPatient=list(at)) for k, at in enumerate(places)])
    (series,) = find_series(tmp_path).series
    assert (series.even, series.tilted) == (even, tilted)
    assert series.step_mm == (None if len(places) == 1 else 2)


def test_slices_of_another_plane_are_counted_along_it(tmp_path):
    """Coronal slices, written from back to front."""
    files = [
        image_file(
            k, ImagePositionPatient=[0, -3 * k, 0], ImageOrientationPatient=[1, 0, 0, 0, 0, -1]
        )
        for k in range(3)
    ]
    write(tmp_path, files)
    (series,) = find_series(tmp_path).series
    np.testing.assert_allclose(series.normal, [0, 1, 0])
    assert [frame.place[1] for frame in series.frames] == [-6, -3, 0]
    assert series.even and series.step_mm == 3


@pytest.mark.parametrize("number", [b"abcdef", rb"1\2   ", b"inf   ", b"      "])
def test_a_series_number_that_is_none_stops_nothing(number, scan):
    for path in scan.rglob("*.dcm"):
        file = pydicom.dcmread(path)
        file.SeriesNumber = 123456
        file.save_as(path)
        path.write_bytes(path.read_bytes().replace(b"123456", number))
    write(scan / "c", [image_file(0, series="9.9", SeriesNumber=7)])
    found = find_series(scan)
    assert [one.uid for one in found.series] == ["1.2.3.4", "9.9"]
    assert found.taken == {("1.2.3", "1.2.3.4", 0), ("1.2.3", "9.9", 7)}
    assert not found.broken and not any(one.fault for one in found.series)


def test_numbers_of_what_is_left_out_are_taken(scan):
    report = image_file(0, series="5.5", SeriesNumber=1001)
    report.SOPClassUID = report.file_meta.MediaStorageSOPClassUID = uid.XRayRadiationDoseSRStorage
    localiser = image_file(1, series="5.6", SeriesNumber=1002, ImageType=["ORIGINAL", "LOCALIZER"])
    write(scan / "others", [report, localiser, image_file(2, series="9.9", SeriesNumber=4)])
    taken = {"1.2.3.4": 3, "5.5": 1001, "5.6": 1002, "9.9": 4}
    assert find_series(scan).taken == {("1.2.3", *one) for one in taken.items()}


def _cut(path, tag):
    """Cut a file off in the middle of the value of an element."""
    with path.open("rb") as file:
        header = pydicom.dcmread(file, stop_before_pixels=True)
        element = header.get_item(tag)
        path.write_bytes(path.read_bytes()[: element.value_tell + element.length // 2])


@pytest.mark.parametrize(
    ("damage", "uid"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:-99]), "9.9.1234"),
        (lambda path: _cut(path, "PixelSpacing"), "9.9.1234"),
        (lambda path: _cut(path, "StudyInstanceUID"), ""),
        (lambda path: _cut(path, "SeriesInstanceUID"), ""),
        (lambda path: path.write_text("hello"), ""),
        (lambda path: path.write_bytes(b""), ""),
    ],
)
def test_a_broken_file_concerns_its_own_series(damage, uid, scan):
    """Any series, where it does not tell its own, or all of what it tells."""
    write(scan / "c", [image_file(k, series="9.9.1234") for k in range(3)])
    damage(scan / "c" / "image03.dcm")
    found = find_series(scan)
    assert [file.uid for file in found.broken] == [uid]
    for name in (None, "9.9.1234", *([] if uid else ["1.2.3.4"])):
        with pytest.raises(ValueError, match=r"image03\.dcm: expected a complete DICOM file"):
            choose_series(found, scan, name)
    if uid:
        assert len(choose_series(found, scan, "1.2.3.4").frames) == 7


def test_a_series_of_which_no_file_can_be_read(scan):
    (path,) = write(scan / "c", [image_file(0, series="9.9")])
    path.write_bytes(path.read_bytes()[:-99])
    found = find_series(scan)
    for name in (None, "9.9"):
        with pytest.raises(ValueError, match=r"image03\.dcm: .*cut off"):
            choose_series(found, scan, name)
    assert len(choose_series(found, scan, "1.2.3.4").frames) == 7


@pytest.mark.parametrize("kind", ["HU", "HU_MOD", "US", "", None, "Z_EFF", "ED", "MGML", "PCT"])
def test_other_units_are_refused(kind, tmp_path):
    """Of one slice, in a file of many frames, and in `load_dicom`; other series can be denoised."""
    file = frames_file(3)
    for frame in file.PerFrameFunctionalGroupsSequence[1:]:
        if kind is not None:
            frame.PixelValueTransformationSequence[0].RescaleType = kind
    write(tmp_path / "frames", [file])
    changes = {} if kind is None else {"RescaleType": kind}
    write(
        tmp_path / "slices", [image_file(0, series="9.9"), image_file(1, series="9.9", **changes)]
    )
    write(tmp_path / "other", [image_file(0, series="7.7")])
    found = find_series(tmp_path)
    faults = {one.uid: one.fault for one in found.series}
    assert not found.broken and not faults.pop("7.7")
    if kind in ("HU", "HU_MOD", "US", "", None):
        assert set(faults.values()) == {""}
        load_dicom(tmp_path / "slices")
        return
    for fault in faults.values():
        assert fault.endswith(f".dcm: expected Hounsfield units, its RescaleType is {kind!r}")
    with pytest.raises(ValueError, match=r"image10\.dcm: expected Hounsfield units"):
        load_dicom(tmp_path / "slices")


def test_a_folder_that_cannot_be_read_is_reported(scan, monkeypatch):
    """Not by its permissions: whoever runs the tests may read everything."""
    scandir = os.scandir

    def denied(path):
        if str(path).endswith("b"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", denied)
    found = find_series(scan)
    assert [len(series.frames) for series in found.series] == [4]
    sentence = f"{scan / 'b'}: expected a folder that can be read (Permission denied)"
    assert [file.fault for file in found.broken] == [sentence]
    with pytest.raises(ValueError, match="expected a folder that can be read"):
        choose_series(found, scan)


def test_headers_are_forgotten(tmp_path):
    """What is kept of a file, and what was needed at most, in kilobytes."""
    count = 100
    write(tmp_path, [image_file(k, hu=np.zeros((2, 2))) for k in range(2)])
    find_series(tmp_path)  # what pydicom needs once
    for k in range(2, count):
        image_file(k, hu=np.zeros((2, 2))).save_as(tmp_path / f"{k}.dcm", enforce_file_format=True)
    tracemalloc.start()
    found = find_series(tmp_path)
    kept, peak = (size / count / 1000 for size in tracemalloc.get_traced_memory())
    tracemalloc.stop()
    assert len(found.series[0].frames) == count
    assert kept < 3 and peak < 10
