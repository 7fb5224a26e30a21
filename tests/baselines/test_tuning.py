"""helpers.baselines.tuning: the search against known optima, and grids that grow."""

from itertools import product

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio

from helpers import baselines


def shifted(noisy, shift, gain=1.0):
    """A made-up filter, at its best where it undoes what was done to the images."""
    return (noisy - np.float32(shift)) * np.float32(gain)


@pytest.fixture
def pairs(pictures):
    """Two patients of different size; the noisy images are darker by half and brighter by 0.3."""
    clean = [pictures, pictures[:1, :20, :20]]
    return clean, [images / 2 + np.float32(0.3) for images in clean]


def test_tune_finds_the_known_optimum(pairs):
    grid = {"shift": [0.1, 0.3, 0.4], "gain": [1.0, 2.0, 3.0]}
    best, scores = baselines.tune(shifted, grid, *pairs)
    assert best == {"shift": 0.3, "gain": 2.0}
    assert [tuple(p.values()) for p, _ in scores] == list(product(*grid.values()))
    clean, noisy = pairs
    for parameters, score in scores:
        each = [
            peak_signal_noise_ratio(a, b, data_range=1.0)
            for x, y in zip(clean, noisy)
            for a, b in zip(x, shifted(y, **parameters).clip(0, 1))
        ]  # over images, so that a patient with three slices counts three times
        assert score == pytest.approx(np.mean(each), abs=1e-3)


def test_tune_bad_input(pictures):
    grid = {"shift": [0.1]}
    for empty in ({}, {"shift": []}):
        with pytest.raises(ValueError, match="^denoise_parameters: expected at least one value"):
            baselines.tune(shifted, empty, [pictures], [pictures])
    for clean, noisy in (([pictures], []), ([], []), ([pictures], [pictures, pictures])):
        with pytest.raises(ValueError, match="^noisy: expected one array for each"):
            baselines.tune(shifted, grid, clean, noisy)
    with pytest.raises(ValueError, match="^noisy: expected the shape of clean"):
        baselines.tune(shifted, grid, [pictures], [pictures[:1]])
    with pytest.raises(ValueError, match="^clean: expected values"):
        baselines.tune(shifted, grid, [pictures * 255], [pictures])
    with pytest.raises(ValueError, match="^widenings: expected a whole number"):
        baselines.tune(shifted, grid, [pictures], [pictures], widenings=-1)


def towards(optimum):
    """Make a filter whose error grows with the distance of its parameter from an optimum."""

    def filter_(noisy, sigma):
        if sigma > 50:
            raise ValueError("sigma: too large")
        return np.full_like(noisy, 0.5 + 0.001 * abs(sigma - optimum))

    return filter_


def test_grid_that_holds_the_optimum_does_not_grow(pair):
    best, scores = baselines.tune(towards(2), {"sigma": [1, 2, 3]}, *pair, widenings=5)
    assert best == {"sigma": 2} and len(scores) == 3
    assert baselines.on_edge(best, scores) == []


@pytest.mark.parametrize(
    "values, optimum, best",
    [
        ([1.0, 2.0], 8.0, 8.0),  # geometric: 4, 8, 16
        ([4.0, 8.0], 1.0, 1.0),  # and downwards: 2, 1, 0.5
        ([3, 4], 6, 6),  # whole numbers stay whole: 5, 6, 7
        ([0.0, 0.5], 1.5, 1.5),  # beside 0 arithmetic: 1, then geometric: 2, so 1.5 is never met
    ],
)
def test_optimum_beyond_the_edge_widens_the_grid(pair, values, optimum, best):
    found, scores = baselines.tune(towards(optimum), {"sigma": values}, *pair, widenings=9)
    tried = [parameters["sigma"] for parameters, _ in scores]
    nearest = min(tried, key=lambda value: abs(value - optimum))
    assert found["sigma"] == nearest and abs(nearest - best) <= 0.5
    assert baselines.on_edge(found, scores) == []
    assert all(type(value) is type(values[0]) for value in tried)


@pytest.mark.parametrize(("widenings", "expected"), [(0, 2.0), (2, 8.0)])
def test_grid_grows_as_often_as_asked(widenings, expected, pair):
    grid = {"sigma": [1.0, 2.0]}
    best, scores = baselines.tune(towards(100), grid, *pair, widenings=widenings)
    assert best == {"sigma": expected} and len(scores) == 2 + widenings
    assert baselines.on_edge(best, scores) == ["sigma"]
    assert widenings or baselines.tune(towards(100), grid, *pair) == (best, scores)  # the default


def test_grid_ends_where_the_filter_refuses(pair):
    best, scores = baselines.tune(towards(100), {"sigma": [20.0, 40.0]}, *pair, widenings=5)
    assert best == {"sigma": 40.0} and len(scores) == 2
    best, scores = baselines.tune(baselines.median, {"ksize": [3, 5]}, *pair, widenings=5)
    assert best == {"ksize": 5} and len(scores) == 2


def test_widening_one_parameter_keeps_the_grid_complete(pair):
    def filter_(noisy, sigma, kind):
        return towards(4 if kind == "b" else 50)(noisy, sigma)

    grid = {"sigma": [1.0, 2.0], "kind": ["a", "b"]}
    best, scores = baselines.tune(filter_, grid, *pair, widenings=5)
    assert best == {"sigma": 4.0, "kind": "b"}
    points = {tuple(parameters.values()) for parameters, _ in scores}
    assert points == {(s, k) for s in (1.0, 2.0, 4.0, 8.0) for k in "ab"}
    assert len(points) == len(scores)  # no point is paid for twice
