"""helpers.training: fresh noise, exact repeats and resumed runs, the command line."""

import json
from functools import partial

import keras
import numpy as np
import pytest

from helpers import data, metrics, models, noise, training


def gaussian(clean, rng):
    return noise.add_gaussian_noise(clean, 0.1, rng)


# ------------------------------------------------------------------------ the batches


@pytest.fixture
def batches(pictures):
    def draw(n, rng):
        return pictures[rng.integers(len(pictures), size=n)]

    return training.NoisyBatches(draw, gaussian, batch_size=4, steps=3, seed=7)


def test_a_batch_is_noisy_beside_clean(batches, pictures):
    noisy, clean = batches[0]
    assert noisy.shape == clean.shape == (4, 24, 32, 1)
    assert len(batches) == 3
    assert all(any(np.array_equal(image, picture) for picture in pictures) for image in clean)
    assert (noisy - clean).std() == pytest.approx(0.1, rel=0.1)


def test_of_several_slices_the_middle_one_is_the_target():
    def draw(n, rng):
        return np.full((n, 8, 8, 5), [0.1, 0.2, 0.3, 0.4, 0.5], np.float32)

    batches = training.NoisyBatches(draw, lambda clean, rng: clean + 1, 2, 1, seed=0)
    noisy, clean = batches[0]
    np.testing.assert_array_equal(noisy, draw(2, None) + 1)
    np.testing.assert_array_equal(clean, np.full((2, 8, 8, 1), 0.3, np.float32))


def test_seed_epoch_and_step_decide_a_batch(batches):
    drawn = {}
    for seed in (7, 8):
        for epoch in (0, 1):
            for step in (0, 1, 2):
                batches.seed, batches.epoch = seed, epoch
                noisy, clean = batches[step]
                drawn[seed, epoch, step] = (noisy - clean).tobytes()
                np.testing.assert_array_equal(batches[step][0], noisy)
    assert len(set(drawn.values())) == 12


def test_fit_draws_anew_on_every_step_of_every_epoch(capsys):
    """The first number that each step draws tells which epoch and step it was drawn for."""
    drawn = []

    def draw(n, rng):
        drawn.append(rng.random())
        return np.zeros((n, 28, 28, 1), np.float32)

    batches = training.NoisyBatches(draw, gaussian, batch_size=2, steps=3, seed=5)
    model = models.dense_autoencoder(2)
    model.compile("adam", "mse")
    training.fit(model, batches, epochs=3)
    expected = [
        np.random.default_rng([5, epoch, step]).random() for epoch in range(3) for step in range(3)
    ]
    assert list(dict.fromkeys(drawn)) == expected  # in this order, whatever Keras looks at twice


@pytest.mark.parametrize("argument", ["batch_size", "steps"])
@pytest.mark.parametrize("value", [0, -1, 2.5, None, np.nan])
def test_bad_batches(argument, value):
    arguments = {"batch_size": 4, "steps": 3, argument: value}
    with pytest.raises(ValueError, match=f"^{argument}: expected a whole number"):
        training.NoisyBatches(None, None, seed=0, **arguments)


@pytest.mark.parametrize("slices", [1, 5])
def test_patches_come_at_three_scales(slices, rng):
    """A ramp of 1/500 per pixel is steeper by 1 / 0.7 and 1 / 0.5 in the smaller copies."""
    ramp = 0.6 + np.tile(np.arange(160, dtype=np.float32) / 500, (7, 120, 1))[..., None]
    patches = training.ct_patches([ramp], size=32, slices=slices)(400, rng)
    assert patches.shape == (400, 32, 32, slices)
    inner = patches[:, 1:-1, 1:-1, 0].astype(float)  # the border of a resized image is no ramp
    steps = [np.abs(np.diff(inner, axis=axis)).mean(axis=(1, 2)) for axis in (1, 2)]
    slopes = np.maximum(*steps) * 500
    near = [np.abs(slopes * edge / 160 - 1) < 0.03 for edge in (160, 112, 80)]
    assert np.any(near, axis=0).all()
    assert np.mean(near, axis=1) == pytest.approx([1 / 3] * 3, abs=0.1)


