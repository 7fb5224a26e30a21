"""helpers.scans.archive: every series of an archive, one that fails stops nothing, a killed worker loses nothing."""

import json
import os
import pickle
import re
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pydicom
import pytest
from scans_of_tests import contents, image_file, write

from helpers import models
from helpers.__main__ import main
from helpers.data.series import find_series
from helpers.scans import denoise_archive, denoise_scan, run

MODEL = "ct_unet_small"
ROOT = Path(__file__).parents[2]


def series(folder, uid, count=3, **attributes):
    """Write a series into a folder, beside what is there; its files are called after it."""
    for path in write(
        folder / "new", [image_file(k, series=uid, **attributes) for k in range(count)]
    ):
        path.rename(folder / f"{uid}-{path.name}")
    (folder / "new").rmdir()


@pytest.fixture
def archive(tmp_path, scan):
    """Two series in one folder, one in two folders, and one of them in a copy of these."""
    folder = tmp_path / "archive"
    series(folder / "p1", "1.1", 4, SeriesNumber=1)
    series(folder / "p1", "1.2", SeriesNumber=2)
    for name in ("p2", "p3"):
        for half in ("a", "b"):
            (folder / name / half).mkdir(parents=True)
            for path in (scan / half).iterdir():
                (folder / name / half / path.name).write_bytes(path.read_bytes())
    (folder / "note.txt").write_text("not an image")
    return folder


def test_each_series_has_a_folder_of_its_own(archive, tmp_path):
    before = contents(archive)
    scans = denoise_archive(archive, tmp_path / "out", model=MODEL)
    assert contents(archive) == before
    places = {"p1/1.1": 4, "p1/1.2": 3, "p2/1.2.3.4": 7, "p3/1.2.3.4": 7}
    found = {str(one.destination.relative_to(tmp_path / "out")): one for one in scans}
    assert {name: one.slices for name, one in found.items()} == places
    for name, one in found.items():
        denoise_scan(one.source, tmp_path / "alone" / name, model=MODEL, series=one.uid)
    assert contents(tmp_path / "out") == contents(tmp_path / "alone")
    assert "p2/1.2.3.4/a/image03.dcm" in contents(tmp_path / "out")


def test_each_header_is_read_once_before_the_run(archive, tmp_path, monkeypatch):
    """Also where many series share a folder."""
    from helpers.data import series as module

    read, header_of = [], module.header_of
    monkeypatch.setattr(module, "header_of", lambda path: read.append(path) or header_of(path))
    scans = denoise_archive(archive, tmp_path / "out", model=MODEL, dry_run=True)
    assert not any(scan.fault for scan in scans)
    assert sorted(read) == sorted(path for path in archive.rglob("*") if path.is_file())


def test_what_is_handed_on_is_what_the_folder_holds(archive, tmp_path, monkeypatch):
    """Its series and no other, what is left out beside it, what of it is broken, the numbers of its study."""
    from helpers.scans import archive as module

    localiser = {"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"], "SeriesNumber": 1001}
    write(archive / "p1" / "more", [image_file(0, series="1.3", **localiser)])
    write(archive / "p4", [image_file(0, series="4.1", StudyInstanceUID="4", SeriesNumber=7)])
    (archive / "p3" / "x.dcm").write_text("hello")
    handed = []
    monkeypatch.setattr(
        module, "_denoised", lambda scan, found, settings: handed.append((scan, found)) or scan
    )
    denoise_archive(archive, tmp_path / "out")
    assert len(handed) == 5
    for scan, found in handed:
        alone = find_series(scan.source)
        own = {"series": found.series, "taken": found.taken}
        assert replace(alone, **own) == found == pickle.loads(pickle.dumps(found))
        assert found.series == tuple(one for one in alone.series if one.uid == scan.uid)
        numbers = [number for _, _, number in found.taken]
        assert sorted(numbers) == ([7] if scan.uid == "4.1" else [1, 2, 3, 1001])
    assert [len(found.broken) for _, found in handed] == [0, 1, 0, 0, 0]


