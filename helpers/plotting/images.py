"""Pictures: images side by side, their errors, details, the noise in them, and signed weights."""

import numpy as np
from matplotlib.patches import Rectangle

from ..checks import NOISE_MARGIN, check_images, check_like, check_number
from . import canvas


def image_grid(images, labels=None, *, n=10, rng=None, columns=10, size=1.0, title=None):
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

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If `images` are no batch near [0, 1], `labels` are not m, `n` or `columns` is no whole number
        above 0, or `rng` is no Generator.

    Examples
    --------
    >>> image_grid(np.zeros((3, 28, 28, 1)), labels="abc", n=10)
    <Figure size 450x210 with 3 Axes>
    """
    images = check_images(images, "images", NOISE_MARGIN)
    labels = canvas.labels_of(labels, len(images))
    chosen = canvas.choose(len(images), n, rng)
    figure, axes = canvas.grid(len(chosen), columns, size, size + 0.15, title)
    for axis, index in zip(axes, chosen):
        canvas.show_grey(axis, images[index], labels[index])
    return canvas.finish(figure)


def image_rows(rows, labels=None, *, n=10, rng=None, title=None):
    """Show versions of the same images below each other: noisy above, denoised below, and so on.

    Parameters
    ----------
    rows : dict of str to array of shape (m, height, width, 1)
        Name of each row and its images; column k shows the same picture in every row.
    labels, n, rng
        As for `image_grid`, for the columns.
    title : str, optional

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If there is no row, one is no batch near [0, 1], the rows or `labels` differ in number, `n` is
        no whole number above 0, or `rng` is no Generator.

    Examples
    --------
    >>> digits = np.zeros((3, 28, 28, 1))
    >>> image_rows({"clean": digits, "noisy": digits})
    <Figure size 630x337.5 with 6 Axes>
    """
    rows = {name: check_images(images, name, NOISE_MARGIN) for name, images in rows.items()}
    counts = {len(images) for images in rows.values()}
    if len(counts) != 1:
        raise ValueError(f"rows: expected as many images in each row, got {sorted(counts)}")
    count = counts.pop()
    labels = canvas.labels_of(labels, count)
    chosen = canvas.choose(count, n, rng)
    figure, axes = canvas.cells(len(rows), len(chosen), 1.0, 1.0, title, margin=1.2)
    for row, (name, images) in zip(axes, rows.items()):
        for axis, index in zip(row, chosen):
            canvas.show_grey(axis, images[index])
        row[0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=10)
    for axis, index in zip(axes[0], chosen):
        axis.set_title(labels[index], fontsize=10)
    return canvas.finish(figure)


def before_and_after(image, removed, *, limit=0.1, title=None):
    """Show an image, the same denoised, and what was removed.

    Parameters
    ----------
    image : array of shape (height, width, 1)
        Values near [0, 1].
    removed : array of the same shape
        What to subtract from it.
    limit : float
        Noise, in grey levels, at which the colours saturate.
    title : str, optional

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If `image` is no image near [0, 1], or `removed` has another shape.

    Examples
    --------
    >>> before_and_after(np.full((32, 32, 1), 0.5), np.full((32, 32, 1), 0.1))
    <Figure size 2010x637.5 with 4 Axes>
    """
    before = canvas.check_slice(image, "image")
    if np.shape(removed) != np.shape(image):
        raise ValueError(
            f"removed: expected the shape of image, {np.shape(image)}, got {np.shape(removed)}"
        )
    removed = np.asarray(removed, np.float32)[..., 0]
    figure, axes = canvas.cells(1, 3, 4.0, 4.0, title, margin=1.4)
    for axis, (name, shown) in zip(axes[0], {"before": before, "after": before - removed}.items()):
        canvas.show_grey(axis, shown, name)
    drawn = canvas.show_error(axes[0, 2], removed, limit)
    axes[0, 2].set_title("removed", fontsize=10)
    figure.colorbar(drawn, ax=axes[0, 2], label="removed (grey levels)", fraction=0.05)
    return canvas.finish(figure)


def zoom_rows(images, box, clean=None, *, limit=0.1, title=None):
    """Show one slice by several methods: whole, zoomed into a box, and the error in the box.

    Parameters
    ----------
    images : dict of str to array of shape (height, width, 1)
        Name of each column and its version of the same slice.
    box : (int, int, int, int)
        Top, left, height and width of the detail in pixels, inside the image.
    clean : array of shape (height, width, 1), optional
        The reference; a third row shows each column minus it. Where the detail has no error, the cell is free,
        and holds the colour bar.
    limit : float
        Error, in grey levels, at which the colours saturate.
    title : str, optional

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If there is no image, the images and `clean` do not share a shape (height, width, 1) with
        values near [0, 1], or `box` does not lie inside.

    Examples
    --------
    >>> slice_ = np.zeros((64, 64, 1))
    >>> zoom_rows({"clean": slice_, "noisy": slice_ + 0.1}, (10, 10, 20, 20), slice_)
    <Figure size 540x847.5 with 6 Axes>
    """
    images = {name: canvas.check_slice(image, name) for name, image in images.items()}
    detail = canvas.cut(box, canvas.one_shape(images))
    errors = {}
    if clean is not None:
        clean = canvas.check_slice(clean, "clean")
        canvas.one_shape({**images, "clean": clean})
        errors = {name: (image - clean)[detail] for name, image in images.items()}
        errors = {name: error for name, error in errors.items() if error.any()}
    top, left, height, width = box
    figure, axes = canvas.cells(3 if errors else 2, len(images), 1.8, 1.8, title)
    for column, (name, image) in zip(axes.T, images.items()):
        canvas.show_grey(column[0], image, name)
        frame = {"fill": False, "color": canvas.COLOURS[4], "lw": 1.5}
        column[0].add_patch(Rectangle((left, top), width, height, **frame))
        canvas.show_grey(column[1], image[detail])
        if name in errors:
            drawn = canvas.show_error(column[2], errors[name], limit)
        elif errors:
            column[2].axis("off")
    for axis, name in zip(axes[:, 0], ("whole slice", "detail", "error in detail")):
        axis.set_ylabel(name, fontsize=10)
    if errors:
        _colour_bar(figure, drawn, axes[2], [name in errors for name in images])
    return canvas.finish(figure)


def _colour_bar(figure, drawn, axes, used):
    """Name the colours of the errors: in the first cell of the row that holds none, or beside the row."""
    if all(used):
        figure.colorbar(drawn, ax=axes, label="error (grey levels)", fraction=0.03)
        return
    bar = axes[used.index(False)].inset_axes([0.72, 0.04, 0.1, 0.92])
    bar = figure.colorbar(drawn, cax=bar, ticklocation="left")
    bar.set_label("error in detail\n(grey levels)", fontsize=10)


def detail_grid(images, box, clean, *, columns=7, limit=0.1, white=1.0, title=None):
    """Show the same detail of one slice by many methods, each above its error.

    Parameters
    ----------
    images, box, limit
        As for `zoom_rows`.
    clean : array of shape (height, width, 1)
        The reference, shown first, without an error.
    columns : int
        Methods in a row.
    white : float
        Grey level that is shown white, above 0; 0.4 shows lung, as a radiologist's lung window does.
    title : str, optional

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        Where `zoom_rows` does, or if `columns` is no whole number above 0, or `white` is not above 0.

    Examples
    --------
    >>> slice_ = np.zeros((64, 64, 1))
    >>> detail_grid({"noisy": slice_}, (10, 10, 20, 20), slice_)
    <Figure size 570x525 with 5 Axes>
    """
    canvas.check_some(images, "images")
    images = {"clean": clean, **images}
    images = {name: canvas.check_slice(image, name) for name, image in images.items()}
    detail = canvas.cut(box, canvas.one_shape(images))
    white = check_number(white, "white", 1e-6)
    rows, columns = canvas.grid_shape(len(images), columns)
    figure, axes = canvas.cells(2 * rows, columns, 1.5, 1.5 + 0.25 / (2 * rows), title, margin=0.8)
    figure.get_layout_engine().set(w_pad=0.02, h_pad=0.02, hspace=0, wspace=0)
    pairs = list(zip(axes[0::2].flat, axes[1::2].flat))
    for (above, below), (name, image) in zip(pairs, images.items()):
        canvas.show_grey(above, image[detail] / white)
        above.set_title(name.replace(" (", "\n("), fontsize=9)
        if below is not axes[1, 0]:
            drawn = canvas.show_error(below, (image - images["clean"])[detail], limit)
    for axis in [axes[1, 0], *(axis for pair in pairs[len(images) :] for axis in pair)]:
        axis.axis("off")
    figure.colorbar(drawn, ax=axes, label="error (grey levels)", shrink=0.6, aspect=30)
    return canvas.finish(figure)


def noise_columns(clean, noisy, *, span=(-1, 1), title=None):
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

    Returns
    -------
    matplotlib.figure.Figure
        The histograms share one logarithmic axis, so that rare, large changes are seen.

    Raises
    ------
    ValueError
        If `clean` is no batch in [0, 1], `noisy` is empty, or one of it is no batch of the same shape
        near [0, 1].

    Examples
    --------
    >>> clean = np.zeros((1, 16, 16, 1))
    >>> noise_columns(clean, {"brighter": clean + 0.1, "darker": clean - 0.1})
    <Figure size 660x645 with 4 Axes>
    """
    canvas.check_some(noisy, "noisy")
    clean = check_images(clean, "clean")
    noisy = {name: check_like(images, clean, name) for name, images in noisy.items()}
    figure, axes = canvas.panels(2, len(noisy), 2.2 * len(noisy), 4.3, title)
    axes[0, 0].get_gridspec().set_height_ratios((3, 2))  # the pictures as wide as the histograms
    for (picture, histogram), (name, images) in zip(axes.T, noisy.items()):
        canvas.show_grey(picture, images[0], name)
        picture.set(xticks=[], yticks=[])
        added = (images - clean).ravel()
        style = {"weights": np.full(added.size, 100 / added.size), "color": canvas.COLOURS[0]}
        histogram.hist(added, 81, range=span, log=True, **style)
        histogram.set(ylim=(2e-3, 150), xlabel="noisy - clean")
        histogram.tick_params(labelleft=histogram is axes[1, 0])
    axes[1, 0].set_ylabel("share of pixels (%)")
    return canvas.finish(figure)


def weight_grid(weights, columns=16, *, title=None):
    """Show signed images, such as the weights of a layer, each on its own blue-white-red scale.

    Parameters
    ----------
    weights : array of shape (n, height, width)
        Any finite numbers; white is 0, and the largest magnitude of each image is full colour.
    columns : int
        Images in a row.
    title : str, optional

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If `weights` is empty or has not three dimensions, or `columns` is no whole number above 0.

    Examples
    --------
    >>> weight_grid(np.eye(4)[None])
    <Figure size 105x142.5 with 1 Axes>
    """
    weights = np.asarray(weights)
    if weights.ndim != 3 or 0 in weights.shape:
        raise ValueError(f"weights: expected shape (n, height, width), got {weights.shape}")
    figure, axes = canvas.grid(len(weights), columns, 0.7, 0.7, title)
    for axis, image in zip(axes, weights):
        canvas.show_error(axis, image, max(np.abs(image).max(), 1e-12))
    return canvas.finish(figure)
