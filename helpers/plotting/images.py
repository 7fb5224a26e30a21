"""Pictures: images side by side, their errors, details, the noise in them, and signed weights."""

import numpy as np
from matplotlib.patches import Rectangle

from ..checks import NOISE_MARGIN, check_images, check_like
from ..hounsfield import WINDOW_WIDTH
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
    rows = {
        name: check_images(images, f"rows[{name!r}]", NOISE_MARGIN) for name, images in rows.items()
    }
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


def before_and_after(image, removed, *, limit=0.1, hu=WINDOW_WIDTH, title=None):
    """Show an image, the same denoised, and below them what was removed.

    Parameters
    ----------
    image : array of shape (height, width, 1)
        Values near [0, 1].
    removed : array of the same shape
        What to subtract from it.
    limit : float
        Noise, in grey levels, at which the colours saturate.
    hu : float or None
        HU in one grey level, for the colour bar; None where the image is not CT.
    title : str, optional

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If `image` is no image near [0, 1], `removed` has another shape, or `hu` is not above 0.

    Examples
    --------
    >>> before_and_after(np.full((32, 32, 1), 0.5), np.full((32, 32, 1), 0.1))
    <Figure size 900x997.5 with 4 Axes>
    """
    before = canvas.check_slice(image, "image")
    if np.shape(removed) != np.shape(image):
        raise ValueError(
            f"removed: expected the shape of image, {np.shape(image)}, got {np.shape(removed)}"
        )
    hu = canvas.check_hu(hu)
    removed = np.asarray(removed, np.float32)[..., 0]
    height = max(1.5, 3.0 * before.shape[0] / before.shape[1])
    figure, axes = canvas.cells(2, 2, 3.0, height + 0.2, title)
    for axis, (name, shown) in zip(axes[0], {"before": before, "after": before - removed}.items()):
        canvas.show_grey(axis, shown, name)
    drawn = canvas.show_error(axes[1, 0], removed, limit)
    axes[1, 0].set_title("removed", fontsize=10)
    canvas.colour_bar(figure, drawn, hu, "removed", free=axes[1, 1])
    return canvas.finish(figure)