@pytest.mark.parametrize(
    ("place", "uid", "failing"),
    [
        ("p1", "1.1", ["p1/1.1"]),
        ("p1", "", ["p1/1.1", "p1/1.2"]),
        ("p1", "9.9", []),
        ("p1/deep", "", []),
        ("p1/deep", "1.1", ["p1/1.1"]),
        ("", "", []),
        ("p2", "", ["p2/1.2.3.4"]),
        ("p2/a", "", ["p2/1.2.3.4"]),
        ("p2/c", "", ["p2/1.2.3.4"]),
        ("p2/c", "1.2.3.4", ["p2/1.2.3.4"]),
        ("p2/c", "1.1", ["p1/1.1"]),
        ("p4", "1.2.3.4", ["p2/1.2.3.4", "p3/1.2.3.4"]),
    ],
)
def test_a_broken_file_fails_what_it_may_belong_to(place, uid, failing, archive, tmp_path):
    """What it names; if it names none, what lies in its folder, or in several of which one holds it."""
    folder = archive / place
    (path,) = write(folder / "new", [image_file(9, series=uid or "9.9")])
    path = path.rename(folder / "x.dcm")
    path.write_bytes(path.read_bytes()[:-99] if uid else b"hello")
    scans = denoise_archive(archive, tmp_path / "out", model=MODEL, dry_run=True)
    failed = [scan for scan in scans if scan.fault]
    assert all(scan.fault.startswith(f"{path}: expected a complete DICOM") for scan in failed)
    names = [str(scan.destination.relative_to(tmp_path / "out")) for scan in failed]
    assert sorted(names) == (failing or ["."]) and len(scans) == 4 + (not failing)


def test_the_derived_series_of_a_study_have_numbers_of_their_own(archive, tmp_path):
    """Wherever they lie in the archive, and also where they are denoised one by one; copies have the same."""
    series(archive / "p2", "5.1", 2, SeriesNumber=1001)
    options = {"model": MODEL, "save_noise": True}
    scans = denoise_archive(archive, tmp_path / "out", **options)
    numbers = {}
    for path in (tmp_path / "out").rglob("*.dcm"):
        file = pydicom.dcmread(path)
        numbers.setdefault(file.SeriesInstanceUID, set()).add(file.SeriesNumber)
    expected = [{1002}, {1003}, {2001}, {2002}, {2003}, {3001}, {4001}, {5001}]
    assert sorted(numbers.values(), key=min) == expected and not any(one.fault for one in scans)
    for uid in ("1.1", "1.2"):
        denoise_scan(archive / "p1", tmp_path / uid, series=uid, **options)
    new = [pydicom.dcmread(next((tmp_path / uid).glob("*.dcm"))) for uid in ("1.1", "1.2")]
    assert [file.SeriesNumber for file in new] == [1001, 1002]


def test_a_link_from_the_destination_into_the_archive_is_refused(archive, tmp_path):
    before = contents(archive)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "p1").symlink_to(archive / "p2")
    with pytest.raises(ValueError, match="1.1: expected a folder outside of the source"):
        denoise_archive(archive, tmp_path / "out", model=MODEL, overwrite=True)
    assert contents(archive) == before


def test_the_network_is_loaded_once(archive, tmp_path, monkeypatch):
    loads, load = [], models.pretrained_denoiser
    monkeypatch.setattr(
        models, "pretrained_denoiser", lambda name: loads.append(name) or load(name)
    )
    run._loaded.cache_clear()
    weights = tmp_path / "mine.keras"
    weights.write_bytes((ROOT / "helpers/weights/ct_unet_small.keras").read_bytes())
    for destination in ("a", "b"):
        denoise_archive(archive, tmp_path / destination, model=weights)
    assert loads == [str(weights)]
    os.utime(weights, (1, 1))  # trained anew
    denoise_archive(archive, tmp_path / "c", model=weights)
    assert loads == [str(weights)] * 2


def test_two_networks_that_take_turns_are_loaded_once(tmp_path, monkeypatch):
    """By size the series come as 1.0, 1.1, 1.2, 1.3; of two, the slices lie too far apart for neighbours."""
    loads, load = [], models.pretrained_denoiser
    monkeypatch.setattr(
        models, "pretrained_denoiser", lambda name: loads.append(name) or load(name)
    )
    run._loaded.cache_clear()
    for number, step in enumerate((1, 9, 1, 9)):
        places = [[0, 0, step * k] for k in range(9 - number)]
        files = [
            image_file(k, series=f"1.{number}", ImagePositionPatient=place)
            for k, place in enumerate(places)
        ]
        write(tmp_path / "archive" / str(number), files)
    scans = denoise_archive(tmp_path / "archive", tmp_path / "out", dry_run=True)
    assert [scan.slices for scan in scans] == [9, 8, 7, 6] and not any(one.fault for one in scans)
    assert loads == ["ct_scan_25d", "ct_scan"]


