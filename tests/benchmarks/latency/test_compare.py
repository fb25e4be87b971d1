import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.environments import UnusableEnvironmentError
from benchmarks.latency import compare, report, worker
from benchmarks.latency.compare import Scope
from benchmarks.latency.processes import ContestantEnvironment
from device_runtime import Recommender
from device_runtime.errors import InvalidArgumentError
from tests.conftest import ROOT
from tests.interpreters import INTERPRETERS

HERE = ContestantEnvironment(
    "this one", Path(sys.prefix), "make test", ("numpy", "tflite"), INTERPRETERS[-1], peers=True
)
BY_HAND = ("numpy argpartition", "numpy block maxima")
QUICK = Scope(environments=(HERE,), peers=BY_HAND, turns=3, starts=1)


@pytest.fixture(scope="module")
def results(model_path, tmp_path_factory):
    out = tmp_path_factory.mktemp("peers")
    return compare.measure(model_path, out, QUICK), out


def test_all_do_the_same_job(results, model_path):
    found, out = results
    named = {result.contestant: result for result in found}
    assert named.keys() == {"mignon numpy", "mignon tflite", *BY_HAND, compare.READ}
    for name in ("mignon numpy", "mignon tflite", *BY_HAND):
        result = named[name]
        assert (result.rows, result.dims, result.agreement, result.exact) == (300, 16, 1.0, True)
        assert 0 < result.least_microseconds <= result.microseconds
        assert result.anonymous_bytes > 0
        assert result.start_seconds > result.digest_seconds >= 0
    assert named["mignon numpy"].stored_bytes == model_path.stat().st_size
    assert named["numpy argpartition"].stored_bytes > 300 * 16 * 4
    assert min(named[name].ratio for name in BY_HAND) == 1.0
    report.draw(found, out / "latency.png")
    assert (out / "latency.png").read_bytes()[:4] == b"\x89PNG"
    assert "mignon tflite" in report.format_results(found)


@pytest.mark.parametrize("name", BY_HAND)
def test_a_peer_gives_the_ids_and_scores_that_mignon_gives(model_path, tmp_path, name):
    worker.build(model_path, name, tmp_path)
    job = worker.open_contestant(model_path, name, tmp_path)
    recommender = Recommender.open(model_path, engine="numpy")
    ids = [neighbor.id for neighbor in recommender.similar("pancakes", k=40)]
    for start in range(0, 32, 8):
        expected = recommender.recommend(ids[start : start + 8], blend="together")
        found = job(ids[start : start + 8])
        assert [item for item, _ in found] == [neighbor.id for neighbor in expected]
        np.testing.assert_allclose([score for _, score in found], [n.score for n in expected], rtol=1e-5)


def test_a_missing_environment_says_how_to_make_it(model_path, tmp_path):
    missing = replace(HERE, folder=tmp_path / "none", make=compare.MAKE_PEERS)
    with pytest.raises(UnusableEnvironmentError, match=r"make it with `.*constraints/peers\.txt`"):
        compare.measure(model_path, tmp_path, Scope(environments=(missing,)))


def test_a_missing_peer_says_what_to_install(model_path, tmp_path):
    message = r"scann brute force cannot be used: .* \(.*scann.*\); make the environment with `make test`"
    with pytest.raises(UnusableEnvironmentError, match=message):
        compare.measure(model_path, tmp_path, replace(QUICK, peers=("scann brute force",)))


def test_without_an_exact_peer_there_is_nothing_to_compare_with(model_path, tmp_path):
    with pytest.raises(InvalidArgumentError, match="none of voyager is exact"):
        compare.measure(model_path, tmp_path, replace(QUICK, peers=("voyager",)))


def test_versions_are_pinned_without_addresses():
    lines = Path(ROOT / "constraints" / "peers.txt").read_text().splitlines()
    assert all(line.count("==") == 1 and "/" not in line for line in lines)
    assert {"faiss-cpu", "hnswlib", "usearch", "scann", "voyager", "ai-edge-litert", "numpy"} <= {
        line.partition("==")[0] for line in lines
    }
