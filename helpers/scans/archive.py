"""Denoise every CT series of an archive, one after the other, or spread over the workers of a Dask scheduler.

    dask scheduler                                        # on one machine
    dask worker ADDRESS --nthreads 1 --nworkers 4         # on each machine
    python -m helpers denoise ARCHIVE DESTINATION --recursive --scheduler ADDRESS

All machines need this package and the same two folders. A worker does one scan at a time and loads the network once.
What a killed worker had begun, another one finishes: files are complete or not there, and the bytes are the same.
"""

import functools
import inspect
import os
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path

from pydicom.uid import UID

from ..checks import reason_of
from ..data.series import choose_series, read_files, sort_files
from ..progress import ProgressLine
from .derived import new_uid
from .run import check_apart, check_options, denoise_scan, full_name, loaded

# What `denoise_scan` can be told of every series of an archive, and what it does by default.
_SETTINGS = {
    name: parameter.default
    for name, parameter in inspect.signature(denoise_scan).parameters.items()
    if parameter.kind is parameter.KEYWORD_ONLY and name not in ("series", "found", "resume")
}
_ONE_AT_A_TIME = threading.Lock()  # also in a worker of several threads: networks take all cores


@dataclass(frozen=True)
class Scan:
    """One series of an archive, or a file of it that could not be read.

    Parameters
    ----------
    source : Path
        The folder that holds the series.
    uid : str
        SeriesInstanceUID, or "" for a file.
    destination : Path
        The folder for the denoised series.
    slices : int
        How many it has.
    fault : str
        Why it was not denoised, or "".
    """

    source: Path
    uid: str
    destination: Path
    slices: int
    fault: str = ""


def denoise_archive(source, destination, *, scheduler=None, resume=False, **settings):
    """Denoise every CT series below a folder, each into a folder of its own.

    The series UID in the folder F of the archive goes to F/UID in the destination, whatever else lies in F; a UID
    that is not well-formed is replaced by one that is. A series whose files lie in several folders is in the folder
    that holds them all. Where the same series was copied to several folders, so that slices lie twice at one place,
    each copy is a series. A series that fails stops nothing. All files are searched before the first series is
    denoised, and what was found stays in memory: a very large archive is better given part by part.

    Parameters
    ----------
    source : str or Path
        The archive: a folder of any depth, which is only read.
    destination : str or Path
        A folder that is not there yet, or is empty.
    scheduler : str, optional
        Address of a running Dask scheduler, such as "tcp://10.0.0.1:8786"; without it all is done here.
    resume : bool
        Do what is missing from an earlier run of the same settings.
    **settings
        `model`, `strength`, `overwrite` and the other options of `denoise_scan`, but for `series` and `found`; they are
        checked before anything else.

    Returns
    -------
    list of Scan
        The largest first, then files that could not be read. What failed has a `fault`.

    Raises
    ------
    TypeError
        If a setting is none of these options; the sentence names it, and lists them.
    ValueError
        If a setting is out of its range, the archive is a file, there is no series, a folder lies in the other one, or
        Dask is needed and not installed.
    FileNotFoundError, FileExistsError
        If there is no archive, or the destination holds files.
    ConnectionError
        If there is no scheduler at this address.

    References
    ----------
    Rocklin, "Dask: parallel computation with blocked algorithms and task scheduling", SciPy 2015.

    Examples
    --------
    >>> scans = denoise_archive("archive", "denoised", model="ct_scan")  # doctest: +SKIP
    >>> print(failures(scans))  # doctest: +SKIP
    """
    settings = _checked(settings, resume)
    archive, destination = (Path(os.path.abspath(folder)) for folder in (source, destination))
    if archive.is_file():
        raise ValueError(f"{archive}: expected a folder, got a file; a ZIP must be unpacked first")
    check_apart(archive, destination)
    _check_free(destination, settings["overwrite"] or resume)
    spread = _by_dask(scheduler) if scheduler else map
    scans, found, broken = _scans(archive, destination)
    for scan in scans:
        check_apart(archive, scan.destination)
    done, failed = {}, 0
    begun, slices = time.monotonic(), sum(scan.slices for scan in scans)
    with ProgressLine() as line:
        for scan in spread(functools.partial(_denoised, settings=settings), scans, found):
            done[scan.destination] = scan
            failed += bool(scan.fault)
            ready = sum(one.slices for one in done.values())
            minutes = (time.monotonic() - begun) / 60 * (slices - ready) / ready
            counts = f"{len(done)} of {len(scans)} series, {failed} failed"
            line.update(f"{counts}, {minutes:.0f} min left")
    scans = [done[scan.destination] for scan in scans]
    told = [scan.fault for scan in scans if scan.fault]
    broken = [why for why in broken if not any(fault.startswith(why) for fault in told)]
    return scans + [Scan(archive, "", destination, 0, why) for why in broken]


def failures(scans):
    """Write what failed as a table, one line each.

    Parameters
    ----------
    scans : list of Scan

    Returns
    -------
    str

    Examples
    --------
    >>> print(failures([Scan(Path("a"), "1.2", Path("b"), 9, "a/1.dcm: expected pixels")]))
    series | folder | why
    1.2    | a      | a/1.dcm: expected pixels
    """
    rows = [(scan.uid or "-", str(scan.source), scan.fault) for scan in scans if scan.fault]
    rows = [("series", "folder", "why"), *rows]
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    return "\n".join(
        f"{uid:{widths[0]}} | {folder:{widths[1]}} | {why}" for uid, folder, why in rows
    )


