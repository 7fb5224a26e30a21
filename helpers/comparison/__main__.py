"""`python -m helpers.comparison` measures every method on all test slices and stores the results.

With `--noise ct` the noise is that of a scanner instead of white noise; with `--noise overlap` its slices overlap, and
few methods are measured; `scanner.SCAN_SETS` is the table of both. With `--images transfer` those methods
that see one slice are measured on images unlike the training patient. With `--methods` some methods are measured
again, and the other rows of a file stay as they are. A run that was stopped goes on with the levels of noise that it has
not finished.
"""

import argparse
import concurrent.futures
import functools
import multiprocessing
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..checks import check_number, check_whole
from ..contract import about
from ..data import ct_sinograms, load_ct, load_transfer
from ..hounsfield import WINDOW_WIDTH
from .protocol import (
    STDS,
    all_methods,
    check_methods,
    compare,
    do_nothing,
    filters,
    measure,
    networks,
    noisy_copies,
    summarise,
)
from .results import RESULTS, TRANSFER, packages, read_results, write_results
from .scanner import SCAN_SETS, compare_scan, noise_std, scan_copies
from .tables import quality_table

_PATIENTS = ["test patient 1", "test patient 2"]


@dataclass(frozen=True)
class _Kind:
    """One kind of comparison: its file, its levels of noise, and how a level is measured."""

    output: Path
    methods: list
    levels: list
    copies: Callable  # (level, seed) -> clean, noisy, of what is measured
    compare: Callable  # (level, seed=, methods=) -> results
    images: Callable = lambda: _PATIENTS
    workers: int = 1  # levels that are measured side by side
    prepare: Callable = lambda: None  # what levels that are measured side by side should find ready
    settings: Callable = lambda levels, seed: {}  # what else is stored


@dataclass(frozen=True)
class _Images:
    """What a value of --images stands for."""

    load: Callable  # () -> {name of a patient, or of a group of images: images}
    output: Path
    methods: Callable  # () -> names of those that can be measured


_IMAGES = {
    "test": _Images(lambda: dict(zip(_PATIENTS, load_ct("test"))), RESULTS, all_methods),
    "transfer": _Images(  # no neighbours
        load_transfer, TRANSFER, functools.partial(all_methods, with_volumes=False)
    ),
}


@dataclass(frozen=True)
class _Noise:
    """What a value of --noise stands for."""

    words: str  # for --help
    kind: Callable  # (options) -> _Kind
    has: Callable  # (levels) -> bool: does a file with these levels hold results of this noise?


def _white(options):
    which = _IMAGES[options.images]

    def copies(std, seed):
        images = list(which.load().values())
        return images, noisy_copies(images, std, seed=seed)

    def one(std, *, seed, methods):
        images = list(which.load().values())
        return compare(load_ct("validation"), images, std=std, seed=seed, methods=methods)

    return _Kind(
        output=which.output,
        methods=which.methods(),
        levels=[check_number(std, "std", 1e-3, 1) for std in options.std or STDS],
        copies=copies,
        compare=one,
        images=lambda: list(which.load()),
    )


def _scanner(entry, options):
    if options.images != "test" or options.std is not None:
        raise ValueError(
            f"--noise {options.noise}: expected no --images and no --std, scans are of the test patients"
        )

    def copies(name, seed):
        return scan_copies("test", entry.scans[name], seed=seed)

    def noise_hu(name, seed):
        return round(noise_std(*copies(name, seed)) * WINDOW_WIDTH, 1)

    return _Kind(
        output=entry.path,
        methods=entry.methods(),
        levels=list(entry.scans),
        copies=copies,
        compare=compare_scan,
        workers=min(os.cpu_count() or 1, len(entry.scans)),
        prepare=lambda: [ct_sinograms(split) for split in ("validation", "test")],
        settings=lambda levels, seed: {"noise_hu": {name: noise_hu(name, seed) for name in levels}},
    )


def _noises():
    """Return what --noise can be: {its value: _Noise}."""
    white = _Noise(
        "white Gaussian noise",
        kind=_white,
        has=lambda levels: all(isinstance(std, float) for std in levels),
    )
    scans = {
        noise: _Noise(
            entry.noise,
            kind=functools.partial(_scanner, entry),
            has=lambda levels, scans=entry.scans: set(levels) == set(scans),
        )
        for noise, entry in SCAN_SETS.items()
    }
    return {"white": white, **scans}


def _parser():
    parser = argparse.ArgumentParser(
        prog="python -m helpers.comparison",
        description="Measure every method on all slices of the test patients, or on other images.",
    )
    add = parser.add_argument
    noises = _noises()
    noise = "; ".join(f"{value}: {entry.words}" for value, entry in noises.items())
    add("--noise", choices=[*noises], default="white", help=f"{noise} (default white)")
    add(
        "--images",
        choices=[*_IMAGES],
        default="test",
        help="the test patients, or images unlike the training patient (default test)",
    )
    add("--seed", type=int, help="decides the noise (default 0)")
    stds = f"standard deviations of white noise in grey levels (default {' '.join(map(str, STDS))})"
    add("--std", type=float, nargs="+", help=stds)
    add(
        "--methods",
        nargs="+",
        metavar="NAME",
        help="measure only these again; all other rows, and seed and levels, stay as in the file",
    )
    file = "the CSV file (default: in helpers/results, by the noise and the images)"
    add("--output", type=Path, help=file)
    return parser


