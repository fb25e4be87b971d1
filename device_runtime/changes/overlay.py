r"""The overlay: a file beside the model file that holds what was changed on the device, one change a line.

`meals.tflite.overlay` is UTF-8 text. A line is a JSON object, a tab, a seal of 16 hexadecimal digits and a line feed:

    {"format":"mignon overlay","format_version":1}                          5bcd1e420e7cc50b
    {"kind":"renamed","id":"blini","name":"Blini with caviar"}              da0c9199a4afe402
    {"kind":"liked","profile":"anna","id":"borscht","weight":1.0}           ea6a46776f3e1cf7

- The seal is the start of the SHA-256 of the seal above followed by the JSON, as `printf %s "$ABOVE$JSON" | sha256sum`
  gives it; the first line has none above. So a line that is altered, moved, inserted or deleted is found, except at the
  end. Seals find accidents; they do not keep out anybody who can compute them.
- JSON holds no raw control character, hence no tab and no line feed. A line takes at most 65,536 bytes and the file
  at most 67,108,864. In format version 1 the first line has exactly the bytes above; later versions keep its layout.
- Kinds and fields are those of the classes `Added`, `Removed`, `Renamed`, `Liked` and `Forgotten` in `changes.py`, and
  no others.
- Lines are only ever appended, each by one write, and flushed to the disk before the change counts as made. A crash or
  power cut can so leave one unfinished line at the end: the start of a line, bytes never written (they read as zeros),
  or both. A reader ignores it and a writer cuts it off. A bad line that has others after it is damage, never dropped.
- One process writes, holding `flock` on the file; where Python has no `fcntl` it holds `meals.tflite.overlay.lock`
  instead, made exclusively and deleted when done. Readers take no lock.
- Compaction writes the file anew under the name `meals.tflite.overlay.new`, flushes it, and renames it.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import stat
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import fields
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

from device_runtime.changes.files import overlay_path
from device_runtime.changes.kinds import KINDS, Change, compacted
from device_runtime.errors import (
    DamagedOverlayError,
    InvalidArgumentError,
    OverlayError,
    OverlayLockedError,
    OverlayVersionError,
    OverlayWriteError,
)

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

__all__ = ["Overlay", "overlay_path", "salvage"]

FORMAT_VERSION = 1
MAX_LINE_BYTES = 1 << 16
MAX_FILE_BYTES = 1 << 26
_FORMAT = "mignon overlay"
_SEAL_LENGTH = 16
_DISK_BLOCK = 4096
_READING = os.O_RDONLY | getattr(os, "O_BINARY", 0)
_APPENDING = os.O_RDWR | os.O_APPEND | getattr(os, "O_BINARY", 0)


class _End(NamedTuple):
    """Where the next line goes, and the seal that it continues."""

    size: int
    seal: bytes


class _Log(NamedTuple):
    changes: list[Change]
    end: _End


class _Handle(NamedTuple):
    """An open file, and the lock file that guards it where there is no `flock`."""

    file: int
    guard: int | None = None


class Overlay:
    """The changes made on one device. Threads may share it.

    Attributes:
        path: of the file.
        discarded: bytes of an unfinished change that were found at its end and left out.

    Example:
        >>> with Overlay.open(overlay_path("build/meals.tflite")) as overlay:
        ...     overlay.append(Liked("anna", "borscht"))
    """

    def __init__(self, path: Path, handle: _Handle | None, log: _Log, discarded: int) -> None:
        self.path = path
        self.discarded = discarded
        self._handle = handle
        self._changes = log.changes
        self._end = log.end
        self._flushed = log.end.size
        self._failed = False
        self._turn = threading.Lock()

    @classmethod
    def open(cls, path: str | Path, *, create: bool = True, read_only: bool = False) -> Overlay:
        """Opens the overlay at `path` and reads its changes.

        Args:
            create: make the file if there is none; with `read_only`, take a missing one as empty.
            read_only: take no lock and refuse `append` and `compact`; changes made later are not seen.

        Raises:
            OverlayError: it is missing, cannot be opened or is too large.
            OverlayLockedError: it is open for writing elsewhere.
            OverlayVersionError: its format version is not known here.
            DamagedOverlayError: a line other than the last was altered; `salvage` keeps those before it.
            OverlayWriteError: it is new or ends in an unfinished change, and that could not be put right.
        """
        path = _real(path)
        if read_only:
            return cls._read(path, missing_is_empty=create)
        handle = _open_locked(path, create)
        try:
            data = _contents(path, handle.file)
            log = _parsed(path, data)
            ready = _ready_to_append(path, handle.file, log, len(data))
        except BaseException:
            _close(path, handle)
            raise
        return cls(path, handle, ready, len(data) - log.end.size)

    @classmethod
    def _read(cls, path: Path, missing_is_empty: bool) -> Overlay:
        if missing_is_empty and not path.exists():
            return cls(path, None, _Log([], _End(0, b"")), 0)
        file = _open(path, _READING)
        try:
            data = _contents(path, file)
        finally:
            os.close(file)
        log = _parsed(path, data)
        return cls(path, None, log, len(data) - log.end.size)

    @property
    def changes(self) -> tuple[Change, ...]:
        """All changes, oldest first."""
        with self._turn:
            return tuple(self._changes)

    def append(self, change: Change, *, sync: bool = True) -> None:
        """Adds `change` at the end; when this returns, it is on the disk.

        Args:
            sync: flush it. Without, a killed process loses nothing still, but a power cut may lose the changes since
                the last `flush`: at most those of 4,096 bytes and one more, and never any before them.

        Raises:
            InvalidArgumentError: it takes more than 65,536 bytes.
            OverlayWriteError: the disk is full or failing, or the overlay has reached its largest size.
            OverlayError: the overlay is closed, read-only, or was deleted or replaced.
        """
        body = _encoded(change)
        with self._turn:
            file = self._writable().file
            line = _line(body, self._end.seal)
            if self._end.size + len(line) > MAX_FILE_BYTES:
                raise OverlayWriteError(f"{self.path}: has reached {MAX_FILE_BYTES} bytes; compact() may make room")
            # Blocks reach the disk in any order. If all lines not yet flushed start in one block, losing some of the
            # blocks looks like one unfinished line, never like damage before an intact line.
            if self._end.size // _DISK_BLOCK > self._flushed // _DISK_BLOCK:
                self._flush(file)
            self._write(file, line)
            end = _End(self._end.size + len(line), _seal(body, self._end.seal))
            if sync:
                self._flush(file, end.size)
            self._end = end
            self._changes.append(change)

    def flush(self) -> None:
        """Flushes what was appended with `sync=False` to the disk.

        Raises:
            OverlayWriteError: the disk is failing.
        """
        with self._turn:
            self._flush(self._writable().file)

    def compact(self, ids: Iterable[str] = ()) -> None:
        """Writes the overlay anew with only the changes that still matter; a crash leaves the old one or the new one.

        Args:
            ids: of the model it is used with; see `compacted`.

        Raises:
            OverlayWriteError: the disk is full or failing; the overlay is as it was.
        """
        with self._turn:
            old = self._writable()
            kept = compacted(self._changes, ids)
            if len(kept) == len(self._changes):
                return
            log, data = _written_out(kept)
            with _write_errors(self.path, "compacted", "the overlay is as it was; free some space and try again"):
                self._move_into_place(old, _written_beside(self.path, old, data))
            self._changes, self._end = log
            self._flushed = self._end.size
            self._sync_name()

    def close(self) -> None:
        """Flushes and closes; closing twice is fine."""
        with self._turn:
            handle, self._handle = self._handle, None
            if handle is None:
                return
            try:
                if self._end.size > self._flushed and not self._failed:
                    self._flush(handle.file)
            finally:
                _close(self.path, handle)

    def __enter__(self) -> Overlay:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _writable(self) -> _Handle:
        """The open file, whose end is the end of the last change: whatever interrupted an append, its rest is gone."""
        if self._handle is None:
            raise OverlayError(f"{self.path}: is closed or was opened to be read only; open it for writing")
        if self._failed:
            raise OverlayError(f"{self.path}: could not be flushed to the disk earlier; open it again")
        found = os.fstat(self._handle.file)
        if found.st_nlink == 0 or found.st_size < self._end.size:
            raise OverlayError(f"{self.path}: was deleted, replaced or cut while it was open; open it again")
        if found.st_size > self._end.size:
            with _write_errors(self.path, "written", "the overlay is as it was; free some space and try again"):
                os.ftruncate(self._handle.file, self._end.size)
        return self._handle

    def _write(self, file: int, line: bytes) -> None:
        with _write_errors(self.path, "written", "the change was not made; free some space and try again"):
            try:
                _write(file, line)
            except BaseException:
                with suppress(OSError):  # if it fails, the next append tries again, and so does the next open
                    os.ftruncate(file, self._end.size)
                raise

    def _flush(self, file: int, size: int | None = None) -> None:
        """Flushes the file, which is `size` bytes long."""
        with _write_errors(self.path, "flushed to the disk", "changes not yet flushed may be lost; open it again"):
            try:
                os.fsync(file)
            except OSError:
                # The system may now take lost blocks for written ones, so no later flush could be trusted.
                self._failed = True
                with suppress(OSError):
                    os.ftruncate(file, self._end.size)
                raise
        self._flushed = self._end.size if size is None else size

    def _move_into_place(self, old: _Handle, new: _Handle) -> None:
        name = _beside(self.path, ".new")
        if fcntl is None:  # Windows renames no open file
            self._handle = None
            os.close(new.file)
            os.close(old.file)
            try:
                name.replace(self.path)
            finally:
                self._handle = old._replace(file=_open(self.path, _APPENDING))
            return
        try:
            name.replace(self.path)
        except BaseException:
            os.close(new.file)
            raise
        self._handle = new
        os.close(old.file)

    def _sync_name(self) -> None:
        with _write_errors(self.path, "flushed to the disk", "open it again"):
            try:
                _sync_folder(self.path)
            except OSError:
                self._failed = True  # what is appended now might be lost with the name
                raise


def salvage(path: str | Path) -> Path:
    """Keeps everything before the first damaged line, and the damaged file under another name, which is returned.

    Raises:
        OverlayError: the overlay is not damaged, or nothing of it can be kept.
    """
    path = _real(path)
    handle = _open_locked(path, create=False)
    try:
        data = _contents(path, handle.file)
        offset = _damaged_at(path, data)
        kept_whole = _unused(path)
        with _write_errors(path, "salvaged", "the overlay is as it was; free some space and try again"):
            kept_whole.write_bytes(data)
            _sync_file(kept_whole)
            _sync_folder(path)
            os.ftruncate(handle.file, offset)
            os.fsync(handle.file)
    finally:
        _close(path, handle)
    return kept_whole


def _damaged_at(path: Path, data: bytes) -> int:
    try:
        _parsed(path, data)
    except DamagedOverlayError as error:
        if error.line == 1:
            raise
        return error.offset
    raise OverlayError(f"{path}: is not damaged; nothing was changed")


def _unused(path: Path) -> Path:
    names = (_beside(path, f".damaged{number or ''}") for number in range(1 << 16))
    return next(name for name in names if not name.exists())


# Lines


def _seal(body: bytes, above: bytes) -> bytes:
    return hashlib.sha256(above + body).hexdigest()[:_SEAL_LENGTH].encode()


def _line(body: bytes, above: bytes) -> bytes:
    return body + b"\t" + _seal(body, above) + b"\n"


def _json(record: Mapping[str, Any]) -> bytes:
    return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode()


_HEADER = _line(_json({"format": _FORMAT, "format_version": FORMAT_VERSION}), b"")
_START = _End(len(_HEADER), _HEADER[-_SEAL_LENGTH - 1 : -1])


def _encoded(change: Change) -> bytes:
    if not isinstance(change, Change):
        raise InvalidArgumentError(f"{change!r} is not a change; give one of {', '.join(KINDS)}")
    values = {part.name: getattr(change, part.name) for part in fields(change)}
    body = _json({"kind": type(change).__name__.lower(), **values})
    length = len(_line(body, _START.seal))
    if length > MAX_LINE_BYTES:
        raise InvalidArgumentError(
            f"the change to {values.get('id', '')!r} takes {length} bytes; shorten it to {MAX_LINE_BYTES}"
        )
    return body


def _decoded(body: bytes) -> Change:
    record = json.loads(body.decode())
    kind = KINDS[record.pop("kind")]
    change: Change = kind(**record)
    return change


def _written_out(changes: Sequence[Change]) -> tuple[_Log, bytes]:
    parts, seal = [_HEADER], _START.seal
    for change in changes:
        body = _encoded(change)
        parts.append(_line(body, seal))
        seal = _seal(body, seal)
    data = b"".join(parts)
    return _Log(list(changes), _End(len(data), seal)), data


# Reading


def _parsed(path: Path, data: bytes) -> _Log:
    """The changes in `data`, and where the last of them ends; that is 0 if even the first line was not finished."""
    if _HEADER[:-1].startswith(data.rstrip(b"\0")):
        return _Log([], _End(0, b""))
    _check_header(path, data)
    changes: list[Change] = []
    end = _START
    while (stop := data.find(b"\n", end.size)) >= 0:
        body, tab, seal = data[end.size : stop].rpartition(b"\t")
        if not tab or seal != _seal(body, end.seal):
            break
        changes.append(_checked_change(path, body, len(changes) + 2, end.size))
        end = _End(stop + 1, seal)
    if not _is_unfinished(data[end.size :], end.seal):
        raise _damage(path, len(changes) + 2, end.size, "does not fit its seal: the file was altered")
    return _Log(changes, end)


def _is_unfinished(tail: bytes, above: bytes) -> bool:
    """Whether one unfinished write can have left `tail`, which has no intact line at its start."""
    written = tail.rstrip(b"\0")
    if b"\n" in written[:-1] or written.count(b"\t") > 1 or len(written) > MAX_LINE_BYTES + _DISK_BLOCK:
        return False
    body, _, rest = written.partition(b"\t")
    lost_line_feed = len(rest) > _SEAL_LENGTH and rest[:_SEAL_LENGTH] == _seal(body, above)
    return not lost_line_feed  # an intact line, then something else than a line feed


def _check_header(path: Path, data: bytes) -> None:
    if data.startswith(_HEADER):
        return
    body, _, seal = data[:MAX_LINE_BYTES].partition(b"\n")[0].partition(b"\t")
    version = _version(body) if seal == _seal(body, b"") else None
    if version is None or version == FORMAT_VERSION:
        raise DamagedOverlayError(
            f"{path}, line 1: is not the first line of an overlay: the file was altered, or is another file; restore "
            "it from a copy, or move it away to start anew",
            line=1,
            offset=0,
        )
    raise OverlayVersionError(
        f"{path}: format version {version!r}; this mignon reads version {FORMAT_VERSION}: install a matching one"
    )


def _version(body: bytes) -> Any:
    with suppress(ValueError, RecursionError):
        record = json.loads(body.decode())
        if isinstance(record, dict) and record.get("format") == _FORMAT:
            return record.get("format_version")
    return None


def _checked_change(path: Path, body: bytes, line: int, offset: int) -> Change:
    if len(body) + _SEAL_LENGTH + 2 > MAX_LINE_BYTES:
        raise _damage(path, line, offset, f"is longer than {MAX_LINE_BYTES} bytes")
    try:
        return _decoded(body)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise _damage(path, line, offset, f"is sealed but holds no change that this mignon knows ({error})") from error


def _damage(path: Path, line: int, offset: int, what: str) -> DamagedOverlayError:
    return DamagedOverlayError(
        f"{path}, line {line}: {what}; the {line - 2} changes before it can be kept: "
        "device_runtime.changes.overlay.salvage() cuts the file there and leaves a copy",
        line,
        offset,
    )


# Files


def _real(path: str | Path) -> Path:
    """Where `path` leads, so that compaction replaces the file and not a link to it, whatever the folder is by then."""
    return Path(os.path.realpath(path))


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _open(path: Path, flags: int) -> int:
    # Without O_NONBLOCK a pipe of that name would hang the reader.
    try:
        file = os.open(path, flags | getattr(os, "O_NONBLOCK", 0), 0o666)
    except OSError as error:
        raise OverlayError(f"{path}: cannot be opened ({error.strerror}); check the path and who may use it") from error
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise OverlayError(f"{path}: is not a file; give the path of an overlay")
    return file


def _open_locked(path: Path, create: bool) -> _Handle:
    flags = _APPENDING | (os.O_CREAT if create else 0)
    if fcntl is None:
        guard = _guard(path)
        try:
            return _Handle(_open(path, flags), guard)
        except BaseException:
            _close_guard(path, guard)
            raise
    while True:
        file = _open(path, flags)
        try:
            if _is_locked(path, file):
                return _Handle(file)
        except BaseException:
            os.close(file)
            raise
        os.close(file)


def _is_locked(path: Path, file: int) -> bool:
    """Locks `file`; False if meanwhile another took its name, as compaction does."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise _locked(path, "close it there, or open it with read_only=True") from None
    except OSError as error:
        raise OverlayError(f"{path}: its file system cannot lock it ({error.strerror}); use another one") from error
    with suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(file), path.stat())
    return False


