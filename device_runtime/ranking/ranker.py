"""Answers: rows ranked by an engine where it knows all there is, and else by the one integer path."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from device_runtime.arguments import Blend, Values, check_count, check_share, several
from device_runtime.engines.base import Engine
from device_runtime.items.attributes import Filter
from device_runtime.items.families import Family
from device_runtime.items.items import Items
from device_runtime.ranking.dislikes import compute_loss
from device_runtime.ranking.diversity import CANDIDATES_FOR_EACH, diversify
from device_runtime.ranking.likes import Favorites, Likes, resolve_favorites, resolve_likes
from device_runtime.ranking.question import Question, form_question
from device_runtime.ranking.tastes import interleave
from device_runtime.results import Neighbor
from device_runtime.scoring.integers import Query, Ranking, Rows, Scores, integer_query
from device_runtime.scoring.scan import Best, best_of_table, score_rows
from device_runtime.scoring.top_k import positions_without, top_k

_FASTER_ONE_BY_ONE = 1 << 20  # entries of a table that an engine scores sooner than several queries can be gathered


class RankingOptions(NamedTuple):
    """What callers ask of a ranking; a named tuple, for dataclasses take longer to import and to make.

    Attributes:
        k: how many results, from 1.
        exclude: items that must not come back.
        where: what attributes results must have.
        diversify: from 0 to 1, how unlike one another results are to be.
        blend: how several tastes are served; None for what suits the model.
    """

    k: int = 10
    exclude: Values = ()
    where: Filter | None = None
    diversify: float = 0.0
    blend: Blend | None = None

    def check(self) -> RankingOptions:
        """The same, the items to exclude as a list.

        Raises:
            InvalidCountError: k is not a whole number from 1.
            InvalidArgumentError: `diversify` is not from 0 to 1, or `exclude` neither a text nor texts.
        """
        k, share = check_count("k", self.k), check_share("diversify", self.diversify)
        where = self.where if self.where is None or isinstance(self.where, Mapping) else several(self.where)
        return RankingOptions(k, several(self.exclude), where, share, self.blend)


_NOTHING_MORE = RankingOptions()[1:]


class Lookup(NamedTuple):
    """What to look up in all rows; the one integer path serves whatever an engine does not know.

    Attributes:
        query: int64 [columns].
        k: how many rows to give, at most all there are.
        banned: rows that must not come back.
    """

    items: Items
    query: Query
    k: int
    banned: Rows
    where: Filter | None


class Ranker:
    """Ranks the items of one model. Each call is given the items as they are, so nothing changes while it runs."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def recommend(
        self, items: Items, favorites: Favorites, dislikes: Iterable[str], options: RankingOptions
    ) -> list[Neighbor]:
        """See `Recommender.recommend`."""
        plain = type(options.exclude) is tuple and options[1:] == _NOTHING_MORE  # an array has no truth to compare
        if plain and not dislikes and isinstance(favorites, list) and not items.changed:
            k = min(check_count("k", options.k), items.row_count)  # what most ask, by as few steps as can be
            likes = resolve_favorites(items, favorites)
            if not likes.families and len(likes.rows) and (len(likes.rows) == 1 or not items.objective.best_is_alike):
                return _neighbors(items, self.engine.nearest(likes.rows, k))
            return self.rank(items, likes, options)
        return self.rank(items, resolve_likes(items, favorites, dislikes), options)

    def rank(self, items: Items, likes: Likes, options: RankingOptions) -> list[Neighbor]:
        """The items nearest to what `likes` come to, none of which comes back."""
        options = options.check()
        return self._answer(items, form_question(items, likes, options.blend), _excluded(items, options), options)

    def _answer(self, items: Items, question: Question, excluded: Rows, options: RankingOptions) -> list[Neighbor]:
        if not question.tastes:
            return _neighbors(items, _rank_best_known(items, question, excluded, options))
        if not question.is_one_query:
            return _interleaved(items, question, self._rank_each(items, question, excluded, options), options)
        count, likes = _candidates(items, options), question.likes
        if options.where or items.changed or likes.weights is not None or likes.families:
            banned = np.concatenate([question.banned, excluded])
            ranking = rank_exactly(Lookup(items, question.tastes[0].query, count, banned, options.where))
        else:
            ranking = self.engine.nearest(likes.rows, min(count + len(excluded), items.row_count))
            ranking = _without(ranking, excluded, count)
        return _neighbors(items, _diversified(items, ranking, options))

    def _rank_each(self, items: Items, question: Question, excluded: Rows, options: RankingOptions) -> list[Best]:
        """The best rows of each taste, and what they are ordered by."""
        banned, count = np.concatenate([question.banned, excluded]), _candidates(items, options)
        if options.where or items.changed or question.dislikes:
            return _rank_each_exactly(items, question, banned, count, options.where)
        best = self.engine.search_each(question.queries, banned, count)
        if not options.diversify:
            return best  # their order is all that counts
        pairs = zip(best, question.tastes, strict=True)
        return [(rows, items.objective.cosines(scores, taste.query)) for (rows, scores), taste in pairs]

    def rank_alike(self, items: Items, item: str, options: RankingOptions) -> list[Neighbor]:
        """See `Recommender.similar`."""
        found = items.resolve(item)
        if not isinstance(found, int):
            return self._rank_within(items, found, options.check())
        if items.objective.best_is_alike:
            return self.recommend(items, [items.ids[found]], (), options)
        options, row = options.check(), np.array([found])
        query = items.objective.query_towards(items.vectors(row)[0].astype(np.int64))
        banned = np.concatenate([row, _excluded(items, options)])
        return _chosen(items, rank_by_direction(_look_up(items, query, banned, options)), options)

    def _rank_within(self, items: Items, family: Family, options: RankingOptions) -> list[Neighbor]:
        """The items of a family that are nearest to its middle."""
        from device_runtime.ranking.families import family_row

        others = np.ones(items.row_count, bool)
        others[items.families.rows(family)] = False
        banned = np.concatenate([np.flatnonzero(others), _excluded(items, options)])
        query = items.objective.query_towards(family_row(items, family).astype(np.int64))
        return _chosen(items, rank_by_direction(_look_up(items, query, banned, options)), options)

    def search(self, items: Items, vector: NDArray[np.float32], options: RankingOptions) -> list[Neighbor]:
        """See `Recommender.search`; `vector` is float32 [dims], neither zero nor infinite."""
        options = options.check()
        query, banned = items.objective.query_towards(integer_query(vector)), _excluded(items, options)
        lookup = _look_up(items, query, banned, options)
        if not items.objective.best_is_alike:
            ranking = rank_by_direction(lookup)
        elif options.where or items.changed:
            ranking = rank_exactly(lookup)
        else:
            ranking = self.engine.search(query, min(lookup.k + len(banned), items.row_count))
            ranking = _without(ranking, banned, lookup.k)
        return _chosen(items, ranking, options)

    def recommend_many(
        self, items: Items, baskets: Iterable[Favorites], options: RankingOptions
    ) -> list[list[Neighbor]]:
        """See `Recommender.recommend_many`."""
        from device_runtime.ranking.batch import Batch, form_questions

        options = options.check()
        excluded = _excluded(items, options)  # which have to be known though there be no baskets
        questions = form_questions(items, baskets, options.blend)
        if not options.where and items.model.table.size <= _FASTER_ONE_BY_ONE:
            return [self._answer(items, question, excluded, options) for question in questions]
        batch = Batch(items, excluded, options.where)
        answers = []
        for question, rankings in batch.rank_many(questions, _candidates(items, options)):
            if rankings is None:
                answers.append(self._answer(items, question, excluded, options))
            else:
                answers.append(_interleaved(items, question, rankings, options))
        return answers


