#!/bin/sh
# tflite-runtime loads a FULLY_CONNECTED with a scale for each row and answers zeros, 2026-11-30.
#
# Packages: ai-edge-quantizer 0.10.0, ai-edge-litert 2.3.0, flatbuffers 25.12.19, numpy 2.4.6; tflite-runtime 2.14.0,
# numpy 1.26.4; Python 3.11
#
# Guess before: An interpreter that lacks a feature refuses the file, as the version of the operator is there for that.
#
# Behavior: ai-edge-quantizer writes int8 weights with a scale for each row (recipe dynamic_wi8_afp32) into a
# FULLY_CONNECTED of version 1; TensorFlow's converter marks the same thing as version 12. LiteRT 2.3.0 answers rightly.
# tflite-runtime 2.14.0, which refuses version 12, loads this file, runs without an error and gives zero for every
# output.
#
# Output:
#   ai_edge_litert: greatest error 0.005, zeros 0 of 1000
#   tflite_runtime: greatest error 1.000, zeros 1000 of 1000
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-compile ai-edge-quantizer==0.10.0 ai-edge-litert==2.3.0 flatbuffers==25.12.19 numpy==2.4.6
cd "$folder"
cat >make.py <<'END'
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


import contextlib
import io

from ai_edge_quantizer import quantizer, recipe

table = np.random.default_rng(0).normal(size=(1000, 16)).astype(np.float32)
table /= np.linalg.norm(table, axis=1, keepdims=True)
tensors = [tensor([1000, 16], T.FLOAT32, 1), tensor([1, 16], T.FLOAT32), tensor([1, 1000], T.FLOAT32)]
file = file_of(
    table.tobytes(),
    tensors,
    [1],
    [2],
    lambda m: [operator(m, OP.FULLY_CONNECTED, 1, [1, 0, -1], [2], s.FullyConnectedOptionsT())],
)
worker = quantizer.Quantizer(bytearray(file))
worker.load_quantization_recipe(recipe.dynamic_wi8_afp32())
with contextlib.redirect_stdout(io.StringIO()):
    made = worker.quantize().quantized_model
open("dense.tflite", "wb").write(made)
np.save("table.npy", table)
END
cat >ask.py <<'END'
import importlib
import sys

import numpy as np

table = np.load("table.npy")
interpreter = importlib.import_module(f"{sys.argv[1]}.interpreter").Interpreter("dense.tflite")
interpreter.allocate_tensors()
interpreter.set_tensor(interpreter.get_input_details()[0]["index"], table[5:6])
interpreter.invoke()
found = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0]
error, zeros = np.abs(found - table @ table[5]).max(), int((found == 0).sum())
print(f"{sys.argv[1]}: greatest error {error:.3f}, zeros {zeros} of {len(found)}")
assert zeros == (1000 if sys.argv[1] == "tflite_runtime" else 0), "the behavior changed"
END
"${PYTHON:-python3.11}" -m venv old
old/bin/pip install --quiet --no-compile tflite-runtime==2.14.0 numpy==1.26.4
for step in "venv/bin/python make.py" "venv/bin/python ask.py ai_edge_litert" "old/bin/python ask.py tflite_runtime"; do
    $step 2>log || { cat log >&2; exit 1; }
done
