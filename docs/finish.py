"""A Sphinx extension: the last touch to each page, for readers on slow lines and readers who listen.

Links of the pages in docs hold in the repository; they are turned into links of the site as the pages are read.
Each picture says how large it is, so that no text jumps while it loads. What opens and shuts has a name. Solutions
have no button to Colab: they do without the cell that would fetch the repository there.
"""

import re
from pathlib import Path
from urllib.parse import unquote

import imagesize

import sources

NAMES = [  # of the theme's buttons: what is found, and what stands in its place
    (
        r'(<button class="[^"]*search-button-field[^>]*) aria-label="Search"',
        r"\1",
    ),  # its text says it
    (r'(<summary)( aria-label="Toggle hidden content")', r"\1"),  # so does this one's
    (
        r'<summary>(\s*<span class="toctree-toggle")',
        r'<summary aria-label="Show or hide its pages">\1',
    ),
]


def sized(html, folder):
    """Return a page in which the pictures that lie beside it say how large they are.

    Parameters
    ----------
    html : str
    folder : Path
        Of the page.

    Returns
    -------
    str
    """

    def add(found):
        tag, source = found[0], found[1]
        path = folder / unquote(source)
        if re.search(r"\swidth=|\sheight=", tag) or not path.is_file():
            return tag
        width, height = imagesize.get(path)
        size = f'width="{width}" height="{height}" loading="lazy"'
        return tag.replace("<img", f"<img {size}", 1) if width > 0 else tag

    return re.sub(r'<img\b[^>]*?\ssrc="([^":]+)"[^>]*>', add, html)


def named(html):
    """Return a page in which every button of the theme can be told by its name."""
    for pattern, replacement in NAMES:
        html = re.sub(pattern, replacement, html)
    return html


def _finish(app, failed):
    if failed or app.builder.name != "html":
        return
    for path in Path(app.outdir).rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        path.write_text(named(sized(text, path.parent)), encoding="utf-8")


def _linked(app, page, source):
    if "/" not in page and page not in ("index", "CONTRIBUTING"):  # those are copies
        source[0] = sources.linked(source[0], sources.DOCS)


def _without_colab(app, page, template, context, document):
    if page.startswith("notebooks/solutions/"):
        buttons = context["header_buttons"]
        buttons[:] = [button for button in buttons if button.get("label") != "launch-buttons"]


def setup(app):
    """Work on the pages as they are read, as they are laid out, and when all are written."""
    app.connect("source-read", _linked)
    app.connect("html-page-context", _without_colab, priority=900)  # behind the theme
    app.connect("build-finished", _finish)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
