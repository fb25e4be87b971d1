"""python -m export: a trained folder in, one .tflite file out; python -m export lint: what is wrong with any file."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from training.console.quiet_tensorflow import import_tensorflow

import_tensorflow()

from export import command  # noqa: E402
from export.tflite import lint  # noqa: E402


def run(argv: Sequence[str]) -> int:
    """Runs the command that `argv` asks for."""
    return lint.main(argv[1:]) if argv[:1] == ["lint"] else command.main(argv)


if __name__ == "__main__":
    raise SystemExit(run(sys.argv[1:]))
