"""helpers.comparison.structures: spots that are anatomy, and their contrast."""

import numpy as np
import pytest

from helpers import comparison


def lung_with_spots():
    images = np.full((5, 40, 60, 1), 0.1, "float32")
    images[1:4, 19:22, 19:22] = 0.2  # through three slices: a vessel
    images[1:4, 20, 20] = 0.21
    images[2, 19:22, 44:47] = 0.2  # in one slice only: could be noise
    images[2, 20, 45] = 0.21
    return images


def test_small_structures_are_found_where_neighbours_agree_and_the_ring_is_lung():
    assert comparison.small_structures(lung_with_spots()) == [(2, 20, 20)]
    assert comparison.small_structures(lung_with_spots(), low=0.2, high=0.3) == []
    images = lung_with_spots()
    images[:, :, 26:30] = 0.6  # tissue in the ring: the spot is not alone in lung
    assert comparison.small_structures(images) == []


@pytest.mark.parametrize(("low", "high"), [("0.1", 0.2), (0.2, 0.1), (np.nan, 0.2), (0.1, None)])
def test_bad_limits_of_contrast(low, high):
    with pytest.raises(ValueError, match="^(low|high): expected a number in"):
        comparison.small_structures(lung_with_spots(), low=low, high=high)


def test_spot_contrast_by_hand_and_at_the_rim():
    images = lung_with_spots()
    contrast = comparison.spot_contrast(images[2:3], (20, 20))
    assert contrast == pytest.approx([(8 * 0.2 + 0.21) / 9 - 0.1], abs=1e-6)
    with pytest.raises(ValueError, match="at least 7 pixels inside 40 x 60"):
        comparison.spot_contrast(images, (3, 20))
