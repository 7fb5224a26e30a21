"""helpers.data.files: folders of DICOM files, NIfTI volumes and pictures, whole and damaged."""

import io
import shutil
import zipfile

import cv2
import nibabel
import numpy as np
import pydicom
import pytest
from pydicom.fileset import FileSet

from helpers import data
from helpers.data.files import axial, dicom_volume
from helpers.data.series import find_series

# ------------------------------------------------------------------- folders of DICOM


@pytest.fixture(scope="session")
def raw_dicom(sample_wheels):
    """Bytes of five neighbouring slices of patient 2 from feet to head, and of an RTSTRUCT."""
    slices, structures = [], None
    with zipfile.ZipFile(sample_wheels["pycerr"]) as archive:
        for name in sorted(archive.namelist()):
            if "/pat_2/" in name:
                content = archive.read(name)
                dataset = pydicom.dcmread(io.BytesIO(content), stop_before_pixels=True)
                if dataset.Modality == "CT":
                    slices.append((dataset.ImagePositionPatient[2], content))
                else:
                    structures = content
    return [content for _, content in sorted(slices)[:5]], structures


@pytest.fixture
def dicom_folder(raw_dicom, tmp_path):
    """Five slices in mixed-up order, one without a suffix, among files that are no slices."""
    slices, structures = raw_dicom
    for name, content in zip(["c.dcm", "a.DCM", "e.dcm", "b", "d.dcm"], slices):
        (tmp_path / name).write_bytes(content)
    (tmp_path / "structures.dcm").write_bytes(structures)
    (tmp_path / "notes.txt").write_text("not an image")
    (tmp_path / "subfolder").mkdir()
    (tmp_path / "subfolder" / "f.dcm").write_bytes(slices[0])
    return tmp_path


def test_dicom_folder_is_sorted_by_position(dicom_folder, ct_hu):
    for folder in (dicom_folder, str(dicom_folder)):
        np.testing.assert_array_equal(data.load_dicom(folder), ct_hu["validation"][1][:5])


def test_dicom_slope_intercept_and_direction(dicom_folder, ct_hu):
    """Another slope, and a patient scanned from the head: both are read from the files."""
    for path in dicom_folder.glob("*.[dD][cC][mM]"):
        dataset = pydicom.dcmread(path)
        if dataset.Modality == "CT":
            dataset.RescaleSlope = 2
            dataset.RescaleIntercept = -7
            dataset.ImagePositionPatient = [0, 0, -dataset.ImagePositionPatient[2]]
            dataset.save_as(path)
    (dicom_folder / "b").unlink()
    (dicom_folder / "d.dcm").unlink()
    raw = ct_hu["validation"][1][[2, 1, 0]] + 1000
    np.testing.assert_array_equal(data.load_dicom(dicom_folder), raw * 2 - 7)


def test_dicomdir_is_skipped(dicom_folder, ct_hu):
    dataset = pydicom.dcmread(dicom_folder / "c.dcm")
    dataset.StudyDate, dataset.StudyTime, dataset.StudyID = "20000101", "000000", "1"
    dataset.SeriesNumber = dataset.InstanceNumber = 1
    directory = FileSet()
    directory.add(dataset)
    directory.write(dicom_folder / "set")
    shutil.copy(dicom_folder / "set" / "DICOMDIR", dicom_folder)
    np.testing.assert_array_equal(data.load_dicom(dicom_folder), ct_hu["validation"][1][:5])


@pytest.mark.filterwarnings("ignore:Invalid value for VR UI")
def test_truncated_dicom_is_named_wherever_it_ends(dicom_folder):
    whole = (dicom_folder / "c.dcm").read_bytes()
    header = len(whole) - 2 * 138 * 141
    for length in [*range(0, header, 13), *range(header, len(whole), 5000), len(whole) - 1]:
        (dicom_folder / "c.dcm").write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"c\.dcm: expected a complete DICOM file") as error:
            data.load_dicom(dicom_folder)
        assert "\n" not in str(error.value)


