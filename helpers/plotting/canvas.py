"""What the figures share: the colours, panels and cells, the scales, and checks of what is drawn."""

from itertools import cycle

import matplotlib.pyplot as plt
import numpy as np

from ..checks import NOISE_MARGIN, check_images, check_number, check_rng, check_whole

# From the palette of Okabe and Ito, which colour-blind readers can tell apart.
COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"]
DPI = 150
PHONE = 6.0  # inches: in a figure of this width, letters of 10 points are 8.7 pixels high on a phone of 375
# A method has its colour in every chart, under each of its names. Those that are compared most can be told apart by
# colour-blind readers, too; the names of the others should stand beside them. One that is not here takes a free colour.
_NAMES = {
    "#B3B3B3": ["noisy input", "noisy", "doing nothing"],
    "#000000": ["BM3D", "bm3d"],
    "#0072B2": ["U-Net", "ct_unet"],
    "#56B4E9": ["small U-Net", "ct_unet_small"],
    "#009E73": ["U-Net for scans", "ct_scan"],
    "#D55E00": ["conv autoencoder", "autoencoder", "ct_conv_autoencoder"],
    "#E69F00": ["Gaussian", "gaussian", "tuned blur", "Gaussian blur", "blur"],
    "#CC79A7": ["NL-means (scikit-image)", "NL-means", "nl_means"],
    "#555555": ["BM4D", "bm4d"],
    "#332288": ["U-Net on 5 slices", "ct_unet_25d"],
    "#6699CC": ["U-Net, 8 views", "ct_unet_x8"],
    "#44AA99": ["U-Net for scans on 5 slices", "ct_scan_25d"],
    "#7B3F00": ["bilateral"],
    "#994455": ["median"],
    "#DDCC77": ["average"],
    "#AA4499": ["NL-means (OpenCV)", "opencv_nl_means"],
    "#999933": ["total variation", "total_variation"],
    "#CC6677": ["wavelet"],
    # Noises and the kernels of scans, from sharp to soft, and the patients of a comparison: never beside the methods
    # whose colours are like theirs.
    "#777777": ["white", "white noise", "added noise"],
    "#B23AC8": ["ramp"],
    "#2B2B8F": ["Shepp-Logan", "shepp-logan"],
    "#6FA8DC": ["cosine"],
    "#5DBB4C": ["Hamming", "hamming"],
    "#9A6A10": ["Hann", "hann", "scanner noise"],
    "#5F2600": ["Hann cut at 0.7", "hann cut at 0.7"],
    "#111111": ["the scan"],
    "#4D4D4D": ["patient 1"],
    "#A6A6A6": ["patient 2"],
}
METHODS = {name: colour for colour, names in _NAMES.items() for name in names}


def colours_of(names):
    """Return the colour of each name: that of the method, or, where it has none of its own, the next that is free.

    >>> colours_of(["mine", "U-Net", "yours"])
    {'mine': '#D55E00', 'U-Net': '#0072B2', 'yours': '#009E73'}
    """
    taken = {METHODS[name] for name in names if name in METHODS}
    free = cycle([colour for colour in COLOURS if colour not in taken] or COLOURS)
    return {name: METHODS[name] if name in METHODS else next(free) for name in names}


def panels(rows, columns, width, height, title):
    """Make a figure of panels, `width` and `height` inches in all."""
    size = {"figsize": (width, height), "layout": "constrained"}
    figure, axes = plt.subplots(rows, columns, squeeze=False, **size)
    if title:
        figure.suptitle(title, fontsize=11)
    return figure, axes


def cells(rows, columns, width, height, title, margin=0.0):
    """Make a figure of cells without ticks, each `width` and `height` inches."""
    height = rows * height + (0.3 if title else 0.25)
    figure, axes = panels(rows, columns, columns * width + margin, height, title)
    for axis in axes.flat:
        axis.set(xticks=[], yticks=[])
    return figure, axes


def grid(count, columns, width, height, title):
    """Make a figure of `count` cells and return their axes in a flat list."""
    figure, axes = cells(*grid_shape(count, columns), width, height, title)
    for axis in axes.flat[count:]:
        axis.remove()
    return figure, axes.flat[:count]


