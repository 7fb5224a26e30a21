"""The noise that networks for scans learn from: a scanner's, of many doses and kernels, and white noise."""

import functools

import numpy as np

from ..checks import check_number
from ..data.banks import ct_noise_bank
from ..noise import KERNELS, kernel_response, overlapped

MARGIN = 16  # pixels around a patch, where the filter meets the opposite edge
CUTOFFS = (0.4, 1.0)  # where kernels end, as a share of the highest frequency


def scanner_noise(bank, *, strongest=0.14, neighbours=0.5, white=0.25):
    """Return a function that spoils patches with noise as a CT scanner makes it, each with its own.

    For each patch are drawn: a place in the noise of a slice; one of the eight symmetries of the square; one of
    the `noise.KERNELS` and where it ends, 0.4 to 1; the standard deviation; and how alike the noise of neighbouring
    slices is. Slices that overlap share X-rays, so that their noise is correlated, that of slices further away
    is not. A share of the patches gets white noise instead, of neighbours as alike.

    Parameters
    ----------
    bank : list of arrays of shape (draws, height, width)
        Noise of slices with the ramp kernel, as `data.ct_noise_bank` returns it; finite, two draws or more, of more than
        32 x 32 pixels.
    strongest : float
        Highest standard deviation, in grey levels, above 0. It is drawn as `strongest` times u^2, u from 0 to 1,
        as weak noise is more common.
    neighbours : float
        Highest correlation of the noise of neighbouring slices, 0 to 0.5.
    white : float
        Share of the patches with white noise, 0 to 1.

    Returns
    -------
    function
        corrupt(clean, rng) -> noisy patches, both of shape (n, size, size, slices), for `NoisyBatches`. The patches
        must be 32 pixels smaller than the slices of the bank, and have fewer slices than it has draws.

    Raises
    ------
    ValueError
        If the bank is empty or holds something else, or a number is out of its range; by `corrupt`, if the patches
        are too large for the bank.

    References
    ----------
    As `noise.add_ct_noise`. That a kernel multiplies the spectrum of an image is the projection-slice theorem:
    Kak and Slaney, Principles of Computerized Tomographic Imaging, 1988, chapter 3.

    Examples
    --------
    >>> bank = [np.random.default_rng(0).normal(0, 1, (6, 100, 100)).astype("float32")]
    >>> corrupt = scanner_noise(bank, strongest=0.1)
    >>> corrupt(np.zeros((2, 64, 64, 1), "float32"), np.random.default_rng(0)).shape
    (2, 64, 64, 1)
    """
    shapes = [np.shape(draws) for draws in bank]
    if not shapes or any(len(shape) != 3 for shape in shapes):
        raise ValueError(f"bank: expected arrays of shape (draws, height, width), got {shapes}")
    if any(shape[0] < 2 or min(shape[1:]) <= 2 * MARGIN for shape in shapes):
        raise ValueError(
            f"bank: expected two draws or more, of more than {2 * MARGIN} x {2 * MARGIN} pixels, got {shapes}"
        )
    for number, draws in enumerate(bank):
        if not -np.inf < np.min(draws) < np.max(draws) < np.inf:  # also betrays NaN
            raise ValueError(
                f"bank: expected finite noise, got NaN, infinity or a constant in array {number}"
            )
    strongest = check_number(strongest, "strongest", 1e-6)
    neighbours = check_number(neighbours, "neighbours", 0, 0.5)
    white = check_number(white, "white", 0, 1)
    edge = min(min(shape[1:]) for shape in shapes) - 2 * MARGIN
    most = min(shape[0] for shape in shapes) - 1

    def corrupt(clean, rng):
        if max(clean.shape[1:3]) > edge or clean.shape[3] > most:
            raise ValueError(
                f"clean: expected patches of at most {edge} pixels and {most} slices for this bank, "
                f"got shape {clean.shape}"
            )
        noisy = np.array(clean, np.float32)
        for patch in noisy:
            size, _, slices = patch.shape
            if rng.random() < white:
                unit = rng.standard_normal((slices + 1, size, size), dtype=np.float32)
            else:
                unit = _coloured(bank, size, slices + 1, rng)
            rho = rng.uniform(0, neighbours)
            std = strongest * rng.random() ** 2
            patch += np.moveaxis(overlapped(unit, rho), 0, -1) * np.float32(std)
        return noisy

    return corrupt


def _coloured(bank, size, count, rng):
    """Cut noise of `count` slices out of the bank and filter it with a random kernel, to unit variance."""
    draws = bank[rng.integers(len(bank))]
    edge = size + 2 * MARGIN
    top, left = (rng.integers(length - edge, endpoint=True) for length in draws.shape[1:])
    which = rng.permutation(len(draws))[:count]
    ramp = np.rot90(draws[which, top : top + edge, left : left + edge], rng.integers(4), (1, 2))
    ramp = ramp[:, ::-1] if rng.integers(2) else ramp
    kernel, cutoff = _NAMES[rng.integers(len(_NAMES))], rng.uniform(*CUTOFFS)
    response = kernel_response(kernel, _frequency(edge), cutoff)
    smooth = np.fft.irfft2(np.fft.rfft2(ramp) * response, (edge, edge))
    smooth = smooth[:, MARGIN:-MARGIN, MARGIN:-MARGIN]
    return (smooth / smooth.std()).astype(np.float32)


_NAMES = list(KERNELS)


@functools.cache
def _frequency(edge):
    return np.hypot(np.fft.fftfreq(edge)[:, None], np.fft.rfftfreq(edge)[None])


@functools.cache
def _from_the_bank(**settings):
    """Return `scanner_noise` of the training patient's bank, which is read and checked once."""
    return scanner_noise(ct_noise_bank(), **settings)


def unknown_scanner_noise(clean, rng, **settings):
    """Add the noise of a scanner, of unknown kernel and dose, or white noise, anew for each patch.

    Parameters
    ----------
    clean : array of shape (n, size, size, slices)
        Clean patches in [0, 1].
    rng : numpy.random.Generator
        Source of randomness.
    **settings
        Those of `scanner_noise`, whose bank is that of the training patient (`data.ct_noise_bank`).

    Returns
    -------
    ndarray of the same shape, float32

    Examples
    --------
    >>> unknown_scanner_noise(np.zeros((2, 64, 64, 5), "float32"), np.random.default_rng(0)).shape  # doctest: +SKIP
    (2, 64, 64, 5)
    """
    return _from_the_bank(**settings)(clean, rng)
