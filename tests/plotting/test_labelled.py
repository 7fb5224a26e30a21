"""helpers.plotting.labelled: names stand beside curves and points, and do not cover each other."""

from itertools import combinations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.text import Text

from helpers import plotting
from helpers.plotting import labelled

LEVELS = [0.03, 0.07]


def curves(count):
    """Return as many methods, all of them close to each other at the right end."""
    lines = {f"method {k}": (LEVELS, [30 + k, 28 + 0.01 * k]) for k in range(count)}
    return {"BM3D": (LEVELS, [36, 32]), **lines}


def test_difference_curves_subtract_the_reference():
    figure = plotting.difference_curves(curves(2), "BM3D", "noise", title="levels")
    (axis,) = figure.axes
    drawn = [line.get_ydata() for line in axis.lines]
    np.testing.assert_allclose(drawn, [[0, 0], [-6, -4], [-5, -3.99]])
    colours = {line.get_label(): line.get_color() for line in axis.lines}
    assert list(colours) == ["BM3D", "method 0", "method 1"]
    assert {text.get_text(): text.get_color() for text in axis.texts} == colours
    assert axis.get_ylabel() == "difference to BM3D (dB)" and axis.get_title() == "levels"
    figure.draw_without_rendering()
    assert [text.get_text() for text in axis.get_xticklabels()] == ["0.03", "0.07"]


def test_difference_curves_with_a_highlight_leave_the_others_grey():
    lines = curves(3)
    (axis,) = plotting.difference_curves(lines, "BM3D", "noise", highlight=["method 1"]).axes
    colours = {line.get_label(): line.get_color() for line in axis.lines}
    assert list(colours) == list(lines)
    assert colours["method 0"] == colours["method 2"] == "#808080"
    assert colours["BM3D"] == plotting.METHODS["BM3D"]
    assert colours["method 1"] == plotting.COLOURS[0]
    assert {text.get_text(): text.get_color() for text in axis.texts} == colours


@pytest.mark.parametrize("count", [1, 12])
def test_names_of_curves_lie_in_the_figure_and_not_upon_each_other(count):
    figure = plotting.difference_curves(curves(count), "BM3D", "noise")
    check_texts(figure, figure.bbox)


def test_names_are_moved_no_more_than_needed():
    apart = labelled._apart({"a": 0.0, "b": 0.1, "c": 5.0}, gap=1.0)
    assert apart == pytest.approx({"a": -0.45, "b": 0.55, "c": 5.0})
    apart = labelled._apart({"a": 0.0, "b": 0.0, "c": 0.9}, gap=1.0)
    assert apart == pytest.approx({"a": -0.7, "b": 0.3, "c": 1.3})


POINTS = {
    "like lower-case letters": {"a long name": (30.0, 0.5), "another name": (30.01, 0.51)},
    "wide letters": {"BM4D": (32.3, 0.5), "U-Net": (32.9, 0.6), "MMWWMM": (32.87, 0.55)},
    "many": {f"METHOD {k}": (30 + 0.3 * k, 0.5 + 0.2 * (k % 4)) for k in range(12)},
}


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("dpi", [72, 150])
@pytest.mark.parametrize("kind", POINTS)
def test_names_of_points_cover_nothing(kind, dpi, log):
    points = POINTS[kind] | {"left": (28.0, 0.5)}
    intervals = {name: (y - 0.1, y + 0.1) for name, (x, y) in points.items()}
    with plt.rc_context({"figure.dpi": dpi}):
        figure = plotting.labelled_points(points, "PSNR (dB)", "kept", intervals=intervals, log=log)
    (axis,) = figure.axes
    assert [text.get_text() for text in axis.texts] == [*points]
    boxes = check_texts(figure, axis.bbox)
    bars = [axis.transData.transform([(x, y - 0.1), (x, y + 0.1)]) for x, y in points.values()]
    for box, own in zip(boxes, axis.texts):
        for (x, low), (_, high) in bars:
            assert not (box.x0 < x < box.x1 and low < box.y1 and box.y0 < high)
        middle = (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2
        line = np.linspace(middle, axis.transData.transform(own.xy))
        for other in boxes:
            assert other is box or not any(other.contains(*dot) for dot in line)


def check_texts(figure, frame):
    """All texts lie inside, and no two of them upon each other; return their boxes."""
    figure.draw_without_rendering()
    # Of the words alone: an annotation's own box holds its line, too.
    boxes = [Text.get_window_extent(text) for text in figure.axes[0].texts]
    for box in boxes:
        assert frame.x0 <= box.x0 < box.x1 <= frame.x1
        assert frame.y0 <= box.y0 < box.y1 <= frame.y1
    for one, other in combinations(boxes, 2):
        assert not one.overlaps(other)
    return boxes


def test_a_line_at_zero_and_bars():
    figure = plotting.labelled_points(
        {"a": (1, -0.5)}, "x", "y", intervals={"a": (-1, 0)}, zero="noisy image"
    )
    (axis,) = figure.axes
    _, bar, line = axis.lines
    assert list(bar.get_ydata()) == [-1, 0] and list(line.get_ydata()) == [0, 0]
    assert {text.get_text() for text in axis.texts} == {"a", "noisy image"}


BAD = [
    ("curves: expected", lambda: plotting.difference_curves({}, "a", "x")),
    (
        "reference: expected one of a, got 'b'",
        lambda: plotting.difference_curves({"a": ([1], [1])}, "b", "x"),
    ),
    (
        r"curves: expected \[1\] as horizontal values in b",
        lambda: plotting.difference_curves({"a": ([1], [1]), "b": ([2], [1])}, "a", "x"),
    ),
    (
        "curves: expected 2 values in a, got 1",
        lambda: plotting.difference_curves({"a": ([1, 2], [1])}, "a", "x"),
    ),
    (
        "highlight: expected some of a, got b",
        lambda: plotting.difference_curves({"a": ([1], [1])}, "a", "x", highlight=["b"]),
    ),
    ("points: expected", lambda: plotting.labelled_points({}, "x", "y")),
    (
        "intervals: expected two ends for each of a",
        lambda: plotting.labelled_points({"a": (1, 2)}, "x", "y", intervals={}),
    ),
]


@pytest.mark.parametrize(("message", "call"), BAD)
def test_bad_input(message, call):
    with pytest.raises(ValueError, match=f"^{message}"):
        call()
