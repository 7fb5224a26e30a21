"""What every build makes anew in the folder of the site: copies of texts, pictures and notebooks, and the API pages.

A copy differs from its original in what a page needs: the badge gives way to the theme's button, links that leave the
site lead to the repository, a figure has words for those who cannot see it, a widget says where it can be moved, and
what is folded says what it is. MyST-NB folds code only: around text, the copy carries the same element itself.
"""

import ast
import json
import os
import re
import shutil

import publish

DOCS = publish.ROOT / "docs"
MADE = ("notebooks", "img", "api")
API = {
    "data": "Data",
    "noise": "Noise",
    "metrics": "Measures",
    "hounsfield": "The CT window",
    "contract": "The contract of a denoiser",
    "baselines": "Classical filters",
    "models": "Networks and denoisers",
    "training": "Training",
    "comparison": "Comparison",
    "scans": "Your own scans",
    "plotting": "Figures",
}
API_PAGE = """# {title}

```{{eval-rst}}
.. automodule:: helpers.{name}
{options}
```
"""
API_INDEX = """# API reference

The public names of the package `helpers`, module by module. A *denoiser* is a function from a noisy batch to a
denoised batch, both of shape (n, height, width, 1), with grey levels near [0, 1].

```{{toctree}}
{}
```
"""
ENOUGH_WORDS = 4  # fewer do not describe a figure
WIDGET = "application/vnd.jupyter.widget-view+json"
STILL = "(Something to move by hand, where Python runs: open this notebook in Colab or Jupyter.)"
FOLDED = """\
<div class="cell docutils container"><details class="admonition hide above-input">
<summary><p class="collapsed admonition-title">Show the answer</p>
<p class="expanded admonition-title">Hide the answer</p></summary>

{}

</details></div>"""
_LINK = re.compile(r"(!?\[[^\]]*\]\()([^)\s]+)(\))")


def linked(text, folder, root=publish.ROOT):
    """Turn relative links, which hold in the repository, into links that hold on the site.

    What is no part of the site is looked at in the repository.

    Parameters
    ----------
    text : str
        Markdown.
    folder : Path
        Where it lies in the repository: links start there.

    Returns
    -------
    str
    """

    def lead(found):
        before, target, after = found.groups()
        path, _, anchor = target.partition("#")
        if re.match(r"[a-z]+:", target) or not path:
            return found[0]
        place = (folder / path).resolve().relative_to(root).as_posix()
        anchor = f"#{anchor}" if anchor else ""
        if on_site := _on_site(place):
            here = folder.relative_to(root).as_posix().removeprefix("docs")
            return f"{before}{os.path.relpath(on_site, here or '.')}{anchor}{after}"
        kind = "tree" if (root / place).is_dir() else "blob"
        return f"{before}{publish.address(root)}/{kind}/main/{place}{anchor}{after}"

    return _LINK.sub(lead, text)


def _on_site(place):
    """Return where the site has a file of the repository; empty where it has not."""
    if place == "README.md":
        return "index.md"
    if re.fullmatch(r"notebooks/.+\.ipynb|img/.+\.\w+|CONTRIBUTING\.md", place):
        return place
    return place.removeprefix("docs/") if re.fullmatch(r"docs/\w+\.md", place) else ""


def words_for(cells, index):
    """Describe the figure of a cell in words, for those who cannot see it.

    The words are the caption behind it, a paragraph in italics that opens one of the next two cells. Without a caption
    they are the title that the cell gives to the figure; without a title, the first sentence of the text before, or
    else behind.

    >>> told = {"cell_type": "markdown", "source": ["## Noise\\n", "\\n", "Look. Here **grain** grows fast. More."]}
    >>> words_for([told, {"cell_type": "code", "source": ["show()"]}], 1)
    'Figure: Here grain grows fast.'
    """
    texts = [
        _caption(cells[index + 1 : index + 3]),
        _title("".join(cells[index]["source"])),
        *map(_first_sentence, [*cells[index::-1], *cells[index:]]),
    ]
    found = next((text for text in texts if len(text.split()) >= ENOUGH_WORDS), "")
    found = found.rstrip(":;,. ")
    return f"Figure: {found}" + "." * (found[-1:] not in "?!") if found else "Figure"