@pytest.mark.parametrize("patches", [training.ct_patches, training.varied_patches])
def test_resized_patches_stay_within_0_and_1(patches, rng):
    white = [np.ones((1, edge, edge, 1), np.float32) for edge in range(64, 88)]
    drawn = patches(white, size=32)(400, rng)
    assert (drawn.min() >= 0) and (drawn.max() <= 1)
    assert drawn.dtype == np.float32


@pytest.fixture
def no_grain(monkeypatch):
    monkeypatch.setattr(training, "add_correlated_noise", lambda images, **settings: images)


def test_a_quarter_of_varied_patches_are_pictures_and_windows_vary(no_grain, rng):
    """Flat scans stay flat, but of other grey levels; pictures are not flat."""
    flat = [np.full((7, 80, 80, 1), 0.6, np.float32)]
    for slices, pictures in {1: 200, 5: 0}.items():
        drawn = training.varied_patches(flat, size=32, slices=slices)(800, rng)
        assert drawn.shape == (800, 32, 32, slices)
        is_flat = np.ptp(drawn, axis=(1, 2, 3)) < 1e-3
        assert (~is_flat).sum() == pytest.approx(
            pictures, abs=8
        )  # a few pictures have flat corners
        levels = drawn[is_flat].mean(axis=(1, 2, 3))
        assert levels.mean() == pytest.approx(0.6, abs=0.01)
        assert 0.43 < levels.min() < 0.47 and 0.73 < levels.max() < 0.77


@pytest.mark.parametrize("slices", [1, 5])
def test_varied_patches_have_a_grain_of_their_own(slices, rng):
    """Of 0 to 20 HU, neighbouring pixels alike, neighbouring slices not."""
    flat = [np.full((7, 80, 80, 1), 0.6, np.float32)]
    drawn = training.varied_patches(flat, size=32, slices=slices)(800, rng)[200:]
    grain = drawn - drawn.mean(axis=(1, 2, 3), keepdims=True)
    std = grain.std(axis=(1, 2, 3))
    assert std.min() < 0.001 and 0.013 < std.max() < 0.016  # 20 HU are 0.0143
    assert std.mean() == pytest.approx(0.007, abs=0.0005)
    assert np.corrcoef(grain[:, 1:].ravel(), grain[:, :-1].ravel())[0, 1] > 0.3
    if slices > 1:
        assert abs(np.corrcoef(grain[..., 0].ravel(), grain[..., 1].ravel())[0, 1]) < 0.05


def test_a_lone_patch_is_never_a_picture(no_grain, rng):
    flat = [np.full((7, 80, 80, 1), 0.6, np.float32)]
    draw = training.varied_patches(flat, size=32)
    assert max(np.ptp(draw(1, rng)) for _ in range(20)) < 1e-3


def test_the_air_around_the_body_is_cut_away(rng):
    """Air and lung are thinner than 0.5; lung inside the body stays."""
    images = np.zeros((3, 200, 180, 1), np.float32)
    images[:, 50:130, 60:150] = 0.7
    images[1, 45, 100] = 0.6  # a row that only one slice shows
    images[:, 80:100, 80:120] = 0.1
    body = training._body(images)
    np.testing.assert_array_equal(body, images[:, 45:130, 60:150])
    np.testing.assert_array_equal(training._body(images * 0.1), images * 0.1)  # no body at all
    assert (training.ct_patches([images], size=32)(200, rng) > 0.05).mean() > 0.9


def test_a_body_smaller_than_a_patch():
    images = np.ones((2, 100, 128, 1), np.float32)
    with pytest.raises(ValueError, match="^patients: expected bodies of at least 128 pixels"):
        training.ct_patches([images], size=64)


