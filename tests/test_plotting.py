"""helpers.plotting: what a figure holds, its labels, and that nothing runs past the end."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure

from helpers import metrics, plotting


@pytest.fixture(autouse=True)
def every_figure_is_closed():
    """Also where a function refuses its arguments: an open figure would appear in a notebook."""
    yield
    left_open = plt.get_fignums()
    plt.close("all")
    assert left_open == []


@pytest.fixture
def numbered():
    """Seven images; image k has the grey level k / 10 everywhere."""
    return np.arange(7, dtype=np.float32).reshape(7, 1, 1, 1) / 10 + np.zeros((7, 8, 9, 1))


def shown(axes):
    """Numbers of the `numbered` images that some axes show."""
    return [round(float(axis.images[0].get_array().mean()) * 10) for axis in axes]


def titles(figure):
    return [axis.get_title() for axis in figure.axes]


def suptitle(figure):
    return figure.get_suptitle()


# ----------------------------------------------------------------------------- images


@pytest.mark.parametrize(("n", "count"), [(1, 1), (5, 5), (7, 7), (8, 7), (1000, 7)])
def test_image_grid_shows_at_most_all_images(n, count, numbered, rng):
    figure = plotting.image_grid(numbered, n=n, columns=3, title="digits")
    assert isinstance(figure, Figure)
    assert shown(figure.axes) == list(range(count))
    assert suptitle(figure) == "digits"
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
    assert len(set(first)) == columns
    assert shown(figure.axes) == first * 3
    assert [axis.get_ylabel() for axis in figure.axes[::columns]] == list(rows)
    assert titles(figure)[:columns] == [str(number) for number in first]
    assert suptitle(figure) == "rows"


@pytest.mark.parametrize("n", [1, 3, 100])
def test_error_rows_measure_and_share_one_colour_bar(n, pictures, rng):
    noisy = (pictures + rng.normal(0, 0.1, pictures.shape)).astype(np.float32)
    denoised = (pictures + rng.normal(0, 0.03, pictures.shape)).astype(np.float32)
    figure = plotting.error_rows(pictures, noisy, denoised, n=n, limit=0.15)
    count = min(n, 3)
    assert len(figure.axes) == 4 * count + 1  # and the colour bar
    assert figure.axes[-1].get_ylabel() == "error (grey levels)"
    before, after = metrics.psnr(pictures, noisy), metrics.psnr(pictures, denoised)
    for index in range(count):
        row = figure.axes[4 * index : 4 * index + 4]
        assert [axis.get_title() for axis in row] == [
            "clean",
            f"noisy, {before[index]:.1f} dB",
            f"denoised, {after[index]:.1f} dB",
            "denoised - clean",
        ]
        error = row[3].images[0]
        assert error.get_clim() == (-0.15, 0.15)
        np.testing.assert_allclose(
            error.get_array(), (denoised - pictures)[index, ..., 0], atol=1e-6
        )


def test_zoom_rows_cut_the_box_and_show_its_error(pictures):
    clean, other = pictures[0], pictures[1]
    figure = plotting.zoom_rows({"clean": clean, "other": other}, (3, 5, 6, 7), clean)
    assert len(figure.axes) == 3 * 2 + 1
    assert titles(figure)[:2] == ["clean", "other"]
    assert [figure.axes[index].get_ylabel() for index in (0, 2, 4)] == [
        "whole slice",
        "detail",
        "error in detail",
    ]
    np.testing.assert_array_equal(figure.axes[3].images[0].get_array(), other[3:9, 5:12, 0])
    np.testing.assert_allclose(
        figure.axes[5].images[0].get_array(), (other - clean)[3:9, 5:12, 0], atol=1e-6
    )
    frame = figure.axes[0].patches[0]
    assert (frame.get_xy(), frame.get_width(), frame.get_height()) == ((5, 3), 7, 6)
    assert figure.axes[-1].get_ylabel() == "error (grey levels)"
    assert len(plotting.zoom_rows({"clean": clean}, (0, 0, 24, 32)).axes) == 2


@pytest.mark.parametrize(
    "box", [(0, 0, 25, 3), (-1, 0, 3, 3), (22, 0, 3, 3), (0, 0, 0, 3), (1, 2, 3), 5]
)
def test_bad_box(box, pictures):
    with pytest.raises(ValueError, match="^box: expected"):
        plotting.zoom_rows({"clean": pictures[0]}, box)
    with pytest.raises(ValueError, match="^box: expected"):
        plotting.detail_grid({"noisy": pictures[0]}, box, pictures[0])


# ----------------------------------------------------------------------------- curves


class History:
    """What keras.Model.fit returns."""

    history = {"loss": [0.3, 0.2, 0.1], "val_loss": [0.4, 0.3, 0.25]}


def test_loss_curves():
    figure = plotting.loss_curves(
        {"Adam": History(), "SGD": {"loss": [0.5, 0.4]}}, ylabel="error", log=True, title="losses"
    )
    (axis,) = figure.axes
    assert (axis.get_xlabel(), axis.get_ylabel(), axis.get_title()) == ("epoch", "error", "losses")
    assert axis.get_yscale() == "log"
    curves = {line.get_label(): line for line in axis.lines}
    assert list(curves) == ["Adam, training", "Adam, validation", "SGD"]
    assert curves["Adam, validation"].get_ydata().tolist() == [0.4, 0.3, 0.25]
    assert curves["Adam, validation"].get_xdata().tolist() == [1, 2, 3]
    assert curves["Adam, validation"].get_linestyle() == "--"
    assert [text.get_text() for text in axis.get_legend().get_texts()] == list(curves)


def test_more_curves_than_colours():
    histories = {str(k): {"loss": [k, k]} for k in range(20)}
    assert len(plotting.loss_curves(histories).axes[0].lines) == 20


def test_psnr_bars_best_on_top_and_error_bars_inside():
    scores = {"noisy": 23.3, "best": 32.1, "median": 28.6}
    intervals = {name: (score - 4, score + 1) for name, score in scores.items()}
    figure = plotting.psnr_bars(scores, intervals, title="quality")
    (axis,) = figure.axes
    assert [text.get_text() for text in axis.get_yticklabels()] == ["noisy", "median", "best"]
    assert [bar.get_width() for bar in axis.patches] == [23.3, 28.6, 32.1]
    assert [text.get_text() for text in axis.texts] == ["23.30", "28.60", "32.10"]
    low, high = axis.get_xlim()
    assert 0 < low < 19.3
    assert high > 33.1
    assert (axis.get_xlabel(), axis.get_title()) == ("PSNR (dB)", "quality")
    assert len(plotting.psnr_bars({"one": 30.0}).axes[0].patches) == 1


# -------------------------------------------------------------------------- bad input

IMAGES = np.full((3, 8, 9, 1), 0.5)
BAD = {
    "labels": [
        lambda: plotting.image_grid(IMAGES, labels=[1, 2]),
        lambda: plotting.image_rows({"a": IMAGES}, labels=range(4)),
    ],
    "n": [
        lambda: plotting.image_grid(IMAGES, n=0),
        lambda: plotting.image_grid(IMAGES, n=1.5),
        lambda: plotting.image_rows({"a": IMAGES}, n=-1),
        lambda: plotting.error_rows(IMAGES, IMAGES, IMAGES, n=0),
        lambda: plotting.code_maps({"a": np.eye(2)}, [1, 2], n=0),
    ],
    "columns": [
        lambda: plotting.image_grid(IMAGES, columns=0),
        lambda: plotting.weight_grid(IMAGES[..., 0], columns=0),
        lambda: plotting.detail_grid({"a": IMAGES[0]}, (0, 0, 2, 2), IMAGES[0], columns=0),
    ],
    "rng": [lambda: plotting.image_grid(IMAGES, rng=0)],
    "rows": [
        lambda: plotting.image_rows({}),
        lambda: plotting.image_rows({"a": IMAGES, "b": IMAGES[:2]}),
    ],
    "images": [
        lambda: plotting.image_grid(IMAGES[0]),
        lambda: plotting.image_grid(IMAGES * 255),
        lambda: plotting.zoom_rows({}, (0, 0, 2, 2)),
        lambda: plotting.zoom_rows({"a": IMAGES[0], "b": IMAGES[0, 1:]}, (0, 0, 2, 2)),
        lambda: plotting.zoom_rows({"a": IMAGES[0]}, (0, 0, 2, 2), IMAGES[0, 1:]),
        lambda: plotting.detail_grid({}, (0, 0, 2, 2), IMAGES[0]),
        lambda: plotting.detail_grid({"a": IMAGES[0, 1:]}, (0, 0, 2, 2), IMAGES[0]),
    ],
    "a": [
        lambda: plotting.image_rows({"a": IMAGES * np.nan}),
        lambda: plotting.zoom_rows({"a": IMAGES}, (0, 0, 2, 2)),
        lambda: plotting.noise_columns(IMAGES, {"a": IMAGES[:2]}),
    ],
    "clean": [
        lambda: plotting.error_rows(IMAGES * 255, IMAGES, IMAGES),
        lambda: plotting.zoom_rows({"a": IMAGES[0]}, (0, 0, 2, 2), IMAGES),
        lambda: plotting.detail_grid({"a": IMAGES[0]}, (0, 0, 2, 2), IMAGES),
    ],
    "noisy": [lambda: plotting.noise_columns(IMAGES, {})],
    "denoised": [lambda: plotting.error_rows(IMAGES, IMAGES, IMAGES[:2])],
    "histories": [
        lambda: plotting.loss_curves({}),
        lambda: plotting.loss_curves({"a": {"mae": [1]}}),
    ],
    "scores": [
        lambda: plotting.psnr_bars({}),
        lambda: plotting.psnr_bars({"a": np.inf}),
        lambda: plotting.psnr_against_noise([1, 2], {"a": [1]}),
        lambda: plotting.score_table({}, "y", "x"),
        lambda: plotting.score_table({"a": {"c": 1}, "b": {"d": 1}}, "y", "x"),
    ],
    "intervals": [
        lambda: plotting.psnr_bars({"a": 1.0, "b": 2.0}, {"a": (0, 2)}),
        lambda: plotting.quality_against_time({"a": 1.0}, {"a": 1.0}, {}),
    ],
    "seconds": [
        lambda: plotting.quality_against_time({"a": 1.0}, {}),
        lambda: plotting.quality_against_time({"a": 1.0}, {"a": 0.0}),
    ],
    "curves": [
        lambda: plotting.score_curves({}, "x", "y"),
        lambda: plotting.score_curves({"a": ([1, 2], [1])}, "x", "y"),
    ],
    "values": [lambda: plotting.histograms({}, "x")],
    "ends": [
        lambda: plotting.arrow_fields(np.eye(2), np.eye(2), {}),
        lambda: plotting.arrow_fields(np.eye(2), np.eye(2), {"a": np.eye(3)}),
    ],
    "weights": [
        lambda: plotting.weight_grid(np.eye(3)),
        lambda: plotting.weight_grid(np.zeros((0, 3, 3))),
    ],
    "codes": [
        lambda: plotting.code_maps({}, [1, 2]),
        lambda: plotting.code_maps({"a": np.eye(3)}, [1, 2, 3]),
    ],
}


@pytest.mark.parametrize(
    ("argument", "call"), [(name, call) for name, calls in BAD.items() for call in calls]
)
def test_bad_input(argument, call):
    with pytest.raises(ValueError, match=f"^{argument}: expected"):
        call()
