"""helpers.comparison.results: what is stored comes back, and the stored results reach their bars."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from packaging.requirements import Requirement

from helpers import comparison
from helpers.comparison.results import store_jobs, write_results
from helpers.contract import About

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def stored():
    """The repository's results: {std: results}."""
    return comparison.read_results()[0]


SETTINGS = {"images": ["a: 1", "b"], "seed": 3}
MADE = {"machine": "2 cores of: this", "packages": "a: 1"}


def test_results_survive_the_file(tmp_path, rng):
    def entry(label, parameters, **known):
        numbers = {
            measure: [rng.uniform(0.1, 0.9, n) for n in (3, 2)]
            for measure in ("psnr", "ssim", "seconds")
        }
        return {"about": About(label, **known), "parameters": parameters, **MADE, **numbers}

    levels = {
        std: {
            "bm3d": entry("BM3D: old", f"std={std} h=1", told_std=True),
            "noisy": entry("noisy input", ""),
        }
        for std in (0.03, 0.07)
    }
    path = tmp_path / "deep" / "results.csv"
    write_results(path, levels, **SETTINGS)
    assert list(path.parent.iterdir()) == [path]
    back, settings = comparison.read_results(path)
    assert settings == SETTINGS
    assert list(back) == [0.03, 0.07]
    for std, results in levels.items():
        assert list(back[std]) == list(results)
        for name, entry in results.items():
            assert back[std][name]["about"] == entry["about"]
            for text in ("parameters", "machine", "packages"):
                assert back[std][name][text] == entry[text]
            for key, tolerance in (("psnr", 1e-4), ("ssim", 1e-5), ("seconds", 1e-2)):
                for ours, theirs in zip(entry[key], back[std][name][key], strict=True):
                    np.testing.assert_allclose(theirs, ours, atol=tolerance)


def test_a_broken_off_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "results.csv"
    path.write_text("old")
    numbers = {"psnr": [["no number"]], "ssim": [[1]], "seconds": [[1]]}
    levels = {0.07: {"a": {"about": About("a"), "parameters": "", **MADE, **numbers}}}
    with pytest.raises(ValueError):
        write_results(path, levels, **SETTINGS)
    assert path.read_text() == "old"


def test_unreadable_results_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="none.csv.*python -m helpers.comparison"):
        comparison.read_results(tmp_path / "none.csv")
    path = tmp_path / "other.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match="other.csv: expected the columns std or scan, method"):
        comparison.read_results(path)
    columns = "std,method,parameters,patient,slice,psnr_db,ssim,milliseconds"
    settings = '# images: ["one", "two"]\n# seed: 3\n'
    record = '# method a: {"label": "A", "machine": "", "packages": ""}\n'
    row = "0.1,a,,{},{},1,1,1\n"
    for message, text in {
        "expected the lines '# images: ...' and '# seed: ...'": f"# seed: 1\n{columns}\n",
        "expected a line '# method a: ...'": f"{settings}{columns}\n{row.format(0, 0)}",
        "missing 2 required": f'{settings}# method a: {{"label": "A"}}\n{columns}\n',
        "got an unexpected": f"{settings}{record.replace('label', 'colour')}{columns}\n",
        "rows are missing before std 0.1, a, 0, 1": f"{settings}{record}{columns}\n{row.format(0, 1)}",
        "rows are missing before std 0.1, a, 1, 0": f"{settings}{record}{columns}\n{row.format(1, 0)}",
        "rows are missing: expected all methods": f"{settings}{record}{columns}\n",
        "expected those of one, two": f"{settings}{record}{columns}\n{row.format(0, 0)}",
        "rows are broken off: std 0.1, a, 0, 0": f"{settings}{record}{columns}\n0.1,a,,0,0,1\n",
        "expected as columns some of psnr_db": f"{settings}{columns},beauty\n",
        "could not convert": f"{settings}{record}{columns}\n0.1,a,,0,0,x,1,1\n",
    }.items():
        path.write_text(text)
        with pytest.raises(
            ValueError, match=f"other.csv: .*{message}.*; `python -m helpers.compar"
        ):
            comparison.read_results(path)


@pytest.mark.parametrize(
    ("path", "command"),
    [
        (comparison.RESULTS, "python -m helpers.comparison`"),
        (comparison.TRANSFER, "python -m helpers.comparison --images transfer`"),
        (comparison.SCANNER, "python -m helpers.comparison --noise ct`"),
        (comparison.OVERLAP, "python -m helpers.comparison --noise overlap`"),
    ],
)
def test_a_missing_file_names_its_own_command(path, command, tmp_path):
    with pytest.raises(FileNotFoundError, match=command):
        comparison.read_results(tmp_path / path.name)


