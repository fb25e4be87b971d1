"""The file of an overlay on the disk: opened, locked, read, flushed, and replaced by another."""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from device_runtime.changes.log import MAX_FILE_BYTES
from device_runtime.errors import OverlayError, OverlayLockedError, OverlayWriteError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

SECONDS_FOR_A_LOCK = 2.0
_SECONDS_BETWEEN = 0.005
_REFUSALS = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, getattr(errno, "EDQUOT", 0)}
_READING = os.O_RDONLY | getattr(os, "O_BINARY", 0)
_APPENDING = os.O_RDWR | os.O_APPEND | getattr(os, "O_BINARY", 0)


class Handle(NamedTuple):
    """A file opened to append, and the lock file that guards it where there is no `flock`."""

    file: int
    guard: int | None = None


def resolve_links(path: str | Path) -> Path:
    """Where `path` leads, so that compaction replaces the file and not a link to it, whatever the folder is by then."""
    return Path(os.path.realpath(path))


def name_beside(path: Path, suffix: str) -> Path:
    """The name with `suffix` after it, in the same folder."""
    return path.with_name(path.name + suffix)


def open_locked(path: Path, *, create: bool) -> Handle:
    """Opens the file to append, which nobody else may do until it is closed; waits a moment for whoever does.

    Raises:
        OverlayLockedError: somebody else has it open.
        OverlayWriteError: it may not be written to, or not be made.
        OverlayError: it cannot be opened or locked.
    """
    give_up = time.monotonic() + SECONDS_FOR_A_LOCK
    while True:
        try:
            return _open_locked(path, create=create)
        except OverlayLockedError:
            if time.monotonic() >= give_up:
                raise
        time.sleep(_SECONDS_BETWEEN * (1 + os.getpid() % 4))  # not all at the same moments


def _open_locked(path: Path, *, create: bool) -> Handle:
    flags = _APPENDING | (os.O_CREAT if create else 0)
    if fcntl is None:
        guard = _make_guard(path)
        try:
            return Handle(_open(path, flags), guard)
        except BaseException:
            _remove_guard(path, guard)
            raise
    while True:
        file = _open(path, flags)
        try:
            if _lock(path, file):
                return Handle(file)
        except BaseException:
            os.close(file)
            raise
        os.close(file)


def close(path: Path, handle: Handle) -> None:
    """Closes and unlocks the file."""
    os.close(handle.file)
    if handle.guard is not None:
        _remove_guard(path, handle.guard)


def read_unlocked(path: Path) -> bytes:
    """What the file holds now, whoever writes it.

    Raises:
        OverlayError: it cannot be opened or read, or is too large.
    """
    file = _open(path, _READING)
    try:
        return read_all(path, file)
    finally:
        os.close(file)


def read_all(path: Path, file: int) -> bytes:
    """What an open file holds.

    Raises:
        OverlayError: it cannot be read, or is too large.
    """
    size = os.fstat(file).st_size
    if size > MAX_FILE_BYTES:
        raise OverlayError(f"{path}: has {size} bytes, and an overlay at most {MAX_FILE_BYTES}; is it another file?")
    try:
        with open(file, "rb", closefd=False) as stream:
            return stream.read(size)
    except OSError as error:
        raise OverlayError(f"{path}: cannot be read ({error.strerror}); restore it from a copy") from error


def write_all(file: int, data: bytes) -> None:
    """Writes `data` in one go; where the disk takes only a part, what is left over tells why."""
    while data:
        data = data[os.write(file, data) :]


def write_beside(path: Path, old: Handle, data: bytes) -> Handle:
    """Writes and flushes a locked file `PATH.new` that can take the place of `old`."""
    name = name_beside(path, ".new")
    name.unlink(missing_ok=True)
    file = os.open(name, _APPENDING | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        name.chmod(stat.S_IMODE(os.fstat(old.file).st_mode))
        if fcntl is not None:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        write_all(file, data)
        os.fsync(file)
    except BaseException:
        os.close(file)
        with suppress(OSError):
            name.unlink()
        raise
    return old._replace(file=file)


def renames_open_files() -> bool:
    """Whether a file that is open can be renamed, which Windows refuses."""
    return fcntl is not None


def reopen(path: Path) -> int:
    """Opens, to append, what bears the name now.

    Raises:
        OverlayError: it cannot be opened.
    """
    return _open(path, _APPENDING)


def sync_folder(path: Path) -> None:
    """Flushes the names in the folder of `path`: that a file is there, or was renamed."""
    if os.name == "nt":
        return  # Windows opens no folders
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    except OSError as error:
        if error.errno != errno.EINVAL:  # a file system that flushes no folders
            raise
    finally:
        os.close(folder)


@contextmanager
def name_write_errors(path: Path, what: str, remedy: str) -> Iterator[None]:
    """Says of an `OSError` which file could not be what, and what to do; it becomes an `OverlayWriteError`."""
    try:
        yield
    except OSError as error:
        raise OverlayWriteError(f"{path}: could not be {what} ({error.strerror}); {remedy}") from error


def _open(path: Path, flags: int) -> int:
    # Without O_NONBLOCK a pipe of that name would hang the reader.
    try:
        file = os.open(path, flags | getattr(os, "O_NONBLOCK", 0), 0o666)
    except OSError as error:
        kind = OverlayWriteError if flags != _READING and error.errno in _REFUSALS else OverlayError
        raise kind(f"{path}: cannot be opened ({error.strerror}); check the path and who may use it") from error
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise OverlayError(f"{path}: is not a file; give the path of an overlay")
    return file


def _lock(path: Path, file: int) -> bool:
    """Locks `file`; False if meanwhile another took its name, as compaction does."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise _locked(path, f"wait for {_holder(file)} to end, or end it; questions need no lock") from None
    except OSError as error:
        raise OverlayError(f"{path}: its file system cannot lock it ({error.strerror}); use another one") from error
    with suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(file), path.stat())
    return False


def _locked(path: Path, remedy: str) -> OverlayLockedError:
    return OverlayLockedError(f"{path}: is open for writing elsewhere, and one writer at a time is allowed; {remedy}")


def _holder(file: int) -> str:
    """Who locked an open file, where the system tells it: Linux lists locks by process, device and inode."""
    found = os.fstat(file)
    inode = f"{os.major(found.st_dev):02x}:{os.minor(found.st_dev):02x}:{found.st_ino}"
    with suppress(OSError, ValueError):
        for line in Path("/proc/locks").read_text("ascii").splitlines():
            fields = line.split()
            if fields[1] == "FLOCK" and fields[5] == inode and int(fields[4]) > 0:
                pid = int(fields[4])
                name = Path(f"/proc/{pid}/comm").read_text("utf-8", "replace").strip()
                return f"process {pid} ({name})" if pid != os.getpid() else "this process"
    return "the other process"


def _make_guard(path: Path) -> int:
    lock = name_beside(path, ".lock")
    try:  # O_TEMPORARY: Windows deletes the file with the process that made it, however that ends
        return os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_TEMPORARY", 0))
    except FileExistsError:
        raise _locked(path, f"if no process uses it, one was killed: delete {lock}") from None
    except OSError as error:
        raise OverlayError(f"{lock}: cannot be made ({error.strerror}); check the path and who may use it") from error


def _remove_guard(path: Path, guard: int) -> None:
    os.close(guard)
    with suppress(FileNotFoundError):
        name_beside(path, ".lock").unlink()
