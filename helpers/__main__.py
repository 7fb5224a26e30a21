"""`python -m helpers list` shows the CT series in a folder, `python -m helpers denoise` denoises one of them.

Both say what is wrong in one sentence: exit code 1 where a scan is refused, 2 where the command line is wrong, 130 after
an interruption.
"""

import argparse
import contextlib
import io
import sys

from .scans import denoise_archive, denoise_scan, failures, find_series


def _parser():
    parser = argparse.ArgumentParser(
        prog="python -m helpers", description="Denoise your own CT scans. Not for clinical use."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="denoise | list")
    denoise = commands.add_parser("denoise", help="denoise a DICOM series")
    add = denoise.add_argument
    add("source", help="a folder that holds a CT series, at any depth")
    add("destination", help="a new folder; files keep their names")
    model = "a shipped network or a .keras file (default ct_scan)"
    add("--model", default="ct_scan", help=model)
    strength = "share of the noise to remove, 0 to 1 (default 1)"
    add("--strength", type=float, default=1.0, help=strength)
    views = "8 for the mean of eight views, in eight times the time (default 1)"
    add("--views", type=int, choices=[1, 8], default=1, help=views)
    add("--series", metavar="UID", help="which series, where there are several")
    add("--overwrite", action="store_true", help="write into a folder that holds files")
    add("--resume", action="store_true", help="go on with an interrupted run")
    add("--dry-run", action="store_true", help="check everything, write nothing")
    add("--quiet", action="store_true", help="say nothing unless something is wrong")
    add("--recursive", action="store_true", help="denoise every series of an archive")
    scheduler = "with --recursive: spread the series over a running Dask scheduler"
    add("--scheduler", metavar="ADDRESS", help=scheduler)
    listing = commands.add_parser("list", help="show the CT series in a folder")
    listing.add_argument("source", help="a folder, of any depth")
    denoise.set_defaults(run=_denoise)
    listing.set_defaults(run=_list)
    return parser


def _list(options):
    found = find_series(options.source)
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
