"""Reads the ZIP archive at the end of a file, strictly: what mignon writes and nothing else of the format.

Importing `zipfile` would take longer than all of this package's own modules, and it accepts archives that overlap, hide
bytes or ask for any amount of memory.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from mmap import mmap

MOST_BYTES = 1 << 30  # that the entries of an archive may hold together
_END = struct.Struct("<4s4H2LH")
_RECORD = struct.Struct("<4s6H3L5H2L")
_HEADER = struct.Struct("<4s5H3L2H")
_STORED, _DEFLATED = 0, 8
_ENCRYPTED_OR_SIZED_LATER = 0b1001


class ArchiveError(Exception):
    """The archive is not what mignon writes; the message names no file."""


class End(NamedTuple):
    """The record that ends the archive, at `position`; its comment ends at `stop`."""

    position: int
    entries: int
    directory_start: int
    directory_size: int
    stop: int


class Entry(NamedTuple):
    """One entry, as the directory describes it.

    Attributes:
        shared: what its header must repeat: version, flags, method, time, date, CRC-32, both sizes, length of the name.
        header: where its header starts; its bytes follow it.
    """

    name: str
    shared: tuple[int, ...]
    header: int

    @property
    def compressed(self) -> bool:
        """Whether its bytes are deflated."""
        return self.shared[2] == _DEFLATED

    @property
    def checksum(self) -> int:
        """The CRC-32 of its content."""
        return self.shared[5]

    @property
    def stored_size(self) -> int:
        """Bytes in the file."""
        return self.shared[6]

    @property
    def size(self) -> int:
        """Bytes of its content."""
        return self.shared[7]

    @property
    def start(self) -> int:
        """Where its bytes start."""
        return self.header + _HEADER.size + self.shared[8]

    @property
    def stop(self) -> int:
        """Where its bytes end."""
        return self.start + self.stored_size


def find_end(data: mmap) -> End | None:
    """The last end record in `data`, whether it fits or not."""
    position = data.rfind(b"PK\5\6")
    if position < 0 or position + _END.size > len(data):
        return None
    _, _, _, _, entries, size, start, comment = _END.unpack_from(data, position)
    return End(position, entries, start, size, position + _END.size + comment)


def read_archive(data: mmap) -> tuple[Entry, ...]:
    """The entries of the archive that ends `data`, in the order in which they stand there without a gap.

    Raises:
        ArchiveError: there is no archive, or it is not as mignon writes it.
    """
    end = find_end(data)
    if end is None or end.stop != len(data):
        raise ArchiveError("no end of an archive")
    if end.position != end.directory_start + end.directory_size:
        raise ArchiveError("its directory does not end where it should")
    entries = read_directory(data, end)
    for entry, following in zip(entries, [*(e.header for e in entries[1:]), end.directory_start], strict=True):
        check_header(data, entry)
        if entry.stop != following:
            raise ArchiveError(f"{entry.name!r} does not end where the next part starts")
    return entries


def read_directory(data: mmap, end: End) -> tuple[Entry, ...]:
    """The entries that the directory before `end` lists.

    Raises:
        ArchiveError: it cannot be read, lists nothing, a name twice, or more than `MOST_BYTES`.
    """
    position = end.position - end.directory_size
    entries: dict[str, Entry] = {}
    if position < 0:
        raise ArchiveError("its directory starts before the file")
    while position < end.position:
        entry, position = _read_record(data, position, end.position)
        if entry.name in entries:
            raise ArchiveError(f"{entry.name!r} stands there more than once")
        entries[entry.name] = entry
    if not entries or len(entries) != end.entries:
        raise ArchiveError(f"its directory lists {len(entries)} entries and not {end.entries}")
    size = sum(entry.stored_size + entry.size for entry in entries.values())
    if size > 2 * MOST_BYTES:
        raise ArchiveError(f"its entries declare {size} bytes, more than the {2 * MOST_BYTES} allowed")
    return tuple(entries.values())


def check_header(data: mmap, entry: Entry) -> None:
    """Compares the header before the bytes of an entry with what the directory says.

    Raises:
        ArchiveError: they differ.
    """
    if entry.stop > len(data):
        raise ArchiveError(f"{entry.name!r} ends beyond the file")
    signature, *shared, extra = _HEADER.unpack_from(data, entry.header)
    name = data[entry.start - entry.shared[8] : entry.start]
    if signature != b"PK\3\4" or tuple(shared) != entry.shared or extra or name != entry.name.encode():
        raise ArchiveError(f"the header of {entry.name!r} differs from the directory")


def read_entry(data: mmap, entry: Entry) -> bytes:
    """The content of an entry whose header was checked, never more than it declares.

    Raises:
        ArchiveError: it does not fit its size or its CRC-32.
    """
    content = data[entry.start : entry.stop]
    if entry.compressed:
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            content = inflater.decompress(content, entry.size + 1)
        except zlib.error as error:
            raise ArchiveError(str(error)) from None
        if not inflater.eof or inflater.unused_data:
            raise ArchiveError("its bytes do not end where they should")
    if len(content) != entry.size or zlib.crc32(content) != entry.checksum:
        raise ArchiveError("it does not fit its size and CRC-32")
    return content


def _read_record(data: mmap, position: int, stop: int) -> tuple[Entry, int]:
    """The entry that the directory lists at `position`, and where the next one stands."""
    if position + _RECORD.size > stop:
        raise ArchiveError("its directory is cut short")
    signature, _, *shared, extra, comment, disk, _, _, header = _RECORD.unpack_from(data, position)
    start = position + _RECORD.size
    following = start + shared[-1] + extra + comment
    if signature != b"PK\1\2" or following > stop or disk:
        raise ArchiveError("its directory cannot be read")
    try:
        name = data[start : start + shared[-1]].decode()
    except UnicodeDecodeError:
        raise ArchiveError("a name in its directory is not UTF-8") from None
    if shared[2] not in (_STORED, _DEFLATED) or shared[1] & _ENCRYPTED_OR_SIZED_LATER:
        raise ArchiveError(f"{name!r} is stored in a way that is not known here")
    return Entry(name, tuple(shared), header), following


def altered_entries(data: mmap, entries: Sequence[Entry]) -> list[str]:
    """The names of the entries whose header or content does not fit."""
    altered = []
    for entry in entries:
        try:
            check_header(data, entry)
            read_entry(data, entry)
        except ArchiveError:  # noqa: PERF203 - each entry is judged by itself
            altered.append(entry.name)
    return altered
