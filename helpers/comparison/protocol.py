"""The fair comparison of the notebook 04_baseline_comparison, piece by piece and as a whole.

The command `python -m helpers.comparison` runs all of it at three levels of noise and stores the results. The
notebook runs all but the slow filters at one level, and reads the stored results of those.
"""

import functools
import time

import numpy as np

from ..baselines import BASELINES, grid, tune
from ..checks import check_patients
from ..contract import About, about, checked, trusting
from ..metrics import BLOCK, bootstrap_interval, clipped, trusted_psnr, trusted_ssim
from ..models import pretrained_denoiser, self_ensemble, shipped
from ..noise import add_gaussian_noise
from ..progress import ProgressLine
from .results import machine, packages
from .tables import parameters_as_text

STD = 0.07
STDS = (0.03, STD, 0.12)
TUNING_SLICES = slice(10, None, 20)  # of each validation patient: 5 slices in all
TUNING_SLAB = slice(20, 30)  # of each validation patient: neighbours, for filters of volumes
_WARM_UP = 16  # slices that a method of volumes gets before the clock; one of slices gets one

MEASURES = {
    "psnr": trusted_psnr,
    "ssim": trusted_ssim,
}  # of clean and denoised images, one value each

do_nothing = checked(lambda noisy: noisy, About("noisy input"))

# Methods that are made of a shipped network: name -> (the network, how). In a scanner's noise they are not measured.
DERIVED = {"ct_unet_x8": ("ct_unet", self_ensemble)}


def all_methods(*, with_volumes=True):
    """Name the methods of the comparison: do nothing, the filters, the shipped networks, and those of `DERIVED`.

    Parameters
    ----------
    with_volumes : bool
        With those that see a volume, or without.

    Returns
    -------
    list of str

    Examples
    --------
    >>> {"bm4d", "ct_unet_25d"} <= set(all_methods()) - set(all_methods(with_volumes=False))
    True
    """
    names = ["noisy", *BASELINES, *shipped()]
    volumes = [] if with_volumes else [*filters(volume=True), *networks(volume=True)]
    names = [name for name in names if name not in volumes]
    return [*names, *(name for name, (network, _) in DERIVED.items() if network in names)]


def filters(*, volume=False):
    """Return the filters of `baselines.BASELINES` that see one slice, or those that see a volume.

    Parameters
    ----------
    volume : bool
        Which of the two.

    Returns
    -------
    dict of str to function

    Examples
    --------
    >>> list(filters(volume=True))
    ['bm4d']
    """
    return {name: filter_ for name, filter_ in BASELINES.items() if about(filter_).volume == volume}


def networks(*, volume=False):
    """Load the shipped networks that see one slice, or those that see a volume: as `filters`.

    Examples
    --------
    >>> "ct_unet" in networks(), "ct_unet_25d" in networks()
    (True, False)
    """
    loaded = {name: pretrained_denoiser(name) for name in shipped()}
    return {name: denoiser for name, denoiser in loaded.items() if about(denoiser).volume == volume}


def derived(networks):
    """Make the methods of `DERIVED` whose network is there.

    Parameters
    ----------
    networks : dict of str to function
        As `networks` returns them; other denoisers may be among them.

    Returns
    -------
    dict of str to function

    Examples
    --------
    >>> about(derived({"ct_unet": do_nothing})["ct_unet_x8"]).label
    'noisy input, 8 views'
    """
    return {
        name: make(networks[network])
        for name, (network, make) in DERIVED.items()
        if network in networks
    }


def noisy_copies(patients, std=STD, *, seed=0):
    """Add Gaussian noise, not clipped, to the slices of several patients.

    The noise of a slice depends on nothing but the arguments, so every method gets the same images.

    Parameters
    ----------
    patients : list of arrays of shape (n, height, width, 1)
        Clean slices in [0, 1].
    std : float
        Standard deviation of the noise in grey levels.
    seed : int
        Decides the noise.

    Returns
    -------
    list of arrays of the same shapes, float32

    Raises
    ------
    ValueError
        If a patient is no batch in [0, 1], or `std` is negative.

    Examples
    --------
    >>> noisy_copies([np.zeros((2, 8, 8, 1))])[0].shape
    (2, 8, 8, 1)
    """
    rng = np.random.default_rng(seed)
    return [add_gaussian_noise(images, std, rng) for images in patients]