@pytest.mark.filterwarnings("ignore:Invalid value for VR UI")
def test_every_cut_in_the_dicom_header_is_noticed(raw_dicom):
    """Byte by byte through the names of the kind of object, where a cut could look like another."""
    whole = raw_dicom[0][0]
    start = whole.rindex(pydicom.uid.CTImageStorage.encode()) + len(pydicom.uid.CTImageStorage)
    for length in range(132, start + 40):
        with pytest.raises(ValueError, match="^scan: expected a complete DICOM file"):
            dicom_volume([("scan", io.BytesIO(whole[:length]))])


@pytest.mark.parametrize("ending", ["dcm", "dicom", "IMA"])
def test_text_file_named_as_dicom(ending, dicom_folder):
    (dicom_folder / f"notes.{ending}").write_text("not an image")
    message = rf"notes\.{ending}: expected a complete DICOM file \(it does not begin as DICOM files"
    with pytest.raises(ValueError, match=message):
        data.load_dicom(dicom_folder)
    (broken,) = find_series(dicom_folder).broken
    assert f"notes.{ending}: expected a complete DICOM file" in broken.fault


@pytest.mark.parametrize("with_others", [False, True])
def test_folder_without_ct_slices(with_others, raw_dicom, tmp_path):
    if with_others:
        (tmp_path / "structures.dcm").write_bytes(raw_dicom[1])
        (tmp_path / "notes.txt").write_text("not an image")
    with pytest.raises(FileNotFoundError, match=f"^{tmp_path}: expected DICOM .*, found none"):
        data.load_dicom(tmp_path)


@pytest.mark.parametrize("load", [data.load_dicom, data.load_images])
def test_missing_folder(load, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    for name in ("nowhere", "file"):
        with pytest.raises(FileNotFoundError, match=f"{name}: no such folder"):
            load(tmp_path / name)


def test_two_series_are_not_mixed(dicom_folder):
    dataset = pydicom.dcmread(dicom_folder / "c.dcm")
    dataset.SeriesInstanceUID = pydicom.uid.generate_uid()
    dataset.save_as(dicom_folder / "c.dcm")
    with pytest.raises(ValueError, match=f"^{dicom_folder}: expected the slices of one CT series"):
        data.load_dicom(dicom_folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"ImagePositionPatient": None},
            r"b: expected one slice at each place, \w+.dcm lies there",
        ),
        ({"RescaleSlope": 0}, r"b: expected a complete DICOM file .its RescaleSlope is 0"),
        ({"PixelSpacing": [2, 2]}, r"b: expected slices of one size and direction"),
    ],
)
def test_slices_that_do_not_belong_together(change, message, dicom_folder):
    dataset = pydicom.dcmread(dicom_folder / "b")
    other = pydicom.dcmread(dicom_folder / "e.dcm")
    for name, value in change.items():
        setattr(dataset, name, other[name].value if value is None else value)
    dataset.save_as(dicom_folder / "b")
    if "RescaleSlope" not in change:
        message = message.replace("b:", r"(b|e\.dcm):", 1).replace(r"\w+.dcm", r"\S+")
    with pytest.raises(ValueError, match=message):
        data.load_dicom(dicom_folder)


def test_a_missing_slice_is_noticed(dicom_folder):
    (dicom_folder / "e.dcm").unlink()
    with pytest.raises(ValueError, match=r"b: expected the next slice after 3 mm, it lies 6 mm on"):
        data.load_dicom(dicom_folder)


# ------------------------------------------------------------------------------ NIfTI


@pytest.fixture
def volume(rng):
    """A made-up volume as the loaders return it: slice, row, column."""
    return rng.integers(-1000, 1000, (4, 5, 6)).astype(np.float32)


def save_nifti(path, volume):
    """Store a volume: NIfTI's axes go to the patient's right, front and head."""
    array = volume[:, ::-1, ::-1].transpose(2, 1, 0).astype(np.int16)
    nibabel.save(nibabel.Nifti1Image(array, np.diag([0.7, 0.7, 2.5, 1])), path)


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_nifti_round_trip(suffix, volume, tmp_path):
    path = tmp_path / f"scan{suffix}"
    save_nifti(path, volume)
    for name in (path, str(path)):
        loaded = data.load_nifti(name)
        assert loaded.dtype == np.float32
        np.testing.assert_array_equal(loaded, volume)


