"""A log of interactions as batches of rows, whatever its format: CSV, Parquet or JSON Lines, plain or gzipped."""

from __future__ import annotations

import csv
import gzip
import io
import json
import math
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import polars
from polars.exceptions import PolarsError

from training.errors import InteractionsError
from training.inputs.bounds import check_log

ROW = "\0row"  # no column of a log is called so
BROKEN = "\0broken"
IDS = ("user_id", "item_id")
OPTIONAL = ("weight", "timestamp")
BATCH_ROWS = 1 << 18
_BYTE_ORDER_MARK = "\ufeff"


@dataclass(frozen=True)
class Log:
    """A log that has been opened.

    Attributes:
        columns: those of `IDS` and `OPTIONAL` that it has; both ids always.
        frame: its rows, not yet read: `ROW`, from 1 below the header, and at least `columns` or, of JSON Lines, the
            lines.
    """

    path: Path
    columns: tuple[str, ...]
    frame: polars.LazyFrame

    def batches(self) -> Iterator[polars.DataFrame]:
        """Its rows in order, a few at a time: `ROW`, `BROKEN` (a line that is no JSON object) and `columns`.

        Columns of CSV and JSON Lines are text, those of Parquet as they are stored.

        Raises:
            InteractionsError: the rest of the file cannot be read.
        """
        try:
            for batch in self.frame.collect_batches(chunk_size=BATCH_ROWS):
                yield _decode(batch, self.columns) if _is_json(self.path) else _select(batch, self.columns)
        except (OSError, PolarsError) as error:
            raise _unreadable(self.path, error) from None


def open_log(path: Path) -> Log:
    """Opens a log by the ending of its name and checks its columns.

    Raises:
        InteractionsError: the file is missing or empty, its ending is unknown, it is not what the ending says, or a
            column is missing, repeated or of a type that cannot be used.
    """
    check_log(path)
    try:
        frame = _scan(path)
        types = _json_columns(frame) if _is_json(path) else dict(frame.collect_schema())
    except (OSError, PolarsError) as error:
        raise _unreadable(path, error) from None
    _check_columns(path, types)
    columns = tuple(column for column in (*IDS, *OPTIONAL) if column in types)
    if path.suffix.lower() == ".parquet":
        frame = frame.select(ROW, *columns)  # of CSV all columns are read: polars counts the cells of a row only then
    return Log(path, columns, frame)


def _is_json(path: Path) -> bool:
    return path.name.lower().removesuffix(".gz").endswith((".jsonl", ".ndjson"))


def _scan(path: Path) -> polars.LazyFrame:
    if path.suffix.lower() == ".parquet":
        return polars.scan_parquet(path, glob=False, row_index_name=ROW, row_index_offset=1)
    if _is_json(path):
        lines = polars.scan_lines(path, glob=False, row_index_name=ROW, row_index_offset=1)
        return lines.filter(polars.col("line").str.strip_chars(f" \t\r{_BYTE_ORDER_MARK}") != "")
    return polars.scan_csv(path, infer_schema=False, glob=False, row_index_name=ROW, row_index_offset=1)


def _check_columns(path: Path, types: dict[str, polars.DataType]) -> None:
    for column in IDS:
        if column not in types:
            found = ", ".join(name for name in types if name != ROW) or "none"
            raise InteractionsError(f"{path}: has no column {column!r}; its columns are {found}")
    for column in (*IDS, *OPTIONAL):
        if f"{column}_duplicated_0" in types:
            raise InteractionsError(f"{path}: column {column!r} stands twice; rename or remove one")
        if column in types and not _is_usable(column, types[column]):
            wanted = {"weight": "numbers", "timestamp": "numbers, dates or text"}.get(column, "text or whole numbers")
            raise InteractionsError(f"{path}: column {column!r} holds {types[column]}; it takes {wanted}")


def _is_usable(column: str, kind: polars.DataType) -> bool:
    if kind.is_integer() or kind in (polars.String, polars.Null):
        return True
    if column == "weight":
        return kind.is_numeric()
    if column == "timestamp":
        return kind.is_numeric() or kind in (polars.Date, polars.Datetime)
    return kind in (polars.Categorical, polars.Enum)


def _select(batch: polars.DataFrame, columns: Sequence[str]) -> polars.DataFrame:
    return batch.select(ROW, polars.lit(value=False).alias(BROKEN), *columns)


