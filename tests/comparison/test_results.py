"""helpers.comparison.results: what is stored comes back, and the stored results reach their bars."""

import numpy as np
import pytest

from helpers import comparison
from helpers.contract import About


@pytest.fixture(scope="module")
def stored():
    """The repository's results: {std: results}."""
    return comparison.read_results()[0]


def test_results_survive_the_file(tmp_path, rng):
    def entry(label, parameters, **known):
        numbers = {
            measure: [rng.uniform(0.1, 0.9, n) for n in (3, 2)]
            for measure in ("psnr", "ssim", "seconds")
        }
        return {"about": About(label, **known), "parameters": parameters, **numbers}

    levels = {
        std: {
            "bm3d": entry("BM3D: old", f"std={std} h=1", told_std=True),
            "noisy": entry("noisy input", ""),
        }
        for std in (0.03, 0.07)
    }
    path = tmp_path / "deep" / "results.csv"
    comparison.write_results(path, levels, settings={"seed": "3", "versions": "a: 1"})
    assert list(path.parent.iterdir()) == [path]
    back, settings = comparison.read_results(path)
    assert settings == {"seed": "3", "versions": "a: 1"}
    assert list(back) == [0.03, 0.07]
    for std, results in levels.items():
        assert list(back[std]) == list(results)
        for name, entry in results.items():
            assert back[std][name]["about"] == entry["about"]
            assert back[std][name]["parameters"] == entry["parameters"]
            for key, tolerance in (("psnr", 1e-4), ("ssim", 1e-5), ("seconds", 1e-2)):
                for ours, theirs in zip(entry[key], back[std][name][key], strict=True):
                    np.testing.assert_allclose(theirs, ours, atol=tolerance)


def test_a_broken_off_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "results.csv"
    path.write_text("old")
    numbers = {"psnr": [["no number"]], "ssim": [[1]], "seconds": [[1]]}
    levels = {0.07: {"a": {"about": About("a"), "parameters": "", **numbers}}}
    with pytest.raises(ValueError):
        comparison.write_results(path, levels, settings={})
    assert path.read_text() == "old"


def test_unreadable_results_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="none.csv.*python -m helpers.comparison"):
        comparison.read_results(tmp_path / "none.csv")
    path = tmp_path / "other.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match="other.csv: expected the columns std, method"):
        comparison.read_results(path)
    columns = "std,method,parameters,patient,slice,psnr_db,ssim,milliseconds"
    path.write_text(f"{columns}\n0.1,a,,0,0,1,1,1\n")
    with pytest.raises(ValueError, match="other.csv: expected a line '# method a: ...'"):
        comparison.read_results(path)


def test_stored_results_hold_all_methods_and_slices(stored, shipped):
    methods = comparison.filters() | comparison.filters(volume=True) | shipped
    assert list(stored) == list(comparison.STDS)
    for results in stored.values():
        assert set(results) == {"noisy", "ct_unet_x8", *methods}
        for name, method in methods.items():
            assert results[name]["about"] == method.about
        assert {len(patient) for entry in results.values() for patient in entry["psnr"]} == {46, 56}


# Lead over BM3D in dB, on all slices.
LEADS = [("ct_unet", 0.03, 0.395), ("ct_unet", 0.07, 0.6), ("ct_unet", 0.12, 0.75)]
LEADS += [("ct_unet_x8", 0.03, 0.5), ("ct_unet_x8", 0.07, 0.7), ("ct_unet_x8", 0.12, 0.85)]


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
    assert means["ct_unet_25d"] >= means["bm4d"] + 0.15
