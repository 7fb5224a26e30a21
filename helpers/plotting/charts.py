"""Charts: curves of training and of scores, and scores against time."""

from itertools import cycle

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.lines import Line2D

from .canvas import PHONE, check_length, check_some, colours_of, finish
from .labelled import labelled_points, name_ends

_LEGEND = {"frameon": False, "fontsize": 10}


def loss_curves(histories, metric="loss", *, ylabel="loss", log=False, title=None):
    """Plot training curves.

    Parameters
    ----------
    histories : dict of str to keras.callbacks.History, or to a dict of lists
        One curve per name; where the history also holds `"val_" + metric`, a dashed curve.
    metric : str
        Which entry of the history.
    ylabel : str
        Label of the vertical axis, with its unit.
    log : bool
        Logarithmic vertical axis.
    title : str, optional

    Returns
    -------
    matplotlib.figure.Figure
        More than four curves get their names beside their ends.

    Raises
    ------
    ValueError
        If there is no history, or one lacks the metric.

    Examples
    --------
    >>> loss_curves({"Adam": {"loss": [0.3, 0.2], "val_loss": [0.35, 0.3]}})
    <Figure size 900x540 with 1 Axes>
    """
    check_some(histories, "histories")
    histories = {name: getattr(history, "history", history) for name, history in histories.items()}
    for name, curves in histories.items():
        if metric not in curves:
            raise ValueError(f"histories: expected {metric!r} in {name}, got {', '.join(curves)}")
    figure, axis = plt.subplots(figsize=(PHONE, 3.6), layout="constrained")
    ends, colours = {}, colours_of(histories)
    for name, curves in histories.items():
        colour = colours[name]
        epochs = np.arange(1, len(curves[metric]) + 1)
        validation = curves.get(f"val_{metric}")
        label = name if validation is None else f"{name}, training"
        axis.plot(epochs, curves[metric], color=colour, label=label)
        if validation is not None:
            axis.plot(epochs, validation, "--", color=colour, label=f"{name}, validation")
        ends[name] = axis.lines[-1].get_xydata()[-1]
    axis.set(xlabel="epoch", ylabel=ylabel, title=title, yscale="log" if log else "linear")
    axis.xaxis.get_major_locator().set_params(integer=True)
    axis.grid(alpha=0.3)
    if len(axis.lines) <= 4:
        axis.legend(**_LEGEND)
    else:
        name_ends(axis, ends, colours)
        if len(axis.lines) > len(ends):
            dash = {"training": "-", "validation": "--"}
            lines = [Line2D([], [], color="0.35", ls=style) for style in dash.values()]
            axis.legend(lines, dash, loc="upper right", **_LEGEND)
    return finish(figure)


def score_curves(
    curves, xlabel, ylabel, *, dashed=None, log=False, marks=None, highlight=(), title=None
):
    """Plot one number against another: a score against a setting that is varied.

    Parameters
    ----------
    curves : dict of str to (sequence, sequence)
        Name of each curve, its horizontal and its vertical values. Up to 12 points are marked.
    xlabel, ylabel : str
        Labels of the axes, with their units.
    dashed : dict of str to (sequence, sequence), optional
        A companion for some of the curves, in a darker shade, such as what theory says of it.
    log : bool
        Logarithmic horizontal axis, with the values themselves as ticks.
    marks : dict of str to float, optional
        Vertical values drawn as dotted lines, such as the score of the noisy input.
    highlight : sequence of str
        Curves drawn as thick lines.
    title : str, optional

    Returns
    -------
    matplotlib.figure.Figure
        More than four curves get a higher figure, with the legend below them.

    Raises
    ------
    ValueError
        If there is no curve, one has not as many vertical as horizontal values, or a companion's name is unknown.

    Examples
    --------
    >>> score_curves({"test": ([2, 4, 8], [10.1, 11.2, 12.9])}, "code size", "PSNR (dB)", log=True)
    <Figure size 900x540 with 1 Axes>
    """
    check_some(curves, "curves")
    dashed = dashed or {}
    if not set(dashed) <= set(curves):
        raise ValueError(f"dashed: expected some of {', '.join(curves)}, got {', '.join(dashed)}")
    for what, lines in (("curves", curves), ("dashed", dashed)):
        for name, (x, y) in lines.items():
            check_length(y, len(x), what, f"in {name}")
    height = 4.6 if len(curves) > 4 else 3.6
    figure, axis = plt.subplots(figsize=(PHONE, height), layout="constrained")
    # One more marker than there are colours: no two curves look alike.
    for (name, colour), marker in zip(colours_of(curves).items(), cycle("osD^vP*X")):
        x, y = curves[name]
        style = {"marker": marker, "ms": 5} if len(x) <= 12 else {}
        width = 2.5 if name in highlight else None
        axis.plot(x, y, color=colour, lw=width, label=name, **style)
        if name in dashed:
            axis.plot(*dashed[name], "--", color=0.5 * np.array(to_rgb(colour)))
    for (name, value), style in zip((marks or {}).items(), cycle((":", "-."))):
        axis.axhline(value, ls=style, color="0.35", label=name)
    axis.set(xlabel=xlabel, ylabel=ylabel, title=title)
    if log:
        ticks = sorted({value for x, _ in curves.values() for value in x})
        axis.set_xscale("log")
        axis.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        axis.minorticks_off()
    axis.grid(alpha=0.3)
    if len(curves) > 4:
        figure.legend(loc="outside lower center", ncols=3, **_LEGEND)
    else:
        axis.legend(**_LEGEND)
    return finish(figure)


def quality_against_time(scores, seconds, intervals=None, *, title=None):
    """Plot the quality of each method against the time it takes, with its name beside the point.

    Parameters
    ----------
    scores : dict of str to float
        Mean PSNR of each method in dB.
    seconds : dict of str to float
        Time per image of each method, above 0.
    intervals : dict of str to (float, float), optional
        Confidence interval of each mean, drawn as an error bar.
    title : str, optional

    Returns
    -------
    matplotlib.figure.Figure
        The axis of time is logarithmic.

    Raises
    ------
    ValueError
        If there are no scores, a method has no time above 0, or no interval where others have.

    Examples
    --------
    >>> quality_against_time({"median": 28.6, "BM3D": 32.3}, {"median": 1e-4, "BM3D": 1.1})
    <Figure size 900x690 with 1 Axes>
    """
    times = {name: 1000 * seconds.get(name, 0) for name in scores}
    if not times or min(times.values()) <= 0:
        raise ValueError(f"seconds: expected a time above 0 for each of {', '.join(scores)}")
    return labelled_points(
        {name: (times[name], scores[name]) for name in scores},
        "time per slice (ms, logarithmic)",
        "PSNR (dB)",
        intervals=intervals,
        log=True,
        title=title,
    )
