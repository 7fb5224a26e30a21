"""DICOM series: slices read in Hounsfield units, and written as a derived series."""

import functools
import struct
from collections import Counter

import numpy as np
from pydicom import dcmread
from pydicom.filereader import read_file_meta_info
from pydicom.pixels import iter_pixels

from ..checks import last_reason_of
from ..data.frames import first_decoder
from ..hounsfield import HU_HIGH, HU_LOW
from ..quiet import quiet
from ..replaced import replaced
from .derived import derived_header, new_numbers, new_uid, noise_header
from .spool import Spool
from .stream import NOISE_FOLDER, SLAB, subtracted
from .voxels import NIFTI, DicomAsNifti, VoxelWriter, suffix_of

_TOGETHER = 8  # slices of a file that are decoded at once: its header is long to read
# Slices that stay decoded, however many a file holds: a slab is read, with up to 8 on each side, and then saved.
_KEPT = 2 * SLAB


def read_stored(path, numbers):
    """Return the stored values of slices, as they are in the file.

    Parameters
    ----------
    path : Path
    numbers : sequence of int
        Of the slices in the file, from 0.

    Returns
    -------
    list of arrays of shape (height, width), of integers

    Raises
    ------
    ValueError
        If the pixels are damaged; the message names the file.

    References
    ----------
    DICOM PS3.5, section 8: all transfer syntaxes that pydicom's plug-ins decode; here python-gdcm's, and
    pylibjpeg-openjpeg's for high-throughput JPEG 2000.

    Examples
    --------
    >>> read_stored(series.frames[0].path, [0])[0].dtype  # doctest: +SKIP
    dtype('int16')
    """
    try:
        syntax = read_file_meta_info(path).TransferSyntaxUID
        source = dcmread(path) if syntax.is_deflated else path  # of it nothing can be left out
        settings = {"indices": list(numbers), "raw": True, "decoding_plugin": first_decoder(syntax)}
        with quiet():
            return [image.copy() for image in iter_pixels(source, **settings)]
    except Exception as error:  # pydicom and its decoders raise many kinds for damaged pixels
        reason = last_reason_of(error)
        if " object " in reason:  # Python's words about a decoder, none about the file
            reason = "damaged, or of a kind that no decoder knows"
        raise ValueError(f"{path}: expected pixels that can be decoded ({reason})") from error


def write_image(file, header, frames):
    """Write a DICOM file.

    Parameters
    ----------
    file : file open for binary writing
    header : pydicom.Dataset
        As `derived_header` returns it.
    frames : function
        frames() -> arrays of shape (height, width), of integers, one after the other; they are asked for twice.

    Examples
    --------
    >>> with open("new.dcm", "wb") as file:  # doctest: +SKIP
    ...     write_image(file, header, lambda: iter([pixels]))
    """
    lows, highs, size = [], [], 0
    for pixels in frames():
        lows.append(int(pixels.min()))
        highs.append(int(pixels.max()))
        size += pixels.nbytes
    kind = "SS" if header.PixelRepresentation else "US"
    edges = {"SmallestImagePixelValue": min(lows), "LargestImagePixelValue": max(highs)}
    for name, value in edges.items():
        if name in header:
            header.add_new(name, kind, value)
    header.save_as(file, enforce_file_format=True)
    word = b"OB" if header.BitsAllocated == 8 else b"OW"
    file.write(struct.pack("<HH2sHI", 0x7FE0, 0x0010, word, 0, size + size % 2))
    for pixels in frames():
        file.write(pixels.astype(pixels.dtype.newbyteorder("<"), copy=False).tobytes())
    file.write(b"\0" * (size % 2))


def _header(path):
    return dcmread(path, stop_before_pixels=True)


