#!/bin/sh
# ai-edge-quantizer leaves the table of a GATHER, which is what Keras exports an Embedding as, in float, 2026-11-30.
#
# Packages: ai-edge-quantizer 0.10.0, ai-edge-litert 2.3.0, flatbuffers 25.12.19, numpy 2.4.6, Python 3.11
#
# Guess before: A recipe for "all supported" operations quantizes the only constant of the file, or names the operation
# that it left out.
#
# Behavior: The recipes dynamic_wi8_afp32, weight_only_wi8_afp32 and dynamic_wi4_afp32 write a file of the same size as
# before, in which the table is float32 as before. No error or warning is raised; the summary that is printed tells a
# ratio of 1.0. EMBEDDING_LOOKUP and FULLY_CONNECTED are quantized, so of a model with both only the part that scores
# becomes small.
#
# Output:
#   table 64000 bytes; file before 64436, after 64436, 64436, 64436
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-compile ai-edge-quantizer==0.10.0 ai-edge-litert==2.3.0 flatbuffers==25.12.19 numpy==2.4.6
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


import contextlib
import io
import warnings

from ai_edge_quantizer import quantizer, recipe

warnings.simplefilter("error")
table = np.random.default_rng(0).normal(size=(1000, 16)).astype(np.float32)
tensors = [tensor([1000, 16], T.FLOAT32, 1), tensor([8], T.INT32), tensor([8, 16], T.FLOAT32)]
file = file_of(
    table.tobytes(), tensors, [1], [2], lambda m: [operator(m, OP.GATHER, 1, [0, 1], [2], s.GatherOptionsT())]
)
sizes = []
for name in ("dynamic_wi8_afp32", "weight_only_wi8_afp32", "dynamic_wi4_afp32"):
    worker = quantizer.Quantizer(bytearray(file))
    worker.load_quantization_recipe(getattr(recipe, name)())
    with contextlib.redirect_stdout(io.StringIO()):
        sizes.append(len(worker.quantize().quantized_model))
print(f"table {table.nbytes} bytes; file before {len(file)}, after {', '.join(map(str, sizes))}")
assert min(sizes) > table.nbytes, "the behavior changed"
END
