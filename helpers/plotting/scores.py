"""Scores side by side: rows of dots, bars that start at 0, and tables."""

from itertools import cycle

import matplotlib.pyplot as plt
import numpy as np

from .canvas import COLOURS, PHONE, check_some, colours_of, finish


def score_dots(groups, xlabel, *, marks=None, title=None):
    """Show how far each group of settings spreads: a row for each group, a named dot for each setting.

    Parameters
    ----------
    groups : dict of str to dict of str to float
        Name of each row, and in it the name and the score of each setting.
    xlabel : str
        Name and unit of the score.
    marks : dict of str to float, optional
        Scores drawn as dotted lines over all rows, such as that of the noisy input.
    title : str, optional

    Returns
    -------
    matplotlib.figure.Figure
        Names stand above and below the dots in turn, so that close ones can be read.

    Raises
    ------
    ValueError
        If there is no group, or one is empty.

    Examples
    --------
    >>> score_dots({"code size": {"8": 13.0, "32": 14.4}, "loss": {"BCE": 14.4, "MSE": 14.2}}, "PSNR (dB)")
    <Figure size 900x375 with 1 Axes>
    """
    check_some(groups, "groups")
    for group, scores in groups.items():
        check_some(scores, f"groups[{group!r}]")
    size = (PHONE, 0.75 * len(groups) + 1)
    figure, axis = plt.subplots(figsize=size, layout="constrained")
    for row, (scores, colour) in enumerate(zip(groups.values(), cycle(COLOURS))):
        names = sorted(scores, key=scores.get)
        axis.plot([scores[name] for name in names], [row] * len(names), "o-", lw=1, color=colour)
        for name, (height, side) in zip(names, cycle([(6, "bottom"), (-6, "top")])):
            style = {"textcoords": "offset points", "ha": "center", "va": side, "fontsize": 10}
            axis.annotate(name, (scores[name], row), (0, height), **style)
    for (name, value), style in zip((marks or {}).items(), cycle((":", "-."))):
        axis.axvline(value, ls=style, color="0.35", label=name)
    axis.set_yticks(range(len(groups)), list(groups))
    axis.set(ylim=(len(groups) - 0.4, -0.6), xlabel=xlabel, title=title)
    axis.grid(alpha=0.3, axis="x")
    if marks:
        axis.legend(frameon=False, fontsize=10)
    return finish(figure)


def score_bars(groups, *, unit="PSNR (dB)", title=None):
    """Compare a few methods step by step: groups of horizontal bars that start at 0, each with its number.

    Parameters
    ----------
    groups : dict of str to dict of str to float
        Name of each group, the first on top, then of each method in it. The numbers are written as they are, to four
        digits. A method may be missing in a group; one that is infinite gets a bar to the edge.
    unit : str
        Name and unit of the score.
    title : str, optional

    Returns
    -------
    matplotlib.figure.Figure
        A method has the same colour in every group.

    Raises
    ------
    ValueError
        If there is no group, one is empty, or a score is neither finite nor plus infinity.

    Examples
    --------
    >>> score_bars({"before": {"a": 20.0, "b": 25.0}, "after": {"a": 30.0, "b": float("inf")}})
    <Figure size 900x312 with 1 Axes>
    """
    values = [value for group in groups.values() for value in group.values()]
    if not all(groups.values()) or not any(np.isfinite(values)) or np.isnan(values).any():
        raise ValueError(f"groups: expected a number for each method, got {groups}")
    if min(values) == -np.inf:
        raise ValueError(f"groups: expected no minus infinity, got {groups}")
    colours = colours_of(dict.fromkeys(method for group in groups.values() for method in group))
    edge = 1.15 * max(0, *(value for value in values if np.isfinite(value)))
    height = 0.22 * len(values) + 0.15 * len(groups) + 0.9
    figure, axis = plt.subplots(figsize=(PHONE, round(height, 2)), layout="constrained")
    position, middles, bars = 0.0, [], {}
    for group in groups.values():
        middles.append(position + (len(group) - 1) / 2)
        for method, value in group.items():
            length = min(value, edge)
            bars[method] = axis.barh(position, length, color=colours[method], height=0.85)
            text = f" {value:.4g}" if np.isfinite(value) else "\N{INFINITY} "
            style = {} if np.isfinite(value) else {"ha": "right", "fontsize": 16}
            axis.text(max(length, 0), position, text, va="center", **style)
            position += 1
        position += 0.7
    axis.set(xlim=(min(0, *values), edge), ylim=(position - 0.7, -0.8), xlabel=unit)
    axis.set_yticks(middles, list(groups))
    axis.tick_params(axis="y", length=0)
    axis.spines[["top", "right"]].set_visible(False)
    where = {"loc": "outside upper center", "ncols": 3, "frameon": False}
    shown = [bars[method] for method in colours]
    figure.legend(shown, list(colours), title=title, title_fontsize=12, **where)
    return finish(figure)


def score_table(scores, ylabel, xlabel, *, unit="PSNR (dB)", title=None):
    """Show a table of scores, coloured, with the numbers written into it.

    Parameters
    ----------
    scores : dict of str to dict of str to float
        Name of each row, then of each column; every row has the same columns.
    ylabel, xlabel : str
        What the rows and the columns are.
    unit : str
        Name and unit of the score, for the colour bar.
    title : str, optional

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If there are no rows, or they have different columns.

    Examples
    --------
    >>> score_table({"a": {"c": 1.0, "d": 2.0}, "b": {"c": 3.0, "d": 4.0}}, "trained on", "tested on")
    <Figure size 660x315 with 2 Axes>
    """
    check_some(scores, "scores")
    rows, columns = list(scores), list(next(iter(scores.values())))
    if any(list(row) != columns for row in scores.values()):
        raise ValueError(f"scores: expected the columns {', '.join(columns)} in every row")
    table = np.array([list(row.values()) for row in scores.values()])
    size = (1.2 * len(columns) + 2, 0.45 * len(rows) + 1.2)
    figure, axis = plt.subplots(figsize=size, layout="constrained")
    drawn = axis.imshow(table, cmap="cividis", aspect="auto")
    middle = (table.min() + table.max()) / 2
    for (row, column), value in np.ndenumerate(table):
        colour = "white" if value < middle else "black"
        axis.text(column, row, f"{value:.1f}", ha="center", va="center", color=colour)
    axis.set_xticks(range(len(columns)), columns)
    axis.set_yticks(range(len(rows)), rows)
    axis.set(xlabel=xlabel, ylabel=ylabel, title=title)
    figure.colorbar(drawn, label=unit)
    return finish(figure)
