"""Scans with noise, for a training without clean images: all that somebody may have of them."""

from dataclasses import dataclass

import numpy as np

from ..data import CT_PIXEL_MM, ct_sinograms, load_ct, load_ct_hu
from ..data.banks import kept
from ..data.patches import resized
from ..hounsfield import WINDOW_WIDTH, window
from ..noise import add_gaussian_noise, ct_noise, project
from .protocol import STD

SLAB, SCALE = slice(45, 85), 0.7  # neighbouring slices of the training patient, shrunk to 1.0 mm
KERNEL, PHOTONS = "hann", 40_000


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
        The scan reconstructed from its even views and from its odd ones; their mean is the scan. None where the noise
        does not come from views.
    std : float
        Strength of the noise in grey levels.
    """

    clean: list
    scan: list
    again: list
    halves: tuple | None
    std: float


def white_scans(clean, sinograms, pixel_mm, seed):
    """Add white Gaussian noise of standard deviation `protocol.STD`.

    >>> white_scans([np.full((1, 8, 8, 1), 0.5, "float32")], None, 1.0, 0).std
    0.07
    """
    rng = np.random.default_rng(seed)
    scan, again = ([add_gaussian_noise(images, STD, rng) for images in clean] for _ in range(2))
    return NoisyScans(clean, scan, again, None, STD)


def scanner_scans(clean, sinograms, pixel_mm, seed):
    """Add the noise of a scanner, drawn for even and odd views apart.

    Parameters
    ----------
    clean : list of arrays of shape (n, height, width, 1)
    sinograms : list of (sinograms, shape)
        As `data.ct_sinograms` returns them.
    pixel_mm : float
    seed : int

    Returns
    -------
    NoisyScans

    Examples
    --------
    >>> sinograms = ct_sinograms("test", first=1)
    >>> clean = [patient[:1] for patient in load_ct("test")]
    >>> scans = scanner_scans(clean, sinograms, CT_PIXEL_MM["test"], 0)
    >>> np.allclose(scans.scan[0], np.mean([half[0] for half in scans.halves], axis=0), atol=1e-6)
    True
    """
    rng = np.random.default_rng(seed)

    def from_views(first):
        noise = []
        for views, shape in sinograms:
            drawn = ct_noise(views[:, :, first::2], shape, pixel_mm, PHOTONS, rng, kernel=KERNEL)
            noise.append(drawn[..., None] / np.float32(WINDOW_WIDTH))
        return [images + n for images, n in zip(clean, noise)]

    def mean(pair):
        return [(one + other) / 2 for one, other in zip(*pair)]

    halves, others = ((from_views(0), from_views(1)) for _ in range(2))
    scan = mean(halves)
    std = float(np.concatenate([(b - a).ravel() for a, b in zip(clean, scan)]).std())
    return NoisyScans(clean, scan, mean(others), halves, std)


NOISES = {"white": white_scans, "scanner": scanner_scans}


def scans_of_training(noise, seed=0):
    """Scan the training patient's `SLAB`, shrunk to pixels of 1.0 mm.

    Parameters
    ----------
    noise : str
        A key of `NOISES`.
    seed : int

    Returns
    -------
    NoisyScans
        Projections are kept in the cache folder: half a minute the first time.

    Examples
    --------
    >>> scans_of_training("white").clean[0].shape
    (40, 358, 358, 1)
    """
    (volume,), pixel_mm = load_ct_hu("train"), CT_PIXEL_MM["train"] / SCALE
    hu = resized(volume[SLAB], SCALE)

    def one(index):
        return project(hu[index : index + 1], pixel_mm)[0][0]

    made_of = "a slab", SLAB, SCALE, pixel_mm
    sinograms = kept("projections of a slab", made_of, len(hu), one)
    clean = [window(hu)[..., None]]
    return NOISES[noise](clean, [(np.stack(sinograms), hu.shape[1:])], pixel_mm, seed)


def scans_of_test(noise, seed=1):
    """Scan the test patients.

    >>> [images.shape for images in scans_of_test("white").scan]
    [(46, 137, 136, 1), (56, 172, 178, 1)]
    """
    sinograms = ct_sinograms("test") if noise == "scanner" else None
    return NOISES[noise](load_ct("test"), sinograms, CT_PIXEL_MM["test"], seed)