def _scans(archive, destination):
    """Find what there is to do: each Scan, what was found that counts for it, and sentences on broken files."""
    files = read_files(archive)
    everything = sort_files(files)
    if not everything.series and not everything.broken:
        choose_series(everything, archive)  # says what there is instead
    places = [
        (folder, series.uid) for series in everything.series for folder in _copies(series.frames)
    ]
    below = _below(files, {folder for folder, _ in places})
    found = {folder: sort_files(its) for folder, its in below.items()}
    known = {(folder, one.uid): one for folder, its in found.items() for one in its.series}
    astray, taken = _astray(everything.broken, places), _by_series(everything.taken)
    scans, parts = [], []
    for folder, uid in places:
        series, target = known[folder, uid], destination / folder.relative_to(archive) / _name(uid)
        scans.append(Scan(folder, uid, target, len(series.frames)))
        broken = [file for file in found[folder].broken if _may_belong(file, series)]
        counts = {"broken": (*broken, *astray[uid]), "taken": taken[uid]}
        parts.append(replace(found[folder], series=(series,), **counts))
    return scans, parts, [file.fault for file in everything.broken]


def _by_series(taken):
    """Return what is taken in the study of each series, or in its studies, should several name it."""
    studies, of_series = defaultdict(set), defaultdict(set)
    for study, uid, number in taken:
        studies[study].add((study, uid, number))
        of_series[uid].add(study)
    return {uid: frozenset().union(*(studies[s] for s in its)) for uid, its in of_series.items()}


def _may_belong(file, series):
    """Tell whether a broken file below the folder of a series may be a slice of it.

    One that does not name its series may be one if it lies beside slices, or if these are spread over several folders.
    """
    if file.uid:
        return file.uid == series.uid
    folders = {frame.path.parent for frame in series.frames}
    return len(folders) > 1 or file.path.parent in folders


def _astray(broken, places):
    """Return broken files that name a series and lie in none of its folders, by its UID: each copy may lack them."""
    folders, astray = defaultdict(set), defaultdict(list)
    for folder, uid in places:
        folders[uid].add(folder)
    for file in broken:
        if file.uid and folders[file.uid].isdisjoint(file.path.parents):
            astray[file.uid].append(file)
    return astray


def _below(files, folders):
    """Return which files lie below each folder, at any depth."""
    below = defaultdict(list)
    for file in files:
        for folder in file.path.parents:
            if folder in folders:
                below[folder].append(file)
    return below


def _name(uid):
    """The UID, or what is derived from one that is not well-formed, and could lead out of the destination."""
    return uid if UID(uid).is_valid else new_uid(uid, "folder")


def _copies(frames):
    """Split a series where it was copied: the folder of each copy."""
    folder = Path(os.path.commonpath([frame.path.parent for frame in frames]))
    places = {tuple(round(number, 2) for number in frame.place) for frame in frames}
    inside = {}
    for frame in frames:
        below = frame.path.relative_to(folder).parts
        inside.setdefault(below[0] if len(below) > 1 else "", []).append(frame)
    if len(places) == len(frames) or "" in inside:
        return [folder]
    return [copy for name in sorted(inside) for copy in _copies(inside[name])]


def _checked(settings, resume):
    """Return the settings for each series, or raise what would be wrong with all of them."""
    for name in settings:
        if name not in _SETTINGS:
            raise TypeError(f"{name}: expected one of the settings {', '.join(_SETTINGS)}")
    settings = _SETTINGS | settings
    of_all = {name: settings[name] for name in ("strength", "views", "overwrite")}
    check_options(**of_all, resume=resume)
    if settings["model"]:
        settings["model"] = full_name(settings["model"])
        loaded(settings["model"])
    # Also a new run goes on with files of its own: of a series whose worker was killed.
    return settings | {"resume": not settings["overwrite"]}


def _check_free(destination, may_hold_files):
    """Raise FileExistsError if a destination holds files and may not."""
    if destination.exists() and any(destination.iterdir()) and not may_hold_files:
        raise FileExistsError(
            f"{destination}: expected a new or an empty folder; it holds files (--overwrite, --resume)"
        )


def _denoised(scan, found, settings):
    """Denoise one series; return it, with what is wrong."""
    with _ONE_AT_A_TIME:
        try:
            known = {"series": scan.uid, "found": found}
            denoise_scan(scan.source, scan.destination, **known, **settings)
        except Exception as error:  # whatever it is, the other series go on
            return replace(scan, fault=reason_of(error))
    return scan


def _by_dask(scheduler):
    """Connect to a scheduler; return what does as `map`, in any order."""
    try:
        from distributed import Client, as_completed
    except ImportError as error:
        raise ValueError(
            "scheduler: expected the packages dask and distributed, which are not installed: pip install -e .[cluster]"
        ) from error
    try:
        client = Client(scheduler)
    except (OSError, ValueError) as error:
        raise ConnectionError(
            f"scheduler: expected the address of a running Dask scheduler, got {scheduler!r} ({reason_of(error)})"
        ) from error

    def spread(function, scans, found):
        with client:
            waiting = {
                client.submit(function, scan, its, pure=False): scan
                for scan, its in zip(scans, found)
            }
            for future in as_completed(list(waiting)):
                scan, error = waiting.pop(future), future.exception()
                # An error of Dask's own, such as KilledWorker where workers died again and again.
                yield future.result() if error is None else replace(scan, fault=reason_of(error))

    return spread
