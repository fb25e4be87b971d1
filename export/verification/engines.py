"""What a file keeps of the float neighbors, and whether every interpreter present answers as exact arithmetic."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from device_runtime.engines.base import Engine
from device_runtime.engines.numpy_engine import NumpyEngine
from device_runtime.engines.tflite_engine import TFLiteEngine, interpreter_modules
from device_runtime.errors import MissingEngineError
from device_runtime.format.model_file import ModelFile
from device_runtime.scoring.integers import is_exact_in_float32
from device_runtime.scoring.top_k import top_k
from export.errors import VerificationError
from export.quantization.rows import QuantizedTable
from training.by_attributes.likeness import measure_triplets
from training.console.quiet_tensorflow import without_chatter
from training.inputs.catalog import Catalog
from training.inputs.triplets import Triplet

BASKETS = 200
BASKETS_OF_LARGE = 50
_EVERY_OF_LARGE = 5
LARGEST_BASKET = 20
NEIGHBORS = 10
RANKED = 50
TIE = 0.002
THIRDS = ("common", "middle", "rare")
_MOST_SCORES = 500_000_000
_LARGE = 200_000
_FEWEST_MEASURED = 500
_ROWS_AT_ONCE = 64
_SMALL_ERROR = 1e-5


@dataclass(frozen=True)
class Quality:
    """What a table of integers keeps of the float model; each from 0 to 1 but `kendall_tau`, from -1 to 1.

    Attributes:
        overlap_at_10: the share of the ten nearest items kept; one within TIE of the tenth float score counts as kept.
        strict_overlap_at_10: the same without that allowance.
        kendall_tau: tau-b between float and integer scores of an item's fifty nearest, the mean over items.
        items_measured: whose neighbors were compared; all of them in a catalog of up to about 22,000.
        overlap_by_frequency: `overlap_at_10` by thirds of the catalog, from items whose attribute values are common to
            those whose values are rare; empty where items have no attributes.
        triplets, float_triplets: the share of the catalog's triplets that are answered right, after and before;
            `None` where there are no triplets.
        triplet_error: the standard error of `triplets`.
    """

    overlap_at_10: float
    strict_overlap_at_10: float
    kendall_tau: float
    items_measured: int
    overlap_by_frequency: dict[str, float]
    triplets: float | None
    float_triplets: float | None
    triplet_error: float | None


class Judge:
    """The float model whose neighbors a table has to keep.

    Args:
        vectors: float32 [items, width], unit rows.
        thirds: int [items], the position in THIRDS of each item, or `None`.
    """

    def __init__(
        self,
        vectors: NDArray[np.float32],
        triplets: Sequence[Triplet] = (),
        thirds: NDArray[np.int64] | None = None,
        seed: int = 0,
    ) -> None:
        count = len(vectors)
        self.vectors, self.triplets, self.thirds = vectors, triplets, thirds
        self.sample = np.arange(count)
        affordable = max(_FEWEST_MEASURED, _MOST_SCORES // count)
        if count > affordable:
            self.sample = np.sort(np.random.default_rng(seed).choice(count, affordable, replace=False))
        self.k = min(NEIGHBORS, count - 1)

    def neighbors(self, rows: NDArray[Any]) -> NDArray[np.int64]:
        """The ten nearest other items of each measured item by scores of `rows`, [items measured, 10]."""
        found = np.empty((len(self.sample), self.k), np.int64)
        for place, scores in self._scores(rows.astype(np.float32)):
            found[place] = [top_k(line, self.k) for line in scores]
        return found

    def quality(self, rows: NDArray[np.int8]) -> Quality:
        """Compares the neighbors by float vectors with those by `rows` int8 [items, columns]."""
        if not self.k:
            return Quality(1.0, 1.0, 1.0, len(rows), {}, *self._triplets(rows))
        kept, strict = self.kept(self.neighbors(rows))
        ranked, exact = self._best
        return Quality(
            float(kept.mean()),
            float(strict.mean()),
            self._tau(rows, ranked, exact),
            len(kept),
            self._by_third(kept),
            *self._triplets(rows),
        )

    def overlap(self, rows: NDArray[Any]) -> float:
        """`Quality.overlap_at_10` alone, of rows of any type."""
        return float(self.kept(self.neighbors(rows))[0].mean()) if self.k else 1.0

    def kept(self, found: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The share of its ten nearest in what was `found` for each measured item, with the allowance and without."""
        ranked, exact = self._best
        kept, strict = np.zeros(len(found)), np.zeros(len(found))
        for place in _blocks(len(found)):
            by_float = np.einsum("bd,bkd->bk", self.vectors[self.sample[place]], self.vectors[found[place]])
            kept[place] = (by_float >= exact[place, self.k - 1 : self.k] - TIE).mean(axis=1)
            strict[place] = (found[place][:, :, None] == ranked[place][:, None, : self.k]).any(axis=2).mean(axis=1)
        return kept, strict

    @cached_property
    def _best(self) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """The nearest other items by float vectors, up to fifty of each measured item, and their cosines."""
        most = min(RANKED, len(self.vectors) - 1)
        ranked = np.empty((len(self.sample), most), np.int64)
        exact = np.empty(ranked.shape, np.float32)
        for place, scores in self._scores(self.vectors):
            ranked[place] = [top_k(line, most) for line in scores]
            exact[place] = np.take_along_axis(scores, ranked[place], axis=1)
        return ranked, exact

    def _scores(self, vectors: NDArray[np.float32]) -> Iterator[tuple[slice, NDArray[np.float32]]]:
        """Blocks of measured items and their scores with all others; an item's own is -inf."""
        for place in _blocks(len(self.sample)):
            items = self.sample[place]
            scores = vectors[items] @ vectors.T
            scores[np.arange(len(items)), items] = -np.inf
            yield place, scores

    def _tau(self, rows: NDArray[np.int8], ranked: NDArray[np.int64], exact: NDArray[np.float32]) -> float:
        """Mean Kendall's tau-b (Kendall, 1945): concordant less discordant pairs, over pairs that are not tied."""
        total = 0.0
        for place in _blocks(len(ranked)):
            stored = np.einsum(
                "bd,bkd->bk", rows[self.sample[place]].astype(np.float32), rows[ranked[place]].astype(np.float32)
            )
            a, b = _signs(exact[place]), _signs(stored)
            pairs = np.sqrt(np.abs(a).sum(axis=(1, 2)) * np.abs(b).sum(axis=(1, 2)))
            total += float(np.divide((a * b).sum(axis=(1, 2)), pairs, out=np.ones(len(a)), where=pairs > 0).sum())
        return total / len(ranked)

    def _by_third(self, kept: NDArray[np.float64]) -> dict[str, float]:
        if self.thirds is None:
            return {}
        third = self.thirds[self.sample]
        return {name: float(kept[third == i].mean()) for i, name in enumerate(THIRDS) if (third == i).any()}

    def _triplets(self, rows: NDArray[np.int8]) -> tuple[float | None, float | None, float | None]:
        if not self.triplets:
            return None, None, None
        right = measure_triplets(rows.astype(np.float32), self.triplets).all
        return right, self._float_triplets, float(np.sqrt(right * (1 - right) / len(self.triplets)))

    @cached_property
    def _float_triplets(self) -> float:
        return measure_triplets(self.vectors, self.triplets).all


