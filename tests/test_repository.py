"""The repository as a whole: format, floors, quiet notebooks, links, generated texts, requirements."""

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import draw
import execute
import publish
from helpers import comparison, models, training
from helpers.comparison import detection
from helpers.contract import About
from helpers.data import CT_PIXEL_MM, load_ct, load_ct_hu
from helpers.hounsfield import WINDOW_WIDTH
from helpers.noise import BODY_MM, project, tissue_differences
from helpers.scans.sources import PIXEL_MM

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS, SOLUTIONS = publish.notebooks(), publish.solutions()
NUMBERED = [path for path in NOTEBOOKS if path.stem[0] != "A"]
MODULES = sorted(ROOT.glob("helpers/**/*.py"))
each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
each_numbered = pytest.mark.parametrize("path", NUMBERED, ids=lambda path: path.stem)
each_solution = pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.stem)
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/[!_]*.md"))]  # not what a build leaves
all_of_them = pytest.mark.parametrize("path", [*NOTEBOOKS, *SOLUTIONS], ids=lambda path: path.stem)


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
    """Read the floors out of the picture in the package's docstring: {module: (height, place in its folder)}."""
    text = (ROOT / "helpers" / "__init__.py").read_text(encoding="utf-8")
    floors = {}
    for name, line in re.findall(r"^    (floor \d+|ground) +(.+)$", text, flags=re.MULTILINE):
        height = int(name.split()[1]) if name != "ground" else -1
        for room, inside in re.findall(r"(\w+)(?: \((.+?)\))?", line):
            floors[room] = (height, 99)  # what a folder re-exports lies behind all that is in it
            floors |= {f"{room}.{part}": (height, k) for k, part in enumerate(inside.split())}
    return floors


def _name(path):
    """Return the name of a module as the picture knows it: data, data.wheels, checks."""
    parts = path.relative_to(ROOT / "helpers").with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def test_floors_name_every_module():
    assert set(_floors()) == {_name(path) for path in MODULES} - {""}


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_imports_go_downwards_only(path):
    floors = _floors()
    folder = [*path.relative_to(ROOT).parent.parts]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = [*folder[1 : len(folder) + 1 - node.level], *(node.module or "").split(".")]
            base = [part for part in base if part]
            inside = [".".join([*base, alias.name]) for alias in node.names]
            found = [name for name in inside if name in floors] or [".".join(base)]
            for name in found:
                (height, place), (own, own_place) = floors[name], floors[_name(path)]
                same_room = name.split(".")[0] == _name(path).split(".")[0]
                assert (height, place) < (own, own_place) if same_room else height < own, name


@pytest.mark.parametrize("folder", ["comparison", "models", "plotting"])
def test_a_folder_says_what_each_of_its_modules_is_for(folder):
    text = (ROOT / "helpers" / folder / "__init__.py").read_text(encoding="utf-8")
    modules = {path.stem for path in MODULES if path.parent.name == folder and path.stem[0] != "_"}
    assert modules <= {*re.findall(r"`(\w+)`", ast.get_docstring(ast.parse(text)))}


def test_modules_are_short():
    for path in MODULES:
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 420, path


def test_networks_use_no_backend_directly():
    for path in MODULES:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"\btf\.|^ *(import|from) (tensorflow|torch|jax)", text, re.MULTILINE)
        assert path.stem == "_keras" or not re.search(r"^ *(import|from) keras", text, re.MULTILINE)


def test_requirements_repeat_what_the_package_needs():
    needed = re.search(
        r"^dependencies = \[.*?\n(.*?)^\]", (ROOT / "pyproject.toml").read_text(), re.M | re.S
    )[1]
    listed = (ROOT / "requirements.txt").read_text().splitlines()
    assert listed[-1] == "-e ."
    assert len(re.findall(r'"(.+?)"', needed)) > 10
    for requirement in re.findall(r'"(.+?)"', needed):
        assert requirement in listed


def test_the_package_ships_what_it_reads_and_nothing_unfinished():
    text = (ROOT / "pyproject.toml").read_text()
    patterns = re.findall(r'"(.+?)"', re.search(r"^helpers = \[(.+)\]", text, re.M)[1])
    ships = [path for pattern in patterns for path in ROOT.glob(f"helpers/{pattern}")]
    kinds = {".csv": "results", ".keras": "weights", ".json": "weights", ".txt": ""}
    stored = [p for end, folder in kinds.items() for p in ROOT.glob(f"helpers/{folder}/*{end}")]
    assert sorted(ships) == sorted(stored)
    left_over = ROOT / "helpers" / "results" / "comparison.csv.unfinished"
    assert not any(left_over.match(f"helpers/{pattern}") for pattern in patterns)
    assert "*.unfinished" in (ROOT / ".gitignore").read_text().splitlines()


def test_requirements_hold_the_extras():
    """In older versions, perhaps: the tests of an extra are left out there. Those of the site ask for `docs` themselves."""
    text = (ROOT / "pyproject.toml").read_text()
    extras = "".join(re.findall(r"^(?:jax|cluster) = \[.*", text, re.M))
    listed = re.findall(r"^[\w-]+", (ROOT / "requirements.txt").read_text(), re.M)
    assert {"jax", "dask", "distributed"} <= set(re.findall(r'"([\w-]+)', extras)) <= set(listed)


# ------------------------------------------------------------------------ the notebooks


def _number(path):
    """Return the number in a file's name as titles write it: 3, A1."""
    return path.stem.partition("_")[0].lstrip("0")


