"""How well a faint spot in the lung can be detected after denoising, by all methods that see one slice.

`python -m helpers.comparison.detection` puts spots into slices of the validation patients, adds noise, denoises
whole slices, and stores the responses of two model observers; it takes about a quarter of an hour on two cores.
"""

import argparse
import csv
import functools
from pathlib import Path

import numpy as np

from ..baselines import BASELINES
from ..checks import check_like
from ..contract import about
from ..data import load_ct
from ..models import self_ensemble
from ..noise import add_correlated_noise, add_gaussian_noise, power_spectrum
from ..progress import ProgressLine
from .observer import (
    calm_lung,
    dog_channels,
    gaussian_spot,
    hotelling,
    matched_filter,
    windows,
)
from .protocol import STD, TUNING_SLICES, do_nothing, networks, noisy_copies, tune_filters
from .results import (
    RESULTS,
    machine,
    method_lines,
    method_records,
    packages,
    replaced,
    stored_lines,
)

DETECTION = RESULTS.with_name("detection.csv")
SIZE, CONTRAST, SIGMA = 31, 0.1, 1.0  # window in pixels; the spot: grey levels (140 HU), pixels
SLICES = slice(4, None, 10)  # of each validation patient
DRAWS = 6
KINDS = {
    "white": add_gaussian_noise,
    "correlated": functools.partial(add_correlated_noise, sigma=0.7),
}
OBSERVERS = ("matched filter", "Hotelling")
_COMMAND = "python -m helpers.comparison.detection"
_COLUMNS = ["noise", "method", "place", "draw"]
_COLUMNS += [f"{name}, {spot}" for name in OBSERVERS for spot in ("without", "with")]


def spotted_slices(validation, seed=0):
    """Choose places in slices of the validation patients, and put a spot into each of them.

    Parameters
    ----------
    validation : list of arrays of shape (n, height, width, 1)
        Clean slices in [0, 1], one array per patient.
    seed : int
        Decides the places.

    Returns
    -------
    list of (places, without, with_spots)
        For each slice: rows and columns of the spots, and the slice twice, of shape (height, width, 1).

    Examples
    --------
    >>> lung = [np.full((5, 60, 60, 1), 0.1, "float32")]
    >>> places, without, with_spots = spotted_slices(lung)[0]
    >>> float((with_spots - without).max().round(2)), places.shape
    (0.1, (1, 2))
    """
    rng, half, spot = np.random.default_rng(seed), SIZE // 2, gaussian_spot(SIZE, CONTRAST, SIGMA)
    found = []
    for patient in validation:
        for image in patient[SLICES]:
            with_spots, places = image.copy(), calm_lung(image, rng, size=SIZE)
            for row, column in places:
                with_spots[row - half : row + half + 1, column - half : column + half + 1, 0] += (
                    spot
                )
            if len(places):
                found.append((places, image, with_spots))
    return found


def observe(denoise, spotted, add_noise, seed=0):
    """Let a method denoise slices without and with spots, and both observers judge what it returns.

    Parameters
    ----------
    denoise : function
        A denoiser of single slices.
    spotted : list
        As `spotted_slices` returns it.
    add_noise : function
        add_noise(images, std, rng) -> noisy images.
    seed : int
        Decides the noise, which is the same without and with the spot, and for every method.

    Returns
    -------
    dict of str to ndarray of shape (2, places, draws)
        For each of `OBSERVERS` the responses without and with the spot. The observers see what the method
        returns as it is: cutting it to [0, 1] would change the noise that they know.

    Raises
    ------
    ValueError
        If there is no place for a spot, or the method returns another shape.

    Examples
    --------
    >>> lung = [np.full((200, 60, 60, 1), 0.1, "float32")]
    >>> sorted(observe(do_nothing, spotted_slices(lung), add_gaussian_noise))
    ['Hotelling', 'matched filter']
    """
    if not spotted:
        raise ValueError("spotted: expected at least one slice with a place for a spot")
    rng, cut = np.random.default_rng(seed), [[], []]
    for places, *pair in spotted:
        noise = add_noise(np.zeros((DRAWS, *pair[0].shape), np.float32), STD, rng)
        for which, image in zip(cut, pair):
            clean = np.repeat(image[None], DRAWS, axis=0)
            which.append(windows(check_like(denoise(clean + noise), clean), places, SIZE))
    absent, present = map(np.concatenate, cut)
    spot = gaussian_spot(SIZE, CONTRAST, SIGMA)
    return {
        "matched filter": matched_filter(absent, present, spot),
        "Hotelling": hotelling(absent, present, dog_channels(SIZE)),
    }


def detection_methods(validation):
    """Make all methods ready: filters tuned for white noise on the validation patients, and the networks.

    Parameters
    ----------
    validation : list of arrays of shape (n, height, width, 1)
        Clean slices in [0, 1], one array per patient.

    Returns
    -------
    dict of str to (dict of str to function)
        For each of `KINDS` the methods. In correlated noise BM3D is told the noise's spectrum instead of its
        standard deviation.

    Examples
    --------
    >>> methods = detection_methods(load_ct("validation"))  # doctest: +SKIP
    """
    pair = [[images[TUNING_SLICES] for images in p] for p in (validation, noisy_copies(validation))]
    filters, _ = tune_filters(*pair)
    methods = {"noisy": do_nothing, **filters, **networks()}
    methods["ct_unet_x8"] = self_ensemble(methods["ct_unet"])
    return {"white": methods, "correlated": {**methods, "bm3d": _bm3d_told_the_spectrum}}


