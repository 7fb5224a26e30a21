"""helpers.scans.sources: which network suits a scan, and what is said of it."""

import json

import cv2
import numpy as np
import pytest
from scans_of_tests import image_file, write

from helpers import models, noise
from helpers.__main__ import main
from helpers.data import CT_PIXEL_MM
from helpers.data.patches import resized
from helpers.data.series import find_series
from helpers.hounsfield import window
from helpers.metrics import psnr
from helpers.scans import denoise_scan, model_for, sources
from helpers.scans.sources import remarks

MODEL = "ct_unet_small"


def series(folder, places, **attributes):
    files = [
        image_file(k, ImagePositionPatient=list(at), **attributes) for k, at in enumerate(places)
    ]
    write(folder, files)
    return find_series(folder).series[0]


@pytest.mark.parametrize(
    ("places", "name"),
    [
        ([(0, 0, 2.5 * k) for k in range(5)], "ct_scan_25d"),
        ([(0, 0, 5 * k) for k in range(9)], "ct_scan_25d"),
        ([(0, 0, 2.5 * k) for k in range(4)], "ct_scan"),
        ([(0, 0, 2.5)], "ct_scan"),
        ([(0, 0, 5.1 * k) for k in range(9)], "ct_scan"),
        ([(0, 0, z) for z in (0, 2, 4, 6, 10, 12)], "ct_scan"),
        ([(0, 0.5 * k, 2 * k) for k in range(9)], "ct_scan"),
    ],
)
def test_the_network_that_suits_a_scan(places, name, tmp_path):
    assert model_for(series(tmp_path, places)) == name


def test_the_network_of_neighbours_is_known_without_being_loaded(shipped):
    assert shipped["ct_scan_25d"].about.neighbours == sources.LOOKS


def test_a_network_of_your_own_wants_as_many_slices_as_it_sees(tmp_path):
    models.denoising_unet((4,), (1,), slices=7).save(tmp_path / "mine.keras")
    arguments = {"model": tmp_path / "mine.keras", "dry_run": True}
    for count in (6, 7):
        series(tmp_path / str(count), [(0, 0, 2 * k) for k in range(count)])
    assert denoise_scan(tmp_path / "7", tmp_path / "out", **arguments)["slices"] == 7
    with pytest.raises(ValueError, match="^model: .* has 6 slices, fewer than 7, got .*mine.keras"):
        denoise_scan(tmp_path / "6", tmp_path / "out", **arguments)


@pytest.mark.parametrize(("count", "name"), [(5, "ct_scan_25d"), (1, "ct_scan")])
def test_it_is_taken(count, name, tmp_path):
    series(tmp_path / "scan", [(0, 0, 2.5 * k) for k in range(count)])
    report = denoise_scan(tmp_path / "scan", tmp_path / "out", dry_run=True)
    assert report["made_by"].startswith(f"{name} ")


@pytest.mark.parametrize(("pixel_mm", "said"), [(0.9, False), (1.4, False), (0.3, True), (2, True)])
def test_pixels_of_an_unusual_size_are_reported(pixel_mm, said, tmp_path, capsys):
    one = series(tmp_path / "scan", [(0, 0, 0), (0, 0, 2)], PixelSpacing=[pixel_mm, pixel_mm])
    assert bool(remarks(one)) == said
    arguments = ["denoise", str(tmp_path / "scan"), str(tmp_path / "out"), "--dry-run"]
    assert main([*arguments, "--model", MODEL]) == 0
    printed = capsys.readouterr().out
    assert ("the networks learned from pixels of about 0.7 to 1.4 mm" in printed) == said
    assert not remarks(None)


