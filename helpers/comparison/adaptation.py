"""Does the network for scans get better if it goes on learning on the noisy scan that it shall denoise?

`python -m helpers.comparison.adaptation` lets it go on with each test scan, in two ways that see no clean image, and
measures it before and after; it takes about three quarters of an hour on two cores. A run that was stopped goes on where it was.
"""

import argparse
import csv
import io
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from .._keras import keras
from ..baselines import BASELINES
from ..hounsfield import WINDOW_WIDTH
from ..models import as_denoiser, pretrained_denoiser, pretrained_model, spare_grain
from ..training import Batches, fit, neighbouring_slices, recorrupted, warmup_cosine
from .results import RESULTS, head_lines, machine, packages, store_jobs, stored_lines
from .scanner import Scan, scan_copies, scan_spectra
from .tables import markdown_table
from .without_clean import scores

ADAPTATION = RESULTS.with_name("adaptation.csv")
NETWORK = "ct_scan"
SCANS = (  # of noise as the network has learned, then of a smoother kernel than any (`training.scanner.CUTOFFS`)
    Scan("hann", 80_000),
    Scan("hann", 20_000, cutoff=0.3),
    Scan("hann", 5_000, cutoff=0.3),
)
RATES = (3e-6, 3e-5)  # peak learning rates; its own training had 3e-4 and more
STEPS, BATCH_SIZE, SIZE = 150, 8, 64
HELD_OUT, HELD_BATCHES = 5, 16  # one slice of five, the last ones, is not learned from
ALPHA, DRAWS = 0.5, 8  # of Recorrupted-to-Recorrupted; its authors took 0.5
PROFILE = "refilter"  # of BM3D, which its authors made for noise that is not white
REFERENCES = {  # name -> what denoises slices, given the spectrum of their noise
    "noisy": lambda noisy, _: noisy,
    "shipped": lambda noisy, _: pretrained_denoiser(NETWORK)(noisy),
    "bm3d": lambda noisy, spectrum: BASELINES["bm3d"](noisy, spectrum=spectrum, profile=PROFILE),
}
_COMMAND = "python -m helpers.comparison.adaptation"
_COLUMNS = ["scan", "patient", "way", "rate", "before_hu", "after_hu", "slice", "psnr_db"]


@dataclass(frozen=True)
class Measured:
    """What was measured of one network on one patient.

    Parameters
    ----------
    psnr : ndarray of shape (slices,)
        In dB.
    before, after : float
        The loss of its way on the slices that it has not learned from, before it went on and after it: root mean
        square, in HU. NaN where nothing was learned.
    """

    psnr: np.ndarray
    before: float = np.nan
    after: float = np.nan


WAYS = {  # name -> way(slices, spectrum of the noise, rng) -> pairs
    "neighbouring slices": lambda noisy, *_: neighbouring_slices([noisy], SIZE),
    "Recorrupted-to-Recorrupted": partial(recorrupted, size=SIZE, alpha=ALPHA, draws=DRAWS),
}


def loss_hu(network, pairs, *, batches=HELD_BATCHES):
    """Measure how far a network's answers are from noisy targets: always on the same draws.

    Parameters
    ----------
    network : keras.Model
        From (n, height, width, 1) to the same shape.
    pairs : function
        As `Batches` takes it.
    batches : int
        So many are drawn, of 8 patches each.

    Returns
    -------
    float
        Root of the mean squared difference, in HU; each pixel counts with its weight.

    Examples
    --------
    >>> from helpers.training import clean_targets
    >>> same = clean_targets([np.zeros((1, 64, 64, 1))], [np.full((1, 64, 64, 1), 0.1)])
    >>> identity = keras.Sequential([keras.Input((None, None, 1)), keras.layers.Identity()])
    >>> round(loss_hu(identity, same))  # a tenth of 1400 HU
    140
    """
    drawn, losses = Batches(pairs, batch_size=BATCH_SIZE, steps=batches, seed=1), []
    for step in range(batches):
        given, target, weight = (*drawn[step], None)[:3]
        errors = np.square(np.asarray(network.predict_on_batch(given)) - target)[..., 0]
        losses.append(np.average(errors, weights=weight))
    return WINDOW_WIDTH * float(np.sqrt(np.mean(losses)))


