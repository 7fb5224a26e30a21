"""Scans with noise, for a training without clean images: all that somebody may have of them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..data import CT_PIXEL_MM, ct_sinograms, load_ct, load_ct_hu
from ..data.banks import kept_projections, pin_of
from ..data.patches import resized
from ..hounsfield import WINDOW_WIDTH, window
from ..noise import add_gaussian_noise, ct_noise
from .protocol import STD

SLAB, SCALE = slice(45, 85), 0.7  # neighbouring slices of the training patient, shrunk to 1.0 mm
CROP = slice(79, 279)  # their middle, 200 x 200 mm, which a body of water surrounds
KERNEL = "hann"
PHOTONS = {"train": 27_000, "test": 40_000}  # so that both are equally noisy

_PIXEL_MM = {"train": CT_PIXEL_MM["train"] / SCALE, "test": CT_PIXEL_MM["test"]}


@dataclass(frozen=True)
class NoisyScans:
    """Slices of some patients, and all that somebody may have of them.

    Parameters
    ----------
    clean : list of arrays of shape (n, height, width, 1)
        Without noise.
    scan, again : lists of arrays of the same shapes
        With noise, and with other noise of the same kind.
    halves : tuple of two such lists, or None
        The scan reconstructed from its even views and from its odd ones; their mean is the scan. Only their noise is
        simulated: what half of the views lack of the anatomy is not. None where noise does not come from views.
    std : float
        Strength of the noise in grey levels.
    """

    clean: list
    scan: list
    again: list
    halves: tuple | None
    std: float


def white_scans(clean, seed):
    """Add white Gaussian noise of standard deviation `protocol.STD`.

    >>> white_scans([np.full((1, 8, 8, 1), 0.5, "float32")], 0).std
    0.07
    """
    rng = np.random.default_rng(seed)
    scan, again = ([add_gaussian_noise(images, STD, rng) for images in clean] for _ in range(2))
    return NoisyScans(clean, scan, again, None, STD)


def scanner_scans(clean, projected, split, seed):
    """Add the noise of a scanner, drawn for even and odd views apart.

    Parameters
    ----------
    clean : list of arrays of shape (n, height, width, 1)
    projected : list of (sinograms, shape)
        As `data.ct_sinograms` returns them.
    split : {"train", "test"}
        Whose photons (`PHOTONS`) and pixels.
    seed : int

    Returns
    -------
    NoisyScans

    Examples
    --------
    >>> clean = [patient[:1] for patient in load_ct("test")]
    >>> scans = scanner_scans(clean, ct_sinograms("test", first=1), "test", 0)
    >>> np.allclose(scans.scan[0], np.mean([half[0] for half in scans.halves], axis=0), atol=1e-6)
    True
    """
    rng = np.random.default_rng(seed)

    def from_views(first):
        noise = []
        for sinograms, shape in projected:
            views = sinograms[:, :, first::2]
            drawn = ct_noise(views, shape, _PIXEL_MM[split], PHOTONS[split], rng, kernel=KERNEL)
            noise.append(drawn[..., None] / np.float32(WINDOW_WIDTH))
        return [images + n for images, n in zip(clean, noise)]

    def mean(pair):
        return [(one + other) / 2 for one, other in zip(*pair)]

    halves, others = ((from_views(0), from_views(1)) for _ in range(2))
    scan = mean(halves)
    std = float(np.concatenate([(b - a).ravel() for a, b in zip(clean, scan)]).std())
    return NoisyScans(clean, scan, mean(others), halves, std)


def _training_hu():
    (volume,) = load_ct_hu("train")
    return resized(volume[SLAB], SCALE)[:, CROP, CROP]


def _white_training(seed):
    return white_scans([window(_training_hu())[..., None]], seed)


def _scanner_training(seed):
    hu, made_of = _training_hu(), (pin_of("train"), str((SLAB, SCALE, CROP)))
    projected = kept_projections("projections of a slab", made_of, hu, _PIXEL_MM["train"])
    return scanner_scans([window(hu)[..., None]], [projected], "train", seed)


@dataclass(frozen=True)
class Noise:
    """A noise that networks learn to remove without clean images.

    Parameters
    ----------
    training, test : functions
        Of a seed, return `NoisyScans` of the training patient and of the test patients.
    halves : bool
        True if its scans have halves.
    """

    training: Callable
    test: Callable
    halves: bool


NOISES = {
    "white": Noise(
        training=_white_training,
        test=lambda seed: white_scans(load_ct("test"), seed),
        halves=False,
    ),
    "scanner": Noise(
        training=_scanner_training,
        test=lambda seed: scanner_scans(load_ct("test"), ct_sinograms("test"), "test", seed),
        halves=True,
    ),
}


def _known(noise):
    """Return an entry of `NOISES`, or raise ValueError."""
    if not isinstance(noise, str) or noise not in NOISES:
        raise ValueError(f"noise: expected one of {', '.join(NOISES)}, got {noise!r}")
    return NOISES[noise]


def scans_of_training(noise, seed):
    """Scan the training patient: 40 neighbouring slices, shrunk to pixels of 1.0 mm.

    They are cropped to 200 x 200 mm and surrounded by water, as the test patients are, so that noise is as strong.

    Parameters
    ----------
    noise : str
        A key of `NOISES`.
    seed : int
        Decides the noise.

    Returns
    -------
    NoisyScans
        Projections are kept in the cache folder: half a minute the first time.

    Raises
    ------
    ValueError
        If the noise is unknown.

    Examples
    --------
    >>> scans_of_training("white", 0).clean[0].shape
    (40, 200, 200, 1)
    """
    return _known(noise).training([seed, 0])


def scans_of_test(noise, seed):
    """Scan the test patients, all slices as they are: as `scans_of_training`, with other noise for the same seed.

    An unknown noise raises ValueError.

    >>> [images.shape for images in scans_of_test("white", 0).scan]
    [(46, 137, 136, 1), (56, 172, 178, 1)]
    """
    return _known(noise).test([seed, 1])
