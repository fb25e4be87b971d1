"""Opens, verifies and maps the one file: a TFLite flatbuffer with a ZIP archive appended.

The ZIP comment ends with the SHA-256, in hexadecimal, of every byte before that digest. It is checked before anything
else is read, so no answer ever comes from a damaged table. Only where it does not fit are the parts looked at to say
which of them was altered.
"""

from __future__ import annotations

import hashlib
import mmap
import os
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from device_runtime.errors import FileFormatError, unreadable
from device_runtime.format.archive import ArchiveError, read_archive, read_entry
from device_runtime.format.layout import (
    DIGEST_LENGTH,
    FLATBUFFER_IDENTIFIER,
    MANIFEST,
    MOST_MANIFEST_BYTES,
    TABLE_ALIGNMENT,
)
from device_runtime.format.manifest import Manifest, parse_manifest

if TYPE_CHECKING:  # importing these at start-up would take longer than opening a file
    from pathlib import Path

    from device_runtime.format.texts import Lines

_LISTED_ROWS = 1 << 14  # of fewer, a list is small, and faster


class ModelFile:
    """A verified model file. The table is mapped, not copied; catalog entries are read when first asked for."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.filename = os.fspath(path)
        self._bytes = _map(self.filename)
        _check_digest(self.filename, self._bytes)
        try:
            self._entries = {entry.name: entry for entry in read_archive(self._bytes)}
        except ArchiveError as error:
            raise FileFormatError(f"{self.filename}: the archive at its end cannot be read: {error}") from None
        self.manifest = parse_manifest(self.filename, self.text(MANIFEST))
        self._stored = _map_table(self.filename, self._bytes, self.manifest, self.flatbuffer_size())

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> ModelFile:
        """Opens and verifies `path`.

        Raises:
            ModelFileError: it is missing or cannot be read.
            DamagedFileError: it was cut short or altered; its `part` says where.
            FileFormatError: its parts do not fit together.
            FutureVersionError: it is of a later format version.
        """
        return cls(path)

    @property
    def path(self) -> Path:
        """Where the file is."""
        from pathlib import Path

        return Path(self.filename)

    @cached_property
    def table(self) -> NDArray[np.int8]:
        """int8 [rows, columns]: the file's own bytes at 8 bits, a copy twice their size at 4."""
        return self._stored if self.manifest.bits == 8 else _unpacked(self._stored)

    @property
    def stored(self) -> NDArray[np.int8]:
        """int8 [rows, bytes of a row]: the table as it lies in the file."""
        return self._stored

    @property
    def digest(self) -> str:
        """The SHA-256 at the end of the file, in hexadecimal: what tells this model from others."""
        return self._bytes[-DIGEST_LENGTH:].decode("ascii")

    def text(self, entry: str) -> str:
        """The UTF-8 text of one entry of the archive; errors are those of `data`."""
        try:
            return self.data(entry).decode("utf-8")
        except UnicodeDecodeError as error:
            raise FileFormatError(f"{self.filename}: entry {entry!r} is not UTF-8 ({error})") from error

    def data(self, entry: str) -> bytes:
        """The bytes of one entry of the archive.

        Raises:
            FileFormatError: the entry is missing, too large, or cannot be read.
        """
        found = self._entries.get(entry)
        if found is None:
            raise FileFormatError(f"{self.filename}: entry {entry!r} is missing; export the model again")
        if entry == MANIFEST and found.size > MOST_MANIFEST_BYTES:
            raise FileFormatError(
                f"{self.filename}: {entry} declares {found.size} bytes, more than the {MOST_MANIFEST_BYTES} allowed"
            )
        try:
            return read_entry(self._bytes, found)
        except ArchiveError as error:
            raise FileFormatError(f"{self.filename}: entry {entry!r} cannot be read ({error})") from None

    def has(self, entry: str) -> bool:
        """Whether the archive has an entry of this name; some are there only where there is something to say."""
        return entry in self._entries

    def lines(self, entry: str) -> list[str] | Lines:
        """The lines of an entry that has one line for each row of the table."""
        text, rows = self.text(entry), self.manifest.rows
        count = text.count("\n")
        if count != rows or not text.endswith("\n"):
            raise FileFormatError(f"{self.filename}: {entry!r} has {count} whole lines for {rows} rows")
        if rows <= _LISTED_ROWS:
            return text.split("\n")[:-1]
        from device_runtime.format.texts import Lines

        return Lines(text.encode("utf-8"))

    def records(self, entry: str, fields: int) -> list[tuple[int, tuple[str, ...]]]:
        """The tab-separated records of an entry: the row each belongs to, and its `fields` further fields."""
        records = []
        for number, line in enumerate(self.text(entry).split("\n")[:-1], start=1):
            row, *rest = line.split("\t")
            if len(rest) != fields or not _is_row(row, self.manifest.rows):
                raise FileFormatError(
                    f"{self.filename}: {entry!r}, line {number} is not a row and {fields} fields: {line[:80]!r}"
                )
            records.append((int(row), tuple(rest)))
        return records

    def tuples(self, entry: str, fields: int) -> list[tuple[str, ...]]:
        """The tab-separated lines of an entry, each of `fields` fields."""
        lines = [tuple(line.split("\t")) for line in self.text(entry).split("\n")[:-1]]
        for number, line in enumerate(lines, start=1):
            if len(line) != fields:
                raise FileFormatError(
                    f"{self.filename}: {entry!r}, line {number} does not have {fields} fields: {line[0][:80]!r}"
                )
        return lines

    def entries(self) -> list[tuple[str, int]]:
        """Name and size in bytes, as stored, of each entry of the archive."""
        return [(entry.name, entry.stored_size) for entry in self._entries.values()]

    def flatbuffer(self) -> bytes:
        """A copy of the bytes before the archive: a TFLite model."""
        return self._bytes[: self.flatbuffer_size()]

    def flatbuffer_size(self) -> int:
        """Bytes before the archive starts."""
        return next(iter(self._entries.values())).header


