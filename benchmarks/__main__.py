"""python -m benchmarks: what mignon needs and keeps, measured against one-hot, other recommenders and libraries."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from benchmarks.answers.benchmark import AnswersBenchmark
from benchmarks.base import Benchmark
from benchmarks.converter.benchmark import ConverterBenchmark
from benchmarks.embedding.benchmark import EmbeddingBenchmark, MapBenchmark, NamesBenchmark
from benchmarks.generated.benchmark import ExportBenchmark, LogGenerator
from benchmarks.latency.benchmark import LatencyBenchmark
from benchmarks.one_hot.benchmark import LikenessBenchmark, OneHotBenchmark, SizeBenchmark
from benchmarks.recommenders.benchmark import InteractionsBenchmark
from device_runtime.cli.exit import run
from training.console.files import describe_os_error
from training.console.libraries import name_missing_libraries

BENCHMARKS: tuple[type[Benchmark], ...] = (
    OneHotBenchmark,
    SizeBenchmark,
    LikenessBenchmark,
    LatencyBenchmark,
    EmbeddingBenchmark,
    MapBenchmark,
    NamesBenchmark,
    AnswersBenchmark,
    InteractionsBenchmark,
    ConverterBenchmark,
    ExportBenchmark,
    LogGenerator,
)
DEFAULT = OneHotBenchmark


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one benchmark; returns 0, 2 for bad usage or input, 1 for a failure, or 130 after Ctrl-C."""

    benchmark = _asked(sys.argv[1:] if argv is None else argv)

    def check_and_run() -> None:
        benchmark.check()
        benchmark.run()

    return run(
        partial(name_missing_libraries, check_and_run),
        "benchmarks",
        when_interrupted="nothing was written",
        describe_os_error=partial(describe_os_error, vars(benchmark).get("out", Path("results"))),
    )


def _asked(given: Sequence[str]) -> Benchmark:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Benchmarks; each has a --help.")
    commands = parser.add_subparsers(dest="name", metavar="BENCHMARK", title=f"benchmarks (default: {DEFAULT.name})")
    kinds = {kind.name: kind for kind in BENCHMARKS}
    for name, kind in kinds.items():
        kind.add_options(commands.add_parser(name, help=kind.summarize(), description=kind.summarize()))
    named = given[:1] and (given[0] in kinds or given[0] in ("-h", "--help") or not given[0].startswith("-"))
    options = vars(parser.parse_args(given if named else [DEFAULT.name, *given]))
    return kinds[options.pop("name")](**options)


if __name__ == "__main__":
    raise SystemExit(main())
