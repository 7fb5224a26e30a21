"""CT series in DICOM files: find them, put their slices in order, and know what is wrong before a pixel is read."""

import os
import sys
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from .frames import HOUNSFIELD, UNPLACED, check_length, damage_of, frames_of, header_of, other_kind

LINKED_FOLDER = "link to a folder"  # not followed: it may lead in a circle, or out of the scan
_SAME_MM = 0.01  # positions that differ by less are the same
_EVEN = 0.1  # a distance may differ from the usual one by this share of it


@dataclass(frozen=True)
class Series:
    """A CT series: its slices in order along the patient, from feet to head where they are axial.

    Parameters
    ----------
    uid : str
        SeriesInstanceUID.
    description : str
        SeriesDescription, or "".
    frames : tuple of Frame
        In order along `normal`.
    shape : (int, int)
        Height and width of a slice.
    pixel_mm : (float, float)
        Distance of rows, and of columns.
    orientation : tuple of float
        ImageOrientationPatient: the directions along a row and down a column.
    fault : str
        What is wrong with it, in one sentence that names a file, or "".

    Examples
    --------
    >>> from helpers.data.frames import Frame
    >>> frames = [Frame(Path("a.dcm"), 0, (0, 0, z), 1, -1024) for z in (0.0, 2.5, 5.0)]
    >>> series = Series("1.2", "lung", tuple(frames), (512, 512), (0.7, 0.7), (1, 0, 0, 0, 1, 0))
    >>> series.step_mm, series.even, series.tilted
    (2.5, True, False)
    """

    uid: str
    description: str
    frames: tuple
    shape: tuple
    pixel_mm: tuple
    orientation: tuple
    fault: str = ""

    @property
    def normal(self):
        """Direction along which slices are counted."""
        return np.cross(self.orientation[:3], self.orientation[3:])

    @property
    def steps(self):
        """How far each slice lies from the one before, in mm: arrays along the normal, and across it."""
        moves = np.diff([frame.place for frame in self.frames], axis=0).reshape(-1, 3)
        along = moves @ self.normal
        across = np.linalg.norm(moves - along[:, None] * self.normal, axis=1)
        return along, across

    @property
    def step_mm(self):
        """The usual distance of neighbouring slices, or None where there is one slice."""
        along, _ = self.steps
        return float(np.median(along).round(4)) if len(along) else None

    @property
    def even(self):
        """True where all neighbouring slices are as far from each other."""
        along, _ = self.steps
        return bool(len(along) and np.all(np.abs(along - self.step_mm) <= _EVEN * self.step_mm))

    @property
    def gap(self):
        """Where a slice seems to be missing, in one sentence that names a file, or ""."""
        along, _ = self.steps
        for above, step in zip(self.frames[1:], along):
            if step > 1.5 * self.step_mm:
                return (
                    f"{above.path}: expected the next slice after {self.step_mm:g} mm, "
                    f"it lies {step:g} mm on, as if one were missing"
                )
        return ""

    @property
    def tilted(self):
        """True where slices are shifted against each other, as by a tilted gantry."""
        _, across = self.steps
        return bool(np.any(across > max(_SAME_MM, _EVEN * min(self.pixel_mm))))


@dataclass(frozen=True)
class Found:
    """What lies below a folder.

    Parameters
    ----------
    series : tuple of Series
        The CT series, largest first.
    left_out : dict of str to int
        How many files are something else, and how many links lead to folders, by what they are.
    broken : tuple of File
        Files that say they are DICOM and cannot be read, and folders that cannot be read: each has a `fault`.
    taken : frozenset of (str, str, int)
        StudyInstanceUID, SeriesInstanceUID and SeriesNumber of all DICOM files, also of those that were left out. A
        series that names no study is a study of its own.
    """

    series: tuple
    left_out: dict
    broken: tuple
    taken: frozenset = frozenset()


