"""The stored results: what each method is, and one row per noise level, slice and method."""

import csv
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np

from ..contract import About

RESULTS = Path(__file__).parents[1] / "results" / "comparison.csv"
_COLUMNS = ["std", "method", "parameters", "patient", "slice", "psnr_db", "ssim", "milliseconds"]
_MEASURES = ("psnr", "ssim", "seconds")
_METHOD = "method "  # opens the names of those settings that hold the record of a method


def write_results(path, levels, *, settings):
    """Store results as a table; lines that start with # hold the settings and the methods' records.

    Parameters
    ----------
    path : str or Path
        A CSV file, replaced in one step; its folder is made if need be.
    levels : dict of float to dict
        For each standard deviation of the noise the results, as `protocol.compare` returns them.
    settings : dict of str to str
        How it was measured: seed, versions.

    Raises
    ------
    OSError
        If the folder cannot be made, or the file not be written.

    Examples
    --------
    >>> write_results("comparison.csv", {0.07: {}}, settings={"seed": "0"})  # doctest: +SKIP
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".unfinished")
    entries = [pair for results in levels.values() for pair in results.items()]
    records = {_METHOD + name: json.dumps(asdict(entry["about"])) for name, entry in entries}
    with unfinished.open("w", newline="", encoding="utf-8") as file:
        file.writelines(f"# {name}: {value}\n" for name, value in (settings | records).items())
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(_COLUMNS)
        for std, results in levels.items():
            for name, entry in results.items():
                patients = zip(*(entry[measure] for measure in _MEASURES))
                for patient, values in enumerate(patients):
                    for index, (psnr, ssim, seconds) in enumerate(zip(*values)):
                        numbers = f"{psnr:.4f}", f"{ssim:.5f}", f"{1000 * seconds:.3g}"
                        writer.writerow([std, name, entry["parameters"], patient, index, *numbers])
    unfinished.replace(path)


def read_results(path=RESULTS):
    """Read what `write_results` stored.

    Parameters
    ----------
    path : str or Path
        The CSV file, by default the one that the repository holds.

    Returns
    -------
    levels : dict of float to dict
        For each standard deviation of the noise the results, as `protocol.compare` returns them.
    settings : dict of str to str

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it does not hold the expected columns, or lacks the record of a method.

    Examples
    --------
    >>> levels, settings = read_results()
    >>> levels[0.07]["ct_unet"]["about"].label, len(levels[0.07]["ct_unet"]["psnr"])
    ('U-Net', 2)
    """
    path = Path(path)
    remedy = "`python -m helpers.comparison` makes it"
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file; {remedy}")
    lines = path.read_text(encoding="utf-8").splitlines()
    settings = dict(line[2:].split(": ", 1) for line in lines if line.startswith("# "))
    table = csv.reader(line for line in lines if not line.startswith("#"))
    if next(table, None) != _COLUMNS:
        raise ValueError(f"{path}: expected the columns {', '.join(_COLUMNS)}; {remedy} anew")
    records = {
        name.removeprefix(_METHOD): About(**json.loads(settings.pop(name)))
        for name in list(settings)
        if name.startswith(_METHOD)
    }
    levels = {}
    for std, name, parameters, patient, _, psnr, ssim, milliseconds in table:
        if name not in records:
            raise ValueError(f"{path}: expected a line '# {_METHOD}{name}: ...'; {remedy} anew")
        empty = {"about": records[name], "parameters": parameters, **{m: [] for m in _MEASURES}}
        entry = levels.setdefault(float(std), {}).setdefault(name, empty)
        values = float(psnr), float(ssim), float(milliseconds) / 1000
        for measure, value in zip(_MEASURES, values):
            if int(patient) == len(entry[measure]):
                entry[measure].append([])
            entry[measure][-1].append(value)
    for results in levels.values():
        for entry in results.values():
            entry |= {m: list(map(np.array, entry[m])) for m in _MEASURES}
    return levels, settings