def test_a_series_that_fails_stops_nothing(archive, tmp_path, capsys):
    """A hole in a header, a file that is none, and a file that is none where no series lies."""
    series(archive / "p4", "4.1", RescaleSlope=0)
    series(archive / "p5", "5.1", 2, PatientName="Secret^Name")
    (archive / "p5" / "x.dcm").write_text("hello")
    (archive / "p6").mkdir()
    (archive / "p6" / "y.dcm").write_text("hello")
    command = ["denoise", str(archive), str(tmp_path / "out"), "--recursive", "--model", MODEL]
    assert main(command) == 1
    captured = capsys.readouterr()
    first, header, *rows = captured.err.splitlines()
    assert first == "python -m helpers denoise: 5 of 9 failed, --resume tries them again"
    assert header.split() == ["series", "|", "folder", "|", "why"]
    assert len({row.index("|") for row in (header, *rows)}) == 1  # a column
    assert [row.split(" | ")[0].strip() for row in rows] == ["5.1", "-", "-", "-", "-"]
    for part in ("p5/x.dcm", "p6/y.dcm", "4.1-image03.dcm", "4.1-image10.dcm", "4.1-image17.dcm"):
        assert sum(part in row for row in rows) == 1
    assert "Secret" not in captured.err + captured.out and "4711" not in captured.err
    assert len(list((tmp_path / "out").rglob("denoise.json"))) == 4


def test_a_header_that_makes_no_sense_stops_nothing(tmp_path, capsys):
    """A SeriesNumber that is none is replaced; atomic numbers are no Hounsfield units."""
    archive = tmp_path / "archive"
    for uid, attributes in (("1.1", {"SeriesNumber": 123456}), ("1.2", {"RescaleType": "Z_EFF"})):
        (archive / uid).mkdir(parents=True)
        series(archive / uid, uid, 2, **attributes)
    for path in (archive / "1.1").iterdir():
        path.write_bytes(path.read_bytes().replace(b"123456", b"abcdef"))
    command = ["denoise", str(archive), str(tmp_path / "out"), "--recursive", "--model", MODEL]
    assert main(command) == 1
    first, _, row = capsys.readouterr().err.splitlines()
    assert first.endswith("1 of 2 failed, --resume tries them again")
    assert row.startswith("1.2 ") and "1.2-image03.dcm: expected Hounsfield units, its" in row
    (new, other) = sorted((tmp_path / "out" / "1.1" / "1.1").glob("*.dcm"))
    assert pydicom.dcmread(new).SeriesNumber == pydicom.dcmread(other).SeriesNumber == 1000
    assert not (tmp_path / "out" / "1.2").exists()
    assert main(["list", str(archive)]) == 0


def test_the_progress_line_tells_the_time_left(tmp_path, capsys, monkeypatch):
    """Four of five slices took four minutes."""
    from helpers.scans import archive as module

    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    clock = SimpleNamespace(monotonic=iter([0, 240, 300]).__next__)
    monkeypatch.setattr(module, "time", clock)
    monkeypatch.setattr(module, "_denoised", lambda scan, found, settings: scan)
    for uid, count in (("1.1", 4), ("1.2", 1)):
        (tmp_path / "archive" / uid).mkdir(parents=True)
        series(tmp_path / "archive" / uid, uid, count)
    denoise_archive(tmp_path / "archive", tmp_path / "out")
    shown = capsys.readouterr().err
    assert "1 of 2 series, 0 failed, 1 min left" in shown
    assert "2 of 2 series, 0 failed, 0 min left" in shown


@pytest.mark.filterwarnings("ignore:Invalid value for VR UI")
@pytest.mark.parametrize("uid", ["../../../evil", "..", "/tmp/evil", "a/b", "1.2\\n", ""])
def test_a_hostile_name_of_a_series_stays_in_the_destination(uid, tmp_path):
    folder = tmp_path / "hostile"
    write(folder / "p", [image_file(k, SeriesInstanceUID=uid) for k in range(2)])
    before = contents(tmp_path)
    (scan,) = denoise_archive(folder, tmp_path / "out" / "deep", model=MODEL)
    assert not scan.fault
    assert scan.destination.parent == tmp_path / "out" / "deep" / "p"
    assert re.fullmatch(r"[0-9.]+", scan.destination.name)
    written = contents(tmp_path).keys() - before.keys()
    assert len(written) == 3
    assert all(name.startswith(f"out/deep/p/{scan.destination.name}/") for name in written)


def test_resume_does_what_is_missing(archive, tmp_path, monkeypatch, capsys):
    from helpers.scans import dicom

    denoise_archive(archive, tmp_path / "whole", model=MODEL)
    written, write_image = [], dicom.write_image

    def stopped(file, header, pixels):
        write_image(file, header, pixels)
        written.append(file.name)
        if len(written) == 9:
            raise KeyboardInterrupt

    monkeypatch.setattr(dicom, "write_image", stopped)
    command = ["denoise", str(archive), str(tmp_path / "out"), "--recursive", "--model", MODEL]
    assert main(command) == 130
    assert main(command) == 1
    assert "expected a new or an empty folder" in capsys.readouterr().err
    assert main([*command, "--resume"]) == 0
    assert len(written) == 22
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")
    assert main([*command, "--resume"]) == 0 and len(written) == 22
    series(archive / "p7", "7.1", 1)
    assert main([*command, "--resume"]) == 0 and len(written) == 23
    assert main([*command, "--overwrite"]) == 0 and len(written) == 23 + 22
    assert capsys.readouterr().out.splitlines()[-1] == "5 series, 22 slices"


def test_a_run_that_was_killed_before_its_first_note(scan, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "denoise.notes.unfinished").write_text('{"made')
    denoise_scan(scan, tmp_path / "out", model=MODEL, resume=True)
    denoise_scan(scan, tmp_path / "whole", model=MODEL)
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


def test_a_dry_run_writes_nothing(archive, tmp_path, capsys):
    command = ["denoise", str(archive), str(tmp_path / "out"), "--recursive", "--model", MODEL]
    assert main([*command, "--dry-run"]) == 0
    assert not (tmp_path / "out").exists()
    assert main([*command, "--dry-run", "--quiet"]) == 0
    assert capsys.readouterr() == ("4 series, 21 slices\n", "")


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"strength": 2}, ValueError, r"strength: expected a number in \[0, 1\], got 2"),
        ({"strength": None}, ValueError, r"strength: expected a number in \[0, 1\], got None"),
        ({"views": 3}, ValueError, "views: expected 1 or 8, got 3"),
        ({"views": "8"}, ValueError, "views: expected 1 or 8, got '8'"),
        ({"model": "resnet"}, ValueError, "name: expected one of .*, got 'resnet'"),
        ({"model": 7}, ValueError, "name: expected one of .*, got '7'"),
        (
            {"overwrite": True, "resume": True},
            ValueError,
            "resume: expected either overwrite or resume, got both",
        ),
        ({"view": 8}, TypeError, "view: expected one of the settings model, strength, .*"),
        ({"series": "1.1"}, TypeError, "series: expected one of the settings model, .*"),
        ({"found": None}, TypeError, "found: expected one of the settings model, .*"),
    ],
)
def test_bad_settings(settings, error, message, archive, tmp_path):
    """Refused at once, not series by series: no folder is looked at, no scheduler called."""
    with pytest.raises(error, match=f"^{message}$"):
        denoise_archive(archive / "none", tmp_path / "out", scheduler="a:1", **settings)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("source", "destination", "message"),
    [
        ("archive", "archive/out", "expected a folder outside of the source"),
        ("nothing", "out", "nothing: no such folder"),
        ("archive/note.txt", "out", "note.txt: expected a folder, got a file"),
        ("empty", "out", "empty: expected CT slices, found none .left out: 1 file that is not"),
    ],
)
def test_bad_folders(source, destination, message, archive, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "note.txt").write_text("not an image")
    with pytest.raises((ValueError, OSError), match=message):
        denoise_archive(tmp_path / source, tmp_path / destination, model=MODEL)
    assert not (tmp_path / destination).exists()


def test_without_dask(archive, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "distributed", None)
    command = ["denoise", str(archive), str(tmp_path / "out"), "--recursive", "--scheduler", "a:1"]
    assert main(command) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "expected the packages dask and distributed, which are not installed" in line


@pytest.mark.slow
def test_without_a_scheduler(archive, tmp_path, capsys):
    dask = pytest.importorskip("dask")
    pytest.importorskip("distributed")
    with dask.config.set({"distributed.comm.timeouts.connect": "1s"}):
        command = ["denoise", str(archive), str(tmp_path / "out"), "--recursive"]
        assert main([*command, "--scheduler", "127.0.0.1:9"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "expected the address of a running Dask scheduler, got '127.0.0.1:9'" in line


def until(condition, what):
    """Wait until something is true, five minutes at most."""
    end = time.monotonic() + 300
    while not condition():
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.005)


@pytest.fixture
def start():
    """Start commands of Python in the repository, and stop them in the end."""
    processes = []

    def run(*arguments, **settings):
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **settings}
        command = [sys.executable, "-m", *map(str, arguments)]
        processes.append(subprocess.Popen(command, cwd=ROOT, **quiet))
        return processes[-1]

    yield run
    for process in processes:
        process.kill()
        process.wait()


@pytest.fixture
def killed(tmp_path, start, monkeypatch):
    """A function that denoises six series with two workers, and kills one when each is in the middle of a series.

    The other one loads the network once.
    """
    Client = pytest.importorskip("distributed").Client
    archive, out, file = tmp_path / "archive", tmp_path / "out", tmp_path / "scheduler.json"
    for number in range(6):
        series(archive / f"p{number}", f"1.{number}", 60 - number)

    def cache():  # in the worker: how often it loaded a network (misses), or had it loaded (hits)
        from helpers.scans import run

        return run._loaded.cache_info()._asdict()

    def run(allowed_failures):
        monkeypatch.setenv("DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES", str(allowed_failures))
        local = ["--host", "127.0.0.1", "--no-dashboard", "--scheduler-file", file]
        start("dask", "scheduler", "--port", 0, *local)
        until(lambda: file.exists() and file.read_text().endswith("}"), "the scheduler")
        alone = ["--nthreads", 1, "--no-nanny", "--local-directory", tmp_path / "dask"]
        workers = [start("dask", "worker", *local, *alone) for _ in range(2)]
        address = json.loads(file.read_text())["address"]
        command = ["helpers", "denoise", archive, out, "--recursive", "--scheduler", address]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        client = start(*command, "--model", MODEL, **pipes)
        until(lambda: len(list(out.rglob("denoise.notes"))) == 2, "two series that are begun")
        workers[0].kill()
        assert len(list(out.rglob("denoise.json"))) < 6
        printed, complaint = client.communicate(timeout=600)
        assert workers[1].poll() is None
        with Client(address) as asked:
            (found,) = asked.run(cache).values()
        assert found["misses"] == 1 <= found["hits"]
        return client.returncode, printed, complaint

    yield run
    denoise_archive(archive, tmp_path / "whole", model=MODEL)
    assert contents(out) == contents(tmp_path / "whole")
    assert len(contents(out)) == 60 * 6 - 15 + 6


@pytest.mark.slow
def test_a_killed_worker_loses_nothing(killed):
    """The other worker does all that is left."""
    code, printed, complaint = killed(allowed_failures=3)
    assert code == 0, complaint
    assert printed.splitlines()[-1] == f"6 series, {60 * 6 - 15} slices"


@pytest.mark.slow
def test_a_series_that_dask_gives_up_is_reported_and_done_later(killed, tmp_path):
    """As the culprit of several deaths; here, one is enough."""
    code, _, complaint = killed(allowed_failures=0)
    assert code == 1
    lines = complaint.splitlines()
    (start,) = [k for k, line in enumerate(lines) if line.startswith("python -m helpers denoise: ")]
    rows = lines[start + 2 :]
    assert 1 <= len(rows) <= 2 and f" {len(rows)} of 6 failed" in lines[start]
    assert all("workers died" in row for row in rows)
    command = ["denoise", str(tmp_path / "archive"), str(tmp_path / "out"), "--recursive"]
    assert main([*command, "--model", MODEL, "--resume"]) == 0
