"""helpers.noise.images: measured statistics, hand-worked occlusions, bad input."""

from functools import partial

import numpy as np
import pytest

from helpers import noise

GREY = np.full((4, 200, 200, 1), 0.5, np.float32)  # 160,000 pixels: means are sure to about 0.001
CORRELATED = partial(noise.add_correlated_noise, sigma=0.8)

EVERY_NOISE = {
    "gaussian": partial(noise.add_gaussian_noise, std=0.2),
    "gaussian, clipped": partial(noise.add_gaussian_noise, std=0.5, clip=True),
    "correlated": partial(CORRELATED, std=0.2),
    "salt and pepper": partial(noise.add_salt_and_pepper_noise, amount=0.3),
    "poisson": partial(noise.add_poisson_noise, peak=20),
    "speckle": partial(noise.add_speckle_noise, std=0.3),
    "occlude": noise.occlude,
    "box": partial(noise.occlude_box, size=(4, 6)),
}
every_noise = pytest.mark.parametrize("corrupt", EVERY_NOISE.values(), ids=EVERY_NOISE.keys())


@every_noise
def test_new_float32_images_and_an_untouched_input(corrupt, pictures, rng):
    before = pictures.copy()
    noisy = corrupt(pictures, rng=rng)
    assert noisy.dtype == np.float32
    assert noisy.shape == pictures.shape
    assert not np.array_equal(noisy, before)
    assert not np.shares_memory(noisy, pictures)
    np.testing.assert_array_equal(pictures, before)


@every_noise
def test_the_seed_decides_and_float64_gives_what_float32_gives(corrupt, pictures):
    first, again, double, other = (
        corrupt(pictures.astype(dtype), rng=np.random.default_rng(seed))
        for seed, dtype in ((1, np.float32), (1, np.float32), (1, np.float64), (2, np.float32))
    )
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(first, double)
    assert double.dtype == np.float32
    assert not np.array_equal(first, other)


@every_noise
def test_bad_images_and_bad_rng(corrupt, pictures, bad_batches, rng):
    for images in [*bad_batches, GREY - 1, GREY + 1]:
        with pytest.raises(ValueError, match="^images: expected"):
            corrupt(images, rng=rng)
    for no_generator in (None, 0, np.random.RandomState(0)):
        with pytest.raises(ValueError, match="^rng: expected a numpy Generator"):
            corrupt(pictures, rng=no_generator)


# ------------------------------------------------------------------------- Gaussian


def test_gaussian_mean_spread_and_independence(rng):
    added = (noise.add_gaussian_noise(GREY, 0.2, rng) - GREY)[..., 0].astype(float)
    assert added.mean() == pytest.approx(0, abs=0.002)
    assert added.std() == pytest.approx(0.2, abs=0.002)
    assert np.mean(np.abs(added) < 0.2) == pytest.approx(0.6827, abs=0.005)  # one sigma
    for neighbours in (added[:, 1:] * added[:, :-1], added[1:] * added[:-1]):
        assert neighbours.mean() / 0.04 == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize(
    ("add", "grey", "smallest"),
    [(noise.add_gaussian_noise, 0.5, -1), (noise.add_speckle_noise, 1.0, -0.5)],
)
def test_noise_is_clipped_only_on_request(add, grey, smallest):
    images = np.full_like(GREY, grey)
    free = add(images, 0.5, np.random.default_rng(3))
    clipped = add(images, 0.5, np.random.default_rng(3), clip=True)
    assert free.min() < smallest and free.max() > 2
    np.testing.assert_array_equal(clipped, np.clip(free, 0, 1))


def test_gaussian_std_per_image(rng):
    noisy = noise.add_gaussian_noise(GREY, np.array([0.0, 0.05, 0.1, 0.4]), rng)
    np.testing.assert_array_equal(noisy[0], GREY[0])
    assert (noisy - GREY).std(axis=(1, 2, 3)) == pytest.approx([0, 0.05, 0.1, 0.4], rel=0.02)


