"""helpers.noise.projections: against the physics of a scan."""

import numpy as np
import pytest

from helpers import noise
from helpers.noise import projections

SIZE, PIXEL = 96, 2.5


def disc(radius_mm, axes=(1, 1), size=SIZE, pixel=PIXEL):
    """Water in air."""
    y, x = (np.mgrid[0:size, 0:size] - (size - 1) / 2) * pixel
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


class Opposite(np.random.Generator):
    """Draws what another generator of the same seed draws, with the opposite sign."""

    def standard_normal(self, *args):
        return -super().standard_normal(*args)


@pytest.mark.parametrize("photons", [1e6, 2e4, 100])
def test_opposite_readings_give_opposite_noise(photons, water):
    """So the noise has mean 0 at every dose: a logarithm of few photons, or a cut at 0, would shift it."""
    one, other = (
        draws(water, 1, generator(np.random.PCG64(0)), photons=photons)
        for generator in (np.random.Generator, Opposite)
    )
    np.testing.assert_allclose(one, -other, rtol=1e-5, atol=1e-5 * one.std())


@pytest.mark.parametrize("photons", [1e6, 2e4])
def test_no_shift_and_no_memory(photons, water, rng):
    """In the middle and at the rim of the disc, in the air, and in all: their means are sure to 0.3 HU or less."""
    sample = draws(water, 40, rng, photons=photons)
    radius = np.hypot(*(np.mgrid[0:SIZE, 0:SIZE] - SIZE // 2))
    for low, high in ((0, 12), (24, 36), (41, 47), (0, SIZE)):
        assert abs(sample[:, (radius >= low) & (radius < high)].mean()) < 1
    first, second = sample[0].ravel(), sample[1].ravel()
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.05


# --------------------------------------------------------------- the strength in theory


def of_view(frequency, kernel, cutoff=1.0):
    """Power of a filtered view where that of the readings is 1: (f H)^2, less by the back projection's interpolation.

    Between two detectors it mixes (1 - t) of one with t of the other, which leaves 1 - 2 t (1 - t) (1 - cos 2 pi f);
    t (1 - t) is 1/6 in the mean.
    """
    ramp = frequency * noise.kernel_response(kernel, np.abs(frequency), cutoff)
    return ramp**2 * (2 + np.cos(2 * np.pi * frequency)) / 3


@pytest.mark.parametrize(
    ("size", "pixel", "radius", "views", "photons", "electronic", "kernel"),
    [
        (96, 2.5, 100, None, 1e5, 0, "ramp"),
        (64, 3.0, 80, 90, 1e5, 0, "ramp"),
        (128, 1.5, 80, 60, 2e4, 0, "ramp"),
        (65, 3.0, 80, None, 1e5, 0, "hann"),
        (96, 2.5, 100, 60, 2e4, 30, "hann"),
    ],
)
def test_strength_in_the_middle_of_water(
    size, pixel, radius, views, photons, electronic, kernel, rng
):
    projected, _ = projections.project(disc(radius, (1, 1), size, pixel), pixel, views=views)
    sample = projections.ct_noise(
        np.repeat(projected, 30, axis=0), (32, 32), pixel, photons, rng, kernel=kernel, electronic=electronic
    )  # fmt: skip
    # The slice is pi / views times the sum of its views. From -1/2 to 1/2, (f H)^2 sums up to 1/12 for the ramp alone, which
    # makes the variance pi^2 / (12 views) e^p / N; interpolation leaves 1/18 - 1 / (6 pi^2) of the 1/12.
    frequency = (np.arange(2000) + 0.5) / 2000 - 0.5
    share = of_view(frequency, kernel).mean()
    if kernel == "ramp":
        assert share == pytest.approx(1 / 18 - 1 / (6 * np.pi**2), rel=1e-4)
    arriving = photons * np.exp(-projections.WATER * 2 * radius)
    variance = np.pi**2 / (views or size) * share * (arriving + electronic**2) / arriving**2
    radii = np.hypot(*(np.mgrid[0:32, 0:32] - 16))
    around = (radii >= 3) & (radii < 8)  # on the axis itself, all views meet a detector
    expected = 1000 / projections.WATER / pixel * np.sqrt(variance)
    assert sample[:, around].std() == pytest.approx(expected, rel=0.05)


PATH, EDGE = 3.84, 64  # 200 mm of water, for every ray; detectors and views
WINDOW, FINE = 32, 512  # pixels that are looked at; frequencies of the theory


def spectrum_in_theory(kernel, cutoff):
    """In HU^2, for 1e5 photons and rays that are all weakened by exp(-PATH), as a window of `WINDOW` pixels shows it.

    The slice is pi / views times the sum of its views. In two dimensions, each view has its power on a line, and a ring
    of 2 pi f crosses 2 `views` lines, so that views / (pi f) times the power of a view is left. A window multiplies the
    covariance of pixels, which is the spectrum's transform, by the share of pairs that fit into it.
    """
    axis = np.fft.fftfreq(FINE)
    frequency = np.hypot(axis[:, None], axis[None])
    frequency[0, 0] = np.inf  # there is no power at 0
    view = np.exp(PATH) / 1e5 * of_view(np.where(frequency < 1, frequency, 0), kernel, cutoff)
    power = (1000 / projections.WATER / PIXEL * np.pi / EDGE) ** 2 * EDGE / np.pi / frequency * view
    pairs = np.maximum(0, 1 - np.abs(axis * FINE) / WINDOW)
    seen = np.fft.fft2(np.fft.ifft2(power) * pairs[:, None] * pairs).real
    return seen[:: FINE // WINDOW, :: FINE // WINDOW] * WINDOW**2


@pytest.fixture(
    scope="module", params=[("ramp", 1), ("hann", 1), ("hann", 0.7), ("shepp-logan", 1)]
)
def spectra(request):
    """The kernel, and the power spectrum of its noise: found, and expected."""
    kernel, cutoff = request.param
    projected = np.full((1, EDGE, EDGE), PATH), (WINDOW, WINDOW)
    settings = {"kernel": kernel, "cutoff": cutoff, "electronic": 0}
    sample = draws(projected, 100, np.random.default_rng(5), **settings)
    return kernel, noise.power_spectrum(sample[..., None]), spectrum_in_theory(kernel, cutoff)


def test_spectrum_is_that_of_the_kernel_in_all_rings(spectra):
    """f H^2, by the projection-slice theorem.

    At the highest frequencies, which only sharp kernels keep, the grid of pixels takes up to a fifth.
    """
    kernel, *both = spectra
    (_, found), (_, expected) = (noise.radial_spectrum(power, bins=12) for power in both)
    exact = 12 if kernel == "hann" else 8
    np.testing.assert_allclose(
        found[:exact], expected[:exact], rtol=0.05, atol=0.02 * expected.max()
    )
    np.testing.assert_allclose(found[exact:], expected[exact:], rtol=0.2)


def test_spectrum_vanishes_at_0(spectra):
    """But for what the window lets in from frequencies nearby, which 100 draws show to 14 %."""
    _, found, expected = spectra
    assert found[0, 0] < 1.3 * expected[0, 0] < 0.5 * expected.max()


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


HU, GREY = np.full((1, 32, 32), -500.0), np.linspace(0, 1, 256).reshape(1, 16, 16)
IN_HU = "hu: expected Hounsfield units, "
SLICES = r"hu: expected slices of shape \(n, height, width\)"
IN_MM = "pixel_mm: expected the edge of a pixel in millimetres, 0.1 to 5, got"


@pytest.mark.parametrize(
    ("message", "settings"),
    [
        (f"{IN_HU}where air is -1000, got values from 0.5 to 0.5; `hounsfield.unwindow`", {"hu": HU * 0 + 0.5}),
        (f"{IN_HU}where air is -1000, got values from -0.1 to 1.1;", {"hu": 1.2 * GREY - 0.1}),
        (f"{IN_HU}where air is -1000, got values from -1 to 1;", {"hu": 2 * GREY - 1}),
        (f"{IN_HU}where air is -1000, got values from 0 to 255;", {"hu": 255 * GREY}),
        (f"{IN_HU}at most 32767, got values from 0 to 65535; a file's slope", {"hu": 65535 * GREY}),
        (f"{SLICES}, of more than one pixel, got shape", {"hu": HU[0]}),
        (f"{SLICES}, of more than one pixel, got shape", {"hu": HU[..., None]}),
        (f"{SLICES}, of more than one pixel, got shape", {"hu": HU[:0]}),
        (f"{SLICES}, of more than one pixel, got shape", {"hu": HU[:, :1, :1]}),
        (f"{SLICES}, got some of different sizes", {"hu": [HU[0], HU[0, :9]]}),
        (f"{SLICES}, got no real numbers but object", {"hu": None}),
        (f"{SLICES}, got no real numbers but bool", {"hu": HU < 0}),
        ("hu: expected finite", {"hu": HU * np.nan}),
        (f"{IN_MM} 0.0007, which looks like metres", {"pixel_mm": 0.0007}),
        (f"{IN_MM} 700, which looks like micrometres", {"pixel_mm": 700}),
        (f"{IN_MM} 10$", {"pixel_mm": 10}),
        (f"{IN_MM} nan$", {"pixel_mm": np.nan}),
        (f"{IN_MM} '0.7'$", {"pixel_mm": "0.7"}),
        (f"{IN_MM} \\(0.7, 0.7\\)$", {"pixel_mm": (0.7, 0.7)}),
        ("photons: expected a finite number of at least 1, got 0$", {"photons": 0}),
        ("photons: expected a finite number of at least 1, got -1", {"photons": -1e5}),
        ("photons: expected a finite number of at least 1, got inf", {"photons": np.inf}),
        ("photons: expected a finite number of at least 1, got nan", {"photons": np.nan}),
        ("photons: expected a finite number of at least 1, got None", {"photons": None}),
        ("electronic: expected a finite number of at least 0, got -1", {"electronic": -1}),
        ("electronic: expected a finite number of at least 0, got inf", {"electronic": np.inf}),
        ("kernel: expected one of ramp, shepp-logan, cosine, hamming, hann, got 'B30f'", {"kernel": "B30f"}),
        ("kernel: expected one of ramp, shepp-logan, .*, got \\['hann'\\]", {"kernel": ["hann"]}),
        ("kernel: expected one of ramp, shepp-logan, .*, got None", {"kernel": None}),
        ("cutoff: expected a number", {"cutoff": 0}),
        ("views: expected a whole number in \\[1, 100000\\], got -3", {"views": -3}),
        ("views: expected a whole number in \\[1, 100000\\], got 0", {"views": 0}),
        ("views: expected a whole number in \\[1, 100000\\], got 2.5", {"views": 2.5}),
        ("body: expected one larger than the slice, 32 mm across and 32 mm along, got", {"body": (20, 20)}),
        ("body: expected one larger than the slice, 32 mm across", {"body": (300, 20)}),
        ("body: expected axes in mm, across and along, got \\(1, 2, 3\\)", {"body": (1, 2, 3)}),
        ("body: expected axes in mm, across and along, got 5", {"body": 5}),
        ("body: expected a number in \\[1, 2000\\], got 350000", {"body": (350_000, 250_000)}),
        ("body: expected a number in \\[1, 2000\\], got 'a'", {"body": "ab"}),
        ("rng: expected a numpy Generator", {"rng": 0}),
    ],
)  # fmt: skip
def test_bad_input(message, settings):
    known = {"hu": HU, "pixel_mm": 1.0, "photons": 1e5, "rng": np.random.default_rng(0), "views": 8}
    with pytest.raises(ValueError, match=f"^{message}"):
        noise.add_ct_noise(**{**known, **settings})


def test_a_bad_dose_is_refused_before_anything_is_projected(monkeypatch):
    monkeypatch.setattr(projections, "project", None)
    for wrong in ({"photons": 0}, {"kernel": "B30f"}, {"cutoff": 2}, {"electronic": -1}):
        with pytest.raises(ValueError, match=f"^{next(iter(wrong))}: expected"):
            noise.add_ct_noise(
                HU, 1.0, **{"photons": 1e5, "rng": np.random.default_rng(0), **wrong}
            )


FOUR = np.ones((1, 4, 4))


@pytest.mark.parametrize(
    ("message", "sinograms", "shape"),
    [
        (r"sinograms: expected shape \(n, detectors, views\), .* got shape \(4, 4\)", FOUR[0], (4, 4)),
        (r"sinograms: .* of more than one detector, got shape \(1, 1, 4\)", FOUR[:, :1], (1, 1)),
        (r"sinograms: expected shape \(n, detectors, views\), got no real", None, (4, 4)),
        ("sinograms: expected line integrals .* got values from nan", FOUR * np.nan, (4, 4)),
        ("sinograms: expected line integrals .* got values from -1000", FOUR * -1000, (4, 4)),
        ("sinograms: expected line integrals .* got values from 1000", FOUR * 1000, (4, 4)),
        ("shape: expected height and width in pixels, got 4", FOUR, 4),
        ("shape: expected height and width in pixels, got .1, 4, 4.", FOUR, (1, 4, 4)),
        (r"shape: expected a whole number in \[1, 4\], got 5", FOUR, (5, 4)),
        (r"shape: expected a whole number in \[1, 4\], got 0", FOUR, (4, 0)),
        (r"shape: expected a whole number in \[1, 4\], got 2.5", FOUR, (2.5, 4)),
    ],
)  # fmt: skip
def test_bad_projections(message, sinograms, shape, rng):
    with pytest.raises(ValueError, match=f"^{message}"):
        noise.ct_noise(sinograms, shape, 1.0, 1e5, rng)


@pytest.mark.parametrize("shape", [(1, 1, 2), (2, 2, 1), (1, 2, 2)])
def test_the_smallest_slices(shape, rng):
    noisy = noise.add_ct_noise(np.zeros(shape), 1.0, 1e5, rng)
    assert noisy.shape == shape and np.isfinite(noisy).all()
