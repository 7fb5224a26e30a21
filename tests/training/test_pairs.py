"""helpers.training.pairs: where patches come from, and the noise that is added to them."""

import numpy as np
import pytest

from helpers import data, training
from helpers.data.patches import resized
from helpers.hounsfield import WINDOW_WIDTH
from helpers.training import pairs

FLAT = [np.full((7, 80, 80, 1), 0.6, np.float32)]


@pytest.mark.parametrize("slices", [1, 5])
def test_patches_come_at_three_scales(slices, rng):
    """A ramp of 1/500 per pixel is steeper by 1 / 0.7 and 1 / 0.5 in the smaller copies."""
    ramp = 0.6 + np.tile(np.arange(160, dtype=np.float32) / 500, (7, 120, 1))[..., None]
    patches = training.ct_patches([ramp], size=32, slices=slices)(400, rng)
    assert patches.shape == (400, 32, 32, slices)
    inner = patches[:, 1:-1, 1:-1, 0].astype(float)  # the border of a resized image is no ramp
    steps = [np.abs(np.diff(inner, axis=axis)).mean(axis=(1, 2)) for axis in (1, 2)]
    slopes = np.maximum(*steps) * 500
    near = [np.abs(slopes * edge / 160 - 1) < 0.03 for edge in (160, 112, 80)]
    assert np.any(near, axis=0).all()
    assert np.mean(near, axis=1) == pytest.approx([1 / 3] * 3, abs=0.1)


ALL = [training.ct_patches, training.varied_patches, training.diverse_patches]


@pytest.mark.parametrize("patches", ALL)
def test_resized_patches_stay_within_0_and_1(patches, rng):
    white = [np.ones((1, edge, edge, 1), np.float32) for edge in range(64, 88)]
    drawn = patches(white, size=32)(400, rng)
    assert (drawn.min() >= 0) and (drawn.max() <= 1)
    assert drawn.dtype == np.float32


@pytest.fixture
def no_grain(monkeypatch):
    monkeypatch.setattr(pairs, "add_correlated_noise", lambda images, *_, **settings: images)


def test_a_quarter_of_varied_patches_are_pictures_and_windows_vary(no_grain, rng):
    """Flat scans stay flat, but of other grey levels; pictures are not flat."""
    for slices, pictures in {1: 200, 5: 0}.items():
        drawn = training.varied_patches(FLAT, size=32, slices=slices)(800, rng)
        assert drawn.shape == (800, 32, 32, slices)
        is_flat = np.ptp(drawn, axis=(1, 2, 3)) < 1e-3
        # A few pictures have flat corners.
        assert (~is_flat).sum() == pytest.approx(pictures, abs=8)
        levels = drawn[is_flat].mean(axis=(1, 2, 3))
        assert levels.mean() == pytest.approx(0.6, abs=0.01)
        assert 0.43 < levels.min() < 0.47 and 0.73 < levels.max() < 0.77


@pytest.mark.parametrize("slices", [1, 5])
def test_varied_patches_have_a_grain_of_their_own(slices, rng):
    """Of 0 to 20 HU, neighbouring pixels alike, neighbouring slices not."""
    drawn = training.varied_patches(FLAT, size=32, slices=slices)(800, rng)[200:]
    grain = drawn - drawn.mean(axis=(1, 2, 3), keepdims=True)
    std = grain.std(axis=(1, 2, 3))
    assert std.min() < 0.001 and 0.013 < std.max() < 0.016  # 20 HU are 0.0143
    assert std.mean() == pytest.approx(0.007, abs=0.0005)
    assert np.corrcoef(grain[:, 1:].ravel(), grain[:, :-1].ravel())[0, 1] > 0.3
    if slices > 1:
        assert abs(np.corrcoef(grain[..., 0].ravel(), grain[..., 1].ravel())[0, 1]) < 0.05


def test_a_lone_patch_is_never_a_picture(no_grain, rng):
    draw = training.varied_patches(FLAT, size=32)
    assert max(np.ptp(draw(1, rng)) for _ in range(20)) < 1e-3


