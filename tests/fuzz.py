"""Damages a real file in many ways and holds that nothing but typed errors or right answers come of it.

`python -m tests.fuzz --file build/meals.tflite --cases 100000` harms the file as it is: its digest no longer fits, so
it must be refused, whatever engine was asked for, and the error must name the part that was harmed. It then harms it in
as many cases and seals it with a right digest: an answer that rests on intact parts alone must be that of the whole
file, any other may be one or an error of mignon. The exit status is 1 where anything else came of a case. A case that
crashes the process or hangs it is left in `case.tflite` below `--out`.
"""

from __future__ import annotations

import argparse
import faulthandler
import hashlib
import io
import json
import math
import random
import sys
import traceback
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from tqdm import tqdm

from device_runtime import Recommender
from device_runtime.errors import DamagedFileError, InvalidArgumentError, MignonError, ModelFileError
from device_runtime.format.layout import DIGEST_LENGTH, MANIFEST, SEAL
from device_runtime.format.model_file import ModelFile

RAW, SEALED = "raw", "sealed"
ENGINES = ("auto", "numpy", "tflite")
SECONDS_ALLOWED = 20
MEMORY_ALLOWED = 1 << 30
_HEADER_SIZE, _RECORD_SIZE, _END_SIZE = 30, 46, 22
_SHARED = ((6, 2), (8, 2), (10, 4), (14, 4), (18, 4), (22, 4), (26, 2))  # offset in a header and bytes of a field
_ODD_TEXTS = ("", "\t", "\n", "|", "\0", "\r\n", "é" * 99, "9" * 5000, "-1\t", "0\ta\tb\tc\n", "\u202e", "\U0001f95e")
_ODD_VALUES: tuple[Any, ...] = (
    None, True, -1, 0, 1, 3, 4, 8.0, 1e308, 5e-324, -0.0, math.nan, math.inf, 1 << 31, 1 << 63, 10**4000, "", "8",
    [], {},
)  # fmt: skip


class FindingError(Exception):
    """What must not come of a case."""


class Whole(NamedTuple):
    """The file before any harm.

    Attributes:
        regions: (start, stop, the part that an error names); not all of the file.
        asked: the questions, which have answers.
    """

    data: bytes
    flatbuffer: bytes
    entries: dict[str, bytes]
    regions: tuple[tuple[int, int, str], ...]
    headers: tuple[tuple[int, int], ...]
    asked: Asked
    parts: dict[str, Any]
    answers: dict[str, Any]

    @classmethod
    def read(cls, path: Path) -> Whole:
        model = ModelFile.open(path)
        data = path.read_bytes()
        entries = {name: model.data(name) for name, _ in model.entries()}
        asked = Asked.of(model)
        return cls(
            data,
            data[: model.flatbuffer_size()],
            entries,
            tuple(_regions(model, len(data))),
            tuple(_headers(data)),
            asked,
            _parts(model),
            _answers(Recommender(model, "numpy"), asked),
        )


