"""Writes one chosen table as a file, and keeps it only if it is what it should be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from device_runtime.format.model_file import ModelFile
from export.errors import VerificationError
from export.quantization.sizes import Candidate, Tried
from export.request import Labels
from export.table import QuantizedTable
from export.tflite.flatbuffer import Flatbuffer, serialize
from export.tflite.lint import FIXED_SHAPE, OP_VERSION, Fault, lint_file
from export.tflite.operators import Signature
from export.tflite.plan import ALL_SIGNATURES, SignaturePlan
from export.tflite.signatures import build_signatures
from export.verification import engines
from export.verification.quality import BasketQuality, Judge, NeighborQuality
from export.writing.manifest import make_manifest
from export.writing.pack import pack
from training.console.files import replacing
from training.trained import Trained


@dataclass(frozen=True)
class ExportJob:
    """One file to write.

    Attributes:
        tried: whose best table it gets.
        judge: the float model that it is held against.
        least_overlap: the share of the ten best below which it is refused.
        sizes: the best tables of other sizes that were made beside it, smallest first.
        signatures: of its graph.
        progress: show bars.
    """

    source: Trained
    judge: Judge
    tried: Tried[NeighborQuality] | Tried[BasketQuality]
    out: Path
    labels: Labels
    least_overlap: float = 0.0
    sizes: tuple[Candidate[NeighborQuality], ...] = ()
    signatures: SignaturePlan = ALL_SIGNATURES
    progress: bool = False

    @property
    def table(self) -> QuantizedTable:
        """The one to write."""
        return self.tried.best.table


@dataclass(frozen=True)
class Attempt:
    """One way to find the integers, what it kept, and whether the file has it."""

    method: str
    quality: NeighborQuality
    kept: bool


@dataclass(frozen=True)
class Exported:
    """One written file.

    Attributes:
        objective: what the model was trained on, `attributes` or `interactions`.
        trained_dims: of the float table; `dims` may be fewer.
        bytes_per_item: of the table; a bias has one of them.
        method: how the integers were found, `ptq` or `qat`; `None` for a model of what people like.
        parts: bytes of the table, of the rest of the graph, and of each entry of the archive as stored.
        least_overlap: below which the file would have been refused.
        tried: the ways between which `method` was chosen.
        engines: that answer from it as exact integers do.
        missing_engines: that it was not verified on, since they are not installed.
        operators: (signature, op, version, shape of its result) in the order in which they run.
        allowed_faults: what lint says of the file and is meant so.
        training: the metrics that training left.
        sizes: the best tables of other sizes that were tried beside it, smallest first.
    """

    path: Path
    labels: Labels
    objective: str
    rows: int
    trained_dims: int
    dims: int
    bits: int
    bytes_per_item: int
    method: str | None
    file_bytes: int
    flatbuffer_bytes: int
    parts: dict[str, int]
    quality: NeighborQuality | BasketQuality
    least_overlap: float
    tried: tuple[Attempt, ...]
    engines: tuple[str, ...]
    missing_engines: tuple[str, ...]
    operators: tuple[tuple[str, str, int, tuple[int, ...]], ...]
    allowed_faults: tuple[Fault, ...]
    training: dict[str, Any]
    sizes: tuple[Candidate[NeighborQuality], ...]

    @property
    def size(self) -> str:
        """Such as `16x8`: dims and bits."""
        return f"{self.dims}x{self.bits}"

    def as_record(self) -> dict[str, Any]:
        """All but the tables of `sizes`, as JSON holds it."""
        record = asdict(replace(self, sizes=()))
        return record | {"path": str(self.path), "sizes": [candidate.as_record() for candidate in self.sizes]}


def write_file(job: ExportJob) -> Exported:
    """Writes the best table of `job` to its place.

    Raises:
        VerificationError: it keeps too little, or the written file has faults or does not answer as exact arithmetic
            does; nothing is left at its place.
    """
    _refuse_too_little(job)
    graph = build_signatures(job.table, job.signatures)
    flatbuffer = serialize(graph)
    data = _pack(job, flatbuffer)
    with replacing(job.out) as temporary:
        temporary.write_bytes(data)
        checked = _check(job, temporary)
    return _describe(job, graph, len(flatbuffer.data), checked)


def _refuse_too_little(job: ExportJob) -> None:
    table, overlap = job.table, job.tried.best.quality.overlap_at_10
    if overlap < job.least_overlap:
        raise VerificationError(
            f"{job.out}: {table.dims} dims at {table.bits} bits keep {overlap:.3f} of the ten nearest items, fewer "
            f"than {job.least_overlap:.3f}; give more dims or bits, or a lower --min-overlap"
        )


def _pack(job: ExportJob, flatbuffer: Flatbuffer) -> bytes:
    manifest = make_manifest(job.tried.best, job.labels, flatbuffer, job.source.metrics)
    vectors = job.judge.move_vectors(job.source.attribute_vectors, job.table)
    return pack(flatbuffer.data, manifest, replace(job.source, attribute_vectors=vectors))


def _check(job: ExportJob, path: Path) -> dict[str, Any]:
    """What only the written file tells, by the names that `Exported` has for it."""
    entries = dict(ModelFile.open(path).entries())
    allowed = _refuse_faults(path, job)
    items = job.judge.verified_items()
    verified = engines.verify(path, job.table, items, job.signatures, progress=job.progress)
    return {"file_bytes": path.stat().st_size, "parts": entries, "allowed_faults": allowed, "engines": verified}


def _refuse_faults(path: Path, job: ExportJob) -> tuple[Fault, ...]:
    """What was asked for may be a fault: at 4 bits an op that tflite-runtime 2.14 lacks, fixed shapes alone."""
    faults = lint_file(path)
    asked_for = {OP_VERSION: job.table.bits == 4, FIXED_SHAPE: not job.signatures.takes_any_number}
    allowed = tuple(fault for fault in faults if asked_for.get(fault.rule))
    others = [fault for fault in faults if fault not in allowed]
    if others:
        raise VerificationError(f"the written file has {len(others)} faults, the first: {others[0]}")
    return allowed


def _describe(
    job: ExportJob,
    graph: Sequence[Signature],
    flatbuffer_bytes: int,
    checked: dict[str, Any],
) -> Exported:
    best, table = job.tried.best, job.table
    items, bytes_per_item = table.packed.shape
    parts = {"table": table.packed.size, "graph": flatbuffer_bytes - table.packed.size} | checked.pop("parts")
    return Exported(
        path=job.out,
        labels=job.labels,
        objective=table.objective,
        rows=items,
        trained_dims=job.source.table.shape[1],
        dims=table.dims,
        bits=table.bits,
        bytes_per_item=bytes_per_item,
        method=best.method,
        flatbuffer_bytes=flatbuffer_bytes,
        parts=parts,
        quality=best.quality,
        least_overlap=job.least_overlap,
        tried=tuple(_list_attempts(job.tried)),
        missing_engines=engines.find_missing_interpreters(),
        operators=tuple(_list_operators(graph)),
        training=job.source.metrics,
        sizes=job.sizes,
        **checked,
    )


def _list_attempts(tried: Tried[NeighborQuality] | Tried[BasketQuality]) -> Iterator[Attempt]:
    for candidate in (tried.best, *tried.others):
        if candidate.method is not None and isinstance(candidate.quality, NeighborQuality):
            yield Attempt(candidate.method, candidate.quality, candidate is tried.best)


def _list_operators(graph: Sequence[Signature]) -> Iterator[tuple[str, str, int, tuple[int, ...]]]:
    for signature in graph:
        for operator in signature.operators:
            yield signature.name, operator.kind, operator.version, operator.outputs[0].shape
