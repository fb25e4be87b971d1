#!/bin/sh
# TensorFlow's importer of TFLite files refuses files that every interpreter runs, 2026-12-01.
#
# Packages: tensorflow 2.19.1, numpy 2.1.3, Python 3.11
#
# Guess before: The importer that Model Explorer and TensorFlow's converters read a file by takes what their own
# interpreter runs, and gives the same answers for.
#
# Behavior: PADV2 runs with a filler of shape [1] as with a scalar; the importer takes the scalar alone. It says so on
# standard error, and gives an empty text instead of an exception.
#
# Output:
#   filler of shape []: the interpreter gives [1.0, 2.0, 9.0], the importer 1 function
#   filler of shape [1]: the interpreter gives [1.0, 2.0, 9.0], the importer 0 functions
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-compile tensorflow==2.19.1 numpy==2.1.3
cd "$folder"
TF_CPP_MIN_LOG_LEVEL=3 venv/bin/python - <<'END' 2>log || { cat log >&2; exit 1; }
import flatbuffers
import numpy as np
import tensorflow as tf
from tensorflow.compiler.mlir.lite.python import wrap_converter
from tensorflow.lite.python import schema_py_generated as s


def tensor(name, shape, kind, buffer=0):
    made = s.TensorT()
    made.name, made.shape, made.type, made.buffer, made.hasRank = name, shape, kind, buffer, True
    return made


def file_of(shape):
    """Two numbers and a filler of this shape behind them."""
    model, graph, code, operator = s.ModelT(), s.SubGraphT(), s.OperatorCodeT(), s.OperatorT()
    code.builtinCode = code.deprecatedBuiltinCode = s.BuiltinOperator.PADV2
    code.version = 1
    values = (np.array([[0, 1]], np.int32), np.array(9, np.float32))
    model.version, model.description, model.operatorCodes, model.subgraphs = 3, "a pad", [code], [graph]
    model.buffers = [s.BufferT() for _ in range(3)]
    for buffer, value in zip(model.buffers[1:], values):
        buffer.data = np.frombuffer(value.tobytes(), np.uint8)
    graph.name, graph.inputs, graph.outputs, graph.operators = "main", [0], [3], [operator]
    graph.tensors = [tensor("x", [2], s.TensorType.FLOAT32), tensor("edges", [1, 2], s.TensorType.INT32, 1)]
    graph.tensors += [tensor("filler", shape, s.TensorType.FLOAT32, 2), tensor("y", [3], s.TensorType.FLOAT32)]
    operator.opcodeIndex, operator.inputs, operator.outputs = 0, [0, 1, 2], [3]
    operator.builtinOptionsType, operator.builtinOptions = s.BuiltinOptions.PadV2Options, s.PadV2OptionsT()
    builder = flatbuffers.Builder()
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def run(file):
    interpreter = tf.lite.Interpreter(model_content=file)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], np.array([1, 2], np.float32))
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"]).tolist()


for shape, wanted in (([], 1), ([1], 0)):
    file = file_of(shape)
    with open("pad.tflite", "wb") as stream:
        stream.write(file)
    answer, found = run(file), wrap_converter.wrapped_flat_buffer_file_to_mlir("pad.tflite", True).count("func.func")
    kind = "function" if found == 1 else "functions"
    print(f"filler of shape {shape}: the interpreter gives {answer}, the importer {found} {kind}")
    assert (answer, found) == ([1, 2, 9], wanted), "the behavior changed"
END
