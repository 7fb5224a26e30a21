"""Your own images: folders of DICOM files, NIfTI volumes, folders of pictures."""

from pathlib import Path

import cv2
import nibabel
import numpy as np
import pydicom

from ..quiet import quiet
from .frames import frames_of, has_dicom_mark, other_kind
from .series import series_of


def load_dicom(folder):
    """Load the CT slices in a folder of DICOM files.

    Parameters
    ----------
    folder : str or Path
        A folder that holds one CT series. Other files and DICOM objects that are not CT images
        (structure sets, dose, reports) are skipped. Subfolders are not read.

    Returns
    -------
    ndarray of shape (n, height, width), float32
        Hounsfield units (RescaleSlope and RescaleIntercept applied), sorted along the patient's axis
        by ImagePositionPatient.

    Raises
    ------
    FileNotFoundError
        If the folder does not exist or holds no CT slices.
    ValueError
        If a file is truncated or has no Hounsfield units, or the slices do not form one series of one size with one
        slice at each place and none missing.

    References
    ----------
    DICOM PS3.3, C.7.6.2 (image plane) and C.11.1 (modality LUT).

    Examples
    --------
    >>> load_dicom("scans/patient_7").shape  # doctest: +SKIP
    (120, 512, 512)
    """
    folder = _folder(folder)
    files = sorted(path for path in folder.iterdir() if path.is_file())
    dicoms = [path for path in files if path.suffix.lower() == ".dcm" or has_dicom_mark(path)]
    return dicom_volume(((str(path), path) for path in dicoms), where=str(folder))


def load_nifti(path):
    """Load a CT volume from a NIfTI file.

    Parameters
    ----------
    path : str or Path
        A three-dimensional .nii or .nii.gz file in Hounsfield units.

    Returns
    -------
    ndarray of shape (n, height, width), float32
        Axial slices from feet to head, the patient's front at the top and right side at the left.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it cannot be read as a three-dimensional volume.

    References
    ----------
    Cox et al., NIfTI-1 data format; nibabel's "closest canonical" orientation.

    Examples
    --------
    >>> load_nifti("scans/patient_7.nii.gz").shape  # doctest: +SKIP
    (120, 512, 512)
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file; expected a .nii or .nii.gz volume")
    try:
        return nifti_volume(nibabel.load(path))
    except Exception as error:  # a damaged file fails in nibabel, gzip, zlib or numpy
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise ValueError(
            f"{path}: expected a readable three-dimensional NIfTI volume ({reason})"
        ) from error


def dicom_volume(files, where="the archive"):
    """Stack the CT slices among (name, path or open file) pairs, sorted along their normal."""
    slices, known, pixels = [], set(), {}
    for name, file in files:
        try:
            dataset = pydicom.dcmread(file)
            if other_kind(dataset):
                continue
            slices += frames_of(Path(name), dataset)
            known.add(str(dataset.SeriesInstanceUID))
            images = dataset.pixel_array.reshape(-1, dataset.Rows, dataset.Columns)
            pixels[Path(name)] = images.astype(np.float32)
        except Exception as error:  # pydicom raises many kinds for damaged files
            reason = (str(error) or type(error).__name__).splitlines()[0]
            raise ValueError(f"{name}: expected a complete DICOM file ({reason})") from error
    if not slices:
        raise FileNotFoundError(f"{where}: expected DICOM files with CT images, found none")
    if len(known) > 1:
        raise ValueError(
            f"{where}: expected the slices of one CT series, found {len(known)} series"
        )
    series = series_of(*known, slices)
    if series.fault or series.gap:
        raise ValueError(series.fault or series.gap)
    hu = [pixels[one.path][one.number] * one.slope + one.intercept for one in series.frames]
    return np.stack(hu).astype(np.float32)


def nifti_volume(image):
    """Return axial slices (n, height, width) of a NIfTI image in a radiologist's view."""
    image = nibabel.as_closest_canonical(image)  # axes: to the patient's right, front, head
    if len(image.shape) != 3:
        raise ValueError(f"it has {len(image.shape)} dimensions")
    voxels = np.asarray(image.dataobj, dtype=np.float32)
    return np.ascontiguousarray(voxels[::-1, ::-1].transpose(2, 1, 0))


def load_images(folder, size=None):
    """Load all PNG and JPEG images of a folder as grey images.

    Parameters
    ----------
    folder : str or Path
        Grey or colour images of 8 or 16 bits, read in the order of their names.
    size : int or (int, int), optional
        Height and width to which each image is resized. Without it, all must have the same size.

    Returns
    -------
    ndarray of shape (n, height, width, 1), float32 in [0, 1]
        8-bit values divided by 255, 16-bit values by 65,535.

    Raises
    ------
    FileNotFoundError
        If the folder does not exist or holds no such images.
    ValueError
        If a file is not a readable image, or sizes differ and no `size` is given.

    References
    ----------
    Reading, colour conversion and area interpolation by OpenCV (imdecode, resize).

    Examples
    --------
    >>> load_images("covid_ct/images", size=256).shape  # doctest: +SKIP
    (349, 256, 256, 1)
    """
    if size is not None:
        size = (size, size) if np.isscalar(size) else tuple(size)
        if len(size) != 2 or not all(isinstance(n, (int, np.integer)) and n > 0 for n in size):
            raise ValueError(f"size: expected a positive whole number or a pair, got {size}")
    folder = _folder(folder)
    paths = sorted(p for p in folder.iterdir() if p.suffix.lower() in (".png", ".jpg", ".jpeg"))
    if not paths:
        raise FileNotFoundError(f"{folder}: expected PNG or JPEG images, found none")
    images = [_read_image(path) for path in paths]
    if size is not None:
        images = [  # rounding errors of the weights may carry white beyond 1
            cv2.resize(image, size[::-1], interpolation=cv2.INTER_AREA).clip(0, 1)
            for image in images
        ]
    for path, image in zip(paths, images):
        if image.shape != images[0].shape:
            raise ValueError(
                f"{path}: expected the size of {paths[0].name}, {images[0].shape}, got {image.shape}; "
                "pass size=(height, width) to resize all"
            )
    return np.stack(images)[..., None]


def _read_image(path):
    """Read one image as grey float32 in [0, 1]."""
    image = decoded_picture(path.read_bytes(), cv2.IMREAD_GRAYSCALE | cv2.IMREAD_ANYDEPTH)
    if image is None:
        raise ValueError(
            f"{path}: expected a PNG or JPEG image of 8 or 16 bits, could not decode it"
        )
    return image.astype(np.float32) / np.iinfo(image.dtype).max


def decoded_picture(data, flags):
    """Decode the bytes of a picture of 8 or 16 bits by OpenCV's imdecode; None if they are damaged or of another kind.

    >>> decoded_picture(b"no picture", cv2.IMREAD_UNCHANGED) is None
    True
    """
    # A JPEG's last scan starts with ff da, its file ends with ff d9: some versions of OpenCV fill up
    # a truncated one with grey and say nothing.
    whole = not data.startswith(b"\xff\xd8") or data.rfind(b"\xff\xd9") > data.rfind(b"\xff\xda")
    if not data or not whole:
        return None
    with quiet():
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    return picture if picture is not None and picture.dtype in (np.uint8, np.uint16) else None


def _folder(folder):
    """Return a Path to an existing folder."""
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: no such folder")
    return folder
