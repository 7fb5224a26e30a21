"""The repository as a whole: format, floors, quiet notebooks, links, addresses, requirements."""

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from helpers import comparison, publish

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted(ROOT.glob("notebooks/*.ipynb"))
MODULES = sorted(ROOT.glob("helpers/*.py"))
each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def _cells(path, kind):
    notebook = json.loads(path.read_text(encoding="utf-8"))
    return [cell for cell in notebook["cells"] if cell["cell_type"] == kind]


def _texts(cell):
    """All text that a code cell stored: streams and text representations."""
    for output in cell["outputs"]:
        text = output.get("text", output.get("data", {}).get("text/plain", ""))
        yield "".join(text)


@pytest.mark.parametrize("command", [["check"], ["format", "--check"]], ids=" ".join)
def test_ruff(command):
    run = subprocess.run(
        [sys.executable, "-m", "ruff", *command, "--no-cache", ROOT], capture_output=True, text=True
    )
    assert run.returncode == 0, run.stdout + run.stderr


# ------------------------------------------------------------------------- the package


def _floors():
    """Read the floors out of the picture in the package's docstring: {module: height}."""
    text = (ROOT / "helpers" / "__init__.py").read_text(encoding="utf-8")
    lines = re.findall(r"^    (floor \d+|ground) +(.+)$", text, flags=re.MULTILINE)
    heights = {name: int(name.split()[1]) if name != "ground" else -1 for name, _ in lines}
    return {module: heights[name] for name, modules in lines for module in modules.split()}


def test_floors_name_every_module():
    assert set(_floors()) == {path.stem for path in MODULES} - {"__init__"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_imports_go_downwards_only(path):
    floors = _floors()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level == 1:
            names = [node.module] if node.module else [alias.name for alias in node.names]
            for name in names:
                assert floors[name] < floors[path.stem], f"{path.stem} imports {name}"


def test_networks_use_no_backend_directly():
    for name in ("models", "training"):
        text = (ROOT / "helpers" / f"{name}.py").read_text(encoding="utf-8")
        assert not re.search(r"\btf\.|import (tensorflow|torch|jax)", text)


def test_requirements_repeat_what_the_package_needs():
    needed = re.search(
        r"^dependencies = \[.*?\n(.*?)^\]", (ROOT / "pyproject.toml").read_text(), re.M | re.S
    )[1]
    listed = (ROOT / "requirements.txt").read_text().splitlines()
    assert listed[-1] == "-e ."
    assert len(re.findall(r'"(.+?)"', needed)) > 10
    for requirement in re.findall(r'"(.+?)"', needed):
        assert requirement in listed


# ------------------------------------------------------------------------ the notebooks


def test_there_are_four_notebooks():
    assert [path.stem[:2] for path in NOTEBOOKS] == ["01", "02", "03", "04"]


@each_notebook
def test_notebook_is_stored_as_executed_in_order(path):
    counts = [cell["execution_count"] for cell in _cells(path, "code")]
    assert counts == list(range(1, len(counts) + 1))


@each_notebook
def test_notebook_is_quiet(path):
    for cell in _cells(path, "code"):
        for output in cell["outputs"]:
            assert output["output_type"] != "error"
            assert output.get("name") != "stderr"
        for text in _texts(cell):
            assert not re.search(r"warning|\r|\d+%\||0x[0-9a-f]{6}", text, re.IGNORECASE), text


@each_notebook
def test_notebook_tells_nothing_about_a_machine(path):
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"/(home|root|tmp|work|Users|private)/|[A-Z]:\\\\", text)
    metadata = json.loads(text)["metadata"]
    assert set(metadata) <= {"kernelspec", "language_info"}
    assert metadata["kernelspec"]["name"] == "python3"


@each_notebook
def test_notebook_is_small(path):
    assert path.stat().st_size < 2e6
    for cell in _cells(path, "code"):
        lines = [line for line in "".join(cell["source"]).splitlines() if line.strip()]
        assert len(lines) <= 22, lines[0]


@each_notebook
def test_exempt_cells_are_followed_by_an_assert(path):
    cells = ["".join(cell["source"]) for cell in _cells(path, "code")]
    for cell, following in zip(cells, [*cells[1:], ""]):
        if "NBVAL_" in cell:
            assert "assert" in following, cell