def go_on(network, pairs, rate, *, steps=STEPS):
    """Let a network go on learning.

    Parameters
    ----------
    network : keras.Model
        It is changed.
    pairs : function
        As `Batches` takes it.
    rate : float
        Peak of the learning rate.
    steps : int
        Number of updates.

    Examples
    --------
    >>> go_on(pretrained_model(NETWORK), recorrupted(scan, spectrum, rng), 3e-5)  # doctest: +SKIP
    """
    network.compile(keras.optimizers.Adam(warmup_cosine(rate, steps)), "mse")
    fit(network, Batches(pairs, batch_size=BATCH_SIZE, steps=steps, seed=0), epochs=1)


def adapt(network, way, noisy, spectrum, rate, *, steps=STEPS):
    """Let a network go on with a scan, all but its last fifth; measure on that before and after.

    Parameters
    ----------
    network : keras.Model
        It is changed.
    way : str
        A key of `WAYS`.
    noisy : array of shape (n, height, width, 1)
        The scan; a fifth of its slices must be four or more.
    spectrum : array of shape (height, width)
        Of its noise, as `noise.power_spectrum` returns it.
    rate, steps
        As for `go_on`.

    Returns
    -------
    (float, float)
        `loss_hu` before and after.

    Examples
    --------
    >>> adapt(pretrained_model(NETWORK), "neighbouring slices", scan, spectrum, 3e-5)  # doctest: +SKIP
    """
    last = len(noisy) - len(noisy) // HELD_OUT
    rng = np.random.default_rng(2)  # of both, so that they share no draw
    seen, unseen = (WAYS[way](part, spectrum, rng) for part in (noisy[:last], noisy[last:]))
    before = loss_hu(network, unseen)
    go_on(network, seen, rate, steps=steps)
    return before, loss_hu(network, unseen)


def _jobs():
    """Name all that is measured: (scan, patient, way, rate), rate 0 where nothing is learned."""
    for scan in SCANS:
        for patient in range(2):
            for name in REFERENCES:
                yield scan.name, patient, name, 0.0
            for way in WAYS:
                for rate in RATES:
                    yield scan.name, patient, way, rate


def _measure(way, rate, clean, noisy, spectrum):
    """Return what one of `_jobs` measures."""
    if way in WAYS:
        network = pretrained_model(NETWORK)
        losses = adapt(network, way, noisy, spectrum, rate)
        (psnr,) = scores([clean], [spare_grain(as_denoiser(network))(noisy)])
        return Measured(psnr, *losses)
    return Measured(*scores([clean], [REFERENCES[way](noisy, spectrum)]))


def read_adaptation(path=ADAPTATION):
    """Read the stored results.

    Parameters
    ----------
    path : str or Path
        The CSV file, by default the one that the repository holds.

    Returns
    -------
    dict of (str, int, str, float) to Measured
        By the scan's name, the number of the test patient, the way ("noisy", "shipped" and "bm3d", too) and the rate, 0
        where nothing was learned.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it does not hold all that the command measures.

    Examples
    --------
    >>> list(read_adaptation())[0]
    ('hann, 80000 photons', 0, 'noisy', 0.0)
    """
    try:
        found = _parsed(stored_lines(path, _COMMAND))
        sizes = {(patient, len(one.psnr)) for (_, patient, *_), one in found.items()}
        if list(found) != list(_jobs()) or len(sizes) != len({patient for patient, _ in sizes}):
            raise ValueError
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{path}: expected all ways and rates; `{_COMMAND}` makes it anew"
        ) from error
    return found


def chosen(results, scan, patient, way):
    """Choose among the learning rates as one can without a clean image: by the loss on slices not learned from.

    Parameters
    ----------
    results : dict
        As `read_adaptation` returns it.
    scan, patient, way
        The first entries of its keys.

    Returns
    -------
    (float, Measured)
        The rate whose network has the smallest loss, and what was measured of it.

    Examples
    --------
    >>> results = {("hann", 0, "a", rate): Measured(np.array([30.0]), 9.0, 10 * rate) for rate in (1.0, 0.5)}
    >>> chosen(results, "hann", 0, "a")[0]
    0.5
    """
    tried = {key[3]: one for key, one in results.items() if key[:3] == (scan, patient, way)}
    return min(tried.items(), key=lambda pair: pair[1].after)


