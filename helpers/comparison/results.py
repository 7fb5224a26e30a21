"""The stored results: what each method is, and one row per noise, slice and method."""

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
from ..replaced import replaced

RESULTS = Path(__file__).parents[1] / "results" / "comparison.csv"
TRANSFER = RESULTS.with_name("transfer.csv")
SCANNER = RESULTS.with_name("scanner.csv")
OVERLAP = RESULTS.with_name("overlap.csv")
_LEVELS = {
    "std": float,
    "scan": str,
}  # the first column: white noise by its strength, a scan by its name
_KEYS = ["method", "parameters", "patient", "slice"]
_MEASURES = {  # the other columns: measure, how much larger the number in the file is, its format
    "psnr_db": ("psnr", 1, ".4f"),
    "ssim": ("ssim", 1, ".5f"),
    "milliseconds": ("seconds", 1000, ".3g"),
    "error_frequency": ("error_frequency", 1, ".4f"),
}
_COMMANDS = {  # what makes each of the files
    RESULTS.name: "python -m helpers.comparison",
    TRANSFER.name: "python -m helpers.comparison --images transfer",
    SCANNER.name: "python -m helpers.comparison --noise ct",
    OVERLAP.name: "python -m helpers.comparison --noise overlap",
}
_PACKAGES = ("numpy", "PyWavelets", "bm4d", "keras")  # bm4d works behind BM3D, too
_INSTRUCTIONS = {"avx512_bf16": "AVX-512 with bfloat16", "avx512f": "AVX-512", "avx2": "AVX2"}
_METHOD = "method "  # opens the lines that hold what is known of a method


def machine():
    """Name the number of cores, the processor, and its widest instructions, on which the speed of networks hangs.

    >>> "cores of" in machine()
    True
    """
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        (model, *_) = [line.split(": ")[1] for line in lines if line.startswith("model name")]
        known = {flag for line in lines if line.startswith("flags") for flag in line.split()}
    except (OSError, ValueError):
        model, known = platform.processor() or platform.machine(), set()
    widest = [name for flag, name in _INSTRUCTIONS.items() if flag in known][:1]
    return ", ".join([f"{os.cpu_count()} cores of {model}", *widest])


def packages():
    """Name Python and the packages that work behind all methods, with their versions.

    >>> packages().split()[0]
    'Python'
    """
    found = {"Python": platform.python_version()}
    found |= {name: installed_version(name) for name in (*_PACKAGES, keras.backend.backend())}
    return ", ".join(f"{name} {version}" for name, version in found.items() if version)


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


def head_lines(about, columns):
    """Return the lines above the rows of a file: what they depend on and where they were measured, and the columns.

    >>> head_lines({"seeds": [0, 1]}, ["seed", "psnr_db"])
    ['# seeds: [0, 1]', 'seed,psnr_db']
    """
    return [*(f"# {key}: {json.dumps(value)}" for key, value in about.items()), ",".join(columns)]


def store_jobs(path, head, jobs, parsed, rows_of, measure):
    """Measure all jobs and store them, after each one; a run that was stopped goes on where it was.

    Until all are there, the rows stand beside the file, with the ending ".trained". Those below another head, and those
    of jobs that are no longer asked for, are not taken over. Rows stand in the order of the jobs.

    Parameters
    ----------
    path : Path
        The CSV file.
    head : list of str
        The lines above its rows, as of `head_lines`.
    jobs : list of tuples
        What is to be measured.
    parsed : function
        From lines, head and rows, to {job: what was measured}.
    rows_of : function
        From a job and what was measured to rows; so rounded that reading and writing them again changes nothing.
    measure : function
        From the parts of a job to what was measured.

    Raises
    ------
    OSError
        If a file cannot be written.

    Examples
    --------
    >>> store_jobs(path, head, [("white", "sure", 0)], parsed, rows_of, measure)  # doctest: +SKIP
    """
    unfinished = path.with_name(path.name + ".trained")
    lines = unfinished.read_text(encoding="utf-8").splitlines() if unfinished.exists() else []
    done = parsed(lines) if lines[: len(head)] == head else {}

    def write(path):
        rows = [row for job in jobs if job in done for row in rows_of(job, done[job])]
        with replaced(path) as file:  # whole, or not at all
            file.writelines(f"{line}\n" for line in [*head, *rows])

    for job in (job for job in jobs if job not in done):
        done[job] = measure(*job)
        write(unfinished)
    write(path)
    unfinished.unlink(missing_ok=True)


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


