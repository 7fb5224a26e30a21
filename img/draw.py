"""The drawings that explain autoencoders, for the notebooks and the README.

`python img/draw.py` draws all of them anew into its own folder. The same version of matplotlib writes
the same bytes every time. Each drawing brings its own white card, so that it can be read on a dark page as
well as on a light one. One photograph, of the result, is there for the README.
"""

import argparse
import functools
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Polygon, Rectangle

from helpers.comparison import (
    SCANNER,
    SCANS,
    ablation,
    read_results,
    scan_copies,
    scan_spectra,
    told,
)
from helpers.data import load_mnist
from helpers.metrics import clipped, psnr
from helpers.models import pretrained_denoiser
from helpers.noise import add_gaussian_noise
from helpers.plotting import COLOURS, zoom_rows

IMG = Path(__file__).resolve().parent
CODE_SIZE, DIGIT = 20, 7
SHOWN_SCAN = "hann, 80000 photons"
BLUE, ORANGE, GREEN = COLOURS[:3]
_INK, _SOFT = "#222222", "#666666"
_NAME, _SMALL = 18, 16  # letters on a card of 10 inches: 8 pixels and more on a phone of 375
MAPS = 64  # of the convolutional autoencoder
SERIES = {  # number of each notebook: the first words of its title, question, its appendix in words of its title
    1: (
        "Autoencoders, data and noise",
        "Why can an autoencoder remove noise?",
        "principal\ncomponents",
    ),
    2: ("A dense autoencoder", "What makes the classic recipe work?", "inside the\nautoencoder"),
    3: (
        "A convolutional denoiser",
        "What keeps the fine detail of a CT slice?",
        "grain, views,\nneighbours",
    ),
    4: ("A fair comparison", "Which method is best on white noise?", "other images,\nand a limit"),
    5: ("The autopsy of 67 dB", "How do tutorials get such numbers?", ""),
    6: (
        "Noise as a scanner makes it",
        "Why does a network fail on it?",
        "scanner noise,\ntaken apart",
    ),
    7: (
        "Without clean images",
        "How does one train when nobody has them?",
        "going on with\none scan",
    ),
    8: ("Your own scans", "How do I denoise mine, and when not?", ""),
}
NEEDS = {2: 1, 3: 2, 4: 3, 5: 4, 6: 4, 7: 6, 8: 6}  # the last one that a notebook builds on
_STYLE = {
    "svg.hashsalt": "denoising-autoencoders",  # the same identifiers in every run
    "svg.fonttype": "path",  # letters as outlines: no font is needed to show them
    "font.family": "DejaVu Sans",  # comes with matplotlib
    "mathtext.fontset": "dejavusans",
    "text.color": _INK,
}


def series_map():
    """Draw the notebooks as boxes with their questions, arrows from each to what builds on it, appendices beside.

    It is narrow, so that it can be read on a phone.

    Returns
    -------
    matplotlib.figure.Figure
    """
    pitch, height = 0.72, 0.54
    figure, axis = _card(6.6, pitch * len(SERIES) + 0.2)
    tops = {number: pitch * (len(SERIES) - k) for k, number in enumerate(SERIES)}
    box = {"boxstyle": "round,pad=0,rounding_size=0.06", "fc": "white", "lw": 2}
    appendices = 0
    for number, (title, question, beside) in SERIES.items():
        top = tops[number]
        colour = BLUE if number < 6 else ORANGE
        axis.add_patch(FancyBboxPatch((0.5, top - height), 3.9, height, ec=colour, **box))
        name = {"fontsize": 12, "weight": "bold", "color": colour, "va": "center"}
        axis.text(0.62, top - 0.17, f"{number:02}  {title}", **name)
        axis.text(0.62, top - 0.4, question, va="center", fontsize=11)
        if beside:
            appendices += 1
            axis.plot([4.4, 4.62], [top - height / 2] * 2, color=_SOFT, lw=1.2)
            axis.add_patch(FancyBboxPatch((4.62, top - height), 1.75, height, ec="#999999", **box))
            name = {"fontsize": 12, "weight": "bold", "color": _SOFT, "va": "center"}
            axis.text(4.7, top - height / 2, f"A{appendices}", **name)
            words = {"fontsize": 11, "va": "center", "linespacing": 1.1}
            axis.text(5.08, top - height / 2, beside, **words)
    for number, needed in NEEDS.items():
        if number == needed + 1:
            _path(axis, (2.4, tops[needed] - height), (2.4, tops[number] + 0.02))
        else:
            low, high = tops[number] - 0.17, tops[needed] - height + 0.12
            _path(axis, (0.5, high), (0.25, high), (0.25, low), (0.48, low))
    return _finished(figure)


