"""The contract of a denoiser: a plain function, and a record of what a comparison must know of it.

A denoiser is a function from a noisy batch (n, height, width, 1) to a denoised batch of the same shape,
whether it is a filter, a network or your own. The record travels with the function, as its attribute
`about`. A function without one is accepted everywhere: it sees one slice and is not told the noise.
"""

import functools
from dataclasses import dataclass

from .checks import NOISE_MARGIN, check_images, check_whole


@dataclass(frozen=True)
class About:
    """What is known of a denoiser.

    Parameters
    ----------
    label : str
        Its name in tables and figures.
    neighbours : int or None
        How many slices it looks at on each side of the one that it denoises, at least 0: 0 if it sees one slice alone,
        None if it works on all slices of a patient at once.
    told_std : bool
        True if it is told the standard deviation of the noise; False if it is blind.
    source : str
        Where it comes from: the package on the Python package index, or the command that made it.
    version : str
        Which one: the version of the package, or the first digits of the sha256 of the weights file.

    Raises
    ------
    ValueError
        If `neighbours` is neither None nor a whole number of at least 0.

    Examples
    --------
    >>> About("median", source="opencv-python").volume
    False
    >>> About("U-Net on 5 slices", neighbours=2).volume
    True
    """

    label: str
    neighbours: int | None = 0
    told_std: bool = False
    source: str = ""
    version: str = ""

    def __post_init__(self):
        if self.neighbours is not None:
            check_whole(self.neighbours, "neighbours", 0)

    @property
    def volume(self):
        """True if one call must hold the slices of one patient, in order; False if it may hold any."""
        return self.neighbours != 0


def about(denoiser, name=""):
    """Return the record of a denoiser, also of one whose parameters `functools.partial` has fixed.

    A function that brings none is taken for one of single slices, blind, called `name`.

    >>> about(lambda noisy: noisy, "do nothing")
    About(label='do nothing', neighbours=0, told_std=False, source='', version='')
    """
    while isinstance(denoiser, functools.partial):
        denoiser = denoiser.func
    return getattr(denoiser, "about", About(name))


def checked(denoise, about):
    """Make a denoiser, with its record, of a function that trusts its input.

    It hands on float32 images, and raises ValueError for a wrong shape or type, and for values that
    noise cannot explain.

    >>> import numpy as np
    >>> darker = checked(lambda noisy: noisy - 0.1, About("darker"))
    >>> darker(np.full((1, 8, 8, 1), 0.5)).max().round(1)
    np.float32(0.4)
    """

    @functools.wraps(denoise)
    def denoiser(noisy, *arguments, **parameters):
        return denoise(check_images(noisy, "noisy", NOISE_MARGIN), *arguments, **parameters)

    denoiser.about, denoiser.trusting = about, denoise
    return denoiser


def trusting(denoiser):
    """Return the inside of a `checked` denoiser, for callers that have checked the batch themselves.

    Any other function is returned as it is.

    >>> trusting(len) is len
    True
    """
    if isinstance(denoiser, functools.partial):
        return functools.partial(trusting(denoiser.func), *denoiser.args, **denoiser.keywords)
    return getattr(denoiser, "trusting", denoiser)
