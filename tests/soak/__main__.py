"""python -m tests.soak: many clients at once on `mignon serve`, for minutes or hours."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from benchmarks.base import positive
from device_runtime.cli.exit import run
from tests.soak import load


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the soak test; returns 0, 1 where the server did other than it should, 2 for bad input."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=load.__doc__)
    parser.add_argument(
        "target",
        nargs="?",
        default="build/meals.tflite",
        help="a model file, of which a copy is served, or the URL of a server on this machine (default: %(default)s)",
    )
    parser.add_argument("--minutes", type=_parse_minutes, default=load.MINUTES, help="default: %(default)s")
    parser.add_argument("--clients", type=positive, default=load.CLIENTS, help="at once (default: %(default)s)")
    arguments = parser.parse_args(argv)

    def soak() -> int:
        seen = load.run(arguments.target, arguments.minutes, arguments.clients)
        print(load.format_load(seen))
        return 1 if seen.faults else 0

    return run(soak, "soak", when_interrupted="nothing is reported")


def _parse_minutes(text: str) -> float:
    minutes = float(text)
    if not 0 < minutes < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not a time above 0")
    return minutes


if __name__ == "__main__":
    raise SystemExit(main())
