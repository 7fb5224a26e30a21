"""The fair comparison of the notebook 04_baseline_comparison, piece by piece and as one command.

`python -m helpers.comparison` measures every method on *all* slices of the test patients, at three
levels of noise, and stores one row per level, slice and method in helpers/results/comparison.csv, with the
seed and the versions of the packages. The notebook does the same at one level on a fixed part of the
slices, because BM3D is slow.
"""

import argparse
import csv
import functools
import importlib.metadata
import platform
from pathlib import Path

import numpy as np
from scipy.ndimage import maximum_filter

from .baselines import BASELINES, bm4d, grid, tune
from .checks import check_images, check_number, check_patients, check_whole
from .data import load_ct
from .metrics import bootstrap_interval, evaluate
from .models import pretrained_denoiser, self_ensemble
from .noise import add_gaussian_noise
from .progress import ProgressLine

RESULTS = Path(__file__).with_name("results") / "comparison.csv"
NOISE_STD = 0.07
LEVELS = (0.03, NOISE_STD, 0.12)
TUNING_SLICES = slice(10, None, 20)  # of each validation patient: 5 slices in all
TUNING_SLAB = slice(20, 30)  # of each validation patient: neighbours, for BM4D
SUBSET = slice(
    5, None, 10
)  # of each test patient: 11 of 102 slices, where BM3D would take too long

NAMES = {
    "noisy": "noisy input",
    "gaussian": "Gaussian",
    "average": "average",
    "median": "median",
    "bilateral": "bilateral",
    "opencv_nl_means": "NL-means (OpenCV)",
    "nl_means": "NL-means (scikit-image)",
    "total_variation": "total variation",
    "wavelet": "wavelet",
    "bm3d": "BM3D",
    "conv_autoencoder": "conv autoencoder",
    "unet": "U-Net",
    "unet_x8": "U-Net, 8 views",
    "unet_small": "small U-Net",
    "unet_25d": "U-Net on 5 slices",
    "bm4d": "BM4D",
}
# These see the neighbouring slices, all others one slice. The numbers: slices in the call before the clock.
# The network gets all, as it is compiled for each size of portion; BM4D is slow and has nothing to compile.
WHOLE_PATIENTS = {"unet_25d": 1000, "bm4d": 16}
_PACKAGES = [
    "numpy",
    "opencv-python",
    "scikit-image",
    "PyWavelets",
    "bm3d",
    "bm4d",
    "keras",
    "tensorflow",
]
_COLUMNS = [
    "noise_std",
    "method",
    "parameters",
    "patient",
    "slice",
    "psnr_db",
    "ssim",
    "milliseconds",
]


def noisy_copies(patients, noise_std=NOISE_STD, seed=0):
    """Add Gaussian noise, not clipped, to the slices of several patients.

    The noise of a slice depends on nothing but the arguments, so every method gets the same images.

    Parameters
    ----------
    patients : list of arrays of shape (n, height, width, 1)
        Clean slices in [0, 1].
    noise_std : float
        Standard deviation of the noise in grey levels.
    seed : int
        Decides the noise.

    Returns
    -------
    list of arrays of the same shapes, float32

    Raises
    ------
    ValueError
        If an argument is not as described.

    Examples
    --------
    >>> noisy_copies([np.zeros((2, 8, 8, 1))])[0].shape
    (2, 8, 8, 1)
    """
    rng = np.random.default_rng(seed)
    return [add_gaussian_noise(images, noise_std, rng) for images in patients]


