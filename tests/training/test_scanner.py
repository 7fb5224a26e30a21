"""helpers.training.scanner: noise of every strength and kernel, its neighbours alike."""

import numpy as np
import pytest

from helpers import noise, training
from helpers.training import scanner


@pytest.fixture(scope="module")
def bank():
    """White noise in the place of a scanner's, in one slice only half as strong."""
    rng = np.random.default_rng(1)
    draws = rng.standard_normal((3, 6, 120, 120)).astype(np.float32)
    draws[2, :, :60] *= 0.5
    return list(draws)


def test_strength_is_drawn_from_nothing_to_the_strongest(bank, rng):
    corrupt = training.scanner_noise(bank, strongest=0.1)
    spread = corrupt(np.zeros((300, 32, 32, 1), np.float32), rng).std(axis=(1, 2, 3))
    assert spread.min() < 0.002
    assert 0.09 < spread.max() < 0.115
    assert np.median(spread) == pytest.approx(0.1 * 0.5**2, rel=0.3)


def test_kernels_make_noise_coarser_than_white_noise(bank, rng):
    zeros = np.zeros((60, 48, 48, 1), np.float32)
    white, coloured = (
        noise.mean_frequency(training.scanner_noise(bank, white=share)(zeros, rng))
        for share in (1, 0)
    )
    np.testing.assert_allclose(white, 0.25, atol=0.03)
    assert coloured.max() < 0.28 and coloured.min() < 0.13
    assert coloured.std() > 5 * white.std()


@pytest.mark.parametrize("white", [0, 1])
def test_neighbours_are_alike_up_to_a_half(white, bank, rng):
    corrupt = training.scanner_noise(bank, white=white)
    patches = corrupt(np.zeros((80, 64, 64, 5), np.float32), rng)
    patches = patches[patches.std(axis=(1, 2, 3)) > 1e-4]
    near, far = (
        np.array([np.corrcoef(p[..., 1].ravel(), p[..., k].ravel())[0, 1] for p in patches])
        for k in (2, 3)
    )
    assert near.min() > -0.15 and near.max() < 0.6
    assert near.mean() == pytest.approx(0.25, abs=0.05)
    assert abs(far.mean()) < 0.03


def test_clean_patches_are_left_alone_and_the_generator_decides(bank):
    clean = np.full((4, 32, 32, 1), 0.5, np.float32)
    corrupt = training.scanner_noise(bank)
    one, again = (corrupt(clean, np.random.default_rng(7)) for _ in range(2))
    assert (clean == 0.5).all() and one.dtype == np.float32
    np.testing.assert_array_equal(one, again)


def test_a_kernel_afterwards_is_a_kernel_in_the_projections():
    """What the training relies on: noise of the ramp, filtered, has the spectrum of the other kernel's noise."""
    water = np.zeros((1, 72, 72))
    sinograms, shape = noise.project(water, 3.0)
    sinograms = np.repeat(sinograms, 40, axis=0)
    ramp, hann = (
        noise.ct_noise(sinograms, shape, 3.0, 1e5, np.random.default_rng(2), kernel=kernel)
        for kernel in ("ramp", "hann")
    )
    response = noise.kernel_response("hann", scanner._frequency(72))
    filtered = np.fft.irfft2(np.fft.rfft2(ramp) * response, shape)
    middle = (slice(None), slice(20, 52), slice(20, 52), None)
    (_, expected), (_, found) = (
        noise.radial_spectrum(noise.power_spectrum(sample[middle]), bins=6)
        for sample in (hann, filtered)
    )
    np.testing.assert_allclose(found[:5], expected[:5], rtol=0.05)


def test_the_recipes_noise_comes_from_the_bank(bank, monkeypatch):
    monkeypatch.setattr(scanner, "ct_noise_bank", lambda: bank)
    scanner._from_the_bank.cache_clear()
    clean = np.zeros((2, 40, 40, 5), np.float32)
    noisy = training.unknown_scanner_noise(clean, np.random.default_rng(3), strongest=0.1)
    same = training.scanner_noise(bank, strongest=0.1)(clean, np.random.default_rng(3))
    np.testing.assert_array_equal(noisy, same)
    assert noisy.std() > 0
    scanner._from_the_bank.cache_clear()


DRAWS = np.random.default_rng(0).standard_normal((3, 40, 40)).astype(np.float32)


@pytest.mark.parametrize(
    ("message", "settings"),
    [
        ("bank: expected arrays of shape", {"bank": []}),
        ("bank: expected arrays of shape", {"bank": [np.zeros((9, 9))]}),
        ("bank: expected two draws or more, of more than 32 x 32 pixels", {"bank": [DRAWS[:1]]}),
        ("bank: expected two draws or more, of more than 32 x 32 pixels", {"bank": [DRAWS[:, :32]]}),
        ("bank: expected finite noise, .* in array 1", {"bank": [DRAWS, np.where(DRAWS > 2, np.nan, DRAWS)]}),
        ("bank: expected finite noise, .* in array 0", {"bank": [np.where(DRAWS > 2, -np.inf, DRAWS)]}),
        ("bank: expected finite noise, .* in array 0", {"bank": [DRAWS * 0]}),
        ("strongest: expected a number", {"strongest": 0}),
        ("neighbours: expected a number", {"neighbours": 0.7}),
        ("white: expected a number", {"white": 2}),
    ],
)  # fmt: skip
def test_bad_settings(message, settings, bank):
    with pytest.raises(ValueError, match=f"^{message}"):
        training.scanner_noise(**{"bank": bank, **settings})


@pytest.mark.parametrize("shape", [(1, 96, 96, 1), (1, 32, 32, 6)])
def test_patches_that_the_bank_cannot_cover(shape, bank, rng):
    with pytest.raises(
        ValueError, match="^clean: expected patches of at most 88 pixels and 5 slic"
    ):
        training.scanner_noise(bank)(np.zeros(shape, np.float32), rng)
