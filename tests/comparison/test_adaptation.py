"""helpers.comparison.adaptation: slices and draws kept apart, what is stored, what the table tells."""

import numpy as np
import pytest

from helpers import training
from helpers.comparison import adaptation
from helpers.models import (
    as_denoiser,
    denoising_unet,
    pretrained_denoiser,
    pretrained_model,
    spare_grain,
)
from helpers.training.scanner import CUTOFFS

STD = 0.1
WAYS = list(adaptation.WAYS)


class Halving:
    """A network that halves what it gets."""

    def predict_on_batch(self, images):
        return images / 2


def test_loss_is_in_hu_and_counts_by_weight():
    def pairs(n, rng):
        target = np.zeros((n, 8, 8, 1))
        target[:, :4] = 0.1  # the answer is right here,
        weight = np.zeros((n, 8, 8))
        weight[:, 2:6] = 2.0  # and these pixels count
        return np.full((n, 8, 8, 1), 0.2), target, weight

    assert adaptation.loss_hu(Halving(), pairs, batches=2) == pytest.approx(140 / np.sqrt(2))


def test_loss_is_always_of_the_same_draws(pictures):
    pairs = training.noise2noise([pictures], [1 - pictures], 16)
    first, second = (adaptation.loss_hu(Halving(), pairs, batches=2) for _ in range(2))
    assert first == second


def test_the_last_fifth_is_not_learned_from(monkeypatch):
    seen = {}
    monkeypatch.setitem(
        adaptation.WAYS, "made up", lambda noisy, spectrum, rng: (len(noisy), rng.integers(2**62))
    )
    monkeypatch.setattr(adaptation, "loss_hu", lambda network, pairs: pairs)
    monkeypatch.setattr(
        adaptation, "go_on", lambda *given, **more: seen.update(given=given, **more)
    )
    losses = adaptation.adapt("network", "made up", np.zeros(46), "spectrum", 1e-5, steps=7)
    (held_out, draw), again = losses
    network, (learned_from, another_draw), rate = seen.pop("given")
    assert (held_out, learned_from) == (9, 37) and again == losses[0] and draw != another_draw
    assert (network, rate, seen) == ("network", 1e-5, {"steps": 7})


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_a_small_network_goes_on(way, rng):
    """Of a flat scan, any way learns in a few steps to remove noise; the loss falls on slices that it has not seen."""
    spectrum = np.full((64, 64), 64 * 64 * STD**2)
    noisy = 0.5 + rng.normal(0, STD, (20, 64, 64, 1)).astype(np.float32)
    network = denoising_unet((4, 8), (1, 1))
    before, after = adaptation.adapt(network, way, noisy, spectrum, 3e-3, steps=40)
    assert after < before
    assert np.std(network.predict_on_batch(noisy)) < STD


def test_the_network_is_the_shipped_one(pictures):
    ours = spare_grain(as_denoiser(pretrained_model(adaptation.NETWORK)))(pictures)
    np.testing.assert_array_equal(ours, pretrained_denoiser(adaptation.NETWORK)(pictures))


def test_the_network_has_learned_one_kernel_and_not_the_other():
    known, *unseen = (scan.cutoff for scan in adaptation.SCANS)
    low, high = CUTOFFS
    assert low <= known <= high and max(unseen) < low


@pytest.fixture
def command(monkeypatch):
    """The command with stand-ins for scans and trainings; returns the jobs that it measured."""
    jobs = []

    def measure(way, rate, name, patient):
        jobs.append((name, patient, way, rate))
        psnr = np.array([30.0, 31.1234, 29.0][: 2 + patient])
        return adaptation.Measured(psnr, *((60.0, 59.5) if way in WAYS else ()))

    monkeypatch.setattr(adaptation, "_scans", lambda name: ([name] * 2, range(2)))
    monkeypatch.setattr(adaptation, "_measure", measure)
    return jobs


