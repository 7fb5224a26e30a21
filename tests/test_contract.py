"""helpers.contract: the record that travels with a denoiser, and the one check at its edge."""

from functools import partial

import numpy as np
import pytest

from helpers.contract import About, about, checked, trusting


def test_a_plain_function_sees_one_slice_and_is_blind():
    assert about(lambda noisy: noisy, "mine") == About("mine", neighbours=0, told_std=False)


def test_the_record_of_a_filter_whose_parameters_are_fixed():
    known = About("shift", neighbours=2)
    shift = checked(lambda noisy, step: noisy + step, known)
    assert about(partial(partial(shift), step=1)) is known


def test_who_needs_the_slices_of_one_patient():
    """Whoever looks at neighbours, and whoever works on all slices at once."""
    assert [About("", neighbours).volume for neighbours in (0, 1, 2, None)] == [False] + [True] * 3


@pytest.mark.parametrize("neighbours", [-1, 0.5, "2"])
def test_nobody_looks_at_less_than_no_neighbour(neighbours):
    with pytest.raises(ValueError, match="^neighbours: expected a whole number in .* got"):
        About("", neighbours)


def test_checked_once_then_trusted(pictures, bad_batches):
    seen = []
    denoise = checked(lambda noisy, factor: seen.append(noisy) or noisy * factor, About("half"))
    half = denoise(pictures.astype(np.float64), 0.5)
    assert seen[0].dtype == np.float32
    np.testing.assert_allclose(half, pictures / 2, atol=1e-6)
    for images in bad_batches:
        with pytest.raises(ValueError, match="^noisy: expected"):
            denoise(images, 0.5)
    bad = pictures * 255
    np.testing.assert_array_equal(trusting(partial(denoise, factor=0.5))(bad), bad / 2)
