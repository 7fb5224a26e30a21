"""The stored results: what each method is, and one row per noise level, slice and method."""

import contextlib
import csv
import json
import os
import platform
from dataclasses import asdict
from pathlib import Path

import numpy as np

from .._keras import keras
from ..baselines.registry import installed_version
from ..contract import About

RESULTS = Path(__file__).parents[1] / "results" / "comparison.csv"
TRANSFER = RESULTS.with_name("transfer.csv")
_COLUMNS = ["std", "method", "parameters", "patient", "slice", "psnr_db", "ssim", "milliseconds"]
_MEASURES = ("psnr", "ssim", "seconds")
_COMMAND = "python -m helpers.comparison [--images transfer]"
_PACKAGES = ("numpy", "PyWavelets", "bm4d", "keras")  # bm4d works behind BM3D, too
_METHOD = "method "  # opens the lines that hold what is known of a method


def machine():
    """Name the number of cores and the processor.

    >>> "cores of" in machine()
    True
    """
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        (model, *_) = [line.split(": ")[1] for line in lines if line.startswith("model name")]
    except (OSError, ValueError):
        model = platform.processor() or platform.machine()
    return f"{os.cpu_count()} cores of {model}"


def packages():
    """Name Python and the packages that work behind all methods, with their versions.

    >>> packages().split()[0]
    'Python'
    """
    found = {"Python": platform.python_version()}
    found |= {name: installed_version(name) for name in (*_PACKAGES, keras.backend.backend())}
    return ", ".join(f"{name} {version}" for name, version in found.items() if version)


@contextlib.contextmanager
def replaced(path):
    """Open a text file to write; it takes the place of the old one in one step, when all is written.

    >>> with replaced("new.csv") as file:  # doctest: +SKIP
    ...     file.write("std,method")
    """
    path = Path(path)
    unfinished = path.with_name(path.name + ".unfinished")
    with unfinished.open("w", newline="", encoding="utf-8") as file:
        yield file
    unfinished.replace(path)


def stored_lines(path, command):
    """Return the lines of a stored file, or raise FileNotFoundError, which says what command makes it.

    >>> stored_lines("none.csv", "python -m helpers.comparison")
    Traceback (most recent call last):
        ...
    FileNotFoundError: none.csv: no such file; `python -m helpers.comparison` makes it
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file; `{command}` makes it")
    return path.read_text(encoding="utf-8").splitlines()


def method_lines(made):
    """Return the lines of a file that say what made the rows of each method, and where.

    >>> method_lines({"median": {"about": About("median"), "machine": "2 cores", "packages": ""}})[0][:18]
    '# method median: {'
    """
    return [
        f"# {_METHOD}{name}: "
        + json.dumps(asdict(entry["about"]) | {key: entry[key] for key in ("machine", "packages")})
        + "\n"
        for name, entry in made.items()
    ]


def method_records(lines):
    """Read what `method_lines` wrote: {name: {"about": About, "machine": str, "packages": str}}.

    >>> method_records(['# method a: {"label": "A", "machine": "2 cores", "packages": ""}'])["a"]["machine"]
    '2 cores'
    """
    return {
        name.removeprefix(_METHOD): _record(**json.loads(text))
        for name, text in _settings(lines).items()
        if name.startswith(_METHOD)
    }


def _settings(lines):
    return dict(line[2:].split(": ", 1) for line in lines if line.startswith("# "))


def write_results(path, levels, *, images, seed):
    """Store results as a table; lines that start with # hold what is the same for all slices.

    Parameters
    ----------
    path : str or Path
        A CSV file, replaced in one step; its folder is made if need be.
    levels : dict of float to dict
        For each standard deviation of the noise the results, as `protocol.compare` returns them.
    images : list of str
        The names of the patients, or groups of images.
    seed : int
        What decided the noise.

    Raises
    ------
    OSError
        If the folder cannot be made, or the file not be written.

    Examples
    --------
    >>> write_results("comparison.csv", {0.07: {}}, images=["patient"], seed=0)  # doctest: +SKIP
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    made = {name: entry for results in levels.values() for name, entry in results.items()}
    with replaced(path) as file:
        file.write(f"# images: {json.dumps(images)}\n# seed: {seed}\n")
        file.writelines(method_lines(made))
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(_COLUMNS)
        for std, results in levels.items():
            for name, entry in results.items():
                patients = zip(*(entry[measure] for measure in _MEASURES))
                for patient, values in enumerate(patients):
                    for index, (psnr, ssim, seconds) in enumerate(zip(*values)):
                        numbers = f"{psnr:.4f}", f"{ssim:.5f}", f"{1000 * seconds:.3g}"
                        writer.writerow([std, name, entry["parameters"], patient, index, *numbers])


def read_results(path=RESULTS):
    """Read what `write_results` stored.

    Parameters
    ----------
    path : str or Path
        The CSV file, by default the one of the test patients that the repository holds.

    Returns
    -------
    levels : dict of float to dict
        For each standard deviation of the noise the results, as `protocol.compare` returns them.
    settings : dict
        "images": the names of the patients or groups; "seed": what decided the noise.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is of another version of this package, or rows are missing; the message names the file and the
        command that makes it anew.

    Examples
    --------
    >>> levels, settings = read_results()
    >>> levels[0.07]["ct_unet"]["about"].label, len(levels[0.07]["ct_unet"]["psnr"])
    ('U-Net', 2)
    """
    lines = stored_lines(path, _COMMAND)
    try:
        return _parsed(lines)
    except (ValueError, TypeError) as error:  # a TypeError comes from a record with other entries
        raise ValueError(f"{path}: {error}; `{_COMMAND}` makes it anew") from error


def _parsed(lines):
    known = _settings(lines)
    table = csv.reader(line for line in lines if not line.startswith("#"))
    if next(table, None) != _COLUMNS:
        raise ValueError(f"expected the columns {', '.join(_COLUMNS)}")
    if not {"images", "seed"} <= set(known):
        raise ValueError("expected the lines '# images: ...' and '# seed: ...'")
    settings = {"images": json.loads(known["images"]), "seed": int(known["seed"])}
    records = method_records(lines)
    levels = {}
    for std, name, parameters, patient, index, *numbers in table:
        if name not in records:
            raise ValueError(f"expected a line '# {_METHOD}{name}: ...'")
        empty = {"parameters": parameters, **records[name], **{m: [] for m in _MEASURES}}
        entry = levels.setdefault(float(std), {}).setdefault(name, empty)
        psnr, ssim, milliseconds = map(float, numbers)
        for measure, value in zip(_MEASURES, (psnr, ssim, milliseconds / 1000)):
            if int(patient) == len(entry[measure]):
                entry[measure].append([])
            if int(patient) != len(entry[measure]) - 1 or int(index) != len(entry[measure][-1]):
                raise ValueError(f"rows are missing before std {std}, {name}, {patient}, {index}")
            entry[measure][-1].append(value)
    sizes = {tuple(map(len, e["psnr"])) for results in levels.values() for e in results.values()}
    if len(sizes) != 1 or any(set(results) != set(records) for results in levels.values()):
        raise ValueError("rows are missing: expected all methods at all levels, on all slices")
    if len(sizes.pop()) != len(settings["images"]):
        raise ValueError(f"rows are missing: expected those of {', '.join(settings['images'])}")
    for results in levels.values():
        for entry in results.values():
            entry |= {m: list(map(np.array, entry[m])) for m in _MEASURES}
    return levels, settings


def _record(*, machine, packages, **about):
    return {"about": About(**about), "machine": machine, "packages": packages}
