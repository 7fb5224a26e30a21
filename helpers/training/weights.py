"""Train a recipe to its end, with checkpoints, and store the weights with the recipe beside them."""

import json
import shutil
import tempfile
import zipfile
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np

from .._keras import keras
from ..checks import check_whole
from ..data import cache_folder, load_ct
from ..metrics import clipped, trusted_psnr
from ..models import WEIGHTS, as_denoiser
from ..noise import add_gaussian_noise
from .distributed import agree, is_first, kept_by_first
from .loop import NoisyBatches, fit, warmup_cosine
from .recipes import RECIPES, STEPS_PER_EPOCH, describe, stages

VALIDATION_STD = 0.07  # of the noise on the validation patients, in grey levels


def validation_psnr(model, *, std=VALIDATION_STD, slices=slice(None)):
    """Measure a network on the validation patients with white Gaussian noise.

    Parameters
    ----------
    model : keras.Model
        As `models.as_denoiser` takes it.
    std : float
        Standard deviation of the noise in grey levels.
    slices : slice
        Which slices of each patient, neighbours for a network that sees several.

    Returns
    -------
    float
        Mean PSNR over slices in dB; what the network returns is cut to [0, 1] (`metrics.clipped`).

    Raises
    ------
    FileNotFoundError
        If the sample data cannot be fetched.

    Examples
    --------
    >>> from helpers.models import denoising_unet
    >>> validation_psnr(denoising_unet((4,), (1,)), slices=slice(3)) > 20  # untrained, it changes little
    True
    """
    rng, denoise, scores = np.random.default_rng(0), as_denoiser(model), []
    for patient in load_ct("validation"):
        clean = patient[slices]
        noisy = add_gaussian_noise(clean, std, rng)
        scores.extend(trusted_psnr(clean, clipped(clean, denoise(noisy))))
    return float(np.mean(scores))


class _ValidationPSNR(keras.callbacks.Callback):
    """Add the PSNR on the last slices of each validation patient to the logs."""

    def on_epoch_end(self, epoch, logs=None):
        logs["val_psnr"] = validation_psnr(self.model, slices=slice(-13, None))