@dataclass(frozen=True)
class File:
    """What one file says before a pixel is read.

    Parameters
    ----------
    path : Path
    other : str
        What it is instead of CT slices, or "".
    fault : str
        Why it cannot be read, in one sentence that names it, or "". A folder may have one, too.
    study, uid : str
        StudyInstanceUID and SeriesInstanceUID of a DICOM file; "" where it does not tell, or is damaged before it does.
    number : int, optional
        SeriesNumber, of a DICOM file.
    description : str
        SeriesDescription, of CT slices.
    slices : tuple of (Frame, (shape, pixel_mm, orientation))
        What `frames_of` returns.
    """

    path: Path
    other: str = ""
    fault: str = ""
    study: str = ""
    uid: str = ""
    number: int | None = None
    description: str = ""
    slices: tuple = ()


def find_series(folder):
    """Read the headers of all files below a folder, and sort the CT slices among them into series.

    No pixel is read, and no header is kept. Links to folders are not followed, but counted among what is left out.

    Parameters
    ----------
    folder : str or Path
        Of any depth, with any names, in any order; or one file.

    Returns
    -------
    Found

    Raises
    ------
    FileNotFoundError
        If there is no such folder or file.

    References
    ----------
    DICOM PS3.3, C.7.6.2 (image plane), C.7.6.16.2 (functional groups of a multi-frame file), C.11.1 (modality LUT).

    Examples
    --------
    >>> found = find_series("scans/patient_7")  # doctest: +SKIP
    >>> [(series.description, len(series.frames)) for series in found.series]  # doctest: +SKIP
    [('Thorax 1.0 B70f', 320), ('Topogram 0.6 T20f', 1)]
    """
    return sort_files(read_files(folder))


def read_files(folder):
    """Read what all files below a folder, or one file, say before a pixel is read: a list of File, in a fixed order."""
    folder = Path(folder)
    if not folder.exists():
        raise FileNotFoundError(f"{folder}: no such folder; expected one that holds DICOM files")
    if folder.is_file():
        return [_read(folder)]
    files = []

    def report(error):
        why = f"{error.filename}: expected a folder that can be read ({error.strerror})"
        files.append(File(Path(error.filename), fault=why))

    for place, folders, names in os.walk(folder, onerror=report):
        folders.sort()
        links = (path for name in folders if (path := Path(place, name)).is_symlink())
        files += [File(path, other=LINKED_FOLDER) for path in links]
        files += [_read(Path(place, name)) for name in sorted(names)]
    return files


def _read(path):
    """Read what a file says; its header is forgotten."""
    belongs = {}
    try:
        other, header, left = header_of(path)
        if other:
            return File(path, other)
        belongs = _belongs(header)
        if other := other_kind(header):
            return File(path, other, **belongs)
        check_length(header, left)
        description, slices = header.get("SeriesDescription") or "", tuple(frames_of(path, header))
        return File(path, **belongs, description=str(description), slices=slices)
    except Exception as error:  # pydicom raises many kinds for damaged files
        why = f"{path}: expected a complete DICOM file of CT slices ({damage_of(error)})"
        return File(path, fault=why, **belongs)


def _belongs(header):
    """Tell the study, the series and its number; what stands last in a header may be cut off, and does not count."""
    told = {"number": _number(header)}
    for key, name in (("study", "StudyInstanceUID"), ("uid", "SeriesInstanceUID")):
        whole = name in header and header[name].tag < max(header.keys())
        told[key] = sys.intern(str(header[name].value or "")) if whole else ""
    return told


def sort_files(files):
    """Sort the CT slices among files into series.

    Parameters
    ----------
    files : list of File
        Of a whole folder, or those of them that lie below one of its subfolders: then it is what `find_series` would
        find there.

    Returns
    -------
    Found

    Examples
    --------
    >>> sort_files([File(Path("a/1.dcm"), "MR Image", study="1.2", uid="1.2.3", number=4)])
    Found(series=(), left_out={'MR Image': 1}, broken=(), taken=frozenset({('1.2', '1.2.3', 4)}))
    """
    groups = {}
    for file in files:
        if file.slices:
            groups.setdefault(file.uid, (file.description, []))[-1].extend(file.slices)
    files = [_slice_without_a_place(file) if file.uid in groups else file for file in files]
    series = [series_of(uid, slices, description) for uid, (description, slices) in groups.items()]
    series.sort(key=lambda one: (-len(one.frames), one.uid))
    left_out = Counter(file.other for file in files if file.other)
    broken = tuple(file for file in files if file.fault)
    taken = {(f.study or f.uid, f.uid, f.number) for f in files if f.number is not None}
    return Found(tuple(series), dict(sorted(left_out.items())), broken, frozenset(taken))