def _map(path: str) -> mmap.mmap:
    try:
        with open(path, "rb") as stream:  # noqa: PTH123 - pathlib takes longer to import than a file to open
            return mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
    except ValueError:
        raise FileFormatError(f"{path}: is empty; give a .tflite file made by mignon") from None
    except OSError as error:
        raise unreadable(path, error) from error


def _check_digest(path: str, data: mmap.mmap) -> None:
    with memoryview(data) as view, view[:-DIGEST_LENGTH] as signed:
        digest = hashlib.sha256(signed).hexdigest().encode()
    if data[-DIGEST_LENGTH:] != digest:
        from device_runtime.format.diagnosis import diagnose

        raise diagnose(path, data)
    if data[4:8] != FLATBUFFER_IDENTIFIER:
        raise FileFormatError(f"{path}: is not a TFLite file; give a .tflite file made by mignon")


def _is_row(text: str, rows: int) -> bool:
    return text.isdecimal() and len(text) <= len(str(rows)) and int(text) < rows


def _map_table(path: str, data: mmap.mmap, manifest: Manifest, end: int) -> NDArray[np.int8]:
    start, size = manifest.table_offset, manifest.table_bytes
    if start % TABLE_ALIGNMENT or start + size > end:
        raise FileFormatError(
            f"{path}: a table of {manifest.rows} x {manifest.row_bytes} bytes at {start} does not lie within the {end} "
            f"bytes of the flatbuffer, {TABLE_ALIGNMENT}-aligned"
        )
    return np.frombuffer(data, np.int8, size, start).reshape(manifest.rows, manifest.row_bytes)


def _unpacked(stored: NDArray[np.int8]) -> NDArray[np.int8]:
    rows, width = stored.shape
    entries = np.empty((rows, width, 2), np.int8)
    np.right_shift(np.left_shift(stored, 4), 4, out=entries[:, :, 0])
    np.right_shift(stored, 4, out=entries[:, :, 1])
    return entries.reshape(rows, 2 * width)
