"""What a `.tflite` file asks of those who open it: no faults, but good to know before an app ships it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from ai_edge_litert import schema_py_generated as schema

from export.errors import ExportError
from export.tflite.lint import LARGE_BYTES, ReadModel, is_dynamic, read_model, shape_of, text_of

DYNAMIC = "dynamic shape"
MEMORY = "memory"
_PLACE_OF_WEIGHTS = 1  # among the inputs of FULLY_CONNECTED
# Bytes of anonymous memory for each weight, as LiteRT 2.3 takes them for a FULLY_CONNECTED of constant weights by its
# default delegate, XNNPACK. It packs a copy of them; what it widens from int8 to float32 before, it keeps, too. Weights
# of 4 bits it leaves to a kernel of the interpreter, which widens them. docs/export.md tells how they were measured.
_PACKED = {schema.TensorType.FLOAT32: 4, schema.TensorType.INT8: 1}
_BESIDE = 12  # bytes a row beside packed int8: its sum, scale and bias
_WIDENED = {schema.TensorType.INT8: 8, schema.TensorType.INT4: 4}

_LESS = "leave out signatures that nobody asks, or the delegate"


@dataclass(frozen=True)
class Note:
    """One note: what it is about, the signatures, what was found there, and what can be done."""

    rule: str
    where: str
    found: str
    remedy: str

    def __str__(self) -> str:
        return f"note: {self.rule}: {self.where}: {self.found}; {self.remedy}"


class _Graph(NamedTuple):
    name: str
    tree: Any
    inputs: dict[str, Any]
    outputs: dict[str, Any]


class _Weights(NamedTuple):
    taken: int  # bytes
    delegated: bool


def list_notes(path: str | Path) -> list[Note]:
    """All notes on the file at `path`, any `.tflite` file.

    Raises:
        ExportError: it cannot be read, or is not a TFLite flatbuffer.
    """
    _, model = read_model(Path(path))
    try:
        graphs = list(_graphs(model))
        return [*_dynamic(graphs), *_memory(model, graphs)]
    except (IndexError, TypeError) as error:  # a number that points to nothing
        raise ExportError(f"{path}: the flatbuffer is damaged ({error}); export or copy it again") from error


def _graphs(model: ReadModel) -> Iterator[_Graph]:
    """One for each signature; a graph without one goes by its own name."""
    signatures = {one.subgraphIndex: one for one in model.tree.signatureDefs or []}
    for i, graph in enumerate(model.tree.subgraphs):
        signature = signatures.get(i)
        inputs, outputs = ([] if signature is None else (signature.inputs, signature.outputs)) or ([], [])
        yield _Graph(
            text_of(graph.name if signature is None else signature.signatureKey),
            graph,
            {text_of(one.name): graph.tensors[one.tensorIndex] for one in inputs or []},
            {text_of(one.name): graph.tensors[one.tensorIndex] for one in outputs or []},
        )


def _dynamic(graphs: list[_Graph]) -> Iterator[Note]:
    unknown = {graph.name: _unknown(graph.inputs | graph.outputs) for graph in graphs}
    where = ", ".join(f"{name}({', '.join(names)})" for name, names in unknown.items() if names)
    if where:
        fixed = [graph.name for graph in graphs if graph.inputs and not unknown[graph.name]]
        remedy = f"ask {fixed[0]} there" if fixed else "declare fixed shapes in a signature for them"
        yield Note(DYNAMIC, where, "of a length that CompiledModel in Kotlin and LiteRT.js cannot set", remedy)


def _unknown(tensors: dict[str, Any]) -> list[str]:
    return [name for name, tensor in tensors.items() if is_dynamic(tensor)]


def _memory(model: ReadModel, graphs: list[_Graph]) -> Iterator[Note]:
    names: dict[tuple[int, bool], list[str]] = {}
    for graph in graphs:
        weights = list(_weights(model, graph.tree))
        key = sum(one.taken for one in weights), any(one.delegated for one in weights)
        names.setdefault(key, []).append(graph.name)
    for (taken, delegated), where in names.items():
        if taken:
            who, when = ("LiteRT's default delegate", "of any signature") if delegated else ("LiteRT", "of each")
            each = " of each" if len(where) > 1 else ""
            found = f"{who} takes {taken:,} bytes for the weights{each}, at the first call {when}"
            yield Note(MEMORY, ", ".join(where), found, _LESS)


def _weights(model: ReadModel, graph: Any) -> Iterator[_Weights]:
    """Of each FULLY_CONNECTED whose weights are constants."""
    operators = [(_kind(model, operator), operator) for operator in graph.operators or []]
    widened = {
        operator.outputs[0]: graph.tensors[operator.inputs[0]]
        for kind, operator in operators
        if kind == schema.BuiltinOperator.DEQUANTIZE
    }
    for kind, operator in operators:
        if kind == schema.BuiltinOperator.FULLY_CONNECTED:
            index = operator.inputs[_PLACE_OF_WEIGHTS]
            source, bytes_of = (widened[index], _WIDENED) if index in widened else (graph.tensors[index], _PACKED)
            if _is_large(model, source) and len(shape_of(source)) == 2:
                rows, columns = shape_of(source)
                beside = _BESIDE if bytes_of is _PACKED and source.type == schema.TensorType.INT8 else 0
                yield _Weights(
                    rows * (columns * bytes_of.get(source.type, 0) + beside), source.type != schema.TensorType.INT4
                )


def _kind(model: ReadModel, operator: Any) -> int:
    code = model.tree.operatorCodes[operator.opcodeIndex]
    return max(code.builtinCode, code.deprecatedBuiltinCode)


def _is_large(model: ReadModel, tensor: Any) -> bool:
    data = model.tree.buffers[tensor.buffer].data
    return data is not None and len(data) >= LARGE_BYTES
