"""From a trained folder to a file, step by step, for both kinds of model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from export.errors import ExportError
from export.quantization.rows_and_bias import quantize_with_bias
from export.quantization.sizes import (
    Candidate,
    Tried,
    choose_within,
    find_frontier,
    find_least_overlap,
    make_candidate,
    try_methods,
    try_sizes,
)
from export.request import BITS, ExportRequest, Labels
from export.tflite.plan import ALL_SIGNATURES, SignaturePlan
from export.verification.engines import import_interpreters
from export.verification.quality import BasketJudge, NeighborJudge, NeighborQuality, load_neighbor_judge
from export.writing.export_file import Exported, ExportJob, write_file
from training import trained
from training.trained import Trained


def run_export(request: ExportRequest) -> Exported:
    """Quantizes, measures, writes and verifies what a checked `request` asks for; see `export.export_file`.

    Raises:
        ExportError, TrainingError: the request or the trained folder cannot be used.
        VerificationError: the file does not do what it should; nothing is left at its place.
    """
    source = trained.load(request.folder)
    import_interpreters()
    if source.preference is not None:
        request.check_for_interactions()
        job = plan_for_interactions(
            source, request.out, request.labels, signatures=request.plan, progress=request.progress
        )
        return write_file(job)
    job = _plan_for_attributes(request, source, load_neighbor_judge(request.folder, source))
    exported = write_file(job)
    _report(request, job, exported)
    return exported


def plan_for_interactions(
    source: Trained,
    out: Path,
    labels: Labels,
    *,
    signatures: SignaturePlan = ALL_SIGNATURES,
    progress: bool = False,
) -> ExportJob:
    """The one way to export a model of what people like.

    Raises:
        ExportError: `source` is a model of attributes, or its table is zero.
    """
    if source.preference is None:
        raise ExportError("the trained folder holds a model of attributes, not of what people like")
    table = quantize_with_bias(source.table, source.preference)
    judge = BasketJudge(source.table, source.preference)
    tried = Tried(make_candidate(None, table, judge.measure(table), signatures))
    return ExportJob(source, judge, tried, out, labels, signatures=signatures, progress=progress)


def _plan_for_attributes(request: ExportRequest, source: Trained, judge: NeighborJudge) -> ExportJob:
    sizes = _try_sizes(request, judge)
    tried = _try_methods(request, judge, sizes)
    least = request.min_overlap
    if least is None:
        least = find_least_overlap(judge, tried.best.table.dims, tried.best.table.bits)
    return ExportJob(
        source=source,
        judge=judge,
        tried=tried,
        out=request.out,
        labels=request.labels,
        least_overlap=least,
        sizes=sizes,
        signatures=request.plan,
        progress=request.progress,
    )


def _try_sizes(request: ExportRequest, judge: NeighborJudge) -> tuple[Candidate[NeighborQuality], ...]:
    """The best table of every size, where a budget or the frontier asks for them."""
    if request.max_bytes is None and not request.frontier:
        return ()
    bits = (request.bits,) if request.bits else BITS
    return tuple(try_sizes(judge, request.quantize, bits, plan=request.plan, progress=request.progress))


def _try_methods(
    request: ExportRequest, judge: NeighborJudge, sizes: tuple[Candidate[NeighborQuality], ...]
) -> Tried[NeighborQuality]:
    if request.most_bytes is not None:
        return Tried(choose_within(sizes, request.most_bytes))
    dims = judge.vectors.shape[1] if request.dims is None else request.dims
    bits = request.bits or 8
    return try_methods(judge, dims, bits, request.quantize, plan=request.plan, progress=request.progress)


def _report(request: ExportRequest, job: ExportJob, exported: Exported) -> None:
    if request.frontier:
        from export.report.chart import write_frontier  # it imports matplotlib

        folder, files = Path(request.frontier), []
        for candidate in find_frontier(job.sizes):  # each shows what it keeps; none is refused for it
            out = folder / f"{job.labels.name}-{candidate.name}.tflite"
            point = replace(job, tried=Tried(candidate), out=out, least_overlap=0.0, progress=False)
            files.append(write_file(point))
        write_frontier(exported, files, folder)
    if request.report:
        from export.report.page import write_report

        write_report(exported, Path(request.report))
