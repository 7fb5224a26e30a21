"""helpers.metrics: against scikit-image and scipy, and by hand."""

import time

import numpy as np
import pytest
from scipy.stats import bootstrap
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from helpers import metrics
from helpers.noise import add_correlated_noise


@pytest.fixture
def noisy(pictures, rng):
    """Each image with another strength of noise, so that mixed-up images would show."""
    spread = np.array([0.02, 0.1, 0.3]).reshape(3, 1, 1, 1)
    return (pictures + rng.normal(0, 1, pictures.shape) * spread).astype(np.float32)


def test_psnr_is_that_of_scikit_image(pictures, noisy):
    expected = [
        peak_signal_noise_ratio(a.astype(float), b.astype(float), data_range=1.0)
        for a, b in zip(pictures, noisy)
    ]
    values = metrics.psnr(pictures, noisy)
    assert values.shape == (3,)
    assert values.dtype == np.float64
    np.testing.assert_allclose(values, expected, rtol=1e-12)


def test_ssim_is_that_of_scikit_image(pictures, noisy):
    expected = [
        structural_similarity(a[..., 0].astype(float), b[..., 0].astype(float), data_range=1.0)
        for a, b in zip(pictures, noisy)
    ]
    values = metrics.ssim(pictures, noisy)
    assert values.shape == (3,)
    np.testing.assert_allclose(values, expected, rtol=1e-12)


def test_mae_by_hand():
    clean = np.zeros((2, 1, 4, 1))
    other = np.array([[0.1, -0.3, 0.0, 0.0], [1.0, 0.0, 0.0, 0.5]]).reshape(2, 1, 4, 1)
    np.testing.assert_allclose(metrics.mae(clean, other), [0.1, 0.375], rtol=1e-6)


@pytest.mark.parametrize("std", [0.005, 0.02])
def test_tissue_std_finds_noise_between_organs(std, rng):
    """Soft tissue with a step in the middle, half of it streaked, in air: only calm tissue counts."""
    images = np.zeros((2, 128, 128, 1))
    images[:, 16:112, 16:64], images[:, 16:112, 64:112] = 0.72, 0.78
    images[:, 16:64, 16:112] += 0.03 * np.sin(np.arange(96)).reshape(1, 1, 96, 1)
    images = (images + rng.normal(0, std, images.shape)).clip(0, 1)  # air: half of the noise is cut
    values = metrics.tissue_std(images)
    assert values.shape == (2,)
    np.testing.assert_allclose(values, std, rtol=0.15)


def test_what_tissue_std_makes_of_white_correlated_and_strong_noise():
    tissue = np.full((1, 200, 200, 1), 0.75, np.float32)
    white, correlated = (
        metrics.tissue_std(add_correlated_noise(tissue, 0.01, blur, np.random.default_rng(0)))[0]
        for blur in (0, 1)
    )
    assert correlated < 0.9 * white
    assert white == pytest.approx(0.0092, abs=1.5e-4)  # 8 % too small
    with pytest.raises(ValueError, match="soft tissue with weak noise"):
        metrics.tissue_std(add_correlated_noise(tissue, 0.07, 0, np.random.default_rng(0)))


def test_tissue_std_needs_tissue(rng):
    images = rng.normal(0.75, 0.01, (3, 64, 64, 1))
    images[1] = 0
    with pytest.raises(ValueError, match="weak noise in every slice, found too little in number 1"):
        metrics.tissue_std(images)
    with pytest.raises(ValueError, match="images: expected at least 7 x 7 pixels, got 6 x 64"):
        metrics.tissue_std(images[:, :6])


def test_equal_images(pictures):
    assert metrics.psnr(pictures, pictures).tolist() == [np.inf] * 3
    assert metrics.mae(pictures, pictures).tolist() == [0] * 3
    np.testing.assert_allclose(metrics.ssim(pictures, pictures), 1)


def test_psnr_does_not_lose_small_errors_to_float32():
    clean = np.full((1, 64, 64, 1), 0.5, np.float32)
    other = clean.copy()
    other[0, 0, 0, 0] += 2.0**-12
    expected = -10 * np.log10(2.0**-24 / 64**2)
    assert metrics.psnr(clean, other)[0] == pytest.approx(expected, rel=1e-12)


every_measure = pytest.mark.parametrize("measure", [metrics.psnr, metrics.ssim, metrics.mae])


@every_measure
def test_bad_images(measure, pictures):
    with pytest.raises(ValueError, match="^denoised: expected the shape of clean"):
        measure(pictures, pictures[:2])
    with pytest.raises(ValueError, match="^clean: expected values in"):
        measure(pictures * 255, pictures * 255)
    with pytest.raises(ValueError, match="^denoised: expected values in"):
        measure(pictures, pictures * 255)
    with pytest.raises(ValueError, match="^denoised: expected finite"):
        measure(pictures, pictures * np.nan)
    with pytest.raises(ValueError, match="^clean: expected floating-point"):
        measure(pictures.astype(int), pictures)


