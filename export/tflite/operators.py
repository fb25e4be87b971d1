"""What a graph is made of: tensors, built-in ops at versions that tflite-runtime 2.14 loads, and a builder of both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

DType = Literal["float32", "int32", "int8", "int4", "bool", "int64"]
Options = dict[str, int | float | bool | str | list[int]]

TABLE = "table"
WEIGHTS = "weights"  # the table once more, as another tensor over the same bytes


@dataclass(frozen=True)
class Tensor:
    """A value of the graph. A dimension of -1 is known only when the graph runs; int4 data is packed, two to a byte."""

    name: str
    dtype: DType
    shape: tuple[int, ...]
    data: NDArray[np.generic] | None = None
    scale: float | None = None

    @property
    def count(self) -> int:
        """What a scalar says, where it is a constant; -1 where the graph only knows as it runs."""
        return -1 if self.data is None else int(self.data)


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


class GraphBuilder:
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
        """Appends an op; gives its one output."""
        out = self._fresh("", dtype, shape, scale)
        self.operators.append(Operator(kind, version, tuple(inputs), (out,), options_type, options or {}))
        return out

    def top_k(self, values: Tensor, k: Tensor) -> tuple[Tensor, Tensor]:
        """The `k` greatest of `values` and their places."""
        best = self._fresh("best", values.dtype, (k.count,), None)
        where = self._fresh("at", "int32", (k.count,), None)
        self.operators.append(Operator("TOPK_V2", 1, (values, k), (best, where), "TopKV2Options"))
        return best, where

    def constant(self, name: str, values: NDArray[np.generic]) -> Tensor:
        """A tensor of these values; equal ones are stored once."""
        dtype: DType = "int32" if values.dtype == np.int32 else "float32"
        return Tensor(name, dtype, values.shape, values)

    def integer(self, value: int) -> Tensor:
        """An int32 scalar."""
        return self.constant(f"int_{value}".replace("-", "minus_"), np.array(value, np.int32))

    def gather(self, params: Tensor, rows: Tensor, shape: tuple[int, ...], *, version: int = 1) -> Tensor:
        """`params` at `rows`, by their first axis."""
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
        """Integers in float32."""
        version = 6 if value.dtype == "int4" else 2
        return self.op("DEQUANTIZE", [value], value.shape, version=version, options_type="DequantizeOptions")

    def rows(self, items: Tensor, shape: tuple[int, ...]) -> Tensor:
        """Rows of the table in float32, integers still. No GATHER reads 4-bit integers, so they are widened first."""
        if self.table.dtype == "int4":
            return self.gather(self.weights, items, shape)
        return self.dequantize(self.gather(self.table, items, shape, version=2))

    @cached_property
    def weights(self) -> Tensor:
        """The whole table in float32; interpreters widen a constant once, not at every call.

        Of a tensor of its own, unless nothing else reads the table: MLIR's importers refuse one that GATHER reads too.
        """
        return self.dequantize(self.table if self.table.dtype == "int4" else replace(self.table, name=WEIGHTS))

    def reshape(self, value: Tensor, shape: tuple[int, ...]) -> Tensor:
        """The same values in another shape, which stands in the options too: tf2onnx looks there alone."""
        target = self.constant("shape_" + "_".join(map(str, shape)).replace("-", "m"), np.array(shape, np.int32))
        options: Options = {"newShape": list(shape)}
        return self.op("RESHAPE", [value, target], shape, value.dtype, options_type="ReshapeOptions", options=options)

    def reduce(self, kind: str, value: Tensor, axis: int, shape: tuple[int, ...]) -> Tensor:
        """Of one axis its sum, maximum or conjunction: `kind` is SUM, REDUCE_MAX or REDUCE_ALL."""
        axes = self.constant(f"axis_{axis}", np.array([axis], np.int32))
        options: Options = {"keepDims": False}
        return self.op(kind, [value, axes], shape, value.dtype, options_type="ReducerOptions", options=options)

    def length(self, value: Tensor, axis: int) -> Tensor:
        """How long `value` is along `axis`, as an int32 scalar."""
        options: Options = {"outType": "int32"}
        shape = self.op("SHAPE", [value], (len(value.shape),), "int32", options_type="ShapeOptions", options=options)
        return self.gather(shape, self.integer(axis), ())

    def cast(self, value: Tensor, dtype: DType) -> Tensor:
        """The same values of another type."""
        options: Options = {"inDataType": value.dtype, "outDataType": dtype}
        return self.op("CAST", [value], value.shape, dtype, options_type="CastOptions", options=options)

    def first(self, values: Tensor, count: Tensor) -> Tensor:
        """The first `count` of `values`, or all where there are fewer."""
        start, stride = (self.constant(f"list_{n}", np.array([n], np.int32)) for n in (0, 1))
        inputs = [values, start, self.reshape(count, (1,)), stride]
        return self.op("STRIDED_SLICE", inputs, (-1,), values.dtype, options_type="StridedSliceOptions")

    def pad(self, values: Tensor, after: int, filler: NDArray[np.generic]) -> Tensor:
        """`values` with so many fillers after the last of the last axis; the filler is a scalar, as MLIR asks."""
        *others, last = values.shape
        edges = self.constant(
            f"pad_{len(others) + 1}_{after}", np.array([*([0, 0] for _ in others), [0, after]], np.int32)
        )
        inputs = [values, edges, self.constant(f"filler_{filler}", filler)]
        return self.op("PADV2", inputs, (*others, last + after), values.dtype, options_type="PadV2Options")

    def least(self, a: Tensor, b: int) -> Tensor:
        """The lesser of an int32 scalar and a number: a constant, where both are known."""
        if a.count >= 0:
            return self.integer(min(a.count, b))
        return self.arithmetic("MINIMUM", a, self.integer(b), (), "int32")

    def arithmetic(self, kind: str, a: Tensor, b: Tensor, shape: tuple[int, ...], dtype: DType = "float32") -> Tensor:
        """ADD, MUL, DIV, SUB, MINIMUM or MAXIMUM of two tensors."""
        options_type = {"ADD": "AddOptions", "MUL": "MulOptions", "DIV": "DivOptions", "SUB": "SubOptions"}.get(
            kind, "MaximumMinimumOptions"
        )
        return self.op(kind, [a, b], shape, dtype, options_type=options_type)

    def _fresh(self, role: str, dtype: DType, shape: tuple[int, ...], scale: float | None) -> Tensor:
        """A result, named by the number of its op alone: names are a tenth of the graph's bytes."""
        return Tensor(f"{role}{len(self.operators)}", dtype, shape, None, scale)
