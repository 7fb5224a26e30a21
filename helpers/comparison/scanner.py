"""The comparison with the noise of a scanner: the scans that are simulated, and what BM3D and BM4D are told of them.

`python -m helpers.comparison --noise ct` runs all of it and stores the results; with `--noise overlap` slices overlap. The noise comes from the simulation
that networks for scans have learned from (`training.scanner`), with kernels and doses that they have met; of the patients they know nothing.
"""

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..baselines import BASELINES
from ..contract import about, checked
from ..data import CT_PIXEL_MM, ct_sinograms, load_ct
from ..hounsfield import WINDOW_WIDTH
from ..noise import ct_noise, mean_frequency, overlapped, power_spectrum
from .protocol import DERIVED, MEASURES, all_methods, check_methods, compare_copies
from .results import OVERLAP, SCANNER

SPECTRUM_DRAWS = 60  # of the noise of each patient, for the spectrum that BM3D and BM4D are told
STRENGTHS = {"strength": [0.9, 1.0, 1.1]}  # times the noise that they are told: their grid
# Settings of the packages bm3d and bm4d: the usual ones, and those for noise that is not white.
PROFILES = {"profile": ["np", "refilter"]}


@dataclass(frozen=True)
class Scan:
    """How a scan is taken and reconstructed.

    Parameters
    ----------
    kernel, photons, cutoff
        As for `noise.add_ct_noise`.
    correlation : float
        Of the noise of neighbouring slices, 0 to 0.5; see `noise.overlapped`.

    Examples
    --------
    >>> Scan("hann", 80_000, cutoff=0.7).name
    'hann cut at 0.7, 80000 photons'
    """

    kernel: str
    photons: int
    cutoff: float = 1.0
    correlation: float = 0.0

    @property
    def kernel_name(self):
        """The kernel and where it is cut."""
        return self.kernel if self.cutoff == 1 else f"{self.kernel} cut at {self.cutoff:g}"

    @property
    def name(self):
        """All of it in words."""
        overlap = f", overlap {self.correlation:g}" if self.correlation else ""
        return f"{self.kernel_name}, {self.photons} photons{overlap}"


_RECONSTRUCTIONS = (("ramp", 1.0), ("hann", 1.0), ("hann", 0.7))  # kernel, cut-off
_PHOTONS = (40_000, 80_000, 160_000)
_SCANS = [Scan(kernel, n, cutoff) for kernel, cutoff in _RECONSTRUCTIONS for n in _PHOTONS]
_OVERLAPPING = [Scan(kernel, 80_000, cutoff, 0.3) for kernel, cutoff in _RECONSTRUCTIONS]
SCANS = {scan.name: scan for scan in _SCANS}
OVERLAPPING = {scan.name: scan for scan in _OVERLAPPING}
# To a method that sees one slice, overlap makes no difference: two of them are there to compare with.
OVERLAP_METHODS = ["noisy", "bm3d", "bm4d", "ct_scan", "ct_scan_25d"]


def scan_methods():
    """Name the methods that are measured: all but those that are made of others (`protocol.DERIVED`).

    Examples
    --------
    >>> {"bm3d", "ct_unet"} <= set(scan_methods())
    True
    """
    return [name for name in all_methods() if name not in DERIVED]


@dataclass(frozen=True)
class ScanSet:
    """Scans that are measured together.

    Parameters
    ----------
    noise : str
        Their noise, in words.
    path : Path
        The CSV file of their results; `results` names the command that makes it.
    scans : dict of str to Scan
        By their names, which no other set has.
    methods : function
        Names the methods that are measured, some of `scan_methods`.
    """

    noise: str
    path: Path
    scans: dict
    methods: Callable


# By the value of the option --noise of `python -m helpers.comparison`
SCAN_SETS = {
    "ct": ScanSet("a scanner's, with three kernels at three doses", SCANNER, SCANS, scan_methods),
    "overlap": ScanSet(
        "a scanner's at one dose where slices overlap, with few methods",
        OVERLAP,
        OVERLAPPING,
        lambda: OVERLAP_METHODS,
    ),
}


