"""Results, summaries and searches as Markdown tables."""

import re

import numpy as np

from ..baselines import BASELINES
from ..contract import about
from ..hounsfield import WINDOW_WIDTH
from ..metrics import BLOCK, bootstrap_interval
from .observer import detectability, detectability_interval


def quality_table(summary, reference, *, times=False):
    """Write a summary as a Markdown table, best PSNR on top.

    Parameters
    ----------
    summary : dict of str to dict
        As `summarise` returns it.
    reference : str
        The method that the differences refer to.
    times : bool
        Add a column with the time per slice, where it was measured on the machine of the reference. Times differ from
        run to run.

    Returns
    -------
    str

    Raises
    ------
    KeyError
        If the reference is not in the summary.

    Examples
    --------
    >>> from helpers.contract import About
    >>> row = {"psnr": (20, 19, 21), "ssim": (0.5, 0.4, 0.6), "difference": (0, 0, 0), "patients": [0, 0]}
    >>> print(quality_table({"bm3d": {"about": About("BM3D"), **row}}, "bm3d"))
    | method | PSNR, dB | SSIM | difference to BM3D, dB | each patient |
    | :--- | ---: | ---: | ---: | ---: |
    | BM3D | 20.00 (19.00 to 21.00) | 0.500 (0.400 to 0.600) | | |
    """
    difference_to = f"difference to {_label(summary, reference)}, dB"
    header = ["method", "PSNR, dB", "SSIM", difference_to, "each patient"]
    header += ["time per slice, ms"] * times
    rows = []
    for name in sorted(summary, key=lambda name: -summary[name]["psnr"][0]):
        entry = summary[name]
        difference = "{} ({} to {})".format(*map(_decibels, entry["difference"]))
        cells = [
            _label(summary, name),
            "{:.2f} ({:.2f} to {:.2f})".format(*entry["psnr"]),
            "{:.3f} ({:.3f} to {:.3f})".format(*entry["ssim"]),
            "" if name == reference else difference,
            "" if name == reference else _signed(entry["patients"]),
        ]
        time = f"{1000 * entry['seconds']:,.1f}" if "seconds" in entry else ""
        rows.append(cells + [time] * times)
    return markdown_table(header, rows)


def lead_table(levels, method="ct_unet", *, reference="bm3d"):
    """Write a Markdown table of one method's lead over another at several levels of noise.

    Parameters
    ----------
    levels : dict of float or str to (dict of str to dict)
        For each standard deviation of white noise, or the name of each scan, what `measure` returned.
    method, reference : str
        Which two methods.

    Returns
    -------
    str
        One row per level: both mean PSNRs, the mean of the slices' differences with its 95 % interval, as
        `protocol.summarise` makes it, the mean of each patient, the share of slices on which the method is ahead,
        and both mean SSIMs.

    Raises
    ------
    KeyError
        If one of the two was not measured at a level.
    ValueError
        If there is no level.

    Examples
    --------
    >>> from helpers.contract import About
    >>> ours = {"psnr": [np.array([33.0, 31.0])], "ssim": [np.array([0.9, 0.9])]}
    >>> theirs = {"psnr": [np.array([32.0, 31.5])], "ssim": [np.array([0.8, 0.9])]}
    >>> results = {"ct_unet": {"about": About("U-Net"), **ours}, "bm3d": {"about": About("BM3D"), **theirs}}
    >>> print(lead_table({0.07: results}))
    | noise std | BM3D, dB | U-Net, dB | lead, dB | each patient | slices won | BM3D, SSIM | U-Net, SSIM |
    | :--- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
    | 0.07 | 31.75 | 32.00 | +0.25 (-0.50 to +1.00) | +0.25 | 50 % | 0.850 | 0.900 |
    """
    if not levels:
        raise ValueError("levels: expected at least one level of noise")
    rows = []
    for level, results in levels.items():
        ours, theirs = _label(results, method), _label(results, reference)
        psnrs, ssims = (
            [np.concatenate(results[name][measure]) for name in (reference, method)]
            for measure in ("psnr", "ssim")
        )
        leads = [a - b for a, b in _pairs(results, method, reference)]
        lead = np.concatenate(leads)
        interval = bootstrap_interval(leads, np.random.default_rng(0), block=BLOCK)
        rows.append(
            [level if isinstance(level, str) else f"{level:g}"]
            + [f"{values.mean():.2f}" for values in psnrs]
            + ["{} ({} to {})".format(*map(_decibels, (lead.mean(), *interval)))]
            + [_signed(map(np.mean, leads)), f"{100 * (lead > 0).mean():.0f} %"]
            + [f"{values.mean():.3f}" for values in ssims]
        )
    header = [
        "scan" if isinstance(level, str) else "noise std",
        f"{theirs}, dB",
        f"{ours}, dB",
        "lead, dB",
        "each patient",
        "slices won",
    ]
    return markdown_table([*header, f"{theirs}, SSIM", f"{ours}, SSIM"], rows)


