"""The drawings in img/ are what img/draw.py draws today.

Everywhere, the words of each SVG must be the same, and the PNG must look the same: versions of
matplotlib place a letter or an edge a little differently, but not a word or a box. Where the version
of matplotlib is the one that wrote the stored files, the SVG must be the same to the last byte.
"""

import json
import re
from collections import Counter

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest

import draw
import publish
from helpers import comparison, models
from helpers._keras import keras
from helpers.comparison import ablation

NAMES = list(draw.FIGURES)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    folder = tmp_path_factory.mktemp("img")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(draw, "PHOTOGRAPHS", {})
        draw.draw_all(folder)
    return folder


def _words(path):
    """Return the texts of an SVG, which matplotlib writes as comments beside the outlines."""
    words = re.findall(r"<!-- (.+?) -->", path.read_text(encoding="utf-8"))
    assert words, f"{path} holds no words"
    return words


def _look(path, edge=8):
    """Return a PNG on a white page as grey levels, averaged over squares of `edge` x `edge` pixels."""
    pixels = plt.imread(path)
    opaque = pixels[..., 3:]
    grey = (pixels[..., :3] * opaque + 1 - opaque).mean(axis=-1)
    height, width = (n // edge for n in grey.shape)
    squares = grey[: height * edge, : width * edge].reshape(height, edge, width, edge)
    return squares.mean(axis=(1, 3))


def _edge(name):
    """Other versions of matplotlib place letters a pixel or two away: then compare larger squares."""
    drawing = draw.IMG / f"{name}.svg"  # a photograph has none, and few letters
    version = f"Matplotlib v{matplotlib.__version__}"
    return 16 if drawing.exists() and version not in drawing.read_text(encoding="utf-8") else 8


@pytest.mark.parametrize("name", NAMES)
def test_svg_is_up_to_date(drawn, name):
    stored, fresh = draw.IMG / f"{name}.svg", drawn / f"{name}.svg"
    assert _words(stored) == _words(fresh)
    text = stored.read_text(encoding="utf-8")
    if re.search(r"Matplotlib v([\w.]+)", text)[1] == matplotlib.__version__:
        assert text == fresh.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_picture_is_up_to_date(drawn, name):
    stored, fresh = (_look(folder / f"{name}.png", _edge(name)) for folder in (draw.IMG, drawn))
    assert stored.shape == fresh.shape
    assert np.abs(stored - fresh).max() < 0.2


@pytest.mark.slow
@pytest.mark.parametrize("name", draw.PHOTOGRAPHS)
def test_photograph_is_up_to_date(name, monkeypatch, tmp_path):
    monkeypatch.setattr(draw, "FIGURES", {})
    draw.draw_all(tmp_path)
    test_picture_is_up_to_date(tmp_path, name)


@pytest.mark.parametrize("name", NAMES)
def test_card_is_white_and_corners_are_clear(name):
    """A dark page shows through at the corners only, so dark letters always stand on white."""
    pixels = plt.imread(draw.IMG / f"{name}.png")
    assert pixels[0, 0, 3] == 0
    assert np.mean(pixels[..., 3] == 1) > 0.98
    assert np.allclose(pixels[8, pixels.shape[1] // 2], 1)


def test_the_comparison_notices_a_change(drawn, monkeypatch, tmp_path):
    """Another word or another digit is found; a test that cannot fail would be worth nothing."""
    monkeypatch.setattr(draw, "PHOTOGRAPHS", {})
    monkeypatch.setattr(draw, "FIGURES", {"denoising": draw.reconstruction_error})
    draw.draw_all(tmp_path)
    assert _words(tmp_path / "denoising.svg") != _words(drawn / "denoising.svg")
    monkeypatch.setattr(draw, "FIGURES", {"intuition": draw.intuition})
    monkeypatch.setattr(draw, "DIGIT", 0)
    draw._digit_and_axes.cache_clear()
    draw.draw_all(tmp_path)
    draw._digit_and_axes.cache_clear()
    assert np.abs(_look(tmp_path / "intuition.png") - _look(drawn / "intuition.png")).max() > 0.2


def test_bm3d_is_drawn_with_the_settings_that_were_chosen():
    grid = comparison.scanner.STRENGTHS | comparison.scanner.PROFILES
    scans, _ = comparison.read_results(comparison.SCANNER)
    chosen = draw.tuned_bm3d(grid)
    assert comparison.parameters_as_text(chosen) == scans[draw.SHOWN_SCAN]["bm3d"]["parameters"]
    assert [type(chosen[name]) for name in grid] == [float, str]


def _titles():
    """The title of each notebook and appendix, without its number: {"3": "A convolutional denoiser for CT"}."""
    titles = {}
    for path in publish.notebooks():
        cell = json.loads(path.read_text(encoding="utf-8"))["cells"][0]
        number, title = re.match(r"# (\w+)\. (.+)", "".join(cell["source"])).groups()
        titles[number] = title
    return titles


def test_map_shows_every_notebook_by_its_title():
    numbered = {number: title for number, title in _titles().items() if number[0] != "A"}
    assert [*numbered] == [str(number) for number in draw.SERIES]
    for title, (shown, _, _) in zip(numbered.values(), draw.SERIES.values()):
        assert re.match(rf"{re.escape(shown)}\b", title)
    assert {*draw.NEEDS} == {*draw.SERIES} - {1}
    assert all(needed < number for number, needed in draw.NEEDS.items())


def test_map_shows_every_appendix_in_words_of_its_title():
    titles = {number: title for number, title in _titles().items() if number[0] == "A"}
    appendices = [beside for _, _, beside in draw.SERIES.values() if beside]
    assert [*titles] == [f"A{number + 1}" for number in range(len(appendices))]
    for title, shown in zip(titles.values(), appendices):
        known = re.findall(r"\w+", title.lower())
        assert [word for word in re.findall(r"\w+", shown) if word not in known] == []


def test_unet_is_drawn_as_it_is_built():
    network = ablation.NETWORKS["U-Net"]()
    edge = ablation.SIZE
    added = [layer.output for layer in network.layers if isinstance(layer, keras.layers.Add)]
    shapes = keras.Model(network.input, added).compute_output_shape((1, edge, edge, 1))
    words = _words(draw.IMG / "unet.svg")
    drawn = {word for word in words if word.count(" x ") == 2} - {f"{edge} x {edge} x 1"}
    assert drawn == {f"{height} x {width} x {maps}" for _, height, width, maps in shapes}
    blocks = sum(int(word.split()[0]) for word in words if "block" in word)
    assert blocks + words.count("skip") == len(added)


def test_conv_autoencoder_is_drawn_as_it_is_built():
    network = models.conv_autoencoder(draw.MAPS)
    edge = ablation.SIZE
    kinds = keras.layers.Conv2D, keras.layers.MaxPooling2D, keras.layers.UpSampling2D
    layers = [layer for layer in network.layers if isinstance(layer, kinds)]
    outputs = [layer.output for layer in layers]
    shapes = keras.Model(network.input, outputs).compute_output_shape((1, edge, edge, 1))
    sizes = [f"{height} x {width} x {maps}" for _, height, width, maps in shapes]
    shown = [isinstance(layer, kinds[0]) or layer.name == "code" for layer in layers]
    words = _words(draw.IMG / "conv_autoencoder.svg")
    drawn = Counter(word for word in words if word.count(" x ") == 2)
    boxes = [size for size, box in zip(sizes, shown) if box]
    assert drawn == Counter([*boxes, *2 * [f"{edge} x {edge} x 1"]])
    counts = words.count("convolution"), words.count("max-pool"), words.count("upsample")
    assert counts == tuple(sum(isinstance(layer, kind) for layer in layers) for kind in kinds)
    assert any(word.startswith(f"{network.count_params():,} weights") for word in words)
    assert {layer.kernel_size for layer in layers if isinstance(layer, kinds[0])} == {(3, 3)}