def _opening(path):
    """Return the paragraphs of a notebook's first cell."""
    cell = json.loads(path.read_text(encoding="utf-8"))["cells"][0]
    assert cell["cell_type"] == "markdown"
    return "".join(cell["source"]).split("\n\n")


def test_notebooks_are_numbered():
    assert [_number(path) for path in NUMBERED] == [str(k + 1) for k in range(len(NUMBERED))]
    appendices = [_number(path) for path in NOTEBOOKS if path not in NUMBERED]
    assert appendices == [f"A{k + 1}" for k in range(len(appendices))]
    assert {path.stem for path in SOLUTIONS} <= {f"{path.stem[:2]}_solutions" for path in NUMBERED}


def test_nothing_lies_beside_the_notebooks():
    """pytest collects whatever lies below `notebooks`; the site, the tests and execute.py ask publish.py."""
    found = {path for path in ROOT.glob("notebooks/**/*.ipynb") if path.parent.name[0] != "."}
    assert found == {*publish.every_notebook()}


@each_notebook
def test_notebook_opens_in_the_fixed_form(path):
    title, badge, *paragraphs = _opening(path)
    assert title.startswith(f"# {_number(path)}. ") and badge == publish.colab_badge(path.stem)
    names = ["The question:", "You need:", "Run time:", "Afterwards you can:"]
    expected = [f"**{name}** " for name in names]
    assert [text[: len(start)] for text, start in zip(paragraphs, expected)] == expected
    assert paragraphs[4:] in ([], ["*Nothing here is for clinical use.*"])
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    assert publish.is_setup("".join(cells[1]["source"]))


@each_numbered
def test_notebook_closes_in_the_fixed_form(path):
    assert 25 <= len(json.loads(path.read_text(encoding="utf-8"))["cells"]) <= 45
    text = "\n".join("".join(cell["source"]) for cell in _cells(path, "markdown"))
    parts = [
        text.index(f"## {name}\n") for name in ("What you now know", "Exercises", "References")
    ]
    assert parts == sorted(parts)
    assert f"](solutions/{path.stem[:2]}_solutions.ipynb)" in text


@each_solution
def test_solutions_repeat_the_exercises_and_need_no_setup(path):
    title, *_ = _opening(path)
    assert title == f"# Solutions to notebook {_number(path)}"
    text = path.read_text(encoding="utf-8")
    assert publish.BADGE not in text and "**Run time:**" not in text
    sources = ["".join(cell["source"]) for cell in _cells(path, "code")]
    assert not any(map(publish.is_setup, sources))
    told = "\n".join("".join(cell["source"]) for cell in _cells(path, "markdown"))
    exercises = re.findall(r"^## Exercise (\d)$", told, flags=re.MULTILINE)
    assert exercises == [str(k + 1) for k in range(len(exercises))] and len(exercises) >= 3


@all_of_them
def test_checks_and_solutions_are_folded(path):
    """In JupyterLab and Colab by metadata of their own, on the site by their tag; Colab shows the first line."""
    for cell in _cells(path, "code"):
        kind = re.match(r"# @title (Check|Solution)\b", "".join(cell["source"]))
        tags = cell["metadata"].get("tags", [])
        assert "check" in tags or not re.search(
            r"^\s*assert\b", "".join(cell["source"]), re.MULTILINE
        )
        if kind or {"check", "solution"} & {*tags}:
            assert kind and {kind[1].lower(), "hide-cell"} <= {*tags}
            assert cell["metadata"]["jupyter"] == {"source_hidden": True}
            assert cell["metadata"]["cellView"] == "form"
    for cell in _cells(path, "markdown"):
        tags = cell["metadata"].get("tags", [])
        assert ("solution" in tags) == ("hide-cell" in tags)


