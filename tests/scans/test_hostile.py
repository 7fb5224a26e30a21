"""Hostile input through the command: exit code 1, one sentence that names the file, nothing written."""

import gzip
import re
import shutil
import struct
import warnings
import zipfile

import cv2
import nibabel
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from pydicom import uid
from scans_of_tests import compress, contents, frames_file, image_file, write

from helpers.__main__ import main

MODEL = "ct_unet_small"


def _cut(path, share):
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])


def _slices(folder, *changes, count=6):
    """A series whose slice k is changed by the k-th dict."""
    changes = [*changes, *[{}] * (count - len(changes))]
    with pydicom.config.disable_value_validation():  # some values are meant to be invalid
        return write(folder, [image_file(k, **change) for k, change in enumerate(changes)])


def _of_kind(folder, kind, **changes):
    """Six files of another kind, which stands in the head of a file, too."""
    files = [image_file(k, SOPClassUID=kind, **changes) for k in range(6)]
    for file in files:
        file.file_meta.MediaStorageSOPClassUID = kind
    write(folder, files)


def _frames(folder, change):
    """A file of three frames, changed."""
    file = frames_file(3)
    change(file)
    write(folder, [file])


def _syntax(folder, syntax):
    """Slices that say that they are compressed, and are not."""
    for path in _slices(folder):
        file = pydicom.dcmread(path)
        file.PixelData = pydicom.encaps.encapsulate([file.PixelData])
        file["PixelData"].is_undefined_length = True
        file.file_meta.TransferSyntaxUID = syntax
        file.save_as(path, implicit_vr=False, little_endian=True, enforce_file_format=True)


