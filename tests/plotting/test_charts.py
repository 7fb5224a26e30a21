"""helpers.plotting.charts: curves, bars and tables hold the numbers, with their names."""

from itertools import combinations
from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.colors import to_hex, to_rgb
from matplotlib.text import Text

from helpers import plotting


def names_in(legend):
    return [text.get_text() for text in legend.get_texts()]


def test_loss_curves():
    of_keras = SimpleNamespace(history={"loss": [0.3, 0.2, 0.1], "val_loss": [0.4, 0.3, 0.25]})
    histories = {"Adam": of_keras, "SGD": {"loss": [0.5, 0.4]}}
    figure = plotting.loss_curves(histories, ylabel="error", log=True, title="losses")
    (axis,) = figure.axes
    assert (axis.get_xlabel(), axis.get_ylabel(), axis.get_title()) == ("epoch", "error", "losses")
    assert axis.get_yscale() == "log"
    curves = {line.get_label(): line for line in axis.lines}
    assert list(curves) == ["Adam, training", "Adam, validation", "SGD"]
    dashed = curves["Adam, validation"]
    assert (dashed.get_xdata().tolist(), dashed.get_linestyle()) == ([1, 2, 3], "--")
    assert dashed.get_ydata().tolist() == [0.4, 0.3, 0.25]
    assert names_in(axis.get_legend()) == list(curves)


def test_more_curves_than_colours():
    histories = {str(k): {"loss": [k, k]} for k in range(20)}
    scores = {str(k): ([1, 2], [k, k]) for k in range(20)}
    figure = plotting.score_curves(scores, "x", "y", highlight=["3"])
    assert names_in(figure.legends[0]) == list(scores)  # below the chart
    (axis,) = plotting.loss_curves(histories).axes
    assert len(axis.lines) == 20 and axis.get_legend() is None
    assert {text.get_text() for text in axis.texts} == set(scores)  # beside the ends
    lines = figure.axes[0].lines
    assert len({(line.get_color(), line.get_marker()) for line in lines}) == 20
    widths = [line.get_linewidth() for line in lines]
    assert np.argmax(widths) == 3 and len(set(widths)) == 2


@pytest.mark.parametrize("log", [False, True])
def test_many_loss_curves_have_their_names_beside_their_ends(log):
    histories = {f"{k}00 digits": {"loss": [0.4, 0.1], "val_loss": [0.5, 0.2]} for k in (5, 7, 9)}
    figure = plotting.loss_curves(histories, log=log)
    (axis,) = figure.axes
    assert names_in(axis.get_legend()) == ["training", "validation"]
    assert [text.get_text() for text in axis.texts] == list(histories)
    assert [(*text.xy,) for text in axis.texts] == [(2, 0.2)] * 3  # the ends of the dashed curves
    figure.draw_without_rendering()
    boxes = [Text.get_window_extent(text) for text in axis.texts]
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))


def test_score_curves():
    curves = {"a": ([2, 4, 8], [1, 2, 3]), "b": ([2, 16], [0, 5])}
    figure = plotting.score_curves(curves, "size", "PSNR (dB)", log=True, marks={"noisy": 2.5})
    figure.draw_without_rendering()
    axis = figure.axes[0]
    assert [text.get_text() for text in axis.get_xticklabels()] == ["2", "4", "8", "16"]
    assert names_in(axis.get_legend()) == ["a", "b", "noisy"]
    np.testing.assert_array_equal(axis.lines[0].get_ydata(), [1, 2, 3])
    assert (axis.get_xlabel(), axis.get_ylabel()) == ("size", "PSNR (dB)")


def test_score_dots():
    groups = {"code size": {"8": 13.0, "32": 14.4, "2": 12.1}, "loss": {"BCE": 14.4, "MSE": 14.2}}
    figure = plotting.score_dots(groups, "PSNR (dB)", marks={"noisy": 9.3}, title="four choices")
    figure.draw_without_rendering()
    (axis,) = figure.axes
    assert [text.get_text() for text in axis.get_yticklabels()] == list(groups)
    assert (axis.get_xlabel(), axis.get_title()) == ("PSNR (dB)", "four choices")
    codes, losses, noisy = axis.lines
    assert codes.get_xdata().tolist() == [12.1, 13.0, 14.4]
    assert losses.get_ydata().tolist() == [1, 1]
    assert codes.get_color() != losses.get_color()
    assert [text.get_text() for text in axis.texts] == ["2", "8", "32", "MSE", "BCE"]
    places = [text.xyann[1] for text in axis.texts]
    assert places[0] == -places[1] == places[2] > 0  # above and below in turn
    assert names_in(axis.get_legend()) == ["noisy"]
    for name, wrong in (("groups", {}), (r"groups\['loss'\]", {"loss": {}})):
        with pytest.raises(ValueError, match=f"^{name}: expected at least one, got none"):
            plotting.score_dots(wrong, "PSNR (dB)")


def test_a_companion_is_dashed_in_a_darker_shade():
    curves = {"a": ([2, 4], [1, 2]), "b": ([2, 4], [0, 5])}
    (axis,) = plotting.score_curves(curves, "f", "power", dashed={"b": ([2, 4], [1, 4])}).axes
    _, measured, theory = axis.lines
    np.testing.assert_allclose(theory.get_color(), 0.5 * np.array(to_rgb(measured.get_color())))
    assert theory.get_linestyle() == "--" and theory.get_ydata().tolist() == [1, 4]
    assert names_in(axis.get_legend()) == ["a", "b"]