def tune_filters(clean, noisy, *, std=STD, names=None, widenings=5, instead=None):
    """Search the parameters of filters on validation patients.

    Parameters
    ----------
    clean, noisy : lists of arrays of shape (n, height, width, 1)
        One array per validation patient, with its noisy counterpart.
    std : float
        Standard deviation of the noise, to which the grids are moved.
    names : sequence of str, optional
        Which of `baselines.BASELINES`; by default all that see one slice.
    widenings : int
        How many times a grid may grow; see `baselines.tune`.
    instead : dict of str to (function, dict), optional
        Filters that take the place of those in `BASELINES`, each with its grid.

    Returns
    -------
    denoisers : dict of str to function
        Each filter with its best parameters.
    searches : dict of str to (dict, list)
        What `baselines.tune` returned: the best parameters, and the score of every point tried.

    Raises
    ------
    ValueError
        If a name is unknown, the lists differ in length, or their arrays in shape.

    Examples
    --------
    >>> clean = [np.zeros((1, 16, 16, 1), "float32")]
    >>> denoisers, searches = tune_filters(clean, noisy_copies(clean), names=["average"])
    >>> denoisers["average"].keywords["ksize"] > 3  # nothing but noise here: the wider the better
    True
    """
    denoisers, searches = {}, {}
    with ProgressLine() as line:
        for name in filters() if names is None else names:
            line.update(f"tuning {name}")
            filter_, values = (instead or {}).get(name) or (BASELINES[name], grid(name, std))
            searches[name] = tune(filter_, values, clean, noisy, widenings=widenings)
            denoisers[name] = functools.partial(filter_, **searches[name][0])
    return denoisers, searches


def measure(denoisers, clean, noisy, *, measures=MEASURES):
    """Measure quality and time of several denoisers on the same images.

    A denoiser of single slices gets one slice per call, one of volumes all slices of a patient. What each
    of them is, its record tells (`contract.About`); a plain function counts as one of single slices. What
    they return is cut to [0, 1], as the clean slices are, whoever made it (`metrics.clipped`).

    Parameters
    ----------
    denoisers : dict of str to function
        From a noisy batch to a denoised one.
    clean, noisy : lists of arrays of shape (n, height, width, 1)
        One array per patient, with its noisy counterpart; whole patients, for those that need them.
    measures : dict of str to function
        Of clean and denoised images, float32 in [0, 1], each returns one value per image.

    Returns
    -------
    dict of str to dict
        For each denoiser its record "about", and the measures, by default "psnr" (dB) and "ssim", and "seconds"
        (per slice, the patient's average): lists with one array of shape (n,) per patient. One call for each
        patient goes before the clock, as networks are compiled for each size of image.

    Raises
    ------
    ValueError
        If the lists differ in length or their arrays in shape, or a denoiser returns another shape.

    Examples
    --------
    >>> clean = [np.zeros((2, 8, 8, 1))]
    >>> measure({"nothing": lambda noisy: noisy}, clean, clean)["nothing"]["ssim"][0].tolist()
    [1.0, 1.0]
    """
    patients = list(zip(*check_patients(clean, noisy)))
    results = {}
    with ProgressLine() as line:
        for name, denoiser in denoisers.items():
            line.update(f"measuring {name}")
            known, denoise = about(denoiser, name), trusting(denoiser)
            call = denoise if known.volume else functools.partial(_slice_by_slice, denoise)
            entry = results[name] = {key: [] for key in (*measures, "seconds")}
            entry["about"] = known
            for a, b in patients:
                images = b.copy()  # a function of somebody's own may write into its input
                call(b[: _WARM_UP if known.volume else 1].copy())
                start = time.perf_counter()
                denoised = call(images)
                seconds = (time.perf_counter() - start) / len(b)
                denoised = clipped(a, denoised)
                for key, value in measures.items():
                    entry[key].append(value(a, denoised))
                entry["seconds"].append(np.full(len(b), seconds))
    return results


def _slice_by_slice(denoise, noisy):
    return np.concatenate([denoise(noisy[i : i + 1]) for i in range(len(noisy))])