def tune_filters(clean, noisy, noise_std=NOISE_STD, names=tuple(BASELINES), widenings=5):
    """Search the parameters of every filter on validation patients.

    Parameters
    ----------
    clean, noisy : lists of arrays of shape (n, height, width, 1)
        One array per validation patient, with its noisy counterpart.
    noise_std : float
        Standard deviation of the noise, to which the grids are moved.
    names : sequence of str
        Which of `baselines.BASELINES`.
    widenings : int
        How many times a grid may grow; see `baselines.tune`.

    Returns
    -------
    denoisers : dict of str to function
        Each filter with its best parameters.
    searches : dict of str to (dict, list)
        What `baselines.tune` returned: the best parameters, and the score of every point tried.

    Raises
    ------
    ValueError
        If an argument is not as described.

    Examples
    --------
    >>> clean = [np.zeros((1, 16, 16, 1), "float32")]
    >>> denoisers, searches = tune_filters(clean, noisy_copies(clean), names=["average"])
    >>> denoisers["average"].keywords["ksize"] > 3  # nothing but noise here: the wider the better
    True
    """
    denoisers, searches = {}, {}
    with ProgressLine() as line:
        for name in names:
            line.update(f"tuning {name}")
            searches[name] = tune(BASELINES[name], grid(name, noise_std), clean, noisy, widenings)
            denoisers[name] = functools.partial(BASELINES[name], **searches[name][0])
    return denoisers, searches


def measure(denoisers, clean, noisy):
    """Measure quality and time of several denoisers on the same images, one slice per call.

    Those named in `WHOLE_PATIENTS` get all slices of a patient in one call.

    Parameters
    ----------
    denoisers : dict of str to function
        From a noisy batch to a denoised one.
    clean, noisy : lists of arrays of shape (n, height, width, 1)
        One array per patient, with its noisy counterpart; whole patients, for those that need them.

    Returns
    -------
    dict of str to dict
        For each denoiser "psnr" (dB), "ssim" and "seconds" (per slice, the patient's average): lists
        with one array of shape (n,) per patient. One call for each image size goes before the clock.

    Raises
    ------
    ValueError
        If an argument is not as described.

    Examples
    --------
    >>> clean = [np.zeros((2, 8, 8, 1))]
    >>> measure({"nothing": lambda noisy: noisy}, clean, clean)["nothing"]["ssim"][0].tolist()
    [1.0, 1.0]
    """
    check_patients(clean, noisy)
    results = {}
    with ProgressLine() as line:
        for name, denoiser in denoisers.items():
            line.update(f"measuring {name}")
            whole = name in WHOLE_PATIENTS
            call = denoiser if whole else functools.partial(_slice_by_slice, denoiser)
            parts = [
                evaluate(call, [a], [b], warm_up=WHOLE_PATIENTS.get(name, 1))
                for a, b in zip(clean, noisy)
            ]
            results[name] = {
                "psnr": [part["psnr"][0] for part in parts],
                "ssim": [part["ssim"][0] for part in parts],
                "seconds": [np.full(len(part["psnr"][0]), part["seconds"]) for part in parts],
            }
    return results


def _slice_by_slice(denoiser, noisy):
    return np.concatenate([denoiser(noisy[i : i + 1]) for i in range(len(noisy))])


def summarise(results, reference, seed=0):
    """Average over slices, with 95 % bootstrap intervals and paired differences to one method.

    Parameters
    ----------
    results : dict of str to dict
        As `measure` returns it.
    reference : str
        The method that all others are compared with, slice by slice.
    seed : int
        Decides the bootstrap samples; every method gets the same.

    Returns
    -------
    dict of str to dict
        "psnr", "ssim", "difference" (dB): (mean, low, high); "seconds": the mean per slice.

    Raises
    ------
    ValueError
        If the reference is not among the results.

    References
    ----------
    `metrics.bootstrap_interval`: slices are resampled within each patient.

    Examples
    --------
    >>> clean = [np.zeros((2, 8, 8, 1))]
    >>> results = measure({"darker": lambda noisy: noisy - 0.1}, clean, clean)
    >>> summarise(results, "darker")["darker"]["psnr"]
    (20.0, 20.0, 20.0)
    """
    if reference not in results:
        raise ValueError(f"reference: expected one of {', '.join(results)}, got {reference!r}")

    def interval(values):
        mean = float(np.concatenate(values).mean())
        return mean, *bootstrap_interval(values, np.random.default_rng(seed))

    summary = {}
    for name, result in results.items():
        pairs = zip(result["psnr"], results[reference]["psnr"])
        summary[name] = {
            "psnr": interval(result["psnr"]),
            "ssim": interval(result["ssim"]),
            "difference": interval([ours - theirs for ours, theirs in pairs]),
            "seconds": float(np.concatenate(result["seconds"]).mean()),
        }
    return summary


