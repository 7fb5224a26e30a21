"""helpers.training.recipes: the records, and the files beside the weights that are written from them."""

import json

import keras
import pytest

from helpers import models, training
from helpers.training.recipes import RECIPES, describe

each_recipe = pytest.mark.parametrize("name", RECIPES)


def test_every_recipe_has_weights_and_all_weights_a_recipe():
    assert set(models.shipped()) == set(RECIPES)


@each_recipe
def test_shipped_weights_are_described_by_their_recipe(name):
    path = models.WEIGHTS / f"{name}.keras"
    stored = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    described = describe(name, RECIPES[name])
    assert {key: stored[key] for key in described} == described
    model = keras.saving.load_model(path, compile=False, safe_mode=True)
    assert stored["weights"] == model.count_params() == RECIPES[name].network().count_params()
    assert model.input_shape == RECIPES[name].network().input_shape


@each_recipe
def test_stages_end_with_the_recipe_and_begin_with_random_weights(name):
    first, *_, last = [None, *training.stages(RECIPES[name])][1:] * 2
    assert first.start is None
    assert last is RECIPES[name]
    assert not first.averaged


def test_patches_are_counted_over_all_stages():
    assert training.patches_seen(RECIPES["ct_unet"]) == (120 + 48) * 400 * 8
    assert training.patches_seen(RECIPES["ct_conv_autoencoder"]) == 32_000
