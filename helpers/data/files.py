"""Your own images: folders of DICOM files, NIfTI volumes, folders of pictures."""

from pathlib import Path

import cv2
import nibabel
import numpy as np
import pydicom

from ..checks import reason_of
from ..quiet import quiet
from .frames import UNPLACED, claims_dicom, damage_of, first_decoder, frames_of, other_kind
from .series import series_of

PICTURE_ENDINGS = (".png", ".jpg", ".jpeg")  # of names, in lower case


def load_dicom(folder):
    """Load the CT slices in a folder of DICOM files.

    Parameters
    ----------
    folder : str or Path
        A folder that holds one CT series. Files that say nothing of DICOM, neither by their names (.dcm, .dicom,
        .ima) nor inside, are skipped, and so are DICOM objects that are not CT slices (structure sets, dose,
        reports, localisers, colour pictures, pages of other series that have no place). Subfolders are not read.

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
    dicoms = [path for path in files if claims_dicom(path)]
    return dicom_volume(((str(path), path) for path in dicoms), where=str(folder))


def load_nifti(path):
    """Load a CT volume from a NIfTI file.

    Parameters
    ----------
    path : str or Path
        A three-dimensional .nii or .nii.gz file in Hounsfield units; further dimensions have the length 1.

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
        raise ValueError(
            f"{path}: expected a readable three-dimensional NIfTI volume ({reason_of(error)})"
        ) from error


def dicom_volume(files, where="the archive"):
    """Stack the CT slices of one series, sorted along their normal.

    Parameters
    ----------
    files : iterable of (str, path or file open for binary reading)
        The name of each DICOM file, for messages, and its content. What `load_dicom` skips is skipped.
    where : str
        What holds the files, for messages.

    Returns
    -------
    ndarray of shape (n, height, width), float32
        Hounsfield units.

    Raises
    ------
    FileNotFoundError
        If there are no CT slices.
    ValueError
        As `load_dicom`.

    Examples
    --------
    >>> from pydicom.data import get_testdata_file
    >>> dicom_volume([("CT_small.dcm", get_testdata_file("CT_small.dcm"))]).shape
    (1, 128, 128)
    """
    slices, known, pixels, unplaced = [], set(), {}, {}
    for name, file in files:
        try:
            dataset = pydicom.dcmread(file)
            if other := other_kind(dataset):
                if other == UNPLACED:
                    unplaced[str(dataset.get("SeriesInstanceUID"))] = name
                continue
            slices += frames_of(Path(name), dataset)
            known.add(str(dataset.SeriesInstanceUID))
            plugin = first_decoder(dataset.file_meta.TransferSyntaxUID)
            dataset.pixel_array_options(decoding_plugin=plugin)
            images = dataset.pixel_array.reshape(-1, dataset.Rows, dataset.Columns)
            pixels[Path(name)] = images.astype(np.float32)
        except Exception as error:  # pydicom raises many kinds for damaged files
            raise ValueError(
                f"{name}: expected a complete DICOM file ({damage_of(error)})"
            ) from error
    if not slices:
        raise FileNotFoundError(f"{where}: expected DICOM files with CT images, found none")
    if len(known) > 1:
        raise ValueError(
            f"{where}: expected the slices of one CT series, found {len(known)} series"
        )
    for lost in known & set(unplaced):
        raise ValueError(f"{unplaced[lost]}: expected a slice with an ImagePositionPatient")
    series = series_of(*known, slices)
    if series.fault or series.gap:
        raise ValueError(series.fault or series.gap)
    hu = [pixels[one.path][one.number] * one.slope + one.intercept for one in series.frames]
    return np.stack(hu).astype(np.float32)


def nifti_volume(image):
    """Return the axial slices of a NIfTI image in a radiologist's view.

    Parameters
    ----------
    image : nibabel.Nifti1Image
        Of three dimensions; further ones have the length 1.

    Returns
    -------
    ndarray of shape (n, height, width), float32
        As of `load_nifti`.

    Raises
    ------
    ValueError
        If it has other dimensions, or its affine no inverse.

    Examples
    --------
    >>> nifti_volume(nibabel.Nifti1Image(np.zeros((4, 5, 6, 1), "int16"), np.eye(4))).shape
    (6, 5, 4)
    """
    if len(image.shape) < 3 or any(length != 1 for length in image.shape[3:]):
        raise ValueError(f"it has {len(image.shape)} dimensions")
    voxels = np.asarray(image.dataobj, np.float32).reshape(image.shape[:3])
    return np.ascontiguousarray(axial(voxels, image.affine))


def axial(voxels, affine):
    """Return a view of voxels as axial slices in a radiologist's view.

    Slices go from feet to head, along the axis that is nearest to that direction; in each, the patient's front is
    nearest to the top and the right side nearest to the left.

    Parameters
    ----------
    voxels : array of three dimensions
        In any order and direction of its axes.
    affine : array of shape (4, 4)
        From voxels to mm to the patient's right, front and head, as in NIfTI.

    Returns
    -------
    ndarray of shape (slices, rows, columns)

    Raises
    ------
    ValueError
        If the affine has no inverse.

    References
    ----------
    nibabel.orientations, io_orientation.

    Examples
    --------
    >>> axial(np.zeros((4, 5, 6)), np.diag([-1, -1, 2, 1])).shape
    (6, 5, 4)
    """
    orientation = nibabel.io_orientation(affine)
    if np.isnan(orientation).any():
        raise ValueError("its affine has no inverse")
    turned = nibabel.apply_orientation(voxels, orientation)
    return turned[::-1, ::-1].transpose(2, 1, 0)


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
    paths = sorted(p for p in folder.iterdir() if p.suffix.lower() in PICTURE_ENDINGS)
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
