"""The built wheel in environments without TensorFlow: with tflite-runtime, with LiteRT, and with numpy alone.

Where Python has no wheel of tflite-runtime, the extra `tflite` brings nothing and breaks nothing.

`make test` makes the environments below `.venv/light`.
"""

import http.client
import json
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from contextlib import closing
from pathlib import Path

import pytest

from device_runtime import Recommender
from device_runtime.format.model_file import ModelFile
from export.verification.questions import draw_baskets
from tests.conftest import ROOT
from tests.interpreters import HAS_TFLITE_RUNTIME

LIGHT = Path(sys.prefix) / "light"
INTERPRETERS = {
    "numpy": [],
    "tflite": ["tflite-runtime"] if HAS_TFLITE_RUNTIME else [],
    "litert": ["ai-edge-litert"],
}
ANSWER = """
import json, sys
import numpy as np
from device_runtime.engines.choice import create
from device_runtime.format.model_file import ModelFile
engine = create(sys.argv[2], ModelFile.open(sys.argv[1]))
answers = [engine.nearest(np.array(rows), k) for rows, k in json.load(sys.stdin)]
print(json.dumps([type(engine).__name__, [[ids.tolist(), scores.view("int32").tolist()] for ids, scores in answers]]))
"""
CHANGES = """
import json, sys
from device_runtime import Recommender
from device_runtime.results import as_record
with Recommender.open(sys.argv[1], engine=sys.argv[2], writable=True) as meals:
    found = meals.recommend_many([["pancakes"], {"borscht": 2, "tiramisu": -1}], 5, where={"course": {"not": "soup"}})
    why = as_record(meals.explain(["pancakes", "borscht"], "blini"))
    meals.add("Sunday soup", neighbors=["borscht"])
    meals.profile("anna").like("sunday-soup")
again = Recommender.open(sys.argv[1], engine=sys.argv[2])
print(json.dumps([found, why, again.profile("anna").likes, again.similar("sunday soup", 3, diversify=0.5)]))
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


def test_the_wheel_lists_python_the_mark_of_types_and_the_page():
    (wheel,) = (ROOT / "build" / "dist").glob("mignon-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if ".dist-info/" not in name]
    others = {name for name in names if not name.endswith(".py")}
    page = {f"device_runtime/serve/page/{path.name}" for path in (ROOT / "device_runtime/serve/page").iterdir()}
    assert others == {"device_runtime/py.typed", *page}
    assert {name.partition("/")[0] for name in names} == {"device_runtime"}


def test_the_source_distribution_holds_the_kernel_too():
    (sources,) = (ROOT / "build" / "dist").glob("mignon-*.tar.gz")
    with tarfile.open(sources) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {
        "device_runtime/native/kernel.c",
        "device_runtime/native/setup.py",
        "device_runtime/recommender.py",
    } <= names


def test_without_an_interpreter_asking_for_one_says_what_to_install(light, model_path):
    name, folder = light
    if INTERPRETERS[name]:
        pytest.skip("it has one")
    command = [folder / "bin" / "mignon", "similar", model_path, "pancakes", "--engine", "tflite"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    assert done.returncode != 0
    assert "pip install 'mignon[litert]'" in done.stderr


def test_the_command_answers_and_keeps_changes(light, model_copy):
    _, folder = light
    command = folder / "bin" / "mignon"
    assert len(json.loads(run([command, "similar", model_copy, "pancakes", "--json"], cwd=folder))) == 10
    run([command, "add", model_copy, "Sunday pancakes", "--near", "pancakes"], cwd=folder)
    (found,) = json.loads(run([command, "similar", model_copy, "pancakes", "-k", "1", "--json"], cwd=folder))
    assert found["id"] == "sunday-pancakes"


def test_batches_explanations_and_changes_are_those_of_this_environment(light, model_path, tmp_path):
    name, folder = light
    here = json.loads(run([sys.executable, "-c", CHANGES, copied(model_path, tmp_path / "here"), "numpy"], cwd=ROOT))
    assert (here[2], here[3][0][0]) == ({"sunday-soup": 1.0}, "borscht")
    for engine in ["numpy", "auto"] + (["tflite"] if INTERPRETERS[name] else []):
        copy = copied(model_path, tmp_path / engine)
        there = json.loads(run([folder / "bin" / "python", "-c", CHANGES, copy, engine], cwd=folder))
        assert there == here


def test_the_service_answers_and_keeps_changes(light, model_copy):
    _, folder = light
    command = [folder / "bin" / "mignon", "serve", model_copy, "--port", "0", "--writable"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=folder) as process:
        try:
            port = int(re.search(r"http://127\.0\.0\.1:(\d+)/", process.stderr.readline())[1])
            assert asked(port, "/v1/like", {"profile": "anna", "item": "borscht"}) == {"id": "borscht"}
            found = asked(port, "/v1/recommend?profile=anna&k=3")["results"]
        finally:
            process.terminate()
    expected = Recommender.open(model_copy, engine="numpy").similar("borscht", 3)
    assert [neighbor["id"] for neighbor in found] == [neighbor.id for neighbor in expected]


def asked(port, path, body=None):
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        headers = {"Content-Type": "application/json"}
        connection.request("POST" if body else "GET", path, json.dumps(body) if body else None, headers)
        return json.load(connection.getresponse())


def copied(model, folder):
    folder.mkdir()
    return shutil.copy(model, folder)


def test_answers_are_those_of_exact_integers_for_1000_baskets(light, model_path):
    name, folder = light
    model = ModelFile.open(model_path)
    table = model.table.astype("int64")
    asked = [(rows.tolist(), k) for rows, k in draw_baskets(len(table), 1000, seed=1)]
    expected = []
    for rows, k in asked:
        scores = table @ table[rows].sum(axis=0)
        others = set(range(len(table))) - set(rows)
        expected.append(sorted(others, key=lambda row, s=scores: (-s[row], row))[:k])
    engines = {"numpy": "NumpyEngine"} | ({"tflite": "TFLiteEngine"} if INTERPRETERS[name] else {})
    answers = []
    for engine, kind in engines.items():
        code = [folder / "bin" / "python", "-c", ANSWER, str(model_path), engine]
        found, answer = json.loads(run(code, input=json.dumps(asked), cwd=folder))
        assert found == kind
        assert [ids for ids, _ in answer] == expected
        answers.append(answer)
    assert all(answer == answers[0] for answer in answers)  # scores too, to the last bit
