"""helpers.noise.projections: against the physics of a scan."""

import numpy as np
import pytest

from helpers import noise
from helpers.noise import projections

SIZE, PIXEL = 96, 2.5


def disc(radius_mm, axes=(1, 1)):
    """Water in air."""
    y, x = (np.mgrid[0:SIZE, 0:SIZE] - (SIZE - 1) / 2) * PIXEL
    inside = (x / axes[0]) ** 2 + (y / axes[1]) ** 2 <= radius_mm**2
    return np.where(inside, 0.0, -1000.0)[None]


@pytest.fixture(scope="module")
def water():
    """A disc of water, 200 mm wide, projected."""
    return projections.project(disc(100), PIXEL)


def draws(projected, n, rng, **settings):
    """Several draws of noise for one slice."""
    sinograms, shape = projected
    known = {"photons": 1e5, **settings}
    return projections.ct_noise(
        np.repeat(sinograms, n, axis=0), shape, PIXEL, known.pop("photons"), rng, **known
    )


def test_paths_through_water(water):
    """200 mm in the middle, 2 sqrt(100^2 - d^2) beside it."""
    sinograms, shape = water
    assert shape == (SIZE, SIZE)
    path = sinograms[0].mean(axis=1) / projections.WATER
    middle = SIZE // 2
    assert path[middle] == pytest.approx(200, rel=0.02)
    assert path[middle + 24] == pytest.approx(2 * np.sqrt(100**2 - 60**2), rel=0.02)
    assert path[0] == 0


def test_falls_with_the_root_of_the_dose(water, rng):
    low, high = (draws(water, 4, rng, photons=n, electronic=0).std() for n in (2e4, 8e4))
    assert low / high == pytest.approx(2, rel=0.05)


def test_rises_towards_the_centre_of_the_body(water, rng):
    spread = draws(water, 8, rng).std(axis=0)
    middle, rim = spread[44:52, 44:52].mean(), spread[44:52, 12:20].mean()
    assert middle > 1.15 * rim


def test_starved_detectors_are_noisier(water, rng):
    """With few photons, the electronic noise counts."""
    without, with_ = (draws(water, 4, rng, photons=2e3, electronic=e).std() for e in (0, 40))
    assert with_ > 1.2 * without


def test_no_shift_and_no_memory(water, rng):
    sample = draws(water, 12, rng, photons=1e6)
    assert abs(sample.mean()) < 1
    assert abs(sample.mean(axis=0)[40:56, 40:56].mean()) < 1
    first, second = sample[0].ravel(), sample[1].ravel()
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.05


@pytest.fixture(scope="module")
def spectra(water):
    """Radial power spectra of the middle of the disc, for several kernels."""
    rng = np.random.default_rng(5)
    found = {}
    for kernel, cutoff in (("ramp", 1), ("hann", 1), ("hann", 0.7), ("shepp-logan", 1)):
        sample = draws(water, 60, rng, kernel=kernel, cutoff=cutoff, electronic=0)[:, 32:64, 32:64]
        found[kernel, cutoff] = noise.power_spectrum(sample[..., None] / 1000)
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(32), np.fft.fftfreq(32)))
    return frequency, found


def along(spectra, kernel, cutoff, low, high):
    frequency, found = spectra
    ring = (frequency >= low) & (frequency < high)
    return found[kernel, cutoff][ring].mean(), frequency[ring].mean()


def test_ramp_grows_with_frequency_and_vanishes_at_0(spectra):
    """In proportion, but for the linear interpolation of the back projection, whose sinc^2 counts squared."""
    edges = (0.06, 0.1, 0.15, 0.2, 0.3, 0.4)
    powers, frequencies = np.transpose(
        [along(spectra, "ramp", 1, *ring) for ring in zip(edges, edges[1:])]
    )
    slopes = powers / (frequencies * np.sinc(frequencies) ** 4)
    np.testing.assert_allclose(slopes / slopes.mean(), 1, atol=0.1)
    assert spectra[1]["ramp", 1][0, 0] < 0.2 * powers.max()


@pytest.mark.parametrize(("kernel", "cutoff"), [("hann", 1), ("hann", 0.7), ("shepp-logan", 1)])
def test_kernels_multiply_the_ramp(kernel, cutoff, spectra):
    """Of two rings, the ratio to the ramp's is that of the kernels, squared."""
    rings = ((0.06, 0.1), (0.2, 0.25))
    ratios = []
    for ring in rings:
        power, frequency = along(spectra, kernel, cutoff, *ring)
        ratio = power / along(spectra, "ramp", 1, *ring)[0]
        ratios.append((ratio, projections.KERNELS[kernel](frequency / 0.5 / cutoff) ** 2))
    (slow, slow_expected), (fast, fast_expected) = ratios
    assert slow == pytest.approx(slow_expected, rel=0.2)
    assert fast == pytest.approx(fast_expected, rel=0.3, abs=0.02)


def test_streaks_along_the_long_axis(rng):
    """Rays along the long axis of an ellipse are the weakest: noise varies across them, not along them."""
    sinograms, shape = projections.project(disc(60, axes=(1.9, 0.8)), PIXEL)
    sample = projections.ct_noise(
        np.repeat(sinograms, 20, axis=0), shape, PIXEL, 2e4, rng, kernel="ramp"
    )[:, 36:60, 36:60]
    across, beside = (np.square(np.diff(sample, axis=axis)).mean() for axis in (1, 2))
    assert across > 1.3 * beside


