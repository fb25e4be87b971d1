import shutil
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from device_runtime import Recommender
from device_runtime.engines import choice as engines
from device_runtime.engines import usearch_engine as approximate
from device_runtime.engines.usearch_engine import IndexRecord, UsearchEngine, index_path, open_graph, record_of
from device_runtime.errors import (
    DamagedIndexError,
    FileFormatError,
    IndexFileError,
    MissingEngineError,
)
from device_runtime.format.model_file import ModelFile
from export.writing.index import _build_graph
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def indexed(indexed_path):
    return ModelFile.open(indexed_path)


@pytest.fixture
def engine(indexed, monkeypatch):
    """Asks the graph even where a scan would take no longer."""
    monkeypatch.setattr(approximate, "ROWS_TO_A_CANDIDATE", 1)
    return UsearchEngine(indexed)


@pytest.fixture
def pair(indexed_path, tmp_path):
    """A copy of the model and its index to do harm to."""
    shutil.copy(index_path(indexed_path), tmp_path / index_path(indexed_path).name)
    return Path(shutil.copy(indexed_path, tmp_path / indexed_path.name))


def exactly(table, query, k, banned=()):
    scores = table.astype(np.int64) @ query
    others = np.setdiff1d(np.arange(len(table)), banned)
    return others[np.lexsort((others, -scores[others]))][:k], scores


def favorites(rows, count, most, seed=3):
    rng = np.random.default_rng(seed)
    return [rng.choice(rows, rng.integers(1, most + 1), replace=False) for _ in range(count)]


def test_finds_what_the_manifest_says_it_finds(indexed, engine):
    stated = record_of(indexed).recall_at_10
    assert min(stated.values()) > 0.9
    for kind, most in (("items", 1), ("baskets", 15)):
        shares = []
        for basket in favorites(indexed.manifest.rows, 300, most):
            query = indexed.table[basket].astype(np.int64).sum(axis=0)
            expected, _ = exactly(indexed.table, query, 10, basket)
            shares.append(np.isin(expected, engine.nearest(basket, 10)[0]).mean())
        assert np.mean(shares) >= stated[kind] - 0.03


def test_asks_the_graph_and_not_the_scan(indexed, engine, monkeypatch):
    monkeypatch.setattr(engines.NumpyEngine, "nearest", None)
    monkeypatch.setattr(engines.NumpyEngine, "search", None)
    assert len(engine.nearest(np.arange(8), 10)[0]) == 10
    assert len(engine.search(indexed.table[0].astype(np.int64), 10)[0]) == 10


def test_scores_and_order_of_what_is_found_are_exact_and_no_favorite_comes_back(indexed, engine):
    for basket in favorites(indexed.manifest.rows, 200, 15):
        rows, cosines = engine.nearest(basket, 10)
        query = indexed.table[basket].astype(np.int64).sum(axis=0)
        scores = indexed.table[rows].astype(np.int64) @ query
        assert len(rows) == 10
        assert not np.isin(rows, basket).any()
        assert np.lexsort((rows, -scores)).tolist() == list(range(10))
        length = np.linalg.norm(query.astype(float))
        np.testing.assert_allclose(cosines, scores * indexed.manifest.scale / length, rtol=1e-6)


def test_what_a_scan_answers_sooner_is_answered_exactly(indexed, monkeypatch):
    engine, rows = UsearchEngine(indexed), indexed.manifest.rows
    monkeypatch.setattr(engine._graph, "best", None)
    for basket, k in ((np.arange(8), 10), (np.arange(0, rows, 7), 10), (np.array([5]), 50), (np.array([5]), rows)):
        query = indexed.table[basket].astype(np.int64).sum(axis=0)
        assert engine.nearest(basket, k)[0].tolist() == exactly(indexed.table, query, k, basket)[0].tolist()
    query = indexed.table[5].astype(np.int64)
    assert engine.search(query, 50)[0].tolist() == exactly(indexed.table, query, 50)[0].tolist()


def test_favorites_that_cancel_out_are_answered_exactly(indexed, engine):
    nothing = np.zeros(indexed.manifest.columns, np.int64)
    assert engine.search(nothing, 3)[0].tolist() == [0, 1, 2]


def test_a_graph_that_leads_to_too_few_leaves_the_question_to_the_scan(indexed, engine, monkeypatch):
    whole = engine._graph.best
    monkeypatch.setattr(engine._graph, "best", lambda *asked: tuple(part[:9] for part in whole(*asked)))
    query = indexed.table[4].astype(np.int64)
    assert engine.nearest(np.array([4]), 10)[0].tolist() == exactly(indexed.table, query, 10, [4])[0].tolist()
    assert engine.search(query, 10)[0].tolist() == exactly(indexed.table, query, 10)[0].tolist()


