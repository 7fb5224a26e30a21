"""All common transfer syntaxes: the pixels are those of the file that was not compressed."""

import base64

import numpy as np
import pydicom
import pytest
from pydicom import uid
from pydicom.data import get_testdata_file
from pydicom.encaps import encapsulate
from pydicom.pixels import get_decoder, pixel_array
from scans_of_tests import by_place, compress, image_file, write

from helpers.data import load_dicom
from helpers.scans import denoise_scan

MODEL = "ct_unet_small"
COMPRESSED = {
    "JPEGLosslessProcess14": uid.JPEGLossless,
    "JPEGLosslessProcess14_1": uid.JPEGLosslessSV1,
    "JPEGLSLossless": uid.JPEGLSLossless,
    "JPEG2000Lossless": uid.JPEG2000Lossless,
    "JPEG2000": uid.JPEG2000,
    "RLELossless": uid.RLELossless,
}

# The pixels of `image_file()`, compressed without loss by OpenJPH 0.26 (imagecodecs.htj2k_encode).
HTJ2K = base64.b64decode(
    "/0//UQApQAAAAAAoAAAAGAAAAAAAAAAAAAAAKAAAABgAAAAAAAAAAAABDwEB/1AACAACAAAACv9SAAwAAgABAAUEBEAB/1wA"
    "EyCIkJCQkJCQkJCQkJCQiIiI/2QAFwABT3BlbkpQSCBWZXIgMC4yNi4zLv+QAAoAAAAAAWkAAf+TwAAqAK39X/sBQjQAwAAS"
    "wAATwAASAPkAR3QAErTtAKI0AP0ncwDAABLAABUwAASAqP4QUwAMMrMACAD2NgD9CTMAwAAVMAAFvQAAVAA0aOqEfwEehgCk"
    "HQgdbBvQGUIycIrIDphK/gAgLCED3MgXhCBqnQAssCFkAD5GAMAAFdAABd3AABUAkDEAM+6AJe+JspwD2gB6IqVcQ0hNUhed"
    "Hp7vDk6vDn+Tw9XB4WVtOLg1fAsNt2aGR40hzB4AMKZjAU6ZjAU3RjQQga0AAGo1ARS076AI8TYAwAAtiAAF6xAACoAAAMCA"
    "iIiICMF/+Hp6enp8lmMYxjGM7wCjt+V3/mDjZehq7W/ydPd5/H5BiNNP/u9rv/rQX77xg8/728u+9agfveczT/nHKf4D/0YF"
    "KBv3lKBv3lKBv3lKBv3lKBvrEEDWghA1oIQNaCEDWoAAajgCwfx/DEHRNwD/2Q=="
)


@pytest.mark.parametrize("syntax", [uid.HTJ2KLossless, uid.HTJ2KLosslessRPCL, uid.HTJ2K])
def test_high_throughput_jpeg_2000(syntax, tmp_path):
    old = image_file(0, BitsStored=16, HighBit=15)
    plain = old.PixelData
    old.PixelData = encapsulate([HTJ2K])
    old["PixelData"].is_undefined_length = True
    old.file_meta.TransferSyntaxUID = syntax
    write(tmp_path / "scan", [old])
    denoise_scan(tmp_path / "scan", tmp_path / "out", model=MODEL, strength=0)
    (new,) = by_place(tmp_path / "out").values()
    assert new.PixelData == plain


@pytest.mark.parametrize("name", COMPRESSED)
def test_gdcm_comes_first_where_there_are_several_decoders(name):
    plugins = get_decoder(COMPRESSED[name]).available_plugins
    assert plugins[0] == ("pydicom" if name == "RLELossless" else "gdcm")


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("name", COMPRESSED)
def test_compressed_slices(name, signed, tmp_path):
    files = [image_file(k) for k in range(3)]
    if signed:
        for file in files:
            file.PixelRepresentation, file.RescaleIntercept = 1, 0
            file.BitsStored, file.HighBit = 16, 15
            del file["SmallestImagePixelValue"], file["LargestImagePixelValue"]
            file.PixelData = (np.frombuffer(file.PixelData, "<u2").astype("<i2") - 1024).tobytes()
    paths = write(tmp_path / "scan", files)
    hu = load_dicom(tmp_path / "scan")
    for path in paths:
        compress(path, name)
        assert pydicom.dcmread(path).file_meta.TransferSyntaxUID == COMPRESSED[name]
    if name != "JPEG2000":  # GDCM makes it with loss
        np.testing.assert_array_equal(load_dicom(tmp_path / "scan"), hu)
    denoise_scan(tmp_path / "scan", tmp_path / "out", model=MODEL, strength=0)
    np.testing.assert_array_equal(load_dicom(tmp_path / "out"), load_dicom(tmp_path / "scan"))


@pytest.mark.parametrize(
    "syntax",
    [
        uid.ImplicitVRLittleEndian,
        uid.ExplicitVRLittleEndian,
        uid.DeflatedExplicitVRLittleEndian,
        uid.ExplicitVRBigEndian,
    ],
)
def test_slices_in_other_encodings(syntax, tmp_path):
    files, hu = [image_file(k) for k in range(3)], {}
    for k, file in enumerate(files):
        hu[2.5 * k] = np.frombuffer(file.PixelData, "<u2").reshape(file.Rows, file.Columns)
        file.PixelData = hu[2.5 * k].astype("<u2" if syntax.is_little_endian else ">u2").tobytes()
        file["PixelData"].VR = "OW"
        file.file_meta.TransferSyntaxUID = syntax
    write(tmp_path / "scan", files)
    denoise_scan(tmp_path / "scan", tmp_path / "out", model=MODEL, strength=0)
    for place, file in by_place(tmp_path / "out").items():
        np.testing.assert_array_equal(pixel_array(file), hu[place])
        assert file.file_meta.TransferSyntaxUID == uid.ExplicitVRLittleEndian
        assert file.SmallestImagePixelValue == hu[place].min()


def test_that_a_slice_was_compressed_with_loss_stays_said(tmp_path):
    old = image_file(0, LossyImageCompression="01", LossyImageCompressionRatio=10)
    (path,) = write(tmp_path / "scan", [old])
    compress(path, "JPEG2000")
    denoise_scan(tmp_path / "scan", tmp_path / "out", model=MODEL)
    (new,) = by_place(tmp_path / "out").values()
    assert (new.LossyImageCompression, new.LossyImageCompressionRatio) == ("01", 10)


def test_what_no_decoder_knows_is_refused_with_its_reason(tmp_path):
    """JPEG of 12 bits with loss, which no decoder under a free enough licence reads."""
    file, old = pydicom.dcmread(get_testdata_file("JPEG-lossy.dcm")), image_file(0)
    for name in ("Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelData"):
        old[name] = file[name]
    old["PixelData"].is_undefined_length = True
    old.file_meta.TransferSyntaxUID = file.file_meta.TransferSyntaxUID
    write(tmp_path / "scan", [old])
    with pytest.raises(ValueError, match=r"image03\.dcm: expected pixels that .* 12-bit precision"):
        denoise_scan(tmp_path / "scan", tmp_path / "out", model=MODEL)
