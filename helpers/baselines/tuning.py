"""The search for a filter's best parameters, on pairs of clean and noisy images."""

import itertools

import numpy as np

from ..checks import check_patients, check_whole
from ..contract import trusting
from ..metrics import clipped, trusted_psnr
from .registry import three_digits


def tune(denoise_function, denoise_parameters, clean, noisy, *, widenings=0):
    """Try every point of a parameter grid on pairs of images and keep the one with the best PSNR.

    Results are judged as the comparison judges them, cut to [0, 1] (`metrics.clipped`). Tune on validation
    patients, never on those that you report results for.

    Parameters
    ----------
    denoise_function : function
        Takes a noisy batch and keyword parameters, returns a denoised batch.
    denoise_parameters : dict of str to list
        The values to try for each parameter; all combinations are tried.
    clean, noisy : lists of arrays of shape (n, height, width, 1)
        One array per patient, with its noisy counterpart.
    widenings : int
        How many times the grid may grow. It grows where the best value of a numeric parameter is the
        smallest or largest one tried, by one value beyond it: the next of the geometric sequence, or
        of the arithmetic one for whole numbers and next to 0. A value that the filter refuses with
        ValueError is beyond its limits, and dropped.

    Returns
    -------
    best : dict
        The parameters of the best point.
    scores : list of (dict, float)
        Every point tried, in order, with its mean PSNR over all images in dB.

    Raises
    ------
    ValueError
        If the grid is empty, the lists differ in length, their arrays in shape, or `widenings` is no
        whole number of at least 0.

    References
    ----------
    Names as in skimage.restoration.calibrate_denoiser, which does the same without clean images.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> noisy = rng.normal(0.5, 0.1, (1, 32, 32, 1)).astype("float32")
    >>> grey = [np.full_like(noisy, 0.5)]
    >>> tune(lambda noisy, share: noisy * share + 0.5 * (1 - share), {"share": [0, 1]}, grey, [noisy])[0]
    {'share': 0}
    """
    if not denoise_parameters or not all(len(values) for values in denoise_parameters.values()):
        raise ValueError(
            f"denoise_parameters: expected at least one value for each parameter, got {denoise_parameters}"
        )
    clean, noisy = check_patients(clean, noisy)
    names, scores, denoise = list(denoise_parameters), {}, trusting(denoise_function)

    def score(values):
        if values not in scores:
            parameters = dict(zip(names, values))
            images = [clipped(a, denoise(b.copy(), **parameters)) for a, b in zip(clean, noisy)]
            quality = [trusted_psnr(a, denoised) for a, denoised in zip(clean, images)]
            scores[values] = float(np.concatenate(quality).mean())

    def tried():
        return [(dict(zip(names, values)), quality) for values, quality in scores.items()]

    grids = {name: list(values) for name, values in denoise_parameters.items()}
    limits = set()
    for round_ in range(check_whole(widenings, "widenings", 0) + 1):
        for values in itertools.product(*grids.values()):
            score(values)
        best = dict(zip(names, max(scores, key=scores.get)))
        beyond = {name: _beyond(best[name], grids[name]) for name in on_edge(best, tried())}
        beyond = {
            name: v for name, v in beyond.items() if v is not None and (name, v) not in limits
        }
        if round_ == widenings or not beyond:
            break
        for name, value in beyond.items():
            try:
                score(tuple({**best, name: value}.values()))
                grids[name].append(value)
            except ValueError:
                limits.add((name, value))
    return best, tried()


def on_edge(best, scores):
    """Name the numeric parameters whose best value is the smallest or largest one that was tried.

    Parameters
    ----------
    best : dict
    scores : list of (dict, float)
        Both as `tune` returns them.

    Returns
    -------
    list of str
        A parameter with one value only, or with values that are not numbers, has no edge.

    Examples
    --------
    >>> on_edge({"sigma": 2}, [({"sigma": 1}, 20.0), ({"sigma": 2}, 21.0)])
    ['sigma']
    """
    edges = []
    for name, value in best.items():
        values = {parameters[name] for parameters, _ in scores}
        if len(values) > 1 and not isinstance(value, str) and value in (min(values), max(values)):
            edges.append(name)
    return edges


def _beyond(edge, values):
    """Return the next value of a sequence beyond its edge, or None where rounding finds no new one."""
    neighbour = min((value for value in values if value != edge), key=lambda v: abs(v - edge))
    whole = all(isinstance(value, (int, np.integer)) for value in values)
    next_ = edge * edge / neighbour if not whole and edge * neighbour > 0 else 2 * edge - neighbour
    next_ = next_ if whole else three_digits(next_)
    return None if next_ in values else next_