@all_of_them
def test_a_check_stands_behind_its_number(path):
    """Not behind another check: what it checks has been shown before."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    checks = ["check" in cell["metadata"].get("tags", []) for cell in cells]
    assert not any(one and other for one, other in zip(checks, checks[1:]))


@all_of_them
def test_notebook_is_stored_as_executed_in_order(path):
    counts = [cell["execution_count"] for cell in _cells(path, "code")]
    assert counts == list(range(1, len(counts) + 1))


@all_of_them
def test_notebook_is_quiet(path):
    for cell in _cells(path, "code"):
        for output in cell["outputs"]:
            assert output["output_type"] != "error"
            assert output.get("name") != "stderr"
        for text in _texts(cell):
            assert not re.search(r"warning|\r|\d+%\||0x[0-9a-f]{6}", text, re.IGNORECASE), text


@all_of_them
def test_notebook_tells_nothing_about_a_machine(path):
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"/(home|root|tmp|work|Users|private)/|[A-Z]:\\\\", text)
    assert "iopub" not in text  # when each cell ran
    metadata = json.loads(text)["metadata"]
    assert set(metadata) <= {"kernelspec", "language_info"}
    assert metadata["kernelspec"]["name"] == "python3"


@all_of_them
def test_notebook_is_small(path):
    assert path.stat().st_size < 2e6
    for cell in _cells(path, "code"):
        lines = [line for line in "".join(cell["source"]).splitlines() if line.strip()]
        assert len(lines) <= 22, lines[0]


@all_of_them
def test_exempt_cells_are_followed_by_an_assert(path):
    cells = ["".join(cell["source"]) for cell in _cells(path, "code")]
    for cell, following in zip(cells, [*cells[1:], ""]):
        if "NBVAL_" in cell:
            assert "assert" in following, cell


@all_of_them
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


@pytest.mark.parametrize(
    "path", [*NOTEBOOKS, *SOLUTIONS, ROOT / "README.md"], ids=lambda path: path.stem
)
def test_links_lead_to_files_and_pictures_have_words(path):
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        text = "\n\n".join("".join(cell["source"]) for cell in _cells(path, "markdown"))
    for words, target in re.findall(r"!?\[([^\]]*)\]\(([^)\s]+)\)", text):
        assert words.strip(), f"{target} has no words"
        if not re.match(r"https?://|#", target):
            target, _, anchor = target.partition("#")
            assert (path.parent / target).exists(), target
            if anchor and target.endswith(".md"):
                page = (path.parent / target).read_text(encoding="utf-8")
                titles = re.findall(r"^##+ (.+)$", page, flags=re.MULTILINE)
                assert anchor in [title.lower().replace(" ", "-") for title in titles]


# -------------------------------------------------------------------- generated texts


def test_generated_texts_are_up_to_date():
    for path, text in publish.texts().items():
        assert path.read_text(encoding="utf-8") == text, f"run python docs/publish.py: {path.name}"


@all_of_them
def test_run_time_belongs_to_this_code(path):
    measured = publish.run_times()["code"][path.stem]
    assert measured == execute.code_hash(path), f"run python docs/execute.py {path.stem}"


@pytest.fixture
def copy(tmp_path):
    """A copy of all that carries or makes generated text."""
    for path in [*publish.texts(), ROOT / "pyproject.toml", ROOT / "docs" / "run_times.json"]:
        target = tmp_path / path.relative_to(ROOT)
        target.parent.mkdir(exist_ok=True)
        target.write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    return tmp_path


def test_address_stands_in_one_place_only(copy):
    """Another address in pyproject.toml, one command, and the old one is gone everywhere."""
    project = copy / "pyproject.toml"
    old = publish.address()
    project.write_text(project.read_text().replace(old, "https://github.com/somebody/denoise"))
    account = old.removeprefix("https://github.com/").split("/")[0]
    texts = publish.texts(copy)
    assert {*texts} >= {*publish.notebooks(copy), copy / "README.md", copy / "docs" / "results.md"}
    assert "https://somebody.github.io/denoise/" in texts[copy / "README.md"]
    for path, text in texts.items():
        assert path.suffix == ".md" or "somebody/denoise" in text, path
        assert account not in text, path


def test_another_run_time_is_written_everywhere(copy):
    times = publish.run_times(copy)
    times["seconds"] = dict.fromkeys(times["seconds"], 600)
    (copy / "docs" / "run_times.json").write_text(json.dumps(times))
    texts = publish.texts(copy)
    for path in copy.glob("notebooks/*.ipynb"):
        assert "**Run time:** about 10 minutes on 2 CPU cores" in texts[path]
    readme = texts[copy / "README.md"]
    assert readme.count("| 10 min |") == len(NOTEBOOKS)
    assert (
        f"About {10 * len(NOTEBOOKS)} minutes for all notebooks, about 10 minutes for all" in readme
    )


def _notebook(path, *sources):
    """Write a notebook of one cell of text, the first source, and cells of code."""
    cells = [{"cell_type": "markdown", "metadata": {}, "source": sources[0]}]
    code = {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": []}
    cells += [code | {"source": source} for source in sources[1:]]
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4}), encoding="utf-8")
    return path


def test_appendices_are_treated_as_notebooks_and_solutions_are_left_alone(copy):
    opening = (
        "# A9. Depth\n\n**The question:** how deep?\n\n**Run time:** about 1 minute on 2 CPU cores"
    )
    appendix = _notebook(copy / "notebooks" / "A9_depth.ipynb", opening, "", "1 + 1")
    solved = _notebook(copy / "notebooks" / "solutions" / "01_solutions.ipynb", "# Solutions", "1")
    assert publish.notebooks(copy)[-1] == appendix
    assert publish.every_notebook(copy)[-2:] == [appendix, solved]
    times = publish.run_times(copy)
    times["seconds"] = dict.fromkeys([*times["seconds"], "A9_depth", "01_solutions"], 600)
    (copy / "docs" / "run_times.json").write_text(json.dumps(times))
    texts = publish.texts(copy)
    assert solved not in texts
    assert publish.colab_badge("A9_depth", copy) in texts[appendix]
    assert "**Run time:** about 10 minutes on 2" in texts[appendix]
    setup = json.loads(texts[appendix])["cells"][1]["source"]
    assert publish.is_setup("".join(setup)) and not publish.is_setup("1 + 1")
    readme = texts[copy / "README.md"]
    rows = re.findall(r"^\| \[.*notebooks/.*10 min.*$", readme, flags=re.MULTILINE)
    assert len(rows) == len(NOTEBOOKS) + 1
    assert rows[-1].startswith("| [A9. Depth](notebooks/A9_depth.ipynb) | How deep? | 10 min |")
    assert f"About {10 * len(rows)} minutes for all notebooks" in readme


def test_code_hash_knows_the_code_and_not_the_address(tmp_path):
    one, two, three = (
        _notebook(tmp_path / name / "n.ipynb", "# N", setup, code)
        for name, setup, code in (
            ("a", publish.SETUP_CELL, "1"),
            ("b", publish.SETUP_CELL.replace("{address}", "elsewhere"), "1"),
            ("c", publish.SETUP_CELL, "2"),
        )
    )
    assert execute.code_hash(one) == execute.code_hash(two) != execute.code_hash(three)
    bare = _notebook(tmp_path / "d" / "n.ipynb", "# N", "1")
    assert execute.code_hash(bare) == execute.code_hash(one)


def test_a_lost_marker_is_named(copy):
    page = copy / "docs" / "results.md"
    page.write_text(page.read_text(encoding="utf-8").replace("<!-- end leads -->", ""))
    with pytest.raises(
        ValueError, match="results.md: expected markers 'begin leads' and 'end leads'"
    ):
        publish.texts(copy)


def test_every_marker_is_filled():
    """One that publish.py does not know would keep what stands in it for ever."""
    generated = {ROOT / name: {*texts} for name, texts in publish.parts().items()}
    for path in PAGES:
        text = path.read_text(encoding="utf-8")
        names = re.findall(r"<!-- begin (.+?) \(python docs/publish.py", text)
        assert {*names} == generated.get(path, set()), path


def test_each_method_made_of_a_network_has_a_part_of_its_own(copy, monkeypatch):
    """A new one must not stand under the words about another."""
    monkeypatch.setitem(comparison.DERIVED, "ct_unet_small", ("ct_unet", None))
    with pytest.raises(ValueError, match="^results.md: expected markers 'begin leads of ct_unet_s"):
        publish.texts(copy)
    page = copy / "docs" / "results.md"
    markers = "<!-- begin leads of ct_unet_small (python docs/publish.py writes it) -->\nnothing\n"
    markers += "<!-- end leads of ct_unet_small -->\n"
    page.write_text(page.read_text(encoding="utf-8") + markers, encoding="utf-8")
    _, added = publish.texts(copy)[page].split("begin leads of ct_unet_small ")
    assert "small U-Net, dB" in added and "8 views" not in added and "nothing" not in added


def test_spots_are_judged_for_methods_of_single_slices():
    """Which these are, their records say."""
    names = publish.SCAN_METHODS
    records = {name: {"about": About(name, neighbours=0)} for name in names}
    assert publish.of_single_slices(records) == names
    for name, neighbours in ((names[-1], 2), (names[1], None)):
        seen = records | {name: {"about": About(name, neighbours=neighbours)}}
        assert publish.of_single_slices(seen) == [other for other in names if other != name]


def _run_setup_cell(monkeypatch, find_helpers):
    """Run the set-up cell with `helpers` present or not; return the commands that it starts."""
    commands = []

    def run(command, check):
        commands.append(command)
        monkeypatch.delitem(blocked, "helpers", raising=False)

    blocked = {} if find_helpers else {"helpers": None}

    def importer(name, *arguments, **keywords):
        if name.split(".")[0] in blocked:
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


# -------------------------------------------------- the claims of the README and the pages


def _said(name):
    """Return a page's text without line breaks."""
    return " ".join((ROOT / name).read_text(encoding="utf-8").split())


