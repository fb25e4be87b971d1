"""Opens, verifies and maps the one file: a TFLite flatbuffer with a ZIP archive appended.

The ZIP comment ends with the SHA-256, in hexadecimal, of every byte before that digest. It is checked before anything
else is read, so no answer ever comes from a damaged table. Only where it does not fit are the parts looked at to say
which of them was altered.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import os
from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from device_runtime.errors import (
    FileFormatError,
    FutureVersionError,
    ModelFileError,
    UnknownAttributeError,
    some_of,
)
from device_runtime.format.archive import ArchiveError, read_archive, read_entry

if TYPE_CHECKING:  # importing these at start-up would take longer than opening a file
    from pathlib import Path

    from numpy.typing import NDArray

    from device_runtime.format.texts import Lines
    from device_runtime.scoring.objectives import Queries

FORMAT_VERSION = 1
DIGEST_LENGTH = 64
SEAL = b"mignon sha256 "
FLATBUFFER_IDENTIFIER = b"TFL3"
TABLE_ALIGNMENT = 16
MANIFEST = "manifest.json"
VOCABULARY = "vocabulary.tsv"
VOCABULARY_VECTORS = "vocabulary.int8"
_LISTED_ROWS = 1 << 14  # of fewer, a list is small, and faster
_MOST_MANIFEST_BYTES = 1 << 20
_LARGEST_ENTRY_OF_QUERY = 1 << 20
_MOST_OF_ANYTHING = 1 << 53  # a whole number that every language reads from JSON
_KINDS: dict[str, type] = {
    **dict.fromkeys(("rows", "dims", "columns", "bits", "table_offset"), int),
    **dict.fromkeys(("name", "objective", "license"), str),
    "scale": float,
    "quality": dict,
}


class InteractionRule(NamedTuple):
    """How a model of what people like turns favorites into a query (see `device_runtime.scoring.objectives`).

    Attributes:
        entry, power: n favorites set the query's entry in the last column, the bias, to round(entry * n ** power).
        negative_columns: how many columns before it have the sign -1; the others have 1.
    """

    entry: float
    power: float
    negative_columns: int

    def bias_entry(self, count: float) -> int:
        """The query's entry in the bias column, for so many favorites or so much weight."""
        return round(self.exact_entry(count))

    def exact_entry(self, count: float) -> float:
        """The same before it is rounded."""
        return float(self.entry * count**self.power)

    def signs(self, columns: int) -> NDArray[np.int64]:
        """1 or -1 for each column, and 0 for the bias: int64 [columns]."""
        signs = np.ones(columns, np.int64)
        signs[columns - 1 - self.negative_columns : -1] = -1
        signs[-1] = 0
        return signs


class Manifest(NamedTuple):
    """What the file says of itself.

    Attributes:
        rows: number of items.
        dims: numbers in the vector of an item.
        columns: entries in a row of the table: `dims`, and one for the bias where there is a `preference`.
        bits: of an entry: 8, or 4 with two entries to a byte, the first in the low half.
        scale: what one step of the table is worth; a row times `scale` has a norm of about 1, never above it.
        table_offset: bytes from the start of the file to the table, a multiple of 16.
        preference: of a model of what people like; its rows have any length up to 1 / scale, others nearly that length.
        approximate_index: what lies beside the file, if there is one (see `device_runtime.engines.usearch_engine`).
        table_crc32: the CRC-32 of the table's bytes.
        graph_crc32: the CRC-32 of the rest of the flatbuffer, what is before the table and what is after it. Both only
            tell which part a damage is in; the digest tells whether there is any.
    """

    format_version: int
    name: str
    rows: int
    dims: int
    columns: int
    bits: int
    scale: float
    table_offset: int
    objective: str
    quality: dict[str, Any]
    license: str
    preference: InteractionRule | None = None
    approximate_index: dict[str, Any] | None = None
    table_crc32: int | None = None
    graph_crc32: int | None = None

    def as_record(self) -> dict[str, Any]:
        """As JSON holds it; fields that say nothing of this file are left out."""
        record = {name: value for name, value in self._asdict().items() if value is not None}
        if self.preference is not None:
            record["preference"] = self.preference._asdict()
        return record

    @property
    def row_bytes(self) -> int:
        """Bytes of a row of the table as stored."""
        return self.columns * self.bits // 8

    @property
    def table_bytes(self) -> int:
        """Bytes of the table as stored."""
        return self.rows * self.row_bytes


