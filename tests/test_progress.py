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


class Terminal(io.StringIO):
    def isatty(self):
        return True


def work():
    with progress.ProgressLine() as line:
        line.update("step 1 of 2, with a long tail")
        line.update("step 2 of 2")


def on_screen(text):
    """What a terminal shows of one line: \\r goes to its start, ESC [K clears the rest."""
    return text.replace("\r\x1b[K", "\n").split("\n")


def test_a_terminal_shows_one_line_after_the_other_and_then_nothing(monkeypatch, capfd):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    work()
    assert on_screen(terminal.getvalue()) == [
        "",
        "step 1 of 2, with a long tail",
        "step 2 of 2",
        "",
    ]
    assert "\n" not in terminal.getvalue()
    assert capfd.readouterr().out == ""


def test_the_line_is_removed_after_an_error_too(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
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
    folder = Path(progress.__file__).parents[1]
    NotebookClient(
        notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": folder}}
    ).execute()
    return notebook


def test_a_notebook_keeps_nothing_of_the_line(executed):
    shown = [{"text/plain": "step 1 of 2"}, {"text/plain": "step 2 of 2"}, {}]
    display, result = executed.cells[0].outputs
    assert (result["name"], result["text"]) == ("stdout", f"done: {shown}\n")
    assert display["output_type"] == "display_data"
    assert display["data"] == {}
    assert display["metadata"] == {}


def test_nbval_finds_no_difference(executed, tmp_path):
    """It runs the stored notebook and compares; a line that is left in it would be noticed."""
    nbformat.write(executed, tmp_path / "progress.ipynb")
    command = [sys.executable, "-m", "pytest", "-q", "--nbval", "-c", os.devnull, "progress.ipynb"]
    path = [str(Path(progress.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path)}
    result = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout
    assert "1 passed" in result.stdout
