"""What others' converters make of a file; run by its path, in an environment that needs nothing of mignon.

    python converters.py mlir FILE...              # TensorFlow's importer: prints how many functions it found in each
    python converters.py onnx FILE QUESTIONS.npz   # tf2onnx and ONNX Runtime: prints the ids of each question, as JSON

The arrays of QUESTIONS are inputs by name, each with the questions along its first axis.
"""

import contextlib
import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np

OPSET = "18"


def through_mlir(*files: str) -> list[int]:
    from tensorflow.compiler.mlir.lite.python import wrap_converter

    return [wrap_converter.wrapped_flat_buffer_file_to_mlir(file, True).count("func.func") for file in files]


def through_onnx(file: str, questions: str) -> list[list[int]]:
    import onnxruntime

    out = Path(questions).with_suffix(".onnx")
    command = [sys.executable, "-m", "tf2onnx.convert", "--tflite", file, "--output", str(out), "--opset", OPSET]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    session = onnxruntime.InferenceSession(str(out))
    with np.load(questions) as asked:
        names = list(asked)
        return [
            session.run(["ids"], {name: np.asarray(value) for name, value in zip(names, values, strict=True)})[
                0
            ].tolist()
            for values in zip(*(asked[name] for name in names), strict=True)
        ]


if __name__ == "__main__":
    kind, *arguments = sys.argv[1:]
    with contextlib.redirect_stdout(io.StringIO()):
        answer = {"mlir": through_mlir, "onnx": through_onnx}[kind](*arguments)
    sys.stdout.write(json.dumps(answer))