@pytest.mark.parametrize("shape", [(1, 6, 9, 1), (1, 9, 6, 1)])
def test_ssim_needs_7_pixels(shape):
    with pytest.raises(ValueError, match="^clean: expected at least 7 x 7 pixels"):
        metrics.ssim(np.zeros(shape), np.zeros(shape))


# -------------------------------------------------------------------------- evaluate


def test_evaluate_patients_of_different_sizes(pictures, noisy):
    clean = [pictures, pictures[:2, :20, :16]]
    corrupted = [noisy, noisy[:2, :20, :16]]
    calls = []

    def denoiser(images):
        calls.append(images.shape)
        time.sleep(0.02)
        return images * np.float32(0.5)

    result = metrics.evaluate(denoiser, clean, corrupted)
    assert set(result) == {"psnr", "ssim", "seconds"}
    for a, b, psnr, ssim in zip(clean, corrupted, result["psnr"], result["ssim"]):
        np.testing.assert_array_equal(psnr, metrics.psnr(a, b * np.float32(0.5)))
        np.testing.assert_array_equal(ssim, metrics.ssim(a, b * np.float32(0.5)))
    # One image before the clock starts, then both patients: two pauses over five images.
    assert calls == [(1, 24, 32, 1), (3, 24, 32, 1), (2, 20, 16, 1)]
    assert 0.04 / 5 <= result["seconds"] < 1


def test_evaluate_bad_input(pictures):
    with pytest.raises(ValueError, match="^noisy: expected one array for each of the 2"):
        metrics.evaluate(lambda x: x, [pictures, pictures], [pictures])
    with pytest.raises(ValueError, match="^noisy: expected one array"):
        metrics.evaluate(lambda x: x, [], [])
    with pytest.raises(ValueError, match="^noisy: expected finite"):
        metrics.evaluate(lambda x: x, [pictures], [pictures * np.nan])
    with pytest.raises(ValueError, match="^denoised: expected the shape"):
        metrics.evaluate(lambda x: x[:, :-1], [pictures], [pictures])


# ------------------------------------------------------------------------- bootstrap


def test_one_group_agrees_with_scipy():
    values = np.random.default_rng(5).gamma(2.0, size=40)
    ours = metrics.bootstrap_interval([values], np.random.default_rng(1), 0.9, 100_000)
    theirs = bootstrap(
        (values,),
        np.mean,
        confidence_level=0.9,
        n_resamples=100_000,
        method="percentile",
        rng=np.random.default_rng(2),
    ).confidence_interval
    np.testing.assert_allclose(ours, theirs, atol=0.01)


def test_resampled_within_patients(rng):
    # Two patients who differ much, with slices that are all alike: no uncertainty for these two.
    low, high = metrics.bootstrap_interval([np.full(30, 20.0), np.full(10, 40.0)], rng)
    assert (low, high) == pytest.approx((25, 25))


def test_the_interval_covers_the_truth(rng):
    hits = 0
    for _ in range(300):
        groups = [rng.normal(0, 1, 40), rng.normal(3, 2, 60)]
        low, high = metrics.bootstrap_interval(groups, rng, 0.9, 300)
        hits += low < 0.4 * 0 + 0.6 * 3 < high
    assert 0.84 < hits / 300 < 0.95


def test_wider_with_more_confidence(rng):
    values = [rng.normal(30, 1, 50)]
    narrow = metrics.bootstrap_interval(values, np.random.default_rng(0), 0.5)
    wide = metrics.bootstrap_interval(values, np.random.default_rng(0), 0.99)
    assert wide[0] < narrow[0] < values[0].mean() < narrow[1] < wide[1]
    assert wide == metrics.bootstrap_interval(values, np.random.default_rng(0), 0.99)


@pytest.mark.parametrize(
    "values", [[], [[]], [[1.0], []], [1.0, 2.0], [[[1.0]]], [[1.0, np.nan]], [[1.0, np.inf]]]
)
def test_bad_values(values, rng):
    with pytest.raises(ValueError, match="^values: expected a list of one-dimensional arrays"):
        metrics.bootstrap_interval(values, rng)


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("rng", 0),
        ("confidence", 1.5),
        ("confidence", None),
        ("n_resamples", 0),
        ("n_resamples", 1.5),
    ],
)
def test_bad_settings(argument, value):
    arguments = {"values": [[1.0, 2.0]], "rng": np.random.default_rng(0), argument: value}
    with pytest.raises(ValueError, match=f"^{argument}: expected"):
        metrics.bootstrap_interval(**arguments)
