"""helpers.models: sizes and ranges of the networks, denoisers for any image, damaged weights."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from importlib.util import find_spec
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

from helpers import data, metrics, models, noise


@pytest.fixture(autouse=True)
def seed():
    keras.utils.set_random_seed(0)


# Weights of a dense layer: inputs x outputs + outputs; of a convolution: 9 x inputs x outputs + outputs.
@pytest.mark.parametrize(
    ("build", "count"),
    [
        (models.dense_autoencoder, 784 * 32 + 32 + 32 * 784 + 784),
        (lambda: models.dense_autoencoder(64), 784 * 64 + 64 + 64 * 784 + 784),
        (
            models.deep_dense_autoencoder,
            784 * 128 + 128 + 128 * 50 + 50 + 50 * 128 + 128 + 128 * 784 + 784,
        ),
        (models.conv_autoencoder, (9 * 64 + 64) + 3 * (9 * 64 * 64 + 64) + (9 * 64 + 1)),
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


def test_the_numbers_that_the_tutorials_print():
    assert models.dense_autoencoder().count_params() == 50_992
    assert models.conv_autoencoder().count_params() == 112_001


def test_deep_dense_autoencoder_is_784_128_50_128_784():
    model = models.deep_dense_autoencoder()
    dense = [layer for layer in model.layers if isinstance(layer, layers.Dense)]
    assert [layer.units for layer in dense] == [128, 50, 128, 784]
    assert [layer.activation.__name__ for layer in dense] == ["relu"] * 3 + ["sigmoid"]
    assert model.get_layer("code").units == 50


@pytest.mark.parametrize(
    "build",
    [
        models.dense_autoencoder,
        models.deep_dense_autoencoder,
        models.conv_autoencoder,
        models.strided_conv_autoencoder,
    ],
)
def test_autoencoders_map_images_to_images_from_0_to_1(build, rng):
    images = rng.normal(0.5, 10, (2, 28, 28, 1)).astype(np.float32)  # far beyond any image
    outputs = np.asarray(build().predict_on_batch(images))
    assert outputs.shape == images.shape
    assert outputs.min() >= 0
    assert outputs.max() <= 1
    assert outputs.std() > 0


def test_conv_autoencoder_code_is_a_quarter_as_high_and_wide(rng):
    model = models.conv_autoencoder()
    encoder = keras.Model(model.input, model.get_layer("code").output)
    images = rng.random((1, 24, 32, 1)).astype(np.float32)
    assert encoder.predict_on_batch(images).shape == (1, 6, 8, 64)


@pytest.mark.parametrize("slices", [1, 5])
def test_unet_predicts_the_noise_of_the_middle_slice_and_subtracts_it(slices, rng):
    model = models.denoising_unet((4, 8), (1, 1), slices)
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


# ---------------------------------------------------------------------- as_denoiser


@pytest.fixture(scope="module")
def small_unet():
    keras.utils.set_random_seed(1)
    return models.denoising_unet((4, 6, 8), (1, 1, 1))


@pytest.mark.parametrize("pixels", [1, 3 * 16 * 24])
def test_a_model_of_several_slices_sees_the_neighbours(pixels, rng, monkeypatch):
    """Slice by slice, by hand; beyond the ends, the volume is mirrored."""
    monkeypatch.setattr(models, "_PIXELS_AT_ONCE", pixels)
    model = models.denoising_unet((4, 8), (1, 1), slices=5)
    volume = rng.random((6, 16, 24, 1)).astype(np.float32)
    denoised = models.as_denoiser(model)(volume)
    assert denoised.shape == volume.shape
    for index, around in enumerate(
        [
            (2, 1, 0, 1, 2),
            (1, 0, 1, 2, 3),
            (0, 1, 2, 3, 4),
            (1, 2, 3, 4, 5),
            (2, 3, 4, 5, 4),
            (3, 4, 5, 4, 3),
        ]
    ):
        stack = np.stack([volume[slice_, ..., 0] for slice_ in around], axis=-1)[None]
        np.testing.assert_allclose(denoised[index], model.predict_on_batch(stack)[0], atol=1e-6)


def test_too_few_slices():
    denoise = models.as_denoiser(models.denoising_unet((4, 8), (1, 1), slices=5))
    assert denoise(np.zeros((3, 16, 16, 1), np.float32)).shape == (3, 16, 16, 1)
    with pytest.raises(
        ValueError, match="^noisy: expected at least 3 neighbouring slices .* got 2"
    ):
        denoise(np.zeros((2, 16, 16, 1), np.float32))


@pytest.mark.parametrize("size", [(16, 24), (15, 24), (17, 23), (9, 8), (1, 1), (3, 40)])
def test_any_size_is_mirrored_up_to_a_multiple_of_8_and_cut_back(size, small_unet, rng):
    images = rng.random((2, *size, 1))
    height, width = (-(-edge // 8) * 8 for edge in size)
    mirrored = images
    while mirrored.shape[1] < height:  # mirror until it is large enough, then cut
        mirrored = np.concatenate([mirrored, mirrored[:, ::-1]], axis=1)
    while mirrored.shape[2] < width:
        mirrored = np.concatenate([mirrored, mirrored[:, :, ::-1]], axis=2)
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
        input_shape = small_unet.input_shape

        def predict_on_batch(self, portion):
            sizes.append(len(portion))
            return small_unet.predict_on_batch(portion)

    monkeypatch.setattr(models, "_PIXELS_AT_ONCE", pixels)
    np.testing.assert_allclose(models.as_denoiser(Recorder())(images), whole, atol=1e-6)
    assert sizes == {1: [1] * 5, 1200: [2, 2, 1], 1801: [3, 2]}[pixels]


def test_a_model_of_fixed_size(rng):
    model = models.dense_autoencoder(8, image_shape=(12, 10, 1))
    images = rng.random((3, 12, 10, 1)).astype(np.float32)
    expected = model.predict_on_batch(images)
    np.testing.assert_allclose(models.as_denoiser(model)(images), expected, atol=1e-6)
    with pytest.raises(ValueError, match="^noisy: expected images of 12 x 10 pixels, got 10 x 12"):
        models.as_denoiser(model)(images.transpose(0, 2, 1, 3))


def test_bad_images(small_unet, pictures):
    denoise = models.as_denoiser(small_unet)
    for images in (
        pictures[0],
        pictures[:0],
        np.zeros((1, 16, 16, 1), np.uint8),
        pictures * np.nan,
        pictures * np.inf,
        pictures * 255,
    ):
        with pytest.raises(ValueError, match="^noisy: expected"):
            denoise(images)


def test_spared_grain_worked_by_hand():
    """Removed: 0.1 of the first image, 0.2 of the second; by 0.1 of grain a half and a fifth come back."""
    images = np.full((2, 5, 4, 1), 0.5, np.float32)
    removed = np.array([0.1, -0.2], np.float32).reshape(2, 1, 1, 1)
    spared = models.spare_grain(lambda x: x - removed, std=0.1)(images)
    np.testing.assert_allclose(spared[0], 0.45, atol=1e-6)
    np.testing.assert_allclose(spared[1], 0.66, atol=1e-6)
    assert spared.dtype == np.float32


def test_sparing_grain_helps_a_denoiser_that_removes_it(rng):
    """Noise 0.03 on grain 0.02, and a denoiser that leaves neither: its error is the grain."""
    clean = rng.normal(0.5, 0.02, (1, 200, 200, 1))
    noisy = noise.add_gaussian_noise(clean, 0.03, rng)
    spared = models.spare_grain(lambda x: np.full_like(x, 0.5), std=0.02)(noisy)
    # 13/17 of all is removed: 4/17 of the noise is left, 13/17 of the grain is missing
    expected = np.hypot(4 / 17 * 0.03, 13 / 17 * 0.02)
    assert np.square(spared - clean).mean() == pytest.approx(expected**2, rel=0.02)
    assert expected < 0.9 * 0.02


def test_a_denoiser_that_removes_nothing_has_nothing_to_spare(pictures):
    np.testing.assert_array_equal(models.spare_grain(lambda x: x)(pictures), pictures)


@pytest.mark.parametrize("std", [0, -0.1, np.nan, "0.1", None])
def test_bad_grain(std):
    with pytest.raises(ValueError, match="^std: expected a number"):
        models.spare_grain(lambda x: x, std)


@pytest.mark.parametrize("change", [lambda x: x[1:], lambda x: x[..., 0]])
def test_sparing_grain_of_a_denoiser_that_changes_the_shape(change, pictures):
    with pytest.raises(ValueError, match="^denoiser: expected images of shape"):
        models.spare_grain(change)(pictures)


def test_sparing_grain_changes_neither_input_nor_type(pictures):
    before = pictures.copy()
    result = models.spare_grain(lambda x: x, np.float64(0.01))(pictures)
    assert result.dtype == np.float32
    result += 1
    np.testing.assert_array_equal(pictures, before)


def test_sparing_grain_of_a_bad_image(pictures):
    with pytest.raises(ValueError, match="^noisy: expected"):
        models.spare_grain(lambda x: x)(pictures * 255)


def test_self_ensemble_worked_by_hand(rng):
    """A denoiser that moves an image to the right moves it, turned, in all four directions."""
    images = rng.random((2, 6, 9, 1)).astype(np.float32)
    averaged = models.self_ensemble(lambda x: np.roll(x, 1, axis=2))(images)
    rolls = [np.roll(images, step, axis) for step in (-1, 1) for axis in (1, 2)]
    np.testing.assert_allclose(averaged, np.mean(rolls, axis=0), atol=1e-6)
    assert averaged.dtype == np.float32


def test_self_ensemble_has_no_favourite_direction(small_unet, rng):
    images = rng.random((2, 16, 24, 1)).astype(np.float32)
    single = models.as_denoiser(small_unet)
    denoise = models.self_ensemble(single)
    for turned in (lambda x: x[:, ::-1], lambda x: x[:, :, ::-1], lambda x: np.rot90(x, 1, (1, 2))):
        np.testing.assert_allclose(denoise(turned(images)), turned(denoise(images)), atol=1e-6)
        assert np.abs(single(turned(images)) - turned(single(images))).max() > 1e-4


def test_self_ensemble_of_a_bad_image(pictures):
    with pytest.raises(ValueError, match="^noisy: expected"):
        models.self_ensemble(lambda noisy: noisy)(pictures * 255)


# ------------------------------------------------------------------ shipped weights


SHIPPED = {"ct_unet": 6, "ct_unet_small": 6, "ct_unet_25d": 6, "ct_conv_autoencoder": 4}


@pytest.mark.parametrize(("name", "least"), SHIPPED.items())
def test_shipped_denoiser_on_validation_patients(name, least, ct_hu):
    """Both patients have an odd size; the noise is that of the notebooks."""
    rng = np.random.default_rng(0)
    denoise = models.pretrained_denoiser(name)
    gains = []
    for patient in ct_hu["validation"]:
        clean = data.window(patient[18:24])[..., None]
        noisy = noise.add_gaussian_noise(clean, 0.07, rng)
        gains.extend(metrics.psnr(clean, denoise(noisy)) - metrics.psnr(clean, noisy))
    assert len(gains) == 12
    assert min(gains) > least


@pytest.mark.parametrize("name", [name for name in SHIPPED if "unet" in name])
def test_shipped_unets_spare_the_grain_of_validation_patients(name, ct_hu):
    """Weak noise: sparing gains. None: what is taken from a clean slice is a third at most."""
    path = models.WEIGHTS / f"{name}.keras"
    bare = models.as_denoiser(keras.saving.load_model(path, compile=False))
    sparing = models.pretrained_denoiser(name)
    for patient in ct_hu["validation"]:
        clean = data.window(patient[18:23])[..., None]
        noisy = noise.add_gaussian_noise(clean, 0.02, np.random.default_rng(0))
        gain = metrics.psnr(clean, sparing(noisy)) - metrics.psnr(clean, bare(noisy))
        assert gain.mean() > 0.01
        assert (
            metrics.mae(clean, sparing(clean)).mean() < metrics.mae(clean, bare(clean)).mean() / 3
        )


def test_shipped_weights_are_small():
    assert {path.stem for path in models.WEIGHTS.glob("*.keras")} == set(SHIPPED)
    assert sum(path.stat().st_size for path in models.WEIGHTS.glob("*.keras")) < 8e6


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_weights_are_described(name):
    path = models.WEIGHTS / f"{name}.keras"
    recipe = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    model = keras.saving.load_model(path, compile=False, safe_mode=True)
    assert recipe["network"] == name
    assert recipe["weights"] == model.count_params()


@pytest.fixture
def weights(tmp_path, monkeypatch):
    """A folder that holds one small network instead of the shipped ones."""
    models.denoising_unet((4, 6), (1, 1)).save(tmp_path / "small.keras")
    monkeypatch.setattr(models, "WEIGHTS", tmp_path)
    return tmp_path


def test_weights_are_read_from_the_file(weights, rng):
    images = rng.random((2, 16, 8, 1)).astype(np.float32)
    model = keras.saving.load_model(weights / "small.keras")
    expected = models.spare_grain(model.predict_on_batch)(images)
    np.testing.assert_allclose(models.pretrained_denoiser("small")(images), expected, atol=1e-6)


def test_the_published_autoencoder_is_left_as_it_is(weights, rng):
    images = rng.random((2, 16, 8, 1)).astype(np.float32)
    path = (weights / "small.keras").rename(weights / "ct_conv_autoencoder.keras")
    expected = keras.saving.load_model(path).predict_on_batch(images)
    denoise = models.pretrained_denoiser("ct_conv_autoencoder")
    np.testing.assert_allclose(denoise(images), expected, atol=1e-6)


@pytest.mark.parametrize("name", ["SMALL", "small.keras", "../small", "", None])
def test_unknown_name_lists_the_known_ones(name, weights):
    shutil.copy(weights / "small.keras", weights / "other.keras")
    with pytest.raises(ValueError, match="^name: expected one of other, small, got"):
        models.pretrained_denoiser(name)


def test_damaged_weights_are_named(weights):
    path = weights / "small.keras"
    whole = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    cases = [b"", b"not a network", whole[: len(whole) // 2], whole[:-1]]
    for damaged in ("config.json", "model.weights.h5"):
        for keep in (0.0, 0.5):
            with zipfile.ZipFile(path, "w") as archive:
                for name, content in members.items():
                    if name == damaged:
                        content = content[: int(keep * len(content))]
                    archive.writestr(name, content)
            cases.append(path.read_bytes())
    for content in cases:
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"small\.keras: expected weights that Keras") as error:
            models.pretrained_denoiser("small")
        assert "\n" not in str(error.value)


def test_code_inside_a_weights_file_is_refused(weights):
    """Keras stores a Lambda layer as Python code; safe mode does not load it."""
    inputs = keras.Input((None, None, 1))
    outputs = layers.Lambda(lambda x: x + 1, output_shape=(None, None, 1))(inputs)
    keras.Model(inputs, outputs).save(weights / "small.keras")
    keras.saving.load_model(weights / "small.keras", safe_mode=False)  # nothing else is wrong
    with pytest.raises(ValueError, match=r"small\.keras: expected weights"):
        models.pretrained_denoiser("small")


# ------------------------------------------------------------------------- backends

ANY_BACKEND = """
import sys