def test_readme_is_short():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) < 120


def test_claims_of_the_readme():
    said = _said("README.md")
    scans, _ = comparison.read_results(comparison.SCANNER)
    assert "nine simulated scans, three reconstruction kernels at three doses" in said
    kinds = [comparison.SCANS[name] for name in scans]
    assert len({scan.kernel_name for scan in kinds}) == len({scan.photons for scan in kinds}) == 3
    assert len(scans) == 9 and "102 slices" in said
    for results in scans.values():
        assert sum(map(len, results["bm3d"]["psnr"])) == 102
    assert "the U-Nets for scans have learned from the same simulation" in said
    noise_hu = comparison.read_results(comparison.SCANNER)[1]["noise_hu"]
    shown = comparison.SCANS[draw.SHOWN_SCAN]
    caption = f"(Hann kernel, {shown.photons:,} photons, {noise_hu[shown.name]:.0f} HU)"
    assert caption in said and shown.kernel_name == "hann"
    assert "one of the middle scans of the table below" in said
    leads = {
        name: (np.concatenate(r["ct_scan"]["psnr"]) - np.concatenate(r["bm3d"]["psnr"])).mean()
        for name, r in scans.items()
    }
    for measured in (leads, noise_hu):
        assert 3 <= sorted(measured, key=measured.get).index(shown.name) <= 5  # of 0 to 8
    assert "images of other kinds, on some of which the networks are behind BM3D" in said
    images, _ = comparison.read_results(comparison.TRANSFER)
    for name in ("ct_unet", "ct_scan"):
        assert all(min(_lead_of_each(r, name, "bm3d")) < -0.1 for r in images.values())
    known = {name: entry["about"] for name, entry in scans[kinds[0].name].items()}
    assert known["ct_scan"].label == "U-Net for scans" and known["ct_scan_25d"].volume
    for name, of_scanner in (("ct_scan", True), ("ct_scan_25d", True), ("ct_unet", False)):
        recipe = json.loads((models.WEIGHTS / f"{name}.json").read_text(encoding="utf-8"))
        assert ("scanner_noise" in json.dumps(recipe)) == of_scanner


