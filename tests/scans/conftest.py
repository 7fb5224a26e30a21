"""The scan that all tests of this folder share."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # scans_of_tests

from scans_of_tests import image_file, write  # noqa: E402


@pytest.fixture
def scan(tmp_path):
    """A folder with a CT series of seven slices, in two subfolders, and a note beside them."""
    write(tmp_path / "scan" / "a", [image_file(index) for index in range(0, 7, 2)])
    write(tmp_path / "scan" / "b", [image_file(index) for index in range(1, 7, 2)])
    (tmp_path / "scan" / "note.txt").write_text("not an image")
    return tmp_path / "scan"
