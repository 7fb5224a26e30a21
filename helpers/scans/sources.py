"""What a path names: DICOM files, voxels, pictures, or an archive of them; and which network suits them."""

import contextlib
import os
import tempfile
import zipfile
from pathlib import Path

import numpy as np

from ..data.series import LINKED_FOLDER, choose_series, find_series
from .dicom import DicomScan
from .pictures import WRITTEN, PictureScan
from .voxels import FORMATS, VoxelScan, suffix_of
from .zipped import unpacked

LOOKS, APART_MM = 2, 5.0  # slices on each side that "ct_scan_25d" looks at, how far apart at most
PIXEL_MM = (
    0.7,
    1.4,
)  # edges of the pixels that the networks learned from: of 0.7 mm, and shrunk to a half


@contextlib.contextmanager
def opened(source, series=None, found=None):
    """Open the scan that a path names.

    Parameters
    ----------
    source : str or Path
        A folder of DICOM files or of pictures, at any depth, a ZIP archive of one, a DICOM file, a volume whose suffix
        is in `voxels.FORMATS`, or a picture.
    series : str, optional
        SeriesInstanceUID, where there are several.
    found : data.series.Found, optional
        What was found in a folder of DICOM files that has been searched already.

    Yields
    ------
    (scan, left_out)
        A dicom.DicomScan, voxels.VoxelScan or pictures.PictureScan: all have `count`, `label`, `unit`, `ends`, `series`,
        `readers`, `name(index)`, `read(index)` and `writer(destination, made_by, save_noise)`. And a dict that tells how
        many files beside it were left out, by what they are.

    Raises
    ------
    FileNotFoundError
        If there is nothing.
    ValueError
        If it cannot be denoised; the message names the file.

    Examples
    --------
    >>> with opened("scans/patient_7.zip") as (scan, left_out):  # doctest: +SKIP
    ...     scan.count, left_out
    (320, {'X-Ray Radiation Dose SR': 1})
    """
    source = Path(source)
    search = searched(source) if found is None else contextlib.nullcontext((source, found))
    with search as (folder, found):
        if found is not None and (found.series or found.broken or not _only_others(found)):
            chosen = choose_series(found, folder, series)
            place = folder if folder.is_dir() else folder.parent
            left_out = found.left_out
            if found.broken:  # files of others: with one of its own, the series is refused
                left_out = left_out | {"damaged file of another series": len(found.broken)}
            yield DicomScan(chosen, place, found.taken), left_out
            return
        if series is not None:
            raise ValueError(f"series: expected none, {source} holds no DICOM files")
        if suffix_of(source) in FORMATS and source.is_file():
            with tempfile.TemporaryDirectory() as empty:
                yield VoxelScan(source, Path(empty)), {}
            return
        pictures = _pictures(folder)
        if not pictures:
            _say_what_there_is(found, folder)
        links = found.left_out.get(LINKED_FOLDER, 0) if found else 0
        others = sum(found.left_out.values()) - len(pictures) - links if found else 0
        left_out = {"file of another kind": others, LINKED_FOLDER: links}
        yield PictureScan(folder, pictures), {what: n for what, n in left_out.items() if n}


@contextlib.contextmanager
def searched(source):
    """Look for CT series in what a path names.

    Parameters
    ----------
    source : Path
        As for `opened`. A ZIP archive is unpacked for as long as the context lasts.

    Yields
    ------
    (Path, data.series.Found or None)
        The folder or the file that was searched, and what was found there: None in a picture or a file of voxels.

    Raises
    ------
    FileNotFoundError
        If there is nothing.
    ValueError
        If it is a ZIP archive that cannot be unpacked (`zipped.unpacked`).

    References
    ----------
    `data.series.find_series`.

    Examples
    --------
    >>> with searched(Path("scans/patient_7.zip")) as (folder, found):  # doctest: +SKIP
    ...     [len(series.frames) for series in found.series]
    [320]
    """
    if not source.exists():
        raise FileNotFoundError(f"{source}: no such folder or file; expected one that holds a scan")
    known = suffix_of(source) in FORMATS or source.suffix.lower() in WRITTEN
    if source.is_file() and known:
        yield source, None
    elif source.is_file() and (suffix_of(source) == ".zip" or zipfile.is_zipfile(source)):
        with unpacked(source) as folder:
            yield folder, find_series(folder)
    else:
        yield source, find_series(source)


