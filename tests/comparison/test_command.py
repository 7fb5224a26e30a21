"""The whole comparison on tiny images: one more filter and one more network are one edit each."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from helpers import baselines, comparison, models, training
from helpers.comparison import __main__ as command
from helpers.comparison import protocol, scanner
from helpers.comparison.results import write_results
from helpers.contract import checked
from helpers.hounsfield import HU_LOW, WINDOW_WIDTH
from helpers.noise import project


def darker(noisy, step=0.01):
    """A filter of nobody."""
    return noisy - np.float32(step)


def along(noisy, share=0.5):
    """A filter of volumes: mix each slice with the mean of all."""
    return (1 - share) * noisy + share * noisy.mean(axis=0, keepdims=True)


@pytest.fixture
def tiny(monkeypatch, tmp_path):
    """Made-up patients of 30 small slices, quick filters, and an empty folder for weights."""
    y, x = np.mgrid[0:24, 0:32]
    slices = np.stack([0.5 + 0.3 * np.sin(x / 3 + k / 9) * np.cos(y / 4) for k in range(30)])
    patient = slices[..., None].astype(np.float32)
    wide = np.tile(patient[:5], (1, 6, 5, 1))
    patients = {"train": [wide], "validation": [patient], "test": [patient, patient[:9, :, :30]]}
    for module in (command, training.weights):
        monkeypatch.setattr(module, "load_ct", patients.__getitem__)
    groups = {"flat": np.full((2, 20, 28, 1), 0.5, np.float32), "waves": patient[:3]}
    use_groups(groups, monkeypatch)
    quick = {"gaussian": baselines.gaussian, "bm3d": baselines.median}
    for module in (baselines.registry, protocol):
        monkeypatch.setattr(module, "BASELINES", quick)
    monkeypatch.setattr(models.pretrained, "WEIGHTS", tmp_path / "weights")
    for module in (training.weights, training.recipes):
        monkeypatch.setattr(module, "STEPS_PER_EPOCH", 2)
    train("ct_unet", tmp_path, monkeypatch)
    return tmp_path


def use_groups(groups, monkeypatch):
    """Let these be the images of other kinds."""
    entry = replace(command._IMAGES["transfer"], load=lambda: groups)
    monkeypatch.setitem(command._IMAGES, "transfer", entry)


def train(name, folder, monkeypatch, label="small U-Net", blocks=(1,), **settings):
    """Enter a network of one convolution, and store its weights."""
    network = partial(models.denoising_unet, (4,), blocks, **settings)
    recipe = replace(training.RECIPES["ct_unet_small"], label=label, network=network, epochs=1)
    monkeypatch.setitem(training.RECIPES, name, recipe)
    training.build_weights(name, output=folder / "weights", checkpoints=folder / "checkpoints")


def test_one_more_filter_and_one_more_network(tiny, monkeypatch, capsys):
    baselines.baseline("darker by a step", "numpy", grey_levels={"step": [0.01, 0.02]})(darker)
    baselines.baseline("mean slice", "numpy", others={"share": [0.1, 0.2]}, neighbours=None)(along)
    train("mine", tiny, monkeypatch, label="three slices", slices=3)
    output = tiny / "out.csv"
    command.main(["--seed", "7", "--std", "0.05", "0.1", "--output", str(output)])
    levels, settings = comparison.read_results(output)
    assert settings == {"seed": 7, "images": ["test patient 1", "test patient 2"]}
    assert list(levels) == [0.05, 0.1]
    for results in levels.values():
        names = "noisy gaussian bm3d darker along ct_unet ct_unet_x8 mine"
        assert set(results) == set(names.split())
        assert [len(patient) for patient in results["mine"]["psnr"]] == [30, 9]
        assert results["mine"]["about"].volume and results["along"]["about"].volume
        assert results["darker"]["about"].source == "numpy"
        assert results["darker"]["parameters"].startswith("step=")
        assert results["darker"]["about"].version == np.__version__
        assert results["darker"]["machine"] == comparison.machine()
        assert f"numpy {np.__version__}" in results["darker"]["packages"]
    printed = capsys.readouterr().out
    assert "noise: 0.05\n\n| method | PSNR, dB" in printed
    assert "\n\nnoise: 0.1\n\n| method | PSNR, dB" in printed
    for label in ("darker by a step", "three slices", "mean slice", "small U-Net, 8 views"):
        assert printed.count(f"| {label} |") == 2


def test_one_more_method_made_of_a_network(tiny, monkeypatch):
    """One entry: it is measured, also alone, and only where its network is; a volume's is left out of other images."""
    train("five", tiny, monkeypatch, label="five slices", slices=3)
    monkeypatch.setitem(protocol.DERIVED, "spared", ("ct_unet", models.spare_grain))
    monkeypatch.setitem(protocol.DERIVED, "five_x8", ("five", models.self_ensemble))
    monkeypatch.setitem(protocol.DERIVED, "of nothing", ("none", models.self_ensemble))
    made = {"ct_unet_x8", "spared", "five_x8"}
    assert made == {*protocol.all_methods()} - {"noisy", "gaussian", "bm3d", "ct_unet", "five"}
    assert {*protocol.all_methods(with_volumes=False)} & {"five", *made} == {"ct_unet_x8", "spared"}
    assert not {*scanner.scan_methods()} & made
    output = tiny / "out.csv"
    command.main(["--std", "0.05", "--output", str(output)])
    before, _ = comparison.read_results(output)
    assert made <= {*before[0.05]} and before[0.05]["five_x8"]["about"].volume
    command.main(["--methods", "spared", "--output", str(output)])
    after, _ = comparison.read_results(output)
    for results in (before, after):
        label = results[0.05]["spared"]["about"].label
        assert label == results[0.05]["ct_unet"]["about"].label
    for old, new in zip(before[0.05]["spared"]["psnr"], after[0.05]["spared"]["psnr"]):
        np.testing.assert_array_equal(old, new)


