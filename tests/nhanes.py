"""NHANES dietary recalls and the protocol beside them, where this machine has them."""

from __future__ import annotations

import importlib.util
import os
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest
from scipy.sparse import csr_matrix

from tests.conftest import ROOT

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
    places = [ROOT.parent / "shared" / "data" / "nhanes", ROOT.parent.parent / "shared" / "data" / "nhanes"]
    if "MIGNON_NHANES" in os.environ:
        places = [Path(os.environ["MIGNON_NHANES"])]
    for place in places:
        if (place / "protocol.py").is_file():
            spec = importlib.util.spec_from_file_location("nhanes_protocol", place / "protocol.py")
            assert spec is not None
            assert spec.loader is not None
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            return module
    pytest.skip(f"no NHANES data in {' or '.join(map(str, places))}; set MIGNON_NHANES to its folder")
