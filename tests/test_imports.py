"""Importing helpers is quick, its lower floors do without Keras, and TensorFlow's log can be seen."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("keras", "tensorflow", "jax", "torch")
CHILD = """
import sys, time
start = time.perf_counter()
import {modules}
print(time.perf_counter() - start, *(name for name in {unwanted} if name in sys.modules))
"""


def run(code, **variables):
    """Run code in a fresh interpreter and return what it prints."""
    command = [sys.executable, "-c", code]
    settings = {"cwd": Path(__file__).parents[1], "env": {**os.environ, **variables}}
    return subprocess.run(command, check=True, capture_output=True, text=True, **settings).stdout


def imported(modules, unwanted):
    """Import modules: (seconds, those of the unwanted ones that this loaded)."""
    seconds, *loaded = run(CHILD.format(modules=modules, unwanted=unwanted)).split()
    return float(seconds), loaded


def test_the_package_alone_is_imported_at_once():
    runs = [imported("helpers", (*HEAVY, "numpy")) for _ in range(3)]
    assert [loaded for _, loaded in runs] == [[]] * 3
    assert min(seconds for seconds, _ in runs) < 0.2


def test_data_filters_and_figures_load_no_deep_learning():
    folders = ("data", "noise", "metrics", "baselines", "contract", "plotting")
    assert imported(", ".join(f"helpers.{name}" for name in folders), HEAVY)[1] == []


def test_the_command_list_loads_no_deep_learning():
    assert imported("helpers.scans.archive", HEAVY)[1] == []
    assert imported("helpers.__main__", ("numpy", "pydicom"))[1] == []


@pytest.mark.slow
@pytest.mark.parametrize(("level", "quiet"), [("0", False), ("1", True), ("3", True)])
def test_networks_are_imported_with_and_without_the_log_of_tensorflow(level, quiet):
    code = "import logging, helpers.models; print(logging.getLogger('tensorflow').level >= logging.ERROR)"
    assert run(code, TF_CPP_MIN_LOG_LEVEL=level).split() == [str(quiet)]