class AttributeVectors:
    """The vectors of attribute values, whose weighted sum points to an item; only their direction together counts.

    Args:
        names: (attribute, value) of each row.
        entries: int8 [values, dims].
    """

    def __init__(self, names: Iterable[tuple[str, ...]], entries: NDArray[np.int8]) -> None:
        self.names = tuple(names)
        self.entries = entries
        self._row_of: dict[str, dict[str, int]] = {}
        for row, (attribute, value) in enumerate(self.names):
            self._row_of.setdefault(attribute, {})[value] = row

    def rows(self, attribute: str, values: Iterable[str]) -> list[int]:
        """The row of each of `values`.

        Raises:
            UnknownAttributeError: the model was trained without the attribute or the value.
        """
        if attribute not in self._row_of:
            known = ", ".join(self._row_of) or "none"
            raise UnknownAttributeError(f"the model knows no attribute {attribute!r} to place items by; it has {known}")
        known_values = self._row_of[attribute]
        for value in values:
            if value not in known_values:
                near = some_of(known_values, value)
                raise UnknownAttributeError(f"the model knows no {value!r} as {attribute}; {near}")
        return [known_values[value] for value in values]


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
            DamagedFileError: it was cut short or altered; a subclass says in which part.
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

    @cached_property
    def attribute_vectors(self) -> AttributeVectors:
        """What places a new item.

        Raises:
            FileFormatError: the file was made without them, or they do not fit together.
        """
        names = tuple(tuple(line.split("\t")) for line in self.text(VOCABULARY).split("\n")[:-1])
        data = self.data(VOCABULARY_VECTORS)
        if len(data) != len(names) * self.manifest.dims or any(len(pair) != 2 for pair in names):
            raise FileFormatError(
                f"{self.filename}: {VOCABULARY_VECTORS!r} has {len(data)} bytes for the {len(names)} lines of "
                f"{VOCABULARY!r} and {self.manifest.dims} dims"
            )
        return AttributeVectors(names, np.frombuffer(data, np.int8).reshape(len(names), -1))

    @cached_property
    def queries(self) -> Queries:
        """How favorites become queries."""
        from device_runtime.scoring.objectives import queries_of

        return queries_of(self.table, self.manifest)

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
        if entry == MANIFEST and found.size > _MOST_MANIFEST_BYTES:
            raise FileFormatError(
                f"{self.filename}: {entry} declares {found.size} bytes, more than the {_MOST_MANIFEST_BYTES} allowed"
            )
        try:
            return read_entry(self._bytes, found)
        except ArchiveError as error:
            raise FileFormatError(f"{self.filename}: entry {entry!r} cannot be read ({error})") from None

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
        raise ModelFileError(
            f"{path}: cannot be opened ({error.strerror}); give the path of a .tflite file made by mignon"
        ) from error


def _check_digest(path: str, data: mmap.mmap) -> None:
    with memoryview(data) as view, view[:-DIGEST_LENGTH] as signed:
        digest = hashlib.sha256(signed).hexdigest().encode()
    if data[-DIGEST_LENGTH:] != digest:
        from device_runtime.format.diagnosis import diagnosed

        raise diagnosed(path, data)
    if data[4:8] != FLATBUFFER_IDENTIFIER:
        raise FileFormatError(f"{path}: is not a TFLite file; give a .tflite file made by mignon")


