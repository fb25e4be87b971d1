"""Triplets that people judged: an item is more like one than like another."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from training.errors import CatalogError
from training.inputs.catalog import Catalog


@dataclass(frozen=True)
class Triplet:
    """`item` is more like `near` than like `far`, by rows of the catalog."""

    item: int
    near: int
    far: int
    kind: str


def read_triplets(path: Path, catalog: Catalog) -> list[Triplet]:
    """Reads `item,near,far,kind`, items by name.

    Raises:
        CatalogError: the file cannot be read, or names an item that the catalog does not have.
    """
    row_of = {item.name: row for row, item in enumerate(catalog.items)}
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            records = list(csv.DictReader(stream))
        return [Triplet(row_of[r["item"]], row_of[r["near"]], row_of[r["far"]], r["kind"]) for r in records]
    except KeyError as error:
        raise CatalogError(f"{path}: {error.args[0]!r} is neither a column nor a name of the catalog") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CatalogError(f"{path}: cannot be read as triplets ({error})") from error


def write_triplets(path: Path, catalog: Catalog, triplets: Sequence[Triplet]) -> None:
    """Writes what `read_triplets` reads."""
    names = [item.name for item in catalog.items]
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["item", "near", "far", "kind"])
        writer.writerows([names[t.item], names[t.near], names[t.far], t.kind] for t in triplets)


def find_triplets(catalog_path: Path, catalog: Catalog, given: Path | None = None) -> list[Triplet]:
    """The triplets in `given`, or else in the file beside a catalog that ends in `.triplets.csv`, or else none."""
    beside = catalog_path.with_suffix(".triplets.csv")
    return read_triplets(given or beside, catalog) if given or beside.is_file() else []
