"""How well a faint spot in the lung can be detected after denoising, by all methods that see one slice.

`python -m helpers.comparison.detection` puts spots into slices of the validation patients, adds noise, denoises
whole slices, and stores the responses of two model observers; it takes about a quarter of an hour on two cores. With
`--noise ct` the noise is that of a scanner.
"""

import argparse
import csv
import functools
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..baselines import BASELINES
from ..checks import check_like
from ..contract import about
from ..data import ct_sinograms, load_ct
from ..noise import add_correlated_noise, add_gaussian_noise, power_spectrum
from ..progress import ProgressLine
from ..replaced import replaced
from .observer import calm_lung, dog_channels, gaussian_spot, hotelling, matched_filter, windows
from .protocol import STD, TUNING_SLICES, derived, do_nothing, networks, noisy_copies, tune_filters
from .results import RESULTS, machine, method_lines, method_records, packages, stored_lines
from .scanner import SCANS, noise_std, scan_copies, scan_draws, scan_spectra, told

DETECTION = RESULTS.with_name("detection.csv")
SCANNER_DETECTION = RESULTS.with_name("scanner_detection.csv")
SIZE, CONTRAST, SIGMA = 31, 0.1, 1.0  # window in pixels; the spot: grey levels (140 HU), pixels
SCAN_CONTRAST = 0.05  # 70 HU: a scanner's noise has little power at low frequencies
# What the matched filter looks for, whatever the contrast. Responses grow with its height, d' and what is left of a
# spot, as a share, do not.
TEMPLATE = gaussian_spot(SIZE, CONTRAST, SIGMA)
DETECTION_SCANS = [name for name, scan in SCANS.items() if scan.photons == 80_000]
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


def spotted_slices(validation, *, contrast=CONTRAST):
    """Choose places in slices of the validation patients, and put a spot into each of them.

    Parameters
    ----------
    validation : list of arrays of shape (n, height, width, 1)
        Clean slices in [0, 1], one array per patient.
    contrast : float
        Of the spots, in grey levels.

    Returns
    -------
    list of (where, places, without, with_spots)
        For each slice: the numbers of the patient and of the slice, rows and columns of the spots, and the slice
        twice, of shape (height, width, 1).

    Examples
    --------
    >>> lung = [np.full((5, 60, 60, 1), 0.1, "float32")]
    >>> where, places, without, with_spots = spotted_slices(lung)[0]
    >>> where, float((with_spots - without).max().round(2)), places.shape
    ((0, 4), 0.1, (1, 2))
    """
    rng, half, spot = np.random.default_rng(0), SIZE // 2, gaussian_spot(SIZE, contrast, SIGMA)
    found = []
    for number, patient in enumerate(validation):
        for index in range(len(patient))[SLICES]:
            with_spots = patient[index].copy()
            places = calm_lung(patient[index], rng, size=SIZE)
            for row, column in places:
                with_spots[row - half : row + half + 1, column - half : column + half + 1, 0] += (
                    spot
                )
            if len(places):
                found.append(((number, index), places, patient[index], with_spots))
    return found


def spotted_noise(spotted, add_noise):
    """Draw noise for each slice of `spotted_slices`, the same without and with the spots, and for every method.

    Parameters
    ----------
    spotted : list
        As `spotted_slices` returns it.
    add_noise : function
        add_noise(images, std, rng) -> noisy images, such as one of `KINDS`.

    Returns
    -------
    list of arrays of shape (6, height, width, 1)
        Draws of the noise of each slice, of standard deviation `protocol.STD`.

    Examples
    --------
    >>> lung = [np.full((5, 60, 60, 1), 0.1, "float32")]
    >>> spotted_noise(spotted_slices(lung), add_gaussian_noise)[0].shape
    (6, 60, 60, 1)
    """
    rng = np.random.default_rng(0)
    return [
        add_noise(np.zeros((DRAWS, *without.shape), np.float32), STD, rng)
        for _, _, without, _ in spotted
    ]