def frequency_thirds(catalog: Catalog) -> NDArray[np.int64] | None:
    """For each item the third, as a position in THIRDS, by the mean logarithm of how many items share its values."""
    counts: dict[tuple[str, str], int] = {}
    pairs = [[(column, v) for column, values in item.attributes.items() for v in values] for item in catalog.items]
    for item in pairs:
        for pair in item:
            counts[pair] = counts.get(pair, 0) + 1
    if not counts:
        return None
    logarithms = {pair: math.log(count) for pair, count in counts.items()}
    common = np.array([sum(logarithms[pair] for pair in item) / max(1, len(item)) for item in pairs])
    rank = np.empty(len(common), np.int64)
    rank[np.argsort(-common, kind="stable")] = np.arange(len(common))
    return rank * len(THIRDS) // len(common)


def verify(path: Path, table: QuantizedTable, judge: Judge, *, progress: bool = False) -> tuple[str, ...]:
    """Checks the file at `path` against the rows it was made from, on every engine present; gives their names.

    The neighbors of every measured item, 200 random baskets of 1 to 20 favorites and the vectors must be those of exact
    integer arithmetic; of more than 200,000 items every fifth measured one and 50 baskets are asked. tflite-runtime
    2.14 does not load a 4-bit table and is left out.

    Raises:
        VerificationError: the table was changed, or an engine answers otherwise.
    """
    model = ModelFile.open(path)
    if not np.array_equal(model.table, table.rows):
        raise VerificationError(f"{path}: the table read back is not the one that was written")
    interpreters = interpreters_of(model)
    if not interpreters:
        raise VerificationError("no TFLite interpreter is installed to check the file on; install extra 'pipeline'")
    neighbors = judge.neighbors(table.rows) if judge.k else np.empty((0, 0), np.int64)
    wide = table.rows.astype(np.float32)
    engines: dict[str, Engine] = {"numpy": NumpyEngine(model), **interpreters}
    for name, engine in tqdm(engines.items(), desc="verifying", unit="engine", disable=not progress):
        _check_neighbors(path, name, engine, judge, neighbors)
        _check_baskets(path, name, engine, wide)
    for name, interpreter in interpreters.items():
        check_vectors(path, name, interpreter, table, model.manifest.dims)
    return tuple(engines)