class Asked(NamedTuple):
    """What is asked of every file: about these ids, this name, these attributes."""

    ids: list[str]
    name: str
    where: dict[str, str]
    place: dict[str, str]

    @classmethod
    def of(cls, model: ModelFile) -> Asked:
        names, records = model.lines("names.txt"), model.records("attributes.tsv", 2)
        if not records:
            raise InvalidArgumentError(f"{model.filename}: no item has an attribute; give a file whose items have some")
        _, (attribute, values) = records[0]
        known, value = model.text("vocabulary.tsv").split("\n")[0].split("\t")
        return cls(
            model.lines("ids.txt")[:4], names[len(names) // 2], {attribute: values.split("|")[0]}, {known: value}
        )


_CATALOG = ("ids.txt", "names.txt")
_RESTS_ON = {
    "info": (MANIFEST,),
    "find": (*_CATALOG, "aliases.tsv", "attributes.tsv", "vocabulary.tsv", "folding.tsv", "rows"),
    "similar": (*_CATALOG, "table"),
    "recommend": (*_CATALOG, "table"),
    "where": (*_CATALOG, "table", "attributes.tsv"),
    "place": (*_CATALOG, "table", "vocabulary.tsv", "vocabulary.int8"),
    "vector": (*_CATALOG, "table"),
    "score": (*_CATALOG, "table"),
}


def _answers(recommender: Recommender, asked: Asked) -> dict[str, Any]:
    """Every answer, or the error of mignon that came instead."""
    ids = asked.ids
    questions: dict[str, Callable[[], Any]] = {
        "info": lambda: json.dumps(recommender.manifest.as_record()),
        "find": lambda: recommender.find(asked.name),
        "similar": lambda: recommender.similar(ids[0], 5),
        "recommend": lambda: recommender.recommend(ids, 10),
        "where": lambda: recommender.recommend(ids[:2], 5, where=asked.where, diversify=0.5),
        "place": lambda: recommender.search(recommender.place(asked.place), 5),
        "vector": lambda: recommender.vector(ids[1]).tolist(),
        "score": lambda: recommender.score(ids[0], ids[1]),
    }
    answers: dict[str, Any] = {}
    for name, question in questions.items():
        try:
            answers[name] = question()
        except MignonError as error:  # noqa: PERF203 - each question by itself
            if "\n" in str(error):
                raise FindingError(f"{name}: an error of several lines: {error}") from error
            answers[name] = error
    return answers


def _parts(model: ModelFile) -> dict[str, Any]:
    """What answers rest on, as it can be read."""
    parts: dict[str, Any] = {
        "table": (model.table.shape, model.manifest.scale, model.table.tobytes()),
        "rows": model.manifest.rows,
    }
    for name, _ in model.entries():
        try:
            parts[name] = model.data(name)
        except ModelFileError:  # noqa: PERF203 - each entry by itself
            parts[name] = None
    return parts


def _headers(data: bytes) -> Iterator[tuple[int, int]]:
    """Where the header of each entry is, and its record in the directory."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        record = archive.start_dir
        for info in archive.infolist():
            yield info.header_offset, record
            record += _RECORD_SIZE + len(info.filename)


def _regions(model: ModelFile, size: int) -> Iterator[tuple[int, int, str]]:
    """Where each part starts and ends, and how an error names it."""
    manifest = model.manifest
    start = model.flatbuffer_size()
    if manifest.table_crc32 is not None:
        table, end = manifest.table_offset, manifest.table_offset + manifest.table_bytes
        yield 0, table, "graph"
        yield table, end, "table"
        yield end, start, "graph"
        yield size - DIGEST_LENGTH, size, "digest"
    for name, stored in model.entries():
        stop = start + _HEADER_SIZE + len(name) + stored
        yield start, stop, name
        start = stop


def harmed(data: bytes, chance: random.Random) -> bytes:
    """`data` with one harm of a random kind, at a random place, of a random size."""
    start = chance.randrange(len(data))
    stop = start + chance.randint(1, min(len(data) - start, chance.choice((1, 2, 16, 300, 4096, len(data)))))
    middle = chance.randint(start, stop)
    before, block, after = data[:start], data[start:stop], data[stop:]
    noise, zeros, flipped = chance.randbytes(len(block)), bytes(len(block)), _flipped(data, chance)
    return chance.choice(
        (
            *(flipped, flipped, flipped),
            before,
            before + after,
            before + chance.choice((noise, zeros, block)) + block + after,
            before + data[middle:stop] + data[start:middle] + after,
            data + chance.choice((noise, block, data)),
            before + noise + after,
            before + zeros + after,
        )
    )


def _flipped(data: bytes, chance: random.Random) -> bytes:
    """With 1 to 8 bits flipped; half of the time near the end, where the archive is."""
    bad = bytearray(data)
    first = chance.choice((0, max(0, len(bad) - 1000)))
    for _ in range(chance.choice((1, 1, 1, 2, 8))):
        bad[chance.randrange(first, len(bad))] ^= 1 << chance.randrange(8)
    return bytes(bad)


def sealed(data: bytes) -> bytes:
    """`data` with the right digest in place of its last bytes."""
    return data[:-DIGEST_LENGTH] + hashlib.sha256(data[:-DIGEST_LENGTH]).hexdigest().encode()


def _harmed_behind_the_seal(whole: Whole, chance: random.Random) -> bytes:
    kind = chance.randrange(4)
    if kind == 0:
        return sealed(harmed(whole.data[:-DIGEST_LENGTH], chance) + bytes(DIGEST_LENGTH))
    if kind == 1:
        return sealed(_with_odd_fields(whole, chance))
    entries = dict(whole.entries)
    flatbuffer = whole.flatbuffer
    for name in chance.sample(list(entries), chance.choice((1, 1, 1, 2))):
        change = _odd_manifest if name == MANIFEST and chance.random() < 0.8 else _odd_content
        entries[name] = change(entries[name], chance)
    if chance.random() < 0.1:
        del entries[chance.choice(list(entries))]
    if chance.random() < 0.2:
        flatbuffer = harmed(flatbuffer, chance)
    return sealed(_packed(flatbuffer, entries))


def _with_odd_fields(whole: Whole, chance: random.Random) -> bytes:
    """With a field of an entry changed where the header and the directory say it both, or one of the end record."""
    bad = bytearray(whole.data)
    if chance.random() < 0.3:
        end = len(bad) - DIGEST_LENGTH - len(SEAL) - _END_SIZE
        places, size = [end + chance.choice((4, 6, 8, 10, 12, 16, 20))], chance.choice((1, 2, 4))
    else:
        header, record = chance.choice(whole.headers)
        offset, size = chance.choice(_SHARED)
        places = [header + offset, record + offset + 2]
    small = chance.randrange(99).to_bytes(size, "little")
    value = chance.choice((bytes(size), b"\xff" * size, chance.randbytes(size), small))
    for place in places:
        bad[place : place + size] = value
    return bytes(bad)


def _odd_manifest(content: bytes, chance: random.Random) -> bytes:
    manifest = json.loads(content)
    for name in chance.sample(list(manifest), chance.choice((1, 1, 2))):
        value = manifest[name]
        if chance.random() < 0.1:
            del manifest[name]
        elif isinstance(value, int) and chance.random() < 0.5:
            manifest[name] = max(0, value + chance.choice((-16, -1, 1, 16, value, 16 * value)))
        else:
            manifest[name] = chance.choice(_ODD_VALUES)
    text = json.dumps(manifest)
    if chance.random() < 0.02:
        text = text[:-1] + ', "quality": ' + '{"a": ' * 900 + "0" + "}" * 900 + "}"
    return text.encode()


def _odd_content(content: bytes, chance: random.Random) -> bytes:
    kind = chance.randrange(5)
    if kind == 0 and content:
        return harmed(content, chance)
    lines = content.split(b"\n")
    one, other = chance.randrange(len(lines)), chance.randrange(len(lines))
    if kind == 1:
        lines[one], lines[other] = lines[other], lines[one]
    elif kind == 2:
        lines.insert(one, lines[other])
    elif kind == 3:
        del lines[one]
    else:
        at = chance.randint(0, len(lines[one]))
        lines[one] = lines[one][:at] + chance.choice(_ODD_TEXTS).encode() + lines[one][at:]
    return b"\n".join(lines)


def _packed(flatbuffer: bytes, entries: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    stream.write(flatbuffer)
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in entries.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
        archive.comment = SEAL + bytes(DIGEST_LENGTH)
    return stream.getvalue()


def _judge_raw(whole: Whole, path: Path, bad: bytes, chance: random.Random) -> str:
    try:
        Recommender.open(path, engine=chance.choice(ENGINES))
    except ModelFileError as error:
        _check_message(whole, path, bad, error)
        return f"{type(error).__name__}, {_damaged_part(error)}"
    if bad == whole.data:
        return "unharmed"
    raise FindingError("a damaged file was opened")


def _check_message(whole: Whole, path: Path, bad: bytes, error: ModelFileError) -> None:
    if str(path) not in str(error) or "\n" in str(error):
        raise FindingError(f"an error that is not one line with the path: {error}") from error
    if whole.data.startswith(bad) and len(bad) >= 8 and _damaged_part(error) is not None:
        raise FindingError(f"a file cut short, of which it is said: {error}") from error
    if len(bad) == len(whole.data):
        changed = np.flatnonzero(np.frombuffer(bad, np.uint8) != np.frombuffer(whole.data, np.uint8))
        for start, stop, part in whole.regions:
            if not (start <= changed[0] and changed[-1] < stop) or _damaged_part(error) == part:
                continue
            if _damaged_part(error) != "digest" or not _inflates_to(bad, whole.entries):
                raise FindingError(f"bytes {changed[0]} to {changed[-1]}, of {part}, but {error!r}") from error


def _damaged_part(error: ModelFileError) -> str | None:
    return error.part if isinstance(error, DamagedFileError) else "not damaged"


def _inflates_to(data: bytes, entries: dict[str, bytes]) -> bool:
    """Whether the entries are as they should be all the same: the last bits of a deflated one carry nothing."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return entries == {name: archive.read(name) for name in archive.namelist()}


def _judge_sealed(whole: Whole, path: Path) -> str:
    try:
        model = ModelFile.open(path)
        answers = _answers(Recommender(model, "numpy"), whole.asked)
    except ModelFileError as error:
        return type(error).__name__
    parts = _parts(model)
    for name, answer in answers.items():
        intact = all(parts.get(part) == whole.parts[part] for part in _RESTS_ON[name])
        if intact and answer != whole.answers[name]:
            raise FindingError(f"{name}: {answer!r} from intact parts that answer {whole.answers[name]!r}")
    failed = sorted({type(answer).__name__ for answer in answers.values() if isinstance(answer, MignonError)})
    return "answered" + "".join(f", {name}" for name in failed)


def fuzz(source: Path, out: Path, mode: str, cases: range, seed: int, progress: bool) -> tuple[Counter[str], list[str]]:
    """Judges `cases` of one mode: how often each came out how, and the findings, of which the first of a kind is kept.

    A case is made from the seed, the mode and its number alone.
    """
    out.mkdir(parents=True, exist_ok=True)
    whole, path = Whole.read(source), out / "case.tflite"
    outcomes: Counter[str] = Counter()
    findings: dict[str, str] = {}
    for case in tqdm(cases, desc=mode, unit="case", disable=not progress):
        chance = random.Random(f"{seed} {mode} {case}")
        bad = harmed(whole.data, chance) if mode == RAW else _harmed_behind_the_seal(whole, chance)
        path.unlink(missing_ok=True)  # what is mapped must not change
        path.write_bytes(bad)
        faulthandler.dump_traceback_later(SECONDS_ALLOWED, exit=True)
        try:
            outcomes[_judge_raw(whole, path, bad, chance) if mode == RAW else _judge_sealed(whole, path)] += 1
        except Exception as error:  # noqa: BLE001 - any other is what is looked for
            last = traceback.extract_tb(error.__traceback__)[-1]
            kind = f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno}"
            outcomes[f"FINDING: {kind}"] += 1
            if kind not in findings:
                kept = path.rename(out / f"finding-{mode}-{seed}-{case}.tflite")
                kept.with_suffix(".txt").write_text("".join(traceback.format_exception(error)), "utf-8")
                findings[kind] = f"{kept}: {type(error).__name__}: {str(error)[:300]}"
        finally:
            faulthandler.cancel_dump_traceback_later()
    path.unlink(missing_ok=True)
    return outcomes, list(findings.values())


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the modes asked for; returns 1 where there is a finding."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__.split("\n\n")[0])
    parser.add_argument("--file", type=Path, default=Path("build/meals.tflite"), help="default: %(default)s")
    parser.add_argument("--out", type=Path, default=Path("build/fuzz"), help="for findings (default: %(default)s)")
    parser.add_argument("--mode", choices=(RAW, SEALED), help="default: both, one after the other")
    parser.add_argument("--cases", type=int, default=1000, help="of each mode (default: %(default)s)")
    parser.add_argument("--first", type=int, default=0, help="number of the first case (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    parser.add_argument("--no-progress", action="store_true")
    arguments = parser.parse_args(argv)
    faulthandler.enable()
    _limit_memory()
    try:
        return _fuzz_modes(arguments)
    except MignonError as error:
        print(f"fuzz: {error}", file=sys.stderr)
        return 2


def _fuzz_modes(arguments: argparse.Namespace) -> int:
    found = 0
    for mode in [arguments.mode] if arguments.mode else [RAW, SEALED]:
        cases = range(arguments.first, arguments.first + arguments.cases)
        outcomes, findings = fuzz(arguments.file, arguments.out, mode, cases, arguments.seed, not arguments.no_progress)
        print(f"{mode}: {len(cases):,} cases, {len(findings)} kinds of findings")
        for outcome, count in outcomes.most_common():
            print(f"{count:9,}  {outcome}")
        for finding in findings:
            print(finding, file=sys.stderr)
        found += len(findings)
    return 1 if found else 0


def _limit_memory() -> None:
    """So that asking for far too much is an error, and a finding; where there are no limits, there is none."""
    try:
        import resource
    except ImportError:
        return
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY_ALLOWED, resource.RLIM_INFINITY))


if __name__ == "__main__":
    raise SystemExit(main())
