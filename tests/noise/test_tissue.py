"""helpers.noise.tissue: how much noise is found, and where none can be found."""

import numpy as np
import pytest

from helpers import noise


def test_soft_tissue_lies_between_the_grey_levels_of_its_hounsfield_units():
    assert (noise.tissue.TISSUE_LOW, noise.tissue.TISSUE_HIGH) == (0.66, 0.84)


@pytest.mark.parametrize("std", [0.005, 0.02])
def test_tissue_std_finds_noise_between_organs(std, rng):
    """Soft tissue with a step in the middle, half of it streaked, in air: only calm tissue counts."""
    images = np.zeros((2, 128, 128, 1))
    images[:, 16:112, 16:64], images[:, 16:112, 64:112] = 0.72, 0.78
    images[:, 16:64, 16:112] += 0.03 * np.sin(np.arange(96)).reshape(1, 1, 96, 1)
    images = (images + rng.normal(0, std, images.shape)).clip(0, 1)  # air: half of the noise is cut
    values = noise.tissue_std(images)
    assert values.shape == (2,)
    np.testing.assert_allclose(values, std, rtol=0.15)


def test_what_tissue_std_makes_of_white_correlated_and_strong_noise():
    tissue = np.full((1, 200, 200, 1), 0.75, np.float32)

    def found(std, sigma):
        noisy = noise.add_correlated_noise(tissue, std, np.random.default_rng(0), sigma=sigma)
        return noise.tissue_std(noisy)[0]

    white, correlated = found(0.01, sigma=0), found(0.01, sigma=1)
    assert correlated < 0.9 * white
    assert white == pytest.approx(0.0092, abs=1.5e-4)  # 8 % too small
    with pytest.raises(ValueError, match="soft tissue with weak noise"):
        found(0.07, sigma=0)


def test_tissue_std_needs_tissue(rng):
    images = rng.normal(0.75, 0.01, (3, 64, 64, 1))
    images[1] = 0
    with pytest.raises(ValueError, match="weak noise in every slice, found too little in number 1"):
        noise.tissue_std(images)
    with pytest.raises(ValueError, match="images: expected at least 7 x 7 pixels, got 6 x 64"):
        noise.tissue_std(images[:, :6])


def test_tissue_differences_keep_the_noise_and_lose_the_anatomy(rng):
    """Two slices of the same anatomy, one a little brighter along one edge: noise is left, as strong as it was."""
    y, x = np.mgrid[0:120, 0:120]
    anatomy = 0.75 + 0.03 * np.sin(x / 5) * np.sin(y / 4)
    images = np.stack([anatomy, anatomy + 1e-4 * x])[..., None]
    noisy = noise.add_correlated_noise(images, 0.01, rng, sigma=0.6)
    differences = noise.tissue_differences(noisy, 20)
    assert differences.shape[1:] == (20, 20, 1) and differences.dtype == np.float32
    assert differences.std() == pytest.approx(0.01, rel=0.1)
    white = noise.tissue_differences(images + rng.normal(0, 0.01, images.shape), 20)
    assert noise.mean_frequency(differences).mean() < noise.mean_frequency(white).mean() - 0.05


def test_tissue_differences_need_two_slices_of_tissue():
    grey = np.full((2, 40, 40, 1), 0.75)
    for message, images, size in (
        ("images: expected at least two neighbouring slices, got 1", grey[:1], 24),
        ("images: expected soft tissue with weak noise, found none", grey * [[[[1]]], [[[0]]]], 24),
        ("size: expected a whole number", grey, 41),
        ("size: expected a whole number", grey, 1),
    ):
        with pytest.raises(ValueError, match=f"^{message}"):
            noise.tissue_differences(images, size)
