"""A short run of the fuzz target, and that it finds what it looks for."""

import pytest

from device_runtime.format import model_file
from device_runtime.items.names import NameIndex
from tests import fuzz


@pytest.mark.parametrize(("mode", "cases"), [(fuzz.RAW, 400), (fuzz.SEALED, 120)])
def test_harm_gives_typed_errors_or_right_answers(model_path, tmp_path, mode, cases):
    outcomes, findings = fuzz.fuzz(model_path, tmp_path, mode, range(cases), seed=1, progress=False)
    assert not findings
    assert outcomes.total() == cases
    assert len(outcomes) > 2
    assert not list(tmp_path.iterdir())


def test_an_unchecked_digest_is_found(model_path, tmp_path, monkeypatch):
    monkeypatch.setattr(model_file, "_check_digest", lambda *_: None)
    monkeypatch.setattr(fuzz, "ENGINES", ("numpy",))  # no interpreter is given what the digest would have refused
    _, findings = fuzz.fuzz(model_path, tmp_path, fuzz.RAW, range(60), seed=1, progress=False)
    assert any("a damaged file was opened" in finding for finding in findings)
    assert list(tmp_path.glob("finding-raw-1-*.tflite"))


def test_wrong_answers_and_untyped_errors_are_found(model_path, tmp_path, monkeypatch):
    whole = fuzz.Whole.read(model_path)
    monkeypatch.setattr(fuzz.Whole, "read", lambda _: whole)
    monkeypatch.setattr(NameIndex, "row", lambda _, text: len(text))
    monkeypatch.setattr(NameIndex, "find", lambda *_: 1 / 0)
    _, findings = fuzz.fuzz(model_path, tmp_path, fuzz.SEALED, range(60), seed=1, progress=False)
    assert any("ZeroDivisionError" in finding for finding in findings)
    monkeypatch.undo()
    monkeypatch.setattr(fuzz.Whole, "read", lambda _: whole._replace(answers=whole.answers | {"score": 0.5}))
    _, findings = fuzz.fuzz(model_path, tmp_path, fuzz.SEALED, range(60), seed=1, progress=False)
    assert any("from intact parts" in finding for finding in findings)
