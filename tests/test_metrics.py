"""helpers.metrics: against scikit-image and scipy, and by hand."""

import numpy as np
import pytest
from scipy.stats import bootstrap
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from helpers import metrics


@pytest.fixture
def noisy(pictures, rng):
    """Each image with another strength of noise, so that mixed-up images would show."""
    spread = np.array([0.02, 0.1, 0.3]).reshape(3, 1, 1, 1)
    return (pictures + rng.normal(0, 1, pictures.shape) * spread).astype(np.float32)


@pytest.mark.parametrize(
    ("measure", "reference"),
    [(metrics.psnr, peak_signal_noise_ratio), (metrics.ssim, structural_similarity)],
)
def test_values_are_those_of_scikit_image(measure, reference, pictures, noisy):
    both = zip(pictures[..., 0].astype(float), noisy[..., 0].astype(float))
    values = measure(pictures, noisy)
    assert values.shape == (3,) and values.dtype == np.float64
    np.testing.assert_allclose(values, [reference(*pair, data_range=1.0) for pair in both], 1e-12)


def test_equal_images(pictures):
    assert metrics.psnr(pictures, pictures).tolist() == [np.inf] * 3
    np.testing.assert_allclose(metrics.ssim(pictures, pictures), 1)


def test_psnr_does_not_lose_small_errors_to_float32():
    clean = np.full((1, 64, 64, 1), 0.5, np.float32)
    other = clean.copy()
    other[0, 0, 0, 0] += 2.0**-12
    expected = -10 * np.log10(2.0**-24 / 64**2)
    assert metrics.psnr(clean, other)[0] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("measure", [metrics.psnr, metrics.ssim])
def test_bad_images(measure, pictures):
    for message, clean, denoised in (
        ("denoised: expected the shape of clean", pictures, pictures[:2]),
        ("clean: expected values in", pictures * 255, pictures * 255),
        ("denoised: expected values in", pictures, pictures * 255),
        ("denoised: expected finite", pictures, pictures * np.nan),
        ("clean: expected floating-point", pictures.astype(int), pictures),
    ):
        with pytest.raises(ValueError, match=f"^{message}"):
            measure(clean, denoised)


@pytest.mark.parametrize("shape", [(1, 6, 9, 1), (1, 9, 6, 1)])
def test_ssim_needs_7_pixels(shape):
    with pytest.raises(ValueError, match="^clean: expected at least 7 x 7 pixels"):
        metrics.ssim(np.zeros(shape), np.zeros(shape))


def test_one_group_agrees_with_scipy():
    values = np.random.default_rng(5).gamma(2.0, size=40)
    draws, rngs = 100_000, [np.random.default_rng(seed) for seed in (1, 2)]
    ours = metrics.bootstrap_interval([values], rngs[0], confidence=0.9, n_resamples=draws)
    settings = {"confidence_level": 0.9, "n_resamples": draws, "method": "percentile"}
    theirs = bootstrap((values,), np.mean, rng=rngs[1], **settings).confidence_interval
    np.testing.assert_allclose(ours, theirs, atol=0.01)


def test_resampled_within_patients(rng):
    # Two patients who differ much, with slices that are all alike: no uncertainty for these two.
    ends = metrics.bootstrap_interval([np.full(30, 20.0), np.full(10, 40.0)], rng)
    assert ends == pytest.approx((25, 25))


def test_the_interval_covers_the_truth(rng):
    hits = 0
    for _ in range(300):
        groups = [rng.normal(0, 1, 40), rng.normal(3, 2, 60)]
        low, high = metrics.bootstrap_interval(groups, rng, confidence=0.9, n_resamples=300)
        hits += low < 0.4 * 0 + 0.6 * 3 < high
    assert 0.84 < hits / 300 < 0.95


def test_wider_with_more_confidence(rng):
    values = [rng.normal(30, 1, 50)]
    narrow = metrics.bootstrap_interval(values, np.random.default_rng(0), confidence=0.5)
    wide = metrics.bootstrap_interval(values, np.random.default_rng(0), confidence=0.99)
    assert wide[0] < narrow[0] < values[0].mean() < narrow[1] < wide[1]
    assert wide == metrics.bootstrap_interval(values, np.random.default_rng(0), confidence=0.99)


def test_blocks_are_wider_where_neighbours_are_alike(rng):
    """A random walk back to its mean: 0.7 at lag 1. Blocks of one are too sure by far."""
    hits = {1: 0, 30: 0}
    for _ in range(100):
        steps = rng.normal(0, 1, 600)
        values = np.zeros(600)
        for index in range(1, 600):
            values[index] = 0.7 * values[index - 1] + steps[index]
        for block in hits:
            low, high = metrics.bootstrap_interval([values], rng, block=block, n_resamples=200)
            hits[block] += low < 0 < high
    assert hits[1] < 75 < 82 < hits[30]


def test_blocks_hold_neighbours_and_close_the_circle():
    """Of 1, 0, 0, 1 a block of two is 1+0, 0+0, 0+1 or, around the end, 1+1."""
    values = [1.0, 0, 0, 0, 0, 1]
    low, high = metrics.bootstrap_interval(
        [values], np.random.default_rng(0), block=2, confidence=1
    )
    assert (low, high) == (0, 1)
    alone = [[1.0, 0, 0, 0, 0, 0]]  # a block of two holds the 1 or not: never all six
    assert metrics.bootstrap_interval(alone, np.random.default_rng(0), block=2, confidence=1) == (
        (0, 0.5)
    )


def test_a_short_patient_still_varies(rng):
    """A block as long as a patient would be the whole patient, every time."""
    low, high = metrics.bootstrap_interval([rng.normal(0, 1, 8)], rng, block=10)
    assert high - low > 0.3


def test_clipped_is_what_a_user_sees(pictures):
    judged = metrics.clipped(pictures, pictures.astype(np.float64) * 2 - 0.5)
    assert judged.dtype == np.float32
    np.testing.assert_allclose(judged, np.clip(pictures * 2 - 0.5, 0, 1), atol=1e-6)
    with pytest.raises(ValueError, match="^denoised: expected the shape of clean"):
        metrics.clipped(pictures, pictures[:1])


BAD_VALUES = [[], [[]], [[1.0], []], [1.0, 2.0], [[[1.0]]], [[1.0, np.nan]], [[1.0, np.inf]]]


@pytest.mark.parametrize(
    ("argument", "expected", "values"),
    [
        ("values", "a list of one-dimensional arrays", BAD_VALUES),
        ("rng", "a numpy Generator", [0]),
        ("block", "a whole number", [0, 1.5]),
        ("confidence", "a number", [1.5, None]),
        ("n_resamples", "a whole number", [0, 1.5]),
    ],
)
def test_bad_input(argument, expected, values):
    for value in values:
        arguments = {"values": [[1.0, 2.0]], "rng": np.random.default_rng(0), argument: value}
        with pytest.raises(ValueError, match=f"^{argument}: expected {expected}"):
            metrics.bootstrap_interval(**arguments)
