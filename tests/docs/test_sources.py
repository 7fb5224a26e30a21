"""What a build makes anew: copies of notebooks and texts, the API pages; and the glossary."""

import doctest
import json
import re

import numpy as np
import pytest

import publish
import samples
import sources
from helpers import metrics
from helpers.hounsfield import HU_HIGH, HU_LOW, WINDOW_WIDTH

NOTEBOOKS = publish.every_notebook()


@pytest.mark.parametrize("module", [publish, samples, sources], ids=lambda module: module.__name__)
def test_examples_in_docstrings(module):
    failed, tried = doctest.testmod(module)
    assert tried and not failed


def test_links_stay_in_the_site_or_lead_to_the_repository():
    folder = publish.ROOT / "notebooks"
    blob = f"{publish.address()}/blob/main"
    for link, expected in {
        "04_x.ipynb": "04_x.ipynb",
        "../img/a.svg": "../img/a.svg",
        "#part": "#part",
        "https://example.org/a": "https://example.org/a",
        "../README.md": "../index.md",
        "../helpers/metrics.py#L3": f"{blob}/helpers/metrics.py#L3",
        "../helpers": f"{publish.address()}/tree/main/helpers",
    }.items():
        assert sources.linked(f"[words]({link})", folder) == f"[words]({expected})"
    for link, expected in {
        "README.md": "index.md",
        "docs/results.md#leads": "results.md#leads",
        "docs/publish.py": f"{blob}/docs/publish.py",
        "notebooks/04_x.ipynb": "notebooks/04_x.ipynb",
    }.items():
        assert sources.linked(f"[words]({link})", publish.ROOT) == f"[words]({expected})"
    for link, expected in {
        "../README.md": "index.md",
        "results.md": "results.md",
        "../notebooks/04_x.ipynb": "notebooks/04_x.ipynb",
        "../img/a.svg": "img/a.svg",
        "../CONTRIBUTING.md": "CONTRIBUTING.md",
        "../helpers": f"{publish.address()}/tree/main/helpers",
    }.items():
        assert sources.linked(f"[words]({link})", publish.ROOT / "docs") == f"[words]({expected})"
    deep = folder / "solutions"
    for link, expected in {
        "../01_x.ipynb": "../01_x.ipynb",
        "../../README.md": "../../index.md",
        "../../helpers/metrics.py": f"{blob}/helpers/metrics.py",
    }.items():
        assert sources.linked(f"[words]({link})", deep) == f"[words]({expected})"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_copy_differs_only_where_a_page_must(path):
    original = json.loads(path.read_text(encoding="utf-8"))["cells"]
    copied = json.loads(sources.page_of(path))["cells"]
    assert len(original) == len(copied)
    for before, after in zip(original, copied):
        if before["cell_type"] == "code":
            assert before["source"] == after["source"]
            if any("image/png" in output.get("data", {}) for output in before["outputs"]):
                assert after["metadata"]["mystnb"]["image"]["alt"].startswith("Figure: ")
        assert "Open in Colab](" not in "".join(after["source"])


def _text(source):
    return {"cell_type": "markdown", "metadata": {}, "source": source.splitlines(keepends=True)}


def _code(source, figure=False):
    data = {"image/png": ""} if figure else {"text/plain": "1"}
    return {
        "cell_type": "code",
        "metadata": {},
        "source": source.splitlines(keepends=True),
        "outputs": [{"output_type": "display_data", "data": data}],
    }


BEFORE = _text(
    "## Noise\n\nNow look. The noise of `b` is **stronger** than that of $a$. It is Gaussian."
)
CAPTION = _text(
    "*Left: weak noise.\nRight: **strong** noise, see [1](01_x.ipynb).* Both are white.\n\n*No* caption."
)
CHECK = _code("# @title Check\nassert True")


TITLED = 'show(a, title="Two kinds of noise")'


@pytest.mark.parametrize(
    ("drawn", "behind", "words"),
    [
        (TITLED, [CAPTION], "Left: weak noise. Right: strong noise, see 1."),
        (TITLED, [CHECK, CAPTION], "Left: weak noise. Right: strong noise, see 1."),
        (TITLED, [_text("*Does it differ at all?*")], "Does it differ at all?"),
        # No caption: too far behind, of another figure, too short, bold, not at the start of its cell
        (TITLED, [CHECK, CHECK, CAPTION], "Two kinds of noise."),
        (TITLED, [_code("show(b)", True), CAPTION], "Two kinds of noise."),
        (TITLED, [_text("*Both* are white.")], "Two kinds of noise."),
        (TITLED, [_text("**Both of them are white.**")], "Two kinds of noise."),
        (TITLED, [_text("See:\n\n*Both of them are white.*")], "Two kinds of noise."),
        # Where else a title is set
        ('labels["title"] = "Solid: one. Dashed: two."\nshow(a)', [], "Solid: one. Dashed: two."),
        ('style = {"n": 2, "title": "Power of both noises"}\nshow(a)', [], "Power of both noises."),
        ("title = 'Power of \"both\" noises'\nshow(a, title=title)", [], 'Power of "both" noises.'),
        (
            'show(\n    a,\n    title="Power of "\n    "either noise:",\n)',
            [],
            "Power of either noise.",
        ),
    ],
)
def test_words_for_a_figure(drawn, behind, words):
    cells = [BEFORE, CHECK, _code(drawn, True), *behind]
    assert sources.words_for(cells, 2) == f"Figure: {words}"


