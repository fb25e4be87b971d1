"""Exports a model of what people like: one table whose last column is the bias, and rows of any length."""

from __future__ import annotations

import zlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from device_runtime.engines.base import Engine
from device_runtime.engines.numpy_engine import NumpyEngine
from device_runtime.engines.tflite_engine import TFLiteEngine
from device_runtime.format.layout import FORMAT_VERSION, LARGEST_ENTRY
from device_runtime.format.manifest import InteractionRule, Manifest
from device_runtime.format.model_file import ModelFile
from device_runtime.scoring.top_k import top_k
from export.errors import ExportError, VerificationError
from export.quantization.rows import QuantizedTable
from export.tflite.flatbuffer import Flatbuffer, serialize
from export.tflite.lint import lint
from export.tflite.operators import signatures
from export.verification.engines import NEIGHBORS, baskets, check_vectors, compare, interpreters_of
from export.writing.pack import Vocabulary, pack
from training import trained
from training.console.files import replacing
from training.trained import Trained

BASKETS = 500
VERIFIED_BASKETS = 200
_VERIFIED_ITEMS = 1000


@dataclass(frozen=True)
class Kept:
    """What the integers keep of the float model, over random baskets of 1 to 20 favorites.

    Attributes:
        overlap_at_10: the share of the ten best by float scores that are among the ten best by integers.
        baskets: how many were asked.
    """

    overlap_at_10: float
    baskets: int


@dataclass(frozen=True)
class ExportedPreference:
    """A file that was written.

    Attributes:
        bytes_per_item: of the table: one for each dim, and the bias.
    """

    path: Path
    rows: int
    dims: int
    bytes_per_item: int
    file_bytes: int
    flatbuffer_bytes: int
    kept: Kept
    engines: tuple[str, ...]


def write(source: Trained, out: Path, name: str, license_text: str, *, progress: bool = False) -> ExportedPreference:
    """Quantizes, writes and verifies; nothing is left at `out` if it fails.

    Raises:
        ExportError: the table is zero.
        VerificationError: the file has faults, or an engine answers otherwise than exact arithmetic.
    """
    table, preference = quantize(source)
    flatbuffer = serialize(signatures(table, preference), "mignon")
    kept = measure(source, table, preference)
    manifest = _manifest(source, table, preference, flatbuffer, kept, name, license_text)
    data = pack(flatbuffer.data, manifest, source.catalog, Vocabulary(source.attributes, source.attribute_vectors))
    with replacing(out) as temporary:
        temporary.write_bytes(data)
        if faults := lint(temporary):
            raise VerificationError(f"the written file has {len(faults)} faults, the first: {faults[0]}")
        engines = verify(temporary, table, preference, progress=progress)
    rows, columns = table.rows.shape
    return ExportedPreference(out, rows, columns - 1, columns, len(data), len(flatbuffer.data), kept, engines)


def quantize(source: Trained) -> tuple[QuantizedTable, InteractionRule]:
    """Integers for the rows under one scale and for the bias under another, which the query's entry makes up for.

    Raises:
        ExportError: the model is one of attributes, or its table is zero.
    """
    if source.preference is None:
        raise ExportError("the trained folder holds a model of attributes, not of what people like")
    step, bias_step = (_step(values) for values in (source.table, source.preference.bias))
    if not np.abs(source.table).max(initial=0):
        raise ExportError("the table is zero; train again, with more interactions")
    rows = np.rint(source.table / step).astype(np.int8)
    bias = np.rint(source.preference.bias / bias_step).astype(np.int8)
    longest = np.sqrt(np.square(rows.astype(np.int64)).sum(axis=1).max())
    table = QuantizedTable(np.column_stack([rows, bias]), float(1 / longest), 8)
    entry = float(bias_step / step**2)
    return table, InteractionRule(entry, source.preference.power, source.preference.negative_columns)


def _step(values: NDArray[np.float32]) -> float:
    return float(np.abs(values).max(initial=0)) / LARGEST_ENTRY or 1.0


def measure(source: Trained, table: QuantizedTable, preference: InteractionRule) -> Kept:
    """Compares the ten best by float scores with the ten best by integers."""
    kept = []
    for basket, _ in baskets(len(table.rows), BASKETS, seed=1):
        exact = float_scores(source, basket)
        integer = integer_scores(table.rows, preference, basket)
        exact[basket] = integer[basket] = -np.inf
        k = min(NEIGHBORS, len(exact) - len(basket))
        if k:
            kept.append(len(np.intersect1d(top_k(exact, k), top_k(integer, k))) / k)
    return Kept(round(float(np.mean(kept)) if kept else 1.0, 4), len(kept))