def test_one_method_again(tiny, monkeypatch):
    """Its rows are new, all others are as they were, and so are seed and levels."""
    output = tiny / "out.csv"
    command.main(["--seed", "7", "--std", "0.05", "0.1", "--output", str(output)])
    before, _ = comparison.read_results(output)
    train("ct_unet", tiny, monkeypatch, label="another", blocks=(2,))
    monkeypatch.setattr(protocol, "machine", lambda: "1 core of another")
    command.main(["--methods", "ct_unet", "ct_unet_x8", "--output", str(output)])
    after, settings = comparison.read_results(output)
    assert settings["seed"] == 7 and list(after) == [0.05, 0.1]
    for std, results in before.items():
        assert list(after[std]) == list(results)
        for name, entry in results.items():
            other = after[std][name]
            same = [np.array_equal(a, b) for a, b in zip(entry["psnr"], other["psnr"])]
            assert all(same) == (name not in ("ct_unet", "ct_unet_x8"))
            assert (entry["about"].version == other["about"].version) == all(same)
            assert (other["machine"] == "1 core of another") != all(same)


def test_a_new_method_joins_the_stored_ones(tiny, monkeypatch):
    """It is measured alone, at the seed and the levels of the file."""
    output = tiny / "out.csv"
    command.main(["--seed", "7", "--std", "0.05", "--output", str(output)])
    before, _ = comparison.read_results(output)
    train("mine", tiny, monkeypatch, label="mine")
    command.main(["--methods", "mine", "--output", str(output)])
    after, settings = comparison.read_results(output)
    assert settings["seed"] == 7 and list(after[0.05]) == [*before[0.05], "mine"]
    assert after[0.05]["mine"]["about"].label == "mine"


