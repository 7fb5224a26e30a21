"""helpers.comparison.detection: spots in slices, and the stored responses."""

import numpy as np
import pytest

from helpers import comparison, data
from helpers.comparison import detection


@pytest.fixture(scope="module")
def spotted():
    return detection.spotted_slices(data.load_ct("validation"))


def test_spots_lie_in_calm_lung_of_both_patients(spotted):
    assert sum(len(places) for places, _, _ in spotted) >= 25
    assert len({image.shape for _, image, _ in spotted}) == 2
    for places, without, with_spots in spotted:
        for row, column in places:
            added = with_spots[row, column, 0] - without[row, column, 0]
            assert added == pytest.approx(detection.CONTRAST, abs=1e-6)
            assert without[row - 7 : row + 8, column - 7 : column + 8].max() < 0.3
        assert with_spots.max() <= 1


def test_stored_responses_hold_all_methods(shipped):
    stored, made = detection.read_detection()
    single = {name for name, denoiser in shipped.items() if not denoiser.about.volume}
    methods = {"noisy", "ct_unet_x8", *comparison.filters(), *single}
    assert set(made) == methods
    for name in methods & set(shipped):
        remedy = "run python -m helpers.comparison.detection"
        assert made[name]["about"].version == shipped[name].about.version, remedy
    assert made["ct_unet_x8"]["about"].version == shipped["ct_unet"].about.version
    for kind in detection.KINDS:
        assert set(stored[kind]) == methods
        assert len({r.shape for entry in stored[kind].values() for r in entry.values()}) == 1


@pytest.mark.parametrize("name", ["noisy", "ct_unet_small"])
@pytest.mark.parametrize("kind", detection.KINDS)
def test_stored_responses_are_those_of_today(kind, name, spotted, shipped):
    """Of networks, those of the shipped weights: after a training they are stale."""
    denoise = shipped.get(name, comparison.do_nothing)
    ours = detection.observe(denoise, spotted, detection.KINDS[kind])
    stored = detection.read_detection()[0][kind][name]
    for observer in detection.OBSERVERS:
        ours_d, stored_d = (comparison.detectability(r[observer]) for r in (ours, stored))
        assert ours_d == pytest.approx(stored_d, abs=0.02)


def test_noise_is_the_same_for_everybody(spotted):
    one, other = (
        detection.observe(f, spotted, detection.KINDS["white"])["matched filter"]
        for f in (comparison.do_nothing, lambda images: images + np.float32(0.01))
    )
    np.testing.assert_allclose(np.diff(one[0]), np.diff(other[0]), atol=1e-4)


def test_unreadable_results_are_named(tmp_path):
    with pytest.raises(
        FileNotFoundError, match="none.csv: no such file; `python -m helpers.compar"
    ):
        detection.read_detection(tmp_path / "none.csv")
    path = tmp_path / "other.csv"
    header = ",".join(f'"{name}"' for name in detection._COLUMNS)
    known = '# method noisy: {"label": "noisy", "machine": "", "packages": ""}\n'
    rows = [
        f"{kind},noisy,0,{k},1,2,3,4" for kind in detection.KINDS for k in range(detection.DRAWS)
    ]
    whole = "\n".join([known + header, *rows])
    path.write_text(whole)
    detection.read_detection(path)
    for text in (
        "",
        "a,b\n1,2\n",
        known + header,
        "\n".join([header, *rows]),
        *("\n".join([known + header, *rows[:k], *rows[k + 1 :]]) for k in (0, 4, len(rows) - 1)),
        "\n".join([known + header, *rows[: detection.DRAWS]]),
        whole.replace("white,noisy", "pink,noisy"),
    ):
        path.write_text(text)
        with pytest.raises(
            ValueError, match="other.csv: expected other columns, or rows are missing"
        ):
            detection.read_detection(path)


def test_command_stores_what_it_measures(tmp_path, monkeypatch, refusal):
    lung = [np.full((60, 80, 80, 1), 0.1, np.float32)] * 2
    methods = {"noisy": comparison.do_nothing, "half": lambda images: images / 2}
    monkeypatch.setattr(detection, "load_ct", lambda split: lung)
    monkeypatch.setattr(
        detection, "detection_methods", lambda _: dict.fromkeys(detection.KINDS, methods)
    )
    path = tmp_path / "out.csv"
    detection.main(["--output", str(path)])
    stored, made = detection.read_detection(path)
    assert made["half"]["about"].label == "half"
    for kind in detection.KINDS:
        one, half = (stored[kind][name]["matched filter"] for name in ("noisy", "half"))
        np.testing.assert_allclose(half, one / 2, atol=1e-3)
    assert list(tmp_path.iterdir()) == [path]
    last = refusal(detection.main, "--output", str(tmp_path / "no" / "folder.csv"))
    assert last.startswith("python -m helpers.comparison.detection: error: ")
