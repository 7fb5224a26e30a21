"""helpers.plotting.canvas: one colour for each method, which colour-blind readers can tell apart, and sharp figures."""

from itertools import combinations

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from skimage.color import deltaE_ciede2000, rgb2lab

import publish
from helpers import baselines, contract, noise, plotting, training
from helpers.comparison import SCANS, read_results
from helpers.plotting import canvas

# Machado, Oliveira and Fernandes, IEEE Trans. Visualization and Computer Graphics 15, 2009: what is seen without one
# kind of cones, in linear light.
SIGHT = {
    "all cones": np.eye(3),
    "no red ones": [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
    "no green ones": [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
}
TOGETHER = [  # in charts of the notebooks
    ["noisy input", "Gaussian", "NL-means (scikit-image)", "BM3D", "conv autoencoder"]
    + ["small U-Net", "U-Net", "U-Net for scans"],
    ["noisy input", "average", "median", "Gaussian", "bilateral", "autoencoder", "BM3D", "U-Net"],
    ["noisy input", "BM3D", "BM4D", "U-Net", "U-Net on 5 slices"],
    ["ramp", "Shepp-Logan", "cosine", "Hamming", "Hann", "Hann cut at 0.7", "white", "the scan"]
    + ["BM4D"],
    ["added noise", "U-Net for scans", "Gaussian blur"],
    ["patient 1", "patient 2"],
]


def _seen(colour, sight):
    """Return a colour in CIELAB as eyes of a kind see it."""
    levels = np.array(to_rgb(colour))
    light = np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)
    light = np.clip(np.asarray(sight) @ light, 0, 1)
    levels = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return rgb2lab(levels[None, None])[0, 0]


@pytest.mark.parametrize("names", TOGETHER, ids=len)
@pytest.mark.parametrize("sight", SIGHT)
def test_methods_that_are_compared_can_be_told_apart(names, sight):
    for pair in combinations(names, 2):
        one, other = (_seen(plotting.METHODS[name], SIGHT[sight]) for name in pair)
        assert deltaE_ciede2000(one, other) > 9, pair


def test_a_method_has_one_colour_under_each_name():
    """Or none of its own, under neither: a new method needs no entry, until the site's tables of scans show it."""
    records = {name: contract.about(denoise) for name, denoise in baselines.BASELINES.items()}
    labels = {name: record.label for name, record in records.items()}
    labels |= {name: recipe.label for name, recipe in training.RECIPES.items()}
    labels |= {n: entry["about"].label for n, entry in read_results()[0][0.07].items()}
    for name, label in labels.items():
        assert plotting.METHODS.get(name) == plotting.METHODS.get(label), name
    for name in publish.SCAN_METHODS:
        assert {name, labels[name]} <= {*plotting.METHODS}, name
    coloured = [name for name in labels if name in plotting.METHODS]
    assert len({plotting.METHODS[name] for name in coloured}) == len(coloured) > 15


def test_kernels_have_their_colours_as_words_and_as_arguments():
    """A new kernel needs no entry."""
    colours = [plotting.METHODS[kernel] for kernel in noise.KERNELS if kernel in plotting.METHODS]
    assert len({*colours, plotting.METHODS["white"]}) == len(colours) + 1 > 5
    known = {scan.kernel_name for scan in SCANS.values()} & {*plotting.METHODS}
    assert {"ramp", "hann", "hann cut at 0.7"} <= known
    for name in ("Shepp-Logan", "Hamming", "Hann", "Hann cut at 0.7"):
        assert plotting.METHODS[name] == plotting.METHODS[name.lower()]


def test_others_take_the_colours_that_are_free():
    colours = plotting.colours_of(["U-Net", *"abcdefg"])
    assert list(colours) == ["U-Net", *"abcdefg"]
    assert [colours[name] for name in "abcdef"] == plotting.COLOURS[1:]
    assert colours["g"] == plotting.COLOURS[1]  # from the start again
    assert [*plotting.colours_of("abc").values()] == plotting.COLOURS[:3]


def test_figures_are_sharp():
    assert plotting.score_bars({"one": {"a": 30.0}}).dpi == 150


SCORES, CURVE = {"a": 30.0, "b": 31.0}, ([1, 2], [30, 31])
CHARTS = {
    "loss_curves": lambda: plotting.loss_curves({"a": {"loss": [0.3, 0.2]}}),
    "score_curves": lambda: plotting.score_curves({"a": CURVE}, "x", "y"),
    "many score_curves": lambda: plotting.score_curves(dict.fromkeys("abcde", CURVE), "x", "y"),
    "quality_against_time": lambda: plotting.quality_against_time(SCORES, SCORES),
    "labelled_points": lambda: plotting.labelled_points({"a": (1, 2)}, "x", "y"),
    "difference_curves": lambda: plotting.difference_curves({"a": CURVE}, "a", "x"),
    "score_bars": lambda: plotting.score_bars({"one": SCORES}),
    "score_dots": lambda: plotting.score_dots({"one": SCORES}, "x"),
}


@pytest.mark.parametrize("name", CHARTS)
def test_charts_are_as_wide_as_a_phone_can_show(name):
    assert CHARTS[name]().get_figwidth() == canvas.PHONE
