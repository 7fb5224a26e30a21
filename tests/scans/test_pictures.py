"""helpers.scans.pictures: bit depth and channels are kept, nothing is lost on the way."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from scans_of_tests import contents

from helpers.data.files import PICTURE_ENDINGS
from helpers.data.frames import DICOM_ENDINGS
from helpers.scans import denoise_scan
from helpers.scans.pictures import WRITTEN
from helpers.scans.voxels import suffix_of

MODEL = "ct_unet_small"


@pytest.fixture
def grey(rng):
    """A noisy picture of 30 x 44 pixels, from 0 to 1."""
    y, x = np.mgrid[0:30, 0:44]
    picture = (y + x) / 80 + rng.normal(0, 0.05, (30, 44))
    picture[:2], picture[-2:] = 0, 1
    return picture.clip(0, 1)


def stored(grey, dtype):
    return np.rint(grey * np.iinfo(dtype).max).astype(dtype)


def expected(picture, denoiser):
    most = np.iinfo(picture.dtype).max
    result = denoiser((picture / most).astype(np.float32)[None, ..., None])[0, ..., 0]
    return (result * most).clip(0, most)


def test_what_is_read_as_images_is_denoised_too():
    endings = {".png": ".png", ".jpg": ".png", ".jpeg": ".png", ".tif": ".tif", ".tiff": ".tiff"}
    assert endings == WRITTEN and set(PICTURE_ENDINGS) < set(WRITTEN)
    for ending in (*WRITTEN, *DICOM_ENDINGS):
        assert suffix_of(Path(f"A{ending.upper()}")) == ending


@pytest.mark.parametrize("suffix", [".png", ".tif", ".TIFF"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_picture_from_file_to_file(dtype, suffix, grey, tmp_path, shipped):
    picture = stored(grey, dtype)
    cv2.imwrite(str(tmp_path / f"a{suffix}"), picture)
    report = denoise_scan(tmp_path / f"a{suffix}", tmp_path / f"b{suffix}", save_noise=True)
    assert report["made_by"].startswith("ct_unet ")  # pictures know no Hounsfield units
    assert report["files"][0]["removed_grey"] > 0.005
    after = cv2.imread(str(tmp_path / f"b{suffix}"), cv2.IMREAD_UNCHANGED)
    assert after.dtype == dtype
    assert np.abs(after - expected(picture, shipped["ct_unet"])).max() <= 0.5 + 0.02
    noise = cv2.imread(str(tmp_path / f"b.noise{suffix}"), cv2.IMREAD_UNCHANGED)
    middle = (int(np.iinfo(dtype).max) + 1) // 2
    np.testing.assert_array_equal(noise.astype(int) - middle, picture.astype(int) - after)
    assert (tmp_path / f"b{suffix}.denoise.json").exists()


def test_a_folder_of_all_kinds_and_sizes(grey, tmp_path, shipped):
    source = tmp_path / "in"
    (source / "deep").mkdir(parents=True)
    small, large = stored(grey[:17], np.uint8), stored(grey, np.uint16)
    turned = stored(grey.T, np.uint8)
    cv2.imwrite(str(source / "a.png"), small)
    cv2.imwrite(str(source / "b.tif"), large)
    cv2.imwrite(str(source / "deep" / "c.jpg"), turned, [cv2.IMWRITE_JPEG_QUALITY, 100])
    colours = np.repeat(small[..., None], 4, -1)
    colours[..., 3] = np.arange(44)  # transparency
    cv2.imwrite(str(source / "d.png"), colours)
    (source / "notes.txt").write_text("not a picture")
    (source / "loop").symlink_to(source, target_is_directory=True)
    out = tmp_path / "out"
    report = denoise_scan(source, out, model=MODEL, preview=True, save_noise=True)
    assert report["remarks"] == [
        "left out: 1 file of another kind",
        "left out: 1 link to a folder",
    ]
    names = ["a.png", "b.tif", "d.png", "deep/c.png"]
    assert set(contents(out)) == {*names, *(f"noise/{name}" for name in names)} | {
        "denoise.json",
        "denoise.preview.png",
    }
    read = {name: cv2.imread(str(out / name), cv2.IMREAD_UNCHANGED) for name in names}
    for name, picture in (("a.png", small), ("b.tif", large)):
        assert read[name].dtype == picture.dtype
        assert np.abs(read[name] - expected(picture, shipped[MODEL])).max() <= 0.5 + 0.02
    assert read["deep/c.png"].shape == turned.shape
    assert np.abs(read["d.png"][..., :3] - read["a.png"][..., None].astype(int)).max() == 0
    np.testing.assert_array_equal(read["d.png"][..., 3], colours[..., 3])
    before = contents(out)
    (out / "deep" / "c.png").unlink()
    denoise_scan(source, out, model=MODEL, preview=True, save_noise=True, resume=True)
    assert contents(out) == before
    with pytest.raises(ValueError, match="expected a network of single slices.*pictures"):
        denoise_scan(source, tmp_path / "other", model="ct_unet_25d")


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize(("mode", "written"), [("1", "L"), ("P", "RGB"), ("L", "L")])
def test_few_bits_and_palettes(mode, written, suffix, grey, tmp_path):
    picture = Image.fromarray(stored(grey, np.uint8)).convert(mode)
    picture.save(tmp_path / f"a{suffix}")
    denoise_scan(tmp_path / f"a{suffix}", tmp_path / f"b{suffix}", model=MODEL, strength=0)
    with Image.open(tmp_path / f"b{suffix}") as after:
        assert after.mode == written
        np.testing.assert_array_equal(after.convert("L"), picture.convert("L"))


def test_strength_0_changes_no_pixel(grey, tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), stored(grey, np.uint16))
    denoise_scan(tmp_path / "a.png", tmp_path / "b.png", model=MODEL, strength=0)
    one, other = (cv2.imread(str(tmp_path / n), cv2.IMREAD_UNCHANGED) for n in ("a.png", "b.png"))
    np.testing.assert_array_equal(one, other)
    report = json.loads((tmp_path / "b.png.denoise.json").read_text())
    assert report["files"] == [
        {"slice": 0, "file": "b.png", "removed_grey": 0.0, "mean_shift_grey": 0.0}
    ]
