"""helpers.models.blind_spot: what is hidden, and that an answer does not know it."""

import numpy as np
import pytest

from helpers import models


def test_a_hidden_grid_worked_by_hand(rng):
    images = rng.random((2, 9, 10, 1)).astype(np.float32)
    hidden = models.hidden_grid(images, 1, 2, 4)
    changed = np.argwhere(hidden != images)[:, 1:3]
    assert {tuple(at) for at in changed} == {(r, c) for r in (1, 5) for c in (2, 6)}
    around = images[:, 4, 6] + images[:, 6, 6] + images[:, 5, 5] + images[:, 5, 7]
    np.testing.assert_allclose(hidden[:, 5, 6], around / 4, rtol=1e-5)


@pytest.mark.parametrize("spacing", [2, 4])
def test_j_invariant_answers_without_seeing_the_pixel(spacing, pictures):
    denoise = models.j_invariant(lambda noisy: noisy, spacing)
    changed = pictures.copy()
    changed[:, 7, 8] = 3.0
    before, after = denoise(pictures), denoise(changed)
    assert (before[:, 7, 8] == after[:, 7, 8]).all()
    different = {tuple(at) for at in np.argwhere(before != after)[:, 1:3]}
    assert different == {(6, 8), (8, 8), (7, 7), (7, 9)}
    assert denoise.about.label == "your function, blind spot"
    for bad in (1, 0, 2.5, None):
        with pytest.raises(ValueError, match="^spacing: expected a whole number"):
            models.j_invariant(lambda noisy: noisy, bad)
