"""Training in several processes, on one machine or many: `keras.distribution` on the JAX backend.

The processes see one batch together, and each works on a share of it. Which they are, Keras's own variables say. Start
the same command once for each process, in any order, with another number in the last variable::

    export KERAS_BACKEND=jax
    export KERAS_DISTRIBUTION_JOB_ADDRESSES=10.0.0.1:4711    # of process 0
    export KERAS_DISTRIBUTION_NUM_PROCESSES=2
    export KERAS_DISTRIBUTION_PROCESS_ID=0                   # on the other machine, 1
    python -m helpers.training ct_scan --checkpoints /shared/checkpoints

It takes Keras 3.15 and JAX 0.6: `pip install -e .[jax]`. All processes need the same folder of checkpoints, so that all
go on with the same epoch after a stop. Only process 0 writes into it, and only its folder of weights gets them. If one
process is lost, stop the others and start all again.
"""

import contextlib
import os
import shutil
import socket
import tempfile
import time
from pathlib import Path

import numpy as np

from .._keras import keras
from ..checks import check_whole

_ADDRESSES, _COUNT, _NUMBER = (
    f"KERAS_DISTRIBUTION_{name}" for name in ("JOB_ADDRESSES", "NUM_PROCESSES", "PROCESS_ID")
)
_PATIENCE = 240  # seconds


def join():
    """Join the other processes, where the environment says that there are some; it waits until all are there.

    To be called before any network is built. Without Keras's variables it does nothing.

    Raises
    ------
    ValueError
        If only some of the variables are set, one has no such value, or Keras is older or runs on another backend.
    ConnectionError
        If process 0 does not answer for four minutes. It waits for the others itself; after five minutes JAX ends it.

    References
    ----------
    keras.distribution.initialize, for the variables; keras.distribution.DataParallel, for what the processes share.

    Examples
    --------
    >>> join()  # alone
    >>> is_first()
    True
    """
    given = [name for name in (_ADDRESSES, _COUNT, _NUMBER) if os.environ.get(name)]
    if not given:
        return
    for name in (_ADDRESSES, _COUNT, _NUMBER):
        if name not in given:
            raise ValueError(f"{name}: expected a value, as {given[0]} has one, got none")
    count = check_whole(_whole(_COUNT), _COUNT, 1)
    check_whole(_whole(_NUMBER), _NUMBER, 0, count - 1)
    backend = keras.backend.backend()
    if backend != "jax":
        raise ValueError(f"KERAS_BACKEND: expected jax for several processes, got {backend}")
    if tuple(map(int, keras.__version__.split(".")[:2])) < (3, 15):
        raise ValueError(f"Keras: expected 3.15 or newer, got {keras.__version__}")
    host, _, port = os.environ[_ADDRESSES].split(",")[0].rpartition(":")
    if not host or not port.isdecimal():
        raise ValueError(
            f"{_ADDRESSES}: expected HOST:PORT of process 0, got {os.environ[_ADDRESSES]!r}"
        )
    if os.environ[_NUMBER] != "0":
        _wait_for(host.strip("[]"), int(port))
    keras.distribution.initialize()
    keras.distribution.set_distribution(keras.distribution.DataParallel())


def is_first():
    """True in the process that writes: number 0, or the only one."""
    return _place()[0] == 0


@contextlib.contextmanager
def kept_by_first(folder):
    """Give the first process a folder, and every other one a copy of it, which is thrown away in the end.

    So all processes may do the same, read and write, and none is in the way of another. Keras wants them to do the
    same: even saving a network may make variables, at which all processes meet.

    Parameters
    ----------
    folder : Path

    Yields
    ------
    Path
        The folder itself, or a copy of the same name.

    Examples
    --------
    >>> with kept_by_first(Path("checkpoints")) as folder:
    ...     print(folder)
    checkpoints
    """
    if is_first():
        yield folder
        return
    with tempfile.TemporaryDirectory() as place:
        yield Path(shutil.copytree(folder, Path(place, folder.name)))


def own_share(batch):
    """Keep of a batch what this process works on.

    Every process draws the whole batch, from the same seed, and keeps other rows: so the batch does not depend on
    how many they are. The time that drawing takes is not shared.

    Parameters
    ----------
    batch : tuple of arrays of shape (n, ...), or None among them
        As `loop.Batches` draws it.

    Returns
    -------
    tuple
        The rows of this process, in the order of the processes; the batch itself where there is only one.

    Raises
    ------
    ValueError
        If the batch cannot be shared evenly among all devices.

    References
    ----------
    keras.distribution.DataParallel, which puts the shares together.

    Examples
    --------
    >>> own_share((np.arange(4), None))
    (array([0, 1, 2, 3]), None)
    """
    number, count, devices = _place()
    if count == 1 and devices == 1:
        return tuple(batch)
    size = len(batch[0])
    if size % devices:
        raise ValueError(f"batch_size: expected a multiple of the {devices} devices, got {size}")
    rows = slice(number * size // count, (number + 1) * size // count)
    return tuple(None if part is None else part[rows] for part in batch)


def agree(value, what):
    """Raise ValueError unless all processes have the same number here; all must call it.

    Parameters
    ----------
    value : int
        From 0 to 2^32 - 1.
    what : str
        The sentence of the error.

    Examples
    --------
    >>> agree(7, "seed: expected the same one in all processes")
    """
    if _place()[1] == 1:
        return
    mesh = keras.distribution.distribution().device_mesh
    try:  # JAX compares what it is to hand to all processes
        layout = keras.distribution.TensorLayout([None], mesh)
        keras.distribution.distribute_tensor(np.array([value], "uint32"), layout)
    except AssertionError as error:
        raise ValueError(what) from error


def _whole(name):
    """A variable as a number, or as it is."""
    text = os.environ[name]
    return int(text) if text.isdecimal() else text


def _wait_for(host, port):
    """Wait until process 0 answers; where it does not, JAX would end this process without an exception."""
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            socket.create_connection((host, port), timeout=5).close()
            return
        except OSError as error:
            if time.monotonic() > end:
                raise ConnectionError(
                    f"{_ADDRESSES}: expected process 0 at {host}:{port}, nobody answers there"
                ) from error
            time.sleep(0.5)


def _place():
    """Return the number of this process, and how many processes and devices there are."""
    together = keras.distribution.distribution()
    if together is None:
        return 0, 1, 1
    devices = together.device_mesh.devices.size
    return int(os.environ.get(_NUMBER, 0)), int(os.environ.get(_COUNT, 1)), devices
