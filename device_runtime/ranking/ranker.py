"""Answers: rows ranked by an engine where it knows all there is, and else by the one integer path."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from device_runtime.arguments import Values, check_count, check_share, several
from device_runtime.engines.base import Engine
from device_runtime.items.attributes import Filter
from device_runtime.items.families import Family
from device_runtime.items.items import Items
from device_runtime.ranking.diversity import CANDIDATES_FOR_EACH, diversify
from device_runtime.ranking.likes import Favorites, Likes, resolve_favorites, resolve_likes, sum_likes
from device_runtime.results import Neighbor
from device_runtime.scoring.integers import Query, Ranking, Rows, Scores, integer_query
from device_runtime.scoring.scan import best_of_table, score_rows
from device_runtime.scoring.top_k import positions_without, top_k

_FASTER_ONE_BY_ONE = 1 << 20  # entries of a table that an engine scores sooner than several queries can be gathered


class RankingOptions(NamedTuple):
    """What callers ask of a ranking; a named tuple, for dataclasses take longer to import and to make.

    Attributes:
        k: how many results, from 1.
        exclude: items that must not come back.
        where: what attributes results must have.
        diversify: from 0 to 1, how unlike one another results are to be.
    """

    k: int = 10
    exclude: Values = ()
    where: Filter | None = None
    diversify: float = 0.0

    def check(self) -> RankingOptions:
        """The same, the items to exclude as a list.

        Raises:
            InvalidCountError: k is not a whole number from 1.
            InvalidArgumentError: `diversify` is not from 0 to 1, or `exclude` neither a text nor texts.
        """
        k, share = check_count("k", self.k), check_share("diversify", self.diversify)
        where = self.where if self.where is None or isinstance(self.where, Mapping) else several(self.where)
        return RankingOptions(k, several(self.exclude), where, share)


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
            if not likes.families:
                return _neighbors(items, self.engine.nearest(likes.rows, k))
        return self.rank(items, resolve_likes(items, favorites, dislikes), options)

    def rank(self, items: Items, likes: Likes, options: RankingOptions) -> list[Neighbor]:
        """The items nearest to the sum of `likes`, none of which comes back."""
        options = options.check()
        excluded, count = _excluded(items, options), _candidates(items, options)
        if options.where or items.changed or likes.weights is not None or likes.families:
            banned = np.concatenate([likes.rows, excluded])
            ranking = rank_exactly(_look_up(items, sum_likes(items, likes), banned, options))
        else:
            ranking = self.engine.nearest(likes.rows, min(count + len(excluded), items.row_count))
            ranking = _without(ranking, excluded, count)
        return _chosen(items, ranking, options)

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
        from device_runtime.ranking.batch import Batch, naming_basket

        options = options.check()
        excluded = _excluded(items, options)  # which have to be known though there be no baskets
        if options.where or items.model.table.size > _FASTER_ONE_BY_ONE:
            batch = Batch(items, excluded, options.where)
            rankings = batch.rank_many(baskets, _candidates(items, options))
            return [_chosen(items, ranking, options) for ranking in rankings]
        answers = []
        for number, favorites in enumerate(baskets):
            with naming_basket(number):
                answers.append(self.rank(items, resolve_likes(items, favorites), options))
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


def _chosen(items: Items, ranking: Ranking, options: RankingOptions) -> list[Neighbor]:
    """The best of the candidates, or those that are least like one another."""
    if not options.diversify:
        return _neighbors(items, ranking)
    rows, scores = ranking
    chosen = diversify(items.directions(rows), scores, options.k, options.diversify)
    return _neighbors(items, (rows[chosen], scores[chosen]))


def _neighbors(items: Items, ranking: Ranking) -> list[Neighbor]:
    ids, names, new = items.ids, items.names, tuple.__new__  # Neighbor(...) would count its arguments each time
    pairs = zip(ranking[0].tolist(), ranking[1].tolist(), strict=True)
    return [new(Neighbor, (ids[row], names[row], score)) for row, score in pairs]