def rank_exactly(lookup: Lookup) -> Ranking:
    """The rows with the greatest scores that meet `where`, and their cosines; ties by the lower row.

    So the rows of the model come before those that were added, and these in order.
    """
    rows, scores = _best_allowed(lookup, _all_scores(lookup)) if lookup.where else _best_of_all(lookup)
    return rows, lookup.items.objective.cosines(scores, lookup.query)


def rank_by_direction(lookup: Lookup) -> Ranking:
    """The rows that point most nearly where the query, made by `query_towards`, does, and their cosines."""
    objective = lookup.items.objective
    rows, best = _best_allowed(lookup, objective.alike(_all_scores(lookup), lookup.items.added_rows))
    return rows, objective.alike_cosines(best, lookup.query)


def _rank_each_exactly(items: Items, question: Question, banned: Rows, k: int, where: Filter | None) -> list[Best]:
    """For each taste the best rows that meet `where`, less what dislikes take away."""
    loss: Any = 0.0
    if question.dislikes:
        loss = compute_loss(items, question.dislikes, items.model.table).sum(axis=0)
        if len(items.added_rows):
            loss = np.concatenate([loss, compute_loss(items, question.dislikes, items.added_rows).sum(axis=0)])
    rankings = []
    for taste in question.tastes:
        lookup = Lookup(items, taste.query, k, banned, where)
        rows, scores = _best_allowed(lookup, _all_scores(lookup).astype(np.float64) - loss)
        rankings.append((rows, items.objective.cosines(scores, taste.query)))
    return rankings


