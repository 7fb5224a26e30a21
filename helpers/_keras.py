"""The one import of Keras: it keeps TensorFlow's start-up log off notebooks and terminals.

Set the environment variable TF_CPP_MIN_LOG_LEVEL to 0 to see that log.
"""

import logging
import os

from .quiet import quiet

# TensorFlow 2.20 and later write the log before they read the variable, so it does not help alone:
# file descriptor 2 is closed to them as well. Errors come as exceptions and are not hidden. Only 0 is
# the user's wish for certain: `import jax` sets 1, and child processes inherit it.
if os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3") != "0":
    with quiet():
        import keras
    # Notebooks build many small networks, and TensorFlow warns that each one is traced anew.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
else:
    import keras

__all__ = ["keras"]
