"""From a trained folder to one small, verified `.tflite` file. Needs the extra `pipeline`.

>>> from export import export_file, lint_file
>>> songs = export_file("build/songs", "build/songs.tflite", license="CC BY 4.0")
>>> songs.file_bytes, songs.quality.overlap_at_10
>>> lint_file("build/songs.tflite")
[]
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from export.request import Method
    from export.tflite.lint import Fault
    from export.writing.export_file import Exported

__all__ = ["Exported", "export_file", "lint_file"]


def export_file(  # noqa: PLR0913 - the fields of an `ExportRequest`
    folder: str | Path,
    out: str | Path,
    *,
    name: str | None = None,
    license: str = "unspecified",  # noqa: A002 - what the file and the command call it
    bits: int | None = None,
    dims: int | None = None,
    quantize: Method = "auto",
    max_bytes: int | str | None = None,
    min_overlap: float | None = None,
    frontier: str | Path | None = None,
    report: str | Path | None = None,
    index: bool = False,
    progress: bool = False,
) -> Exported:
    """Writes the trained model in `folder` to the file `out`, and keeps it only if it answers as exact integers do.

    Args:
        folder: written by `training.train_catalog`, `training.train_interactions` or `python -m training`.
        out: the `.tflite` file.
        name: of the model; by default that of the file.
        license: of the catalog's data.
        bits: of an entry, 8 or 4; by default 8, or what is best within `max_bytes`.
        dims: fewer than were trained; by default all, or what is best within `max_bytes`.
        quantize: after training (`ptq`), by fine-tuning (`qat`), or the better of both as measured (`auto`).
        max_bytes: of the flatbuffer, without the catalog: the best dims and bits within it; such as 64KB.
        min_overlap: the share, 0 to 1, of the ten nearest that the file has to keep.
        frontier: a folder to which also the best file of each size is written, and a chart of them.
        report: an HTML page to write about the export.
        index: also write an approximate index beside the file, for large catalogs.
        progress: show bars on standard error.

    Raises:
        ExportError, TrainingError: an argument or the trained folder cannot be used.
        VerificationError: the file keeps too little, has faults, or an engine answers otherwise; it is not kept.
    """
    from export.pipeline import run_export
    from export.request import ExportRequest

    request = ExportRequest(
        folder=Path(folder),
        out=Path(out),
        name=name,
        license=license,
        bits=bits,
        dims=dims,
        quantize=quantize,
        max_bytes=max_bytes,
        min_overlap=min_overlap,
        frontier=None if frontier is None else Path(frontier),
        report=None if report is None else Path(report),
        index=index,
        progress=progress,
    )
    return run_export(request)


def lint_file(path: str | Path) -> list[Fault]:
    """What is wrong with any `.tflite` file, each with its remedy; TensorFlow is not imported.

    Raises:
        ExportError: it cannot be read, or is not a TFLite flatbuffer.
    """
    from export.tflite import lint

    return lint.lint_file(path)


def __getattr__(name: str) -> Any:
    if name == "Exported":
        from export.writing.export_file import Exported

        return Exported
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
