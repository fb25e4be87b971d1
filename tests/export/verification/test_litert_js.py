"""LiteRT.js on the stored files, where `make litert-js` brought it and there is a browser."""

import pytest

from export.errors import VerificationError
from tests.browser import WHY_NONE, find_chromium
from tests.conftest import ROOT
from tests.export.verification.litert_js import check

MODULES = ROOT / ".venv" / "litert-js" / "node_modules"
FILES = ROOT / "tests" / "golden" / "files"


@pytest.fixture
def browser():
    path = find_chromium()
    if path is None:
        pytest.skip(WHY_NONE)
    if not (MODULES / "@litertjs" / "core").is_dir():
        pytest.skip("LiteRT.js is not here; `make litert-js` brings it from npm")
    return path


def test_it_answers_as_exact_integers_do(browser):
    (said,) = check(browser, [FILES / "likes.tflite"], MODULES)
    assert "answers 200 of 200 baskets" in said


def test_another_answer_is_refused(browser, monkeypatch):
    monkeypatch.setattr("tests.export.verification.litert_js.ASK", "([, asked]) => [...asked, ...asked]")
    with pytest.raises(VerificationError, match=r"on LiteRT\.js answers"):
        list(check(browser, [FILES / "likes.tflite"], MODULES))
