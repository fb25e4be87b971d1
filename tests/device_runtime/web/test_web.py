"""The JavaScript module in Node: its own tests, the conformance set, and the answers of Python to drawn questions."""

import json
import random
import re
import shutil
import subprocess

import pytest

from device_runtime import MignonError, Recommender, __version__
from tests.conftest import ROOT

WEB = ROOT / "device_runtime" / "web"
HERE = ROOT / "tests" / "device_runtime" / "web"
GOLDEN = ROOT / "tests" / "golden"
NODE = shutil.which("node")
LETTERS = "abcdefghijklmnopqrstuvwxyz éßñøжñ한漢"
QUESTIONS = 150

needs_node = pytest.mark.skipif(NODE is None, reason="Node is not installed")


def node(*arguments, asked=""):
    command = [NODE, *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, input=asked, capture_output=True, text=True, check=False)


@needs_node
def test_its_own_tests_pass():
    done = node("--test", *sorted(HERE.glob("test_*.mjs")))
    assert done.returncode == 0, done.stdout[-4000:]


@needs_node
def test_the_stored_files_are_answered_to_the_bit():
    said = json.loads(node(HERE / "node.mjs", GOLDEN).stdout)
    assert said["failed"] == []
    assert said["passed"] == said["cases"] > 100


class Drawn:
    """Questions about a file: names with typos, families, weights, filters."""

    def __init__(self, meals):
        self._chance = random.Random(7)
        self._texts = [
            meals.file.lines("ids.txt"),
            meals.file.lines("names.txt"),
            [alias for _, (alias,) in meals.file.records("aliases.tsv", 1)],
        ]
        self._values = {attribute: list(values) for attribute, values in meals.attributes().items()}

    def text(self):
        letters = list(self._chance.choice(self._chance.choice(self._texts)))
        for _ in range(self._chance.choice((0, 0, 1, 1, 2, 4))):
            place = self._chance.randrange(len(letters) + 1)
            letters[place : place + self._chance.randrange(2)] = self._chance.choice(("", self._chance.choice(LETTERS)))
        return "".join(letters)

    def family(self):
        attribute = self._chance.choice(list(self._values))
        value = self._chance.choice(self._values[attribute])
        return self._chance.choice((value, f"{attribute}={value}"))

    def item(self):
        return self._chance.choice((self.family, self.text, lambda: self._chance.choice(self._texts[0])))()

    def where(self):
        attribute = self._chance.choice(list(self._values))
        values = self._chance.sample(self._values[attribute], 1)
        return self._chance.choice(
            (
                {attribute: values},
                {attribute: {"not": values[0]}},
                [f"{attribute.upper()}!={value}" for value in values],
            )
        )

    def favorites(self):
        items = [self.item() for _ in range(self._chance.choice((0, 1, 2, 3, 8)))]
        weights = (1, 2, 0.5, 0.3, 0, -1, -2)
        return self._chance.choice((items, items, {item: self._chance.choice(weights) for item in items}))

    def question(self):
        options = {"k": self._chance.choice((1, 10, 1000))}
        if self._chance.random() < 0.3:
            options["where"] = self.where()
        if self._chance.random() < 0.3:
            options["exclude"] = [self.item()]
        call = self._chance.choice(("find", "complete", "similar", "recommend", "recommend", "recommend"))
        if call in {"find", "complete"}:
            return call, [self.text(), self._chance.choice((1, 5, 40))], {}
        if call == "similar":
            return call, [self.item()], options
        if self._chance.random() < 0.4:
            options["dislikes"] = [self.item()]
        return call, [self.favorites()], options | {"blend": self._chance.choice(("each", "together", None))}


def answer(meals, call, arguments, options):
    try:
        return {"answer": [found._asdict() for found in getattr(meals, call)(*arguments, **options)]}
    except MignonError as error:
        return {"suggestions": list(error.suggestions)} if hasattr(error, "suggestions") else {}


@needs_node
@pytest.mark.parametrize("name", ["meals-8", "meals-4", "likes"])
def test_drawn_questions_are_answered_as_in_python(name):
    file = GOLDEN / "files" / f"{name}.tflite"
    meals = Recommender.open(file, engine="numpy")
    drawn = Drawn(meals)
    questions = [drawn.question() for _ in range(QUESTIONS)]
    lines = [
        json.dumps({"call": call, "arguments": [*given, *filter(None, [options])]})
        for call, given, options in questions
    ]
    said = node(HERE / "ask.mjs", file, asked="\n".join(lines)).stdout.splitlines()
    assert len(said) == QUESTIONS
    for question, line in zip(questions, said, strict=True):
        found = json.loads(line)
        found.pop("error", None)
        assert found == answer(meals, *question), question


@needs_node
def test_the_package_holds_the_module_and_its_types_alone():
    done = subprocess.run(
        [shutil.which("npm"), "pack", "--dry-run", "--json", "--ignore-scripts"],
        cwd=WEB,
        capture_output=True,
        text=True,
        check=True,
    )
    (package,) = json.loads(done.stdout)
    assert {file["path"] for file in package["files"]} - {"LICENSE"} == {
        "README.md",
        "mignon.d.ts",
        "mignon.js",
        "package.json",
    }
    assert (package["name"], package["version"]) == ("mignon", __version__)


def test_all_that_is_exported_has_a_type_but_what_only_tests_use():
    exported = "(?m)^export (?:async )?(?:class|function) (\\w+)"
    code, types = (set(re.findall(exported, (WEB / name).read_text("utf-8"))) for name in ("mignon.js", "mignon.d.ts"))
    assert code - types == {"sha256", "inflate", "decodeUtf8ByHand"}
    assert types <= code


def test_the_module_imports_nothing():
    assert not re.search(r"(?m)^import |\bimport\(|\brequire\(", (WEB / "mignon.js").read_text("utf-8"))
