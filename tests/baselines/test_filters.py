"""helpers.baselines.filters: each filter against its library, and what it refuses."""

import bm3d as bm3d_package
import bm4d as bm4d_package
import cv2
import numpy as np
import pytest
from scipy.ndimage import median_filter, uniform_filter
from skimage.metrics import peak_signal_noise_ratio
from skimage.restoration import (
    cycle_spin,
    denoise_nl_means,
    denoise_tv_chambolle,
    denoise_wavelet,
)

from helpers import baselines, metrics, noise


@pytest.fixture(scope="session")
def noisy(pictures):
    """Two different noisy images, values beyond [0, 1] included."""
    noise = np.random.default_rng(1).normal(0, 0.07, pictures[:2].shape)
    noisy = (pictures[:2] + noise).astype(np.float32)
    assert noisy.max() > 1
    return noisy


def opencv_nl_means(image, h, template, search):
    eight_bit = np.round(np.clip(image, 0, 1) * 255).astype(np.uint8)
    return cv2.fastNlMeansDenoising(eight_bit, None, 255 * h, template, search) / 255


def nl_means(image, h, std, **sizes):
    return denoise_nl_means(image, h=h, sigma=std, fast_mode=True, **sizes)


def wavelet(image, std, name):
    soft = {"method": "BayesShrink", "mode": "soft", "rescale_sigma": False}
    return denoise_wavelet(image, sigma=std, wavelet=name, **soft)


# Name, parameters, and what the library itself makes of one two-dimensional image.
SIGMAS = {"sigma_color": 0.2, "sigma_spatial": 1.7}
WINDOWS = {"template_window": 5, "search_window": 11}
SIZES = {"patch_size": 3, "patch_distance": 4}
ONE = {"shifts": 1}
DIRECT = [
    ("gaussian", {"sigma": 1.3}, lambda x: cv2.GaussianBlur(x, (0, 0), 1.3)),
    ("average", {"ksize": 5}, lambda x: uniform_filter(x.astype(float), 5, mode="mirror")),
    ("average", {"ksize": 2}, lambda x: cv2.blur(x, (2, 2))),
    ("median", {"ksize": 3}, lambda x: median_filter(x, 3, mode="nearest")),
    ("median", {"ksize": 5}, lambda x: median_filter(x, 5, mode="nearest")),
    ("bilateral", SIGMAS, lambda x: cv2.bilateralFilter(x, -1, 0.2, 1.7)),
    ("nl_means", {"h": 0.05, "std": 0.06, **SIZES}, lambda x: nl_means(x, 0.05, 0.06, **SIZES)),
    ("opencv_nl_means", {"h": 0.09, **WINDOWS}, lambda x: opencv_nl_means(x, 0.09, 5, 11)),
    ("total_variation", {"weight": 0.09}, lambda x: denoise_tv_chambolle(x, weight=0.09)),
    ("wavelet", {"std": 0.09, "wavelet": "haar", **ONE}, lambda x: wavelet(x, 0.09, "haar")),
    ("bm3d", {"std": 0.09}, lambda x: bm3d_package.bm3d(x, 0.09)),
]


def test_bm4d_takes_a_spectrum(rng):
    """As BM3D does, of each slice; noise counts as independent from slice to slice."""
    clean = np.full((9, 24, 28, 1), 0.5, np.float32)
    clean[:, 8:16, 10:20] = 0.7
    draws = noise.add_correlated_noise(np.zeros((109, 24, 28, 1)), 0.07, rng, sigma=0.8)
    noisy, spectrum = clean + draws[:9], noise.power_spectrum(draws[9:])
    told = {"std": {"std": 0.07}, "spectrum": {"spectrum": spectrum}}
    told["flat"] = {"spectrum": np.full((24, 28), 0.07**2 * 24 * 28)}
    score = {
        name: metrics.psnr(clean, baselines.bm4d(noisy, **known)).mean()
        for name, known in told.items()
    }
    assert score["spectrum"] > score["std"] + 2
    assert score["flat"] == pytest.approx(score["std"], abs=1e-3)
    with pytest.raises(ValueError, match=r"^spectrum: expected the images' size \(24, 28\)"):
        baselines.bm4d(noisy, spectrum=spectrum[1:])
    whole = np.repeat(spectrum[None] * 9, 9, axis=0)
    as_told = baselines.bm4d(noisy, spectrum=spectrum)
    # Its threads add single-precision numbers in any order: runs differ in the last digit.
    np.testing.assert_allclose(baselines.bm4d(noisy, spectrum=whole), as_told, atol=1e-5)
    again = baselines.bm4d(noisy, spectrum=whole, profile="refilter")
    assert not np.allclose(again, as_told, atol=1e-4)
    with pytest.raises(ValueError, match="^spectrum: expected"):
        baselines.bm4d(noisy, spectrum=whole[1:])
    with pytest.raises(ValueError, match="^profile: expected one of np, refilter, 8x8, "):
        baselines.bm4d(noisy, profile="lc")