@pytest.mark.parametrize(
    ("places", "said"),
    [
        ([(0, 0, z) for z in (0, 2, 4, 6, 10, 12)], "(2 mm, but 4 mm before image31.dcm)"),
        ([(0, 0, z) for z in (0, 2, 4, 6, 6.5, 8.5)], "(2 mm, but 0.5 mm before image31.dcm)"),
        ([(0, 0.5 * k, 2 * k) for k in range(6)], "shifted against each other"),
        ([(0, 0, 2 * k) for k in range(6)], ""),
        ([(0, 0, 2)], ""),
    ],
)
def test_slices_that_do_not_lie_evenly_are_reported(places, said, tmp_path, capsys):
    one = series(tmp_path / "scan", places)
    assert bool(remarks(one)) == bool(said)
    arguments = ["denoise", str(tmp_path / "scan"), str(tmp_path / "out"), "--model", MODEL]
    assert main(arguments) == 0
    report = json.loads((tmp_path / "out" / "denoise.json").read_text())
    assert report["remarks"] == remarks(one)
    first = capsys.readouterr().out.splitlines()[0]
    assert said in first and first.startswith("the series has slices") == bool(said)


def test_files_that_are_left_out_are_reported(tmp_path, capsys):
    """And a file that is added between two runs does not keep the second from going on."""
    places = [(0, 0, 2 * k) for k in range(3)]
    series(tmp_path / "scan", places)
    write(tmp_path / "scan" / "dose", [image_file(5, SOPClassUID="1.2.840.10008.5.1.4.1.1.88.67")])
    arguments = ["denoise", str(tmp_path / "scan"), str(tmp_path / "out"), "--model", MODEL]
    assert main(arguments) == 0
    said = "left out: 1 X-Ray Radiation Dose SR"
    assert capsys.readouterr().out.splitlines()[0].startswith(said)
    (tmp_path / "scan" / "note.txt").write_text("not an image")
    assert main([*arguments, "--resume"]) == 0
    report = json.loads((tmp_path / "out" / "denoise.json").read_text())
    assert report["remarks"][0].startswith(said[:11]) and len(report["remarks"]) == 2


def test_a_broken_file_of_another_series_is_reported(scan, tmp_path):
    (path,) = write(scan / "c", [image_file(0, series="9.9")])
    path.write_bytes(path.read_bytes()[:-99])
    options = {"model": MODEL, "series": "1.2.3.4", "dry_run": True}
    report = denoise_scan(scan, tmp_path / "out", **options)
    assert report["slices"] == 7
    assert "left out: 1 damaged file of another series" in report["remarks"]


@pytest.mark.slow
@pytest.mark.parametrize("pixel_mm", [0.5, 2.0])
def test_resampling_to_usual_pixels_would_be_worse(pixel_mm, ct_hu, shipped, rng):
    """So the size of the pixels is only reported."""
    scale, shrinks = CT_PIXEL_MM["validation"] / pixel_mm, pixel_mm > 1
    hu = ct_hu["validation"][0][5:26:10] if shrinks else ct_hu["validation"][0][5:6, 60:140, 60:140]
    hu = resized(hu, scale, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
    noisy_hu = noise.add_ct_noise(hu, pixel_mm, 40_000, rng, body=noise.BODY_MM)
    clean, noisy = (
        window(hu)[..., None],
        ((noisy_hu + 1000) / 1400)[..., None].astype(np.float32),
    )
    usual = np.stack(
        [cv2.resize(image, None, fx=pixel_mm / 0.8, fy=pixel_mm / 0.8) for image in noisy]
    )
    removed = usual[..., None] - shipped["ct_scan"](usual[..., None])
    size = clean.shape[2], clean.shape[1]
    removed = np.stack([cv2.resize(one, size, interpolation=cv2.INTER_AREA) for one in removed])
    as_it_is, resampled = (
        psnr(clean, image.clip(0, 1)).mean()
        for image in (shipped["ct_scan"](noisy), noisy - removed[..., None])
    )
    assert as_it_is > resampled + 0.3


def test_a_file_alone(tmp_path):
    write(tmp_path, [image_file(0)])
    report = denoise_scan(tmp_path / "image03.dcm", tmp_path / "new" / "out", model=MODEL)
    assert report["slices"] == 1 and (tmp_path / "new" / "out" / "image03.dcm").exists()
    assert np.isfinite(report["files"][0]["removed_hu"])