def scan_noise(split, scan, *, seed=0, first=None):
    """Draw the noise of a scan of the validation or the test patients.

    Parameters
    ----------
    split : {"validation", "test"}
    scan : Scan
    seed : int
        Decides the noise, together with the patient and the scan.
    first : int, optional
        Only so many slices of each patient, from the feet; their noise stays the same, but for the last one's
        where slices overlap.

    Returns
    -------
    list of arrays of shape (n, height, width, 1), float32
        In grey levels: add them to the slices of `data.load_ct`.

    Raises
    ------
    ValueError, FileNotFoundError, OSError
        As `data.ct_sinograms` and `noise.ct_noise`.

    Examples
    --------
    >>> noise = scan_noise("test", SCANS["ramp, 40000 photons"], first=1)
    >>> [patient.shape for patient in noise]
    [(1, 137, 136, 1), (1, 172, 178, 1)]
    """
    noise = []
    for number, (sinograms, shape) in enumerate(ct_sinograms(split, first=first)):
        rng = _rng(seed, f"noise of {split} {number}, {scan.name}")
        one_more = np.concatenate([sinograms, sinograms[-1:]])  # which the last slice overlaps with
        drawn = scan_draws(one_more, shape, split, scan, rng)
        noise.append(overlapped(drawn[..., 0], scan.correlation)[..., None].astype(np.float32))
    return noise


def scan_spectra(split, scan, *, seed=0):
    """Measure the power spectrum of a scan's noise, from other draws than `scan_noise`.

    Parameters
    ----------
    split, scan, seed
        As for `scan_noise`.

    Returns
    -------
    list of arrays of shape (height, width)
        For each patient, as `noise.power_spectrum` returns it: the mean of 60 draws, spread over the slices.

    Examples
    --------
    >>> [spectrum.shape for spectrum in scan_spectra("test", SCANS["ramp, 40000 photons"])]  # doctest: +SKIP
    [(137, 136), (172, 178)]
    """
    rng = _rng(seed, f"spectrum of {split}, {scan.name}")
    spectra = []
    for sinograms, shape in ct_sinograms(split):
        spread = np.linspace(0, len(sinograms) - 1, SPECTRUM_DRAWS).round().astype(int)
        spectra.append(power_spectrum(scan_draws(sinograms[spread], shape, split, scan, rng)))
    return spectra


def scan_draws(sinograms, shape, split, scan, rng):
    """Draw the noise of a scan for some projected slices of a split, in grey levels.

    >>> (sinograms, shape), _ = ct_sinograms("test", first=1)
    >>> scan_draws(sinograms, shape, "test", SCANS["ramp, 40000 photons"], np.random.default_rng(0)).shape
    (1, 137, 136, 1)
    """
    settings = {"kernel": scan.kernel, "cutoff": scan.cutoff}
    noise = ct_noise(sinograms, shape, CT_PIXEL_MM[split], scan.photons, rng, **settings)
    return noise[..., None] / np.float32(WINDOW_WIDTH)


def _rng(seed, what):
    return np.random.default_rng([seed, zlib.crc32(what.encode())])


def told(known, correlation=0.0):
    """Return BM3D and BM4D as one uses them where noise is not white: told the spectrum, by somebody who knows.

    Of each noisy slice that they will meet, BM3D is told the spectrum of the patient's noise, scaled to the very
    strength of the noise in this slice. BM4D is told the mean strength, and how alike the noise of neighbouring slices is.

    Parameters
    ----------
    known : list of (clean, noisy, spectrum)
        For each patient slices without and with noise, of shape (n, height, width, 1), and the noise's spectrum
        (`scan_spectra`).
    correlation : float
        Of the noise of neighbouring slices, as of a `Scan`.

    Returns
    -------
    dict of str to (function, dict)
        For `protocol.tune_filters`: each with its grid, the strength of the noise in units of the true one, and
        the profile, of which their authors made "refilter" for such noise. The filters raise ValueError
        where they meet another slice.

    References
    ----------
    Makinen, Azzari and Foi, "Collaborative filtering of correlated noise", IEEE Trans. Image Processing 29, 2020.

    Examples
    --------
    >>> clean = np.full((8, 16, 16, 1), 0.5, "float32")
    >>> noisy = clean + np.random.default_rng(0).normal(0, 0.1, clean.shape).astype("float32")
    >>> told([(clean, noisy, np.ones((16, 16)))])["bm3d"][0](noisy).shape
    (8, 16, 16, 1)
    """
    strengths = {}
    for clean, noisy, spectrum in known:
        shape_alone = spectrum / spectrum.mean() * spectrum.size  # of noise of variance 1
        for a, b in zip(clean, noisy):
            strengths[np.asarray(b, np.float32).tobytes()] = float(np.var(b - a)), shape_alone

    def spectrum_of(noisy, strength):
        try:
            variances, shapes = zip(*(strengths[image.tobytes()] for image in noisy))
        except KeyError:
            raise ValueError("noisy: expected slices whose noise is known") from None
        return shapes[0] * np.mean(variances) * strength**2

    def slice_by_slice(noisy, strength=1.0, profile="np"):
        ones = (noisy[index : index + 1] for index in range(len(noisy)))
        return np.concatenate(
            [
                BASELINES["bm3d"](one, spectrum=spectrum_of(one, strength), profile=profile)
                for one in ones
            ]
        )

    def volume(noisy, strength=1.0, profile="np"):
        waves = 1 + 2 * correlation * np.cos(2 * np.pi * np.fft.fftfreq(len(noisy)))
        spectrum = waves[:, None, None] * spectrum_of(noisy, strength) * len(noisy)
        return BASELINES["bm4d"](noisy, spectrum=spectrum, profile=profile)

    return {
        "bm3d": (checked(slice_by_slice, about(BASELINES["bm3d"])), STRENGTHS | PROFILES),
        "bm4d": (checked(volume, about(BASELINES["bm4d"])), STRENGTHS | PROFILES),
    }


