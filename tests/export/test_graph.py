"""The graph as an interpreter runs it, against arithmetic in Python's integers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tflite_runtime.interpreter import Interpreter

from export.convert import serialize
from export.graph import block_length, signatures

SCALE = 0.01


def interpreter(table):
    return Interpreter(model_content=serialize(signatures(table, SCALE), "test").data, num_threads=1)


def ranked(table, query, k):
    scores = table.astype(np.int64) @ query.astype(np.int64)
    order = sorted(range(len(table)), key=lambda row: (-scores[row], row))[:k]
    return order, scores[order] * SCALE / max(1, np.linalg.norm(query))


@settings(max_examples=40)
@given(
    rows=st.integers(1, 300),
    dims=st.integers(2, 20),
    spread=st.integers(1, 127),
    seed=st.integers(0, 99),
    data=st.data(),
)
def test_recommend_and_search_rank_as_exact_integers_do(rows, dims, spread, seed, data):
    """A small spread makes many equal scores: their order must be that of the rows."""
    table = np.random.default_rng(seed).integers(-spread, spread + 1, (rows, dims)).astype(np.int8)
    model = interpreter(table)
    recommend, search = (model.get_signature_runner(name) for name in ("recommend", "search"))
    items = np.array(data.draw(st.lists(st.integers(0, rows - 1), min_size=1, max_size=8)), np.int32)
    k = data.draw(st.integers(1, rows + 20))  # more than there are gives all
    query = table[items].sum(axis=0, dtype=np.int64)
    order, scores = ranked(table, query, k)
    found = recommend(items=items[None], k=np.array(k, np.int32))
    assert found["ids"].tolist() == order
    np.testing.assert_allclose(found["scores"], scores, rtol=1e-5, atol=1e-7)
    assert search(vector=query[None].astype(np.float32), k=np.array(k, np.int32))["ids"].tolist() == order


def test_embed_gives_scaled_rows():
    table = np.random.default_rng(0).integers(-127, 128, (50, 6)).astype(np.int8)
    vectors = interpreter(table).get_signature_runner("embed")(items=np.array([3, 3, 49], np.int32))["vectors"]
    np.testing.assert_allclose(vectors, table[[3, 3, 49]] * np.float32(SCALE), rtol=1e-6)


def test_signatures_have_the_documented_inputs_and_outputs():
    table = np.ones((20, 4), np.int8)
    listed = interpreter(table).get_signature_list()
    assert {name: (sorted(s["inputs"]), sorted(s["outputs"])) for name, s in listed.items()} == {
        "recommend": (["items", "k"], ["ids", "scores"]),
        "search": (["k", "vector"], ["ids", "scores"]),
        "embed": (["items"], ["vectors"]),
    }


@pytest.mark.parametrize("rows", [1, 7, 5000, 100_000, 1_000_000])
def test_blocks_are_a_power_of_two(rows):
    assert block_length(rows).bit_count() == 1
