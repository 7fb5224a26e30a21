"""helpers.training.weights and its command line: stages, resumed runs, what is stored."""

import json
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
    first = replace(RECIPES["ct_unet"].start, network=network, **short)
    for name, last in {"ct_unet": network, "ct_unet_25d": partial(network, slices=5)}.items():
        recipe = replace(RECIPES[name], network=last, start=first, **short)
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
    assert trained(tmp_path, name) == pytest.approx(kept)
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
        values.extend(metrics.psnr(patient, models.as_denoiser(model)(noisy)))
    assert len(values) == 8
    assert result == f"ct_unet: validation PSNR {np.mean(values):.2f} dB at noise std 0.07"

    assert {path.name for path in folder.iterdir()} == {"ct_unet.keras", "ct_unet.json"}
    assert (recipe["name"], recipe["label"], recipe["spares_grain"]) == ("ct_unet", "U-Net", True)
    assert recipe["weights"] == models.denoising_unet((4,), (1,)).count_params()
    assert (recipe["seed"], recipe["steps_per_epoch"]) == (4, 3)
    (only,) = recipe["stages"]  # --epochs: the last stage alone, with its own learning rate
    functions = [only[key] for key in ("network", "patches", "loss", "corrupt")]
    assert functions[:2] == ["denoising_unet((4,), (1,))", "varied_patches"]
    assert functions[2:] == ["negative_psnr", "unknown_noise"]
    assert (only["epochs"], only["peak_rate"], only["averaged"]) == (1, 4e-4, False)
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


def test_five_slices_begin_as_what_one_slice_has_learned(rng):
    """Before the next stage, the neighbours weigh nothing."""
    one, five = (models.denoising_unet((4, 8), (1, 1), slices=slices) for slices in (1, 5))
    five.set_weights(weights._grown(one.get_weights(), five.get_weights()))
    noisy = rng.random((6, 16, 24, 1)).astype(np.float32)
    by_one, by_five = (models.as_denoiser(model)(noisy) for model in (one, five))
    np.testing.assert_allclose(by_five, by_one, rtol=0, atol=1e-6)


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
