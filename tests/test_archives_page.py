"""docs/archives.py: the archive that it measures can be denoised, and its page says what was measured."""

import json

import pytest

import archives
from helpers.scans import denoise_archive

MEASURED = {
    "machine": "2 cores of a test",
    "model": "ct_scan",
    "scans": 4,
    "shape": [133, 512, 512],
    "seconds": {"1": 240.0, "2": 144.0},
    "memory_mb": 1234,
    "written_mb_per_scan": 70,
}


def test_what_is_measured_is_a_scan(tmp_path, rng):
    """And the network is the one that the command chooses for such scans."""
    hu = rng.normal(0, 50, (5, 16, 24))
    archives.write_scan(tmp_path / "archive" / "a", hu, 0)
    archives.write_scan(tmp_path / "archive" / "b", hu, 1)
    scans = denoise_archive(tmp_path / "archive", tmp_path / "out")
    assert [(scan.slices, scan.fault) for scan in scans] == [(5, "")] * 2
    assert archives.network(tmp_path / "out") == "ct_scan_25d"
    assert len({scan.uid for scan in scans}) == 2


def test_the_page_says_what_was_measured():
    """Four scans in 144 s with two workers: 72 s of a core for each."""
    text = archives.report(MEASURED)
    assert "| 1 | 60 | 60 |\n| 2 | 36 | 50 |" in text
    assert "Two workers did 1.67 times as much as one." in text
    assert "at most 1.2 GB" in text and "is 70 MB" in text
    assert f"| 10 | {100_000 * 72 / (10 * 8) / 86_400:.1f} |" in text
    assert text.index("Extrapolated, not measured") < text.index("| machines | days |")


def test_the_page_is_up_to_date():
    text = archives.PAGE.read_text(encoding="utf-8")
    if not archives.MEASURED.exists():
        pytest.skip("nobody has run python docs/archives.py yet")
    measured = json.loads(archives.MEASURED.read_text(encoding="utf-8"))
    assert measured["seconds"]["1"] / measured["seconds"]["2"] >= 1.6  # two workers are worth it
    assert text == archives.page(text, measured), "run python docs/archives.py"


def test_a_lost_marker_is_named():
    text = archives.PAGE.read_text(encoding="utf-8")
    assert archives.report(MEASURED) in archives.page(text, MEASURED)
    with pytest.raises(ValueError, match="^archives.md: expected markers 'begin measured'"):
        archives.page(text.replace("<!-- end measured -->", ""), MEASURED)
