"""The command `python -m export`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from device_runtime.errors import MignonError
from device_runtime.model_file import FORMAT_VERSION, Manifest
from export import gate
from export.convert import serialize
from export.errors import ExportError, VerificationError
from export.graph import signatures
from export.lint import lint
from export.pack import pack
from export.quantize import quantize
from training import trained
from training.errors import TrainingError
from training.files import replacing

BAD_INPUT = 2
FAILURE = 1


@dataclass(frozen=True)
class Exported:
    """One written file."""

    path: Path
    rows: int
    dims: int
    file_bytes: int
    flatbuffer_bytes: int
    quality: gate.Quality
    engines: tuple[str, ...]


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; returns 0, or 2 for bad usage or input, or 1 for a failure."""
    arguments = _parser().parse_args(argv)
    try:
        exported = export(arguments.model, arguments.out, arguments.name, arguments.license)
    except VerificationError as error:
        print(f"export: {error}", file=sys.stderr)
        return FAILURE
    except (ExportError, TrainingError, MignonError) as error:
        print(f"export: {error}", file=sys.stderr)
        return BAD_INPUT
    except OSError as error:
        print(f"export: {arguments.out}: cannot be written ({error.strerror or error})", file=sys.stderr)
        return FAILURE
    except KeyboardInterrupt:
        print("export: interrupted; nothing was written", file=sys.stderr)
        return 130
    _report(exported, arguments.json)
    return 0


def export(model: Path, out: Path, name: str | None = None, license_name: str = "unspecified") -> Exported:
    """Quantizes, writes and verifies one `.tflite` file from a trained folder.

    Raises:
        TrainingError: `model` is not a whole trained folder.
        ExportError: `out` cannot be a file, or a row has no direction.
        VerificationError: the written file does not answer as the Keras model does; nothing is left at `out`.
    """
    if out.is_dir():
        raise ExportError(f"{out}: is a folder; give --out the name of a .tflite file")
    source = trained.load(model)
    table = quantize(source.table)
    rows, dims = table.rows.shape
    flatbuffer = serialize(signatures(table.rows, table.scale), "mignon")
    quality = gate.quality(source.table, table.rows, table.scale)
    manifest = Manifest(
        format_version=FORMAT_VERSION,
        name=name or out.stem,
        rows=rows,
        dims=dims,
        columns=dims,
        scale=table.scale,
        table_offset=flatbuffer.table_offset,
        objective="attributes",
        quality=_rounded(asdict(quality)) | {"training": source.metrics},
        license=license_name,
    )
    data = pack(flatbuffer.data, manifest, source.catalog)
    with replacing(out) as temporary:
        temporary.write_bytes(data)
        _refuse_faults(temporary)
        engines = gate.verify(temporary, _keras_vectors(model, rows), table.rows)
    return Exported(out, rows, dims, len(data), len(flatbuffer.data), quality, tuple(engines))


def _refuse_faults(path: Path) -> None:
    faults = lint(path)
    if faults:
        raise VerificationError(f"the written file has {len(faults)} faults, the first: {faults[0]}")


def _keras_vectors(folder: Path, rows: int) -> NDArray[np.float32]:
    import tf_keras

    model = tf_keras.models.load_model(folder / trained.MODEL, compile=False)
    vectors: NDArray[np.float32] = model(np.arange(rows, dtype=np.int32)).numpy()
    return vectors


def _rounded(values: dict[str, float]) -> dict[str, Any]:
    return {name: round(value, 4) for name, value in values.items()}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m export", description="Writes one verified int8 .tflite file from a trained folder."
    )
    parser.add_argument("model", type=Path, help="a folder written by python -m training")
    parser.add_argument("--out", type=Path, default=Path("build/meals.tflite"), help="default: %(default)s")
    parser.add_argument("--name", help="name of the model (default: the file's name)")
    parser.add_argument("--license", default="unspecified", help="license of the catalog's data")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    return parser


def _report(exported: Exported, as_json: bool) -> None:
    if as_json:
        print(json.dumps(asdict(exported) | {"path": str(exported.path)}))
        return
    print(
        f"wrote {exported.path}: {exported.rows} items x {exported.dims} dims, {exported.file_bytes:,} bytes, of which "
        f"{exported.flatbuffer_bytes:,} flatbuffer"
    )
    print(
        f"verified on {', '.join(exported.engines)}: ids equal exact arithmetic; overlap@10 with float "
        f"{exported.quality.overlap_at_10:.3f} (strict {exported.quality.strict_overlap_at_10:.3f})"
    )