def test_claims_about_the_comparison():
    said = _said("docs/results.md")
    levels, _ = comparison.read_results()
    summary = comparison.summarise(levels[0.07], "bm3d")
    assert sum(map(len, levels[0.07]["bm3d"]["psnr"])) == 102 and "102 slices" in said
    assert "on every slice" in said
    for ours, theirs in zip(levels[0.07]["ct_unet"]["psnr"], levels[0.07]["bm3d"]["psnr"]):
        assert (ours > theirs).all()
    seconds = {name: entry["seconds"] for name, entry in summary.items() if "seconds" in entry}
    assert "a small part of its time" in said
    assert seconds["bm3d"] > 20 * seconds["ct_unet"]
    assert "takes about eight times as long" in said
    assert "With `ct_unet` in white noise it gains 0.1 dB" in _said("docs/own_scans.md")
    for results in levels.values():
        eight, one = (np.concatenate(results[n]["psnr"]).mean() for n in ("ct_unet_x8", "ct_unet"))
        assert round(eight - one, 1) == 0.1
        times = {name: np.concatenate(entry["seconds"]).mean() for name, entry in results.items()}
        assert 5 < times["ct_unet_x8"] / times["ct_unet"] < 12
        assert 0.8 < times["ct_scan"] / times["ct_unet"] < 1.25  # one network, with other weights
    assert "The small U-Net beats BM3D's mean, too, quicker still" in said
    assert summary["ct_unet_small"]["difference"][0] > 0
    assert seconds["ct_unet_small"] < seconds["ct_unet"]
    assert max(summary, key=lambda name: summary[name]["psnr"][0]) == "ct_unet_25d"
    assert "the first two of the U-Net's four stages of training, stays behind BM3D" in said
    assert len(training.stages(training.RECIPES["ct_unet"])) == 4
    assert summary["ct_conv_autoencoder"]["difference"][2] < -0.5
    assert "a little ahead of it; at noise of 0.03, the two are level on the second patient" in said
    for results in levels.values():
        pairs = list(zip(results["ct_unet_25d"]["psnr"], results["bm4d"]["psnr"]))
        assert np.concatenate([a - b for a, b in pairs]).mean() > 0.05
    pairs = list(zip(levels[0.03]["ct_unet_25d"]["psnr"], levels[0.03]["bm4d"]["psnr"]))
    assert abs((pairs[1][0] - pairs[1][1]).mean()) < 0.05
    assert "BM3D, the best of the tested filters of single slices" in said
    assert max(comparison.filters(), key=lambda name: summary[name]["psnr"][0]) == "bm3d"
    assert "not about the next one" in said
    ends = [summary["ct_unet"]["difference"][1:], summary["ct_unet"]["patients"]]
    assert np.ptp(ends[1]) > np.ptp(ends[0])  # the next patient may lie outside


def test_claims_about_scans():
    said, (scans, settings) = _said("docs/results.md"), comparison.read_results(comparison.SCANNER)
    means = {
        name: {method: np.concatenate(entry["psnr"]).mean() for method, entry in results.items()}
        for name, results in scans.items()
    }
    ahead = {name: mean["ct_scan"] - mean["bm3d"] for name, mean in means.items()}
    overall = np.mean(list(ahead.values()))
    assert f"is {overall:.1f} dB ahead of BM3D in the mean of the nine scans" in said
    assert overall >= 0.6
    assert "On white noise, the U-Net for scans is 0.2 dB behind the U-Net at each of three" in said
    white, _ = comparison.read_results()
    assert len(white) == 3
    for results in white.values():
        ours, theirs = (np.concatenate(results[n]["psnr"]).mean() for n in ("ct_scan", "ct_unet"))
        assert round(theirs - ours, 1) == 0.2 and theirs - ours <= 0.3
    for photons, said_as in ((40_000, "40,000"), (160_000, "160,000")):
        leads = [ahead[name] for name in scans if comparison.SCANS[name].photons == photons]
        assert f"{min(leads):+.1f} to {max(leads):+.1f} dB at {said_as} photons" in said
        behind = [n for n in scans if means[n]["bm4d"] > means[n]["ct_scan"] and f"{photons} " in n]
        assert len(behind) == (0 if photons == 40_000 else 3)
    assert "behind BM3D in the weakest noise, 14 HU, which is about as strong as the noise" in said
    weakest = min(scans, key=settings["noise_hu"].get)
    assert [name for name in scans if ahead[name] < 0] == [weakest]
    own = [round(WINDOW_WIDTH * tissue_differences(p).std()) for p in load_ct("test")]
    assert f"{own[0]} HU in one patient and {own[1]} HU in the other" in said
    assert round(settings["noise_hu"][weakest]) == 14 and max(abs(14 - hu) for hu in own) <= 2
    kinds = {name: comparison.SCANS[name] for name in scans}
    for kernel in {scan.kernel_name for scan in kinds.values()}:
        of_kernel = [ahead[name] for name, scan in kinds.items() if scan.kernel_name == kernel]
        assert of_kernel == sorted(of_kernel, reverse=True)  # SCANS lists the lowest dose first
    assert (
        "BM4D, which sees neighbouring slices, is behind it at 40,000 photons and ahead of it at 160,000."
        in said
    )
    assert "Averaged over the kernels, it is 1.2, 0.6 and 0.0 dB at the three doses" in said
    by_dose = {scan.photons: [] for scan in kinds.values()}
    for name, scan in kinds.items():
        by_dose[scan.photons].append(ahead[name])
    assert [round(np.mean(leads), 1) + 0 for leads in by_dose.values()] == [1.2, 0.6, 0.0]
    assert [*by_dose] == [40_000, 80_000, 160_000]
    believed = [name for name, scan in kinds.items() if scan.photons > 40_000]
    best = {m: np.mean([means[n][m] for n in believed]) for m in means[weakest]}
    assert max(best, key=best.get) == "bm4d" and best["bm4d"] - best["ct_scan_25d"] < 0.1
    rounded = [f"{best[m]:.1f} dB" for m in ("bm4d", "ct_scan", "bm3d")]
    of_best = (
        "BM4D has the best mean, {}, with the U-Net for scans on 5 slices close behind; the U-Net "
        "for scans reaches {}, BM3D {}."
    ).format(*rounded)
    assert of_best in said and of_best in _said("README.md")
    gains = {
        n: {m: mean["ct_scan_25d"] - mean[m] for m in ("ct_scan", "bm4d")}
        for n, mean in means.items()
    }
    of_doses = {
        p: [n for n in scans if comparison.SCANS[n].photons == p] for p in (40_000, 160_000)
    }
    assert "At 40,000 photons it is ahead of BM4D, by 0.4 to 0.9 dB" in said
    assert [round(f(gains[n]["bm4d"] for n in of_doses[40_000]), 1) for f in (min, max)] == [
        0.4,
        0.9,
    ]
    assert "and at 160,000 behind it, by 0.1 to 0.7 dB" in said
    assert [round(f(gains[n]["bm4d"] for n in of_doses[160_000]), 1) for f in (min, max)] == [
        -0.7,
        -0.1,
    ]
    assert (
        f"It is {np.mean([g['ct_scan'] for g in gains.values()]):.2f} dB ahead of the U-Net for scans"
        in said
    )
    assert "by 0.2 to 0.3 dB at 40,000 photons, by nothing in the weakest noise" in said
    assert [round(f(gains[n]["ct_scan"] for n in of_doses[40_000]), 1) for f in (min, max)] == [
        0.2,
        0.3,
    ]
    assert abs(gains[weakest]["ct_scan"]) < 0.01
    assert "In all nine scans, what BM3D, BM4D and the U-Nets for scans leave is coarser" in said
    for results in scans.values():
        fine = {m: np.concatenate(entry["error_frequency"]).mean() for m, entry in results.items()}
        assert max(fine[m] for m in ("bm3d", "bm4d", "ct_scan", "ct_scan_25d")) < fine["noisy"]
    assert "leaves the noise of the two Hann kernels as it is" in said
    for name in scans:
        if name.startswith("hann"):
            assert abs(means[name]["ct_unet"] - means[name]["noisy"]) < 0.1


