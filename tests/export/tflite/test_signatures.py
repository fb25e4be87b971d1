"""The graph as an interpreter runs it, against arithmetic in Python's integers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from export.table import QuantizedTable
from export.tflite.flatbuffer import serialize
from export.tflite.ranking import choose_block_length
from export.tflite.signatures import build_signatures
from tests.interpreters import PACKAGES, interpreter_of

SCALE = 0.01
BITS_AND_PACKAGES = [*((8, package) for package in PACKAGES), (4, "ai_edge_litert")]


def interpreter(table, bits=8, package=PACKAGES[-1]):
    made = serialize(build_signatures(QuantizedTable(table, SCALE, bits)))
    return interpreter_of(package)(model_content=made.data, num_threads=1)


def ranked(table, query, k, without=()):
    scores = table.astype(np.int64) @ query.astype(np.int64)
    others = [row for row in range(len(table)) if row not in without]
    order = sorted(others, key=lambda row: (-scores[row], row))[:k]
    return order, scores[order] * SCALE / max(1, np.linalg.norm(query))


@pytest.mark.parametrize(("bits", "package"), BITS_AND_PACKAGES)
@settings(max_examples=30)
@given(
    rows=st.integers(1, 300),
    half_dims=st.integers(1, 10),
    spread=st.integers(1, 127),
    seed=st.integers(0, 99),
    data=st.data(),
)
def test_recommend_and_search_rank_as_exact_integers_do(bits, package, rows, half_dims, spread, seed, data):
    """A small spread makes many equal scores: their order must be that of the rows."""
    spread = min(spread, 2 ** (bits - 1) - 1)
    table = np.random.default_rng(seed).integers(-spread, spread + 1, (rows, 2 * half_dims)).astype(np.int8)
    model = interpreter(table, bits, package)
    recommend, search = (model.get_signature_runner(name) for name in ("recommend", "search"))
    items = np.array(data.draw(st.lists(st.integers(0, rows - 1), min_size=1, max_size=8)), np.int32)
    k = data.draw(st.integers(1, rows + 20))  # more than there are gives all
    query = table[items].sum(axis=0, dtype=np.int64)
    order, scores = ranked(table, query, k, without=items)
    found = recommend(items=items[None], k=np.array(k, np.int32))
    assert found["ids"].tolist() == order
    np.testing.assert_allclose(found["scores"], scores, rtol=1e-5, atol=1e-7)
    found = search(vector=query[None].astype(np.float32), k=np.array(k, np.int32))
    assert found["ids"].tolist() == ranked(table, query, k)[0]


@pytest.mark.parametrize(("bits", "package"), BITS_AND_PACKAGES)
def test_embed_gives_scaled_rows(bits, package):
    table = np.random.default_rng(0).integers(-7, 8, (50, 6)).astype(np.int8)
    vectors = interpreter(table, bits, package).get_signature_runner("embed")(items=np.array([3, 3, 49], np.int32))[
        "vectors"
    ]
    np.testing.assert_allclose(vectors, table[[3, 3, 49]] * np.float32(SCALE), rtol=1e-6)


def test_signatures_have_the_documented_inputs_and_outputs():
    table = np.ones((20, 4), np.int8)
    listed = interpreter(table).get_signature_list()
    assert {name: (sorted(s["inputs"]), sorted(s["outputs"])) for name, s in listed.items()} == {
        "recommend_fixed": (["items"], ["ids", "scores"]),
        "recommend": (["items", "k"], ["ids", "scores"]),
        "search": (["k", "vector"], ["ids", "scores"]),
        "embed": (["items"], ["vectors"]),
    }


@pytest.mark.parametrize("rows", [1, 7, 5000, 100_000, 1_000_000])
def test_blocks_are_a_power_of_two(rows):
    assert choose_block_length(rows).bit_count() == 1
