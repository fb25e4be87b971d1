"""The overlay: a file beside the model file that holds what was changed on the device."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from device_runtime.changes import files
from device_runtime.changes.kinds import Change
from device_runtime.changes.ledger import compact_changes
from device_runtime.changes.log import (
    HEADER,
    MAX_FILE_BYTES,
    START,
    Log,
    encode_change,
    parse_log,
    seal_line,
    write_log,
)
from device_runtime.errors import DamagedOverlayError, OverlayError, OverlayWriteError
from device_runtime.format.layout import OVERLAY_SUFFIX

_AS_IT_WAS = "the overlay is as it was; free some space and try again"


def overlay_path(model_path: str | Path) -> Path:
    """Where the overlay of a model file lives: beside it, with `.overlay` after its name."""
    return Path(f"{model_path}{OVERLAY_SUFFIX}")


class Overlay:
    """The changes made on one device. Threads may share it.

    Attributes:
        path: of the file.
        read_only: whether it takes no changes.

    Example:
        >>> with Overlay.open(overlay_path("build/meals.tflite")) as overlay:
        ...     overlay.append(Liked("anna", "borscht"))
    """

    def __init__(self, path: Path, handle: files.Handle | None, log: Log) -> None:
        self.path = path
        self.read_only = handle is None
        self._handle = handle
        self._changes, self._end = log
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
        path = files.resolve_links(path)
        if read_only:
            missing = create and not path.exists()
            return cls(path, None, Log([], START) if missing else parse_log(path, files.read_unlocked(path)))
        handle = files.open_locked(path, create=create)
        try:
            data = files.read_all(path, handle.file)
            return cls(path, handle, _make_ready(path, handle.file, parse_log(path, data), len(data)))
        except BaseException:
            files.close(path, handle)
            raise

    @property
    def changes(self) -> tuple[Change, ...]:
        """All changes, oldest first."""
        with self._turn:
            return tuple(self._changes)

    def append(self, change: Change) -> None:
        """Adds `change` at the end; when this returns, it is on the disk.

        Raises:
            InvalidArgumentError: it takes more than 65,536 bytes.
            OverlayWriteError: the disk is full or failing, or the overlay has reached its largest size.
            OverlayError: the overlay is closed, read-only, or was deleted or replaced.
        """
        body = encode_change(change)
        with self._turn:
            file = self._writable().file
            line = seal_line(body, self._end.seal)
            end = self._end.after(line)
            if end.size > MAX_FILE_BYTES:
                raise OverlayWriteError(f"{self.path}: has reached {MAX_FILE_BYTES} bytes; compact() may make room")
            self._write(file, line)
            self._flush(file)
            self._end = end
            self._changes.append(change)

    def compact(self, ids: Iterable[str] = ()) -> None:
        """Writes the overlay anew with only the changes that still matter; a crash leaves the old one or the new one.

        Args:
            ids: of the model it is used with; see `compact_changes`.

        Raises:
            OverlayWriteError: the disk is full or failing; the overlay is as it was.
        """
        with self._turn:
            old = self._writable()
            kept = compact_changes(self._changes, ids)
            if len(kept) == len(self._changes):
                return
            log, data = write_log(kept)
            with files.name_write_errors(self.path, "compacted", _AS_IT_WAS):
                self._move_into_place(old, files.write_beside(self.path, old, data))
            self._changes, self._end = log
            self._sync_name()

    def close(self) -> None:
        """Closes and unlocks the file; closing twice is fine."""
        with self._turn:
            handle, self._handle = self._handle, None
            if handle is not None:
                files.close(self.path, handle)

    def __enter__(self) -> Overlay:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _writable(self) -> files.Handle:
        """The open file, whose end is the end of the last change: whatever interrupted an append, its rest is gone."""
        if self._handle is None:
            raise OverlayError(f"{self.path}: is closed or was opened to be read only; open it for writing")
        if self._failed:
            raise OverlayError(f"{self.path}: could not be flushed to the disk earlier; open it again")
        found = os.fstat(self._handle.file)
        if found.st_nlink == 0 or found.st_size < self._end.size:
            raise OverlayError(f"{self.path}: was deleted, replaced or cut while it was open; open it again")
        if found.st_size > self._end.size:
            with files.name_write_errors(self.path, "written", _AS_IT_WAS):
                os.ftruncate(self._handle.file, self._end.size)
        return self._handle

    def _write(self, file: int, line: bytes) -> None:
        with files.name_write_errors(self.path, "written", "the change was not made; free some space and try again"):
            try:
                files.write_all(file, line)
            except BaseException:
                with suppress(OSError):  # if it fails, the next append tries again, and so does the next open
                    os.ftruncate(file, self._end.size)
                raise

    def _flush(self, file: int) -> None:
        with files.name_write_errors(self.path, "flushed to the disk", "the change may be lost; open it again"):
            try:
                os.fsync(file)
            except OSError:
                # The system may now take lost blocks for written ones, so no later flush could be trusted.
                self._failed = True
                with suppress(OSError):
                    os.ftruncate(file, self._end.size)
                raise

    def _move_into_place(self, old: files.Handle, new: files.Handle) -> None:
        name = files.name_beside(self.path, ".new")
        if not files.renames_open_files():
            self._handle = None
            os.close(new.file)
            os.close(old.file)
            try:
                name.replace(self.path)
            finally:
                self._handle = old._replace(file=files.reopen(self.path))
            return
        try:
            name.replace(self.path)
        except BaseException:
            os.close(new.file)
            raise
        self._handle = new
        os.close(old.file)

    def _sync_name(self) -> None:
        with files.name_write_errors(self.path, "flushed to the disk", "open it again"):
            try:
                files.sync_folder(self.path)
            except OSError:
                self._failed = True  # what is appended now might be lost with the name
                raise


def salvage(path: str | Path) -> Path:
    """Keeps everything before the first damaged line, and the damaged file under another name, which is returned.

    Raises:
        OverlayError: the overlay is not damaged, or nothing of it can be kept.
    """
    path = files.resolve_links(path)
    handle = files.open_locked(path, create=False)
    try:
        data = files.read_all(path, handle.file)
        offset = _damaged_at(path, data)
        kept_whole = _unused(path)
        with files.name_write_errors(path, "salvaged", _AS_IT_WAS):
            with kept_whole.open("wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            files.sync_folder(path)
            os.ftruncate(handle.file, offset)
            os.fsync(handle.file)
    finally:
        files.close(path, handle)
    return kept_whole


def _make_ready(path: Path, file: int, log: Log, size: int) -> Log:
    """Cuts off what is unfinished, writes the first line where there is none, and flushes what others may not have."""
    with files.name_write_errors(path, "made ready for changes", "free some space; questions need none"):
        files.name_beside(path, ".new").unlink(missing_ok=True)  # what a killed compaction left
        if size > log.end.size:
            os.ftruncate(file, log.end.size)
        if not log.end.size:
            files.write_all(file, HEADER)
        os.fsync(file)
        files.sync_folder(path)
    return log if log.end.size else Log([], START)


def _damaged_at(path: Path, data: bytes) -> int:
    try:
        parse_log(path, data)
    except DamagedOverlayError as error:
        if error.line == 1:
            raise
        return error.offset
    raise OverlayError(f"{path}: is not damaged; nothing was changed")


def _unused(path: Path) -> Path:
    names = (files.name_beside(path, f".damaged{number or ''}") for number in range(1 << 16))
    return next(name for name in names if not name.exists())
