import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from device_runtime.format.manifest import InteractionRule
from export.table import QuantizedTable
from export.tflite.flatbuffer import serialize
from export.tflite.operators import TABLE, WEIGHTS
from export.tflite.plan import SignaturePlan
from export.tflite.signatures import build_signatures


def table_of(rows, dims):
    return np.random.default_rng(0).integers(-127, 128, (rows, dims)).astype(np.int8)


def small():
    return serialize(build_signatures(QuantizedTable(table_of(500, 8), 0.01, 8))).data


@pytest.mark.parametrize(("rows", "dims"), [(5000, 16), (5000, 32), (4999, 17), (100_000, 32)])
def test_the_table_stands_once_aligned_and_the_rest_is_small(rows, dims):
    table = table_of(rows, dims)
    made = serialize(build_signatures(QuantizedTable(table, 0.01, 8)))
    assert made.table_offset % 16 == 0
    assert made.data[made.table_offset : made.table_offset + table.size] == table.tobytes()
    assert made.data.count(table[:50].tobytes()) == 1
    assert len(made.data) <= 1.02 * table.size + 20 * 1000


@pytest.mark.parametrize(("rows", "columns"), [(60, 17), (60, 129), (5000, 33)])
def test_a_model_of_likes_is_as_small(rows, columns):
    table = QuantizedTable(table_of(rows, columns), 0.01, 8, InteractionRule(3.0, 0.5, 4))
    assert len(serialize(build_signatures(table)).data) <= 1.02 * table.rows.size + 20 * 1000


@pytest.mark.parametrize("names", [("recommend_fixed",), ("search",), ("recommend", "embed")])
@pytest.mark.parametrize("bits", [8, 4])
def test_the_table_is_found_whatever_signatures_there_are(names, bits):
    table = QuantizedTable(table_of(500, 8) // 20, 0.01, bits)
    made = serialize(build_signatures(table, SignaturePlan(names)))
    assert made.data[made.table_offset : made.table_offset + table.packed.size] == table.packed.tobytes()
    assert len(made.data) < len(serialize(build_signatures(table)).data)


def test_what_other_importers_ask_for_is_there():
    """MLIR's: no tensor read by both GATHER and DEQUANTIZE, scalars as fillers. tf2onnx's: shapes in options."""
    model = schema.ModelT.InitFromPackedBuf(small(), 0)
    codes = [max(code.builtinCode, code.deprecatedBuiltinCode) for code in model.operatorCodes]
    op = schema.BuiltinOperator
    for graph in model.subgraphs:
        read_by = {kind: {o.inputs[0] for o in graph.operators if codes[o.opcodeIndex] == kind} for kind in codes}
        constants = {i for i, tensor in enumerate(graph.tensors) if tensor.buffer}
        assert not constants & read_by[op.GATHER] & read_by[op.DEQUANTIZE]
        for operator in graph.operators:
            if codes[operator.opcodeIndex] == op.PADV2:
                assert graph.tensors[operator.inputs[2]].shape.size == 0
            if codes[operator.opcodeIndex] == op.RESHAPE:
                assert len(operator.builtinOptions.newShape)


def test_the_outputs_of_a_graph_have_their_names_without_the_signature():
    model = schema.ModelT.InitFromPackedBuf(small(), 0)
    first = model.subgraphs[0]
    assert [first.tensors[i].name.decode() for i in (*first.inputs, *first.outputs)] == ["items", "ids", "scores"]
    assert [first.tensors[i].shape.tolist() for i in (*first.inputs, *first.outputs)] == [[1, 16], [50], [50]]
    assert all(tensor.shapeSignature is None for tensor in first.tensors)


def test_the_same_table_gives_the_same_bytes():
    first, again = small(), small()
    assert first == again


def test_all_tables_share_one_buffer_and_equal_constants_are_stored_once():
    model = schema.ModelT.InitFromPackedBuf(small(), 0)
    buffers = {t.buffer for graph in model.subgraphs for t in graph.tensors if t.name.decode() in (TABLE, WEIGHTS)}
    assert len(buffers) == 1
    contents = [bytes(bytearray(b.data)) for b in model.buffers if b.data is not None and len(b.data)]
    assert len(contents) < len({t.name for graph in model.subgraphs for t in graph.tensors})
    assert max(map(len, contents)) == 4000


def test_op_versions_are_those_that_tflite_runtime_loads():
    model = schema.ModelT.InitFromPackedBuf(small(), 0)
    assert {code.version for code in model.operatorCodes} == {1, 2}
    assert not any(code.customCode for code in model.operatorCodes)


@pytest.mark.parametrize(("rows", "dims"), [(5000, 16), (4999, 18)])
def test_a_4_bit_table_is_half_as_large(rows, dims):
    table = np.random.default_rng(0).integers(-7, 8, (rows, dims)).astype(np.int8)
    made = serialize(build_signatures(QuantizedTable(table, 0.1, 4)))
    assert made.table_offset % 16 == 0
    assert len(made.data) <= 1.02 * table.size / 2 + 20 * 1000
    stored = np.frombuffer(made.data, np.uint8, table.size // 2, made.table_offset)
    low, high = (stored & 15).astype(np.int8), (stored >> 4).astype(np.int8)
    entries = np.stack([low, high], axis=1).reshape(rows, dims)
    np.testing.assert_array_equal(np.where(entries > 7, entries - 16, entries), table)
