"""What several test files share: the sample data, loaded once, and small made-up images."""

import numpy as np
import pytest

from helpers import data
from helpers.data import wheels


def pytest_collection_modifyitems(items):
    """Ruff comes first: a misplaced comma should not wait for the notebooks to run."""
    items.sort(key=lambda item: not item.name.startswith("test_ruff"))


@pytest.fixture
def rng():
    """A fresh random generator; every test draws the same numbers."""
    return np.random.default_rng(0)


@pytest.fixture(scope="session")
def pictures():
    """Three smooth images of 24 x 32 pixels in [0, 1], with an edge and without symmetry."""
    y, x = np.mgrid[0:24, 0:32]
    waves = [0.5 + 0.3 * np.sin(x / (2 + k)) * np.cos(y / (3 + k)) for k in range(3)]
    images = np.stack(waves)
    images[:, 5:12, 8:20] = 0.9
    return images[..., None].astype(np.float32)


@pytest.fixture(scope="session")
def mnist():
    """The small MNIST sample: (x_train, y_train), (x_test, y_test)."""
    return data.load_mnist()


@pytest.fixture(scope="session")
def ct_hu():
    """Hounsfield units of all patients: {split: list of arrays (n, height, width)}."""
    return {split: data.load_ct_hu(split) for split in data.CT_MEMBERS}


@pytest.fixture(scope="session")
def sample_wheels():
    """The folder that holds the three sample wheels, each checked by its hash."""
    return {name: wheels.wheel(name) for name in wheels.PINS}
