"""helpers.scans.run: Hounsfield units that nothing spoils, a derived series, a run that goes on, hostile input."""

import ast
import contextlib
import itertools
import json
import os
import re
import signal
import subprocess
import sys
import time
import weakref
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from pydicom.pixels import pixel_array
from scans_of_tests import HEIGHT, WIDTH, by_place, contents, frames_file, image_file, write

import helpers
from helpers.__main__ import main
from helpers.models.pretrained import WEIGHTS
from helpers.scans import denoise_scan
from helpers.scans.sources import opened

MODEL = "ct_unet_small"
DICOM = ("pydicom", "python-gdcm", "pylibjpeg-openjpeg")  # what reads it


def hounsfield(file):
    return pixel_array(file).astype(float) * float(file.RescaleSlope) + float(file.RescaleIntercept)


def test_what_the_network_removes_is_subtracted_inside_the_window_only(scan, tmp_path, shipped):
    from helpers.hounsfield import WINDOW_WIDTH, window

    denoise_scan(scan, tmp_path / "out", model=MODEL)
    before, after = by_place(scan), by_place(tmp_path / "out")
    assert list(before) == list(after) and len(after) == 7
    for place, file in before.items():
        hu, denoised = hounsfield(file), hounsfield(after[place])
        beyond = (hu < -1000) | (hu > 400)
        assert beyond.any() and (denoised[beyond] == hu[beyond]).all()
        grey = window(hu)[None, ..., None]
        removed = (grey - shipped[MODEL](grey))[0, ..., 0] * WINDOW_WIDTH
        expected = np.where(beyond, hu, hu - removed)
        assert np.abs(denoised - expected).max() <= 0.5 + 1e-3
        assert not np.array_equal(denoised, hu)


def test_neighbours_are_seen_as_in_one_piece(scan, tmp_path, monkeypatch):
    """Slabs of two slices give what the whole scan gives."""
    from helpers.scans import stream

    denoise_scan(scan, tmp_path / "whole", model="ct_unet_25d")
    monkeypatch.setattr(stream, "SLAB", 2)
    denoise_scan(scan, tmp_path / "slabs", model="ct_unet_25d")
    for one, other in zip(*(by_place(tmp_path / name).values() for name in ("whole", "slabs"))):
        assert np.abs(hounsfield(one) - hounsfield(other)).max() <= 1


def test_pixels_are_decoded_once(tmp_path, monkeypatch):
    """For a slab, as neighbours of the next one, and to be saved; three slices also before the run begins."""
    from helpers.scans import dicom

    decoded, read_stored = [], dicom.read_stored
    monkeypatch.setattr(
        dicom, "read_stored", lambda path, *rest: decoded.append(path) or read_stored(path, *rest)
    )
    paths = write(tmp_path / "scan", [image_file(k) for k in range(90)])
    denoise_scan(tmp_path / "scan", tmp_path / "out", model="ct_unet_25d")
    assert set(decoded) == set(paths) and len(decoded) <= len(paths) + 3


@pytest.mark.parametrize("frames", [1, 60])
def test_as_many_slices_stay_decoded_however_many_a_file_has(frames, tmp_path, monkeypatch):
    """Two slabs and what is decoded at once, and nothing is decoded twice, but for the look before the run."""
    from helpers.scans import dicom

    most, decoded, alive, read_stored = [], [], weakref.WeakValueDictionary(), dicom.read_stored

    def counted(path, numbers):
        images = read_stored(path, numbers)
        for image in images:
            alive[len(decoded)] = image
            decoded.append((path, numbers))
        most.append(len(alive))
        return images

    monkeypatch.setattr(dicom, "read_stored", counted)
    files = [frames_file(60)] if frames > 1 else [image_file(k) for k in range(60)]
    write(tmp_path / "scan", files)
    denoise_scan(tmp_path / "scan", tmp_path / "out", model="ct_unet_25d")
    assert 32 <= max(most) <= 32 + 2 * 8
    assert len(decoded) <= 60 + 3 * (8 if frames > 1 else 1)


def test_strength_0_changes_no_pixel(scan, tmp_path):
    report = denoise_scan(scan, tmp_path / "out", model=MODEL, strength=0)
    for one, other in zip(by_place(scan).values(), by_place(tmp_path / "out").values()):
        assert one.PixelData == other.PixelData
        assert one.SOPInstanceUID != other.SOPInstanceUID
    assert {note["removed_hu"] for note in report["files"]} == {0}