def intuition():
    """Draw a digit that is squeezed into a few numbers and rebuilt from them.

    The code and the reconstruction are real: the best linear autoencoder with 20 numbers, which is
    PCA, fitted to the 4,000 training digits at 14 x 14 pixels, encodes and decodes a test digit.

    Returns
    -------
    matplotlib.figure.Figure
    """
    digit, code, rebuilt = _coded_digit()
    figure, axis = _card(10, 3.6)
    _digit(axis, digit, 0.35, 0.75, 2.1)
    _funnel(axis, 2.75, 4.25, 1.05, 0.55, BLUE, "encoder")
    _code(axis, code, 4.48, 0.75, 2.1)
    _funnel(axis, 5.75, 7.25, 0.55, 1.05, ORANGE, "decoder")
    _digit(axis, rebuilt, 7.55, 0.75, 2.1)
    for x, name, size in (
        (1.4, "input", "196 numbers"),
        (5.0, "code", f"{len(code)} numbers"),
        (8.6, "reconstruction", "196 numbers"),
    ):
        axis.text(x, 3.1, name, ha="center", fontsize=_NAME, weight="bold")
        axis.text(x, 0.3, size, ha="center", fontsize=_SMALL, color=_SOFT)
    return _finished(figure)


def code_layer():
    """Draw the layers of a 784-32-784 autoencoder as rows of units, the code layer marked.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axis = _card(10, 4.2)
    columns = {2.0: 9, 5.0: 4, 8.0: 9}
    places = {
        x: [(x, 2.05 + 0.34 * (k - (n - 1) / 2)) for k in range(n)] for x, n in columns.items()
    }
    for left, right in ((2.0, 5.0), (5.0, 8.0)):
        for start in places[left]:
            for end in places[right]:
                axis.plot(*zip(start, end), color="#AAAAAA", lw=0.8, zorder=1)
    axis.add_patch(
        FancyBboxPatch((4.6, 1.15), 0.8, 1.8, boxstyle="round,pad=0.08", fc="#E6F4EF", ec=GREEN)
    )
    for x, colour in zip(columns, (BLUE, GREEN, ORANGE)):
        axis.scatter(*zip(*places[x]), s=150, color=colour, zorder=2, edgecolor="white")
    for x, name, size in (
        (2.0, "input layer", "784 pixels"),
        (5.0, "code layer", "32 units"),
        (8.0, "output layer", "784 pixels"),
    ):
        axis.text(x, 3.75, name, ha="center", fontsize=_NAME, weight="bold")
        axis.text(x, 0.18, size, ha="center", fontsize=_SMALL, color=_SOFT)
    axis.text(3.5, 3.4, "encoder", ha="center", fontsize=_SMALL, color=BLUE)
    axis.text(6.5, 3.4, "decoder", ha="center", fontsize=_SMALL, color=ORANGE)
    return _finished(figure)


def encoder_decoder():
    """Draw the encoder and the decoder as boxes, with their equations and the shapes.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axis = _card(10, 3.3)
    style = {"name_size": _NAME, "size": _NAME}
    _box(axis, 2.1, 1.25, 2.2, 1.2, BLUE, "encoder", r"$z = f(W x + b)$", **style)
    _box(axis, 5.7, 1.25, 2.2, 1.2, ORANGE, "decoder", r"$\hat{x} = g(V z + c)$", **style)
    for start, end in ((1.15, 2.0), (4.4, 4.8), (5.2, 5.6), (8.0, 8.65)):
        _arrow(axis, start, end, 1.85)
    for x, symbol, name, size in (
        (0.88, "$x$", "input", "784 numbers"),
        (5.0, "$z$", "code", "32 numbers"),
        (8.95, r"$\hat{x}$", "reconstruction", "784 numbers"),
    ):
        axis.text(x, 1.85, symbol, ha="center", va="center", fontsize=24)
        axis.text(x, 2.8, name, ha="center", fontsize=_SMALL, weight="bold")
        axis.text(x, 0.75, size, ha="center", fontsize=_SMALL, color=_SOFT)
    words = {"ha": "center", "fontsize": _SMALL, "color": _SOFT}
    axis.text(3.2, 0.22, r"$W$: 32 x 784,  $b$: 32", **words)
    axis.text(6.8, 0.22, r"$V$: 784 x 32,  $c$: 784", **words)
    return _finished(figure)


