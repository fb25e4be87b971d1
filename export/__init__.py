"""From a trained folder to one small, verified `.tflite` file, on a workstation.

`python -m export` does the same from a terminal. Importing this package imports neither TensorFlow nor an interpreter;
exporting does.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from export.tflite.lint import Fault
    from export.tflite.notes import Note
    from export.writing.export_file import Exported

__all__ = ["Exported", "export_file", "lint_file", "list_notes"]


def export_file(
    folder: str | Path,
    out: str | Path,
    *,
    bits: int | None = None,
    max_bytes: int | str | None = None,
    progress: bool = False,
    **options: Any,
) -> Exported:
    """Writes the trained model in `folder` to the file `out`, and keeps it only if it answers as exact integers do.

    >>> songs = export_file("build/songs", "build/songs.tflite", license="CC BY 4.0")
    >>> songs.rows, songs.engines
    (12, ("numpy", "ai_edge_litert", "tflite_runtime"))

    Args:
        folder: written by `training.train_catalog`, `training.train_interactions` or `python -m training`.
        out: the `.tflite` file.
        bits: of an entry, 8 or 4; None: 8, or what is best within `max_bytes`.
        max_bytes: of the flatbuffer, without the catalog, as a number or such as 64KB: the best dims and bits within.
        progress: show bars on standard error.
        options: any other field of `export.request.ExportRequest`.

    Returns:
        What was written, how much it keeps of the float model, and on which engines it was verified.

    Raises:
        ExportError, TrainingError: an argument or the trained folder cannot be used, or a file that no export wrote
            would be replaced.
        VerificationError: the file keeps too little, has faults, or an engine answers otherwise; it is not kept.
    """
    from export.request import ExportRequest

    request = ExportRequest(Path(folder), Path(out), bits, max_bytes, progress, **options)
    request.check()
    from export.pipeline import run_export  # here, as it takes seconds

    return run_export(request)


def lint_file(path: str | Path) -> list[Fault]:
    """What is wrong with any `.tflite` file, each with its remedy; TensorFlow is not imported.

    Raises:
        ExportError: it cannot be read, or is not a TFLite flatbuffer.
    """
    from export.tflite import lint

    return lint.lint_file(path)


def list_notes(path: str | Path) -> list[Note]:
    """What any `.tflite` file asks of those who open it: shapes that some interfaces cannot set, and memory.

    Raises:
        ExportError: it cannot be read, or is not a TFLite flatbuffer.
    """
    from export.tflite import notes

    return notes.list_notes(path)


def __getattr__(name: str) -> Any:
    if name == "Exported":
        from export.writing.export_file import Exported

        return Exported
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
