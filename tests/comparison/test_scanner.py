"""helpers.comparison.scanner: the same scans for everybody, a true spectrum, and the stored results."""

from dataclasses import replace

import numpy as np
import pytest

from helpers import comparison, data, hounsfield, metrics, noise
from helpers.comparison import scanner

FIRST = 2  # slices of each patient that are projected here


def test_three_kernels_at_three_doses():
    scans = comparison.SCANS.values()
    kernels = {scan.kernel_name for scan in scans}
    assert kernels == {"ramp", "hann", "hann cut at 0.7"}
    assert {scan.photons for scan in scans} == {40_000, 80_000, 160_000} and len(scans) == 9
    assert comparison.Scan("hann", 5, 0.7, 0.3).name == "hann cut at 0.7, 5 photons, overlap 0.3"


def test_three_of_them_once_more_where_slices_overlap():
    alone = [replace(scan, correlation=0.0).name for scan in comparison.OVERLAPPING.values()]
    assert alone == [name for name, scan in comparison.SCANS.items() if scan.photons == 80_000]
    assert {scan.correlation for scan in comparison.OVERLAPPING.values()} == {0.3}
    assert set(comparison.OVERLAP_METHODS) <= set(scanner.scan_methods())


def test_bm4d_is_told_the_overlap_of_the_scan_by_its_name(monkeypatch):
    patients = [np.zeros((1, 4, 4, 1), np.float32)], [np.ones((1, 4, 4, 1), np.float32)]
    seen = []
    monkeypatch.setattr(scanner, "scan_copies", lambda split, scan, seed: patients)
    monkeypatch.setattr(scanner, "scan_spectra", lambda split, scan, seed: [np.ones((4, 4))])
    monkeypatch.setattr(scanner, "told", lambda known, correlation: seen.append(correlation))
    monkeypatch.setattr(scanner, "compare_copies", lambda *_, **options: {})
    for name in (*comparison.SCANS, *comparison.OVERLAPPING):
        comparison.compare_scan(name, methods=comparison.OVERLAP_METHODS)
    assert seen == [0.0] * 9 + [0.3] * 3


def test_noise_depends_on_seed_split_and_scan():
    ramp, hann = (comparison.SCANS[f"{kernel}, 80000 photons"] for kernel in ("ramp", "hann"))

    def drawn(split, scan, seed):
        return comparison.scan_noise(split, scan, seed=seed, first=FIRST)[0][0, :100, :100, 0]

    one, again = (drawn("test", ramp, 1) for _ in range(2))
    np.testing.assert_array_equal(one, again)
    for other in (drawn("test", ramp, 2), drawn("validation", ramp, 1), drawn("test", hann, 1)):
        assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 0.1


def test_copies_are_clean_slices_and_noise_of_the_kernel():
    scan = comparison.SCANS["hann, 80000 photons"]
    clean, noisy = scanner.scan_copies("test", scan, first=FIRST)
    for a, b, whole in zip(clean, noisy, data.load_ct("test")):
        np.testing.assert_array_equal(a, whole[:FIRST])
        assert (b - a).std() == pytest.approx(35 / hounsfield.WINDOW_WIDTH, rel=0.2)
        assert 0.1 < noise.mean_frequency(b - a).mean() < 0.2


def test_overlap_makes_neighbours_alike():
    scan = replace(comparison.SCANS["ramp, 80000 photons"], correlation=0.3)
    for patient in comparison.scan_noise("test", scan, first=3):
        near = np.corrcoef(patient[0].ravel(), patient[1].ravel())[0, 1]
        far = np.corrcoef(patient[0].ravel(), patient[2].ravel())[0, 1]
        assert near == pytest.approx(0.3, abs=0.05)
        assert abs(far) < 0.05


def test_the_spectrum_is_that_of_the_noise(monkeypatch):
    """Of other draws: both patients', ring by ring."""
    few = scanner.ct_sinograms("test", first=1)
    monkeypatch.setattr(scanner, "ct_sinograms", lambda split, first=None: few)
    scan = comparison.SCANS["hann cut at 0.7, 80000 photons"]
    spectra = comparison.scan_spectra("test", scan)
    for drawn, spectrum in zip(comparison.scan_noise("test", scan), spectra, strict=True):
        told, found = (
            noise.radial_spectrum(s, bins=8)[1] for s in (spectrum, noise.power_spectrum(drawn))
        )
        np.testing.assert_allclose(found[:5], told[:5], rtol=0.25)
        assert spectrum.mean() / drawn[0].size == pytest.approx(drawn.var(), rel=0.1)


