"""The JavaScript module in a real browser."""

import pytest

from tests.browser import WHY_NONE, find_chromium
from tests.conftest import ROOT
from tests.device_runtime.web.chromium import run


def test_the_stored_files_are_answered_to_the_bit():
    path = find_chromium()
    if path is None:
        pytest.skip(WHY_NONE)
    (said,) = run(path, ROOT / "tests" / "golden")
    assert said["failed"] == []
    assert said["passed"] == said["cases"] > 100
