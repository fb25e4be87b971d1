"""What an export may replace, told by its content: files, pages and charts of exports. Imports nothing heavy."""

from __future__ import annotations

import zipfile
from pathlib import Path

from device_runtime.format.layout import FLATBUFFER_IDENTIFIER, MANIFEST
from export.errors import ExportError
from training.console.files import check_replaceable, has_mark

COMMAND = "python -m export"
_TITLE = b": export report</title>"  # of pages from before they had a mark


def check_outputs(out: Path, report: Path | None, frontier: Path | None, *, name: str, force: bool) -> None:
    """Refuses to replace what no export wrote.

    Raises:
        ExportError: a path is of the wrong kind, or two of them are one.
        OutputError: something else stands at one of them; the message says what.
    """
    if out.is_dir():
        raise ExportError(f"{out}: is a folder; give --out the name of a .tflite file")
    check_replaceable(out, is_own_model, COMMAND, force=force)
    if report is not None:
        if report.is_dir():
            raise ExportError(f"{report}: is a folder; give --report the name of a page to write")
        if report.resolve() == out.resolve():
            raise ExportError(f"{report}: is what --out writes; give --report another name")
        check_replaceable(report, _is_own_page, COMMAND, option="--report", force=force)
    if frontier is not None:
        if frontier.exists() and not frontier.is_dir():
            raise ExportError(f"{frontier}: is a file; give --frontier the name of a folder")
        for path in frontier.glob(f"{name}-*.tflite"):
            check_replaceable(path, is_own_model, COMMAND, option="--frontier", force=force)
        for path in frontier.glob("frontier.*"):
            check_replaceable(path, _has_own_mark, COMMAND, option="--frontier", force=force)


def check_flatbuffer(path: Path) -> None:
    """Refuses what is no TFLite file.

    Raises:
        ExportError: it cannot be read, or begins otherwise.
    """
    try:
        with path.open("rb") as stream:
            start = stream.read(8)
    except OSError as error:
        raise ExportError(f"{path}: cannot be read ({error.strerror}); give a .tflite file") from error
    if start[4:] != FLATBUFFER_IDENTIFIER:
        raise ExportError(f"{path}: is not a TFLite flatbuffer; give a .tflite file")


def is_own_model(path: Path) -> bool:
    """Whether a file is one of mignon's: a flatbuffer with an archive behind it that has a manifest."""
    try:
        check_flatbuffer(path)
        with zipfile.ZipFile(path) as archive:
            return MANIFEST in archive.namelist()
    except (ExportError, OSError, zipfile.BadZipFile):
        return False


def _is_own_page(path: Path) -> bool:
    with path.open("rb") as stream:
        return _has_own_mark(path) or _TITLE in stream.read(4096)


def _has_own_mark(path: Path) -> bool:
    return has_mark(path, COMMAND)