def _is_row(text: str, rows: int) -> bool:
    return text.isdecimal() and len(text) <= len(str(rows)) and int(text) < rows


def parse_manifest(path: str, text: str) -> Manifest:
    """The manifest in `text`, which stands in the file at `path`.

    Raises:
        FutureVersionError: it is of a later format version.
        FileFormatError: it is not a manifest, or contradicts itself.
    """
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FileFormatError(f"{path}: {MANIFEST} is not JSON ({error})") from None
    if not isinstance(raw, dict):
        raise FileFormatError(f"{path}: {MANIFEST} is not a JSON object")
    _check_version(path, raw.get("format_version"))
    for field in Manifest._fields:
        if field not in raw and field not in Manifest._field_defaults:
            raise FileFormatError(f"{path}: {MANIFEST} has no {field!r}; export the model again")
    manifest = Manifest(**{field: raw[field] for field in Manifest._fields if field in raw})
    manifest = manifest._replace(preference=_parse_preference(path, raw.get("preference")))
    _check_types(path, manifest)
    return manifest


def _parse_preference(path: str, raw: Any) -> InteractionRule | None:
    if raw is None:
        return None
    if not isinstance(raw, dict) or raw.keys() != set(InteractionRule._fields):
        raise FileFormatError(f"{path}: {MANIFEST} gives a preference without its {', '.join(InteractionRule._fields)}")
    found = InteractionRule(**raw)
    if type(found.entry) is not float or not abs(found.entry) < _LARGEST_ENTRY_OF_QUERY:
        raise FileFormatError(f"{path}: {MANIFEST} gives the preference's entry as {found.entry!r:.40}")
    if type(found.power) is not float or not 0 <= found.power <= 1:
        raise FileFormatError(f"{path}: {MANIFEST} gives the preference's power as {found.power!r:.40}")
    if type(found.negative_columns) is not int or not 0 <= found.negative_columns < _MOST_OF_ANYTHING:
        raise FileFormatError(f"{path}: {MANIFEST} gives negative_columns as {found.negative_columns!r:.40}")
    return found


def _check_version(path: str, version: Any) -> None:
    if type(version) is int and version > FORMAT_VERSION:
        raise FutureVersionError(
            f"{path}: format version {version!r:.20}; this mignon reads version {FORMAT_VERSION}; install a later one"
        )
    if type(version) is not int or version != FORMAT_VERSION:
        raise FileFormatError(
            f"{path}: format version {version!r:.20}; this mignon reads version {FORMAT_VERSION}; export it again"
        )


def _check_types(path: str, manifest: Manifest) -> None:
    for field, kind in _KINDS.items():
        value = getattr(manifest, field)
        if type(value) is not kind:
            raise FileFormatError(f"{path}: {MANIFEST} gives {field} as {value!r:.40}, not as {kind.__name__}")
    for field in ("rows", "dims", "columns", "table_offset"):
        value = getattr(manifest, field)
        if not (0 if field == "table_offset" else 1) <= value < _MOST_OF_ANYTHING:
            raise FileFormatError(f"{path}: {MANIFEST} gives {field} as {value!r:.40}, which is out of range")
    if manifest.bits not in (4, 8) or manifest.columns * manifest.bits % 8:
        raise FileFormatError(f"{path}: {MANIFEST} gives {manifest.columns} columns of {manifest.bits!r:.40} bits")
    extra = 0 if manifest.preference is None else 1
    if manifest.columns != manifest.dims + extra:
        raise FileFormatError(f"{path}: {MANIFEST} gives {manifest.columns} columns for {manifest.dims} dims")
    if manifest.preference and manifest.preference.negative_columns > manifest.dims:
        raise FileFormatError(f"{path}: {MANIFEST} gives more negative_columns than the {manifest.dims} dims")
    if not 0 < manifest.scale < 1:
        raise FileFormatError(f"{path}: {MANIFEST} gives scale as {manifest.scale!r}, not a number between 0 and 1")


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
