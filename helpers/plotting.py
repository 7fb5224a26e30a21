"""The figures of the notebooks. Every function returns a closed Figure, which a notebook shows once.

Grey images share the scale 0 (black) to 1 (white); errors share a blue-white-red scale with 0 in the
middle, which colour-blind readers can tell apart.
"""

import matplotlib.pyplot as plt
import numpy as np

from .checks import NOISE_MARGIN, check_images, check_number, check_rng
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


def image_grid(images, labels=None, n=10, rng=None, columns=10, title=None):
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
    columns = min(int(check_number(columns, "columns", 1)), len(chosen))
    rows = -(-len(chosen) // columns)
    figure, axes = _axes(rows, columns, 1.0, 1.15, title)
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
    <Figure size 1080x270 with 5 Axes>
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
    <Figure size 360x390 with 4 Axes>
    """
    images = {
        name: check_images([image], name, NOISE_MARGIN)[0, ..., 0] for name, image in images.items()
    }
    top, left, height, width = box
    cut = np.s_[top : top + height, left : left + width]
    for name, image in images.items():
        if not (
            0 <= top
            and 0 <= left
            and 0 < height <= image.shape[0] - top
            and 0 < width <= image.shape[1] - left
        ):
            raise ValueError(
                f"box: expected a box inside {name} of {image.shape} pixels, got {box}"
            )
    figure, axes = _axes(2 if clean is None else 3, len(images), 1.8, 1.8, title)
    for column, (name, image) in zip(axes.T, images.items()):
        _grey(column[0], image)
        column[0].add_patch(
            plt.Rectangle((left, top), width, height, fill=False, color=COLOURS[4], lw=1.5)
        )
        column[0].set_title(name, fontsize=10)
        _grey(column[1], image[cut])
        if clean is not None:
            drawn = _error(column[2], (image - np.asarray(clean)[..., 0])[cut], limit)
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
        If a history lacks the metric.

    Examples
    --------
    >>> loss_curves({"Adam": {"loss": [0.3, 0.2], "val_loss": [0.35, 0.3]}})
    <Figure size 700x360 with 1 Axes>
    """
    figure, axis = plt.subplots(figsize=(7, 3.6), layout="constrained")
    for (name, history), colour in zip(histories.items(), _colours()):
        curves = getattr(history, "history", history)
        if metric not in curves:
            raise ValueError(f"histories: expected {metric!r} in {name}, got {', '.join(curves)}")
        epochs = np.arange(1, len(curves[metric]) + 1)
        both = f"val_{metric}" in curves
        axis.plot(epochs, curves[metric], color=colour, label=f"{name}, training" if both else name)
        if both:
            axis.plot(
                epochs, curves[f"val_{metric}"], "--", color=colour, label=f"{name}, validation"
            )
    axis.set(xlabel="epoch", ylabel=ylabel, title=title, yscale="log" if log else "linear")
    axis.grid(alpha=0.3)
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
    names = sorted(scores, key=scores.get)
    values = [scores[name] for name in names]
    figure, axis = plt.subplots(figsize=(7, 0.3 * len(names) + 1), layout="constrained")
    axis.barh(names, values, color=COLOURS[0], height=0.65)
    ends = values
    if intervals is not None:
        low, high = np.transpose([intervals[name] for name in names])
        axis.errorbar(
            values, names, xerr=[values - low, high - values], fmt="none", ecolor="black", capsize=3
        )
        ends = high
    spread = max(values) - min(values) or 1
    for position, (value, end) in enumerate(zip(values, ends)):
        axis.text(end + 0.02 * spread, position, f"{value:.2f}", va="center", fontsize=9)
    axis.set(xlim=(min(values) - 0.2 * spread, max(ends) + 0.15 * spread), xlabel=unit, title=title)
    return _finish(figure)


def _colours():
    """Yield the colours again and again."""
    while True:
        yield from COLOURS


def _choose(count, n, rng):
    """Return the indices of the first n, or of n random ones, never past the end."""
    n = min(int(check_number(n, "n", 1)), count)
    return np.arange(n) if rng is None else np.sort(check_rng(rng).choice(count, n, replace=False))


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
