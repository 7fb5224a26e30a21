"""The figures of the notebooks. Every function returns a closed Figure, which a notebook shows once.

Grey images share the scale 0 (black) to 1 (white); errors share a blue-white-red scale with 0 in the
middle, which colour-blind readers can tell apart.
"""

import itertools

import matplotlib.pyplot as plt
import numpy as np

from .checks import (
    NOISE_MARGIN,
    check_images,
    check_number,
    check_pair,
    check_rng,
    check_whole,
)
from .metrics import psnr

COLOURS = [
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#E69F00",
    "#56B4E9",
    "#000000",
]  # Okabe and Ito


def image_grid(images, labels=None, n=10, rng=None, columns=10, size=1.0, title=None):
    """Show some images side by side.

    Parameters
    ----------
    images : array of shape (m, height, width, 1)
        Values near [0, 1].
    labels : sequence of m values, optional
        Written above the images.
    n : int
        How many images; all of them where there are fewer.
    rng : numpy.random.Generator, optional
        Picks n images at random, without repetition. Without it, the first n are shown.
    columns : int
        Images in a row.
    size : float
        Width of an image in inches.
    title : str, optional
        Title of the figure.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If an argument is not as described.

    Examples
    --------
    >>> image_grid(np.zeros((3, 28, 28, 1)), labels="abc", n=10)
    <Figure size 300x140 with 3 Axes>
    """
    images = check_images(images, "images", NOISE_MARGIN)
    chosen = _choose(len(images), n, rng)
    labels = _labels_of(labels, len(images))
    columns = min(check_whole(columns, "columns", 1), len(chosen))
    rows = -(-len(chosen) // columns)
    figure, axes = _axes(rows, columns, size, size + 0.15, title)
    for axis, index in zip(axes.flat, chosen):
        _grey(axis, images[index])
        if labels is not None:
            axis.set_title(str(labels[index]), fontsize=10)
    for axis in axes.flat[len(chosen) :]:
        axis.remove()
    return _finish(figure)


def image_rows(rows, labels=None, n=10, rng=None, title=None):
    """Show versions of the same images below each other: noisy above, denoised below, and so on.

    Parameters
    ----------
    rows : dict of str to array of shape (m, height, width, 1)
        Name of each row and its images; column k shows the same picture in every row.
    labels : sequence of m values, optional
        Written above the columns.
    n : int
        Number of columns; all images where there are fewer.
    rng : numpy.random.Generator, optional
        Picks the columns at random. Without it, the first n are shown.
    title : str, optional
        Title of the figure.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If an argument is not as described.

    Examples
    --------
    >>> digits = np.zeros((3, 28, 28, 1))
    >>> image_rows({"clean": digits, "noisy": digits})
    <Figure size 420x225 with 6 Axes>
    """
    rows = {name: check_images(images, name, NOISE_MARGIN) for name, images in rows.items()}
    counts = {len(images) for images in rows.values()}
    if len(counts) != 1:
        raise ValueError(f"rows: expected as many images in each row, got {sorted(counts)}")
    count = counts.pop()
    chosen = _choose(count, n, rng)
    labels = _labels_of(labels, count)
    figure, axes = _axes(len(rows), len(chosen), 1.0, 1.0, title, margin=1.2)
    for row, (name, images) in zip(axes, rows.items()):
        for axis, index in zip(row, chosen):
            _grey(axis, images[index])
        row[0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=10)
    if labels is not None:
        for axis, index in zip(axes[0], chosen):
            axis.set_title(str(labels[index]), fontsize=10)
    return _finish(figure)


def error_rows(clean, noisy, denoised, n=3, rng=None, limit=0.2, title=None):
    """Show clean, noisy and denoised images with the error that is left, one image per row.

    Parameters
    ----------
    clean, noisy, denoised : arrays of shape (m, height, width, 1)
        Values near [0, 1].
    n : int
        Number of rows; all images where there are fewer.
    rng : numpy.random.Generator, optional
        Picks the rows at random. Without it, the first n are shown.
    limit : float
        Error, in grey levels, at which the colours saturate.
    title : str, optional
        Title of the figure.

    Returns
    -------
    matplotlib.figure.Figure
        The errors share one scale and one colour bar; noisy and denoised images carry their PSNR.

    Raises
    ------
    ValueError
        If an argument is not as described.

    Examples
    --------
    >>> slices = np.zeros((1, 32, 32, 1))
    >>> error_rows(slices, slices + 0.1, slices + 0.05)
    <Figure size 1080x275 with 5 Axes>
    """
    chosen = _choose(len(check_images(clean, "clean")), n, rng)
    quality = {"noisy": psnr(clean, noisy), "denoised": psnr(clean, denoised)}
    figure, axes = _axes(len(chosen), 4, 2.5, 2.5, title, margin=0.8)
    for row, index in zip(axes, chosen):
        for axis, name, images in zip(
            row, ("clean", "noisy", "denoised"), (clean, noisy, denoised)
        ):
            _grey(axis, images[index])
            note = f", {quality[name][index]:.1f} dB" if name in quality else ""
            axis.set_title(name + note, fontsize=10)
        error = np.asarray(denoised)[index, ..., 0] - np.asarray(clean)[index, ..., 0]
        drawn = _error(row[3], error, limit)
        row[3].set_title("denoised - clean", fontsize=10)
    figure.colorbar(drawn, ax=axes[:, 3], label="error (grey levels)", fraction=0.05)
    return _finish(figure)


def zoom_rows(images, box, clean=None, limit=0.2, title=None):
    """Show one slice by several methods: whole, zoomed into a box, and the error in the box.

    Parameters
    ----------
    images : dict of str to array of shape (height, width, 1)
        Name of each column and its version of the same slice.
    box : (int, int, int, int)
        Top, left, height and width of the detail in pixels, inside the image.
    clean : array of shape (height, width, 1), optional
        The reference; a third row shows each column minus it.
    limit : float
        Error, in grey levels, at which the colours saturate.
    title : str, optional
        Title of the figure.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If an argument is not as described.

    Examples
    --------
    >>> slice_ = np.zeros((64, 64, 1))
    >>> zoom_rows({"clean": slice_, "noisy": slice_}, (10, 10, 20, 20))
    <Figure size 360x385 with 4 Axes>
    """
    images = {
        name: check_images([image], name, NOISE_MARGIN)[0, ..., 0] for name, image in images.items()
    }
    cut = _cut(box, _one_shape(images))
    top, left, height, width = box
    if clean is not None:
        clean = check_images([clean], "clean", NOISE_MARGIN)[0, ..., 0]
        _one_shape({**images, "clean": clean})
    figure, axes = _axes(2 if clean is None else 3, len(images), 1.8, 1.8, title)
    for column, (name, image) in zip(axes.T, images.items()):
        _grey(column[0], image)
        column[0].add_patch(
            plt.Rectangle((left, top), width, height, fill=False, color=COLOURS[4], lw=1.5)
        )
        column[0].set_title(name, fontsize=10)
        _grey(column[1], image[cut])
        if clean is not None:
            drawn = _error(column[2], (image - clean)[cut], limit)
    names = ["whole slice", "detail", "error in detail"]
    for axis, name in zip(axes[:, 0], names):
        axis.set_ylabel(name, fontsize=10)
    if clean is not None:
        figure.colorbar(drawn, ax=axes[2], label="error (grey levels)", fraction=0.03)
    return _finish(figure)


def loss_curves(histories, metric="loss", ylabel="loss", log=False, title=None):
    """Plot training curves.

    Parameters
    ----------
    histories : dict of str to keras.callbacks.History, or to a dict of lists
        One curve per name; where the history also holds "val_" + metric, a dashed curve.
    metric : str
        Which entry of the history.
    ylabel : str
        Label of the vertical axis, with its unit.
    log : bool
        Logarithmic vertical axis.
    title : str, optional
        Title of the figure.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If there is no history, or one lacks the metric.

    Examples
    --------
    >>> loss_curves({"Adam": {"loss": [0.3, 0.2], "val_loss": [0.35, 0.3]}})
    <Figure size 700x360 with 1 Axes>
    """
    histories = {name: getattr(history, "history", history) for name, history in histories.items()}
    if not histories:
        raise ValueError("histories: expected at least one, got none")
    for name, curves in histories.items():
        if metric not in curves:
            raise ValueError(f"histories: expected {metric!r} in {name}, got {', '.join(curves)}")
    figure, axis = plt.subplots(figsize=(7, 3.6), layout="constrained")
    for (name, curves), colour in zip(histories.items(), _colours()):
        epochs = np.arange(1, len(curves[metric]) + 1)
        both = f"val_{metric}" in curves
        axis.plot(epochs, curves[metric], color=colour, label=f"{name}, training" if both else name)
        if both:
            axis.plot(
                epochs, curves[f"val_{metric}"], "--", color=colour, label=f"{name}, validation"
            )
    axis.set(xlabel="epoch", ylabel=ylabel, title=title, yscale="log" if log else "linear")
    axis.xaxis.get_major_locator().set_params(integer=True)
    axis.grid(alpha=0.3)
    if len(axis.lines) > 4:
        figure.legend(loc="outside right center", frameon=False, fontsize=9)
    else:
        axis.legend(frameon=False)
    return _finish(figure)


def psnr_bars(scores, intervals=None, unit="PSNR (dB)", title=None):
    """Compare methods by horizontal bars, best on top.

    Parameters
    ----------
    scores : dict of str to float
        Mean score of each method.
    intervals : dict of str to (float, float), optional
        Confidence interval of each mean, drawn as an error bar.
    unit : str
        Name and unit of the score.
    title : str, optional
        Title of the figure.

    Returns
    -------
    matplotlib.figure.Figure
        The axis does not start at 0: PSNR has no meaningful zero.

    Raises
    ------
    ValueError
        If there are no scores, or one is not finite.

    Examples
    --------
    >>> psnr_bars({"noisy": 23.3, "median": 28.6})
    <Figure size 700x160 with 1 Axes>
    """
    if not scores or not np.isfinite(list(scores.values())).all():
        raise ValueError(f"scores: expected finite numbers, got {scores}")
    _check_intervals(intervals, scores)
    names = sorted(scores, key=scores.get)
    values = [scores[name] for name in names]
    figure, axis = plt.subplots(figsize=(7, 0.3 * len(names) + 1), layout="constrained")
    axis.barh(names, values, color=COLOURS[0], height=0.65)
    starts = ends = values
    if intervals is not None:
        low, high = np.transpose([intervals[name] for name in names])
        axis.errorbar(
            values, names, xerr=[values - low, high - values], fmt="none", ecolor="black", capsize=3
        )
        starts, ends = low, high
    spread = max(values) - min(values) or 1
    for position, (value, end) in enumerate(zip(values, ends)):
        axis.text(end + 0.02 * spread, position, f"{value:.2f}", va="center", fontsize=9)
    axis.set(xlim=(min(starts) - 0.2 * spread, max(ends) + 0.15 * spread), xlabel=unit, title=title)
    return _finish(figure)


def quality_against_time(scores, seconds, intervals=None, title=None):
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
        Title of the figure.

    Returns
    -------
    matplotlib.figure.Figure
        The axis of time is logarithmic.

    Raises
    ------
    ValueError
        If a method has no time, or a time is not above 0.

    Examples
    --------
    >>> quality_against_time({"median": 28.6, "BM3D": 32.3}, {"median": 1e-4, "BM3D": 1.1})
    <Figure size 800x450 with 1 Axes>
    """
    times = {name: 1000 * seconds.get(name, 0) for name in scores}
    if not times or min(times.values()) <= 0:
        raise ValueError(f"seconds: expected a time above 0 for each of {', '.join(scores)}")
    _check_intervals(intervals, scores)
    figure, axis = plt.subplots(figsize=(8, 4.5), layout="constrained")
    for name, score in scores.items():
        axis.plot(times[name], score, "o", color=COLOURS[0])
        if intervals is not None:
            axis.plot([times[name]] * 2, intervals[name], color=COLOURS[0], lw=1)
    low, high = axis.get_ylim()
    axis.set(
        xscale="log",
        xlim=(min(times.values()) / 2, max(times.values()) * 8),
        xlabel="time per slice (ms, logarithmic)",
        ylabel="PSNR (dB)",
        title=title,
    )
    for name, height in zip(scores, _spread(list(scores.values()), (high - low) / 20)):
        axis.annotate(
            name,
            (times[name], scores[name]),
            (times[name] * 1.35, height),
            va="center",
            fontsize=9,
            arrowprops={"arrowstyle": "-", "color": "0.6", "lw": 0.6, "shrinkA": 0, "shrinkB": 2},
        )
    axis.grid(alpha=0.3)
    return _finish(figure)


def psnr_against_noise(levels, scores, highlight=(), title=None):
    """Plot the quality of each method against the strength of the noise.

    Parameters
    ----------
    levels : sequence of float
        Standard deviations of the noise in grey levels, ascending.
    scores : dict of str to sequence of float
        Mean PSNR of each method at each level, in dB.
    highlight : sequence of str
        Methods drawn with thick lines.
    title : str, optional
        Title of the figure.

    Returns
    -------
    matplotlib.figure.Figure
        The legend is sorted by the PSNR at the last level, as the lines end.

    Raises
    ------
    ValueError
        If a method has another number of scores than there are levels.

    Examples
    --------
    >>> psnr_against_noise([0.05, 0.1], {"median": [29.5, 26.9], "BM3D": [33.6, 30.7]})
    <Figure size 800x450 with 1 Axes>
    """
    if not scores or any(len(values) != len(levels) for values in scores.values()):
        raise ValueError(f"scores: expected {len(levels)} values for each method, one per level")
    figure, axis = plt.subplots(figsize=(8, 4.5), layout="constrained")
    styles = zip(_colours(), itertools.cycle("os^DvP*X<>"), itertools.cycle(["-", "--"]))
    for name, (colour, marker, line) in zip(sorted(scores, key=lambda n: -scores[n][-1]), styles):
        width = 2.5 if name in highlight else 1.0
        axis.plot(levels, scores[name], marker + line, color=colour, lw=width, ms=5, label=name)
    axis.set(
        xlabel="standard deviation of the noise (grey levels)",
        ylabel="PSNR (dB)",
        xticks=levels,
        title=title,
    )
    axis.grid(alpha=0.3)
    figure.legend(loc="outside right center", frameon=False, fontsize=9)
    return _finish(figure)


def detail_grid(images, box, clean, columns=7, limit=0.2, white=1.0, title=None):
    """Show the same detail of one slice by many methods, each above its error.

    Parameters
    ----------
    images : dict of str to array of shape (height, width, 1)
        Name of each method and its version of the slice.
    box : (int, int, int, int)
        Top, left, height and width of the detail in pixels, inside the image.
    clean : array of shape (height, width, 1)
        The reference, shown first, without an error.
    columns : int
        Methods in a row.
    limit : float
        Error, in grey levels, at which the colours saturate.
    white : float
        Grey level that is shown white, above 0; 0.4 shows lung, as a radiologist's lung window does.
    title : str, optional
        Title of the figure.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If an argument is not as described.

    Examples
    --------
    >>> slice_ = np.zeros((64, 64, 1))
    >>> detail_grid({"noisy": slice_}, (10, 10, 20, 20), slice_)
    <Figure size 380x350 with 5 Axes>
    """
    if not images:
        raise ValueError("images: expected at least one method, got none")
    images = {"clean": clean, **images}
    images = {
        name: check_images([image], name, NOISE_MARGIN)[0, ..., 0] for name, image in images.items()
    }
    cut = _cut(box, _one_shape(images))
    columns = min(check_whole(columns, "columns", 1), len(images))
    rows = -(-len(images) // columns)
    figure, axes = _axes(2 * rows, columns, 1.5, 1.5 + 0.25 / (2 * rows), title, margin=0.8)
    figure.get_layout_engine().set(w_pad=0.02, h_pad=0.02, hspace=0, wspace=0)
    for axis in [*axes[0::2].flat[len(images) :], *axes[1::2].flat[len(images) :]]:
        axis.axis("off")
    for index, (name, image) in enumerate(images.items()):
        row, column = divmod(index, columns)
        _grey(axes[2 * row, column], image[cut] / check_number(white, "white", 1e-6))
        axes[2 * row, column].set_title(name.replace(" (", "\n("), fontsize=9)
        if index == 0:
            axes[1, 0].axis("off")
        else:
            drawn = _error(axes[2 * row + 1, column], (image - images["clean"])[cut], limit)
    figure.colorbar(drawn, ax=axes, label="error (grey levels)", shrink=0.6, aspect=30)
    return _finish(figure)


def _spread(values, gap):
    """Move values apart, in their order, until neighbours differ by `gap`; their mean stays."""
    order = np.argsort(values)
    placed = np.array(values, dtype=float)[order]
    for _ in range(100):
        overlap = gap - np.diff(placed)
        if (overlap <= 1e-9).all():
            break
        push = np.where(overlap > 0, overlap / 2, 0)
        placed[:-1] -= push
        placed[1:] += push
    result = np.empty_like(placed)
    result[order] = placed
    return result


def score_curves(curves, xlabel, ylabel, log=False, marks=None, title=None):
    """Plot one number against another: a score against a setting that is varied.

    Parameters
    ----------
    curves : dict of str to (sequence, sequence)
        Name of each curve, its horizontal and its vertical values. Up to 12 points are marked.
    xlabel, ylabel : str
        Labels of the axes, with their units.
    log : bool
        Logarithmic horizontal axis, with the values themselves as ticks.
    marks : dict of str to float, optional
        Vertical values drawn as dotted lines, such as the score of the noisy input.
    title : str, optional
        Title of the figure.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If a curve has not as many horizontal as vertical values.

    Examples
    --------
    >>> score_curves({"test": ([2, 4, 8], [10.1, 11.2, 12.9])}, "code size", "PSNR (dB)", log=True)
    <Figure size 700x360 with 1 Axes>
    """
    if not curves:
        raise ValueError("curves: expected at least one, got none")
    for name, (x, y) in curves.items():
        if len(x) != len(y):
            raise ValueError(f"curves: expected {len(x)} values in {name}, got {len(y)}")
    figure, axis = plt.subplots(figsize=(7, 3.6), layout="constrained")
    for (name, (x, y)), colour, marker in zip(curves.items(), _colours(), "osD^vP*" * 9):
        style = {"marker": marker, "ms": 5} if len(x) <= 12 else {}
        axis.plot(x, y, color=colour, label=name, **style)
    for (name, value), style in zip((marks or {}).items(), (":", "-.") * 9):
        axis.axhline(value, ls=style, color="0.35", label=name)
    axis.set(xlabel=xlabel, ylabel=ylabel, title=title)
    if log:
        ticks = sorted({value for x, _ in curves.values() for value in x})
        axis.set_xscale("log")
        axis.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        axis.minorticks_off()
    axis.grid(alpha=0.3)
    axis.legend(frameon=False, fontsize=9)
    return _finish(figure)


def score_table(scores, ylabel, xlabel, unit="PSNR (dB)", title=None):
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
        Title of the figure.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If the rows have different columns.

    Examples
    --------
    >>> score_table({"a": {"c": 1.0, "d": 2.0}, "b": {"c": 3.0, "d": 4.0}}, "trained on", "tested on")
    <Figure size 440x210 with 2 Axes>
    """
    if not scores:
        raise ValueError("scores: expected at least one row, got none")
    rows, columns = list(scores), list(next(iter(scores.values())))
    if any(list(row) != columns for row in scores.values()):
        raise ValueError(f"scores: expected the columns {', '.join(columns)} in every row")
    table = np.array([list(row.values()) for row in scores.values()])
    figure, axis = plt.subplots(
        figsize=(1.2 * len(columns) + 2, 0.45 * len(rows) + 1.2), layout="constrained"
    )
    drawn = axis.imshow(table, cmap="cividis", aspect="auto")
    middle = (table.min() + table.max()) / 2
    for (row, column), value in np.ndenumerate(table):
        colour = "white" if value < middle else "black"
        axis.text(column, row, f"{value:.1f}", ha="center", va="center", color=colour)
    axis.set_xticks(range(len(columns)), columns)
    axis.set_yticks(range(len(rows)), rows)
    axis.set(xlabel=xlabel, ylabel=ylabel, title=title)
    figure.colorbar(drawn, label=unit)
    return _finish(figure)


def histograms(values, xlabel, bins=100, span=None, log=False, marks=None, title=None):
    """Show how often each value occurs, one panel for each set of values.

    Parameters
    ----------
    values : dict of str to array of any shape
        Name of each panel and its values.
    xlabel : str
        What the values are, with their unit.
    bins : int
        Number of bars.
    span : (float, float), optional
        First and last value of the horizontal axis; by default those of all values.
    log : bool
        Logarithmic vertical axis.
    marks : dict of str to float, optional
        Values marked by a dotted line and their name.
    title : str, optional
        Title of the figure.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If there is nothing to show.

    Examples
    --------
    >>> histograms({"a": np.arange(9), "b": np.ones(9)}, "grey level")
    <Figure size 720x300 with 2 Axes>
    """
    if not values:
        raise ValueError("values: expected at least one set of values, got none")
    if span is None:
        span = min(map(np.min, values.values())), max(map(np.max, values.values()))
    figure, axes = plt.subplots(
        1, len(values), figsize=(max(3.6 * len(values), 7), 3), squeeze=False, layout="constrained"
    )
    for axis, (name, numbers), colour in zip(axes.flat, values.items(), _colours()):
        numbers = np.ravel(numbers)
        shares = np.full(numbers.size, 100 / numbers.size)
        axis.hist(numbers, bins, range=span, weights=shares, color=colour, log=log)
        axis.set(xlabel=xlabel, ylabel="share (%)", title=name)
        for text, place in (marks or {}).items():
            axis.axvline(place, ls=":", color="0.35", lw=1)
            axis.text(
                place,
                0.97,
                f" {text}",
                rotation=90,
                va="top",
                ha="right",
                fontsize=8,
                transform=axis.get_xaxis_transform(),
            )
    if title:
        figure.suptitle(title, fontsize=11)
    return _finish(figure)


def noise_columns(clean, noisy, span=(-1, 1), title=None):
    """Show corrupted versions of an image, and below each the histogram of what was added.

    Parameters
    ----------
    clean : array of shape (n, height, width, 1)
        Clean images; the first one is shown, the histograms are over all.
    noisy : dict of str to array of the same shape
        Name of each corruption and its result.
    span : (float, float)
        First and last difference of the histograms, in grey levels.
    title : str, optional
        Title of the figure.

    Returns
    -------
    matplotlib.figure.Figure
        The histograms share one logarithmic axis, so that rare, large changes are seen.

    Raises
    ------
    ValueError
        If the shapes differ.

    Examples
    --------
    >>> clean = np.zeros((1, 16, 16, 1))
    >>> noise_columns(clean, {"brighter": clean + 0.1, "darker": clean - 0.1})
    <Figure size 440x360 with 4 Axes>
    """
    if not noisy:
        raise ValueError("noisy: expected at least one corruption, got none")
    for name, images in noisy.items():
        check_pair(clean, images, name)
    differences = {name: np.ravel(images - clean) for name, images in noisy.items()}
    figure, axes = plt.subplots(
        2, len(noisy), figsize=(2.2 * len(noisy), 3.6), squeeze=False, layout="constrained"
    )
    for index, (column, (name, difference)) in enumerate(zip(axes.T, differences.items())):
        _grey(column[0], noisy[name][0])
        column[0].set(xticks=[], yticks=[])
        column[0].set_title(name, fontsize=10)
        shares = np.full(difference.size, 100 / difference.size)
        column[1].hist(difference, 81, range=span, weights=shares, color=COLOURS[0], log=True)
        column[1].set(ylim=(2e-3, 150), xlabel="noisy - clean")
        if index == 0:
            column[1].set_ylabel("share of pixels (%)")
        else:
            column[1].tick_params(labelleft=False)
    if title:
        figure.suptitle(title, fontsize=11)
    return _finish(figure)


def arrow_fields(clean, starts, ends, title=None):
    """Show where a denoiser of points in the plane moves them, one panel for each denoiser.

    Parameters
    ----------
    clean : array of shape (m, 2)
        The clean points.
    starts : array of shape (n, 2)
        Noisy points.
    ends : dict of str to array of shape (n, 2)
        Name of each denoiser and the denoised points.
    title : str, optional
        Title of the figure.

    Returns
    -------
    matplotlib.figure.Figure
        Each arrow runs from a noisy point to its denoised place.

    Raises
    ------
    ValueError
        If the arrays do not have the shapes above.

    Examples
    --------
    >>> points = np.eye(2)
    >>> arrow_fields(points, points + 1, {"back": points})
    <Figure size 400x400 with 1 Axes>
    """
    shapes = {np.shape(points) for points in ends.values()} | {np.shape(starts)}
    if not ends or len(shapes) != 1 or np.ndim(starts) != 2 or np.shape(starts)[1] != 2:
        raise ValueError(f"ends: expected points of shape (n, 2) like starts, got {sorted(shapes)}")
    figure, axes = plt.subplots(
        1, len(ends), figsize=(4 * len(ends), 4), squeeze=False, layout="constrained"
    )
    for axis, (name, points) in zip(axes.flat, ends.items()):
        axis.plot(*np.transpose(clean), ".", color=COLOURS[1], ms=4, label="clean points")
        x, y = np.transpose(starts)
        u, v = np.transpose(points - starts)
        axis.quiver(
            x, y, u, v, angles="xy", scale_units="xy", scale=1, color=COLOURS[0], width=4e-3
        )
        axis.set(aspect="equal", title=name, xlabel="first coordinate")
    axes[0, 0].set_ylabel("second coordinate")
    if title:
        figure.suptitle(title, fontsize=11)
    return _finish(figure)


def weight_grid(weights, columns=16, title=None):
    """Show signed images, such as the weights of a layer, each on its own blue-white-red scale.

    Parameters
    ----------
    weights : array of shape (n, height, width)
        Any finite numbers; white is 0, and the largest magnitude of each image is full colour.
    columns : int
        Images in a row.
    title : str, optional
        Title of the figure.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If the array has another number of dimensions.

    Examples
    --------
    >>> weight_grid(np.eye(4)[None])
    <Figure size 70x95 with 1 Axes>
    """
    weights = np.asarray(weights)
    if weights.ndim != 3 or 0 in weights.shape:
        raise ValueError(f"weights: expected shape (n, height, width), got {weights.shape}")
    columns = min(check_whole(columns, "columns", 1), len(weights))
    rows = -(-len(weights) // columns)
    figure, axes = _axes(rows, columns, 0.7, 0.7, title)
    for axis, image in zip(axes.flat, weights):
        _error(axis, image, max(np.abs(image).max(), 1e-12))
    for axis in axes.flat[len(weights) :]:
        axis.remove()
    return _finish(figure)


def code_maps(codes, labels, n=1000, title=None):
    """Show two-dimensional codes as the digits they stand for, one panel for each encoder.

    Parameters
    ----------
    codes : dict of str to array of shape (m, 2)
        Name of each encoder and its codes.
    labels : array of shape (m,)
        Class 0..9 of each code: its colour and the figure that is drawn.
    n : int
        How many codes to draw; all where there are fewer.
    title : str, optional
        Title of the figure.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If a code is not two-dimensional, or the number of labels differs.

    Examples
    --------
    >>> code_maps({"identity": np.eye(2)}, np.array([3, 7]))
    <Figure size 450x450 with 1 Axes>
    """
    labels = np.asarray(labels)
    n = check_whole(n, "n", 1)
    if not codes:
        raise ValueError("codes: expected those of at least one encoder, got none")
    for name, points in codes.items():
        if np.shape(points) != (len(labels), 2):
            raise ValueError(
                f"codes: expected shape {(len(labels), 2)} in {name}, got {np.shape(points)}"
            )
    figure, axes = plt.subplots(
        1, len(codes), figsize=(4.5 * len(codes), 4.5), squeeze=False, layout="constrained"
    )
    for axis, (name, points) in zip(axes.flat, codes.items()):
        for digit in range(10):
            x, y = np.asarray(points)[:n][labels[:n] == digit].T
            axis.scatter(x, y, marker=f"${digit}$", s=28, lw=0.3, color=plt.cm.tab10(digit))
        axis.set(title=name, xlabel="first number of the code")
    axes[0, 0].set_ylabel("second number of the code")
    if title:
        figure.suptitle(title, fontsize=11)
    return _finish(figure)


def _colours():
    """Yield the colours again and again."""
    while True:
        yield from COLOURS


def _choose(count, n, rng):
    """Return the indices of the first n, or of n random ones, never past the end."""
    n = min(check_whole(n, "n", 1), count)
    return np.arange(n) if rng is None else np.sort(check_rng(rng).choice(count, n, replace=False))


def _check_intervals(intervals, scores):
    """Raise ValueError unless there is an interval for every score, or none at all."""
    if intervals is not None and not all(np.shape(intervals.get(name)) == (2,) for name in scores):
        raise ValueError(f"intervals: expected two ends for each of {', '.join(scores)}")


def _one_shape(images):
    """Return the shape that all images of a dict share."""
    shapes = {image.shape for image in images.values()}
    if len(shapes) != 1:
        raise ValueError(f"images: expected one or more of one shape, got shapes {sorted(shapes)}")
    return shapes.pop()


def _cut(box, shape):
    """Return the slices of a box (top, left, height, width), which must lie inside an image."""
    if np.shape(box) != (4,):
        raise ValueError(f"box: expected (top, left, height, width), got {box!r}")
    for start, size, edge in zip(box[:2], box[2:], shape):
        if not (0 <= start < start + size <= edge):
            raise ValueError(f"box: expected a box inside the image of {shape} pixels, got {box}")
    top, left, height, width = box
    return np.s_[top : top + height, left : left + width]


def _labels_of(labels, count):
    if labels is not None and len(labels) != count:
        raise ValueError(f"labels: expected {count} of them, one per image, got {len(labels)}")
    return labels


def _axes(rows, columns, width, height, title, margin=0.0):
    """Make a figure of equal cells without ticks."""
    figure, axes = plt.subplots(
        rows,
        columns,
        figsize=(columns * width + margin, rows * height + (0.3 if title else 0.25)),
        squeeze=False,
        layout="constrained",
    )
    for axis in axes.flat:
        axis.set(xticks=[], yticks=[])
    if title:
        figure.suptitle(title, fontsize=11)
    return figure, axes


def _grey(axis, image):
    axis.imshow(np.squeeze(image), cmap="gray", vmin=0, vmax=1, interpolation="nearest")


def _error(axis, error, limit):
    return axis.imshow(error, cmap="RdBu_r", vmin=-limit, vmax=limit, interpolation="nearest")


def _finish(figure):
    """Close the figure, so that a notebook shows it once, as the value of its cell."""
    plt.close(figure)
    return figure