def _slice_without_a_place(file):
    """Return a file of a series: a picture without a place is a damaged slice of it."""
    if file.other != UNPLACED:
        return file
    return replace(
        file, other="", fault=f"{file.path}: expected a slice with an ImagePositionPatient"
    )


def choose_series(found, where, name=None):
    """Return the one series to work on, or raise ValueError.

    Parameters
    ----------
    found : Found
    where : str
        What was searched, for messages.
    name : str, optional
        SeriesInstanceUID; needed where there are several series.

    Returns
    -------
    Series

    Raises
    ------
    ValueError
        If there is none, or several and no name, or none of this name; if the series has a fault; if a file is broken,
        unless it is known to belong to another series than the one of this name.

    Examples
    --------
    >>> choose_series(Found((), {"MR Image": 2}, ()), "scans")
    Traceback (most recent call last):
        ...
    ValueError: scans: expected CT slices, found none (left out: 2 MR Image)
    """
    broken = [file.fault for file in found.broken if name is None or file.uid in ("", name)]
    if broken:
        more = f" (and {len(broken) - 1} more)" if len(broken) > 1 else ""
        raise ValueError(broken[0] + more)
    if not found.series:
        others = ", ".join(f"{count} {what}" for what, count in found.left_out.items())
        raise ValueError(
            f"{where}: expected CT slices, found none"
            + (f" (left out: {others})" if others else "")
        )
    known = {series.uid: series for series in found.series}
    if name is None and len(known) > 1 or name is not None and name not in known:
        listed = "; ".join(f"{series.uid} ({len(series.frames)} slices)" for series in found.series)
        wanted = "a series to be named" if name is None else f"one of its series, got {name!r}"
        raise ValueError(f"{where}: expected {wanted}, it has {listed}")
    (series,) = known.values() if name is None else [known[name]]
    if series.fault:
        raise ValueError(series.fault)
    return series


def _number(header):
    """SeriesNumber, or 0 where it is missing or no number."""
    try:
        return int(header.get("SeriesNumber") or 0)
    except Exception:  # pydicom raises many kinds for damaged values
        return 0


def series_of(uid, slices, description=""):
    """Put the slices of a series in order, and look for faults.

    Parameters
    ----------
    uid : str
        SeriesInstanceUID.
    slices : list of (Frame, (shape, pixel_mm, orientation))
        What `frames_of` returns for all files.
    description : str
        SeriesDescription.

    Returns
    -------
    Series

    Examples
    --------
    >>> series_of("1.2", frames_of(path, header)).fault  # doctest: +SKIP
    ''
    """
    kinds = Counter(
        (shape, _rounded(pixel_mm), _rounded(orientation))
        for _, (shape, pixel_mm, orientation) in slices
    )
    usual = kinds.most_common(1)[0][0]
    fault = ""
    for frame, (shape, pixel_mm, orientation) in slices:
        if frame.unit not in HOUNSFIELD:
            fault = fault or (
                f"{frame.path}: expected Hounsfield units, its RescaleType is {frame.unit!r}"
            )
        if (shape, _rounded(pixel_mm), _rounded(orientation)) != usual:
            fault = fault or (
                f"{frame.path}: expected slices of one size and direction, {usual[0][0]} x {usual[0][1]} pixels, "
                f"got {shape[0]} x {shape[1]} pixels of {pixel_mm[0]:g} mm in another plane or size"
            )
    _, (shape, pixel_mm, orientation) = slices[0]
    normal = np.cross(orientation[:3], orientation[3:])
    frames = sorted(
        (frame for frame, _ in slices), key=lambda frame: float(np.dot(frame.place, normal))
    )
    for below, above in zip(frames, frames[1:]):
        if np.linalg.norm(np.subtract(above.place, below.place)) < _SAME_MM:
            fault = fault or (
                f"{above.path}: expected one slice at each place, {below.path.name} lies there, too"
            )
    return Series(uid, description, tuple(frames), shape, pixel_mm, orientation, fault)


def _rounded(numbers):
    return tuple(round(number, 3) for number in numbers)
