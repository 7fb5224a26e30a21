"""helpers.training.selfsupervised and its losses: who sees what, and what it is worth in the mean."""

from functools import partial

import keras
import numpy as np
import pytest

from helpers import baselines, metrics, models, noise, training

SIZE = 16
blind = pytest.mark.parametrize(
    "method", [partial(training.noise2void, share=0.1), training.noise2self]
)


@pytest.fixture
def noisy(rng):
    """One patient of three slices as large as a patch, all pixels different."""
    return rng.random((3, SIZE, SIZE, 1)).astype(np.float32)


def same(method, *patients, seed, n=4, **settings):
    """The pairs that one seed draws."""
    return method(*([images] for images in patients), SIZE, **settings)(
        n, np.random.default_rng(seed)
    )


@blind
def test_the_input_does_not_know_a_hidden_pixel(method, noisy):
    """Whatever stands there, all of the input stays as it is; a pixel that is not hidden is seen."""
    changed = noisy.copy()
    changed[:, 5, 9] = 3.0
    seen = {True: 0, False: 0}
    for seed in range(20):
        before, _, weight = same(method, noisy, seed=seed)
        after, target, _ = same(method, changed, seed=seed)
        for one, other, goal, hidden in zip(before, after, target, weight):
            is_hidden = bool(hidden[goal[..., 0] == 3.0].all())
            assert np.array_equal(one, other) == is_hidden
            seen[is_hidden] += 1
    assert min(seen.values()) > 3


@blind
def test_only_hidden_pixels_count_and_the_target_is_the_noisy_image(method, noisy):
    hidden, target, weight = same(method, noisy, seed=0)
    assert weight.mean() == pytest.approx(1)
    np.testing.assert_array_equal(hidden[weight == 0], target[weight == 0])
    assert (hidden[weight > 0] != target[weight > 0]).all()
    found = [np.sort(patch, axis=None) for patch in target]
    known = [np.sort(image, axis=None) for image in noisy]
    assert all(any(np.array_equal(patch, image) for image in known) for patch in found)


def test_noise2void_takes_the_value_of_a_neighbour(noisy):
    hidden, target, weight = same(training.noise2void, noisy, seed=0, radius=2)
    assert (np.count_nonzero(weight, axis=(1, 2)) == SIZE**2 / 16).all()
    for number, row, column in np.argwhere(weight > 0):
        (where,) = np.argwhere(target[number, ..., 0] == hidden[number, row, column, 0])
        assert 0 < np.abs(where - (row, column)).max() <= 2


def test_noise2self_takes_the_mean_of_four_neighbours(noisy):
    hidden, target, weight = same(training.noise2self, noisy, seed=0, spacing=4)
    for number, row, column in np.argwhere(weight > 0):
        if 0 < row < SIZE - 1 and 0 < column < SIZE - 1:
            image = target[number, ..., 0]
            around = image[row - 1, column], image[row + 1, column]
            around += image[row, column - 1], image[row, column + 1]
            assert hidden[number, row, column, 0] == pytest.approx(np.mean(around))


def test_noise2noise_gives_both_versions_of_the_same_place(noisy):
    orders = set()
    for first, second in zip(*same(training.noise2noise, noisy, noisy + 2, seed=0, n=20)[:2]):
        difference = second - first
        np.testing.assert_allclose(np.abs(difference), 2, atol=1e-6)
        assert np.ptp(difference) < 1e-5
        orders.add(difference.mean() > 0)
    assert orders == {True, False}


def test_neighbouring_slices_count_where_they_show_the_same(rng):
    """A bright box from the third of four slices on: the pixels in and close to it do not count."""
    slices = rng.normal(0.3, 0.02, (4, 64, 64, 1)).astype(np.float32)
    slices[2:, 20:40, 20:40] += 0.5
    one, other, weight = training.neighbouring_slices([slices], 64)(8, rng)
    apart = np.abs(one - other)[..., 0] > 0.3
    assert apart.sum() == 8 * 400
    assert not weight[apart].any()
    assert 0.5 < (weight > 0).mean() < 0.9
    assert weight.mean() == pytest.approx(1)


