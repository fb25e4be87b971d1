"""Lint on files made by the naive converter, each with faults it should name, and on a file of ours, which has none."""

import json
import subprocess
import sys

import flatbuffers
import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert import schema_py_generated as schema

from export.command import main
from export.tflite.lint import NEWEST_IN_TFLITE_RUNTIME_2_14, lint_file
from tests.conftest import ROOT
from tests.interpreters import interpreter_of, needs_tflite_runtime


class Naive(tf.Module):
    """Similar items as one would write it first: look up, average, multiply with all, top-k."""

    def __init__(self):
        super().__init__()
        self.table = tf.Variable(np.random.default_rng(0).normal(size=(500, 16)).astype(np.float32))

    @tf.function(input_signature=[tf.TensorSpec([1, 3], tf.int32)])
    def recommend(self, items):
        query = tf.reduce_mean(tf.gather(self.table, items), axis=1)
        scores, ids = tf.math.top_k(tf.matmul(query, self.table, transpose_b=True), 10)
        return {"ids": ids, "scores": scores}


@pytest.fixture(scope="module")
def saved_model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("naive") / "saved"
    module = Naive()
    tf.saved_model.save(module, str(folder), signatures={"recommend": module.recommend})
    return str(folder)


def converted(saved_model, path, **options):
    converter = tf.lite.TFLiteConverter.from_saved_model(saved_model)
    for name, value in options.items():
        setattr(converter, name, value)
    path.write_bytes(converter.convert())
    return path


def rules(path):
    return {fault.rule for fault in lint_file(path)}


def test_ours_has_no_fault(model_path, capsys):
    assert lint_file(model_path) == []
    assert main(["lint", str(model_path)]) == 0
    assert "no fault" in capsys.readouterr().out


def test_lint_imports_no_tensorflow(model_path):
    code = f"""
import sys
from export.command import main
status = main(["lint", {str(model_path)!r}])
print(sorted({{"tensorflow", "tf_keras", "keras"}} & {{name.partition(".")[0] for name in sys.modules}}), status)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    first, *_, last = done.stdout.splitlines()
    assert (first, last) == (f"{model_path}: no fault", "[] 0")


def test_the_default_conversion_keeps_a_float_table_and_a_fixed_length(saved_model, tmp_path):
    found = rules(converted(saved_model, tmp_path / "float.tflite"))
    assert {"float table", "fixed shape"} <= found


def test_default_optimization_stores_the_table_twice_and_needs_a_newer_op(saved_model, tmp_path, capsys):
    path = converted(saved_model, tmp_path / "int8.tflite", optimizations=[tf.lite.Optimize.DEFAULT])
    assert {"duplicated buffer", "op version", "fixed shape"} <= rules(path)
    assert main(["lint", str(path), "--json"]) == 1
    faults = json.loads(capsys.readouterr().out)
    assert any(fault["where"] == "FULLY_CONNECTED" for fault in faults)
    assert all(fault["remedy"] for fault in faults)


@needs_tflite_runtime
def test_default_optimization_needs_an_op_that_tflite_runtime_does_not_load(saved_model, tmp_path):
    path = converted(saved_model, tmp_path / "int8.tflite", optimizations=[tf.lite.Optimize.DEFAULT])
    with pytest.raises(ValueError, match="FULLY_CONNECTED"):
        interpreter_of("tflite_runtime")(str(path))


def test_selected_tensorflow_ops_are_named(tmp_path):
    @tf.function(input_signature=[tf.TensorSpec([3, 3], tf.float32)])
    def strange(x):
        return tf.linalg.det(x)

    converter = tf.lite.TFLiteConverter.from_concrete_functions([strange.get_concrete_function()])
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS, tf.lite.OpsSet.SELECT_TF_OPS]
    path = tmp_path / "flex.tflite"
    path.write_bytes(converter.convert())
    assert [fault.where for fault in lint_file(path) if fault.rule == "Flex op"] == ["FlexMatrixDeterminant"]


def test_missing_scale_unreachable_and_unaligned(tmp_path):
    path = tmp_path / "m.tflite"
    path.write_bytes(broken_model())
    assert {"missing scale", "unreachable tensor", "unaligned table", "no signature"} <= rules(path)


def broken_model():
    model, graph, code = schema.ModelT(), schema.SubGraphT(), schema.OperatorCodeT()
    table, lost, out = schema.TensorT(), schema.TensorT(), schema.TensorT()
    table.name, table.shape, table.type, table.buffer = "table", [500, 16], schema.TensorType.INT8, 1
    lost.name, lost.shape, lost.buffer = "lost", [2], 0
    out.name, out.shape, out.buffer = "out", [500, 16], 0
    buffer = schema.BufferT()
    buffer.data = np.random.default_rng(0).integers(0, 255, 8000).astype(np.uint8)
    operator = schema.OperatorT()
    operator.inputs, operator.outputs = [0], [2]
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.DEQUANTIZE
    graph.tensors, graph.inputs, graph.outputs, graph.operators = [table, lost, out], [], [2], [operator]
    model.version, model.subgraphs, model.operatorCodes, model.buffers = 3, [graph], [code], [schema.BufferT(), buffer]
    for padding in range(4):  # one more buffer before it moves the table
        model.buffers.insert(2, schema.BufferT())
        model.buffers[2].data = np.arange(4 + padding, dtype=np.uint8)
        builder = flatbuffers.Builder(1024)
        builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
        data = bytes(builder.Output())
        if data.index(buffer.data.tobytes()) % 16:
            return data
    raise AssertionError("every padding left the table aligned")


@pytest.mark.parametrize("data", [b"", b"PK\3\4 not one", b"\x1c\0\0\0TFL3" + b"\xff" * 40])
def test_what_is_no_model_is_one_line_and_status_2(tmp_path, capsys, data):
    (tmp_path / "x.tflite").write_bytes(data)
    assert main(["lint", str(tmp_path / "x.tflite")]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@needs_tflite_runtime
@pytest.mark.parametrize("name", sorted(NEWEST_IN_TFLITE_RUNTIME_2_14))
def test_the_interpreter_loads_just_the_versions_that_lint_allows(name):
    newest = NEWEST_IN_TFLITE_RUNTIME_2_14[name]
    assert loads(name, newest)
    assert not loads(name, newest + 1)


def loads(name, version):
    model, code, graph, tensor = schema.ModelT(), schema.OperatorCodeT(), schema.SubGraphT(), schema.TensorT()
    code.builtinCode = getattr(schema.BuiltinOperator, name)
    code.deprecatedBuiltinCode, code.version = min(code.builtinCode, 127), version
    tensor.name, tensor.shape, tensor.buffer = "x", [1], 0
    graph.tensors, graph.inputs, graph.outputs, graph.operators = [tensor], [0], [0], []
    model.version, model.operatorCodes, model.buffers, model.subgraphs = 3, [code], [schema.BufferT()], [graph]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    try:
        interpreter_of("tflite_runtime")(model_content=bytes(builder.Output()))
    except ValueError:
        return False
    return True
