"""Networks and training run on every backend of Keras that is installed."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ANY_BACKEND = """
import sys

import numpy as np
from helpers import models, training
import keras

keras.utils.set_random_seed(0)
clean = np.random.default_rng(0).random((8, 16, 16, 1)).astype("float32")
def draw(n, rng):
    return np.repeat(clean[:n], 3, axis=-1)
corrupt = training.RECIPES["ct_unet_25d"].corrupt
batches = training.NoisyBatches(draw, corrupt, batch_size=4, steps=2, seed=0)
model = models.denoising_unet((4, 4), (1, 1), slices=3)
model.compile(keras.optimizers.Adam(training.warmup_cosine(1e-2, 4)), training.negative_psnr)
before = [np.array(w) for w in model.get_weights()]
losses = training.fit(model, batches, epochs=2).history["loss"]
assert np.isfinite(losses).all() and len(losses) == 2, losses
assert any((a != b).any() for a, b in zip(before, model.get_weights()))
denoised = models.as_denoiser(model)(clean[:4, :13, :15])
model.save(sys.argv[1])
model = keras.saving.load_model(sys.argv[1], compile=False, safe_mode=True)
np.testing.assert_allclose(models.as_denoiser(model)(clean[:4, :13, :15]), denoised, atol=1e-6)
assert denoised.shape == (4, 13, 15, 1) and denoised.dtype == np.float32
assert np.isfinite(denoised).all()
print(keras.backend.backend())
"""


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_other_backends_of_keras(backend, tmp_path):
    if find_spec(backend) is None:
        pytest.skip(f"the package {backend} is not installed")
    command = [sys.executable, "-c", ANY_BACKEND, str(tmp_path / "network.keras")]
    settings = {"cwd": Path(__file__).parents[2], "timeout": 300, "text": True}
    environment = {**os.environ, "KERAS_BACKEND": backend}
    result = subprocess.run(command, env=environment, capture_output=True, **settings)
    assert result.returncode == 0, result.stderr
    trained, used = result.stdout.splitlines()
    assert trained.startswith("denoising_unet: 2 epochs, loss ")
    assert used == backend
