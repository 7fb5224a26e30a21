"""helpers.plotting.images: what a picture holds, its labels, and that nothing runs past the end."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from helpers import hounsfield, plotting


@pytest.fixture
def numbered():
    """Seven images; image k has the grey level k / 10 everywhere."""
    return np.arange(7, dtype=np.float32).reshape(7, 1, 1, 1) / 10 + np.zeros((7, 8, 9, 1))


def shown(axes):
    """Numbers of the `numbered` images that some axes show."""
    return [round(float(axis.images[0].get_array().mean()) * 10) for axis in axes]


def titles(figure):
    return [axis.get_title() for axis in figure.axes]


@pytest.mark.parametrize(("n", "count"), [(1, 1), (5, 5), (7, 7), (8, 7), (1000, 7)])
def test_image_grid_shows_at_most_all_images(n, count, numbered, rng):
    figure = plotting.image_grid(numbered, n=n, columns=3, title="digits")
    assert isinstance(figure, Figure)
    assert shown(figure.axes) == list(range(count))
    assert figure.get_suptitle() == "digits"
    drawn = shown(plotting.image_grid(numbered, n=n, rng=rng).axes)
    assert len(set(drawn)) == len(drawn) == count


def test_random_images_keep_their_own_labels(numbered):
    picks = set()
    for seed in range(20):
        rng = np.random.default_rng(seed)
        figure = plotting.image_grid(numbered, labels=list("abcdefg"), n=3, rng=rng)
        numbers = shown(figure.axes)
        assert titles(figure) == ["abcdefg"[number] for number in numbers]
        picks.update(numbers)
    assert picks == set(range(7))


def test_grey_images_share_the_scale_from_0_to_1(numbered):
    for figure in (
        plotting.image_grid(numbered),
        plotting.image_rows({"a": numbered}),
        plotting.zoom_rows({"a": numbered[3]}, (0, 0, 4, 4)),
    ):
        for axis in figure.axes:
            assert axis.images[0].get_clim() == (0, 1)
            assert axis.images[0].get_cmap().name == "gray"
            assert len(axis.get_xticks()) == len(axis.get_yticks()) == 0


@pytest.mark.parametrize("n", [1, 4, 100])
@pytest.mark.parametrize("seed", [None, 3])
def test_image_rows_show_the_same_image_in_each_column(n, seed, numbered):
    rng = None if seed is None else np.random.default_rng(seed)
    rows = {"clean": numbered, "again": numbered, "third": numbered}
    figure = plotting.image_rows(rows, labels=range(7), n=n, rng=rng, title="rows")
    columns = min(n, 7)
    assert len(figure.axes) == 3 * columns
    first = shown(figure.axes[:columns])
    assert len(set(first)) == columns and shown(figure.axes) == first * 3
    assert [axis.get_ylabel() for axis in figure.axes[::columns]] == list(rows)
    assert titles(figure)[:columns] == [str(number) for number in first]
    assert figure.get_suptitle() == "rows"


def test_zoom_rows_cut_the_box_and_show_its_error(pictures):
    clean, other = pictures[0], pictures[1]
    figure = plotting.zoom_rows({"clean": clean, "other": other}, (3, 5, 6, 7), clean)
    assert len(figure.axes) == 3 * 2
    assert titles(figure)[:2] == ["clean", "other"]
    rows = [figure.axes[index].get_ylabel() for index in (0, 2, 4)]
    assert rows == ["whole slice", "detail", "error in detail"]
    detail, error = (figure.axes[index].images[0].get_array() for index in (3, 5))
    np.testing.assert_array_equal(detail, other[3:9, 5:12, 0])
    np.testing.assert_allclose(error, (other - clean)[3:9, 5:12, 0], atol=1e-6)
    frame = figure.axes[0].patches[0]
    assert (frame.get_xy(), frame.get_width(), frame.get_height()) == ((5, 3), 7, 6)
    assert len(plotting.zoom_rows({"clean": clean}, (0, 0, 24, 32)).axes) == 2


def test_zoom_rows_have_the_colour_bar_where_there_is_no_error(pictures):
    clean, other = pictures[0], pictures[1]
    free = plotting.zoom_rows({"clean": clean, "other": other}, (3, 5, 6, 7), clean).axes[4]
    assert not free.axison and not free.images
    assert words(free.child_axes[0]) == ["error in detail", "grey levels", "HU"]
    full = plotting.zoom_rows({"a": other, "b": other}, (3, 5, 6, 7), clean)
    assert len(full.axes) == 3 * 2 + 1
    assert words(full.axes[-1]) == ["error in detail", "grey levels", "HU"]
    assert len(plotting.zoom_rows({"clean": clean}, (3, 5, 6, 7), clean).axes) == 2


def words(bar):
    """The header of a colour bar, and the names of its scales."""
    return [bar.get_title(), *(text.get_text().strip() for text in bar.texts)]


def bars(hu):
    """The colour bar of each function that shows errors of CT."""
    one, other = np.zeros((9, 8, 1), "float32"), np.full((9, 8, 1), 0.1, "float32")
    images, box, settings = {"other": other}, (0, 0, 4, 4), {"hu": hu, "limit": 0.2}
    for figure, bar in (
        (plotting.before_and_after(one, other, **settings), lambda axes: axes[3].child_axes[0]),
        (plotting.detail_grid(images, box, one, **settings), lambda axes: axes[1].child_axes[0]),
        (plotting.zoom_rows(images, box, one, **settings), lambda axes: axes[-1]),
    ):
        figure.draw_without_rendering()
        yield bar(figure.axes)


def ticks(axis):
    return [text.get_text().replace("\N{MINUS SIGN}", "-") for text in axis.get_yticklabels()]


@pytest.mark.parametrize(
    ("hu", "expected"),
    [(1400, ["-280", "-140", "0", "140", "280"]), (400, ["-80", "-40", "0", "40", "80"])],
)
def test_colour_bars_tell_grey_levels_and_hu(hu, expected):
    for bar in bars(hu):
        assert ticks(bar) == ["-0.2", "-0.1", "0", "0.1", "0.2"]
        (second,) = bar.child_axes
        assert ticks(second) == expected
        assert second.get_ylim() == pytest.approx(np.multiply(bar.get_ylim(), hu))
        assert words(bar)[1:] == ["grey levels", "HU"]


def test_colour_bars_of_other_images_tell_grey_levels_alone():
    for bar in bars(None):
        assert not bar.child_axes and words(bar)[1:] == ["grey levels"]


def test_the_window_is_the_default():
    assert hounsfield.WINDOW_WIDTH == 1400
    slices = np.zeros((9, 8, 1), "float32"), np.full((9, 8, 1), 0.1, "float32")
    bar = plotting.before_and_after(*slices).axes[3].child_axes[0]
    assert bar.child_axes[0].get_yticks()[-1] == pytest.approx(140)


@pytest.mark.parametrize(
    "box", [(0, 0, 25, 3), (-1, 0, 3, 3), (22, 0, 3, 3), (0, 0, 0, 3), (1, 2, 3), 5]
)
def test_bad_box(box, pictures):
    with pytest.raises(ValueError, match="^box: expected"):
        plotting.zoom_rows({"clean": pictures[0]}, box)
    with pytest.raises(ValueError, match="^box: expected"):
        plotting.detail_grid({"noisy": pictures[0]}, box, pictures[0])


def test_detail_grid_shows_each_method_above_its_error():
    clean = np.zeros((30, 30, 1), "float32")
    images = {name: clean + 0.1 for name in "abc"}
    figure = plotting.detail_grid(images, (0, 5, 10, 12), clean, columns=2)
    arrays = [axis.images[0].get_array() for axis in figure.axes if axis.images]
    assert sum(array.shape == (10, 12) for array in arrays) == 7  # clean once, three pairs
    assert not figure.axes[1].images and words(figure.axes[1].child_axes[0])[0] == "error"


@pytest.mark.parametrize(
    ("methods", "columns", "rows"), [(4, 3, [3, 2]), (5, 3, [3, 3]), (7, 7, [4, 4]), (1, 9, [2])]
)
def test_detail_grid_has_no_hole(methods, columns, rows):
    clean = np.zeros((9, 9, 1), "float32")
    images = {str(k): clean + 0.1 for k in range(methods)}
    figure = plotting.detail_grid(images, (0, 0, 9, 9), clean, columns=columns)
    figure.draw_without_rendering()
    boxes = [axis.get_position() for axis in figure.axes[::2]]
    heights = [round(box.y0, 3) for box in boxes]
    assert [heights.count(height) for height in dict.fromkeys(heights)] == rows
    for height in set(heights):
        row = [box for box in boxes if round(box.y0, 3) == height]
        assert abs(row[0].x0 + row[-1].x1 - 1) < 0.02  # in the middle


def test_noise_columns_shows_first_image_and_all_differences():
    clean = np.zeros((4, 9, 9, 1), "float32")
    brighter = clean.copy()
    brighter[3] += 0.5  # a quarter of all pixels, none of them in the picture
    figure = plotting.noise_columns(clean, {"one": brighter, "two": clean})
    figure.draw_without_rendering()
    picture, _, histogram, _ = figure.axes
    assert picture.get_window_extent().width > 0.9 * histogram.get_window_extent().width
    assert not picture.images[0].get_array().any()
    bars = histogram.patches
    heights = {round(bar.get_x() + bar.get_width() / 2, 2): bar.get_height() for bar in bars}
    assert heights[0.0] == pytest.approx(75)
    assert heights[0.49] + heights.get(0.52, 0) == pytest.approx(25)
    assert figure.get_supxlabel() == "noisy - clean (grey levels)"
    of_ct = plotting.noise_columns(clean, {"one": brighter}, hu=hounsfield.WINDOW_WIDTH)
    assert of_ct.get_supxlabel() == "noisy - clean (grey levels; 1 is 1,400 HU)"


def test_weight_grid_puts_zero_in_the_middle():
    weights = np.stack([np.eye(3), -4 * np.eye(3), np.zeros((3, 3))])
    figure = plotting.weight_grid(weights, columns=2)
    figure.draw_without_rendering()
    assert len(figure.axes) == 3
    for axis, largest in zip(figure.axes, (1, 4)):
        assert axis.images[0].get_clim() == (-largest, largest)


IMAGES = np.full((3, 8, 9, 1), 0.5)
ONE, LOW, BOX = IMAGES[0], IMAGES[0, 1:], (0, 0, 2, 2)
BAD = [
    ("labels: expected", lambda: plotting.image_grid(IMAGES, labels=[1, 2])),
    ("labels: expected", lambda: plotting.image_rows({"a": IMAGES}, labels=range(4))),
    ("n: expected", lambda: plotting.image_grid(IMAGES, n=0)),
    ("n: expected", lambda: plotting.image_grid(IMAGES, n=1.5)),
    ("n: expected", lambda: plotting.image_rows({"a": IMAGES}, n=-1)),
    ("columns: expected", lambda: plotting.image_grid(IMAGES, columns=0)),
    ("columns: expected", lambda: plotting.weight_grid(IMAGES[..., 0], columns=0)),
    ("columns: expected", lambda: plotting.detail_grid({"a": ONE}, BOX, ONE, columns=0)),
    ("hu: expected", lambda: plotting.before_and_after(ONE, ONE, hu=0)),
    ("hu: expected", lambda: plotting.zoom_rows({"a": ONE}, BOX, hu="1400")),
    ("hu: expected", lambda: plotting.detail_grid({"a": ONE}, BOX, ONE, hu=np.nan)),
    ("hu: expected", lambda: plotting.noise_columns(IMAGES, {"a": IMAGES}, hu=-1)),
    ("rng: expected", lambda: plotting.image_grid(IMAGES, rng=0)),
    ("rows: expected", lambda: plotting.image_rows({})),
    ("rows: expected", lambda: plotting.image_rows({"a": IMAGES, "b": IMAGES[:2]})),
    ("images: expected", lambda: plotting.image_grid(ONE)),
    ("images: expected", lambda: plotting.image_grid(IMAGES * 255)),
    ("images: expected", lambda: plotting.zoom_rows({}, BOX)),
    ("images: expected", lambda: plotting.zoom_rows({"a": ONE, "b": LOW}, BOX)),
    ("images: expected", lambda: plotting.zoom_rows({"a": ONE}, BOX, LOW)),
    ("images: expected", lambda: plotting.detail_grid({}, BOX, ONE)),
    ("images: expected", lambda: plotting.detail_grid({"a": LOW}, BOX, ONE)),
    (r"rows\['a'\]: expected", lambda: plotting.image_rows({"a": IMAGES * np.nan})),
    (r"images\['a'\]: expected", lambda: plotting.zoom_rows({"a": IMAGES}, BOX)),
    (r"images\['a'\]: expected", lambda: plotting.detail_grid({"a": IMAGES}, BOX, ONE)),
    (
        r"noisy\['a'\]: expected the shape",
        lambda: plotting.noise_columns(IMAGES, {"a": IMAGES[:2]}),
    ),
    ("clean: expected", lambda: plotting.zoom_rows({"a": ONE}, BOX, IMAGES)),
    ("clean: expected", lambda: plotting.detail_grid({"a": ONE}, BOX, IMAGES)),
    ("noisy: expected", lambda: plotting.noise_columns(IMAGES, {})),
    ("weights: expected shape", lambda: plotting.weight_grid(np.eye(3))),
    ("weights: expected shape", lambda: plotting.weight_grid(np.zeros((0, 3, 3)))),
]


@pytest.mark.parametrize(("message", "call"), BAD)
def test_bad_input(message, call):
    with pytest.raises(ValueError, match=f"^{message}"):
        call()


@pytest.mark.parametrize("shape", [(1, 9, 1), (9, 1, 1)])
def test_images_of_one_row_or_column(shape):
    assert isinstance(plotting.before_and_after(np.zeros(shape), np.zeros(shape)), Figure)
