"""helpers.comparison.seeds: what is stored comes back, and differences are those of the same seeds."""

import numpy as np
import pytest

from helpers.comparison import means_of_seeds, seeds

JOBS = [("white", "a", 0), ("white", "a", 1), ("scanner", "b", -1)]
SCORES = [np.array([30.0, 31.1234]), np.array([20.5])]  # of two patients


def stored(path, jobs, measured=SCORES):
    """Write a file as the commands do, with a line above its header."""
    rows = [row for job in jobs for row in seeds.rows_of(job, measured)]
    path.write_text("\n".join(["# machine: 2 cores", ",".join(seeds.COLUMNS), *rows]) + "\n")


def test_scores_survive_the_file(tmp_path):
    path = tmp_path / "scores.csv"
    stored(path, JOBS)
    found = seeds.stored_jobs(path, JOBS, "python make.py")
    assert list(found) == JOBS
    for patients in found.values():
        for ours, theirs in zip(patients, SCORES, strict=True):
            np.testing.assert_allclose(ours, theirs)


@pytest.mark.parametrize("jobs", [JOBS[:2], JOBS[::-1], [*JOBS, ("scanner", "b", 0)], []])
def test_a_file_of_other_jobs_is_refused(jobs, tmp_path):
    path = tmp_path / "scores.csv"
    stored(path, jobs)
    remedy = "`python make.py` makes it anew"
    with pytest.raises(ValueError, match=f"scores.csv: expected all methods.*; {remedy}"):
        seeds.stored_jobs(path, JOBS, "python make.py")


def test_a_lost_slice_is_noticed(tmp_path):
    path = tmp_path / "scores.csv"
    stored(path, JOBS)
    path.write_text(path.read_text().rstrip().rsplit("\n", 1)[0])
    with pytest.raises(ValueError, match="scores.csv: expected all methods with all seeds"):
        seeds.stored_jobs(path, JOBS, "python make.py")


def made_up(*numbers):
    """One method's results: of each seed two patients of two slices and one, whose mean over slices is given."""
    found = range(len(numbers)) if len(numbers) > 1 else (-1,)
    return {
        seed: [np.array([number - 1.0, number + 3.0]), np.array([number - 2.0])]
        for seed, number in zip(found, numbers)
    }


def test_means_are_of_all_slices_seed_by_seed():
    means = means_of_seeds({"white": {"a": made_up(30, 32), "b": made_up(23)}})
    np.testing.assert_allclose(means["white"]["a"], [30, 32])
    np.testing.assert_allclose(means["white"]["b"], [23])


def test_table_compares_with_the_reference_of_the_same_seeds():
    """Seeds differ by more than methods do: only the differences of the same seeds tell."""
    white = {"noisy": made_up(23), "clean": made_up(30, 31, 35), "sure": made_up(29.5, 30.6, 34.7)}
    scanner = {
        "noisy": made_up(24.5),
        "filter": made_up(26),
        "clean": made_up(30, 31, 32),
        "inverse": made_up(29, 31, 30.5),
        "sure": made_up(24, 24.1, 24.2),
    }
    labels = {name: name.title() for name in scanner}
    table = seeds.seeds_table({"white": white, "scanner": scanner}, labels, "clean")
    assert (
        table.splitlines()[0]
        == "| method | white, dB | to Clean, dB | scanner, dB | to Clean, dB |"
    )
    assert table.splitlines()[2:] == [
        "| Clean | 32.00 (30.00 to 35.00) | | 31.00 (30.00 to 32.00) | |",
        "| Inverse | | | 30.17 (29.00 to 31.00) | -0.83 (-1.50 to +0.00) |",
        "| Filter | | | 26.00 | -5.00 (-6.00 to -4.00) |",
        "| Noisy | 23.00 | -9.00 (-12.00 to -7.00) | 24.50 | -6.50 (-7.50 to -5.50) |",
        "| Sure | 31.60 (29.50 to 34.70) | -0.40 (-0.50 to -0.30) | 24.10 (24.00 to 24.20) | -6.90 (-7.80 to -6.00) |",
    ]
    with pytest.raises(ValueError, match=r"^results: expected for sure, white, .*, got \[0, 1\]$"):
        seeds.seeds_table({"white": white | {"sure": made_up(30, 31)}}, labels, "clean")
    with pytest.raises(KeyError, match="clean"):
        seeds.seeds_table({"white": {"noisy": made_up(23)}}, labels, "clean")
