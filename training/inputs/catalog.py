"""Reads and checks a catalog of items: CSV or Parquet with `id`, `name`, `aliases` and columns of attributes.

`aliases_fr`, `aliases_es` and the like hold names in a language: what names one item in one language and another in
another may stand at both.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from device_runtime.format.layout import CONTROL_CHARACTERS
from training.errors import CatalogError

BUILT_IN_CATALOG = Path(__file__).parents[1] / "meals.csv"
SEPARATOR = "|"
REQUIRED = ("id", "name")
ALIASES = "aliases"
_IN_A_LANGUAGE = re.compile(r"aliases_([a-z]{2,3})")


@dataclass(frozen=True)
class Item:
    """One item of a catalog.

    Attributes:
        row: where it stands in its file, for messages: a line of a CSV file, a row of a Parquet file, counted from 1.
        aliases: other names, whatever the language.
        attributes: the values of each column, the most important first; columns without a value are left out.
        translations: names by language, such as {"fr": ("frites",)}.
    """

    row: int = field(compare=False)
    id: str
    name: str
    aliases: tuple[str, ...]
    attributes: Mapping[str, tuple[str, ...]]
    translations: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def other_names(self) -> tuple[str, ...]:
        """All names but the first, each once."""
        translated = (name for names in self.translations.values() for name in names)
        return tuple(name for name in dict.fromkeys((*self.aliases, *translated)) if name != self.name)


@dataclass(frozen=True)
class Catalog:
    """Items in the order of their file, which is the order of the rows of every table made from it.

    Attributes:
        columns: of attributes.
        popularity: how widely each item is known, greater for more; empty where nothing says it.
        families: (column, value, another name of that value), by which all items that have it are found.
    """

    items: tuple[Item, ...]
    columns: tuple[str, ...]
    popularity: tuple[float, ...] = ()
    families: tuple[tuple[str, str, str], ...] = ()

    def __len__(self) -> int:
        return len(self.items)


def read_catalog(path: str | Path, *, needs_attributes: bool = True, popularity: str | None = None) -> Catalog:
    """Reads and checks a catalog.

    Args:
        popularity: a column of numbers that say how widely an item is known, which is then no attribute.

    Raises:
        CatalogError: it cannot be read, a required column is missing, an id or a name is empty or stands twice, a row
            has too many or too few cells, the popularity is no number, or there are no items, or no attributes where
            those are needed.
    """
    path = Path(path)
    catalog, problems = scan_catalog(path, popularity=popularity)
    if problems:
        row, text = problems[0]
        more = f"; {len(problems) - 1} more: `python -m training check {path}` lists them" if len(problems) > 1 else ""
        raise CatalogError(f"{path}, row {row}: {text}{more}")
    if needs_attributes and not any(item.attributes for item in catalog.items):
        raise CatalogError(f"{path}: no item has an attribute; add a column that says what the items are like")
    return catalog


def scan_catalog(path: Path, *, popularity: str | None = None) -> tuple[Catalog, list[tuple[int, str]]]:
    """The items of a catalog that can be used, and what is wrong with other rows: row and text, in row order.

    Raises:
        CatalogError: it cannot be read as a whole, see `read_catalog`.
    """
    header, rows = _read_parquet(path) if path.suffix == ".parquet" else _read_csv(path)
    _check_header(path, header)
    items: list[Item] = []
    problems: list[tuple[int, str]] = []
    for number, cells in rows:
        found = list(_find_row_problems(header, cells))
        problems += [(number, text) for text in found]
        if not found:
            items.append(_item(header, number, cells))
    if not items and not problems:
        raise CatalogError(f"{path}: has no items below its header; add one a line")
    problems += _find_duplicates(items)
    columns = tuple(column for column in header if column not in (*REQUIRED, ALIASES) and not _language_of(column))
    known: tuple[float, ...] = ()
    if popularity is not None:
        items, known = _split_off_numbers(path, items, columns, popularity)
        columns = tuple(column for column in columns if column != popularity)
    return Catalog(tuple(items), columns, known), sorted(problems)


def write_catalog(catalog: Catalog, path: Path) -> None:
    """Writes the items of a catalog as CSV that `read_catalog` reads back to equal ones."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        languages = list(dict.fromkeys(language for item in catalog.items for language in item.translations))
        names = [f"{ALIASES}_{language}" for language in languages]
        writer.writerow([*REQUIRED, ALIASES, *names, *catalog.columns])
        for item in catalog.items:
            lists = [item.aliases, *(item.translations.get(language, ()) for language in languages)]
            lists += [item.attributes.get(column, ()) for column in catalog.columns]
            writer.writerow([item.id, item.name, *map(SEPARATOR.join, lists)])


