"""What an export is to be: the arguments of `export.export_file` and of the command."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from device_runtime.arguments import parse_bytes
from device_runtime.format.layout import CONTROL_CHARACTERS
from export.errors import ExportError
from export.outputs import check_outputs
from export.tflite.plan import FAVORITES, RESULTS, SIGNATURES, SignaturePlan
from training.trained_folder import check_digests

Method = Literal["auto", "ptq", "qat"]
METHODS = get_args(Method)
BITS = (8, 4)


@dataclass(frozen=True)
class Labels:
    """What the file is called, and the license of its data."""

    name: str
    license: str = "unspecified"


@dataclass(frozen=True)
class ExportRequest:
    """One export.

    Attributes:
        folder: a trained folder.
        out: the file to write.
        bits: of an entry, 8 or 4; by default 8, or what is best within `max_bytes`.
        max_bytes: of the flatbuffer, without the catalog; a number, or such as 64KB or 64KiB.
        progress: show bars on standard error.
        dims: fewer than were trained; by default all, or what is best within `max_bytes`.
        quantize: after training (`ptq`), by fine-tuning (`qat`), or the better of both as measured.
        min_overlap: the share, 0 to 1, of the ten nearest that a file has to keep; by default what its size can.
        frontier: a folder for the best file of each size and a chart of them.
        report: an HTML page to write about the export.
        name: of the model; by default that of the file.
        license: of the catalog's data.
        force: replace files that no export wrote, too.
        signatures: what an interpreter can ask the file, some of `export.tflite.plan.SIGNATURES`.
        fixed_favorites, fixed_results: how many the signature `recommend_fixed` takes and gives.
    """

    folder: Path
    out: Path
    bits: int | None = None
    max_bytes: int | str | None = None
    progress: bool = False
    dims: int | None = None
    quantize: Method = "auto"
    min_overlap: float | None = None
    frontier: str | Path | None = None
    report: str | Path | None = None
    name: str | None = None
    license: str = "unspecified"
    force: bool = False
    signatures: str | Sequence[str] = SIGNATURES
    fixed_favorites: int = FAVORITES
    fixed_results: int = RESULTS

    @property
    def plan(self) -> SignaturePlan:
        """The signatures of the file.

        Raises:
            ExportError: there is no such signature, or not of that size.
        """
        return SignaturePlan.parse(self.signatures, self.fixed_favorites, self.fixed_results)

    @property
    def labels(self) -> Labels:
        """As the file will hold them."""
        return Labels(self.name or self.out.stem, self.license)

    @property
    def most_bytes(self) -> int | None:
        """`max_bytes` as a number.

        Raises:
            InvalidArgumentError: it is no number of bytes.
        """
        return None if self.max_bytes is None else parse_bytes(str(self.max_bytes))

    def check(self) -> None:
        """Refuses what no model can be exported as, before anything heavy is imported.

        Raises:
            ExportError, InvalidArgumentError: a path is of the wrong kind, or a value out of its range.
            OutputError: something else than an export would be replaced.
            TrainedFolderError: there is no trained folder.
        """
        for option, text in (("--name", self.labels.name), ("--license", self.license)):
            if not CONTROL_CHARACTERS.isdisjoint(text):
                raise ExportError(f"{option} is {text!r}, which holds a control character or line break; leave it out")
        if self.bits not in {None, *BITS} or self.quantize not in METHODS:
            raise ExportError(f"{self.bits} bits by {self.quantize!r}: give 8 or 4, and one of {', '.join(METHODS)}")
        if self.min_overlap is not None and not 0 <= self.min_overlap <= 1:
            raise ExportError(f"{self.min_overlap} is not a share from 0 to 1; give --min-overlap one")
        if self.dims is not None and self.dims < 1:
            raise ExportError(f"{self.dims} dims were asked for; give 1 or more")
        _ = self.most_bytes, self.plan
        check_outputs(
            self.out,
            Path(self.report) if self.report else None,
            Path(self.frontier) if self.frontier else None,
            name=self.labels.name,
            force=self.force,
        )
        check_digests(self.folder)

    def check_for_interactions(self) -> None:
        """Refuses what only a model of attributes can be exported as: the other has one way to be quantized, one size.

        Raises:
            ExportError: a setting asks for another.
        """
        for_attributes = ("dims", "max_bytes", "frontier", "min_overlap", "report")
        values = {f"--{name.replace('_', '-')}": getattr(self, name) for name in for_attributes}
        given = [option for option, value in values.items() if value is not None and value is not False]
        given += ["--bits 4"] if self.bits == 4 else []
        given += ["--quantize qat"] if self.quantize == "qat" else []
        if given:
            raise ExportError(f"{self.folder}: is a model of what people like, for which there is no {given[0]}")
