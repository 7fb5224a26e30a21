"""Training with fresh noise on every step, and the recipe of the shipped weights.

`python -m helpers.training ct_unet` rebuilds a shipped network from the pinned data; a run that was
stopped goes on from its last checkpoint. `--help` lists the options.
"""

import argparse
import functools
import json
import shutil
import time
from pathlib import Path

import cv2
import keras
import numpy as np
import skimage.data

from .checks import check_images, check_whole
from .data import cache_folder, load_ct, random_patches
from .metrics import psnr
from .models import WEIGHTS, as_denoiser, conv_autoencoder, denoising_unet
from .noise import add_correlated_noise, add_gaussian_noise
from .progress import ProgressLine


class NoisyBatches(keras.utils.PyDataset):
    """Pairs of noisy and clean batches; images and noise are drawn anew on every step.

    The seed, the epoch and the step decide a batch, so a run can be repeated and resumed exactly.

    Parameters
    ----------
    draw : function
        draw(batch_size, rng) -> clean images (batch_size, height, width, slices) in [0, 1]; of several
        slices, the middle one is what a network shall find.
    corrupt : function
        corrupt(clean, rng) -> noisy images of the same shape.
    batch_size, steps : int
        Images in a batch, batches in an epoch.
    seed : int or sequence of int
        Decides everything that is drawn.

    Raises
    ------
    ValueError
        If `batch_size` or `steps` is not a whole number of at least 1.

    References
    ----------
    keras.utils.PyDataset. Vincent et al., "Extracting and composing robust features with denoising
    autoencoders", ICML 2008: corrupt each example anew whenever it is presented.

    Examples
    --------
    >>> digits = np.zeros((10, 28, 28, 1), "float32")
    >>> batches = NoisyBatches(lambda n, rng: digits[rng.integers(10, size=n)],
    ...                        lambda clean, rng: add_gaussian_noise(clean, 0.5, rng), 4, 2, seed=0)
    >>> noisy, clean = batches[0]
    >>> noisy.shape, len(batches)
    ((4, 28, 28, 1), 2)
    """

    def __init__(self, draw, corrupt, batch_size, steps, seed):
        super().__init__()
        self.draw, self.corrupt = draw, corrupt
        self.batch_size = check_whole(batch_size, "batch_size", 1)
        self.steps = check_whole(steps, "steps", 1)
        self.seed = seed
        self.epoch = 0

    def __len__(self):
        return self.steps

    def __getitem__(self, step):
        rng = np.random.default_rng([*np.atleast_1d(self.seed), self.epoch, step])
        clean = self.draw(self.batch_size, rng)
        middle = clean.shape[-1] // 2
        return self.corrupt(clean, rng), clean[..., middle : middle + 1]