def spotted_scan_noise(spotted, scan):
    """Draw the noise of a scan of the validation patients for each slice of `spotted_slices`.

    Parameters
    ----------
    spotted : list
        As `spotted_slices` returns it, for the patients of `data.load_ct("validation")`.
    scan : scanner.Scan

    Returns
    -------
    list of arrays of shape (6, height, width, 1)
        In grey levels.

    Examples
    --------
    >>> spotted = spotted_slices(load_ct("validation"))
    >>> spotted_scan_noise(spotted, SCANS["ramp, 80000 photons"])[0].shape  # doctest: +SKIP
    (6, 201, 204, 1)
    """
    rng = np.random.default_rng([0, zlib.crc32(scan.name.encode())])
    projected, noise = ct_sinograms("validation"), []
    for (patient, index), *_ in spotted:
        sinograms, shape = projected[patient]
        repeated = np.repeat(sinograms[index : index + 1], DRAWS, axis=0)
        noise.append(scan_draws(repeated, shape, "validation", scan, rng))
    return noise


def observe(denoise, spotted, noises):
    """Let a method denoise slices without and with spots, and both observers judge what it returns.

    Parameters
    ----------
    denoise : function
        A denoiser of single slices.
    spotted : list
        As `spotted_slices` returns it.
    noises : list of arrays of shape (draws, height, width, 1)
        For each slice some draws of noise, as `spotted_noise` returns them.

    Returns
    -------
    dict of str to ndarray of shape (2, places, draws)
        For each of `OBSERVERS` the responses without and with the spot. The matched filter looks for `TEMPLATE`.
        The observers see what the method returns as it is: cutting it to [0, 1] would change the noise that they know.

    Raises
    ------
    ValueError
        If there is no place for a spot, or the method returns another shape.

    Examples
    --------
    >>> lung = [np.full((200, 60, 60, 1), 0.1, "float32")]
    >>> spotted = spotted_slices(lung)
    >>> sorted(observe(do_nothing, spotted, spotted_noise(spotted, add_gaussian_noise)))
    ['Hotelling', 'matched filter']
    """
    if not spotted:
        raise ValueError("spotted: expected at least one slice with a place for a spot")
    cut = [[], []]
    for (_, places, *pair), noise in zip(spotted, noises, strict=True):
        for which, image in zip(cut, pair):
            clean = np.repeat(image[None], len(noise), axis=0)
            which.append(windows(check_like(denoise(clean + noise), clean), places, SIZE))
    absent, present = map(np.concatenate, cut)
    return {
        "matched filter": matched_filter(absent, present, TEMPLATE),
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
    loaded = networks()
    methods = {"noisy": do_nothing, **filters, **loaded, **derived(loaded)}
    return {"white": methods, "correlated": {**methods, "bm3d": _bm3d_told_the_spectrum}}


def scan_detection_methods(scan, spotted, noises):
    """Make the same methods, but for those of `protocol.DERIVED`, ready for a scan: filters tuned on it, BM3D told its noise.

    Parameters
    ----------
    scan : scanner.Scan
    spotted, noises : list
        As `observe` will get them: BM3D is told the noise of these slices (`scanner.told`).

    Returns
    -------
    dict of str to function

    Examples
    --------
    >>> methods = scan_detection_methods(SCANS["ramp, 80000 photons"], [], [])  # doctest: +SKIP
    """
    clean, noisy = scan_copies("validation", scan)
    spectra = scan_spectra("validation", scan)
    known = list(zip(clean, noisy, spectra))
    for ((patient, _), _, *pair), noise in zip(spotted, noises, strict=True):
        for image in pair:
            known.append((np.broadcast_to(image, noise.shape), image + noise, spectra[patient]))
    tuning = ([patient[TUNING_SLICES] for patient in patients] for patients in (clean, noisy))
    std = noise_std(clean, noisy)
    filters, _ = tune_filters(*tuning, std=std, instead=told(known))
    return {"noisy": do_nothing, **filters, **networks()}


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


def _in_white_noise(validation):
    """Yield what `_Noise.kinds` does, for white noise and for blurred."""
    spotted = spotted_slices(validation)
    for name, methods in detection_methods(validation).items():
        yield name, spotted, spotted_noise(spotted, KINDS[name]), methods


def _in_scans(validation):
    """Yield what `_Noise.kinds` does, for the noise of scans."""
    spotted = spotted_slices(validation, contrast=SCAN_CONTRAST)
    for name in DETECTION_SCANS:
        noises = spotted_scan_noise(spotted, SCANS[name])
        yield name, spotted, noises, scan_detection_methods(SCANS[name], spotted, noises)


@dataclass(frozen=True)
class _Noise:
    """What a value of --noise stands for."""

    words: str  # for --help
    path: Path
    names: list  # of its kinds
    kinds: Callable  # (validation) -> name, slices, the noise that is added to them, methods: of each kind


_NOISES = {
    "white": _Noise("white and blurred noise", DETECTION, list(KINDS), _in_white_noise),
    "ct": _Noise("a scanner's, three kernels", SCANNER_DETECTION, DETECTION_SCANS, _in_scans),
}


def read_detection(path=DETECTION):
    """Read the stored responses.

    Parameters
    ----------
    path : str or Path
        The CSV file, by default the one of white and blurred noise that the repository holds; the other one is
        `SCANNER_DETECTION`.

    Returns
    -------
    responses : dict of str to (dict of str to dict)
        For each kind of noise, `KINDS` or `DETECTION_SCANS`, and each method the responses of both observers, as
        `observe` returns them.
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
    command = _command(path)
    lines = stored_lines(path, command)
    try:
        methods = method_records(lines)
        header, *rows = csv.reader(line for line in lines if not line.startswith("#"))
        if header != _COLUMNS:
            raise ValueError
        stored = {row[0]: {name: {} for name in methods} for row in rows}
        for kind, name, place, draw, *numbers in rows:
            stored[kind][name][int(place), int(draw)] = [float(number) for number in numbers]
        entries = [values for kind in stored.values() for values in kind.values()]
        places = max(len(values) for values in entries) // DRAWS
        if list(stored) not in [noise.names for noise in _NOISES.values()]:
            raise ValueError
        if any(list(values) != list(np.ndindex(places, DRAWS)) for values in entries) or not places:
            raise ValueError
        responses = {
            kind: {name: _by_observer(list(values.values())) for name, values in entry.items()}
            for kind, entry in stored.items()
        }
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{path}: expected other columns, or rows are missing; `{command}` makes it anew"
        ) from error
    return responses, methods


def _command(path):
    """Return what makes a file, by its name."""
    named = [noise for noise, entry in _NOISES.items() if entry.path.name == Path(path).name]
    return " ".join([_COMMAND, *(f"--noise {noise}" for noise in named)])


def _by_observer(values):
    values = np.reshape(values, (-1, DRAWS, len(OBSERVERS), 2))
    return {name: np.moveaxis(values[:, :, k], -1, 0) for k, name in enumerate(OBSERVERS)}


def main(arguments=None):
    """Measure all methods in all kinds of noise and store the responses."""
    parser = argparse.ArgumentParser(prog=_COMMAND, description=__doc__.split("\n\n")[0])
    words = "; ".join(f"{value}: {entry.words}" for value, entry in _NOISES.items())
    parser.add_argument(
        "--noise", choices=[*_NOISES], default="white", help=f"{words} (default white)"
    )
    file = "the CSV file (default: in helpers/results, by the noise)"
    parser.add_argument("--output", type=Path, help=file)
    options = parser.parse_args(arguments)
    noise = _NOISES[options.noise]
    path = options.output or noise.path
    try:
        with replaced(path) as file, ProgressLine() as line:
            here, begun = {"machine": machine(), "packages": packages()}, False
            writer = csv.writer(file, lineterminator="\n")
            for kind, spotted, noises, methods in noise.kinds(load_ct("validation")):
                if not begun:
                    made = {name: {"about": about(f, name), **here} for name, f in methods.items()}
                    file.writelines(method_lines(made))
                    writer.writerow(_COLUMNS)
                    begun = True
                for name, denoise in methods.items():
                    line.update(f"{kind}: {name}")
                    responses = np.stack(list(observe(denoise, spotted, noises).values()))
                    for place, draw in np.ndindex(responses.shape[2:]):
                        numbers = [f"{x:.4f}" for x in responses[:, :, place, draw].ravel()]
                        writer.writerow([kind, name, place, draw, *numbers])
    except (ValueError, OSError) as error:  # a file that cannot be written, no data
        parser.error(str(error))


if __name__ == "__main__":
    main()
