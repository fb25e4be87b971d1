#!/bin/sh
# The first call of any signature takes memory for the weights of all of them, 2026-12-01.
#
# Packages: ai-edge-litert 2.3.0, flatbuffers 25.12.19, numpy 2.4.6, Python 3.11; Linux, as memory is read from /proc
#
# Guess before: A signature takes its memory when it is called first; one that only looks rows up takes next to nothing.
#
# Behavior: The default delegate is applied to all subgraphs at once, at the first call of any signature. For a
# FULLY_CONNECTED whose weights a DEQUANTIZE widens from int8 to float32 it keeps the widened weights and a packed copy
# of them, 8 bytes for each byte of the table, in every signature that has one, though all read one buffer. A file with
# three such signatures takes 24 times its table when a fourth is called, which only gathers rows. Without the delegate
# the same call takes nothing, and a signature that multiplies takes 4 bytes for each byte when it is called. CompiledModel
# takes the 24 while it loads.
#
# Output:
#   default delegate: "look_up" of a file with 0 products: 0 bytes for each of the table
#   default delegate: "look_up" of a file with 1 products: 8 bytes for each of the table
#   default delegate: "look_up" of a file with 3 products: 24 bytes for each of the table
#   no delegate: "look_up" of a file with 3 products: 0 bytes for each of the table
#   no delegate: "product 0" of a file with 3 products: 4 bytes for each of the table
#   CompiledModel, loading a file with 3 products: 24 bytes for each of the table
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-compile ai-edge-litert==2.3.0 flatbuffers==25.12.19 numpy==2.4.6
cd "$folder"
cat >ask.py <<'END'
import sys

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as s
from ai_edge_litert.interpreter import Interpreter, OpResolverType

ROWS, COLUMNS = 200_000, 32
T, OP = s.TensorType, s.BuiltinOperator
CODES = (OP.DEQUANTIZE, OP.FULLY_CONNECTED, OP.GATHER)


def tensor(name, shape, kind, buffer=0):
    made = s.TensorT()
    made.name, made.shape, made.type, made.buffer = name, shape, kind, buffer
    if kind == T.INT8:
        made.quantization = s.QuantizationParametersT()
        made.quantization.scale, made.quantization.zeroPoint = [1.0], [0]
    return made


def operator(code, inputs, outputs, options):
    made = s.OperatorT()
    made.opcodeIndex, made.inputs, made.outputs = CODES.index(code), inputs, outputs
    made.builtinOptionsType, made.builtinOptions = getattr(s.BuiltinOptions, type(options).__name__[:-1]), options
    return made


def product():
    """Scores of all rows for a query."""
    graph = s.SubGraphT()
    graph.tensors = [tensor("x", [1, COLUMNS], T.FLOAT32), tensor("table", [ROWS, COLUMNS], T.INT8, 1)]
    graph.tensors += [tensor("wide", [ROWS, COLUMNS], T.FLOAT32), tensor("y", [1, ROWS], T.FLOAT32)]
    graph.operators = [operator(OP.DEQUANTIZE, [1], [2], s.DequantizeOptionsT())]
    graph.operators += [operator(OP.FULLY_CONNECTED, [0, 2, -1], [3], s.FullyConnectedOptionsT())]
    graph.inputs, graph.outputs = [0], [3]
    return graph


def look_up():
    """One row."""
    graph = s.SubGraphT()
    graph.tensors = [tensor("x", [1], T.INT32), tensor("table", [ROWS, COLUMNS], T.INT8, 1)]
    graph.tensors += [tensor("row", [1, COLUMNS], T.INT8), tensor("y", [1, COLUMNS], T.FLOAT32)]
    graph.operators = [operator(OP.GATHER, [1, 0], [2], s.GatherOptionsT())]
    graph.operators += [operator(OP.DEQUANTIZE, [2], [3], s.DequantizeOptionsT())]
    graph.inputs, graph.outputs = [0], [3]
    return graph


def entry(name, index):
    made = s.TensorMapT()
    made.name, made.tensorIndex = name, index
    return made


def write(products):
    model = s.ModelT()
    model.version, model.description, model.operatorCodes = 3, "a table", []
    for code in CODES:
        made = s.OperatorCodeT()
        made.builtinCode, made.deprecatedBuiltinCode, made.version = code, code, 1 if code == OP.FULLY_CONNECTED else 2
        model.operatorCodes.append(made)
    model.buffers = [s.BufferT(), s.BufferT()]
    model.buffers[1].data = np.random.default_rng(0).integers(-20, 21, ROWS * COLUMNS).astype(np.int8).view(np.uint8)
    model.subgraphs = [look_up(), *(product() for _ in range(products))]
    model.signatureDefs = []
    for index, graph in enumerate(model.subgraphs):
        signature = s.SignatureDefT()
        graph.name = signature.signatureKey = f"product {index - 1}" if index else "look_up"
        signature.subgraphIndex, signature.inputs = index, [entry("x", 0)]
        signature.outputs = [entry("y", 3)]
        model.signatureDefs.append(signature)
    builder = flatbuffers.Builder(ROWS * COLUMNS + 65536)
    builder.Finish(model.Pack(builder), b"TFL3")
    with open(f"{products}.tflite", "wb") as file:
        file.write(builder.Output())


def anonymous():
    with open("/proc/self/smaps_rollup") as lines:
        return next(1024 * int(line.split()[1]) for line in lines if line.startswith("Anonymous:"))


def taken(file, signature, delegate):
    if signature == "loading":
        from ai_edge_litert.compiled_model import CompiledModel

        before = anonymous()
        kept = CompiledModel.from_file(file)
        return anonymous() - before
    kind = OpResolverType.AUTO if delegate else OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    run = Interpreter(file, num_threads=1, experimental_op_resolver_type=kind).get_signature_runner(signature)
    before = anonymous()
    run(x=np.zeros(1, np.int32) if signature == "look_up" else np.ones((1, COLUMNS), np.float32))
    return anonymous() - before


if sys.argv[1] == "write":
    write(int(sys.argv[2]))
else:
    print("bytes", round(taken(f"{sys.argv[1]}.tflite", sys.argv[2], sys.argv[3] == "1") / ROWS / COLUMNS))
END
ask() { venv/bin/python ask.py "$@" 2>log | sed -n 's/^bytes //p'; }
expect() { # FOUND WANTED TEXT
    echo "$3: $1 bytes for each of the table"
    [ "$1" = "$2" ] || { echo "the behavior changed: $2 were expected" >&2; cat log >&2; exit 1; }
}
for products in 0 1 3; do
    ask write $products
    expect "$(ask $products look_up 1)" $((8 * products)) "default delegate: \"look_up\" of a file with $products products"
done
expect "$(ask 3 look_up 0)" 0 'no delegate: "look_up" of a file with 3 products'
expect "$(ask 3 "product 0" 0)" 4 'no delegate: "product 0" of a file with 3 products'
expect "$(ask 3 loading 1)" 24 "CompiledModel, loading a file with 3 products"
