"""The TFLite interpreters that the pipeline's environment must have; a test fails where one of them is missing."""

import importlib
import sys

import pytest

# tflite-runtime has wheels for Linux and Python below 3.12. Elsewhere LiteRT alone is asked.
HAS_TFLITE_RUNTIME = sys.platform == "linux" and sys.version_info < (3, 12)
PACKAGES = ("ai_edge_litert", "tflite_runtime") if HAS_TFLITE_RUNTIME else ("ai_edge_litert",)
VERIFIED_ON = ("numpy", *PACKAGES, "compiled_model")  # what an export names, of a file with `recommend_fixed`
INTERPRETERS = tuple(f"{package}.interpreter" for package in PACKAGES)

needs_tflite_runtime = pytest.mark.skipif(not HAS_TFLITE_RUNTIME, reason="tflite-runtime has no wheel for this Python")


def interpreter_of(package):
    """Its class `Interpreter`; an ImportError where it is not installed."""
    return importlib.import_module(f"{package}.interpreter").Interpreter
