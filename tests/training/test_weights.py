"""helpers.training.weights and its command line: stages, resumed runs, what is stored."""

import json
import zipfile
from dataclasses import replace
from functools import partial

import keras
import numpy as np
import pytest

from helpers import data, metrics, models, noise, training
from helpers.training import RECIPES, recipes, weights
from helpers.training.__main__ import main


@pytest.fixture
def tiny(monkeypatch, tmp_path):
    """Make `build_weights` a matter of a second: a small network, few steps, made-up scans."""
    scans = np.random.default_rng(3).random((12, 140, 136, 1)).astype(np.float32)
    patients = {"train": [scans[:6]], "validation": [scans[:5, :24, :20], scans[:3, :16, :24]]}
    monkeypatch.setenv(data.wheels.CACHE_VARIABLE, str(tmp_path / "cache"))
    monkeypatch.setattr(weights, "load_ct", patients.__getitem__)
    for module in (weights, recipes):
        monkeypatch.setattr(module, "STEPS_PER_EPOCH", 3)
    network, short = partial(models.denoising_unet, (4,), (1,)), {"batch_size": 2, "epochs": 2}
    first = replace(training.stages(RECIPES["ct_unet"])[0], network=network, **short)
    for name, last in {"ct_unet": network, "ct_unet_25d": partial(network, slices=5)}.items():
        averaged = name == "ct_unet"
        recipe = replace(RECIPES[name], network=last, start=first, averaged=averaged, **short)
        monkeypatch.setitem(RECIPES, name, recipe)
    return patients


def stored(folder, name="ct_unet"):
    """The network and the recipe that `build_weights` has stored."""
    recipe = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    return keras.saving.load_model(folder / f"{name}.keras", compile=False), recipe


def trained(folder, name="ct_unet"):
    """All weights in a row."""
    return np.concatenate([np.ravel(w) for w in stored(folder, name)[0].get_weights()])


@pytest.mark.parametrize(
    ("name", "kept", "averaged"), [("ct_unet", 0.01, True), ("ct_unet_25d", 0.02, False)]
)
def test_an_averaged_stage_keeps_the_mean(name, kept, averaged, tiny, tmp_path, monkeypatch):
    """Every weight is 0 after the first stage and 0.02 after the second."""
    ends = iter([0, 0.02])

    def fit(model, *_, **keywords):
        end = next(ends)
        model.set_weights([np.full_like(weights, end) for weights in model.get_weights()])

    monkeypatch.setattr(weights, "fit", fit)
    training.build_weights(name, output=tmp_path)
    assert trained(tmp_path, name) == pytest.approx(kept, rel=1e-3)
    stages = stored(tmp_path, name)[1]["stages"]
    assert [stage["averaged"] for stage in stages] == [False, averaged]


@pytest.mark.slow
@pytest.mark.parametrize("stopped_after", [1, 2, 3, 4])
def test_a_stopped_run_goes_on_as_if_nothing_had_happened(
    stopped_after, tiny, tmp_path, capsys, monkeypatch
):
    training.build_weights("ct_unet", output=tmp_path / "whole")
    seen = []

    def measure(self, epoch, logs=None):
        seen.append(epoch)
        if len(seen) == stopped_after:
            raise KeyboardInterrupt

    monkeypatch.setattr(weights._ValidationPSNR, "on_epoch_end", measure)
    with pytest.raises(KeyboardInterrupt):
        training.build_weights("ct_unet", output=tmp_path / "resumed")
    assert list((tmp_path / "resumed").iterdir()) == []
    training.build_weights("ct_unet", output=tmp_path / "resumed")
    epochs = [0, 1, 0, 1]  # two stages of two epochs
    # The epoch that was broken off is repeated, not those before.
    assert seen == epochs[:stopped_after] + epochs[stopped_after - 1 :]
    resumed, whole = trained(tmp_path / "resumed"), trained(tmp_path / "whole")
    np.testing.assert_allclose(resumed, whole, rtol=0, atol=1e-7)
    assert list((tmp_path / "cache" / "checkpoints").iterdir()) == []


