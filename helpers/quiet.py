"""Keep libraries written in C from writing to stderr: what is wrong, this package says in its own sentence."""

import contextlib
import os
import sys


@contextlib.contextmanager
def quiet():
    """Send what is written to the process's stderr nowhere, as long as the context lasts.

    Decoders of pictures and volumes write there what is wrong with a damaged file, past `sys.stderr`. It holds
    for all threads: use it around a single call.

    Examples
    --------
    >>> with quiet():
    ...     os.write(2, b"a warning of a library")
    22
    """
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
