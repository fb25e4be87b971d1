"""The direction of imports, of all of them: those inside functions and for type checkers alone count too."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

ALLOWED = {
    "device_runtime": set(),
    "training": {"device_runtime"},
    "export": {"device_runtime", "training"},
    "benchmarks": {"device_runtime", "export", "training"},
    "native_wheels": set(),
}

# Each room of the runtime imports from lower floors only; two on one floor know nothing of each other.
FLOORS = [
    {"errors", "results"},
    {"arguments"},
    {"format"},
    {"scoring"},
    {"engines", "items"},
    {"ranking"},
    {"changes"},
    {"recommender"},
    {"__init__"},  # the public API
    {"serve"},
    {"cli"},
    {"__main__"},
]


def modules_of(package):
    """{"format/archive": its syntax tree}"""
    folder = ROOT / package
    paths = sorted(folder.rglob("*.py"))
    return {path.relative_to(folder).with_suffix("").as_posix(): ast.parse(path.read_text("utf-8")) for path in paths}


def imported_names(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "relative imports are not followed here"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def arrows_of(package):
    """{module: the modules of the same package that it imports}"""
    trees = modules_of(package)
    return {
        module: {other for name in imported_names(tree) if (other := module_called(package, name, trees)) is not None}
        for module, tree in trees.items()
    }


def module_called(package, name, modules):
    """`device_runtime.errors.MignonError` is in the module `errors`; None for one of another package."""
    first, *parts = name.split(".")
    if first != package:
        return None
    paths = [Path(*parts), Path(*parts, "__init__"), Path(*parts[:-1]), Path(*parts[:-1], "__init__")]
    return next(path.as_posix() for path in paths if path.as_posix() in modules)


def reached_from(module, arrows):
    """All that it imports, and what these import."""
    found, waiting = set(), [module]
    while waiting:
        new = arrows[waiting.pop()] - found
        found |= new
        waiting += new
    return found


def floor_of(module):
    return next(number for number, rooms in enumerate(FLOORS) if module.partition("/")[0] in rooms)


@pytest.mark.parametrize("package", ALLOWED)
def test_imports_run_one_way(package):
    for module, tree in modules_of(package).items():
        rooms = {name.partition(".")[0] for name in imported_names(tree)} & set(ALLOWED) - {package}
        assert rooms <= ALLOWED[package], f"{package}/{module} imports {rooms}"


def test_rooms_of_the_runtime_import_from_lower_floors_only():
    upward = {
        (module, other)
        for module, others in arrows_of("device_runtime").items()
        for other in others
        if module.partition("/")[0] != other.partition("/")[0] and floor_of(other) >= floor_of(module)
    }
    assert not upward


@pytest.mark.parametrize("package", ALLOWED)
def test_no_module_imports_itself_by_way_of_others(package):
    arrows = arrows_of(package)
    assert not {module for module in arrows if module in reached_from(module, arrows)}


def test_the_runtime_pulls_in_neither_tensorflow_nor_keras_nor_an_interpreter():
    code = """
import sys, device_runtime, device_runtime.cli.parser, device_runtime.recommender
heavy = {"tensorflow", "keras", "tf_keras", "tflite_runtime", "ai_edge_litert", "mignon_native", "training", "export"}
print(sorted(heavy & {name.partition(".")[0] for name in sys.modules}))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
