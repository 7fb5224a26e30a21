"""Write the networks that the page "Try it" offers as ONNX files: `python docs/export_onnx.py` after a training.

Each file is a whole denoiser, as `helpers.models.pretrained_denoiser` returns it: any image size, grain spared. It
takes and returns a batch (n, height, width, 1). The weights, which have the precision of float16, are stored in it;
the computation is in float32. The file knows the sha256 of the .keras file that it was made of.
"""

import argparse
import hashlib
import json
import re

import numpy as np

import publish
from helpers.models import GRAIN_STD, WEIGHTS, pretrained_model
from helpers.models.denoisers import multiple_of

FOLDER = publish.ROOT / "docs" / "demo" / "try" / "networks"
PAGE = (publish.ROOT / "docs" / "try.md").read_text(encoding="utf-8")
NAMES = re.findall(r'<option value="(ct_\w+)"', PAGE)
OPSET = 17


def digest(name):
    """Return the sha256 of a shipped network's weights and of whether it spares grain."""
    content = (WEIGHTS / f"{name}.keras").read_bytes()
    return hashlib.sha256(content + str(spared_grain(name)).encode()).hexdigest()


def spared_grain(name):
    """Return the standard deviation of the grain that a shipped denoiser spares: 0 if none."""
    recipe = json.loads((WEIGHTS / f"{name}.json").read_text(encoding="utf-8"))
    return GRAIN_STD if recipe["spares_grain"] else 0.0


def denoiser(name):
    """Return a shipped denoiser as one TensorFlow function of a batch of any size."""
    import tensorflow as tf

    model = pretrained_model(name)
    multiple = multiple_of(model)
    variance_of_grain = spared_grain(name) ** 2

    def mirrored(images, axis):
        """Pad to the multiple that the network needs as numpy's "symmetric" does."""
        length = tf.shape(images)[axis]
        padded = (length + multiple - 1) // multiple * multiple
        index = tf.range(padded) % (2 * length)
        return tf.gather(images, tf.where(index < length, index, 2 * length - 1 - index), axis=axis)

    @tf.function(input_signature=[tf.TensorSpec((None, None, None, 1), tf.float32, name="noisy")])
    def denoise(noisy):
        padded = mirrored(mirrored(noisy, 1), 2)
        removed = noisy - model(padded)[:, : tf.shape(noisy)[1], : tf.shape(noisy)[2]]
        variance = tf.reduce_mean(tf.square(removed), axis=(1, 2, 3), keepdims=True)
        share = variance / (variance + variance_of_grain) if variance_of_grain else 1.0
        return tf.identity(noisy - removed * share, name="denoised")

    return denoise


def halved(graph):
    """Store large weights as float16 and let the graph widen them: half the size, the same numbers."""
    from onnx import TensorProto, helper, numpy_helper

    for weights in list(graph.initializer):
        values = numpy_helper.to_array(weights)
        if weights.data_type != TensorProto.FLOAT or values.size < 256:
            continue
        half = values.astype(np.float16)
        if (half != values).any():
            continue  # no weights of a training: those have the precision of float16
        name = weights.name
        weights.CopyFrom(numpy_helper.from_array(half, f"{name}_half"))
        cast = helper.make_node("Cast", [f"{name}_half"], [name], to=TensorProto.FLOAT)
        graph.node.insert(0, cast)


def export(name):
    """Write one network's file and return its path."""
    import onnx
    import tf2onnx

    function = denoiser(name)
    model, _ = tf2onnx.convert.from_function(
        function, input_signature=function.input_signature, opset=OPSET
    )
    halved(model.graph)
    model.doc_string = "Not for clinical use."
    onnx.helper.set_model_props(model, {"network": name, "sha256": digest(name)})
    onnx.checker.check_model(model)
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{name}.onnx"
    path.write_bytes(model.SerializeToString(deterministic=True))
    return path


def main():
    """Read the command line and export."""
    parser = argparse.ArgumentParser(prog="python docs/export_onnx.py", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*NAMES, []], metavar="NAME")
    for name in parser.parse_args().names or NAMES:
        path = export(name)
        print(f"{path.relative_to(publish.ROOT)}: {path.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