def reconstruction_error():
    """Draw input, reconstruction, their difference and the mean of its squares.

    Returns
    -------
    matplotlib.figure.Figure
    """
    digit, _, rebuilt = _coded_digit()
    difference = rebuilt - digit
    error = np.square(difference).mean()
    figure, axis = _card(10, 3.6)
    _digit(axis, rebuilt, 0.25, 0.85, 1.9)
    _digit(axis, digit, 2.65, 0.85, 1.9)
    _digit(axis, difference, 5.05, 0.85, 1.9, cmap="RdBu_r", low=-0.5, high=0.5)
    for x, name, size in (
        (1.2, "reconstruction", r"$\hat{x}$"),
        (3.6, "input", r"$x$"),
        (6.0, "difference", r"$\hat{x} - x$"),
    ):
        axis.text(x, 3.05, name, ha="center", fontsize=_NAME, weight="bold")
        axis.text(x, 0.35, size, ha="center", fontsize=_NAME)
    for x, sign in ((2.4, "\N{MINUS SIGN}"), (4.8, "="), (7.3, "\N{RIGHTWARDS ARROW}")):
        axis.text(x, 1.8, sign, ha="center", va="center", fontsize=24)
    axis.text(8.75, 3.05, "error", ha="center", fontsize=_NAME, weight="bold")
    words = {"ha": "center", "va": "center", "fontsize": _SMALL, "color": _SOFT}
    axis.text(8.75, 2.5, "square,\nthen average", **words)
    axis.text(8.75, 1.8, f"{error:.3f}", ha="center", va="center", fontsize=22)
    axis.text(8.75, 1.05, "red: too bright\nblue: too dark", **words)
    return _finished(figure)


def denoising():
    """Draw how a denoising autoencoder is trained: noisy in, compared with the clean image.

    The denoised digit is real: the linear autoencoder of `intuition` applied to the noisy one.

    Returns
    -------
    matplotlib.figure.Figure
    """
    clean, _, _ = _coded_digit()
    noisy = add_gaussian_noise(clean[None, ..., None], 0.3, np.random.default_rng(0))[0, ..., 0]
    denoised = _coded_digit(noisy)[2]
    figure, axis = _card(10, 3.9)
    for x, name, image in (
        (0.3, "clean", clean),
        (3.15, "noisy", noisy),
        (8.0, "denoised", denoised),
    ):
        _digit(axis, image, x, 1.35, 1.7)
        axis.text(x + 0.85, 3.3, name, ha="center", fontsize=_NAME, weight="bold")
    _arrow(axis, 2.1, 3.05, 2.2, "+ noise")
    _arrow(axis, 4.92, 5.32, 2.2)
    _funnel(axis, 5.4, 6.35, 0.8, 0.35, BLUE, "", middle=2.2)
    _funnel(axis, 6.5, 7.45, 0.35, 0.8, ORANGE, "", middle=2.2)
    axis.text(6.43, 3.3, "autoencoder", ha="center", fontsize=_NAME, weight="bold")
    _arrow(axis, 7.53, 7.93, 2.2)
    axis.plot([1.15, 1.15, 8.85, 8.85], [1.25, 0.75, 0.75, 1.25], color=_INK, lw=1.8)
    axis.text(5.0, 0.33, "the loss compares these two", ha="center", fontsize=_SMALL)
    return _finished(figure)