def test_the_mask_of_neighbouring_slices_knows_nothing_of_their_noise(rng):
    """Where nothing differs but noise, what is kept of the pair is as independent as all of it."""
    slices = rng.normal(0.3, 0.02, (4, 64, 64, 1)).astype(np.float32)
    pairs = training.neighbouring_slices([slices], 64, tolerance=1.0)
    one, other, weight = pairs(1, np.random.default_rng(0))
    kept = weight[0] > 0
    assert 0.4 < kept.mean() < 0.6
    for sigma in (0.0, 2.0):
        a, b = (
            image[0] if not sigma else baselines.gaussian(image, sigma)[0] for image in (one, other)
        )
        assert abs(np.corrcoef(a[kept, 0], b[kept, 0])[0, 1]) < 0.15


def test_the_two_halves_of_neighbor2neighbor_share_no_pixel(noisy):
    n, size = 4, SIZE // 2
    images, target, _ = training.neighbor2neighbor([noisy], size)(n, np.random.default_rng(0))
    assert images.shape == (2 * n, size, size, 1) and target.shape == (2 * n, size, size, 3)
    known = {value: at for at, value in np.ndenumerate(noisy)}
    for one, other in zip(images[:n, ..., 0], target[:n, ..., 0]):
        places = [{known[value] for value in half.ravel()} for half in (one, other)]
        assert len(places[0]) == len(places[1]) == size**2 and not places[0] & places[1]
        for a, b in zip(one.ravel(), other.ravel()):
            assert np.abs(np.subtract(known[a], known[b])).sum() == 1  # side by side
    for half, quarter, masks in zip((images[:n], target[:n, ..., :1]), (images[n:],) * 2, (1, 2)):
        corner = half[:, : size // 2, : size // 2, 0]
        picked = quarter[..., 0][target[n:, ..., masks] == 1].reshape(n, -1)
        np.testing.assert_array_equal(np.sort(picked), np.sort(corner.reshape(n, -1)))


def test_the_loss_of_neighbor2neighbor_worked_by_hand(noisy):
    """With an answer that returns its input, the second part is nothing; with a flat one, nothing is subtracted."""
    n, half = 4, SIZE // 4
    images, target, _ = training.neighbor2neighbor([noisy], SIZE // 2)(n, np.random.default_rng(0))
    apart = np.square(images[:n] - target[:n, ..., :1]).mean(axis=(1, 2, 3))
    for gamma in (0.0, 1.0):
        loss = training.neighbor2neighbor_loss(target, images, gamma=gamma)
        np.testing.assert_allclose(np.asarray(loss), apart, rtol=1e-4)
    flat = training.neighbor2neighbor_loss(target, np.full_like(images, 0.5), gamma=2.0)
    error = np.square(0.5 - target[:n, ..., 0])
    expected = error.mean(axis=(1, 2)) + 2 * error[:, :half, :half].mean(axis=(1, 2))
    np.testing.assert_allclose(np.asarray(flat), expected, rtol=1e-4)


def test_the_whole_patch_of_neighbor2neighbor_teaches_nothing(noisy):
    """Its answer only tells what differs; no gradient goes through it."""
    tensorflow = pytest.importorskip("tensorflow")
    images, target, _ = training.neighbor2neighbor([noisy], SIZE // 2)(2, np.random.default_rng(0))
    denoised = tensorflow.Variable(0.9 * images)
    with tensorflow.GradientTape() as tape:
        loss = tensorflow.reduce_sum(training.neighbor2neighbor_loss(target, denoised))
    gradient = tape.gradient(loss, denoised).numpy()
    assert np.abs(gradient[:2]).max() > 0 and not gradient[2:].any()


def test_clean_targets_belong_to_their_noisy_images(noisy):
    given, target, weight = same(training.clean_targets, noisy + 1, noisy, seed=0)
    np.testing.assert_allclose(given, target + 1, rtol=1e-6)
    assert weight is None


def test_sure_is_the_squared_error_in_the_mean():
    """1,000 draws of noise on one picture, denoised by a blur."""
    rng, std, size = np.random.default_rng(0), 0.1, 48
    y, x = np.mgrid[0:size, 0:size]
    clean = (0.5 + 0.3 * np.sin(x / 2) * np.cos(y / 3)).astype(np.float32)[None, ..., None]
    estimates, errors = [], []
    for _ in range(20):
        noisy = noise.add_gaussian_noise(np.repeat(clean, 50, axis=0), std, rng)
        images, target, _ = training.sure([noisy], size)(50, rng)
        denoised = baselines.gaussian(images, 1.0)
        estimates.extend(np.asarray(training.sure_loss(target, denoised, std=std)))
        errors.extend(np.square(baselines.gaussian(noisy, 1.0) - clean).mean(axis=(1, 2, 3)))
    assert len(errors) == 1000
    assert np.mean(estimates) == pytest.approx(np.mean(errors), rel=0.02)


METHODS = {
    "noise2noise": (lambda a, b: training.noise2noise([a], [b], 32), "mse"),
    "neighbouring_slices": (lambda a, b: training.neighbouring_slices([a], 32), "mse"),
    "noise2void": (lambda a, b: training.noise2void([a], 32), "mse"),
    "noise2self": (lambda a, b: training.noise2self([a], 32), "mse"),
    "neighbor2neighbor": (
        lambda a, b: training.neighbor2neighbor([a], 32),
        training.neighbor2neighbor_loss,
    ),
    "sure": (lambda a, b: training.sure([a], 32), partial(training.sure_loss, std=0.1)),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", METHODS)
def test_a_network_learns_to_denoise_without_clean_images(name, rng):
    """White noise on five alike slices of discs and slopes; the same loop for all."""
    drawing = training.dead_leaves(1, 96, np.random.default_rng(3))
    clean = np.repeat(drawing, 5, axis=0)
    first, second = (noise.add_gaussian_noise(clean, 0.1, rng) for _ in range(2))
    pairs, loss = METHODS[name][0](first, second), METHODS[name][1]
    keras.utils.set_random_seed(0)
    network = models.denoising_unet((16, 16), (1, 1))
    network.compile(keras.optimizers.Adam(2e-3), loss)
    training.fit(network, training.Batches(pairs, batch_size=8, steps=60, seed=0), epochs=3)
    denoiser = models.as_denoiser(network)
    if name == "noise2self":
        denoiser = models.j_invariant(denoiser)
    denoised = denoiser(first)
    gain = metrics.psnr(clean, denoised.clip(0, 1)) - metrics.psnr(clean, first.clip(0, 1))
    assert gain.mean() > 3


@pytest.mark.parametrize("method", [*(m for m in METHODS if m != "noise2noise")])
def test_bad_patients(method, noisy, bad_batches):
    make = getattr(training, method)
    for bad in bad_batches:
        with pytest.raises(ValueError, match="^noisy: expected"):
            make([bad], 8)
    with pytest.raises(ValueError, match="^noisy: expected at least one patient"):
        make(None, 8)
    with pytest.raises(ValueError, match="^noisy: expected at least one patient"):
        make([], 8)
    for size in (0, SIZE + 1, 8.5, None):
        with pytest.raises(ValueError, match="^size: expected a whole number"):
            make([noisy], size)


def test_bad_numbers(noisy):
    for method, settings, message in [
        (training.noise2void, {"share": 0}, "share: expected a number"),
        (training.noise2void, {"share": 0.3}, "share: expected a number"),
        (training.noise2void, {"radius": 0}, "radius: expected a whole number"),
        (training.noise2void, {"radius": 5}, "radius: expected a whole number"),
        (training.noise2self, {"spacing": 1}, "spacing: expected a whole number"),
        (training.neighbouring_slices, {"tolerance": 0}, "tolerance: expected a number"),
        (training.sure, {"step": 0}, "step: expected a number"),
    ]:
        with pytest.raises(ValueError, match=f"^{message}"):
            method([noisy], 8, **settings)
    with pytest.raises(ValueError, match=r"^size: expected a whole number in \[2, 8\], got 9"):
        training.neighbor2neighbor([noisy], 9)  # of 16 pixels, two of which make one
    with pytest.raises(ValueError, match="^size: expected an even number of pixels, got 7"):
        training.neighbor2neighbor([noisy], 7)
    with pytest.raises(ValueError, match="^second: expected the shapes of first"):
        training.noise2noise([noisy], [noisy[:2]], 8)
    with pytest.raises(ValueError, match="^noisy: expected at least four neighbouring slices"):
        training.neighbouring_slices([noisy[:1]], 8)
