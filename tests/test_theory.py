"""The networks and figures that notebooks 1 and 2 use."""

import keras
import matplotlib.pyplot as plt
import numpy as np
import pytest

from helpers import models, plotting


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


# ------------------------------------------------------------------------- networks


def test_dense_network_is_what_the_equations_say():
    keras.utils.set_random_seed(1)
    model = models.dense_network([5, 3, 6], (4, 4, 1), code_activation="linear")
    images = np.random.default_rng(0).random((7, 4, 4, 1), "float32")
    x = images.reshape(7, 16)
    weights = model.get_weights()
    assert [w.shape for w in weights[::2]] == [(16, 5), (5, 3), (3, 6), (6, 16)]
    x = np.maximum(x @ weights[0] + weights[1], 0)
    x = x @ weights[2] + weights[3]  # the code is linear here
    x = np.maximum(x @ weights[4] + weights[5], 0)
    x = sigmoid(x @ weights[6] + weights[7])
    outputs = keras.ops.convert_to_numpy(model(images))
    np.testing.assert_allclose(outputs.reshape(7, 16), x, atol=1e-5)


def test_named_networks_are_dense_networks():
    for named, units in (
        (models.dense_autoencoder(32), [32]),
        (models.deep_dense_autoencoder(), [128, 50, 128]),
    ):
        general = models.dense_network(units)
        assert named.count_params() == general.count_params()
        widths = [layer.units for layer in named.layers if isinstance(layer, keras.layers.Dense)]
        assert widths == [*units, 784]
        assert named.get_layer("code").units == units[len(units) // 2]
    assert models.dense_autoencoder().count_params() == 784 * 32 + 32 + 32 * 784 + 784


@pytest.mark.parametrize("units", [[], [8, 8], [8, 0, 8], [2.5], ["8"]])
def test_dense_network_refuses_other_units(units):
    with pytest.raises(ValueError, match="^units: expected an odd number of positive whole"):
        models.dense_network(units)


@pytest.mark.parametrize("units", [[4], [6, 2, 6]])
def test_encoder_and_decoder_make_the_autoencoder(units):
    model = models.dense_network(units)
    encoder, decoder = models.split_autoencoder(model)
    images = np.random.default_rng(0).random((3, 28, 28, 1), "float32")
    codes = encoder(images)
    assert codes.shape == (3, units[len(units) // 2])
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(decoder(codes)),
        keras.ops.convert_to_numpy(model(images)),
        atol=1e-6,
    )


def test_encoder_shares_the_weights():
    model = models.dense_autoencoder(4)
    encoder, _ = models.split_autoencoder(model)
    images = np.ones((1, 28, 28, 1), "float32")
    model.set_weights([np.zeros_like(w) for w in model.get_weights()])
    assert not keras.ops.convert_to_numpy(encoder(images)).any()


def test_split_needs_a_code_layer():
    with pytest.raises(ValueError, match="^model: expected a layer called 'code'"):
        models.split_autoencoder(models.denoising_unet((2, 4), (1, 1)))


def test_strided_network_counts_weights_by_hand():
    model = models.strided_conv_autoencoder()
    by_hand = sum(9 * a * b + b for a, b in ((1, 16), (16, 8), (8, 8), (8, 16), (16, 1)))
    assert model.count_params() == by_hand == 3217
    images = np.zeros((2, 28, 40, 1), "float32")
    assert model(images).shape == (2, 28, 40, 1)
    encoder, decoder = models.split_autoencoder(model)
    assert encoder(images).shape == (2, 7, 10, 8)
    assert decoder(encoder(images)).shape == (2, 28, 40, 1)


# -------------------------------------------------------------------------- figures


def is_closed(figure):
    """A figure that a notebook shows once is drawn, but no longer among the open ones."""
    figure.canvas.draw()
    return not plt.get_fignums()


def test_score_curves():
    figure = plotting.score_curves(
        {"a": ([2, 4, 8], [1, 2, 3]), "b": ([2, 16], [0, 5])},
        "size",
        "PSNR (dB)",
        log=True,
        marks={"noisy": 2.5},
    )
    assert is_closed(figure)
    axis = figure.axes[0]
    assert [text.get_text() for text in axis.get_xticklabels()] == ["2", "4", "8", "16"]
    assert [text.get_text() for text in axis.get_legend().get_texts()] == ["a", "b", "noisy"]
    np.testing.assert_array_equal(axis.lines[0].get_ydata(), [1, 2, 3])
    assert (axis.get_xlabel(), axis.get_ylabel()) == ("size", "PSNR (dB)")
    with pytest.raises(ValueError, match="^curves: expected 2 values in a, got 1"):
        plotting.score_curves({"a": ([1, 2], [1])}, "", "")


def test_score_table_writes_the_numbers():
    scores = {"p": {"u": 1.04, "v": 20.0, "w": 3.0}, "q": {"u": 4.0, "v": 5.0, "w": 6.06}}
    figure = plotting.score_table(scores, "trained on", "tested on")
    assert is_closed(figure)
    axis = figure.axes[0]
    texts = {text.get_position(): text.get_text() for text in axis.texts}
    assert texts[0, 0] == "1.0" and texts[1, 0] == "20.0" and texts[2, 1] == "6.1"
    assert [text.get_text() for text in axis.get_yticklabels()] == ["p", "q"]
    with pytest.raises(ValueError, match="^scores: expected the columns u in every row"):
        plotting.score_table({"p": {"u": 1}, "q": {"v": 1}}, "", "")


def test_histograms_add_up_to_100_per_cent():
    values = {"a": np.array([0, 0, 0, 1.0]), "b": np.linspace(0, 1, 50).reshape(5, 10)}
    figure = plotting.histograms(values, "grey level", bins=4, marks={"half": 0.5})
    assert is_closed(figure)
    for axis in figure.axes:
        assert sum(bar.get_height() for bar in axis.patches) == pytest.approx(100)
        assert axis.get_xlabel() == "grey level" and axis.texts[0].get_text() == " half"
    assert figure.axes[0].patches[0].get_height() == pytest.approx(75)
    with pytest.raises(ValueError, match="^values: expected at least one"):
        plotting.histograms({}, "")


def test_noise_columns_shows_first_image_and_all_differences():
    clean = np.zeros((4, 9, 9, 1), "float32")
    brighter = clean.copy()
    brighter[3] += 0.5  # a quarter of all pixels, none of them in the picture
    figure = plotting.noise_columns(clean, {"one": brighter, "two": clean})
    assert is_closed(figure)
    picture, _, histogram, _ = figure.axes
    assert not picture.images[0].get_array().any()
    heights = {
        round(bar.get_x() + bar.get_width() / 2, 2): bar.get_height() for bar in histogram.patches
    }
    assert heights[0.0] == pytest.approx(75)
    assert heights[0.49] + heights.get(0.52, 0) == pytest.approx(25)
    with pytest.raises(ValueError, match="^two: expected the shape of clean"):
        plotting.noise_columns(clean, {"two": clean[:1]})


def test_arrow_fields_run_from_start_to_end():
    starts = np.array([[0.0, 0.0], [1.0, 2.0]])
    ends = np.array([[0.5, 0.0], [1.0, 1.0]])
    figure = plotting.arrow_fields(starts, starts, {"a": ends, "b": starts})
    assert is_closed(figure)
    arrows = figure.axes[0].collections[0]
    np.testing.assert_allclose(np.stack([arrows.U, arrows.V], 1), ends - starts)
    with pytest.raises(ValueError, match="^ends: expected points of shape"):
        plotting.arrow_fields(starts, starts, {"a": ends[:1]})


def test_weight_grid_puts_zero_in_the_middle():
    weights = np.stack([np.eye(3), -4 * np.eye(3), np.zeros((3, 3))])
    figure = plotting.weight_grid(weights, columns=2)
    assert is_closed(figure)
    assert len(figure.axes) == 3
    for axis, largest in zip(figure.axes, (1, 4)):
        assert axis.images[0].get_clim() == (-largest, largest)
    with pytest.raises(ValueError, match="^weights: expected shape"):
        plotting.weight_grid(np.zeros((3, 3)))


def test_code_maps_draw_each_digit_at_its_code():
    codes = np.arange(8.0).reshape(4, 2)
    figure = plotting.code_maps({"a": codes}, [3, 3, 9, 0])
    assert is_closed(figure)
    places = [np.asarray(drawn.get_offsets()) for drawn in figure.axes[0].collections]
    np.testing.assert_array_equal(places[3], codes[:2])
    np.testing.assert_array_equal(places[9], codes[2:3])
    assert len(places[5]) == 0
    with pytest.raises(ValueError, match="^codes: expected shape"):
        plotting.code_maps({"a": codes[:, :1]}, [3, 3, 9, 0])
