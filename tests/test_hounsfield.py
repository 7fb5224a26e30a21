"""helpers.hounsfield: the window by hand, and back again."""

import numpy as np
import pytest

from helpers import data, hounsfield


def test_window_by_hand():
    hu = np.array([[-2048, -1000, -300], [50, 400, 3000]], np.int16)
    np.testing.assert_allclose(hounsfield.window(hu), [[0, 0, 0.5], [0.75, 1, 1]], rtol=1e-6)
    np.testing.assert_allclose(hounsfield.window(hu, -160, 240)[1, 0], 0.525, rtol=1e-6)
    assert hounsfield.window(hu).dtype == np.float32


@pytest.mark.parametrize("convert", [hounsfield.window, hounsfield.unwindow])
@pytest.mark.parametrize(("low", "high"), [(400, -1000), (0, 0), (np.nan, 0)])
def test_bad_window(convert, low, high):
    with pytest.raises(ValueError, match="^low: expected a value below high"):
        convert([0.0], low, high)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_window_refuses_what_is_no_number(value):
    with pytest.raises(ValueError, match="^hu: expected finite Hounsfield units"):
        hounsfield.window([0.0, value])


@pytest.mark.parametrize(("low", "high"), [(-1000.0, 400.0), (-160.0, 240.0)])
def test_unwindow_takes_back_what_window_did(low, high):
    hu = np.linspace(low, high, 101, dtype=np.float32).reshape(1, 101)
    back = hounsfield.unwindow(hounsfield.window(hu, low, high), low, high)
    assert (back.shape, back.dtype) == (hu.shape, np.float32)
    np.testing.assert_allclose(back, hu, atol=1e-3)
    np.testing.assert_allclose(hounsfield.unwindow([-0.5, 1.5], 0, 100), [-50, 150])


def test_the_window_is_the_only_one():
    assert hounsfield.WINDOW_WIDTH == hounsfield.HU_HIGH - hounsfield.HU_LOW == 1400
    assert data.window is hounsfield.window
    assert (data.HU_LOW, data.HU_HIGH) == (hounsfield.HU_LOW, hounsfield.HU_HIGH) == (-1000, 400)
