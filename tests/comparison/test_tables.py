"""helpers.comparison.tables: what is counted, how it is written."""

import numpy as np
import pytest

from helpers import baselines, comparison
from helpers.contract import About


def test_lead_is_counted_slice_by_slice():
    """Ahead by 1 dB on three slices of two patients, behind by 2 on one."""
    theirs = {"psnr": [np.array([30.0, 31]), np.array([32.0, 33])], "ssim": [np.full(4, 0.8)]}
    ours = {"psnr": [np.array([31.0, 32]), np.array([33.0, 31])], "ssim": [np.full(4, 0.7)]}
    results = {"a": {"about": About("A"), **theirs}, "b": {"about": About("B"), **ours}}
    table = comparison.lead_table({0.03: results}, "b", reference="a")
    assert table.splitlines()[0].startswith(
        "| noise std | A, dB | B, dB | lead, dB | each patient |"
    )
    assert (
        table.splitlines()[2]
        == "| 0.03 | 31.50 | 31.75 | +0.25 (-0.50 to +1.00) | +1.00, -0.50 | 75 % | 0.800 | 0.700 |"
    )
    with pytest.raises(KeyError, match="ct_unet"):
        comparison.lead_table({0.03: results}, reference="a")


def test_transfer_is_counted_group_by_group():
    """A group of two images and one of one: the mean of each, and the worst image."""
    theirs = {"psnr": [np.array([30.0, 31]), np.array([32.0])]}
    ours = {"psnr": [np.array([31.0, 33]), np.array([29.0])]}
    results = {"a": {"about": About("A"), **theirs}, "b": {"about": About("B"), **ours}}
    table = comparison.transfer_table(
        {0.03: results, 0.1: results}, ["one", "two"], "b", reference="a"
    )
    assert table.splitlines()[2:] == [
        "| one | 2 | +1.50 (+1.00) | +1.50 (+1.00) |",
        "| two | 1 | -3.00 (-3.00) | -3.00 (-3.00) |",
    ]
    with pytest.raises(ValueError, match="shorter|longer"):
        comparison.transfer_table({0.03: results}, ["one"], "b", reference="a")


def test_detection_is_compared_with_the_noisy_image(rng):
    """Half the spot in half the noise is as easy to detect, in a quarter of the noise twice as easy."""
    spot, noise = np.array([[[0.0]], [[2.0]]]), rng.normal(0, 1, (2, 40, 6))
    images = {"noisy": spot + noise, "a": (spot + noise) / 2, "b": spot / 2 + noise / 4}
    responses = {"ramp": {n: {"matched filter": r, "Hotelling": 3 * r} for n, r in images.items()}}
    made = {name: {"about": About(name.upper())} for name in images}
    header, _, noisy, a, b = comparison.detection_table(responses, made, images).splitlines()
    columns = "noise | method | spot left | d', matched filter | change | d', Hotelling | change"
    assert header == f"| {columns} |"
    found = comparison.detectability(images["noisy"])
    assert noisy == f"| ramp | NOISY | 100 % | {found:.2f} | | {found:.2f} | |"
    same = f"{found:.2f} | +0.00 (+0.00 to +0.00)"
    left = np.subtract(*images["b"][::-1]).mean() / np.subtract(*images["noisy"][::-1]).mean()
    assert a == f"| ramp | A | 50 % | {same} | {same} |"
    twice = comparison.detectability(images["b"])
    assert twice > found + 1
    assert b.startswith(f"| ramp | B | {100 * left:.0f} % | {twice:.2f} | {twice - found:+.2f} (+")
    with pytest.raises(KeyError, match="bm3d"):
        comparison.detection_table(responses, made, ["bm3d"])


def test_table_is_sorted_and_shows_times_only_if_asked(pair):
    methods = {"median": baselines.median, "noisy": comparison.do_nothing}
    summary = comparison.summarise(comparison.measure(methods, *pair), "median")
    lines = comparison.quality_table(summary, "median").splitlines()
    assert [line.split("|")[1].strip() for line in lines[2:]] == ["median", "noisy input"]
    assert lines[2].endswith("| | |")  # no difference to itself
    assert "ms" not in lines[0]
    assert "time per slice, ms" in comparison.quality_table(summary, "median", times=True)


def test_table_needs_full_rows():
    with pytest.raises(ValueError, match="rows: expected 2 cells"):
        comparison.markdown_table(["a", "b"], [[1]])
