"""What is wrong with a `.tflite` file, tensor by tensor, with the remedy. Works on any file, not only on mignon's."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from device_runtime.errors import ModelFileError
from device_runtime.format.layout import MANIFEST, TABLE_ALIGNMENT
from device_runtime.format.model_file import ModelFile
from export.errors import ExportError
from export.outputs import check_flatbuffer

_OP_VERSIONS = Path(__file__).with_name("op_versions.json")
NEWEST_IN_TFLITE_RUNTIME_2_14: dict[str, int] = json.loads(_OP_VERSIONS.read_text("utf-8"))["newest"]
OP_VERSION = "op version"
FIXED_SHAPE = "fixed shape"
LARGE_BYTES = 1024
_OPS = {code: name for name, code in vars(schema.BuiltinOperator).items() if not name.startswith("_")}
_INTEGER_TYPES = {schema.TensorType.INT8, schema.TensorType.UINT8, schema.TensorType.INT4}
_SAME_TABLE_COSINE = 0.99
_OLDER_FORMS = {
    "FULLY_CONNECTED": "per-tensor weights keep FULLY_CONNECTED old",
    "DEQUANTIZE": "8 bits keep DEQUANTIZE old; LiteRT and mignon's numpy engine read 4",
}


@dataclass(frozen=True)
class Fault:
    """One fault: its rule, the tensor, op or signature that has it, and what to do."""

    rule: str
    where: str
    found: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.where}: {self.found}; {self.remedy}"


@dataclass(frozen=True)
class _Constant:
    """A large tensor whose values are in the file."""

    name: str
    tensor: Any
    buffer: int
    data: np.ndarray[Any, np.dtype[np.uint8]]
    offset: int


@dataclass(frozen=True)
class ReadModel:
    """A flatbuffer as Python objects, and its large constants."""

    tree: Any
    constants: tuple[_Constant, ...]


def lint_file(path: str | Path) -> list[Fault]:
    """All faults of the file at `path`, any `.tflite` file.

    Raises:
        ExportError: it cannot be read, or is not a TFLite flatbuffer.
    """
    path = Path(path)
    data, model = read_model(path)
    return [*_damage(path, data), *(fault for rule in _RULES for fault in rule(model))]


def read_model(path: Path) -> tuple[bytes, ReadModel]:
    """The bytes of the file at `path`, and what the flatbuffer in them says.

    Raises:
        ExportError: it cannot be read, or is not a TFLite flatbuffer.
    """
    check_flatbuffer(path)
    data = path.read_bytes()
    return data, _read(path, data)


def _damage(path: Path, data: bytes) -> Iterator[Fault]:
    """Of a file of mignon's, what its digests say; a name of the archive tells it, even where it was cut."""
    if MANIFEST.encode() in data:
        try:
            ModelFile.open(path)
        except ModelFileError as error:
            found, _, remedy = str(error).removeprefix(f"{path}: ").partition("; ")
            yield Fault("damaged file", path.name, found, remedy)


def _read(path: Path, data: bytes) -> ReadModel:
    try:
        view = schema.Model.GetRootAs(data)
        tree = schema.ModelT.InitFromObj(view)
        return ReadModel(tree, tuple(_constants(view, tree)))
    except Exception as error:
        raise ExportError(f"{path}: the flatbuffer is damaged ({error}); export or copy it again") from error


def _constants(view: Any, tree: Any) -> Iterator[_Constant]:
    seen = set()
    for graph in tree.subgraphs:
        for tensor in graph.tensors:
            data = tree.buffers[tensor.buffer].data
            if data is None or len(data) < LARGE_BYTES or tensor.buffer in seen:
                continue
            seen.add(tensor.buffer)
            table = view.Buffers(tensor.buffer)._tab
            offset = int(table.Vector(table.Offset(4)))  # field 0 of Buffer is its data
            yield _Constant(text_of(tensor.name), tensor, tensor.buffer, np.asarray(data, np.uint8), offset)


def _float_tables(model: ReadModel) -> Iterator[Fault]:
    for constant in model.constants:
        if constant.tensor.type == schema.TensorType.FLOAT32 and len(shape_of(constant.tensor)) >= 2:
            found = f"float32 {shape_of(constant.tensor)}, {constant.data.size:,} bytes"
            yield Fault("float table", constant.name, found, "quantize it to int8: a quarter of the bytes")


def _duplicates(model: ReadModel) -> Iterator[Fault]:
    """The same values in two buffers: to the byte, or as a table quantized twice in different ways."""
    for i, constant in enumerate(model.constants):
        for other in model.constants[:i]:
            if _same_table(constant, other):
                found = f"holds what {other.name} holds, {constant.data.size:,} bytes"
                yield Fault("duplicated buffer", constant.name, found, "let both tensors share one buffer")


def _same_table(a: _Constant, b: _Constant) -> bool:
    if a.data.size == b.data.size and np.array_equal(a.data, b.data):
        return True
    if shape_of(a.tensor) != shape_of(b.tensor) or len(shape_of(a.tensor)) < 2:
        return False
    first, second = _values(a), _values(b)
    norms = np.linalg.norm(first) * np.linalg.norm(second)
    return bool(norms > 0 and np.vdot(first, second) / norms > _SAME_TABLE_COSINE)