def build_weights(name, *, epochs=None, seed=0, output=WEIGHTS, checkpoints=None):
    """Train a shipped network from the pinned data and save it with its recipe.

    Several processes may train it together (`distributed`); only the first one keeps what it writes.

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
        at its end. Several processes need the same folder.

    Returns
    -------
    float
        Mean PSNR on the validation slices, dB.

    Raises
    ------
    ValueError
        If the name is unknown, or `epochs` is not a whole number of at least 1; of several processes, if they
        do not train the same network, or see other checkpoints.
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
    with kept_by_first(checkpoints) as folder:
        agree(
            _checksum(folder),
            "checkpoints: expected the same network, seed and folder in all processes, got others",
        )
        return _build(name, recipe, seed, output, folder)


def _build(name, recipe, seed, output, checkpoints):
    """Train all stages, measure the network, and move it with its recipe to the output."""
    patients = load_ct("train")
    keras.utils.set_random_seed(seed)
    model = None
    for number, stage in enumerate(stages(recipe)):
        model = _train(stage, number, model, patients, seed, checkpoints)
    shipped = _network(
        replace(recipe, precision="float32")
    )  # without the optimiser, a third of the size
    shipped.set_weights(model.get_weights())
    store(shipped, checkpoints / f"{name}.keras")
    score = validation_psnr(shipped)
    if not is_first():
        return score
    settings = describe(name, recipe) | {
        "weights": model.count_params(),
        "seed": seed,
        "keras": keras.__version__,
        "backend": keras.backend.backend(),
        "validation_psnr_db": round(score, 2),
    }
    text = json.dumps(settings, indent=2) + "\n"
    (checkpoints / f"{name}.json").write_text(text, encoding="utf-8")
    for ending in (
        "json",
        "keras",
    ):  # both are ready: weights are never trusted with another recipe
        shutil.move(checkpoints / f"{name}.{ending}", output / f"{name}.{ending}")
    shutil.rmtree(checkpoints)
    return score


def store(model, path):
    """Save a network in little more than half the space, for any Keras from 3.8 on.

    Weights are rounded to the 11 significant bits of half precision, also in the model itself, which changes
    the answer of a U-Net by less than a thousandth of a grey level, and the file, a zip archive, is compressed.

    Parameters
    ----------
    model : keras.Model
        Weights must be below 65,504, the largest number of half precision.
    path : str or Path
        Ends in .keras; replaced in one step.

    Raises
    ------
    ValueError
        If a weight is not finite in half precision.

    Examples
    --------
    >>> from helpers.models import denoising_unet
    >>> store(denoising_unet((4,), (1,)), "small.keras")  # doctest: +SKIP
    """
    with np.errstate(over="ignore"):
        rounded = [weights.astype(np.float16) for weights in model.get_weights()]
    if not all(np.isfinite(weights).all() for weights in rounded):
        raise ValueError("model: expected weights that are finite in half precision")
    model.set_weights([weights.astype(np.float32) for weights in rounded])
    path = Path(path)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        plain, small = Path(folder, "plain.keras"), Path(folder, "small.keras")
        model.save(plain)
        with (
            zipfile.ZipFile(plain) as source,
            zipfile.ZipFile(small, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as target,
        ):
            for name in source.namelist():
                content = source.read(name)
                target.writestr(name, _known_to_all(content) if name == "config.json" else content)
        small.replace(path)


def _known_to_all(config):
    """Leave out what an initialiser of Keras 3.15 says with null, which 3.8 does not know."""
    newer = ("input_axes", "output_axes")

    def reduced(entries):
        return {k: v for k, v in entries.items() if not (k in newer and v is None)}

    return json.dumps(json.loads(config, object_hook=reduced))


def _train(stage, number, before, patients, seed, checkpoints):
    """Train one stage from the network of the stage before, or load what it has learned already."""
    model = _network(stage)
    learned = checkpoints / f"stage-{number}.weights.h5"
    if learned.exists():
        model.load_weights(learned)
        return model
    if before is not None:
        _grow(model, before)
    begun = model.get_weights()
    schedule = warmup_cosine(stage.peak_rate, stage.epochs * STEPS_PER_EPOCH)
    model.compile(keras.optimizers.Adam(schedule), stage.loss)
    draw = stage.patches(patients, slices=model.input_shape[-1])
    sizes = {"batch_size": stage.batch_size, "steps": STEPS_PER_EPOCH}
    batches = NoisyBatches(draw, stage.corrupt, **sizes, seed=[seed, number])
    folder = checkpoints / f"stage-{number}"
    backup = keras.callbacks.BackupAndRestore(
        folder, double_checkpoint=True, delete_checkpoint=False
    )
    fit(model, batches, epochs=stage.epochs, callbacks=[_ValidationPSNR(), backup])
    if stage.averaged:
        ends = zip(begun, model.get_weights())
        model.set_weights([(start + end) / 2 for start, end in ends])
    unfinished = checkpoints / "unfinished.weights.h5"
    model.save_weights(unfinished)
    unfinished.replace(learned)
    return model


def _checksum(folder):
    """Tell the state of a stopped run, with the name of its folder, from any other one."""
    total = zlib.crc32(folder.name.encode())
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            total = zlib.crc32(path.read_bytes(), zlib.crc32(path.name.encode(), total))
    return total


def _network(stage):
    """Build a network that computes in the precision of its training."""
    usual = keras.config.dtype_policy()
    keras.config.set_dtype_policy(stage.precision)
    try:
        return stage.network()
    finally:
        keras.config.set_dtype_policy(usual)


def _grow(model, before):
    """Let a network go on from a smaller one that has learned, so that at first it answers alike.

    What was learned stands in the middle of each kernel. The channels and slices beside it keep the weights of
    the fresh network, but none on their way into the middle.
    """
    for layer, learned in zip(model.layers, before.layers, strict=True):
        transposed = isinstance(layer, keras.layers.Conv2DTranspose)
        grown = layer.get_weights()
        for new, old in zip(grown, learned.get_weights(), strict=True):
            middle = [slice((b - s) // 2, (b + s) // 2) for s, b in zip(old.shape, new.shape)]
            outputs = 2 if transposed and new.ndim == 4 else new.ndim - 1  # the axis of the outputs
            new[(slice(None),) * outputs + (middle[outputs],)] = 0
            new[tuple(middle)] = old
        layer.set_weights(grown)
