"""ZIP archives, unpacked into a folder that is removed in the end; what could do harm is refused before."""

import contextlib
import lzma
import re
import shutil
import tempfile
import zipfile
import zlib
from pathlib import Path

from ..replaced import naming
from .grid import check_room

_DAMAGED = zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError
RATIO = 200  # CT slices shrink to a half, flat ones to a hundredth; a bomb to a thousandth


@contextlib.contextmanager
def unpacked(path):
    """Unpack a ZIP archive for as long as the context lasts.

    Parameters
    ----------
    path : Path

    Yields
    ------
    Path
        A folder.

    Raises
    ------
    ValueError
        If it is no whole ZIP archive, has a password, holds a name twice or one that leads out of it, or says that it
        becomes more than 200 times as large or larger than the disk has room for; the message names the file.

    References
    ----------
    Python's zipfile, "Decompression pitfalls".

    Examples
    --------
    >>> with unpacked(Path("scan.zip")) as folder:  # doctest: +SKIP
    ...     found = find_series(folder)
    """
    with tempfile.TemporaryDirectory() as folder:
        try:
            with zipfile.ZipFile(path) as archive:
                members = [one for one in archive.infolist() if not one.is_dir()]
                _check(members, path.stat().st_size)
                check_room(sum(one.file_size for one in members), folder)
                for one in members:
                    target = Path(folder, one.filename)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    with naming(target), archive.open(one) as packed, target.open("xb") as file:
                        shutil.copyfileobj(packed, file)
        except _DAMAGED as error:
            raise ValueError(f"{path}: expected a whole ZIP archive ({error})") from error
        except (ValueError, RuntimeError) as error:
            raise ValueError(
                f"{path}: expected an archive that can be unpacked: {error}"
            ) from error
        except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
            raise ValueError(f"{path}: expected each name once ({error.strerror})") from error
        except OSError as error:
            if error.errno is not None:  # of the disk, not of bzip2
                raise
            raise ValueError(f"{path}: expected a whole ZIP archive ({error})") from error
        try:
            yield Path(folder)
        except ValueError as error:  # the user knows the archive, not the folder
            raise ValueError(str(error).replace(folder, str(path))) from error


def _check(members, size):
    """Raise ValueError if an archive could do harm, before anything is unpacked."""
    total = sum(one.file_size for one in members)
    if total > RATIO * size:
        raise ValueError(f"unpacked it has {total} bytes, more than {RATIO} times its size")
    for one in members:
        name = one.orig_filename
        parts = re.split(r"[/\\]", name)
        if ".." in parts or not parts[0] or ":" in parts[0] or "\0" in name:
            raise ValueError(f"the name {name!r} leads out of it")
        if one.flag_bits & 1:
            raise ValueError(f"{name!r} needs a password")
