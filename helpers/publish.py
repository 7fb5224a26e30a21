"""The public address of this repository, written into everything that needs it.

The address stands in pyproject.toml, under [project.urls], and nowhere else. After a change of it run
`python -m helpers.publish`: it writes the set-up cell and the badge of every notebook and the badges of
the README. A test fails where they differ.
"""

import argparse
import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BADGE = "https://colab.research.google.com/assets/colab-badge.svg"

SETUP_CELL = """\
# Set-up: nothing happens where this repository is installed. Elsewhere, as in Google Colab, fetch it.
try:
    import helpers  # before other imports: it keeps TensorFlow's start-up log quiet
except ImportError:
    import importlib
    import subprocess
    import sys

    address = "git+{address}"
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", address], check=True)
    importlib.invalidate_caches()
    import helpers"""


def address(root=ROOT):
    """Return the address of the repository that pyproject.toml gives.

    Parameters
    ----------
    root : str or Path
        The repository's folder.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If pyproject.toml gives none.

    Examples
    --------
    >>> address().split(":")[0]
    'https'
    """
    text = Path(root, "pyproject.toml").read_text(encoding="utf-8")
    found = re.search(r'^\[project\.urls\]\nrepository = "(.+)"$', text, flags=re.MULTILINE)
    if not found:
        raise ValueError('pyproject.toml: expected a line repository = "..." under [project.urls]')
    return found[1]


def colab_badge(notebook, root=ROOT):
    """Return the Markdown of a badge that opens a notebook in Google Colab.

    Parameters
    ----------
    notebook : str
        File name without its ending.
    root : str or Path
        The repository's folder.

    Returns
    -------
    str

    References
    ----------
    The badge and the form of the link as Colab documents them, for repositories on GitHub.

    Examples
    --------
    >>> colab_badge("01_theory_and_data")[:17]
    '[![Open in Colab]'
    """
    repository = re.sub(r"^.*github\.com/|\.git$", "", address(root))
    link = f"https://colab.research.google.com/github/{repository}/blob/main/notebooks/{notebook}.ipynb"
    return f"[![Open in Colab]({BADGE})]({link})"


def published(root=ROOT):
    """Return every file that carries the address as it should read.

    Parameters
    ----------
    root : str or Path
        The repository's folder.

    Returns
    -------
    dict of Path to str
        README.md and all notebooks with today's address.

    Examples
    --------
    >>> sorted(path.suffix for path in published())[-1]
    '.md'
    """
    root = Path(root)
    files = {}
    for path in sorted(root.glob("notebooks/*.ipynb")):
        notebook = json.loads(path.read_text(encoding="utf-8"))
        title, *_ = (cell for cell in notebook["cells"] if cell["cell_type"] == "markdown")
        setup, *_ = (cell for cell in notebook["cells"] if cell["cell_type"] == "code")
        heading, _, text = "".join(title["source"]).partition("\n\n")
        text = re.sub(r"\A\[!\[Open in Colab\].*\n\n", "", text)
        title["source"] = _lines(f"{heading}\n\n{colab_badge(path.stem, root)}\n\n{text}")
        setup["source"] = _lines(SETUP_CELL.replace("{address}", address(root)))
        files[path] = json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"
    readme = root / "README.md"
    files[readme] = re.sub(
        r"\[!\[Open in Colab\].*?/notebooks/(\w+)\.ipynb\)",
        lambda match: colab_badge(match[1], root),
        readme.read_text(encoding="utf-8"),
    )
    return files


def _lines(text):
    """Split a cell's text as notebook files store it."""
    return text.splitlines(keepends=True)


def main(arguments=None):
    """Write the address from pyproject.toml into the README and all notebooks."""
    argparse.ArgumentParser(prog="python -m helpers.publish", description=main.__doc__).parse_args(
        arguments
    )
    for path, text in published().items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
