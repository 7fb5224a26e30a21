"""Write a file so that nobody ever finds half of it."""

import contextlib
from pathlib import Path


@contextlib.contextmanager
def replaced(path, mode="w"):
    """Open a file to write; it takes the place of the old one in one step, when all is written.

    What an interrupted run leaves behind ends in .unfinished, and is overwritten by the next one.

    >>> with replaced("new.csv") as file:  # doctest: +SKIP
    ...     file.write("std,method")
    """
    path = Path(path)
    unfinished = path.with_name(path.name + ".unfinished")
    text = {} if "b" in mode else {"newline": "", "encoding": "utf-8"}
    try:
        with unfinished.open(mode, **text) as file:
            yield file
        unfinished.replace(path)
    except OSError as error:
        if error.errno and not error.filename:  # a full disk does not say of which file it spoke
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise
