"""`python -m helpers list` shows the CT series in a folder, `python -m helpers denoise` denoises a scan.

Both say what is wrong in one sentence: exit code 1 where a scan is refused, 2 where the command line is wrong, 130 after
an interruption. Whatever takes time to import is imported by the commands, so that an interruption is one also then.
"""

import argparse
import contextlib
import io
import sys
import warnings
from pathlib import Path


def _parser():
    parser = argparse.ArgumentParser(
        prog="python -m helpers", description="Denoise your own CT scans. Not for clinical use."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="denoise | list")
    denoise = commands.add_parser("denoise", help="denoise a scan")
    add = denoise.add_argument
    kinds = "a folder of DICOM files or pictures, a ZIP of one, a DICOM file, a NIfTI, NRRD or MetaImage volume"
    add("source", help=kinds + ", a picture")
    new = "what is to be made: a folder for DICOM or a folder of pictures, a file for a volume or a picture; "
    add("destination", help=new + "NAME.nii.gz converts DICOM")
    add(
        "--model",
        help="a shipped network, such as ct_scan, or a .keras file (default: what suits the scan)",
    )
    strength = "share of the noise to remove, 0 to 1 (default 1)"
    add("--strength", type=float, default=1.0, help=strength)
    views = "8 for the mean of eight views, in eight times the time (default 1)"
    add("--views", type=int, default=1, help=views)
    one_or_all = denoise.add_mutually_exclusive_group().add_argument
    one_or_all("--series", metavar="UID", help="which series, where there are several")
    one_or_all("--recursive", action="store_true", help="denoise every DICOM series of an archive")
    add("--save-noise", action="store_true", help="write what was removed, too")
    add("--preview", action="store_true", help="write a picture of one slice, before and after")
    anew_or_on = denoise.add_mutually_exclusive_group().add_argument
    anew_or_on("--overwrite", action="store_true", help="replace files that are there")
    anew_or_on("--resume", action="store_true", help="go on with an interrupted run")
    add("--dry-run", action="store_true", help="check what can be checked, write nothing")
    add("--quiet", action="store_true", help="say nothing unless something is wrong")
    scheduler = "with --recursive: spread the series over a running Dask scheduler"
    add("--scheduler", metavar="ADDRESS", help=scheduler)
    listing = commands.add_parser("list", help="show the CT series in a folder")
    listing.add_argument("source", help="a folder, of any depth, or a ZIP of one")
    denoise.set_defaults(run=_denoise, refuse=denoise.error)
    listing.set_defaults(run=_list)
    return parser


def _list(options):
    from .scans.sources import searched

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
        for file in found.broken:
            print(f"broken: {file.fault}")
        if not found.series:
            raise ValueError(f"{options.source}: expected CT slices, found none")


def _check(options):
    """Leave with exit code 2 where options are wrong, whatever the scan."""
    from .scans.run import check_options

    try:
        check_options(options.strength, options.views, options.overwrite, options.resume)
        if options.scheduler and not options.recursive:
            raise ValueError("scheduler: expected together with --recursive")
        if options.model:
            from .models.pretrained import weights_file

            weights_file(options.model)
    except ValueError as error:
        options.refuse(str(error))


def _denoise(options):
    _check(options)
    from .scans.run import denoise_scan

    others = ("command", "quiet", "run", "refuse", "recursive", "scheduler")
    settings = {key: value for key, value in vars(options).items() if key not in others}
    if options.recursive:
        return _denoise_archive(options, settings)
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
    from .scans.archive import denoise_archive, failures

    del settings["series"]
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
    except KeyboardInterrupt:
        on = "; --resume goes on" if options.command == "denoise" else ""
        print(f"interrupted{on}", file=sys.stderr)
        return 130
    except Exception as error:
        said = str(error)
        if not isinstance(error, (ValueError, OSError)):  # one that this program does not know
            from .checks import reason_of

            said = f"{type(error).__name__}: {reason_of(error)}"
        print(f"python -m helpers {options.command}: {said}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
