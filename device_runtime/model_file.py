"""Opens, verifies and maps the one file: a TFLite flatbuffer with a ZIP archive appended.

The ZIP comment ends with the SHA-256, in hexadecimal, of every byte before that digest. It is checked before anything
else is read, so no answer ever comes from a damaged table.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from device_runtime.errors import DamagedFileError, FileFormatError, ModelFileError, UnknownAttributeError, some_of

FORMAT_VERSION = 1
DIGEST_LENGTH = 64
TABLE_ALIGNMENT = 16
MANIFEST = "manifest.json"
VOCABULARY = "vocabulary.tsv"
VOCABULARY_VECTORS = "vocabulary.int8"
_ENTRY_CAPS = {MANIFEST: 1 << 20}
_DEFAULT_ENTRY_CAP = 1 << 29
_UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError)
_FLATBUFFER_IDENTIFIER = b"TFL3"


@dataclass(frozen=True)
class Manifest:
    """What the file says of itself.

    Attributes:
        rows: number of items.
        dims: numbers in the vector of an item.
        columns: entries in a row of the table; equal to `dims` in this format version.
        bits: of an entry: 8, or 4 with two entries to a byte, the first in the low half.
        scale: what one step of the table is worth; a row times `scale` has a norm of about 1, never above it.
        table_offset: bytes from the start of the file to the table, a multiple of 16.
        index: of the approximate index beside the file, if there is one (see `device_runtime.approximate`).
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
    index: dict[str, Any] | None = None


@dataclass(frozen=True)
class AttributeVectors:
    """The vectors of attribute values, whose weighted sum points to an item; only their direction together counts.

    Attributes:
        names: (attribute, value) of each row.
        entries: int8 [values, dims].
    """

    names: tuple[tuple[str, ...], ...]
    entries: NDArray[np.int8]

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

    @cached_property
    def _row_of(self) -> dict[str, dict[str, int]]:
        found: dict[str, dict[str, int]] = {}
        for row, (attribute, value) in enumerate(self.names):
            found.setdefault(attribute, {})[value] = row
        return found


