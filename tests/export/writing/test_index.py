import json
import subprocess
import sys
from hashlib import sha256

import numpy as np
import pytest

from device_runtime.engines import usearch_engine as approximate
from device_runtime.engines.usearch_engine import Graph, index_path, record_of
from device_runtime.errors import MissingEngineError
from device_runtime.format.model_file import ModelFile
from export.command import main
from export.errors import ExportError
from export.writing import export_file as write_module
from export.writing.index import FEWEST_ROWS, IndexQuestion, build_index, measure_recall
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(40, 8))[rng.integers(0, 40, 9600)] + 0.3 * rng.normal(size=(9600, 8))
    return np.rint(rows * (120 / np.linalg.norm(rows, axis=1, keepdims=True))).astype(np.int8)


@pytest.fixture(scope="module")
def built(table):
    return build_index(table)


def test_the_record_describes_the_bytes(built):
    assert (built.record.bytes, built.record.sha256) == (len(built.data), sha256(built.data).hexdigest())
    assert built.record.library.startswith("usearch 2.")


def test_the_stated_recall_is_what_brute_force_finds(table, built):
    graph = Graph(table, built.data, built.record.expansion_search)
    for kind, sizes in {"items": [1], "baskets": range(2, 21)}.items():
        shares, rng = [], np.random.default_rng(9)
        for size in np.resize(list(sizes), 400):
            favorites = rng.choice(len(table), size, replace=False)
            query = table[favorites].astype(np.int64).sum(axis=0)
            scores = (table.astype(np.int64) @ query).astype(float)
            scores[favorites] = -np.inf
            tenth = np.sort(scores)[-10]
            shares.append(min(10, (scores[graph.best(query, 10 + size, favorites)[0]] >= tenth).sum()) / 10)
        assert abs(np.mean(shares) - built.record.recall_at_10[kind]) < 0.02


def test_recall_counts_what_is_missed(table, built):
    graph = Graph(table, built.data, 64)
    query = table[0].astype(np.int64)
    scores = np.sort(table.astype(np.int64) @ query)
    asked = IndexQuestion(np.array([0]), query, float(scores[-11]))
    assert measure_recall(graph, [asked]) == 1.0
    assert measure_recall(graph, [asked._replace(least=float(scores[-6]))]) == 0.5  # only five others reach it
    assert measure_recall(graph, [asked, asked._replace(least=np.inf)]) == 0.5


def test_the_graph_orders_as_integers_do(table):
    """Of a search wide enough to see all rows, every distance is 1 less the integer score."""
    index = approximate.library().Index(ndim=8, metric="ip", dtype="i8")
    index.add(np.arange(len(table)), table, threads=1)
    found = index.search(table[3], len(table), exact=True, threads=1)
    scores = table.astype(np.int64) @ table[3].astype(np.int64)
    assert sorted(found.keys.tolist()) == list(range(len(table)))
    assert (1 - found.distances).tolist() == scores[found.keys.astype(np.int64)].tolist()
    assert (np.diff(found.distances) >= 0).all()


def test_another_process_builds_the_same_bytes(table, built, tmp_path):
    np.save(tmp_path / "table.npy", table)
    load = f"numpy.load({str(tmp_path / 'table.npy')!r})"
    code = f"import numpy; from export.writing.index import build_index; print(build_index({load}).record)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(built.record)


def test_a_small_table_is_refused(table):
    with pytest.raises(ExportError, match="leave --index out"):
        build_index(table[: FEWEST_ROWS - 1])


def test_the_command_writes_both_files_and_says_what_the_index_finds(indexed_path, tmp_path, capsys):
    out = tmp_path / "items.tflite"
    options = ["--quantize", "ptq", "--no-progress", "--index"]
    assert main([str(indexed_path.parent / "model"), "--out", str(out), *options, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    model = ModelFile.open(out)
    assert said["index"] == model.manifest.approximate_index
    assert sha256(index_path(out).read_bytes()).hexdigest() == record_of(model).sha256
    assert out.read_bytes() == indexed_path.read_bytes()
    assert index_path(out).read_bytes() == index_path(indexed_path).read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["items.tflite", "items.tflite.usearch"]


def test_the_command_refuses_too_few_items_before_the_work(trained_folder, tmp_path, capsys):
    assert main([str(trained_folder), "--out", str(tmp_path / "m.tflite"), "--index"]) == 2
    assert "300 items" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_the_command_says_that_usearch_is_missing(indexed_path, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "usearch.index", None)
    assert main([str(indexed_path.parent / "model"), "--out", str(tmp_path / "m.tflite"), "--index"]) == 2
    assert "pip install 'mignon[index]'" in capsys.readouterr().err
    with pytest.raises(MissingEngineError):
        build_index(np.ones((FEWEST_ROWS, 4), np.int8))


def test_a_failure_leaves_the_old_pair(indexed_path, tmp_path, monkeypatch, capsys):
    out = tmp_path / "items.tflite"
    for path in (out, index_path(out)):
        path.write_bytes(b"old")
    arguments = ["--quantize", "ptq", "--no-progress", "--index", "--force"]

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(write_module, "index_path", full)
    monkeypatch.setattr(
        write_module.engines, "verify", lambda *_, **__: ("numpy",)
    )  # it takes long, and is not asked here
    assert main([str(indexed_path.parent / "model"), "--out", str(out), *arguments]) == 1
    assert "No space left on device" in capsys.readouterr().err
    assert sorted(path.read_bytes() for path in tmp_path.iterdir()) == [b"old", b"old"]
