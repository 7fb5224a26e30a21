"""Denoise one scan: from a source to a destination of the same kind, so that nothing is lost whatever happens."""

import functools
from pathlib import Path

import numpy as np

from ..checks import check_number
from ..contract import about
from ..models import pretrained_denoiser, self_ensemble
from ..progress import ProgressLine
from .dicom import DicomVolume
from .journal import Journal
from .series import choose_series, find_series
from .stream import removed_noise

_LEAST = 5  # slices that a network of five wants


def denoise_scan(
    source,
    destination,
    *,
    model="ct_scan",
    strength=1.0,
    views=1,
    series=None,
    overwrite=False,
    resume=False,
    dry_run=False,
):
    """Denoise the slices of a DICOM series, and write them as a derived series of the same study.

    The network sees the window of `hounsfield.window`. What it removes is subtracted from the original Hounsfield
    units; values outside the window stay bit for bit, and so does everything at a strength of 0. The files of the
    source are only read. Not for clinical use.

    Parameters
    ----------
    source : str or Path
        A folder, of any depth, that holds a CT series.
    destination : str or Path
        A folder that is not there yet, or is empty. Each file gets the name that it has in the source.
    model : str or Path
        A name or path for `models.pretrained_denoiser`.
    strength : float
        Share of the noise to remove, 0 to 1.
    views : int
        1, or 8 for the mean of eight views (`models.self_ensemble`), in eight times the time.
    series : str, optional
        SeriesInstanceUID; needed where there are several.
    overwrite : bool
        Write into a destination that holds files; files of the same names are replaced.
    resume : bool
        Go on with a run of the same arguments that was interrupted.
    dry_run : bool
        Check everything and write nothing.

    Returns
    -------
    dict
        What is also written to `denoise.json` in the destination: "made_by" (model, weights and options), "series", "slices", and
        under "files", for each slice, its file, and in HU the standard deviation of what was removed and the shift of the mean.
        Of a dry run, the first three.

    Raises
    ------
    ValueError
        If the source holds no series that can be denoised, or an argument is out of its range; the sentence names the file
        or the argument.
    FileNotFoundError, FileExistsError
        If there is no source, or the destination holds files.
    OSError
        If a file cannot be written.

    References
    ----------
    DICOM PS3.3, C.12.4.1, for what a derived image says of its source.

    Examples
    --------
    >>> denoise_scan("scans/patient_7", "denoised/patient_7")["slices"]  # doctest: +SKIP
    320
    """
    strength = check_number(strength, "strength", 0, 1)
    if views not in (1, 8):
        raise ValueError(f"views: expected 1 or 8, got {views!r}")
    if overwrite and resume:
        raise ValueError("resume: expected either overwrite or resume, got both")
    source, destination = Path(source), Path(destination)
    found = find_series(source)
    chosen = choose_series(found, source, series)
    check_apart(source, destination)
    denoiser, name = loaded(model), str(model)
    _check_volume(denoiser, chosen, name)
    weights = about(denoiser).version
    made_by = f"{Path(name).stem} {weights}, strength {strength:g}, views {views}"
    numbers = {one.number for one in found.series}
    volume = DicomVolume(chosen, source, next(n for n in range(1001, 10**6) if n not in numbers))
    _check_content(volume)
    plan = {"made_by": made_by, "series": chosen.uid, "slices": volume.count}
    if dry_run:
        return plan
    journal = Journal(destination, plan, overwrite=overwrite, resume=resume)
    if views == 8:
        denoiser = self_ensemble(denoiser)
    save = volume.writer(destination, made_by)
    with ProgressLine() as line:
        stream = removed_noise(
            denoiser, volume.read, volume.count, strength=strength, skip=journal.has
        )
        for index, removed in stream:
            journal.add(index, str(volume.name(index)), removed)
            if save(index, removed):
                journal.keep(str(volume.name(index)))
            line.update(f"{index + 1} of {volume.count} slices")
    return journal.finish()


def loaded(model):
    """Load a network once for many scans; a file of weights again when it has changed."""
    path = Path(model)
    return _loaded(str(model), path.stat().st_mtime_ns if path.is_file() else None)


@functools.lru_cache(maxsize=1)
def _loaded(model, changed):
    return pretrained_denoiser(model)


def _check_volume(denoiser, series, name):
    """Raise ValueError where a network of neighbouring slices would see no neighbours."""
    if about(denoiser).volume:
        which = None
        if len(series.frames) < _LEAST:
            which = f"has {len(series.frames)} slices"
        elif series.tilted:
            which = "has slices that are shifted against each other, as by a tilted gantry"
        elif not series.even:
            which = "has slices at uneven distances, as if one were missing"
        if which:
            raise ValueError(
                f"model: expected a network of single slices, such as ct_scan: series {series.uid} {which}, got {name}"
            )


def check_apart(source, destination):
    """Raise ValueError if a destination lies in its source, or the other way round."""
    inner, outer = destination.resolve(), source.resolve()
    if inner == outer or outer in inner.parents or inner in outer.parents:
        raise ValueError(f"{destination}: expected a folder outside of the source, {source}")


def _check_content(volume):
    """Raise ValueError if a scan shows nothing: one value in its first, middle and last slice."""
    values = [volume.read(index) for index in {0, volume.count // 2, volume.count - 1}]
    if min(map(np.min, values)) == max(map(np.max, values)):
        raise ValueError(
            f"{volume.name(0)}: expected an image, all pixels are {values[0].flat[0]:g} HU"
        )