class ModelFile:
    """A verified model file. The table is mapped, not copied; catalog entries are read when first asked for."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._bytes = _map(path)
        _check_digest(path, self._bytes)
        self._archive = _open_archive(path, self._bytes)
        self.manifest = _parse_manifest(path, self.text(MANIFEST))
        self._stored = _map_table(path, self._bytes, self.manifest)

    @classmethod
    def open(cls, path: str | Path) -> ModelFile:
        """Opens and verifies `path`.

        Raises:
            ModelFileError: it is missing or cannot be read.
            DamagedFileError: it was cut short or altered.
            FileFormatError: its parts do not fit together, or it is of a later format version.
        """
        return cls(Path(path))

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
                f"{self.path}: {VOCABULARY_VECTORS!r} has {len(data)} bytes for the {len(names)} lines of "
                f"{VOCABULARY!r} and {self.manifest.dims} dims"
            )
        return AttributeVectors(names, np.frombuffer(data, np.int8).reshape(len(names), -1))

    @property
    def digest(self) -> str:
        """The SHA-256 at the end of the file, in hexadecimal: what tells this model from others."""
        return self._bytes[-DIGEST_LENGTH:].decode("ascii")

    def text(self, entry: str) -> str:
        """The UTF-8 text of one entry of the archive; errors are those of `data`."""
        try:
            return self.data(entry).decode("utf-8")
        except UnicodeDecodeError as error:
            raise FileFormatError(f"{self.path}: entry {entry!r} is not UTF-8 ({error})") from error

    def data(self, entry: str) -> bytes:
        """The bytes of one entry of the archive.

        Raises:
            FileFormatError: the entry is missing, too large, or cannot be read.
        """
        try:
            info = self._archive.getinfo(entry)
        except KeyError:
            raise FileFormatError(f"{self.path}: entry {entry!r} is missing; export the model again") from None
        cap = _ENTRY_CAPS.get(entry, _DEFAULT_ENTRY_CAP)
        if info.file_size > cap:
            raise FileFormatError(
                f"{self.path}: entry {entry!r} declares {info.file_size} bytes, more than the {cap} allowed"
            )
        try:
            with self._archive.open(info) as stream:
                return stream.read(info.file_size + 1)  # no more than declared, whatever it holds
        except _UNREADABLE as error:
            raise FileFormatError(f"{self.path}: entry {entry!r} cannot be read ({error})") from error

    def lines(self, entry: str) -> list[str]:
        """The lines of an entry that has one line for each row of the table."""
        lines = self.text(entry).split("\n")
        if lines.pop() != "" or len(lines) != self.manifest.rows:
            raise FileFormatError(f"{self.path}: {entry!r} has {len(lines)} lines for {self.manifest.rows} rows")
        return lines

    def records(self, entry: str, fields: int) -> list[tuple[int, tuple[str, ...]]]:
        """The tab-separated records of an entry: the row each belongs to, and its `fields` further fields."""
        records = []
        for number, line in enumerate(self.text(entry).split("\n")[:-1], start=1):
            row, *rest = line.split("\t")
            if len(rest) != fields or not _is_row(row, self.manifest.rows):
                raise FileFormatError(
                    f"{self.path}: {entry!r}, line {number} is not a row and {fields} fields: {line[:80]!r}"
                )
            records.append((int(row), tuple(rest)))
        return records

    def entries(self) -> list[tuple[str, int]]:
        """Name and size in bytes, as stored, of each entry of the archive."""
        return [(info.filename, info.compress_size) for info in self._archive.infolist()]

    def flatbuffer(self) -> bytes:
        """A copy of the bytes before the archive: a TFLite model."""
        return self._bytes[: self.flatbuffer_size()]

    def flatbuffer_size(self) -> int:
        """Bytes before the archive starts."""
        return min(info.header_offset for info in self._archive.infolist())


class _Mapping(mmap.mmap):
    """A mapped file that `zipfile` reads from: before Python 3.13 a mapping did not say that it can seek."""

    def seekable(self) -> bool:
        return True


def _map(path: Path) -> _Mapping:
    try:
        with path.open("rb") as stream:
            return _Mapping(stream.fileno(), 0, access=mmap.ACCESS_READ)
    except ValueError:
        raise FileFormatError(f"{path}: is empty; give a .tflite file made by mignon") from None
    except OSError as error:
        raise ModelFileError(
            f"{path}: cannot be opened ({error.strerror}); give the path of a .tflite file made by mignon"
        ) from error


def _check_digest(path: Path, data: _Mapping) -> None:
    tail = data[-DIGEST_LENGTH:]
    if data[4:8] != _FLATBUFFER_IDENTIFIER:
        raise FileFormatError(f"{path}: is not a TFLite file; give a .tflite file made by mignon")
    with memoryview(data) as view, view[:-DIGEST_LENGTH] as signed:
        digest = hashlib.sha256(signed).hexdigest().encode()
    if tail != digest:
        raise DamagedFileError(
            f"{path}: the digest at its end does not fit its {len(data)} bytes: the file was cut short or altered, or "
            "was not made by mignon; copy or export it again"
        )


def _open_archive(path: Path, data: _Mapping) -> zipfile.ZipFile:
    try:
        archive = zipfile.ZipFile(data)  # type: ignore[call-overload] # a mapping lacks only what a reader never calls
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as error:
        raise FileFormatError(f"{path}: has no readable ZIP archive at its end ({error})") from error
    names = archive.namelist()
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise FileFormatError(f"{path}: the archive holds {', '.join(map(repr, repeated))} more than once")
    return archive


def _is_row(text: str, rows: int) -> bool:
    return text.isdecimal() and len(text) <= len(str(rows)) and int(text) < rows


def _parse_manifest(path: Path, text: str) -> Manifest:
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FileFormatError(f"{path}: {MANIFEST} is not JSON ({error})") from error
    if not isinstance(raw, dict):
        raise FileFormatError(f"{path}: {MANIFEST} is not a JSON object")
    version = raw.get("format_version")
    if version != FORMAT_VERSION:
        raise FileFormatError(
            f"{path}: format version {version!r}; this mignon reads version {FORMAT_VERSION}: install a matching one"
        )
    try:
        fields: dict[str, Any] = {"index": None} | raw
        manifest = Manifest(**{name: fields[name] for name in Manifest.__dataclass_fields__})
    except KeyError as error:
        raise FileFormatError(f"{path}: {MANIFEST} has no {error.args[0]!r}; export the model again") from None
    _check_types(path, manifest)
    return manifest


def _check_types(path: Path, manifest: Manifest) -> None:
    for field in ("rows", "dims", "columns", "table_offset"):
        value = getattr(manifest, field)
        if type(value) is not int or value < (0 if field == "table_offset" else 1):
            raise FileFormatError(f"{path}: {MANIFEST} gives {field} as {value!r}, not a positive integer")
    if manifest.bits not in (4, 8) or manifest.columns * manifest.bits % 8:
        raise FileFormatError(f"{path}: {MANIFEST} gives {manifest.columns} columns of {manifest.bits!r} bits")
    if manifest.columns != manifest.dims:
        raise FileFormatError(f"{path}: {MANIFEST} gives {manifest.columns} columns for {manifest.dims} dims")
    if type(manifest.scale) is not float or not 0 < manifest.scale < 1:
        raise FileFormatError(f"{path}: {MANIFEST} gives scale as {manifest.scale!r}, not a number between 0 and 1")


def _map_table(path: Path, data: _Mapping, manifest: Manifest) -> NDArray[np.int8]:
    width = manifest.columns * manifest.bits // 8
    size = manifest.rows * width
    if manifest.table_offset % TABLE_ALIGNMENT or manifest.table_offset + size > len(data):
        raise FileFormatError(
            f"{path}: a table of {manifest.rows} x {width} bytes at {manifest.table_offset} does not lie "
            f"within the {len(data)} bytes of the file, {TABLE_ALIGNMENT}-aligned"
        )
    return np.frombuffer(data, np.int8, size, manifest.table_offset).reshape(manifest.rows, width)


def _unpacked(stored: NDArray[np.int8]) -> NDArray[np.int8]:
    rows, width = stored.shape
    entries = np.empty((rows, width, 2), np.int8)
    np.right_shift(np.left_shift(stored, 4), 4, out=entries[:, :, 0])
    np.right_shift(stored, 4, out=entries[:, :, 1])
    return entries.reshape(rows, 2 * width)
