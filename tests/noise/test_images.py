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
def test_the_seed_decides(corrupt, pictures):
    first, again = (corrupt(pictures, rng=np.random.default_rng(1)) for _ in range(2))
    other = corrupt(pictures, rng=np.random.default_rng(2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@every_noise
def test_float64_gives_what_float32_gives(corrupt, pictures):
    double = corrupt(pictures.astype(np.float64), rng=np.random.default_rng(1))
    assert double.dtype == np.float32
    np.testing.assert_array_equal(double, corrupt(pictures, rng=np.random.default_rng(1)))


@every_noise
@pytest.mark.parametrize(
    "images",
    [
        GREY[..., 0],
        np.zeros((1, 30, 30, 3), np.float32),
        GREY[:0],
        np.zeros((1, 30, 30, 1), np.uint8),
        np.full((1, 30, 30, 1), np.nan),
        np.full((1, 30, 30, 1), np.inf),
        GREY * 255,
        GREY - 1,
    ],
    ids=["shape", "colour", "empty", "uint8", "NaN", "infinity", "0..255", "negative"],
)
def test_bad_images(corrupt, images, rng):
    with pytest.raises(ValueError, match="^images: expected"):
        corrupt(images, rng=rng)


@every_noise
@pytest.mark.parametrize("rng", [None, 0, np.random.RandomState(0)])
def test_bad_rng(corrupt, rng, pictures):
    with pytest.raises(ValueError, match="^rng: expected a numpy Generator"):
        corrupt(pictures, rng=rng)


# ------------------------------------------------------------------------- Gaussian


def test_gaussian_mean_spread_and_independence(rng):
    added = (noise.add_gaussian_noise(GREY, 0.2, rng) - GREY)[..., 0].astype(float)
    assert added.mean() == pytest.approx(0, abs=0.002)
    assert added.std() == pytest.approx(0.2, abs=0.002)
    assert np.mean(np.abs(added) < 0.2) == pytest.approx(0.6827, abs=0.005)  # one sigma
    for neighbours in (added[:, 1:] * added[:, :-1], added[1:] * added[:-1]):
        assert neighbours.mean() / 0.04 == pytest.approx(0, abs=0.01)


def test_gaussian_is_clipped_only_on_request(rng):
    free = noise.add_gaussian_noise(GREY, 0.5, np.random.default_rng(3))
    clipped = noise.add_gaussian_noise(GREY, 0.5, np.random.default_rng(3), clip=True)
    assert free.min() < -1
    assert free.max() > 2
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


@pytest.mark.parametrize("sigma", [-0.1, np.nan, np.inf, [0.1, 0.2], None, "1"])
def test_bad_sigma(sigma, rng):
    with pytest.raises(ValueError, match="^sigma: expected a finite number of at least 0"):
        noise.add_correlated_noise(GREY, 0.1, rng, sigma=sigma)


def test_a_blur_wider_than_any_grain(rng):
    with pytest.raises(ValueError, match="^sigma: expected at most 100 pixels, got 100000$"):
        noise.add_correlated_noise(GREY, 0.1, rng, sigma=1e5)


@pytest.mark.parametrize("add", [noise.add_gaussian_noise, noise.add_speckle_noise, CORRELATED])
@pytest.mark.parametrize(
    "std", [-0.1, np.nan, np.inf, [0.1, 0.2], [0.1, -1, 0, 0], None, "0.1", 1j]
)
def test_bad_std(add, std, rng):
    with pytest.raises(ValueError, match="^std: expected a finite number of at least 0, or 4"):
        add(GREY, std, rng)


# ------------------------------------------------------------------- the other noises


def test_salt_and_pepper_shares(rng):
    noisy = noise.add_salt_and_pepper_noise(GREY, 0.3, rng, salt_vs_pepper=0.2)
    assert np.mean(noisy == 1) == pytest.approx(0.3 * 0.2, abs=0.004)
    assert np.mean(noisy == 0) == pytest.approx(0.3 * 0.8, abs=0.004)
    assert np.mean(noisy == 0.5) == pytest.approx(0.7, abs=0.004)


def test_no_salt_and_pepper_and_nothing_else(rng):
    np.testing.assert_array_equal(noise.add_salt_and_pepper_noise(GREY, 0, rng), GREY)
    assert set(np.unique(noise.add_salt_and_pepper_noise(GREY, 1, rng))) == {0, 1}


@pytest.mark.parametrize("value", [-0.1, 1.1, np.nan, "0.5", None])
def test_bad_shares(value, rng):
    with pytest.raises(ValueError, match=r"^amount: expected a number in \[0, 1\]"):
        noise.add_salt_and_pepper_noise(GREY, value, rng)
    with pytest.raises(ValueError, match=r"^salt_vs_pepper: expected a number in \[0, 1\]"):
        noise.add_salt_and_pepper_noise(GREY, 0.5, rng, salt_vs_pepper=value)


@pytest.mark.parametrize("value", [0.2, 1.0])
def test_poisson_mean_and_variance(value, rng):
    counts = noise.add_poisson_noise(np.full_like(GREY, value), 10, rng).astype(float) * 10
    np.testing.assert_allclose(counts, np.round(counts), atol=1e-5)  # whole photons
    assert counts.mean() / 10 == pytest.approx(value, rel=0.01)
    assert counts.var() / 100 == pytest.approx(value / 10, rel=0.02)


def test_poisson_leaves_black_alone(rng):
    assert noise.add_poisson_noise(GREY * 0, 5, rng).max() == 0


@pytest.mark.parametrize("peak", [0, -1, np.nan, np.inf, None, "10", [10]])
def test_bad_peak(peak, rng):
    with pytest.raises(ValueError, match="^peak: expected a number"):
        noise.add_poisson_noise(GREY, peak, rng)


def test_speckle_grows_with_brightness(rng):
    images = GREY * np.array([0, 0.5, 1, 2]).reshape(4, 1, 1, 1)  # values 0, 0.25, 0.5, 1
    added = noise.add_speckle_noise(images, 0.3, rng) - images
    assert added.std(axis=(1, 2, 3)) == pytest.approx([0, 0.075, 0.15, 0.3], rel=0.02)
    assert added.mean(axis=(1, 2, 3)) == pytest.approx([0, 0, 0, 0], abs=0.005)


def test_speckle_is_clipped_only_on_request():
    white = GREY * 2
    free = noise.add_speckle_noise(white, 0.5, np.random.default_rng(3))
    clipped = noise.add_speckle_noise(white, 0.5, np.random.default_rng(3), clip=True)
    assert free.max() > 2
    np.testing.assert_array_equal(clipped, np.clip(free, 0, 1))


# ------------------------------------------------------------------------- occlusion


class Positions(np.random.Generator):
    """A Generator whose whole numbers are given by hand."""

    def __init__(self, numbers):
        super().__init__(np.random.PCG64(0))
        self.numbers = numbers

    def integers(self, low, high=None, size=None, dtype=np.int64, endpoint=False):
        assert (low, high, size, endpoint) == (10, 20, len(self.numbers), True)
        return np.array(self.numbers)


def test_occlusion_worked_by_hand(rng):
    images = rng.uniform(0, 0.9, (4, 28, 30, 1)).astype(np.float32)
    expected = images.copy()
    expected[0, 10, :, 0] = 1  # even index: a row, the first possible one
    expected[1, :, 20, 0] = 1  # odd index: a column, the last possible one
    expected[2, 20, :, 0] = 1
    expected[3, :, 13, 0] = 1
    np.testing.assert_array_equal(noise.occlude(images, Positions([10, 20, 20, 13])), expected)


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


def test_occlusion_draws_once_for_each_image():
    images = np.zeros((5, 28, 28, 1), np.float32)
    rng, reference = np.random.default_rng(7), np.random.default_rng(7)
    occluded = noise.occlude(images, rng)
    drawn = reference.integers(10, 21, 5)
    for index, position in enumerate(drawn):
        line = occluded[index, position] if index % 2 == 0 else occluded[index, :, position]
        assert line.min() == 1
    assert rng.random() == reference.random()


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


@pytest.mark.parametrize(
    "size", [(0, 3), (3, 0), (25, 3), (3, 33), (2.5, 3), (np.nan, 3), ("2", 3), 3, (1, 2, 3), None]
)
def test_bad_box(size, pictures, rng):
    with pytest.raises(ValueError, match="^size: expected"):
        noise.occlude_box(pictures, size, rng)


@pytest.mark.parametrize("value", [-0.1, 1.1, np.nan, None])
def test_bad_box_value(value, pictures, rng):
    with pytest.raises(ValueError, match="^value: expected"):
        noise.occlude_box(pictures, (2, 2), rng, value=value)
