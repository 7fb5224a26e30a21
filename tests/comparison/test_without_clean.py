"""helpers.comparison.without_clean and noisy_scans: halves that make a scan, one budget for all, a run that goes on."""

from dataclasses import replace

import numpy as np
import pytest

from helpers import data
from helpers.comparison import means_of_seeds, noisy_scans, without_clean

FIRST = 2  # slices of each patient


@pytest.fixture
def scans():
    """The lowest slices of the test patients, scanned."""
    clean = [images[:FIRST] for images in data.load_ct("test")]
    sinograms = data.ct_sinograms("test", first=FIRST)
    return noisy_scans.scanner_scans(clean, sinograms, "test", 0)


def test_a_scan_is_the_mean_of_its_halves(scans):
    for scan, even, odd, clean in zip(scans.scan, *scans.halves, scans.clean, strict=True):
        np.testing.assert_allclose(scan, (even + odd) / 2, atol=1e-6)
        of_halves = even - clean, odd - clean
        assert abs(np.corrcoef(*map(np.ravel, of_halves))[0, 1]) < 0.05
        for noise in of_halves:  # half of the photons, twice the variance
            assert noise.std() == pytest.approx(np.sqrt(2) * (scan - clean).std(), rel=0.05)


def test_the_other_scan_has_other_noise_of_the_same_kind(scans):
    for scan, again, clean in zip(scans.scan, scans.again, scans.clean):
        one, other = scan - clean, again - clean
        assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 0.05
        assert one.std() == pytest.approx(other.std(), rel=0.05)
        assert 0.5 * scans.std < one.std() < 2 * scans.std


def test_half_of_the_views_have_the_noise_of_half_of_the_dose(scans):
    """The whole scan is as noisy as one that is drawn from all views at once."""
    (sinograms, shape), _ = data.ct_sinograms("test", first=FIRST)
    rng, pixel = np.random.default_rng(1), data.CT_PIXEL_MM["test"]
    from_all = noisy_scans.ct_noise(
        sinograms, shape, pixel, noisy_scans.PHOTONS["test"], rng, kernel=noisy_scans.KERNEL
    )
    std = (scans.scan[0] - scans.clean[0]).std() * noisy_scans.WINDOW_WIDTH
    assert std == pytest.approx(from_all.std(), rel=0.05)


def test_white_scans_have_no_halves(pictures):
    scans = noisy_scans.white_scans([pictures], 0)
    assert scans.halves is None and scans.std == 0.07
    assert (scans.scan[0] - pictures).std() == pytest.approx(0.07, rel=0.1)
    assert not np.array_equal(scans.scan[0], scans.again[0])


@pytest.mark.parametrize("noise", ["ct", None, ["white"]])
def test_an_unknown_noise_is_named(noise):
    for scan in (noisy_scans.scans_of_training, noisy_scans.scans_of_test):
        with pytest.raises(ValueError, match="^noise: expected one of white, scanner, got "):
            scan(noise, 0)


@pytest.mark.parametrize("name", noisy_scans.NOISES)
def test_a_noise_says_whether_its_scans_have_halves(name, monkeypatch):
    """Methods that need halves are left out where there are none."""
    clean, sinograms = [np.zeros((1, 8, 8, 1), np.float32)], np.ones((1, 24, 6), np.float32)
    monkeypatch.setattr(noisy_scans, "load_ct", lambda split: clean)
    monkeypatch.setattr(noisy_scans, "ct_sinograms", lambda split: [(sinograms, (8, 8))])
    noise = noisy_scans.NOISES[name]
    assert (noisy_scans.scans_of_test(name, 0).halves is not None) == noise.halves
    jobs = {method for of, method, _ in without_clean._jobs() if of == name}
    assert ("noise2inverse" in jobs) == noise.halves


@pytest.mark.slow
def test_training_and_test_are_equally_noisy():
    """Body, pixels and photons are alike, so that a network meets the strength that it has learned."""
    before, after = (
        noisy_scans.scans_of_training("scanner", 0),
        noisy_scans.scans_of_test("scanner", 0),
    )
    assert before.std == pytest.approx(after.std, rel=0.2)
    for scans in (before, after):
        for clean, scan in zip(scans.clean, scans.scan):
            assert (clean != scan).mean() > 0.999  # no pixel without noise


