"""What the page "Try it" computes with, from pinned npm packages: `python docs/vendor.py` fetches it.

Every build of the site calls it, too. npm fetches each package once, its sha512 is compared with the pin, and the cache
folder of the sample data keeps it. Nothing of a package is run here, and git carries none of it.
"""

import base64
import hashlib
import os
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

from helpers.data import cache_folder

FOLDER = Path(__file__).parent / "_vendor" / "try" / "vendor"
PINS = {  # name: version, sha512 of the package as npm writes it, files that the site needs
    "onnxruntime-web": (
        "1.30.0",
        "q0y+JrrtukXSzsBWEMccVfqX25LRmosXHF+CaRJmg8pZClzcV7svNc4rKY3jL02Vb7QmRMDs1SigqR4CXAfKYQ==",
        [
            "README.md",
            "dist/ort.wasm.bundle.min.mjs",
            "dist/ort-wasm-simd-threaded.wasm",
            "dist/ort.webgpu.bundle.min.mjs",
            "dist/ort-wasm-simd-threaded.asyncify.wasm",
        ],
    ),
    "dicom-parser": (
        "1.8.21",
        "lYCweHQDsC8UFpXErPlg86Px2A8bay0HiUY+wzoG3xv5GzgqVHU3lziwSc/Gzn7VV7y2KeP072SzCviuOoU02w==",
        ["LICENSE", "dist/dicomParser.min.js"],
    ),
    "axe-core": (  # for the tests
        "4.14.1",
        "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ==",
        [],
    ),
}


def package(name):
    """Return the path of a pinned npm package, a compressed tar archive whose hash was checked.

    Raises
    ------
    OSError
        If it is not in the cache folder and cannot be fetched; the message says what to do.
    """
    version, digest, _ = PINS[name]
    path = cache_folder() / f"{name}-{version}.tgz"
    if _has_hash(path, digest):
        return path
    npm = shutil.which("npm")
    if npm is None:
        raise OSError(f"{path.name}: install npm, which fetches it, and run again")
    with tempfile.TemporaryDirectory(dir=path.parent, prefix="download-npm-") as folder:
        command = [npm, "pack", f"{name}@{version}", "--silent", "--pack-destination", folder]
        run = subprocess.run(command, capture_output=True, text=True)
        fetched = Path(folder, path.name)
        if run.returncode or not fetched.is_file():
            reason = (run.stderr.strip().splitlines() or ["npm failed"])[-1]
            raise OSError(f"{path.name}: it could not be fetched ({reason}); run again later")
        if not _has_hash(fetched, digest):
            raise OSError(f"{path.name}: refused, its sha512 is another than the pinned one")
        os.replace(fetched, path)
    return path


def _has_hash(path, digest):
    if not path.is_file():
        return False
    return base64.b64encode(hashlib.sha512(path.read_bytes()).digest()).decode() == digest


def read(name, member):
    """Return the content of one file of a pinned package."""
    with tarfile.open(package(name)) as archive:
        return archive.extractfile(f"package/{member}").read()


def fetch_all(folder=FOLDER):
    """Put the files that the site needs into its folder for them, where they are not there yet.

    Raises
    ------
    OSError
        As `package`.
    """
    for name, (version, _, members) in PINS.items():
        target = folder / name
        mark = target / f"version-{version}.txt"
        if mark.exists() or not members:
            continue
        contents = {Path(member).name: read(name, member) for member in members}
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        for file, content in contents.items():
            (target / file).write_bytes(content)
        mark.write_text(f"{name} {version}, from npm\n", encoding="utf-8")


if __name__ == "__main__":
    fetch_all()
