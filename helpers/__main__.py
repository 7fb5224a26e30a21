"""`python -m helpers list` shows the CT series in a folder, `python -m helpers denoise` denoises a scan.

Both say what is wrong in one sentence: exit code 1 where a scan is refused, 2 where the command line is wrong, 130 after
an interruption.
"""

import argparse
import contextlib
import io
import sys
import warnings
from pathlib import Path

from .scans.archive import denoise_archive, failures
from .scans.run import denoise_scan
from .scans.sources import searched


def _parser():
    parser = argparse.ArgumentParser(
        prog="python -m helpers", description="Denoise your own CT scans. Not for clinical use."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="denoise | list")
    denoise = commands.add_parser("denoise", help="denoise a scan")
    add = denoise.add_argument
    kinds = "a folder of DICOM files or pictures, a ZIP of one, a DICOM file, a NIfTI, NRRD or MetaImage volume"
    add("source", help=kinds + ", a picture")
    new = "what is to be made: a folder for a folder, a file for a file; NAME.nii.gz converts DICOM"
    add("destination", help=new)
    add("--model", help="a shipped network or a .keras file (default: what suits the scan)")
    strength = "share of the noise to remove, 0 to 1 (default 1)"
    add("--strength", type=float, default=1.0, help=strength)
    views = "8 for the mean of eight views, in eight times the time (default 1)"
    add("--views", type=int, choices=[1, 8], default=1, help=views)
    add("--series", metavar="UID", help="which series, where there are several")
    add("--save-noise", action="store_true", help="write what was removed, too")
    add("--preview", action="store_true", help="write a picture of one slice, before and after")
    add("--overwrite", action="store_true", help="replace files that are there")
    add("--resume", action="store_true", help="go on with an interrupted run")
    add("--dry-run", action="store_true", help="check everything, write nothing")
    add("--quiet", action="store_true", help="say nothing unless something is wrong")
    add("--recursive", action="store_true", help="denoise every series of an archive")
    scheduler = "with --recursive: spread the series over a running Dask scheduler"
    add("--scheduler", metavar="ADDRESS", help=scheduler)
    listing = commands.add_parser("list", help="show the CT series in a folder")
    listing.add_argument("source", help="a folder, of any depth, or a ZIP of one")
    denoise.set_defaults(run=_denoise)
    listing.set_defaults(run=_list)
    return parser


def _list(options):
    with searched(Path(options.source)) as (_, found):
        if found is None:
            raise ValueError(f"{options.source}: expected DICOM files; this has no series to list")
        for series in found.series:
            height, width = series.shape
            step = "" if series.step_mm is None else f", {series.step_mm:g} mm apart"
            step += "" if series.even or series.step_mm is None else " unevenly"
            step += ", tilted" * series.tilted
            print(series.uid)
            print(f"    {len(series.frames)} slices of {height} x {width}{step}")
            print(f"    pixels of {series.pixel_mm[0]:g} x {series.pixel_mm[1]:g} mm")
            if series.description:
                print(f"    {series.description}")
            if series.fault:
                print(f"    cannot be denoised: {series.fault}")
        for what, count in found.left_out.items():
            print(f"left out: {count} {what}")
        for sentence in found.broken:
            print(f"broken: {sentence}")
        if not found.series:
            raise ValueError(f"{options.source}: expected CT slices, found none")


def _denoise(options):
    others = ("command", "quiet", "run", "recursive", "scheduler")
    settings = {key: value for key, value in vars(options).items() if key not in others}
    if options.recursive:
        return _denoise_archive(options, settings)
    if options.scheduler:
        raise ValueError("scheduler: expected together with --recursive")
    if options.quiet:
        with contextlib.redirect_stderr(io.StringIO()):  # no terminal, no progress line
            denoise_scan(**settings)
        return
    report = denoise_scan(**settings)
    for remark in report["remarks"]:
        print(remark)
    print(f"{report['slices']} slices, {report['made_by']}")
    if not options.dry_run:
        print(f"written to {options.destination}. Not for clinical use.")


def _denoise_archive(options, settings):
    if settings.pop("series"):
        raise ValueError("series: expected no name, as all series are denoised")
    with contextlib.redirect_stderr(io.StringIO()) if options.quiet else contextlib.nullcontext():
        scans = denoise_archive(**settings, scheduler=options.scheduler)
    failed = [scan for scan in scans if scan.fault]
    if failed:
        raise ValueError(
            f"{len(failed)} of {len(scans)} failed, --resume tries them again\n{failures(failed)}"
        )
    if not options.quiet:
        print(f"{len(scans)} series, {sum(scan.slices for scan in scans)} slices")


def main(arguments=None):
    """Run a command, and return its exit code.

    >>> main(["list", "no such folder"])
    1
    """
    options = _parser().parse_args(arguments)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # those of pydicom may show what identifies a patient
            options.run(options)
    except (ValueError, OSError) as error:
        print(f"python -m helpers {options.command}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; --resume goes on", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
