"""The three signatures of the file, op by op, over one table of 8-bit or 4-bit integers.

The graph is written here rather than by the TFLite converter, which stores a tied table twice or rounds the query.
Every score is an exact integer in float32 (the table is dequantized with scale 1), so all interpreters agree.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from device_runtime.format.manifest import InteractionRule
from export.quantization.rows import QuantizedTable

DType = Literal["float32", "int32", "int8", "int4", "bool", "int64"]
Options = dict[str, int | float | bool | str]

TABLE = "table"
MOST_FAVORITES = 64  # of a model of what people like, by the graph; more count as so many toward the bias
PADDING_SCORE = np.float32(-3.0e38)
SMALLEST_SQUARED_NORM = np.float32(1.0)  # an all-zero query has norm 0; integer rows otherwise have at least 1


@dataclass(frozen=True)
class Tensor:
    """A value of the graph. A dimension of -1 is known only when the graph runs; int4 data is packed, two to a byte."""

    name: str
    dtype: DType
    shape: tuple[int, ...]
    data: NDArray[np.generic] | None = None
    scale: float | None = None


@dataclass(frozen=True)
class Operator:
    """One TFLite built-in op: its name and version in the TFLite schema, and its options by their schema names."""

    kind: str
    version: int
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    options_type: str | None = None
    options: Options = field(default_factory=dict)


@dataclass(frozen=True)
class Signature:
    """A subgraph with named inputs and outputs."""

    name: str
    inputs: dict[str, Tensor]
    outputs: dict[str, Tensor]
    operators: tuple[Operator, ...]


class _Builder:
    """Collects the ops of one signature in the order in which they run."""

    def __init__(self, table: Tensor) -> None:
        self.table = table
        self.operators: list[Operator] = []

    def op(  # noqa: PLR0913 - what an op has
        self,
        kind: str,
        inputs: Sequence[Tensor],
        shape: tuple[int, ...],
        dtype: DType = "float32",
        *,
        version: int = 1,
        options_type: str | None = None,
        options: Options | None = None,
        scale: float | None = None,
    ) -> Tensor:
        out = self._fresh(kind, dtype, shape, scale)
        self.operators.append(Operator(kind, version, tuple(inputs), (out,), options_type, options or {}))
        return out

    def top_k(self, values: Tensor, k: Tensor) -> tuple[Tensor, Tensor]:
        best = self._fresh("TOPK_V2.values", values.dtype, (-1,), None)
        where = self._fresh("TOPK_V2.indices", "int32", (-1,), None)
        self.operators.append(Operator("TOPK_V2", 1, (values, k), (best, where), "TopKV2Options"))
        return best, where

    def constant(self, name: str, values: NDArray[np.generic]) -> Tensor:
        dtype: DType = "int32" if values.dtype == np.int32 else "float32"
        return Tensor(name, dtype, values.shape, values)

    def integer(self, value: int) -> Tensor:
        return self.constant(f"int_{value}".replace("-", "minus_"), np.array(value, np.int32))

    def gather(self, params: Tensor, rows: Tensor, shape: tuple[int, ...], *, version: int = 1) -> Tensor:
        return self.op(
            "GATHER",
            [params, rows],
            shape,
            params.dtype,
            version=version,
            options_type="GatherOptions",
            options={"axis": 0, "batchDims": 0},
            scale=params.scale,
        )

    def dequantize(self, value: Tensor) -> Tensor:
        version = 6 if value.dtype == "int4" else 2
        return self.op("DEQUANTIZE", [value], value.shape, version=version, options_type="DequantizeOptions")

    def rows(self, items: Tensor, shape: tuple[int, ...]) -> Tensor:
        """Rows of the table in float32, integers still. No GATHER reads 4-bit integers, so they are widened first."""
        if self.table.dtype == "int4":
            return self.gather(self.weights, items, shape)
        return self.dequantize(self.gather(self.table, items, shape, version=2))

    @cached_property
    def weights(self) -> Tensor:
        """The whole table in float32; interpreters widen a constant once, not at every call."""
        return self.dequantize(self.table)

    def reshape(self, value: Tensor, shape: tuple[int, ...]) -> Tensor:
        target = self.constant("shape_" + "_".join(map(str, shape)).replace("-", "m"), np.array(shape, np.int32))
        return self.op("RESHAPE", [value, target], shape, value.dtype, options_type="ReshapeOptions")

    def reduce(self, kind: str, value: Tensor, axis: int, shape: tuple[int, ...]) -> Tensor:
        axes = self.constant(f"axis_{axis}", np.array([axis], np.int32))
        options: Options = {"keepDims": False}
        return self.op(kind, [value, axes], shape, value.dtype, options_type="ReducerOptions", options=options)

    def length(self, value: Tensor, axis: int) -> Tensor:
        """How long `value` is along `axis`, as an int32 scalar."""
        options: Options = {"outType": "int32"}
        shape = self.op("SHAPE", [value], (len(value.shape),), "int32", options_type="ShapeOptions", options=options)
        return self.gather(shape, self.integer(axis), ())

    def cast(self, value: Tensor, dtype: DType) -> Tensor:
        options: Options = {"inDataType": value.dtype, "outDataType": dtype}
        return self.op("CAST", [value], value.shape, dtype, options_type="CastOptions", options=options)

    def first(self, values: Tensor, count: Tensor) -> Tensor:
        """The first `count` of `values`, or all where there are fewer."""
        start, stride = (self.constant(f"list_{n}", np.array([n], np.int32)) for n in (0, 1))
        inputs = [values, start, self.reshape(count, (1,)), stride]
        return self.op("STRIDED_SLICE", inputs, (-1,), values.dtype, options_type="StridedSliceOptions")

    def arithmetic(self, kind: str, a: Tensor, b: Tensor, shape: tuple[int, ...], dtype: DType = "float32") -> Tensor:
        options_type = {"ADD": "AddOptions", "MUL": "MulOptions", "DIV": "DivOptions", "SUB": "SubOptions"}.get(
            kind, "MaximumMinimumOptions"
        )
        return self.op(kind, [a, b], shape, dtype, options_type=options_type)

    def _fresh(self, kind: str, dtype: DType, shape: tuple[int, ...], scale: float | None) -> Tensor:
        return Tensor(f"{len(self.operators)}_{kind.lower()}", dtype, shape, None, scale)


def signatures(table: QuantizedTable, preference: InteractionRule | None = None) -> list[Signature]:
    """The signatures `recommend`, `search` and `embed` over `table`.

    Its rows must have nearly equal norm, or else the last column must be the bias of a model of what people like.
    """
    dtype: DType = "int8" if table.bits == 8 else "int4"
    shared = Tensor(TABLE, dtype, table.rows.shape, table.packed, 1.0)
    made = (_recommend, _search, _embed)
    return [make(shared, table.scale, preference) for make in made]


def _recommend(table: Tensor, scale: float, preference: InteractionRule | None) -> Signature:
    b = _Builder(table)
    columns = table.shape[1]
    items, k = Tensor("items", "int32", (1, -1)), Tensor("k", "int32", ())
    query = b.reduce("SUM", b.rows(items, (1, -1, columns)), 1, (1, columns))
    favorites = b.length(items, 1)
    biased = None
    if preference is not None:
        signs = b.constant("signs", preference.signs(columns).astype(np.float32)[None])
        query = b.arithmetic("MUL", query, signs, (1, columns))
        biased = b.arithmetic("ADD", query, _bias_of_query(b, favorites, preference), (1, columns))
    ids, scores = _ranked(b, query, b.arithmetic("ADD", k, favorites, (), "int32"), scale, biased)
    ids, scores = _without(b, items, k, ids, scores)
    return Signature("recommend", {"items": items, "k": k}, {"ids": ids, "scores": scores}, tuple(b.operators))


def _without(b: _Builder, items: Tensor, k: Tensor, ids: Tensor, scores: Tensor) -> tuple[Tensor, Tensor]:
    """The first k of the ranked ids that are not among `items`, and their scores."""
    differs = b.op("NOT_EQUAL", [b.reshape(ids, (-1, 1)), items], (-1, -1), "bool", options_type="NotEqualOptions")
    others = b.op("WHERE", [b.reduce("REDUCE_ALL", differs, 1, (-1,))], (-1, 1), "int64", options_type="WhereOptions")
    kept = b.first(b.cast(b.reshape(others, (-1,)), "int32"), k)
    return b.gather(ids, kept, (-1,)), b.gather(scores, kept, (-1,))


def _bias_of_query(b: _Builder, favorites: Tensor, preference: InteractionRule) -> Tensor:
    """0 in all columns but the last, where the entry for this number of favorites stands: [1, columns].

    Entries are looked up, not computed: interpreters take different roots.
    """
    columns = b.table.shape[1]
    known = [preference.bias_entry(count) for count in range(MOST_FAVORITES + 1)]
    count = b.arithmetic("MINIMUM", favorites, b.integer(MOST_FAVORITES), (), "int32")
    entry = b.gather(b.constant("bias_of_query", np.array(known, np.int32)), b.reshape(count, (1,)), (1,))
    last = np.zeros((1, columns), np.float32)
    last[0, -1] = 1
    return b.arithmetic("MUL", b.cast(entry, "float32"), b.constant("last_column", last), (1, columns))


def _search(table: Tensor, scale: float, preference: InteractionRule | None) -> Signature:
    b = _Builder(table)
    columns = table.shape[1]
    dims = columns if preference is None else columns - 1
    vector, k = Tensor("vector", "float32", (1, dims)), Tensor("k", "int32", ())
    query = vector
    if preference is not None:
        edges = b.constant("bias_column", np.array([[0, 0], [0, 1]], np.int32))
        query = b.op("PAD", [vector, edges], (1, columns), options_type="PadOptions")
    ids, scores = _ranked(b, query, k, scale)
    return Signature("search", {"vector": vector, "k": k}, {"ids": ids, "scores": scores}, tuple(b.operators))


def _embed(table: Tensor, scale: float, preference: InteractionRule | None) -> Signature:
    b = _Builder(table)
    items = Tensor("items", "int32", (-1,))
    rows = b.rows(items, (-1, table.shape[1]))
    if preference is not None:
        start, size = (b.constant(f"slice_{n[1]}", np.array(n, np.int32)) for n in ((0, 0), (-1, table.shape[1] - 1)))
        rows = b.op("SLICE", [rows, start, size], (-1, table.shape[1] - 1), options_type="SliceOptions")
    factor = b.constant("scale", np.array(scale, np.float32))
    vectors = b.arithmetic("MUL", rows, factor, rows.shape)
    return Signature("embed", {"items": items}, {"vectors": vectors}, tuple(b.operators))


def _ranked(b: _Builder, query: Tensor, k: Tensor, scale: float, biased: Tensor | None = None) -> tuple[Tensor, Tensor]:
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


def block_length(rows: int) -> int:
    """Rows in a block of the two-level top-k: a power of two that balances block maxima and the scan of ten blocks."""
    return 2 ** max(3, round(math.log2(math.sqrt(rows / 10))))


def _two_level_top_k(b: _Builder, scores: Tensor, k: Tensor) -> tuple[Tensor, Tensor]:
    """Exact top-k that looks only into the k blocks with the greatest maxima.

    Each of those blocks holds a row at least as good as any row elsewhere, so no row is missed. The blocks are put back
    into row order first: equal scores must rank the lower row first, as TOPK_V2 does within what it is given.
    """
    rows, length = b.table.shape[0], block_length(b.table.shape[0])
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


def _ascending(b: _Builder, values: Tensor, count: Tensor) -> Tensor:
    """Sorts int32 [count]: the top `count` of the negated values, negated again."""
    minus_one = b.integer(-1)
    descending, _ = b.top_k(b.arithmetic("MUL", values, minus_one, (-1,), "int32"), count)
    return b.arithmetic("MUL", descending, minus_one, (-1,), "int32")
