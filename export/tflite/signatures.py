"""The three signatures of the file, op by op, over one table of 8-bit or 4-bit integers.

The graph is written here rather than by the TFLite converter, which stores a tied table twice or rounds the query.
Every score is an exact integer in float32 (the table is dequantized with scale 1), so all interpreters agree.
"""

from __future__ import annotations

import math

import numpy as np

from device_runtime.format.manifest import InteractionRule
from export.table import QuantizedTable
from export.tflite.operators import TABLE, DType, GraphBuilder, Options, Signature, Tensor

MOST_FAVORITES = 64  # of a model of what people like, by the graph; more count as so many toward the bias
PADDING_SCORE = np.float32(-3.0e38)
SMALLEST_SQUARED_NORM = np.float32(1.0)  # an all-zero query has norm 0; integer rows otherwise have at least 1


def build_signatures(table: QuantizedTable) -> list[Signature]:
    """The signatures `recommend`, `search` and `embed` over `table`."""
    dtype: DType = "int8" if table.bits == 8 else "int4"
    shared = Tensor(TABLE, dtype, table.rows.shape, table.packed, 1.0)
    builds = (_recommend, _search, _embed)
    return [build(GraphBuilder(shared), table.scale, table.rule) for build in builds]


def _recommend(b: GraphBuilder, scale: float, rule: InteractionRule | None) -> Signature:
    columns = b.table.shape[1]
    items, k = Tensor("items", "int32", (1, -1)), Tensor("k", "int32", ())
    query = b.reduce("SUM", b.rows(items, (1, -1, columns)), 1, (1, columns))
    favorites = b.length(items, 1)
    biased = None
    if rule is not None:
        signs = b.constant("signs", rule.signs(columns).astype(np.float32)[None])
        query = b.arithmetic("MUL", query, signs, (1, columns))
        biased = b.arithmetic("ADD", query, _bias_of_query(b, favorites, rule), (1, columns))
    ids, scores = _ranked(b, query, b.arithmetic("ADD", k, favorites, (), "int32"), scale, biased)
    ids, scores = _without(b, items, k, ids, scores)
    return Signature("recommend", {"items": items, "k": k}, {"ids": ids, "scores": scores}, tuple(b.operators))


def _without(b: GraphBuilder, items: Tensor, k: Tensor, ids: Tensor, scores: Tensor) -> tuple[Tensor, Tensor]:
    """The first k of the ranked ids that are not among `items`, and their scores."""
    differs = b.op("NOT_EQUAL", [b.reshape(ids, (-1, 1)), items], (-1, -1), "bool", options_type="NotEqualOptions")
    others = b.op("WHERE", [b.reduce("REDUCE_ALL", differs, 1, (-1,))], (-1, 1), "int64", options_type="WhereOptions")
    kept = b.first(b.cast(b.reshape(others, (-1,)), "int32"), k)
    return b.gather(ids, kept, (-1,)), b.gather(scores, kept, (-1,))


def _bias_of_query(b: GraphBuilder, favorites: Tensor, rule: InteractionRule) -> Tensor:
    """0 in all columns but the last, where the entry for this number of favorites stands: [1, columns].

    Entries are looked up, not computed: interpreters take different roots.
    """
    columns = b.table.shape[1]
    known = [rule.bias_entry(count) for count in range(MOST_FAVORITES + 1)]
    count = b.arithmetic("MINIMUM", favorites, b.integer(MOST_FAVORITES), (), "int32")
    entry = b.gather(b.constant("bias_of_query", np.array(known, np.int32)), b.reshape(count, (1,)), (1,))
    last = np.zeros((1, columns), np.float32)
    last[0, -1] = 1
    return b.arithmetic("MUL", b.cast(entry, "float32"), b.constant("last_column", last), (1, columns))