def test_a_stopped_run_goes_on(tiny, monkeypatch):
    """What was measured is measured again only when a network is another one."""
    output, asked = tiny / "out.csv", []
    compare = command.compare

    def stopped(*arguments, std, **keywords):
        asked.append(std)
        if len(asked) == 2:
            raise KeyboardInterrupt
        return compare(*arguments, std=std, **keywords)

    monkeypatch.setattr(command, "compare", stopped)
    options = ["--std", "0.05", "0.1", "--output", str(output)]
    with pytest.raises(KeyboardInterrupt):
        command.main(options)
    assert not output.exists() and (tiny / "out.csv.begun").exists()
    command.main(options)
    assert asked == [0.05, 0.1, 0.1]
    assert list(comparison.read_results(output)[0]) == [0.05, 0.1]
    assert not (tiny / "out.csv.begun").exists()
    asked.clear()
    with pytest.raises(KeyboardInterrupt):
        command.main(options)
    train("ct_unet", tiny, monkeypatch, blocks=(2,))
    command.main(options)
    assert asked == [0.05, 0.1, 0.05, 0.1]


def test_other_images(tiny):
    """Those that see a volume are left out: the images are no neighbours."""
    baselines.baseline("mean slice", "numpy", others={"share": [0.1, 0.2]}, neighbours=None)(along)
    output = tiny / "transfer.csv"
    command.main(["--images", "transfer", "--std", "0.05", "--output", str(output)])
    levels, settings = comparison.read_results(output)
    assert settings["images"] == ["flat", "waves"]
    assert set(levels[0.05]) == {"noisy", "gaussian", "bm3d", "ct_unet", "ct_unet_x8"}
    assert [len(group) for group in levels[0.05]["bm3d"]["psnr"]] == [2, 3]


def test_rows_of_other_images_do_not_mix(tiny, refusal):
    output = str(tiny / "transfer.csv")
    command.main(["--images", "transfer", "--std", "0.05", "--output", output])
    last = refusal(command.main, "--methods", "bm3d", "--output", output)
    assert (
        "transfer.csv: expected results of test patient 1, test patient 2, got flat, waves" in last
    )


@pytest.mark.parametrize("other", ["one more image", "other images"])
def test_rows_of_changed_images_do_not_mix(other, tiny, monkeypatch, refusal):
    """The names are the same, the images are not; the file stays as it was."""
    output = tiny / "transfer.csv"
    command.main(["--images", "transfer", "--std", "0.05", "--output", str(output)])
    before = output.read_text()
    groups = command._IMAGES["transfer"].load()
    changed = (
        np.tile(groups["flat"], (2, 1, 1, 1)) if other == "one more image" else groups["flat"] * 0
    )
    use_groups({**groups, "flat": changed}, monkeypatch)
    options = ("--images", "transfer", "--methods", "gaussian", "--output", str(output))
    assert "transfer.csv: expected results of the same images" in refusal(command.main, *options)
    assert output.read_text() == before


def test_a_file_that_somebody_replaces_meanwhile(tiny, monkeypatch, refusal):
    output = tiny / "transfer.csv"
    options = ("--images", "transfer", "--output", str(output))
    command.main([*options, "--std", "0.05"])
    compare = command.compare

    def slowly(*arguments, **keywords):
        results = compare(*arguments, **keywords)
        levels, settings = comparison.read_results(output)
        write_results(output, levels, **settings | {"seed": 5})
        return results

    monkeypatch.setattr(command, "compare", slowly)
    last = refusal(command.main, *options, "--methods", "gaussian")
    assert "expected it to stay as it was, another run has replaced it" in last
    assert comparison.read_results(output)[1]["seed"] == 5