@pytest.mark.parametrize("slices", [1, 5])
def test_a_quarter_of_diverse_patches_know_any_window(slices, no_grain, rng):
    """A ramp of 1/2000 per pixel is seen half to four times as steep, rising as often as falling."""
    ramp = 0.6 + np.tile(np.arange(160, dtype=np.float32) / 2000, (7, 160, 1))[..., None]
    drawn = training.diverse_patches([ramp], size=16, slices=slices)(3200, rng)
    assert drawn.shape == (3200, 16, 16, slices)
    drawn = drawn[800:-400] if slices == 1 else drawn  # without pictures and drawings
    usual = training.varied_patches([ramp], size=16, slices=slices)(3200, rng)
    usual = usual[800:] if slices == 1 else usual

    def steepness(patches):
        inner = patches[:, 2:-2, 2:-2, 0].astype(float)
        return 2000 * np.max(
            [np.abs(np.diff(inner, axis=a)).mean(axis=(1, 2)) for a in (1, 2)], axis=0
        )

    steep, as_usual = steepness(drawn), steepness(usual)
    assert as_usual.max() < 1.3 / 0.5 * 1.05  # the smallest copy of the slice is twice as steep
    assert 0.04 < (steep > 1.1 * as_usual.max()).mean() < 0.12
    assert 4 < steep.max() < 4 / 0.5 * 1.1
    levels = drawn.mean(axis=(1, 2, 3))
    assert levels.min() < 0.1 and levels.max() > 0.9


def test_the_share_of_any_window_can_be_chosen(no_grain, rng):
    """Flat patients stay near their grey level in the usual window, and nowhere else in any."""
    for share in (0, 0.5, 1):
        draw = training.diverse_patches(FLAT, size=16, slices=3, any_window=share)
        levels = draw(2000, rng).mean(axis=(1, 2, 3))
        near = (np.abs(levels - 0.6) < 0.2).mean()  # 0.4 of all levels lie there
        assert near == pytest.approx(1 - 0.6 * share, abs=0.05)
    for bad in (-0.1, 1.1, "half"):
        with pytest.raises(ValueError, match=r"^any_window: expected a number in \[0, 1\]"):
            training.diverse_patches(FLAT, size=16, any_window=bad)


def test_windows_are_inverted_half_of_the_time(rng):
    rising = np.tile(np.linspace(0.45, 0.55, 9, dtype=np.float32), (2000, 9, 1))[..., None]
    seen = pairs._any_window(rising, rng)
    slopes = (seen[:, 0, -1, 0] - seen[:, 0, 0, 0]) / 0.1
    assert (slopes > 0).mean() == pytest.approx(0.5, abs=0.05)
    assert np.abs(slopes).min() == pytest.approx(0.5, abs=0.02)
    assert np.abs(slopes).max() == pytest.approx(4, abs=0.1)
    assert 0 <= seen[:, 4, 4].min() < 0.01 and 0.99 < seen[:, 4, 4].max() <= 1


def test_an_eighth_of_diverse_patches_are_drawings(no_grain, monkeypatch, rng):
    monkeypatch.setattr(pairs, "dead_leaves", lambda n, size, rng: np.full((n, size, size, 1), 2.0))
    drawn = training.diverse_patches(FLAT, size=32)(80, rng)
    assert (drawn.min(axis=(1, 2, 3)) == 1).nonzero()[0].tolist() == list(range(70, 80))


def grainy(rng, std, slices=7):
    """A patient of soft tissue with white grain, which shrinking takes away."""
    images = rng.normal(0.75, std, (slices, 160, 160, 1))
    return images.astype(np.float32).clip(0, 1)


@pytest.mark.parametrize("slices", [1, 5])
def test_scan_patches_are_all_equally_grainy(slices, rng):
    """Whatever grain a source has lost or never had, it is given; 0.01 is aimed at, contrast counts."""
    patient = grainy(rng, 0.006)
    draw = training.scan_patches([patient], 32, slices=slices, grain=(0.01, 0.01))
    patches = draw(400, rng)[100:350] if slices == 1 else draw(200, rng)
    assert patches.dtype == np.float32 and patches.min() >= 0 and patches.max() <= 1
    spread = patches.std(axis=(1, 2))
    assert spread.min() > 0.007 and spread.max() < 0.0135
    assert spread.mean() == pytest.approx(0.01, abs=0.0005)
    if slices > 1:
        flat = patches - patches.mean(axis=(1, 2), keepdims=True)
        assert abs(np.corrcoef(flat[..., 0].ravel(), flat[..., 1].ravel())[0, 1]) < 0.05


@pytest.mark.slow
def test_the_grain_that_scan_patches_speak_of():
    """Validation patients 17 HU, the training patient 11, its smaller copies 9."""
    validation, (train,) = data.load_ct("validation"), data.load_ct("train")
    smaller = [resized(train, scale)[..., None] for scale in (0.7, 0.5)]
    expected = {17: validation, 11: [train], 9: smaller}
    for hu, patients in expected.items():
        for images in patients:
            assert pairs._grain_of(images) * WINDOW_WIDTH == pytest.approx(hu, abs=0.6)


