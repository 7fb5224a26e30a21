"""Denoisers made of networks, denoisers made of denoisers, and the shipped ones."""

import contextlib
import hashlib
import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from .._keras import keras
from ..checks import check_edges, check_number, check_whole
from ..contract import About, about, checked, trusting

WEIGHTS = Path(__file__).parents[1] / "weights"
GRAIN_STD = 0.005  # 7 HU, chosen on the validation patients of `data.load_ct` (appendix A3)
GRID_SPACING = 4  # of the pixels that are hidden at a time, in `hidden_grid`
_CROSS = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], np.float32) / 4
_PIXELS_AT_ONCE = 2**18  # one 512x512 slice, or many small images, go through a network together


def as_denoiser(model, label=None, *, source="", version=""):
    """Turn a Keras model into a denoiser for images of any size.

    Parameters
    ----------
    model : keras.Model
        From (n, height, width, slices) to (n, height, width, 1). A model of fixed size accepts that
        size only; for any other, images are padded by mirroring to a multiple of 8 pixels and cut
        back. It must accept multiples of 8, as a `denoising_unet` of up to three widths does.
    label, source, version : str
        What `contract.About` is to say of it; the label is the model's name by default.

    Returns
    -------
    function
        From a noisy batch (n, height, width, 1), values near [0, 1], to a denoised one, float32. Where the
        model sees several slices, the batch holds the neighbouring slices of one patient in order, and beyond
        the first and the last one the volume is mirrored. Images go through in small portions, so that memory
        does not grow with their number. It raises ValueError for a wrong shape or type, for values that noise
        cannot explain, and for fewer slices than a model of several slices needs.

    References
    ----------
    keras.Model.predict_on_batch.

    Examples
    --------
    >>> from helpers.models import denoising_unet
    >>> denoise = as_denoiser(denoising_unet((4, 8), (1, 1)))
    >>> denoise(np.zeros((3, 21, 30, 1), "float32")).shape
    (3, 21, 30, 1)
    """
    size, slices = model.input_shape[1:3], model.input_shape[3]
    beside = slices // 2

    def denoise(noisy):
        height, width = noisy.shape[1:3]
        if len(noisy) <= beside:
            raise ValueError(
                f"noisy: expected at least {beside + 1} neighbouring slices of one patient, "
                f"got {len(noisy)}"
            )
        more = ((0, 0), (0, -height % 8), (0, -width % 8), (0, 0))
        if size == (height, width):
            more = ((0, 0),) * 4
        elif size != (None, None):
            raise ValueError(
                f"noisy: expected images of {size[0]} x {size[1]} pixels, got {height} x {width}"
            )
        at_once = max(1, _PIXELS_AT_ONCE // (height * width))
        order = np.pad(np.arange(len(noisy)), beside, "reflect")  # mirrored beyond both ends
        windows = np.lib.stride_tricks.sliding_window_view(order, slices)
        denoised = np.empty_like(noisy)
        for start in range(0, len(noisy), at_once):
            portion = noisy[windows[start : start + at_once], ..., 0]  # (n, slices, height, width)
            portion = np.pad(np.moveaxis(portion, 1, -1), more, "symmetric")
            result = np.asarray(model.predict_on_batch(portion))
            denoised[start : start + at_once] = result[:, :height, :width]
        return denoised

    known = About(label or model.name, volume=slices > 1, source=source, version=version)
    return checked(denoise, known)


def spare_grain(denoiser, std=GRAIN_STD):
    """Let a denoiser remove a little less, so that grain of the scan is not removed with the noise.

    A scan has noise of its own, its grain, which counts as clean. Where it is stronger than in the slices
    that a network has learned from, the network takes part of it for added noise. Of each image, only the
    share v / (v + std^2) of what the denoiser would remove is removed, v being the mean square of that:
    nearly all where noise is strong, and less the weaker it is. With the variance of the added noise in place
    of v this would be Wiener's factor for grain of standard deviation `std`; v is known, and a little larger.

    Parameters
    ----------
    denoiser : function
        From a noisy batch (n, height, width, 1) to a denoised one of the same shape.
    std : float
        Strength of the grain to be spared, in grey levels, at least 1e-6.

    Returns
    -------
    function
        A denoiser, too, with float32 results. It raises ValueError for a wrong shape or type, for values
        that noise cannot explain, and where the denoiser returns another shape.

    Raises
    ------
    ValueError
        If `std` is not a number of at least 1e-6.

    References
    ----------
    Wiener, Extrapolation, Interpolation, and Smoothing of Stationary Time Series, 1949; here with one
    factor for all frequencies.

    Examples
    --------
    >>> noisy = np.random.default_rng(0).normal(0.5, 0.01, (1, 64, 64, 1)).astype("float32")
    >>> flat = spare_grain(lambda images: np.full_like(images, 0.5), std=0.01)(noisy)
    >>> round(float(flat.std()), 3)  # what was removed is as strong as `std`: half of it is given back
    0.005
    """
    std, inner = check_number(std, "std", 1e-6), trusting(denoiser)

    def denoise(noisy):
        denoised = np.array(inner(noisy), np.float32)
        if denoised.shape != noisy.shape:
            raise ValueError(
                f"denoiser: expected images of shape {noisy.shape}, got {denoised.shape}"
            )
        for image, result in zip(noisy, denoised):
            removed = image - result
            variance = np.square(removed).mean()
            result[:] = image - removed * (variance / (variance + std**2))
        return denoised

    return checked(denoise, about(denoiser, "grain spared"))


def at_strength(denoiser, strength):
    """Let a denoiser remove only a share of what it would remove.

    What was removed by mistake is gone. A lower strength leaves the same share of it, and of the noise, in the image.

    Parameters
    ----------
    denoiser : function
        From a noisy batch (n, height, width, 1) to a denoised one of the same shape.
    strength : float
        From 0, which returns the noisy images, to 1, which returns the denoiser's.

    Returns
    -------
    function
        A denoiser, too. It raises ValueError for a wrong shape or type, for values that noise cannot explain, and
        where the denoiser returns another shape.

    Raises
    ------
    ValueError
        If `strength` is not a number in [0, 1].

    References
    ----------
    Scanners offer the same for iterative reconstruction, as a level or a percentage: Geyer et al., "State of
    the art: iterative CT reconstruction techniques", Radiology 276, 2015.

    Examples
    --------
    >>> half = at_strength(lambda noisy: np.zeros_like(noisy), 0.5)
    >>> half(np.ones((1, 8, 8, 1), "float32")).max().item()
    0.5
    """
    strength, inner = check_number(strength, "strength", 0, 1), trusting(denoiser)

    def denoise(noisy):
        denoised = np.asarray(inner(noisy.copy()), np.float32)  # it may write into its input
        if denoised.shape != noisy.shape:
            raise ValueError(
                f"denoiser: expected images of shape {noisy.shape}, got {denoised.shape}"
            )
        return noisy + np.float32(strength) * (denoised - noisy)

    known = about(denoiser, "your function")
    return checked(denoise, replace(known, label=f"{known.label}, strength {strength:g}"))


def self_ensemble(denoiser):
    """Let a denoiser look at each image in eight ways, turned and mirrored, and average its answers.

    A network treats an image and its mirror image a little differently. What differs is error, and the
    mean has less of it. The price is eight times the time.

    Parameters
    ----------
    denoiser : function
        From a noisy batch (n, height, width, 1) to a denoised one of the same shape; it must accept
        an image that was turned by 90 degrees.

    Returns
    -------
    function
        A denoiser, too. It raises ValueError for a wrong shape or type, and for values that noise
        cannot explain.

    References
    ----------
    Timofte, Rothe and Van Gool, "Seven ways to improve example-based single image super resolution",
    CVPR 2016.

    Examples
    --------
    >>> denoise = self_ensemble(pretrained_denoiser("ct_unet"))
    >>> denoise(np.zeros((1, 50, 60, 1), "float32")).shape
    (1, 50, 60, 1)
    """
    inner, known = trusting(denoiser), about(denoiser, "your function")

    def denoise(noisy):
        total = np.zeros_like(noisy)
        for turns in range(4):
            turned = np.ascontiguousarray(np.rot90(noisy, turns, (1, 2)))
            mirrored = np.ascontiguousarray(turned[:, :, ::-1])
            answers = inner(turned) + inner(mirrored)[:, :, ::-1]
            total += np.rot90(answers, -turns, (1, 2))
        return total / 8

    return checked(denoise, replace(known, label=f"{known.label}, 8 views"))


def hidden_grid(images, row, column, spacing):
    """Hide the pixels of a grid behind the mean of their four neighbours.

    Parameters
    ----------
    images : array of shape (n, height, width, 1), float32
    row, column : int
        The first pixel of the grid.
    spacing : int
        Distance of the pixels of the grid, at least 2, so that no neighbour is hidden.

    Returns
    -------
    ndarray of the same shape

    Examples
    --------
    >>> hidden_grid(np.eye(3, dtype="float32")[None, ..., None], 1, 1, 4)[0, 1, 1, 0]
    np.float32(0.0)
    """
    hidden, grid = images.copy(), (slice(row, None, spacing), slice(column, None, spacing))
    for image, covered in zip(images, hidden):
        covered[(*grid, 0)] = cv2.filter2D(image, -1, _CROSS)[grid]  # mirrored at the edges
    return hidden


def j_invariant(denoiser, spacing=GRID_SPACING):
    """Let a denoiser answer for each pixel without having seen it: hidden behind its neighbours' mean.

    So must be asked what has learned with `training.noise2self`: it knows what to do where a pixel is hidden, and
    may return what it sees elsewhere. It takes as many times as long as a cell of the grid has pixels.

    Parameters
    ----------
    denoiser : function
        From a noisy batch (n, height, width, 1) to a denoised one of the same shape.
    spacing : int
        Of the grid that is hidden at a time, 2 to 16.

    Returns
    -------
    function
        A denoiser, too, for images of at least 2 x 2 pixels. It raises ValueError for a wrong shape or type, and for
        values that noise cannot explain.

    Raises
    ------
    ValueError
        If `spacing` is no whole number from 2 to 16.

    References
    ----------
    Batson and Royer, "Noise2Self: blind denoising by self-supervision", ICML 2019.

    Examples
    --------
    >>> denoise = j_invariant(lambda noisy: noisy)  # returns neighbours' means
    >>> denoise(np.eye(3, dtype="float32")[None, ..., None])[0, 1, 1, 0]
    np.float32(0.0)
    """
    spacing, inner = check_whole(spacing, "spacing", 2, 16), trusting(denoiser)
    known = about(denoiser, "your function")

    def denoise(noisy):
        check_edges(noisy, 2, "noisy")  # a lone row has no neighbour but itself
        answer = np.empty_like(noisy)
        for row, column in np.ndindex(spacing, spacing):
            grid = slice(None), slice(row, None, spacing), slice(column, None, spacing)
            answer[grid] = inner(hidden_grid(noisy, row, column, spacing))[grid]
        return answer

    return checked(denoise, replace(known, label=f"{known.label}, blind"))


def shipped():
    """Name the shipped networks.

    Returns
    -------
    list of str
        For `pretrained_denoiser`, in alphabetical order.

    Examples
    --------
    >>> "ct_unet" in shipped()
    True
    """
    return sorted(path.stem for path in WEIGHTS.glob("*.keras"))


def pretrained_denoiser(name="ct_unet"):
    """Load a shipped denoiser, or one that you trained with `python -m helpers.training`.

    Nothing is fetched. The shipped networks learned from the training patient of `data.load_ct`, from sample
    pictures of scikit-image and, but for the two smaller ones, from drawings, with white Gaussian noise of unknown
    standard deviation from 0 to 0.16. "ct_scan" and "ct_scan_25d" then went on with the noise of a scanner of unknown
    dose and kernel (`noise.add_ct_noise`), up to 0.14 (196 HU), a quarter of it white. The file NAME.json beside the weights tells
    the recipe. The U-Nets spare the grain of the scans (`spare_grain`). Not for clinical use.

    Parameters
    ----------
    name : str or Path
        For white noise: "ct_unet", the U-Net of notebook 3; "ct_unet_small", quicker; "ct_unet_25d", which sees
        two neighbouring slices on each side; "ct_conv_autoencoder", the bottleneck of popular tutorials, to
        compare with. For scans: "ct_scan", and "ct_scan_25d", which sees neighbouring slices, too. Or the path of a
        file that ends in .keras.

    Returns
    -------
    function
        A denoiser: from noisy CT slices windowed to [0, 1], shape (n, height, width, 1), any height
        and width, to denoised ones; see `as_denoiser`. "ct_unet_25d" and "ct_scan_25d" need at
        least 3 slices: the neighbouring ones of one patient, in order.

    Raises
    ------
    ValueError
        If the name is unknown, the weights or their recipe are damaged, or the network is no denoiser of images; the
        message names the file.
    FileNotFoundError
        If there is no file at that path.

    Examples
    --------
    >>> pretrained_denoiser()(np.zeros((1, 50, 60, 1), "float32")).shape
    (1, 50, 60, 1)
    """
    path = weights_file(name)
    version = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
    try:
        model = keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # a damaged file fails in zipfile, h5py, json or Keras
        raise ValueError(
            f"{path}: expected weights that Keras can load, the file is damaged"
        ) from error
    _check_shapes(path, model)
    if path.parent != WEIGHTS and not path.with_suffix(".json").exists():
        return as_denoiser(model, path.stem, source=str(path), version=version)  # not trained here
    label, source, spares_grain = _recipe(path.with_suffix(".json"))
    denoise = as_denoiser(model, label, source=source, version=version)
    return spare_grain(denoise) if spares_grain else denoise


def weights_file(name):
    """Return the path of the weights that a name or a path means, or raise what `pretrained_denoiser` raises.

    >>> weights_file("ct_unet").name
    'ct_unet.keras'
    """
    path = Path(str(name))
    if path.suffix != ".keras":
        if name not in shipped():
            raise ValueError(
                f"name: expected one of {', '.join(shipped())}, or a path that ends in .keras, got {name!r}"
            )
        return WEIGHTS / f"{name}.keras"
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file; expected weights that Keras can load")
    return path


def _check_shapes(path, model):
    """Raise ValueError if a model does not make one image of an odd number of slices, of the same size."""
    given = made = None
    with contextlib.suppress(Exception):  # of several inputs, or of none that is known
        _, height, width, slices = given = model.input_shape
        given = (1, height or 64, width or 64, slices)
        made = tuple(model.compute_output_shape(given))
        if slices % 2 and made == (*given[:3], 1):
            return
    raise ValueError(
        f"{path}: expected a denoiser, from (n, height, width, slices), 1 or an odd number of neighbouring slices, "
        f"to (n, height, width, 1), got a network from {given} to {made}"
    )


def _recipe(path):
    """Read from the recipe beside the weights: label, source, and whether grain is spared."""
    try:
        recipe = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(recipe["spares_grain"], bool):
            raise ValueError
        return str(recipe["label"]), f"helpers.training {recipe['name']}", recipe["spares_grain"]
    except (OSError, ValueError, KeyError, TypeError) as error:  # JSON's errors are ValueErrors
        raise ValueError(
            f"{path}: expected the recipe that helpers.training writes, the file is damaged"
        ) from error
