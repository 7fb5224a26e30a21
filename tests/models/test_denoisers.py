"""helpers.models.denoisers: networks as denoisers for any image."""

import keras
import numpy as np
import pytest
from keras import layers

from helpers import models
from helpers.models import denoisers


@pytest.mark.parametrize("pixels", [1, 3 * 16 * 24])
def test_a_model_of_several_slices_sees_the_neighbours(pixels, rng, monkeypatch):
    """Slice by slice, by hand; beyond the ends, the volume is mirrored."""
    monkeypatch.setattr(denoisers, "_PIXELS_AT_ONCE", pixels)
    model = models.denoising_unet((4, 8), (1, 1), slices=5)
    volume = rng.random((6, 16, 24, 1)).astype(np.float32)
    denoised = models.as_denoiser(model)(volume)
    assert denoised.shape == volume.shape
    for index, around in enumerate("21012 10123 01234 12345 23454 34543".split()):
        stack = np.stack([volume[int(number), ..., 0] for number in around], axis=-1)[None]
        np.testing.assert_allclose(denoised[index], model.predict_on_batch(stack)[0], atol=1e-6)


def test_too_few_slices():
    denoise = models.as_denoiser(models.denoising_unet((4, 8), (1, 1), slices=5))
    assert denoise(np.zeros((3, 16, 16, 1), np.float32)).shape == (3, 16, 16, 1)
    with pytest.raises(ValueError, match="^noisy: expected at least 3 neighbouring .* got 2"):
        denoise(np.zeros((2, 16, 16, 1), np.float32))


@pytest.mark.parametrize(
    "size", [(16, 24), (15, 24), (17, 23), (9, 8), (1, 1), (3, 40), (2000, 17)]
)
def test_any_size_is_mirrored_up_to_a_multiple_of_8_and_cut_back(size, small_unet, rng):
    mirrored = images = rng.random((2, *size, 1))
    height, width = (-(-edge // 8) * 8 for edge in size)
    for axis, edge in ((1, height), (2, width)):
        while mirrored.shape[axis] < edge:  # mirror until it is large enough, then cut
            mirrored = np.concatenate([mirrored, np.flip(mirrored, axis)], axis)
    expected = np.asarray(small_unet.predict_on_batch(mirrored[:, :height, :width]))
    denoised = models.as_denoiser(small_unet)(images)
    assert denoised.dtype == np.float32
    np.testing.assert_allclose(denoised, expected[:, : size[0], : size[1]], atol=1e-6)


@pytest.mark.parametrize("pixels", [1, 2 * 20 * 30, 3 * 20 * 30 + 1])
def test_portions_give_the_same_result(pixels, small_unet, rng, monkeypatch):
    images = rng.random((5, 20, 30, 1)).astype(np.float32)
    whole = models.as_denoiser(small_unet)(images)
    sizes = []

    class Recorder:
        input_shape, name = small_unet.input_shape, "recorder"

        def predict_on_batch(self, portion):
            sizes.append(len(portion))
            return small_unet.predict_on_batch(portion)

    monkeypatch.setattr(denoisers, "_PIXELS_AT_ONCE", pixels)
    np.testing.assert_allclose(models.as_denoiser(Recorder())(images), whole, atol=1e-6)
    assert sizes == {1: [1] * 5, 1200: [2, 2, 1], 1801: [3, 2]}[pixels]


def test_a_model_of_fixed_size(rng):
    model = models.dense_autoencoder(8, image_shape=(12, 10, 1))
    images = rng.random((3, 12, 10, 1)).astype(np.float32)
    expected = model.predict_on_batch(images)
    np.testing.assert_allclose(models.as_denoiser(model)(images), expected, atol=1e-6)
    with pytest.raises(ValueError, match="^noisy: expected images of 12 x 10 pixels, got 10 x 12"):
        models.as_denoiser(model)(images.transpose(0, 2, 1, 3))


@pytest.mark.parametrize("make", [None, models.spare_grain, models.self_ensemble])
def test_bad_images(make, small_unet, bad_batches):
    denoise = make(lambda noisy: noisy) if make else models.as_denoiser(small_unet)
    for images in bad_batches:
        with pytest.raises(ValueError, match="^noisy: expected"):
            denoise(images)


def thirds():
    """A network that shrinks images to a third."""
    inputs = keras.Input((None, None, 1))
    x = layers.Conv2D(4, 3, strides=3)(inputs)
    return keras.Model(inputs, layers.Conv2DTranspose(1, 3, strides=3)(x))


@pytest.mark.parametrize(
    ("build", "multiple"),
    [
        (lambda: models.conv_autoencoder(4), 8),  # it halves twice, and 8 is the least
        (lambda: models.denoising_unet((4,) * 3, (1,) * 3), 8),
        (lambda: models.denoising_unet((4,) * 5, (1,) * 5, slices=3), 32),
        (lambda: models.dense_autoencoder(8, image_shape=(12, 10, 1)), 8),
        (thirds, 24),
    ],
)
def test_the_multiple_follows_from_the_network(build, multiple, rng):
    model = build()
    assert denoisers.multiple_of(model) == multiple
    height, width = model.input_shape[1] or 21, model.input_shape[2] or 50
    images = rng.random((3, height, width, 1)).astype(np.float32)
    assert models.as_denoiser(model)(images).shape == images.shape


def test_a_model_that_is_no_denoiser_is_refused():
    inputs = keras.Input((None, None, 1))
    two = keras.Model(inputs, layers.Conv2D(2, 3, padding="same")(inputs))
    with pytest.raises(
        ValueError, match=r"^model: expected a denoiser, .* 768, 1\) to .* 768, 2\)$"
    ):
        models.as_denoiser(two)


def test_a_model_that_is_not_built_is_refused():
    """A Sequential without an input layer has no shape before its first call."""
    unbuilt = keras.Sequential([layers.Conv2D(1, 3, padding="same")])
    with pytest.raises(
        ValueError, match="^model: expected a denoiser, .* from no known shape to None$"
    ):
        models.as_denoiser(unbuilt)
