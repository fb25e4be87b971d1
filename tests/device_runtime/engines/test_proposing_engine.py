"""Candidates from 8-bit products, and the scan in groups: the same answers as Python's own integers."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from device_runtime.engines import choice as engines
from device_runtime.engines import group_maxima, proposing_engine, tflite_engine
from device_runtime.engines.numpy_engine import NumpyEngine
from device_runtime.engines.proposing_engine import ProposingEngine, to_127_steps, to_255_steps
from device_runtime.engines.tflite_engine import TFLiteEngine
from device_runtime.errors import MissingEngineError
from device_runtime.scoring import scan
from tests.interpreters import INTERPRETERS

queries = arrays(np.int64, st.integers(1, 40), elements=st.integers(-3000, 3000)).filter(np.any)


def model_of(table, path=None):
    rows, columns = table.shape
    manifest = SimpleNamespace(rows=rows, dims=columns, columns=columns, scale=0.005, bits=8, preference=None)
    return SimpleNamespace(table=table, manifest=manifest, path=path)


def table_with_ties(rows, columns, seed=0):
    """Many rows are there several times, so that equal scores are common."""
    rng = np.random.default_rng(seed)
    different = rng.normal(0, 35, (max(1, rows // 3), columns)).clip(-127, 127).astype(np.int8)
    return different[rng.integers(0, len(different), rows)]


def exact(table, query, banned, k):
    """By Python's own integers and sort: by score from the top, ties by the lower row."""
    wide, banned = query.tolist(), set(banned)
    scores = [sum(map(int.__mul__, row, wide)) for row in table.tolist()]
    others = (row for row in range(len(table)) if row not in banned)
    return sorted(others, key=lambda row: (-scores[row], row))[:k]


@pytest.fixture(scope="module", params=[(3001, 8), (2048, 32), (700, 5)])
def table(request):
    return table_with_ties(*request.param)


@pytest.fixture(params=["numpy", *INTERPRETERS])
def engine(request, table):
    model = model_of(table)
    return NumpyEngine(model, resident=False) if request.param == "numpy" else ProposingEngine(model, request.param)


@pytest.fixture(params=[1 << 19, 1 << 12])
def block_bytes(request, monkeypatch):
    """Blocks larger than these tables, and several in each."""
    monkeypatch.setattr(scan, "_BLOCK_BYTES", request.param)


@pytest.mark.usefixtures("block_bytes")
@pytest.mark.parametrize("k", [1, 10, 100, 10**6])
def test_ids_are_those_of_integers(engine, table, k):
    rng = np.random.default_rng(1)
    for favorites in (1, 8, 40):
        rows = rng.choice(len(table), favorites, replace=False)
        query = table[rows].astype(np.int64).sum(axis=0)
        asked = min(k, len(table))
        assert engine.nearest(rows, asked)[0].tolist() == exact(table, query, rows.tolist(), asked)
        assert engine.search(query, asked)[0].tolist() == exact(table, query, [], asked)


def test_queries_too_large_for_float32_and_zero_ones(engine, table):
    rng = np.random.default_rng(2)
    columns = table.shape[1]
    for query in (rng.integers(-(10**7), 10**7, columns), np.zeros(columns, np.int64), np.full(columns, -3)):
        assert engine.search(query, 12)[0].tolist() == exact(table, query, [], 12)


def test_equal_rows_all_come_back_in_order(engine):
    table = np.tile(np.array([[3, -4, 5, 6]], np.int8), (1000, 1))
    again = type(engine)(model_of(table), *([] if engine.name == "numpy" else [INTERPRETERS[-1]]))
    assert again.nearest(np.array([1, 5]), 7)[0].tolist() == [0, 2, 3, 4, 6, 7, 8]


def test_too_many_candidates_are_left_to_numpy(table, monkeypatch):
    monkeypatch.setattr(proposing_engine, "_MOST_CANDIDATES", 12)
    engine = ProposingEngine(model_of(table), INTERPRETERS[-1])
    rows = np.array([0, 7])
    query = table[rows].astype(np.int64).sum(axis=0)
    for k in (2, 30):
        assert engine.nearest(rows, k)[0].tolist() == exact(table, query, [0, 7], k)


def test_an_interpreter_that_rounds_otherwise_is_refused(table, monkeypatch):
    monkeypatch.setattr(ProposingEngine, "_keeps", lambda *_: False)
    with pytest.raises(MissingEngineError, match="rounds queries in a way that is not known"):
        ProposingEngine(model_of(table), INTERPRETERS[-1])


@pytest.mark.parametrize("rounding", [to_127_steps, to_255_steps])
@given(query=queries)
def test_a_rounded_query_spans_its_steps_and_says_what_it_leaves_out(rounding, query):
    rounded = rounding(query)
    entries = rounded.entries.astype(int)
    assert (entries == rounded.entries).all()
    if rounding is to_127_steps:
        assert abs(entries).max() == 127
    else:
        assert max(0, entries.max()) - min(0, entries.min()) == 255
    left_out = query - rounded.step * rounded.entries.astype(np.float64)
    assert np.linalg.norm(left_out) <= rounded.error * (1 + 1e-9)
    assert (abs(left_out) <= 1.51 * rounded.step).all()


@pytest.mark.parametrize("module", INTERPRETERS)
@pytest.mark.parametrize("at_once", [2, 40, 1 << 16])
def test_maxima_of_groups_are_exact_for_whole_numbers_that_are_kept(module, at_once, monkeypatch):
    monkeypatch.setattr(group_maxima, "_ROWS_AT_ONCE", at_once)
    table = table_with_ties(333, 12)
    engine = ProposingEngine(model_of(table), module)
    entries = engine._round(np.arange(12) - 4).entries
    scores = (table.astype(int) @ entries.astype(int)).tolist()
    with engine._turn:
        assert engine._ask(entries).tolist() == [max(scores[start : start + 8]) for start in range(0, 328, 8)]


def test_large_tables_are_proposed_from_and_small_ones_run_the_files_graph(model, monkeypatch):
    monkeypatch.setattr(tflite_engine, "_INTERPRETER_MODULES", (INTERPRETERS[-1],))
    assert isinstance(engines.create("tflite", model), TFLiteEngine)
    monkeypatch.setattr(engines, "_GRAPH_UP_TO", 1)
    proposing = engines.create("tflite", model)
    assert isinstance(proposing, ProposingEngine)
    rows = np.array([3, 8, 11])
    query = model.table[rows].astype(np.int64).sum(axis=0)
    assert proposing.nearest(rows, 10)[0].tolist() == exact(model.table, query, rows.tolist(), 10)
    assert proposing.name == "tflite"
