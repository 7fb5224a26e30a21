"""Charts that write a name beside each curve or point, where a legend would have too many entries."""

from itertools import product

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.text import Text

from .canvas import PHONE, check_intervals, check_length, check_some, colours_of, finish

_POINTS = 10  # the size of a name
_STEPS = [0] + [sign * 1.2 * k for k in range(1, 15) for sign in (1, -1)]  # heights of letters
_LINE = {"arrowstyle": "-", "color": "0.6", "lw": 0.6, "shrinkA": 0, "shrinkB": 2}


def difference_curves(curves, reference, xlabel, unit="dB", *, highlight=(), title=None):
    """Plot how far each method is ahead of one of them, at several settings; names stand at the right ends.

    Parameters
    ----------
    curves : dict of str to (sequence, sequence)
        Name of each method, its horizontal values, the same for all, and its scores.
    reference : str
        The method that is subtracted from all; it becomes the line at 0.
    xlabel : str
        Label of the horizontal axis, with its unit.
    unit : str
        Unit of the scores.
    highlight : sequence of str
        Curves that are drawn in colour, where the others are grey; by default all are.
    title : str, optional

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If there is no curve, the reference or a highlighted one is none of them, or the horizontal values differ.

    Examples
    --------
    >>> difference_curves({"BM3D": ([1, 2], [30, 29]), "U-Net": ([1, 2], [31, 30])}, "BM3D", "noise")
    <Figure size 900x690 with 1 Axes>
    """
    check_some(curves, "curves")
    if reference not in curves:
        raise ValueError(f"reference: expected one of {', '.join(curves)}, got {reference!r}")
    if not set(highlight) <= set(curves):
        raise ValueError(
            f"highlight: expected some of {', '.join(curves)}, got {', '.join(highlight)}"
        )
    settings = list(curves[reference][0])
    for name, (x, y) in curves.items():
        check_length(y, len(x), "curves", f"in {name}")
        if list(x) != settings:
            raise ValueError(f"curves: expected {settings} as horizontal values in {name}")
    figure, axis = plt.subplots(figsize=(PHONE, 4.6), layout="constrained")
    shown = [name for name in curves if not highlight or name in (*highlight, reference)]
    ends, colours = {}, dict.fromkeys(curves, "#808080") | colours_of(shown)
    for name, colour in colours.items():
        difference = np.subtract(curves[name][1], curves[reference][1])
        width = 2.5 if name == reference or name in highlight else 1.5
        axis.plot(settings, difference, "o-", ms=4, lw=width, color=colour, label=name)
        ends[name] = settings[-1], difference[-1]
    name_ends(axis, ends, colours)
    axis.set_xticks(settings, [f"{setting:g}" for setting in settings])
    axis.set(xlabel=xlabel, ylabel=f"difference to {reference} ({unit})", title=title)
    axis.grid(alpha=0.3)
    return finish(figure)


def labelled_points(points, xlabel, ylabel, *, intervals=None, zero=None, log=False, title=None):
    """Plot one number of each method against another, with its name beside the point.

    Parameters
    ----------
    points : dict of str to (float, float)
        Name of each method, its horizontal and its vertical value.
    xlabel, ylabel : str
        Labels of the axes, with their units.
    intervals : dict of str to (float, float), optional
        Confidence interval of each vertical value.
    zero : str, optional
        What the line at 0 is; without it, no such line is drawn.
    log : bool
        Logarithmic horizontal axis.
    title : str, optional

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If there is no point, or one has no interval where others have.

    Examples
    --------
    >>> labelled_points({"median": (28.6, 0.7), "BM3D": (32.4, 0.4)}, "PSNR (dB)", "share kept")
    <Figure size 900x690 with 1 Axes>
    """
    check_some(points, "points")
    check_intervals(intervals, points)
    figure, axis = plt.subplots(figsize=(PHONE, 4.6), layout="constrained")
    for name, colour in colours_of(points).items():
        axis.plot(*points[name], "o", ms=7, color=colour)
        if intervals is not None:
            axis.plot([points[name][0]] * 2, intervals[name], color=colour, lw=1.5)
    if zero is not None:
        axis.axhline(0, color="0.35", lw=1)
        axis.text(
            0.01,
            0,
            zero,
            transform=axis.get_yaxis_transform(),
            va="bottom",
            fontsize=_POINTS,
            color="0.35",
        )
    axis.margins(x=0.12, y=0.12)
    axis.set(xlabel=xlabel, ylabel=ylabel, title=title, xscale="log" if log else "linear")
    if log:
        axis.xaxis.set_major_formatter("{x:g}")  # 0.1, 1, 10
    axis.grid(alpha=0.3)
    figure.draw_without_rendering()  # now the places in pixels are known
    places = {name: axis.transData.transform(point) for name, point in points.items()}
    taken = [drawn.get_window_extent().extents for drawn in (*axis.lines, *axis.texts)]
    style = {"va": "center", "fontsize": _POINTS, "arrowprops": _LINE}
    words = {name: axis.annotate(name, point, point, **style) for name, point in points.items()}
    # Of the words alone: an annotation's own box holds its line, too.
    sizes = {name: Text.get_window_extent(text).size for name, text in words.items()}
    letter = _POINTS / 72 * figure.dpi
    for name, corner in _free_places(places, taken, axis.bbox.extents, sizes, letter).items():
        words[name].set_position(axis.transData.inverted().transform(corner))
    return finish(figure)


