"""Three ways to scan the table, with the same answers.

Plain numpy; a TFLite interpreter that runs the file's own graph; and, for large tables, an interpreter that proposes
candidates from 8-bit products, which are then scored exactly.
"""

from __future__ import annotations

import importlib
import importlib.util
import math
import struct
import threading
import time
from collections.abc import Callable, Sequence
from functools import cached_property, partial
from typing import Any, Literal, NamedTuple, Protocol, get_args

import numpy as np
from numpy.typing import NDArray

from device_runtime import scoring
from device_runtime.errors import InvalidArgumentError, MissingInterpreterError
from device_runtime.model_file import ModelFile
from device_runtime.scoring import Rows

EngineName = Literal["auto", "tflite", "numpy"]
Ranking = tuple[Rows, NDArray[np.float32]]

_INTERPRETER_MODULES = ("tflite_runtime.interpreter", "ai_edge_litert.interpreter")
_RESIDENT_TABLE_BYTES = 1 << 22
_LARGE_TABLE_BYTES = 1 << 19
_MOST_CANDIDATES = 1 << 14
_TRIED_ROWS = 8
_TRIES = 5
_SECONDS_TO_TRY = 2e-3


class Engine(Protocol):
    """Ranks all rows. `k` is between 1 and the number of rows; rows come best first, ties by the lower row."""

    name: str

    def nearest(self, rows: Rows, k: int) -> Ranking:
        """The k other rows nearest to the sum of `rows`, and their cosines; fewer where there are fewer others."""

    def search(self, query: NDArray[np.int64], k: int) -> Ranking:
        """The k rows nearest to an integer query [columns], and their cosines."""


class NumpyEngine:
    """Maps the table and multiplies.

    Args:
        resident: keep a small table in float32 as well, which makes answers faster.
    """

    name = "numpy"

    def __init__(self, model: ModelFile, *, resident: bool = True) -> None:
        self._table = model.table
        self._scale = model.manifest.scale
        self._exact_favorites = scoring.exact_favorites(model.manifest.columns)
        small = resident and self._table.size * 4 <= _RESIDENT_TABLE_BYTES
        self._transposed = np.ascontiguousarray(self._table.T, np.float32) if small else None

    def nearest(self, rows: Rows, k: int) -> Ranking:
        """See `Engine.nearest`."""
        query = scoring.sum_of_rows(self._table, rows)
        scores = self._scores(query, exact=len(rows) <= self._exact_favorites)
        scores[rows] = -np.inf
        return scoring.best(scores, query, k, self._scale)

    def search(self, query: NDArray[np.int64], k: int) -> Ranking:
        """See `Engine.search`."""
        return scoring.best(self._scores(query), query, k, self._scale)

    def _scores(self, query: NDArray[np.int64], *, exact: bool = False) -> scoring.Scores:
        """Of all rows; `exact` tells of a query that is known to be exact in float32."""
        if self._transposed is None or not (exact or scoring.is_exact_in_float32(query)):
            return scoring.scores_of(self._table, query)
        return query.astype(np.float32) @ self._transposed


