"""A plugin that leaves out all that needs more than numpy: `python -m pytest -p tests.light`, as `make check` does.

Left out are test files that import the workstation's packages, TFLite interpreters or a library that is not installed,
and tests that ask for a file trained and exported here. What is left runs in seconds, on all Pythons of the wheel.
"""

from __future__ import annotations

import ast
from importlib.util import find_spec
from pathlib import Path

import pytest

HEAVY = ("training", "export", "benchmarks", "tests.interpreters", "tests.browser")
TRAINED = {"small_catalog", "trained_folder"}  # fixtures of which all other trained ones are made

OTHER_LANGUAGES = {"android", "native", "web"}  # folders of tests of what this Python does not run

_left_out: list[str] = []


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    if not OTHER_LANGUAGES.isdisjoint(collection_path.parts):
        return True
    if collection_path.suffix != ".py" or all(is_light(name) for name in imported_by(collection_path)):
        return None
    _left_out.append(collection_path.name)
    return True


def imported_by(path: Path) -> set[str]:
    """The modules that a module imports at its top."""
    found = set()
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


def is_light(module: str) -> bool:
    return not f"{module}.".startswith(tuple(f"{name}." for name in HEAVY)) and bool(
        find_spec(module.partition(".")[0])
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    heavy = [item for item in items if TRAINED & set(getattr(item, "fixturenames", ()))]
    config.hook.pytest_deselected(items=heavy)
    left_out = set(heavy)
    items[:] = [item for item in items if item not in left_out]


def pytest_report_collectionfinish() -> str:
    return f"left out, for they need more than is here: {len(_left_out)} files"