def _json_columns(frame: polars.LazyFrame) -> dict[str, polars.DataType]:
    """The columns that have a value in any line, which takes a pass over the file."""
    found: set[str] = set()
    for batch in frame.collect_batches(chunk_size=BATCH_ROWS):
        decoded = _decode(batch, (*IDS, *OPTIONAL))
        found |= {column for column in (*IDS, *OPTIONAL) if decoded[column].null_count() < len(decoded)}
        if len(found) == len(IDS) + len(OPTIONAL):
            break
    return {column: polars.String() for column in (*IDS, *OPTIONAL) if column in found}


def _decode(batch: polars.DataFrame, columns: Sequence[str]) -> polars.DataFrame:
    lines = batch["line"].str.strip_prefix(_BYTE_ORDER_MARK)
    kind = polars.Struct(dict.fromkeys(columns, polars.String))
    broken = polars.repeat(value=False, n=len(lines), eager=True)
    try:
        rows = lines.str.json_decode(kind)
    except PolarsError:
        rows = None
    if rows is None or len(rows) != len(lines):
        mended = [_mend(line, columns) for line in lines]
        broken = polars.Series([line is None for line in mended], dtype=polars.Boolean)
        rows = polars.Series([line or "{}" for line in mended], dtype=polars.String).str.json_decode(kind)
    return rows.struct.unnest().with_columns(batch[ROW], broken.alias(BROKEN))


def _mend(line: str, columns: Sequence[str]) -> str | None:
    """The line as strict JSON, with NaN and Infinity as text and lists and objects as null; None if it is no object."""
    try:
        found = json.loads(line, parse_constant=str, parse_float=_number, object_pairs_hook=_first_of_each)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    cells = {column: found.get(column) for column in columns}
    return json.dumps({column: None if isinstance(cell, (dict, list)) else cell for column, cell in cells.items()})


def _number(text: str) -> float | str:
    return float(text) if math.isfinite(float(text)) else text


def _first_of_each(pairs: list[tuple[str, object]]) -> dict[str, object]:
    return dict(reversed(pairs))  # as polars does


def _unreadable(path: Path, error: Exception) -> InteractionsError:
    if isinstance(error, OSError):
        reason = error.strerror or str(error).partition("\n")[0]
        return InteractionsError(f"{path}: cannot be read ({reason}); give the path of a whole file")
    place = None if path.suffix.lower() == ".parquet" else _broken_place(path)
    if place is not None:
        return InteractionsError(f"{path}{place}")
    reason = str(error).partition("\n")[0]
    return InteractionsError(f"{path}: is not {_format(path)} ({reason}); its ending must say what it holds")


def _format(path: Path) -> str:
    return "Parquet" if path.suffix.lower() == ".parquet" else "JSON Lines" if _is_json(path) else "CSV"


def _broken_place(path: Path) -> str | None:
    """Where a text file is broken, and how, found by reading it again with more care."""
    try:
        return _bad_byte(path) or (None if _is_json(path) else _bad_cells(path))
    except (OSError, EOFError, zlib.error) as error:
        return f": cannot be read ({error}); give the path of a whole file"


def _bad_byte(path: Path) -> str | None:
    number = 0
    try:
        with _open(path) as raw:
            for number, line in enumerate(raw, start=1):  # noqa: B007 # the error is told with it
                line.decode("utf-8")
    except UnicodeDecodeError as error:
        return f", line {number}: byte 0x{error.object[error.start]:02x} is not UTF-8; save the file as UTF-8"
    return None


def _bad_cells(path: Path) -> str | None:
    with _open(path) as raw:
        reader = csv.reader(io.TextIOWrapper(raw, "utf-8-sig", newline=""), strict=True)
        line, width = 1, 0
        try:
            for cells in reader:
                width = width or len(cells)
                if len(cells) > width:
                    return f", line {line}: has {len(cells)} cells for {width} columns; quote cells that hold a comma"
                line = reader.line_num + 1
        except csv.Error as error:
            return f", line {line}: is not CSV ({error}); quote cells that hold quotes"
    return None


def _open(path: Path) -> IO[bytes]:
    with path.open("rb") as stream:
        zipped = stream.read(2) == b"\x1f\x8b"
    return gzip.open(path) if zipped else path.open("rb")  # type: ignore[return-value]
