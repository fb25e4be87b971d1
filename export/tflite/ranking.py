"""Graphs that rank a table for a query: favorites to a query, scores, an exact top-k.

Every score is an exact integer in float32 (the table is dequantized with scale 1), so all interpreters agree.
"""

from __future__ import annotations

import math

import numpy as np

from device_runtime.format.manifest import InteractionRule
from export.tflite.operators import GraphBuilder, Options, Tensor
from export.tflite.plan import MOST_FAVORITES

PADDING_SCORE = np.float32(-3.0e38)
SMALLEST_SQUARED_NORM = np.float32(1.0)  # an all-zero query has norm 0; integer rows otherwise have at least 1


def query_of_favorites(
    b: GraphBuilder, rows: Tensor, favorites: Tensor, rule: InteractionRule | None
) -> tuple[Tensor, Tensor | None]:
    """The query, [1, columns], and in a model of what people like the same with its bias, else None.

    Args:
        rows: of the favorites, float32 [1, n, columns].
        favorites: how many they are, int32 of one entry; asked where there is a rule.
    """
    columns = b.table.shape[1]
    query = b.reduce("SUM", rows, 1, (1, columns))
    if rule is None:
        return query, None
    signs = b.constant("signs", rule.signs(columns).astype(np.float32)[None])
    query = b.arithmetic("MUL", query, signs, (1, columns))
    return query, b.arithmetic("ADD", query, _bias_of_query(b, favorites, rule), (1, columns))


def _bias_of_query(b: GraphBuilder, favorites: Tensor, rule: InteractionRule) -> Tensor:
    """0 in all columns but the last, where the entry for this number of favorites stands: [1, columns].

    Entries are looked up, not computed: interpreters take different roots.
    """
    known = [rule.bias_entry(count) for count in range(MOST_FAVORITES + 1)]
    count = b.arithmetic("MINIMUM", favorites, b.integer(MOST_FAVORITES), favorites.shape, "int32")
    entry = b.gather(b.constant("bias_of_query", np.array(known, np.float32)), b.reshape(count, (1, 1)), (1, 1))
    edges = b.constant("before_bias", np.array([[0, 0], [b.table.shape[1] - 1, 0]], np.int32))
    return b.op("PAD", [entry, edges], (1, b.table.shape[1]), options_type="PadOptions")


def rank(
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
    return ids, b.arithmetic("MUL", best, factor, best.shape)


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
    k = b.least(k, rows)
    if blocks * length > rows:
        scores = b.pad(scores, blocks * length - rows, np.array(PADDING_SCORE))
    grid = b.reshape(scores, (blocks, length))
    block_count = b.least(k, blocks)
    _, best_blocks = b.top_k(b.reduce("REDUCE_MAX", grid, 1, (blocks,)), block_count)
    in_order = _ascending(b, best_blocks, block_count)
    known = block_count.count
    candidates = b.reshape(b.gather(grid, in_order, (known, length)), (known * length if known > 0 else -1,))
    best, position = b.top_k(candidates, k)
    return _row_of(b, in_order, position, length), best


def _row_of(b: GraphBuilder, blocks: Tensor, position: Tensor, length: int) -> Tensor:
    """The rows at positions in `blocks` laid one behind the other."""
    step, shape = b.integer(length), position.shape
    place = b.op("FLOOR_DIV", [position, step], shape, "int32", options_type="FloorDivOptions")
    offset = b.arithmetic("SUB", position, b.arithmetic("MUL", place, step, shape, "int32"), shape, "int32")
    start = b.arithmetic("MUL", b.gather(blocks, place, shape), step, shape, "int32")
    return b.arithmetic("ADD", start, offset, shape, "int32")


def _ascending(b: GraphBuilder, values: Tensor, count: Tensor) -> Tensor:
    """Sorts int32 [count]: the top `count` of the negated values, negated again."""
    minus_one = b.integer(-1)
    descending, _ = b.top_k(b.arithmetic("MUL", values, minus_one, values.shape, "int32"), count)
    return b.arithmetic("MUL", descending, minus_one, values.shape, "int32")
