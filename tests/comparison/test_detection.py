"""helpers.comparison.detection: spots in slices, and the stored responses."""

import numpy as np
import pytest

from helpers import comparison, data, noise
from helpers.comparison import detection


@pytest.fixture(scope="module")
def spotted():
    return detection.spotted_slices(data.load_ct("validation"))


def test_spots_lie_in_calm_lung_of_both_patients(spotted):
    assert sum(len(places) for _, places, _, _ in spotted) >= 25
    assert len({image.shape for _, _, image, _ in spotted}) == 2
    validation = data.load_ct("validation")
    for (patient, index), places, without, with_spots in spotted:
        assert np.array_equal(without, validation[patient][index])
        for row, column in places:
            added = with_spots[row, column, 0] - without[row, column, 0]
            assert added == pytest.approx(detection.CONTRAST, abs=1e-6)
            assert without[row - 7 : row + 8, column - 7 : column + 8].max() < 0.3
        assert with_spots.max() <= 1


@pytest.mark.parametrize(
    ("path", "kinds", "views", "options"),
    [
        (detection.DETECTION, detection.KINDS, {*comparison.DERIVED}, ""),
        (detection.SCANNER_DETECTION, detection.DETECTION_SCANS, set(), " --noise ct"),
    ],
)
def test_stored_responses_hold_all_methods(path, kinds, views, options, shipped):
    stored, made = detection.read_detection(path)
    single = {name for name, denoiser in shipped.items() if not denoiser.about.volume}
    methods = {"noisy", *views, *comparison.filters(), *single}
    assert set(made) == methods
    for name in methods & {*shipped, *views}:
        remedy = f"run python -m helpers.comparison.detection{options}"
        network, _ = comparison.DERIVED.get(name, (name, None))
        assert made[name]["about"].version == shipped[network].about.version, remedy
    assert list(stored) == list(kinds)
    for kind in kinds:
        assert set(stored[kind]) == methods
    shapes = {r.shape for of in stored.values() for entry in of.values() for r in entry.values()}
    assert shapes == {(2, 27, detection.DRAWS)}


@pytest.mark.parametrize("name", ["noisy", "ct_unet_small"])
@pytest.mark.parametrize("kind", detection.KINDS)
def test_stored_responses_are_those_of_today(kind, name, spotted, shipped):
    """Of networks, those of the shipped weights: after a training they are stale."""
    denoise = shipped.get(name, comparison.do_nothing)
    ours = detection.observe(
        denoise, spotted, detection.spotted_noise(spotted, detection.KINDS[kind])
    )
    stored = detection.read_detection()[0][kind][name]
    for observer in detection.OBSERVERS:
        ours_d, stored_d = (comparison.detectability(r[observer]) for r in (ours, stored))
        assert ours_d == pytest.approx(stored_d, abs=0.02)


@pytest.mark.parametrize("kind", detection.DETECTION_SCANS)
def test_stored_responses_in_scanner_noise_are_those_of_today(kind, shipped, monkeypatch):
    """At the first place, of the matched filter, which does not learn from the others."""
    validation = data.load_ct("validation")
    first, *_ = detection.spotted_slices(validation, contrast=detection.SCAN_CONTRAST)
    (patient, index), places, *_ = first
    assert patient == 0
    slices, pixel_mm = data.load_ct_hu("validation")[0], data.CT_PIXEL_MM["validation"]
    one, shape = noise.project(slices[index : index + 1], pixel_mm, body=noise.BODY_MM)
    alike = np.repeat(one, index + 1, axis=0)  # only the last one is asked for
    monkeypatch.setattr(detection, "ct_sinograms", lambda split: [(alike, shape)])
    noises = detection.spotted_scan_noise([first], comparison.SCANS[kind])
    stored, _ = detection.read_detection(detection.SCANNER_DETECTION)
    for name in ("noisy", "ct_scan"):
        denoise = shipped.get(name, comparison.do_nothing)
        for which, image in enumerate(first[2:]):
            seen = detection.windows(denoise(image[None] + noises[0]), places, detection.SIZE)
            ours = np.tensordot(seen, detection.TEMPLATE, 2)
            theirs = stored[kind][name]["matched filter"][which, : len(places)]
            np.testing.assert_allclose(ours, theirs, atol=1e-3)


def test_methods_made_of_a_network_are_among_those_of_white_noise(monkeypatch, rng):
    lung = [rng.uniform(0, 0.2, (30, 16, 16, 1)).astype("f4")]
    monkeypatch.setattr(detection, "networks", lambda: {"ct_unet": lambda images: images / 2})
    monkeypatch.setattr(detection, "tune_filters", lambda *_: ({}, None))
    monkeypatch.setitem(comparison.DERIVED, "twice", ("ct_unet", lambda f: lambda x: 2 * f(x)))
    monkeypatch.setitem(comparison.DERIVED, "of nothing", ("none", None))
    for methods in detection.detection_methods(lung).values():
        assert {*methods} - {"bm3d"} == {"noisy", "ct_unet", "ct_unet_x8", "twice"}
        np.testing.assert_array_equal(methods["twice"](lung[0]), lung[0])


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
        whole.replace("white,noisy", "pink,noisy"),
        "\n".join([known + header, *rows[: detection.DRAWS]]),
    ):
        path.write_text(text)
        with pytest.raises(
            ValueError, match="other.csv: expected other columns, or rows are missing"
        ):
            detection.read_detection(path)