def write_results(path, levels, *, images, seed, **more):
    """Store results as a table; lines that start with # hold what is the same for all slices.

    Parameters
    ----------
    path : str or Path
        A CSV file, replaced in one step; its folder is made if need be.
    levels : dict of float or str to dict
        For each standard deviation of white noise, or the name of each scan, the results, as `protocol.compare`
        returns them.
    images : list of str
        The names of the patients, or groups of images.
    seed : int
        What decided the noise.
    **more
        Further settings that JSON can hold.

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
    first = next(iter(made.values()), {})
    columns = {column: known for column, known in _MEASURES.items() if known[0] in first}
    with replaced(path) as file:
        for name, setting in {"images": images, "seed": seed, **more}.items():
            file.write(f"# {name}: {json.dumps(setting)}\n")
        file.writelines(method_lines(made))
        writer = csv.writer(file, lineterminator="\n")
        kind = "scan" if isinstance(next(iter(levels), ""), str) else "std"
        writer.writerow([kind, *_KEYS, *columns])
        for level, results in levels.items():
            for name, entry in results.items():
                patients = zip(*(entry[measure] for measure, _, _ in columns.values()))
                for patient, values in enumerate(patients):
                    for index, numbers in enumerate(zip(*values)):
                        texts = [
                            f"{number * factor:{form}}"
                            for number, (_, factor, form) in zip(numbers, columns.values())
                        ]
                        writer.writerow([level, name, entry["parameters"], patient, index, *texts])


def read_results(path=RESULTS):
    """Read what `write_results` stored.

    Parameters
    ----------
    path : str or Path
        The CSV file, by default the one of the test patients in white noise that the repository holds.

    Returns
    -------
    levels : dict of float or str to dict
        For each standard deviation of white noise, or the name of each scan, the results, as `protocol.compare`
        returns them.
    settings : dict
        "images": the names of the patients or groups; "seed": what decided the noise; and what else was stored.

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
    command = _COMMANDS.get(Path(path).name, _COMMANDS[RESULTS.name])
    lines = stored_lines(path, command)
    try:
        return _parsed(lines)
    except (ValueError, TypeError) as error:  # a TypeError comes from a record with other entries
        raise ValueError(f"{path}: {error}; `{command}` makes it anew") from error


def _parsed(lines):
    known = _settings(lines)
    level, *names = next(csv.reader(line for line in lines if not line.startswith("#")), [""])
    columns = names[len(_KEYS) :]
    if level not in _LEVELS or names[: len(_KEYS)] != _KEYS or columns[:1] != ["psnr_db"]:
        raise ValueError(
            f"expected the columns std or scan, {', '.join(_KEYS)}, psnr_db, and others"
        )
    if not set(columns) <= set(_MEASURES):
        raise ValueError(f"expected as columns some of {', '.join(_MEASURES)}")
    if not {"images", "seed"} <= set(known):
        raise ValueError("expected the lines '# images: ...' and '# seed: ...'")
    records = method_records(lines)
    settings = {
        name: json.loads(text) for name, text in known.items() if not name.startswith(_METHOD)
    }
    measures = [_MEASURES[column][:2] for column in columns]
    levels = {}
    table = csv.reader(line for line in lines if not line.startswith("#"))
    next(table)
    for text, name, parameters, patient, index, *numbers in table:
        if name not in records:
            raise ValueError(f"expected a line '# {_METHOD}{name}: ...'")
        if len(numbers) != len(measures):
            raise ValueError(f"rows are broken off: {level} {text}, {name}, {patient}, {index}")
        empty = {"parameters": parameters, **records[name], **{m: [] for m, _ in measures}}
        entry = levels.setdefault(_LEVELS[level](text), {}).setdefault(name, empty)
        for (measure, factor), number in zip(measures, numbers):
            if int(patient) == len(entry[measure]):
                entry[measure].append([])
            if int(patient) != len(entry[measure]) - 1 or int(index) != len(entry[measure][-1]):
                raise ValueError(
                    f"rows are missing before {level} {text}, {name}, {patient}, {index}"
                )
            entry[measure][-1].append(float(number) / factor)
    sizes = {tuple(map(len, e["psnr"])) for results in levels.values() for e in results.values()}
    if len(sizes) != 1 or any(set(results) != set(records) for results in levels.values()):
        raise ValueError("rows are missing: expected all methods at all levels, on all slices")
    if len(sizes.pop()) != len(settings["images"]):
        raise ValueError(f"rows are missing: expected those of {', '.join(settings['images'])}")
    for results in levels.values():
        for entry in results.values():
            entry |= {m: list(map(np.array, entry[m])) for m, _ in measures}
    return levels, settings


def _record(*, machine, packages, **about):
    return {"about": About(**about), "machine": machine, "packages": packages}
