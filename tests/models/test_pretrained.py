"""helpers.models.pretrained: the shipped networks, and damaged weights."""

import hashlib
import json
import shutil
import zipfile
from dataclasses import replace
from itertools import product

import keras
import numpy as np
import pytest
from keras import layers

from helpers import hounsfield, metrics, models, noise
from helpers.contract import About
from helpers.models import pretrained
from helpers.training import RECIPES


@pytest.mark.slow
@pytest.mark.parametrize("name", RECIPES)
def test_shipped_denoiser_on_validation_patients(name, ct_hu, shipped, rng):
    """Both patients have an odd size; the noise is that of the notebooks."""
    denoise, gains = shipped[name], []
    for patient in ct_hu["validation"]:
        clean = hounsfield.window(patient[18:24])[..., None]
        noisy = noise.add_gaussian_noise(clean, 0.07, rng)
        gains.extend(metrics.psnr(clean, denoise(noisy)) - metrics.psnr(clean, noisy))
    assert len(gains) == 12
    assert min(gains) > (6 if RECIPES[name].spares_grain else 4)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "gained"), [("ct_unet", 0), ("ct_unet_small", 0.01), ("ct_unet_25d", 0.01)]
)
def test_shipped_unets_spare_the_grain_of_validation_patients(name, gained, ct_hu, shipped):
    """Weak noise: sparing gains. None: what is taken from a clean slice is a third at most."""
    assert RECIPES[name].spares_grain
    bare = models.as_denoiser(models.pretrained_model(name))
    sparing = shipped[name]
    for patient in ct_hu["validation"]:
        clean = hounsfield.window(patient[18:23])[..., None]
        noisy = noise.add_gaussian_noise(clean, 0.02, np.random.default_rng(0))
        gain = metrics.psnr(clean, sparing(noisy)) - metrics.psnr(clean, bare(noisy))
        assert gain.mean() > gained
        taken = [np.abs(clean - denoise(clean)).mean() for denoise in (sparing, bare)]
        assert taken[0] < taken[1] / 3


def test_shipped_weights_are_small():
    assert sum(path.stat().st_size for path in models.WEIGHTS.glob("*.keras")) < 16e6


def test_what_is_known_of_shipped_networks(shipped):
    weights = (models.WEIGHTS / "ct_unet.keras").read_bytes()
    version = hashlib.sha256(weights).hexdigest()[:12]
    known = About("U-Net", source="helpers.training ct_unet", version=version)
    assert shipped["ct_unet"].about == known
    known = shipped["ct_unet_25d"].about
    assert known.neighbours == 2 and known.volume and not known.told_std
    eight = models.self_ensemble(shipped["ct_unet_25d"]).about
    assert (eight.label, eight.neighbours) == ("U-Net on 5 slices, 8 views", 2)


def test_one_check_on_the_way_inward(shipped, checked, pictures):
    """Eight views, each with its grain spared, each through the network: the batch is checked once."""
    models.self_ensemble(shipped["ct_unet_small"])(pictures)
    assert checked == ["noisy"]


@pytest.fixture
def weights(tmp_path, monkeypatch):
    """A folder that holds one small network instead of the shipped ones."""
    models.denoising_unet((4,), (1,)).save(tmp_path / "small.keras")
    describe(tmp_path)
    monkeypatch.setattr(pretrained, "WEIGHTS", tmp_path)
    return tmp_path


def describe(folder, **changes):
    """Write the least that a recipe must say."""
    recipe = {"name": "small", "label": "little one", "spares_grain": True, **changes}
    (folder / "small.json").write_text(json.dumps(recipe), encoding="utf-8")


def test_weights_are_read_and_the_recipe_says_whether_grain_is_spared(weights, pictures):
    bare = keras.saving.load_model(weights / "small.keras").predict_on_batch
    for spares, expected in ((True, models.spare_grain(bare)), (False, bare)):
        describe(weights, spares_grain=spares)
        denoise = models.pretrained_denoiser("small")
        np.testing.assert_allclose(denoise(pictures), expected(pictures), atol=1e-6)
        known = About("little one", source="helpers.training small")
        assert replace(denoise.about, version="") == known


def test_the_model_behind_a_denoiser(weights, pictures):
    """By name or path; it can be trained further, and it answers as the file does, without grain spared."""
    expected = keras.saving.load_model(weights / "small.keras").predict_on_batch(pictures)
    for name in ("small", weights / "small.keras"):
        model = models.pretrained_model(name)
        assert len(model.trainable_weights) > 0 and not model.compiled
        np.testing.assert_array_equal(model.predict_on_batch(pictures), expected)
    with pytest.raises(ValueError, match="^name: expected one of small, or a path"):
        models.pretrained_model("resnet")