def interpreters_of(model: ModelFile) -> dict[str, TFLiteEngine]:
    """An engine for each interpreter that is installed and loads the file, by the interpreter's name."""
    found = {}
    for module in interpreter_modules():
        name = module.partition(".")[0]
        try:
            with without_chatter():
                found[name] = TFLiteEngine(model, module)
        except MissingEngineError:
            if model.manifest.bits == 8 or name != "tflite_runtime":
                raise
    return found


def _check_neighbors(path: Path, name: str, engine: Engine, judge: Judge, expected: NDArray[np.int64]) -> None:
    step = 1 if len(judge.vectors) <= _LARGE else _EVERY_OF_LARGE
    for item, neighbors in zip(judge.sample[::step], expected[::step], strict=False):
        found, _ = engine.nearest(np.array([item]), judge.k)
        compare(path, name, np.array([item]), found, neighbors)


def _check_baskets(path: Path, name: str, engine: Engine, wide: NDArray[np.float32]) -> None:
    for basket, k in baskets(len(wide), BASKETS if len(wide) <= _LARGE else BASKETS_OF_LARGE):
        query = wide[basket].sum(axis=0, dtype=np.float64).astype(np.int64)
        scores = wide @ query.astype(np.float32 if is_exact_in_float32(query) else np.float64)
        compare(path, name, basket, engine.search(query, k)[0], top_k(scores, k))
        scores[basket] = -np.inf
        compare(path, name, basket, engine.nearest(basket, k)[0], top_k(scores, k))


def compare(
    path: Path, name: str, asked: NDArray[np.int64], found: NDArray[np.int64], expected: NDArray[np.int64]
) -> None:
    """Refuses an answer of the engine called `name` that is not the one expected.

    Raises:
        VerificationError: they differ.
    """
    if not np.array_equal(found, expected):
        raise VerificationError(
            f"{path}: engine {name} answers {found[:5].tolist()}... for rows {asked.tolist()}; exact integer scores "
            f"give {expected[:5].tolist()}..."
        )


def check_vectors(path: Path, name: str, engine: TFLiteEngine, table: QuantizedTable, dims: int) -> None:
    """Refuses a file whose signature `embed` gives other vectors than the first `dims` columns of the rows.

    Raises:
        VerificationError: a vector differs.
    """
    for start in range(0, len(table.rows), 1 << 16):
        rows = np.arange(start, min(start + (1 << 16), len(table.rows)))
        error = float(np.abs(engine.embed(rows) - table.rows[rows, :dims] * np.float32(table.scale)).max())
        if error > _SMALL_ERROR:
            raise VerificationError(f"{path}: on {name} a vector differs from its row by {error:.6f}")


def baskets(rows: int, count: int = BASKETS, seed: int = 0) -> Iterator[tuple[NDArray[np.int64], int]]:
    """Random favorites, and how many results to ask for."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        size = int(rng.integers(1, min(LARGEST_BASKET, rows) + 1))
        yield rng.choice(rows, size, replace=False), int(rng.integers(1, min(50, rows) + 1))


def _signs(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """The sign of each pair's difference, [items, ranked, ranked]."""
    return np.sign(scores[:, :, None] - scores[:, None, :])


def _blocks(count: int) -> Iterator[slice]:
    return (slice(start, start + _ROWS_AT_ONCE) for start in range(0, count, _ROWS_AT_ONCE))