def _colours(figure):
    return {line.get_label(): to_hex(line.get_color()) for line in figure.axes[0].lines}


def test_a_method_has_its_colour_in_every_chart():
    names = ["mine", "BM3D", "U-Net"]
    expected = {"mine": "#d55e00", "BM3D": "#000000", "U-Net": "#0072b2"}  # a free one, not BM3D's
    assert _colours(plotting.score_curves({n: ([1], [2]) for n in names}, "x", "y")) == expected
    assert _colours(plotting.loss_curves({n: {"loss": [1]} for n in names[::-1]})) == expected
    scores = dict.fromkeys(names, 30.0)
    points = plotting.quality_against_time(scores, dict.fromkeys(names, 1.0)).axes[0].lines
    assert [to_hex(line.get_color()) for line in points] == [*expected.values()]


def test_score_bars_are_grouped_and_numbered():
    groups = {"published": {"a": 67.75}, "repaired": {"a": 25.0, "b": np.inf, "c": 30.1}}
    figure = plotting.score_bars(groups, title="falling")
    (axis,) = figure.axes
    assert [text.get_text() for text in axis.get_yticklabels()] == ["published", "repaired"]
    widths = [bar.get_width() for bar in axis.patches]
    low, high = axis.get_xlim()
    assert low == 0 and widths == [67.75, 25, high, 30.1] and high > 67.75
    assert [text.get_text().strip() for text in axis.texts] == [
        "67.75",
        "25",
        "\N{INFINITY}",
        "30.1",
    ]
    colours = [bar.get_facecolor() for bar in axis.patches]
    assert colours[0] == colours[1] and len(set(colours)) == 3
    heights = [bar.get_y() for bar in axis.patches]
    assert heights == sorted(heights) and axis.yaxis_inverted()  # the first group on top
    assert heights[1] - heights[0] > heights[2] - heights[1]
    assert names_in(figure.legends[0]) == ["a", "b", "c"]
    title = figure.legends[0].get_title()
    assert (axis.get_xlabel(), title.get_text()) == ("PSNR (dB)", "falling")


def test_quality_against_time_has_a_log_axis_and_all_names():
    figure = plotting.quality_against_time({"a": 1.0, "b": 2.0}, {"a": 0.001, "b": 1})
    (axis,) = figure.axes
    assert axis.get_xscale() == "log" and "ms" in axis.get_xlabel()
    assert {text.get_text() for text in axis.texts} == {"a", "b"}
    figure.draw_without_rendering()
    assert {"1", "10", "1000"} <= {text.get_text() for text in axis.get_xticklabels()}


def test_score_table_writes_the_numbers():
    scores = {"p": {"u": 1.04, "v": 20.0, "w": 3.0}, "q": {"u": 4.0, "v": 5.0, "w": 6.06}}
    figure = plotting.score_table(scores, "trained on", "tested on")
    figure.draw_without_rendering()
    axis = figure.axes[0]
    texts = {text.get_position(): text.get_text() for text in axis.texts}
    assert texts[0, 0] == "1.0" and texts[1, 0] == "20.0" and texts[2, 1] == "6.1"
    assert [text.get_text() for text in axis.get_yticklabels()] == ["p", "q"]


SHORT, TABLE = {"a": ([1, 2], [1])}, {"p": {"u": 1}, "q": {"v": 1}}
BAD = [
    ("histories: expected", lambda: plotting.loss_curves({})),
    ("histories: expected", lambda: plotting.loss_curves({"a": {"mae": [1]}})),
    ("curves: expected", lambda: plotting.score_curves({}, "x", "y")),
    ("curves: expected 2 values in a, got 1", lambda: plotting.score_curves(SHORT, "x", "y")),
    (
        "dashed: expected some of a, got c",
        lambda: plotting.score_curves({"a": ([1], [2])}, "x", "y", dashed={"c": ([1], [2])}),
    ),
    ("scores: expected", lambda: plotting.score_table({}, "y", "x")),
    ("scores: expected the columns u in every row", lambda: plotting.score_table(TABLE, "y", "x")),
    ("groups: expected", lambda: plotting.score_bars({})),
    ("groups: expected", lambda: plotting.score_bars({"x": {"a": 1.0}, "y": {}})),
    ("groups: expected", lambda: plotting.score_bars({"x": {"a": 1.0, "b": np.nan}})),
    ("groups: expected", lambda: plotting.score_bars({"x": {"a": 1.0, "b": -np.inf}})),
    ("intervals: expected", lambda: plotting.quality_against_time({"a": 1.0}, {"a": 1.0}, {})),
    ("seconds: expected", lambda: plotting.quality_against_time({"a": 1.0}, {})),
    ("seconds: expected", lambda: plotting.quality_against_time({"a": 1.0}, {"b": 1.0})),
    ("seconds: expected", lambda: plotting.quality_against_time({"a": 1.0}, {"a": 0.0})),
]


@pytest.mark.parametrize(("message", "call"), BAD)
def test_bad_input(message, call):
    with pytest.raises(ValueError, match=f"^{message}"):
        call()
