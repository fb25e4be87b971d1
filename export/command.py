"""The command `python -m export`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from device_runtime.arguments import parse_bytes
from device_runtime.engines.usearch_engine import IndexRecord, index_path, library
from device_runtime.errors import InvalidArgumentError, MignonError
from export.errors import ExportError, VerificationError
from export.quantization import rows_and_bias as preference
from export.quantization.sizes import BITS, METHODS, Candidate, candidates, every_size, frontier, within
from export.verification.engines import Judge, Quality
from export.writing.export_file import Exported, Labels, judge_of, write
from export.writing.index import check_size
from training import trained
from training.console.quiet_tensorflow import drop_output
from training.errors import TrainingError
from training.trained import Trained

BAD_INPUT = 2
FAILURE = 1
_OF_ATTRIBUTES = ("dims", "max-bytes", "frontier", "min-overlap", "report", "index")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; returns 0, or 2 for bad usage or input, or 1 for a failure."""
    arguments = _parser().parse_args(argv)
    try:
        _export(arguments)
        sys.stdout.flush()
    except VerificationError as error:
        print(f"export: {error}", file=sys.stderr)
        return FAILURE
    except (ExportError, TrainingError, MignonError) as error:
        print(f"export: {error}", file=sys.stderr)
        return BAD_INPUT
    except BrokenPipeError:
        drop_output()
        return FAILURE
    except OSError as error:
        print(
            f"export: {error.filename or arguments.out}: cannot be written ({error.strerror or error})",
            file=sys.stderr,
        )
        return FAILURE
    except KeyboardInterrupt:
        print("export: interrupted; nothing was written", file=sys.stderr)
        return 130
    return 0


def _export(arguments: argparse.Namespace) -> None:
    if arguments.out.is_dir():
        raise ExportError(f"{arguments.out}: is a folder; give --out the name of a .tflite file")
    if arguments.frontier and arguments.frontier.exists() and not arguments.frontier.is_dir():
        raise ExportError(f"{arguments.frontier}: is a file; give --frontier the name of a folder")
    if arguments.report and arguments.report.is_dir():
        raise ExportError(f"{arguments.report}: is a folder; give --report the name of a page to write")
    source = trained.load(arguments.model)
    if arguments.index:
        check_size(len(source.table))
        library()
    if source.preference is not None:
        _export_preference(arguments, source)
        return
    judge = judge_of(arguments.model, source)
    labels = Labels(arguments.name or arguments.out.stem, arguments.license)
    sizes = _sizes(arguments, judge)
    found = _tried(arguments, judge, sizes)
    exported = write(
        found,
        source,
        judge,
        arguments.out,
        labels,
        min_overlap=arguments.min_overlap,
        index=arguments.index,
        progress=not arguments.no_progress,
    )
    points: list[Exported] = []
    if arguments.frontier:
        for candidate in frontier(sizes):  # each shows what it keeps; none is refused for it
            path = arguments.frontier / f"{labels.name}-{candidate.name}.tflite"
            points.append(write([candidate], source, judge, path, labels, min_overlap=0.0))
        from export.report.chart import write_frontier

        write_frontier(sizes, points, exported, arguments.frontier)
    if arguments.report:
        from export.report.page import write_report

        write_report(exported, sizes, arguments.report)
    _print(exported, sizes, arguments)


def _export_preference(arguments: argparse.Namespace, source: Trained) -> None:
    """A model of what people like has one way to be quantized and one size."""
    unfit = [name for name in _OF_ATTRIBUTES if getattr(arguments, name.replace("-", "_")) not in (None, False)]
    if unfit or arguments.bits == 4 or arguments.quantize == "qat":
        named = f"--{unfit[0]}" if unfit else "--bits 4" if arguments.bits == 4 else "--quantize qat"
        raise ExportError(f"{arguments.model}: is a model of what people like, for which there is no {named}")
    labels = Labels(arguments.name or arguments.out.stem, arguments.license)
    exported = preference.write(source, arguments.out, labels.name, labels.license, progress=not arguments.no_progress)
    if arguments.json:
        print(json.dumps(asdict(exported) | {"path": str(exported.path)}))
        return
    kept = exported.kept
    print(f"the ten best by integers hold {kept.overlap_at_10:.3f} of the ten best by float, of {kept.baskets} baskets")
    print(
        f"wrote {exported.path}: {exported.rows} items x {exported.dims} dims and a bias, {exported.bytes_per_item} "
        f"bytes an item, {exported.file_bytes:,} bytes, of which {exported.flatbuffer_bytes:,} flatbuffer"
    )
    print(f"verified on {', '.join(exported.engines)}: ids equal exact arithmetic")


def _sizes(arguments: argparse.Namespace, judge: Judge) -> list[Candidate]:
    """The best table of every size, where a budget or the frontier asks for them; smallest first."""
    if arguments.max_bytes is None and not arguments.frontier:
        return []
    bits = [arguments.bits] if arguments.bits else BITS
    return every_size(judge, arguments.quantize, bits, progress=not arguments.no_progress)


