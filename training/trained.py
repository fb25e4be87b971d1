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
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.console.files import digest_file
from training.errors import CatalogError, TrainedFolderError
from training.inputs.catalog import Catalog, read_catalog, write_catalog
from training.inputs.triplets import Triplet, read_triplets, write_triplets

DIGESTS = "digests.json"
MODEL = "model.keras"
_PARTS = {
    "catalog.csv",
    "table.npy",
    "attributes.csv",
    "attributes.npy",
    MODEL,
    "metrics.json",
    "settings.json",
    "triplets.csv",
}
_PREFERENCE_PARTS = {"bias.npy", "preference.json"}
_FAMILIES, _POPULARITY = "families.csv", "popularity.npy"


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


def save(trained: Trained, folder: str | Path) -> None:
    """Writes a trained folder under a temporary name and renames it to `folder`, replacing one that is there.

    Raises:
        TrainedFolderError: `folder` exists and is not a trained folder.
    """
    folder = Path(folder)
    check_replaceable(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _new_folder(folder) as new:
        write_catalog(trained.catalog, new / "catalog.csv")
        np.save(new / "table.npy", trained.table)
        _write_records(new / "attributes.csv", trained.attributes)
        if trained.catalog.families:
            _write_records(new / _FAMILIES, trained.catalog.families)
        if trained.catalog.popularity:
            np.save(new / _POPULARITY, np.array(trained.catalog.popularity))
        np.save(new / "attributes.npy", trained.attribute_vectors)
        _write_keras_model(new / MODEL, trained.table)
        _write_json(new / "metrics.json", trained.metrics)
        _write_json(new / "settings.json", trained.settings)
        write_triplets(new / "triplets.csv", trained.catalog, trained.triplets)
        if trained.preference:
            _write_preference(new, trained.preference)
        _write_json(new / DIGESTS, {path.name: digest_file(path) for path in sorted(new.iterdir())})


def load(folder: str | Path) -> Trained:
    """Reads a trained folder.

    Raises:
        TrainedFolderError: it is missing or incomplete, a file was altered, or its parts do not fit together.
    """
    folder = Path(folder)
    _check_digests(folder)
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


def check_replaceable(folder: Path) -> None:
    """Refuses to replace what is not a trained folder.

    Raises:
        TrainedFolderError: `folder` exists and is a file, or a folder that holds something else.
    """
    if not folder.name:
        raise TrainedFolderError(f"{str(folder)!r}: cannot be replaced; give --out the name of a folder to make")
    if folder.is_dir() and not folder.is_symlink() and ((folder / DIGESTS).is_file() or not any(folder.iterdir())):
        return
    if folder.exists() or folder.is_symlink():
        raise TrainedFolderError(f"{folder}: exists and is not a trained folder; give another --out or remove it")


@contextmanager
def _new_folder(folder: Path) -> Iterator[Path]:
    new = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".partial", dir=folder.parent))
    try:
        yield new
        new.chmod(0o755)
        if folder.exists():
            old = new.with_suffix(".old")
            folder.replace(old)
            try:
                new.replace(folder)
            except BaseException:
                old.replace(folder)
                raise
            shutil.rmtree(old)
        else:
            new.replace(folder)
    except BaseException:
        shutil.rmtree(new, ignore_errors=True)
        raise


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
    if (folder / _POPULARITY).exists():
        known = np.load(folder / _POPULARITY, allow_pickle=False)
        if known.shape != (len(catalog),) or not np.isfinite(known).all():
            raise ValueError(f"{_POPULARITY} is not {len(catalog)} finite numbers")
        catalog = replace(catalog, popularity=tuple(known.tolist()))
    if (folder / _FAMILIES).exists():
        with (folder / _FAMILIES).open(encoding="utf-8", newline="") as stream:
            families = tuple((column, value, name) for column, value, name in csv.reader(stream))
        catalog = replace(catalog, families=families)
    return catalog


def _read_attributes(path: Path) -> tuple[tuple[str, str], ...]:
    with path.open(encoding="utf-8", newline="") as stream:
        return tuple((column, value) for column, value in csv.reader(stream))


def _check_digests(folder: Path) -> None:
    try:
        digests = json.loads((folder / DIGESTS).read_text("utf-8"))
        if digests.keys() - {_FAMILIES, _POPULARITY} not in (_PARTS, _PARTS | _PREFERENCE_PARTS):
            raise TrainedFolderError(f"{folder / DIGESTS}: does not name the parts of a trained folder; train again")
        for name, digest in digests.items():
            if digest_file(folder / name) != digest:
                raise TrainedFolderError(f"{folder / name}: was altered since it was written; train again")
    except OSError as error:
        raise TrainedFolderError(
            f"{error.filename}: cannot be read ({error.strerror}); give a folder made by `python -m training`"
        ) from error
    except (ValueError, AttributeError) as error:
        raise TrainedFolderError(f"{folder / DIGESTS}: is not a list of digests ({error}); train again") from error


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
