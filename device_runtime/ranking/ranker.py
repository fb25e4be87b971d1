"""Answers: rows ranked by an engine where it knows all there is, and else by the one integer path."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from itertools import islice
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from device_runtime.arguments import Blend, Values, check_count, check_share, several
from device_runtime.engines.base import Engine, ShortCut
from device_runtime.errors import InvalidArgumentError
from device_runtime.items.attributes import Filter
from device_runtime.items.families import Family
from device_runtime.items.items import Items
from device_runtime.ranking.diversity import CANDIDATES_FOR_EACH, diversify
from device_runtime.ranking.likes import Favorites, Likes, resolve_favorites, resolve_likes
from device_runtime.ranking.lookup import Lookup
from device_runtime.ranking.question import Question, form_question
from device_runtime.ranking.tastes import interleave
from device_runtime.results import Neighbor
from device_runtime.scoring.integers import Ranking, Rows, integer_query
from device_runtime.scoring.scan import QUERIES_AT_ONCE, Best
from device_runtime.scoring.top_k import positions_without

Answer = TypeVar("Answer")

_FASTER_ONE_BY_ONE = 1 << 20  # entries of a table that an engine scores sooner than several queries can be gathered
_KEPT_FILTERS = 4
_ALL_ALIKE = 2.0  # no cosine reaches it: favorites are one taste, whatever they are


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


class Ranker:
    """Ranks the items of one model. Each call is given the items as they are, so nothing changes while it runs."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._short_cut: ShortCut | None = None
        self._knows_short_cut = False
        self._bits: dict[Hashable, NDArray[np.uint8]] = {}

    def recommend(
        self, items: Items, favorites: Favorites, dislikes: Iterable[str], options: RankingOptions
    ) -> list[Neighbor]:
        """See `Recommender.recommend`."""
        if not dislikes and isinstance(favorites, list) and _is_plain(items, options):
            return self._recommend_plainly(items, favorites, check_count("k", options.k), options)
        return self.rank(items, resolve_likes(items, favorites, dislikes), options)

    def _recommend_plainly(self, items: Items, favorites: list[str], k: int, options: RankingOptions) -> list[Neighbor]:
        """What most ask, by as few steps as can be."""
        short_cut, blend, where = self._short_cut_of(items), options.blend, options.where
        if short_cut is not None and (alike := self._least_alike(items, blend)) is not None:
            allowed = None if where is None else self._bits_of(items, where)
            if where is None or allowed is not None:
                answer = short_cut.recommend(favorites, k, alike, allowed)
                if answer is not None:
                    return answer
        likes = resolve_favorites(items, favorites)
        is_one_query = len(likes.rows) == 1 or not items.objective.best_is_alike
        if blend is None and where is None and not likes.families and len(likes.rows) and is_one_query:
            return _neighbors(items, self.engine.nearest(likes.rows, min(k, items.row_count)))
        return self.rank(items, likes, options)

    def _short_cut_of(self, items: Items) -> ShortCut | None:
        """The whole job in one step for what is plain, where the engine has one."""
        if not self._knows_short_cut and not items.changed:
            self._short_cut = self.engine.open_short_cut(items.ids, items.names, lambda: items.row_of_id)
            self._knows_short_cut = True
        return self._short_cut

    def _least_alike(self, items: Items, blend: Blend | None) -> float | None:
        """From which cosine on favorites are one taste in a short cut; None where it does not know the blend."""
        if items.objective.best_is_alike and (blend is None or blend == "each"):
            return items.objective.alike_from
        return _ALL_ALIKE if blend is None or blend == "together" else None

    def _bits_of(self, items: Items, where: Filter) -> NDArray[np.uint8] | None:
        """A bit for each row that `where` lets come back; None where it is wrong, which is told after other errors.

        The last ones are kept, as people ask on within one filter.
        """
        try:
            key = _frozen(where)
            bits = self._bits.get(key)
            if bits is None:
                bits = np.packbits(items.allowed(where), bitorder="little")
                self._bits = dict([*self._bits.items(), (key, bits)][-_KEPT_FILTERS:])
        except (InvalidArgumentError, TypeError):
            return None
        return bits

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
            ranking = self._look_up(items, options).rank(question.tastes[0].query, banned)
        else:
            ranking = self.engine.nearest(likes.rows, min(count + len(excluded), items.row_count))
            ranking = _without(ranking, excluded, count)
        return _neighbors(items, _diversified(items, ranking, options))

    def _rank_each(self, items: Items, question: Question, excluded: Rows, options: RankingOptions) -> list[Best]:
        """The best rows of each taste, and what they are ordered by."""
        banned, lookup = np.concatenate([question.banned, excluded]), self._look_up(items, options)
        if question.dislikes:
            return lookup.rank_after_dislikes(question, banned)
        best = lookup.find(question.queries, [banned] * len(question.tastes))
        return _as_cosines(items, question, best) if options.diversify else best  # else their order is all that counts

    def _look_up(self, items: Items, options: RankingOptions) -> Lookup:
        allowed = items.allowed(options.where) if options.where else None
        return Lookup(self.engine, items, _candidates(items, options), allowed)

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
        return _chosen(items, self._look_up(items, options).rank_by_direction(query, banned), options)

    def _rank_within(self, items: Items, family: Family, options: RankingOptions) -> list[Neighbor]:
        """The items of a family that are nearest to its middle."""
        from device_runtime.ranking.families import family_row

        others = np.ones(items.row_count, bool)
        others[items.families.rows(family)] = False
        banned = np.concatenate([np.flatnonzero(others), _excluded(items, options)])
        query = items.objective.query_towards(family_row(items, family).astype(np.int64))
        return _chosen(items, self._look_up(items, options).rank_by_direction(query, banned), options)

    def search(self, items: Items, vector: NDArray[np.float32], options: RankingOptions) -> list[Neighbor]:
        """See `Recommender.search`; `vector` is float32 [dims], neither zero nor infinite."""
        options = options.check()
        query, banned = items.objective.query_towards(integer_query(vector)), _excluded(items, options)
        if options.where or items.changed or not items.objective.best_is_alike:
            return _chosen(items, self._look_up(items, options).rank_by_direction(query, banned), options)
        count = _candidates(items, options)
        ranking = _without(self.engine.search(query, min(count + len(banned), items.row_count)), banned, count)
        return _chosen(items, ranking, options)

    def recommend_many(
        self, items: Items, baskets: Iterable[Favorites], options: RankingOptions
    ) -> list[list[Neighbor]]:
        """See `Recommender.recommend_many`."""
        checked = options.check()
        _excluded(items, checked)  # which have to be known though there be no baskets
        is_plain = _is_plain(items, options)
        if (
            is_plain
            and options.where is None
            and items.model.table.size <= _FASTER_ONE_BY_ONE
            and self._short_cut_of(items) is None
        ):
            return each_named(enumerate(baskets), lambda favorites: self.recommend(items, favorites, (), options))
        answers: list[list[Neighbor]] = []
        numbered = enumerate(baskets)
        while some := list(islice(numbered, QUERIES_AT_ONCE)):
            answers += self._answer_some(items, some, checked, is_plain=is_plain)
        return answers

    def _answer_some(
        self, items: Items, some: list[tuple[int, Favorites]], options: RankingOptions, *, is_plain: bool
    ) -> list[list[Neighbor]]:
        """Answers baskets with their numbers, those together that are no question by themselves."""
        alike = self._least_alike(items, options.blend) if is_plain else None
        short_cut, where = self._short_cut_of(items), options.where
        answers: list[list[Neighbor] | None] = [None] * len(some)
        if short_cut is not None and alike is not None:
            allowed = None if where is None else self._bits_of(items, where)
            if where is None or allowed is not None:
                answers = short_cut.recommend_many([favorites for _, favorites in some], options.k, alike, allowed)
        left = [basket for basket, answer in zip(some, answers, strict=True) if answer is None]
        others = iter(self._answer_together(items, left, options))
        return [next(others) if answer is None else answer for answer in answers]

    def _answer_together(
        self, items: Items, some: list[tuple[int, Favorites]], options: RankingOptions
    ) -> list[list[Neighbor]]:
        questions = each_named(some, lambda liked: form_question(items, resolve_likes(items, liked), options.blend))
        excluded, lookup = _excluded(items, options), self._look_up(items, options)
        simple = [question for question in questions if question.tastes and not question.dislikes]
        banned = [np.concatenate([question.banned, excluded]) for question in simple for _ in question.tastes]
        queries = [taste.query for question in simple for taste in question.tastes]
        best: list[Best] = []
        for start in range(0, len(queries), QUERIES_AT_ONCE):
            part = slice(start, start + QUERIES_AT_ONCE)
            best += lookup.find(np.array(queries[part]), banned[part])
        answers, found = [], iter(best)
        for question in questions:
            if question.tastes and not question.dislikes:
                of_tastes = _as_cosines(items, question, list(islice(found, len(question.tastes))))
                answers.append(_interleaved(items, question, of_tastes, options))
            else:
                answers.append(self._answer(items, question, excluded, options))
        return answers


