"""helpers.models.networks: sizes, ranges and equations of the networks."""

import keras
import numpy as np
import pytest

from helpers import models


# Weights of a dense layer: inputs x outputs + outputs; of a convolution: 9 x inputs x outputs + outputs.
@pytest.mark.parametrize(
    ("build", "count"),
    [
        (models.dense_autoencoder, 784 * 32 + 32 + 32 * 784 + 784),
        (models.dense_autoencoder, 50_992),  # this and 112,001 are what the tutorials print
        (lambda: models.dense_autoencoder(64), 784 * 64 + 64 + 64 * 784 + 784),
        (
            models.deep_dense_autoencoder,
            784 * 128 + 128 + 128 * 50 + 50 + 50 * 128 + 128 + 128 * 784 + 784,
        ),
        (models.conv_autoencoder, (9 * 64 + 64) + 3 * (9 * 64 * 64 + 64) + (9 * 64 + 1)),
        (models.conv_autoencoder, 112_001),
        (
            lambda: models.denoising_unet((32, 64), (2, 1), slices=3),
            (3 * 4 * 32 + 32)
            + 2 * 2 * 2 * (9 * 32 * 32 + 32)
            + (4 * 32 * 64 + 64)
            + 2 * (9 * 64 * 64 + 64)
            + (4 * 64 * 32 + 32)
            + (16 * 32 + 1),
        ),
    ],
)
def test_number_of_weights(build, count):
    assert build().count_params() == count


@pytest.mark.parametrize(
    "name", ["dense", "deep_dense", "conv", "strided_conv"], ids="{}_autoencoder".format
)
def test_autoencoders_map_images_to_images_from_0_to_1(name, rng):
    images = rng.normal(0.5, 10, (2, 28, 28, 1)).astype(np.float32)  # far beyond any image
    outputs = np.asarray(getattr(models, f"{name}_autoencoder")().predict_on_batch(images))
    assert outputs.shape == images.shape
    assert (outputs.min() >= 0) and (outputs.max() <= 1) and (outputs.std() > 0)


def test_conv_autoencoder_code_is_a_quarter_as_high_and_wide(rng):
    model = models.conv_autoencoder()
    encoder = keras.Model(model.input, model.get_layer("code").output)
    images = rng.random((1, 24, 32, 1)).astype(np.float32)
    assert encoder.predict_on_batch(images).shape == (1, 6, 8, 64)


@pytest.mark.parametrize("slices", [1, 5])
def test_unet_predicts_the_noise_of_the_middle_slice_and_subtracts_it(slices, rng):
    model = models.denoising_unet((4, 8), (1, 1), slices=slices)
    images = rng.random((2, 16, 24, slices)).astype(np.float32)
    middle = images[..., slices // 2, None]
    predicted = keras.Model(model.input, model.get_layer("noise").output).predict_on_batch(images)
    denoised = np.asarray(model.predict_on_batch(images))
    assert denoised.shape == (2, 16, 24, 1)
    np.testing.assert_allclose(denoised, middle - np.asarray(predicted), atol=1e-6)
    assert np.abs(predicted).max() > 1e-4
    model.set_weights([weights * 0 for weights in model.get_weights()])
    np.testing.assert_array_equal(model.predict_on_batch(images), middle)


def test_every_pixel_of_every_slice_counts(rng):
    """Another value anywhere near a pixel, or in a slice beside it, changes what is made of it."""
    model = models.denoising_unet((4, 8), (1, 1), slices=3)
    images = rng.random((1, 16, 16, 3)).astype(np.float32)
    before = np.asarray(model.predict_on_batch(images))[0, 8, 8, 0]
    for place in np.ndindex(4, 4, 3):
        changed = images.copy()
        changed[0, 6 + place[0], 6 + place[1], place[2]] += 1
        assert np.asarray(model.predict_on_batch(changed))[0, 8, 8, 0] != before


@pytest.mark.parametrize(
    ("argument", "value"),
    [("blocks", (1,)), ("blocks", (1, 1, 1)), ("slices", 2), ("slices", 0), ("slices", 1.5)],
)
def test_bad_unet(argument, value):
    with pytest.raises(ValueError, match=f"^{argument}: expected"):
        models.denoising_unet((4, 8), **{"blocks": (1, 1), argument: value})


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
    x = 1 / (1 + np.exp(-(x @ weights[6] + weights[7])))
    outputs = keras.ops.convert_to_numpy(model(images))
    np.testing.assert_allclose(outputs.reshape(7, 16), x, atol=1e-5)


def test_named_networks_are_dense_networks():
    for named, units in (
        (models.dense_autoencoder(32), [32]),
        (models.deep_dense_autoencoder(), [128, 50, 128]),
    ):
        general = models.dense_network(units)
        assert named.count_params() == general.count_params()
        dense = [layer for layer in named.layers if isinstance(layer, keras.layers.Dense)]
        assert [layer.units for layer in dense] == [*units, 784]
        assert [layer.activation.__name__ for layer in dense] == ["relu"] * len(units) + ["sigmoid"]
        assert named.get_layer("code").units == units[len(units) // 2]


@pytest.mark.parametrize("units", [[], [8, 8], [8, 0, 8], [2.5], ["8"]])
def test_dense_network_refuses_other_units(units):
    with pytest.raises(ValueError, match="^units: expected an odd number of positive whole"):
        models.dense_network(units)


@pytest.mark.parametrize("units", [[4], [6, 2, 6]])
def test_encoder_and_decoder_make_the_autoencoder_and_share_its_weights(units):
    model = models.dense_network(units)
    encoder, decoder = models.split_autoencoder(model)
    images = np.random.default_rng(0).random((3, 28, 28, 1), "float32")
    codes = encoder(images)
    assert codes.shape == (3, units[len(units) // 2])
    both = map(keras.ops.convert_to_numpy, (decoder(codes), model(images)))
    np.testing.assert_allclose(*both, atol=1e-6)
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