def test_weights_are_loaded_by_their_path(weights, tmp_path_factory, pictures):
    """With the recipe beside them as the shipped ones are; without one, as they are."""
    mine = tmp_path_factory.mktemp("mine")
    for name in ("small.keras", "small.json"):
        shutil.copy(weights / name, mine)
    shipped = models.pretrained_denoiser("small")
    for path in (mine / "small.keras", str(mine / "small.keras")):
        loaded = models.pretrained_denoiser(path)
        assert loaded.about == shipped.about
        np.testing.assert_array_equal(loaded(pictures), shipped(pictures))
    (mine / "small.json").unlink()
    loaded = models.pretrained_denoiser(mine / "small.keras")
    assert (loaded.about.label, loaded.about.source) == ("small", str(mine / "small.keras"))
    bare = keras.saving.load_model(mine / "small.keras").predict_on_batch(pictures)
    np.testing.assert_allclose(loaded(pictures), bare, atol=1e-6)
    with pytest.raises(FileNotFoundError, match=r"other\.keras: no such file; expected weights"):
        models.pretrained_denoiser(mine / "other.keras")


@pytest.mark.parametrize(
    "text", [None, "", "{", "[]", "{}", '{"name": "a", "label": "b", "spares_grain": "no"}']
)
def test_a_damaged_recipe_is_named(text, weights):
    (weights / "small.json").unlink()
    if text is not None:
        (weights / "small.json").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"small\.json: expected the recipe that helpers\."):
        models.pretrained_denoiser("small")


@pytest.mark.parametrize("name", ["SMALL", "small.h5", "../small", "", None])
def test_unknown_name_lists_the_known_ones(name, weights):
    shutil.copy(weights / "small.keras", weights / "other.keras")
    with pytest.raises(ValueError, match="^name: expected one of other, small, or a path"):
        models.pretrained_denoiser(name)


def test_damaged_weights_are_named(weights):
    path = weights / "small.keras"
    whole = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    cases = [b"", b"not a network", whole[: len(whole) // 2], whole[:-1]]
    for damaged, keep in product(("config.json", "model.weights.h5"), (0.0, 0.5)):
        content = members[damaged][: int(keep * len(members[damaged]))]
        with zipfile.ZipFile(path, "w") as archive:
            for member in {**members, damaged: content}.items():
                archive.writestr(*member)
        cases.append(path.read_bytes())
    for content in cases:
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"small\.keras: expected weights that Keras") as error:
            models.pretrained_denoiser("small")
        assert "\n" not in str(error.value)


def classifier(inputs):
    return layers.Dense(4)(layers.GlobalAveragePooling2D()(inputs))


@pytest.mark.parametrize(
    ("slices", "last", "got"),
    [
        (1, classifier, r"from \(1, 256, 768, 1\) to \(1, 4\)"),
        (1, layers.Conv2D(2, 3, padding="same"), r"to \(1, 256, 768, 2\)"),
        (1, layers.Conv2D(1, 3, padding="same", strides=2), r"to \(1, 128, 384, 1\)"),
        (1, layers.Conv2D(1, 3), r"to \(1, 254, 766, 1\)"),
        (3, layers.Conv2D(3, 3, padding="same"), r"to \(1, 256, 768, 3\)"),
        (2, layers.Conv2D(1, 3, padding="same"), r"from \(1, 256, 768, 2\) to \(1, 256, 768, 1\)"),
    ],
)
def test_a_network_that_is_no_denoiser_is_named(slices, last, got, tmp_path):
    inputs = keras.Input((None, None, slices))
    keras.Model(inputs, last(inputs)).save(tmp_path / "mine.keras")
    with pytest.raises(ValueError, match=rf"mine\.keras: expected a denoiser, .* {got}$"):
        models.pretrained_denoiser(tmp_path / "mine.keras")


def test_a_deep_unet_denoises_any_size(tmp_path, rng):
    """Four halvings: 24 x 40 pixels are a multiple of 8, not of 16."""
    models.denoising_unet((4, 4, 4, 4), (1, 1, 1, 1)).save(tmp_path / "deep.keras")
    denoise = models.pretrained_denoiser(tmp_path / "deep.keras")
    images = rng.random((2, 24, 40, 1)).astype(np.float32)
    assert denoise(images).shape == images.shape


def test_networks_of_several_inputs_and_of_fixed_size(tmp_path, rng):
    inputs = [keras.Input((16, 24, 1)), keras.Input((16, 24, 1))]
    keras.Model(inputs, inputs[0] + inputs[1]).save(tmp_path / "two.keras")
    with pytest.raises(ValueError, match=r"two\.keras: expected a denoiser"):
        models.pretrained_denoiser(tmp_path / "two.keras")
    keras.Model(inputs[0], inputs[0] * 0.5).save(tmp_path / "fixed.keras")
    images = rng.random((2, 16, 24, 1)).astype(np.float32)
    denoise = models.pretrained_denoiser(tmp_path / "fixed.keras")
    np.testing.assert_allclose(denoise(images), images / 2)


def test_code_inside_a_weights_file_is_refused(weights):
    """Keras stores a Lambda layer as Python code; safe mode does not load it."""
    inputs = keras.Input((None, None, 1))
    outputs = layers.Lambda(lambda x: x + 1, output_shape=(None, None, 1))(inputs)
    keras.Model(inputs, outputs).save(weights / "small.keras")
    keras.saving.load_model(weights / "small.keras", safe_mode=False)  # nothing else is wrong
    with pytest.raises(ValueError, match=r"small\.keras: expected weights"):
        models.pretrained_denoiser("small")