def test_results_of_scans_survive_the_file(tmp_path, rng):
    numbers = {"psnr": [rng.random(3)], "error_frequency": [rng.random(3)]}
    levels = {"ramp, 9 photons": {"a": {"about": About("A"), "parameters": "", **MADE, **numbers}}}
    path = tmp_path / "scans.csv"
    write_results(path, levels, images=["one"], seed=1, noise_hu={"ramp, 9 photons": 7.5})
    back, settings = comparison.read_results(path)
    assert settings == {"images": ["one"], "seed": 1, "noise_hu": {"ramp, 9 photons": 7.5}}
    (scan,) = back
    for key in numbers:
        np.testing.assert_allclose(back[scan]["a"][key][0], numbers[key][0], atol=1e-4)


def test_a_method_that_lacks_a_slice_is_noticed(tmp_path):
    numbers = {name: [np.ones(3), np.ones(2)] for name in ("psnr", "ssim", "seconds")}
    fewer = {name: [np.ones(3), np.ones(1)] for name in numbers}
    path = tmp_path / "short.csv"
    for other in (fewer, None):
        results = {"a": {"about": About("A"), "parameters": "", **MADE, **numbers}}
        levels = {0.1: results | {"b": {"about": About("B"), "parameters": "", **MADE, **numbers}}}
        levels[0.2] = dict(levels[0.1])
        if other:
            levels[0.1]["b"] = {"about": About("B"), "parameters": "", **MADE, **other}
        else:
            del levels[0.2]["b"]
        write_results(path, levels, **SETTINGS)
        with pytest.raises(ValueError, match="short.csv: rows are missing: expected all methods"):
            comparison.read_results(path)


def test_stored_results_hold_all_methods_and_slices(stored, shipped):
    methods = comparison.filters() | comparison.filters(volume=True) | shipped
    assert list(stored) == list(comparison.STDS)
    for results in stored.values():
        assert set(results) == {"noisy", *comparison.DERIVED, *methods}
        for name, method in methods.items():
            assert replace(results[name]["about"], version="") == replace(method.about, version="")
        assert {len(patient) for entry in results.values() for patient in entry["psnr"]} == {46, 56}


@pytest.mark.parametrize(
    ("path", "options"),
    [
        (comparison.RESULTS, ""),
        (comparison.TRANSFER, " --images transfer"),
        (comparison.SCANNER, " --noise ct"),
        (comparison.OVERLAP, " --noise overlap"),
    ],
)
def test_no_stored_row_is_stale(path, options, shipped):
    """Networks: measured with the very weights that are shipped. Filters: with versions that are still allowed."""
    levels, _ = comparison.read_results(path)
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    allowed = {r.name.lower(): r for r in map(Requirement, filter(str.strip, lines[:-1]))}
    for results in levels.values():
        for name, entry in results.items():
            known = entry["about"]
            if known.source.startswith("helpers.training"):
                network, _ = comparison.DERIVED.get(name, (name, None))
                remedy = f"python -m helpers.comparison{options} --methods {name}"
                assert known.version == shipped[network].about.version, remedy
            elif name != "noisy":
                assert known.version in allowed[known.source.lower()].specifier, name


# Lead over BM3D in dB, on all slices.
LEADS = [("ct_unet", 0.03, 0.3), ("ct_unet", 0.07, 0.45), ("ct_unet", 0.12, 0.6)]
LEADS += [("ct_unet_x8", 0.03, 0.4), ("ct_unet_x8", 0.07, 0.6), ("ct_unet_x8", 0.12, 0.7)]


@pytest.mark.parametrize(("name", "std", "lead"), LEADS)
def test_stored_leads(name, std, lead, stored):
    psnrs, ssims = (
        {method: np.concatenate(entry[measure]) for method, entry in stored[std].items()}
        for measure in ("psnr", "ssim")
    )
    ahead = psnrs[name] - psnrs["bm3d"]
    assert len(ahead) == 102
    assert ahead.mean() >= lead
    assert (ahead > 0).all()
    assert ssims[name].mean() > ssims["bm3d"].mean()
    assert psnrs["ct_unet_small"].mean() >= psnrs["bm3d"].mean()
    assert psnrs["ct_unet_25d"].mean() > max(psnrs["bm4d"].mean(), psnrs["ct_unet"].mean())