def name_ends(axis, ends, colours):
    """Write the name of each curve beside its right end, none upon another.

    >>> axis = plt.figure().add_subplot()
    >>> name_ends(axis, {"up": (1, 2), "down": (1, 0)}, {"up": "red", "down": "blue"})
    >>> plt.close()
    """
    axis.autoscale_view()  # now the limits are known
    to_frame = axis.transData + axis.transAxes.inverted()  # also where an axis is logarithmic
    heights = {name: to_frame.transform(end)[1] for name, end in ends.items()}
    line = 1.3 * _POINTS / 72 / (axis.figure.get_figheight() - 0.9)  # a share of the frame
    for name, height in _apart(heights, line).items():
        axis.annotate(
            name,
            ends[name],
            (1.04, height),
            textcoords=axis.transAxes,
            va="center",
            fontsize=_POINTS,
            color=colours[name],
            arrowprops={**_LINE, "relpos": (0, 0.5)},
        )


def _apart(values, gap):
    """Move values as little as it takes to keep them `gap` apart, in the same order: {name: new value}."""
    names = sorted(values, key=values.get)
    groups = []  # neighbours that touch share the mean of what is left after taking off the gaps
    for k, name in enumerate(names):
        groups.append([values[name] - k * gap])
        while len(groups) > 1 and np.mean(groups[-2]) > np.mean(groups[-1]):
            groups[-2:] = [groups[-2] + groups[-1]]
    moved = np.concatenate([[np.mean(group)] * len(group) for group in groups])
    return {name: float(value + k * gap) for k, (name, value) in enumerate(zip(names, moved))}


def _free_places(points, taken, frame, sizes, letter):
    """Choose where each name starts, so that it covers nothing, its line no other name, and it stays in the frame.

    Everything is in pixels: points, what is taken and the frame as boxes (left, bottom, right, top), `sizes` as
    (width, height), and the height of a letter.
    """
    taken, boxes, chosen = [*taken], [], {}
    for name, (x, y) in sorted(points.items(), key=lambda item: -item[1][1]):
        width, height = sizes[name]
        for step, side in product(_STEPS, (letter, -letter - width, -width / 2)):
            left, middle = x + side, y + step * letter
            around = 0.1 * letter  # for lines, which are no wider
            below, above = middle - height / 2 - around, middle + height / 2 + around
            box = (left - around, below, left + width + around, above)
            inside = (
                frame[0] < box[0] and frame[1] < box[1] and box[2] < frame[2] and box[3] < frame[3]
            )
            line = np.tile(np.linspace((left + width / 2, middle), (x, y), 20), 2)  # dots as boxes
            if inside and not _touch([box], taken) and not _touch(line, boxes):
                break
        taken += [box, *line]
        boxes.append(box)
        chosen[name] = (left, middle)
    return chosen


def _touch(some, others):
    """Tell whether any of some boxes (left, bottom, right, top) overlaps any of others."""
    return any(
        a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
        for a, b in product(some, others)
    )