def test_the_whole_api_answers_by_the_index(indexed_path, monkeypatch):
    monkeypatch.setattr(approximate, "ROWS_TO_A_CANDIDATE", 1)
    found, exact = (Recommender.open(indexed_path, engine=name) for name in ("usearch", "numpy"))
    assert found.engine == "usearch"
    ids = ["0000", "0100", "0200"]
    some = {neighbor.id for neighbor in exact.recommend(ids)}
    for ask in (
        lambda items: items.similar("0000", 5),
        lambda items: items.recommend(ids, 10),
        lambda items: items.recommend(ids, 10, exclude=[min(some)]),
        lambda items: items.recommend(ids, 200),
        lambda items: items.recommend(ids, 5, diversify=0.5),
        lambda items: items.search(items.vector("0300"), 10),
    ):
        answer, expected = ask(found), ask(exact)
        assert len(answer) == len(expected)
        assert len({n.id for n in answer} & {n.id for n in expected}) >= 0.8 * len(expected)
        assert not {n.id for n in answer} & ({min(some)} if "exclude" in ask.__code__.co_names else set())
    where = {"cluster": "3"}
    assert found.recommend(ids, 10, where=where) == exact.recommend(ids, 10, where=where)


def test_threads_get_the_answers_that_one_gets(indexed, engine):
    baskets = favorites(indexed.manifest.rows, 100, 8)
    expected = [engine.nearest(basket, 10)[0].tolist() for basket in baskets]
    answers = {}

    def ask(thread):
        answers[thread] = [engine.nearest(basket, 10)[0].tolist() for basket in baskets]

    threads = [threading.Thread(target=ask, args=(thread,)) for thread in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answers[thread] for thread in range(8)] == [expected] * 8


@pytest.mark.parametrize("harm", [0, 1, 100, 0.5, 0.999])
def test_an_index_cut_short_is_refused(pair, harm):
    index = index_path(pair)
    data = index.read_bytes()
    index.write_bytes(data[: int(harm if harm >= 1 else harm * len(data))])
    with pytest.raises(DamagedIndexError, match=r"--index"):
        Recommender.open(pair, engine="usearch")


def test_any_altered_byte_is_refused_before_usearch_sees_it(pair, monkeypatch):
    index = index_path(pair)
    data = index.read_bytes()
    model = ModelFile.open(pair)
    monkeypatch.setattr(approximate, "Graph", None)
    rng = np.random.default_rng(0)
    for place in [0, len(data) - 1, *rng.integers(0, len(data), 50)]:
        altered = bytearray(data)
        altered[place] ^= 1 << rng.integers(8)
        index.write_bytes(altered)
        with pytest.raises(DamagedIndexError, match="cut short or altered, or is of another export"):
            open_graph(model)


def test_an_index_of_another_model_is_refused(pair, indexed_path):
    other = np.ascontiguousarray(ModelFile.open(pair).table[::-1])
    index_path(pair).write_bytes(_build_graph(other, progress=False))
    assert index_path(pair).stat().st_size == index_path(indexed_path).stat().st_size
    with pytest.raises(DamagedIndexError, match="of another export"):
        Recommender.open(pair, engine="usearch")
    assert Recommender.open(indexed_path, engine="usearch").similar("0000", 3)


def test_a_missing_index_and_a_model_without_one(pair, model_path):
    index_path(pair).unlink()
    with pytest.raises(IndexFileError, match=r"items\.tflite\.usearch: cannot be opened .*--index"):
        Recommender.open(pair, engine="usearch")
    assert Recommender.open(pair).engine in {"numpy", "tflite"}  # the model itself is whole
    with pytest.raises(IndexFileError, match=r"meals\.tflite: was exported without an index; export it with --index"):
        Recommender.open(model_path, engine="usearch")


def test_a_record_that_is_not_one_is_refused(indexed):
    whole = dict(indexed.manifest.approximate_index)
    for wrong in ([], {}, whole | {"more": 1}, whole | {"expansion_search": 0}, whole | {"expansion_search": "64"}):
        model = ModelFile.open(indexed.path)
        model.manifest = model.manifest._replace(approximate_index=wrong)
        with pytest.raises(FileFormatError, match="manifest"):
            record_of(model)
    assert record_of(indexed) == IndexRecord(**whole)


def test_without_usearch_the_error_says_what_to_install(indexed_path):
    code = f"""
import sys
sys.modules["usearch"] = None
from device_runtime import Recommender
from device_runtime.errors import MissingEngineError
assert Recommender.open({str(indexed_path)!r}, engine="numpy").similar("0000", 3)
try:
    Recommender.open({str(indexed_path)!r}, engine="usearch")
except MissingEngineError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "pip install 'mignon[index]'" in done.stdout


def test_a_broken_usearch_is_told_from_a_missing_one(indexed, monkeypatch, tmp_path):
    (tmp_path / "usearch").mkdir()
    (tmp_path / "usearch" / "__init__.py").write_text("")
    (tmp_path / "usearch" / "index.py").write_text("raise OSError('wrong ELF class')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "usearch", raising=False)
    monkeypatch.delitem(sys.modules, "usearch.index", raising=False)
    with pytest.raises(MissingEngineError, match=r"installed but cannot be imported \(wrong ELF class\)"):
        UsearchEngine(indexed)


def test_the_command_asks_it_and_says_what_is_wrong(indexed_path, pair, capsys):
    from device_runtime.cli import main

    assert main(["similar", str(indexed_path), "0000", "--engine", "usearch", "-k", "3"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 3
    index_path(pair).write_bytes(b"")
    assert main(["similar", str(pair), "0000", "--engine", "usearch"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