def test_bm3d_takes_a_spectrum(rng):
    """Told the spectrum of smooth noise it removes much more of it; told a flat one it is as told the std."""
    y, x = np.mgrid[0:40, 0:48]
    clean = (0.5 + 0.2 * np.sin(x / 9) * np.cos(y / 11))[None, ..., None].astype(np.float32)
    draws = noise.add_correlated_noise(np.zeros((101, 40, 48, 1), np.float32), 0.07, rng, sigma=1.0)
    noisy, spectrum = clean + draws[:1], noise.power_spectrum(draws[1:])
    told = {"std": {"std": 0.07}, "spectrum": {"spectrum": spectrum}}
    told["flat"] = {"spectrum": np.full((40, 48), 0.07**2 * 40 * 48)}
    score = {k: metrics.psnr(clean, baselines.bm3d(noisy, **v))[0] for k, v in told.items()}
    assert score["spectrum"] > score["std"] + 2
    assert score["flat"] == pytest.approx(score["std"], abs=0.3)
    again = baselines.bm3d(noisy, spectrum=spectrum, profile="refilter")
    assert abs(metrics.psnr(clean, again)[0] - score["spectrum"]) < 1
    assert not np.allclose(again, baselines.bm3d(noisy, spectrum=spectrum), atol=1e-4)
    with pytest.raises(ValueError, match="^profile: expected one of np, refilter, .* got 'best'"):
        baselines.bm3d(noisy, profile="best")
    for bad in (spectrum[:-1], 0.07):
        with pytest.raises(ValueError, match=r"^spectrum: expected the images' size \(40, 48\)"):
            baselines.bm3d(noisy, spectrum=bad)
    for bad in (-spectrum, spectrum * np.nan, spectrum * 0):
        with pytest.raises(ValueError, match="^spectrum: expected finite values of at least 0"):
            baselines.bm3d(noisy, spectrum=bad)


def test_shifted_wavelets_are_the_mean_over_grids(noisy):
    """As scikit-image's cycle_spin, and less noisy than one grid."""
    expected = cycle_spin(
        noisy[0, ..., 0].astype(float),
        lambda image: wavelet(image, 0.09, "db2"),
        max_shifts=1,
        num_workers=1,
    )
    spun = baselines.wavelet(noisy[:1], 0.09, wavelet="db2", shifts=2)
    np.testing.assert_allclose(spun[0, ..., 0], expected, atol=1e-6)


def test_only_the_package_gets_trapz():
    """It wants np.trapz, which newer versions of NumPy do not have; NumPy itself is left alone."""
    assert bm4d_package.np.trapz([0, 1, 0]) == 1
    assert bm4d_package.np.zeros is np.zeros
    assert bm4d_package.np is not np


@pytest.mark.parametrize(("name", "parameters", "direct"), DIRECT)
def test_filter_is_that_of_the_library(name, parameters, direct, noisy):
    if name == "bm3d":  # slow
        noisy = noisy[:1, :16, :16]
    before = noisy.copy()
    denoised = baselines.BASELINES[name](noisy, **parameters)
    expected = np.stack([direct(image[..., 0]) for image in noisy])[..., None]
    np.testing.assert_allclose(denoised, expected, atol=2e-6)
    np.testing.assert_array_equal(noisy, before)