@pytest.fixture
def four():
    """Scans whose parts are told apart by their grey level."""
    parts = [[np.full((5, 40, 40, 1), level, np.float32)] for level in (0.1, 0.2, 0.3, 0.4, 0.5)]
    clean, scan, again, even, odd = parts
    return noisy_scans.NoisyScans(clean, scan, again, (even, odd), 0.07)


SEEN = {  # of inputs and targets together, by grey level
    "clean": {0.1, 0.2, 0.3},
    "noise2noise": {0.2, 0.3},
    "noise2inverse": {0.4, 0.5},
}


@pytest.mark.parametrize("name", without_clean.METHODS)
def test_a_method_sees_what_it_says_it_needs(name, four, monkeypatch):
    """One budget of updates for all; nobody but "clean" sees a clean image."""
    seen = []
    monkeypatch.setattr(
        without_clean, "fit", lambda *given, **settings: seen.append((*given, settings))
    )
    monkeypatch.setattr(without_clean, "SIZE", 16)
    method = without_clean.METHODS[name]
    hidden = four if name == "clean" else replace(four, clean=None)
    without_clean.learn(method, hidden, 0)
    ((network, batches, settings),) = seen
    assert network.jit_compile
    assert (batches.batch_size, batches.steps, settings["epochs"]) == (8, 250, 8)
    given, target, _ = batches.pairs(8, np.random.default_rng(0))
    assert given.shape[1:] == (16, 16, 1) and len(given) == len(target)
    levels = set(given.round(1).ravel())
    if name in SEEN:
        levels |= set(target.round(1).ravel())
    assert levels <= {np.float32(x) for x in SEEN.get(name, {0.2})}
    answers = method.answer(lambda images: images + 1, hidden)
    expected = 1.45 if name == "noise2inverse" else 1.2
    np.testing.assert_allclose(answers[0], expected, atol=1e-5)


def test_noise2self_is_asked_blind(four):
    four.scan[0][0, 7, 8] = 0.9
    (answer,) = without_clean.METHODS["noise2self"].answer(lambda images: images, four)
    assert answer[0, 7, 8] == pytest.approx(0.2)


def test_the_second_part_of_neighbor2neighbor_rises_from_0_to_2():
    loss = without_clean._Rising(None)
    loss.set_params({"epochs": 5})
    values = []
    for epoch in range(5):
        loss.on_epoch_begin(epoch)
        values.append(float(loss.gamma.value))
    np.testing.assert_allclose(values, [0, 0.5, 1, 1.5, 2])


@pytest.mark.parametrize("name", without_clean.CALIBRATED)
def test_calibration_without_clean_images_helps(name):
    clean = np.full((1, 48, 48, 1), 0.4, np.float32)
    clean[:, 10:30, 12:40] = 0.7
    scans = noisy_scans.white_scans([clean], 0)
    noisy, denoised = (
        without_clean.scores(scans.clean, images)[0].mean()
        for images in (scans.scan, without_clean.calibrated(name, scans))
    )
    assert denoised > noisy + 2


@pytest.fixture
def command(monkeypatch):
    """The command with stand-ins for scans and trainings; returns the jobs that it measured."""
    jobs = []

    def measure(noise, name, seed, before, after):
        jobs.append((noise, name, seed))
        return [np.array([30.0 + seed, 31.0]), np.array([20.1234])]

    monkeypatch.setattr(without_clean, "scans_of_training", lambda *key: key)
    monkeypatch.setattr(without_clean, "scans_of_test", lambda *key: key)
    monkeypatch.setattr(without_clean, "_measure", measure)
    return jobs