def test_the_loss_is_the_psnr_that_is_reported(rng):
    clean = rng.random((3, 16, 24, 1)).astype(np.float32)
    noisy = clean + rng.normal(size=clean.shape).astype(np.float32) * np.reshape(
        [0.03, 0.1, 0.3], (3, 1, 1, 1)
    ).astype(np.float32)
    loss = np.asarray(training.negative_psnr(clean, noisy))
    np.testing.assert_allclose(loss, -metrics.psnr(clean, noisy), atol=0.5)
    assert np.asarray(training.negative_psnr(clean, clean)) == pytest.approx([-40] * 3)


def test_warm_up_then_cosine():
    schedule = training.warmup_cosine(0.002, 1000, warmup_share=0.1)
    assert float(schedule(100)) == pytest.approx(0.002)
    rise = [float(schedule(step)) for step in range(0, 101, 10)]
    assert np.diff(rise) == pytest.approx(np.diff(rise)[0], rel=1e-3)
    assert 0 < rise[0] < 1e-4
    for step in (100, 325, 550, 775, 1000):
        expected = 0.002 * (1 + np.cos(np.pi * (step - 100) / 900)) / 2
        assert float(schedule(step)) == pytest.approx(expected, abs=1e-8)


# -------------------------------------------------------------------- one line is left


def test_training_prints_exactly_one_line(capsys, pictures):
    keras.utils.set_random_seed(0)
    model = models.dense_autoencoder(4, image_shape=(24, 32, 1))
    model.compile("adam", "mse")
    history = training.fit(model, (pictures, pictures), epochs=3, batch_size=2)
    output, errors = capsys.readouterr()
    loss = history.history["loss"][-1]
    assert output == f"dense_autoencoder: 3 epochs, loss {loss:#.2g}\n"
    assert errors == ""
    assert len(history.history["loss"]) == 3


def test_the_line_tells_how_many_epochs_were_run(capsys, pictures):
    model = models.dense_autoencoder(4, image_shape=(24, 32, 1))
    model.compile("adam", "mse")
    stop = keras.callbacks.EarlyStopping("loss", patience=0, min_delta=10)  # nothing is good enough
    training.fit(model, (pictures, pictures), epochs=9, callbacks=[stop])
    assert capsys.readouterr().out.startswith("dense_autoencoder: 2 epochs, loss ")


@pytest.mark.parametrize("steps", [1, 2.5, "100"])
def test_too_few_steps_for_a_schedule(steps):
    with pytest.raises(ValueError, match="^steps: expected a whole number"):
        training.warmup_cosine(0.002, steps)


def test_the_line_tells_the_validation_loss_too(capsys, pictures):
    model = models.dense_autoencoder(4, image_shape=(24, 32, 1))
    model.compile("adam", "mse")
    training.fit(model, (pictures, pictures), epochs=1, validation_data=(pictures, pictures))
    line = capsys.readouterr().out
    assert line.count("\n") == 1
    assert "loss 0." in line
    assert "val_loss 0." in line


# ------------------------------------------------------------------ the shipped weights


@pytest.fixture
def tiny(monkeypatch, tmp_path):
    """Make `build_weights` a matter of a second: a small network, few steps, made-up scans."""
    scans = np.random.default_rng(3).random((12, 140, 136, 1)).astype(np.float32)
    patients = {"train": [scans[:6]], "validation": [scans[:5, :24, :20], scans[:3, :16, :24]]}
    monkeypatch.setenv(data.CACHE_VARIABLE, str(tmp_path / "cache"))
    monkeypatch.setattr(training, "load_ct", patients.__getitem__)
    monkeypatch.setattr(training, "STEPS_PER_EPOCH", 3)
    one, five = (partial(models.denoising_unet, (4, 4), (1, 1), slices) for slices in (1, 5))
    for name, last in {"ct_unet": one, "ct_unet_25d": five}.items():
        rounds = [(one, training.ct_patches, 2, 8e-4), (last, training.varied_patches, 2, 4e-4)]
        recipe = {**training.RECIPES[name], "batch_size": 2, "rounds": rounds}
        monkeypatch.setitem(training.RECIPES, name, recipe)
    return patients


def trained(folder, name="ct_unet"):
    model = keras.saving.load_model(folder / f"{name}.keras", compile=False)
    return np.concatenate([np.ravel(w) for w in model.get_weights()])


