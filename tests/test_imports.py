"""The direction of imports, and that the runtime is light."""

import ast
import subprocess
import sys

import pytest

from tests.conftest import ROOT

ALLOWED = {
    "device_runtime": set(),
    "training": {"device_runtime"},
    "export": {"device_runtime", "training"},
    "benchmarks": {"device_runtime", "export", "training"},
}


@pytest.mark.parametrize("package", ALLOWED)
def test_imports_run_one_way(package):
    for path in (ROOT / package).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            rooms = {name.partition(".")[0] for name in names} & set(ALLOWED) - {package}
            assert rooms <= ALLOWED[package], f"{path} imports {rooms}"


def test_the_runtime_pulls_in_neither_tensorflow_nor_keras_nor_an_interpreter():
    code = """
import sys, device_runtime, device_runtime.cli.command
heavy = {"tensorflow", "keras", "tf_keras", "tflite_runtime", "ai_edge_litert", "usearch", "training", "export"}
print(sorted(heavy & {name.partition(".")[0] for name in sys.modules}))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
