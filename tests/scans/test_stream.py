"""helpers.scans.stream: slabs give what the whole scan gives, however far a network looks, and read no slice in vain."""

import numpy as np
import pytest

from helpers import baselines
from helpers.contract import About, checked
from helpers.scans.stream import removed_noise, subtracted


def noisy_scan(count, rng):
    return rng.normal(0, 200, (count, 16, 24)).astype(np.float32)


def same_in_one_piece(denoiser, hu):
    """Assert that what is removed slab by slab is what is removed from the whole scan."""
    from helpers.hounsfield import WINDOW_WIDTH, window

    grey = window(hu)[..., None]
    whole = (grey - denoiser(grey))[..., 0] * WINDOW_WIDTH
    found = dict(removed_noise(denoiser, lambda index: hu[index], len(hu)))
    assert list(found) == list(range(len(hu)))
    inside = (hu >= -1000) & (hu <= 400)
    assert np.abs(whole[inside]).max() > 50
    for index, removed in found.items():
        np.testing.assert_allclose(removed, np.where(inside, whole, 0)[index], atol=0.01)


@pytest.mark.parametrize(("slices", "count"), [(1, 40), (5, 33), (11, 33), (35, 40)])
def test_a_network_of_any_number_of_slices(slices, count, rng):
    """More than a slab has, too; of 33 slices, the last slab holds one."""
    from helpers import models

    model = models.denoising_unet((4,), (1,), slices=slices)
    model.set_weights([rng.normal(0, 0.2, weight.shape) for weight in model.get_weights()])
    same_in_one_piece(models.as_denoiser(model), noisy_scan(count, rng))


def test_shipped_networks_of_five_slices(shipped, rng):
    for name in ("ct_scan_25d", "ct_unet_25d"):
        same_in_one_piece(shipped[name], noisy_scan(37, rng))


@pytest.mark.parametrize(
    ("neighbours", "slabs"),
    [(0, [16, 16, 5]), (2, [18, 20, 7]), (9, [25, 30, 14]), (50, [37, 37, 37])],
)
def test_no_slice_is_read_in_vain(neighbours, slabs):
    """As many beside a slab as the denoiser looks at, where the scan has them."""
    seen = []
    denoiser = checked(lambda noisy: seen.append(len(noisy)) or noisy, About("", neighbours))
    list(removed_noise(denoiser, lambda index: np.zeros((8, 8)), 37))
    assert seen == slabs


U12, I12 = (0, 4095), (-2048, 2047)
SUBTRACTED = {  # the type, the ends, the slope; a stored value, what is removed from it in HU, and what is left
    "12 bits, low end": ("u2", U12, 1, 3, 9, 0),
    "12 bits, high end": ("u2", U12, 1, 4090, -9, 4095),
    "12 bits, inside": ("u2", U12, 1, 4090, -2, 4092),
    "12 bits, steps of 2 HU": ("u2", U12, 2, 3, 9, 0),
    "12 bits, negative slope, low end": ("u2", U12, -1, 3, -9, 0),
    "12 bits, negative slope, high end": ("u2", U12, -1, 4090, 9, 4095),
    "12 bits with a sign, low end": ("i2", I12, 1, -2046, 9, -2048),
    "12 bits with a sign, high end": ("i2", I12, 1, 2045, -9, 2047),
    "12 bits with a sign, negative slope": ("i2", I12, -1, 2045, 9, 2047),
    "16 bits, low end": ("u2", None, 1, 3, 9, 0),
    "16 bits, high end": ("u2", None, 1, 65530, -9, 65535),
    "16 bits, negative slope": ("u2", None, -0.5, 65530, 9, 65535),
    "16 bits with a sign, low end": ("i2", None, 1, -32760, 9, -32768),
    "16 bits with a sign, high end": ("i2", None, 1, 32760, -9, 32767),
    "16 bits with a sign, negative slope": ("i2", None, -1, -32760, -9, -32768),
    "8 bits": ("u1", None, 1, 250, -9, 255),
    "beyond every type": ("u2", U12, 1, 3, -1e12, 4095),
    "nothing removed from padding": ("u2", U12, 1, 63536, 0, 63536),
    "real numbers have no ends": ("f4", None, 1, 3, 9, -6),
}


@pytest.mark.parametrize("name", SUBTRACTED)
def test_values_are_never_wrapped_around(name):
    kind, ends, slope, stored, removed, left = SUBTRACTED[name]
    result = subtracted(np.array([stored], kind), np.array([removed], np.float32), slope, ends)
    assert result.dtype == kind and result.tolist() == [left]


def test_what_works_on_all_slices_at_once_is_refused():
    with pytest.raises(ValueError, match="^denoiser: expected one that looks at .*, BM4D works on"):
        next(removed_noise(baselines.BASELINES["bm4d"], lambda index: np.zeros((8, 8)), 37))
