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
    model, network = keras.saving.load_model(path, compile=False), RECIPES[name].network()
    assert stored["weights"] == model.count_params() == network.count_params()
    assert model.input_shape == network.input_shape


@each_recipe
def test_stages_end_with_the_recipe_and_begin_with_random_weights(name):
    stages = training.stages(RECIPES[name])
    assert stages[0].start is None and not stages[0].averaged
    assert stages[-1] is RECIPES[name]


def test_patches_are_counted_over_all_stages():
    assert training.patches_seen(RECIPES["ct_unet"]) == (120 + 48 + 34 + 18) * 400 * 8


def test_the_autoencoder_has_the_training_of_the_unet():
    """But for the patches, and what the U-Net learned afterwards."""
    ours, theirs = (training.stages(RECIPES[name]) for name in ("ct_conv_autoencoder", "ct_unet"))
    same = ("corrupt", "loss", "batch_size", "epochs", "peak_rate", "averaged")
    for one, other in zip(ours, theirs[:2], strict=True):
        assert [getattr(one, key) for key in same] == [getattr(other, key) for key in same]
