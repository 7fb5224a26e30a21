"""helpers.comparison.peer: what is stored is what was measured; the network of others gets slices as ours does."""

import re
from pathlib import Path

import numpy as np
import pytest

from helpers.comparison import means_of_seeds, peer, without_clean
from helpers.models import as_denoiser


class Careamist:
    """As CAREamics answers: one array per slice, here half as bright."""

    def predict(self, images, *, axes, batch_size):
        assert axes == "SYX" and all(edge % 8 == 0 for edge in images.shape[1:])
        return [image[None, None] / 2 for image in images], ["array"]


def test_slices_come_back_as_they_went(rng):
    images = rng.random((3, 21, 30, 1), np.float32)
    answer = as_denoiser(peer._Network(Careamist()))(images)
    np.testing.assert_allclose(answer, images / 2)


@pytest.fixture
def command(monkeypatch):
    """The command with stand-ins for the package, scans and trainings."""
    scans = type("Scans", (), {"clean": [np.zeros((2, 8, 8, 1))], "scan": [np.zeros((2, 8, 8, 1))]})
    monkeypatch.setattr(peer, "installed_version", lambda package: "1.0")
    monkeypatch.setattr(peer, "scans_of_training", lambda noise, seed: (noise, seed))
    monkeypatch.setattr(peer, "scans_of_test", lambda noise, seed: scans)

    def train(scans, seed, folder):
        noise, of_scans = scans
        assert of_scans == seed and not list(Path(folder).iterdir())
        return lambda images: images + 0.1 + 0.1 * seed + 0.4 * (noise == "scanner")

    monkeypatch.setattr(peer, "careamics_noise2void", train)


def test_command_stores_what_it_measures(tmp_path, command):
    path = tmp_path / "peer.csv"
    peer.main(["--output", str(path)])
    results = peer.read_peer(path)
    assert list(results) == ["white", "scanner"]
    for noise, first in (("white", 1), ("scanner", 5)):
        assert list(results[noise]) == [0, 1, 2]
        for seed, (patient,) in results[noise].items():
            np.testing.assert_allclose(patient, -20 * np.log10(0.1 * (first + seed)), atol=1e-4)
    assert '# careamics: "1.0"' in path.read_text().splitlines()


def test_unreadable_results_are_named(tmp_path, command):
    path = tmp_path / "peer.csv"
    with pytest.raises(FileNotFoundError, match="no such file; `python -m helpers"):
        peer.read_peer(path)
    peer.main(["--output", str(path)])
    whole = path.read_text()
    for text in (
        "",
        "a\n1\n",
        whole.rsplit("scanner,careamics,2", 2)[0],
        whole.rsplit(",", 1)[0] + ",x\n",
    ):
        path.write_text(text)
        with pytest.raises(ValueError, match="peer.csv: expected all methods with all seeds"):
            peer.read_peer(path)


def test_without_the_package_the_command_says_so(monkeypatch, refusal):
    monkeypatch.setattr(peer, "installed_version", lambda package: "")
    last = refusal(peer.main)
    assert last.endswith("careamics: expected the package to be installed; `pip install careamics`")


def test_stored_results_are_of_these_settings():
    """As many updates as our methods get, of as many patches; the versions of the packages stand there, too."""
    stored = peer.PEER.read_text(encoding="utf-8").splitlines()
    settings = [without_clean.EPOCHS, without_clean.STEPS, without_clean.BATCH_SIZE]
    assert f"# settings: {settings}" in stored and f"# patch: {peer.PATCH}" in stored
    assert [line for line in stored if re.match(r'# (careamics|torch): "\d', line)] == stored[2:4]


def test_ours_is_no_worse():
    """The stored results, in the mean over seeds, in both noises."""
    ours = means_of_seeds(without_clean.read_without_clean())
    for noise, seeds in peer.read_peer().items():
        assert list(seeds) == list(without_clean.SEEDS)
        theirs = np.mean([np.concatenate(patients).mean() for patients in seeds.values()])
        assert ours[noise]["noise2void"].mean() > theirs - 0.1