def _locked(path: Path, remedy: str) -> OverlayLockedError:
    return OverlayLockedError(f"{path}: is open for writing elsewhere, and one writer at a time is allowed; {remedy}")


def _guard(path: Path) -> int:
    lock = _beside(path, ".lock")
    try:  # O_TEMPORARY: Windows deletes the file with the process that made it, however that ends
        return os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_TEMPORARY", 0))
    except FileExistsError:
        raise _locked(path, f"if no process uses it, one was killed: delete {lock}") from None
    except OSError as error:
        raise OverlayError(f"{lock}: cannot be made ({error.strerror}); check the path and who may use it") from error


def _close(path: Path, handle: _Handle) -> None:
    os.close(handle.file)
    if handle.guard is not None:
        _close_guard(path, handle.guard)


def _close_guard(path: Path, guard: int) -> None:
    os.close(guard)
    with suppress(FileNotFoundError):
        _beside(path, ".lock").unlink()


def _contents(path: Path, file: int) -> bytes:
    size = os.fstat(file).st_size
    if size > MAX_FILE_BYTES:
        raise OverlayError(f"{path}: has {size} bytes, and an overlay at most {MAX_FILE_BYTES}; is it another file?")
    try:
        with open(file, "rb", closefd=False) as stream:
            return stream.read(size)
    except OSError as error:
        raise OverlayError(f"{path}: cannot be read ({error.strerror}); restore it from a copy") from error


