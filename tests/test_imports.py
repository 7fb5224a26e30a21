"""Importing helpers is quick, and its lower floors do without Keras."""

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("keras", "tensorflow", "jax", "torch")
CHILD = """
import sys, time
start = time.perf_counter()
import {module}
print(time.perf_counter() - start, *(name for name in {unwanted} if name in sys.modules))
"""


def imported(module, unwanted):
    """Import a module in a fresh interpreter: (seconds, those of the unwanted modules it loaded)."""
    code = CHILD.format(module=module, unwanted=unwanted)
    root = Path(__file__).parents[1]
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True)
    seconds, *loaded = result.stdout.split()
    return float(seconds), loaded


def test_the_package_alone_is_imported_at_once():
    runs = [imported("helpers", (*HEAVY, "numpy")) for _ in range(3)]
    assert [loaded for _, loaded in runs] == [[]] * 3
    assert min(seconds for seconds, _ in runs) < 0.2


@pytest.mark.parametrize("module", ["data", "noise", "metrics", "baselines"])
def test_lower_floors_load_no_deep_learning(module):
    assert imported(f"helpers.{module}", HEAVY)[1] == []