def _measure(options):
    """Check the options, before any work, then measure and store; return the levels."""
    kind = _noises()[options.noise].kind(options)
    output = options.output or kind.output
    levels, seed, methods = kind.levels, options.seed or 0, kind.methods
    again = options.methods is not None
    if again:
        methods = check_methods(options.methods, kind.methods)
        if (options.seed, options.std) != (None, None):
            raise ValueError("--methods: expected no --seed and no --std, they stay as in the file")
        before, settings = read_results(output)
        levels, seed = list(before), settings["seed"]
        _check_noise(output, levels, options.noise)
    check_whole(seed, "seed", 0)
    _check_writable(output)
    if again:
        _check_images(output, kind, before, settings)
    kind.prepare()
    one = functools.partial(kind.compare, seed=seed, methods=methods)
    run = {"images": kind.images(), "seed": seed, "made of": [methods, packages(), _versions()]}
    unfinished = output.with_name(output.name + ".begun")
    measured = _kept(unfinished, run)
    for level, results in _each(one, [n for n in levels if n not in measured], kind.workers):
        measured[level] = results
        write_results(unfinished, measured, **run)
    measured = {level: measured[level] for level in levels}
    if again:  # read again: somebody may have measured others meanwhile
        now, settings_now = read_results(output)
        if (list(now), settings_now) != (list(before), settings):
            raise ValueError(
                f"{output}: expected it to stay as it was, another run has replaced it"
            )
        measured = {level: now[level] | measured[level] for level in now}
    else:
        settings = {"images": kind.images(), "seed": seed, **kind.settings(levels, seed)}
    write_results(output, measured, **settings)
    unfinished.unlink(missing_ok=True)
    return measured


def _each(function, values, workers):
    """Yield (value, result) for each value, from processes of their own where there are several workers."""
    if workers == 1:
        yield from ((value, function(value)) for value in values)
        return
    fresh = multiprocessing.get_context("spawn")  # TensorFlow does not survive a fork
    with concurrent.futures.ProcessPoolExecutor(workers, mp_context=fresh) as pool:
        waiting = {pool.submit(function, value): value for value in values}
        for future in concurrent.futures.as_completed(waiting):
            yield waiting[future], future.result()


def _kept(path, run):
    """Return the levels that a stopped run of the same images, methods and versions has measured."""
    try:
        levels, settings = read_results(path)
    except (FileNotFoundError, ValueError):
        return {}
    return levels if settings == run else {}


def _versions():
    """Name what filters and networks are of today."""
    found = filters() | filters(volume=True) | networks() | networks(volume=True)
    return {name: about(method).version for name, method in found.items()}


def _check_noise(path, levels, noise):
    """Rows of other noise must not mix: a file's levels tell which it is of."""
    noises = _noises()
    if noises[noise].has(levels):
        return
    others = [f"--noise {value}" for value, entry in noises.items() if entry.has(levels)]
    if others:
        raise ValueError(f"{path}: expected another noise; call it with {' or '.join(others)}")
    raise ValueError(
        f"{path}: expected what --noise {noise} measures today; measure all methods again"
    )


def _check_images(path, kind, before, settings):
    """Rows of other images must not mix: compare names, numbers, and what the noisy input scores."""
    if settings["images"] != kind.images():
        raise ValueError(
            f"{path}: expected results of {', '.join(kind.images())}, got {', '.join(settings['images'])}; "
            "which images a file is of, --images must say"
        )
    for level, results in before.items():
        today = measure({"noisy": do_nothing}, *kind.copies(level, settings["seed"]))
        pairs = list(zip(today["noisy"]["psnr"], results["noisy"]["psnr"]))
        if not all(a.shape == b.shape and np.allclose(a, b, atol=0.01) for a, b in pairs):
            raise ValueError(
                f"{path}: expected results of the same images; measure all methods again"
            )


def _check_writable(path):
    """Fail before the work, not after it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = not path.exists()
    path.open("a").close()
    if new:
        path.unlink()


def main(arguments=None):
    """Read the command line, measure everything and store it."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        levels = _measure(options)
    except (ValueError, OSError) as error:  # bad numbers, a file that cannot be written, no data
        parser.error(str(error))
    except concurrent.futures.BrokenExecutor:  # its own message names nothing
        parser.error("a process that measured a scan was stopped, perhaps for want of memory")
    for level, results in levels.items():
        print(f"noise: {level}\n")
        summary = summarise(results, "bm3d")
        times = "seconds" in summary["bm3d"]
        print(quality_table(summary, "bm3d", times=times), end="\n\n")


if __name__ == "__main__":
    main()