def _read_csv(path: Path) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    reader = csv.reader(io.StringIO(_text(path), newline=""), strict=True)
    try:
        header = next(reader)
    except StopIteration:
        raise CatalogError(f"{path}: is empty; the first line names the columns: id,name,aliases,...") from None
    except csv.Error as error:
        raise CatalogError(f"{path}, line 1: is not CSV ({error}); quote cells that hold quotes") from error
    return header, _csv_rows(path, reader)


def _csv_rows(path: Path, reader: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    while True:
        line = reader.line_num + 1  # type: ignore[attr-defined]
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise CatalogError(f"{path}, line {line}: is not CSV ({error}); quote cells that hold quotes") from error
        if cells:
            yield line, cells


def _text(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise CatalogError(f"{path}: cannot be read ({error.strerror}); give the path of a catalog") from error
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise CatalogError(
            f"{path}, line {line}: byte 0x{raw[error.start]:02x} is not UTF-8; save the file as UTF-8"
        ) from None


def _read_parquet(path: Path) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    if not path.is_file():  # told without the seconds that polars takes
        raise CatalogError(f"{path}: cannot be read (it is no file); give the path of a catalog")
    import polars

    try:
        frame = polars.read_parquet(path)
        cells = frame.with_columns(polars.all().cast(polars.String).fill_null(""))
    except (OSError, polars.exceptions.PolarsError) as error:
        raise CatalogError(f"{path}: cannot be read as Parquet with columns of text ({error})") from error
    return cells.columns, ((number, list(row)) for number, row in enumerate(cells.iter_rows(), start=1))


def _check_header(path: Path, header: Sequence[str]) -> None:
    for column in REQUIRED:
        if column not in header:
            raise CatalogError(f"{path}: has no column {column!r}; its columns are {', '.join(header)}")
    repeated = sorted({column for column in header if header.count(column) > 1})
    if repeated:
        raise CatalogError(f"{path}: column {repeated[0]!r} stands twice; rename or remove one")
    for column in header:
        if not column or not CONTROL_CHARACTERS.isdisjoint(column) or SEPARATOR in column:
            raise CatalogError(f"{path}: {column!r} cannot name a column; give a word without control characters")


def _find_row_problems(header: Sequence[str], cells: Sequence[str]) -> Iterator[str]:
    if len(cells) != len(header):
        yield f"has {len(cells)} cells for {len(header)} columns; quote cells that hold a comma"
        return
    for column, cell in zip(header, cells, strict=True):
        if not CONTROL_CHARACTERS.isdisjoint(cell):
            yield f"{column} {cell!r} holds a control character or line break; remove it"
        if column in REQUIRED and not cell.strip():
            yield f"{column} is empty; every item needs one"


def _item(header: Sequence[str], row: int, cells: Sequence[str]) -> Item:
    values = {column: cell.strip() for column, cell in zip(header, cells, strict=True)}
    lists = {column: _split(cell) for column, cell in values.items() if column not in REQUIRED}
    aliases = lists.pop(ALIASES, ())
    translations = {language: lists.pop(column) for column in header if (language := _language_of(column))}
    attributes = {column: parts for column, parts in lists.items() if parts}
    named = {language: names for language, names in translations.items() if names}
    return Item(row, values["id"], values["name"], aliases, attributes, named)


def _language_of(column: str) -> str | None:
    found = _IN_A_LANGUAGE.fullmatch(column)
    return found[1] if found else None


def _split_off_numbers(
    path: Path, items: Sequence[Item], columns: Sequence[str], column: str
) -> tuple[list[Item], tuple[float, ...]]:
    """The items without the column, and its numbers; where a cell is empty, the least of all."""
    if column not in columns:
        raise CatalogError(f"{path}: has no column {column!r} of numbers; its columns are {', '.join(columns)}")
    given = [_number(path, item, column) for item in items]
    least = min((number for number in given if number is not None), default=0.0)
    rest = [replace(item, attributes=_without(item.attributes, column)) for item in items]
    return rest, tuple(least if number is None else number for number in given)


def _number(path: Path, item: Item, column: str) -> float | None:
    values = item.attributes.get(column, ())
    if not values:
        return None
    try:
        number = float(values[0]) if len(values) == 1 else math.nan
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise CatalogError(f"{path}, row {item.row}: {column} {SEPARATOR.join(values)!r} is not a number; give one")
    return number


def _without(attributes: Mapping[str, tuple[str, ...]], column: str) -> dict[str, tuple[str, ...]]:
    return {name: values for name, values in attributes.items() if name != column}


def _split(cell: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part.strip() for part in cell.split(SEPARATOR) if part.strip()))


def _find_duplicates(items: Sequence[Item]) -> Iterator[tuple[int, str]]:
    for column in REQUIRED:
        first: dict[str, int] = {}
        for item in items:
            value = getattr(item, column)
            if value in first:
                yield (
                    item.row,
                    f"{column} {value!r} stands in row {first[value]} already; every item needs its own {column}",
                )
            first.setdefault(value, item.row)
