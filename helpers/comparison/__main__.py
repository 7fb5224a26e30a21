"""`python -m helpers.comparison` measures every method on all test slices and stores the results."""

import argparse
import importlib.metadata
import platform
from pathlib import Path

from ..checks import check_number, check_whole
from ..data import load_ct
from .protocol import STDS, compare, summarise
from .results import RESULTS, write_results
from .tables import quality_table

_ALWAYS = ["numpy", "PyWavelets", "keras", "tensorflow"]  # these work behind the others


def versions(levels):
    """Name Python and the packages behind some results, as their records name them, with their versions.

    >>> versions({}).split()[0]
    'Python'
    """
    sources = [entry["about"].source for results in levels.values() for entry in results.values()]
    found = [f"Python {platform.python_version()}"]
    for package in dict.fromkeys([*_ALWAYS, *sources]):
        try:
            found.append(f"{package} {importlib.metadata.version(package)}")
        except (importlib.metadata.PackageNotFoundError, ValueError):
            pass  # a network, or a function of somebody's own
    return ", ".join(found)


def main(arguments=None):
    """Read the command line, measure everything and store it."""
    parser = argparse.ArgumentParser(
        prog="python -m helpers.comparison",
        description="Measure every method on all slices of the test patients.",
    )
    add = parser.add_argument
    add("--seed", type=int, default=0, help="decides the noise (default 0)")
    stds = f"standard deviations of the noise in grey levels (default {' '.join(map(str, STDS))})"
    add("--std", type=float, nargs="+", default=STDS, help=stds)
    file = "the CSV file (default helpers/results/comparison.csv)"
    add("--output", type=Path, default=RESULTS, help=file)
    options = parser.parse_args(arguments)
    try:
        stds = [check_number(std, "std", 1e-3, 1) for std in options.std]
        check_whole(options.seed, "seed", 0)
        options.output.parent.mkdir(parents=True, exist_ok=True)  # before the work, not after it
        options.output.open("a").close()
        patients = load_ct("validation"), load_ct("test")
        levels = {std: compare(*patients, std=std, seed=options.seed) for std in stds}
    except (ValueError, OSError) as error:  # bad numbers, a file that cannot be written, no data
        parser.error(str(error))
    settings = {"seed": str(options.seed), "versions": versions(levels)}
    write_results(options.output, levels, settings=settings)
    for std, results in levels.items():
        print(f"noise std {std:g}\n")
        print(quality_table(summarise(results, "bm3d"), "bm3d", times=True), end="\n\n")


if __name__ == "__main__":
    main()
