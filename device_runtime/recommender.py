"""The public API: similar items and recommendations from one file."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from device_runtime.arguments import Blend, EngineName, Values, check_count, check_vector, several
from device_runtime.changes.changeable import Changeable
from device_runtime.engines.choice import create
from device_runtime.errors import InvalidArgumentError
from device_runtime.format.layout import OVERLAY_SUFFIX
from device_runtime.format.manifest import Manifest
from device_runtime.format.model_file import ModelFile
from device_runtime.items.attributes import Filter
from device_runtime.items.families import Family
from device_runtime.items.fuzzy import SURE
from device_runtime.items.items import Items
from device_runtime.ranking.likes import Favorites, Likes, merge_profile, resolve_likes
from device_runtime.ranking.question import form_question
from device_runtime.ranking.ranker import Ranker, RankingOptions
from device_runtime.results import Explanation, Match, Neighbor

if TYPE_CHECKING:
    from pathlib import Path


class Recommender(Changeable):
    """Answers from one `.tflite` file made by mignon. Wherever an item is asked for, its id, name or an alias will do.

    Threads may share it. Changes made on the device are kept beside the file, and every answer is right for the items
    as they were at some moment of the call.

    Attributes:
        file: the verified file.

    Example:
        >>> meals = Recommender.open("build/meals.tflite")
        >>> meals.similar("pancakes", k=3)
    """

    def __init__(self, model: ModelFile, engine: EngineName = "auto") -> None:
        super().__init__(Items(model), Ranker(create(engine, model)))
        self.file = model

    @classmethod
    def open(
        cls, path: str | Path, *, engine: EngineName = "auto", changes: bool | str | Path = True, writable: bool = False
    ) -> Recommender:
        """Opens and verifies the file at `path`, and applies the changes made on the device.

        Args:
            engine: `native` (the table is scanned in C, by mignon-native), `numpy` (nothing else is needed), `tflite`
                (an interpreter runs the graph), or `auto`, which takes `native` where it is installed, else `numpy`.
                All are exact.
            changes: True reads the overlay beside the file, `PATH.overlay`, if there is one; a path reads that overlay;
                False leaves the model as it is.
            writable: allow changes; makes the overlay if there is none, and locks it until `close`.

        Raises:
            ModelFileError: the file is missing, damaged or of another format.
            MissingEngineError: the engine asked for needs a library that is not installed.
            OverlayError: the overlay cannot be read; `DamagedOverlayError`, `OverlayVersionError` and
                `OverlayLockedError` (somebody else writes it) say why.
        """
        if writable and changes is False:
            raise InvalidArgumentError("writable=True needs a place for changes; leave changes=False away")
        recommender = cls(ModelFile.open(path), engine)
        if changes is not False:
            beside = f"{os.fspath(path)}{OVERLAY_SUFFIX}"
            overlay = beside if changes is True else os.fspath(changes)
            if writable or overlay != beside or os.path.exists(overlay):  # noqa: PTH110 - pathlib takes long to import
                recommender._open_overlay(overlay, writable=writable)
        return recommender

    def __repr__(self) -> str:
        manifest = self.manifest
        what = f"{len(self)} items x {manifest.dims} dims, {manifest.bits} bits, engine {self.engine}"
        return f"<Recommender {self.file.filename!r}: {what}{', writable' if self.writable else ''}>"

    @property
    def manifest(self) -> Manifest:
        """What the file says of itself."""
        return self.file.manifest

    @property
    def engine(self) -> str:
        """The name of the engine in use: `native`, `numpy` or `tflite`."""
        return self._ranker.engine.name

    def __len__(self) -> int:
        """The number of items, with those that were added and without those that were removed."""
        return len(self._items)

    def find(self, text: str, limit: int = 5) -> list[Match]:
        """Items whose name or an alias resembles `text`, and families whose value does; best first.

        Case, accents, articles, plurals and the order of words do not matter. A `Match` says whether it is sure.

        Raises:
            InvalidCountError: `limit` is not a whole number from 1.
        """
        items = self._items
        return [_describe(items, found, score) for found, score in items.match(text, check_count("limit", limit))]

    def complete(self, text: str, limit: int = 6) -> list[Match]:
        """What somebody who has typed `text` so far may mean: as `find`, and what begins so, the best known first.

        Raises:
            InvalidCountError: `limit` is not a whole number from 1.
        """
        items = self._items
        return [_describe(items, found, score) for found, score in items.complete(text, check_count("limit", limit))]

    def identify(self, text: str, *, unwanted: bool = False) -> Match:
        """The item or family that `text` surely means: its name, or a spelling away from it.

        Args:
            unwanted: as a dislike or what is left out, where a family goes before an item with that alias.

        Raises:
            UnknownItemError: there is none; the error suggests what is alike.
        """
        items = self._items
        found = items.resolve_unwanted(text) if unwanted else items.resolve(text)
        exact = items.named(text) == found or found == items.families.named(text)
        score = 1.0 if exact else next((score for match, score in items.match(text, 1) if match == found), 1.0)
        return _describe(items, found, score)

    def attributes(self, attribute: str | None = None) -> dict[str, dict[str, int]]:
        """For each attribute, or one, how many items have each value, the most frequent first: what `where` can ask.

        Raises:
            UnknownAttributeError: no item has that attribute.
        """
        items = self._items
        counts = items.attributes.counts(items.removed)
        if attribute is None:
            return counts
        name = items.attributes.called(attribute)
        return {name: counts.get(name, {})}

    def similar(
        self, item: str, k: int = 10, *, exclude: Values = (), where: Filter | None = None, diversify: float = 0.0
    ) -> list[Neighbor]:
        """The k items most like `item`, without `item` itself; fewer where fewer are eligible.

        For a family, such as "soup" or "course=soup", its own items that are nearest to its middle.

        Args:
            exclude: items that must not come back.
            where: what a result's attributes must be, as {attribute: value}; several values, any of which will do; or
                {attribute: {"not": value or values}}, none of which may be there; or as texts, such as "diet=vegan" and
                "diet!=vegan". Names of attributes and values count whatever their case.
            diversify: from 0, the most alike, to 1, the least like one another (see `ranking.diversity`).

        Raises:
            UnknownItemError: no item has that id, name or alias; the error suggests some.
            InvalidCountError: k is not a whole number from 1.
            InvalidArgumentError: `diversify` is not from 0 to 1, or another argument of the wrong kind.
            UnknownAttributeError: `where` names an attribute or a value that no item has.
        """
        return self._ranker.rank_alike(self._items, item, RankingOptions(k, exclude, where, diversify))

    def recommend(  # noqa: PLR0913 - each is of its own
        self,
        items: Favorites,
        k: int = 10,
        *,
        dislikes: Values = (),
        profile: str | None = None,
        exclude: Values = (),
        where: Filter | None = None,
        diversify: float = 0.0,
        blend: Blend | None = None,
    ) -> list[Neighbor]:
        """The k items nearest to the favorites `items`, none of which comes back.

        A score is the cosine of an item and the weighted sum of the favorites of one taste. Whole weights are summed
        exactly, fractions to the precision of float32. A family counts as one favorite, by its vector. Without
        favorites the best known items come back, no two of them much alike. Other arguments and errors are those of
        `similar`.

        Args:
            items: favorites, one named twice counting once; or {item: weight}, where a negative weight is a dislike
                and 0 only keeps the item from coming back.
            dislikes: items to keep away from, as by a weight of -1: what is much like one steps back, and neither it
                nor, of a family, any of its items comes back (see `ranking.dislikes`).
            profile: the name of a profile whose likes count too, but for items that this call names itself.
            blend: `each` serves every taste in its share: favorites that are near one another are one taste, and the
                best of each come back in turns (see `ranking.tastes`). `together` asks for what is near the sum of all.
                None takes `each` for a model of attributes, and `together` for one of what people like, which is
                trained on such sums.

        Raises:
            ContradictoryLikesError: an item is liked and disliked or has two weights, maybe under two names; or all
                weights cancel out.
            InvalidWeightError: a weight is not a finite number.
        """
        options = RankingOptions(k, exclude, where, diversify, blend)
        if profile is None:
            return self._ranker.recommend(self._items, items, dislikes, options)
        known, likes = self._with_profile(profile, items, dislikes)
        return self._ranker.rank(known, likes, options)

    def recommend_many(  # noqa: PLR0913 - each is of its own
        self,
        baskets: Iterable[Favorites],
        k: int = 10,
        *,
        exclude: Values = (),
        where: Filter | None = None,
        diversify: float = 0.0,
        blend: Blend | None = None,
    ) -> list[list[Neighbor]]:
        """What `recommend` answers for each of `baskets`, sooner: a block of rows is scored for many of them at once.

        Memory does not grow with the number of baskets, but for the answers. Arguments and errors are those of
        `recommend`; an error that is a basket's own names it by its number, from 0.
        """
        if isinstance(baskets, str | Mapping):
            raise InvalidArgumentError(f"baskets is {baskets!r}; give a list of baskets")
        return self._ranker.recommend_many(self._items, baskets, RankingOptions(k, exclude, where, diversify, blend))

    def search(
        self,
        vector: ArrayLike,
        k: int = 10,
        *,
        exclude: Values = (),
        where: Filter | None = None,
        diversify: float = 0.0,
    ) -> list[Neighbor]:
        """The k items whose vectors point most nearly where `vector` [dims] does; its length does not matter.

        Other arguments and errors are those of `similar`.

        Raises:
            InvalidVectorError: the vector has another length, is zero, or holds a value that is not finite.
        """
        options = RankingOptions(k, exclude, where, diversify)
        return self._ranker.search(self._items, check_vector(vector, self.manifest.dims), options)

    def explain(
        self,
        items: Favorites,
        result: str,
        *,
        dislikes: Values = (),
        profile: str | None = None,
        blend: Blend | None = None,
    ) -> Explanation:
        """Why `recommend` gives `result` for these favorites: what each contributes, and the attributes they share.

        Raises:
            NoFavoritesError: nothing is liked.
            UnknownItemError: `result` or a favorite is unknown; other errors are those of `recommend`.
        """
        from device_runtime.ranking.explanation import explain

        known, likes = self._with_profile(profile, items, dislikes)
        return explain(known, form_question(known, likes, blend), known.row(result))

    def attributes_of(self, item: str) -> dict[str, list[str]]:
        """The attributes of `item` with its values of each, those first that many items have."""
        items = self._items
        return items.attributes.of(items.row(item))

    def place(self, attributes: Mapping[str, Values]) -> NDArray[np.float32]:
        """The vector that an item with these attributes would have: float32 [dims], of length 1, for `search`.

        Of several values of one attribute the first counts most, as in a catalog.

        Raises:
            UnknownAttributeError: no item had that attribute or value when the model was trained.
            InvalidArgumentError: there are no attributes, or they cancel out.
        """
        from device_runtime.ranking.placement import place

        return place(self.file, attributes)

    def vector(self, item: str) -> NDArray[np.float32]:
        """The vector of `item`: float32 [dims], of length about 1."""
        items = self._items
        return items.directions(np.array([items.row(item)]))[0]

    def score(self, item: str, other: str) -> float:
        """How alike two items are: the cosine that `similar` would give, from -1 to 1."""
        items = self._items
        return items.objective.likeness(*items.vectors(np.array([items.row(item), items.row(other)])))

    def row(self, item: str) -> int:
        """The row of `item` in the table: the index by which the signatures of the file know it.

        Rows of items that were added follow those of the table, and the file's signatures do not know them.

        Raises:
            UnknownItemError: no item has that id, name or alias.
        """
        return self._items.row(item)

    def _with_profile(self, profile: str | None, favorites: Favorites, dislikes: Values) -> tuple[Items, Likes]:
        """Items and likes of one moment."""
        if profile is None:
            items = self._items
            return items, resolve_likes(items, favorites, dislikes)
        state, dislikes = self._changes.state, several(dislikes)
        favorites = merge_profile(state.items, favorites, dislikes, state.profiles.get(profile, {}))
        return state.items, resolve_likes(state.items, favorites, dislikes)


def _describe(items: Items, found: int | Family, score: float) -> Match:
    sure = score >= SURE
    if isinstance(found, int):
        return Match(items.ids[found], items.names[found], score, sure=sure)
    return Match(found.id, found.value, score, "family", items.families.count(found), sure)
