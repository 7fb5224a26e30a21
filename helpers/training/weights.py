"""Train a recipe to its end, with checkpoints, and store the weights with the recipe beside them."""

import json
import shutil
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np

from .._keras import keras
from ..checks import check_whole
from ..data import cache_folder, load_ct
from ..metrics import psnr
from ..models import WEIGHTS, as_denoiser
from ..noise import add_gaussian_noise
from .loop import NoisyBatches, fit, warmup_cosine
from .recipes import RECIPES, STEPS_PER_EPOCH, describe, stages


class _ValidationPSNR(keras.callbacks.Callback):
    """Add the mean PSNR over all slices of the validation patients, noise 0.07, to the logs."""

    def __init__(self):
        super().__init__()
        rng = np.random.default_rng(0)
        self.clean = load_ct("validation")
        self.noisy = [add_gaussian_noise(patient, 0.07, rng) for patient in self.clean]

    def measure(self, model):
        denoise = as_denoiser(model)
        values = [psnr(a, denoise(b)) for a, b in zip(self.clean, self.noisy)]
        return float(np.concatenate(values).mean())

    def on_epoch_end(self, epoch, logs=None):
        logs["val_psnr"] = self.measure(self.model)


def build_weights(name, *, epochs=None, seed=0, output=WEIGHTS, checkpoints=None):
    """Train a shipped network from the pinned data and save it with its recipe.

    Parameters
    ----------
    name : str
        A key of `RECIPES`.
    epochs : int, optional
        For a short try: so many epochs of the recipe's last stage, from random weights. By default, all
        stages as the recipe says.
    seed : int
        Decides initial weights, patches and noise.
    output : str or Path
        Folder for NAME.keras and NAME.json, which `models.pretrained_denoiser` loads by their path.
    checkpoints : str or Path, optional
        Folder in which each run has a folder of its own, for the state after each epoch and each stage,
        from which a stopped run goes on; by default one in the cache folder. The run's folder is removed
        at its end.

    Returns
    -------
    float
        Mean PSNR on the validation slices, dB.

    Raises
    ------
    ValueError
        If the name is unknown, or `epochs` is not a whole number of at least 1.
    OSError
        If the data cannot be fetched, or a folder not be made.

    Examples
    --------
    >>> build_weights("ct_unet", output="my_weights")  # doctest: +SKIP
    """
    if name not in RECIPES:
        raise ValueError(f"name: expected one of {', '.join(RECIPES)}, got {name!r}")
    recipe = RECIPES[name]
    if epochs is not None:
        epochs = check_whole(epochs, "epochs", 1)
        recipe = replace(recipe, epochs=epochs, start=None, averaged=False)
    output = Path(output)
    output.mkdir(parents=True, exist_ok=True)  # before the hours of training, not after them
    # Another recipe, another folder: nobody shall go on from what a different one has left.
    run = f"{name}-{zlib.crc32(json.dumps(describe(name, recipe)).encode()):08x}-{seed}"
    checkpoints = Path(checkpoints or cache_folder() / "checkpoints") / run
    checkpoints.mkdir(parents=True, exist_ok=True)
    patients, validation = load_ct("train"), _ValidationPSNR()
    keras.utils.set_random_seed(seed)
    model = None
    for number, stage in enumerate(stages(recipe)):
        model = _train(stage, number, model, patients, validation, seed, checkpoints)
    score = validation.measure(model)
    shipped = recipe.network()  # without the optimiser, a third of the size
    shipped.set_weights(model.get_weights())
    shipped.save(output / f"{name}.keras")
    settings = describe(name, recipe) | {
        "weights": model.count_params(),
        "seed": seed,
        "keras": keras.__version__,
        "backend": keras.backend.backend(),
        "validation_psnr_db": round(score, 2),
    }
    text = json.dumps(settings, indent=2) + "\n"
    (output / f"{name}.json").write_text(text, encoding="utf-8")
    shutil.rmtree(checkpoints)
    return score


def _train(stage, number, before, patients, validation, seed, checkpoints):
    """Train one stage from the network of the stage before, or load what it has learned already."""
    model = stage.network()
    learned = checkpoints / f"stage-{number}.weights.h5"
    if learned.exists():
        model.load_weights(learned)
        return model
    if before is not None:
        model.set_weights(_grown(before.get_weights(), model.get_weights()))
    schedule = warmup_cosine(stage.peak_rate, stage.epochs * STEPS_PER_EPOCH)
    model.compile(keras.optimizers.Adam(schedule), stage.loss)
    draw = stage.patches(patients, slices=model.input_shape[-1])
    sizes = {"batch_size": stage.batch_size, "steps": STEPS_PER_EPOCH}
    batches = NoisyBatches(draw, stage.corrupt, **sizes, seed=[seed, number])
    folder = checkpoints / f"stage-{number}"
    backup = keras.callbacks.BackupAndRestore(
        folder, double_checkpoint=True, delete_checkpoint=False
    )
    fit(model, batches, epochs=stage.epochs, callbacks=[validation, backup])
    if stage.averaged:
        ends = zip(before.get_weights(), model.get_weights())
        model.set_weights([(start + end) / 2 for start, end in ends])
    unfinished = checkpoints / "unfinished.weights.h5"
    model.save_weights(unfinished)
    unfinished.replace(learned)
    return model


def _grown(learned, fresh):
    """Fit learned kernels into those of a network of more slices, with zeros on both sides."""
    beside = [np.subtract(b.shape, a.shape) // 2 for a, b in zip(learned, fresh)]
    return [np.pad(a, [(n, n) for n in sizes]) for a, sizes in zip(learned, beside)]
