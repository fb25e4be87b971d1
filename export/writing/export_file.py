"""Writes one chosen table as a file, and keeps it only if it is what it should be."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from device_runtime.engines.usearch_engine import IndexRecord, index_path
from device_runtime.format.layout import FORMAT_VERSION
from device_runtime.format.manifest import Manifest
from device_runtime.format.model_file import ModelFile
from export.errors import VerificationError
from export.quantization.rows import unit_rows
from export.quantization.sizes import Candidate, least_overlap, vectors_in
from export.tflite.flatbuffer import Flatbuffer, serialize
from export.tflite.lint import OP_VERSION, Fault, lint
from export.tflite.operators import Signature, signatures
from export.verification import engines as gate
from export.verification.engines import Judge, Quality
from export.writing.index import BuiltIndex, build
from export.writing.pack import Vocabulary, pack
from training import trained
from training.console.files import replacing
from training.trained import Trained


@dataclass(frozen=True)
class Labels:
    """What the file is called, and the license of its data."""

    name: str
    license: str = "unspecified"


@dataclass(frozen=True)
class Attempt:
    """One way to find the integers, what it kept, and whether the file has it."""

    method: str
    quality: Quality
    kept: bool


@dataclass(frozen=True)
class Exported:
    """One written file.

    Attributes:
        trained_dims: of the float table; `dims` may be fewer.
        parts: bytes of the table, of the rest of the graph, and of each entry of the archive as stored.
        least_overlap: below which the file would have been refused.
        operators: (signature, op, version, shape of its result) in the order in which they run.
        allowed_faults: what lint says of the file and is meant so.
        training: the metrics that training left.
        index, index_seconds: of the index beside it, if one was asked for, and how long it took to build and measure.
    """

    path: Path
    labels: Labels
    rows: int
    trained_dims: int
    dims: int
    bits: int
    method: str
    file_bytes: int
    flatbuffer_bytes: int
    parts: dict[str, int]
    quality: Quality
    least_overlap: float
    tried: tuple[Attempt, ...]
    engines: tuple[str, ...]
    operators: tuple[tuple[str, str, int, tuple[int, ...]], ...]
    allowed_faults: tuple[Fault, ...]
    training: dict[str, Any]
    index: IndexRecord | None
    index_seconds: float | None


def judge_of(folder: Path, source: Trained) -> Judge:
    """The Keras model in a trained folder as what a file is held against.

    Raises:
        ExportError: a row has no direction.
    """
    import tf_keras

    model = tf_keras.models.load_model(folder / trained.MODEL, compile=False)
    vectors: NDArray[np.float32] = model(np.arange(len(source.table), dtype=np.int32)).numpy()
    return Judge(unit_rows(vectors), source.triplets, gate.frequency_thirds(source.catalog))


def write(  # noqa: PLR0913 - what is written, from what, where, and how it is judged
    found: Sequence[Candidate],
    source: Trained,
    judge: Judge,
    out: Path,
    labels: Labels,
    *,
    min_overlap: float | None = None,
    index: bool = False,
    progress: bool = False,
) -> Exported:
    """Writes the first of `found` to `out`; the others are what was tried beside it.

    Args:
        index: also write an approximate index beside it. It takes its place first, and the file names its digest, so
            that a stop between the two leaves no pair that is taken for one.

    Raises:
        ExportError: the table is too small for an index.
        MissingEngineError: an index is asked for, and usearch is not installed.
        VerificationError: it keeps too little, or the written file has faults or does not answer as exact arithmetic
            does; nothing is left at `out`.
    """
    chosen = found[0]
    table = chosen.table
    least = least_overlap(judge, chosen.dims, table.bits) if min_overlap is None else min_overlap
    if chosen.quality.overlap_at_10 < least:
        raise VerificationError(
            f"{out}: {chosen.dims} dims at {table.bits} bits keep {chosen.quality.overlap_at_10:.3f} of the ten "
            f"nearest items, fewer than {least:.3f}; give more dims or bits, or a lower --min-overlap"
        )
    built = build(table.rows, progress=progress) if index else None
    graph = signatures(table)
    flatbuffer = serialize(graph, "mignon")
    manifest = _manifest(chosen, labels, flatbuffer, source.metrics, built)
    vocabulary = Vocabulary(source.attributes, vectors_in(table, judge, source.attribute_vectors))
    data = pack(flatbuffer.data, manifest, source.catalog, vocabulary)
    with replacing(out) as temporary:
        temporary.write_bytes(data)
        allowed = _refuse_faults(temporary, table.bits)
        engines = gate.verify(temporary, table, judge, progress=progress)
        entries = dict(ModelFile.open(temporary).entries())
        if built:
            with replacing(index_path(out)) as beside:
                beside.write_bytes(built.data)
    parts = {"table": table.packed.size, "graph": len(flatbuffer.data) - table.packed.size} | entries
    return Exported(
        path=out,
        labels=labels,
        rows=len(table.rows),
        trained_dims=judge.vectors.shape[1],
        dims=chosen.dims,
        bits=table.bits,
        method=chosen.method,
        file_bytes=len(data),
        flatbuffer_bytes=len(flatbuffer.data),
        parts=parts,
        quality=chosen.quality,
        least_overlap=least,
        tried=tuple(Attempt(c.method, c.quality, c is chosen) for c in found),
        engines=engines,
        operators=tuple(_operators(graph)),
        allowed_faults=allowed,
        training=source.metrics,
        index=built.record if built else None,
        index_seconds=built.seconds if built else None,
    )


def _manifest(
    chosen: Candidate, labels: Labels, flatbuffer: Flatbuffer, training: dict[str, Any], built: BuiltIndex | None
) -> Manifest:
    table = chosen.table
    start = flatbuffer.table_offset
    stop = start + table.packed.size
    return Manifest(
        format_version=FORMAT_VERSION,
        name=labels.name,
        rows=len(table.rows),
        dims=chosen.dims,
        columns=chosen.dims,
        bits=table.bits,
        scale=table.scale,
        table_offset=start,
        objective="attributes",
        quality=_rounded(asdict(chosen.quality)) | {"method": chosen.method, "training": training},
        license=labels.license,
        approximate_index=asdict(built.record) if built else None,
        table_crc32=zlib.crc32(flatbuffer.data[start:stop]),
        graph_crc32=zlib.crc32(flatbuffer.data[stop:], zlib.crc32(flatbuffer.data[:start])),
    )


def _refuse_faults(path: Path, bits: int) -> tuple[Fault, ...]:
    """A 4-bit table needs an op that tflite-runtime 2.14 does not have; everything else must be in order."""
    faults = lint(path)
    allowed = tuple(fault for fault in faults if bits == 4 and fault.rule == OP_VERSION)
    others = [fault for fault in faults if fault not in allowed]
    if others:
        raise VerificationError(f"the written file has {len(others)} faults, the first: {others[0]}")
    return allowed


def _operators(graph: Sequence[Signature]) -> list[tuple[str, str, int, tuple[int, ...]]]:
    return [
        (signature.name, operator.kind, operator.version, operator.outputs[0].shape)
        for signature in graph
        for operator in signature.operators
    ]


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _rounded(part) for name, part in value.items()}
    return round(value, 4) if isinstance(value, float) else value