def _lead_of_each(results, method, reference):
    """The mean lead on each patient, or each kind of image."""
    pairs = zip(results[method]["psnr"], results[reference]["psnr"], strict=True)
    return np.array([(ours - theirs).mean() for ours, theirs in pairs])


def test_claims_about_slices_that_overlap():
    said, (apart, _) = _said("docs/results.md"), comparison.read_results(comparison.SCANNER)
    overlapping, _ = comparison.read_results(comparison.OVERLAP)
    lost = {"bm3d": [], "ct_scan": []}
    for name, results in overlapping.items():
        same = apart[name.removesuffix(", overlap 0.3")]
        means, of_same = (
            {method: np.concatenate(entry["psnr"]).mean() for method, entry in each.items()}
            for each in (results, same)
        )
        for two, one in (("bm4d", "bm3d"), ("ct_scan_25d", "ct_scan")):
            lost[one].append((of_same[two] - of_same[one]) - (means[two] - means[one]))
        if "0.7" in name:
            assert abs(means["ct_scan_25d"] - means["bm4d"]) < 0.03
            assert round(of_same["bm4d"] - of_same["ct_scan_25d"], 2) == 0.25
    assert "Overlap takes 0.2 to 0.3 dB from BM4D's lead over BM3D, and at most 0.1 dB from" in said
    assert "it is now level with BM4D instead of 0.25 dB behind" in said
    assert [round(f(lost["bm3d"]), 1) for f in (min, max)] == [0.2, 0.3]
    assert len(lost["ct_scan"]) == 3 and 0 < max(lost["ct_scan"]) <= 0.1


def test_claims_about_each_patient_of_the_scans():
    said, (scans, _) = _said("docs/results.md"), comparison.read_results(comparison.SCANNER)
    other = "hann, 160000 photons"
    assert "With the Hann kernel at 160,000 photons, the lead is all in the second patient" in said
    first, second = _lead_of_each(scans[other], "ct_scan", "bm3d")
    assert abs(first) < 0.01 and second > 0.4
    assert "This holds for both patients, but for the second one with the Hann kernel" in said
    assert "there the U-Net for scans is 0.08 dB ahead" in said
    assert "The patients agree, but for the Hann kernel at 160,000 photons" in said
    assert "it is 0.42 dB behind on the first and 0.11 dB ahead on the second" in said
    for method, expected in (("ct_scan", 0.08), ("ct_scan_25d", 0.11)):
        for name, results in scans.items():
            leads = _lead_of_each(results, method, "bm4d")
            if " 40000 " in name:
                assert min(leads) > 0
            elif " 160000 " in name and name != other:
                assert max(leads) < 0
        assert round(_lead_of_each(scans[other], method, "bm4d")[1], 2) == expected
    assert round(_lead_of_each(scans[other], "ct_scan_25d", "bm4d")[0], 2) == -0.42


