"""Write a file so that nobody ever finds half of it."""

import contextlib
from pathlib import Path

UNFINISHED = ".unfinished"  # the end of the name of a file that is being written


@contextlib.contextmanager
def replaced(path, mode="w"):
    """Open a file to write; it takes the place of the old one in one step, when all is written.

    What an interrupted run leaves behind ends in .unfinished, and is overwritten by the next one.

    >>> with replaced("new.csv") as file:  # doctest: +SKIP
    ...     file.write("std,method")
    """
    path = Path(path)
    unfinished = path.with_name(path.name + UNFINISHED)
    text = {} if "b" in mode else {"newline": "", "encoding": "utf-8"}
    with naming(path), unfinished.open(mode, **text) as file:
        yield file
    unfinished.replace(path)


@contextlib.contextmanager
def naming(path):
    """Let an error of the system name the file: a full disk does not say which one it was about.

    >>> with naming("new.csv"):
    ...     raise OSError(28, "No space left on device")
    Traceback (most recent call last):
        ...
    OSError: [Errno 28] No space left on device: 'new.csv'
    """
    try:
        yield
    except OSError as error:
        if error.errno is None or error.filename is not None:
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error