def zoom_rows(images, box, clean=None, *, limit=0.1, hu=WINDOW_WIDTH, size=None, title=None):
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
    hu : float or None
        HU in one grey level, for the colour bar; None where the images are not CT.
    size : float, optional
        Width of a column in inches; by default one that can be read on a phone, if there are not too many.
    title : str, optional

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If there is no image, the images and `clean` do not share a shape (height, width, 1) with
        values near [0, 1], `box` does not lie inside, or `hu` is not above 0.

    Examples
    --------
    >>> slice_ = np.zeros((64, 64, 1))
    >>> zoom_rows({"clean": slice_, "noisy": slice_ + 0.1}, (10, 10, 20, 20), slice_)
    <Figure size 600x937.5 with 6 Axes>
    """
    hu = canvas.check_hu(hu)
    images = canvas.check_slices(images, "images")
    detail = canvas.cut(box, canvas.one_shape(images))
    errors = {}
    if clean is not None:
        clean = canvas.check_slice(clean, "clean")
        canvas.one_shape({**images, "clean": clean})
        errors = {name: (image - clean)[detail] for name, image in images.items()}
        errors = {name: error for name, error in errors.items() if error.any()}
    top, left, height, width = box
    size = size or min(2.0, canvas.PHONE / len(images))
    free = [name not in errors for name in images]
    margin = 0.0 if not errors or any(free) else 1.3
    figure, axes = canvas.cells(3 if errors else 2, len(images), size, size, title, margin)
    too_long = max(map(len, images)) > size / 0.072  # inches of a letter
    for column, (name, image) in zip(axes.T, images.items()):
        canvas.show_grey(column[0], image, name.replace(", ", ",\n") if too_long else name)
        frame = {"fill": False, "color": canvas.COLOURS[4], "lw": 1.5}
        column[0].add_patch(Rectangle((left, top), width, height, **frame))
        canvas.show_grey(column[1], image[detail])
        if name in errors:
            drawn = canvas.show_error(column[2], errors[name], limit)
    for axis, name in zip(axes[:, 0], ("whole slice", "detail", "error in detail")):
        axis.set_ylabel(name, fontsize=10)
    if errors:
        for axis in axes[2, free]:
            axis.axis("off")
        place = {"free": axes[2, free][0]} if any(free) else {"beside": axes[2]}
        canvas.colour_bar(figure, drawn, hu, "error in detail", **place)
    return canvas.finish(figure)


def detail_grid(images, box, clean, *, columns=4, limit=0.1, hu=WINDOW_WIDTH, title=None):
    """Show the same detail of one slice by many methods, each above its error.

    Parameters
    ----------
    images, box, limit, hu
        As for `zoom_rows`.
    clean : array of shape (height, width, 1)
        The reference, shown first, above the colour bar.
    columns : int
        At most as many in a row.
    title : str, optional

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        Where `zoom_rows` does, or if `columns` is no whole number above 0.

    Examples
    --------
    >>> slice_ = np.zeros((64, 64, 1))
    >>> detail_grid({"noisy": slice_}, (10, 10, 20, 20), slice_)
    <Figure size 510x562.5 with 4 Axes>
    """
    canvas.check_some(images, "images")
    hu = canvas.check_hu(hu)
    clean = canvas.check_slice(clean, "clean")
    images = {"clean": clean, **canvas.check_slices(images, "images")}
    detail = canvas.cut(box, canvas.one_shape(images))
    figure, pairs = canvas.pairs(len(images), columns, title)
    for (above, below), (name, image) in zip(pairs, images.items()):
        canvas.show_grey(above, image[detail])
        above.set_title(name.replace(" (", "\n("), fontsize=10)
        if below is not pairs[0][1]:
            drawn = canvas.show_error(below, (image - images["clean"])[detail], limit)
    canvas.colour_bar(figure, drawn, hu, "error", free=pairs[0][1])
    return canvas.finish(figure)


def noise_columns(clean, noisy, *, span=(-1, 1), hu=None, title=None):
    """Show corrupted versions of an image, and below each the histogram of what was added.

    Parameters
    ----------
    clean : array of shape (n, height, width, 1)
        Clean images; the first one is shown, the histograms are over all.
    noisy : dict of str to array of the same shape
        Name of each corruption and its result.
    span : (float, float)
        First and last difference of the histograms, in grey levels.
    hu : float, optional
        HU in one grey level, told below the histograms, where the images are CT.
    title : str, optional

    Returns
    -------
    matplotlib.figure.Figure
        The histograms share one logarithmic axis, so that rare, large changes are seen.

    Raises
    ------
    ValueError
        If `clean` is no batch in [0, 1], `noisy` is empty, one of it is no batch of the same shape
        near [0, 1], or `hu` is not above 0.

    Examples
    --------
    >>> clean = np.zeros((1, 16, 16, 1))
    >>> noise_columns(clean, {"brighter": clean + 0.1, "darker": clean - 0.1})
    <Figure size 660x780 with 4 Axes>
    """
    canvas.check_some(noisy, "noisy")
    hu = canvas.check_hu(hu)
    clean = check_images(clean, "clean")
    noisy = {name: check_like(images, clean, f"noisy[{name!r}]") for name, images in noisy.items()}
    width = min(2.2, canvas.PHONE / len(noisy))
    figure, axes = canvas.panels(2, len(noisy), width * len(noisy), 2.0 * width + 0.8, title)
    for (picture, histogram), (name, images) in zip(axes.T, noisy.items()):
        canvas.show_grey(picture, images[0], name)
        picture.set(xticks=[], yticks=[])
        added = (images - clean).ravel()
        style = {"weights": np.full(added.size, 100 / added.size), "color": canvas.COLOURS[0]}
        histogram.hist(added, 81, range=span, log=True, **style)
        histogram.set(ylim=(2e-3, 150))
        histogram.tick_params(labelleft=histogram is axes[1, 0])
    axes[1, 0].set_ylabel("share of pixels (%)")
    unit = "grey levels" if hu is None else f"grey levels; 1 is {hu:,g} HU"
    figure.supxlabel(f"noisy - clean ({unit})", fontsize=10)
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
