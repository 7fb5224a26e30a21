"""`python -m helpers.training NAME` rebuilds a shipped network; a stopped run goes on where it was.

Several processes train it together where the environment says so (`distributed`).
"""

import argparse
from pathlib import Path

from ..models import WEIGHTS
from .distributed import join
from .recipes import RECIPES, STEPS_PER_EPOCH
from .weights import VALIDATION_STD, build_weights


def main(arguments=None):
    """Read the command line and rebuild one shipped network."""
    parser = argparse.ArgumentParser(
        prog="python -m helpers.training", description=build_weights.__doc__.split("\n")[0]
    )
    add = parser.add_argument
    add("name", choices=RECIPES, help="which network to train")
    epochs = f"for a short try: epochs of {STEPS_PER_EPOCH} steps from random weights; default: all stages"
    add("--epochs", type=int, help=epochs)
    add("--seed", type=int, default=0, help="decides everything that is drawn (default 0)")
    folder = "folder for the weights (default helpers/weights)"
    add("--output", type=Path, default=WEIGHTS, help=folder)
    add("--checkpoints", type=Path, help="folder for the state of a stopped run")
    options = vars(parser.parse_args(arguments))
    name = options.pop("name")
    try:
        join()
        score = build_weights(name, **options)
    except (ValueError, OSError) as error:  # bad numbers, no data, a folder that cannot be written
        parser.error(str(error))
    print(f"{name}: validation PSNR {score:.2f} dB at noise std {VALIDATION_STD:g}")


if __name__ == "__main__":
    main()