def test_what_neighbours_are_worth(stored):
    means = {name: np.concatenate(entry["psnr"]).mean() for name, entry in stored[0.07].items()}
    assert means["ct_unet_25d"] >= means["ct_unet"] + 0.3
    assert means["ct_unet_25d"] >= means["bm4d"] + 0.1


@pytest.fixture(scope="module")
def scans():
    """The repository's results with a scanner's noise: {name of the scan: results}."""
    return comparison.read_results(comparison.SCANNER)[0]


def test_stored_scans_hold_all_methods_and_slices(scans, shipped):
    methods = comparison.filters() | comparison.filters(volume=True) | shipped
    assert set(scans) == set(comparison.SCANS)
    for results in scans.values():
        assert set(results) == {"noisy", *methods}
        assert [len(patient) for patient in results["bm3d"]["psnr"]] == [46, 56]


@pytest.mark.parametrize("name", comparison.SCANS)
def test_stored_leads_in_the_noise_of_scans(name, scans):
    """Over BM3D that is told the noise, unless it is very weak, and over the network that knows white noise only."""
    psnrs = {method: np.concatenate(entry["psnr"]) for method, entry in scans[name].items()}
    weak = name == "hann cut at 0.7, 160000 photons"
    assert (psnrs["ct_scan"].mean() > psnrs["bm3d"].mean()) != weak
    assert psnrs["ct_scan"].mean() > psnrs["ct_unet"].mean() + 1
    assert psnrs["bm3d"].mean() > psnrs["gaussian"].mean()
    assert (
        psnrs["ct_scan_25d"].mean() > psnrs["ct_scan"].mean() - 0.01
    )  # level in the weakest noise


def test_stored_scans_that_overlap_hold_what_is_measured():
    """As strong a noise as without overlap, so the single-slice methods score alike; what neighbours add differs."""
    overlapping, settings = comparison.read_results(comparison.OVERLAP)
    scans, of_scans = comparison.read_results(comparison.SCANNER)
    assert list(overlapping) == list(settings["noise_hu"]) == list(comparison.OVERLAPPING)
    assert settings["images"] == of_scans["images"]
    for name, results in overlapping.items():
        alone = name.removesuffix(", overlap 0.3")
        assert alone in comparison.SCANS
        assert list(results) == comparison.OVERLAP_METHODS
        assert settings["noise_hu"][name] == pytest.approx(of_scans["noise_hu"][alone], rel=0.02)
        for method, entry in results.items():
            assert [len(patient) for patient in entry["psnr"]] == [46, 56]
            if not entry["about"].volume:
                ours, theirs = (
                    np.concatenate(r[method]["psnr"]).mean() for r in (results, scans[alone])
                )
                assert ours == pytest.approx(theirs, abs=0.2), method


@pytest.fixture
def store(tmp_path):
    """`store_jobs` with rows "job,square"; returns the file, and a function from head, jobs and where to stop."""
    path, measured = tmp_path / "out.csv", []

    def run(head, jobs, stop=None):
        measured.clear()

        def measure(number):
            if number == stop:
                raise KeyboardInterrupt
            measured.append(number)
            return number**2

        def parsed(lines):
            rows = (line.split(",") for line in lines[1:])
            return {(int(number),): int(square) for number, square in rows}

        def rows_of(job, square):
            return [f"{job[0]},{square}"]

        store_jobs(path, [head], [(job,) for job in jobs], parsed, rows_of, measure)
        return measured

    return path, run


def test_a_stopped_run_measures_what_is_missing_and_keeps_the_order(store):
    path, run = store
    with pytest.raises(KeyboardInterrupt):
        run("head", [3, 1, 2], stop=2)
    assert not path.exists() and path.with_name("out.csv.trained").exists()
    assert run("head", [2, 7, 3, 1]) == [2, 7]  # what comes first now is written first
    assert path.read_text() == "head\n2,4\n7,49\n3,9\n1,1\n"
    assert [found.name for found in path.parent.iterdir()] == ["out.csv"]


def test_rows_of_another_head_or_of_no_job_are_not_taken_over(store):
    path, run = store
    run("head", [1, 2])
    path.rename(path.with_name("out.csv.trained"))
    assert run("head", [2, 3]) == [3] and path.read_text() == "head\n2,4\n3,9\n"
    path.rename(path.with_name("out.csv.trained"))
    assert run("another head", [2, 3]) == [2, 3]
    path.rename(path.with_name("out.csv.trained"))
    assert run("another head", [3]) == [] and path.read_text() == "another head\n3,9\n"