def _values(constant: _Constant) -> np.ndarray[Any, np.dtype[np.float32]]:
    kind = {schema.TensorType.FLOAT32: np.float32, schema.TensorType.INT8: np.int8}.get(constant.tensor.type, np.uint8)
    values = constant.data.view(kind).astype(np.float32).reshape(shape_of(constant.tensor))
    quantization = constant.tensor.quantization
    scale = None if quantization is None else quantization.scale
    if scale is not None and len(scale) == values.shape[0]:
        values = values * np.asarray(scale, np.float32).reshape(-1, *[1] * (values.ndim - 1))
    return values


def _missing_scales(model: ReadModel) -> Iterator[Fault]:
    for constant in model.constants:
        quantization = constant.tensor.quantization
        scale = None if quantization is None else quantization.scale
        if constant.tensor.type in _INTEGER_TYPES and (scale is None or not len(scale)):
            yield Fault("missing scale", constant.name, "integers without a scale", "give it quantization parameters")


def _misaligned(model: ReadModel) -> Iterator[Fault]:
    for constant in model.constants:
        if constant.offset % TABLE_ALIGNMENT:
            past = constant.offset % TABLE_ALIGNMENT
            found = f"starts at byte {constant.offset}, {past} past a multiple of {TABLE_ALIGNMENT}"
            yield Fault("unaligned table", constant.name, found, f"write its vector with alignment {TABLE_ALIGNMENT}")


def _unknown_ops(model: ReadModel) -> Iterator[Fault]:
    for code in model.tree.operatorCodes:
        builtin = max(code.builtinCode, code.deprecatedBuiltinCode)
        name = _OPS.get(builtin, str(builtin))
        if name == "CUSTOM":
            custom = text_of(code.customCode)
            kind = "Flex op" if custom.startswith("Flex") else "custom op"
            yield Fault(kind, custom, "is no built-in op", "write it with built-in ops; plain interpreters lack it")
        elif code.version > NEWEST_IN_TFLITE_RUNTIME_2_14.get(name, 0):
            newest = NEWEST_IN_TFLITE_RUNTIME_2_14.get(name, 0)
            found = f"version {code.version}; tflite-runtime 2.14 loads {newest or 'none'}"
            yield Fault(OP_VERSION, name, found, _OLDER_FORMS.get(name, "use an older form"))


def _signature_shapes(model: ReadModel) -> Iterator[Fault]:
    if not model.tree.signatureDefs:
        yield Fault("no signature", "the file", "has none", "convert from a SavedModel with signatures")
        return
    inputs = list(_inputs(model))
    of_any_length = {name for _, name, tensor in inputs if is_dynamic(tensor)}
    for signature, name, tensor in inputs:
        where = f"{signature}({name})"
        if not shape_of(tensor) and not tensor.hasRank:
            yield Fault("missing shape", where, "has no rank", "declare its shape in the input signature")
        elif tensor.type == schema.TensorType.INT32 and _is_fixed_list(tensor) and name not in of_any_length:
            found = f"takes exactly {shape_of(tensor)} indices, and no other signature takes another number"
            yield Fault(FIXED_SHAPE, where, found, "declare its length unknown, so that any number fits")


def _inputs(model: ReadModel) -> Iterator[tuple[str, str, Any]]:
    """Of each input the signature, its name there, and its tensor."""
    for signature in model.tree.signatureDefs:
        graph = model.tree.subgraphs[signature.subgraphIndex]
        for entry in signature.inputs or []:
            yield text_of(signature.signatureKey), text_of(entry.name), graph.tensors[entry.tensorIndex]


def _is_fixed_list(tensor: Any) -> bool:
    return bool(shape_of(tensor)) and not is_dynamic(tensor)


def is_dynamic(tensor: Any) -> bool:
    """Whether a dimension of it is known only when the graph runs."""
    return tensor.shapeSignature is not None and -1 in list(tensor.shapeSignature)


def _unreachable(model: ReadModel) -> Iterator[Fault]:
    for graph in model.tree.subgraphs:
        used = {*graph.inputs, *graph.outputs}
        for operator in graph.operators or []:
            used |= {*operator.inputs, *operator.outputs}
        for i, tensor in enumerate(graph.tensors):
            if i not in used:
                yield Fault("unreachable tensor", text_of(tensor.name), "no op reads it", "remove it from the graph")


_RULES: tuple[Callable[[ReadModel], Iterator[Fault]], ...] = (
    _float_tables,
    _duplicates,
    _missing_scales,
    _misaligned,
    _unknown_ops,
    _signature_shapes,
    _unreachable,
)


def shape_of(tensor: Any) -> list[int]:
    """As it is declared; 1 stands where a dimension is not known."""
    return [] if tensor.shape is None else [int(n) for n in tensor.shape]


def text_of(raw: bytes | str | None) -> str:
    """A name of the flatbuffer."""
    return raw.decode("utf-8", "replace") if isinstance(raw, bytes) else raw or "(unnamed)"
