"""NHANES dietary recalls and the protocol beside them, where this machine has them."""

from __future__ import annotations

import importlib.util
import os
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest
from scipy.sparse import csr_matrix

LEAVES_FILES_OPEN = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)


@cache
def dishes() -> tuple[ModuleType, csr_matrix]:
    """The protocol and its persons x dishes, or a skipped test."""
    module = protocol()
    return module, module.load("dishes")[0]


@cache
def protocol() -> ModuleType:
    """The module `protocol.py` beside the data, or a skipped test."""
    place = Path(os.environ.get("MIGNON_NHANES", "nowhere")) / "protocol.py"
    if not place.is_file():
        pytest.skip("no NHANES data; set MIGNON_NHANES to a folder that holds them")
    spec = importlib.util.spec_from_file_location("nhanes_protocol", place)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
