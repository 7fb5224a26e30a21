"""helpers.noise.spectrum: against what is known of white and of blurred noise."""

import numpy as np
import pytest

from helpers import noise


def test_white_noise_is_flat(rng):
    spectrum = noise.power_spectrum(rng.normal(0, 0.1, (2000, 16, 12, 1)))
    assert spectrum.shape == (16, 12)
    np.testing.assert_allclose(spectrum, 0.1**2 * 16 * 12, rtol=0.15)


def test_blurred_noise_has_the_spectrum_of_its_kernel(rng):
    """Gaussian of 1 pixel: exp(-(2 pi f)^2), and the whole is the variance."""
    empty = np.zeros((2000, 32, 32, 1), np.float32)
    spectrum = noise.power_spectrum(noise.add_correlated_noise(empty, 0.05, rng, sigma=1.0))
    assert spectrum.mean() / 32**2 == pytest.approx(0.05**2, rel=0.05)
    ratio = spectrum[0, 4] / spectrum[0, 2]
    assert ratio == pytest.approx(np.exp(-((2 * np.pi) ** 2) * (16 - 4) / 32**2), rel=0.2)


def test_bad_noise():
    with pytest.raises(ValueError, match="^noise: expected an array of shape"):
        noise.power_spectrum(np.zeros((8, 8)))
    with pytest.raises(ValueError, match="^noise: expected finite"):
        noise.power_spectrum(np.full((1, 8, 8, 1), np.nan))