def quality_table(summary, reference, times=False):
    """Write a summary as a Markdown table, best PSNR on top.

    Parameters
    ----------
    summary : dict of str to dict
        As `summarise` returns it.
    reference : str
        The method that the differences refer to.
    times : bool
        Add a column with the time per slice. Times differ from run to run.

    Returns
    -------
    str

    Raises
    ------
    KeyError
        If the reference has no name in `NAMES`.

    Examples
    --------
    >>> row = {"psnr": (20, 19, 21), "ssim": (0.5, 0.4, 0.6), "difference": (0, 0, 0)}
    >>> print(quality_table({"bm3d": row}, "bm3d"))
    | method | PSNR, dB | SSIM | difference to BM3D, dB |
    | :--- | ---: | ---: | ---: |
    | BM3D | 20.00 (19.00 to 21.00) | 0.500 (0.400 to 0.600) | |
    """
    header = ["method", "PSNR, dB", "SSIM", f"difference to {NAMES[reference]}, dB"]
    header += ["time per slice, ms"] * times
    rows = []
    for name in sorted(summary, key=lambda name: -summary[name]["psnr"][0]):
        entry = summary[name]
        cells = [
            NAMES.get(name, name),
            "{:.2f} ({:.2f} to {:.2f})".format(*entry["psnr"]),
            "{:.3f} ({:.3f} to {:.3f})".format(*entry["ssim"]),
            ""
            if name == reference
            else "{:+.2f} ({:+.2f} to {:+.2f})".format(*entry["difference"]),
        ]
        if times:
            cells.append("" if name == "noisy" else f"{1000 * entry['seconds']:,.1f}")
        rows.append(cells)
    return markdown_table(header, rows)


def lead_table(levels, method="unet", reference="bm3d"):
    """Write a Markdown table of one method's lead over another at several levels of noise.

    Parameters
    ----------
    levels : dict of float to (dict of str to dict)
        For each standard deviation of the noise what `measure` returned.
    method, reference : str
        Which two methods.

    Returns
    -------
    str
        One row per level: both mean PSNRs, the mean of the slices' differences, the share of slices on
        which the method is ahead, and both mean SSIMs.

    Raises
    ------
    KeyError
        If one of the two was not measured at a level, or has no name in `NAMES`.

    Examples
    --------
    >>> results = {"unet": {"psnr": [np.array([33.0, 31.0])], "ssim": [np.array([0.9, 0.9])]},
    ...            "bm3d": {"psnr": [np.array([32.0, 31.5])], "ssim": [np.array([0.8, 0.9])]}}
    >>> print(lead_table({0.07: results}))
    | noise std | BM3D, dB | U-Net, dB | lead, dB | slices won | BM3D, SSIM | U-Net, SSIM |
    | :--- | ---: | ---: | ---: | ---: | ---: | ---: |
    | 0.07 | 31.75 | 32.00 | +0.25 | 50 % | 0.850 | 0.900 |
    """
    ours, theirs = NAMES[method], NAMES[reference]
    header = ["noise std", f"{theirs}, dB", f"{ours}, dB", "lead, dB", "slices won"]
    header += [f"{theirs}, SSIM", f"{ours}, SSIM"]
    rows = []
    for noise_std, results in levels.items():
        psnrs, ssims = (
            [np.concatenate(results[name][measure]) for name in (reference, method)]
            for measure in ("psnr", "ssim")
        )
        lead = psnrs[1] - psnrs[0]
        rows.append(
            [f"{noise_std:g}"]
            + [f"{values.mean():.2f}" for values in psnrs]
            + [f"{lead.mean():+.2f}", f"{100 * (lead > 0).mean():.0f} %"]
            + [f"{values.mean():.3f}" for values in ssims]
        )
    return markdown_table(header, rows)