@pytest.mark.parametrize("slope", [0.5, 2, -1])
def test_each_slice_has_its_own_slope_and_intercept(slope, tmp_path):
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    hu = -500.0 + 10 * y + 4 * x
    files = []
    for index, (own, intercept) in enumerate([(1, -1024), (slope, -1000 if slope > 0 else 2000)]):
        file = image_file(index, RescaleSlope=own, RescaleIntercept=intercept)
        file.PixelData = np.rint((hu - intercept) / own).astype("<u2").tobytes()
        files.append(file)
    write(tmp_path / "scan", files)
    denoise_scan(tmp_path / "scan", tmp_path / "out", model=MODEL)
    one, other = map(hounsfield, by_place(tmp_path / "out").values())
    assert np.abs(one - other).max() <= 1 + abs(slope)


@pytest.mark.parametrize(("signed", "bits"), [(0, 12), (0, 16), (1, 12), (1, 16)])
@pytest.mark.parametrize("slope", [1, 0.5, -1])
def test_values_are_never_wrapped_around(slope, signed, bits, tmp_path):
    """Stored values near both ends of what their bits can hold, of which more is removed than is there."""
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    stored = np.array([[low, low + 3, low + 3], [high - 3, high - 3, high]])
    steps = np.array([[9, 9, 2], [-2, -9, -9]])
    more = np.where(abs(steps) == 9, steps * 10**5, steps)  # beyond any type
    file = image_file(0, RescaleSlope=slope, hu=np.zeros((2, 3)), PixelRepresentation=signed)
    file.BitsStored, file.HighBit = bits, bits - 1
    del file["SmallestImagePixelValue"], file["LargestImagePixelValue"]
    file.PixelData = stored.astype("<i2" if signed else "<u2").tobytes()
    write(tmp_path / "scan", [file])
    with opened(tmp_path / "scan") as (scan, _):
        for name, removed in (("a", steps), ("b", more)):
            writer = scan.writer(tmp_path / name, "made up", False)
            writer.save(0, (removed * slope).astype(np.float32))
            (denoised,) = by_place(tmp_path / name).values()
            kept = pixel_array(denoised, raw=True)
            assert kept.tolist() == [[low, low, low + 1], [high - 1, high, high]]
            assert (denoised.BitsStored, denoised.PixelRepresentation) == (bits, signed)


def test_a_file_of_many_frames_stays_one_file(tmp_path, shipped):
    """Each frame with its own slope, in the order of the file."""
    from helpers.hounsfield import WINDOW_WIDTH, window

    (old,) = write(tmp_path / "scan", [frames_file(3)])
    denoise_scan(tmp_path / "scan", tmp_path / "out", model=MODEL)
    new = pydicom.dcmread(tmp_path / "out" / old.name)
    before, after = pixel_array(old), pixel_array(new)
    assert before.shape == after.shape == (3, HEIGHT, WIDTH)
    for number, (one, other) in enumerate(zip(before.astype(float), after.astype(float))):
        hu = one * (1 + number) - 1024
        grey = window(hu)[None, ..., None]
        removed = (grey - shipped[MODEL](grey))[0, ..., 0] * WINDOW_WIDTH
        removed[(hu < -1000) | (hu > 400)] = 0
        assert np.abs((one - other) * (1 + number) - removed).max() <= 0.5 * (1 + number) + 1e-3
    kinds = {
        frame.CTImageFrameTypeSequence[0].FrameType[0]
        for frame in new.PerFrameFunctionalGroupsSequence
    }
    assert kinds == {"DERIVED"}


def test_the_derived_series_cannot_be_taken_for_the_original(scan, tmp_path):
    denoise_scan(scan, tmp_path / "out", model=MODEL, strength=0.5)
    series, instances = set(), set()
    for place, old in by_place(scan).items():
        new = by_place(tmp_path / "out")[place]
        for name in ("StudyInstanceUID", "FrameOfReferenceUID", "PatientID", "PatientName"):
            assert new[name].value == old[name].value
        for name in ("ImagePositionPatient", "PixelSpacing", "RescaleSlope", "InstanceNumber"):
            assert new[name].value == old[name].value
        series.add(new.SeriesInstanceUID)
        instances.add(new.SOPInstanceUID)
        assert new.file_meta.MediaStorageSOPInstanceUID == new.SOPInstanceUID
        assert new.SeriesInstanceUID != old.SeriesInstanceUID
        assert list(new.ImageType) == ["DERIVED", "PRIMARY", "AXIAL"]
        assert new.SeriesDescription == "lung denoised" and new.SeriesNumber == 1003
        assert MODEL in new.DerivationDescription and "0.5" in new.DerivationDescription
        assert new.SourceImageSequence[0].ReferencedSOPInstanceUID == old.SOPInstanceUID
        assert "Not for clinical use" in new.ImageComments
        assert len(new.ContributingEquipmentSequence) == 1
        assert "InstanceCreationDate" not in new
        pixels = pixel_array(new)
        assert new.SmallestImagePixelValue == pixels.min()
        assert new.LargestImagePixelValue == pixels.max()
    assert len(series) == 1 and len(instances) == 7