def summarise(results, reference, *, seed=0):
    """Average over slices, with 95 % bootstrap intervals and paired differences to one method.

    Neighbouring slices are alike, so the bootstrap draws blocks of them (`metrics.BLOCK`) within each patient.

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
        "about"; "psnr", "ssim", "difference" (dB): (mean, low, high); "patients": the mean difference of each
        patient (dB); "seconds", the mean per slice, where they were measured on the machine of the reference.

    Raises
    ------
    ValueError
        If the reference is not among the results.

    References
    ----------
    `metrics.bootstrap_interval`.

    Examples
    --------
    >>> clean = [np.zeros((2, 8, 8, 1))]
    >>> results = measure({"brighter": lambda noisy: noisy + 0.1}, clean, clean)
    >>> summarise(results, "brighter")["brighter"]["psnr"]
    (20.0, 20.0, 20.0)
    """
    if reference not in results:
        raise ValueError(f"reference: expected one of {', '.join(results)}, got {reference!r}")

    def interval(values):
        mean = float(np.concatenate(values).mean())
        return mean, *bootstrap_interval(values, np.random.default_rng(seed), block=BLOCK)

    summary = {}
    for name, entry in results.items():
        pairs = zip(entry["psnr"], results[reference]["psnr"])
        differences = [ours - theirs for ours, theirs in pairs]
        summary[name] = {
            "about": entry["about"],
            "psnr": interval(entry["psnr"]),
            "ssim": interval(entry["ssim"]),
            "difference": interval(differences),
            "patients": [float(patient.mean()) for patient in differences],
        }
        if "seconds" in entry and entry.get("machine") == results[reference].get("machine"):
            summary[name]["seconds"] = float(np.concatenate(entry["seconds"]).mean())
    return summary


def compare(validation, images, *, std=STD, seed=0, methods=None):
    """Tune every filter on validation patients, then measure methods on other images.

    Filters of single slices are tuned on `TUNING_SLICES`, those of volumes on the `TUNING_SLAB` of each
    patient.

    Parameters
    ----------
    validation : list of arrays of shape (n, height, width, 1)
        Clean slices in [0, 1], one array per patient, all slices in order.
    images : list of arrays of shape (n, height, width, 1)
        What is measured: the test patients, likewise, or groups of other images.
    std : float
        Standard deviation of the noise in grey levels.
    seed : int
        Decides the noise.
    methods : sequence of str, optional
        Some of `all_methods`; by default all.

    Returns
    -------
    dict of str to dict
        As `measure` returns it, and as texts under "parameters" what was chosen for each filter, under
        "machine" and "packages" where it was measured.

    Raises
    ------
    ValueError
        If a patient is no batch in [0, 1], `std` not above 0, or a method unknown.

    Examples
    --------
    >>> from helpers.data import load_ct
    >>> results = compare(load_ct("validation"), load_ct("test"))  # doctest: +SKIP
    """
    names = all_methods() if methods is None else check_methods(methods, all_methods())
    before, after = (noisy_copies(patients, std, seed=seed) for patients in (validation, images))
    return compare_copies(names, (validation, before), (images, after), std=std)


def compare_copies(names, validation, images, *, std, instead=None, measures=MEASURES):
    """Do what `compare` does, with noise that is there already.

    Parameters
    ----------
    names : sequence of str
        Some of `all_methods`.
    validation, images : (list, list)
        Clean and noisy slices, as `measure` takes them: to tune on, and to measure.
    std : float
        Strength of the noise in grey levels, above 0, to which the grids are moved.
    instead, measures
        As for `tune_filters` and `measure`.

    Returns
    -------
    dict of str to dict
        As `compare` returns it, in the order of the names.

    Raises
    ------
    KeyError
        If a method is unknown.
    ValueError
        If clean and noisy slices differ in number or shape, or `std` is not above 0 where a filter is tuned.

    Examples
    --------
    >>> clean = [np.full((1, 16, 16, 1), 0.5, "float32")]
    >>> list(compare_copies(["noisy"], (clean, clean), (clean, clean), std=0.07))
    ['noisy']
    """
    denoisers, chosen = {"noisy": do_nothing}, {}
    for volume, part in ((False, TUNING_SLICES), (True, TUNING_SLAB)):
        wanted = [name for name in filters(volume=volume) if name in names]
        pair = ([patient[part] for patient in both] for both in validation)
        tuned, searches = tune_filters(*pair, std=std, names=wanted, instead=instead)
        denoisers |= tuned
        chosen |= {name: parameters_as_text(best) for name, (best, _) in searches.items()}
    loaded = {*names, *(DERIVED[name][0] for name in names if name in DERIVED)}
    denoisers |= {name: pretrained_denoiser(name) for name in shipped() if name in loaded}
    denoisers |= derived(denoisers)
    denoisers = {name: denoisers[name] for name in names}
    results = measure(denoisers, *images, measures=measures)
    for name, entry in results.items():
        entry["parameters"] = chosen.get(name, "")
        entry |= {"machine": machine(), "packages": packages()}
    return results


def check_methods(methods, known):
    """Return names of methods as they are, or raise ValueError, which lists the known ones.

    >>> check_methods(["bm3d"], ["noisy", "bm3d"])
    ['bm3d']
    """
    unknown = [name for name in methods if name not in known]
    if unknown:
        raise ValueError(f"methods: expected some of {', '.join(known)}, got {unknown[0]!r}")
    return methods