class TFLiteEngine:
    """Asks the signatures of the file through tflite-runtime or ai-edge-litert, whichever is installed.

    An interpreter holds one set of tensors, so threads take turns.
    """

    name = "tflite"

    def __init__(self, model: ModelFile, module: str) -> None:
        self._primary = _Primary.of(_load(module, model))
        self._load = partial(_load, module, model)
        self._by_numpy = NumpyEngine(model, resident=False)
        self._exact_favorites = scoring.exact_favorites(model.manifest.columns)
        self._turn = threading.Lock()

    def nearest(self, rows: Rows, k: int) -> Ranking:
        """See `Engine.nearest`."""
        if len(rows) > self._exact_favorites:
            return self._by_numpy.nearest(rows, k)
        items = rows.astype(np.int32)[None]
        with self._turn:
            if self._primary is not None:
                return self._primary.recommend(items, _count(k))
            return _ranking(self._ask("recommend", items=items, k=_count(k)))

    def search(self, query: NDArray[np.int64], k: int) -> Ranking:
        """See `Engine.search`."""
        if not scoring.is_exact_in_float32(query):
            return self._by_numpy.search(query, k)
        with self._turn:
            return _ranking(self._ask("search", vector=query.astype(np.float32)[None], k=_count(k)))

    def embed(self, rows: Rows) -> NDArray[np.float32]:
        """The vectors of `rows`, float32 [n, dims], as the file's own signature gives them."""
        with self._turn:
            vectors: NDArray[np.float32] = self._ask("embed", items=rows.astype(np.int32))["vectors"]
        return vectors

    def _ask(self, signature: str, **inputs: NDArray[Any]) -> dict[str, NDArray[Any]]:
        return self._runners[signature](**inputs)

    @cached_property
    def _runners(self) -> dict[str, Any]:
        """Of an interpreter of their own: one that has given out runners refuses to be asked in any other way."""
        interpreter = self._load()
        return {name: interpreter.get_signature_runner(name) for name in ("recommend", "search", "embed")}


class _Primary:
    """`recommend` as the first graph of a file: asked without its signature, which prepares all tensors every time."""

    def __init__(self, interpreter: Any, indices: Sequence[int]) -> None:
        self._interpreter = interpreter
        self._items, self._k, self._ids, self._scores = indices
        self._favorites = 0

    @classmethod
    def of(cls, interpreter: Any) -> _Primary | None:
        """None where the first graph has other inputs and outputs."""
        inputs = {detail["name"]: detail["index"] for detail in interpreter.get_input_details()}
        outputs = {np.dtype(detail["dtype"]): detail["index"] for detail in interpreter.get_output_details()}
        kinds = [np.dtype(np.int32), np.dtype(np.float32)]
        if inputs.keys() != {"items", "k"} or set(outputs) != set(kinds):
            return None
        return cls(interpreter, [inputs["items"], inputs["k"], *(outputs[kind] for kind in kinds)])

    def recommend(self, items: NDArray[np.int32], k: NDArray[np.int32]) -> Ranking:
        interpreter = self._interpreter
        if items.shape[1] != self._favorites:
            interpreter.resize_tensor_input(self._items, items.shape)
            interpreter.resize_tensor_input(self._k, k.shape)
            interpreter.allocate_tensors()
            self._favorites = items.shape[1]
        interpreter.set_tensor(self._items, items)
        interpreter.set_tensor(self._k, k)
        interpreter.invoke()
        return interpreter.get_tensor(self._ids).astype(np.int64), interpreter.get_tensor(self._scores)