@each_notebook
def test_figures_have_words_beside_them(path):
    """The cell before a figure, or one of the two behind it, explains it in words."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    for index, cell in enumerate(cells):
        if any("image/png" in output.get("data", {}) for output in cell.get("outputs", [])):
            neighbours = [cells[index - 1], *cells[index + 1 : index + 3]]
            words = " ".join(
                "".join(near["source"]) for near in neighbours if near["cell_type"] == "markdown"
            )
            assert len(words.split()) > 10, "".join(cell["source"])


@pytest.mark.parametrize("path", [*NOTEBOOKS, ROOT / "README.md"], ids=lambda path: path.stem)
def test_links_lead_to_files_and_pictures_have_words(path):
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        text = "\n\n".join("".join(cell["source"]) for cell in _cells(path, "markdown"))
    for words, target in re.findall(r"!?\[([^\]]*)\]\(([^)\s]+)\)", text):
        assert words.strip(), f"{target} has no words"
        if not re.match(r"https?://|#", target):
            assert (path.parent / target).exists(), target


# ---------------------------------------------------------------- the repository's address


def test_address_is_the_same_everywhere():
    for path, text in publish.published().items():
        assert path.read_text(encoding="utf-8") == text, (
            f"run python -m helpers.publish: {path.name}"
        )


def test_address_stands_in_one_place_only(tmp_path):
    """Another address in pyproject.toml, one command, and the old one is gone everywhere."""
    (tmp_path / "notebooks").mkdir()
    for path in [*NOTEBOOKS, ROOT / "README.md", ROOT / "pyproject.toml"]:
        copy = tmp_path / path.relative_to(ROOT)
        copy.write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    project = tmp_path / "pyproject.toml"
    old = publish.address()
    project.write_text(project.read_text().replace(old, "https://github.com/somebody/denoise"))
    account = old.removeprefix("https://github.com/")
    texts = publish.published(tmp_path)
    assert len(texts) == len(NOTEBOOKS) + 1
    for path, text in texts.items():
        assert "somebody/denoise" in text, path
        assert account not in text, path


def _run_setup_cell(monkeypatch, find_helpers):
    """Run the set-up cell with `helpers` present or not; return the commands that it starts."""
    commands = []

    def run(command, check):
        commands.append(command)
        monkeypatch.delitem(blocked, "helpers", raising=False)

    blocked = {} if find_helpers else {"helpers": None}

    def importer(name, *arguments, **keywords):
        if name in blocked:
            raise ImportError(name)
        return __import__(name, *arguments, **keywords)

    monkeypatch.setattr(subprocess, "run", run)
    code = "".join(_cells(NOTEBOOKS[0], "code")[0]["source"])
    builtins = {**vars(__import__("builtins")), "__import__": importer}
    exec(compile(code, "set-up cell", "exec"), {"__builtins__": builtins})
    return commands


def test_setup_cell_does_nothing_where_helpers_is_installed(monkeypatch):
    assert _run_setup_cell(monkeypatch, find_helpers=True) == []


def test_setup_cell_installs_the_repository_elsewhere(monkeypatch):
    (command,) = _run_setup_cell(monkeypatch, find_helpers=False)
    assert command[1:4] == ["-m", "pip", "install"]
    assert command[-1] == f"git+{publish.address()}"


# ------------------------------------------------------------------ continuous integration


def test_ci_runs_the_readme_test_command():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert readme.count("\npip install -r requirements.txt && pytest\n") == 1
    assert "pip install .* && pytest" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "bash .ci/run" in (ROOT / ".github/workflows/notebooks.yml").read_text(encoding="utf-8")


# ------------------------------------------------------------------------- the README's numbers


def test_readme_shows_the_stored_comparison():
    results, _, _ = comparison.read_results(noise_std=0.07)
    summary = comparison.summarise(results, "bm3d")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert comparison.quality_table(summary, "bm3d", times=True).strip() in readme
    assert sum(map(len, results["bm3d"]["psnr"])) == 102
    levels = {std: comparison.read_results(noise_std=std)[0] for std in comparison.LEVELS}
    for method in ("unet", "unet_x8"):
        assert comparison.lead_table(levels, method).strip() in readme
    unet, bm3d = (np.concatenate(levels[0.03][name]["psnr"]).mean() for name in ("unet", "bm3d"))
    assert f"At 0.03 the lead is {unet - bm3d:.3f} dB, a hair below the 0.4 dB" in readme


def test_readme_claims_about_the_comparison():
    results, _, _ = comparison.read_results()
    summary = comparison.summarise(results, "bm3d")
    for ours, theirs in zip(results["unet"]["psnr"], results["bm3d"]["psnr"]):
        assert (ours > theirs).all()  # on every slice
    assert summary["bm3d"]["seconds"] > 40 * summary["unet"]["seconds"]
    assert summary["bm3d"]["seconds"] > 4 * summary["unet_x8"]["seconds"]
    assert 6 < summary["unet_x8"]["seconds"] / summary["unet"]["seconds"] < 10
    for std in comparison.LEVELS:
        at_level, _, _ = comparison.read_results(noise_std=std)
        means = [np.concatenate(at_level[name]["psnr"]).mean() for name in ("unet_x8", "unet")]
        assert means[0] > means[1]
    assert summary["unet_small"]["difference"][0] > 0
    quick = [summary[name]["seconds"] for name in ("unet_small", "unet", "opencv_nl_means")]
    assert quick[0] < min(quick[1:])
    assert max(summary, key=lambda name: summary[name]["psnr"][0]) == "unet_25d"
    assert summary["conv_autoencoder"]["psnr"][0] < summary["gaussian"]["psnr"][0]
