"""A Sphinx extension: each picture of a page gets its width and height, so that no text jumps while it loads."""

import re
from pathlib import Path
from urllib.parse import unquote

import imagesize


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
        if width < 1:
            return tag
        return tag.replace("<img", f'<img width="{width}" height="{height}" loading="lazy"', 1)

    return re.sub(r'<img\b[^>]*?\ssrc="([^":]+)"[^>]*>', add, html)


def _finish(app, failed):
    if failed or app.builder.name != "html":
        return
    for path in Path(app.outdir).rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        path.write_text(sized(text, path.parent), encoding="utf-8")


def setup(app):
    """Work on the pages when all are written."""
    app.connect("build-finished", _finish)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
