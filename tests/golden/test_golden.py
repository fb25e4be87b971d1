"""What every reader must answer from the stored files: ids exactly, scores to the bit. Needs numpy alone."""

import json
from pathlib import Path

import numpy as np
import pytest

from device_runtime import (
    DamagedFileError,
    FileFormatError,
    FutureVersionError,
    InvalidArgumentError,
    Recommender,
    UnknownAttributeError,
    UnknownItemError,
)
from tests.conftest import needs_kernel

HERE = Path(__file__).parent
SETS = {"": HERE, "earlier": HERE / "earlier"}  # what this version writes, and what earlier ones wrote
ERRORS = {"damaged": DamagedFileError, "foreign": FileFormatError, "later version": FutureVersionError}
REFUSED = {
    "unknown item": UnknownItemError,
    "unknown attribute": UnknownAttributeError,
    "invalid argument": InvalidArgumentError,
}


def read_cases(path):
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def stored_files():
    return [path for folder in SETS.values() for path in sorted((folder / "files").glob("*.tflite"))]


def cases_of(path):
    return read_cases(path.parents[1] / "cases" / f"{path.stem}.jsonl")


def ask(meals, case):
    match case["call"]:
        case "recommend":
            options = {name: case[name] for name in ("dislikes", "exclude", "where", "blend") if name in case}
            return meals.recommend(case["items"], case["k"], **options)
        case "similar":
            return meals.similar(case["item"], case["k"], exclude=case.get("exclude", ()), where=case.get("where"))
    return meals.find(case["text"], case.get("k", 1))


def check(meals, case):
    if "error" in case:
        with pytest.raises(REFUSED[case["error"]]):
            ask(meals, case)
        return
    found = ask(meals, case)
    assert [result.id for result in found] == case["ids"], case
    if "bits" in case:
        bits = np.array([result.score for result in found], np.float32).view(np.int32).tolist()
        assert bits == case["bits"], case


@pytest.mark.parametrize("engine", ["numpy", pytest.param("native", marks=needs_kernel)])
@pytest.mark.parametrize("path", stored_files(), ids=lambda path: f"{path.parents[1].name}/{path.stem}")
def test_a_stored_file_answers_to_the_bit(path, engine):
    meals = Recommender.open(path, engine=engine)
    for case in cases_of(path):
        check(meals, case)


def test_each_kind_of_question_is_asked_of_each_file():
    asked = {(path, case["call"], "error" in case) for path in stored_files() for case in cases_of(path)}
    assert len(asked) == 3 * 3 + 3 * 5


@pytest.mark.parametrize("case", read_cases(HERE / "cases" / "damaged.jsonl"), ids=lambda case: case["file"])
def test_a_damaged_file_is_refused_as_what_it_is(case):
    with pytest.raises(ERRORS[case["error"]]) as caught:
        Recommender.open(HERE / "damaged" / case["file"], engine="numpy")
    assert isinstance(caught.value, FutureVersionError) == (case["error"] == "later version")
    assert isinstance(caught.value, DamagedFileError) == (case["error"] == "damaged")
    assert getattr(caught.value, "part", None) == case["part"]
    assert case["part"] is None or case["part"] in str(caught.value)