@pytest.fixture
def known(rng):
    """Nine slices with a box, and blurred noise that is twice as strong in the last one."""
    clean = np.full((9, 32, 40, 1), 0.5, np.float32)
    clean[:, 8:20, 10:30] = 0.7
    draws = noise.add_correlated_noise(np.zeros((109, 32, 40, 1)), 0.04, rng, sigma=1.0)
    spectrum = noise.power_spectrum(draws[9:])
    draws[8] *= 2
    return clean, clean + draws[:9], spectrum


def test_told_the_noise_they_are_better(known):
    clean, noisy, _ = known
    told = comparison.told([known])
    for name, (denoise, grid) in told.items():
        assert grid["strength"] == [0.9, 1.0, 1.1]
        assert denoise.about.told_std and denoise.about.volume == (name == "bm4d")
        filter_ = scanner.BASELINES[name]
        ours, theirs = (
            metrics.psnr(clean, result).mean() for result in (denoise(noisy), filter_(noisy, 0.045))
        )
        assert ours > theirs + 1
        assert grid["profile"] == ["np", "refilter"]


def test_bm4d_is_told_how_alike_neighbours_are(known, monkeypatch):
    """The spectrum of the volume: none of its waves is lost, and slow ones along the slices are the stronger ones."""
    _, noisy, spectrum = known
    asked = []
    monkeypatch.setitem(
        scanner.BASELINES, "bm4d", lambda n, *, spectrum, profile: asked.append(spectrum) or n
    )
    strength = np.mean([np.var(b - a) for a, b in zip(*known[:2])])
    for correlation in (0.0, 0.5):
        comparison.told([known], correlation)["bm4d"][0](noisy)
    flat, waves = asked
    for one in asked:
        assert one.shape == (9, 32, 40)
        assert one.mean() / one.size == pytest.approx(strength, rel=1e-3)
    assert np.ptp(flat, axis=0).max() == 0
    np.testing.assert_allclose(waves[0], 2 * flat[0])
    assert waves[4].max() < 0.1 * flat[4].max()


def test_bm3d_is_told_the_strength_in_each_slice(known):
    """The last slice has four times the variance; a strength of 1.1 is that of 1.21 times the power."""
    _, noisy, spectrum = known
    denoise = comparison.told([known])["bm3d"][0]
    exact = [float(np.var(b - a)) for a, b in zip(*known[:2])]
    for index in (0, 8):
        spectrum_here = spectrum / spectrum.mean() * spectrum.size * exact[index] * 1.21
        np.testing.assert_allclose(
            denoise(noisy[index : index + 1], strength=1.1),
            scanner.BASELINES["bm3d"](noisy[index : index + 1], spectrum=spectrum_here),
            atol=1e-3,
        )
    with pytest.raises(ValueError, match="^noisy: expected slices whose noise is known"):
        denoise(noisy[:1] + np.float32(0.01))


def test_tables_of_scans():
    known = {
        name: comparison.measure({"bm3d": comparison.do_nothing}, [a], [a + s])
        for name, s in {"ramp": 0.1, "hann": 0.01}.items()
        for a in [np.full((2, 8, 8, 1), 0.5, np.float32)]
    }
    table = comparison.scan_table(known, {"ramp": 140.2, "hann": 14.4}, ["bm3d"]).splitlines()
    assert table[2:] == ["| ramp | 140 | 20.00 |", "| hann | 14 | 40.00 |", "| mean | | 30.00 |"]
    errors = comparison.scan_table(
        known, {"ramp": 140.2, "hann": 14.4}, ["bm3d"], value=comparison.rmse_hu
    )
    assert "| ramp | 140 | 140.00 |" in errors
    leads = comparison.lead_table(
        {"ramp": {**known["ramp"], "ours": known["hann"]["bm3d"]}}, "ours"
    )
    assert "| scan |" in leads and "| ramp | 20.00 | 40.00 | +20.00 (+20.00 to +20.00) |" in leads
    for table in (comparison.lead_table, lambda none: comparison.scan_table(none, {}, ["bm3d"])):
        with pytest.raises(ValueError, match="^levels: expected at least one"):
            table({})


def test_unknown_scans_and_methods():
    with pytest.raises(ValueError, match="^name: expected one of ramp, 40000 photons; ramp, 80000"):
        comparison.compare_scan("sharp")
    with pytest.raises(ValueError, match="^methods: expected some of noisy, .* got 'resnet'"):
        comparison.compare_scan("ramp, 40000 photons", methods=["resnet"])
