"""Public data sets turned into a log of interactions and a catalog, as `python -m training convert` writes them.

docs/interactions.md says what to download.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from polars.exceptions import PolarsError

from training.console.files import replacing
from training.datasets.publisher_files import Dataset, Row, unreadable
from training.errors import DatasetError
from training.inputs.catalog import SEPARATOR, Catalog, Item, write_catalog


def write_dataset(dataset: Dataset, folder: Path, parquet: bool = False) -> list[str]:
    """Writes `interactions.csv` or `.parquet` and `catalog.csv` into a folder; returns notes, a line each.

    Items without id or name are left out; of several with one id the last stays; a name that stands twice is
    followed by its id in brackets, as every item of a catalog needs its own.

    Raises:
        DatasetError: the source cannot be read to its end, or no item is left.
    """
    catalog, notes = _catalog(dataset.items)
    with replacing(folder / f"interactions.{'parquet' if parquet else 'csv'}") as temporary:
        try:
            dataset.log.sink_parquet(temporary) if parquet else dataset.log.sink_csv(temporary)
        except PolarsError as error:
            raise unreadable(error) from None
    with replacing(folder / "catalog.csv") as temporary:
        write_catalog(catalog, temporary)
    return [f"{len(catalog):,} items", *notes, *dataset.notes]


def _catalog(rows: Iterable[Row]) -> tuple[Catalog, list[str]]:
    found = [(_clean(item), _clean(name), attributes) for item, name, attributes in rows]
    last = {item: (name, attributes) for item, name, attributes in found if item and name}
    taken: set[str] = set()
    items: list[Item] = []
    for item, (name, attributes) in last.items():
        while name in taken:
            name = f"{name} [{item}]"  # noqa: PLW2901
        taken.add(name)
        items.append(Item(len(items) + 2, item, name, (), _values(attributes)))
    if not items:
        raise DatasetError("no item has an id and a name; download the file of items again")
    nameless = sum(not (item and name) for item, name, _ in found)
    columns = tuple(dict.fromkeys(column for item in items for column in item.attributes))
    return Catalog(tuple(items), columns), [f"{nameless:,} items without id or name left out"] if nameless else []


def _values(attributes: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    clean = {name: [_clean(value.replace(SEPARATOR, "/")) for value in values] for name, values in attributes.items()}
    return {name: tuple(dict.fromkeys(filter(None, values))) for name, values in clean.items() if any(values)}


def _clean(text: str) -> str:
    """Without control characters, which no catalog takes, and with single spaces."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
