"""python -m benchmarks: one-hot against embedding, on the items of one model file."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import measure, report
from device_runtime import MignonError, Recommender
from device_runtime.engines import interpreter_modules
from device_runtime.model_file import ModelFile

BAD_INPUT = 2
FAILURE = 1
BENCHMARKS = ("size", "latency", "quality", "all")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the benchmarks asked for; returns 0, or 2 for bad usage or input, or 1 for a failure."""
    arguments = _parser().parse_args(argv)
    try:
        _run(arguments)
    except MignonError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return BAD_INPUT
    except OSError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return FAILURE
    except KeyboardInterrupt:
        print("benchmarks: interrupted; nothing was written", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="One-hot against embedding.")
    parser.add_argument("which", nargs="?", choices=BENCHMARKS, default="all", help="default: %(default)s")
    parser.add_argument("--model", type=Path, default=Path("build/meals.tflite"), help="default: %(default)s")
    parser.add_argument("--out", type=Path, default=Path("build/benchmarks"), help="folder (default: %(default)s)")
    return parser


def _run(arguments: argparse.Namespace) -> None:
    chosen = set(BENCHMARKS) if arguments.which == "all" else {arguments.which}
    results: dict[str, Sequence[Any]] = {}
    model = ModelFile.open(arguments.model)
    if "size" in chosen:
        results["size"] = encodings = measure.size(model)
        print(f"\n{report.size_table(encodings)}")
    if "latency" in chosen:
        engines = ["numpy", *(["tflite"] if interpreter_modules() else [])]
        results["latency"] = latencies = measure.latency(model, engines)
        print(f"\n{report.latency_table(latencies)}")
    if "quality" in chosen:
        results["likeness"] = likenesses = measure.likeness(Recommender(model, "numpy"))
        print(f"\n{report.likeness_table(likenesses)}\n")
        print("\n".join(report.verdicts(likenesses)))
    report.write_json(results, arguments.out / "results.json")
    print(f"\nwrote {arguments.out / 'results.json'}")
    if arguments.which == "all":
        report.draw(encodings, latencies, likenesses, arguments.out / "one_hot.png")
        print(f"wrote {arguments.out / 'one_hot.png'}")


if __name__ == "__main__":
    raise SystemExit(main())