def conv_autoencoder():
    """Draw the convolutional autoencoder that notebook 3 builds: everything goes through the code.

    It has the form of `unet`, without skips.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axis = _card(5.2, 5.6)
    left, right, top = 1.25, 3.95, 4.75
    heights = [3.55 - 1.15 * floor for floor in range(3)]
    for floor, height in enumerate(heights):
        size = ablation.SIZE // 2**floor
        coded = f"{size} x {size} x {MAPS}"
        name, colour = ("code", GREEN) if floor == 2 else ("convolution", BLUE)
        _box(axis, left - 0.9, height - 0.3, 1.8, 0.6, colour, name, coded, size=12)
        decoded = f"{size} x {size} x {MAPS if floor else 1}"
        _box(axis, right - 0.9, height - 0.3, 1.8, 0.6, ORANGE, "convolution", decoded, size=12)
        if floor == 2:
            _path(axis, (left + 1.0, height), (right - 1.0, height))
            continue
        below = heights[floor + 1]
        _path(axis, (left, height - 0.37), (left, below + 0.4))
        _path(axis, (right, below + 0.37), (right, height - 0.4))
        between = (height + below) / 2
        axis.text(left - 0.1, between, "max-pool", ha="right", va="center", fontsize=12)
        axis.text(right + 0.1, between, "upsample", va="center", fontsize=12)
    for x, name in ((left, "noisy"), (right, "denoised")):
        words = f"{ablation.SIZE} x {ablation.SIZE} x 1"
        axis.text(x, top + 0.33, name, ha="center", va="center", fontsize=13, weight="bold")
        axis.text(x, top + 0.05, words, ha="center", va="center", fontsize=12, color=_SOFT)
    _path(axis, (left, top - 0.15), (left, heights[0] + 0.4))
    _path(axis, (right, heights[0] + 0.37), (right, top - 0.15))
    axis.text(right + 0.1, (heights[0] + top) / 2 + 0.12, "sigmoid", va="center", fontsize=12)
    layers = [1, MAPS, MAPS, MAPS, MAPS, 1]
    weights = sum((9 * before + 1) * after for before, after in zip(layers, layers[1:]))
    words = f"all convolutions: 3 x 3 pixels\n{weights:,} weights"
    style = {"ha": "center", "va": "center", "fontsize": 12, "color": _SOFT, "linespacing": 1.3}
    axis.text(2.6, 0.45, words, **style)
    return _finished(figure)


def unet():
    """Draw the U-Net that notebook 3 builds: its floors, its skips and the subtraction at its end.

    Widths, blocks and the size of the patch are those of `helpers.comparison.ablation`, which trains it, too.
    The drawing is narrow, so that it can be read on a phone.

    Returns
    -------
    matplotlib.figure.Figure
    """
    widths, blocks = ablation.NETWORKS["U-Net"].args
    figure, axis = _card(5.2, 5.35)
    left, middle, right, top = 1.25, 2.6, 3.95, 4.2
    heights = [2.95 - 1.15 * floor for floor in range(len(widths))]
    for floor, (width, count, height) in enumerate(zip(widths, blocks, heights)):
        size = ablation.SIZE // 2 ** (floor + 1)
        words = f"{count} block{'s' * (count > 1)}", f"{size} x {size} x {width}"
        lowest = floor == len(widths) - 1
        for x, colour in ((middle, GREEN),) if lowest else ((left, BLUE), (right, ORANGE)):
            _box(axis, x - 0.9, height - 0.3, 1.8, 0.6, colour, *words, size=12)
        if lowest:
            continue
        _path(axis, (left + 1.0, height), (right - 1.0, height), ls="--")
        axis.text(middle, height + 0.1, "skip", ha="center", fontsize=12)
        below = heights[floor + 1]
        if floor == len(widths) - 2:
            _path(axis, (left, height - 0.37), (left, below), (middle - 1.0, below))
            _path(axis, (middle + 1.0, below), (right, below), (right, height - 0.4))
        else:
            _path(axis, (left, height - 0.37), (left, below + 0.4))
            _path(axis, (right, below + 0.37), (right, height - 0.4))
        between = (height + below) / 2
        axis.text(left - 0.1, between, "halve", ha="right", va="center", fontsize=12)
        axis.text(right + 0.1, between, "double", va="center", fontsize=12)
    for x, height, name in ((left, top, "noisy"), (right, top + 0.75, "denoised")):
        words = f"{ablation.SIZE} x {ablation.SIZE} x 1"
        axis.text(x, height + 0.13, name, ha="center", va="center", fontsize=13, weight="bold")
        axis.text(x, height - 0.15, words, ha="center", va="center", fontsize=12, color=_SOFT)
    axis.text(left - 0.1, 3.64, "halve", ha="right", va="center", fontsize=12)
    _path(axis, (left, top - 0.32), (left, heights[0] + 0.4))
    axis.text((left + right) / 2 + 0.2, top + 0.1, "unchanged", ha="center", fontsize=12)
    _path(axis, (left + 0.65, top), (right - 0.2, top))
    axis.text(right + 0.1, 3.66, "double:\nthe noise", va="center", fontsize=12, linespacing=1.1)
    _path(axis, (right, heights[0] + 0.37), (right, top - 0.18))
    axis.text(right, top, "\N{CIRCLED MINUS}", ha="center", va="center", fontsize=20)
    _path(axis, (right, top + 0.16), (right, top + 0.46))
    return _finished(figure)


def tuned_bm3d(grid):
    """Read which settings of BM3D were chosen on the validation patients of `SHOWN_SCAN`.

    Parameters
    ----------
    grid : dict of str to list
        The settings, each with values of its type.

    Returns
    -------
    dict of str to object
    """
    scans, _ = read_results(SCANNER)
    chosen = dict(part.split("=") for part in scans[SHOWN_SCAN]["bm3d"]["parameters"].split())
    return {name: type(grid[name][0])(value) for name, value in chosen.items()}


def denoised_slice():
    """Draw the result: a test slice clean, with a scanner's noise, denoised by BM3D and by the U-Net for scans.

    Returns
    -------
    matplotlib.figure.Figure
    """
    scan, patient, index = SCANS[SHOWN_SCAN], 1, 40
    clean, noisy = (images[patient] for images in scan_copies("test", scan, first=index + 1))
    clean, noisy = clean[index : index + 1], noisy[index : index + 1]
    known, grid = told([(clean, noisy, scan_spectra("test", scan)[patient])])["bm3d"]
    versions = {
        "clean": clean,
        "scanner noise": noisy,
        "BM3D": known(noisy, **tuned_bm3d(grid)),
        "U-Net for scans": pretrained_denoiser("ct_scan")(noisy),
    }
    quality = {name: psnr(clean, clipped(clean, images))[0] for name, images in versions.items()}
    titles = {name: f"{name}, {score:.1f} dB" for name, score in quality.items()}
    titles["clean"] = "clean"
    columns = {titles[name]: images[0] for name, images in versions.items()}
    return zoom_rows(columns, (30, 60, 60, 60), size=1.8)


FIGURES = {
    function.__name__: function
    for function in (
        intuition,
        code_layer,
        encoder_decoder,
        reconstruction_error,
        denoising,
        conv_autoencoder,
        unet,
    )
} | {"map": series_map}
PHOTOGRAPHS = {"denoised_slice": denoised_slice}


def draw_all(folder=IMG):
    """Draw all figures into a folder, drawings as SVG and as PNG, photographs as PNG only.

    Parameters
    ----------
    folder : str or Path
        Existing folder; files of the same names are replaced.

    Returns
    -------
    list of pathlib.Path
        The files that were written.

    Raises
    ------
    FileNotFoundError
        If the digits are not in the cache and cannot be fetched, or the folder does not exist.

    Examples
    --------
    >>> draw_all("some/folder")  # doctest: +SKIP
    """
    paths = []
    for name, draw in FIGURES.items():
        with plt.rc_context(_STYLE):
            figure = draw()
            for suffix, metadata in (("svg", {"Date": None}), ("png", {})):
                path = Path(folder, f"{name}.{suffix}")
                figure.savefig(path, dpi=120, metadata=metadata)
                paths.append(path)
    for name, draw in PHOTOGRAPHS.items():
        paths.append(Path(folder, f"{name}.png"))
        draw().savefig(paths[-1], dpi=120)
    return paths


def _coded_digit(noisy=None):
    """Return a test digit of 14 x 14 pixels, its 20 PCA coefficients and its reconstruction.

    With `noisy`, the coefficients and the reconstruction are those of that image instead. Processors differ
    in the last digits, which would be seen as another white around 0: nine are kept.
    """
    digit, mean, axes = _digit_and_axes()
    code = axes @ ((digit if noisy is None else noisy).ravel() - mean)
    return digit, code, (axes.T @ code + mean).round(9).reshape(14, 14)


@functools.cache
def _digit_and_axes():
    (train, _), (test, labels) = load_mnist()
    train, test = (
        images.reshape(-1, 14, 2, 14, 2).mean(axis=(2, 4)).astype(np.float64)
        for images in (train, test)
    )
    train = train.reshape(len(train), -1)
    mean = train.mean(axis=0)
    axes = np.linalg.svd(train - mean, full_matrices=False)[2][:CODE_SIZE]
    signs = np.sign(axes[range(CODE_SIZE), np.abs(axes).argmax(axis=1)])  # the SVD leaves them open
    return test[labels == 3][DIGIT], mean, axes * signs[:, None]


def _card(width, height):
    """Make a figure in whose axes one unit is one inch, on a white card with round corners."""
    with plt.rc_context(_STYLE):
        figure = plt.figure(figsize=(width, height), facecolor="none")
    axis = figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(0, height))
    axis.set_axis_off()
    card = {"boxstyle": "round,pad=0,rounding_size=0.15", "fc": "white", "ec": "#BBBBBB", "lw": 1}
    axis.add_patch(FancyBboxPatch((0.02, 0.02), width - 0.04, height - 0.04, zorder=0, **card))
    return figure, axis


def _digit(axis, image, left, bottom, edge, cmap="gray", low=0, high=1):
    """Draw an image as small squares, which stay sharp at any size."""
    ticks = np.linspace(0, edge, len(image) + 1)
    axis.pcolormesh(
        ticks + left,
        ticks[::-1] + bottom,
        np.clip(image, low, high),
        cmap=cmap,
        vmin=low,
        vmax=high,
        edgecolors="face",
        linewidth=0.5,
    )
    axis.add_patch(Rectangle((left, bottom), edge, edge, fill=False, ec=_SOFT, lw=1, zorder=3))


def _code(axis, code, left, bottom, edge):
    """Draw the numbers of a code as bars to both sides of 0."""
    step, middle = edge / len(code), left + edge / 4
    for place, value in enumerate(code / np.abs(code).max()):
        corner = (middle, bottom + step * (place + 0.15))
        axis.add_patch(Rectangle(corner, value * edge / 4, 0.7 * step, color=GREEN))
    axis.plot([middle, middle], [bottom, bottom + edge], color=_SOFT, lw=1)


def _funnel(axis, left, right, first, second, colour, name, middle=1.8):
    """Draw a trapezium whose half-heights tell how many numbers go in and come out."""
    corners = [
        (left, middle - first),
        (left, middle + first),
        (right, middle + second),
        (right, middle - second),
    ]
    axis.add_patch(Polygon(corners, fc=colour, ec="none", alpha=0.85))
    axis.text(
        (left + right) / 2,
        middle,
        name,
        ha="center",
        va="center",
        fontsize=_SMALL,
        color="white",
        weight="bold",
    )


def _box(axis, left, bottom, width, height, colour, name, equation, size, name_size=13):
    axis.add_patch(
        FancyBboxPatch(
            (left, bottom), width, height, boxstyle="round,pad=0.05", fc="white", ec=colour, lw=2.5
        )
    )
    middle = left + width / 2
    axis.text(
        middle,
        bottom + height * 0.72,
        name,
        ha="center",
        va="center",
        fontsize=name_size,
        weight="bold",
        color=colour,
    )
    axis.text(middle, bottom + height * 0.3, equation, ha="center", va="center", fontsize=size)


def _path(axis, *points, ls="-"):
    """Draw straight lines from point to point, with an arrowhead at the end."""
    axis.plot(*zip(*points), color=_INK, lw=1.2, ls=ls)
    style = {"arrowstyle": "-|>", "mutation_scale": 14, "color": _INK, "shrinkA": 0, "shrinkB": 0}
    (x, y), (end_x, end_y) = points[-2:]
    length = max(abs(end_x - x), abs(end_y - y))
    start = end_x - 0.1 * (end_x - x) / length, end_y - 0.1 * (end_y - y) / length
    axis.add_patch(FancyArrowPatch(start, points[-1], lw=0, **style))


def _arrow(axis, start, end, height, text=""):
    arrow = FancyArrowPatch(
        (start, height),
        (end, height),
        arrowstyle="-|>",
        mutation_scale=28,
        lw=1.8,
        color=_INK,
        shrinkA=0,
        shrinkB=0,
    )
    axis.add_patch(arrow)
    axis.text((start + end) / 2, height + 0.2, text, ha="center", fontsize=_SMALL)


def _finished(figure):
    plt.close(figure)
    return figure


def main(arguments=None):
    """Read the command line and draw all figures."""
    parser = argparse.ArgumentParser(
        prog="python img/draw.py", description=draw_all.__doc__.split("\n")[0]
    )
    parser.add_argument(
        "--output", type=Path, default=IMG, help="existing folder for the files (default: its own)"
    )
    for path in draw_all(parser.parse_args(arguments).output):
        print(path.name)


if __name__ == "__main__":
    main()
