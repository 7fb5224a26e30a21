"""helpers.data.patches: where patches come from, and what decides them."""

import numpy as np
import pytest

from helpers.data.patches import draw_patches


def test_every_patch_is_found_in_a_patient_up_to_symmetry(rng):
    """Every pixel of the patients has its own value, so a patch shows where it was cut."""
    values = rng.permutation(2 * 9 * 8 + 3 * 6 * 7).astype(np.float32) / 1000
    patients = [values[:144].reshape(2, 9, 8, 1), values[144:].reshape(3, 6, 7, 1)]
    cuts = {}  # all patches that there are, in all eight symmetries
    for number, images in enumerate(patients):
        count, height, width, _ = images.shape
        for index, top, left, turns, flip in np.ndindex(count, height - 3, width - 3, 4, 2):
            cut = images[index, top : top + 4, left : left + 4, 0]
            turned = np.rot90(cut.T if flip else cut, turns)
            cuts[turned.tobytes()] = (number, index, top, left), (turns, flip)
    before = [images.copy() for images in patients]
    patches = draw_patches(patients, 4, 3000, rng, 1)
    assert patches.shape == (3000, 4, 4, 1)
    assert patches.dtype == np.float32
    found = [cuts[patch.tobytes()] for patch in patches]  # KeyError if one was not cut out
    places, symmetries = zip(*found)
    assert len(set(places)) == 2 * 6 * 5 + 3 * 3 * 4  # all places are drawn, both ends reached
    assert len(set(symmetries)) == 8
    assert np.mean([place[0] for place in places]) == pytest.approx(0.5, abs=0.05)
    for a, b in zip(before, patients):
        np.testing.assert_array_equal(a, b)


def test_versions_of_a_slice_are_cut_at_the_same_place(rng):
    images = rng.random((3, 9, 8, 1)).astype(np.float32)
    patches = draw_patches([np.concatenate([images, images + 2], axis=-1)], 4, 50, rng)
    assert patches.shape == (50, 4, 4, 2)
    np.testing.assert_allclose(patches[..., 1], patches[..., 0] + 2, rtol=1e-6)


def test_channels_of_a_patch_are_neighbouring_slices(rng):
    """The value tells slice, row and column: all channels show one place of neighbouring slices."""
    slice_, row, column = np.indices((6, 9, 8))
    patient = (100 * slice_ + 10 * row + column).astype(np.float32)[..., None]
    patches = draw_patches([patient], 4, 500, rng, 3).astype(int)
    assert patches.shape == (500, 4, 4, 3)
    numbers, places = patches // 100, patches % 100
    assert (places == places[..., :1]).all()
    assert (numbers == numbers[:, :1, :1]).all()
    starts = {tuple(channels) for channels in numbers[:, 0, 0]}
    assert starts == {(k, k + 1, k + 2)[::step] for k in range(4) for step in (1, -1)}


def test_patches_depend_on_the_seed_only(pictures):
    first, again, other = (
        draw_patches([pictures], 8, 20, np.random.default_rng(seed), 1) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    whole = draw_patches([pictures[:, :, :24]], 24, 3, np.random.default_rng(0), 1)
    assert whole.shape == (3, 24, 24, 1)
