"""helpers.comparison.ablation: networks that differ in one thing each, and the stored results."""

import keras
import numpy as np
import pytest

from helpers import models
from helpers.comparison import ablation


def test_without_either_it_is_the_tutorials_autoencoder(rng):
    images = rng.random((1, 16, 24, 1)).astype(np.float32)
    outputs = []
    for build in (
        models.conv_autoencoder,
        lambda: ablation.autoencoder_with(skips=False, residual=False),
    ):
        keras.utils.set_random_seed(3)
        outputs.append(build().predict_on_batch(images))
    np.testing.assert_allclose(*outputs, atol=1e-6)


@pytest.mark.parametrize("skips", [False, True])
def test_residual_is_subtracted_from_the_input(skips):
    model = ablation.autoencoder_with(skips=skips, residual=True)
    model.set_weights([w * 0 for w in model.get_weights()])
    images = np.random.default_rng(0).normal(0.5, 1, (1, 8, 8, 1)).astype(np.float32)
    np.testing.assert_allclose(model.predict_on_batch(images), images, atol=1e-6)


def test_a_skip_carries_detail_past_the_code():
    """Two images that differ in one pixel which pooling does not see."""
    images = np.full((2, 8, 8, 1), 0.5, np.float32)
    outputs = {}
    for skips in (False, True):
        keras.utils.set_random_seed(1)
        model = ablation.autoencoder_with(skips=skips, residual=False)
        weights = model.get_weights()
        weights[0][:] = 0
        weights[0][1, 1] = 1  # the first layer copies the image into all maps
        model.set_weights(weights)
        images[1, 0, 0] = 0.4  # darker than its neighbours: max-pooling drops it
        one, other = model.predict_on_batch(images)
        outputs[skips] = np.abs(one - other).max()
    assert outputs[False] < 1e-6 < 1e-4 < outputs[True]


def test_networks_have_no_more_weights_than_the_autoencoder():
    counts = {name: build().count_params() for name, build in ablation.NETWORKS.items()}
    assert max(counts.values()) == counts["autoencoder"] == 112_001


def test_stored_results_hold_all_networks_and_seeds():
    stored = ablation.read_ablation()
    assert list(stored) == list(ablation.NETWORKS)
    for name, (weights, scores) in stored.items():
        assert weights == ablation.NETWORKS[name]().count_params()
        assert scores.shape == (3,) and (scores > 23).all()


def test_unreadable_results_are_named(tmp_path):
    with pytest.raises(
        FileNotFoundError, match="none.csv: no such file; `python -m helpers.compar"
    ):
        ablation.read_ablation(tmp_path / "none.csv")
    path = tmp_path / "other.csv"
    for text in ("a,b\n1,2\n", "network,weights,seed,psnr_db\nU-Net,1,0,30\n"):
        path.write_text(text)
        with pytest.raises(ValueError, match="other.csv: expected 3 seeds of each network"):
            ablation.read_ablation(path)


def test_command_stores_what_it_measures(tmp_path, monkeypatch, refusal):
    asked = []

    def ablate(network, seed, train):
        asked.append((network, seed))
        return 7, 30 + seed

    monkeypatch.setattr(ablation, "load_ct", lambda split: split)
    monkeypatch.setattr(ablation, "ablate", ablate)
    ablation.main(["--output", str(tmp_path / "out.csv")])
    stored = ablation.read_ablation(tmp_path / "out.csv")
    assert [(weights, list(scores)) for weights, scores in stored.values()] == [
        (7, [30, 31, 32])
    ] * 5
    assert len(asked) == 15 and asked[0][0] is ablation.NETWORKS["autoencoder"]
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv"]
    last = refusal(ablation.main, "--output", str(tmp_path / "no" / "folder.csv"))
    assert last.startswith("python -m helpers.comparison.ablation: error: ")