def search_table(searches):
    """Write a Markdown table of what `tune_filters` tried and chose.

    Parameters
    ----------
    searches : dict of str to (dict, list)
        As `tune_filters` returns it.

    Returns
    -------
    str
        One row per filter: all values tried, those of the best point, its mean PSNR.

    Examples
    --------
    >>> scores = [({"ksize": 3}, 28.9), ({"ksize": 5}, 27.1)]
    >>> print(search_table({"average": ({"ksize": 3}, scores)}))
    | filter | tried | chosen | PSNR, dB |
    | :--- | ---: | ---: | ---: |
    | average | ksize 3, 5 | ksize=3 | 28.90 |
    """
    rows = []
    for name, (best, scores) in searches.items():
        tried = {key: sorted({parameters[key] for parameters, _ in scores}) for key in best}
        tried = "; ".join(f"{key} {', '.join(map(str, values))}" for key, values in tried.items())
        quality = max(score for _, score in scores)
        rows.append([NAMES.get(name, name), tried, describe(best), f"{quality:.2f}"])
    return markdown_table(["filter", "tried", "chosen", "PSNR, dB"], rows)


def markdown_table(header, rows):
    """Write a Markdown table whose first column is aligned left and all others right.

    Parameters
    ----------
    header : sequence of str
        Titles of the columns.
    rows : sequence of sequences
        Cells, as many in each row as there are titles.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If a row has another number of cells.

    Examples
    --------
    >>> print(markdown_table(["filter", "dB"], [["median", 28.5]]))
    | filter | dB |
    | :--- | ---: |
    | median | 28.5 |
    """
    if any(len(row) != len(header) for row in rows):
        raise ValueError(f"rows: expected {len(header)} cells in each row, as in the header")
    lines = [header, [":---"] + ["---:"] * (len(header) - 1), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines).replace(
        "|  |", "| |"
    )


def describe(parameters):
    """Write parameters as one would in a call, without spaces.

    Examples
    --------
    >>> describe({"h": 0.05, "sigma": 0.07})
    'h=0.05 sigma=0.07'
    """
    return " ".join(f"{name}={value}" for name, value in parameters.items())


# ----------------------------------------------------------- what PSNR does not see

_DISTANCE = np.hypot(*np.mgrid[-7:8, -7:8])
_CORE, _RING = _DISTANCE <= 1.5, (_DISTANCE >= 4) & (_DISTANCE <= 7)


def small_structures(images, low=0.08, high=0.15, every=1):
    """Find faint bright spots a few pixels wide, alone in dark surroundings: vessels and nodules in lung.

    A spot is the brightest pixel within 2 pixels, its contrast lies between `low` and `high`, the ring
    around it is lung: its median is above 0.05 (-930 HU), and no pixel is brighter than 0.25 (-650 HU) or by
    more than 0.15 brighter than the median. The slices before and after show at least half
    of its contrast at the same place, so that it is anatomy and not noise.

    Parameters
    ----------
    images : array of shape (n, height, width, 1)
        Clean neighbouring slices of one patient.
    low, high : float
        Limits of the contrast in grey levels.
    every : int
        Search only every so many slices, from the second one on; never the first and the last.

    Returns
    -------
    list of (int, int, int)
        Slice, row and column of each spot.

    Raises
    ------
    ValueError
        If an argument is not as described.

    Examples
    --------
    >>> images = np.full((3, 21, 21, 1), 0.1); images[:, 9:12, 9:12] = 0.2; images[:, 10, 10] = 0.21
    >>> small_structures(images)
    [(1, 10, 10)]
    """
    images = check_images(images, "images")
    low = check_number(low, "low", 0, 1)
    high = check_number(high, "high", low, 1)
    found = []
    for index in range(1, len(images) - 1, check_whole(every, "every", 1)):
        peaks = images[index, ..., 0] == maximum_filter(images[index, ..., 0], 5)
        for row, column in zip(*np.nonzero(peaks[7:-7, 7:-7])):
            place = int(row) + 7, int(column) + 7
            if not low <= spot_contrast(images[index : index + 1], *place)[0] <= high:
                continue
            before, here, after = spot_contrast(images[index - 1 : index + 2], *place)
            ring = _around(images[index : index + 1], *place)[:, _RING]
            alone = 0.05 < np.median(ring) and ring.max() < min(0.25, np.median(ring) + 0.15)
            if alone and min(before, after) >= here / 2:
                found.append((index, *place))
    return found


