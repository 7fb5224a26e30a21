"""npm packages of the page "Try it": pinned, checked, kept."""

import io
import tarfile

import pytest

import vendor
from helpers.data import CACHE_VARIABLE


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache folder, and a pinned package of one file in it."""
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    path = vendor.cache_folder() / "engine-1.0.0.tgz"
    with tarfile.open(path, "w:gz") as archive:
        member = tarfile.TarInfo("package/dist/engine.js")
        member.size = 5
        archive.addfile(member, io.BytesIO(b"run()"))
    digest = vendor.base64.b64encode(vendor.hashlib.sha512(path.read_bytes()).digest()).decode()
    monkeypatch.setattr(vendor, "PINS", {"engine": ("1.0.0", digest, ["dist/engine.js"])})
    return path


def test_files_are_taken_out_of_the_package_once(cache, tmp_path):
    vendor.fetch_all(tmp_path / "vendor")
    file = tmp_path / "vendor" / "engine" / "engine.js"
    assert file.read_bytes() == b"run()"
    cache.unlink()
    vendor.fetch_all(tmp_path / "vendor")  # nothing to do


def test_another_content_is_not_taken(cache, monkeypatch):
    cache.write_bytes(b"something else")
    monkeypatch.setattr(vendor.shutil, "which", lambda name: None)
    with pytest.raises(OSError, match="engine-1.0.0.tgz: install npm"):
        vendor.package("engine")


def test_what_npm_fetches_is_checked(cache, monkeypatch, tmp_path):
    cache.unlink()
    npm = tmp_path / "npm"
    npm.write_text('#!/bin/sh\necho other > "$5/engine-1.0.0.tgz"\n')
    npm.chmod(0o755)
    monkeypatch.setattr(vendor.shutil, "which", lambda name: str(npm))
    with pytest.raises(OSError, match="sha512 is another than the pinned"):
        vendor.package("engine")
    assert not cache.exists()
    npm.write_text("#!/bin/sh\necho no network >&2\nexit 1\n")
    with pytest.raises(OSError, match=r"could not be fetched \(no network\)"):
        vendor.package("engine")


def test_page_names_the_licences():
    page = (vendor.Path(vendor.__file__).parent / "try.md").read_text(encoding="utf-8")
    assert "onnxruntime-web (MIT licence)" in page and "dicom-parser (MIT licence)" in page
