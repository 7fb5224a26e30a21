"""helpers.training.recorruption: independent noise out of one image, though the noise is not white."""

import numpy as np
import pytest

from helpers.noise import power_spectrum
from helpers.training.recorruption import _drawn, recorrupted

STD = 0.1


@pytest.fixture
def smooth():
    """The spectrum of noise that is alike along rows, of images of 40 x 48 pixels: standard deviation 0.1."""
    powers = np.exp(-((np.fft.fftfreq(48) / 0.1) ** 2)) * np.ones((40, 1))
    return powers / powers.mean() * powers.size * STD**2


def test_drawn_noise_has_the_spectrum(smooth, rng):
    drawn = _drawn(smooth, 400, rng)
    assert drawn.shape == (400, 40, 48, 1) and drawn.dtype == np.float32
    measured = power_spectrum(drawn)
    assert measured.sum() == pytest.approx(smooth.sum(), rel=0.02)
    strong = smooth > smooth.max() / 100
    np.testing.assert_allclose(measured[strong], smooth[strong], rtol=0.35)


def test_input_and_target_do_not_share_noise(smooth, rng):
    """Not in any pixel, nor with a neighbour, although the noise is not white; of the strengths that theory says."""
    noise = _drawn(smooth, 60, rng)
    given, target, weight = recorrupted(0.5 + noise, smooth, rng, 40)(600, rng)
    assert weight is None and given.shape == target.shape == (600, 40, 40, 1)
    assert given.std() == pytest.approx(STD * np.sqrt(1 + 0.5**2), rel=0.03)
    assert target.std() == pytest.approx(STD * np.sqrt(1 + 1 / 0.5**2), rel=0.03)
    for rows, columns in np.ndindex(3, 3):
        a = given[:, rows:, columns:] - 0.5
        b = target[:, : 40 - rows, : 40 - columns] - 0.5
        assert abs((a * b).mean()) < 0.05 * a.std() * b.std()


def test_without_noise_nothing_is_recorrupted(pictures, rng):
    nothing = np.zeros(pictures.shape[1:3])
    given, target, _ = recorrupted(pictures, nothing, rng, 24)(4, rng)
    np.testing.assert_array_equal(given, target)


def test_bad_input_is_named(pictures, rng):
    spectrum = np.ones(pictures.shape[1:3])
    with pytest.raises(ValueError, match=r"spectrum: expected shape \(24, 32\), got \(32, 24\)"):
        recorrupted(pictures, spectrum.T, rng, 24)
    with pytest.raises(ValueError, match="alpha: "):
        recorrupted(pictures, spectrum, rng, 24, alpha=0)
    with pytest.raises(ValueError, match="noisy: "):
        recorrupted(255 * pictures, spectrum, rng, 24)
    with pytest.raises(ValueError, match="draws: "):
        recorrupted(pictures, spectrum, rng, 24, draws=0)