def float_scores(source: Trained, basket: NDArray[np.int64]) -> NDArray[np.float64]:
    """The scores of all items by the trained model, for a trained folder that has a preference."""
    preference = source.preference or trained.Preference(np.zeros(len(source.table), np.float32), 0, 0.0)
    signs = np.ones(source.table.shape[1])
    signs[len(signs) - preference.negative_columns :] = -1
    query = source.table[basket].sum(axis=0, dtype=np.float64) / len(basket) ** preference.power * signs
    return source.table @ query + preference.bias


def integer_scores(
    rows: NDArray[np.int8], preference: InteractionRule, basket: NDArray[np.int64]
) -> NDArray[np.float64]:
    """The scores of all items by exact integers, worked out without the runtime's code."""
    total = rows[basket].astype(np.int64).sum(axis=0)
    dims = len(total) - 1
    query = np.concatenate([total[: dims - preference.negative_columns], -total[dims - preference.negative_columns :]])
    query[-1] = round(preference.entry * len(basket) ** preference.power)
    return (rows.astype(np.float64) @ query).astype(np.float64)


def verify(
    path: Path, table: QuantizedTable, preference: InteractionRule, *, progress: bool = False
) -> tuple[str, ...]:
    """Asks every engine present for items and random baskets; gives the engines' names.

    Raises:
        VerificationError: the table was changed, or an engine answers otherwise than exact integers do.
    """
    model = ModelFile.open(path)
    if not np.array_equal(model.table, table.rows):
        raise VerificationError(f"{path}: the table read back is not the one that was written")
    interpreters = interpreters_of(model)
    if not interpreters:
        raise VerificationError("no TFLite interpreter is installed to check the file on; install extra 'pipeline'")
    asked = list(baskets(len(table.rows), VERIFIED_BASKETS))
    step = max(1, len(table.rows) // _VERIFIED_ITEMS)
    asked += [(np.array([row]), min(NEIGHBORS, len(table.rows))) for row in range(0, len(table.rows), step)]
    expected = [_expected(table.rows, preference, basket, k) for basket, k in asked]
    engines: dict[str, Engine] = {"numpy": NumpyEngine(model), **interpreters}
    for name, engine in tqdm(engines.items(), desc="verifying", unit="engine", disable=not progress):
        for (basket, k), wanted in zip(asked, expected, strict=True):
            compare(path, name, basket, engine.nearest(basket, k)[0], wanted)
    for name, interpreter in interpreters.items():
        _check_search(path, name, interpreter, table)
        check_vectors(path, name, interpreter, table, model.manifest.dims)
    return tuple(engines)


def _expected(
    rows: NDArray[np.int8], preference: InteractionRule, basket: NDArray[np.int64], k: int
) -> NDArray[np.int64]:
    scores = integer_scores(rows, preference, basket)
    scores[basket] = -np.inf
    return top_k(scores, k)


def _check_search(path: Path, name: str, engine: TFLiteEngine, table: QuantizedTable) -> None:
    """The signature `search` scores by the rows without their bias."""
    for basket, k in baskets(len(table.rows), 20, seed=2):
        query = table.rows[basket].astype(np.int64).sum(axis=0)
        query[-1] = 0
        compare(path, name, basket, engine.search(query, k)[0], top_k(table.rows @ query.astype(np.float64), k))


def _manifest(  # noqa: PLR0913, PLR0917 - what a manifest says
    source: Trained,
    table: QuantizedTable,
    preference: InteractionRule,
    flatbuffer: Flatbuffer,
    kept: Kept,
    name: str,
    license_text: str,
) -> Manifest:
    rows, columns = table.rows.shape
    start = flatbuffer.table_offset
    stop = start + table.rows.size
    quality: dict[str, Any] = asdict(kept) | {"training": source.metrics}
    return Manifest(
        format_version=FORMAT_VERSION,
        name=name,
        rows=rows,
        dims=columns - 1,
        columns=columns,
        bits=8,
        scale=table.scale,
        table_offset=start,
        objective="interactions",
        quality=quality,
        license=license_text,
        preference=preference,
        table_crc32=zlib.crc32(flatbuffer.data[start:stop]),
        graph_crc32=zlib.crc32(flatbuffer.data[stop:], zlib.crc32(flatbuffer.data[:start])),
    )
