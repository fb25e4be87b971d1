import numpy as np
import pytest
from tensorflow.lite.python import schema_py_generated as schema

from export.convert import serialize
from export.graph import TABLE, signatures


def table_of(rows, dims):
    return np.random.default_rng(0).integers(-127, 128, (rows, dims)).astype(np.int8)


@pytest.mark.parametrize(("rows", "dims"), [(5000, 16), (5000, 32), (4999, 17), (100_000, 32)])
def test_the_table_stands_once_aligned_and_the_rest_is_small(rows, dims):
    table = table_of(rows, dims)
    made = serialize(signatures(table, 0.01), "test")
    assert made.table_offset % 16 == 0
    assert made.data[made.table_offset : made.table_offset + table.size] == table.tobytes()
    assert made.data.count(table[:50].tobytes()) == 1
    assert len(made.data) <= 1.02 * table.size + 14 * 1024


def test_the_same_table_gives_the_same_bytes():
    first, again = (serialize(signatures(table_of(500, 8), 0.01), "test").data for _ in range(2))
    assert first == again


def test_all_tables_share_one_buffer_and_equal_constants_are_stored_once():
    model = schema.ModelT.InitFromPackedBuf(serialize(signatures(table_of(500, 8), 0.01), "test").data, 0)
    buffers = {t.buffer for graph in model.subgraphs for t in graph.tensors if t.name.decode() == TABLE}
    assert len(buffers) == 1
    contents = [bytes(bytearray(b.data)) for b in model.buffers if b.data is not None and len(b.data)]
    assert len(contents) < len({t.name for graph in model.subgraphs for t in graph.tensors})
    assert max(map(len, contents)) == 4000


def test_op_versions_are_those_that_tflite_runtime_loads():
    model = schema.ModelT.InitFromPackedBuf(serialize(signatures(table_of(500, 8), 0.01), "test").data, 0)
    assert {code.version for code in model.operatorCodes} == {1, 2}
    assert not any(code.customCode for code in model.operatorCodes)
