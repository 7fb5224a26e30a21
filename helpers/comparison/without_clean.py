"""How far does a network get that has never seen a clean image? By method, and by noise.

`python -m helpers.comparison.without_clean` trains the small U-Net by each method, with three seeds, for white noise and
for that of a scanner, and measures the test patients; it takes more than an hour on two cores. A run that was stopped
goes on where it was.
"""

import argparse
import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from skimage.restoration import calibrate_denoiser

from .._keras import keras
from ..baselines import BASELINES, grid
from ..baselines.registry import installed_version
from ..contract import about
from ..metrics import clipped, trusted_psnr
from ..models import as_denoiser, denoising_unet, j_invariant
from ..training import (
    Batches,
    clean_targets,
    fit,
    neighbor2neighbor,
    neighbor2neighbor_loss,
    neighbouring_slices,
    noise2noise,
    noise2self,
    noise2void,
    sure,
    sure_loss,
    warmup_cosine,
)
from .noisy_scans import (
    CROP,
    KERNEL,
    NOISES,
    PHOTONS,
    SCALE,
    SLAB,
    scans_of_test,
    scans_of_training,
)
from .protocol import STD, do_nothing
from .results import RESULTS, head_lines, machine, packages, store_jobs
from .seeds import COLUMNS, parsed, rows_of, seeds_table, stored_jobs

WITHOUT_CLEAN = RESULTS.with_name("without_clean.csv")
SEEDS = (0, 1, 2)
WIDTHS, EPOCHS, STEPS, BATCH_SIZE, SIZE, PEAK = (32, 48, 48), 8, 250, 8, 48, 1e-3
JIT_COMPILE = True  # by XLA: faster on CPUs, too, where Keras leaves it out
CALIBRATED = ("nl_means", "total_variation", "bilateral")  # of `baselines.BASELINES`
_COMMAND = "python -m helpers.comparison.without_clean"


@dataclass(frozen=True)
class Method:
    """One way to learn.

    Parameters
    ----------
    label : str
        Its name, as tables say it.
    pairs : function
        pairs(scans) -> what `Batches` takes.
    loss : function
        loss(scans) -> what Keras takes; where it is a callback, too, it is called as one.
    answer : function
        answer(denoiser, scans) -> list of denoised patients.
    halves : bool
        True if it needs the halves of a scan.
    """

    label: str
    pairs: Callable
    loss: Callable = lambda scans: "mse"
    answer: Callable = lambda denoise, scans: [denoise(images) for images in scans.scan]
    halves: bool = False


def _mean_of_halves(denoise, scans):
    return [(denoise(even) + denoise(odd)) / 2 for even, odd in zip(*scans.halves)]


def _blind(denoise, scans):
    return [j_invariant(denoise)(images) for images in scans.scan]


class _Rising(keras.callbacks.Callback):
    """The loss of Neighbor2Neighbor, whose second part grows from 0 to 2 as its authors let it grow."""

    def __init__(self, scans):
        super().__init__()
        self.gamma = keras.Variable(0.0, trainable=False)

    def on_epoch_begin(self, epoch, logs=None):
        self.gamma.assign(2 * epoch / max(1, self.params["epochs"] - 1))

    def __call__(self, target, denoised):
        return neighbor2neighbor_loss(target, denoised, gamma=self.gamma)


METHODS = {
    "clean": Method(
        "clean targets",
        lambda s: clean_targets([*s.scan, *s.again], [*s.clean, *s.clean], SIZE),
    ),
    "noise2noise": Method("Noise2Noise", lambda s: noise2noise(s.scan, s.again, SIZE)),
    "noise2inverse": Method(
        "Noise2Inverse",
        lambda s: noise2noise(*s.halves, SIZE),
        answer=_mean_of_halves,
        halves=True,
    ),
    "neighbours": Method("neighbouring slices", lambda s: neighbouring_slices(s.scan, SIZE)),
    "neighbor2neighbor": Method(
        "Neighbor2Neighbor", lambda s: neighbor2neighbor(s.scan, SIZE), _Rising
    ),
    "sure": Method(
        "SURE",
        lambda s: sure(s.scan, SIZE),
        lambda s: functools.partial(sure_loss, std=s.std),
    ),
    "noise2self": Method("Noise2Self", lambda s: noise2self(s.scan, SIZE), answer=_blind),
    "noise2void": Method("Noise2Void", lambda s: noise2void(s.scan, SIZE)),
}


