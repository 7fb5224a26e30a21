"""The networks of the page "Try it": not stale, and equal to those of Python."""

import numpy as np
import onnxruntime
import pytest

import export_onnx
from helpers import models

each_network = pytest.mark.parametrize("name", export_onnx.NAMES)


def _session(name):
    return onnxruntime.InferenceSession(export_onnx.FOLDER / f"{name}.onnx")


@each_network
def test_file_was_made_of_the_shipped_weights(name):
    made_of = _session(name).get_modelmeta().custom_metadata_map["sha256"]
    assert made_of == export_onnx.digest(name), f"run python docs/export_onnx.py {name}"


@each_network
def test_answers_are_those_of_python(name, pictures, rng):
    """Of many sizes, also such as are no multiple of 8 pixels, and with the grain spared."""
    session, denoise = _session(name), models.pretrained_denoiser(name)
    for height, width in ((24, 32), (21, 30), (9, 17), (3, 2)):
        clean = pictures[:, :height, :width]
        noisy = (clean + rng.normal(0, 0.07, clean.shape)).astype(np.float32)
        (answer,) = session.run(None, {"noisy": noisy})
        np.testing.assert_allclose(answer, denoise(noisy), atol=2e-6)


def test_files_are_small():
    sizes = {path.stem: path.stat().st_size / 1e6 for path in export_onnx.FOLDER.glob("*.onnx")}
    assert sorted(sizes) == sorted(export_onnx.NAMES)
    assert max(sizes.values()) < 6


@pytest.mark.slow
def test_export_writes_what_is_stored(tmp_path, monkeypatch, pictures):
    pytest.importorskip("tf2onnx", reason="for this test, pip install -e .[docs]")
    stored = _session("ct_unet_small").run(None, {"noisy": pictures})
    monkeypatch.setattr(export_onnx, "FOLDER", tmp_path)
    export_onnx.export("ct_unet_small")
    answer = _session("ct_unet_small").run(None, {"noisy": pictures})
    np.testing.assert_allclose(answer, stored, atol=1e-6)
