"""helpers.training.loop: fresh noise on every step, exact repeats, one line that is left."""

from itertools import product

import keras
import numpy as np
import pytest

from helpers import metrics, models, noise, training


def gaussian(clean, rng):
    return noise.add_gaussian_noise(clean, 0.1, rng)


@pytest.fixture(scope="module")
def model():
    """A small network for `pictures`, compiled once."""
    keras.utils.set_random_seed(0)
    model = models.dense_autoencoder(4, image_shape=(24, 32, 1))
    model.compile("adam", "mse")
    return model


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

    sizes = {"batch_size": 2, "steps": 1}
    noisy, clean = training.NoisyBatches(draw, lambda clean, _: clean + 1, **sizes, seed=0)[0]
    np.testing.assert_array_equal(noisy, draw(2, None) + 1)
    np.testing.assert_array_equal(clean, np.full((2, 8, 8, 1), 0.3, np.float32))


def test_seed_epoch_and_step_decide_a_batch(batches):
    drawn = set()
    for seed, epoch, step in product((7, 8), (0, 1), (0, 1, 2)):
        batches.seed, batches.epoch = seed, epoch
        noisy, clean = batches[step]
        drawn.add((noisy - clean).tobytes())
        np.testing.assert_array_equal(batches[step][0], noisy)
    assert len(drawn) == 12


def test_fit_draws_anew_on_every_step_of_every_epoch(model):
    """The first number that each step draws tells which epoch and step it was drawn for."""
    drawn = []

    def draw(n, rng):
        drawn.append(rng.random())
        return np.zeros((n, 24, 32, 1), np.float32)

    batches = training.NoisyBatches(draw, gaussian, batch_size=2, steps=3, seed=5)
    training.fit(model, batches, epochs=3)
    expected = [np.random.default_rng([5, *place]).random() for place in np.ndindex(3, 3)]
    assert list(dict.fromkeys(drawn)) == expected  # in this order, whatever Keras looks at twice


@pytest.mark.parametrize("argument", ["batch_size", "steps"])
@pytest.mark.parametrize("value", [0, -1, 2.5, None, np.nan])
def test_bad_batches(argument, value):
    arguments = {"batch_size": 4, "steps": 3, argument: value}
    with pytest.raises(ValueError, match=f"^{argument}: expected a whole number"):
        training.NoisyBatches(None, None, seed=0, **arguments)


def test_the_loss_is_the_psnr_that_is_reported(rng):
    clean = rng.random((3, 16, 24, 1)).astype(np.float32)
    noisy = noise.add_gaussian_noise(clean, [0.03, 0.1, 0.3], rng)
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


def test_training_prints_exactly_one_line(model, capsys, pictures):
    history = training.fit(model, (pictures, pictures), epochs=3, batch_size=2)
    output, errors = capsys.readouterr()
    loss = history.history["loss"][-1]
    assert output == f"dense_autoencoder: 3 epochs, loss {loss:#.2g}\n"
    assert errors == ""
    assert len(history.history["loss"]) == 3


def test_the_line_tells_how_many_epochs_were_run(model, capsys, pictures):
    stop = keras.callbacks.EarlyStopping("loss", patience=0, min_delta=10)  # nothing is good enough
    training.fit(model, (pictures, pictures), epochs=9, callbacks=[stop])
    assert capsys.readouterr().out.startswith("dense_autoencoder: 2 epochs, loss ")


@pytest.mark.parametrize("steps", [1, 2.5, "100"])
def test_too_few_steps_for_a_schedule(steps):
    with pytest.raises(ValueError, match="^steps: expected a whole number"):
        training.warmup_cosine(0.002, steps)


def test_the_line_tells_the_validation_loss_too(model, capsys, pictures):
    training.fit(model, (pictures, pictures), epochs=1, validation_data=(pictures, pictures))
    line = capsys.readouterr().out
    assert line.count("\n") == 1
    assert "loss 0." in line
    assert "val_loss 0." in line


def test_keywords_of_keras_are_for_arrays(batches):
    with pytest.raises(ValueError, match="^validation_data: expected with arrays only"):
        training.fit(None, batches, epochs=1, validation_data=None)


def test_early_stopping_and_history_with_batches(batches, capsys):
    """Without a loop of Keras's own, callbacks are called as there."""
    model = models.dense_autoencoder(4, image_shape=(24, 32, 1))
    model.compile("adam", "mse")
    stop = keras.callbacks.EarlyStopping("loss", patience=0, min_delta=10)
    history = training.fit(model, batches, epochs=9, callbacks=[stop]).history
    assert len(history["loss"]) == 2
    assert capsys.readouterr().out.startswith("dense_autoencoder: 2 epochs, loss ")


def test_batches_are_trained_on_as_keras_does(batches):
    """The same weights and losses as `keras.Model.fit` reaches, epoch by epoch, on the same arrays."""
    losses, weights = [], []
    for by_keras in (False, True):
        keras.utils.set_random_seed(3)
        model = models.dense_autoencoder(4, image_shape=(24, 32, 1))
        model.compile("adam", "mse")
        if by_keras:
            found = []
            for epoch in range(2):
                batches.epoch = epoch
                steps = [batches[step] for step in range(len(batches))]
                noisy, clean = (np.concatenate(images) for images in zip(*steps))
                history = model.fit(noisy, clean, batch_size=4, shuffle=False, verbose=0)
                found += history.history["loss"]
        else:
            found = training.fit(model, batches, epochs=2).history["loss"]
        losses.append(found)
        weights.append(np.concatenate([np.ravel(w) for w in model.get_weights()]))
    np.testing.assert_allclose(*losses, rtol=1e-5)
    np.testing.assert_allclose(*weights, atol=1e-6)