def learn(method, scans, seed, *, epochs=EPOCHS, steps=STEPS):
    """Train the small U-Net from random weights by one method; all methods get the same number of updates.

    Parameters
    ----------
    method : Method
    scans : noisy_scans.NoisyScans
        Of the training patient.
    seed : int
        Decides the initial weights and the patches; all methods get the same.
    epochs, steps : int
        Number of epochs, and of updates in each.

    Returns
    -------
    function
        A denoiser (`models.as_denoiser`).

    Examples
    --------
    >>> import numpy as np
    >>> from helpers.comparison.noisy_scans import white_scans
    >>> scans = white_scans([np.full((2, 64, 64, 1), 0.5, "float32")], 0)
    >>> learn(METHODS["sure"], scans, 0, epochs=1, steps=2)(scans.scan[0]).shape  # doctest: +ELLIPSIS
    denoising_unet: 1 epochs, loss ...
    (2, 64, 64, 1)
    """
    keras.utils.set_random_seed(seed)
    network = denoising_unet(WIDTHS)
    loss = method.loss(scans)
    optimizer = keras.optimizers.Adam(warmup_cosine(PEAK, epochs * steps))
    network.compile(optimizer, loss, jit_compile=JIT_COMPILE)
    batches = Batches(method.pairs(scans), batch_size=BATCH_SIZE, steps=steps, seed=seed)
    callbacks = [loss] if isinstance(loss, keras.callbacks.Callback) else []
    fit(network, batches, epochs=epochs, callbacks=callbacks)
    return as_denoiser(network, method.label)


