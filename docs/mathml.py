"""A Sphinx extension: formulas become MathML, which browsers draw by themselves, without a script or a font."""

from latex2mathml.converter import convert

REACHED = "pst-scrollable-table-container"  # the theme lets the keyboard scroll what has this class and is too wide


def _inline(writer, node):
    writer.body.append(convert(node.astext()))
    _skip(node)


def _display(writer, node):
    formula = convert(node.astext(), display="block")
    writer.body.append(f'<div class="math {REACHED}">{formula}</div>')
    _skip(node)


def _skip(node):
    from docutils.nodes import SkipNode

    raise SkipNode


def setup(app):
    """Register the renderer under the name "mathml"."""
    app.add_html_math_renderer("mathml", (_inline, None), (_display, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