def _half(folder, syntax):
    """Slices of which one is compressed, and ends half-way."""
    path = _slices(folder)[0]
    compress(path, syntax)
    file = pydicom.dcmread(path)
    (frame,) = pydicom.encaps.generate_frames(file.PixelData, number_of_frames=1)
    file.PixelData = pydicom.encaps.encapsulate([frame[: len(frame) // 4 * 2]])
    file["PixelData"].is_undefined_length = True
    file.save_as(path)


def _changed_bit(folder):
    """Slices of which one is compressed, with a wrong bit in the place of its first row."""
    path = _slices(folder)[0]
    compress(path, "JPEG2000Lossless")
    data = bytearray(path.read_bytes())
    data[data.index(b"\xff\x4f\xff\x51") + 23] ^= 1
    path.write_bytes(data)


def _links_in_a_loop(folder):
    (folder / "a").mkdir(parents=True)
    (folder / "a" / "b").symlink_to(folder, target_is_directory=True)
    (folder / "x.dcm").symlink_to(folder / "y.dcm")
    (folder / "y.dcm").symlink_to(folder / "x.dcm")


VOLUME = np.random.default_rng(0).integers(-900, 300, (12, 10, 4)).astype(np.int16)


def _nifti(path, array=VOLUME, affine=None, **fields):
    """A NIfTI file whose header says what `fields` say."""
    affine = np.diag([-1.0, -1.0, 2.0, 1.0]) if affine is None else np.array(affine, float)
    header = nibabel.Nifti1Header()
    header.set_data_dtype(array.dtype)
    header.set_data_shape(array.shape)
    header.set_sform(affine, 1)
    header["vox_offset"], header["magic"] = 352, b"n+1"
    for name, value in fields.items():
        header[name] = value
    data = bytes(header.binaryblock) + bytes(4) + array.tobytes("F")
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def _with(array, value):
    array = array.astype(np.float32)
    array[3, 4, 2] = value
    return array


def _spoilt(path, at, length=40):
    data = bytearray(path.read_bytes())
    data[at : at + length] = bytes(255 - byte for byte in data[at : at + length])
    path.write_bytes(data)


def _resized(path, old, new):
    """Let the head of a volume say another size."""
    data = path.read_bytes()
    assert data.count(old) == 1
    path.write_bytes(data.replace(old, new))


def _itk(path, array=VOLUME, **options):
    sitk.WriteImage(sitk.GetImageFromArray(array, **options), str(path))
    return path


def _zip(path, members):
    with zipfile.ZipFile(path, "w") as archive, warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Duplicate name")  # one archive is meant to have one
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return path


def _zip_of_slices(path, *others):
    names = _slices(path.parent / "unpacked")
    return _zip(path, [*((name.name, name.read_bytes()) for name in names), *others])


def _patched(path, change):
    """Change the entry of the first member in both places of a ZIP archive."""
    data = bytearray(path.read_bytes())
    for mark, flags, size in ((b"PK\3\4", 6, 22), (b"PK\1\2", 8, 24)):
        change(data, data.index(mark) + flags, data.index(mark) + size)
    path.write_bytes(data)


def _password(data, flags, size):
    data[flags] |= 1


def _huge(data, flags, size):
    data[size : size + 4] = struct.pack("<I", 2**32 - 2)


def _grey(rng=np.random.default_rng(0)):  # noqa: B008
    return rng.integers(0, 255, (20, 30)).astype(np.uint8)


def _picture(path, picture=None):
    path.parent.mkdir(exist_ok=True)
    assert cv2.imwrite(str(path), _grey() if picture is None else picture)
    return path


def _pages(path):
    assert cv2.imwritemulti(str(path), [_grey(), _grey()])


HOSTILE = {
    "no such folder": (
        lambda f: None,
        "scan: no such folder or file; expected one that holds a scan",
    ),
    "an empty folder": (lambda f: f.mkdir(), "scan: expected CT slices, found none"),
    "text only": (
        lambda f: (f.mkdir(), (f / "a.txt").write_text("hello")),
        r"expected CT slices, found none \(left out: 1 file that is not DICOM\)",
    ),
    "a text file called .dcm": (
        lambda f: (_slices(f), (f / "x.dcm").write_text("hello")),
        r"x\.dcm: expected a complete DICOM file of CT slices \(it does not begin as DICOM files do\)$",
    ),
    "an empty file": (
        lambda f: (_slices(f), (f / "x.dcm").touch()),
        r"x\.dcm: expected a complete DICOM file of CT slices \(it is empty\)",
    ),
    "pixels cut off": (
        lambda f: _cut(_slices(f)[2], 0.7),
        r"image17\.dcm: expected a complete DICOM file .*cut off",
    ),
    "header cut off": (
        lambda f: _cut(_slices(f)[2], 0.1),
        r"image17\.dcm: expected a complete DICOM file",
    ),
    "pixels missing": (
        lambda f: _slices(f, {"PixelData": None}),
        r"image03\.dcm: expected a complete DICOM file .*cut off",
    ),
    "no rescale slope": (
        lambda f: _slices(f, {"RescaleSlope": None}),
        r"image03\.dcm: expected a complete .*RescaleSlope",
    ),
    "rescale slope 0": (
        lambda f: _slices(f, {"RescaleSlope": 0}),
        r"image03\.dcm: .*RescaleSlope is 0",
    ),
    "no intercept": (
        lambda f: _slices(f, {}, {"RescaleIntercept": None}),
        r"image10\.dcm: .*RescaleIntercept",
    ),
    "no position": (
        lambda f: _slices(f, {"ImagePositionPatient": None}),
        r"image03\.dcm: .*ImagePositionPatient",
    ),
    "no orientation": (
        lambda f: _slices(f, {"ImageOrientationPatient": None}),
        r"image03\.dcm: .*ImageOrientationPatient",
    ),
    "no pixel spacing": (
        lambda f: _slices(f, {"PixelSpacing": None}),
        r"image03\.dcm: .*PixelSpacing",
    ),
    "pixel spacing 0": (
        lambda f: _slices(f, {"PixelSpacing": [0, 0.9]}),
        r"image03\.dcm: .*PixelSpacing is not above 0",
    ),
    "no series": (
        lambda f: _slices(f, {"SeriesInstanceUID": None}),
        r"image03\.dcm: expected a complete DICOM file .*no SeriesInstanceUID",
    ),
    "two slices at one place": (
        lambda f: _slices(f, {}, {"ImagePositionPatient": [0, 0, 0]}),
        r"image\d\d\.dcm: expected one slice at each place, image\d\d\.dcm lies there, too",
    ),
    "mixed sizes": (
        lambda f: _slices(f, {"hu": np.zeros((10, 12))}),
        r"image03\.dcm: expected slices of one size and direction",
    ),
    "mixed pixel sizes": (
        lambda f: _slices(f, {"PixelSpacing": [0.5, 0.5]}),
        r"image03\.dcm: expected slices of one size and direction",
    ),
    "mixed directions": (
        lambda f: _slices(f, {"ImageOrientationPatient": [0, 1, 0, 1, 0, 0]}),
        r"image03\.dcm: expected slices of one size and direction",
    ),
    "two series": (
        lambda f: _slices(f, {}, {"series": "7.7"}),
        r"scan: expected a series to be named, it has 1\.2\.3\.4 \(5 slices\); 7\.7 \(1 slices\)",
    ),
    "all pixels alike": (
        lambda f: _slices(f, *[{"hu": np.full((8, 8), 40)}] * 6),
        r"image03\.dcm: expected an image, all pixels are 40 HU",
    ),
    "MR only": (
        lambda f: _of_kind(f, uid.MRImageStorage),
        r"expected CT slices, found none \(left out: 6 MR Image\)",
    ),
    "no file": ("scan.nii", lambda f: None, r"scan\.nii: no such folder or file"),
    "a text file": (
        "scan.txt",
        lambda f: f.write_text("hello"),
        r"scan\.txt: expected CT slices, found none .left out: 1 file that is not DICOM",
    ),
    "a folder called x.dcm": (
        lambda f: (f / "x.dcm").mkdir(parents=True),
        "scan: expected CT slices, found none",
    ),
    "links in a loop": (
        _links_in_a_loop,
        r"found none .left out: 2 broken link, 1 link to a folder\)",
    ),
    "dose reports only": (
        lambda f: _of_kind(f, uid.XRayRadiationDoseSRStorage),
        "found none .left out: 6 X-Ray Radiation Dose SR",
    ),
    "localisers only": (
        lambda f: _of_kind(f, uid.CTImageStorage, ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"]),
        "found none .left out: 6 localiser",
    ),
    "colour only": (
        lambda f: _of_kind(f, uid.CTImageStorage, SamplesPerPixel=3),
        "found none .left out: 6 colour picture",
    ),
    "slope not a number": (
        lambda f: _slices(f, {"RescaleSlope": "nan"}),
        r"image03\.dcm: expected a complete DICOM file",
    ),
    "slope without end": (
        lambda f: _slices(f, {"RescaleSlope": "inf"}),
        r"image03\.dcm: expected a complete DICOM file",
    ),
    "position of two numbers": (
        lambda f: _slices(f, {"ImagePositionPatient": [0, 0]}),
        r"image03\.dcm: .*expected 3 numbers",
    ),
    "position not a number": (
        lambda f: _slices(f, {"ImagePositionPatient": [0, 0, "nan"]}),
        r"image03\.dcm: expected a complete DICOM file",
    ),
    "orientation of zeros": (
        lambda f: _slices(f, {"ImageOrientationPatient": [0, 0, 0, 0, 0, 0]}),
        r"image03\.dcm: .*ImageOrientationPatient is no pair of directions",
    ),
    "orientation of parallels": (
        lambda f: _slices(f, {"ImageOrientationPatient": [1, 0, 0, 1, 0, 0]}),
        r"image03\.dcm: .*ImageOrientationPatient is no pair of directions",
    ),
    "no rows": (lambda f: _slices(f, {"Rows": 0}), r"image03\.dcm: .*no pixels"),
    "rows missing": (lambda f: _slices(f, {"Rows": None}), r"image03\.dcm: .*it has no Rows"),
    "a sign that is missing": (
        lambda f: _slices(
            f,
            {
                "PixelRepresentation": None,
                "SmallestImagePixelValue": None,
                "LargestImagePixelValue": None,
            },
        ),
        r"image03\.dcm: .*it has no PixelRepresentation",
    ),
    "more bits than there are": (
        lambda f: _slices(f, {"BitsStored": 20}),
        r"image03\.dcm: .*it stores 20 of 16 bits",
    ),
    "one pixel": (
        lambda f: _slices(f, {"hu": np.zeros((1, 1))}, count=1),
        r"image03\.dcm: expected an image, all pixels are 0 HU",
    ),
    "frames that have no place": (
        lambda f: _frames(f, lambda file: file.PerFrameFunctionalGroupsSequence.pop()),
        r"image03\.dcm: .*it has 3 frames, and tells the place of 2",
    ),
    "frames that have no slope": (
        lambda f: _frames(
            f,
            lambda file: (
                delattr(
                    file.PerFrameFunctionalGroupsSequence[1], "PixelValueTransformationSequence"
                )
                or delattr(file, "RescaleSlope")
            ),
        ),
        r"image03\.dcm: .*it has no RescaleSlope",
    ),
    "frames at one place": (
        lambda f: _frames(
            f,
            lambda file: setattr(
                file.PerFrameFunctionalGroupsSequence[1].PlanePositionSequence[0],
                "ImagePositionPatient",
                [0, 0, 0],
            ),
        ),
        r"image03\.dcm: expected one slice at each place",
    ),
    "a slice of two frames": (
        lambda f: _slices(f, {"NumberOfFrames": 2, "hu": np.zeros((40, 24)), "Rows": 20}),
        r"image03\.dcm: .*it has 2 frames, and tells the place of 1",
    ),
    "JPEG 2000 that is none": (
        lambda f: _syntax(f, uid.JPEG2000Lossless),
        r"image\d\d\.dcm: expected pixels that can be decoded",
    ),
    "JPEG-LS that is none": (
        lambda f: _syntax(f, uid.JPEGLSLossless),
        r"image\d\d\.dcm: expected pixels that can be decoded",
    ),
    "lossless JPEG that is none": (
        lambda f: _syntax(f, uid.JPEGLosslessSV1),
        r"image\d\d\.dcm: expected pixels that can be decoded",
    ),
    "RLE that is none": (
        lambda f: _syntax(f, uid.RLELossless),
        r"image\d\d\.dcm: expected pixels that can be decoded",
    ),
    "lossless JPEG cut off": (
        lambda f: _half(f, "JPEGLosslessProcess14_1"),
        r"image03\.dcm: expected pixels that .* \(damaged, or of a kind that no decoder knows\)",
    ),
    "JPEG-LS cut off": (
        lambda f: _half(f, "JPEGLSLossless"),
        r"image03\.dcm: expected pixels that can be decoded",
    ),
    "JPEG 2000 with a wrong bit": (
        _changed_bit,
        r"image03\.dcm: expected pixels that can be decoded",
    ),
    "JPEG 2000 cut off": (
        lambda f: _half(f, "JPEG2000Lossless"),
        r"image03\.dcm: expected pixels that can be decoded",
    ),
    "RLE cut off": (
        lambda f: _half(f, "RLELossless"),
        r"image03\.dcm: expected pixels that can be decoded",
    ),
    "high-throughput JPEG 2000 that is none": (
        lambda f: _syntax(f, uid.HTJ2KLossless),
        r"image\d\d\.dcm: expected pixels that can be decoded",
    ),
    "a film": (
        lambda f: _syntax(f, uid.MPEG2MPML),
        r"image\d\d\.dcm: expected pixels that can be decoded",
    ),
    # volumes
    "an empty NIfTI file": ("scan.nii", lambda f: f.touch(), r"scan\.nii: expected a readable"),
    "text called .nii": (
        "scan.nii",
        lambda f: f.write_text("hello" * 100),
        r"scan\.nii: expected a readable",
    ),
    "text called .nii.gz": (
        "scan.nii.gz",
        lambda f: f.write_text("hello" * 100),
        r"scan\.nii\.gz: expected a readable",
    ),
    "a NIfTI header cut off": (
        "scan.nii",
        lambda f: _cut(_nifti(f), 0.2),
        r"scan\.nii: expected a",
    ),
    "NIfTI voxels cut off": (
        "scan.nii",
        lambda f: _cut(_nifti(f), 0.9),
        r"scan\.nii: expected a .*voxels are cut off",
    ),
    "packed voxels cut off": (
        "scan.nii.gz",
        lambda f: _cut(_nifti(f), 0.9),
        r"scan\.nii\.gz: expected",
    ),
    "packed voxels spoilt": (
        "scan.nii.gz",
        lambda f: _spoilt(_nifti(f), 400),
        r"scan\.nii\.gz: expected a readable",
    ),
    "NIfTI of two dimensions": (
        "scan.nii",
        lambda f: _nifti(f, VOLUME[..., 0]),
        r"scan\.nii: expected a .*it has 2 dimensions",
    ),
    "NIfTI of four dimensions": (
        "scan.nii.gz",
        lambda f: _nifti(f, np.stack([VOLUME] * 2, -1)),
        r"scan\.nii\.gz: expected a .*it has 4 dimensions",
    ),
    "NIfTI in colour": (
        "scan.nii",
        lambda f: _nifti(f, VOLUME, datatype=128, bitpix=24),
        r"scan\.nii: .*no plain numbers",
    ),
    "NIfTI of complex numbers": (
        "scan.nii",
        lambda f: _nifti(f, VOLUME.astype(np.complex64)),
        r"scan\.nii: .*no plain numbers",
    ),
    "NaN in NIfTI": (
        "scan.nii.gz",
        lambda f: _nifti(f, _with(VOLUME, np.nan)),
        r"scan\.nii\.gz: .*it holds NaN or infinity",
    ),
    "infinity in NIfTI": (
        "scan.nii",
        lambda f: _nifti(f, _with(VOLUME, np.inf)),
        r"scan\.nii: .*it holds NaN or infinity",
    ),
    "a singular affine": (
        "scan.nii",
        lambda f: _nifti(f, affine=np.diag([1, 0, 1, 1])),
        r"scan\.nii: .*its affine has no inverse",
    ),
    "two axes alike": (
        "scan.nii",
        lambda f: _nifti(f, affine=[[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]),
        r"scan\.nii: .*its affine has no inverse",
    ),
    "an affine that is no number": (
        "scan.nii",
        lambda f: _nifti(f, srow_x=[np.nan, 0, 0, 0]),
        r"scan\.nii: .*its affine has no inverse",
    ),
    "a volume larger than the disk": (
        "scan.nii.gz",
        lambda f: _nifti(f, dim=[3, 32767, 32767, 32767, 1, 1, 1, 1]),
        r"scan\.nii\.gz: .*unpacked it has 7036\d+ bytes",
    ),
    "a volume of one value": (
        "scan.nii",
        lambda f: _nifti(f, VOLUME * 0 + 7),
        r"scan\.nii: expected an image, all pixels are 7 HU",
    ),
    "an empty NRRD file": ("scan.nrrd", lambda f: f.touch(), r"scan\.nrrd: expected a readable"),
    "text called .nrrd": (
        "scan.nrrd",
        lambda f: f.write_text("hello"),
        r"scan\.nrrd: expected a readable",
    ),
    "NRRD voxels cut off": (
        "scan.nrrd",
        lambda f: _cut(_itk(f), 0.8),
        r"scan\.nrrd: expected a readable",
    ),
    "NRRD of two dimensions": (
        "scan.nrrd",
        lambda f: _itk(f, VOLUME[0]),
        r"scan\.nrrd: .*it has 2 dimensions",
    ),
    "NRRD in colour": (
        "scan.nrrd",
        lambda f: _itk(f, np.stack([VOLUME] * 3, -1), isVector=True),
        r"scan\.nrrd: .*it has 3 values at each place",
    ),
    "NRRD larger than memory or disk": (
        "scan.nrrd",
        lambda f: _resized(_itk(f), b"sizes: 4 10 12", b"sizes: 32767 32767 32767"),
        r"scan\.nrrd: .*unpacked it has 7036\d+ bytes, ",
    ),
    "MetaImage larger than memory or disk": (
        "scan.mha",
        lambda f: _resized(_itk(f), b"DimSize = 4 10 12", b"DimSize = 32767 32767 32767"),
        r"scan\.mha: .*unpacked it has 7036\d+ bytes, ",
    ),
    "NaN in MetaImage": (
        "scan.mha",
        lambda f: _itk(f, _with(VOLUME, np.nan)),
        r"scan\.mha: .*it holds NaN or infinity",
    ),
    "MetaImage voxels cut off": (
        "scan.mha",
        lambda f: _cut(_itk(f), 0.8),
        r"scan\.mha: expected a readable",
    ),
    "MetaImage without its voxels": (
        "scan.mhd",
        lambda f: _itk(f).with_suffix(".raw").unlink(),
        r"scan\.mhd: expected a readable",
    ),
    # archives
    "an empty ZIP file": (
        "scan.zip",
        lambda f: f.touch(),
        r"scan\.zip: expected a whole ZIP archive",
    ),
    "text called .zip": (
        "scan.zip",
        lambda f: f.write_text("hello"),
        r"scan\.zip: expected a whole ZIP archive",
    ),
    "a ZIP archive cut off": (
        "scan.zip",
        lambda f: _cut(_zip_of_slices(f), 0.9),
        r"scan\.zip: expected a whole ZIP archive",
    ),
    "a ZIP archive spoilt": (
        "scan.zip",
        lambda f: _spoilt(_zip_of_slices(f), 1500),
        r"scan\.zip: expected a whole ZIP archive .Bad CRC",
    ),
    "a ZIP archive of nothing": (
        "scan.zip",
        lambda f: _zip(f, []),
        r"scan\.zip: expected CT slices, found none",
    ),
    "a ZIP archive of text": (
        "scan.zip",
        lambda f: _zip(f, [("a.txt", "hello")]),
        r"scan\.zip: expected CT slices, found none .left out: 1",
    ),
    "an absolute name": (
        "scan.zip",
        lambda f: _zip_of_slices(f, ("/etc/evil.dcm", "x")),
        r"scan\.zip: .*the name '/etc/evil.dcm' leads out of it",
    ),
    "a name that goes up": (
        "scan.zip",
        lambda f: _zip_of_slices(f, ("a/../../evil.dcm", "x")),
        r"scan\.zip: .*the name 'a/../../evil.dcm' leads out of it",
    ),
    "a name that goes up on Windows": (
        "scan.zip",
        lambda f: _zip_of_slices(f, ("a\\..\\..\\evil.dcm", "x")),
        r"scan\.zip: .*leads out of it",
    ),
    "a name with a drive": (
        "scan.zip",
        lambda f: _zip_of_slices(f, ("C:\\evil.dcm", "x")),
        r"scan\.zip: .*leads out of it",
    ),
    "a ZIP bomb": (
        "scan.zip",
        lambda f: _zip(f, [("x.dcm", bytes(10**7))]),
        r"scan\.zip: .*unpacked it has 10000000 bytes, more than 200 times its size",
    ),
    "a ZIP archive that says it is huge": (
        "scan.zip",
        lambda f: _patched(_zip_of_slices(f), _huge),
        r"scan\.zip: .*more than 200 times its size",
    ),
    "a password": (
        "scan.zip",
        lambda f: _patched(_zip_of_slices(f), _password),
        r"scan\.zip: .*needs a password",
    ),
    "a name twice": (
        "scan.zip",
        lambda f: _zip_of_slices(f, ("image03.dcm", "x")),
        r"scan\.zip: expected each name once",
    ),
    "a file that is a folder, too": (
        "scan.zip",
        lambda f: _zip_of_slices(f, ("image03.dcm/x", "x")),
        r"scan\.zip: expected each name once",
    ),
    # pictures
    "an empty picture": ("scan.png", lambda f: f.touch(), r"scan\.png: expected a PNG, TIFF or"),
    "text called .png": (
        "scan.png",
        lambda f: f.write_text("hello"),
        r"scan\.png: expected a PNG, TIFF or",
    ),
    "a PNG cut off": ("scan.png", lambda f: _cut(_picture(f), 0.6), r"scan\.png: expected a PNG"),
    "a JPEG cut off": ("scan.jpg", lambda f: _cut(_picture(f), 0.9), r"scan\.jpg: expected a PNG"),
    "a TIFF cut off": ("scan.tif", lambda f: _cut(_picture(f), 0.5), r"scan\.tif: expected a PNG"),
    "a picture in colour": (
        "scan.png",
        lambda f: _picture(f, np.stack([_grey(), _grey(), _grey()], -1)),
        r"scan\.png: expected a grey picture, got a coloured one",
    ),
    "a picture of two pages": (
        "scan.tiff",
        _pages,
        r"scan\.tiff: expected one picture, got 2 pages",
    ),
    "a picture of real numbers": (
        "scan.tif",
        lambda f: _picture(f, _grey().astype(np.float32)),
        r"scan\.tif: expected a PNG, TIFF or JPEG picture of 8 or 16 bits",
    ),
    "a black picture": (
        "scan.png",
        lambda f: _picture(f, _grey() * 0),
        r"scan\.png: expected an image, all pixels are 0",
    ),
    "a picture of another kind": (
        "scan.bmp",
        _picture,
        r"scan\.bmp: expected CT slices, found none .*, nor a PNG, TIFF or JPEG picture",
    ),
    "one broken picture among many": (
        lambda f: (_picture(f / "a.png"), _cut(_picture(f / "b.png"), 0.6)),
        r"b\.png: expected a PNG, TIFF or JPEG picture",
    ),
    "two pictures of one name": (
        lambda f: (_picture(f / "a.jpg"), _picture(f / "a.png")),
        r"a\.png: expected another name, a\.jpg is written as PNG",
    ),
}


def test_there_are_many():
    assert len(HOSTILE) + len(REFUSED) >= 60


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_scans(name, tmp_path, capfd):
    place, make, message = ("scan", *HOSTILE[name]) if len(HOSTILE[name]) == 2 else HOSTILE[name]
    scan = tmp_path / place
    make(scan)
    before = contents(tmp_path)
    out = "out" + OUT.get(scan.suffix, "".join(scan.suffixes))
    code = main(["denoise", str(scan), str(tmp_path / out), "--model", MODEL])
    captured = capfd.readouterr()  # of the decoders written in C, too
    assert code == 1 and contents(tmp_path) == before and not (tmp_path / out).exists()
    (line,) = captured.err.splitlines()
    assert line.startswith("python -m helpers denoise: ")
    assert re.search(message, line), line
    for secret in ("Somebody", "4711", "Traceback"):
        assert secret not in captured.out + captured.err
    assert " object " not in line  # words of Python about a decoder


OUT = {".zip": "", ".bmp": ".png", ".txt": "", ".jpg": ".png", ".mhd": ".mha"}

REFUSED = {  # of good scans: the source, the destination, options, and what is wrong
    "a file as folder": ("scan", "file.txt", [], r"file\.txt: expected a folder for DICOM files"),
    "DICOM as a DICOM file": (
        "scan",
        "out.IMA",
        [],
        r"out\.IMA: expected a folder for DICOM files",
    ),
    "DICOM as NRRD": (
        "scan",
        "out.nrrd",
        [],
        r"out\.nrrd: expected a folder for DICOM files, or a",
    ),
    "DICOM as ZIP": (
        "scan",
        "out.zip",
        [],
        r"out\.zip: expected a folder for DICOM files, or a name",
    ),
    "a folder inside": ("scan", "scan/out", [], "expected a folder outside of the source"),
    "a file inside": ("scan", "scan/out.nii", [], "expected a folder outside of the source"),
    "the folder around": ("scan", ".", [], "expected a folder outside of the source"),
    "a gap as NIfTI": (
        "gap",
        "out.nii",
        [],
        r"image\d\d\.dcm: expected the next slice after 2\.5 mm",
    ),
    "a folder for NIfTI": (
        "a.nii",
        "out",
        [],
        r"out: expected a name that ends in \.nii or \.nii\.gz",
    ),
    "NIfTI as NRRD": ("a.nii", "out.nrrd", [], r"out\.nrrd: expected a name that ends in \.nii or"),
    "NRRD as NIfTI": ("a.nrrd", "out.nii", [], r"out\.nii: expected a name that ends in \.nrrd or"),
    "MetaImage in two files": ("a.nrrd", "out.mhd", [], r"out\.mhd: expected a name that ends in"),
    "a picture as JPEG": (
        "a.png",
        "out.jpg",
        [],
        r"out\.jpg: expected a name that ends in \.png, \.tif",
    ),
    "a folder for a picture": (
        "a.png",
        "out",
        [],
        r"out: expected a name that ends in \.png, \.tif",
    ),
    "a file for pictures": (
        "pictures",
        "out.png",
        [],
        r"out\.png: expected a folder for the pictures",
    ),
    "a series of a volume": (
        "a.nii",
        "out.nii",
        ["--series", "1"],
        "series: expected none, .*a.nii",
    ),
    "a series of pictures": (
        "pictures",
        "out",
        ["--series", "1"],
        "series: expected none, .*pictures",
    ),
    "another series": ("scan", "out", ["--series", "9"], "expected one of its series, got '9'"),
    "files that are there": ("scan", "full", [], "full: expected a new or an empty folder"),
    "a file that is there": (
        "a.nii",
        "full/b.nii",
        [],
        r"b\.nii: expected a new file; it is there",
    ),
    "nothing to go on with": ("scan", "full", ["--resume"], "full: expected an interrupted run"),
    "no weights file": ("scan", "out", ["--model", "none.keras"], "none.keras: no such file"),
    "weights that are text": ("scan", "out", ["--model", "text.keras"], r"text\.keras: expected"),
    "weights that are a ZIP": ("scan", "out", ["--model", "zip.keras"], r"zip\.keras: expected"),
    "neighbours across a gap": (
        "gap",
        "out",
        ["--model", "ct_unet_25d"],
        "slices at uneven distances",
    ),
    "neighbours of pictures": ("pictures", "out", ["--model", "ct_unet_25d"], "holds pictures"),
    "noise upon the scan": (
        "b.noise.nii",
        "b.nii",
        ["--save-noise"],
        "expected a folder outside of",
    ),
    "noise upon a file": ("a.png", "c.png", ["--save-noise"], r"c\.png: expected a new file"),
    "noise upon noise": (
        "noisy",
        "out",
        ["--save-noise"],
        "expected another folder, noise is where",
    ),
    "a full disk": ("scan", "device", ["--overwrite"], r"No space left on device: .*image03\.dcm"),
    "a full disk for voxels": ("a.nii", "disk.nii", ["--overwrite"], r"No space left .*disk\.nii"),
}


@pytest.fixture
def good(tmp_path, monkeypatch):
    """Scans without a fault, and destinations of many kinds; the working folder is theirs."""
    monkeypatch.chdir(tmp_path)
    _slices(tmp_path / "scan")
    write(tmp_path / "gap", [image_file(k) for k in (0, 1, 2, 3, 4, 6)])
    write(tmp_path / "noisy" / "noise", [image_file(k) for k in range(3)])
    _nifti(tmp_path / "a.nii")
    _nifti(tmp_path / "b.noise.nii")
    _itk(tmp_path / "a.nrrd")
    _picture(tmp_path / "a.png")
    _picture(tmp_path / "c.noise.png")
    _picture(tmp_path / "pictures" / "a.png")
    (tmp_path / "file.txt").write_text("mine")
    (tmp_path / "text.keras").write_text("no weights")
    _zip(tmp_path / "zip.keras", [("a.txt", "no weights")])
    (tmp_path / "full").mkdir()
    shutil.copy(tmp_path / "a.nii", tmp_path / "full" / "b.nii")
    (tmp_path / "device").mkdir()  # where one file has no room
    (tmp_path / "device" / "image03.dcm.unfinished").symlink_to("/dev/full")
    (tmp_path / "disk.nii.slices").symlink_to("/dev/full")
    return tmp_path


@pytest.mark.parametrize("name", REFUSED)
def test_refused_arguments(name, good, capfd):
    source, destination, options, message = REFUSED[name]
    before = {key: one for key, one in contents(good).items() if not key.startswith("d")}
    model = ["--model", MODEL] if "--model" not in options else []
    assert main(["denoise", source, destination, *model, *options]) == 1
    after = {key: one for key, one in contents(good).items() if not key.startswith("d")}
    assert after == before
    (line,) = capfd.readouterr().err.splitlines()
    assert re.search(message, line), line