def calibrated(name, scans):
    """Denoise patients with a filter that `calibrate_denoiser` sets without clean images, on each one's middle slice.

    The grid is that of `baselines`, for half to twice the true strength of the noise. Only the parameters are taken from the calibration;
    the filter sees all pixels when it denoises.

    Parameters
    ----------
    name : str
        A key of `baselines.BASELINES`.
    scans : noisy_scans.NoisyScans

    Returns
    -------
    list of arrays of shape (n, height, width, 1)

    References
    ----------
    skimage.restoration.calibrate_denoiser, after Batson and Royer, ICML 2019. It, too, wants independent noise.

    Examples
    --------
    >>> import numpy as np
    >>> from helpers.comparison.noisy_scans import white_scans
    >>> scans = white_scans([np.full((1, 32, 32, 1), 0.5, "float32")], 0)
    >>> calibrated("bilateral", scans)[0].shape
    (1, 32, 32, 1)
    """
    filter_, grids = BASELINES[name], [grid(name, factor * scans.std) for factor in (0.5, 1, 2)]
    values = {key: sorted({value for one in grids for value in one[key]}) for key in grids[0]}
    denoised = []
    for images in scans.scan:
        best = calibrate_denoiser(
            images[len(images) // 2, ..., 0],
            lambda image, **settings: filter_(image[None, ..., None], **settings)[0, ..., 0],
            values,
            approximate_loss=False,
        ).keywords["denoiser_kwargs"]
        denoised.append(filter_(images, **best))
    return denoised


def scores(clean, denoised):
    """Return the PSNR of each slice in dB, cut to [0, 1] as everywhere: one array per patient."""
    return [trusted_psnr(a, clipped(a, b)) for a, b in zip(clean, denoised)]


def _jobs():
    """Name all that is measured: (noise, method, seed), seed -1 where nothing is trained."""
    for noise in NOISES:
        yield noise, "noisy", -1
        for name in CALIBRATED:
            yield noise, name, -1
        for seed in SEEDS:  # of the noise to learn from, of the weights and of the patches
            for name, method in METHODS.items():
                if NOISES[noise].halves or not method.halves:
                    yield noise, name, seed


def _measure(noise, name, seed, before, after):
    """Return the scores of one of `_jobs`: learned from scans of the training patient, tried on those of the test."""
    if name == "noisy":
        return scores(after.clean, after.scan)
    if name in CALIBRATED:
        return scores(after.clean, calibrated(name, after))
    method = METHODS[name]
    return scores(after.clean, method.answer(learn(method, before, seed), after))


def read_without_clean(path=WITHOUT_CLEAN):
    """Read the stored results.

    Parameters
    ----------
    path : str or Path
        The CSV file, by default the one that the repository holds.

    Returns
    -------
    dict of str to (dict of str to dict)
        For each noise and method the PSNR of the test slices in dB: {seed: [one array per patient]}, seed -1 where nothing
        was trained.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it does not hold all that the command measures.

    Examples
    --------
    >>> list(read_without_clean()["white"])[0]
    'noisy'
    """
    results = {}
    for (noise, name, seed), values in stored_jobs(path, list(_jobs()), _COMMAND).items():
        results.setdefault(noise, {}).setdefault(name, {})[seed] = values
    return results


def without_clean_table(results):
    """Write the results as a Markdown table (`seeds.seeds_table`): mean PSNR, and what it lacks to clean targets.

    Parameters
    ----------
    results : dict of str to (dict of str to dict)
        As `read_without_clean` returns it; each noise must have the method "clean".

    Returns
    -------
    str

    Raises
    ------
    KeyError
        If a noise lacks "clean", or a method is neither "noisy" nor in `CALIBRATED` or `METHODS`.
    ValueError
        If a method has several seeds, and not those of "clean".

    Examples
    --------
    >>> import numpy as np
    >>> clean = {seed: [np.array([32.0 + seed])] for seed in SEEDS}
    >>> print(without_clean_table({"white": {"noisy": {-1: [np.array([23.0])]}, "clean": clean}}))
    | method | white, dB | to clean targets, dB |
    | :--- | ---: | ---: |
    | clean targets | 33.00 (32.00 to 34.00) | |
    | noisy input | 23.00 | -10.00 (-11.00 to -9.00) |
    """
    labels = {"noisy": about(do_nothing).label}
    labels |= {name: about(BASELINES[name]).label for name in CALIBRATED}
    labels |= {name: method.label for name, method in METHODS.items()}
    return seeds_table(results, labels, "clean")


def _head():
    """The lines above the rows: what they depend on, and where they were measured."""
    numbers = WIDTHS, EPOCHS, STEPS, BATCH_SIZE, SIZE, PEAK, SEEDS
    numbers = *numbers, str((SLAB, SCALE, CROP)), KERNEL, PHOTONS, STD
    versions = {name: installed_version(name) for name in ("scikit-image", "opencv-python")}
    about = {"settings": numbers, "jit_compile": JIT_COMPILE, "machine": machine()}
    about |= {"packages": packages(), **versions}
    return head_lines(about, COLUMNS)


def main(arguments=None):
    """Train and measure whatever is missing, and store the results when all are there."""
    parser = argparse.ArgumentParser(prog=_COMMAND, description=__doc__.split("\n\n")[1])
    file = "the CSV file (default helpers/results/without_clean.csv)"
    parser.add_argument("--output", type=Path, default=WITHOUT_CLEAN, help=file)
    path = parser.parse_args(arguments).output
    scans = {}

    def measure(noise, name, seed):
        key = noise, max(seed, 0)
        if key not in scans:
            scans.clear()
            scans[key] = scans_of_training(*key), scans_of_test(noise, 0)
        try:
            return _measure(noise, name, seed, *scans[key])
        except ValueError as error:
            raise ValueError(f"{noise}, {name}, seed {seed}: {error}") from error

    try:
        store_jobs(path, _head(), list(_jobs()), parsed, rows_of, measure)
    except (ValueError, OSError) as error:  # a file that cannot be written, no data
        parser.error(str(error))


if __name__ == "__main__":
    main()
