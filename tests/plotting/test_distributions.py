"""helpers.plotting.distributions: bars add up, arrows and codes stand where their numbers say."""

import numpy as np
import pytest

from helpers import plotting


def test_arrow_fields_run_from_start_to_end():
    starts = np.array([[0.0, 0.0], [1.0, 2.0]])
    ends = np.array([[0.5, 0.0], [1.0, 1.0]])
    figure = plotting.arrow_fields(starts, starts, {"a": ends, "b": starts})
    figure.draw_without_rendering()
    arrows = figure.axes[0].collections[0]
    np.testing.assert_allclose(np.stack([arrows.U, arrows.V], 1), ends - starts)
    assert arrows.headwidth > 3 < arrows.headlength  # heads that can be seen
    first, second = figure.axes
    assert first.get_xlim() == second.get_xlim() and first.get_ylim() == second.get_ylim()


def test_code_maps_draw_each_digit_at_its_code():
    codes = np.arange(8.0).reshape(4, 2)
    figure = plotting.code_maps({"a": codes}, [3, 3, 9, 0])
    figure.draw_without_rendering()
    places = [np.asarray(drawn.get_offsets()) for drawn in figure.axes[0].collections]
    np.testing.assert_array_equal(places[3], codes[:2])
    np.testing.assert_array_equal(places[9], codes[2:3])
    assert len(places[5]) == 0
    first, second = plotting.code_maps({"a": codes, "b": codes}, [3, 3, 9, 0]).axes
    assert first.get_position().y0 > second.get_position().y1  # below each other


def test_correlation_maps_write_the_neighbours_and_leave_out_the_middle():
    alike = np.array([[0.04, 0.3, 0], [0.86, 1, 0.86], [0, -0.3, -0.04]])
    figure = plotting.correlation_maps({"white": np.eye(5), "scanner": alike}, title="noise")
    first, second = figure.axes
    assert (first.get_title(), second.get_title()) == ("white", "scanner")
    texts = {text.get_position()[::-1]: text.get_text() for text in second.texts}
    assert texts[1, 1] == "hole" and texts[1, 0] == "0.9" and texts[2, 1] == "-0.3"
    assert texts[0, 0] == texts[2, 2] == "0.0"
    image = second.images[0]
    assert image.get_clim() == (-1, 1) and image.get_array()[1, 1] == 0
    assert alike[1, 1] == 1  # the caller's map stays as it is
    assert len(first.texts) == 25 and second.patches[0].get_xy() == (0.5, 0.5)


TWO = np.eye(2)
BAD = [
    ("ends: expected points of shape", lambda: plotting.arrow_fields(TWO, TWO, {})),
    ("ends: expected points of shape", lambda: plotting.arrow_fields(TWO, TWO, {"a": np.eye(3)})),
    ("ends: expected points of shape", lambda: plotting.arrow_fields(TWO, TWO, {"a": TWO[:1]})),
    ("codes: expected", lambda: plotting.code_maps({}, [1, 2])),
    ("codes: expected shape", lambda: plotting.code_maps({"a": np.eye(3)}, [1, 2, 3])),
    ("codes: expected shape", lambda: plotting.code_maps({"a": TWO[:, :1]}, [1, 2])),
    ("n: expected", lambda: plotting.code_maps({"a": TWO}, [1, 2], n=0)),
    ("maps: expected", lambda: plotting.correlation_maps({})),
    ("maps: expected odd squares", lambda: plotting.correlation_maps({"a": np.eye(4)})),
    ("maps: expected odd squares", lambda: plotting.correlation_maps({"a": np.zeros((3, 5))})),
    ("maps: expected odd squares", lambda: plotting.correlation_maps({"a": np.zeros(3)})),
]


@pytest.mark.parametrize(("message", "call"), BAD)
def test_bad_input(message, call):
    with pytest.raises(ValueError, match=f"^{message}"):
        call()
