"""The trained folder: what training leaves for export. Written whole or not at all, verified when read.

catalog.csv      the catalog, in row order         table.npy       float32 [items, dims], unit rows
attributes.csv   column and value of each vector   attributes.npy  float32 [values, dims]
model.keras      the Keras model: item -> vector   metrics.json    what was measured
settings.json    how it was trained                triplets.csv    what it is measured by, perhaps none
digests.json     SHA-256 of each of the others

A model of what people like has two parts more, and rows of any length:

bias.npy         float32 [items]                   preference.json the numbers of `Preference`

There may be: families.csv, column, value and another name of it; popularity.npy, float64 [items], how widely an item is
known.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.errors import CatalogError, TrainedFolderError
from training.evaluation.triplets import Triplet, read_triplets, write_triplets
from training.inputs.catalog import Catalog, read_catalog, write_catalog
from training.trained_folder import (
    FAMILIES,
    MODEL,
    POPULARITY,
    check_digests,
    check_replaceable_folder,
    replacing_folder,
)


@dataclass(frozen=True)
class Preference:
    """How favorites become scores: (the sum of their rows / their number ** power * signs) . row + bias.

    Attributes:
        bias: float32 [items].
        negative_columns: how many of the last columns have the sign -1: there, likeness speaks against an item.
        power: from 0 to 1.
    """

    bias: NDArray[np.float32]
    negative_columns: int
    power: float


@dataclass(frozen=True)
class Trained:
    """A trained embedding of a catalog.

    Attributes:
        table: float32 [items, dims]; unit rows, but for a model of what people like.
        attributes: (column, value) of each row of `attribute_vectors`.
        attribute_vectors: float32 [values, dims]; their sum, weighted as in
            `inputs.attribute_features`, points to an item.
        preference: of a model of what people like.
        seconds: how long its epochs took; None of one that was read from its folder.
    """

    catalog: Catalog
    table: NDArray[np.float32]
    attributes: tuple[tuple[str, str], ...]
    attribute_vectors: NDArray[np.float32]
    metrics: dict[str, Any]
    settings: dict[str, Any]
    triplets: tuple[Triplet, ...] = ()
    preference: Preference | None = None
    seconds: float | None = None


def save(trained: Trained, folder: str | Path, *, force: bool = False) -> None:
    """Writes a trained folder under a temporary name and renames it to `folder`, replacing one that is there.

    Args:
        force: replace whatever is in `folder`.

    Raises:
        TrainedFolderError: `folder` exists and is not a trained folder, or holds more.
    """
    folder = Path(folder)
    check_replaceable_folder(folder, force=force)
    with replacing_folder(folder) as new:
        write_catalog(trained.catalog, new / "catalog.csv")
        np.save(new / "table.npy", trained.table)
        _write_records(new / "attributes.csv", trained.attributes)
        if trained.catalog.families:
            _write_records(new / FAMILIES, trained.catalog.families)
        if trained.catalog.popularity:
            np.save(new / POPULARITY, np.array(trained.catalog.popularity))
        np.save(new / "attributes.npy", trained.attribute_vectors)
        _write_keras_model(new / MODEL, trained.table)
        _write_json(new / "metrics.json", trained.metrics)
        _write_json(new / "settings.json", trained.settings)
        write_triplets(new / "triplets.csv", trained.catalog, trained.triplets)
        if trained.preference:
            _write_preference(new, trained.preference)


def load(folder: str | Path) -> Trained:
    """Reads a trained folder.

    Raises:
        TrainedFolderError: it is missing or incomplete, a file was altered, or its parts do not fit together.
    """
    folder = Path(folder)
    check_digests(folder)
    try:
        catalog = _read_catalog(folder)
        trained = Trained(
            catalog,
            np.load(folder / "table.npy", allow_pickle=False),
            _read_attributes(folder / "attributes.csv"),
            np.load(folder / "attributes.npy", allow_pickle=False),
            json.loads((folder / "metrics.json").read_text("utf-8")),
            json.loads((folder / "settings.json").read_text("utf-8")),
            tuple(read_triplets(folder / "triplets.csv", catalog)),
            _read_preference(folder),
        )
    except (OSError, ValueError, TypeError, CatalogError) as error:
        raise TrainedFolderError(f"{folder}: cannot be read as a trained folder ({error}); train again") from error
    _check_fit(folder, trained)
    return trained


def _write_keras_model(path: Path, table: NDArray[np.float32]) -> None:
    import tf_keras

    items, dims = table.shape
    lookup = tf_keras.layers.Embedding(items, dims, name="item_embedding")
    model = tf_keras.Sequential([tf_keras.Input((), dtype="int32", name="item"), lookup], name="mignon")
    lookup.set_weights([table])
    model.save(path)


def _write_json(path: Path, value: dict[str, Any]) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True) + "\n", "utf-8")


def _write_preference(folder: Path, preference: Preference) -> None:
    np.save(folder / "bias.npy", preference.bias)
    numbers = {"negative_columns": preference.negative_columns, "power": preference.power}
    _write_json(folder / "preference.json", numbers)


def _read_preference(folder: Path) -> Preference | None:
    if not (folder / "preference.json").exists():
        return None
    numbers = json.loads((folder / "preference.json").read_text("utf-8"))
    return Preference(np.load(folder / "bias.npy", allow_pickle=False), **numbers)


def _write_records(path: Path, records: Sequence[tuple[str, ...]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, lineterminator="\n").writerows(records)


def _read_catalog(folder: Path) -> Catalog:
    catalog = read_catalog(folder / "catalog.csv", needs_attributes=False)
    if (folder / POPULARITY).exists():
        known = np.load(folder / POPULARITY, allow_pickle=False)
        if known.shape != (len(catalog),) or not np.isfinite(known).all():
            raise ValueError(f"{POPULARITY} is not {len(catalog)} finite numbers")
        catalog = replace(catalog, popularity=tuple(known.tolist()))
    if (folder / FAMILIES).exists():
        with (folder / FAMILIES).open(encoding="utf-8", newline="") as stream:
            families = tuple((column, value, name) for column, value, name in csv.reader(stream))
        catalog = replace(catalog, families=families)
    return catalog


def _read_attributes(path: Path) -> tuple[tuple[str, str], ...]:
    with path.open(encoding="utf-8", newline="") as stream:
        return tuple((column, value) for column, value in csv.reader(stream))


def _check_fit(folder: Path, trained: Trained) -> None:
    items, shape = len(trained.catalog), trained.table.shape
    if trained.table.dtype != np.float32 or len(shape) != 2 or shape[0] != items:
        raise TrainedFolderError(
            f"{folder}: table.npy is {trained.table.dtype} {list(shape)} for {items} items; train again"
        )
    if not np.isfinite(trained.table).all():
        row = int(np.flatnonzero(~np.isfinite(trained.table).all(axis=1))[0])
        raise TrainedFolderError(f"{folder}: table.npy, row {row} holds NaN or infinity; train again")
    if trained.attribute_vectors.shape != (len(trained.attributes), shape[1]):
        raise TrainedFolderError(f"{folder}: attributes.npy does not fit attributes.csv and table.npy; train again")
    if trained.preference is not None:
        _check_preference(folder, trained.preference, shape)


def _check_preference(folder: Path, preference: Preference, shape: tuple[int, ...]) -> None:
    bias, negative, power = preference.bias, preference.negative_columns, preference.power
    if bias.dtype != np.float32 or bias.shape != shape[:1] or not np.isfinite(bias).all():
        raise TrainedFolderError(f"{folder}: bias.npy is not {shape[0]} finite float32 numbers; train again")
    if type(negative) is not int or not 0 <= negative <= shape[1] or not 0 <= power <= 1:
        raise TrainedFolderError(f"{folder}: preference.json does not fit {shape[1]} dims; train again")
