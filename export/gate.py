"""Re-opens a written file on every interpreter present and compares it with the Keras model, before it is kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from device_runtime.engines import Engine, NumpyEngine, TFLiteEngine, interpreter_modules
from device_runtime.model_file import ModelFile
from export.errors import VerificationError

BASKETS = 200
LARGEST_BASKET = 20
NEIGHBORS = 10
TIE = 0.002
_SAMPLE = 2000
_STEPS_FROM_KERAS = 2.0


@dataclass(frozen=True)
class Quality:
    """What quantization kept of the float neighbors.

    Attributes:
        overlap_at_10: the share of the ten nearest items kept; one within TIE of the tenth float score counts as kept.
        strict_overlap_at_10: the same without that allowance.
        largest_error: the greatest difference of a vector's entry from the float vector.
    """

    overlap_at_10: float
    strict_overlap_at_10: float
    largest_error: float


def quality(table: NDArray[np.float32], rows: NDArray[np.int8], scale: float, seed: int = 0) -> Quality:
    """Compares the neighbors by float rows with those by int8 rows, over all items or a sample of 2,000 of them."""
    count = len(table)
    if count == 1:
        return Quality(1.0, 1.0, float(np.abs(rows * np.float32(scale) - table).max()))
    k = min(NEIGHBORS, count - 1)
    sample = np.arange(count)
    if count > _SAMPLE:
        sample = np.sort(np.random.default_rng(seed).choice(count, _SAMPLE, replace=False))
    wide = rows.astype(np.float32)
    tolerant = strict = 0.0
    for item in sample:
        exact, rounded = table @ table[item], wide @ wide[item]
        exact[item] = rounded[item] = -np.inf
        found = np.argsort(-rounded, kind="stable")[:k]
        best = np.argsort(-exact, kind="stable")[:k]
        tolerant += float((exact[found] >= exact[best[-1]] - TIE).sum())
        strict += len(np.intersect1d(found, best))
    total = len(sample) * k
    return Quality(tolerant / total, strict / total, float(np.abs(wide * np.float32(scale) - table).max()))


def verify(path: Path, keras_vectors: NDArray[np.float32], rows: NDArray[np.int8]) -> list[str]:
    """Checks the file at `path` against the Keras model's vectors and the int8 rows it was made from.

    Returns:
        The names of the engines it was checked on.

    Raises:
        VerificationError: the table was changed, vectors are too far from Keras, or an engine's ids differ from exact
            integer arithmetic.
    """
    model = ModelFile.open(path)
    if not np.array_equal(model.table, rows):
        raise VerificationError(f"{path}: the table read back is not the one that was written")
    interpreters = {module.partition(".")[0]: TFLiteEngine(model, module) for module in interpreter_modules()}
    if not interpreters:
        raise VerificationError("no TFLite interpreter is installed to check the file on; install extra 'pipeline'")
    for interpreter in interpreters.values():
        _check_vectors(path, interpreter, keras_vectors, model.manifest.scale)
    engines: dict[str, Engine] = {"numpy": NumpyEngine(model), **interpreters}
    for engine in engines.values():
        _check_ids(path, engine, rows)
    return list(engines)


def _check_vectors(path: Path, engine: TFLiteEngine, keras_vectors: NDArray[np.float32], scale: float) -> None:
    allowed = _STEPS_FROM_KERAS * scale
    error = float(np.abs(engine.embed(np.arange(len(keras_vectors))) - keras_vectors).max())
    if error > allowed:
        raise VerificationError(
            f"{path}: a vector differs from the Keras model's by {error:.4f}, more than {allowed:.4f}"
        )


def _check_ids(path: Path, engine: Engine, rows: NDArray[np.int8]) -> None:
    for basket, k in baskets(len(rows)):
        query = rows[basket].astype(np.int64).sum(axis=0)
        expected = np.argsort(-(rows.astype(np.float64) @ query), kind="stable")[:k]
        for found, _ in (engine.nearest(basket, k), engine.search(query, k)):
            if not np.array_equal(found, expected):
                raise VerificationError(
                    f"{path}: engine {engine.name} answers {found[:5].tolist()}... for rows {basket.tolist()}; exact "
                    f"integer scores give {expected[:5].tolist()}..."
                )


def baskets(rows: int, count: int = BASKETS, seed: int = 0) -> Iterator[tuple[NDArray[np.int64], int]]:
    """Random favorites, and how many results to ask for."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        size = int(rng.integers(1, min(LARGEST_BASKET, rows) + 1))
        yield rng.choice(rows, size, replace=False), int(rng.integers(1, min(50, rows) + 1))