def test_correlated_noise_has_the_spread_asked_for_up_to_the_border(rng):
    std, sigma = np.array([0.0, 0.05, 0.1, 0.4]), np.array([0.7, 0.0, 0.5, 2.0])
    added = (noise.add_correlated_noise(GREY, std, rng, sigma=sigma) - GREY)[..., 0].astype(float)
    assert added.std(axis=(1, 2)) == pytest.approx(std, rel=0.04)
    border = np.concatenate([added[:, 0], added[:, -1], added[:, :, 0], added[:, :, -1]], axis=1)
    assert border.std(axis=1) == pytest.approx(std, rel=0.2)


@pytest.mark.parametrize("sigma", [0.8, 1.0, 2.0])
def test_correlated_noise_is_as_alike_as_blurred_noise(sigma, rng):
    """White noise, blurred with sigma s, correlates with itself d pixels away as exp(-d^2 / 4 s^2)."""
    added = (noise.add_correlated_noise(GREY, 0.1, rng, sigma=sigma) - GREY)[..., 0].astype(float)
    for d in (1, 2):
        for pair in ((added[:, d:], added[:, :-d]), (added[:, :, d:], added[:, :, :-d])):
            together = np.mean(pair[0] * pair[1]) / np.mean(added**2)
            assert together == pytest.approx(np.exp(-(d**2) / (2 * sigma) ** 2), abs=0.03)
    assert np.mean(added[0] * added[1]) / 0.1**2 == pytest.approx(0, abs=0.05)  # other images


def test_correlated_noise_without_a_blur_is_white():
    white = noise.add_gaussian_noise(GREY, 0.1, np.random.default_rng(5))
    same = noise.add_correlated_noise(GREY, 0.1, np.random.default_rng(5), sigma=0)
    np.testing.assert_allclose(same, white, atol=1e-7)


# ------------------------------------------------------------------- the other noises


def test_salt_and_pepper_shares(rng):
    noisy = noise.add_salt_and_pepper_noise(GREY, 0.3, rng, salt_vs_pepper=0.2)
    assert np.mean(noisy == 1) == pytest.approx(0.3 * 0.2, abs=0.004)
    assert np.mean(noisy == 0) == pytest.approx(0.3 * 0.8, abs=0.004)
    assert np.mean(noisy == 0.5) == pytest.approx(0.7, abs=0.004)


def test_no_salt_and_pepper_and_nothing_else(rng):
    np.testing.assert_array_equal(noise.add_salt_and_pepper_noise(GREY, 0, rng), GREY)
    assert set(np.unique(noise.add_salt_and_pepper_noise(GREY, 1, rng))) == {0, 1}


@pytest.mark.parametrize("value", [0, 0.2, 1.0])
def test_poisson_mean_and_variance(value, rng):
    counts = noise.add_poisson_noise(np.full_like(GREY, value), 10, rng).astype(float) * 10
    np.testing.assert_allclose(counts, np.round(counts), atol=1e-5)  # whole photons
    assert counts.mean() / 10 == pytest.approx(value, rel=0.01)
    assert counts.var() / 100 == pytest.approx(value / 10, rel=0.02)  # so black stays black


def test_speckle_grows_with_brightness(rng):
    images = GREY * np.array([0, 0.5, 1, 2]).reshape(4, 1, 1, 1)  # values 0, 0.25, 0.5, 1
    added = noise.add_speckle_noise(images, 0.3, rng) - images
    assert added.std(axis=(1, 2, 3)) == pytest.approx([0, 0.075, 0.15, 0.3], rel=0.02)
    assert added.mean(axis=(1, 2, 3)) == pytest.approx([0, 0, 0, 0], abs=0.005)


# ------------------------------------------------------------------------- occlusion