def _plain(text):
    """Return a text without the marks of Markdown and line breaks."""
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", re.sub(r"[*`$]", "", text))
    return " ".join(text.split())


def _caption(cells):
    """Return the caption with which the first text of some cells opens, before another figure; empty if it has none."""
    for cell in cells:
        if cell["cell_type"] == "markdown":
            opening = "".join(cell["source"]).strip().split("\n\n")[0]
            found = re.match(r"\*(?!\*)(.+?)(?<![*\s])\*(?!\*)", opening, flags=re.DOTALL)
            return _plain(found[1]) if found else ""
        if any("image/png" in output.get("data", {}) for output in cell.get("outputs", [])):
            return ""
    return ""


def _title(code):
    """Return the first title that some code gives in a call, a dictionary or a variable; empty if it has none."""
    try:
        nodes = [*ast.walk(ast.parse(code))]
    except SyntaxError:  # a magic of the notebook
        return ""
    values = []
    for node in nodes:
        if isinstance(node, ast.keyword):
            values += [node.value] * (node.arg == "title")
        elif isinstance(node, ast.Dict):
            values += [value for key, value in zip(node.keys, node.values) if _is_title(key)]
        elif isinstance(node, ast.Assign):
            values += [node.value] * any(map(_is_title, node.targets))
    texts = [one for one in values if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    first = min(texts, key=lambda one: (one.lineno, one.col_offset), default=None)
    return _plain(first.value) if first else ""


def _is_title(node):
    """Return whether a piece of code is `title`, "title" or labels["title"]."""
    if isinstance(node, ast.Subscript):
        return _is_title(node.slice)
    return getattr(node, "id", None) == "title" or getattr(node, "value", None) == "title"


def _first_sentence(cell):
    """Return the first sentence of a text that says something, without headings, tables and set-off formulas."""
    if cell["cell_type"] != "markdown":
        return ""
    text = re.sub(r"^#.*$|^\|.*$|^ *- ", "", "".join(cell["source"]), flags=re.MULTILINE)
    text = re.sub(r"\$\$.*?\$\$", "", text, flags=re.DOTALL)
    sentences = re.split(r"(?<=[.?!])\s", _plain(text))
    return next((one for one in sentences if len(one.split()) >= ENOUGH_WORDS), "")


def page_of(path, root=publish.ROOT):
    """Return the text of a notebook's file as the site shows it."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    cells = notebook["cells"]
    for index, cell in enumerate(cells):
        text = "".join(cell["source"])
        tags = cell["metadata"].setdefault("tags", [])
        shown = cell["metadata"].setdefault("mystnb", {})
        if cell["cell_type"] == "markdown":
            text = re.sub(r"^\[!\[Open in Colab\].*\n\n?", "", text, flags=re.MULTILINE)
            text = linked(text, path.parent, root)
            cell["source"] = FOLDED.format(text) if "hide-cell" in tags else text
            continue
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if data.pop(WIDGET, None):
                data["text/plain"] = [STILL]
            if "image/png" in data:
                shown["image"] = {"alt": words_for(cells, index)}
        if "hide-cell" in tags:
            name = "solution" if "solution" in tags else "check"
            shown |= {
                "code_prompt_show": f"Show the {name}",
                "code_prompt_hide": f"Hide the {name}",
            }
        if publish.is_setup(text):
            tags.append("hide-input")
            shown |= {"code_prompt_show": "Show the set-up", "code_prompt_hide": "Hide the set-up"}
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def api_pages():
    """Return the pages of the API reference, by their names: one for each module or folder with public names.

    >>> print(api_pages()["metrics"])
    # Measures
    <BLANKLINE>
    ```{eval-rst}
    .. automodule:: helpers.metrics
       :members:
    ```
    <BLANKLINE>
    """
    pages = {"index": API_INDEX.format("\n".join(API))}
    for name, title in API.items():
        is_folder = (publish.ROOT / "helpers" / name).is_dir()
        options = "   :members:" + "\n   :imported-members:" * is_folder
        pages[name] = API_PAGE.format(title=title, name=name, options=options)
    return pages


def prepare(root=publish.ROOT, docs=DOCS):
    """Write all copies; those of files that are gone go, too."""
    for name in MADE:
        shutil.rmtree(docs / name, ignore_errors=True)
    shutil.copytree(root / "img", docs / "img", ignore=shutil.ignore_patterns("*.py", "__*"))
    for path in publish.every_notebook(root):
        target = docs / path.relative_to(root)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(page_of(path, root), encoding="utf-8")
    (docs / "api").mkdir()
    for name, text in api_pages().items():
        (docs / "api" / f"{name}.md").write_text(text, encoding="utf-8")
    for name, copied in (("README.md", "_readme.md"), ("CONTRIBUTING.md", "CONTRIBUTING.md")):
        text = (root / name).read_text(encoding="utf-8")
        text = re.sub(r"\[!\[Open in Colab\]\(\S+\]\((\S+)\)", r"[Colab](\1)", text)
        text = re.sub(r"<!-- begin site .*?<!-- end site -->\n\n", "", text, flags=re.DOTALL)
        (docs / copied).write_text(linked(text, root, root), encoding="utf-8")