def test_the_height_of_the_template_does_not_matter(monkeypatch, rng):
    """Spots are looked for with one template, whatever their contrast: d' and the share that is left are the same."""
    lung = [np.full((200, 60, 60, 1), 0.1, np.float32)]
    spotted = detection.spotted_slices(lung, contrast=detection.SCAN_CONTRAST)
    noises = detection.spotted_noise(spotted, detection.KINDS["white"])
    found = []
    for contrast in (detection.CONTRAST, detection.SCAN_CONTRAST):
        template = comparison.gaussian_spot(detection.SIZE, contrast, detection.SIGMA)
        monkeypatch.setattr(detection, "TEMPLATE", template)
        noisy, half = (
            detection.observe(denoise, spotted, noises)
            for denoise in (comparison.do_nothing, lambda images: images / 2)
        )
        heights = [np.diff(r["matched filter"], axis=0).mean() for r in (noisy, half)]
        d = [comparison.detectability(noisy[name]) for name in detection.OBSERVERS]
        found.append([heights[0], heights[1] / heights[0], *d])
    (high, *others), (low, *same) = found
    assert high == pytest.approx(2 * low, rel=1e-4)
    assert others == pytest.approx(same, rel=1e-4) and others[0] == pytest.approx(0.5, rel=1e-4)


def test_one_more_noise_is_one_entry(tmp_path, monkeypatch, capsys):
    """--noise knows it, its file is written and read, and an error names the command that makes it."""
    lung = [np.full((60, 80, 80, 1), 0.1, np.float32)] * 2

    def kinds(validation):
        spotted = detection.spotted_slices(validation)
        noises = detection.spotted_noise(spotted, detection.KINDS["white"])
        yield "pink", spotted, noises, {"noisy": comparison.do_nothing}

    path = tmp_path / "pink.csv"
    monkeypatch.setattr(detection, "load_ct", lambda split: lung)
    monkeypatch.setitem(
        detection._NOISES, "mine", detection._Noise("pink noise", path, ["pink"], kinds)
    )
    with pytest.raises(FileNotFoundError, match="detection --noise mine` makes it"):
        detection.read_detection(path)
    detection.main(["--noise", "mine"])
    assert list(detection.read_detection(path)[0]) == ["pink"]
    with pytest.raises(SystemExit, match="^0$"):
        detection.main(["--help"])
    assert "mine: pink noise" in " ".join(capsys.readouterr().out.split())


def test_noise_of_a_scan_is_that_of_the_slice(monkeypatch):
    """Six draws each, for the patient and the slice of each place, as strong as the scan's noise."""
    thin, thick = np.full((12, 60, 40), 1.0, np.float32), np.full((12, 60, 40), 4.0, np.float32)
    projected = [(thin, (40, 44)), (thick, (40, 44))]
    monkeypatch.setattr(detection, "ct_sinograms", lambda split: projected)
    spotted = [((0, 4), None, None, None), ((1, 4), None, None, None)]
    scan = detection.SCANS["ramp, 80000 photons"]
    weak, strong = detection.spotted_scan_noise(spotted, scan)
    assert weak.shape == strong.shape == (detection.DRAWS, 40, 44, 1)
    assert strong.std() / weak.std() == pytest.approx(np.exp(1.5), rel=0.1)
    assert abs(np.corrcoef(weak[0].ravel(), weak[1].ravel())[0, 1]) < 0.1


def test_command_with_the_noise_of_a_scanner(tmp_path, monkeypatch):
    lung = [np.full((60, 80, 80, 1), 0.1, np.float32)] * 2
    sinograms = np.full((60, 120, 40), 3.0, np.float32)
    monkeypatch.setattr(detection, "load_ct", lambda split: lung)
    monkeypatch.setattr(detection, "ct_sinograms", lambda split: [(sinograms, (80, 80))] * 2)
    methods = {"noisy": comparison.do_nothing}
    monkeypatch.setattr(detection, "scan_detection_methods", lambda *_: methods)
    path = tmp_path / "out.csv"
    detection.main(["--noise", "ct", "--output", str(path)])
    stored, _ = detection.read_detection(path)
    assert list(stored) == detection.DETECTION_SCANS
    spread = [np.ptp(entry["noisy"]["matched filter"]) for entry in stored.values()]
    assert spread[0] > 0 and len(set(spread)) == 3  # each scan has noise of its own
    with pytest.raises(FileNotFoundError, match="detection --noise ct` makes it"):
        detection.read_detection(tmp_path / detection.SCANNER_DETECTION.name)


def test_bm3d_is_told_the_noise_of_the_slices_with_and_without_spots(monkeypatch, rng):
    """All that the observers will show to it is known; what is not is refused."""
    lung = [np.full((25, 40, 40, 1), 0.1, np.float32)] * 2
    noisy = [patient + rng.normal(0, 0.03, patient.shape).astype("f4") for patient in lung]
    spectra = [np.ones((40, 40))] * 2
    monkeypatch.setattr(detection, "scan_copies", lambda split, scan: (lung, noisy))
    monkeypatch.setattr(detection, "scan_spectra", lambda split, scan: spectra)
    monkeypatch.setattr(
        detection, "tune_filters", lambda *_, std, instead: ({"bm3d": instead["bm3d"][0]}, None)
    )
    monkeypatch.setattr(detection, "networks", dict)
    spotted = detection.spotted_slices(lung)[:1]
    noises = [rng.normal(0, 0.03, (2, 40, 40, 1)).astype("f4")]
    methods = detection.scan_detection_methods(
        detection.SCANS["ramp, 80000 photons"], spotted, noises
    )
    for image in spotted[0][2:]:
        assert methods["bm3d"](image + noises[0]).shape == (2, 40, 40, 1)
    with pytest.raises(ValueError, match="^noisy: expected slices whose noise is known"):
        methods["bm3d"](lung[0][:1])


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
