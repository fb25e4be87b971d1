"""The exported file against the naive path: the same Keras model through TFLiteConverter, as one would write it first.

Every file is asked through its signature `recommend`, by each interpreter in an environment of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from statistics import median
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from tabulate import tabulate

from benchmarks.converter import worker as ask
from benchmarks.converter.convert import convert, stored_tables
from device_runtime.errors import InvalidArgumentError, MissingEngineError
from device_runtime.format.model_file import ModelFile
from device_runtime.scoring.top_k import top_k
from export.tflite.lint import Fault, lint
from export.verification import engines as gate
from training import trained
from training.console.files import replacing

OURS = "mignon"
ENVIRONMENTS = tuple(Path(__file__).parents[2] / ".venv" / "light" / name for name in ("tflite", "litert"))
BASKETS = 1000
ROUNDS = 2000
PROCESSES = 7
FAVORITES = 8
K = 10
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

Question = tuple[list[int], int]
Ids = list[int]
_T = TypeVar("_T")


@dataclass(frozen=True)
class Answers:
    """What a file answers on one interpreter.

    Attributes:
        overlap_at_10: the share of the ten nearest items by the float table that is kept, over all items; one within
            `gate.TIE` of the tenth float score counts as kept.
        strict_overlap_at_10: the same without that allowance.
        exact_baskets: baskets whose ids, in order, are those of exact arithmetic on the numbers stored in the file.
        microseconds: the median of an answer of the signature alone, with FAVORITES ids in and K others out.
        ratio_to_ours: `microseconds` by those of our file in the same process.
        anonymous_bytes: how much a fresh process grows by loading and the first answer, the median of several; what
            the interpreter itself needs is part of it.
    """

    overlap_at_10: float
    strict_overlap_at_10: float
    exact_baskets: int
    microseconds: float
    ratio_to_ours: float | None
    anonymous_bytes: int


@dataclass(frozen=True)
class OnInterpreter:
    """One file on one interpreter: what it answers, or the error with which it is refused."""

    interpreter: str
    error: str | None
    answers: Answers | None


@dataclass(frozen=True)
class Row:
    """What was measured of one file.

    Attributes:
        flatbuffer_bytes: what an interpreter reads.
        file_bytes: the whole file; ours has the catalog as well.
        drops_favorites: `recommend` leaves the favorites out by itself; from another file as many more ids are asked.
        faults: what `python -m export lint` reports.
        baskets: random baskets that were asked.
        equal_baskets: those with the same ids in the same order on all interpreters; None where one refuses the file.
        score_difference: the greatest between two interpreters, over the ids that both return for a basket.
    """

    name: str
    flatbuffer_bytes: int
    file_bytes: int
    drops_favorites: bool | None
    faults: tuple[Fault, ...]
    baskets: int
    equal_baskets: int | None
    score_difference: float | None
    interpreters: tuple[OnInterpreter, ...]


@dataclass(frozen=True)
class _Asked:
    """Favorites, and how many others are wanted: every item alone, random baskets, and those that are timed."""

    items: list[Question]
    baskets: list[Question]
    timed: list[Question]


@dataclass(frozen=True)
class _Reply:
    """What an interpreter returned: others than the favorites, best first, and for baskets the score of each row."""

    interpreter: str
    error: str | None
    drops_favorites: bool
    others_of_items: list[Ids]
    others_of_baskets: list[Ids]
    scores: list[dict[int, float]]


@dataclass(frozen=True)
class _Bench:
    """All that is known of the files before each is judged; `replies` and `seconds` are in order of `environments`."""

    environments: tuple[Path, ...]
    files: dict[str, Path]
    asked: _Asked
    judge: gate.Judge
    replies: dict[str, tuple[_Reply, ...]]
    seconds: tuple[dict[str, float], ...]
    processes: int


def compare(  # noqa: PLR0913 - the last four are for quick runs and other machines
    folder: Path,
    file: Path,
    out: Path,
    *,
    environments: Sequence[Path] = ENVIRONMENTS,
    baskets: int = BASKETS,
    rounds: int = ROUNDS,
    processes: int = PROCESSES,
) -> list[Row]:
    """Converts the Keras model of `folder` in each naive way; measures those files and `file`, which comes last.

    Args:
        folder: a trained folder.
        file: its export.
        out: the naive files are kept in `out / "naive"`.
        environments: virtual environments with numpy and one interpreter each.
        baskets: how many random baskets to ask.
        rounds: how many questions to time.
        processes: how many processes to measure memory in, for each file on each interpreter.

    Raises:
        TrainedFolderError: `folder` is not a whole trained folder.
        ModelFileError: `file` is not a whole export.
        InvalidArgumentError: there are too few items for a basket of FAVORITES and others.
        MissingEngineError: one of the environments does not answer.
    """
    _check_environments(environments)
    table = trained.load(folder).table
    if len(table) <= FAVORITES:
        raise InvalidArgumentError(f"{folder}: has {len(table)} items; give one with more than {FAVORITES}")
    ModelFile.open(file)  # refuses a damaged one before anything is converted
    asked = _questions(len(table), baskets, rounds)
    files = {**convert(folder, out / "naive"), OURS: file}
    replies = {name: tuple(_reply(e, path, asked) for e in environments) for name, path in files.items()}
    seconds = []
    for i, environment in enumerate(environments):
        loaded = {name: (files[name], _adjusted(asked.timed, r[i])) for name, r in replies.items() if not r[i].error}
        seconds.append(_ask(environment, "times", loaded)[1] if loaded else {})
    bench = _Bench(tuple(environments), files, asked, gate.Judge(table), replies, tuple(seconds), processes)
    return [_row(bench, name) for name in files]


def table_of(rows: Sequence[Row]) -> str:
    """The measures, one a line, and a column for each file; "-" where a file is refused."""
    lines = [*_lines_of_files(rows), *_lines_between_interpreters(rows)]
    for i, on in enumerate(rows[0].interpreters):
        lines += _lines_on_interpreter(on.interpreter, [row.interpreters[i] for row in rows])
    headers = ["", *(row.name for row in rows)]
    return tabulate(lines, headers, disable_numparse=True, colalign=["left", *["right"] * len(rows)])


def refusals(rows: Sequence[Row]) -> list[str]:
    """One line for each file that an interpreter refuses, with the first line of its error."""
    return [
        f"{row.name} on {on.interpreter}: {on.error.splitlines()[0]}"
        for row in rows
        for on in row.interpreters
        if on.error
    ]


def write(rows: Sequence[Row], out: Path) -> None:
    """Writes `naive.json`: all that was measured, the errors and faults in full."""
    with replacing(out / "naive.json") as temporary:
        temporary.write_text(json.dumps([asdict(row) for row in rows], indent=2) + "\n", "utf-8")


def _check_environments(environments: Sequence[Path]) -> None:
    for environment in environments:
        if not _python(environment).exists():
            raise MissingEngineError(f"{environment}: has no bin/python; `make test` makes the light environments")


def _python(environment: Path) -> Path:
    return environment / "bin" / "python"


def _questions(rows: int, baskets: int, rounds: int, seed: int = 1) -> _Asked:
    rng = np.random.default_rng(seed)
    return _Asked(
        items=[_question([row], rows) for row in range(rows)],
        baskets=[_question(basket.tolist(), rows) for basket, _ in gate.baskets(rows, baskets, seed)],
        timed=[_question(rng.choice(rows, FAVORITES, replace=False).tolist(), rows) for _ in range(rounds)],
    )


def _question(favorites: Ids, rows: int) -> Question:
    return favorites, min(K, rows - len(favorites))


def _with_favorites(questions: Sequence[Question]) -> list[Question]:
    return [(favorites, others + len(favorites)) for favorites, others in questions]


def _adjusted(questions: Sequence[Question], reply: _Reply) -> list[Question]:
    """What to ask a file for so that as many others come back as are wanted."""
    return list(questions) if reply.drops_favorites else _with_favorites(questions)


def _ask(environment: Path, what: str, files: Mapping[str, tuple[Path, Sequence[Question]]]) -> tuple[str, Any]:
    """The interpreter of `environment`, and the result of `what` as `benchmarks.converter.worker` describes it."""
    request = {name: {"path": str(path.resolve()), "questions": asked} for name, (path, asked) in files.items()}
    done = subprocess.run(  # noqa: S603 - our own script
        [_python(environment), "-I", ask.__file__, what],
        input=json.dumps(request),
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | _ONE_THREAD,
    )
    if done.returncode:
        last = (done.stderr.splitlines() or ["no message"])[-1]
        raise MissingEngineError(
            f"{environment}: asking for {what} of {', '.join(files)} ended with status {done.returncode} ({last})"
        )
    reply = json.loads(done.stdout)
    return reply["interpreter"], reply["result"]


def _reply(environment: Path, path: Path, asked: _Asked) -> _Reply:
    questions = [*asked.items, *asked.baskets]
    interpreter, result = _ask(environment, "answers", {"file": (path, _with_favorites(questions))})
    error, ids, scores = (result["file"][key] for key in ("error", "ids", "scores"))
    if error is not None:
        return _Reply(interpreter, error, False, [], [], [])
    drops = not any(set(favorites) & set(rows) for (favorites, _), rows in zip(questions, ids, strict=True))
    others = [_others(question, rows) for question, rows in zip(questions, ids, strict=True)]
    scored = [dict(zip(rows, values, strict=True)) for rows, values in zip(ids, scores, strict=True)]
    count = len(asked.items)
    return _Reply(interpreter, None, drops, others[:count], others[count:], scored[count:])


def _others(question: Question, ids: Ids) -> Ids:
    favorites, wanted = question
    return [row for row in ids if row not in favorites][:wanted]


def _row(bench: _Bench, name: str) -> Row:
    path, replies = bench.files[name], bench.replies[name]
    everywhere = all(reply.error is None for reply in replies)
    expected = _exact(*_tables(name, path), bench.asked.baskets)
    size = path.stat().st_size
    return Row(
        name=name,
        flatbuffer_bytes=ModelFile.open(path).flatbuffer_size() if name == OURS else size,
        file_bytes=size,
        drops_favorites=next((reply.drops_favorites for reply in replies if not reply.error), None),
        faults=tuple(lint(path)),
        baskets=len(bench.asked.baskets),
        equal_baskets=_equal_baskets(replies) if everywhere else None,
        score_difference=_score_difference(replies) if everywhere else None,
        interpreters=tuple(_on_interpreter(bench, name, i, expected) for i in range(len(replies))),
    )


def _on_interpreter(bench: _Bench, name: str, i: int, expected: Sequence[Ids]) -> OnInterpreter:
    reply = bench.replies[name][i]
    if reply.error is not None:
        return OnInterpreter(reply.interpreter, reply.error, None)
    kept, strict = bench.judge.kept(np.array(reply.others_of_items)[bench.judge.sample])
    seconds, ours = bench.seconds[i][name], bench.seconds[i].get(OURS)
    answers = Answers(
        overlap_at_10=float(kept.mean()),
        strict_overlap_at_10=float(strict.mean()),
        exact_baskets=sum(a == b for a, b in zip(reply.others_of_baskets, expected, strict=True)),
        microseconds=1e6 * seconds,
        ratio_to_ours=seconds / ours if ours else None,
        anonymous_bytes=_anonymous_bytes(bench, name, i),
    )
    return OnInterpreter(reply.interpreter, None, answers)


def _anonymous_bytes(bench: _Bench, name: str, i: int) -> int:
    asked = {name: (bench.files[name], _adjusted(bench.asked.timed[:1], bench.replies[name][i]))}
    return int(median(_ask(bench.environments[i], "memory", asked)[1][name] for _ in range(bench.processes)))


def _equal_baskets(replies: Sequence[_Reply]) -> int:
    first, *rest = (reply.others_of_baskets for reply in replies)
    return sum(all(other[i] == ids for other in rest) for i, ids in enumerate(first))


def _score_difference(replies: Sequence[_Reply]) -> float:
    return max(
        abs(a[row] - b[row])
        for one, other in combinations(replies, 2)
        for a, b in zip(one.scores, other.scores, strict=True)
        for row in a.keys() & b.keys()
    )


def _exact(looked_up: NDArray[np.float64], multiplied: NDArray[np.float64], questions: Sequence[Question]) -> list[Ids]:
    """The answers by the numbers that a file stores, ties by the lower row.

    Each score is summed alike, not by a matrix product, so that equal rows have equal scores.
    """
    answers = []
    for favorites, wanted in questions:
        scores = (multiplied * looked_up[favorites].sum(axis=0)).sum(axis=1)
        ranked: Ids = top_k(scores, wanted + len(favorites)).tolist()
        answers.append(_others((favorites, wanted), ranked))
    return answers


def _tables(name: str, path: Path) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if name != OURS:
        return stored_tables(path)
    table = ModelFile.open(path).table.astype(np.float64)
    return table, table


def _lines_of_files(rows: Sequence[Row]) -> list[list[str]]:
    rules = dict.fromkeys(fault.rule for row in rows for fault in row.faults)
    return [
        ["bytes of the flatbuffer", *(f"{row.flatbuffer_bytes:,}" for row in rows)],
        ["bytes of the file, with our catalog", *(f"{row.file_bytes:,}" for row in rows)],
        ["leaves the favorites out", *(_shown(row.drops_favorites, lambda x: "yes" if x else "no") for row in rows)],
        ["faults by lint", *(str(len(row.faults)) for row in rows)],
        *([f"- {rule}", *(_count(fault.rule == rule for fault in row.faults) for row in rows)] for rule in rules),
    ]


def _lines_between_interpreters(rows: Sequence[Row]) -> list[list[str]]:
    return [
        ["baskets with equal ids on both", *(_shown(row.equal_baskets, lambda n: f"{n:,}") for row in rows)],
        ["greatest difference of scores", *(_shown(row.score_difference, lambda x: f"{x:.1e}") for row in rows)],
    ]


def _lines_on_interpreter(interpreter: str, found: Sequence[OnInterpreter]) -> list[list[str]]:
    measures: dict[str, Callable[[Answers], str]] = {
        "- overlap@10 with float": lambda a: f"{a.overlap_at_10:.4f}",
        "- overlap@10, strict": lambda a: f"{a.strict_overlap_at_10:.4f}",
        "- baskets as exact arithmetic": lambda a: f"{a.exact_baskets:,}",
        "- µs an answer": lambda a: f"{a.microseconds:.1f}",
        "- times ours": lambda a: _shown(a.ratio_to_ours, lambda x: f"{x:.2f}"),
        "- KB of anonymous memory": lambda a: f"{a.anonymous_bytes / 1000:,.0f}",
    }
    lines = [[name, *(_shown(on.answers, show) for on in found)] for name, show in measures.items()]
    return [[f"{interpreter} loads it", *("no" if on.error else "yes" for on in found)], *lines]


def _count(matches: Iterable[bool]) -> str:
    return str(sum(matches) or "-")


def _shown(value: _T | None, show: Callable[[_T], str]) -> str:
    return "-" if value is None else show(value)