def _search(b: GraphBuilder, scale: float, rule: InteractionRule | None) -> Signature:
    columns = b.table.shape[1]
    dims = columns if rule is None else columns - 1
    vector, k = Tensor("vector", "float32", (1, dims)), Tensor("k", "int32", ())
    query = vector
    if rule is not None:
        edges = b.constant("bias_column", np.array([[0, 0], [0, 1]], np.int32))
        query = b.op("PAD", [vector, edges], (1, columns), options_type="PadOptions")
    ids, scores = _ranked(b, query, k, scale)
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


def _ranked(
    b: GraphBuilder, query: Tensor, k: Tensor, scale: float, biased: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """The best k rows for a query of shape [1, columns]; only their scores are turned into cosines.

    Args:
        biased: what to score by, where it is not the query itself; the query's norm divides the scores.
    """
    rows, columns = b.table.shape
    options: Options = {"fusedActivationFunction": 0, "keepNumDims": False}
    scores = b.op(
        "FULLY_CONNECTED",
        [biased or query, b.weights],
        (1, rows),
        options_type="FullyConnectedOptions",
        options=options,
    )
    ids, best = _two_level_top_k(b, scores, k)
    square = b.reduce("SUM", b.arithmetic("MUL", query, query, (1, columns)), 1, (1,))
    floor = b.constant("one", np.array([SMALLEST_SQUARED_NORM]))
    norm = b.op("SQRT", [b.arithmetic("MAXIMUM", square, floor, (1,))], (1,))
    factor = b.arithmetic("DIV", b.constant("scale", np.array([scale], np.float32)), norm, (1,))
    return ids, b.arithmetic("MUL", best, factor, (-1,))


def choose_block_length(rows: int) -> int:
    """Rows in a block of the two-level top-k: a power of two that balances block maxima and the scan of ten blocks."""
    return 2 ** max(3, round(math.log2(math.sqrt(rows / 10))))


def _two_level_top_k(b: GraphBuilder, scores: Tensor, k: Tensor) -> tuple[Tensor, Tensor]:
    """Exact top-k that looks only into the k blocks with the greatest maxima.

    Each of those blocks holds a row at least as good as any row elsewhere, so no row is missed. The blocks are put back
    into row order first: equal scores must rank the lower row first, as TOPK_V2 does within what it is given.
    """
    rows, length = b.table.shape[0], choose_block_length(b.table.shape[0])
    blocks = -(-rows // length)
    k = b.arithmetic("MINIMUM", k, b.integer(rows), (), "int32")
    if blocks * length > rows:
        edges = b.constant("padding", np.array([[0, 0], [0, blocks * length - rows]], np.int32))
        filler = b.constant("padding_score", np.array([PADDING_SCORE]))
        scores = b.op("PADV2", [scores, edges, filler], (1, blocks * length), options_type="PadV2Options")
    grid = b.reshape(scores, (blocks, length))
    block_count = b.arithmetic("MINIMUM", k, b.integer(blocks), (), "int32")
    _, best_blocks = b.top_k(b.reduce("REDUCE_MAX", grid, 1, (blocks,)), block_count)
    in_order = _ascending(b, best_blocks, block_count)
    candidates = b.reshape(b.gather(grid, in_order, (-1, length)), (-1,))
    best, position = b.top_k(candidates, k)
    step = b.integer(length)
    rank = b.op("FLOOR_DIV", [position, step], (-1,), "int32", options_type="FloorDivOptions")
    offset = b.arithmetic("SUB", position, b.arithmetic("MUL", rank, step, (-1,), "int32"), (-1,), "int32")
    start = b.arithmetic("MUL", b.gather(in_order, rank, (-1,)), step, (-1,), "int32")
    return b.arithmetic("ADD", start, offset, (-1,), "int32"), best


def _ascending(b: GraphBuilder, values: Tensor, count: Tensor) -> Tensor:
    """Sorts int32 [count]: the top `count` of the negated values, negated again."""
    minus_one = b.integer(-1)
    descending, _ = b.top_k(b.arithmetic("MUL", values, minus_one, (-1,), "int32"), count)
    return b.arithmetic("MUL", descending, minus_one, (-1,), "int32")
