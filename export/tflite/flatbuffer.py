"""Writes signatures as a TFLite flatbuffer with one table, its bytes 16-aligned in the file."""

from __future__ import annotations

from dataclasses import dataclass

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from flatbuffers.number_types import UOffsetTFlags
from numpy.typing import NDArray

from device_runtime.format.layout import TABLE_ALIGNMENT
from export.tflite.operators import TABLE, WEIGHTS, Operator, Signature, Tensor

_TYPES = {
    "float32": schema.TensorType.FLOAT32,
    "int32": schema.TensorType.INT32,
    "int64": schema.TensorType.INT64,
    "bool": schema.TensorType.BOOL,
    "int8": schema.TensorType.INT8,
    "int4": schema.TensorType.INT4,
}
_LAST_BYTE_SIZED_CODE = 127


@dataclass(frozen=True)
class Flatbuffer:
    """A finished flatbuffer and where its table starts, in bytes from the first."""

    data: bytes
    table_offset: int


class _AlignedBuffer(schema.BufferT):
    """A buffer whose bytes start at a multiple of TABLE_ALIGNMENT; the generated class leaves them where they fall."""

    def Pack(self, builder: flatbuffers.Builder) -> int:  # noqa: N802 - the name is the schema's
        data = np.ascontiguousarray(self.data).view(np.uint8).ravel()
        builder.StartVector(1, data.size, TABLE_ALIGNMENT)
        builder.head = UOffsetTFlags.py_type(builder.Head() - data.size)
        builder.Bytes[builder.Head() : builder.Head() + data.size] = data.tobytes()
        vector = builder.EndVector()
        schema.BufferStart(builder)
        schema.BufferAddData(builder, vector)
        return schema.BufferEnd(builder)


def serialize(signatures: list[Signature], description: str = "mignon") -> Flatbuffer:
    """The flatbuffer of `signatures`; equal constants are stored once, across all of them."""
    model = schema.ModelT()
    model.version = 3
    model.description = description
    writer = _ModelWriter(model)
    model.subgraphs = [writer.subgraph(signature) for signature in signatures]
    model.signatureDefs = [writer.signature(i, signature) for i, signature in enumerate(signatures)]
    table_bytes = max(buffer.data.size for buffer in model.buffers if isinstance(buffer, _AlignedBuffer))
    builder = flatbuffers.Builder(table_bytes + 65536)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    data = bytes(builder.Output())
    return Flatbuffer(data, _table_offset(data))


class _ModelWriter:
    def __init__(self, model: schema.ModelT) -> None:
        self.model = model
        model.buffers = [schema.BufferT()]  # buffer 0 is empty by convention
        model.operatorCodes = []
        self.buffer_of: dict[tuple[str, bytes | str], int] = {}
        self.code_of: dict[tuple[str, int], int] = {}
        self.index_of: list[dict[Tensor, int]] = []

    def subgraph(self, signature: Signature) -> schema.SubGraphT:
        graph = schema.SubGraphT()
        graph.name = signature.name
        graph.tensors, graph.operators = [], []
        index_of: dict[int | tuple[str, str], int] = {}

        def place(tensor: Tensor) -> int:
            key = id(tensor) if tensor.data is None else (tensor.name, tensor.dtype)
            if key not in index_of:
                index_of[key] = len(graph.tensors)
                graph.tensors.append(self._tensor(tensor))
            return index_of[key]

        graph.inputs = [place(t) for t in signature.inputs.values()]
        for operator in signature.operators:
            inputs = [place(t) for t in operator.inputs]
            outputs = [place(t) for t in operator.outputs]
            graph.operators.append(self._operator(operator, inputs, outputs))
        graph.outputs = [place(t) for t in signature.outputs.values()]
        for name, index in zip(signature.outputs, graph.outputs, strict=True):
            graph.tensors[index].name = name  # what shows tensors and no signatures has it, too
        return graph

    def signature(self, i: int, signature: Signature) -> schema.SignatureDefT:
        graph = self.model.subgraphs[i]
        definition = schema.SignatureDefT()
        definition.signatureKey = signature.name
        definition.subgraphIndex = i
        definition.inputs = [_named(n, t) for n, t in zip(signature.inputs, graph.inputs, strict=True)]
        definition.outputs = [_named(n, t) for n, t in zip(signature.outputs, graph.outputs, strict=True)]
        return definition

    def _tensor(self, tensor: Tensor) -> schema.TensorT:
        made = schema.TensorT()
        made.name = tensor.name
        made.type = _TYPES[tensor.dtype]
        made.shape = [1 if n == -1 else n for n in tensor.shape]
        made.hasRank = not tensor.shape  # tells a scalar from a shape that is not known
        if -1 in tensor.shape:
            made.shapeSignature = list(tensor.shape)
        if tensor.scale is not None:
            made.quantization = schema.QuantizationParametersT()
            made.quantization.scale, made.quantization.zeroPoint = [tensor.scale], [0]
        made.buffer = 0 if tensor.data is None else self._buffer(tensor, tensor.data)
        return made

    def _buffer(self, tensor: Tensor, data: NDArray[np.generic]) -> int:
        is_table = tensor.name in (TABLE, WEIGHTS)
        key = (tensor.dtype, TABLE if is_table else data.tobytes())
        if key not in self.buffer_of:
            buffer = _AlignedBuffer() if is_table else schema.BufferT()
            buffer.data = data if is_table else np.frombuffer(data.tobytes(), np.uint8)
            self.buffer_of[key] = len(self.model.buffers)
            self.model.buffers.append(buffer)
        return self.buffer_of[key]

    def _operator(self, operator: Operator, inputs: list[int], outputs: list[int]) -> schema.OperatorT:
        made = schema.OperatorT()
        made.opcodeIndex = self._code(operator)
        made.inputs, made.outputs = inputs, outputs
        if operator.options_type is not None:
            made.builtinOptionsType = getattr(schema.BuiltinOptions, operator.options_type)
            made.builtinOptions = getattr(schema, operator.options_type + "T")()
            for name, value in operator.options.items():
                setattr(made.builtinOptions, name, _TYPES[value] if isinstance(value, str) else value)
        return made

    def _code(self, operator: Operator) -> int:
        key = (operator.kind, operator.version)
        if key not in self.code_of:
            code = schema.OperatorCodeT()
            code.builtinCode = getattr(schema.BuiltinOperator, operator.kind)
            code.deprecatedBuiltinCode = min(code.builtinCode, _LAST_BYTE_SIZED_CODE)
            code.version = operator.version
            self.code_of[key] = len(self.model.operatorCodes)
            self.model.operatorCodes.append(code)
        return self.code_of[key]


def _named(name: str, tensor: int) -> schema.TensorMapT:
    entry = schema.TensorMapT()
    entry.name, entry.tensorIndex = name, tensor
    return entry


def _table_offset(data: bytes) -> int:
    """Found through the flatbuffer's own structure: the table's bytes could occur elsewhere by chance."""
    model = schema.Model.GetRootAs(data)
    graph = model.Subgraphs(0)
    tensors = (graph.Tensors(i) for i in range(graph.TensorsLength()))
    tensor = next(tensor for tensor in tensors if tensor.Name().decode() in (TABLE, WEIGHTS))
    buffer = model.Buffers(tensor.Buffer())
    vector = buffer._tab.Vector(buffer._tab.Offset(4))  # field 0 of Buffer is its data
    return int(vector)