@pytest.mark.parametrize("axes", ["LPS", "LAI", "PSR", "ILP"])
def test_nifti_stored_in_another_orientation(axes, volume, tmp_path):
    path = tmp_path / "scan.nii"
    save_nifti(path, volume)
    image = nibabel.load(path)
    wanted = nibabel.orientations.axcodes2ornt(axes)
    turn = nibabel.orientations.ornt_transform(nibabel.io_orientation(image.affine), wanted)
    turned = tmp_path / "turned.nii"
    nibabel.save(image.as_reoriented(turn), turned)
    assert nibabel.aff2axcodes(nibabel.load(turned).affine) == tuple(axes)
    np.testing.assert_array_equal(data.load_nifti(turned), volume)


def test_the_same_scan_as_dicom_and_as_nifti(dicom_folder, tmp_path):
    """DICOM coordinates go to the left and back, NIfTI's to the right and front."""
    datasets = [pydicom.dcmread(dicom_folder / name) for name in ("c.dcm", "a.DCM", "e.dcm")]
    stored = [d.pixel_array * d.RescaleSlope + d.RescaleIntercept for d in datasets]
    array = np.stack(stored).transpose(2, 1, 0).astype(np.int16)
    affine = np.diag([-0.977, -0.977, 3, 1])
    affine[:3, 3] = np.array([-1, -1, 1]) * datasets[0].ImagePositionPatient
    nibabel.save(nibabel.Nifti1Image(array, affine), tmp_path / "scan.nii.gz")
    by_nifti, by_dicom = data.load_nifti(tmp_path / "scan.nii.gz"), data.load_dicom(dicom_folder)
    np.testing.assert_array_equal(by_nifti, by_dicom[:3])


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_damaged_nifti_is_named(suffix, volume, tmp_path):
    path = tmp_path / f"scan{suffix}"
    save_nifti(path, volume)
    whole = path.read_bytes()
    damaged = [whole[:length] for length in range(0, len(whole) - 16, 9)]
    if suffix == ".nii.gz":  # bytes that are no longer a compressed stream
        damaged += [whole[:at] + bytes([whole[at] ^ 255]) + whole[at + 1 :] for at in (12, 30, 60)]
    for content in [*damaged, b"not a volume"]:
        path.write_bytes(content)
        with pytest.raises(ValueError, match=f"^{path}: expected a readable .* NIfTI") as error:
            data.load_nifti(path)
        assert "\n" not in str(error.value)


def test_nifti_with_a_fourth_dimension_of_length_1(volume, tmp_path):
    path = tmp_path / "scan.nii"
    save_nifti(path, volume)
    image = nibabel.load(path)
    longer = np.asarray(image.dataobj)[..., None]
    nibabel.save(nibabel.Nifti1Image(longer, image.affine), tmp_path / "longer.nii")
    np.testing.assert_array_equal(data.load_nifti(tmp_path / "longer.nii"), volume)


def test_an_affine_without_inverse():
    with pytest.raises(ValueError, match="^its affine has no inverse"):
        axial(np.zeros((4, 5, 6)), np.diag([1.0, 1, 0, 1]))


@pytest.mark.parametrize("shape", [(4, 5, 6, 2), (4, 5)])
def test_nifti_of_other_dimensions(shape, tmp_path):
    path = tmp_path / "scan.nii.gz"
    nibabel.save(nibabel.Nifti1Image(np.zeros(shape, np.int16), np.eye(4)), path)
    with pytest.raises(ValueError, match=f"^{path}: expected a readable three-dimensional NIfTI"):
        data.load_nifti(path)


def test_missing_nifti(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"scan\.nii: no such file"):
        data.load_nifti(tmp_path / "scan.nii")


# ------------------------------------------------------------------- your own pictures