class ProposingEngine:
    """Lets an interpreter propose candidates by 8-bit products, many times faster than in float, and scores them.

    A query q is rounded to s h, where h is what the interpreter's own rounding of a query to 8 bits leaves as it is. So
    the products h . r come back exact, and q . r differs from s h . r by no more than |q - s h| |r|. Every row that
    could be among the best by that bound is scored in integers; where too many could, numpy scans the table.

    The interpreter gets a model of one op made from the table, which is copied: it reads none that is only mapped.
    """

    name = "tflite"

    def __init__(self, model: ModelFile, module: str) -> None:
        self._table = model.table
        self._scale = model.manifest.scale
        self._by_numpy = NumpyEngine(model, resident=False)
        self._interpreter = _load(module, model, one_product(model.table))
        self._interpreter.allocate_tensors()
        self._vector = self._interpreter.get_input_details()[0]["index"]
        self._products = self._interpreter.tensor(self._interpreter.get_output_details()[0]["index"])
        self._longest = _longest(model.table)
        self._turn = threading.Lock()
        self._round = self._lossless(module)

    def nearest(self, rows: Rows, k: int) -> Ranking:
        """See `Engine.nearest`."""
        query = scoring.sum_of_rows(self._table, rows)
        candidates = self._candidates(query, k + len(rows))
        if candidates is None:
            return self._by_numpy.nearest(rows, k)
        found, scores = self._best(candidates, query, k + len(rows))
        kept = scoring.without(found, rows, k)
        return found[kept], scoring.cosines(scores[kept], query, self._scale)

    def search(self, query: NDArray[np.int64], k: int) -> Ranking:
        """See `Engine.search`."""
        candidates = self._candidates(query, k)
        if candidates is None:
            return self._by_numpy.search(query, k)
        found, scores = self._best(candidates, query, k)
        return found, scoring.cosines(scores, query, self._scale)

    def _best(self, candidates: Rows, query: NDArray[np.int64], k: int) -> tuple[Rows, NDArray[np.int64]]:
        scores = self._table[candidates] @ query
        order = np.negative(scores).argsort(kind="stable")[:k]
        return candidates[order], scores[order]

    def _candidates(self, query: NDArray[np.int64], k: int) -> Rows | None:
        """Rows in order, the best k among them; None where they are too many to be worth it.

        The k-th best exact score may be less than the k-th best product by what rounding can take away, and a row as
        good as that may have lost as much.
        """
        if k >= min(len(self._table), _MOST_CANDIDATES) or not query.any():
            return None
        rounded = self._round(query)
        reach = 2 * rounded.error * self._longest / rounded.step
        with self._turn:
            rows = scoring.within(self._ask(rounded.entries), k, reach)
        return rows if len(rows) <= _MOST_CANDIDATES else None

    def _ask(self, entries: NDArray[np.float32]) -> NDArray[np.float32]:
        self._interpreter.set_tensor(self._vector, entries[None])
        self._interpreter.invoke()
        products: NDArray[np.float32] = self._products()[0]
        return products

    def _lossless(self, module: str) -> Callable[[NDArray[np.int64]], Rounded]:
        """The rounding that this interpreter keeps, as a try on some queries shows."""
        rows = np.linspace(0, len(self._table) - 1, _TRIED_ROWS).astype(np.int64)
        queries = [query for query in self._table[rows].astype(np.int64) if query.any()]
        for rounding in (to_255_steps, to_127_steps):
            if all(self._keeps(rounding(query).entries) for query in queries):
                return rounding
        raise MissingInterpreterError(f"{module} rounds queries in a way that is not known; use engine 'numpy'")

    def _keeps(self, entries: NDArray[np.float32]) -> bool:
        return bool(np.array_equal(self._ask(entries), scoring.scores_of(self._table, entries.astype(np.int64))))


class Rounded(NamedTuple):
    """A query as `step` times whole numbers, `entries`, and the length of what that leaves out."""

    entries: NDArray[np.float32]
    step: float
    error: float


def to_127_steps(query: NDArray[np.int64]) -> Rounded:
    """Whole numbers of which the largest is 127 or -127: kept by rounding to 8 bits with zero in their middle."""
    step = int(np.abs(query).max()) / 127
    return _rounded(query, step, np.rint(query / step))


def to_255_steps(query: NDArray[np.int64]) -> Rounded:
    """Whole numbers whose range, zero within, spans 255: kept by rounding to 8 bits with zero anywhere."""
    least, greatest = min(0, int(query.min())), max(0, int(query.max()))
    step = (greatest - least) / 255
    entries = np.rint(query / step)
    if greatest > 0:
        entries[query.argmax()] = 255 + round(least / step)  # both ends may have been rounded the same way
    return _rounded(query, step, entries)


def _rounded(query: NDArray[np.int64], step: float, entries: NDArray[np.float64]) -> Rounded:
    left_out = query - step * entries
    return Rounded(entries.astype(np.float32), step, math.sqrt(left_out @ left_out) * (1 + 1e-6))


def _longest(table: NDArray[np.int8]) -> float:
    """The norm of the longest row, in integers."""
    step = 1 << 12
    squares = 0.0
    for start in range(0, len(table), step):
        wide = table[start : start + step].astype(np.float32)
        squares = max(squares, float(np.einsum("ij,ij->i", wide, wide).max()))
    return float(np.sqrt(squares))


