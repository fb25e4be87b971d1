import numpy as np
from scipy.sparse import csr_matrix

from benchmarks.generated.tables import generate
from benchmarks.recommenders.file_scorer import FileScorer
from device_runtime import Recommender
from device_runtime.format.model_file import ModelFile
from tests.conftest import export
from training.evaluation.ranking import top_k


def test_a_file_recommends_what_the_device_does(model_path, model):
    ids = model.lines("ids.txt")
    items = ["not in the file", *ids[::-1]]
    baskets = np.zeros((40, len(items)), np.float32)
    rng = np.random.default_rng(0)
    for row in baskets:
        row[rng.choice(np.arange(1, len(items)), 8, replace=False)] = 2.5
    given = csr_matrix(baskets)
    scorer = FileScorer(model_path, items)
    scores = scorer.scores(given)
    assert scorer.bytes_per_item == model.manifest.columns
    assert (scores[:, 0] == -np.inf).all()
    recommender = Recommender.open(model_path, engine="numpy")
    row_of = {item: row for row, item in enumerate(ids)}
    table = model.table.astype(np.int64)
    for basket, row, best in zip(given, scores, top_k(scores, given, 10), strict=True):
        liked = [items[column] for column in basket.indices]
        query = sum(table[row_of[item]] for item in liked)
        assert row[1:].tolist() == (table @ query)[::-1].tolist()
        neighbors = recommender.recommend(liked, k=10, blend="together")
        by_score = sorted(best, key=lambda column: (-row[column], row_of[items[column]]))  # ties by the file's rows
        assert [items[column] for column in by_score] == [neighbor.id for neighbor in neighbors]


def test_items_that_the_file_lacks_add_nothing(model_path, model):
    ids = model.lines("ids.txt")
    scorer = FileScorer(model_path, ["unknown", ids[5], ids[9]])
    with_unknown, without = scorer.scores(csr_matrix(np.array([[1, 1, 0], [0, 1, 0]], np.float32)))
    assert with_unknown.tolist() == without.tolist()
    assert np.isfinite(without[1:]).all()


def test_sums_beyond_float32_stay_exact(tmp_path):
    path = tmp_path / "items.tflite"
    generate(9900, 8, tmp_path / "model")
    assert export([str(tmp_path / "model"), "--out", str(path), "--quantize", "ptq"]) == 0
    model = ModelFile.open(path)
    ids, table = model.lines("ids.txt"), model.table.astype(np.int64)
    given = table @ table.sum(axis=0) > 0  # what points the same way, so that the sum is large
    [scores] = FileScorer(path, ids).scores(csr_matrix(given[None].astype(np.float32)))
    query = table[given].sum(axis=0)
    assert np.abs(query).sum() * 127 >= 1 << 24
    assert scores.astype(np.int64).tolist() == (table @ query).tolist()