def test_occlusion_worked_by_hand_draws_once_for_each_image(rng):
    images = rng.uniform(0, 0.9, (4, 28, 30, 1)).astype(np.float32)
    ours, reference = np.random.default_rng(56781), np.random.default_rng(56781)
    assert reference.integers(10, 21, 4).tolist() == [10, 20, 20, 13]
    expected = images.copy()
    expected[0, 10, :, 0] = 1  # even index: a row, the first possible one
    expected[1, :, 20, 0] = 1  # odd index: a column, the last possible one
    expected[2, 20, :, 0] = 1
    expected[3, :, 13, 0] = 1
    np.testing.assert_array_equal(noise.occlude(images, ours), expected)
    assert ours.random() == reference.random()


def test_occluded_positions_are_uniform_from_10_to_20(rng):
    occluded = noise.occlude(np.zeros((2200, 28, 28, 1), np.float32), rng)[..., 0]
    rows = occluded[0::2].all(axis=2).argmax(axis=1)
    columns = occluded[1::2].all(axis=1).argmax(axis=1)
    for positions in (rows, columns):
        counts = np.bincount(positions, minlength=28)
        assert counts[10:21].sum() == 1100
        assert counts[10:21].min() > 60  # 100 expected at each of the 11 places, spread about 10
        assert counts[10:21].max() < 140
    assert occluded.sum(axis=(1, 2)).tolist() == [28] * 2200


@pytest.mark.parametrize("shape", [(1, 20, 28, 1), (1, 28, 20, 1)])
def test_occlusion_needs_21_pixels(shape, rng):
    with pytest.raises(ValueError, match="^images: expected at least 21 x 21 pixels"):
        noise.occlude(np.zeros(shape, np.float32), rng)


def test_boxes_lie_anywhere_inside(rng):
    images = np.full((2000, 5, 7, 1), 0.5, np.float32)
    occluded = noise.occlude_box(images, (2, 3), rng, value=0.25)[..., 0]
    corners = set()
    for image in occluded:
        rows, columns = np.nonzero(image == 0.25)
        top, left = rows.min(), columns.min()
        expected = np.full((5, 7), 0.5)
        expected[top : top + 2, left : left + 3] = 0.25
        np.testing.assert_array_equal(image, expected)
        corners.add((int(top), int(left)))
    assert corners == {(top, left) for top in range(4) for left in range(5)}


def test_a_box_as_large_as_the_image(pictures, rng):
    assert noise.occlude_box(pictures, (24, 32), rng).min() == 1


# ------------------------------------------------------------------------ bad settings


LEVELS = [-0.1, np.nan, np.inf, [0.1, 0.2], [0.1, -1, 0, 0], None, "0.1", 1j]
SHARES = [-0.1, 1.1, np.nan, "0.5", None]
SIZES = [(0, 3), (3, 0), (201, 3), (3, 201), (2.5, 3), (np.nan, 3), ("2", 3), 3, (1, 2, 3), None]
NOT_NEGATIVE, SHARE = "a finite number of at least 0, or 4", r"a number in \[0, 1\]"


@pytest.mark.parametrize(
    ("corrupt", "argument", "expected", "values"),
    [
        (noise.add_gaussian_noise, "std", NOT_NEGATIVE, LEVELS),
        (noise.add_speckle_noise, "std", NOT_NEGATIVE, LEVELS),
        (CORRELATED, "std", NOT_NEGATIVE, LEVELS),
        (partial(CORRELATED, std=0.1), "sigma", NOT_NEGATIVE, LEVELS),
        (partial(CORRELATED, std=0.1), "sigma", "at most 100 pixels, got 100000$", [1e5]),
        (noise.add_salt_and_pepper_noise, "amount", SHARE, SHARES),
        (EVERY_NOISE["salt and pepper"], "salt_vs_pepper", SHARE, SHARES),
        (noise.add_poisson_noise, "peak", "a number", [0, -1, np.nan, np.inf, None, "10", [10]]),
        (noise.occlude_box, "size", "", SIZES),
        (EVERY_NOISE["box"], "value", SHARE, SHARES),
    ],
)
def test_bad_settings(corrupt, argument, expected, values, rng):
    for value in values:
        with pytest.raises(ValueError, match=f"^{argument}: expected {expected}"):
            corrupt(GREY, rng=rng, **{argument: value})
