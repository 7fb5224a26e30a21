"""`python -m helpers.comparison` measures every method on all test slices and stores the results.

With `--images transfer` it measures those that see one slice on images unlike the training patient; with
`--methods` it measures some methods again and leaves the other rows of a file as they are.
"""

import argparse
from pathlib import Path

import numpy as np

from ..checks import check_number, check_whole
from ..data import load_ct, load_transfer
from .protocol import (
    STDS,
    all_methods,
    check_methods,
    compare,
    do_nothing,
    measure,
    noisy_copies,
    summarise,
)
from .results import RESULTS, TRANSFER, read_results, write_results
from .tables import quality_table


def _parser():
    parser = argparse.ArgumentParser(
        prog="python -m helpers.comparison",
        description="Measure every method on all slices of the test patients, or on other images.",
    )
    add = parser.add_argument
    add(
        "--images",
        choices=["test", "transfer"],
        default="test",
        help="the test patients, or images unlike the training patient (default test)",
    )
    add("--seed", type=int, help="decides the noise (default 0)")
    stds = f"standard deviations of the noise in grey levels (default {' '.join(map(str, STDS))})"
    add("--std", type=float, nargs="+", help=stds)
    add(
        "--methods",
        nargs="+",
        metavar="NAME",
        help="measure only these again; all other rows, and seed and levels, stay as in the file",
    )
    file = "the CSV file (default comparison.csv or transfer.csv in helpers/results)"
    add("--output", type=Path, help=file)
    return parser


def _load(which):
    if which == "transfer":
        return load_transfer()
    return dict(zip(["test patient 1", "test patient 2"], load_ct("test")))


def _measure(options, output):
    """Check the options, before any work, then measure and store; return the levels."""
    methods = all_methods(with_volumes=options.images == "test")
    stds, seed = options.std or STDS, options.seed or 0
    again = options.methods is not None
    if again:
        methods = check_methods(options.methods, methods)
        if (options.seed, options.std) != (None, None):
            raise ValueError("--methods: expected no --seed and no --std, they stay as in the file")
        levels, settings = read_results(output)
        stds, seed = list(levels), settings["seed"]
    stds = [check_number(std, "std", 1e-3, 1) for std in stds]
    check_whole(seed, "seed", 0)
    _check_writable(output)
    images = _load(options.images)
    if again:
        _check_images(output, levels, settings, images)
    validation = load_ct("validation")
    measured = {
        std: compare(validation, list(images.values()), std=std, seed=seed, methods=methods)
        for std in stds
    }
    if again:  # read again: somebody may have measured others meanwhile
        now, settings_now = read_results(output)
        if (list(now), settings_now) != (list(levels), settings):
            raise ValueError(
                f"{output}: expected it to stay as it was, another run has replaced it"
            )
        measured = {std: now[std] | measured[std] for std in now}
    write_results(output, measured, images=list(images), seed=seed)
    return measured


def _check_images(path, levels, settings, images):
    """Rows of other images must not mix: compare names, numbers, and what the noisy input scores."""
    if settings["images"] != list(images):
        raise ValueError(
            f"{path}: expected results of {', '.join(images)}, got {', '.join(settings['images'])}; "
            "which images a file is of, --images must say"
        )
    for std, results in levels.items():
        copies = noisy_copies(list(images.values()), std, seed=settings["seed"])
        today = measure({"noisy": do_nothing}, list(images.values()), copies)["noisy"]["psnr"]
        pairs = list(zip(today, results["noisy"]["psnr"]))
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
    output = options.output or (TRANSFER if options.images == "transfer" else RESULTS)
    try:
        levels = _measure(options, output)
    except (ValueError, OSError) as error:  # bad numbers, a file that cannot be written, no data
        parser.error(str(error))
    for std, results in levels.items():
        print(f"noise std {std:g}\n")
        print(quality_table(summarise(results, "bm3d"), "bm3d", times=True), end="\n\n")


if __name__ == "__main__":
    main()