class DicomScan:
    """A CT series as the source of a run.

    Parameters
    ----------
    series : data.series.Series
    folder : Path
        In which it was found; names are relative to it.
    taken : set of (str, str, int)
        See `new_numbers`.
    """

    unit, ends = "hu", (HU_LOW, HU_HIGH)
    readers = ("pydicom", "python-gdcm", "pylibjpeg-openjpeg")  # packages

    def __init__(self, series, folder, taken):
        self.series, self.folder, self.label = series, folder, series.uid
        self.count = len(series.frames)
        self.new_numbers = new_numbers(taken, series.uid)
        self.header = functools.lru_cache(maxsize=1)(_header)
        self.in_file = Counter(frame.path for frame in series.frames)
        together = min(_TOGETHER, max(self.in_file.values()))
        self._stored = functools.lru_cache(maxsize=_KEPT // together + 1)(read_stored)

    def name(self, index):
        """Return the name of a slice's file, relative to the folder."""
        return str(self.series.frames[index].path.relative_to(self.folder))

    def stored(self, frame):
        """Return the stored values of a slice."""
        first = frame.number - frame.number % _TOGETHER
        together = tuple(range(first, min(first + _TOGETHER, self.in_file[frame.path])))
        return self._stored(frame.path, together)[frame.number - first]

    def read(self, index):
        """Return a slice in Hounsfield units, or raise ValueError."""
        frame = self.series.frames[index]
        return self.stored(frame) * frame.slope + frame.intercept

    def writer(self, destination, made_by, save_noise):
        """Return what writes a derived series into a folder, or a NIfTI file.

        Parameters
        ----------
        destination : Path
            A folder, or a name that ends in .nii or .nii.gz.
        made_by : str
            See `derived_header`.
        save_noise : bool
            Write what was removed, too.

        Returns
        -------
        DicomWriter or voxels.VoxelWriter

        Raises
        ------
        ValueError
            If the destination is a file or is called like one of another format, or the slices do not lie evenly, as
            a NIfTI file needs.

        Examples
        --------
        >>> scan.writer(Path("denoised"), "blur", False).is_file  # doctest: +SKIP
        False
        """
        if suffix_of(destination) in NIFTI:
            return VoxelWriter(destination, DicomAsNifti(self), save_noise)
        if suffix_of(destination) or destination.is_file():
            raise ValueError(
                f"{destination}: expected a folder for DICOM files, or a name that ends in .nii or .nii.gz"
            )
        return DicomWriter(self, destination, made_by, save_noise)


class _Denoised:
    """The denoised series: where its files go, what they say of themselves, how their values are stored."""

    suffix = "denoised"

    def __init__(self, folder, series, made_by, number):
        self.folder, self.made_by = folder, made_by
        self.series = {"series_uid": new_uid(series.uid, made_by), "series_number": number}

    def header(self, original):
        """Return the header of a file, given that of the original."""
        return derived_header(original, self.made_by, **self.series, suffix=self.suffix)

    def dtype(self, original):
        """Return the type of the stored values, given the header of the original."""
        return f"<{'i' if original.PixelRepresentation else 'u'}{original.BitsAllocated // 8}"

    def pixels(self, stored, changed):
        """Return what is stored of a slice, given its stored values before and after."""
        return changed


class _Removed(_Denoised):
    """What was removed, as a series of its own: in steps of the stored values, never wrapped around."""

    suffix = "removed noise"

    def header(self, original):
        return noise_header(super().header(original))

    def dtype(self, original):
        return "<i2"

    def pixels(self, stored, changed):
        return (stored.astype(float) - changed).clip(-(2**15), 2**15 - 1).astype(np.int16)


class DicomWriter:
    """Write a derived series: one file for each file of the source, with the same name.

    Files of one slice are written as they come; the slices of a file of many wait in a `Spool`.

    Parameters
    ----------
    scan : DicomScan
    destination : Path
        A folder.
    made_by : str
        See `derived_header`.
    save_noise : bool
        Write what was removed, too, as a series of its own in the subfolder `NOISE_FOLDER`.
    """

    is_file, packages = False, ()

    def __init__(self, scan, destination, made_by, save_noise):
        self.scan, self.destination = scan, destination
        self.noted = {"series_numbers": list(scan.new_numbers)}
        self.files = [destination]
        number, of_noise = scan.new_numbers
        self.outputs = [_Denoised(destination, scan.series, made_by, number)]
        if save_noise:
            made_by += f", {_Removed.suffix}"
            self.outputs.append(
                _Removed(destination / NOISE_FOLDER, scan.series, made_by, of_noise)
            )

    def name(self, index):
        """Return the name of the file that a slice goes to."""
        return self.scan.name(index)

    def holds(self, index):
        """True if what was written of a slice is still there."""
        path = self.scan.series.frames[index].path
        return all(
            self._target(path, output).exists() or self._spool(path, output).exists()
            for output in self.outputs
        )

    def save(self, index, removed):
        """Store a slice without what was removed from it."""
        frame = self.scan.series.frames[index]
        header, stored = self.scan.header(frame.path), self.scan.stored(frame)
        bits = header.BitsStored - bool(header.PixelRepresentation)
        ends = -(2**bits) * bool(header.PixelRepresentation), 2**bits - 1
        changed = subtracted(stored, removed, frame.slope, ends)
        for output in self.outputs:
            pixels = output.pixels(stored, changed)
            self._target(frame.path, output).parent.mkdir(parents=True, exist_ok=True)
            if self.scan.in_file[frame.path] == 1:
                self._write(frame.path, output, lambda pixels=pixels: iter([pixels]))
            else:
                self._spool(frame.path, output).put(frame.number, pixels)

    def finish(self):
        """Make files of what waits."""
        several = {path: count for path, count in self.scan.in_file.items() if count > 1}
        for path, count in several.items():
            for output in self.outputs:
                spool = self._spool(path, output)
                if spool.exists():
                    self._write(path, output, lambda spool=spool, n=count: map(spool.get, range(n)))
                    spool.remove()

    def _target(self, path, output):
        return output.folder / path.relative_to(self.scan.folder)

    def _spool(self, path, output):
        header = self.scan.header(path)
        shape = self.scan.in_file[path], header.Rows, header.Columns
        return Spool(self._target(path, output), shape, output.dtype(header))

    def _write(self, path, output, frames):
        with replaced(self._target(path, output), "wb") as file:
            write_image(file, output.header(self.scan.header(path)), frames)
