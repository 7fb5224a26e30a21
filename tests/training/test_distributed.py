"""helpers.training.distributed: two processes train as one does, stop and go on, and only the first one writes."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from helpers.training import distributed
from helpers.training.__main__ import main

VARIABLES = [
    f"KERAS_DISTRIBUTION_{name}" for name in ("JOB_ADDRESSES", "NUM_PROCESSES", "PROCESS_ID")
]
needs_newer = pytest.mark.skipif(
    tuple(map(int, keras.__version__.split(".")[:2])) < (3, 15), reason="Keras before 3.15"
)
CHILD = """
import json, sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from helpers import models, training
from helpers.training import RECIPES, loop, recipes, weights
from helpers.training.__main__ import main

notes, stop_after, *arguments = sys.argv[1:]
scans = np.random.default_rng(3).random((12, 140, 136, 1)).astype(np.float32)
patients = {"train": [scans[:6]], "validation": [scans[:5, :24, :20], scans[:3, :16, :24]]}
weights.load_ct = patients.__getitem__
weights.STEPS_PER_EPOCH = recipes.STEPS_PER_EPOCH = 3
short = {"network": partial(models.denoising_unet, (4,), (1,)), "batch_size": 4, "epochs": 2}
short["precision"] = "float32"
first = replace(training.stages(RECIPES["ct_unet"])[0], **short)
RECIPES["ct_unet"] = replace(RECIPES["ct_unet"], start=first, averaged=True, **short)
own_share, sizes = loop.own_share, []

def counted(batch):
    share = own_share(batch)
    sizes.append(len(share[0]))
    return share

loop.own_share = counted
measure, epochs = weights._ValidationPSNR.on_epoch_end, []

def on_epoch_end(self, epoch, logs=None):
    measure(self, epoch, logs)
    learned = np.concatenate([np.ravel(w) for w in self.model.get_weights()])
    epochs.append({**logs, "weights": learned.tolist(), "sizes": sorted(set(sizes))})
    Path(notes).write_text(json.dumps(epochs))
    if len(epochs) == int(stop_after):
        raise KeyboardInterrupt