def test_a_folder_for_checkpoints_keeps_what_else_is_in_it(tiny, tmp_path):
    """Also the weights, if they go there."""
    (tmp_path / "notes.txt").write_text("mine")
    training.build_weights("ct_unet", epochs=1, output=tmp_path, checkpoints=tmp_path)
    names = {path.name for path in tmp_path.iterdir()} - {"cache"}
    assert names == {"notes.txt", "ct_unet.keras", "ct_unet.json"}


@pytest.mark.parametrize("epochs", [0, -1, 1.5])
def test_bad_epochs(epochs, tiny, tmp_path):
    with pytest.raises(ValueError, match="^epochs: expected a whole number"):
        training.build_weights("ct_unet", epochs=epochs, output=tmp_path)


def test_command_line(tiny, tmp_path, capsys, monkeypatch):
    folder = tmp_path / "new" / "folder"
    main(["ct_unet", "--epochs", "1", "--seed", "4", "--output", str(folder)])
    progress, result = capsys.readouterr().out.splitlines()
    assert progress.startswith("denoising_unet: 1 epochs, loss ")

    # The score: all slices of both patients, noise of std 0.07, the mean over slices.
    model, recipe = stored(folder)
    rng, values = np.random.default_rng(0), []
    for patient in tiny["validation"]:
        noisy = noise.add_gaussian_noise(patient, 0.07, rng)
        values.extend(metrics.psnr(patient, models.as_denoiser(model)(noisy).clip(0, 1)))
    assert len(values) == 8
    assert result == f"ct_unet: validation PSNR {np.mean(values):.2f} dB at noise std 0.07"

    assert {path.name for path in folder.iterdir()} == {"ct_unet.keras", "ct_unet.json"}
    assert (recipe["name"], recipe["label"], recipe["spares_grain"]) == ("ct_unet", "U-Net", True)
    assert recipe["weights"] == models.denoising_unet((4,), (1,)).count_params()
    assert (recipe["seed"], recipe["steps_per_epoch"]) == (4, 3)
    (only,) = recipe["stages"]  # --epochs: the last stage alone, with its own learning rate
    functions = [only[key] for key in ("network", "patches", "loss", "corrupt")]
    assert functions[:2] == ["denoising_unet((4,), (1,))", "diverse_patches(any_window=0.1)"]
    assert functions[2:] == ["negative_psnr", "unknown_noise"]
    assert (only["epochs"], only["peak_rate"], only["averaged"]) == (1, 3e-4, False)
    assert (only["batch_size"], recipe["keras"]) == (2, keras.__version__)
    assert recipe["validation_psnr_db"] == round(float(np.mean(values)), 2)

    monkeypatch.setattr(
        weights, "fit", lambda *_, **__: None
    )  # the first weights are others already
    training.build_weights("ct_unet", epochs=1, seed=5, output=tmp_path / "other")
    assert np.abs(trained(folder) - trained(tmp_path / "other")).max() > 0.01


@pytest.mark.slow
def test_a_network_of_several_slices(tiny, tmp_path):
    score = training.build_weights("ct_unet_25d", output=tmp_path)
    model, recipe = stored(tmp_path, "ct_unet_25d")
    assert model.input_shape == (None, None, None, 5)
    assert [stage["network"][-10:] for stage in recipe["stages"]] == ["4,), (1,))", " slices=5)"]
    assert models.pretrained_denoiser(tmp_path / "ct_unet_25d.keras").about.volume
    assert recipe["validation_psnr_db"] == round(score, 2)