def test_command_stores_what_it_measures(tmp_path, command, refusal):
    path = tmp_path / "out.csv"
    without_clean.main(["--output", str(path)])
    stored = without_clean.read_without_clean(path)
    assert list(stored) == ["white", "scanner"]
    assert "noise2inverse" not in stored["white"] and "noise2inverse" in stored["scanner"]
    assert list(stored["white"]["clean"]) == [0, 1, 2] and list(
        stored["white"]["total_variation"]
    ) == [-1]
    first, second = stored["scanner"]["sure"][2]
    np.testing.assert_allclose(first, [32, 31])
    np.testing.assert_allclose(second, [20.1234])
    assert len(command) == len(set(command)) == 2 * 4 + 7 * 3 + 8 * 3
    assert [p.name for p in tmp_path.iterdir()] == ["out.csv"]
    last = refusal(without_clean.main, "--output", str(tmp_path / "no" / "folder.csv"))
    assert last.startswith("python -m helpers.comparison.without_clean: error: ")


def test_a_stopped_run_goes_on_where_it_was(tmp_path, command, monkeypatch):
    path, measure = tmp_path / "out.csv", without_clean._measure

    def stopped(*job):
        if len(command) == 10:
            raise KeyboardInterrupt
        return measure(*job)

    monkeypatch.setattr(without_clean, "_measure", stopped)
    with pytest.raises(KeyboardInterrupt):
        without_clean.main(["--output", str(path)])
    assert not path.exists()
    with pytest.raises(FileNotFoundError, match="out.csv: no such file; `python -m helpers"):
        without_clean.read_without_clean(path)
    monkeypatch.setattr(without_clean, "_measure", measure)
    without_clean.main(["--output", str(path)])
    assert len(command) == len(set(command)) == 53
    resumed = path.read_text()
    path.unlink()
    without_clean.main(["--output", str(path)])
    assert path.read_text() == resumed


def test_rows_of_other_settings_are_not_taken_over(tmp_path, command, monkeypatch):
    path = tmp_path / "out.csv"
    without_clean.main(["--output", str(path)])
    path.rename(tmp_path / "out.csv.trained")
    monkeypatch.setattr(without_clean, "STEPS", 3)
    without_clean.main(["--output", str(path)])
    assert len(command) == 2 * 53


def test_unreadable_results_are_named(tmp_path, command):
    path = tmp_path / "out.csv"
    without_clean.main(["--output", str(path)])
    whole = path.read_text()
    for text in (
        "",
        "a,b\n1,2\n",
        whole.rsplit("scanner,noise2void,2", 1)[0],
        whole.rsplit(",", 2)[0],
        whole.replace("31.0", "x"),
    ):
        path.write_text(text)
        with pytest.raises(ValueError, match="out.csv: expected all methods with all seeds"):
            without_clean.read_without_clean(path)


def test_table_of_what_the_command_stores(tmp_path, command):
    path = tmp_path / "out.csv"
    without_clean.main(["--output", str(path)])
    rows = without_clean.without_clean_table(without_clean.read_without_clean(path)).splitlines()[
        2:
    ]
    assert len(rows) == 1 + len(without_clean.CALIBRATED) + len(without_clean.METHODS)
    labels = [row.split(" | ")[0].removeprefix("| ") for row in rows]
    known = {"noisy input", "NL-means (scikit-image)", "total variation", "bilateral"}
    assert {*labels} == known | {method.label for method in without_clean.METHODS.values()}
    (inverse,) = (row for row in rows if row.startswith("| Noise2Inverse "))
    assert (
        inverse.startswith("| Noise2Inverse | | | 2") and sum("| | | 2" in row for row in rows) == 1
    )


def test_stored_results_are_of_these_settings():
    """The command would write them, and the way of compiling, into the head of its file today."""
    stored = without_clean.WITHOUT_CLEAN.read_text(encoding="utf-8").splitlines()
    assert stored[:2] == without_clean._head()[:2]
    assert stored[1] == "# jit_compile: true"


def test_stored_results_say_what_theory_says():
    """Where noise is independent from pixel to pixel, all ways help; in a scanner's, blind spots and SURE do not."""
    white, scanner = means_of_seeds(without_clean.read_without_clean()).values()
    for means in (white, scanner):
        others = [means[name] for name in means if name != "clean"]
        assert all((means["clean"] > other).all() for other in others)
        assert (means["clean"] - means["noise2noise"] < 0.3).all()
    helped = [values.min() for name, values in white.items() if name != "noisy"]
    assert min(helped) > white["noisy"].max()
    for name in ("noise2void", "noise2self", "sure"):
        assert (scanner[name] < scanner["noisy"]).all()
