import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from export.table import QuantizedTable
from export.tflite.flatbuffer import serialize
from export.tflite.operators import TABLE
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
    assert len(made.data) <= 1.02 * table.size + 14 * 1024


def test_the_same_table_gives_the_same_bytes():
    first, again = small(), small()
    assert first == again


def test_all_tables_share_one_buffer_and_equal_constants_are_stored_once():
    model = schema.ModelT.InitFromPackedBuf(small(), 0)
    buffers = {t.buffer for graph in model.subgraphs for t in graph.tensors if t.name.decode() == TABLE}
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
    assert len(made.data) <= 1.02 * table.size / 2 + 14 * 1024
    stored = np.frombuffer(made.data, np.uint8, table.size // 2, made.table_offset)
    low, high = (stored & 15).astype(np.int8), (stored >> 4).astype(np.int8)
    entries = np.stack([low, high], axis=1).reshape(rows, dims)
    np.testing.assert_array_equal(np.where(entries > 7, entries - 16, entries), table)