def pairs(count, columns, title):
    """Make a figure of pairs of cells, one above the other, and return the pairs of axes.

    The rows are as even as they can be, and the last one stands in the middle, so that no hole is left.
    """
    rows = grid_shape(count, columns)[0]
    columns = -(-count // rows)
    edge = np.clip(PHONE / columns, 1.4, 1.7)
    height = rows * (2 * edge + 0.35) + (0.3 if title else 0)
    figure = plt.figure(figsize=(columns * edge, height), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.02, h_pad=0.02, hspace=0, wspace=0)
    if title:
        figure.suptitle(title, fontsize=11)
    spec, axes = figure.add_gridspec(2 * rows, 2 * columns), []
    for index in range(count):
        row, column = divmod(index, columns)
        left = 2 * column + max(0, columns * (row + 1) - count)
        places = (spec[2 * row + below, left : left + 2] for below in (0, 1))
        axes.append([figure.add_subplot(place, xticks=[], yticks=[]) for place in places])
    return figure, axes


def grid_shape(count, columns):
    """Return how many rows and columns hold `count` cells, with at most `columns` in a row."""
    columns = min(check_whole(columns, "columns", 1), count)
    return -(-count // columns), columns


def show_grey(axis, image, name=""):
    """Show an image from black, 0, to white, 1."""
    axis.imshow(
        np.reshape(image, np.shape(image)[:2]), cmap="gray", vmin=0, vmax=1, interpolation="nearest"
    )
    axis.set_title(name, fontsize=10)


def show_error(axis, error, limit):
    """Show signed values from blue, -limit, over white, 0, to red."""
    return axis.imshow(error, cmap="RdBu_r", vmin=-limit, vmax=limit, interpolation="nearest")


def colour_bar(figure, drawn, hu, what, *, free=None, beside=None):
    """Name the colours of `show_error` in grey levels and, unless `hu` is None, in HU: in a free cell, or beside some.

    `hu` is the width of the window that the grey levels come from.
    """
    if free is None:
        bar = figure.colorbar(drawn, ax=beside, fraction=0.03).ax
    else:
        free.axis("off")
        bar = free.inset_axes([0.52, 0.05, 0.1, 0.62])
        figure.colorbar(drawn, cax=bar)
    ticks = np.linspace(*drawn.get_clim(), 5)
    bar.set_yticks(ticks)
    bar.yaxis.set_ticks_position("left")
    bar.yaxis.set_major_formatter("{x:.2g}")
    bar.set_title(what, fontsize=10, pad=22)
    words = {"xycoords": "axes fraction", "textcoords": "offset points", "fontsize": 10}
    if hu is None:
        bar.annotate("grey levels", (0.5, 1), (0, 8), ha="center", **words)
    else:
        bar.annotate("grey levels", (0, 1), (0, 8), ha="right", **words)
        bar.annotate("HU", (1, 1), (8, 8), ha="left", **words)
        scale = bar.secondary_yaxis("right", functions=(lambda grey: grey * hu, lambda x: x / hu))
        scale.set_yticks(hu * ticks)
        scale.yaxis.set_major_formatter("{x:.4g}")


def finish(figure):
    """Close the figure, so that a notebook shows it once, as the value of its cell, fine enough to be enlarged."""
    plt.close(figure)
    figure.set_dpi(DPI)
    return figure


def check_some(things, name):
    """Raise ValueError if there is nothing to draw."""
    if not things:
        raise ValueError(f"{name}: expected at least one, got none")


def check_hu(hu):
    """Return the width of a window in HU as float, or None as it is; anything else raises ValueError."""
    return None if hu is None else check_number(hu, "hu", 1e-6)


def check_length(values, count, name, which):
    """Raise ValueError unless there are `count` values."""
    if len(values) != count:
        raise ValueError(f"{name}: expected {count} values {which}, got {len(values)}")


def check_intervals(intervals, scores):
    """Raise ValueError unless there is an interval for every score, or none at all."""
    if intervals is not None and not all(np.shape(intervals.get(name)) == (2,) for name in scores):
        raise ValueError(f"intervals: expected two ends for each of {', '.join(scores)}")


def labels_of(labels, count):
    """Return a label as text for each of `count` images, empty where there are none."""
    if labels is None:
        return [""] * count
    check_length(labels, count, "labels", "for as many images")
    return [str(label) for label in labels]


def choose(count, n, rng):
    """Return the indices of the first n, or of n random ones, never past the end."""
    n = min(check_whole(n, "n", 1), count)
    return np.arange(n) if rng is None else np.sort(check_rng(rng).choice(count, n, replace=False))


def check_slice(image, name):
    """Return one slice of shape (height, width, 1), near [0, 1], as float32 (height, width)."""
    return check_images([image], name, NOISE_MARGIN)[0, ..., 0]


def check_slices(images, name):
    """Return a dict of slices, each as `check_slice` does."""
    return {key: check_slice(image, f"{name}[{key!r}]") for key, image in images.items()}


def one_shape(images):
    """Return the shape that all images of a dict share."""
    shapes = {image.shape for image in images.values()}
    if len(shapes) != 1:
        raise ValueError(f"images: expected one or more of one shape, got shapes {sorted(shapes)}")
    return shapes.pop()


def cut(box, shape):
    """Return the slices of a box (top, left, height, width), which must lie inside an image."""
    if np.shape(box) != (4,):
        raise ValueError(f"box: expected (top, left, height, width), got {box!r}")
    for start, size, edge in zip(box[:2], box[2:], shape):
        if not (0 <= start < start + size <= edge):
            raise ValueError(f"box: expected a box inside the image of {shape} pixels, got {box}")
    top, left, height, width = box
    return np.s_[top : top + height, left : left + width]
