"""TensorFlow's MLIR importer takes the file, and so do tf2onnx and ONNX Runtime, which then give the same ids.

The importer is in the pipeline's TensorFlow. The others have an environment of their own: `make onnx` sets it up.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from device_runtime.format.model_file import ModelFile
from export.table import QuantizedTable
from export.tflite.flatbuffer import serialize
from export.tflite.plan import ALL_SIGNATURES, SignaturePlan
from export.tflite.signatures import build_signatures
from export.verification.questions import draw_baskets, expect_fixed, make_query
from tests.conftest import ROOT

FILES = ROOT / "tests" / "golden" / "files"
CONVERTERS = Path(__file__).with_name("converters.py")
ONNX_PYTHON = ROOT / ".venv" / "onnx" / "bin" / "python"
RECOMMEND = SignaturePlan(("recommend",))
QUESTIONS, K = 200, 10

needs_onnx = pytest.mark.skipif(
    not (ROOT / ".venv" / "onnx" / "installed").exists(),
    reason="tf2onnx and ONNX Runtime are not here; `make onnx` sets them up (2.3 GB)",
)


def table_of(name):
    model = ModelFile.open(FILES / f"{name}.tflite")
    return QuantizedTable(np.array(model.table), model.manifest.scale, model.manifest.bits, model.manifest.preference)


def written(table, plan, folder, name="model"):
    path = folder / f"{name}.tflite"
    path.write_bytes(serialize(build_signatures(table, plan)).data)
    return path


def run(python, *arguments):
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": ""}
    command = [str(python), str(CONVERTERS), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_mlir_importer_takes_every_signature(tmp_path):
    """Of stored files as they are, with their archives, and of files with one signature."""
    names = ("meals-8", "meals-4", "likes")
    files = [FILES / f"{name}.tflite" for name in names]
    files += [written(table_of(name), RECOMMEND, tmp_path, name) for name in names]
    assert run(sys.executable, "mlir", *files) == [4, 4, 4, 1, 1, 1]


@needs_onnx
@pytest.mark.parametrize("name", ["meals-8", "likes"])
def test_onnx_runtime_answers_by_the_first_graph(name, tmp_path):
    table = table_of(name)
    answers = expect_fixed(table, ALL_SIGNATURES)
    np.savez(tmp_path / "questions.npz", items=[answer.items for answer in answers])
    found = run(ONNX_PYTHON, "onnx", written(table, ALL_SIGNATURES, tmp_path), tmp_path / "questions.npz")
    assert found == [answer.rows.tolist() for answer in answers]


@needs_onnx
@pytest.mark.parametrize("name", ["meals-8", "likes"])
@pytest.mark.parametrize("favorites", [1, 3, 12])
def test_onnx_runtime_answers_to_any_number_of_favorites(name, favorites, tmp_path):
    """Of a file with `recommend` alone, the first graph then. In ONNX its k is a scalar, as declared."""
    table = table_of(name)
    baskets = [basket[:favorites] for basket, _ in draw_baskets(len(table.rows), QUESTIONS) if len(basket) >= favorites]
    items = np.array(baskets, np.int32)[:, None]
    np.savez(tmp_path / "questions.npz", items=items, k=np.full(len(items), K, np.int32))
    found = run(ONNX_PYTHON, "onnx", written(table, RECOMMEND, tmp_path), tmp_path / "questions.npz")
    assert found == [ranked(table, basket) for basket in baskets]


def ranked(table, basket):
    scores = table.rows.astype(np.int64) @ make_query(table, basket)
    others = np.setdiff1d(np.arange(len(scores)), basket)
    return others[np.lexsort((others, -scores[others]))][:K].tolist()