def scan_table(levels, noise_hu, methods, *, value=None, digits=2):
    """Write a Markdown table of several methods' means in the noise of several scans.

    Parameters
    ----------
    levels : dict of str to (dict of str to dict)
        For each scan what `scanner.compare_scan` returned.
    noise_hu : dict of str to float
        For each scan the standard deviation of its noise in HU, as `results.read_results` returns it.
    methods : sequence of str
        Which methods, one column each.
    value : function, optional
        Of the results of a method, returns its values per patient; by default the PSNR in dB. `rmse_hu` is
        another.
    digits : int
        After the decimal point.

    Returns
    -------
    str
        One row per scan, and a last one with the mean of all.

    Raises
    ------
    KeyError
        If a method was not measured, or `noise_hu` lacks a scan.
    ValueError
        If there is no scan.

    Examples
    --------
    >>> from helpers.contract import About
    >>> results = {"bm3d": {"about": About("BM3D"), "psnr": [np.array([33.0]), np.array([31.0, 32.0])]}}
    >>> print(scan_table({"ramp": results}, {"ramp": 96.2}, ["bm3d"]))
    | scan | noise, HU | BM3D |
    | :--- | ---: | ---: |
    | ramp | 96 | 32.00 |
    | mean | | 32.00 |
    """
    if not levels:
        raise ValueError("levels: expected at least one scan")
    value = value or (lambda entry: entry["psnr"])
    rows, means = [], []
    for name, results in levels.items():
        means.append([np.concatenate(value(results[method])).mean() for method in methods])
        labels = [_label(results, method) for method in methods]
        rows.append([name, f"{noise_hu[name]:.0f}", *(f"{m:.{digits}f}" for m in means[-1])])
    rows.append(["mean", "", *(f"{m:.{digits}f}" for m in np.mean(means, axis=0))])
    return markdown_table(["scan", "noise, HU", *labels], rows)


def rmse_hu(entry):
    """Return the root of the mean squared error of each slice in HU.

    Parameters
    ----------
    entry : dict
        The results of a method, with "psnr" in dB, one array per patient.

    Returns
    -------
    list of ndarray
        Within the window: 1400 HU (`hounsfield.WINDOW_WIDTH`) times 10^(-PSNR / 20).

    Examples
    --------
    >>> rmse_hu({"psnr": [np.array([20.0])]})[0].round(1).tolist()
    [140.0]
    """
    return [WINDOW_WIDTH * 10 ** (-psnr / 20) for psnr in entry["psnr"]]


def transfer_table(levels, images, method="ct_unet", *, reference="bm3d"):
    """Write a Markdown table of one method's lead over another on each kind of image.

    Parameters
    ----------
    levels : dict of float to (dict of str to dict)
        For each standard deviation of the noise what `measure` returned for the groups of images.
    images : list of str
        The names of the groups.
    method, reference : str
        Which two methods.

    Returns
    -------
    str
        One row per group: its number of images and, at each level of noise, the mean lead and, in brackets, that
        on the worst image.

    Raises
    ------
    KeyError
        If one of the two was not measured at a level.
    ValueError
        If there is no level, or there are not as many names as groups.

    Examples
    --------
    >>> from helpers.contract import About
    >>> ours = {"psnr": [np.array([33.0]), np.array([31.0, 32.0])]}
    >>> theirs = {"psnr": [np.array([32.0]), np.array([31.5, 31.5])]}
    >>> results = {"ct_unet": {"about": About("U-Net"), **ours}, "bm3d": {"about": About("BM3D"), **theirs}}
    >>> print(transfer_table({0.03: results}, ["disc", "brain"]))
    | U-Net minus BM3D, dB | images | noise 0.03 |
    | :--- | ---: | ---: |
    | disc | 1 | +1.00 (+1.00) |
    | brain | 2 | +0.00 (-0.50) |
    """
    if not levels:
        raise ValueError("levels: expected at least one level of noise")
    rows, labels = [[name] for name in images], set()
    for results in levels.values():
        labels.add(f"{_label(results, method)} minus {_label(results, reference)}, dB")
        for row, (ours, theirs) in zip(rows, _pairs(results, method, reference), strict=True):
            row.extend([len(ours)] if len(row) == 1 else [])
            lead = ours - theirs
            row.append(f"{_decibels(lead.mean())} ({_decibels(lead.min())})")
    return markdown_table([*labels, "images", *(f"noise {std:g}" for std in levels)], rows)


