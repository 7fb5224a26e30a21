"""helpers.baselines.registry: the grids of the filters, and filters of your own."""

import inspect

import numpy as np
import pytest

from helpers import baselines
from helpers.baselines import BASELINES, baseline, grid
from helpers.contract import About


@pytest.mark.parametrize("filter_", BASELINES.values(), ids=BASELINES.keys())
def test_every_filter_has_a_sorted_grid_of_its_own_parameters(filter_):
    for values in grid(filter_.__name__, 0.07).values():
        assert len(set(values)) == len(values) > 1
        assert isinstance(values[0], str) or values == sorted(values)
    assert filter_.grey_levels or filter_.others
    assert not set(filter_.grey_levels) & set(filter_.others)
    parameters = set(inspect.signature(filter_).parameters) - {"noisy"}
    assert set(filter_.grey_levels) | set(filter_.others) <= parameters


def test_grid_scales_grey_levels_and_keeps_pixels():
    values = grid("bilateral", 0.14)
    assert values["sigma_spatial"] == baselines.bilateral.others["sigma_spatial"]
    expected = [2 * value for value in baselines.bilateral.grey_levels["sigma_color"]]
    assert values["sigma_color"] == pytest.approx(expected)
    for name, filter_ in BASELINES.items():
        assert grid(name, 0.07) == filter_.grey_levels | filter_.others
    with pytest.raises(ValueError, match="^name: expected one of gaussian"):
        grid("medain", 0.07)
    with pytest.raises(ValueError, match="^std: expected"):
        grid("median", 0)


def test_a_filter_of_your_own_enters_with_its_record_and_its_check(monkeypatch, pictures):
    monkeypatch.setattr(baselines.registry, "BASELINES", {})

    @baseline("darker", "numpy", grey_levels={"step": [0.07, 0.14]}, others={"times": [1, 2]})
    def darker(noisy, step=0.1, *, times=1):
        return noisy - np.float32(times * step)

    assert baselines.registry.BASELINES == {"darker": darker}
    assert darker.about == About("darker", source="numpy", version=np.__version__)
    assert grid("darker", 0.035) == {"step": [0.035, 0.07], "times": [1, 2]}
    np.testing.assert_allclose(darker(pictures, 0.2, times=2), pictures - 0.4, atol=1e-6)
    with pytest.raises(ValueError, match="^noisy: expected"):
        darker(pictures * 255)