def _bm3d_told_the_spectrum(noisy):
    return BASELINES["bm3d"](noisy, spectrum=_spectrum(noisy.shape[1:]))


@functools.cache
def _spectrum(shape):
    empty = np.zeros((400, *shape), np.float32)
    return power_spectrum(KINDS["correlated"](empty, STD, np.random.default_rng(0)))


def ideal_detectability(sigma=None):
    """Return d' of the ideal observer of the noisy image, which no other one can exceed.

    Parameters
    ----------
    sigma : float, optional
        Width of the blur that makes the noise correlated, in pixels; without it, the noise is white.

    Returns
    -------
    float
        The root of the spot's power divided by the noise's, summed over all frequencies.

    References
    ----------
    Barrett and Myers, Foundations of Image Science, 2004, chapter 13.

    Examples
    --------
    >>> round(ideal_detectability(), 1)
    2.5
    """
    size = 129
    spectrum = np.full((size, size), STD**2 * size**2)
    if sigma is not None:  # white noise, blurred and scaled back, on a closed surface
        squares = np.square(np.arange(size) - size // 2)
        kernel = np.exp(-(squares[:, None] + squares) / (2 * sigma**2))
        spectrum = np.square(np.abs(np.fft.fft2(kernel)))
        spectrum *= STD**2 * size**2 / spectrum.mean()
    spot = np.square(np.abs(np.fft.fft2(gaussian_spot(size, CONTRAST, SIGMA).astype(float))))
    return float(np.sqrt((spot / spectrum).sum()))


def read_detection(path=DETECTION):
    """Read the stored responses.

    Parameters
    ----------
    path : str or Path
        The CSV file, by default the one that the repository holds.

    Returns
    -------
    responses : dict of str to (dict of str to dict)
        For each of `KINDS` and each method the responses of both observers, as `observe` returns them.
    methods : dict of str to dict
        For each method "about" (`contract.About`), "machine" and "packages": what made its responses.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it holds other columns, or rows are missing.

    Examples
    --------
    >>> responses, methods = read_detection()
    >>> responses["white"]["noisy"]["matched filter"].shape[::2], methods["bm3d"]["about"].label
    ((2, 6), 'BM3D')
    """
    lines = stored_lines(path, _COMMAND)
    try:
        methods = method_records(lines)
        header, *rows = csv.reader(line for line in lines if not line.startswith("#"))
        if header != _COLUMNS:
            raise ValueError
        stored = {kind: {name: {} for name in methods} for kind in KINDS}
        for kind, name, place, draw, *numbers in rows:
            stored[kind][name][int(place), int(draw)] = [float(number) for number in numbers]
        entries = [values for kind in stored.values() for values in kind.values()]
        places = max(len(values) for values in entries) // DRAWS
        if any(list(values) != list(np.ndindex(places, DRAWS)) for values in entries) or not places:
            raise ValueError
        responses = {
            kind: {name: _by_observer(list(values.values())) for name, values in entry.items()}
            for kind, entry in stored.items()
        }
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{path}: expected other columns, or rows are missing; `{_COMMAND}` makes it anew"
        ) from error
    return responses, methods


def _by_observer(values):
    values = np.reshape(values, (-1, DRAWS, len(OBSERVERS), 2))
    return {name: np.moveaxis(values[:, :, k], -1, 0) for k, name in enumerate(OBSERVERS)}


def main(arguments=None):
    """Measure all methods in both kinds of noise and store the responses."""
    parser = argparse.ArgumentParser(prog=_COMMAND, description=__doc__.split("\n\n")[0])
    file = "the CSV file (default helpers/results/detection.csv)"
    parser.add_argument("--output", type=Path, default=DETECTION, help=file)
    path = parser.parse_args(arguments).output
    try:
        with replaced(path) as file, ProgressLine() as line:
            validation = load_ct("validation")
            spotted, kinds = spotted_slices(validation), detection_methods(validation)
            here = {"machine": machine(), "packages": packages()}
            made = {name: {"about": about(f, name), **here} for name, f in kinds["white"].items()}
            file.writelines(method_lines(made))
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(_COLUMNS)
            for kind, methods in kinds.items():
                for name, denoise in methods.items():
                    line.update(f"{kind} noise: {name}")
                    responses = np.stack(list(observe(denoise, spotted, KINDS[kind]).values()))
                    for place, draw in np.ndindex(responses.shape[2:]):
                        numbers = [f"{x:.4f}" for x in responses[:, :, place, draw].ravel()]
                        writer.writerow([kind, name, place, draw, *numbers])
    except (ValueError, OSError) as error:  # a file that cannot be written, no data
        parser.error(str(error))


if __name__ == "__main__":
    main()
