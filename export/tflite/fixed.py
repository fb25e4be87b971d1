"""The signature of fixed shapes, for interfaces that cannot resize an input: CompiledModel, LiteRT.js and samples."""

from __future__ import annotations

import numpy as np

from device_runtime.format.manifest import InteractionRule
from export.tflite.operators import GraphBuilder, Signature, Tensor
from export.tflite.plan import FIXED, NONE
from export.tflite.ranking import query_of_favorites, rank

_NO_ROW = np.array(-(2**31), np.int32)  # equals no favorite, not even one that is given as -1


def build_recommend_fixed(
    b: GraphBuilder, scale: float, rule: InteractionRule | None, favorites: int, results: int
) -> Signature:
    """`recommend` with room for so many favorites and so many results; what is not needed holds -1, with score 0."""
    columns = b.table.shape[1]
    items = Tensor("items", "int32", (1, favorites))
    given = b.op("GREATER_EQUAL", [items, b.integer(0)], items.shape, "bool", options_type="GreaterEqualOptions")
    known = b.arithmetic("MAXIMUM", items, b.integer(0), items.shape, "int32")
    mask = b.reshape(b.cast(given, "float32"), (1, favorites, 1))
    rows = b.arithmetic("MUL", b.rows(known, (1, favorites, columns)), mask, (1, favorites, columns))
    count = b.reduce("SUM", b.cast(given, "int32"), 1, (1,)) if rule else items
    query, biased = query_of_favorites(b, rows, count, rule)
    ids, scores = rank(b, query, b.integer(results + favorites), scale, biased)
    ids, scores = _without(b, items, results, *_of_length(b, ids, scores, results + favorites))
    return Signature(FIXED, {"items": items}, {"ids": ids, "scores": scores}, tuple(b.operators))


def _of_length(b: GraphBuilder, ids: Tensor, scores: Tensor, length: int) -> tuple[Tensor, Tensor]:
    """As they are, or of a catalog with fewer rows, filled up behind."""
    missing = length - ids.shape[0]
    if not missing:
        return ids, scores
    return b.pad(ids, missing, _NO_ROW), b.pad(scores, missing, np.array(0, np.float32))


def _without(b: GraphBuilder, items: Tensor, results: int, ids: Tensor, scores: Tensor) -> tuple[Tensor, Tensor]:
    """The first ranked ids that are not among `items`, and their scores: WHERE, whose result has any length, left out.

    At most as many are dropped as there are favorites, so that enough remain.
    """
    ranked, favorites = ids.shape[0], items.shape[1]
    differs = b.op(
        "NOT_EQUAL",
        [b.reshape(ids, (ranked, 1)), items],
        (ranked, favorites),
        "bool",
        options_type="NotEqualOptions",
    )
    kept = b.cast(b.reduce("REDUCE_ALL", differs, 1, (ranked,)), "int32")
    earlier_is_greater = b.constant("turns", np.arange(ranked, 0, -1, dtype=np.int32))
    turns = b.arithmetic("MUL", kept, earlier_is_greater, (ranked,), "int32")
    _, first = b.top_k(turns, b.integer(results))
    found = b.gather(ids, first, (results,))
    if ranked > b.table.shape[0]:
        found = b.arithmetic("MAXIMUM", found, b.integer(NONE), (results,), "int32")
    return found, b.gather(scores, first, (results,))
