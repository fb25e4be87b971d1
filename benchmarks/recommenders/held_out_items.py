"""What attributes of items are worth to a model of what people like: rare items, and items that nobody has yet.

`python -m benchmarks.recommenders.held_out_items build/nhanes/interactions.csv build/nhanes/catalog.csv`

Rare items are ranked among the rarest third of all items, new ones among the new: a list of ten out of all items holds
next to none of either, whatever the model.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from statistics import fmean

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.preprocessing import normalize
from tabulate import tabulate

from training.console.quiet_tensorflow import import_tensorflow

import_tensorflow()

from training.by_interactions.scorer import InteractionScorer  # noqa: E402
from training.by_interactions.settings import InteractionSettings  # noqa: E402
from training.by_interactions.trainer import InteractionTrainer  # noqa: E402
from training.errors import TrainingError  # noqa: E402
from training.evaluation.ranking import PopularityScorer, Scorer, Scores, evaluate, thirds  # noqa: E402
from training.evaluation.splits import Split, hold_out_users  # noqa: E402
from training.inputs.attribute_features import index_attributes  # noqa: E402
from training.inputs.catalog import read_catalog  # noqa: E402
from training.inputs.interactions import Interactions, read_interactions  # noqa: E402
from training.trained import Preference  # noqa: E402

NEW_SHARE = 0.1
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Among:
    """Another scorer, asked for some items only: the others are never recommended."""

    scorer: Scorer
    items: Mask

    def scores(self, given: csr_matrix) -> Scores:
        """See `training.evaluation.ranking.Scorer.scores`."""
        return np.where(self.items, self.scorer.scores(given), -np.inf)


@dataclass(frozen=True)
class AttributeLikeness:
    """The sum of the cosines, by TF-IDF of attributes, to the given items: what needs no training."""

    attributes: csr_matrix

    def scores(self, given: csr_matrix) -> Scores:
        """See `training.evaluation.ranking.Scorer.scores`."""
        vectors = normalize(TfidfTransformer().fit_transform(self.attributes))
        return (given @ vectors @ vectors.T).toarray()


@dataclass(frozen=True)
class Quality:
    """recall@10: of all items, in the order of one list; of the rare third and of new items, each among themselves."""

    model: str
    recall: float
    ndcg: float
    rare: float
    new: float


@dataclass(frozen=True)
class Case:
    """Users to ask, and a tenth of the items that are new to a model which never saw them."""

    split: Split
    new: Mask

    def quality(self, model: str, scorer: Scorer, new: float) -> Quality:
        """What `scorer` finds; `new` was measured apart."""
        users = evaluate(scorer, self.split).users
        rare = thirds(np.bincount(self.split.train.indices, minlength=len(self.new))) == 0
        return Quality(model, float(users.recall.mean()), float(users.ndcg.mean()), self.recall_of(rare, scorer), new)

    def recall_of_new(self, scorer: Scorer) -> float:
        """See `recall_of`."""
        return self.recall_of(self.new, scorer)

    def recall_of(self, items: Mask, scorer: Scorer) -> float:
        """recall@10 of all that users had of `items`, ranked among themselves, given what they had of the others."""
        given, everything = self.split.given, self.split.given + self.split.wanted
        wanted = _only(everything, items)
        asked = np.flatnonzero(np.diff(wanted.indptr))
        part = Split(self.split.train, _only(given, ~items)[asked], wanted[asked], asked)
        return float(evaluate(Among(scorer, items), part).users.recall.mean())


def compare(
    interactions: Interactions, attributes: csr_matrix, settings: InteractionSettings, seed: int
) -> list[Quality]:
    """The models on one split of users."""
    split = hold_out_users(interactions.matrix, seed)
    case = Case(split, np.random.default_rng([seed, 1]).random(split.train.shape[1]) < NEW_SHARE)
    popularity, likeness = PopularityScorer(split.train), AttributeLikeness(attributes)
    alone = InteractionTrainer(split.train, settings).run(progress=False).scorer.in_8_bits()
    joined = InteractionTrainer(split.train, settings, attributes=attributes).run(progress=False).scorer.in_8_bits()
    placed = _without_items(split.train, attributes, settings, case.new).in_8_bits()
    return [
        case.quality("popularity (of new items: known afterwards)", popularity, case.recall_of_new(popularity)),
        case.quality("likeness of attributes", likeness, case.recall_of_new(likeness)),
        case.quality("mignon int8, likes alone (of new items: chance)", alone, min(1.0, 10 / case.new.sum())),
        case.quality("mignon int8, likes and attributes", joined, case.recall_of_new(placed)),
    ]


def _without_items(
    train: csr_matrix, attributes: csr_matrix, settings: InteractionSettings, new: Mask
) -> InteractionScorer:
    """A model that never saw the new items, in a table of all: those are placed by their attributes alone."""
    known = np.flatnonzero(~new)
    kept = train[:, known]
    kept.sort_indices()
    fitted = InteractionTrainer(kept, settings, attributes=attributes[known]).run(progress=False)
    table = attributes @ fitted.values
    table[known] = fitted.table
    bias = np.full(len(table), fitted.preference.bias.min(), np.float32)
    bias[known] = fitted.preference.bias
    preference = Preference(bias, fitted.preference.negative_columns, fitted.preference.power)
    return InteractionScorer(table.astype(np.float32), preference)


def _only(matrix: csr_matrix, items: Mask) -> csr_matrix:
    entries = matrix.tocoo()
    chosen = items[entries.col]
    kept = csr_matrix((entries.data[chosen], (entries.row[chosen], entries.col[chosen])), matrix.shape)
    kept.sort_indices()
    return kept


def table_of(runs: Sequence[Sequence[Quality]]) -> str:
    """The means over splits."""
    columns = [field.name for field in fields(Quality)][1:]
    rows = [
        [same[0].model, *(fmean(getattr(each, name) for each in same) for name in columns)]
        for same in zip(*runs, strict=True)
    ]
    headers = ["", "recall@10", "NDCG@10", "rare third", "new items"]
    return tabulate(rows, headers, floatfmt=".3f")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; returns 0, or 2 for bad input."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.recommenders.held_out_items", description="What attributes are worth."
    )
    parser.add_argument("log", type=Path, help="interactions")
    parser.add_argument("catalog", type=Path, help="with attributes")
    parser.add_argument("--dims", type=int, default=InteractionSettings.dims, help="(default: %(default)s)")
    parser.add_argument("--own-l2", type=float, default=InteractionSettings.own_l2, help="(default: %(default)s)")
    parser.add_argument("--splits", type=int, default=2, help="(default: %(default)s)")
    arguments = parser.parse_args(argv)
    settings = InteractionSettings(dims=arguments.dims, own_l2=arguments.own_l2, validation=False)
    try:
        catalog = read_catalog(arguments.catalog)
        interactions = read_interactions(arguments.log, catalog=catalog)
    except TrainingError as error:
        print(f"benchmarks.recommenders.held_out_items: {error}", file=sys.stderr)
        return 2
    attributes = index_attributes(catalog, interactions.items).known
    print(table_of([compare(interactions, attributes, settings, seed) for seed in range(arguments.splits)]))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
