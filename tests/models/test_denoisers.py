"""helpers.models.denoisers: denoisers for any image, shipped and damaged weights."""

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
from helpers.models import denoisers
from helpers.training import RECIPES


@pytest.fixture(autouse=True)
def seed():
    keras.utils.set_random_seed(0)


@pytest.fixture(scope="module")
def small_unet():
    keras.utils.set_random_seed(1)
    return models.denoising_unet((4, 6, 8), (1, 1, 1))


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
    np.testing.assert_array_equal(result, before)  # where nothing is removed, nothing is spared
    assert result.dtype == np.float32
    result += 1
    np.testing.assert_array_equal(pictures, before)


def test_self_ensemble_worked_by_hand(rng):
    """A denoiser that moves an image to the right moves it, turned, in all four directions."""
    images = rng.random((2, 6, 9, 1)).astype(np.float32)
    averaged = models.self_ensemble(lambda x: np.roll(x, 1, axis=2))(images)
    rolls = [np.roll(images, step, axis) for step in (-1, 1) for axis in (1, 2)]
    np.testing.assert_allclose(averaged, np.mean(rolls, axis=0), atol=1e-6)
    assert averaged.dtype == np.float32


def test_self_ensemble_has_no_favourite_direction(small_unet, pictures):
    single = models.as_denoiser(small_unet)
    denoise = models.self_ensemble(single)
    for turned in (lambda x: x[:, ::-1], lambda x: x[:, :, ::-1], lambda x: np.rot90(x, 1, (1, 2))):
        np.testing.assert_allclose(denoise(turned(pictures)), turned(denoise(pictures)), atol=1e-6)
        assert np.abs(single(turned(pictures)) - turned(single(pictures))).max() > 1e-4


@pytest.mark.parametrize(("strength", "expected"), [(0, 1.0), (0.25, 0.8), (1, 0.2)])
def test_strength_mixes_back_what_was_removed(strength, expected):
    denoise = models.at_strength(lambda noisy: noisy * np.float32(0.2), strength)
    images = np.ones((2, 8, 8, 1), np.float32)
    np.testing.assert_allclose(denoise(images), expected, rtol=1e-6)
    assert (images == 1).all()


def test_strength_of_a_denoiser_that_writes_into_its_input_or_changes_the_shape(pictures):
    def writes(noisy):
        noisy *= 0
        return noisy

    before = pictures.copy()
    np.testing.assert_array_equal(models.at_strength(writes, 0)(pictures), before)
    np.testing.assert_array_equal(pictures, before)
    with pytest.raises(ValueError, match="^denoiser: expected images of shape"):
        models.at_strength(lambda noisy: noisy[..., 0], 0.5)(pictures)


def test_strength_keeps_the_record(shipped):
    known = models.at_strength(shipped["ct_unet_25d"], 0.5).about
    assert known.volume and known.label == "U-Net on 5 slices, strength 0.5"
    for bad in (-0.1, 1.1, np.nan, "full", None):
        with pytest.raises(ValueError, match="^strength: expected a number in"):
            models.at_strength(lambda noisy: noisy, bad)


def test_a_hidden_grid_worked_by_hand(rng):
    images = rng.random((2, 9, 10, 1)).astype(np.float32)
    hidden = models.hidden_grid(images, 1, 2, 4)
    changed = np.argwhere(hidden != images)[:, 1:3]
    assert {tuple(at) for at in changed} == {(r, c) for r in (1, 5) for c in (2, 6)}
    around = images[:, 4, 6] + images[:, 6, 6] + images[:, 5, 5] + images[:, 5, 7]
    np.testing.assert_allclose(hidden[:, 5, 6], around / 4, rtol=1e-5)


@pytest.mark.parametrize("spacing", [2, 4])
def test_j_invariant_answers_without_seeing_the_pixel(spacing, pictures):
    denoise = models.j_invariant(lambda noisy: noisy, spacing)
    changed = pictures.copy()
    changed[:, 7, 8] = 3.0
    before, after = denoise(pictures), denoise(changed)
    assert (before[:, 7, 8] == after[:, 7, 8]).all()
    different = {tuple(at) for at in np.argwhere(before != after)[:, 1:3]}
    assert different == {(6, 8), (8, 8), (7, 7), (7, 9)}
    assert denoise.about.label == "your function, blind"
    for bad in (1, 0, 2.5, None):
        with pytest.raises(ValueError, match="^spacing: expected a whole number"):
            models.j_invariant(lambda noisy: noisy, bad)


# ------------------------------------------------------------------ shipped weights


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
    path = models.WEIGHTS / f"{name}.keras"
    bare = models.as_denoiser(keras.saving.load_model(path, compile=False))
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
    assert known.volume and not known.told_std
    eight = models.self_ensemble(shipped["ct_unet_25d"]).about
    assert (eight.label, eight.volume) == ("U-Net on 5 slices, 8 views", True)


def test_one_check_on_the_way_inward(shipped, checked, pictures):
    """Eight views, each with its grain spared, each through the network: the batch is checked once."""
    models.self_ensemble(shipped["ct_unet_small"])(pictures)
    assert checked == ["noisy"]


@pytest.fixture
def weights(tmp_path, monkeypatch):
    """A folder that holds one small network instead of the shipped ones."""
    models.denoising_unet((4,), (1,)).save(tmp_path / "small.keras")
    describe(tmp_path)
    monkeypatch.setattr(denoisers, "WEIGHTS", tmp_path)
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
        (1, classifier, r"from \(1, 64, 64, 1\) to \(1, 4\)"),
        (1, layers.Conv2D(2, 3, padding="same"), r"to \(1, 64, 64, 2\)"),
        (1, layers.Conv2D(1, 3, padding="same", strides=2), r"to \(1, 32, 32, 1\)"),
        (1, layers.Conv2D(1, 3), r"to \(1, 62, 62, 1\)"),
        (3, layers.Conv2D(3, 3, padding="same"), r"to \(1, 64, 64, 3\)"),
        (2, layers.Conv2D(1, 3, padding="same"), r"from \(1, 64, 64, 2\) to \(1, 64, 64, 1\)"),
    ],
)
def test_a_network_that_is_no_denoiser_is_named(slices, last, got, tmp_path):
    inputs = keras.Input((None, None, slices))
    keras.Model(inputs, last(inputs)).save(tmp_path / "mine.keras")
    with pytest.raises(ValueError, match=rf"mine\.keras: expected a denoiser, .* {got}$"):
        models.pretrained_denoiser(tmp_path / "mine.keras")


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