class ProgressCallback(keras.callbacks.Callback):
    """Show a line that is overwritten while a model trains, then print one clean line.

    Parameters
    ----------
    epochs : int
        Number of epochs that `fit` was asked for.
    digits : int
        Significant digits of the losses in the final line; few digits agree between machines.
    """

    def __init__(self, epochs, digits=2):
        super().__init__()
        self.epochs, self.digits = epochs, digits

    def on_train_begin(self, logs=None):
        self.line = ProgressLine().__enter__()
        self.start, self.done, self.logs = time.perf_counter(), 0, {}
        self.reached = self.epochs

    def on_epoch_end(self, epoch, logs=None):
        self.done += 1
        self.reached = epoch + 1
        self.logs = logs or {}
        left = (time.perf_counter() - self.start) / self.done * (self.epochs - epoch - 1)
        left = f"{left:.0f} s left" if left < 120 else f"{left / 60:.0f} min left"
        bar = "#" * (20 * (epoch + 1) // self.epochs)
        self.line.update(
            f"[{bar:20}] epoch {epoch + 1} of {self.epochs}, {self._losses(4)}, {left}"
        )

    def on_train_end(self, logs=None):
        self.line.__exit__()
        print(f"{self.model.name}: {self.reached} epochs, {self._losses(self.digits)}")

    def _losses(self, digits):
        return ", ".join(f"{name} {value:#.{digits}g}" for name, value in self.logs.items())


class _EpochOfBatches(keras.callbacks.Callback):
    """Tell a NoisyBatches which epoch begins, also in a run that was resumed."""

    def __init__(self, batches):
        super().__init__()
        self.batches = batches

    def on_epoch_begin(self, epoch, logs=None):
        self.batches.epoch = epoch


def fit(model, batches, epochs, callbacks=(), **keywords):
    """Train a compiled model and show a compact progress line instead of one line per epoch.

    Parameters
    ----------
    model : keras.Model
        Compiled.
    batches : NoisyBatches, or (noisy, clean) pair of arrays
        Training data.
    epochs : int
        Passes over the data.
    callbacks : list of keras.callbacks.Callback
        Further callbacks.
    **keywords
        Passed on to `keras.Model.fit`, such as batch_size and validation_data.

    Returns
    -------
    keras.callbacks.History

    References
    ----------
    keras.Model.fit.

    Examples
    --------
    >>> from helpers.models import dense_autoencoder
    >>> model = dense_autoencoder(4)
    >>> model.compile("adam", "mse")
    >>> digits = np.zeros((8, 28, 28, 1), "float32")
    >>> history = fit(model, (digits, digits), epochs=2)  # doctest: +ELLIPSIS
    dense_autoencoder: 2 epochs, loss 0.2...
    """
    callbacks = [*callbacks, ProgressCallback(epochs)]
    if isinstance(batches, NoisyBatches):
        callbacks.append(_EpochOfBatches(batches))
        data = (batches,)
        keywords["shuffle"] = (
            False  # each batch is drawn anew; an order drawn by Keras would not resume
        )
    else:
        data = batches
    return model.fit(*data, epochs=epochs, callbacks=callbacks, verbose=0, **keywords)


def warmup_cosine(peak, steps, warmup_share=0.05):
    """Learning rate that rises to `peak` in a short warm-up, then falls to 0 along a cosine.

    Parameters
    ----------
    peak : float
        Highest learning rate.
    steps : int
        Steps of the whole training, at least 2.
    warmup_share : float
        Share of the steps that the rise takes.

    Returns
    -------
    keras.optimizers.schedules.CosineDecay

    Raises
    ------
    ValueError
        If `steps` is not a whole number of at least 2.

    References
    ----------
    Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts", ICLR 2017.

    Examples
    --------
    >>> schedule = warmup_cosine(0.002, 1000)
    >>> float(schedule(50)).__round__(4), float(schedule(1000)).__round__(4)
    (0.002, 0.0)
    """
    warmup = max(1, round(check_whole(steps, "steps", 2) * warmup_share))
    return keras.optimizers.schedules.CosineDecay(
        peak / warmup, decay_steps=steps - warmup, warmup_target=peak, warmup_steps=warmup
    )


def ct_patches(patients, size=64, slices=1):
    """Return a function that draws training patches at three scales.

    Patients are scanned at different pixel sizes: copies of each slice at 0.7 and 0.5 of its size
    (0.70 mm pixels become 1.0 and 1.4 mm) teach a network all of them. The air around the body is cut
    away first; nothing can be learned from it.

    Parameters
    ----------
    patients : list of arrays of shape (n, height, width, 1)
        Clean slices in [0, 1].
    size : int
        Edge of a patch in pixels.
    slices : int
        Number of neighbouring slices in a patch.

    Returns
    -------
    function
        draw(n, rng) -> patches of shape (n, size, size, slices), for `NoisyBatches`.

    Raises
    ------
    ValueError
        If an array has another shape, or a patient's body, at half its size, is smaller than a patch.

    Examples
    --------
    >>> draw = ct_patches([np.ones((2, 128, 128, 1), "float32")])
    >>> draw(3, np.random.default_rng(0)).shape
    (3, 64, 64, 1)
    """
    bodies = [_body(check_images(images, "patients")) for images in patients]
    sources = [_resized(images, scale) for scale in (1.0, 0.7, 0.5) for images in bodies]
    if any(min(images.shape[1:3]) < size for images in sources):
        raise ValueError(
            f"patients: expected bodies of at least {2 * size} pixels, "
            f"got {', '.join('{} x {}'.format(*images.shape[1:3]) for images in bodies)}"
        )
    return lambda n, rng: random_patches(sources, size, n, rng, slices)


def varied_patches(patients, size=64, slices=1):
    """As `ct_patches`, with other contrast and other grain, and everyday pictures among single slices.

    One patient is little to learn from. Contrast (0.7 to 1.3) and brightness (plus or minus 0.1) of each
    patch are changed at random, and of single slices a quarter are patches of the pictures that
    scikit-image brings along (a cat, a brick wall, a page of text), which have edges and textures of
    many more kinds. Every scan has a grain, its own smooth noise, which counts as clean here and should be
    kept; shrunk slices and pictures have less, so each patch gets some: 0 to 20 HU (0.014), blurred
    by 0.4 to 1 pixel.

    Parameters
    ----------
    patients, size, slices
        As for `ct_patches`. Of several slices, all are of patients: a picture has no neighbours.

    Returns
    -------
    function
        draw(n, rng) -> patches of shape (n, size, size, slices), for `NoisyBatches`.

    Raises
    ------
    ValueError
        As `ct_patches`; and when patches are drawn, if they are larger than a picture, 103 pixels.

    References
    ----------
    van der Walt et al., "scikit-image: image processing in Python", PeerJ 2:e453, 2014, for the pictures.

    Examples
    --------
    >>> draw = varied_patches([np.ones((2, 128, 128, 1), "float32")])
    >>> draw(8, np.random.default_rng(0)).shape
    (8, 64, 64, 1)
    """
    of_patients = ct_patches(patients, size, slices)
    pictures = _pictures() if slices == 1 else []

    def draw(n, rng):
        patches = of_patients(n, rng)
        if pictures and n >= 4:
            patches[: n // 4] = random_patches(pictures, size, n // 4, rng)
        contrast = rng.uniform(0.7, 1.3, (n, 1, 1, 1))
        brightness = rng.uniform(0.3, 0.5, (n, 1, 1, 1))
        std, blur_sigma = rng.uniform(0, 0.014, n), rng.uniform(0.4, 1.0, n)
        grain = _each_slice(
            np.zeros_like(patches), add_correlated_noise, std=std, blur_sigma=blur_sigma, rng=rng
        )
        patches = contrast * (patches - 0.4) + brightness + grain
        return patches.clip(0, 1).astype(np.float32)

    return draw


def _each_slice(patches, corrupt, **settings):
    """Spoil each slice of a patch by itself; the noise of neighbouring slices is independent."""
    slices = np.split(patches, patches.shape[-1], axis=-1)
    return np.concatenate([corrupt(one, **settings) for one in slices], axis=-1)


def _pictures():
    """The pictures in the package scikit-image, grey, at 0.6 of their size."""
    names = "astronaut brick camera cell chelsea clock coffee coins grass gravel hubble_deep_field "
    names += "immunohistochemistry moon page rocket text"
    pictures = []
    for name in names.split():
        picture = getattr(skimage.data, name)().astype(np.float32) / 255
        grey = picture if picture.ndim == 2 else picture[..., :3].mean(axis=-1)
        pictures.append(_resized(grey[None], 0.6))
    return pictures


def _body(images):
    """Cut away the rows and columns in which no slice shows anything but air and lung."""
    dense = (images[..., 0] > 0.5).any(axis=0)
    if not dense.any():
        return images
    rows, columns = (np.flatnonzero(dense.any(axis=axis)) for axis in (1, 0))
    return images[:, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _resized(images, scale):
    resized = [
        cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        for image in images
    ]
    return np.stack(resized)[..., None]


def negative_psnr(clean, denoised):
    """Loss: minus the PSNR of each image; what the comparison measures, made trainable.

    Each image counts alike, whether its noise is weak or strong. The mean squared or absolute error
    would be ruled by the noisiest images of a batch.

    Parameters
    ----------
    clean, denoised : tensors of shape (n, height, width, 1)
        Clean images in [0, 1] and what a network made of their noisy versions; any backend of Keras.

    Returns
    -------
    tensor of shape (n,)
        dB, of which Keras takes the mean; 1e-4 is added to the squared error, so that the loss is never
        below -40 and images of hardly any noise do not rule the batch.

    References
    ----------
    Chen et al., "Simple baselines for image restoration", ECCV 2022, and its code, for PSNR as a loss.

    Examples
    --------
    >>> images = np.zeros((1, 8, 8, 1), "float32")
    >>> np.asarray(negative_psnr(images, images + 0.1)).round(1)
    array([-20.], dtype=float32)
    """
    error = keras.ops.mean(keras.ops.square(denoised - clean), axis=(1, 2, 3))
    return 10 * keras.ops.log10(error + 1e-4)


# ------------------------------------------------------------------ the shipped weights


def _unknown_noise(clean, rng):
    """Gaussian noise whose standard deviation is drawn anew for each patch."""
    return _each_slice(clean, add_gaussian_noise, std=rng.uniform(0, 0.16, len(clean)), rng=rng)


def _known_noise(clean, rng):
    return add_gaussian_noise(clean, 0.07, rng)


# A round (network, patches, epochs, peak) starts from what the one before has learned, with a new warm-up
# and cosine. If the network is the same, the mean of the weights at start and end is kept. The network of
# five slices begins as that of one slice: its neighbours weigh nothing at first.
_UNET = {"corrupt": _unknown_noise, "loss": negative_psnr, "batch_size": 8}
_ROUNDS = [
    (denoising_unet, ct_patches, 120, 8e-4),
    (denoising_unet, varied_patches, 48, 4e-4),
]
RECIPES = {
    "ct_unet": {
        **_UNET,
        "rounds": _ROUNDS,
    },
    "ct_unet_small": {
        **_UNET,
        "rounds": [(functools.partial(denoising_unet, (32, 48, 48)), varied_patches, 60, 8e-4)],
    },
    "ct_unet_25d": {
        **_UNET,
        "rounds": [
            *_ROUNDS,
            (functools.partial(denoising_unet, slices=5), varied_patches, 40, 4e-4),
        ],
    },
    "ct_conv_autoencoder": {
        "corrupt": _known_noise,
        "loss": keras.losses.mean_absolute_error,
        "batch_size": 16,
        "rounds": [(conv_autoencoder, ct_patches, 5, 1e-3)],
    },
}
STEPS_PER_EPOCH = 400


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


def build_weights(name, epochs=None, seed=0, output=WEIGHTS, checkpoints=None):
    """Train a shipped network from the pinned data and save it with its recipe.

    Parameters
    ----------
    name : {"ct_unet", "ct_unet_small", "ct_unet_25d", "ct_conv_autoencoder"}
        Which network.
    epochs : int, optional
        Passes of 400 steps, by default what the recipe says. With a number there is one round only, with
        the network and the patches of the recipe's last round.
    seed : int
        Decides initial weights, patches and noise.
    output : str or Path
        Folder for NAME.keras and NAME.json.
    checkpoints : str or Path, optional
        Folder in which each run has a folder of its own, for the state after each epoch and each round, from
        which a stopped run goes on; by default one in the cache folder. The run's folder is removed at its end.

    Returns
    -------
    float
        Mean PSNR on the validation slices, dB.

    Raises
    ------
    ValueError
        If the name is unknown, or `epochs` is not a whole number of at least 1.
    FileNotFoundError
        If the data cannot be fetched.

    Examples
    --------
    >>> build_weights("ct_unet", output="my_weights")  # doctest: +SKIP
    """
    if name not in RECIPES:
        raise ValueError(f"name: expected one of {', '.join(RECIPES)}, got {name!r}")
    recipe = RECIPES[name]
    rounds = recipe["rounds"]
    if epochs is not None:
        build, patches, _, _ = rounds[-1]
        rounds = [(build, patches, check_whole(epochs, "epochs", 1), rounds[0][-1])]
    output = Path(output)
    output.mkdir(parents=True, exist_ok=True)  # before the hours of training, not after them
    parts = (f"{patches.__name__}-{count}" for _, patches, count, _ in rounds)
    run = "-".join([name, *parts, str(seed)])
    checkpoints = Path(checkpoints or cache_folder() / "checkpoints") / run
    checkpoints.mkdir(parents=True, exist_ok=True)
    patients, validation = load_ct("train"), _ValidationPSNR()
    slices = [build().input_shape[-1] for build, *_ in rounds]
    same = [False, *(a == b for a, b in zip(slices, slices[1:]))]  # as the network before
    keras.utils.set_random_seed(seed)
    model = None
    for number, (build, patches, count, peak) in enumerate(rounds):
        before, model = model, build()
        learned = checkpoints / f"round-{number}.weights.h5"
        if learned.exists():
            model.load_weights(learned)
            continue
        if before is not None:
            model.set_weights(_grown(before.get_weights(), model.get_weights()))
        schedule = warmup_cosine(peak, count * STEPS_PER_EPOCH)
        model.compile(keras.optimizers.Adam(schedule), recipe["loss"])
        batches = NoisyBatches(
            patches(patients, slices=slices[number]),
            recipe["corrupt"],
            recipe["batch_size"],
            STEPS_PER_EPOCH,
            [seed, number],
        )
        backup = keras.callbacks.BackupAndRestore(
            checkpoints / f"round-{number}", double_checkpoint=True
        )
        fit(model, batches, count, [validation, backup])
        if same[number]:
            model.set_weights(_mean(before.get_weights(), model.get_weights()))
        unfinished = checkpoints / "unfinished.weights.h5"
        model.save_weights(unfinished)
        unfinished.replace(learned)
    score = validation.measure(model)
    shipped = rounds[-1][0]()  # without the optimiser, a third of the size
    shipped.set_weights(model.get_weights())
    shipped.save(output / f"{name}.keras")
    settings = {
        "network": name,
        "weights": model.count_params(),
        "seed": seed,
        "rounds": [
            {
                "slices": seen,
                "patches": patches.__name__,
                "epochs": count,
                "peak_learning_rate": peak,
                "kept": "mean of start and end" if goes_on else "end",
            }
            for seen, goes_on, (_, patches, count, peak) in zip(slices, same, rounds)
        ],
        "steps_per_epoch": STEPS_PER_EPOCH,
        "batch_size": recipe["batch_size"],
        "patch_size": 64,
        "noise": recipe["corrupt"].__name__.strip("_"),
        "loss": recipe["loss"].__name__,
        "keras": keras.__version__,
        "backend": keras.backend.backend(),
        "validation_psnr_db": round(score, 2),
    }
    text = json.dumps(settings, indent=2) + "\n"
    (output / f"{name}.json").write_text(text, encoding="utf-8")
    shutil.rmtree(checkpoints)
    return score


def _mean(begin, end):
    """The point half-way, often better on new data than both ends (Wortsman et al., CVPR 2022)."""
    return [(a + b) / 2 for a, b in zip(begin, end)]


def _grown(learned, fresh):
    """Fit learned kernels into those of a network of more slices, with zeros on both sides."""
    beside = [np.subtract(b.shape, a.shape) // 2 for a, b in zip(learned, fresh)]
    return [np.pad(a, [(n, n) for n in sizes]) for a, sizes in zip(learned, beside)]


def main(arguments=None):
    """Read the command line and rebuild one shipped network."""
    parser = argparse.ArgumentParser(
        prog="python -m helpers.training", description=build_weights.__doc__.split("\n")[0]
    )
    parser.add_argument("name", choices=RECIPES, help="which network to train")
    parser.add_argument(
        "--epochs", type=int, help="passes of 400 steps, in one round; default: the recipe's rounds"
    )
    parser.add_argument(
        "--seed", type=int, default=0, help="decides everything that is drawn (default 0)"
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=WEIGHTS,
        help="folder for the weights (default helpers/weights)",
    )
    parser.add_argument("--checkpoints", type=Path, help="folder for the state of a stopped run")
    options = parser.parse_args(arguments)
    try:
        score = build_weights(**vars(options))
    except (ValueError, OSError) as error:  # bad numbers, no data, a folder that cannot be written
        parser.error(str(error))
    print(f"{options.name}: validation PSNR {score:.2f} dB at noise std 0.07")


if __name__ == "__main__":
    main()
