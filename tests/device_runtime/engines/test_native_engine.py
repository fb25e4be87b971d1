"""The kernel in C by every path of this processor: the same answers as Python's own integers."""

import os
import random
import subprocess
import sys
import threading
from types import SimpleNamespace

import numpy as np
import pytest

from device_runtime import Recommender
from device_runtime.engines.numpy_engine import NumpyEngine
from tests.conftest import ROOT

mignon_native = pytest.importorskip("mignon_native", reason="mignon-native is not installed")
from device_runtime.engines.native_engine import NativeEngine  # noqa: E402 - it is of no use without

FILES = ROOT / "tests" / "golden" / "files"
PATHS = mignon_native.paths()


@pytest.fixture(params=PATHS)
def path(request):
    yield mignon_native.choose(request.param)
    mignon_native.choose(PATHS[0])


def model_of(table, bits=8, stored=None):
    rows, columns = table.shape
    manifest = SimpleNamespace(rows=rows, dims=columns, columns=columns, scale=0.005, bits=bits, preference=None)
    return SimpleNamespace(
        table=table, stored=table if stored is None else stored, manifest=manifest, filename="items.tflite"
    )


def table_with_ties(rows, columns, seed=0):
    """Many rows are there several times, so that equal scores are common; some are as large as they can be."""
    rng = np.random.default_rng(seed)
    different = rng.normal(0, 60, (max(1, rows // 3), columns)).clip(-128, 127).astype(np.int8)
    different[rng.random(len(different)) < 0.1] = -128
    return different[rng.integers(0, len(different), rows)]


def exact(table, query, banned, k, allowed=None):
    """By Python's own integers and sort: by score from the top, ties by the lower row."""
    wide, banned = query.tolist(), set(banned)
    scores = [sum(map(int.__mul__, row, wide)) for row in table.tolist()]
    others = (row for row in range(len(table)) if row not in banned and (allowed is None or allowed[row]))
    best = sorted(others, key=lambda row: (-scores[row], row))[:k]
    return best, [scores[row] for row in best]


@pytest.mark.parametrize("columns", [1, 2, 15, 16, 17, 32, 33, 34, 64, 65, 257])
@pytest.mark.parametrize("k", [1, 10, 10**6])
@pytest.mark.usefixtures("path")
def test_rows_and_scores_are_those_of_integers(columns, k):
    table = table_with_ties(700, columns)
    engine, rng = NativeEngine(model_of(table)), np.random.default_rng(columns)
    for favorites in (1, 8, 65, 5000):
        rows = rng.integers(0, 700, favorites)
        query = table[rows].astype(np.int64).sum(axis=0)
        banned = np.unique(rows)[:60]
        ((found, scores),) = engine.search_each(query[None], [banned], k)
        assert (found.tolist(), scores.tolist()) == exact(table, query, banned.tolist(), k)


@pytest.mark.parametrize("largest", [32639, 32640, 1 << 20, (1 << 53) // (127 * 40)])
@pytest.mark.usefixtures("path")
def test_weights_up_to_their_bound(largest):
    table, rng = table_with_ties(500, 33), np.random.default_rng(3)
    engine = NativeEngine(model_of(table))
    for _ in range(20):
        query = rng.integers(-largest, largest + 1, 33)
        ((found, scores),) = engine.search_each(query[None], [np.empty(0, np.int64)], 12)
        assert (found.tolist(), scores.tolist()) == exact(table, query, [], 12)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.1, 0.5, 0.99, 1.0])
@pytest.mark.usefixtures("path")
def test_only_allowed_rows_come_back(share):
    table, rng = table_with_ties(3001, 16), np.random.default_rng(4)
    engine, allowed = NativeEngine(model_of(table)), rng.random(3001) < share
    queries = rng.integers(-500, 500, (5, 16))
    banned = [rng.integers(0, 3001, 4) for _ in queries]
    answers = engine.search_each(queries, banned, 10, allowed)
    for query, rows, (found, scores) in zip(queries, banned, answers, strict=True):
        assert (found.tolist(), scores.tolist()) == exact(table, query, rows.tolist(), 10, allowed)


@pytest.mark.usefixtures("path")
def test_4_bits_are_read_as_they_lie():
    stored = np.random.default_rng(5).integers(-128, 128, (900, 9)).astype(np.int8)
    table = np.stack([np.left_shift(stored, 4) >> 4, stored >> 4], axis=2).reshape(900, 18)
    engine, query = NativeEngine(model_of(table, 4, stored)), np.arange(18) - 7
    ((found, scores),) = engine.search_each(query[None], [np.array([3])], 20)
    assert (found.tolist(), scores.tolist()) == exact(table, query, [3], 20)


@pytest.mark.parametrize("name", ["meals-8", "meals-4", "likes"])
@pytest.mark.usefixtures("path")
def test_the_short_cut_answers_as_numpy_does(name):
    native = Recommender.open(FILES / f"{name}.tflite", engine="native")
    by_numpy = Recommender.open(FILES / f"{name}.tflite", engine="numpy")
    ids = by_numpy.file.text("ids.txt").split()
    draw = random.Random(name)
    baskets = [draw.choices(ids, k=draw.choice([1, 2, 5, 8, 20])) for _ in range(200)]
    for basket in baskets:
        options = {"k": draw.choice([1, 7, 60, 500]), "blend": draw.choice([None, "each", "together"])}
        assert native.recommend(basket, **options) == by_numpy.recommend(basket, **options)
        options["where"] = draw.choice([{"course": "soup"}, ["course!=soup"], {}, {"course": []}])
        if name != "likes":
            assert native.recommend(basket, **options) == by_numpy.recommend(basket, **options)
    several = [*baskets, [], ["no-such-item-at-all"][:0], {ids[0]: 2.0, ids[1]: -1.0}, [ids[2], "soup"]]
    assert native.recommend_many(several) == by_numpy.recommend_many(several)


def test_a_filter_is_gone_through_once():
    native = Recommender.open(FILES / "meals-8.tflite", engine="native")
    ids = native.file.text("ids.txt").split()
    soups = native.recommend(["pancakes"], where={"course": ["soup"]})
    assert soups
    for favorites in ([ids[native.row("pancakes")]], ["Pancakes"]):
        assert native.recommend(favorites, where={"course": iter(["soup"])}) == soups
    where = {"course": ["soup"]}
    assert native.recommend(["pancakes"], where=where) == soups
    where["course"].append("dessert")  # what was kept of it stays as it was asked
    both = Recommender.open(FILES / "meals-8.tflite", engine="numpy").recommend(["pancakes"], where=where)
    assert native.recommend(["pancakes"], where=where) == both != soups


def test_large_catalogs_find_ids_in_lines():
    count = 20_000
    table = table_with_ties(count, 16, seed=6)
    ids = [f"id-{row}-é" for row in range(count)]
    data = "".join(f"{one}\n" for one in ids).encode()
    ends = np.flatnonzero(np.frombuffer(data, np.uint8) == 10)
    lines = SimpleNamespace(parts=(data, ends))
    model = model_of(table)
    short_cut = NativeEngine(model).open_short_cut(lines, lines, lambda: None)
    rows, scores = NumpyEngine(model).nearest(np.array([5, 19_999, 77]), 10)
    found = short_cut.recommend([ids[5], ids[19_999], ids[77], ids[5]], 10, 2.0, None)
    assert [(n.id, n.name, n.score) for n in found] == [
        (ids[row], ids[row], score) for row, score in zip(rows, scores.tolist(), strict=True)
    ]
    assert short_cut.recommend(["id-5"], 10, 2.0, None) is None
    assert short_cut.recommend([5], 10, 2.0, None) is None
    assert short_cut.recommend(["\ud800"], 10, 2.0, None) is None


def test_threads_share_a_table():
    table = table_with_ties(60_000, 32)
    engine, failed = NativeEngine(model_of(table)), []

    def ask(seed):
        rng = np.random.default_rng(seed)
        for _ in range(5):
            query = rng.integers(-99, 99, 32)
            ((found, _),) = engine.search_each(query[None], [np.array([1])], 5)
            scores = table.astype(np.int64) @ query
            scores[1] = -(1 << 40)
            if found.tolist() != np.argsort(-scores, kind="stable")[:5].tolist():
                failed.append(seed)

    threads = [threading.Thread(target=ask, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed


@pytest.mark.parametrize(
    ("table", "message"),
    [((b"1234", 2, 3, 8), "fits 4 bytes"), ((b"1234", 0, 4, 8), "fits 4"), ((b"1234", 2, 2, 7), "of 7 bits")],
)
def test_a_table_that_does_not_fit_is_refused(table, message):
    with pytest.raises(ValueError, match=message):
        mignon_native.Table(*table)


def test_what_does_not_fit_a_table_is_refused():
    table = mignon_native.Table(bytes(32), 2, 16, 8)
    for arguments in ((bytes(8), [b""], 1, None), (bytes(128), [b"1"], 1, None), (bytes(128), [b""], 0, None)):
        with pytest.raises(ValueError):  # noqa: PT011 - what it says is in C
            table.best(*arguments)
    with pytest.raises(ValueError, match="fewer bits than rows"):
        table.best(bytes(128), [b""], 1, b"")
    with pytest.raises(ValueError, match="62 bits"):
        table.best(np.full(16, 1 << 60), [b""], 1, None)
    rest = (tuple, 0.1, 16, 0, None)
    for wrong in ((table,), (object(), {}, [], [], *rest), (table, {}, ["a"], ["b"], *rest)):
        with pytest.raises((TypeError, ValueError)):
            mignon_native.Catalog(*wrong)


def test_the_environment_names_the_path():
    code = "import mignon_native; print(mignon_native.paths()[0])"
    variables = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "MIGNON_KERNEL": "no such path"}
    done = subprocess.run([sys.executable, "-c", code], env=variables, capture_output=True, text=True, check=False)
    assert "MIGNON_KERNEL is 'no such path', and this processor has no such path" in done.stderr
