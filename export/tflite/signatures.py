"""The signatures of the file, op by op, over one table of 8-bit or 4-bit integers.

The graph is written here rather than by the TFLite converter, which stores a tied table twice or rounds the query.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from device_runtime.format.manifest import InteractionRule
from export.table import QuantizedTable
from export.tflite.fixed import build_recommend_fixed
from export.tflite.operators import TABLE, DType, GraphBuilder, Signature, Tensor
from export.tflite.plan import ALL_SIGNATURES, FIXED, SignaturePlan
from export.tflite.ranking import query_of_favorites, rank


def build_signatures(table: QuantizedTable, plan: SignaturePlan = ALL_SIGNATURES) -> list[Signature]:
    """The signatures that `plan` asks for, over `table`; by default all."""
    dtype: DType = "int8" if table.bits == 8 else "int4"
    shared = Tensor(TABLE, dtype, table.rows.shape, table.packed, 1.0)
    builds: dict[str, Callable[[GraphBuilder, float, InteractionRule | None], Signature]]
    builds = {FIXED: partial(build_recommend_fixed, favorites=plan.favorites, results=plan.results)}
    builds |= {"recommend": _recommend, "search": _search, "embed": _embed}
    return [builds[name](GraphBuilder(shared), table.scale, table.rule) for name in plan.names]


def _recommend(b: GraphBuilder, scale: float, rule: InteractionRule | None) -> Signature:
    columns = b.table.shape[1]
    items, k = Tensor("items", "int32", (1, -1)), Tensor("k", "int32", ())
    rows, favorites = b.rows(items, (1, -1, columns)), b.length(items, 1)
    query, biased = query_of_favorites(b, rows, favorites, rule)
    ids, scores = rank(b, query, b.arithmetic("ADD", k, favorites, (), "int32"), scale, biased)
    ids, scores = _without(b, items, k, ids, scores)
    return Signature("recommend", {"items": items, "k": k}, {"ids": ids, "scores": scores}, tuple(b.operators))


def _without(b: GraphBuilder, items: Tensor, k: Tensor, ids: Tensor, scores: Tensor) -> tuple[Tensor, Tensor]:
    """The first k of the ranked ids that are not among `items`, and their scores."""
    differs = b.op("NOT_EQUAL", [b.reshape(ids, (-1, 1)), items], (-1, -1), "bool", options_type="NotEqualOptions")
    others = b.op("WHERE", [b.reduce("REDUCE_ALL", differs, 1, (-1,))], (-1, 1), "int64", options_type="WhereOptions")
    kept = b.first(b.cast(b.reshape(others, (-1,)), "int32"), k)
    return b.gather(ids, kept, (-1,)), b.gather(scores, kept, (-1,))


def _search(b: GraphBuilder, scale: float, rule: InteractionRule | None) -> Signature:
    columns = b.table.shape[1]
    dims = columns if rule is None else columns - 1
    vector, k = Tensor("vector", "float32", (1, dims)), Tensor("k", "int32", ())
    query = vector
    if rule is not None:
        edges = b.constant("bias_column", np.array([[0, 0], [0, 1]], np.int32))
        query = b.op("PAD", [vector, edges], (1, columns), options_type="PadOptions")
    ids, scores = rank(b, query, k, scale)
    return Signature("search", {"vector": vector, "k": k}, {"ids": ids, "scores": scores}, tuple(b.operators))


def _embed(b: GraphBuilder, scale: float, rule: InteractionRule | None) -> Signature:
    items = Tensor("items", "int32", (-1,))
    columns = b.table.shape[1]
    rows = b.rows(items, (-1, columns))
    if rule is not None:
        start, size = (b.constant(f"slice_{n[1]}", np.array(n, np.int32)) for n in ((0, 0), (-1, columns - 1)))
        rows = b.op("SLICE", [rows, start, size], (-1, columns - 1), options_type="SliceOptions")
    factor = b.constant("scale", np.array(scale, np.float32))
    vectors = b.arithmetic("MUL", rows, factor, rows.shape)
    return Signature("embed", {"items": items}, {"vectors": vectors}, tuple(b.operators))
