"""The shipped networks, and others of your own, read from the files that a training stores."""

import hashlib
import json
from pathlib import Path

from .._keras import keras
from .denoisers import as_denoiser, multiple_of
from .wrappers import spare_grain

WEIGHTS = Path(__file__).parents[1] / "weights"


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
    >>> import numpy as np
    >>> pretrained_denoiser()(np.zeros((1, 50, 60, 1), "float32")).shape
    (1, 50, 60, 1)
    """
    path = weights_file(name)
    model, version = pretrained_model(path), weights_digest(path)[:12]
    if path.parent != WEIGHTS and not path.with_suffix(".json").exists():
        return as_denoiser(model, path.stem, source=str(path), version=version)  # not trained here
    label, source, spares_grain = _recipe(path.with_suffix(".json"))
    denoise = as_denoiser(model, label, source=source, version=version)
    return spare_grain(denoise) if spares_grain else denoise


def pretrained_model(name="ct_unet"):
    """Load the Keras model of a denoiser, to look at it or to train it further.

    Grain is not spared: `spare_grain(as_denoiser(model))` does that as well.

    Parameters
    ----------
    name : str or Path
        As for `pretrained_denoiser`.

    Returns
    -------
    keras.Model
        From noisy images, shape (n, height, width, slices), to denoised ones, shape (n, height, width, 1). Height
        and width must be multiples of 8 for the U-Nets. Not compiled.

    Raises
    ------
    ValueError, FileNotFoundError
        As `pretrained_denoiser`.

    Examples
    --------
    >>> pretrained_model("ct_unet_25d").input_shape
    (None, None, None, 5)
    """
    path = weights_file(name)
    try:
        model = keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # a damaged file fails in zipfile, h5py, json or Keras
        raise ValueError(
            f"{path}: expected weights that Keras can load, the file is damaged"
        ) from error
    multiple_of(model, path)  # or it is no denoiser
    return model


def weights_digest(name):
    """Return the sha256 of the weights that a name or a path means; its first 12 digits are a denoiser's version.

    >>> weights_digest("ct_unet")[:12] == pretrained_denoiser("ct_unet").about.version
    True
    """
    return hashlib.sha256(weights_file(name).read_bytes()).hexdigest()


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
