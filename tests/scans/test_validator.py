"""An independent validator, dciodvfy of dicom3tools, finds nothing in our files that it does not find in the source."""

import shutil
import subprocess
import zipfile

import pydicom
import pytest
from pydicom import uid
from pydicom.dataset import Dataset
from scans_of_tests import frames_file, image_file, write

from helpers.scans import denoise_scan
from helpers.scans.derived import derived_header

VALIDATOR = shutil.which("dciodvfy")
needed = pytest.mark.skipif(
    not VALIDATOR, reason="dciodvfy is not there; it comes with Debian's package dicom3tools"
)
MODEL = "ct_unet_small"


def complaints(path):
    """Errors and warnings about a file, without its values."""
    run = subprocess.run([VALIDATOR, str(path)], capture_output=True, text=True, errors="replace")
    lines = (run.stdout + run.stderr).splitlines()
    return {line for line in lines if line.startswith(("Error", "Warning"))}


@pytest.fixture
def slices(sample_wheels, tmp_path):
    """Three CT slices as a treatment planning system wrote them."""
    with zipfile.ZipFile(sample_wheels["pycerr"]) as archive:
        names = sorted(name for name in archive.namelist() if "/pat_2/" in name)
        for name in names[-4:]:
            (tmp_path / "scan").mkdir(exist_ok=True)
            (tmp_path / "scan" / name.split("/")[-1]).write_bytes(archive.read(name))
    return tmp_path / "scan"


@needed
def test_slices_have_no_new_faults(slices, tmp_path):
    denoise_scan(slices, tmp_path / "out", model=MODEL, save_noise=True)
    new = sorted((tmp_path / "out").rglob("*.dcm"))
    assert len(new) >= 6
    for path in new:
        assert complaints(path) <= complaints(slices / path.name)


@needed
def test_slices_compressed_with_loss_have_no_new_faults(slices, tmp_path):
    for path in slices.iterdir():
        file = pydicom.dcmread(path)
        if file.SOPClassUID == uid.CTImageStorage:
            file.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
            file.LossyImageCompression, file.LossyImageCompressionRatio = "01", 10
            file.LossyImageCompressionMethod = "ISO_10918_1"
            file.WindowCenter, file.WindowWidth = 40, 400
            padding = ("PixelPaddingValue", 0)
            for name, value in (
                ("SmallestImagePixelValue", 0),
                ("LargestImagePixelValue", 4095),
                padding,
            ):
                file.add_new(name, "SS" if file.PixelRepresentation else "US", value)
            file.save_as(path)
    denoise_scan(slices, tmp_path / "out", model=MODEL, save_noise=True)
    for path in (tmp_path / "out").rglob("*.dcm"):
        assert complaints(path) <= complaints(slices / path.name)


@needed
@pytest.mark.parametrize("derived", [False, True])
def test_a_file_of_many_frames_has_no_new_faults(derived, tmp_path):
    """Also of a file that says of each frame how it was derived."""
    file = frames_file(3)
    for frame in list(file.PerFrameFunctionalGroupsSequence) * derived:
        step = derived_header(image_file(), "a cut", series_uid="1.2.8", series_number=4, suffix="")
        names = ("DerivationDescription", "DerivationCodeSequence", "SourceImageSequence")
        frame.DerivationImageSequence = [Dataset()]
        for name in names:
            frame.DerivationImageSequence[0][name] = step[name]
    (old,) = write(tmp_path / "scan", [file])
    denoise_scan(tmp_path / "scan", tmp_path / "out", model=MODEL, save_noise=True)
    for path in (tmp_path / "out").rglob("*.dcm"):
        assert complaints(path) <= complaints(old)
