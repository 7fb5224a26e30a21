"""Shared code of the notebooks.

The modules stand on floors, and a module imports only from floors below its own::

    floor 3   training  comparison  figures
    floor 2   models  plotting
    floor 1   data  baselines
    floor 0   noise  metrics
    ground    checks  progress  publish

Importing this package imports Keras and keeps TensorFlow's start-up log off the notebook. Set the
environment variable TF_CPP_MIN_LOG_LEVEL, to 0 for example, to see it.
"""

import logging
import os


def _import_keras_quietly():
    """Import Keras with file descriptor 2 closed to TensorFlow's start-up messages.

    TensorFlow 2.20 and later write them before they read TF_CPP_MIN_LOG_LEVEL, so the variable alone
    does not help. Errors come as exceptions and are not hidden. The Python logger would warn that
    images of several sizes are traced several times, which is what we want.
    """
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    # Notebooks build many small networks, and TensorFlow warns that each one is traced anew.
    stderr, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        import keras  # noqa: F401

        logging.getLogger("tensorflow").setLevel(logging.ERROR)
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
        os.close(nowhere)


if os.environ.get("TF_CPP_MIN_LOG_LEVEL", "3") == "3":  # 3: inherited from a process like this one
    _import_keras_quietly()