def spot_contrast(images, row, column):
    """Measure how much brighter a spot is than the ring around it.

    Parameters
    ----------
    images : array of shape (n, height, width, 1)
    row, column : int
        Centre of the spot, at least 7 pixels from the edge.

    Returns
    -------
    ndarray of shape (n,)
        Mean within 1.5 pixels of the centre minus median at 4 to 7 pixels, in grey levels.

    Raises
    ------
    ValueError
        If the spot is too near to the edge.

    Examples
    --------
    >>> images = np.zeros((1, 21, 21, 1)); images[0, 8:13, 8:13] = 0.5
    >>> spot_contrast(images, 10, 10).tolist()
    [0.5]
    """
    around = _around(images, row, column)
    return around[:, _CORE].mean(axis=1) - np.median(around[:, _RING], axis=1)


def _around(images, row, column):
    height, width = images.shape[1:3]
    if not (7 <= row < height - 7 and 7 <= column < width - 7):
        raise ValueError(
            f"row, column: expected a place at least 7 pixels inside {height} x {width} pixels, "
            f"got {row}, {column}"
        )
    return images[:, row - 7 : row + 8, column - 7 : column + 8, 0]


# ------------------------------------------------------------------ the whole comparison


def compare(seed=0, noise_std=NOISE_STD, tuning=TUNING_SLICES):
    """Tune every filter on validation patients, then measure all methods on whole test patients.

    Parameters
    ----------
    seed : int
        Decides the noise.
    noise_std : float
        Standard deviation of the noise in grey levels.
    tuning : slice
        Which slices of each validation patient.

    Returns
    -------
    results : dict of str to dict
        As `measure` returns it.
    parameters : dict of str to dict
        What was chosen for each filter.

    Raises
    ------
    FileNotFoundError
        If the data cannot be fetched.

    Examples
    --------
    >>> results, parameters = compare()  # doctest: +SKIP
    """
    validation, test = load_ct("validation"), load_ct("test")
    noisy_validation = noisy_copies(validation, noise_std, seed)
    clean, noisy = ([images[tuning] for images in both] for both in (validation, noisy_validation))
    filters, searches = tune_filters(clean, noisy, noise_std)
    parameters = {name: best for name, (best, _) in searches.items()}
    slabs = ([images[TUNING_SLAB] for images in both] for both in (validation, noisy_validation))
    parameters["bm4d"], _ = tune(bm4d, grid("bm3d", noise_std), *slabs, widenings=5)
    whole = {
        "unet_25d": pretrained_denoiser("ct_unet_25d"),
        "bm4d": functools.partial(bm4d, **parameters["bm4d"]),
    }
    single = networks()
    single["unet_x8"] = self_ensemble(single["unet"])
    methods = {"noisy": np.asarray, **filters, **single, **whole}
    return measure(methods, test, noisy_copies(test, noise_std, seed)), parameters


def networks():
    """Load the shipped networks that see one slice, under the names of the comparison.

    Returns
    -------
    dict of str to function

    Examples
    --------
    >>> sorted(networks())
    ['conv_autoencoder', 'unet', 'unet_small']
    """
    return {
        "conv_autoencoder": pretrained_denoiser("ct_conv_autoencoder"),
        "unet": pretrained_denoiser("ct_unet"),
        "unet_small": pretrained_denoiser("ct_unet_small"),
    }


