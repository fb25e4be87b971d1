#!/bin/sh
# GATHER of 4-bit rows of odd length returns shifted entries in LiteRT, 2026-11-30.
#
# Packages: ai-edge-litert 2.3.0, flatbuffers 25.12.19, numpy 2.4.6, Python 3.11
#
# Guess before: GATHER supports INT4 (version 7 of the operator), for rows of any length, or refuses a length that it
# cannot do.
#
# Behavior: Entries are packed two to a byte through the whole table, so a row of odd length starts in the middle of a
# byte every other time. GATHER copies whole bytes: rows of an even length are right, of an odd length none may be, and
# the last entries of the output are not written at all, without an error. DEQUANTIZE of the same table before the
# GATHER is right.
#
# Output:
#   4 columns: [[-3, -7, -6, -7], [-5, 5, 2, 6]], by GATHER [[-3, -7, -6, -7], [-5, 5, 2, 6]]
#   5 columns: [[-7, -6, -7, -5, 5], [2, 6, 0, 2, 7]], by GATHER [[-3, -7, -6, -7, -5], [5, 2, 6, ...]]
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-compile ai-edge-litert==2.3.0 flatbuffers==25.12.19 numpy==2.4.6
cd "$folder"
venv/bin/python - <<'END' 2>log || { cat log >&2; exit 1; }
import itertools

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as s

T, OP = s.TensorType, s.BuiltinOperator
_numbers = itertools.count()


def tensor(shape, kind, buffer=0, scale=None):
    made = s.TensorT()
    made.shape, made.type, made.buffer, made.name = shape, kind, buffer, f"tensor {next(_numbers)}"
    if scale:
        made.quantization = s.QuantizationParametersT()
        made.quantization.scale, made.quantization.zeroPoint = [scale], [0]
    return made


def operator(model, code, version, inputs, outputs, options=None):
    kind, made = s.OperatorCodeT(), s.OperatorT()
    kind.builtinCode, kind.deprecatedBuiltinCode, kind.version = code, min(code, 127), version
    model.operatorCodes.append(kind)
    made.opcodeIndex, made.inputs, made.outputs = len(model.operatorCodes) - 1, inputs, outputs
    if options is not None:
        made.builtinOptionsType = getattr(s.BuiltinOptions, type(options).__name__[:-1])
        made.builtinOptions = options
    return made


def file_of(data, tensors, inputs, outputs, operators):
    """A file of one graph; `operators` makes its operators, and buffer 1 holds `data`."""
    model, graph = s.ModelT(), s.SubGraphT()
    model.version, model.operatorCodes, model.description = 3, [], "a table"
    model.buffers = [s.BufferT(), s.BufferT()]
    model.buffers[1].data = np.frombuffer(data, np.uint8)
    graph.tensors, graph.inputs, graph.outputs, graph.name = tensors, inputs, outputs, "main"
    graph.operators = operators(model)
    model.subgraphs = [graph]
    builder = flatbuffers.Builder()
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


from ai_edge_litert.interpreter import Interpreter


def packed(table):
    entries = table.ravel() & 15
    entries = np.append(entries, np.zeros(len(entries) % 2, entries.dtype))
    return (entries[0::2] | entries[1::2] << 4).astype(np.uint8).tobytes()


def gathered(table, rows, dequantize_first):
    count, columns = table.shape
    middle = tensor([count, columns], T.FLOAT32) if dequantize_first else tensor([len(rows), columns], T.INT4, 0, 1.0)
    tensors = [tensor([count, columns], T.INT4, 1, 1.0), tensor([len(rows)], T.INT32), middle]
    tensors.append(tensor([len(rows), columns], T.FLOAT32))

    def operators(model):
        if dequantize_first:
            yield operator(model, OP.DEQUANTIZE, 6, [0], [2], s.DequantizeOptionsT())
            yield operator(model, OP.GATHER, 1, [2, 1], [3], s.GatherOptionsT())
        else:
            yield operator(model, OP.GATHER, 7, [0, 1], [2], s.GatherOptionsT())
            yield operator(model, OP.DEQUANTIZE, 6, [2], [3], s.DequantizeOptionsT())

    file = file_of(packed(table), tensors, [1], [3], lambda model: list(operators(model)))
    interpreter = Interpreter(model_content=file)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], np.array(rows, np.int32))
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"]).astype(int).tolist()


for columns in (4, 5):
    table = np.random.default_rng(0).integers(-7, 8, (4, columns))
    wanted, found = table[[1, 2]].tolist(), gathered(table, [1, 2], dequantize_first=False)
    shown = str(found) if columns == 4 else f"[{found[0]}, {str(found[1][:3])[:-1]}, ...]]"
    print(f"{columns} columns: {wanted}, by GATHER {shown}")
    written = wanted if columns == 4 else [[-3, -7, -6, -7, -5], [5, 2, 6, *found[1][3:]]]
    assert found == written, "the behavior changed"
    assert gathered(table, [1, 2], dequantize_first=True) == wanted, "DEQUANTIZE changed"
END