def test_command_stores_what_it_measures(tmp_path, command, refusal):
    path = tmp_path / "out.csv"
    adaptation.main(["--output", str(path)])
    stored = adaptation.read_adaptation(path)
    assert list(stored) == command == list(adaptation._jobs())
    assert len(command) == 3 * 2 * (3 + len(WAYS) * len(adaptation.RATES))
    for (_, patient, way, _), one in stored.items():
        np.testing.assert_allclose(one.psnr, [30.0, 31.1234, 29.0][: 2 + patient])
        expected = (60.0, 59.5) if way in WAYS else (np.nan, np.nan)
        np.testing.assert_equal((one.before, one.after), expected)
    assert [p.name for p in tmp_path.iterdir()] == ["out.csv"]
    last = refusal(adaptation.main, "--output", str(tmp_path / "no" / "folder.csv"))
    assert last.startswith("python -m helpers.comparison.adaptation: error: ")


def test_a_stopped_run_goes_on_where_it_was(tmp_path, command, monkeypatch):
    path = tmp_path / "out.csv"
    adaptation.main(["--output", str(path)])
    stored = path.read_text()
    path.rename(tmp_path / "out.csv.trained")
    adaptation.main(["--output", str(path)])
    assert command == list(adaptation._jobs()) and path.read_text() == stored
    path.rename(tmp_path / "out.csv.trained")
    monkeypatch.setattr(adaptation, "STEPS", 3)  # rows of other settings are not taken over
    adaptation.main(["--output", str(path)])
    assert command == 2 * list(adaptation._jobs())


def test_unreadable_results_are_named(tmp_path, command):
    path = tmp_path / "out.csv"
    adaptation.main(["--output", str(path)])
    whole = path.read_text()
    for text in (
        "",
        "a,b\n1,2\n",
        whole.rsplit('"', 2)[0],
        whole.replace("31.1234", "x"),
        "\n".join(whole.splitlines()[:-1]),  # one slice less
    ):
        path.write_text(text)
        with pytest.raises(ValueError, match="out.csv: expected all ways and rates"):
            adaptation.read_adaptation(path)


def test_the_smaller_loss_chooses_the_rate_and_the_table_shows_all():
    """Also where the other rate has the better PSNR."""
    one = adaptation.Measured
    results = {
        ("hann", 1, name, 0.0): one(np.array([v, v + 1]))
        for name, v in (("noisy", 30), ("bm3d", 32), ("shipped", 33))
    }
    results["hann", 1, WAYS[0], 3e-6] = one(np.array([34.0, 35.0]), 60.0, 59.0)
    results["hann", 1, WAYS[0], 3e-5] = one(np.array([31.0, 32.0]), 60.0, 58.0)
    results["hann", 1, WAYS[1], 3e-6] = one(np.array([33.0, 34.1]), 90.0, 90.04)
    results["hann", 1, WAYS[1], 3e-5] = one(np.array([33.0, 34.2]), 90.0, 91.0)
    assert [adaptation.chosen(results, "hann", 1, way)[0] for way in WAYS] == [3e-5, 3e-6]
    header, _, *rows = adaptation.adaptation_table(results).splitlines()
    gains, losses = "gain, 3e-06 | gain, 3e-05", "loss, HU | loss, 3e-06 | loss, 3e-05"
    assert header.endswith(f"| noisy | BM3D | shipped | {gains} | {losses} |")
    assert rows == [
        f"| hann | 2 | {WAYS[0]} | 30.50 | 32.50 | 33.50 | +1.00 | -2.00 | 60.0 | 59.0 | 58.0 |",
        f"| hann | 2 | {WAYS[1]} | 30.50 | 32.50 | 33.50 | +0.05 | +0.10 | 90.0 | 90.0 | 91.0 |",
    ]


def test_stored_results_are_of_these_settings_and_this_network():
    """The command would write them into the head of its file today; another network makes them stale."""
    stored = adaptation.ADAPTATION.read_text(encoding="utf-8").splitlines()
    assert stored[:2] == adaptation._head()[:2], "run python -m helpers.comparison.adaptation"
    assert list(adaptation.read_adaptation()) == list(adaptation._jobs())
