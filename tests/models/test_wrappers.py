"""helpers.models.wrappers: spared grain and eight views, worked by hand."""

import numpy as np
import pytest

from helpers import models, noise


def test_spared_grain_worked_by_hand():
    """Removed: 0.1 of the first image, 0.2 of the second; by 0.1 of grain a half and a fifth come back."""
    images = np.full((2, 5, 4, 1), 0.5, np.float32)
    removed = np.array([0.1, -0.2], np.float32).reshape(2, 1, 1, 1)
    spared = models.spare_grain(lambda x: x - removed, std=0.1)(images)
    np.testing.assert_allclose(spared[0], 0.45, atol=1e-6)
    np.testing.assert_allclose(spared[1], 0.66, atol=1e-6)
    assert spared.dtype == np.float32


def test_sparing_grain_helps_a_denoiser_that_removes_it(rng):
    """Noise 0.03 on grain 0.02, and a denoiser that leaves neither: its error is the grain."""
    clean = rng.normal(0.5, 0.02, (1, 200, 200, 1))
    noisy = noise.add_gaussian_noise(clean, 0.03, rng)
    spared = models.spare_grain(lambda x: np.full_like(x, 0.5), std=0.02)(noisy)
    # 13/17 of all is removed: 4/17 of the noise is left, 13/17 of the grain is missing
    expected = np.hypot(4 / 17 * 0.03, 13 / 17 * 0.02)
    assert np.square(spared - clean).mean() == pytest.approx(expected**2, rel=0.02)
    assert expected < 0.9 * 0.02


@pytest.mark.parametrize("std", [0, -0.1, np.nan, "0.1", None])
def test_bad_grain(std):
    with pytest.raises(ValueError, match="^std: expected a number"):
        models.spare_grain(lambda x: x, std)


@pytest.mark.parametrize("change", [lambda x: x[1:], lambda x: x[..., 0]])
def test_sparing_grain_of_a_denoiser_that_changes_the_shape(change, pictures):
    with pytest.raises(ValueError, match="^denoiser: expected images of shape"):
        models.spare_grain(change)(pictures)


def test_sparing_grain_changes_neither_input_nor_type(pictures):
    before = pictures.copy()
    result = models.spare_grain(lambda x: x, np.float64(0.01))(pictures)
    np.testing.assert_array_equal(result, before)  # where nothing is removed, nothing is spared
    assert result.dtype == np.float32
    result += 1
    np.testing.assert_array_equal(pictures, before)


def test_self_ensemble_worked_by_hand(rng):
    """A denoiser that moves an image to the right moves it, turned, in all four directions."""
    images = rng.random((2, 6, 9, 1)).astype(np.float32)
    averaged = models.self_ensemble(lambda x: np.roll(x, 1, axis=2))(images)
    rolls = [np.roll(images, step, axis) for step in (-1, 1) for axis in (1, 2)]
    np.testing.assert_allclose(averaged, np.mean(rolls, axis=0), atol=1e-6)
    assert averaged.dtype == np.float32


def test_self_ensemble_has_no_favourite_direction(small_unet, pictures):
    single = models.as_denoiser(small_unet)
    denoise = models.self_ensemble(single)
    for turned in (lambda x: x[:, ::-1], lambda x: x[:, :, ::-1], lambda x: np.rot90(x, 1, (1, 2))):
        np.testing.assert_allclose(denoise(turned(pictures)), turned(denoise(pictures)), atol=1e-6)
        assert np.abs(single(turned(pictures)) - turned(single(pictures))).max() > 1e-4
