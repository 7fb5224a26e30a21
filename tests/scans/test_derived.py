"""helpers.scans.derived: what a derived file keeps of its source, what it adds, and what it leaves out."""

import pydicom
import pytest
from pydicom import uid
from scans_of_tests import image_file, write

from helpers.scans.derived import COMMENT, derived_header


def derived(file, suffix="denoised"):
    """The header of the derived file."""
    settings = {"series_uid": "1.2.9", "series_number": 1001, "suffix": suffix}
    return derived_header(file, "blur 1", **settings)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("lung", "lung removed noise"),
        (None, "removed noise"),
        ("", "removed noise"),
        ("x" * 50, "x" * 50 + " removed noise"),
        ("x" * 60, "x" * 50 + " removed noise"),
    ],
)
def test_a_long_description_is_cut_and_not_what_is_added(old, new):
    assert derived(image_file(SeriesDescription=old), "removed noise").SeriesDescription == new


@pytest.mark.parametrize(
    ("name", "ours", "longest"),
    [("ImageComments", COMMENT, 10240), ("DerivationDescription", "Noise removed by blur 1", 1024)],
)
def test_what_was_said_of_the_source_stays_said(name, ours, longest):
    assert derived(image_file())[name].value == ours
    assert derived(image_file(**{name: "lesion, see 7"}))[name].value == f"lesion, see 7; {ours}"
    long = derived(image_file(**{name: "x" * (longest - 3)}))[name].value
    assert len(long) == longest and long.startswith("xxx") and long.endswith(f"x; {ours}")


@pytest.mark.parametrize("syntax", [uid.ExplicitVRLittleEndian, uid.ExplicitVRBigEndian])
def test_a_series_number_that_is_none_is_replaced(syntax, tmp_path):
    file = image_file(SeriesNumber=123456)
    file.file_meta.TransferSyntaxUID = syntax
    (path,) = write(tmp_path, [file])
    path.write_bytes(path.read_bytes().replace(b"123456", b"abcdef"))
    assert derived(pydicom.dcmread(path)).SeriesNumber == 1001