def test_scan_patches_get_what_they_lack(monkeypatch, rng):
    """The strengths that are added: all of it to a picture, nothing to a patch that has more already."""
    strengths = []

    def record(images, std, rng, *, sigma):
        strengths.append(float(std))
        return images

    monkeypatch.setattr(pairs, "add_correlated_noise", record)
    training.scan_patches([grainy(rng, 0.03)], 32, grain=(0.002, 0.002))(40, rng)
    assert strengths[:10] == pytest.approx([0.002] * 10)  # the pictures
    assert strengths[10:] == [0.0] * 30
    strengths.clear()
    training.scan_patches([grainy(rng, 0.004)], 32, grain=(0.01, 0.01))(40, rng)
    assert 0.008 < min(strengths[10:]) < max(strengths[10:]) < 0.01


def test_a_quarter_of_scan_patches_are_pictures(rng):
    patches = training.scan_patches([grainy(rng, 0.01)], 32)(64, rng)
    reach = np.ptp(patches, axis=(1, 2, 3))
    assert reach[:16].mean() > 3 * reach[16:].mean()


@pytest.mark.parametrize(
    ("message", "images", "grain"),
    [
        ("grain: expected two standard deviations", np.full((2, 128, 128, 1), 0.75), (0.02, 0.01)),
        ("grain: expected two standard deviations", np.full((2, 128, 128, 1), 0.75), 0.01),
        ("patients: expected soft tissue", np.full((2, 128, 128, 1), 0.9), (0.01, 0.02)),
        ("patients: expected soft tissue", np.full((1, 128, 128, 1), 0.75), (0.01, 0.02)),
    ],
)
def test_patients_without_grain_to_measure(message, images, grain):
    with pytest.raises(ValueError, match=f"^{message}"):
        training.scan_patches([images.astype(np.float32)], 32, grain=grain)


def test_dead_leaves_are_clean(rng):
    """Flat, sloping, with edges; never noisy: second differences are rare."""
    drawn = training.dead_leaves(200, 64, rng)
    assert drawn.shape == (200, 64, 64, 1) and drawn.dtype == np.float32
    assert drawn.min() >= 0 and drawn.max() <= 1
    bends = np.abs(np.diff(drawn, n=2, axis=2))
    assert np.median(bends) < 1e-3 < 0.1 < bends.max()
    assert drawn.mean() == pytest.approx(0.5, abs=0.05)
    assert drawn.mean(axis=(1, 2, 3)).std() > 0.1  # many kinds


def test_the_air_around_the_body_is_cut_away(rng):
    """Air and lung are thinner than 0.5; lung inside the body stays."""
    images = np.zeros((3, 200, 180, 1), np.float32)
    images[:, 50:130, 60:150] = 0.7
    images[1, 45, 100] = 0.6  # a row that only one slice shows
    images[:, 80:100, 80:120] = 0.1
    body = pairs._body(images)
    np.testing.assert_array_equal(body, images[:, 45:130, 60:150])
    np.testing.assert_array_equal(pairs._body(images * 0.1), images * 0.1)  # no body at all
    assert (training.ct_patches([images], size=32)(200, rng) > 0.05).mean() > 0.9


@pytest.mark.parametrize(
    ("message", "edges", "settings"),
    [
        ("patients: expected bodies of at least 128 pixels", (100, 128), {}),
        ("size: expected at most 103 pixels", (300, 300), {"size": 104}),
        ("size: expected a whole number", (128, 128), {"size": 0}),
        ("slices: expected a whole number", (128, 128), {"slices": 3}),  # of two
    ],
)
def test_bad_input(message, edges, settings):
    with pytest.raises(ValueError, match=f"^{message}"):
        training.varied_patches([np.ones((2, *edges, 1), np.float32)], **settings)


def test_a_patch_is_no_larger_than_the_smallest_picture(monkeypatch):
    monkeypatch.setattr(
        pairs, "_pictures", lambda: [np.zeros((1, 90, edge, 1)) for edge in (80, 40)]
    )
    with pytest.raises(ValueError, match="^size: expected at most 40 pixels, .* got 41"):
        training.varied_patches([np.ones((1, 90, 90, 1), np.float32)], size=41)


@pytest.mark.parametrize("slices", [1, 5])
def test_spread_of_the_noise(slices, rng):
    clean = np.full((500, 40, 40, slices), 0.5, np.float32)
    added = training.unknown_noise(clean, rng) - clean
    each = added.std(axis=(1, 2, 3))
    in_slices = added.std(axis=(1, 2))
    assert np.abs(in_slices / in_slices[:, :1] - 1).max() < 0.2  # slices of a patch: equally noisy
    assert len(np.unique(added[0, 0, 0])) == slices  # but each has noise of its own
    assert each.min() == pytest.approx(0, abs=0.006)
    assert each.max() == pytest.approx(0.16, abs=0.012)
    assert each.mean() == pytest.approx(0.08, abs=0.006)