def test_claims_about_what_the_numbers_of_scans_rest_on():
    said = _said("docs/results.md")
    assert "from 60 other draws" in said and comparison.scanner.SPECTRUM_DRAWS == 60
    assert "At 40,000 photons, about 30 of them arrive on the worst paths" in said
    assert "The formula for the variance of a reading no longer holds there" in said
    for patient, k in zip(load_ct_hu("test"), (42, 53)):  # a slice with few photons of each
        path, _ = project(patient[k : k + 1], CT_PIXEL_MM["test"], body=BODY_MM)
        worst = 40_000 * np.exp(-path.max())
        assert 25 < worst < 35
        rng = np.random.default_rng(0)  # electronic noise of 10 photons, as in notebook 6
        counts = rng.poisson(worst, 200_000) + rng.normal(0, 10, 200_000)
        formula = np.sqrt(worst + 10**2) / worst
        assert np.log(np.maximum(counts, 1)).std() > 1.15 * formula
    assert "its 32 further epochs of training was not separated" in said
    recipe = training.RECIPES["ct_scan_25d"]
    assert recipe.epochs == 32 and recipe.start is training.RECIPES["ct_scan"]
    assert "neither is nearest to the ramp or to Hann" in said  # the notebooks measure it
    for name, check in (
        ("A5_scanner_noise_taken_apart", 'set(nearest[:2]) == {"Shepp-Logan", "cosine"}'),
        ("solutions/06_solutions", 'nearest == "shepp-logan"'),
    ):
        cells = _cells(ROOT / "notebooks" / f"{name}.ipynb", "code")
        assert any(f"assert {check}" in "".join(cell["source"]) for cell in cells)


def test_claims_about_what_psnr_does_not_show():
    said = _said("docs/results.md")
    levels, _ = comparison.read_results()
    means = {name: np.concatenate(e["psnr"]).mean() for name, e in levels[0.07].items()}
    spots = detection.read_detection()[0]["white"]
    unets = ("ct_unet", "ct_unet_small", "ct_unet_x8", "ct_scan")
    assert "The U-Nets and BM3D are far ahead of a Gaussian blur in PSNR" in said
    assert min(means[name] for name in (*unets, "bm3d")) > means["gaussian"] + 2.5
    assert "detect a spot worse after them than before; the blur changes little" in said
    assert (
        "(spots of 140 HU, noise of 98 HU)" in said and "(spots of 70 HU, noise of 21 to 88" in said
    )
    assert round(detection.CONTRAST * WINDOW_WIDTH) == 140
    noise_hu = comparison.read_results(comparison.SCANNER)[1]["noise_hu"]
    of_spots = [
        round(noise_hu[s]) for s in detection.read_detection(detection.SCANNER_DETECTION)[0]
    ]
    assert (min(of_spots), max(of_spots)) == (21, 88)
    for observer in detection.OBSERVERS:
        before = spots["noisy"][observer]
        for name in (*unets, "bm3d"):
            ours, rng = spots[name][observer], np.random.default_rng(0)
            ends = comparison.detectability_interval(ours, rng, other=before, n_resamples=500)
            assert ends[1] < 0
        blurred = spots["gaussian"][observer]
        change = comparison.detectability(blurred) - comparison.detectability(before)
        assert abs(change) < 0.1
    assert "In simulated noise of 56 HU, rods that are 40 HU brighter than soft tissue lose" in said
    assert "lose more than half of their contrast to the U-Net for scans" in said
    stored = (ROOT / "notebooks" / "08_your_own_scans.ipynb").read_text(encoding="utf-8")
    assert "noise: 56 HU, denoised 12 HU" in stored
    rods = re.findall(r"\| 40 HU, \d+ pixels \| (\d+) \| (\d+) \|", stored)
    assert len(rods) == 3 and all(int(after) < int(before) / 2 for before, after in rods)
    assert (
        "Beside metal, errors of hundreds of HU stay in a picture that is clean otherwise" in said
    )
    cells = _cells(ROOT / "notebooks" / "06_scanner_noise.ipynb", "code")
    metal = r"assert left\[.+\]\.max\(\) > 300"
    assert any(re.search(metal, "".join(cell["source"])) for cell in cells)