import numpy as np
import helpers
import keras
from helpers import models, training

keras.utils.set_random_seed(0)
clean = np.random.default_rng(0).random((8, 16, 16, 1)).astype("float32")
def draw(n, rng):
    return np.repeat(clean[:n], 3, axis=-1)
batches = training.NoisyBatches(draw, training.RECIPES["ct_unet_25d"]["corrupt"], 4, 2, seed=0)
model = models.denoising_unet((4, 4), (1, 1), slices=3)
model.compile(keras.optimizers.Adam(training.warmup_cosine(1e-2, 4)), training.negative_psnr)
before = [np.array(w) for w in model.get_weights()]
losses = training.fit(model, batches, epochs=2).history["loss"]
assert np.isfinite(losses).all() and len(losses) == 2, losses
assert any((a != b).any() for a, b in zip(before, model.get_weights()))
denoised = models.as_denoiser(model)(clean[:4, :13, :15])
model.save(sys.argv[1])
model = keras.saving.load_model(sys.argv[1], compile=False, safe_mode=True)
np.testing.assert_allclose(models.as_denoiser(model)(clean[:4, :13, :15]), denoised, atol=1e-6)
assert denoised.shape == (4, 13, 15, 1) and denoised.dtype == np.float32
assert np.isfinite(denoised).all()
print(keras.backend.backend())
"""


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_other_backends_of_keras(backend, tmp_path):
    if find_spec(backend) is None:
        pytest.skip(f"the package {backend} is not installed")
    environment = {**os.environ, "KERAS_BACKEND": backend}
    result = subprocess.run(
        [sys.executable, "-c", ANY_BACKEND, str(tmp_path / "network.keras")],
        cwd=Path(data.__file__).parents[1],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert result.returncode == 0, result.stderr
    trained, used = result.stdout.splitlines()
    assert trained.startswith("denoising_unet: 2 epochs, loss ")
    assert used == backend