weights._ValidationPSNR.on_epoch_end = on_epoch_end
main(["ct_unet", *arguments])
"""


def start(folder, number=None, count=2, *, port=0, stop_after=0, checkpoints="checkpoints"):
    """Start one of several processes, or one that is alone."""
    environment = {**os.environ, "KERAS_BACKEND": "jax"}
    if number is not None:
        values = (f"127.0.0.1:{port}", str(count), str(number))
        environment |= dict(zip(VARIABLES, values))
    name = "alone" if number is None else str(number)
    options = ["--output", folder / f"weights-{name}", "--checkpoints", folder / checkpoints]
    command = [sys.executable, "-c", CHILD, folder / f"{name}.json", stop_after, *options]
    where = {"cwd": Path(__file__).parents[2], "env": environment, "text": True}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(list(map(str, command)), **where, **pipes)


def finish(*processes):
    """Wait for processes: [(exit code, what they printed, and their complaints)]."""
    try:
        said = [process.communicate(timeout=600) for process in processes]
    finally:
        for process in processes:
            process.kill()
    return [(process.returncode, *texts) for process, texts in zip(processes, said)]


def together(folder, **settings):
    """Run two processes on a free port of this machine."""
    folder.mkdir(exist_ok=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return finish(*(start(folder, number, port=port, **settings) for number in (0, 1)))


def epochs(folder, name):
    """What a process noted at the end of each epoch: losses and weights."""
    return json.loads((folder / f"{name}.json").read_text())


@pytest.mark.slow
@needs_newer
def test_two_processes_train_stop_and_go_on_as_one_does(tmp_path):
    """Stopped within the third of four epochs, in the second stage; compared before weights are rounded."""
    (tmp_path / "one").mkdir()
    ((code, printed, complaint),) = finish(start(tmp_path / "one"))
    assert code == 0, complaint
    whole = epochs(tmp_path / "one", "alone")
    two = tmp_path / "two"
    assert all(code not in (0, 2) for code, *_ in together(two, stop_after=3))
    before = [epochs(two, name) for name in (0, 1)]
    assert [path.name for path in (two / "weights-0").iterdir()] == []
    for code, said, complaint in together(two):
        assert code == 0, complaint
        assert said.splitlines()[-1] == printed.splitlines()[-1]  # the score
    for name in (0, 1):
        after = epochs(two, name)
        assert (len(whole), len(before[name]), len(after)) == (4, 3, 2)
        for expected, found in zip(whole, [*before[name][:2], *after], strict=True):
            assert found["loss"] == pytest.approx(expected["loss"], rel=1e-6)
            assert found["val_psnr"] == pytest.approx(expected["val_psnr"], rel=1e-6)
            np.testing.assert_allclose(found["weights"], expected["weights"], rtol=0, atol=1e-6)
    assert [epoch["sizes"] for epoch in (whole[0], *before[0][:1], *before[1][:1])] == [
        [4],
        [2],
        [2],
    ]
    losses = [epoch["loss"] for epoch in whole]
    assert np.ptp(losses) > 1e-4 * abs(losses[0])  # another epoch, another loss
    assert sorted(path.name for path in (two / "weights-0").iterdir()) == [
        "ct_unet.json",
        "ct_unet.keras",
    ]
    assert list((two / "weights-1").iterdir()) == list((two / "checkpoints").iterdir()) == []


@pytest.mark.slow
@needs_newer
def test_other_checkpoints_are_refused_in_all_processes(tmp_path):
    """Machines whose folders of the same name are not the same folder."""
    together(tmp_path, stop_after=2)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    one = start(tmp_path, 0, port=port)
    other = start(tmp_path, 1, port=port, checkpoints="elsewhere")
    for code, _, complaint in finish(one, other):
        assert code == 2
        assert "error: checkpoints: expected the same network, seed and folder" in complaint


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["a:1", None, None], "NUM_PROCESSES: expected a value, as KERAS_.*_JOB_ADDRESSES has one"),
        ([None, "2", "0"], "JOB_ADDRESSES: expected a value, as KERAS_.*_NUM_PROCESSES has one"),
        (["a:1", "2", None], "PROCESS_ID: expected a value"),
        (["a:1", "two", "0"], "NUM_PROCESSES: expected a whole number in .*, got 'two'"),
        (["a:1", "0", "0"], "NUM_PROCESSES: expected a whole number in .*, got 0"),
        (["a:1", "2", "2"], "PROCESS_ID: expected a whole number in .0, 1., got 2"),
        (["a:1", "2", "-1"], "PROCESS_ID: expected a whole number in .0, 1., got '-1'"),
        (["a:1", "2", "0"], "KERAS_BACKEND: expected jax for several processes, got "),
    ],
)
def test_bad_variables_end_in_one_sentence(values, message, monkeypatch, refusal):
    for name, value in zip(VARIABLES, values):
        if value is not None:
            monkeypatch.setenv(name, value)
    with pytest.raises(ValueError, match=f"^(KERAS_DISTRIBUTION_)?{message}"):
        distributed.join()
    assert refusal(main, "ct_unet").startswith("python -m helpers.training: error: KERAS_")


@pytest.fixture
def on_jax(monkeypatch):
    """Process 1 of 2, as if Keras ran on JAX."""
    for name, value in zip(VARIABLES, ["127.0.0.1:9", "2", "1"]):
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(distributed.keras.backend, "backend", lambda: "jax")
    monkeypatch.setattr(distributed.keras, "__version__", "3.15.0")


def test_an_older_keras_is_refused(on_jax, monkeypatch):
    """It cannot share a batch without weights."""
    monkeypatch.setattr(distributed.keras, "__version__", "3.14.1")
    with pytest.raises(ValueError, match="^Keras: expected 3.15 or newer, got 3.14.1"):
        distributed.join()


@pytest.mark.parametrize("address", ["nobody", "10.0.0.1", "10.0.0.1:", "a:b", ":4711", "a,b:1"])
def test_an_address_has_a_port(address, on_jax, monkeypatch):
    monkeypatch.setenv(VARIABLES[0], address)
    with pytest.raises(ValueError, match=f"JOB_ADDRESSES: expected HOST:PORT .*, got '{address}'"):
        distributed.join()


def test_nobody_at_the_address(on_jax, monkeypatch, refusal):
    monkeypatch.setattr(distributed, "_PATIENCE", 0)
    last = refusal(main, "ct_unet")
    assert last.endswith("JOB_ADDRESSES: expected process 0 at 127.0.0.1:9, nobody answers there")


@pytest.mark.parametrize("count", [1, 2, 3, 6])
def test_shares_make_up_the_batch(count, monkeypatch):
    batch = np.arange(12).reshape(6, 2), np.arange(6), None
    shares = []
    for number in range(count):
        monkeypatch.setattr(distributed, "_place", lambda n=number: (n, count, count))
        shares.append(distributed.own_share(batch))
    for whole, parts in zip(batch[:2], zip(*shares)):
        np.testing.assert_array_equal(np.concatenate(parts), whole)
        assert {len(part) for part in parts} == {6 // count}
    assert {share[2] for share in shares} == {None}


@pytest.mark.parametrize(("count", "devices"), [(2, 4), (1, 4), (4, 4)])
def test_a_batch_that_cannot_be_shared(count, devices, monkeypatch):
    monkeypatch.setattr(distributed, "_place", lambda: (0, count, devices))
    with pytest.raises(
        ValueError, match="^batch_size: expected a multiple of the 4 devices, got 6"
    ):
        distributed.own_share((np.zeros(6), None))
