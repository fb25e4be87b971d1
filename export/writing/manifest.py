"""What a file says of itself, for both kinds of model."""

from __future__ import annotations

import zlib
from dataclasses import asdict
from typing import Any

from device_runtime.format.layout import FORMAT_VERSION
from device_runtime.format.manifest import Manifest
from export.quantization.sizes import Candidate
from export.request import Labels
from export.tflite.flatbuffer import Flatbuffer


def make_manifest(
    chosen: Candidate[Any],
    labels: Labels,
    flatbuffer: Flatbuffer,
    training: dict[str, Any],
) -> Manifest:
    """The manifest of the file that holds `flatbuffer`, whose table is the chosen one.

    Args:
        training: the metrics that training left.
    """
    table = chosen.table
    start, stop = flatbuffer.table_offset, flatbuffer.table_offset + table.packed.size
    method = {} if chosen.method is None else {"method": chosen.method}
    return Manifest(
        format_version=FORMAT_VERSION,
        name=labels.name,
        rows=len(table.rows),
        dims=table.dims,
        columns=table.rows.shape[1],
        bits=table.bits,
        scale=table.scale,
        table_offset=start,
        objective=table.objective,
        quality=_round_all(asdict(chosen.quality)) | method | {"training": _keep_for_device(training)},
        license=labels.license,
        preference=table.rule,
        table_crc32=zlib.crc32(flatbuffer.data[start:stop]),
        graph_crc32=zlib.crc32(flatbuffer.data[stop:], zlib.crc32(flatbuffer.data[:start])),
    )


def _keep_for_device(training: dict[str, Any]) -> dict[str, Any]:
    """What training saw and examples are for the report, not for the device."""
    return {name: value for name, value in training.items() if name not in ("columns", "neighbors", "held_out_values")}


def _round_all(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _round_all(part) for name, part in value.items()}
    return round(value, 4) if isinstance(value, float) else value