def scan_copies(split, scan, *, seed=0, first=None):
    """Return clean and noisy slices of the patients of a split, for `protocol.compare_copies`.

    Parameters
    ----------
    split, scan, seed, first
        As for `scan_noise`.

    Returns
    -------
    (list, list)
        Of arrays of shape (n, height, width, 1), one per patient; the noise is not clipped.

    Examples
    --------
    >>> clean, noisy = scan_copies("test", SCANS["ramp, 40000 photons"], first=1)
    >>> [patient.shape for patient in noisy]
    [(1, 137, 136, 1), (1, 172, 178, 1)]
    """
    clean = [patient[:first] for patient in load_ct(split)]
    noise = scan_noise(split, scan, seed=seed, first=first)
    return clean, [a + b for a, b in zip(clean, noise)]


def noise_std(clean, noisy):
    """Return the standard deviation of the noise over all pixels of some patients, in grey levels.

    >>> noise_std([np.zeros((1, 2, 2, 1))], [np.array([0.1, -0.1, 0.1, -0.1]).reshape(1, 2, 2, 1)])
    0.1
    """
    return float(np.concatenate([(b - a).ravel() for a, b in zip(clean, noisy)]).std())


def compare_scan(name, *, seed=0, methods=None):
    """Tune every filter on the validation patients of a scan, then measure methods on its test patients.

    Parameters
    ----------
    name : str
        Of a scan of one of the `SCAN_SETS`.
    seed : int
        Decides the noise.
    methods : sequence of str, optional
        Some of `scan_methods`; by default all.

    Returns
    -------
    dict of str to dict
        As `protocol.compare` returns it; in the place of "seconds" stands "error_frequency", the mean frequency
        (`noise.mean_frequency`) of the error, in cycles per pixel. It has no times: scans are measured side by side.

    Raises
    ------
    ValueError
        If the name of the scan or of a method is unknown.

    Examples
    --------
    >>> results = compare_scan("ramp, 40000 photons")  # doctest: +SKIP
    """
    scans = {name: scan for entry in SCAN_SETS.values() for name, scan in entry.scans.items()}
    if name not in scans:
        raise ValueError(f"name: expected one of {'; '.join(scans)}, got {name!r}")
    scan = scans[name]
    names = scan_methods() if methods is None else check_methods(methods, scan_methods())
    copies, known = {}, []
    for split in ("validation", "test"):
        clean, noisy = copies[split] = scan_copies(split, scan, seed=seed)
        known += zip(clean, noisy, scan_spectra(split, scan, seed=seed))
    results = compare_copies(
        names,
        copies["validation"],
        copies["test"],
        std=noise_std(*copies["validation"]),
        instead=told(known, scan.correlation),
        measures=MEASURES | {"error_frequency": lambda a, b: mean_frequency(b - a)},
    )
    for entry in results.values():
        del entry["seconds"]
    return results