def test_grey_images_of_8_and_16_bits_in_the_order_of_their_names(tmp_path, rng):
    eight = rng.integers(0, 256, (9, 7), np.uint8)
    sixteen = rng.integers(0, 65536, (9, 7), np.uint16)
    sixteen[0, 0] = 65535
    cv2.imwrite(str(tmp_path / "b.PNG"), eight)
    cv2.imwrite(str(tmp_path / "a.png"), sixteen)
    (tmp_path / "notes.txt").write_text("not an image")
    for folder in (tmp_path, str(tmp_path)):
        images = data.load_images(folder)
        assert images.shape == (2, 9, 7, 1)
        assert images.dtype == np.float32
        np.testing.assert_allclose(images[0, ..., 0], sixteen / 65535, rtol=1e-6)
        np.testing.assert_allclose(images[1, ..., 0], eight / 255, rtol=1e-6)


@pytest.mark.parametrize(("dtype", "largest"), [(np.uint8, 255), (np.uint16, 65535)])
def test_colour_becomes_luminance(dtype, largest, tmp_path, rng):
    colour = rng.integers(0, largest + 1, (9, 7, 3), dtype)  # OpenCV's order: blue, green, red
    cv2.imwrite(str(tmp_path / "a.png"), colour)
    luminance = colour @ np.array([0.114, 0.587, 0.299]) / largest  # ITU-R BT.601
    np.testing.assert_allclose(data.load_images(tmp_path)[0, ..., 0], luminance, atol=1.01 / 255)


@pytest.mark.parametrize("suffix", [".jpg", ".jpeg", ".JPG"])
def test_jpeg(suffix, tmp_path, pictures):
    smooth = np.round(pictures[0, ..., 0] * 255).astype(np.uint8)
    encoded = cv2.imencode(".jpg", smooth, [cv2.IMWRITE_JPEG_QUALITY, 98])[1]
    (tmp_path / f"a{suffix}").write_bytes(encoded.tobytes())
    np.testing.assert_allclose(data.load_images(tmp_path)[0, ..., 0] * 255, smooth, atol=6)


def test_mixed_sizes_need_a_size(tmp_path):
    y, x = np.mgrid[0:40, 0:60]
    ramp = (4 * x + y).astype(np.uint8)
    cv2.imwrite(str(tmp_path / "a.png"), ramp)
    cv2.imwrite(str(tmp_path / "b.png"), ramp[:20, :30])
    with pytest.raises(ValueError, match=r"b\.png: expected the size of a\.png, \(40, 60\), got"):
        data.load_images(tmp_path)
    images = data.load_images(tmp_path, size=(20, 30))
    assert images.shape == (2, 20, 30, 1)
    mean_of_2x2 = ramp.reshape(20, 2, 30, 2).mean(axis=(1, 3)) / 255
    np.testing.assert_allclose(images[0, ..., 0], mean_of_2x2, atol=1e-6)
    np.testing.assert_allclose(images[1, ..., 0], ramp[:20, :30] / 255, rtol=1e-6)
    assert data.load_images(tmp_path, size=16).shape == (2, 16, 16, 1)


def test_resized_white_is_not_brighter_than_white(tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), np.full((54, 57), 255, np.uint8))
    for size in range(10, 40):
        assert data.load_images(tmp_path, size=(size, size + 1)).max() <= 1


@pytest.mark.parametrize("size", [0, -1, 2.5, "16", (16, 0), (16,), (16, 16, 1)])
def test_bad_size(size, tmp_path):
    with pytest.raises(ValueError, match="^size: expected a positive whole number or a pair"):
        data.load_images(tmp_path, size=size)


def test_empty_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match=f"^{tmp_path}: expected PNG or JPEG images"):
        data.load_images(tmp_path)


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_unreadable_images_are_named(suffix, tmp_path, rng):
    noisy = rng.integers(0, 256, (40, 40), np.uint8)
    whole = cv2.imencode(suffix, noisy)[1].tobytes()
    truncated = [whole[: len(whole) * share // 10] for share in range(1, 10)] + [whole[:-3]]
    path = tmp_path / f"b{suffix}"
    (tmp_path / f"a{suffix}").write_bytes(whole)
    for content in [b"", b"not an image", *truncated]:
        path.write_bytes(content)
        with pytest.raises(ValueError, match=f"^{path}: expected a PNG or JPEG image"):
            data.load_images(tmp_path)
