"""helpers.data.banks: nothing is computed twice, nothing half-written is trusted."""

import numpy as np
import pytest

from helpers import data, noise
from helpers.data import banks


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache folder."""
    monkeypatch.setenv(data.CACHE_VARIABLE, str(tmp_path))
    return tmp_path


class Maker:
    """Make arrays and remember which; break off at one of them."""

    def __init__(self, breaks_at=None):
        self.made, self.breaks_at = [], breaks_at

    def __call__(self, number):
        if number == self.breaks_at:
            raise KeyboardInterrupt
        self.made.append(number)
        return np.full((2, 3), number)


def test_a_stopped_run_goes_on_where_it_was(cache):
    first, second, third = Maker(breaks_at=2), Maker(), Maker()
    with pytest.raises(KeyboardInterrupt):
        banks.kept("numbers", "what", 4, first)
    arrays = banks.kept("numbers", "what", 4, second)
    assert [array[0, 0] for array in arrays] == [0, 1, 2, 3]
    banks.kept("numbers", "what", 4, third)
    assert (first.made, second.made, third.made) == ([0, 1], [2, 3], [])


def test_what_is_of_something_else_is_made_anew(cache):
    banks.kept("numbers", ("what", 1), 2, Maker())
    other = Maker()
    banks.kept("numbers", ("what", 2), 2, other)
    assert other.made == [0, 1]


@pytest.mark.parametrize("share", [0, 0.5, 0.99])
def test_a_damaged_file_is_made_anew(share, cache):
    banks.kept("numbers", "what", 2, Maker())
    (path,) = cache.rglob("1.npz")
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    again = Maker()
    assert banks.kept("numbers", "what", 2, again)[1][0, 0] == 1
    assert again.made == [1]
    assert path.read_bytes() == whole


def test_a_changed_number_is_noticed(cache):
    banks.kept("numbers", "what", 1, Maker())
    (path,) = cache.rglob("0.npz")
    content = bytearray(path.read_bytes())
    content[content.index(b"NUMPY") + 130] ^= 1
    path.write_bytes(content)
    again = Maker()
    banks.kept("numbers", "what", 1, again)
    assert again.made == [0]


@pytest.fixture
def crops(monkeypatch):
    """Two small patients of three slices: lung."""
    rng = np.random.default_rng(3)
    volumes = [rng.normal(-700, 50, (3, *size)).astype(np.float32) for size in ((20, 16), (12, 18))]
    monkeypatch.setattr(banks, "load_ct_hu", lambda split: volumes)
    monkeypatch.setattr(banks, "CT_PIXEL_MM", {"test": 5.0, "validation": 5.0, "train": 0.7})
    return volumes


def test_projections_are_those_of_crops_in_water(cache, crops):
    found = data.ct_sinograms("test")
    for (sinograms, shape), volume in zip(found, crops):
        expected, size = noise.project(volume, 5.0, body=noise.BODY_MM)
        np.testing.assert_array_equal(sinograms, expected)
        assert shape == size == volume.shape[1:]


def test_the_first_slices_alone_and_then_the_others(cache, crops):
    first = data.ct_sinograms("test", first=1)
    assert len(list(cache.rglob("*.npz"))) == 2
    for (few, _), (all_, _) in zip(first, data.ct_sinograms("test")):
        np.testing.assert_array_equal(few, all_[:1])
    with pytest.raises(ValueError, match="^split: expected validation or test, got 'train'"):
        data.ct_sinograms("train")
    with pytest.raises(ValueError, match="^first: expected a whole number"):
        data.ct_sinograms("test", first=0)


def test_noise_bank_is_of_whole_slices_and_of_crops(cache, monkeypatch):
    monkeypatch.setattr(banks, "resized", lambda images, scale: images)
    monkeypatch.setattr(banks, "CT_PIXEL_MM", {"train": 0.7})
    hu = np.full((4, 320, 320), -1000.0, np.float32)
    hu[:, 60:260:2, 40:280] = 20
    monkeypatch.setattr(banks, "load_ct_hu", lambda split: [hu])
    whole, crop = data.ct_noise_bank()
    assert whole.shape == (banks.DRAWS, 240, 240) and crop.shape == (banks.DRAWS, 180, 180)
    for draws in (whole, crop):
        assert draws.dtype == np.float32
        assert draws.std() == pytest.approx(1, abs=0.01)
        assert abs(np.corrcoef(draws[0].ravel(), draws[1].ravel())[0, 1]) < 0.05
