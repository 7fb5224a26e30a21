"""Denoise one scan: from a source to a destination of the same kind, so that nothing is lost whatever happens."""

import contextlib
import functools
import importlib
import os
import time
from importlib import metadata
from pathlib import Path

import numpy as np

from ..checks import check_number
from ..contract import about
from ..progress import ProgressLine
from ..replaced import UNFINISHED
from .journal import Journal
from .preview import write_preview
from .sources import lonely, model_for, opened, remarks
from .spool import WAITING
from .stream import NOISE_FOLDER, removed_noise

_OWN = ("denoise.json", "denoise.notes", "denoise.preview.png")  # what a run writes beside slices
_NOT_COMPLETE = (UNFINISHED, WAITING)  # ends of the names of files that are not complete yet


def denoise_scan(
    source,
    destination,
    *,
    model=None,
    strength=1.0,
    views=1,
    series=None,
    found=None,
    save_noise=False,
    preview=False,
    overwrite=False,
    resume=False,
    dry_run=False,
):
    """Denoise a scan, and write what is left as a scan of the same kind.

    The network sees the window of `hounsfield.window`, or the grey levels of pictures. What it removes is subtracted from
    the original values; values outside the window stay bit for bit, and so does everything at a strength of 0. The
    source is only read. Not for clinical use.

    Parameters
    ----------
    source : str or Path
        A folder, of any depth, that holds a CT series as DICOM files, or grey pictures (PNG, TIFF, JPEG); a ZIP archive of
        such a folder; one DICOM file, of one slice or many; a NIfTI, NRRD or MetaImage volume in Hounsfield units; or a
        picture.
    destination : str or Path
        What is not there yet. For DICOM files, a folder, in which each file gets the name that it has in the source; or
        a name that ends in .nii.gz or .nii, to convert. For a volume, a name that ends like the source's. For
        pictures, a folder, or a file for a file; JPEG is written as PNG, without loss.
    model : str or Path, optional
        A name or path for `models.pretrained_denoiser`; by default what suits the scan (`sources.model_for`).
    strength : float
        Share of the noise to remove, 0 to 1.
    views : int
        1, or 8 for the mean of eight views (`models.self_ensemble`), in eight times the time.
    series : str, optional
        SeriesInstanceUID; needed where there are several.
    found : data.series.Found, optional
        What `find_series` found in the source, if it has been searched already; it is not searched again.
    save_noise : bool
        Write what was removed, too: into the folder `noise` in the destination, or beside a file.
    preview : bool
        Write a picture of the middle slice, before and after: `denoise.preview.png`.
    overwrite : bool
        Write into a destination that holds files; files of the same names are replaced.
    resume : bool
        Go on with a run of the same arguments that was interrupted.
    dry_run : bool
        Write nothing, and check what can be checked before: the arguments, the destination, the headers of all slices
        and the pixels of three.

    Returns
    -------
    dict
        What is also written to `denoise.json` in the destination, or beside it: "made_by" (model, weights and options in
        short), "series", "slices", "save_noise", "versions" of the packages that made, read and wrote the values, of
        DICOM files "series_numbers", "weights" (the sha256 of their file), "options" (model, strength, views), "remarks"
        on the scan, and under "files", for each slice, its file, and the standard deviation of what was removed and the
        shift of the mean, in HU or grey levels. Of a dry run, all but "files".

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
    strength = check_options(strength, views, overwrite, resume)
    source, destination = Path(source), Path(destination)
    with opened(source, series, found) as (scan, left_out):
        name = full_name(model or model_for(scan.series))
        denoiser, weights = loaded(name)
        if alone := lonely(scan.series, about(denoiser).neighbours):
            raise ValueError(
                "model: expected a network of single slices, such as ct_scan: "
                f"{scan.label} {alone}, got {name}"
            )
        share = repr(strength).removesuffix(".0")  # all its digits: new identifiers depend on them
        made_by = f"{Path(name).stem} {about(denoiser).version}, strength {share}, views {views}"
        writer = scan.writer(destination, made_by, save_noise)
        _check_targets(source, scan, writer, save_noise)
        _check_content(scan)
        told = {
            "weights": weights,
            "options": {"model": name, "strength": strength, "views": views},
            "remarks": remarks(scan.series, left_out),
        }
        plan = {
            "made_by": made_by,
            "series": scan.label,
            "slices": scan.count,
            "save_noise": save_noise,
            "versions": _versions((*scan.readers, *writer.packages)),
            **writer.noted,
        }
        journal = Journal(writer, plan, scan.unit, overwrite=overwrite, resume=resume)
        if dry_run:
            return plan | told
        journal.begin()
        if views == 8:
            from ..models import self_ensemble

            denoiser = self_ensemble(denoiser)
        _denoise(scan, writer, journal, denoiser, strength)
        if preview:
            write_preview(Path(f"{journal.beside}.preview.png"), scan, denoiser, strength)
        return journal.finish(told)


def check_options(strength, views, overwrite, resume):
    """Return the strength as float, or raise ValueError if an option is wrong for any scan.

    >>> check_options(1, 8, False, True)
    1.0
    """
    if views not in (1, 8):
        raise ValueError(f"views: expected 1 or 8, got {views!r}")
    if overwrite and resume:
        raise ValueError("resume: expected either overwrite or resume, got both")
    return check_number(strength, "strength", 0, 1)


def _versions(others):
    """Return the versions of the packages that make the values, and of others: {package: version}; None if it has none."""
    from .._keras import keras

    backend = keras.backend.backend()  # tensorflow, jax or torch: it is called like its package
    packages = ("helpers", "keras", backend, "numpy")
    found = {package: importlib.import_module(package).__version__ for package in packages}
    for package in others:
        found[package] = None
        with contextlib.suppress(metadata.PackageNotFoundError):  # installed under another name
            found[package] = metadata.version(package)
    return found


def full_name(model):
    """Return the name of a shipped network, or the path of another one, the same in every folder.

    >>> full_name("ct_scan"), Path(full_name("mine.keras")).is_absolute()
    ('ct_scan', True)
    """
    return os.path.abspath(model) if str(model).endswith(".keras") else str(model)


def loaded(model):
    """Load a network once for many scans, also where two take turns; a file of weights again when it has changed.

    Return the denoiser, and the sha256 of its weights.
    """
    path = Path(model)
    return _loaded(str(model), path.stat().st_mtime_ns if path.is_file() else None)


@functools.lru_cache(maxsize=2)  # of an archive, some scans suit `ct_scan`, others `ct_scan_25d`
def _loaded(model, changed):
    # With Keras: `list`, and what is refused, do without.
    from ..models import pretrained_denoiser
    from ..models.pretrained import weights_digest

    return pretrained_denoiser(model), weights_digest(model)


def _denoise(scan, writer, journal, denoiser, strength):
    """Go through all slices that are not done yet."""
    settings = {"strength": strength, "skip": journal.has, "ends": scan.ends}
    begun, left = time.monotonic(), scan.count - len(journal.done)
    with ProgressLine() as line:
        stream = removed_noise(denoiser, scan.read, scan.count, **settings)
        for number, (index, removed) in enumerate(stream, 1):
            writer.save(index, removed)
            journal.add(index, writer.name(index), removed)
            seconds = (time.monotonic() - begun) / number * (left - number)
            line.update(f"{index + 1} of {scan.count} slices, {seconds / 60:.0f} min left")
        writer.finish()


def check_apart(source, destination):
    """Raise ValueError if a destination lies in its source, or the other way round; OSError if links lead in a circle."""
    inner, outer = _resolved(destination), _resolved(source)
    if inner == outer or outer in inner.parents or inner in outer.parents:
        raise ValueError(f"{destination}: expected a folder outside of the source, {source}")


def _resolved(path):
    """Follow all links; the end of the path may not be there yet."""
    try:
        return Path(os.path.realpath(path, strict=True))
    except FileNotFoundError:
        return Path(os.path.realpath(path))


def _check_targets(source, scan, writer, save_noise):
    """Raise ValueError if a file would be written into the source, or over another one of this run."""
    folders = set()
    for index in range(0 if writer.is_file else scan.count):
        path = Path(scan.name(index))
        name = str(path).lower()  # on some systems, capitals make no other file
        if save_noise and path.parts[0].lower() == NOISE_FOLDER:
            raise ValueError(
                f"{path}: expected another folder, {NOISE_FOLDER} is where the noise goes"
            )
        if name in _OWN or name.endswith(_NOT_COMPLETE):
            raise ValueError(f"{path}: expected another name, this program has files of that name")
        folders.add(path.parent)
    kinds = [writer.destination, writer.destination / NOISE_FOLDER][: 1 + save_noise]
    for place in (*writer.files, *(kind / folder for kind in kinds for folder in folders)):
        check_apart(source, place)


def _check_content(scan):
    """Raise ValueError if a scan shows nothing: one value in its first, middle and last slice."""
    values = [scan.read(index) for index in {0, scan.count // 2, scan.count - 1}]
    if min(map(np.min, values)) == max(map(np.max, values)):
        unit = {"hu": " HU"}.get(scan.unit, "")
        raise ValueError(
            f"{scan.name(0)}: expected an image, all pixels are {values[0].flat[0]:g}{unit}"
        )
