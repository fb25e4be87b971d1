"""The exported file against the naive path: the same Keras model through TFLiteConverter, as one would write it first.

Every file is asked through its signature `recommend`, by each interpreter in an environment of its own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.converter import worker
from benchmarks.converter.convert import convert, read_stored_tables
from benchmarks.environments import HAS_TFLITE_RUNTIME, LIGHT, Environment
from device_runtime.errors import InvalidArgumentError
from device_runtime.format.model_file import ModelFile
from device_runtime.scoring.top_k import top_k
from export import lint_file
from export.tflite.lint import Fault
from export.verification.quality import NeighborJudge
from export.verification.questions import draw_baskets
from training import trained

OURS = "mignon"
FAVORITES = 8
K = 10

Question = tuple[list[int], int]
Ids = list[int]


_INTERPRETERS = (LIGHT["tflite"], LIGHT["litert"]) if HAS_TFLITE_RUNTIME else (LIGHT["litert"],)


@dataclass(frozen=True)
class Effort:
    """How much is asked, of which interpreters; less for a quick run.

    Attributes:
        environments: of numpy and one interpreter each.
        baskets: how many random baskets to ask.
        rounds: how many questions to time.
        processes: how many processes to measure memory in, for each file on each interpreter.
    """

    environments: tuple[Environment, ...] = _INTERPRETERS
    baskets: int = 1000
    rounds: int = 2000
    processes: int = 7


FULL_EFFORT = Effort()


@dataclass(frozen=True)
class Answers:
    """What a file answers on one interpreter.

    Attributes:
        overlap_at_10: the share of the ten nearest items by the float table that is kept, over all items; one within
            `TIE` (see `export.verification.quality`) of the tenth float score counts as kept.
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
        drops_favorites: `recommend` leaves the favorites out by itself; other files are asked for as many more ids.
        faults: what `python -m export lint` reports.
        baskets: random baskets that were asked.
        equal_baskets: those with the same ids in the same order on all interpreters; None where one refuses the file.
        score_difference: the greatest between two interpreters, over the ids that both return for a basket.
    """

    name: str
    flatbuffer_bytes: int
    file_bytes: int
    drops_favorites: bool
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
    others_of_items: list[Ids]
    others_of_baskets: list[Ids]
    scores: list[dict[int, float]]


@dataclass(frozen=True)
class _Bench:
    """All that is known of the files before each is judged; `replies` and `seconds` are in order of environments."""

    effort: Effort
    files: dict[str, Path]
    asked: _Asked
    judge: NeighborJudge
    replies: dict[str, tuple[_Reply, ...]]
    seconds: tuple[dict[str, float], ...]


def compare(folder: Path, file: Path, out: Path, effort: Effort = FULL_EFFORT) -> list[Row]:
    """Converts the Keras model of `folder` in each naive way; measures those files and `file`, which comes last.

    Args:
        folder: a trained folder.
        file: its export.
        out: the naive files are kept in `out / "naive"`.

    Raises:
        TrainedFolderError: `folder` is not a whole trained folder.
        ModelFileError: `file` is not a whole export.
        InvalidArgumentError: there are too few items for a basket of FAVORITES and others.
        UnusableEnvironmentError: one of the environments does not answer.
    """
    for environment in effort.environments:
        environment.check()
    table = trained.load(folder).table
    if len(table) <= FAVORITES:
        raise InvalidArgumentError(f"{folder}: has {len(table)} items; give one with more than {FAVORITES}")
    ModelFile.open(file)  # refuses a damaged one before anything is converted
    asked = _questions(len(table), effort)
    files = {**convert(folder, out / "naive"), OURS: file}
    replies = {name: tuple(_reply(e, name, path, asked) for e in effort.environments) for name, path in files.items()}
    seconds = []
    for i, environment in enumerate(effort.environments):
        loaded = {n: (files[n], _questions_to(n, asked.timed)) for n, reply in replies.items() if not reply[i].error}
        seconds.append(_ask(environment, "times", loaded)[1] if loaded else {})
    bench = _Bench(effort, files, asked, NeighborJudge(table), replies, tuple(seconds))
    return [_row(bench, name) for name in files]


def _questions(rows: int, effort: Effort, seed: int = 1) -> _Asked:
    rng = np.random.default_rng(seed)
    return _Asked(
        items=[_question([row], rows) for row in range(rows)],
        baskets=[_question(basket.tolist(), rows) for basket, _ in draw_baskets(rows, effort.baskets, seed)],
        timed=[_question(rng.choice(rows, FAVORITES, replace=False).tolist(), rows) for _ in range(effort.rounds)],
    )


def _question(favorites: Ids, rows: int) -> Question:
    return favorites, min(K, rows - len(favorites))


def _questions_to(name: str, questions: Sequence[Question]) -> list[Question]:
    """What to ask a file for so that as many others come back as are wanted."""
    return [(favorites, others + (0 if name == OURS else len(favorites))) for favorites, others in questions]


def _ask(environment: Environment, what: str, files: Mapping[str, tuple[Path, Sequence[Question]]]) -> tuple[str, Any]:
    """The interpreter of `environment`, and the result of `what` as `benchmarks.converter.worker` describes it."""
    request = {name: {"path": str(path.resolve()), "questions": asked} for name, (path, asked) in files.items()}
    reply = json.loads(environment.run("-I", worker.__file__, what, text=json.dumps(request)))
    return reply["interpreter"], reply["result"]


def _reply(environment: Environment, name: str, path: Path, asked: _Asked) -> _Reply:
    questions = [*asked.items, *asked.baskets]
    interpreter, result = _ask(environment, "answers", {name: (path, _questions_to(name, questions))})
    error, ids, scores = (result[name][key] for key in ("error", "ids", "scores"))
    if error is not None:
        return _Reply(interpreter, error, [], [], [])
    others = [_others(question, rows) for question, rows in zip(questions, ids, strict=True)]
    scored = [dict(zip(rows, values, strict=True)) for rows, values in zip(ids, scores, strict=True)]
    count = len(asked.items)
    return _Reply(interpreter, None, others[:count], others[count:], scored[count:])


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
        drops_favorites=name == OURS,
        faults=tuple(lint_file(path)),
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
    asked = {name: (bench.files[name], _questions_to(name, bench.asked.timed[:1]))}
    environment = bench.effort.environments[i]
    return int(median(_ask(environment, "memory", asked)[1][name] for _ in range(bench.effort.processes)))


def _equal_baskets(replies: Sequence[_Reply]) -> int:
    first, *rest = (reply.others_of_baskets for reply in replies)
    return sum(all(other[i] == ids for other in rest) for i, ids in enumerate(first))


def _score_difference(replies: Sequence[_Reply]) -> float:
    differences = (
        abs(a[row] - b[row])
        for one, other in combinations(replies, 2)
        for a, b in zip(one.scores, other.scores, strict=True)
        for row in a.keys() & b.keys()
    )
    return max(differences, default=0.0)


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
        return read_stored_tables(path)
    table = ModelFile.open(path).table.astype(np.float64)
    return table, table
