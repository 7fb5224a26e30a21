"""The filters that there are: `BASELINES`, how a filter enters it, and the grid of each."""

import importlib.metadata

from ..checks import check_number
from ..contract import About, checked

BASELINES = {}  # the name of each filter, and the filter
GRID_STD = 0.07  # grids are written for noise of this strength; each value is one that a person might choose


def baseline(label, source, *, grey_levels=None, others=None, neighbours=0, told_std=False):
    """Enter a function into `BASELINES`, as a filter that checks its batch once: a decorator.

    Parameters
    ----------
    label, source : str
        Its name in tables, and the package on the Python package index that it comes from.
    grey_levels : dict of str to list
        Values to try, at noise of 0.07, for parameters in grey levels, which grow with the noise.
    others : dict of str to list
        Values to try for parameters that do not: they count pixels, or are names.
    neighbours : int or None
        How many slices it looks at on each side, at least 0; None for all of a patient, as in `contract.About`.
    told_std : bool
        True if it is told the standard deviation of the noise, as in `contract.About`.

    Returns
    -------
    function
        Of a function, it returns the filter that takes its place: its input is checked (`contract.checked`), and
        `about`, `grey_levels` and `others` are attributes of it.

    Raises
    ------
    ValueError
        If `neighbours` is neither None nor a whole number of at least 0.

    Examples
    --------
    >>> @baseline("brighter", "numpy", grey_levels={"step": [0.1, 0.2]})
    ... def brighter(noisy, *, step=0.1):
    ...     return noisy + step
    >>> BASELINES.pop("brighter").about.label
    'brighter'
    """

    def enter(function):
        known = About(label, neighbours, told_std, source, installed_version(source))
        filter_ = checked(function, known)
        filter_.grey_levels, filter_.others = grey_levels or {}, others or {}
        BASELINES[function.__name__] = filter_
        return filter_

    return enter


def grid(name, std):
    """Return the grid of a filter, moved to noise of a given strength.

    Parameters
    ----------
    name : str
        A key of `BASELINES`.
    std : float
        Standard deviation of the noise in grey levels, above 0.

    Returns
    -------
    dict of str to list
        For `tune`: parameters in grey levels are scaled by std / 0.07, the others stay.

    Raises
    ------
    ValueError
        If the name is unknown, or `std` is not above 0.

    Examples
    --------
    >>> grid("bm3d", 0.14)
    {'std': [0.12, 0.14, 0.16]}
    """
    if name not in BASELINES:
        raise ValueError(f"name: expected one of {', '.join(BASELINES)}, got {name!r}")
    factor = check_number(std, "std", 1e-6) / GRID_STD
    scaled = {
        parameter: [three_digits(value * factor) for value in values]
        for parameter, values in BASELINES[name].grey_levels.items()
    }
    return scaled | {
        parameter: list(values) for parameter, values in BASELINES[name].others.items()
    }


def installed_version(package):
    """Return the version of an installed package, or "" where it goes by another name.

    >>> installed_version("no such package")
    ''
    """
    try:
        return importlib.metadata.version(package)
    except (importlib.metadata.PackageNotFoundError, ValueError):  # or opencv-python-headless
        return ""


def three_digits(value):
    """Round to three significant digits, so that grids read well."""
    return float(f"{value:.3g}")