def test_claims_about_spots_in_scans():
    said = _said("docs/results.md")
    spots, _ = detection.read_detection(detection.SCANNER_DETECTION)
    assert "in 27 places" in said and "with six draws" in said and "spots of 70 HU" in said
    shape = spots["ramp, 80000 photons"]["noisy"]["Hotelling"].shape
    assert shape == (2, 27, 6) and round(detection.SCAN_CONTRAST * WINDOW_WIDTH) == 70
    change, ends, left = {}, {}, {}
    for method in ("gaussian", "bilateral", "nl_means", "ct_unet", "bm3d", "ct_scan"):
        for scan, entries in spots.items():
            heights = (
                np.subtract(*entries[name]["matched filter"][::-1]).mean()
                for name in (method, "noisy")
            )
            left.setdefault(method, []).append(round(100 * np.divide(*heights)))
            for observer in detection.OBSERVERS:
                ours, before = (entries[name][observer] for name in (method, "noisy"))
                key = method, scan, observer
                change[key] = comparison.detectability(ours) - comparison.detectability(before)
                ends[key] = comparison.detectability_interval(
                    ours, np.random.default_rng(0), other=before, n_resamples=500
                )
    assert "The U-Net for scans leaves 68 to 91 % of the spot" in said
    assert "BM3D, which is told the noise, leaves less of the spot, 38 to 75 %" in said
    assert [left[m] for m in ("ct_scan", "bm3d")] == [[68, 79, 91], [38, 61, 75]]
    assert "no interval lies below 0" in said
    assert min(high for key, (_, high) in ends.items() if key[0] == "ct_scan") > 0
    assert "With the ramp, a loss of 0.2 for the Hotelling observer cannot be excluded" in said
    assert round(ends["ct_scan", "ramp, 80000 photons", "Hotelling"][0], 1) == -0.2
    assert (
        "Its d' changes by -0.36 to +0.79. One interval lies below 0: with the Hann kernel the"
        in said
    )
    of_bm3d = [round(value, 2) for key, value in change.items() if key[0] == "bm3d"]
    assert (min(of_bm3d), max(of_bm3d)) == (-0.36, 0.79)
    below = [key for key, (_, high) in ends.items() if key[0] == "bm3d" and high < 0]
    assert below == [("bm3d", "hann, 80000 photons", "matched filter")]
    soft = "hann cut at 0.7, 80000 photons"
    assert "With the Hann kernel cut at 0.7, its d' is about that of the U-Net for scans" in said
    for observer in detection.OBSERVERS:
        ours, theirs = (spots[soft][name][observer] for name in ("ct_scan", "bm3d"))
        low, high = comparison.detectability_interval(ours, np.random.default_rng(0), other=theirs)
        assert low < 0 < high
    assert "NL-means loses d' with both Hann kernels, for both observers" in said
    of_hann = [high for (m, s, _), (_, high) in ends.items() if m == "nl_means" and "hann" in s]
    assert len(of_hann) == 4 and max(of_hann) < 0
    assert (
        "and with the ramp for one. The bilateral filter loses d' with the Hann kernel for" in said
    )
    for method, scan, losing in (
        ("nl_means", "ramp, 80000 photons", 1),
        ("bilateral", "ramp, 80000 photons", 0),
        ("bilateral", "hann, 80000 photons", 2),
        ("bilateral", soft, 1),
    ):
        assert (
            sum(ends[method, scan, observer][1] < 0 for observer in detection.OBSERVERS) == losing
        )
    assert "The Gaussian blur changes d' by 0.12 at most" in said
    assert "The U-Net that knows white noise only changes d' by 0.01 at most" in said
    for method, most in (("gaussian", 0.12), ("ct_unet", 0.01)):
        changes = [abs(value) for key, value in change.items() if key[0] == method]
        assert round(max(changes), 2) == most
    assert "and the Hotelling observer reaches a d' of 7.6" in said
    assert round(comparison.detectability(spots[soft]["noisy"]["Hotelling"]), 1) == 7.6


def test_claims_about_images_of_other_kinds():
    said = _said("docs/results.md")
    images, settings = comparison.read_results(comparison.TRANSFER)
    kinds = settings["images"]
    leads, worst, of_scans = {}, {}, {}
    for std, results in images.items():
        leads[std] = dict(zip(kinds, _lead_of_each(results, "ct_unet", "bm3d")))
        of_scans[std] = dict(zip(kinds, _lead_of_each(results, "ct_scan", "bm3d")))
        pairs = zip(results["ct_unet"]["psnr"], results["bm3d"]["psnr"])
        worst[std] = dict(zip(kinds, ((ours - theirs).min() for ours, theirs in pairs)))
    assert "on ten kinds of other images" in said and len(kinds) == 10
    assert "The U-Net is behind on the MR of a brain at every level" in said
    assert all(lead["brain, MR"] < -0.1 for lead in leads.values())
    assert "at 0.03 clearly behind on two more kinds" in said
    assert sum(lead < -1 for lead in leads[0.03].values()) == 2
    assert sum(lead < -0.05 for lead in leads[0.03].values()) == 3
    assert "0.9 dB ahead on the discs and slopes, but 2.8 dB behind on one of them" in said
    discs = [of[0.03]["discs and slopes"] for of in (leads, worst)]
    assert [round(lead, 1) for lead in discs] == [0.9, -2.8]
    assert "At 0.07, it is level on the soft-tissue window and on the phantom" in said
    assert "but 0.6 to 0.7 dB behind on one image of each" in said
    for kind, behind in (("soft-tissue window", -0.7), ("Shepp-Logan phantom", -0.6)):
        assert abs(leads[0.07][kind]) < 0.05 and round(worst[0.07][kind], 1) == behind
    assert "At 0.03 it is ahead on none of the ten kinds: level on the shrunken slices" in said
    assert "and behind on nine, by 0.6 dB on the chest of another scanner" in said
    level = of_scans[0.03].pop("shrunk by 0.7")
    assert -0.05 < level < 0 and max(of_scans[0.03].values()) < -0.05
    assert round(of_scans[0.03]["chest, radiotherapy scanner"], 1) == -0.6
    assert "At 0.07 it is behind on four kinds, at 0.12 on two" in said
    assert [sum(x < -0.05 for x in of_scans[std].values()) for std in (0.07, 0.12)] == [4, 2]


def test_page_on_own_scans_knows_the_networks_and_the_options():
    text = (ROOT / "docs" / "own_scans.md").read_text(encoding="utf-8")
    assert {*re.findall(r"^\| `(ct_\w+)`", text, flags=re.MULTILINE)} == {*models.shipped()}
    denoise = (ROOT / "helpers" / "__main__.py").read_text(encoding="utf-8")
    told = {*re.findall(r"`(--[a-z-]+)", text)} | {"--help"}
    assert told == {*re.findall(r'"(--[a-z-]+)"', denoise)} | {"--help"}
    low, high = PIXEL_MM
    wanted = f"smaller than about {low} mm or larger than about {high} mm"
    assert wanted in _said("docs/own_scans.md")
    assert "a sixth of the weights" in text
    small, large = (
        training.RECIPES[n].network().count_params() for n in ("ct_unet_small", "ct_unet")
    )
    assert 5.5 < large / small < 6.5
