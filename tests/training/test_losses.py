"""helpers.training.losses: what cannot be the strength of a noise. What the losses are worth, test_selfsupervised.py tests."""

import numpy as np
import pytest

from helpers import training


@pytest.mark.parametrize("std", [0, -1, np.nan, np.inf, 98, None, "0.1", [0.1]])
def test_bad_strength_of_the_noise(std):
    """98 HU are 0.07 grey levels."""
    images = np.full((2, 8, 8, 1), 0.5, np.float32)
    with pytest.raises(ValueError, match="^std: expected a number"):
        training.sure_loss(images, images, std=std)


@pytest.mark.parametrize("std", [1e-6, 1, np.float32(0.1)])
def test_strength_of_the_noise(std):
    images = np.full((2, 8, 8, 1), 0.5, np.float32)
    np.testing.assert_allclose(training.sure_loss(images, images, std=std), [-(std**2)], rtol=1e-6)
