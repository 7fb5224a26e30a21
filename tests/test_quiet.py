"""helpers.quiet: nothing of a library in C reaches stderr, and what comes afterwards does."""

import os

import pytest

from helpers.quiet import quiet


def test_quiet(capfd):
    with quiet():
        os.write(2, b"of a library")
    os.write(2, b"after it")
    assert capfd.readouterr().err == "after it"


def test_stderr_is_back_after_an_error(capfd):
    with pytest.raises(ValueError, match="a fault"), quiet():
        raise ValueError("a fault")
    os.write(2, b"after it")
    assert capfd.readouterr().err == "after it"


def test_no_file_is_left_open():
    free = os.open(os.devnull, os.O_WRONLY)
    os.close(free)
    for _ in range(3):
        with quiet():
            pass
    again = os.open(os.devnull, os.O_WRONLY)
    os.close(again)
    assert again == free