@pytest.mark.parametrize(
    ("name", "kept", "said"),
    [("ct_unet", 0.01, "mean of start and end"), ("ct_unet_25d", 0.02, "end")],
)
def test_a_round_with_the_same_network_keeps_the_mean(
    name, kept, said, tiny, tmp_path, monkeypatch
):
    """Every weight is 0 after the first round and 0.02 after the second."""
    ends = iter([0, 0.02])

    def fit(model, *_):
        end = next(ends)
        model.set_weights([np.full_like(weights, end) for weights in model.get_weights()])

    monkeypatch.setattr(training, "fit", fit)
    training.build_weights(name, output=tmp_path)
    assert trained(tmp_path, name) == pytest.approx(kept)
    recipe = json.loads((tmp_path / f"{name}.json").read_text(encoding="utf-8"))
    assert [part["kept"] for part in recipe["rounds"]] == ["end", said]


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

    monkeypatch.setattr(training._ValidationPSNR, "on_epoch_end", measure)
    with pytest.raises(KeyboardInterrupt):
        training.build_weights("ct_unet", output=tmp_path / "resumed")
    assert list((tmp_path / "resumed").iterdir()) == []
    training.build_weights("ct_unet", output=tmp_path / "resumed")
    whole = [0, 1, 0, 1]  # two rounds of two epochs
    # The epoch that was broken off is repeated, not those before.
    assert seen == whole[:stopped_after] + whole[stopped_after - 1 :]
    np.testing.assert_allclose(
        trained(tmp_path / "resumed"), trained(tmp_path / "whole"), rtol=0, atol=1e-7
    )
    assert list((tmp_path / "cache" / "checkpoints").iterdir()) == []


def test_a_folder_for_checkpoints_keeps_what_else_is_in_it(tiny, tmp_path):
    """Also the weights, if they go there."""
    (tmp_path / "notes.txt").write_text("mine")
    training.build_weights("ct_unet", output=tmp_path, checkpoints=tmp_path)
    names = {path.name for path in tmp_path.iterdir()} - {"cache"}
    assert names == {"notes.txt", "ct_unet.keras", "ct_unet.json"}


@pytest.mark.parametrize(
    ("name", "slices", "spread"),
    [
        ("ct_unet", 1, (0, 0.16)),
        ("ct_unet_small", 1, (0, 0.16)),
        ("ct_unet_25d", 5, (0, 0.16)),
        ("ct_conv_autoencoder", 1, (0.07, 0.07)),
    ],
)
def test_noise_of_the_recipes(name, slices, spread, rng):
    clean = np.full((500, 40, 40, slices), 0.5, np.float32)
    added = training.RECIPES[name]["corrupt"](clean, rng) - clean
    each = added.std(axis=(1, 2, 3))
    in_slices = added.std(axis=(1, 2))
    assert np.abs(in_slices / in_slices[:, :1] - 1).max() < 0.2  # slices of a patch: equally noisy
    assert len(np.unique(added[0, 0, 0])) == slices  # but each has noise of its own
    assert each.min() == pytest.approx(spread[0], abs=0.006)
    assert each.max() == pytest.approx(spread[1], abs=0.012)
    assert each.mean() == pytest.approx(np.mean(spread), abs=0.006)


@pytest.mark.parametrize("epochs", [0, -1, 1.5])
def test_bad_epochs(epochs, tiny, tmp_path):
    with pytest.raises(ValueError, match="^epochs: expected a whole number"):
        training.build_weights("ct_unet", epochs=epochs, output=tmp_path)


# --------------------------------------------------------------------- command line


def test_command_line(tiny, tmp_path, capsys):
    folder = tmp_path / "new" / "folder"
    training.main(["ct_unet", "--epochs", "1", "--seed", "4", "--output", str(folder)])
    progress, result = capsys.readouterr().out.splitlines()
    assert progress.startswith("denoising_unet: 1 epochs, loss ")

    # The score: all slices of both patients, noise of std 0.07, the mean over slices.
    denoise = models.as_denoiser(keras.saving.load_model(folder / "ct_unet.keras", compile=False))
    rng = np.random.default_rng(0)
    values = []
    for patient in tiny["validation"]:
        noisy = noise.add_gaussian_noise(patient, 0.07, rng)
        values.extend(metrics.psnr(patient, denoise(noisy)))
    assert len(values) == 8
    assert result == f"ct_unet: validation PSNR {np.mean(values):.2f} dB at noise std 0.07"

    assert {path.name for path in folder.iterdir()} == {"ct_unet.keras", "ct_unet.json"}
    recipe = json.loads((folder / "ct_unet.json").read_text(encoding="utf-8"))
    assert recipe["network"] == "ct_unet"
    assert recipe["weights"] == models.denoising_unet((4, 4), (1, 1)).count_params()
    assert (recipe["seed"], recipe["steps_per_epoch"]) == (4, 3)
    (only,) = recipe["rounds"]
    assert (only["slices"], only["patches"]) == (1, "varied_patches")
    assert (only["epochs"], only["peak_learning_rate"]) == (1, 8e-4)
    assert (recipe["batch_size"], recipe["keras"]) == (2, keras.__version__)
    assert recipe["validation_psnr_db"] == round(float(np.mean(values)), 2)

    assert (recipe["loss"], recipe["noise"]) == ("negative_psnr", "unknown_noise")

    training.build_weights("ct_unet", epochs=1, seed=5, output=tmp_path / "other")
    assert np.abs(trained(folder) - trained(tmp_path / "other")).max() > 0.01


def test_a_network_of_several_slices(tiny, tmp_path):
    score = training.build_weights("ct_unet_25d", output=tmp_path)
    model = keras.saving.load_model(tmp_path / "ct_unet_25d.keras", compile=False, safe_mode=True)
    assert model.input_shape == (None, None, None, 5)
    recipe = json.loads((tmp_path / "ct_unet_25d.json").read_text(encoding="utf-8"))
    assert [part["slices"] for part in recipe["rounds"]] == [1, 5]
    assert recipe["validation_psnr_db"] == round(score, 2)


def test_five_slices_begin_as_what_one_slice_has_learned(rng):
    """Before the second round, the neighbours weigh nothing."""
    one, five = models.denoising_unet((4, 8), (1, 1)), models.denoising_unet((4, 8), (1, 1), 5)
    five.set_weights(training._grown(one.get_weights(), five.get_weights()))
    noisy = rng.random((6, 16, 24, 1)).astype(np.float32)
    np.testing.assert_allclose(
        models.as_denoiser(five)(noisy), models.as_denoiser(one)(noisy), rtol=0, atol=1e-6
    )


@pytest.mark.parametrize("options", [["--epochs", "0"], ["--epochs", "x"], ["--output", "{file}"]])
def test_bad_options_end_in_one_sentence(options, tiny, tmp_path, capsys):
    file = tmp_path / "file"
    file.write_text("not a folder")
    with pytest.raises(SystemExit, match="^2$"):
        training.main(["ct_unet", *(option.format(file=file) for option in options)])
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("python -m helpers.training: error: ")
    assert file.read_text() == "not a folder"


def test_help_lists_networks_and_options(capsys):
    with pytest.raises(SystemExit, match="^0$"):
        training.main(["--help"])
    text = capsys.readouterr().out
    for word in (
        "ct_unet",
        "ct_unet_small",
        "ct_unet_25d",
        "ct_conv_autoencoder",
        "--epochs",
        "--seed",
        "--output",
    ):
        assert word in text


def test_unknown_network_lists_the_known_ones(capsys):
    with pytest.raises(SystemExit, match="^2$"):
        training.main(["resnet"])
    errors = capsys.readouterr().err
    assert "resnet" in errors
    assert "ct_unet" in errors.splitlines()[-1]
    assert "ct_conv_autoencoder" in errors.splitlines()[-1]
    with pytest.raises(ValueError, match="^name: expected one of ct_unet, .*, ct_conv_autoencoder"):
        training.build_weights("resnet")