def _tried(arguments: argparse.Namespace, judge: Judge, sizes: list[Candidate]) -> list[Candidate]:
    """What was tried for the file itself, the chosen one first."""
    if arguments.max_bytes is not None:
        return [within(sizes, arguments.max_bytes)]
    dims = judge.vectors.shape[1] if arguments.dims is None else arguments.dims
    return candidates(judge, dims, arguments.bits or 8, arguments.quantize, progress=not arguments.no_progress)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m export",
        description="Writes one verified .tflite file from a trained folder. `python -m export lint FILE` checks any.",
    )
    parser.add_argument("model", type=Path, help="a folder written by python -m training")
    parser.add_argument("--out", type=Path, default=Path("build/meals.tflite"), help="default: %(default)s")
    parser.add_argument("--bits", type=int, choices=BITS, help="of an entry (default: 8, or by --max-bytes)")
    parser.add_argument("--dims", type=int, help="fewer than were trained (default: all, or by --max-bytes)")
    parser.add_argument(
        "--quantize",
        choices=METHODS,
        default="auto",
        help="after training, by fine-tuning, or the better of both as measured (default: %(default)s)",
    )
    parser.add_argument(
        "--max-bytes",
        type=_bytes,
        metavar="SIZE",
        help="of the flatbuffer, without the catalog: the best dims and bits within it; such as 64KB or 64KiB",
    )
    parser.add_argument(
        "--frontier", type=Path, metavar="FOLDER", help="also write each best file by size, and a chart"
    )
    parser.add_argument(
        "--min-overlap", type=_share, metavar="SHARE", help="refuse a file that keeps fewer of the ten nearest"
    )
    parser.add_argument("--report", type=Path, metavar="FILE", help="also write a page (HTML) about the export")
    parser.add_argument(
        "--index", action="store_true", help="also write an approximate index beside it, for large catalogs"
    )
    parser.add_argument("--name", help="name of the model (default: the file's name)")
    parser.add_argument("--license", default="unspecified", help="license of the catalog's data")
    parser.add_argument("--no-progress", action="store_true", help="no progress bar")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    return parser


def _bytes(text: str) -> int:
    try:
        return parse_bytes(text)
    except InvalidArgumentError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a share from 0 to 1")
    return value


def _print(exported: Exported, sizes: Sequence[Candidate], arguments: argparse.Namespace) -> None:
    if arguments.json:
        record = asdict(exported) | {"path": str(exported.path), "sizes": [_record(c) for c in sizes]}
        print(json.dumps(record, ensure_ascii=False))
        return
    if sizes:
        print(_table(sizes, exported))
    for attempt in exported.tried:
        print(f"{attempt.method}: {_quality_line(attempt.quality)}{'  (kept)' if attempt.kept else ''}")
    print(
        f"wrote {exported.path}: {exported.rows} items x {exported.dims} dims, {exported.file_bytes:,} bytes, of which "
        f"{exported.flatbuffer_bytes:,} flatbuffer"
    )
    print(f"verified on {', '.join(exported.engines)}: ids equal exact arithmetic")
    if exported.index:
        print(_index_line(exported, exported.index))
    for fault in exported.allowed_faults:
        print(f"note: {fault}")
    for path in (arguments.report, arguments.frontier):
        if path:
            print(f"wrote {path}")


def _index_line(exported: Exported, index: IndexRecord) -> str:
    found = index.recall_at_10
    return (
        f"wrote {index_path(exported.path)}: {index.bytes:,} bytes in {exported.index_seconds:.1f} s, recall@10 of "
        f"items {found['items']:.3f}, of baskets {found['baskets']:.3f}, with {index.expansion_search} candidates"
    )


def _quality_line(quality: Quality) -> str:
    triplets = (
        "" if quality.triplets is None else f", triplets {quality.triplets:.3f} (float {quality.float_triplets:.3f})"
    )
    return (
        f"overlap@10 with float {quality.overlap_at_10:.3f} (strict {quality.strict_overlap_at_10:.3f}), Kendall's tau "
        f"{quality.kendall_tau:.3f}{triplets}"
    )


def _record(candidate: Candidate) -> dict[str, Any]:
    return {
        "dims": candidate.dims,
        "bits": candidate.table.bits,
        "method": candidate.method,
        "flatbuffer_bytes": candidate.flatbuffer_bytes,
        "quality": asdict(candidate.quality),
    }


def _table(sizes: Sequence[Candidate], exported: Exported) -> str:
    from tabulate import tabulate

    best = {candidate.name for candidate in frontier(sizes)}
    rows = [
        [
            c.dims,
            c.table.bits,
            c.method,
            f"{c.flatbuffer_bytes:,}",
            f"{c.quality.overlap_at_10:.3f}",
            f"{c.quality.kendall_tau:.3f}",
            "-" if c.quality.triplets is None else f"{c.quality.triplets:.3f}",
            "*" if c.name in best else "",
            "chosen" if (c.dims, c.table.bits) == (exported.dims, exported.bits) else "",
        ]
        for c in sizes
    ]
    headers = ["dims", "bits", "method", "flatbuffer bytes", "overlap@10", "tau", "triplets", "frontier", ""]
    return tabulate(
        rows, headers, disable_numparse=True, colalign=["right"] * 2 + ["left"] + ["right"] * 4 + ["left"] * 2
    )