def write_results(path, levels, settings):
    """Store one row per noise level, slice and method; lines that start with # hold the settings.

    Parameters
    ----------
    path : str or Path
        A CSV file; its folder is made if need be.
    levels : dict of float to (dict, dict)
        For each standard deviation of the noise the results, as `measure` returns them, and the
        parameters that were chosen for each filter.
    settings : dict of str to value
        How it was measured: seed, versions.

    Examples
    --------
    >>> write_results("comparison.csv", {0.07: compare()}, {"seed": 0})  # doctest: +SKIP
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        file.writelines(f"# {name}: {value}\n" for name, value in settings.items())
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(_COLUMNS)
        for noise_std, (results, parameters) in levels.items():
            for name, result in results.items():
                start = noise_std, name, describe(parameters.get(name, {}))
                patients = zip(result["psnr"], result["ssim"], result["seconds"])
                for patient, values in enumerate(patients):
                    for index, (psnr, ssim, seconds) in enumerate(zip(*values)):
                        numbers = f"{psnr:.4f}", f"{ssim:.5f}", f"{1000 * seconds:.3g}"
                        writer.writerow([*start, patient, index, *numbers])


def read_results(path=RESULTS, noise_std=NOISE_STD):
    """Read one noise level of what `write_results` stored.

    Parameters
    ----------
    path : str or Path
        The CSV file, by default the one that the repository holds.
    noise_std : float
        Standard deviation of the noise in grey levels.

    Returns
    -------
    results : dict of str to dict
        As `measure` returns it.
    parameters : dict of str to str
        What was chosen for each method, as `describe` writes it.
    settings : dict of str to str

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it does not hold the expected columns, or not this noise level.

    Examples
    --------
    >>> len(read_results()[0]["unet"]["psnr"])
    2
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file; `python -m helpers.comparison` makes it")
    lines = path.read_text(encoding="utf-8").splitlines()
    comments = [line[2:].split(": ", 1) for line in lines if line.startswith("# ")]
    table = csv.reader(line for line in lines if not line.startswith("#"))
    if next(table, None) != _COLUMNS:
        raise ValueError(f"{path}: expected the columns {', '.join(_COLUMNS)}")
    rows = list(table)
    stored = sorted({float(row[0]) for row in rows})
    if noise_std not in stored:
        raise ValueError(
            f"noise_std: expected one of {', '.join(map(str, stored))}, which {path.name} holds, "
            f"got {noise_std!r}"
        )
    results, parameters = {}, {}
    for level, name, chosen, patient, _, psnr, ssim, milliseconds in rows:
        if float(level) != noise_std:
            continue
        parameters[name] = chosen
        result = results.setdefault(name, {"psnr": [], "ssim": [], "seconds": []})
        values = float(psnr), float(ssim), float(milliseconds) / 1000
        for measured, value in zip(result.values(), values):
            if int(patient) == len(measured):
                measured.append([])
            measured[-1].append(value)
    for result in results.values():
        result.update({key: list(map(np.array, values)) for key, values in result.items()})
    return results, parameters, dict(comments)


def main(arguments=None):
    """Read the command line, measure everything and store it."""
    parser = argparse.ArgumentParser(
        prog="python -m helpers.comparison",
        description="Measure every method on all slices of the test patients.",
    )
    parser.add_argument("--seed", type=int, default=0, help="decides the noise (default 0)")
    parser.add_argument(
        "--noise-std",
        type=float,
        nargs="+",
        default=LEVELS,
        help="standard deviations of the noise in grey levels "
        f"(default {' '.join(map(str, LEVELS))})",
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=RESULTS,
        help="the CSV file (default helpers/results/comparison.csv)",
    )
    options = parser.parse_args(arguments)
    try:
        levels = {check_number(std, "noise_std", 1e-3, 1): None for std in options.noise_std}
        check_whole(options.seed, "seed", 0)
        options.output.parent.mkdir(parents=True, exist_ok=True)  # before the work, not after it
        options.output.open("a").close()
        for noise_std in levels:
            levels[noise_std] = compare(options.seed, noise_std)
    except (ValueError, OSError) as error:  # bad numbers, a file that cannot be written, no data
        parser.error(str(error))
    versions = [f"{name} {importlib.metadata.version(name)}" for name in _PACKAGES]
    settings = {
        "seed": options.seed,
        "versions": ", ".join([f"Python {platform.python_version()}", *versions]),
    }
    write_results(options.output, levels, settings)
    for noise_std, (results, _) in levels.items():
        print(f"noise std {noise_std:g}\n")
        print(quality_table(summarise(results, "bm3d"), "bm3d", times=True), end="\n\n")


if __name__ == "__main__":
    main()
