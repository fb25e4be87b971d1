"""A TFLite model that gives the greatest score of each group of rows, written by hand.

The flatbuffers library is not on a device.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_ROWS_AT_ONCE = 1 << 16  # their scores, 256 KB, stay in the processor's cache until their maxima are taken

_SCHEMA_VERSION, _HYBRID_VERSION, _INT8, _INT32 = 3, 3, 9, 2
_FULLY_CONNECTED, _RESHAPE, _MAX_POOL, _CONCATENATION = 9, 22, 17, 2
_FULLY_CONNECTED_OPTIONS, _RESHAPE_OPTIONS, _POOL_OPTIONS, _CONCATENATION_OPTIONS = 8, 17, 5, 10
_VALID = 1


def group_maxima(table: NDArray[np.int8], size: int) -> bytes:
    """A TFLite model: `vector` float32 [1, columns] -> the greatest product with any row of a group [1, 1, 1, n].

    A group is `size` rows that follow one another; rows beyond the last whole group are left out. A query is rounded
    to 8 bits on the way. A block of products is shaped [1, size, 1, groups] and pooled, so the rows of a block are
    stored with the first ones of all its groups before the second ones.
    """
    groups, columns = len(table) // size, table.shape[1]
    at_once = max(1, _ROWS_AT_ONCE // size)
    model = _Model(size)
    vector = model.tensor((1, columns))
    maxima = []
    for start in range(0, groups, at_once):
        count = min(at_once, groups - start)
        rows = table[start * size : (start + count) * size].reshape(count, size, columns).transpose(1, 0, 2)
        weights = model.tensor((count * size, columns), _INT8, model.buffer(np.ascontiguousarray(rows)), scale=1.0)
        products = model.op(_FULLY_CONNECTED, [vector, weights], (1, count * size))
        shape = model.tensor((4,), _INT32, model.buffer(np.array([1, size, 1, count], "<i4")))
        grid = model.op(_RESHAPE, [products, shape], (1, size, 1, count))
        maxima.append(model.op(_MAX_POOL, [grid], (1, 1, 1, count)))
    return model.serialized([vector], [model.op(_CONCATENATION, maxima, (1, 1, 1, groups))])


class _Model:
    """Collects tensors, ops and the bytes of constants, which follow the flatbuffer's tables."""

    def __init__(self, pooled: int) -> None:
        self._options: dict[int, tuple[int, _Node]] = {
            _FULLY_CONNECTED: (_FULLY_CONNECTED_OPTIONS, _Node({})),
            _RESHAPE: (_RESHAPE_OPTIONS, _Node({})),
            _MAX_POOL: (_POOL_OPTIONS, _Node({0: _VALID, 1: 1, 2: 1, 3: 1, 4: pooled})),
            _CONCATENATION: (_CONCATENATION_OPTIONS, _Node({0: 3})),
        }
        self._tensors: list[_Node] = []
        self._operators: list[_Node] = []
        self._buffers: list[NDArray[np.generic]] = []

    def buffer(self, values: NDArray[np.generic]) -> int:
        self._buffers.append(values)
        return len(self._buffers)  # buffer 0 is that of all tensors without data

    def tensor(self, shape: tuple[int, ...], dtype: int = 0, buffer: int = 0, scale: float | None = None) -> int:
        fields: dict[int, _Field] = {0: _vector("<i", *shape), 1: dtype, 2: buffer}
        if scale is not None:
            fields[4] = _Node({2: _vector("<f", scale), 3: _vector("<q", 0)})
        self._tensors.append(_Node(fields))
        return len(self._tensors) - 1

    def op(self, kind: int, inputs: list[int], shape: tuple[int, ...]) -> int:
        out = self.tensor(shape)
        options_type, options = self._options[kind]
        code = list(self._options).index(kind)
        node = _Node({0: code, 1: _vector("<i", *inputs), 2: _vector("<i", out), 3: options_type, 4: options})
        self._operators.append(node)
        return out

    def serialized(self, inputs: list[int], outputs: list[int]) -> bytes:
        codes = [
            _Node({0: kind, 2: _HYBRID_VERSION if kind == _FULLY_CONNECTED else 1, 3: kind}) for kind in self._options
        ]
        ends = {1: _vector("<i", *inputs), 2: _vector("<i", *outputs)}
        graph: dict[int, _Field] = {0: self._tensors, **ends, 3: self._operators}
        buffers = [_Node({0: values}) for values in self._buffers]
        out = bytearray(b"\0\0\0\0TFL3")
        _refer(out, 0, _Node({0: _SCHEMA_VERSION, 1: codes, 2: [_Node(graph)], 4: [_Node({}), *buffers]}))
        return bytes(out)


class _Node(NamedTuple):
    """A table of a flatbuffer: by field number a whole number, a vector, bytes, a further table, or several."""

    fields: dict[int, _Field]


_Field = int | bytes | NDArray[np.generic] | _Node | list[_Node]


def _vector(entry: str, *entries: float) -> bytes:
    return struct.pack("<I", len(entries)) + b"".join(struct.pack(entry, value) for value in entries)


def _refer(out: bytearray, place: int, node: bytes | NDArray[np.generic] | _Node | list[_Node]) -> None:
    """Appends `node` to `out` and writes at `place` where it starts, counted from there."""
    aligned = 16 - 4 if isinstance(node, bytes | np.ndarray) else 0  # the entries of a vector, which follow its length
    out.extend(bytes((aligned - len(out)) % 16))
    start = len(out)
    if isinstance(node, bytes):
        out += node
    elif isinstance(node, np.ndarray):
        out += struct.pack("<I", node.nbytes)
        out += node.reshape(-1).view(np.uint8).data
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
