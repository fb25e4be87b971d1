import pytest

from benchmarks.embedding import quality
from training.evaluation.triplets import Triplet
from training.inputs.catalog import read_catalog
from training.inputs.rules import read_rules

TRIPLETS = [Triplet(0, 1, 2, "easy"), Triplet(3, 4, 5, "hard")]


@pytest.fixture(scope="module")
def catalog(small_catalog):
    return read_catalog(small_catalog)


def test_all_methods_are_measured_alike(catalog, small_catalog, tmp_path):
    results = quality.measure(catalog, TRIPLETS, read_rules(small_catalog).weights, dims=(4,))
    assert [r.name for r in results if r.dims == 4] == ["SVD", "SVD, weighted", "mignon float32", "mignon int8"]
    for result in results:
        measures = [v for k, v in vars(result).items() if k not in ("name", "dims")]
        assert all(0 <= value <= 1 for value in measures)
    chance, trained = results[0], results[5]
    assert trained.form > 2 * chance.form
    assert "mignon int8" in quality.format_scores(results)
    quality.draw(results, tmp_path / "embedding.png")
    assert (tmp_path / "embedding.png").read_bytes().startswith(b"\x89PNG")
