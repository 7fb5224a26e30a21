"""What takes long to compute from the samples, and is kept in the cache folder: projections, and noise."""

import hashlib
import os
import time

import numpy as np

from ..checks import check_whole
from ..noise import BODY_MM, WATER, ct_noise, project
from ..progress import ProgressLine
from ..replaced import UNFINISHED
from .patches import resized
from .samples import CT_MEMBERS, CT_PIXEL_MM, load_ct_hu
from .wheels import PINS, cache_folder

# The noise bank: every fourth slice, shrunk; its middle, and a crop of it, not too near the rim, in a body of water (in pixels).
STEP, SCALE, MIDDLE, CROP, RIM = 4, 0.7, 240, 180, 60
PHOTONS = (1e4, 1e6)  # per reading, the logarithm drawn uniformly
BODIES_MM = ((280, 400), (200, 300))  # axes of the body of water, across and along
DRAWS = 6  # of the noise of each slice
# What kept arrays depend on beside the numbers above: change it with `noise.project`, `noise.ct_noise` and `resized`.
_SIMULATION = ("radon of scikit-image, 1.04 times the body", WATER)


def kept(name, made_of, count, make):
    """Return arrays from the cache folder; those that are not there yet are made and kept.

    Each array has a file of its own, which appears when it is complete: a run that was stopped goes on where
    it was, and a damaged file is made anew.

    Parameters
    ----------
    name : str
        Of the folder, and on the progress line.
    made_of : object
        Whatever the arrays depend on, with a repr that tells it; what was kept for another is left alone.
    count : int
        How many arrays there are.
    make : function
        make(number) -> ndarray.

    Returns
    -------
    list of ndarray

    Raises
    ------
    OSError
        If the folder cannot be made, or a file not be written.

    Examples
    --------
    >>> kept("squares", "n * n", 3, lambda number: np.array(number**2))[2]
    array(4)
    """
    digest = hashlib.sha256(repr(made_of).encode()).hexdigest()[:12]
    folder = cache_folder() / "banks" / f"{name}-{digest}"
    folder.mkdir(parents=True, exist_ok=True)
    arrays = []
    for left_over in folder.glob(f"*{UNFINISHED}"):  # of a process that was killed
        if time.time() - left_over.stat().st_mtime > 3600:
            left_over.unlink(missing_ok=True)
    with ProgressLine() as line:
        for number in range(count):
            path = folder / f"{number}.npz"
            array = _read(path)
            if array is None:
                line.update(f"{name}: {number + 1} of {count} (only this once)")
                array = np.asarray(make(number))
                # Under a name of its own, as several processes may make the same array at a time.
                unfinished = path.with_suffix(f".{os.getpid()}{UNFINISHED}")
                with unfinished.open("wb") as file:
                    np.savez(file, array=array)
                unfinished.replace(path)
            arrays.append(array)
    return arrays


def _read(path):
    """Return a kept array, or None where there is none, or a damaged one; the zip archive has check sums."""
    try:
        with np.load(path) as archive:
            return archive["array"]
    except Exception:  # a damaged file fails in zipfile, zlib or numpy, in many ways
        return None


def pin_of(split):
    """Return what tells the wheel that holds the patients of a split from any other version of it.

    What is kept of these patients depends on it. `split` is "train", "validation" or "test"; another raises KeyError.

    >>> pin_of("test") == PINS["pycerr"]
    True
    """
    return PINS[CT_MEMBERS[split][0]]


def ct_sinograms(split, *, first=None):
    """Project the slices of `load_ct`'s validation or test patients, as crops in a body of water (`BODY_MM`).

    They are crops of the lung. Placed in the middle of an ellipse of water of 350 x 250 mm, the paths of the rays
    are as long as through a chest.

    Parameters
    ----------
    split : {"validation", "test"}
    first : int, optional
        Only so many slices of each patient, from the feet; by default all.

    Returns
    -------
    list of (sinograms, shape)
        One pair per patient, as `noise.project` returns it, for `noise.ct_noise`; the pixel size is
        `CT_PIXEL_MM` of the split. 0.6 s a slice the first time, kept in the cache folder from then on.

    Raises
    ------
    ValueError
        If `split` is another, or `first` no whole number of at least 1.
    FileNotFoundError, OSError
        As `load_ct`, and if the cache cannot be written.

    Examples
    --------
    >>> [shape for _, shape in ct_sinograms("test", first=1)]
    [(137, 136), (172, 178)]
    """
    if split not in ("validation", "test"):
        raise ValueError(f"split: expected validation or test, got {split!r}")
    first = None if first is None else check_whole(first, "first", 1)
    projected = []
    for number, volume in enumerate(load_ct_hu(split)):
        made_of = pin_of(split), split, number
        name = f"projections of {split} patient {number + 1}"
        projected.append(kept_projections(name, made_of, volume[:first], CT_PIXEL_MM[split]))
    return projected


