"""What a table of integers keeps of the float model: the neighbors of items, or the best items for baskets."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from device_runtime.scoring.top_k import top_k
from export.table import QuantizedTable, normalize_rows
from export.verification.questions import LARGE, NEIGHBORS, draw_baskets, make_query
from training.by_attributes.likeness import measure_triplets
from training.console.quiet_tensorflow import import_tensorflow
from training.evaluation.triplets import Triplet
from training.inputs.catalog import Catalog
from training.trained import Preference, Trained
from training.trained_folder import MODEL

RANKED = 50
TIE = 0.002
THIRDS = ("common", "middle", "rare")
_MOST_SCORES = 500_000_000
_FEWEST_MEASURED = 500
_EVERY_OF_LARGE = 5
_ROWS_AT_ONCE = 64
_MEASURED_BASKETS = 500
_MOST_VERIFIED_ITEMS = 1000


@dataclass(frozen=True)
class NeighborQuality:
    """What a table keeps of the float neighbors of items; each from 0 to 1 but `kendall_tau`, from -1 to 1.

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


@dataclass(frozen=True)
class BasketQuality:
    """What a table keeps of a float model of what people like, over random baskets of 1 to 20 favorites.

    Attributes:
        overlap_at_10: the share of the ten best by float scores that are among the ten best by integers.
        baskets: how many were asked.
    """

    overlap_at_10: float
    baskets: int


class NeighborJudge:
    """The float model whose neighbors a table has to keep; its `table`s have no bias.

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

    def measure(self, table: QuantizedTable) -> NeighborQuality:
        """Compares the neighbors by float vectors with those by the rows of `table`."""
        rows = table.rows
        if not self.k:
            return NeighborQuality(1.0, 1.0, 1.0, len(rows), {}, *self._triplets(rows))
        kept, strict = self.kept(self.neighbors(rows))
        ranked, exact = self._best
        return NeighborQuality(
            float(kept.mean()),
            float(strict.mean()),
            self._tau(rows, ranked, exact),
            len(kept),
            self._by_third(kept),
            *self._triplets(rows),
        )

    def overlap(self, rows: NDArray[Any]) -> float:
        """`NeighborQuality.overlap_at_10` alone, of rows of any type."""
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

    def verified_items(self) -> NDArray[np.int64]:
        """The measured items, of a large catalog every fifth of them."""
        return self.sample[:: 1 if len(self.vectors) <= LARGE else _EVERY_OF_LARGE]

    def move_vectors(self, vectors: NDArray[np.float32], table: QuantizedTable) -> NDArray[np.float32]:
        """Trained vectors float32 [any, width] where the rows of `table` are: [any, dims], by the best linear map.

        Truncation is a linear map and fine-tuning nearly one, so that what was trained beside the table can follow it.
        """
        rows = table.rows * np.float32(table.scale)
        moved: NDArray[np.float32] = vectors @ np.linalg.lstsq(self.vectors, rows, rcond=None)[0]
        return moved.astype(np.float32)

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


class BasketJudge:
    """A float model of what people like, whose best items a table has to keep.

    Args:
        vectors: float32 [items, width], rows of any length.
    """

    def __init__(self, vectors: NDArray[np.float32], preference: Preference) -> None:
        self.vectors, self.preference = vectors, preference

    def measure(self, table: QuantizedTable) -> BasketQuality:
        """Compares the ten best by float scores with the ten best by integers."""
        kept = []
        wide = table.rows.astype(np.float64)
        for basket, _ in draw_baskets(len(wide), _MEASURED_BASKETS, seed=1):
            exact, integer = self.score(basket), wide @ make_query(table, basket)
            exact[basket] = integer[basket] = -np.inf
            if k := min(NEIGHBORS, len(exact) - len(basket)):
                kept.append(len(np.intersect1d(top_k(exact, k), top_k(integer, k))) / k)
        return BasketQuality(round(float(np.mean(kept)) if kept else 1.0, 4), len(kept))

    def score(self, basket: NDArray[np.int64]) -> NDArray[np.float64]:
        """The scores of all items by the trained model, float64 [items]."""
        signs = np.ones(self.vectors.shape[1])
        signs[len(signs) - self.preference.negative_columns :] = -1
        query = self.vectors[basket].sum(axis=0, dtype=np.float64) / len(basket) ** self.preference.power * signs
        return self.vectors @ query + self.preference.bias

    def verified_items(self) -> NDArray[np.int64]:
        """Every so many items, about a thousand."""
        count = len(self.vectors)
        return np.arange(0, count, max(1, count // _MOST_VERIFIED_ITEMS))

    def move_vectors(self, vectors: NDArray[np.float32], table: QuantizedTable) -> NDArray[np.float32]:  # noqa: ARG002
        """`vectors` as they are: the table was neither turned nor cut."""
        return vectors


Judge = NeighborJudge | BasketJudge


def load_neighbor_judge(folder: Path, source: Trained) -> NeighborJudge:
    """The Keras model in a trained folder as what a file is held against.

    Raises:
        ExportError: a row has no direction.
    """
    import_tensorflow()
    import tf_keras

    model = tf_keras.models.load_model(folder / MODEL, compile=False)
    vectors: NDArray[np.float32] = model(np.arange(len(source.table), dtype=np.int32)).numpy()
    return NeighborJudge(normalize_rows(vectors), source.triplets, split_by_frequency(source.catalog))


def split_by_frequency(catalog: Catalog) -> NDArray[np.int64] | None:
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


def _signs(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """The sign of each pair's difference, [items, ranked, ranked]."""
    return np.sign(scores[:, :, None] - scores[:, None, :])


def _blocks(count: int) -> Iterator[slice]:
    return (slice(start, start + _ROWS_AT_ONCE) for start in range(0, count, _ROWS_AT_ONCE))