def test_a_crop_in_a_body_has_longer_paths(rng):
    crop = np.full((1, 40, 40), -700.0)
    alone, inside = (
        noise.add_ct_noise(crop, PIXEL, 1e5, rng, body=body) - crop for body in (None, (200, 160))
    )
    assert inside.shape == crop.shape
    assert inside.std() > 1.4 * alone.std()


def test_noise_is_added_and_nothing_else(water):
    hu = disc(100)
    noisy = noise.add_ct_noise(hu, PIXEL, 1e5, np.random.default_rng(1))
    expected = projections.ct_noise(*water, PIXEL, 1e5, np.random.default_rng(1))
    np.testing.assert_allclose(noisy - hu, expected, atol=1e-3)
    assert noisy.dtype == np.float32


@pytest.mark.parametrize("shape", [(32, 33), (33, 32), (40, 40), (95, 20)])
def test_a_smaller_shape_is_the_middle_of_the_slice(water, shape):
    """The same noise, cut out where a crop stands in its body."""
    sinograms, whole = water
    large, small = (
        projections.ct_noise(sinograms, size, PIXEL, 1e5, np.random.default_rng(3))[0]
        for size in (whole, shape)
    )
    top, left = ((SIZE - edge) // 2 for edge in shape)
    cut = large[top : top + shape[0], left : left + shape[1]]
    np.testing.assert_allclose(small, cut, atol=1e-3)


def test_kernels_answer_1_at_frequency_0_and_nothing_beyond_the_cutoff():
    frequency = np.array([0.0, 0.1, 0.2, 0.3])
    for kernel in noise.KERNELS:
        response = noise.kernel_response(kernel, frequency, 0.5)
        assert response[0] == 1 and response[3] == 0 and (np.diff(response) <= 0).all()
    np.testing.assert_allclose(
        noise.kernel_response("hann", frequency)[2], 0.5 + 0.5 * np.cos(0.4 * np.pi)
    )
    with pytest.raises(ValueError, match="^kernel: expected one of ramp, shepp-logan"):
        noise.kernel_response("B30f", frequency)
    with pytest.raises(ValueError, match="^cutoff: expected a number"):
        noise.kernel_response("hann", frequency, 2)


@pytest.mark.parametrize("correlation", [0, 0.3, 0.5])
def test_overlapping_slices_are_alike(correlation, rng):
    """Neighbours by so much, others not at all, and none is stronger or weaker than before."""
    mixed = noise.overlapped(rng.standard_normal((5, 200, 200)), correlation)
    found = np.corrcoef(mixed.reshape(4, -1))
    for apart, expected in ((1, correlation), (2, 0), (3, 0)):
        np.testing.assert_allclose(np.diagonal(found, apart), expected, atol=0.03)
    np.testing.assert_allclose(mixed.std(axis=(1, 2)), 1, atol=0.02)


def test_bad_overlap():
    with pytest.raises(ValueError, match="^correlation: expected a number"):
        noise.overlapped(np.zeros((2, 4, 4)), 0.6)
    with pytest.raises(ValueError, match="^noise: expected at least two slices, got 1"):
        noise.overlapped(np.zeros((1, 4, 4)), 0.3)


HU = np.full((1, 32, 32), -500.0)


@pytest.mark.parametrize(
    ("message", "hu", "settings"),
    [
        ("hu: expected Hounsfield units, where air is -1000, got values from 0.5", HU * 0 + 0.5, {}),
        ("hu: expected Hounsfield units, where air is -1000", np.arange(256.0).reshape(1, 16, 16), {}),
        ("hu: expected slices of shape", HU[0], {}),
        ("hu: expected slices of shape", HU[..., None], {}),
        ("hu: expected finite", HU * np.nan, {}),
        ("pixel_mm: expected a number", HU, {"pixel_mm": 0.0007}),
        ("pixel_mm: expected a number", HU, {"pixel_mm": 700}),
        ("photons: expected a number", HU, {"photons": 0}),
        ("photons: expected a number", HU, {"photons": -1e5}),
        ("kernel: expected one of ramp, shepp-logan, cosine, hamming, hann, got 'B30f'", HU, {"kernel": "B30f"}),
        ("cutoff: expected a number", HU, {"cutoff": 0}),
        ("views: expected a whole number", HU, {"views": -3}),
        ("body: expected one larger than the slice, 32 mm across", HU, {"body": (20, 20)}),
        ("body: expected one larger than the slice, 32 mm across", HU, {"body": (300, 20)}),
        ("rng: expected a numpy Generator", HU, {"rng": 0}),
    ],
)  # fmt: skip
def test_bad_input(message, hu, settings):
    known = {
        "pixel_mm": 1.0,
        "photons": 1e5,
        "rng": np.random.default_rng(0),
        "views": 8,
        **settings,
    }
    with pytest.raises(ValueError, match=f"^{message}"):
        noise.add_ct_noise(
            hu, known.pop("pixel_mm"), known.pop("photons"), known.pop("rng"), **known
        )
