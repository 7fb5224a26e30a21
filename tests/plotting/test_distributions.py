"""helpers.plotting.distributions: bars add up, arrows and codes stand where their numbers say."""

import numpy as np
import pytest

from helpers import plotting


def test_histograms_add_up_to_100_per_cent():
    values = {"a": np.array([0, 0, 0, 1.0]), "b": np.linspace(0, 1, 50).reshape(5, 10)}
    figure = plotting.histograms(values, "grey level", bins=4, marks={"half": 0.5})
    figure.draw_without_rendering()
    for axis in figure.axes:
        assert sum(bar.get_height() for bar in axis.patches) == pytest.approx(100)
        assert axis.get_xlabel() == "grey level" and axis.texts[0].get_text() == " half"
    assert figure.axes[0].patches[0].get_height() == pytest.approx(75)


def test_arrow_fields_run_from_start_to_end():
    starts = np.array([[0.0, 0.0], [1.0, 2.0]])
    ends = np.array([[0.5, 0.0], [1.0, 1.0]])
    figure = plotting.arrow_fields(starts, starts, {"a": ends, "b": starts})
    figure.draw_without_rendering()
    arrows = figure.axes[0].collections[0]
    np.testing.assert_allclose(np.stack([arrows.U, arrows.V], 1), ends - starts)
    assert arrows.headwidth > 3 < arrows.headlength  # heads that can be seen


def test_code_maps_draw_each_digit_at_its_code():
    codes = np.arange(8.0).reshape(4, 2)
    figure = plotting.code_maps({"a": codes}, [3, 3, 9, 0])
    figure.draw_without_rendering()
    places = [np.asarray(drawn.get_offsets()) for drawn in figure.axes[0].collections]
    np.testing.assert_array_equal(places[3], codes[:2])
    np.testing.assert_array_equal(places[9], codes[2:3])
    assert len(places[5]) == 0


TWO = np.eye(2)
BAD = [
    ("values: expected at least one", lambda: plotting.histograms({}, "x")),
    ("ends: expected points of shape", lambda: plotting.arrow_fields(TWO, TWO, {})),
    ("ends: expected points of shape", lambda: plotting.arrow_fields(TWO, TWO, {"a": np.eye(3)})),
    ("ends: expected points of shape", lambda: plotting.arrow_fields(TWO, TWO, {"a": TWO[:1]})),
    ("codes: expected", lambda: plotting.code_maps({}, [1, 2])),
    ("codes: expected shape", lambda: plotting.code_maps({"a": np.eye(3)}, [1, 2, 3])),
    ("codes: expected shape", lambda: plotting.code_maps({"a": TWO[:, :1]}, [1, 2])),
    ("n: expected", lambda: plotting.code_maps({"a": TWO}, [1, 2], n=0)),
]


@pytest.mark.parametrize(("message", "call"), BAD)
def test_bad_input(message, call):
    with pytest.raises(ValueError, match=f"^{message}"):
        call()
