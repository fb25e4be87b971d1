"""The built wheel on emulated ARM: every answer is the one that exact integer arithmetic gives, scores to the last bit.

`make arm64` makes the emulated devices below `.venv/arm64`. Their speed says nothing of a real device's.
"""

import json
import os
import shutil
import sys

import numpy as np
import pytest

from device_runtime.format.model_file import ModelFile
from export.verification.questions import draw_baskets
from tests.conftest import ROOT
from tests.test_light_install import ANSWER, run

DEVICES = ROOT / ".venv" / "arm64"
MODEL = ROOT / os.environ.get("MIGNON_MODEL", "build/meals.tflite")
MODULES = {
    "numpy": "numpy",
    "native": "mignon_native",
    "tflite": "tflite_runtime.interpreter",
    "litert": "ai_edge_litert.interpreter",
}
ENGINES = {"numpy": "NumpyEngine", "native": "NativeEngine", "tflite": "TFLiteEngine"}
PLAIN = (
    "aarch64-numpy",
    "aarch64-native",
    "aarch64-tflite",
    "aarch64-litert",
    "armv7l-numpy",
    "armv7l-native",
    "armv7l-tflite",
)


@pytest.fixture(params=PLAIN)
def device(request):
    return request.param


@pytest.fixture(scope="module")
def meals():
    return ModelFile.open(MODEL)


@pytest.fixture(scope="module")
def meal_questions(meals):
    """Every item as the only favorite, and 1,000 baskets of 1 to 20; each with the answer to expect."""
    rows = meals.manifest.rows
    asked = [([row], 10) for row in range(rows)] + list(draw_baskets(rows, 1000, seed=1))
    return asked, [nearest(meals, *question) for question in asked]


def nearest(model, rows, k):
    """Rows by exact integers, and the bits of their cosines."""
    table = model.table.astype("int64")
    query = table[rows].sum(axis=0)
    scores = table @ query
    order = np.argsort(-scores, kind="stable")
    found = order[~np.isin(order, rows)][:k]
    assert query @ query < 1 << 24  # else the steps of an engine may round
    factor = np.float32(model.manifest.scale) / np.sqrt(np.float32(query @ query))
    return [found.tolist(), bits(scores[found].astype(np.float32) * factor)]


def bits(scores):
    return scores.view(np.int32).tolist()


def emulated(device, *arguments, **options):
    python = DEVICES / device / "python"
    assert python.exists(), "make the emulated devices with `make arm64`"
    return run([python, *arguments], cwd=DEVICES, **options)


def answers(device, model, engine, asked):
    """The class of the engine, and for each of the questions rows and the bits of their scores."""
    asked = [(list(map(int, rows)), k) for rows, k in asked]
    return json.loads(emulated(device, "-c", ANSWER, model.path, engine, input=json.dumps(asked)))


def check(found, asked, expected):
    assert len(found) == len(asked)
    wrong = [index for index, answer in enumerate(found) if answer != expected[index]]
    assert not wrong, f"{len(wrong)} of {len(asked)} differ; {asked[wrong[0]]} gives {found[wrong[0]]}"


@pytest.mark.parametrize("name", PLAIN)
def test_it_is_the_machine_and_the_engine_that_it_is_called_after(name):
    machine, _, extra = name.partition("-")
    code = (
        "import importlib, platform; from device_runtime.engines.tflite_engine import interpreter_modules; "
        f"importlib.import_module({MODULES[extra]!r}); print(platform.machine(), *interpreter_modules())"
    )
    interpreters = [MODULES[extra]] if extra in ("tflite", "litert") else []
    assert emulated(name, "-c", code).split() == [machine, *interpreters]


def engine_of(device):
    extra = device.partition("-")[2]
    return extra if extra in ENGINES else "tflite"


def test_answers_are_those_of_exact_integers(device, meals, meal_questions):
    asked, expected = meal_questions
    found = answers(device, meals, engine_of(device), asked)
    assert found[0] == ENGINES[engine_of(device)]
    check(found[1], asked, expected)


def test_the_command_answers_and_keeps_changes(device, meals, tmp_path):
    copy = shutil.copy(MODEL, tmp_path)
    command = DEVICES / "mignon" / "bin" / "mignon"
    found = json.loads(emulated(device, command, "similar", copy, "pancakes", "--json"))
    ids = meals.lines("ids.txt")
    assert [neighbor["id"] for neighbor in found] == [
        ids[row] for row in nearest(meals, [ids.index("pancakes")], 10)[0]
    ]
    emulated(device, command, "add", copy, "Sunday pancakes", "--near", "pancakes")
    (added,) = json.loads(emulated(device, command, "similar", copy, "pancakes", "-k", "1", "--json"))
    assert added["id"] == "sunday-pancakes"


ASK = """
import json, sys
import numpy as np
from device_runtime import Recommender
engine, asked = sys.argv[1], json.load(sys.stdin)
opened, answers = {}, []
for path, call, arguments in asked:
    model = opened.setdefault(path, Recommender.open(path, engine=engine, changes=False))
    found = getattr(model, call)(**arguments)
    answers.append([[n.id for n in found], np.array([n.score for n in found], np.float32).view(np.int32).tolist()])
print(json.dumps(answers))
"""


def ask_here_and_there(device, asked):
    here = json.loads(run([sys.executable, "-c", ASK, "numpy"], cwd=ROOT, input=json.dumps(asked)))
    return here, json.loads(emulated(device, "-c", ASK, engine_of(device), input=json.dumps(asked)))


def test_kinds_tastes_dislikes_and_no_favorites_are_answered_as_on_this_machine(device):
    asked = [
        ["recommend", {"items": ["pizza", "borscht"]}],
        ["recommend", {"items": ["course=soup"], "where": {"diet": "vegan"}}],
        ["recommend", {"items": ["pancakes", "borscht", "tiramisu", "hot dog", "pho"], "k": 12}],
        ["recommend", {"items": ["pancakes", "borscht", "hot dog"], "dislikes": ["crepes", "mushroom"]}],
        ["recommend", {"items": ["hamburger"], "dislikes": ["cheeseburger"], "exclude": ["dessert"]}],
        ["recommend", {"items": {"soup": 3, "tiramisu": 1, "sushi": 0.5}, "blend": "together"}],
        ["recommend", {"items": [], "dislikes": ["pizza"]}],
        ["similar", {"item": "soup"}],
    ]
    here, there = ask_here_and_there(device, [[str(MODEL), *question] for question in asked])
    assert there == here


def test_the_stored_questions_are_answered_to_the_bit(device):
    golden = ROOT / "tests" / "golden"
    names = ["meals-8", "likes"] if device.endswith("tflite") else ["meals-8", "meals-4", "likes"]  # not 4 bits
    asked, expected = [], []
    for name in names:
        for line in (golden / "cases" / f"{name}.jsonl").read_text("utf-8").splitlines():
            case = json.loads(line)
            if "error" in case:  # what is refused is no matter of the machine
                continue
            call = case.pop("call")
            if "error" in case:
                continue
            answer = [case.pop("ids"), case.pop("bits", None)]
            if call != "find":
                asked.append([str(golden / "files" / f"{name}.tflite"), call, case])
                expected.append(answer)
    asked, expected = asked[::8], expected[::8]  # emulated, all of them take minutes
    assert len(asked) > 50
    _, there = ask_here_and_there(device, asked)
    assert there == expected