def test_the_same_again_gives_the_same_bytes_and_other_options_other_identifiers(scan, tmp_path):
    before = contents(scan)
    for name, strength in (("one", 1), ("two", 1), ("half", 0.5)):
        denoise_scan(scan, tmp_path / name, model=MODEL, strength=strength)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    one, half = (next(iter(by_place(tmp_path / name).values())) for name in ("one", "half"))
    assert one.SeriesInstanceUID != half.SeriesInstanceUID
    assert one.SOPInstanceUID != half.SOPInstanceUID
    assert contents(scan) == before  # nothing is ever written into the source


@pytest.mark.parametrize(
    ("strength", "said"),
    [(1, "1"), (1.0, "1"), (0.5, "0.5"), (0, "0"), (0.1234567, "0.1234567"), (1e-7, "1e-07")],
)
def test_all_digits_of_the_strength_count(strength, said, scan, tmp_path):
    report = denoise_scan(scan, tmp_path / "out", model=MODEL, strength=strength, dry_run=True)
    assert f", strength {said}, views" in report["made_by"]


def test_what_was_removed_is_a_series_of_its_own(scan, tmp_path):
    report = denoise_scan(scan, tmp_path / "out", model=MODEL, save_noise=True)
    assert report["save_noise"] and not (tmp_path / "out" / "noise" / "denoise.json").exists()
    noise = by_place(tmp_path / "out" / "noise")
    images = {
        place: file
        for path in sorted((tmp_path / "out").glob("[ab]"))
        for place, file in by_place(path).items()
    }
    assert len(noise) == len(images) == 7
    for place, old in by_place(scan).items():
        difference = hounsfield(old) - hounsfield(images[place])
        np.testing.assert_array_equal(hounsfield(noise[place]), difference)
        assert noise[place].SeriesInstanceUID != images[place].SeriesInstanceUID
        assert noise[place].SOPInstanceUID != images[place].SOPInstanceUID
        assert noise[place].SeriesDescription == "lung removed noise"
        assert noise[place].SeriesNumber == 2003 and noise[place].ImageType[0] == "DERIVED"
    assert any(np.ptp(hounsfield(file)) > 2 for file in noise.values())


def test_the_preview(scan, tmp_path):
    """A PNG file of the middle slice, with nothing of the patient in it."""
    import cv2

    denoise_scan(scan, tmp_path / "out", model=MODEL, preview=True)
    data = (tmp_path / "out" / "denoise.preview.png").read_bytes()
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert min(picture.shape[:2]) > 700
    assert b"Somebody" not in data and b"4711" not in data and b"tEXt" not in data


def test_the_report(scan, tmp_path):
    report = denoise_scan(scan, tmp_path / "out", model=MODEL)
    assert json.loads((tmp_path / "out" / "denoise.json").read_text()) == report
    assert [note["slice"] for note in report["files"]] == list(range(7))
    assert all((tmp_path / "out" / note["file"]).exists() for note in report["files"])
    assert max(note["removed_hu"] for note in report["files"]) > 0
    assert "Somebody" not in json.dumps(report)
    weights = sha256((WEIGHTS / f"{MODEL}.keras").read_bytes()).hexdigest()
    assert report["weights"] == weights and f" {weights[:12]}," in report["made_by"]
    assert report["options"] == {"model": MODEL, "strength": 1.0, "views": 1}
    versions = report["versions"]
    assert versions["helpers"] == helpers.__version__ and versions["keras"] == version("keras")
    assert {name: versions[name] for name in DICOM} == {name: version(name) for name in DICOM}