@pytest.fixture
def scans(tiny, monkeypatch):
    """Two scans of the made-up patients, one process, and filters that a spectrum can be told."""

    def told_median(noisy, *, spectrum, profile="np"):
        assert spectrum.shape == noisy.shape[1:3]
        return baselines.median(noisy)

    patients = {split: command.load_ct(split) for split in ("validation", "test")}
    projected = {
        split: [project(HU_LOW + WINDOW_WIDTH * p[..., 0], 5.0, body=(200, 180)) for p in volumes]
        for split, volumes in patients.items()
    }
    named = dict(list(comparison.SCANS.items())[:2])
    told = {
        name: replace(baselines.BASELINES[name].about, label="told") for name in ("bm3d", "bm4d")
    }
    filters = {name: checked(told_median, known) for name, known in told.items()}
    monkeypatch.setattr(scanner, "load_ct", patients.__getitem__)
    for module in (scanner, command):
        monkeypatch.setattr(module, "ct_sinograms", lambda split, first=None: projected[split])
    monkeypatch.setattr(scanner, "BASELINES", filters)
    of_a_scanner = replace(scanner.SCAN_SETS["ct"], scans=named)
    monkeypatch.setitem(scanner.SCAN_SETS, "ct", of_a_scanner)
    monkeypatch.setattr(command.os, "cpu_count", lambda: 1)
    return tiny


def test_noise_of_a_scanner(scans, capsys):
    """All scans with all methods, then one method again."""
    output = scans / "scanner.csv"
    command.main(["--noise", "ct", "--seed", "3", "--output", str(output)])
    levels, settings = comparison.read_results(output)
    assert (
        list(levels) == list(settings["noise_hu"]) == ["ramp, 40000 photons", "ramp, 80000 photons"]
    )
    assert settings["seed"] == 3
    strong, weak = settings["noise_hu"].values()
    assert strong > weak > 1
    for results in levels.values():
        assert set(results) == {"noisy", "gaussian", "bm3d", "ct_unet"}
        for entry in results.values():
            assert [len(patient) for patient in entry["error_frequency"]] == [30, 9]
            assert "seconds" not in entry
    assert "noise: ramp, 40000 photons\n\n| method | PSNR, dB" in capsys.readouterr().out
    command.main(["--noise", "ct", "--methods", "ct_unet", "--output", str(output)])
    again, settings_again = comparison.read_results(output)
    assert settings_again == settings
    for scan, results in levels.items():
        for name, entry in results.items():
            np.testing.assert_array_equal(entry["psnr"][0], again[scan][name]["psnr"][0])


def test_slices_that_overlap(scans, monkeypatch, capsys):
    """Their own scans, methods and file; nothing of the scans that do not overlap."""
    few = {
        "scans": dict(list(comparison.OVERLAPPING.items())[:1]),
        "methods": lambda: ["noisy", "bm3d", "ct_unet"],
    }
    overlapping = replace(scanner.SCAN_SETS["overlap"], **few)
    monkeypatch.setitem(scanner.SCAN_SETS, "overlap", overlapping)
    output = scans / "overlap.csv"
    command.main(["--noise", "overlap", "--output", str(output)])
    levels, settings = comparison.read_results(output)
    assert list(levels) == list(settings["noise_hu"]) == ["ramp, 80000 photons, overlap 0.3"]
    (results,) = levels.values()
    assert list(results) == ["noisy", "bm3d", "ct_unet"]
    assert "seconds" not in results["bm3d"] and "error_frequency" in results["bm3d"]
    assert "noise: ramp, 80000 photons, overlap 0.3\n\n| method |" in capsys.readouterr().out


def test_one_more_set_of_scans(scans, monkeypatch, capsys):
    """One entry: --noise knows it, its scans go to its file, with its methods; no times are printed."""
    scan = comparison.Scan("cosine", 50_000)
    path, methods = scans / "cosine.csv", ["noisy", "gaussian", "bm3d"]
    mine = scanner.ScanSet("of one kernel", path, {scan.name: scan}, lambda: methods)
    monkeypatch.setitem(scanner.SCAN_SETS, "mine", mine)
    command.main(["--noise", "mine"])
    levels, settings = comparison.read_results(path)
    assert list(levels) == list(settings["noise_hu"]) == ["cosine, 50000 photons"]
    assert list(levels[scan.name]) == methods
    assert " ms |" not in capsys.readouterr().out
    with pytest.raises(SystemExit, match="^0$"):
        command.main(["--help"])
    assert "mine: of one kernel" in " ".join(capsys.readouterr().out.split())


