"""The commands `python -m export` and `python -m export lint`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

from device_runtime.cli.exit import run
from export.errors import VerificationError
from export.outputs import check_flatbuffer
from export.request import BITS, METHODS, ExportRequest
from export.tflite.plan import FAVORITES, RESULTS, SIGNATURES
from training.console.files import describe_os_error
from training.console.libraries import name_missing_libraries

FAULTS = 1


class _Gone(argparse.Action):
    """An option of earlier versions, which says what to do instead."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        """Ends the command as bad usage."""
        parser.error(f"{self.option_strings[0]} is no more: a scan by the extra `native` takes no longer; leave it out")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; returns 0, or 2 for bad usage or input, or 1 for a failure or for faults that lint finds."""
    argv = sys.argv[1:] if argv is None else argv
    if argv[:1] == ["lint"]:
        arguments = _lint_parser().parse_args(argv[1:])
        lint = partial(_lint, arguments.file, as_json=arguments.json)
        return run(partial(name_missing_libraries, lint), "export")
    options = vars(_parser().parse_args(argv))
    as_json, progress = options.pop("json"), not options.pop("no_progress")
    folder = options["folder"] if options["folder"].name else options["folder"].resolve()
    options["out"] = options["out"] or folder.with_name(f"{folder.name}.tflite")
    request = ExportRequest(**options, progress=progress)
    return run(
        partial(name_missing_libraries, partial(_export, request, as_json=as_json)),
        "export",
        when_interrupted="nothing was written",
        failures=(VerificationError,),
        describe_os_error=partial(describe_os_error, request.out),
    )


def _export(request: ExportRequest, *, as_json: bool) -> None:
    request.check()
    from export.pipeline import run_export  # this and lint take a second, which help and bad usage do not need
    from export.report.text import describe_export

    exported = run_export(request)
    if as_json:
        print(json.dumps(exported.as_record(), ensure_ascii=False))
        return
    print("\n".join(describe_export(exported)))
    for path in (request.report, request.frontier):
        if path:
            print(f"wrote {path}")


def _lint(path: Path, *, as_json: bool) -> int:
    check_flatbuffer(path)
    from export.tflite.lint import lint_file
    from export.tflite.notes import list_notes

    faults, notes = lint_file(path), list_notes(path)
    if as_json:
        found = [asdict(fault) | {"is_fault": True} for fault in faults]
        found += [asdict(note) | {"is_fault": False} for note in notes]
        print(json.dumps(found, ensure_ascii=False))
    else:
        print("\n".join(map(str, faults)) or f"{path}: no fault")
        print("\n".join(map(str, notes)), end="\n" if notes else "")
    return FAULTS if faults else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m export",
        description="Writes one verified .tflite file from a trained folder. `python -m export lint FILE` checks any.",
    )
    add = parser.add_argument
    add("folder", metavar="model", type=Path, help="a folder written by python -m training")
    add("--out", type=Path, help="file to write (default: beside the folder, by its name: build/songs.tflite)")
    add("--force", action="store_true", help="replace files that no export wrote, too")
    add("--bits", type=int, choices=BITS, help="of an entry (default: 8, or by --max-bytes)")
    add("--dims", type=int, help="fewer than were trained (default: all, or by --max-bytes)")
    add(
        "--quantize",
        choices=METHODS,
        default="auto",
        help="after training, by fine-tuning, or the better of both as measured (default: %(default)s)",
    )
    add(
        "--max-bytes",
        metavar="SIZE",
        help="of the flatbuffer, without the catalog: the best dims and bits within it; such as 64KB or 64KiB",
    )
    add("--frontier", type=Path, metavar="FOLDER", help="also write each best file by size, and a chart")
    add("--min-overlap", type=float, metavar="SHARE", help="refuse a file that keeps fewer of the ten nearest, 0 to 1")
    add("--report", type=Path, metavar="FILE", help="also write a page (HTML) about the export")
    add("--index", action=_Gone, nargs=0, dest=argparse.SUPPRESS, help=argparse.SUPPRESS)
    add(
        "--signatures",
        metavar="NAMES",
        default=",".join(SIGNATURES),
        help="what an interpreter can ask the file, with commas between (default: %(default)s)",
    )
    add("--fixed-favorites", type=int, metavar="N", default=FAVORITES, help="of recommend_fixed (default: %(default)s)")
    add("--fixed-results", type=int, metavar="N", default=RESULTS, help="of recommend_fixed (default: %(default)s)")
    add("--name", help="name of the model (default: the file's name)")
    add("--license", default="unspecified", help="license of the catalog's data")
    add("--no-progress", action="store_true", help="no progress bar")
    add("--json", action="store_true", help="print the result as JSON")
    return parser


def _lint_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m export lint",
        description="Reports the faults of a .tflite file, and notes: what some ways to open it cannot do, and memory.",
    )
    parser.add_argument("file", type=Path, help="any .tflite file")
    parser.add_argument("--json", action="store_true", help="print faults and notes as JSON")
    return parser