@pytest.mark.parametrize(
    ("name", "reader"),
    [("scan.nii", "nibabel"), ("scan.nrrd", "SimpleITK"), ("scan.png", "opencv-python")],
)
def test_the_report_names_what_reads_the_values(name, reader, rng, tmp_path):
    array = rng.integers(0, 200, (3, 16, 20)).astype(np.uint8)
    image = sitk.GetImageFromArray(array[0] if name == "scan.png" else array)
    sitk.WriteImage(image, str(tmp_path / name))
    versions = denoise_scan(tmp_path / name, tmp_path / f"new-{name}", dry_run=True)["versions"]
    assert list(versions)[4:] == [reader]
    with contextlib.suppress(PackageNotFoundError):  # OpenCV comes under several names
        assert versions[reader] == version(reader)


def test_the_report_names_weights_of_your_own(scan, tmp_path, monkeypatch):
    """By their path, wherever the command was called; the identifiers depend on their hash and their name only."""
    weights = tmp_path / "mine.keras"
    weights.write_bytes((WEIGHTS / f"{MODEL}.keras").read_bytes())
    monkeypatch.chdir(tmp_path)
    report = denoise_scan(scan, tmp_path / "out", model="mine.keras", views=8, dry_run=True)
    assert report["options"] == {"model": str(weights), "strength": 1.0, "views": 8}
    digits = sha256(weights.read_bytes()).hexdigest()[:12]
    assert report["made_by"] == f"mine {digits}, strength 1, views 8"


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["tensorflow", "jax", "torch"])
def test_the_report_names_the_backend_that_computes(backend, scan, tmp_path):
    if find_spec(backend) is None:
        pytest.skip(f"the package {backend} is not installed")
    code = "import sys; from helpers.scans import denoise_scan as run; print(run(*sys.argv[1:], dry_run=True))"
    process = subprocess.run(
        [sys.executable, "-c", code, str(scan), str(tmp_path / "out")],
        env={**os.environ, "KERAS_BACKEND": backend},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0, process.stderr
    versions = ast.literal_eval(process.stdout)["versions"]
    assert list(versions) == ["helpers", "keras", backend, "numpy", *DICOM]
    assert versions[backend] == version(backend) and versions["numpy"] == np.__version__


@pytest.mark.parametrize("shape", [(2000, 17), (17, 2000), (3, 9)])
def test_slices_of_any_shape(shape, tmp_path, shipped):
    from helpers.hounsfield import WINDOW_WIDTH, window

    hu = np.random.default_rng(0).normal(0, 50, (3, *shape)).round()
    write(tmp_path / "scan", [image_file(k, hu=values) for k, values in enumerate(hu)])
    denoise_scan(tmp_path / "scan", tmp_path / "out", model=MODEL, preview=True)
    grey = window(hu)[..., None]
    expected = hu - (grey - shipped[MODEL](grey))[..., 0] * WINDOW_WIDTH
    denoised = np.stack([hounsfield(file) for file in by_place(tmp_path / "out").values()])
    assert denoised.shape == hu.shape and np.abs(denoised - expected).max() <= 0.5 + 1e-3


# ------------------------------------------------------------------ nothing is lost


def test_a_destination_that_holds_files_is_left_alone(scan, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine.txt").write_text("precious")
    with pytest.raises(FileExistsError, match="out: expected a new or an empty folder"):
        denoise_scan(scan, out, model=MODEL)
    with pytest.raises(ValueError, match="out: expected an interrupted run"):
        denoise_scan(scan, out, model=MODEL, resume=True)
    assert contents(out) == {"mine.txt": b"precious"}
    denoise_scan(scan, out, model=MODEL, overwrite=True)
    assert len(contents(out)) == 9 and (out / "mine.txt").read_text() == "precious"


def test_a_dry_run_writes_nothing(scan, tmp_path):
    plan = denoise_scan(scan, tmp_path / "out", model=MODEL, dry_run=True)
    assert plan["slices"] == 7 and not (tmp_path / "out").exists()
    report = denoise_scan(scan, tmp_path / "out", model=MODEL)
    assert list(plan) == [key for key in report if key != "files"]


def test_a_dry_run_looks_at_the_destination_too(scan, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine.txt").write_text("precious")
    with pytest.raises(FileExistsError, match="out: expected a new or an empty folder"):
        denoise_scan(scan, out, model=MODEL, dry_run=True)
    with pytest.raises(ValueError, match="out: expected an interrupted run"):
        denoise_scan(scan, out, model=MODEL, dry_run=True, resume=True)
    denoise_scan(scan, out, model=MODEL, dry_run=True, overwrite=True)
    assert contents(out) == {"mine.txt": b"precious"}


@pytest.mark.parametrize("gone", [False, True])
def test_killed_before_or_after_an_old_report_is_gone(gone, scan, tmp_path, monkeypatch):
    """The first steps of a run that overwrites: it goes on with the same bytes."""
    denoise_scan(scan, tmp_path / "whole", model=MODEL)
    denoise_scan(scan, tmp_path / "out", model=MODEL, strength=0.5)
    unlink = Path.unlink

    def killed(path, missing_ok=False):
        if gone:
            unlink(path, missing_ok)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", killed)
        with pytest.raises(KeyboardInterrupt):
            denoise_scan(scan, tmp_path / "out", model=MODEL, overwrite=True)
    denoise_scan(scan, tmp_path / "out", model=MODEL, resume=True)
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


@pytest.mark.parametrize("link", ["out/a", "out/noise", "out/noise/b"])
def test_links_in_a_destination_do_not_lead_into_the_source(link, scan, tmp_path):
    before = contents(scan)
    (tmp_path / link).parent.mkdir(parents=True)
    (tmp_path / link).symlink_to(scan / "a")
    arguments = {"model": MODEL, "save_noise": True, "overwrite": True}
    with pytest.raises(ValueError, match=rf"{link}.*: expected a folder outside of the source"):
        denoise_scan(scan, tmp_path / "out", **arguments)
    assert contents(scan) == before


@pytest.mark.parametrize("more", [[], ["--recursive"], ["--dry-run"]])
@pytest.mark.parametrize("source", [False, True])
def test_links_in_a_circle(source, more, scan, tmp_path, capsys):
    (tmp_path / "one").symlink_to(tmp_path / "two")
    (tmp_path / "two").symlink_to(tmp_path / "one")
    paths = [tmp_path / "one", tmp_path / "out"] if source else [scan, tmp_path / "one" / "out"]
    assert main(["denoise", *map(str, paths), "--model", MODEL, *more]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert str(tmp_path / "one") in line


@pytest.mark.parametrize("name", ["denoise.json", "Denoise.notes", "denoise.preview.png"])
def test_a_slice_that_is_called_like_a_file_of_the_program(name, scan, tmp_path):
    (path,) = scan.glob("b/image10.dcm")
    path.rename(scan / name)
    with pytest.raises(ValueError, match=f"^{name}: expected another name, this program"):
        denoise_scan(scan, tmp_path / "out", model=MODEL)
    assert not (tmp_path / "out").exists()
    denoise_scan(scan, tmp_path / "out.nii.gz", model=MODEL)  # no names of slices


@pytest.mark.parametrize("ending", ["unfinished", "slices"])
def test_a_slice_that_is_called_like_a_file_that_waits(ending, scan, tmp_path):
    path = next(scan.glob("b/*.dcm"))
    path.rename(path.with_name(f"image17.dcm.{ending}"))
    with pytest.raises(ValueError, match=rf"^b/image17\.dcm\.{ending}: expected another name"):
        denoise_scan(scan, tmp_path / "out", model=MODEL, overwrite=True)
    assert not (tmp_path / "out").exists()


def test_an_interrupted_run_goes_on_with_the_same_bytes(scan, tmp_path, monkeypatch):
    from helpers.scans import dicom, stream

    monkeypatch.setattr(stream, "SLAB", 2)
    denoise_scan(scan, tmp_path / "whole", model="ct_unet_25d")
    write_image, written = dicom.write_image, []

    def stopped(file, header, pixels):
        write_image(file, header, pixels)
        written.append(file.name)
        if len(written) == 4:
            raise KeyboardInterrupt

    monkeypatch.setattr(dicom, "write_image", stopped)
    with pytest.raises(KeyboardInterrupt):
        denoise_scan(scan, tmp_path / "out", model="ct_unet_25d")
    assert not (tmp_path / "out" / "denoise.json").exists()
    assert len(list((tmp_path / "out").rglob("*.dcm"))) == 3
    with pytest.raises(ValueError, match="out: expected the arguments of the interrupted run"):
        denoise_scan(scan, tmp_path / "out", model=MODEL, resume=True)
    denoise_scan(scan, tmp_path / "out", model="ct_unet_25d", resume=True)
    assert len(written) == 4 + 4  # what was done is not done again
    left = {name: b for name, b in contents(tmp_path / "out").items() if "unfinished" not in name}
    assert left == contents(tmp_path / "whole") == contents(tmp_path / "out")


@pytest.mark.parametrize("suffix", ["", ".nii"])
def test_other_versions_matter_only_where_slices_are_missing(suffix, scan, tmp_path, monkeypatch):
    """A finished run stays as it is, and its report names the versions that made it."""
    from helpers.scans import run

    out, settings = tmp_path / "out" / f"a{suffix}", {"model": MODEL, "resume": True}
    report = denoise_scan(scan, out, model=MODEL)
    before, now = contents(out.parent), {**report["versions"], "keras": "99.0"}
    monkeypatch.setattr(run, "_versions", lambda readers: now)
    assert denoise_scan(scan, out, **settings) == report
    assert contents(out.parent) == before
    with pytest.raises(ValueError, match="expected the arguments of the interrupted run, {'made_"):
        denoise_scan(scan, out, **settings, strength=0.5)
    (out if suffix else next(out.rglob("*.dcm"))).unlink()
    with pytest.raises(ValueError, match="expected the versions of the interrupted run, {'versi"):
        denoise_scan(scan, out, **settings)
    assert denoise_scan(scan, out, model=MODEL, overwrite=True)["versions"] == now


def test_a_file_that_is_not_made_yet_is_not_complete(scan, tmp_path, monkeypatch):
    """All slices wait for it; another version of what writes it must not."""
    from helpers.scans import run, voxels

    def interrupted(writer):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(voxels.VoxelWriter, "finish", interrupted)
        with pytest.raises(KeyboardInterrupt):
            denoise_scan(scan, tmp_path / "a.nii", model=MODEL)
    settings = {"model": MODEL, "resume": True}
    with monkeypatch.context() as patched:
        versions = run._versions

        def newer(others):
            return versions(others) | {"nibabel": "99.0"}

        patched.setattr(run, "_versions", newer)
        with pytest.raises(ValueError, match="expected the versions of the interrupted run, .*ni"):
            denoise_scan(scan, tmp_path / "a.nii", **settings)
    assert "nibabel" in denoise_scan(scan, tmp_path / "a.nii", **settings)["versions"]


def test_a_series_has_one_number(scan, tmp_path):
    """Another series may have come in between that has the number of the derived one."""
    report = denoise_scan(scan, tmp_path / "out", model=MODEL)
    first, second = report["series_numbers"]
    write(scan / "c", [image_file(0, series="9.9", SeriesNumber=first)])
    settings = {"model": MODEL, "series": "1.2.3.4", "resume": True}
    assert denoise_scan(scan, tmp_path / "out", **settings)["series_numbers"] == [first, second]
    next((tmp_path / "out").rglob("*.dcm")).unlink()
    with pytest.raises(ValueError, match="expected the series_numbers of the interrupted run"):
        denoise_scan(scan, tmp_path / "out", **settings)


def test_a_source_that_lost_a_slice_is_told_from_bad_notes(scan, tmp_path):
    denoise_scan(scan, tmp_path / "out", model=MODEL)
    max(scan.rglob("*.dcm"), key=lambda path: path.name).unlink()
    with pytest.raises(ValueError, match=r"out: expected the arguments .* {'slices': 7}, got"):
        denoise_scan(scan, tmp_path / "out", model=MODEL, resume=True)


def test_an_interrupted_file_of_many_frames_goes_on_with_the_same_bytes(tmp_path, monkeypatch):
    """Its frames wait on disk, not in memory: those that are there are not made again."""
    from helpers.scans import spool

    write(tmp_path / "scan", [frames_file(6)])
    denoise_scan(tmp_path / "scan", tmp_path / "whole", model=MODEL, save_noise=True)
    put, frames = spool.Spool.put, []

    def stopped(self, where, *rest):
        put(self, where, *rest)
        frames.append(where)
        if len(frames) == 7:
            raise KeyboardInterrupt

    monkeypatch.setattr(spool.Spool, "put", stopped)
    arguments = {"model": MODEL, "save_noise": True}
    with pytest.raises(KeyboardInterrupt):
        denoise_scan(tmp_path / "scan", tmp_path / "out", **arguments)
    assert not list((tmp_path / "out").rglob("*.dcm"))
    denoise_scan(tmp_path / "scan", tmp_path / "out", **arguments, resume=True)
    assert frames == [5, 5, 4, 4, 3, 3, 2, 2, 2, 1, 1, 0, 0]
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


def test_notes_that_were_broken_off(scan, tmp_path, monkeypatch):
    """Killed within a line of the notes, and again while the report was written, and then interrupted."""
    from helpers.scans import dicom

    def interrupted(file, header, pixels):
        raise KeyboardInterrupt

    denoise_scan(scan, tmp_path / "whole", model=MODEL)
    denoise_scan(scan, tmp_path / "out", model=MODEL)
    report = json.loads((tmp_path / "out" / "denoise.json").read_text())
    notes = [{key: value for key, value in report.items() if key != "files"}, *report["files"][:3]]
    lines = "".join(json.dumps(note) + "\n" for note in notes)
    (tmp_path / "out" / "denoise.json").unlink()
    (tmp_path / "out" / "denoise.notes").write_text(lines + '{"slice": 3, "fi')
    (tmp_path / "out" / "denoise.json.unfinished").write_text("{")
    write_image = dicom.write_image
    monkeypatch.setattr(dicom, "write_image", interrupted)
    with pytest.raises(KeyboardInterrupt):  # at once, in the first file
        denoise_scan(scan, tmp_path / "out", model=MODEL, resume=True)
    monkeypatch.setattr(dicom, "write_image", write_image)
    denoise_scan(scan, tmp_path / "out", model=MODEL, resume=True)
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


@pytest.mark.parametrize("note", ["nonsense", '{"made_by": "x"}', '{"files": [{"slice": 7}]}'])
def test_a_report_that_is_none(note, scan, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "denoise.json").write_text(note)
    with pytest.raises(
        ValueError, match=r"denoise\.json: expected the notes of an interrupted run"
    ):
        denoise_scan(scan, tmp_path / "out", model=MODEL, resume=True)
    assert contents(tmp_path / "out") == {"denoise.json": note.encode()}


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["", ".nii.gz"])
def test_a_killed_run_goes_on_with_the_same_bytes(suffix, scan, tmp_path):
    write(scan / "c", [image_file(index) for index in range(7, 80)])
    command = [sys.executable, "-m", "helpers", "denoise", str(scan), "--model", MODEL]
    whole, out = tmp_path / "whole" / f"a{suffix}", tmp_path / "out" / f"a{suffix}"
    subprocess.run([*command, str(whole)], check=True, capture_output=True)
    process = subprocess.Popen(
        [*command, str(out)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    for _ in range(6000):
        notes = [path.read_bytes().count(b"\n") for path in out.parent.rglob("*.notes")]
        if sum(notes) >= 3 or process.poll() is not None:
            break
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    subprocess.run([*command, str(out), "--resume"], check=True, capture_output=True)
    assert contents(out.parent) == contents(whole.parent)


# ------------------------------------------------------------------ the command


@pytest.mark.parametrize(
    ("changes", "which"),
    [
        ({2: [0, 0, 5.9]}, "uneven distances"),
        ({k: [0, 0.5 * k, 2.5 * k] for k in range(7)}, "shifted against each other"),
    ],
)
def test_a_network_of_neighbours_wants_neighbours(changes, which, tmp_path, capsys):
    files = [
        image_file(k, **({"ImagePositionPatient": changes[k]} if k in changes else {}))
        for k in range(7)
    ]
    write(tmp_path / "scan", files)
    arguments = ["denoise", str(tmp_path / "scan"), str(tmp_path / "out")]
    assert main([*arguments, "--model", "ct_unet_25d"]) == 1
    assert which in capsys.readouterr().err
    assert main([*arguments, "--model", MODEL, "--dry-run"]) == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--model", "none.keras"], "none.keras: no such file"),
        (["--series", "9"], "expected one of its series, got '9'"),
    ],
)
def test_refused_options(options, message, scan, tmp_path, capsys):
    assert main(["denoise", str(scan), str(tmp_path / "out"), "--model", MODEL, *options]) == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--strength", "2"], "strength: expected a number in [0, 1], got 2.0"),
        (["--strength", "nan"], "strength: expected a number in [0, 1], got nan"),
        (["--views", "3"], "views: expected 1 or 8, got 3"),
        (["--model", "resnet"], "name: expected one of ct_"),
        (["--overwrite", "--resume"], "--resume: not allowed with argument --overwrite"),
        (["--recursive", "--series", "1.2"], "--series: not allowed with argument --recursive"),
        (["--recursive", "--strength", "2"], "strength: expected a number in [0, 1], got 2.0"),
        (["--recursive", "--model", "resnet"], "name: expected one of ct_"),
        (["--scheduler", "a:1"], "scheduler: expected together with --recursive"),
    ],
)
def test_wrong_options_have_their_own_exit_code(options, message, refusal, tmp_path):
    """2, whatever the scan: there is none."""
    line = refusal(main, "denoise", str(tmp_path / "scan"), str(tmp_path / "out"), *options)
    assert line.startswith("python -m helpers denoise: error: ") and message in line
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("inside", ["scan/out", "scan", "."])
def test_source_and_destination_lie_apart(inside, scan, tmp_path):
    before = contents(scan)
    with pytest.raises(ValueError, match="expected a folder outside of the source"):
        denoise_scan(scan, tmp_path / inside, model=MODEL)
    assert contents(scan) == before


def test_wrong_command_lines(capsys):
    for arguments in ([], ["denoise"], ["dance", "x"], ["denoise", "a", "b", "--views", "x"]):
        with pytest.raises(SystemExit, match="^2$"):
            main(arguments)
        assert "usage" in capsys.readouterr().err


def test_list(scan, capsys):
    write(scan / "c", [image_file(k, series="9.9", SeriesDescription=None) for k in (0, 1, 3)])
    assert main(["list", str(scan)]) == 0
    printed = capsys.readouterr().out
    assert (
        "1.2.3.4\n    7 slices of 24 x 40, 2.5 mm apart\n    pixels of 0.9 x 0.9 mm\n    lung"
        in printed
    )
    assert "3 slices of 24 x 40, 3.75 mm apart unevenly" in printed
    assert "left out: 1 file that is not DICOM" in printed
    for secret in ("Somebody", "4711", "20200101"):
        assert secret not in printed
    assert main(["list", str(Path(scan, "a", "nothing"))]) == 1


@pytest.mark.parametrize("quiet", [False, True])
def test_quiet(quiet, scan, tmp_path, capsys, monkeypatch):
    """Also in a terminal, where a progress line would be shown."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    options = ["--quiet"] * quiet
    assert main(["denoise", str(scan), str(tmp_path / "out"), "--model", MODEL, *options]) == 0
    captured = capsys.readouterr()
    assert bool(captured.out) == bool(captured.err) == (not quiet)


@pytest.mark.parametrize("done", [0, 3])
def test_the_progress_line_tells_the_time_left(done, scan, tmp_path, capsys, monkeypatch):
    """Each slice takes a minute; those that an earlier run has made count as slices, and take none."""
    from helpers.scans import run

    denoise_scan(scan, tmp_path / "out", model=MODEL)
    report = json.loads((tmp_path / "out" / "denoise.json").read_text())
    for note in report["files"][done:]:
        (tmp_path / "out" / note["file"]).unlink()
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    clock = SimpleNamespace(monotonic=itertools.count(0, 60).__next__)
    monkeypatch.setattr(run, "time", clock)
    denoise_scan(scan, tmp_path / "out", model=MODEL, resume=True)
    shown = re.findall(r"[^\r\x1b]+ left", capsys.readouterr().err)
    wanted = [f"[K{number} of 7 slices, {7 - number} min left" for number in range(done + 1, 8)]
    assert shown == wanted


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (KeyboardInterrupt(), 130, "interrupted"),
        (MemoryError("no room\nfor more"), 1, "python -m helpers list: MemoryError: no room"),
        (MemoryError("\nno room"), 1, "python -m helpers list: MemoryError: no room"),
        (OSError("full"), 1, "python -m helpers list: full"),
    ],
)
def test_an_interruption_has_its_own_exit_code(error, code, said, scan, monkeypatch, capsys):
    from helpers.scans import sources

    def fails(source):
        raise error

    monkeypatch.setattr(sources, "searched", fails)
    assert main(["list", str(scan)]) == code
    assert capsys.readouterr().err == f"{said}\n"


@pytest.mark.parametrize(("command", "when"), [("list", "pydicom"), ("denoise", "keras")])
def test_an_interruption_of_an_import(command, when, scan, tmp_path):
    """In a process of its own, where nothing is imported yet."""
    (tmp_path / f"{when}.py").write_text("raise KeyboardInterrupt")
    places = os.pathsep.join([str(tmp_path), str(Path(__file__).parents[2])])
    line = [sys.executable, "-m", "helpers", command, str(scan), str(tmp_path / "out")]
    process = subprocess.run(
        line[: 5 if command == "list" else 6],
        env={**os.environ, "PYTHONPATH": places},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert process.returncode == 130 and process.stderr.startswith("interrupted")
    assert process.stderr.count("\n") == 1
