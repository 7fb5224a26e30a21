"""Scores of networks that are trained with several seeds: their file, their means, and their table.

The file has one row per noise, method, seed and slice, with the PSNR in dB.
"""

import csv

import numpy as np

from .results import stored_lines
from .tables import markdown_table

COLUMNS = ["noise", "method", "seed", "patient", "slice", "psnr_db"]


def rows_of(job, measured):
    """Write the scores of one method with one seed as rows of the file.

    >>> rows_of(("white", "sure", 0), [[30.0, 31.5]])
    ['white,sure,0,0,0,30.0000', 'white,sure,0,0,1,31.5000']
    """
    noise, name, seed = job
    return [
        f"{noise},{name},{seed},{patient},{index},{value:.4f}"
        for patient, values in enumerate(measured)
        for index, value in enumerate(values)
    ]


def parsed(lines):
    """Read rows, behind their header: {(noise, method, seed): [one array per patient]}.

    >>> list(parsed([",".join(COLUMNS), "white,sure,0,0,0,30.0000"]))
    [('white', 'sure', 0)]
    """
    found = {}
    for row in csv.DictReader(line for line in lines if not line.startswith("#")):
        patients = found.setdefault((row["noise"], row["method"], int(row["seed"])), {})
        patients.setdefault(int(row["patient"]), []).append(float(row["psnr_db"]))
    return {job: [np.array(v) for v in patients.values()] for job, patients in found.items()}


def stored_jobs(path, jobs, command):
    """Read a stored file, and see that it is complete.

    Parameters
    ----------
    path : str or Path
    jobs : list of (str, str, int)
        Noise, method and seed of all that it must hold, in this order.
    command : str
        What makes it, for messages.

    Returns
    -------
    dict of (str, str, int) to list of arrays of shape (n,)
        For each job, the PSNR in dB of the n slices of each patient: the same slices for all.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it holds other jobs, or other slices for one than for another, or is damaged; the message names it.

    Examples
    --------
    >>> found = stored_jobs("helpers/results/peer.csv", jobs, "python -m helpers.comparison.peer")  # doctest: +SKIP
    >>> [psnr.shape for psnr in found["white", "careamics", 0]]  # doctest: +SKIP
    [(46,), (56,)]
    """
    try:
        found = parsed(stored_lines(path, command))
        sizes = {tuple(map(len, patients)) for patients in found.values()}
        if list(found) != jobs or len(sizes) != 1:
            raise ValueError
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{path}: expected all methods with all seeds; `{command}` makes it anew"
        ) from error
    return found


def means_of_seeds(results):
    """Average scores over the slices of all patients, seed by seed.

    Parameters
    ----------
    results : dict of str to (dict of str to dict)
        For each noise and method the scores of each seed, one array per patient, as
        `without_clean.read_without_clean` returns them.

    Returns
    -------
    dict of str to (dict of str to ndarray)
        For each noise and method the mean of each seed, of shape (seeds,), in the order of the seeds.

    Examples
    --------
    >>> of_sure = {0: [np.array([30.0, 31.0]), np.array([32.0])], 1: [np.array([33.0]), np.array([34.0])]}
    >>> means_of_seeds({"white": {"sure": of_sure}})
    {'white': {'sure': array([31. , 33.5])}}
    """
    return {
        noise: {
            name: np.array([np.concatenate(patients).mean() for patients in seeds.values()])
            for name, seeds in methods.items()
        }
        for noise, methods in results.items()
    }


def seeds_table(results, labels, reference):
    """Write scores as a Markdown table, one row per method: mean PSNR, and what it lacks to a reference.

    Parameters
    ----------
    results : dict of str to (dict of str to dict)
        As `means_of_seeds` takes it, PSNR in dB. In each noise the reference is what the others are compared with, seed
        by seed; one of the two may have a single seed, such as -1 where nothing was trained.
    labels : dict of str to str
        How the table calls each method.
    reference : str
        The method that the differences refer to.

    Returns
    -------
    str
        For each noise the mean over slices and seeds, and its difference to the reference; in brackets the lowest and
        the highest of the seeds. Sorted by the last noise, best on top.

    Raises
    ------
    KeyError
        If a noise lacks the reference, or a method has no label.
    ValueError
        If a method has several seeds, and not those of the reference.

    Examples
    --------
    >>> clean = {seed: [np.array([32.0 + seed])] for seed in (0, 1, 2)}
    >>> results = {"white": {"noisy": {-1: [np.array([23.0])]}, "clean": clean}}
    >>> print(seeds_table(results, {"noisy": "noisy input", "clean": "clean targets"}, "clean"))
    | method | white, dB | to clean targets, dB |
    | :--- | ---: | ---: |
    | clean targets | 33.00 (32.00 to 34.00) | |
    | noisy input | 23.00 | -10.00 (-11.00 to -9.00) |
    """
    columns, header = [], ["method"]
    for noise, means in means_of_seeds(results).items():
        header += [f"{noise}, dB", f"to {labels[reference]}, dB"]
        _check_seeds(noise, results[noise], reference)
        columns.append({name: _mean_and_gap(own, means[reference]) for name, own in means.items()})
    names = dict.fromkeys(name for column in reversed(columns) for name in column)
    names = sorted(names, key=lambda name: -columns[-1].get(name, (-np.inf,))[0])
    rows = [
        [labels[name], *(x for c in columns for x in c.get(name, ("",) * 3)[1:])] for name in names
    ]
    return markdown_table(header, rows)


def _check_seeds(noise, methods, reference):
    """Raise ValueError where scores cannot be compared seed by seed."""
    wanted = [*methods[reference]]
    for name, seeds in methods.items():
        if [*seeds] != wanted and 1 not in (len(seeds), len(wanted)):
            raise ValueError(
                f"results: expected for {name}, {noise}, the seeds of {reference}, {wanted}, got {[*seeds]}"
            )


def _mean_and_gap(own, reference):
    """Return a method's mean over its seeds, and as text the same and its difference to the reference of the same seeds."""
    text, gaps = f"{own.mean():.2f}", own - reference
    if len(own) > 1:
        text += f" ({own.min():.2f} to {own.max():.2f})"
    gap = f"{gaps.mean():+.2f} ({gaps.min():+.2f} to {gaps.max():+.2f})"
    return own.mean(), text, "" if own is reference else gap