OF_SLICES = [name for name, filter_ in baselines.BASELINES.items() if not filter_.about.volume]


@pytest.mark.parametrize("name", OF_SLICES)
def test_every_filter_is_a_denoiser_that_helps(name, pictures, noisy):
    if name == "bm3d":
        noisy, pictures = noisy[:1, :16, :16], pictures[:1, :16, :16]
    denoised = baselines.BASELINES[name](noisy.astype(np.float64))
    assert denoised.shape == noisy.shape
    assert denoised.dtype == np.float32
    for clean, before, after in zip(pictures, noisy, denoised):
        gain = peak_signal_noise_ratio(clean, after, data_range=1.0)
        gain -= peak_signal_noise_ratio(clean, before, data_range=1.0)
        assert gain > 1.5


@pytest.mark.parametrize("name", baselines.BASELINES)
def test_bad_images(name, bad_batches):
    too_small = {"bm3d": [(1, 8, 8, 1), (1, 7, 9, 1)], "bm4d": [(7, 8, 9, 1), (8, 9, 7, 1)]}
    for images in [*bad_batches, *map(np.zeros, too_small.get(name, []))]:
        with pytest.raises(ValueError, match="^noisy: expected"):
            baselines.BASELINES[name](images)


@pytest.mark.parametrize(
    ("name", "argument", "values"),
    [
        ("gaussian", "sigma", [0, -1, np.nan, np.inf, "1", None]),
        ("average", "ksize", [0, -3, 2.5, np.nan, None]),
        ("median", "ksize", [1, 4, 7, 3.5, None]),
        ("bilateral", "sigma_color", [0, -1, np.nan]),
        ("bilateral", "sigma_spatial", [0, -1, np.nan]),
        ("nl_means", "h", [0, -1, np.nan]),
        ("nl_means", "std", [-0.1, np.nan]),
        ("nl_means", "patch_size", [0, 2.5, None]),
        ("nl_means", "patch_distance", [0, 2.5, None]),
        ("opencv_nl_means", "h", [0, -1, np.nan]),
        ("opencv_nl_means", "template_window", [0, 2.5, None]),
        ("opencv_nl_means", "search_window", [0, 2.5, None]),
        ("total_variation", "weight", [0, -1, np.nan]),
        ("wavelet", "std", [0, -1, np.nan]),
        ("wavelet", "wavelet", ["no such", None]),
        ("bm3d", "std", [0, -1, np.nan]),
        ("bm4d", "std", [0, -1, np.nan]),
    ],
)
def test_bad_parameters(name, argument, values, pictures):
    for value in values:
        with pytest.raises(ValueError, match=f"^{argument}: expected"):
            baselines.BASELINES[name](pictures[:1], **{argument: value})


@pytest.mark.slow
def test_bm4d_is_that_of_the_library_and_sees_the_neighbours(rng):
    volume = np.full((8, 16, 20, 1), 0.5, np.float32)
    volume[:, 4:10, 5:12] = 0.8
    noisy = (volume + rng.normal(0, 0.07, volume.shape)).astype(np.float32)
    before = noisy.copy()
    denoised = baselines.bm4d(noisy, std=0.08)
    # Its threads add up in any order: two calls differ by some 1e-5.
    np.testing.assert_allclose(denoised[..., 0], bm4d_package.bm4d(noisy[..., 0], 0.08), atol=1e-3)
    np.testing.assert_array_equal(noisy, before)
    assert (denoised.shape, denoised.dtype) == (noisy.shape, np.float32)
    by_bm3d = baselines.bm3d(noisy[:1], std=0.08)
    assert np.std(denoised[0] - volume[0]) < np.std(by_bm3d[0] - volume[0])


def test_median_takes_a_whole_number_of_any_type(noisy):
    expected = baselines.median(noisy, 3)
    for ksize in (3.0, np.int64(3)):
        np.testing.assert_array_equal(baselines.median(noisy, ksize), expected)
