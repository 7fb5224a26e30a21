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


def test_rings_of_a_spectrum():
    """Power that grows with frequency: each ring has that of its mean frequency."""
    rows, columns = np.fft.fftfreq(60)[:, None], np.fft.fftfreq(48)[None]
    spectrum = np.hypot(rows, columns) * 60 * 48
    frequency, power = noise.radial_spectrum(spectrum, bins=8)
    np.testing.assert_allclose(power, frequency)
    np.testing.assert_allclose(frequency, np.arange(0.5, 8) / 16, atol=0.01)


def test_rings_of_white_noise_hold_its_variance(rng):
    white = rng.normal(0, 0.2, (300, 24, 24, 1))
    _, power = noise.radial_spectrum(noise.power_spectrum(white), bins=5)
    np.testing.assert_allclose(power, 0.04, rtol=0.05)


@pytest.mark.parametrize(
    ("message", "spectrum", "bins"),
    [
        ("spectrum: expected shape", np.ones((2, 8, 8)), 2),
        ("bins: expected fewer", np.ones((8, 8)), 50),
        ("bins: expected a whole number", np.ones((8, 8)), 0),
    ],
)
def test_bad_rings(message, spectrum, bins):
    with pytest.raises(ValueError, match=f"^{message}"):
        noise.radial_spectrum(spectrum, bins=bins)


def test_mean_frequency_of_waves():
    """A wave has one frequency, its mean does not count, and where there is nothing there is 0."""
    x = np.arange(64)
    waves = [np.sin(2 * np.pi * k * x / 64) + 3 for k in (4, 16)]
    images = np.stack([*(np.tile(wave, (64, 1)) for wave in waves), np.ones((64, 64))])[..., None]
    np.testing.assert_allclose(noise.mean_frequency(images), [4 / 64, 16 / 64, 0], atol=1e-6)
    with pytest.raises(ValueError, match="^noise: expected finite"):
        noise.mean_frequency(images * np.inf)
