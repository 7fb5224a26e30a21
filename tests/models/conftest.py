"""What several test files of models share: a seed, and a small U-Net."""

import keras
import pytest

from helpers import models


@pytest.fixture(autouse=True)
def seed():
    keras.utils.set_random_seed(0)


@pytest.fixture(scope="module")
def small_unet():
    keras.utils.set_random_seed(1)
    return models.denoising_unet((4, 6, 8), (1, 1, 1))
