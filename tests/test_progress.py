"""helpers.progress: seen in a terminal and in a notebook, and gone when the work is done."""

import io
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from helpers import progress

ROOT = Path(__file__).parents[1]


def as_terminal(monkeypatch):
    """Make a terminal of stderr, and return what it gets."""
    terminal = io.StringIO()
    terminal.isatty = lambda: True
    monkeypatch.setattr(sys, "stderr", terminal)
    return terminal


def work():
    with progress.ProgressLine() as line:
        line.update("step 1 of 2, with a long tail")
        line.update("step 2 of 2")


def on_screen(text):
    """What a terminal shows of one line: \\r goes to its start, ESC [K clears the rest."""
    return text.replace("\r\x1b[K", "\n").split("\n")


def test_a_terminal_shows_one_line_after_the_other_and_then_nothing(monkeypatch, capfd):
    terminal = as_terminal(monkeypatch)
    work()
    shown = ["", "step 1 of 2, with a long tail", "step 2 of 2", ""]
    assert on_screen(terminal.getvalue()) == shown
    assert "\n" not in terminal.getvalue()
    assert capfd.readouterr().out == ""


def test_the_line_is_removed_after_an_error_too(monkeypatch):
    terminal = as_terminal(monkeypatch)
    with pytest.raises(ZeroDivisionError):
        with progress.ProgressLine() as line:
            line.update("dividing")
            raise ZeroDivisionError
    assert on_screen(terminal.getvalue())[-2:] == ["dividing", ""]


def test_silent_where_nobody_watches(capfd):
    work()
    assert capfd.readouterr() == ("", "")


CELL = """
from helpers.progress import ProgressLine

seen = []
with ProgressLine() as line:
    update = line._display.update
    line._display.update = lambda data, **keywords: (seen.append(data), update(data, **keywords))
    line.update("step 1 of 2")
    line.update("step 2 of 2")
print("done:", seen)
"""


@pytest.fixture(scope="module")
def executed():
    """A notebook of one cell, executed in a fresh kernel."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL)])
    settings = {"kernel_name": "python3", "resources": {"metadata": {"path": ROOT}}}
    NotebookClient(notebook, timeout=120, **settings).execute()
    return notebook


@pytest.mark.slow
def test_a_notebook_keeps_nothing_of_the_line(executed):
    shown = [{"text/plain": "step 1 of 2"}, {"text/plain": "step 2 of 2"}, {}]
    display, result = executed.cells[0].outputs
    assert (result["name"], result["text"]) == ("stdout", f"done: {shown}\n")
    assert display == {"output_type": "display_data", "data": {}, "metadata": {}}


@pytest.mark.slow
def test_nbval_finds_no_difference(executed, tmp_path):
    """It runs the stored notebook and compares; a line that is left in it would be noticed."""
    nbformat.write(executed, tmp_path / "progress.ipynb")
    command = [sys.executable, "-m", "pytest", "-q", "--nbval", "-c", os.devnull, "progress.ipynb"]
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": path}
    result = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout
    assert "1 passed" in result.stdout
