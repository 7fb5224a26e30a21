"""helpers.scans.zipped: a ZIP archive is as good as its folder."""

import tempfile
import zipfile

import pytest
from scans_of_tests import contents, image_file, write

from helpers.__main__ import main
from helpers.scans import denoise_scan
from helpers.scans.zipped import unpacked

MODEL = "ct_unet_small"


def zipped(folder, path):
    """Pack a folder."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*")):
            archive.write(file, file.relative_to(folder.parent))
    return path


def test_an_archive_gives_what_its_folder_gives(scan, tmp_path, monkeypatch):
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    path = zipped(scan, tmp_path / "scan.zip")
    denoise_scan(scan, tmp_path / "one", model=MODEL)
    denoise_scan(path, tmp_path / "two", model=MODEL)
    one, two = contents(tmp_path / "one"), contents(tmp_path / "two")
    images = {name: content for name, content in one.items() if name.endswith(".dcm")}
    assert len(images) == 7
    assert all(two[f"scan/{name}"] == content for name, content in images.items())
    assert not list((tmp_path / "temporary").iterdir())


def test_an_archive_is_resumed(scan, tmp_path):
    path = zipped(scan, tmp_path / "scan.zip")
    denoise_scan(path, tmp_path / "out", model=MODEL)
    before = contents(tmp_path / "out")
    next((tmp_path / "out").rglob("*.dcm")).unlink()
    denoise_scan(path, tmp_path / "out", model=MODEL, resume=True)
    assert contents(tmp_path / "out") == before


def test_list_and_convert(scan, tmp_path, capsys):
    write(scan / "c", [image_file(k, series="9.9") for k in range(3)])
    path = zipped(scan, tmp_path / "scan.zip")
    assert main(["list", str(path)]) == 0
    assert "9.9\n    3 slices of 24 x 40" in capsys.readouterr().out
    arguments = ["--series", "9.9", "--model", MODEL, "--quiet"]
    assert main(["denoise", str(path), str(tmp_path / "out.nii.gz"), *arguments]) == 0
    assert (tmp_path / "out.nii.gz").exists()


def test_a_broken_file_in_an_archive_is_named(scan, tmp_path, capsys):
    (scan / "x.dcm").write_text("hello")
    path = zipped(scan, tmp_path / "scan.zip")
    assert main(["denoise", str(path), str(tmp_path / "out"), "--model", MODEL]) == 1
    assert "scan.zip/scan/x.dcm: expected a complete DICOM file" in capsys.readouterr().err


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
@pytest.mark.parametrize("spoilt", [slice(40, 60), slice(60, 160)])
def test_a_spoilt_archive_is_named(method, spoilt, tmp_path):
    """Each way to compress has its own error."""
    path = tmp_path / "scan.zip"
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("a", bytes(range(256)) * 40)
    data = bytearray(path.read_bytes())
    data[spoilt] = bytes(255 - byte for byte in data[spoilt])
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"scan\.zip: expected a"), unpacked(path):
        pass
