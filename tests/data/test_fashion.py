"""Fashion-MNIST through the loader, and through the cells of notebook 2 that promise to run on it.

The files need a network or Debian's package dataset-fashion-mnist; where they are not installed, the
tests say so and are skipped. Keras decides at its import where it looks for files, so the tests run
in processes of their own.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "notebooks" / "02_dense_mnist_autoencoder.ipynb"
DEBIAN = Path("/usr/share/datasets/fashion-mnist")
KINDS = ("images-idx3", "labels-idx1")
FILES = [f"{part}-{kind}-ubyte.gz" for part in ("train", "t10k") for kind in KINDS]


@pytest.fixture
def run_with_files(tmp_path):
    """Return a function that runs Python code where Keras finds the installed files."""
    keras_home = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")
    at_home = keras_home / "datasets" / "fashion-mnist"
    for folder in (DEBIAN, at_home):
        if all((folder / name).is_file() for name in FILES):
            break
    else:
        pytest.skip(f"the Fashion-MNIST files are neither in {DEBIAN} nor in {at_home}")
    copy = tmp_path / "datasets" / "fashion-mnist"
    copy.mkdir(parents=True)
    for name in FILES:
        shutil.copyfile(folder / name, copy / name)

    def run(code):
        env = {**os.environ, "KERAS_HOME": str(tmp_path), "MPLBACKEND": "agg"}
        settings = {"env": env, "cwd": ROOT, "check": True, "timeout": 600}
        command = [sys.executable, "-c", code]
        return subprocess.run(command, capture_output=True, text=True, **settings).stdout

    return run


@pytest.mark.slow
def test_load_fashion_mnist(run_with_files):
    output = run_with_files(
        "from helpers.data import load_fashion_mnist\n"
        "import numpy as np\n"
        "(x_train, y_train), (x_test, y_test) = load_fashion_mnist()\n"
        "print(x_train.shape, x_test.shape, x_train.dtype, x_train.min(), x_train.max())\n"
        "print(np.bincount(y_train).tolist(), np.bincount(y_test).tolist())\n"
        "print(y_train[:5].tolist(), round(float(x_train[0].sum(dtype=float)) * 255))\n"
    )
    # The first picture is an ankle boot (9), the next two are T-shirts (0); 76,247 is the sum of
    # the boot's bytes in the file.
    assert output.splitlines() == [
        "(60000, 28, 28, 1) (10000, 28, 28, 1) float32 0.0 1.0",
        f"{[6000] * 10} {[1000] * 10}",
        "[9, 0, 0, 3, 0] 76247",
    ]


@pytest.mark.slow
def test_convolution_cells_run_on_fashion(run_with_files):
    """The two cells run as they stand, with one argument changed; their asserts must hold."""
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    cells = [cell for cell in cells if cell["cell_type"] == "code"]
    sources = ["".join(cell["source"]) for cell in cells]
    tags = [cell["metadata"].get("tags", []) for cell in cells]
    imports, functions = sources[1], next(s for s in sources if s.startswith("def train("))
    setup, contest = (source for source, of_cell in zip(sources, tags) if "convolution" in of_cell)
    assert setup.count('DATASET = "mnist"') == 1
    setup = setup.replace('DATASET = "mnist"', 'DATASET = "fashion"')
    show = "print(len(images_train), round(float(images_train[0].sum(dtype=float)) * 255))"
    parts = ["import helpers", imports, functions, setup, contest, show]
    output = run_with_files("\n".join(parts))
    assert output.splitlines()[0].startswith("noisy: ")
    assert "3217 weights" in output
    assert output.splitlines()[-1] == "4000 76247"  # clothes, not digits
