"""The recipes of the shipped networks: what is trained, on what, by which loss, for how long, and from where.

A new network is one more entry of `RECIPES`; `python -m helpers.training NAME` trains it and stores the
recipe beside the weights, from where `models.pretrained_denoiser` and the comparison take it.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace

from ..models import conv_autoencoder, denoising_unet
from .losses import negative_psnr
from .pairs import (
    SCAN_GRAIN,
    ct_patches,
    diverse_patches,
    scan_patches,
    unknown_noise,
    varied_patches,
)
from .scanner import unknown_scanner_noise

STEPS_PER_EPOCH = 400


@dataclass(frozen=True)
class Recipe:
    """One training of one network, or, with a `start`, the last of several.

    Parameters
    ----------
    label : str
        Name of the network in tables and figures.
    network : function
        Builds the untrained network.
    patches : function
        patches(patients, slices=...) -> draw(n, rng): where the clean patches come from (`pairs`).
    corrupt : function
        corrupt(clean, rng) -> noisy patches (`pairs`).
    loss : function
        loss(clean, denoised), as Keras wants it.
    batch_size, epochs : int
        Patches in a step; an epoch has `STEPS_PER_EPOCH` steps.
    peak_rate : float
        Highest learning rate, after a warm-up and before a cosine.
    start : Recipe, optional
        The training whose network this one goes on from; without it, the weights are random. A network may
        be wider than its start or see more slices; at first it answers as its start does.
    precision : str
        Keras's dtype policy while training: "mixed_bfloat16" takes less time on processors that know bfloat16.
        What is stored computes in float32.
    averaged : bool
        Keep the mean of the weights at the start and at the end; often better on new data than both.
    spares_grain : bool
        The denoiser leaves the grain of a scan (`models.spare_grain`).

    Raises
    ------
    ValueError
        If it is averaged without a start.

    References
    ----------
    Wortsman et al., "Robust fine-tuning of zero-shot models", CVPR 2022, for the mean of weights.

    Examples
    --------
    >>> RECIPES["ct_conv_autoencoder"].averaged
    True
    """

    label: str
    network: Callable
    patches: Callable
    corrupt: Callable
    loss: Callable
    batch_size: int
    epochs: int
    peak_rate: float
    start: "Recipe | None" = None
    precision: str = "float32"
    averaged: bool = False
    spares_grain: bool = False

    def __post_init__(self):
        if self.averaged and self.start is None:
            raise ValueError("averaged: expected a start, whose weights the mean is taken with")


_UNET_ON_SLICES = Recipe(
    label="U-Net",
    network=denoising_unet,
    patches=ct_patches,
    corrupt=unknown_noise,
    loss=negative_psnr,
    batch_size=8,
    epochs=120,
    peak_rate=8e-4,
    spares_grain=True,
)
_UNET_VARIED = replace(
    _UNET_ON_SLICES,
    patches=varied_patches,
    epochs=48,
    peak_rate=4e-4,
    start=_UNET_ON_SLICES,
    averaged=True,
)
_UNET_DIVERSE = replace(
    _UNET_VARIED,
    network=functools.partial(denoising_unet, (64, 128, 128)),
    patches=diverse_patches,
    loss=functools.partial(negative_psnr, floor=1e-5),
    epochs=34,
    start=_UNET_VARIED,
    precision="mixed_bfloat16",
    averaged=False,
)
_AUTOENCODER_ON_SLICES = replace(
    _UNET_ON_SLICES,
    label="conv autoencoder",
    network=conv_autoencoder,
    patches=functools.partial(ct_patches, size=40),
    spares_grain=False,
)
_UNET = replace(
    _UNET_DIVERSE,
    patches=functools.partial(diverse_patches, any_window=0.1),
    loss=negative_psnr,
    epochs=18,
    peak_rate=3e-4,
    start=_UNET_DIVERSE,
)
_UNET_FOR_SCANS = replace(
    _UNET,
    label="U-Net for scans",
    patches=functools.partial(scan_patches, size=96, grain=SCAN_GRAIN),
    corrupt=functools.partial(unknown_scanner_noise, strongest=0.14, neighbours=0.5, white=0.25),
    loss=functools.partial(negative_psnr, floor=1e-5),
    batch_size=4,
    epochs=96,
    peak_rate=4e-4,
    start=_UNET,
)
_UNET_FOR_SCANS_SLOWER = replace(_UNET_FOR_SCANS, epochs=64, peak_rate=3e-4, start=_UNET_FOR_SCANS)
_UNET_FOR_SCANS_LAST = replace(
    _UNET_FOR_SCANS_SLOWER, loss=negative_psnr, epochs=48, start=_UNET_FOR_SCANS_SLOWER
)
RECIPES = {
    "ct_unet": _UNET,
    "ct_unet_small": replace(
        _UNET_ON_SLICES,
        label="small U-Net",
        network=functools.partial(denoising_unet, (32, 48, 48)),
        patches=varied_patches,
        epochs=60,
    ),
    "ct_unet_25d": replace(
        _UNET_DIVERSE,
        label="U-Net on 5 slices",
        network=functools.partial(denoising_unet, (64, 128, 128), slices=5),
        patches=varied_patches,
        loss=negative_psnr,
        epochs=16,
        start=_UNET_DIVERSE,
    ),
    "ct_scan": _UNET_FOR_SCANS_LAST,
    "ct_scan_25d": replace(
        _UNET_FOR_SCANS_LAST,
        label="U-Net for scans on 5 slices",
        network=functools.partial(denoising_unet, (64, 128, 128), slices=5),
        epochs=32,
        start=_UNET_FOR_SCANS_LAST,
        precision="float32",
    ),
    "ct_conv_autoencoder": replace(
        _AUTOENCODER_ON_SLICES,
        patches=functools.partial(varied_patches, size=40),
        epochs=_UNET_VARIED.epochs,
        peak_rate=_UNET_VARIED.peak_rate,
        start=_AUTOENCODER_ON_SLICES,
        averaged=True,
    ),
}


def stages(recipe):
    """List the trainings that lead to a network, the first one first.

    Parameters
    ----------
    recipe : Recipe

    Returns
    -------
    list of Recipe
        The recipe itself comes last.

    Examples
    --------
    >>> [stage.epochs for stage in stages(RECIPES["ct_unet_25d"])]
    [120, 48, 34, 16]
    """
    return [*(stages(recipe.start) if recipe.start else []), recipe]


def patches_seen(recipe):
    """Count the patches that a network sees in all its trainings.

    Parameters
    ----------
    recipe : Recipe

    Returns
    -------
    int

    Examples
    --------
    >>> patches_seen(RECIPES["ct_unet"])
    704000
    """
    return sum(stage.epochs * STEPS_PER_EPOCH * stage.batch_size for stage in stages(recipe))


def describe(name, recipe):
    """Return a recipe as the JSON file beside the weights holds it: functions by name, with their arguments.

    >>> described = describe("ct_unet_small", RECIPES["ct_unet_small"])
    >>> described["label"], described["stages"][0]["network"]
    ('small U-Net', 'denoising_unet((32, 48, 48))')
    """
    of_the_whole = ("label", "start", "spares_grain")
    return {
        "name": name,
        "label": recipe.label,
        "spares_grain": recipe.spares_grain,
        "steps_per_epoch": STEPS_PER_EPOCH,
        "stages": [
            {
                key: _call(value) if callable(value) else value
                for key, value in vars(stage).items()
                if key not in of_the_whole
            }
            for stage in stages(recipe)
        ],
    }


def _call(function):
    """Write a function, or one whose arguments `functools.partial` has fixed, by its name."""
    if not isinstance(function, functools.partial):
        return function.__name__
    arguments = [repr(value) for value in function.args]
    arguments += [f"{name}={value!r}" for name, value in function.keywords.items()]
    return f"{function.func.__name__}({', '.join(arguments)})"
