"""`recommend_fixed` as interpreters and CompiledModel run it, against arithmetic in Python's integers."""

import numpy as np
import pytest
from ai_edge_litert.compiled_model import CompiledModel
from hypothesis import given, settings
from hypothesis import strategies as st

from device_runtime.format.manifest import InteractionRule
from export.table import QuantizedTable
from export.tflite.flatbuffer import serialize
from export.tflite.plan import SignaturePlan
from export.tflite.signatures import build_signatures
from export.verification.questions import make_query
from tests.interpreters import PACKAGES, interpreter_of

SCALE = 0.01
RULE = InteractionRule(2.5, 0.5, 2)
KINDS_AND_PACKAGES = [
    *((8, rule, package) for rule in (None, RULE) for package in PACKAGES),
    (4, None, "ai_edge_litert"),
]


def table_of(rows, columns, bits=8, rule=None, spread=127, seed=0):
    spread = min(spread, 2 ** (bits - 1) - 1)
    entries = np.random.default_rng(seed).integers(-spread, spread + 1, (rows, columns)).astype(np.int8)
    return QuantizedTable(entries, SCALE, bits, rule)


def flatbuffer(table, favorites=16, results=50):
    return serialize(build_signatures(table, SignaturePlan(favorites=favorites, results=results))).data


def ask_first_graph(package, data):
    """Without a resize, by the interpreter's default delegate: as samples do."""
    interpreter = interpreter_of(package)(model_content=data, num_threads=1)
    interpreter.allocate_tensors()
    (items,) = interpreter.get_input_details()
    outputs = {output["name"]: output["index"] for output in interpreter.get_output_details()}

    def ask(asked):
        interpreter.set_tensor(items["index"], asked)
        interpreter.invoke()
        return {name: interpreter.get_tensor(index) for name, index in outputs.items()}

    return ask


def ranked(table, basket, results):
    """Ids filled up with -1, and which of them are rows."""
    scores = table.rows.astype(np.int64) @ make_query(table, np.array(basket, np.int64))
    others = [row for row in range(len(table.rows)) if row not in basket]
    order = sorted(others, key=lambda row: (-scores[row], row))[:results]
    return [*order, *[-1] * (results - len(order))], len(order)


@pytest.mark.parametrize(("bits", "rule", "package"), KINDS_AND_PACKAGES)
@settings(max_examples=15)
@given(
    rows=st.integers(1, 200),
    spread=st.integers(1, 127),
    favorites=st.integers(1, 16),
    results=st.integers(1, 60),
    seed=st.integers(0, 99),
    data=st.data(),
)
def test_it_ranks_as_exact_integers_do(bits, rule, package, rows, spread, favorites, results, seed, data):
    """Small spreads make equal scores; catalogs of fewer items than places fill up; places of none come anywhere."""
    table = table_of(rows, 8, bits, rule, spread, seed)
    basket = data.draw(st.lists(st.integers(0, rows - 1), min_size=1, max_size=favorites, unique=True))
    places = data.draw(st.permutations(range(favorites)))[: len(basket)]
    asked = np.full((1, favorites), -1, np.int32)
    asked[0, places] = basket
    found = ask_first_graph(package, flatbuffer(table, favorites, results))(asked)
    order, filled = ranked(table, basket, results)
    assert found["ids"].tolist() == order
    assert found["ids"].dtype == np.int32
    assert not found["scores"][filled:].any()


@pytest.mark.parametrize(("bits", "rule", "package"), KINDS_AND_PACKAGES)
def test_it_gives_the_ids_and_scores_of_recommend(bits, rule, package):
    table = table_of(500, 16, bits, rule)
    data, rng = flatbuffer(table), np.random.default_rng(1)
    fixed = ask_first_graph(package, data)
    recommend = interpreter_of(package)(model_content=data, num_threads=1).get_signature_runner("recommend")
    for size in (1, 2, 5, 16):
        asked = np.full((1, 16), -1, np.int32)
        asked[0, :size] = rng.choice(500, size, replace=False)
        expected = recommend(items=asked[:, :size], k=np.array([50], np.int32))
        found = fixed(asked)
        assert found["ids"].tolist() == expected["ids"].tolist()
        if bits == 8:  # at 4 bits XNNPACK multiplies otherwise, and the root differs in its last bit
            assert found["scores"].tolist() == expected["scores"].tolist()
        np.testing.assert_allclose(found["scores"], expected["scores"], rtol=1e-6)


@pytest.mark.parametrize("package", PACKAGES)
def test_nothing_given_gives_the_first_rows_without_a_score(package):
    found = ask_first_graph(package, flatbuffer(table_of(100, 8)))(np.full((1, 16), -1, np.int32))
    assert found["ids"].tolist() == list(range(50))
    assert not found["scores"].any()


@pytest.mark.parametrize(("bits", "rule"), [(8, None), (8, RULE), (4, None)])
@pytest.mark.parametrize("rows", [20, 500])
def test_compiled_model_answers_without_a_resize(bits, rule, rows, tmp_path):
    table = table_of(rows, 16, bits, rule)
    path = tmp_path / "model.tflite"
    path.write_bytes(flatbuffer(table))
    model, rng = CompiledModel.from_file(str(path)), np.random.default_rng(2)
    inputs, (ids, scores) = model.create_input_buffers(0), model.create_output_buffers(0)
    assert model.get_signature_by_index(0) == {
        "key": "recommend_fixed",
        "inputs": ["items"],
        "outputs": ["ids", "scores"],
    }
    for size in (1, 7, 16):
        asked = np.full(16, -1, np.int32)
        asked[:size] = basket = rng.choice(rows, size, replace=False)
        inputs[0].write(asked)
        model.run_by_index(0, inputs, [ids, scores])
        assert ids.read(50, np.int32).tolist() == ranked(table, basket.tolist(), 50)[0]
        assert np.isfinite(scores.read(50, np.float32)).all()