def _ready_to_append(path: Path, file: int, log: _Log, size: int) -> _Log:
    """Cuts off what is unfinished, writes the first line where there is none, and flushes what others may not have."""
    with _write_errors(path, "made ready for changes", "free some space, or open it with read_only=True"):
        _beside(path, ".new").unlink(missing_ok=True)  # what a killed compaction left
        if size > log.end.size:
            os.ftruncate(file, log.end.size)
        if not log.end.size:
            _write(file, _HEADER)
        os.fsync(file)
        _sync_folder(path)
    return log if log.end.size else _Log([], _START)


def _written_beside(path: Path, old: _Handle, data: bytes) -> _Handle:
    """Writes a locked file that can take the place of `old`."""
    name = _beside(path, ".new")
    name.unlink(missing_ok=True)
    file = os.open(name, _APPENDING | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        name.chmod(stat.S_IMODE(os.fstat(old.file).st_mode))
        if fcntl is not None:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _write(file, data)
        os.fsync(file)
    except BaseException:
        os.close(file)
        with suppress(OSError):
            name.unlink()
        raise
    return old._replace(file=file)


def _write(file: int, data: bytes) -> None:
    """Writes `data` in one go; where the disk takes only a part, what is left over tells why."""
    while data:
        data = data[os.write(file, data) :]


def _sync_file(path: Path) -> None:
    with path.open("rb+") as stream:
        os.fsync(stream.fileno())


def _sync_folder(path: Path) -> None:
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
def _write_errors(path: Path, what: str, remedy: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OverlayWriteError(f"{path}: could not be {what} ({error.strerror}); {remedy}") from error