def kept_projections(name, made_of, hu, pixel_mm):
    """Project slices, as crops in a body of water (`BODY_MM`), and keep the projections in the cache folder.

    Parameters
    ----------
    name : str
        Of the folder, and on the progress line.
    made_of : tuple
        What the slices depend on.
    hu : array of shape (n, height, width)
        Slices in Hounsfield units.
    pixel_mm : float
        Edge of a pixel.

    Returns
    -------
    (sinograms, shape)
        As `noise.project` returns it.

    Examples
    --------
    >>> water = np.zeros((1, 32, 32))
    >>> kept_projections("projections of water", ("zeros",), water, 4.0)[1]  # doctest: +SKIP
    (32, 32)
    """

    def one(index):
        return project(hu[index : index + 1], pixel_mm, body=BODY_MM)[0][0]

    made_of = "projections", *made_of, pixel_mm, BODY_MM, _SIMULATION
    return np.stack(kept(name, made_of, len(hu), one)), hu.shape[1:]


def ct_noise_bank():
    """Draw noise of the training patient's scan, at many doses, for a network to learn from.

    Every fourth slice is shrunk to pixels of 1.0 mm. Half of the bank is the noise in its middle, 240 x 240 pixels;
    half that of a crop of it, 180 x 180 pixels, in an ellipse of water, 280 to 400 mm across and 200 to 300 mm
    along, as the validation and test patients are crops. The kernel is the ramp, the sharpest; a smoother one
    multiplies the spectrum by a function of frequency alone, also afterwards (`noise.kernel_response`). Photons per
    reading are drawn from 1e4 to 1e6, one number for each slice.

    Returns
    -------
    list of arrays of shape (6, height, width), float32
        Six draws of the noise of one slice, in units of their standard deviation, to three digits. About 2 minutes
        the first time, kept in the cache folder from then on (35 MB).

    Raises
    ------
    FileNotFoundError, OSError
        As `load_ct`, and if the cache cannot be written.

    Examples
    --------
    >>> bank = ct_noise_bank()  # doctest: +SKIP
    >>> len(bank), bank[0].shape, bank[1].shape  # doctest: +SKIP
    (66, (6, 240, 240), (6, 180, 180))
    """
    pixel = CT_PIXEL_MM["train"] / SCALE
    (volume,) = load_ct_hu("train")
    slices = volume[STEP // 2 :: STEP]
    numbers = STEP, SCALE, MIDDLE, CROP, RIM, PHOTONS, BODIES_MM, DRAWS
    made_of = "noise", pin_of("train"), pixel, numbers, _SIMULATION

    def draw(number):
        rng = np.random.default_rng(number)
        index, is_crop = divmod(number, 2)
        image, body, edge = resized(slices[index : index + 1], SCALE), None, MIDDLE
        if is_crop:
            edge = CROP
            top, left = (rng.integers(RIM, length - edge - RIM) for length in image.shape[1:])
            image = image[:, top : top + edge, left : left + edge]
            body = tuple(rng.uniform(*axis) for axis in BODIES_MM)
        sinograms, _ = project(image, pixel, body=body)
        photons = np.exp(rng.uniform(*np.log(PHOTONS)))
        repeated = np.repeat(sinograms, DRAWS, axis=0)
        noise = ct_noise(repeated, (edge, edge), pixel, photons, rng, kernel="ramp")
        return (noise / noise.std()).astype(np.float16)

    bank = kept("noise of a scan", made_of, 2 * len(slices), draw)
    return [noise.astype(np.float32) for noise in bank]