@pytest.mark.parametrize(("widths", "slices"), [((4, 8), 5), ((7, 11), 1), ((5, 8), 3)])
def test_a_larger_network_begins_as_what_the_smaller_one_has_learned(widths, slices, rng):
    """Before the next stage, neighbours and new channels weigh nothing; but they can learn."""
    small = models.denoising_unet((4, 8), (1, 1))
    large = models.denoising_unet(widths, (1, 1), slices=slices)
    weights._grow(large, small)
    noisy = rng.random((6, 16, 24, 1)).astype(np.float32)
    by_small, by_large = (models.as_denoiser(model)(noisy) for model in (small, large))
    np.testing.assert_allclose(by_large, by_small, rtol=0, atol=1e-6)
    before = [np.copy(w) for w in large.get_weights()]
    large.compile("sgd", "mse")
    for _ in range(3):  # first what leads out of the new channels learns, then what leads into them
        large.train_on_batch(np.repeat(noisy, slices, axis=-1), noisy * 0)
    for old, a, b in zip(small.get_weights(), before, large.get_weights(), strict=True):
        if old.ndim > 1 and a.shape != old.shape:
            new = np.ones(a.shape, bool)
            new[tuple(slice((n - m) // 2, (n + m) // 2) for m, n in zip(old.shape, a.shape))] = (
                False
            )
            assert np.abs(a - b)[new].max() > 0


@pytest.mark.parametrize("build", [models.denoising_unet, models.conv_autoencoder])
def test_lower_precision_is_for_training_only(build):
    """It computes in half the bits, learns and answers in single precision, and leaves nothing behind."""
    recipe = replace(RECIPES["ct_unet_small"], network=build, precision="mixed_bfloat16")
    model = weights._network(recipe)
    policies = {layer.compute_dtype for layer in model.layers if layer.weights}
    assert policies == {"bfloat16"} and {w.dtype for w in model.weights} == {"float32"}
    assert keras.config.dtype_policy().name == "float32"
    if build is models.denoising_unet:
        assert model.get_layer("denoised").compute_dtype == "float32"
    usual = weights._network(replace(recipe, precision="float32"))
    assert {layer.compute_dtype for layer in usual.layers if layer.weights} == {"float32"}


@pytest.mark.parametrize("options", ["--epochs 0", "--epochs x", "--output {file}"])
def test_bad_options_end_in_one_sentence(options, tiny, tmp_path, refusal):
    file = tmp_path / "file"
    file.write_text("not a folder")
    last = refusal(main, "ct_unet", *(option.format(file=file) for option in options.split()))
    assert last.startswith("python -m helpers.training: error: ")
    assert file.read_text() == "not a folder"


def test_help_lists_networks_and_options(capsys):
    with pytest.raises(SystemExit, match="^0$"):
        main(["--help"])
    text = capsys.readouterr().out
    for word in (*RECIPES, "--epochs", "--seed", "--output", "--checkpoints"):
        assert word in text


def test_unknown_network_lists_the_known_ones(refusal):
    last = refusal(main, "resnet")
    assert all(name in last for name in ("resnet", "ct_unet", "ct_conv_autoencoder"))
    with pytest.raises(ValueError, match="^name: expected one of ct_unet, .*, ct_conv_autoencoder"):
        training.build_weights("resnet")


def test_stored_networks_are_small_and_answer_alike(tmp_path, rng):
    """Half the space, the same answers to a thousandth of a grey level; stored again, nothing but the date differs."""
    model = keras.saving.load_model(models.WEIGHTS / "ct_unet_small.keras", compile=False)
    noisy = rng.normal(0.5, 0.2, (1, 64, 64, 1)).astype(np.float32)
    fine = [w * (1 + 2**-13) for w in model.get_weights()]
    model.set_weights(fine)
    before = model.predict_on_batch(noisy)
    plain, first, second = (tmp_path / f"{name}.keras" for name in ("plain", "a", "b"))
    model.save(plain)
    weights.store(model, first)
    weights.store(model, second)
    assert first.stat().st_size < 0.65 * plain.stat().st_size
    with zipfile.ZipFile(first) as one, zipfile.ZipFile(second) as two:
        assert sorted(one.namelist()) == ["config.json", "metadata.json", "model.weights.h5"]
        config, learned = (one.read(name) for name in ("config.json", "model.weights.h5"))
        assert (config, learned) == (two.read("config.json"), two.read("model.weights.h5"))
    loaded = keras.saving.load_model(first, compile=False)
    np.testing.assert_array_equal(loaded.predict_on_batch(noisy), model.predict_on_batch(noisy))
    assert 0 < np.abs(loaded.predict_on_batch(noisy) - before).max() < 1e-3
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.keras", "b.keras", "plain.keras"]
    assert b"input_axes" not in config and b"GlorotUniform" in config


def test_weights_too_large_for_half_precision(tmp_path):
    model = models.denoising_unet((4,), (1,))
    model.set_weights([w * 0 + 1e5 for w in model.get_weights()])
    with pytest.raises(ValueError, match="^model: expected weights that are finite in half"):
        weights.store(model, tmp_path / "a.keras")
    assert list(tmp_path.iterdir()) == []