def adaptation_table(results):
    """Write the results as a Markdown table: one row per scan, patient and way.

    Parameters
    ----------
    results : dict
        As `read_adaptation` returns it; all with the same rates.

    Returns
    -------
    str
        Mean PSNR in dB of the noisy slices, of BM3D, which is told the spectrum, and of the shipped network; what going
        on gains with each rate; then the loss on slices not learned from, before, and after with each rate.

    Raises
    ------
    KeyError
        If a patient lacks "noisy", "shipped" or "bm3d", or a way has not all rates.

    Examples
    --------
    >>> results = {("hann", 0, name, 0.0): Measured(np.array([30.0])) for name in ("noisy", "bm3d", "shipped")}
    >>> results["hann", 0, "neighbouring slices", 1e-5] = Measured(np.array([31.0]), 60.0, 59.0)
    >>> print(adaptation_table(results))
    | scan | patient | it goes on with | noisy | BM3D | shipped | gain, 1e-05 | loss, HU | loss, 1e-05 |
    | :--- | :--- | :--- | ---: | ---: | ---: | ---: | ---: | ---: |
    | hann | 1 | neighbouring slices | 30.00 | 30.00 | 30.00 | +1.00 | 60.0 | 59.0 |
    """
    rates = sorted({key[3] for key in results if key[2] in WAYS})
    header = ["scan", "patient", "it goes on with", "noisy", "BM3D", "shipped"]
    header += [*(f"gain, {rate:g}" for rate in rates), "loss, HU"]
    header += [f"loss, {rate:g}" for rate in rates]
    rows = []
    for scan, patient, way in dict.fromkeys(key[:3] for key in results if key[2] in WAYS):
        before = [results[scan, patient, name, 0.0].psnr for name in ("noisy", "bm3d", "shipped")]
        after = [results[scan, patient, way, rate] for rate in rates]
        row = [f"{psnr.mean():.2f}" for psnr in before]
        row += [f"{(one.psnr - before[-1]).mean():+.2f}" for one in after]
        row += [f"{loss:.1f}" for loss in (after[0].before, *(one.after for one in after))]
        rows.append([scan, patient + 1, way, *row])
    return markdown_table(header, rows, left=3)


def _rows_of(job, measured):
    """Write what one of `_jobs` measured as rows of the file.

    >>> _rows_of(("hann, 9 photons", 0, "noisy", 0.0), Measured(np.array([30.0])))
    ['"hann, 9 photons",0,noisy,0,nan,nan,0,30.0000']
    """
    scan, patient, way, rate = job
    losses = f"{measured.before:.3f}", f"{measured.after:.3f}"
    table = io.StringIO()
    csv.writer(table, lineterminator="\n").writerows(
        [scan, patient, way, f"{rate:g}", *losses, index, f"{value:.4f}"]
        for index, value in enumerate(measured.psnr)
    )
    return table.getvalue().splitlines()


def _parsed(lines):
    """Read rows, behind their header: {job: Measured}."""
    found = {}
    for row in csv.DictReader(line for line in lines if not line.startswith("#")):
        job = row["scan"], int(row["patient"]), row["way"], float(row["rate"])
        losses = float(row["before_hu"]), float(row["after_hu"])
        found.setdefault(job, ([], losses))[0].append(float(row["psnr_db"]))
    return {job: Measured(np.array(psnr), *losses) for job, (psnr, losses) in found.items()}


def _head():
    """The lines above the rows: what they depend on, and where they were measured."""
    settings = [*RATES, STEPS, BATCH_SIZE, SIZE, HELD_OUT, HELD_BATCHES, ALPHA, DRAWS, PROFILE]
    about = {"settings": settings, "network": pretrained_denoiser(NETWORK).about.version}
    about |= {"machine": machine(), "packages": packages()}
    return head_lines(about, _COLUMNS)


def main(arguments=None):
    """Train and measure whatever is missing, and store the results when all are there."""
    parser = argparse.ArgumentParser(prog=_COMMAND, description=__doc__.split("\n\n")[1])
    file = "the CSV file (default helpers/results/adaptation.csv)"
    parser.add_argument("--output", type=Path, default=ADAPTATION, help=file)
    path = parser.parse_args(arguments).output
    scans = {}

    def measure(name, patient, way, rate):
        if name not in scans:
            scans.clear()
            scans[name] = _scans(name)
        return _measure(way, rate, *(parts[patient] for parts in scans[name]))

    try:
        store_jobs(path, _head(), list(_jobs()), _parsed, _rows_of, measure)
    except (ValueError, OSError) as error:  # a file that cannot be written, no data
        parser.error(str(error))


def _scans(name):
    """Clean slices, noisy slices and the noise's spectrum of the test patients."""
    (scan,) = (scan for scan in SCANS if scan.name == name)
    return *scan_copies("test", scan), scan_spectra("test", scan)


if __name__ == "__main__":
    main()
