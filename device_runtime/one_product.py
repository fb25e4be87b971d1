"""A TFLite model of one op, written by hand: the flatbuffers library is not on a device."""

from __future__ import annotations

import struct
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_SCHEMA_VERSION, _FULLY_CONNECTED, _FULLY_CONNECTED_OPTIONS, _HYBRID_VERSION, _INT8 = 3, 9, 8, 3, 9


def one_product(table: NDArray[np.int8]) -> bytes:
    """A TFLite model of one FULLY_CONNECTED: `vector` float32 [1, columns] -> its products with all rows of `table`.

    A query is rounded to 8 bits on the way.
    """
    rows, columns = table.shape
    scale_of_one = _Node({2: _vector("<f", 1.0), 3: _vector("<q", 0)})
    vector = _Node({0: _vector("<i", 1, columns)})
    weights = _Node({0: _vector("<i", rows, columns), 1: _INT8, 2: 1, 4: scale_of_one})
    products = _Node({0: _vector("<i", 1, rows)})
    operator = _Node({1: _vector("<i", 0, 1), 2: _vector("<i", 2), 3: _FULLY_CONNECTED_OPTIONS, 4: _Node({})})
    tensors = [vector, weights, products]
    graph = _Node({0: tensors, 1: _vector("<i", 0), 2: _vector("<i", 2), 3: [operator]})
    code = _Node({0: _FULLY_CONNECTED, 2: _HYBRID_VERSION, 3: _FULLY_CONNECTED})
    last = _Node({0: struct.pack("<I", table.size)})  # its bytes follow what is written here
    out = bytearray(b"\0\0\0\0TFL3")
    _refer(out, 0, _Node({0: _SCHEMA_VERSION, 1: [code], 2: [graph], 4: [_Node({}), last]}))
    return b"".join([out, table.tobytes()])


class _Node(NamedTuple):
    """A table of a flatbuffer: by field number a whole number, a vector or string, a further table, or several."""

    fields: dict[int, int | bytes | _Node | list[_Node]]


def _vector(entry: str, *entries: float) -> bytes:
    return struct.pack("<I", len(entries)) + b"".join(struct.pack(entry, value) for value in entries)


def _refer(out: bytearray, place: int, node: bytes | _Node | list[_Node]) -> None:
    """Appends `node` to `out` and writes at `place` where it starts, counted from there."""
    aligned = 16 - 4 if isinstance(node, bytes) else 0  # the entries of a vector, which follow its length
    out.extend(bytes((aligned - len(out)) % 16))
    start = len(out)
    if isinstance(node, bytes):
        out += node
    elif isinstance(node, list):
        out += struct.pack("<I", len(node)) + bytes(4 * len(node))
        for i, child in enumerate(node):
            _refer(out, start + 4 + 4 * i, child)
    else:
        start = _table(out, node)
    struct.pack_into("<I", out, place, start - place)


def _table(out: bytearray, node: _Node) -> int:
    """Appends the layout of a table, then the table, every field in four bytes, then what its fields refer to."""
    layout = [0] * (max(node.fields, default=-1) + 1)
    for i, number in enumerate(node.fields):
        layout[number] = 4 + 4 * i
    head = struct.pack(f"<HH{len(layout)}H", 4 + 2 * len(layout), 4 + 4 * len(node.fields), *layout)
    head += bytes(-len(head) % 4)
    start = len(out) + len(head)
    out += head + struct.pack("<i", len(head)) + bytes(4 * len(node.fields))
    for number, value in node.fields.items():
        if isinstance(value, int):
            struct.pack_into("<i", out, start + layout[number], value)
        else:
            _refer(out, start + layout[number], value)
    return start