def detection_table(responses, made, methods):
    """Write a Markdown table of how well a spot can be detected after denoising, in several kinds of noise.

    Parameters
    ----------
    responses, made : dict
        As `detection.read_detection` returns them.
    methods : sequence of str
        Which methods, in this order for each kind of noise.

    Returns
    -------
    str
        One row per noise and method: how much of the spot is left, and for each observer d' and its difference to
        that of the noisy image, with its 95 % interval over the places.

    Raises
    ------
    KeyError
        If a method or the noisy image was not measured.

    Examples
    --------
    >>> from helpers.contract import About
    >>> noisy = {"matched filter": np.array([[[-1.0, 1.0]] * 2, [[2.0, 4.0]] * 2])}
    >>> print(detection_table({"ramp": {"noisy": noisy}}, {"noisy": {"about": About("noisy input")}}, ["noisy"]))
    | noise | method | spot left | d', matched filter | change |
    | :--- | :--- | ---: | ---: | ---: |
    | ramp | noisy input | 100 % | 2.12 | |
    """
    rows, header = [], ["noise", "method", "spot left"]
    for observer in next(iter(responses.values()), {}).get("noisy", ()):
        header += [f"d', {observer}", "change"]
    for noise, entries in responses.items():
        for name in methods:
            ours, before = entries[name], entries["noisy"]
            left, whole = (np.subtract(*of["matched filter"][::-1]).mean() for of in (ours, before))
            rows.append([noise, _label(made, name), f"{100 * left / whole:.0f} %"])
            for observer, other in before.items():
                found, rng = detectability(ours[observer]), np.random.default_rng(0)
                rows[-1] += [f"{found:.2f}", ""]
                if name != "noisy":
                    ends = detectability_interval(ours[observer], rng, other=other, n_resamples=500)
                    change = map(_decibels, (found - detectability(other), *ends))
                    rows[-1][-1] = "{} ({} to {})".format(*change)
    return markdown_table(header, rows, left=2)


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
        chosen = parameters_as_text(best)
        rows.append([about(BASELINES[name]).label, tried, chosen, f"{quality:.2f}"])
    return markdown_table(["filter", "tried", "chosen", "PSNR, dB"], rows)


def markdown_table(header, rows, *, left=1):
    """Write a Markdown table whose first columns are aligned left and all others right.

    Parameters
    ----------
    header : sequence of str
        Titles of the columns.
    rows : sequence of sequences
        Cells, as many in each row as there are titles.
    left : int
        So many columns are aligned left.

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
    lines = [header, [":---"] * left + ["---:"] * (len(header) - left), *rows]
    table = "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)
    return re.sub(r"(?<=\|)  (?=\|)", " ", table)


def parameters_as_text(parameters):
    """Write parameters as one would in a call, without spaces.

    Examples
    --------
    >>> parameters_as_text({"h": 0.05, "std": 0.07})
    'h=0.05 std=0.07'
    """
    return " ".join(f"{name}={value}" for name, value in parameters.items())


def _pairs(results, method, reference):
    """Pair the PSNRs of two methods, patient by patient."""
    return zip(results[method]["psnr"], results[reference]["psnr"], strict=True)


def _signed(values):
    return ", ".join(map(_decibels, values))


def _decibels(value):
    """Write a difference with its sign; + 0 turns -0.0 into 0.0."""
    return f"{round(float(value), 2) + 0:+.2f}"


def _label(entries, name):
    """Return how tables call one of the methods in results or in a summary."""
    return entries[name]["about"].label