def _say_what_there_is(found, folder):
    """Raise ValueError where there is neither a series nor a picture."""
    try:
        choose_series(found, folder)
    except ValueError as error:
        raise ValueError(f"{error}, nor a PNG, TIFF or JPEG picture") from error


def _only_others(found):
    """True if nothing that was found is DICOM."""
    return set(found.left_out) <= {"file that is not DICOM", "broken link", LINKED_FOLDER}


def _pictures(folder):
    """Return the pictures below a folder, or the one picture."""
    if folder.is_file():
        return [folder] if folder.suffix.lower() in WRITTEN else []
    paths = (Path(place, name) for place, _, names in os.walk(folder) for name in names)
    return sorted(path for path in paths if path.suffix.lower() in WRITTEN and path.is_file())


def model_for(series):
    """Name the network that suits a scan.

    Parameters
    ----------
    series : data.series.Series or None
        None for pictures.

    Returns
    -------
    str
        "ct_scan_25d" where at least five slices lie evenly, at most 5 mm apart and without a tilt; otherwise "ct_scan".
        For pictures, which know neither Hounsfield units nor neighbours, "ct_unet".

    Examples
    --------
    >>> model_for(None)
    'ct_unet'
    """
    if series is None:
        return "ct_unet"
    close = series.step_mm is not None and series.step_mm <= APART_MM
    return "ct_scan_25d" if close and not lonely(series, LOOKS) else "ct_scan"


def lonely(series, neighbours):
    """Say why a network that looks at so many slices on each side would lack neighbours, or return "".

    >>> lonely(None, 2), lonely(None, 0)
    ('holds pictures, which have no neighbours', '')
    """
    if not neighbours:
        return ""
    if series is None:
        return "holds pictures, which have no neighbours"
    if len(series.frames) < 2 * neighbours + 1:
        return f"has {len(series.frames)} slices, fewer than {2 * neighbours + 1}"
    return _crooked(series)


def _crooked(series):
    """Say what is wrong with the places of the slices, or return ""."""
    if series.tilted:
        return "has slices that are shifted against each other, as by a tilted gantry"
    if series.even or len(series.frames) == 1:
        return ""
    along, _ = series.steps
    oddest = int(np.abs(along - series.step_mm).argmax())
    name = series.frames[oddest + 1].path.name
    return (
        "has slices at uneven distances, as if one were missing "
        f"({series.step_mm:g} mm, but {along[oddest]:g} mm before {name})"
    )


def remarks(series, left_out=None):
    """Tell what a user should know of a scan before trusting the result: a list of sentences.

    What was left out beside it comes first, then slices that lie unevenly or are shifted, which no network of single
    slices minds.

    Pixels of an unusual size are reported, and not resampled. Measured with `ct_scan` on slices of two validation
    patients, scanned with three kernels and two or three doses: denoised at 0.8 mm, what was removed taken back to the
    scan's own pixels, they have 4.0 and 4.7 dB less at 0.5 mm than denoised as they are, and 1.4 and 0.3 dB less at
    2 mm. Resampling gained with the softest kernel on one patient (1.6 and 3.1 dB at 0.5 mm), where denoising as it is
    can even do harm; which kernel it was, nobody tells.

    >>> remarks(None, {"localiser": 2})
    ['left out: 2 localiser']
    """
    said = [f"left out: {count} {what}" for what, count in (left_out or {}).items()]
    if series is None:
        return said
    if crooked := _crooked(series):
        said.append(f"the series {crooked}")
    if not all(PIXEL_MM[0] <= round(edge, 1) <= PIXEL_MM[1] for edge in series.pixel_mm):
        height, width = series.pixel_mm
        said.append(
            f"pixels of {height:g} x {width:g} mm; the networks learned from pixels of about {PIXEL_MM[0]} to "
            f"{PIXEL_MM[1]} mm: look at what was removed before you trust the result"
        )
    return said
