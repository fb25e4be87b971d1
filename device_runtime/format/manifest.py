"""What a file says of itself, in its entry `manifest.json`."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from device_runtime.errors import FileFormatError, FutureVersionError
from device_runtime.format.layout import FORMAT_VERSION, MANIFEST

_LARGEST_BIAS_ENTRY = 1 << 20
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


def parse_manifest(path: str, text: str) -> Manifest:
    """The manifest in `text`, which stands in the file at `path`.

    Raises:
        FutureVersionError: it is of a later format version.
        FileFormatError: it is not a manifest, or contradicts itself.
    """
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _fault(path, f"is not JSON ({error})") from None
    if not isinstance(raw, dict):
        raise _fault(path, "is not a JSON object")
    _check_version(path, raw.get("format_version"))
    for field in Manifest._fields:
        if field not in raw and field not in Manifest._field_defaults:
            raise _fault(path, f"has no {field!r}; export the model again")
    manifest = Manifest(**{field: raw[field] for field in Manifest._fields if field in raw})
    manifest = manifest._replace(preference=_parse_rule(path, raw.get("preference")))
    _check_types(path, manifest)
    _check_shape(path, manifest)
    return manifest


def _fault(path: str, fault: str) -> FileFormatError:
    return FileFormatError(f"{path}: {MANIFEST} {fault}")


def _parse_rule(path: str, raw: Any) -> InteractionRule | None:
    if raw is None:
        return None
    if not isinstance(raw, dict) or raw.keys() != set(InteractionRule._fields):
        raise _fault(path, f"gives a preference without its {', '.join(InteractionRule._fields)}")
    rule = InteractionRule(**raw)
    if type(rule.entry) is not float or not abs(rule.entry) < _LARGEST_BIAS_ENTRY:
        raise _fault(path, f"gives the preference's entry as {rule.entry!r:.40}")
    if type(rule.power) is not float or not 0 <= rule.power <= 1:
        raise _fault(path, f"gives the preference's power as {rule.power!r:.40}")
    if type(rule.negative_columns) is not int or not 0 <= rule.negative_columns < _MOST_OF_ANYTHING:
        raise _fault(path, f"gives negative_columns as {rule.negative_columns!r:.40}")
    return rule


def _check_version(path: str, version: Any) -> None:
    if type(version) is int and version == FORMAT_VERSION:
        return
    later = type(version) is int and version > FORMAT_VERSION
    message = f"{path}: format version {version!r:.20}; this mignon reads version {FORMAT_VERSION}; "
    raise FutureVersionError(f"{message}install a later one") if later else FileFormatError(f"{message}export it again")


def _check_types(path: str, manifest: Manifest) -> None:
    for field, kind in _KINDS.items():
        value = getattr(manifest, field)
        if type(value) is not kind:
            raise _fault(path, f"gives {field} as {value!r:.40}, not as {kind.__name__}")


def _check_shape(path: str, manifest: Manifest) -> None:
    for field in ("rows", "dims", "columns", "table_offset"):
        value = getattr(manifest, field)
        if not (0 if field == "table_offset" else 1) <= value < _MOST_OF_ANYTHING:
            raise _fault(path, f"gives {field} as {value!r:.40}, which is out of range")
    if manifest.bits not in (4, 8) or manifest.columns * manifest.bits % 8:
        raise _fault(path, f"gives {manifest.columns} columns of {manifest.bits!r:.40} bits")
    if manifest.columns != manifest.dims + (manifest.preference is not None):
        raise _fault(path, f"gives {manifest.columns} columns for {manifest.dims} dims")
    if manifest.preference and manifest.preference.negative_columns > manifest.dims:
        raise _fault(path, f"gives more negative_columns than the {manifest.dims} dims")
    if not 0 < manifest.scale < 1:
        raise _fault(path, f"gives scale as {manifest.scale!r}, not a number between 0 and 1")
