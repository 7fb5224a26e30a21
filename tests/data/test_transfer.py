"""helpers.data.transfer: the images that nothing is trained on."""

import cv2
import numpy as np
import pytest

from helpers import data, hounsfield


@pytest.fixture(scope="module")
def transfer():
    return data.load_transfer()


def test_groups_are_batches_in_0_and_1(transfer):
    assert len(transfer) == 10
    for images in transfer.values():
        assert images.ndim == 4 and images.shape[-1] == 1 and images.dtype == np.float32
        assert images.min() >= 0 and images.max() <= 1
        assert min(images.shape[1:3]) >= 95


def test_windows_show_the_validation_patients(transfer, ct_hu):
    first = ct_hu["validation"][0][5]
    top, left = ((edge - 136) // 2 for edge in first.shape)
    middle = first[top : top + 136, left : left + 136]
    soft = transfer["soft-tissue window"][0, ..., 0]
    np.testing.assert_allclose(soft, hounsfield.window(middle, -160, 240), atol=1e-6)
    jpeg = transfer["8-bit JPEG"][0, ..., 0]
    error = np.abs(jpeg - hounsfield.window(middle))
    assert 0 < error.mean() < 0.02


def test_drawings_are_perfectly_clean(transfer):
    flat = transfer["discs and slopes"][0]
    assert np.ptp(flat) == 0
    assert len(np.unique(transfer["discs and slopes"][1].round(6))) < 900  # flat but for edges


def test_the_radiotherapy_patient_is_not_the_training_patient(transfer, ct_hu):
    images = transfer["chest, radiotherapy scanner"]
    assert len(images) == 3 and min(images.shape[1:3]) > 300
    assert 0.2 < images.mean() < 0.5
    small = cv2.resize(images[1, ..., 0], (64, 64), interpolation=cv2.INTER_AREA).ravel()
    for volume in ct_hu["train"]:
        for other in hounsfield.window(volume[::6]):
            other = cv2.resize(other, (64, 64), interpolation=cv2.INTER_AREA).ravel()
            assert np.corrcoef(small, other)[0, 1] < 0.9
