import json

import pytest

from benchmarks.latency import index
from device_runtime.engines.usearch_engine import index_path
from device_runtime.errors import IndexFileError


def test_each_engine_is_asked_for_items_and_baskets(indexed_path, tmp_path):
    results = index.measure(indexed_path, rounds=20, starts=1)
    assert [(a.favorites, a.engine) for a in results] == [(f, e) for f in index.FAVORITES for e in index.ENGINES]
    for asked in results:
        assert (asked.rows, asked.dims) == (9900, 8)
        assert asked.recall_at_10 >= (0.9 if asked.engine == "usearch" else 1.0)
        assert min(asked.microseconds, asked.start_seconds, asked.anonymous_bytes) > 0
        extra = index_path(indexed_path).stat().st_size if asked.engine == "usearch" else 0
        assert asked.stored_bytes == indexed_path.stat().st_size + extra
    index.write(results, tmp_path)
    assert len(json.loads((tmp_path / "index.json").read_text())) == len(results)
    assert len(index.table_of(results).splitlines()) == 2 + len(results)


def test_a_file_without_an_index_is_refused(model_path):
    with pytest.raises(IndexFileError, match="--index"):
        index.measure(model_path)
