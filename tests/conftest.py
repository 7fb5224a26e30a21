"""What several test files share: the sample data, loaded once, and small made-up images."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))  # scans_of_tests

from scans_of_tests import image_file, write  # noqa: E402

from helpers import checks, contract, data, noise  # noqa: E402
from helpers.data import wheels  # noqa: E402


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
def bad_batches(pictures):
    """What no denoiser takes: other shapes, another type, no numbers, grey levels up to 255."""
    shapes = [pictures[0], pictures[..., 0], pictures[:0], np.zeros((2, 16, 16, 3), np.float32)]
    values = [pictures * factor for factor in (np.nan, np.inf, 255)]
    return [*shapes, np.zeros((1, 16, 16, 1), np.uint8), *values]


@pytest.fixture
def pair(rng):
    """One patient of two flat slices, and noise of 0.1 on them."""
    clean = np.full((2, 32, 32, 1), 0.5, np.float32)
    return [clean], [noise.add_gaussian_noise(clean, 0.1, rng)]


@pytest.fixture
def checked(monkeypatch):
    """The names of all batches that are checked from now on."""
    names, check_images = [], checks.check_images

    def count(images, name="images", margin=0.0):
        names.append(name)
        return check_images(images, name, margin)

    for module in (checks, contract):
        monkeypatch.setattr(module, "check_images", count)
    return names


@pytest.fixture
def refusal(capsys):
    """A function that runs a command which must refuse, and returns the last line of its complaint."""

    def run(command, *options):
        with pytest.raises(SystemExit, match="^2$"):
            command(list(options))
        return capsys.readouterr().err.splitlines()[-1]

    return run


@pytest.fixture(scope="session")
def shipped():
    """The shipped denoisers, by their names."""
    from helpers import models  # here: most tests do without Keras

    return {name: models.pretrained_denoiser(name) for name in models.shipped()}


@pytest.fixture
def scan(tmp_path):
    """A folder with a CT series of seven slices, in two subfolders, and a note beside them."""
    write(tmp_path / "scan" / "a", [image_file(index) for index in range(0, 7, 2)])
    write(tmp_path / "scan" / "b", [image_file(index) for index in range(1, 7, 2)])
    (tmp_path / "scan" / "note.txt").write_text("not an image")
    return tmp_path / "scan"


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