def each_named(numbered: Iterable[tuple[int, Favorites]], answer: Callable[[Favorites], Answer]) -> list[Answer]:
    """What `answer` gives for each basket; an error says which it is about."""
    answers = []
    for number, favorites in numbered:
        try:
            answers.append(answer(favorites))
        except InvalidArgumentError as error:  # noqa: PERF203 - it names the basket
            error.args = (f"basket {number}: {error}",)
            raise
    return answers


def _as_cosines(items: Items, question: Question, best: list[Best]) -> list[Best]:
    pairs = zip(best, question.tastes, strict=True)
    return [(rows, items.objective.cosines(scores, taste.query)) for (rows, scores), taste in pairs]


def _rank_best_known(items: Items, question: Question, excluded: Rows, options: RankingOptions) -> Ranking:
    from device_runtime.ranking.popular import rank_best_known  # only who names nothing waits for it

    vectors, weights = question.likes.vectors(items), question.likes.weights
    allowed = items.allowed(options.where or {})
    allowed[question.banned] = allowed[excluded] = False
    disliked = vectors[weights < 0] if weights is not None else vectors[:0]
    return rank_best_known(items, disliked, allowed, options.k)


def _is_plain(items: Items, options: RankingOptions) -> bool:
    exclude = options.exclude  # an array has no truth to compare
    is_free = type(exclude) is tuple and not exclude and options.diversify == 0
    return is_free and not items.changed


def _frozen(where: object) -> Hashable:
    """The same that nobody can change, where it is made of texts.

    Raises:
        TypeError: it holds something else.
    """
    if isinstance(where, str):
        return where
    if isinstance(where, list | tuple):
        return tuple(map(_frozen, where))
    if isinstance(where, dict):
        return tuple(where), tuple(map(_frozen, where.values()))
    raise TypeError


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
