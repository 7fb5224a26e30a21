"""Pictures: PNG, TIFF and JPEG files of 8 or 16 bits, denoised in grey levels and written without loss."""

from pathlib import Path

import cv2
import numpy as np

from ..data.files import PICTURE_ENDINGS, decoded_picture
from ..quiet import quiet
from ..replaced import replaced
from .stream import NOISE_FOLDER, subtracted

_TIFF = (".tif", ".tiff")  # beside what `data.load_images` reads
WRITTEN = {  # what a file is written as, without loss: JPEG cannot be
    **dict.fromkeys(PICTURE_ENDINGS, ".png"),
    **{ending: ending for ending in _TIFF},
}


def read_picture(path):
    """Read a picture as it is stored.

    Parameters
    ----------
    path : Path
        A grey PNG, TIFF or JPEG file, or one whose colours are all grey.

    Returns
    -------
    ndarray of shape (height, width) or (height, width, channels), uint8 or uint16

    Raises
    ------
    ValueError
        If it is damaged, coloured, has several pages, or not 8 or 16 bits; the message names the file.

    References
    ----------
    OpenCV, imdecode. A JPEG is turned as its camera says.

    Examples
    --------
    >>> read_picture(Path("slice.png")).dtype  # doctest: +SKIP
    dtype('uint16')
    """
    data = path.read_bytes()
    jpeg = data.startswith(b"\xff\xd8")
    flags = cv2.IMREAD_ANYCOLOR | cv2.IMREAD_ANYDEPTH if jpeg else cv2.IMREAD_UNCHANGED
    picture = decoded_picture(data, flags)
    if picture is None:
        raise ValueError(f"{path}: expected a PNG, TIFF or JPEG picture of 8 or 16 bits")
    if path.suffix.lower() in _TIFF:
        with quiet():
            pages = cv2.imcount(str(path))
        if pages != 1:
            raise ValueError(f"{path}: expected one picture, got {pages} pages")
    if picture.ndim == 3 and (picture[..., :3] != picture[..., :1]).any():
        raise ValueError(f"{path}: expected a grey picture, got a coloured one")
    return picture


class PictureScan:
    """Pictures as the source of a run: values from 0 to 1, no place, no size, no Hounsfield units.

    Parameters
    ----------
    source : Path
        A picture, or a folder.
    paths : list of Path
        The pictures.

    Raises
    ------
    ValueError
        If one of them cannot be denoised, or two would be written under one name; the message names the file.
    """

    unit, ends, series = "grey", (0.0, 1.0), None
    readers = ("opencv-python",)  # packages

    def __init__(self, source, paths):
        self.folder, self.paths, self.count = source, paths, len(paths)
        size = sum(path.stat().st_size for path in paths)
        self.label = f"{self.count} pictures, {size} bytes"
        names = {}
        for index, path in enumerate(paths):
            other = names.setdefault(self.name(index).lower(), path)
            if other != path:
                raise ValueError(f"{path}: expected another name, {other.name} is written as PNG")
            read_picture(path)

    def name(self, index):
        """Return the name of the file of a picture, relative to the folder."""
        path = self.paths[index]
        name = path.name if path == self.folder else path.relative_to(self.folder)
        suffix = path.suffix.lower()
        return str(name if WRITTEN[suffix] == suffix else Path(name).with_suffix(WRITTEN[suffix]))

    def read(self, index):
        """Return a picture as grey levels in [0, 1], or raise ValueError."""
        picture = read_picture(self.paths[index])
        grey = picture if picture.ndim == 2 else picture[..., 0]
        return grey / np.float64(np.iinfo(picture.dtype).max)

    def writer(self, destination, made_by, save_noise):
        """Return a `PictureWriter`: of a file where the source is one, else of a folder; or raise ValueError."""
        suffix = destination.suffix.lower()
        if self.paths == [self.folder]:
            if suffix not in WRITTEN or WRITTEN[suffix] != suffix:
                raise ValueError(f"{destination}: expected a name that ends in .png, .tif or .tiff")
        elif suffix in WRITTEN or destination.is_file():
            raise ValueError(f"{destination}: expected a folder for the pictures of a folder")
        return PictureWriter(self, destination, save_noise)


class PictureWriter:
    """Write pictures, each of the depth and the channels that it had.

    Parameters
    ----------
    scan : PictureScan
    destination : Path
        A folder, or a file where the source is one.
    save_noise : bool
        Write what was removed, too, added to mid-grey: into the folder `NOISE_FOLDER`, or beside the file as `NAME.noise.png`.
    """

    packages, noted = (), {}

    def __init__(self, scan, destination, save_noise):
        self.scan, self.destination, self.save_noise = scan, destination, save_noise
        self.is_file = scan.paths == [scan.folder]
        self.files = self._targets(0) if self.is_file else [destination]

    def name(self, index):
        """Return the name of the file that a picture goes to."""
        return self.destination.name if self.is_file else self.scan.name(index)

    def _targets(self, index):
        if self.is_file:
            stem, suffix = self.destination.stem, self.destination.suffix
            both = [self.destination, self.destination.with_name(f"{stem}.noise{suffix}")]
        else:
            name = self.name(index)
            both = [self.destination / name, self.destination / NOISE_FOLDER / name]
        return both[: 1 + self.save_noise]

    def holds(self, index):
        """True if what was written of a picture is still there."""
        return all(path.exists() for path in self._targets(index))

    def save(self, index, removed):
        """Write a picture without what was removed from it."""
        picture = read_picture(self.scan.paths[index])
        most = np.iinfo(picture.dtype).max
        before = picture if picture.ndim == 2 else picture[..., 0]
        after = subtracted(before, removed, 1 / most)
        noise = before.astype(float) - after + (most + 1) // 2
        for path, grey in zip(self._targets(index), (after, noise.clip(0, most))):
            result = grey.astype(picture.dtype)
            if picture.ndim == 3:
                result = np.concatenate([np.stack([result] * 3, -1), picture[..., 3:]], -1)
            path.parent.mkdir(parents=True, exist_ok=True)
            _, data = cv2.imencode(path.suffix.lower(), result)
            with replaced(path, "wb") as file:
                file.write(data.tobytes())

    def finish(self):
        """Every picture is complete already."""
