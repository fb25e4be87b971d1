"""python -m benchmarks: one-hot against embedding on one model file, and how good the embedding of a catalog is."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.one_hot import compare as measure
from benchmarks.one_hot import report
from benchmarks.recommenders import command as interactions_command
from device_runtime import MignonError, Recommender
from device_runtime.engines.tflite_engine import interpreter_modules
from device_runtime.format.model_file import ModelFile
from export.errors import ExportError
from training.console.quiet_tensorflow import drop_output, import_tensorflow
from training.errors import TrainingError
from training.inputs.catalog import BUILT_IN_CATALOG, read_catalog
from training.inputs.rules import read_rules
from training.inputs.triplets import find_triplets

BAD_INPUT = 2
FAILURE = 1
OTHERS = {
    "size": "bytes, against one-hot",
    "quality": "which meals are alike, against one-hot",
    "latency": "the whole job against libraries for nearest neighbors, on the model and on generated tables",
    "embedding": "how good the embedding of a catalog is",
    "map": "the items as points",
    "naive": "the exported file against what the converter writes by default",
    "export": "exports of generated tables up to 1,000,000 items",
    "index": "the approximate index beside --model against exact engines",
    "names": "how names are found as people type them",
    "load": "many clients at once on `mignon serve`",
}
GROWTH = ("1000x32", "10000x32", "100000x32", "1000000x32")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the benchmarks asked for; returns 0, or 2 for bad usage or input, or 1 for a failure."""
    given = list(sys.argv[1:] if argv is None else argv)
    own = given[:1] == ["interactions"]
    arguments = interactions_command.parser().parse_args(given[1:]) if own else _parser().parse_args(given)
    try:
        _RUNS.get(arguments.which, _run)(arguments)
    except (MignonError, TrainingError, ExportError) as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return BAD_INPUT
    except BrokenPipeError:
        drop_output()
        return FAILURE
    except OSError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return FAILURE
    except KeyboardInterrupt:
        print("benchmarks: interrupted; nothing was written", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="One-hot against embedding.",
        epilog="`interactions LOG`, recommenders on a log of what people like, has options of its own: see its --help.",
    )
    parser.add_argument(
        "which",
        nargs="?",
        choices=("all", *OTHERS),
        default="all",
        help="; ".join(
            f"{name}: {text}" for name, text in {"all": "one-hot against embedding (default)", **OTHERS}.items()
        ),
    )
    parser.add_argument("--model", type=Path, default=Path("build/meals.tflite"), help="default: %(default)s")
    parser.add_argument("--folder", type=Path, default=Path("build/model"), help="for `naive` (default: %(default)s)")
    parser.add_argument(
        "--sizes",
        nargs="*",
        help="generated tables for `export` and `latency`, such as 5000x16 (default: four up to 1000000x32)",
    )
    parser.add_argument("--minutes", type=float, default=10.0, help="for `load` (default: %(default)s)")
    parser.add_argument("--catalog", type=Path, default=BUILT_IN_CATALOG, help="for `embedding` (default: the meals)")
    parser.add_argument("--triplets", type=Path, help="for `embedding` (default: those beside the catalog)")
    parser.add_argument("--dims", type=int, nargs="+", help="widths for `embedding` (default: 4 8 16 32 64)")
    parser.add_argument("--color", default="course", help="the attribute that colors `map` (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=Path("build/benchmarks"), help="folder (default: %(default)s)")
    return parser


def _run(arguments: argparse.Namespace) -> None:
    chosen = {"size", "latency", "quality"} if arguments.which == "all" else {arguments.which}
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


def _draw_map(arguments: argparse.Namespace) -> None:
    from benchmarks.embedding.map import draw_map

    path = arguments.out / f"map_by_{arguments.color}.png"
    draw_map(ModelFile.open(arguments.model), arguments.color, path)
    print(f"wrote {path}")


def _compare_with_naive(arguments: argparse.Namespace) -> None:
    import_tensorflow()
    from benchmarks.converter import compare as naive

    rows = naive.compare(arguments.folder, arguments.model, arguments.out)
    naive.write(rows, arguments.out)
    print("\n".join([naive.table_of(rows), *naive.refusals(rows)]))
    print(f"\nwrote {arguments.out / 'naive.json'} and the converted files to {arguments.out / 'naive'}")


def _export_sizes(arguments: argparse.Namespace) -> None:
    import_tensorflow()
    from benchmarks.generated import exports as sizes

    exports = sizes.measure(arguments.out, sizes.SIZES if arguments.sizes is None else arguments.sizes)
    sizes.write(exports, arguments.out)
    print(f"\n{sizes.table_of(exports)}\n\nwrote {arguments.out / 'sizes.json'}")


def _compare_with_peers(arguments: argparse.Namespace) -> None:
    import_tensorflow()
    from benchmarks.generated import exports as sizes
    from benchmarks.latency import compare as peers

    peers.check_environments()
    results = peers.measure(arguments.model, arguments.out)
    for size in GROWTH if arguments.sizes is None else arguments.sizes:
        results += peers.measure(sizes.exported(size, arguments.out), arguments.out)
    peers.write(results, arguments.out)
    print(f"{peers.table_of(results)}\n\nwrote {arguments.out / 'latency.json'} and {arguments.out / 'latency.png'}")


def _ask_index(arguments: argparse.Namespace) -> None:
    from benchmarks.latency import index

    results = index.measure(arguments.model)
    index.write(results, arguments.out)
    print(f"\n{index.table_of(results)}\n\nwrote {arguments.out / 'index.json'}")


def _find_names(arguments: argparse.Namespace) -> None:  # noqa: ARG001 - as the others are called
    from benchmarks.embedding import names

    print(names.tables())


def _load_server(arguments: argparse.Namespace) -> None:
    from tests.soak import load

    print(load.table_of(load.run(arguments.model, arguments.minutes)))


def _evaluate_embedding(arguments: argparse.Namespace) -> None:
    import_tensorflow()
    from benchmarks.embedding import quality as embedding
    from training.by_attributes.measures import check_measurable, new_items

    catalog, rules = read_catalog(arguments.catalog), read_rules(arguments.catalog)
    triplets = find_triplets(arguments.catalog, catalog, arguments.triplets)
    check_measurable(arguments.catalog, catalog, triplets)
    results = embedding.evaluate(catalog, triplets, rules.weights, arguments.dims or embedding.DIMS)
    new = new_items(catalog, triplets, rules.weights)
    print(f"\n{embedding.table_of(results)}\n\n{embedding.new_items_table(new)}")
    embedding.write(results, new, arguments.out)
    print(f"\nwrote {arguments.out / 'embedding.json'} and {arguments.out / 'embedding.png'}")


_RUNS: dict[str, Callable[[argparse.Namespace], None]] = {
    "embedding": _evaluate_embedding,
    "map": _draw_map,
    "naive": _compare_with_naive,
    "export": _export_sizes,
    "latency": _compare_with_peers,
    "index": _ask_index,
    "names": _find_names,
    "load": _load_server,
    "interactions": interactions_command.run,
}

if __name__ == "__main__":
    raise SystemExit(main())
