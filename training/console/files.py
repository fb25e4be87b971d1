"""Writes files and folders under a temporary name beside their place and renames them: no half of one is ever seen.

What a command may replace is only what it wrote itself: it is told by a mark within, or by its form.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from training.errors import OutputError

try:
    import fcntl
except ImportError:  # elsewhere the partial files of dead processes stay
    fcntl = None  # type: ignore[assignment]

_PARTIAL = ".partial"
_MARKED_BYTES = 4096  # at either end of a file, where its mark stands


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Gives a temporary path beside `path` to write to, which takes its place when the block ends well."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with making_partial(path) as temporary:
            yield temporary
            temporary.chmod(0o644)
            temporary.replace(path)
    except OSError as error:
        error.filename = str(path)  # whoever reads of it knows this name, not the temporary one
        raise


@contextmanager
def making_partial(path: Path, *, folder: bool = False) -> Iterator[Path]:
    """An empty file or folder beside `path`, gone when the block ends; those that dead processes left are removed.

    It is locked until then, which tells it from one whose process was killed.
    """
    remove_dead_partials(path)
    temporary, lock = _make_locked(path, folder=folder)
    try:
        yield temporary
    finally:
        _remove(temporary)
        if lock is not None:
            os.close(lock)


def remove_dead_partials(path: Path) -> None:
    """Removes what processes that were killed while they wrote `path` left beside it."""
    if fcntl is None or not path.parent.is_dir():
        return
    for beside in path.parent.iterdir():
        if beside.name.startswith(f".{path.name}.") and beside.name.endswith(_PARTIAL):
            lock = _lock(beside)
            if lock is not None:
                _remove(beside)
                os.close(lock)


def check_replaceable(
    path: Path, is_own: Callable[[Path], bool], command: str, *, option: str = "--out", force: bool = False
) -> None:
    """Refuses to replace what a command did not write.

    Args:
        is_own: whether a file looks as the command writes it.
        option: that named the path.
        force: replaces any file, but never a folder.

    Raises:
        OutputError: something else stands at `path`; the message says what.
    """
    if path.is_dir():
        raise OutputError(f"{path}: is a folder; give {option} the name of a file")
    if path.exists() and not force and not is_own(path):
        raise OutputError(
            f"{path}: is {describe_file(path)}, not written by `{command}`; give another {option}, or --force to "
            "replace it"
        )


def is_never_own(_: Path) -> bool:
    """For files that cannot be told from what people write themselves: none is replaced without --force."""
    return False


def make_mark(command: str) -> str:
    """What stands in pages, pictures and JSON to say which command wrote them."""
    return f"written by {command}"


def has_mark(path: Path, command: str) -> bool:
    """Whether a file bears the mark of a command, near its start or its end."""
    mark = make_mark(command).encode()
    with path.open("rb") as stream:
        start = stream.read(_MARKED_BYTES)
        stream.seek(max(0, path.stat().st_size - _MARKED_BYTES))
        return mark in start or mark in stream.read()


def describe_file(path: Path) -> str:
    """How large a file is, and how it begins."""
    with path.open("rb") as stream:
        start = stream.read(24)
    text = start.decode("utf-8", "replace")
    begins = "" if "\0" in text or not text else f", which begins {text!r}"
    return f"a file of {path.stat().st_size:,} bytes{begins}"


def describe_os_error(path: Path, error: OSError) -> str:
    """One line about a file that could not be written: `path`, unless the error names one."""
    reason = error.strerror or (error.args[0] if error.args else error)
    return f"{error.filename or path}: cannot be written ({reason})"


def digest_file(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal, read a mebibyte at a time."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _make_locked(path: Path, *, folder: bool) -> tuple[Path, int | None]:
    while True:
        where = _PARTIAL, f".{path.name}.", path.parent
        if folder:
            temporary = Path(tempfile.mkdtemp(*where))
        else:
            handle, name = tempfile.mkstemp(*where)
            os.close(handle)
            temporary = Path(name)
        lock = _lock(temporary)
        if fcntl is None or (lock is not None and temporary.exists()):
            return temporary, lock
        if lock is not None:  # another process took it for a dead one's before it was locked
            os.close(lock)


def _lock(path: Path) -> int | None:
    """A handle that holds the lock of a file or folder; None where another process does, or it has gone."""
    if fcntl is None:
        return None
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        return None
    return handle


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
