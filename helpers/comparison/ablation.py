"""Which of the two ideas of notebook 3 helps, skip connections or residual learning?

`python -m helpers.comparison.ablation` trains five networks with each of three seeds, alike, and stores how
well they denoise the validation patients; it takes about a quarter of an hour on two cores.
"""

import argparse
import csv
import functools
import itertools
from pathlib import Path

import numpy as np

from .._keras import keras
from ..data import load_ct
from ..models import denoising_unet
from ..noise import add_gaussian_noise
from ..replaced import replaced
from ..training import (
    NoisyBatches,
    ct_patches,
    fit,
    negative_psnr,
    validation_psnr,
    warmup_cosine,
)
from .results import RESULTS, stored_lines

ABLATION = RESULTS.with_name("ablation.csv")
SEEDS = (0, 1, 2)
EPOCHS, STEPS, BATCH_SIZE, SIZE, PEAK, STD = 12, 100, 8, 40, 1.5e-3, 0.07  # those of notebook 3
_COMMAND = "python -m helpers.comparison.ablation"
_COLUMNS = ["network", "weights", "seed", "psnr_db"]


def autoencoder_with(*, skips, residual):
    """Build the tutorials' autoencoder with skip connections, with residual learning, with both or neither.

    Parameters
    ----------
    skips : bool
        Add the encoder's maps to the decoder's of the same size.
    residual : bool
        The last layer, without the sigmoid, is what is subtracted from the input.

    Returns
    -------
    keras.Model
        As `models.conv_autoencoder`, with as many weights.

    References
    ----------
    Ronneberger, Fischer and Brox, "U-Net", MICCAI 2015; Zhang et al., "Beyond a Gaussian denoiser", IEEE
    Trans. Image Processing 26, 2017.

    Examples
    --------
    >>> autoencoder_with(skips=True, residual=True).count_params()
    112001
    """
    layers = keras.layers
    convolution = {"filters": 64, "kernel_size": 3, "padding": "same", "activation": "relu"}
    join = layers.Add() if skips else None
    inputs = keras.Input((None, None, 1))
    fine = layers.Conv2D(**convolution)(inputs)
    middle = layers.Conv2D(**convolution)(layers.MaxPooling2D(2)(fine))
    x = layers.Conv2D(**convolution)(layers.MaxPooling2D(2, name="code")(middle))
    x = layers.UpSampling2D(2)(x)
    x = join([x, middle]) if join else x
    x = layers.Conv2D(**convolution)(x)
    x = layers.UpSampling2D(2)(x)
    x = join([x, fine]) if join else x
    last = "linear" if residual else "sigmoid"
    outputs = layers.Conv2D(1, 3, padding="same", activation=last)(x)
    if residual:
        outputs = layers.Subtract()([inputs, outputs])
    return keras.Model(inputs, outputs)


NETWORKS = {
    "autoencoder": functools.partial(autoencoder_with, skips=False, residual=False),
    "with residual learning": functools.partial(autoencoder_with, skips=False, residual=True),
    "with skip connections": functools.partial(autoencoder_with, skips=True, residual=False),
    "with both": functools.partial(autoencoder_with, skips=True, residual=True),
    "U-Net": functools.partial(denoising_unet, (32, 32, 32), (1, 1, 1)),
}


def ablate(network, seed, train):
    """Train a network as notebook 3 does, and return its PSNR.

    Parameters
    ----------
    network : function
        Builds the network.
    seed : int
        Decides the initial weights, the patches and their noise.
    train : list of arrays of shape (n, height, width, 1)
        Clean slices in [0, 1], one array per patient.

    Returns
    -------
    (int, float)
        The number of weights, and the PSNR in dB (`training.validation_psnr`).

    Examples
    --------
    >>> ablate(NETWORKS["U-Net"], 0, load_ct("train"))  # doctest: +SKIP
    """
    keras.utils.set_random_seed(seed)
    model = network()
    model.compile(keras.optimizers.Adam(warmup_cosine(PEAK, EPOCHS * STEPS)), negative_psnr)
    batches = NoisyBatches(
        ct_patches(train, SIZE),
        lambda clean, rng: add_gaussian_noise(clean, STD, rng),
        batch_size=BATCH_SIZE,
        steps=STEPS,
        seed=seed,
    )
    fit(model, batches, epochs=EPOCHS)
    return model.count_params(), validation_psnr(model, std=STD)


def read_ablation(path=ABLATION):
    """Read the stored results.

    Parameters
    ----------
    path : str or Path
        The CSV file, by default the one that the repository holds.

    Returns
    -------
    dict of str to (int, ndarray)
        For each network the number of its weights and its PSNR in dB, one for each seed.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it does not hold all networks with all seeds.

    Examples
    --------
    >>> read_ablation()["autoencoder"][0]
    112001
    """
    rows = list(csv.DictReader(stored_lines(path, _COMMAND)))
    try:
        found = [(row["network"], int(row["seed"])) for row in rows]
        if found != [(name, seed) for name in NETWORKS for seed in SEEDS]:
            raise ValueError
        scores = np.reshape([float(row["psnr_db"]) for row in rows], (len(NETWORKS), len(SEEDS)))
        weights = [int(row["weights"]) for row in rows[:: len(SEEDS)]]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{path}: expected {len(SEEDS)} seeds of each network; `{_COMMAND}` makes it anew"
        ) from error
    return dict(zip(NETWORKS, zip(weights, scores)))


def main(arguments=None):
    """Train all networks with all seeds and store the results when all are there."""
    parser = argparse.ArgumentParser(prog=_COMMAND, description=__doc__.split("\n\n")[1])
    file = "the CSV file (default helpers/results/ablation.csv)"
    parser.add_argument("--output", type=Path, default=ABLATION, help=file)
    path = parser.parse_args(arguments).output
    try:
        with replaced(path) as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(_COLUMNS)
            train = load_ct("train")
            for name, seed in itertools.product(NETWORKS, SEEDS):
                weights, score = ablate(NETWORKS[name], seed, train)
                writer.writerow([name, weights, seed, f"{score:.3f}"])
                file.flush()
    except (ValueError, OSError) as error:  # a file that cannot be written, no data
        parser.error(str(error))


if __name__ == "__main__":
    main()