def one_product(table: NDArray[np.int8]) -> bytes:
    """A TFLite model of one FULLY_CONNECTED: `vector` float32 [1, columns] -> its products with all rows of `table`.

    A query is rounded to 8 bits on the way. Written by hand: the flatbuffers library is not on a device.
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


_SCHEMA_VERSION, _FULLY_CONNECTED, _FULLY_CONNECTED_OPTIONS, _HYBRID_VERSION, _INT8 = 3, 9, 8, 3, 9


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


def create(name: EngineName, model: ModelFile) -> Engine:
    """The engine called `name`; `auto` takes whichever of numpy and an interpreter answers faster, as a few tries show.

    Raises:
        InvalidArgumentError: no engine has that name.
        MissingInterpreterError: `tflite` was asked for and no interpreter is installed.
    """
    if name not in get_args(EngineName):
        raise InvalidArgumentError(f"engine {name!r} is not one of {', '.join(get_args(EngineName))}")
    if name == "numpy":
        return NumpyEngine(model)
    try:
        engine = _by_interpreter(model)
    except MissingInterpreterError:
        if name == "tflite":
            raise
        return NumpyEngine(model)
    return engine if name == "tflite" else min(NumpyEngine(model), engine, key=lambda one: _seconds(one, model))


def interpreter_modules() -> list[str]:
    """The TFLite interpreters that are installed, by module; none is imported."""
    return [module for module in _INTERPRETER_MODULES if importlib.util.find_spec(module.partition(".")[0])]


def _by_interpreter(model: ModelFile) -> Engine:
    large = model.table.size > _LARGE_TABLE_BYTES
    kinds: list[type[ProposingEngine | TFLiteEngine]] = [ProposingEngine, TFLiteEngine] if large else [TFLiteEngine]
    reason = "no TFLite interpreter is installed; run `pip install 'mignon[litert]'` or use engine 'numpy'"
    for module in interpreter_modules():
        for kind in kinds:
            try:
                return kind(model, module)
            except MissingInterpreterError as error:  # noqa: PERF203 - a broken one must not hide a working one
                reason = str(error)
    raise MissingInterpreterError(f"engine 'tflite' cannot be used: {reason}")


def _seconds(engine: Engine, model: ModelFile) -> float:
    """The least time of a few answers; the first is not counted, and the slower an engine is the fewer are asked."""
    rows = np.linspace(0, model.manifest.rows - 1, _TRIED_ROWS).astype(np.int64)
    rows = np.unique(rows)
    took: list[float] = []
    while len(took) < 2 or (len(took) <= _TRIES and sum(took) < _SECONDS_TO_TRY):
        start = time.perf_counter()
        engine.nearest(rows, min(10, model.manifest.rows))
        took.append(time.perf_counter() - start)
    return min(took[1:])


def _load(module: str, model: ModelFile, content: bytes | None = None) -> Any:
    """An interpreter of the file, or of `content`, a model made from it."""
    source = {"model_path": str(model.path)} if content is None else {"model_content": content}
    try:
        return importlib.import_module(module).Interpreter(**source, num_threads=1)
    except (ImportError, AttributeError, RuntimeError) as error:  # one built for another numpy fails in many ways
        raise MissingInterpreterError(
            f"{module} is installed but cannot be imported ({error}); use engine 'numpy'"
        ) from error
    except ValueError as error:  # an op that it does not have
        raise MissingInterpreterError(
            f"{model.path}: {module.partition('.')[0]} does not load this file of {model.manifest.bits}-bit entries; "
            "install 'mignon[litert]' or use engine 'numpy'"
        ) from error


def _count(k: int) -> NDArray[np.int32]:
    """Of one entry: on ARM, LiteRT 2.3.0 crashes when it resizes an input to a scalar."""
    return np.array([k], np.int32)


def _ranking(outputs: dict[str, NDArray[Any]]) -> Ranking:
    return outputs["ids"].astype(np.int64), outputs["scores"]