def _rank_best_known(items: Items, question: Question, excluded: Rows, options: RankingOptions) -> Ranking:
    from device_runtime.ranking.popular import rank_best_known  # only who names nothing waits for it

    vectors, weights = question.likes.vectors(items), question.likes.weights
    allowed = items.allowed(options.where or {})
    allowed[question.banned] = allowed[excluded] = False
    disliked = vectors[weights < 0] if weights is not None else vectors[:0]
    return rank_best_known(items, disliked, allowed, options.k)


def _look_up(items: Items, query: Query, banned: Rows, options: RankingOptions) -> Lookup:
    return Lookup(items, query, _candidates(items, options), banned, options.where)


def _best_allowed(lookup: Lookup, scores: Scores) -> tuple[Rows, Scores]:
    items, where = lookup.items, lookup.where
    allowed = items.allowed(where or {}) if where or items.changed else np.ones(len(scores), bool)
    allowed[lookup.banned] = False
    scores[~allowed] = -np.inf
    rows = top_k(scores, lookup.k)
    return rows, scores[rows]


def _best_of_all(lookup: Lookup) -> tuple[Rows, Scores]:
    items, table = lookup.items, lookup.items.model.table
    banned = np.concatenate([lookup.banned, items.removed])
    rows, scores = best_of_table(table, lookup.query, min(lookup.k + len(banned), len(table)))
    if len(items.added_rows):
        rows = np.concatenate([rows, np.arange(len(table), items.row_count)])
        scores = np.concatenate([scores, score_rows(items.added_rows, lookup.query)])
    kept = positions_without(rows, banned, len(rows))
    best = np.negative(scores[kept]).argsort(kind="stable")[: lookup.k]
    return rows[kept[best]], scores[kept[best]]


def _all_scores(lookup: Lookup) -> Scores:
    items, query = lookup.items, lookup.query
    scores = score_rows(items.model.table, query)
    return np.concatenate([scores, score_rows(items.added_rows, query)]) if len(items.added_rows) else scores


def _excluded(items: Items, options: RankingOptions) -> Rows:
    return items.expand(several(options.exclude))


def _candidates(items: Items, options: RankingOptions) -> int:
    """How many of the best to rank: k, or as many as the diverse ones are chosen from."""
    return min(options.k * (CANDIDATES_FOR_EACH if options.diversify else 1), items.row_count)


def _without(ranking: Ranking, banned: Rows, k: int) -> Ranking:
    if not len(banned):
        return ranking
    rows, scores = ranking
    kept = positions_without(rows, banned, k)
    return rows[kept], scores[kept]


def _interleaved(items: Items, question: Question, rankings: list[Best], options: RankingOptions) -> list[Neighbor]:
    """The best of each taste in turns; a score is that by the taste that an item answers best."""
    best = [_diversified(items, ranking, options) for ranking in rankings]
    if question.is_one_query:
        return _neighbors(items, best[0])
    weights = [taste.weight for taste in question.tastes]
    rows = np.array(interleave([rows for rows, _ in best], weights, options.k), np.int64)
    return _neighbors(items, (rows, question.score(items, rows).max(axis=0)))


def _chosen(items: Items, ranking: Ranking, options: RankingOptions) -> list[Neighbor]:
    return _neighbors(items, _diversified(items, ranking, options))


def _diversified(items: Items, ranking: Best, options: RankingOptions) -> Best:
    """The best of the candidates, or those that are least like one another."""
    if not options.diversify:
        return ranking
    rows, scores = ranking
    chosen = diversify(items.directions(rows), scores, options.k, options.diversify)
    return rows[chosen], scores[chosen]


def _neighbors(items: Items, ranking: Best) -> list[Neighbor]:
    ids, names, new = items.ids, items.names, tuple.__new__  # Neighbor(...) would count its arguments each time
    pairs = zip(ranking[0].tolist(), ranking[1].tolist(), strict=True)
    return [new(Neighbor, (ids[row], names[row], score)) for row, score in pairs]
