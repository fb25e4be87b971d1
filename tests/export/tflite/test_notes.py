"""What is told of a file beside its faults; the memory is held against what LiteRT takes in a process of its own."""

import json
import subprocess
import sys

import numpy as np
import pytest

from export.command import main
from export.errors import ExportError
from export.table import QuantizedTable
from export.tflite.flatbuffer import serialize
from export.tflite.notes import DYNAMIC, MEMORY, list_notes
from export.tflite.operators import TABLE, GraphBuilder, Signature, Tensor
from export.tflite.plan import SignaturePlan
from export.tflite.signatures import build_signatures
from tests.conftest import ROOT

ROWS, COLUMNS = 100_000, 16
ENTRIES = np.random.default_rng(0).integers(-7, 8, (ROWS, COLUMNS)).astype(np.int8)
MEASURE = """
import sys
import numpy as np
from ai_edge_litert.interpreter import Interpreter

def anonymous():
    with open("/proc/self/smaps_rollup") as lines:
        return next(1024 * int(line.split()[1]) for line in lines if line.startswith("Anonymous:"))

path, signature, *shape = sys.argv[1:]
interpreter = Interpreter(model_path=path, num_threads=1)
run = interpreter.get_signature_runner(signature)
((name, details),) = run.get_input_details().items()
before = anonymous()
run(**{name: np.zeros(details["shape"], details["dtype"])})
print(anonymous() - before)
"""


def write(path, names, bits=8):
    table = QuantizedTable(ENTRIES, 0.01, bits, None)
    path.write_bytes(serialize(build_signatures(table, SignaturePlan(names))).data)
    return path


def write_product(path, entries, scale):
    """A FULLY_CONNECTED with weights as they are: float32, or int8 by which LiteRT rounds the query."""
    dtype = "float32" if scale is None else "int8"
    b, x = GraphBuilder(Tensor(TABLE, dtype, entries.shape, entries, scale)), Tensor("x", "float32", (1, COLUMNS))
    options = {"fusedActivationFunction": 0, "keepNumDims": False}
    y = b.op("FULLY_CONNECTED", [x, b.table], (1, ROWS), options_type="FullyConnectedOptions", options=options)
    path.write_bytes(serialize([Signature("scores", {"x": x}, {"y": y}, tuple(b.operators))]).data)
    return path


def notes_of(path, rule):
    return [note for note in list_notes(path) if note.rule == rule]


def measured(path, signature):
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, path, signature], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return int(done.stdout)


def test_ours_is_no_fault_and_says_what_others_cannot_ask(model_path, capsys):
    assert main(["lint", str(model_path)]) == 0
    first, *notes = capsys.readouterr().out.splitlines()
    assert first == f"{model_path}: no fault"
    assert [line.split(":")[1].strip() for line in notes] == [DYNAMIC, MEMORY]
    (note,) = notes_of(model_path, DYNAMIC)
    assert note.where == "recommend(items, ids, scores), search(ids, scores), embed(items, vectors)"
    assert note.remedy == "ask recommend_fixed there"
    assert str(note) in notes


def test_json_tells_faults_from_notes(model_path, capsys):
    assert main(["lint", str(model_path), "--json"]) == 0
    assert [(one["rule"], one["is_fault"]) for one in json.loads(capsys.readouterr().out)] == [
        (DYNAMIC, False),
        (MEMORY, False),
    ]


def test_fixed_shapes_alone_need_no_note_of_shapes(tmp_path):
    assert notes_of(write(tmp_path / "m.tflite", ("recommend_fixed",)), DYNAMIC) == []
    (note,) = notes_of(write(tmp_path / "m.tflite", ("recommend",)), DYNAMIC)
    assert note.remedy == "declare fixed shapes in a signature for them"


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
@pytest.mark.parametrize("asked", ["recommend_fixed", "embed"])
def test_the_first_call_of_any_signature_takes_the_memory_of_all(asked, tmp_path):
    path = write(tmp_path / "m.tflite", ("recommend_fixed", "search", "embed"))
    (note,) = notes_of(path, MEMORY)
    assert note.where == "recommend_fixed, search"
    assert f"{8 * ROWS * COLUMNS:,} bytes for the weights of each" in note.found
    assert measured(path, asked) == pytest.approx(2 * 8 * ROWS * COLUMNS, rel=0.1)


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_4_bits_take_half_of_it_and_only_where_they_are_asked(tmp_path):
    path = write(tmp_path / "m.tflite", ("recommend_fixed", "search"), bits=4)
    (note,) = notes_of(path, MEMORY)
    assert f"LiteRT takes {4 * ROWS * COLUMNS:,} bytes for the weights of each, at the first call of each" in note.found
    assert measured(path, "recommend_fixed") == pytest.approx(4 * ROWS * COLUMNS, rel=0.2)


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
@pytest.mark.parametrize(
    ("entries", "scale", "expected"),
    [(ENTRIES.astype(np.float32), None, 4 * ROWS * COLUMNS), (ENTRIES, 1.0, ROWS * (COLUMNS + 12))],
)
def test_weights_that_are_not_widened_are_packed_once(entries, scale, expected, tmp_path):
    path = write_product(tmp_path / "m.tflite", entries, scale)
    (note,) = notes_of(path, MEMORY)
    assert f" {expected:,} bytes" in note.found
    scores = 2 * 4 * ROWS  # the result, and the copy of it that comes back
    assert measured(path, "scores") - scores == pytest.approx(expected, rel=0.2)


def test_what_is_no_model_is_an_error(tmp_path):
    (tmp_path / "x.tflite").write_bytes(b"\x1c\0\0\0TFL3" + b"\xff" * 40)
    with pytest.raises(ExportError, match="damaged"):
        list_notes(tmp_path / "x.tflite")
