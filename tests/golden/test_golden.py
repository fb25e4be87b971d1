"""What every reader must answer from the stored files: ids exactly, scores to the bit. Needs numpy alone."""

import json
from pathlib import Path

import numpy as np
import pytest

from device_runtime import DamagedFileError, FileFormatError, FutureVersionError, Recommender

HERE = Path(__file__).parent
ERRORS = {"damaged": DamagedFileError, "foreign": FileFormatError, "later version": FutureVersionError}


def cases_of(name):
    lines = (HERE / "cases" / f"{name}.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


def stored_cases():
    return [(path.stem, case) for path in sorted((HERE / "files").glob("*.tflite")) for case in cases_of(path.stem)]


def ask(meals, case):
    match case["call"]:
        case "recommend":
            options = {name: case[name] for name in ("dislikes", "exclude", "where", "blend") if name in case}
            return meals.recommend(case["items"], case["k"], **options)
        case "similar":
            return meals.similar(case["item"], case["k"], where=case.get("where"))
    return meals.find(case["text"], 1)


@pytest.mark.parametrize(("name", "case"), stored_cases())
def test_a_stored_file_answers_to_the_bit(name, case):
    found = ask(Recommender.open(HERE / "files" / f"{name}.tflite", engine="numpy"), case)
    assert [result.id for result in found] == case["ids"]
    if "bits" in case:
        assert np.array([result.score for result in found], np.float32).view(np.int32).tolist() == case["bits"]


def test_each_kind_of_question_is_asked_of_each_file():
    asked = {(name, case["call"]) for name, case in stored_cases()}
    assert len(asked) == 9


@pytest.mark.parametrize("case", cases_of("damaged"), ids=lambda case: case["file"])
def test_a_damaged_file_is_refused_as_what_it_is(case):
    with pytest.raises(ERRORS[case["error"]]) as caught:
        Recommender.open(HERE / "damaged" / case["file"], engine="numpy")
    assert isinstance(caught.value, FutureVersionError) == (case["error"] == "later version")
    assert isinstance(caught.value, DamagedFileError) == (case["error"] == "damaged")
    assert getattr(caught.value, "part", None) == case["part"]
    assert case["part"] is None or case["part"] in str(caught.value)