@pytest.mark.parametrize(
    "drawn",
    [
        "show(a)",
        'show(a, title="Noise")',
        'show(a, title=f"Two kinds of {name}")',
        '# title="Two kinds of noise"\ntitles = ["Two kinds of noise"]',
        f"%matplotlib inline\n{TITLED}",
    ],
)
def test_words_for_a_figure_without_caption_and_title(drawn):
    """The first sentence that says something, of the text before; of the text behind where there is none."""
    sentence = "Figure: The noise of b is stronger than that of a."
    assert (
        sources.words_for([_text("A text further up."), BEFORE, _code(drawn, True)], 2) == sentence
    )
    assert sources.words_for([_code(drawn, True), CHECK, BEFORE], 0) == sentence


def test_words_for_a_figure_with_little_text():
    table = "# Noise of two kinds here\n\n| a | b |\n| --- | --- |\n\n$$ a = b $$\n\n- See here: a < b.\n"
    cells = [_code("show(a)", True), _text(table)]
    assert sources.words_for(cells, 0) == "Figure: See here: a < b."
    assert sources.words_for([_text("Look:"), _code("show(a)", True)], 1) == "Figure"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_figure_of_ours_has_words(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    for index, cell in enumerate(cells):
        if any("image/png" in output.get("data", {}) for output in cell.get("outputs", [])):
            words = sources.words_for(cells, index).removeprefix("Figure: ")
            assert len(words.split()) >= 4 and words[-1] in ".?!", f"cell {index}: {words}"


def test_what_is_folded_says_what_it_is(tmp_path):
    """A code cell by MyST-NB, by its tag; text, which that leaves open, by the same element in the copy."""
    cells = [
        {"cell_type": kind, "metadata": {"tags": tags}, "source": [source], "outputs": []}
        for kind, tags, source in (
            ("code", [], publish.SETUP_CELL),
            ("code", ["check", "hide-cell"], "assert True"),
            ("code", ["solution", "hide-cell"], "1 + 1"),
            ("markdown", ["solution", "hide-cell"], "It is **two**, see [1](01_x.ipynb)."),
            ("markdown", [], "It is open."),
        )
    ]
    path = tmp_path / "notebooks" / "01_x.ipynb"
    path.parent.mkdir()
    path.write_text(json.dumps({"cells": cells}))
    setup, check, solution, answer, text = json.loads(sources.page_of(path, tmp_path))["cells"]
    named = [cell["metadata"]["mystnb"]["code_prompt_show"] for cell in (setup, check, solution)]
    assert named == ["Show the set-up", "Show the check", "Show the solution"]
    assert setup["metadata"]["tags"] == ["hide-input"]
    assert re.match(r'<div [^>]+><details class="[^"]*\bhide\b', answer["source"])
    assert "\n\nIt is **two**, see [1](01_x.ipynb).\n\n</details>" in answer["source"]
    assert text["source"] == "It is open."


def test_api_pages_cover_the_package():
    folders = {path.parent.name for path in publish.ROOT.glob("helpers/*/__init__.py")}
    assert folders <= sources.API.keys()
    pages = sources.api_pages()
    assert pages.keys() == {"index", *sources.API}
    assert all(name in pages["index"] for name in sources.API)


def _glossary():
    text = (publish.ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    return dict(re.findall(r"^(\w\S*)\n((?:  .+\n)+)", text, flags=re.MULTILINE))


def test_glossary_has_the_words_in_order():
    words = list(_glossary())
    assert words == sorted(words, key=str.lower)
    wanted = "PSNR SSIM HU window kernel photons bottleneck skip residual blind grain spectrum"
    assert {*wanted.split()} <= {*words}


def test_glossary_numbers():
    words = _glossary()
    assert f"{HU_LOW:.0f} to {HU_HIGH:.0f} HU" in words["window"]
    assert "0.07 grey levels are 98 HU" in words["std"]
    assert round(0.07 * WINDOW_WIDTH) == 98
    for error, level in ((0.1, 20), (0.01, 40)):  # "20 dB is an error of 0.1 ..."
        clean = np.zeros((1, 8, 8, 1))
        assert round(metrics.psnr(clean, clean + error)[0], 2) == level
        assert f"{level} dB" in words["PSNR"]
    assert round(10 * np.log10(10)) == 10 and round(20 * np.log10(2)) == 6  # "dB"


def _letters(formula):
    """Return the letters of a formula, with index and hat; names of functions and words are none."""
    formula = re.sub(
        r"\\(mathrm|text)\{[^}]*\}(\[[^\]]*\])?|\\(?!hat|sigma)[a-zA-Z]+", " ", formula
    )
    return {*re.findall(r"\\hat\{[a-z]\}|(?:\\sigma|[A-Za-z])(?:_\w)?", formula)}


def test_glossary_has_the_symbols_of_the_series():
    found = _letters(r"\hat{x} = f(N_0 \sigma_e) \exp(z) \mathrm{MSE}")
    assert found == {r"\hat{x}", "f", "N_0", r"\sigma_e", "z"}
    text = (publish.ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    known = _letters(" ".join(re.findall(r"^\| (\$.+?) \|", text, flags=re.MULTILINE)))
    passing = {"t", "x_i", "y_i"}  # the sigmoid's variable; one of the images, one of the pixels
    for path in publish.notebooks():
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        told = " ".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
        if path.stem[0] == "0":  # an appendix explains the letters of its own
            for formula in re.findall(r"\$\$.+?\$\$|\$[^$]+\$", told, flags=re.DOTALL):
                assert _letters(formula) <= known | passing, f"{path.stem}: {formula}"
