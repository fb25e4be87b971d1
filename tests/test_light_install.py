"""The built wheel in environments without TensorFlow: with tflite-runtime, with LiteRT, and with numpy alone.

`make test` makes the environments below `.venv/light`.
"""

import json
import subprocess

import pytest

from device_runtime.model_file import ModelFile
from export.gate import baskets
from tests.conftest import ROOT

LIGHT = ROOT / ".venv" / "light"
INTERPRETERS = {"numpy": [], "tflite": ["tflite-runtime"], "litert": ["ai-edge-litert"]}
ANSWER = """
import json, sys
import numpy as np
from device_runtime.engines import create
from device_runtime.model_file import ModelFile
engine = create(sys.argv[2], ModelFile.open(sys.argv[1]))
asked = json.load(sys.stdin)
print(json.dumps([engine.nearest(np.array(rows), k)[0].tolist() for rows, k in asked]))
"""


@pytest.fixture(params=INTERPRETERS)
def light(request):
    folder = LIGHT / request.param
    assert (folder / "bin" / "python").exists(), "make the light environments with `make test`"
    return request.param, folder


def run(command, **options):
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_environment_holds_what_it_should_and_no_tensorflow(light):
    name, folder = light
    listed = json.loads(run([folder / "bin" / "pip", "list", "--format", "json"]))
    installed = {package["name"] for package in listed}
    assert {"mignon", "numpy", *INTERPRETERS[name]} <= installed
    assert not installed & {"tensorflow", "keras", "tf-keras", "tf_keras"}
    others = {package for packages in INTERPRETERS.values() for package in packages} - set(INTERPRETERS[name])
    assert not installed & others


def test_the_wheel_holds_the_runtime_alone(light):
    _, folder = light
    rooms = ("training", "export", "benchmarks", "tests")
    code = f"import importlib.util as u; print([name for name in {rooms} if u.find_spec(name)])"
    assert run([folder / "bin" / "python", "-c", code], cwd=folder).strip() == "[]"


def test_the_command_answers(light, model_path):
    _, folder = light
    found = json.loads(run([folder / "bin" / "mignon", "similar", model_path, "pancakes", "--json"], cwd=folder))
    assert len(found) == 10


def test_ids_are_those_of_exact_integers_for_1000_baskets(light, model_path):
    name, folder = light
    model = ModelFile.open(model_path)
    table = model.table.astype("int64")
    asked = [(rows.tolist(), k) for rows, k in baskets(len(table), 1000, seed=1)]
    expected = []
    for rows, k in asked:
        scores = table @ table[rows].sum(axis=0)
        others = set(range(len(table))) - set(rows)
        expected.append(sorted(others, key=lambda row, s=scores: (-s[row], row))[:k])
    for engine in ["numpy"] + (["tflite"] if name != "numpy" else []):
        code = [folder / "bin" / "python", "-c", ANSWER, str(model_path), engine]
        assert json.loads(run(code, input=json.dumps(asked), cwd=folder)) == expected
