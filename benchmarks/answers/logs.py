"""Dislikes by a model of what people like: a suggestion that a person did not want is disliked, or only left out.

Persons are held out of training; of each a part of what they had is given, and what is suggested first of all that they
did not have is what they dislike, or of a log with ratings what they rated low. Then the list is asked for again.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.output import format_table
from device_runtime import Recommender
from training.console.quiet_tensorflow import import_tensorflow
from training.evaluation.splits import Split, hold_out_users
from training.inputs.interactions import read_interactions

_ANSWERS = 10
_MOST_DISLIKES = 3
_PERSONS = 1000


@dataclass(frozen=True)
class Outcome:
    """Of all persons held out.

    Attributes:
        recall: the share of the wanted items, of up to ten, that are among the ten answers.
        to_disliked: the mean cosine of the answers to what is disliked.
    """

    rule: str
    dislikes: int
    persons: int
    recall: float
    to_disliked: float


class _Person(NamedTuple):
    given: list[str]
    wanted: set[str]


def measure(log: Path, seed: int = 0) -> list[Outcome]:
    """Leaving out and disliking one to three suggestions, through the exported file."""
    import_tensorflow()
    interactions = read_interactions(log)
    split = hold_out_users(interactions.matrix, seed)
    with tempfile.TemporaryDirectory() as folder:
        recommender = _exported(interactions.items, split, seed, Path(folder) / "likes.tflite")
        everybody = _each_person(interactions.items, split, set(recommender.file.lines("ids.txt")))
        persons = [person for person in everybody if person.given][:_PERSONS]
        results = []
        for count in range(1, _MOST_DISLIKES + 1):
            disliked = [_unwanted(recommender, person, count) for person in persons]
            results.append(_measure(recommender, "leaving them out", persons, disliked, "exclude"))
            results.append(_measure(recommender, "disliking them", persons, disliked, "dislikes"))
    return results


def measure_rated(seed: int = 0) -> list[Outcome]:
    """Leaving out and disliking what persons rated low in a generated log (see `rated`)."""
    from benchmarks.answers.rated import generate_ratings

    import_tensorflow()
    log = generate_ratings(seed)
    split = hold_out_users(log.liked(), seed)
    with tempfile.TemporaryDirectory() as folder:
        recommender = _exported(log.items, split, seed, Path(folder) / "likes.tflite")
        known = set(recommender.file.lines("ids.txt"))
        results = []
        everybody = zip(split.users.tolist(), _each_person(log.items, split, known), strict=True)
        persons = [(person, [item for item in log.disliked(user) if item in known]) for user, person in everybody]
        for count in range(1, _MOST_DISLIKES + 1):
            asked = [(person, low[:count]) for person, low in persons if person.given and len(low) >= count][:_PERSONS]
            some, disliked = [person for person, _ in asked], [low for _, low in asked]
            results.append(_measure(recommender, "leaving them out", some, disliked, "exclude"))
            results.append(_measure(recommender, "disliking them", some, disliked, "dislikes"))
    return results


def format_outcomes(outcomes: Sequence[Outcome]) -> str:
    """A line a rule and number of dislikes."""
    headers = ["suggestions not wanted", "dislikes", "persons", "recall@10", "cosine to the disliked"]
    rows = [[o.rule, o.dislikes, f"{o.persons:,}", f"{o.recall:.4f}", f"{o.to_disliked:.3f}"] for o in outcomes]
    return format_table(headers, rows)


def _exported(items: Sequence[str], split: Split, seed: int, path: Path) -> Recommender:
    from export.pipeline import plan_for_interactions
    from export.request import Labels
    from export.writing.export_file import write_file
    from training.by_interactions.settings import InteractionSettings
    from training.by_interactions.train import build_trained
    from training.by_interactions.trainer import InteractionTrainer
    from training.inputs.attribute_features import index_attributes, make_catalog

    fitted = InteractionTrainer(split.train, InteractionSettings(seed=seed, validation=False)).run(progress=False)
    catalog = index_attributes(make_catalog(items), items)
    write_file(plan_for_interactions(build_trained(fitted, catalog, {}, {}), path, Labels("likes", "")))
    return Recommender.open(path, engine="numpy")


def _each_person(items: Sequence[str], split: Split, known: set[str]) -> Iterator[_Person]:
    for row in range(split.given.shape[0]):
        given = [items[column] for column in split.given[row].indices if items[column] in known]
        yield _Person(given, {items[column] for column in split.wanted[row].indices})


def _unwanted(recommender: Recommender, person: _Person, count: int) -> list[str]:
    found = recommender.recommend(person.given, _ANSWERS + count + len(person.wanted))
    return [neighbor.id for neighbor in found if neighbor.id not in person.wanted][:count]


def _measure(
    recommender: Recommender, rule: str, persons: Sequence[_Person], disliked: Sequence[list[str]], option: str
) -> Outcome:
    measured = []
    for person, some in zip(persons, disliked, strict=True):
        found = {neighbor.id for neighbor in recommender.recommend(person.given, _ANSWERS, **{option: some})}  # type: ignore[arg-type]
        recall = len(found & person.wanted) / min(_ANSWERS, len(person.wanted))
        measured.append((recall, float(np.mean([recommender.score(a, b) for a in found for b in some]))))
    recall, to_disliked = np.mean(measured, axis=0).tolist()
    return Outcome(rule, len(disliked[0]), len(persons), recall, to_disliked)