def test_sets_of_scans_have_scans_and_files_of_their_own():
    """A file tells by its scans which set it is of, and an error names the command that makes it."""
    sets = scanner.SCAN_SETS
    names = [name for entry in sets.values() for name in entry.scans]
    assert len(names) == len({*names}) and len({entry.path for entry in sets.values()}) == len(sets)
    for noise, entry in sets.items():
        assert {*entry.methods()} <= {*scanner.scan_methods()}
        with pytest.raises(FileNotFoundError, match=f"`.*comparison --noise {noise}` makes it"):
            comparison.read_results(f"none/{entry.path.name}")


def test_a_file_of_the_other_kind_of_noise(scans, monkeypatch, refusal):
    scanner_file, white_file = str(scans / "scanner.csv"), str(scans / "white.csv")
    command.main(["--noise", "ct", "--output", scanner_file])
    command.main(["--std", "0.05", "--output", white_file])
    again = ("--methods", "ct_unet", "--output")
    last = refusal(command.main, *again, scanner_file)
    assert last.endswith("scanner.csv: expected another noise; call it with --noise ct")
    last = refusal(command.main, "--noise", "ct", *again, white_file)
    assert last.endswith("white.csv: expected another noise; call it with --noise white")
    last = refusal(
        command.main, "--noise", "overlap", "--methods", "bm3d", "--output", scanner_file
    )
    assert last.endswith("scanner.csv: expected another noise; call it with --noise ct")
    others = replace(scanner.SCAN_SETS["ct"], scans={"another": None})
    monkeypatch.setitem(scanner.SCAN_SETS, "ct", others)
    for noise in ("ct", "white"):
        last = refusal(command.main, "--noise", noise, *again, scanner_file)
        expected = f"expected what --noise {noise} measures today; measure all methods again"
        assert last.endswith(f"scanner.csv: {expected}")


def test_scans_side_by_side():
    assert dict(command._each(abs, [-1, 2, -3], 2)) == {-1: 1, 2: 2, -3: 3}


def test_scans_have_their_own_noise(refusal):
    for noise in ("ct", "overlap"):
        for option in (("--std", "0.1"), ("--images", "transfer")):
            last = refusal(command.main, "--noise", noise, *option)
            assert f"--noise {noise}: expected no --images and no --std" in last


def test_methods_need_a_file_and_keep_its_settings(tmp_path, refusal):
    output = str(tmp_path / "none.csv")
    last = refusal(command.main, "--methods", "bm3d", "--output", output)
    assert "none.csv: no such file; `python -m helpers.comparison`" in last
    last = refusal(command.main, "--methods", "bm3d", "--seed", "1", "--output", output)
    assert "--methods: expected no --seed and no --std" in last
    last = refusal(command.main, "--methods", "resnet", "--output", output)
    assert "methods: expected some of noisy, gaussian" in last and "got 'resnet'" in last
    transfer = ("--images", "transfer", "--methods", "bm4d")  # neighbours, there are none
    assert "got 'bm4d'" in refusal(command.main, *transfer, "--output", output)


@pytest.mark.parametrize(
    "options", ["--std 0.05 0", "--seed -1", "--output {file}/a.csv", "--output {file.parent}"]
)
def test_bad_options_end_in_one_sentence(options, tmp_path, monkeypatch, refusal):
    monkeypatch.setattr(command, "load_ct", None)  # it must not come that far
    file = tmp_path / "file"
    file.write_text("not a folder")
    last = refusal(command.main, *(option.format(file=file) for option in options.split()))
    assert last.startswith("python -m helpers.comparison: error: ")


def test_missing_data_ends_in_one_sentence(tmp_path, monkeypatch, refusal):
    def load_ct(split):
        raise FileNotFoundError("scan.dcm: cannot be fetched")

    monkeypatch.setattr(command, "load_ct", load_ct)
    last = refusal(command.main, "--output", str(tmp_path / "a.csv"))
    assert last.endswith("error: scan.dcm: cannot be fetched")
