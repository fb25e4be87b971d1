"""The built wheel on emulated ARM: every answer is the one that exact integer arithmetic gives on this machine.

`make arm64` makes the emulated devices below `.venv/arm64`. Their speed says nothing of a real device's.
"""

import json
import os

import numpy as np
import pytest

from device_runtime.model_file import ModelFile
from export.gate import baskets
from tests.conftest import ROOT
from tests.test_light_install import ANSWER, run

DEVICES = ROOT / ".venv" / "arm64"
MODEL = ROOT / os.environ.get("MIGNON_MODEL", "build/meals.tflite")
MODULES = {"numpy": "numpy", "tflite": "tflite_runtime.interpreter", "litert": "ai_edge_litert.interpreter"}


@pytest.fixture(params=["aarch64-numpy", "aarch64-tflite", "aarch64-litert", "armv7l-numpy", "armv7l-tflite"])
def device(request):
    assert (DEVICES / request.param / "python").exists(), "make the emulated devices with `make arm64`"
    return request.param


@pytest.fixture(scope="module")
def table():
    return ModelFile.open(MODEL).table.astype("int64")


def nearest(table, rows, k):
    order = np.argsort(-(table @ table[rows].sum(axis=0)), kind="stable")
    return order[~np.isin(order, rows)][:k].tolist()


@pytest.fixture(scope="module")
def questions(table):
    """Every item as the only favorite, and 1,000 baskets of 1 to 20; each with the ids to expect."""
    singles = [([row], 10) for row in range(len(table))]
    asked = singles + [(rows.tolist(), k) for rows, k in baskets(len(table), 1000, seed=1)]
    return asked, [nearest(table, rows, k) for rows, k in asked]


def emulated(device, *arguments, **options):
    return run([DEVICES / device / "python", *arguments], cwd=DEVICES, **options)


def test_it_is_the_machine_and_the_engine_that_it_is_called_after(device):
    machine, _, name = device.partition("-")
    code = (
        "import importlib, platform, device_runtime.engines as engines; "
        f"importlib.import_module({MODULES[name]!r}); print(platform.machine(), *engines.interpreter_modules())"
    )
    interpreters = [] if name == "numpy" else [MODULES[name]]
    assert emulated(device, "-c", code).split() == [machine, *interpreters]


def test_ids_are_those_of_exact_integers(device, questions):
    asked, expected = questions
    engine = "numpy" if device.endswith("numpy") else "tflite"
    found = json.loads(emulated(device, "-c", ANSWER, MODEL, engine, input=json.dumps(asked)))
    assert len(found) == len(asked)
    wrong = [index for index, ids in enumerate(found) if ids != expected[index]]
    assert not wrong, f"{len(wrong)} of {len(asked)} differ; {asked[wrong[0]]} gives {found[wrong[0]]}"


def test_the_command_answers(device, table):
    command = DEVICES / "mignon" / "bin" / "mignon"
    found = json.loads(emulated(device, command, "similar", MODEL, "pancakes", "--json"))
    ids = ModelFile.open(MODEL).lines("ids.txt")
    assert [neighbor["id"] for neighbor in found] == [ids[row] for row in nearest(table, [ids.index("pancakes")], 10)]
