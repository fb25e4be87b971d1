"""The public API: similar items and recommendations from one file."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from device_runtime.arguments import several
from device_runtime.changes.files import OVERLAY_SUFFIX
from device_runtime.engines import choice as engines
from device_runtime.engines.choice import EngineName
from device_runtime.errors import InvalidArgumentError, InvalidCountError, InvalidVectorError, ReadOnlyError
from device_runtime.format.manifest import Manifest
from device_runtime.format.model_file import ModelFile
from device_runtime.items.attributes import Filter
from device_runtime.items.items import Items
from device_runtime.ranking.diversity import CANDIDATES_FOR_EACH, diversified
from device_runtime.ranking.likes import Favorites, Likes, favorites_of, likes_of, query_of
from device_runtime.results import Explanation, Match, Neighbor
from device_runtime.scoring.integers import Ranking, Rows, integer_query
from device_runtime.scoring.top_k import positions_without

_NOTHING: tuple[str, ...] = ()
_NOT = 0.0
_FASTER_ONE_BY_ONE = 1 << 20  # entries of a table that an engine scores sooner than several queries can be gathered

if TYPE_CHECKING:
    from pathlib import Path

    from device_runtime.changes.device_changes import Edits
    from device_runtime.changes.kinds import Change
    from device_runtime.changes.profile import Profile


class Recommender:
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
        self.file = model
        self._engine = engines.create(engine, model)
        self._catalog = Items(model)
        self.edits: Edits | None = None
        self._writable = False

    @classmethod
    def open(
        cls, path: str | Path, *, engine: EngineName = "auto", changes: bool | str | Path = True, writable: bool = False
    ) -> Recommender:
        """Opens and verifies the file at `path`, and applies the changes made on the device.

        Args:
            engine: `tflite` (an interpreter runs the graph), `numpy` (no interpreter at all), or `auto`, all of them
                exact; or `usearch`, which asks an approximate index beside the file.
            changes: True reads the overlay beside the file, `PATH.overlay`, if there is one; a path reads that overlay;
                False leaves the model as it is.
            writable: allow changes; makes the overlay if there is none, and locks it until `close`.

        Raises:
            ModelFileError: the file is missing, damaged or of another format.
            MissingEngineError: `tflite` was asked for and no interpreter is installed.
            MissingEngineError: `usearch` was asked for and is not installed.
            IndexFileError: it was asked for and the index is missing or damaged.
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
                recommender._apply(overlay, writable)
        return recommender

    @property
    def manifest(self) -> Manifest:
        """What the file says of itself."""
        return self.file.manifest

    @property
    def engine(self) -> str:
        """The name of the engine in use: `tflite`, `numpy` or `usearch`."""
        return self._engine.name

    @property
    def writable(self) -> bool:
        """Whether changes can be made."""
        return self._writable

    def __len__(self) -> int:
        """The number of items, with those that were added and without those that were removed."""
        return len(self._catalog)

    def find(self, text: str, limit: int = 5) -> list[Match]:
        """Items whose name or an alias resembles `text`, whatever its case and accents; best first.

        Raises:
            InvalidCountError: `limit` is not a whole number from 1.
        """
        _check_count("limit", limit)
        catalog = self._catalog
        return [Match(catalog.ids[row], catalog.names[row], score) for row, score in catalog.find(text, limit)]

    def similar(
        self,
        item: str,
        k: int = 10,
        *,
        exclude: Iterable[str] = (),
        where: Filter | None = None,
        diversify: float = 0.0,
    ) -> list[Neighbor]:
        """The k items most like `item`, without `item` itself; fewer where fewer are eligible.

        Args:
            exclude: items that must not come back.
            where: what a result's attributes must be, as {attribute: value}; several values, any of which will do; or
                {attribute: {"not": value or values}}, none of which may be there.
            diversify: from 0, the most alike, to 1, the least like one another (see `ranking.diversity`).

        Raises:
            UnknownItemError: no item has that id, name or alias; the error suggests some.
            InvalidCountError: k is not a whole number from 1.
            InvalidArgumentError: `diversify` is not from 0 to 1, or another argument of the wrong kind.
            UnknownAttributeError: `where` names an attribute or a value that no item has.
        """
        if self._catalog.objective.best_is_alike:
            return self.recommend([item], k, exclude=exclude, where=where, diversify=diversify)
        catalog = self._catalog
        row = np.array([catalog.row(item)])
        banned = np.concatenate([row, catalog.rows(several(exclude))])
        query = catalog.objective.query_towards(catalog.vectors(row)[0].astype(np.int64))
        return self._alike(catalog, query, k, banned, where, diversify)

    def recommend(  # noqa: PLR0913 - each is of its own
        self,
        items: Favorites,
        k: int = 10,
        *,
        dislikes: Iterable[str] = _NOTHING,
        exclude: Iterable[str] = _NOTHING,
        where: Filter | None = None,
        diversify: float = _NOT,
    ) -> list[Neighbor]:
        """The k items nearest to the favorites `items`, none of which comes back.

        A score is the cosine of an item and the weighted sum of the favorites. Whole weights are summed exactly,
        fractions to the precision of float32. Other arguments and errors are those of `similar`.

        Args:
            items: favorites, one named twice counting once; or {item: weight}, where a negative weight is a dislike
                and 0 only keeps the item from coming back.
            dislikes: items to keep away from, as by a weight of -1; they do not come back either.

        Raises:
            NoFavoritesError: nothing is liked.
            ContradictoryLikesError: an item is liked and disliked or has two weights, maybe under two names; or all
                weights cancel out.
            InvalidWeightError: a weight is not a finite number.
        """
        catalog = self._catalog
        plain = dislikes is exclude is _NOTHING and diversify is _NOT and not where and not catalog.changed
        if plain and isinstance(items, list):
            k = min(_check_count("k", k), catalog.row_count)  # what most ask, by as few steps as can be
            return _neighbors(catalog, self._engine.nearest(favorites_of(catalog, items), k))
        likes = likes_of(catalog, items, dislikes)
        return self.answer(catalog, likes, k, exclude, where, diversify)

    def recommend_many(
        self,
        baskets: Iterable[Favorites],
        k: int = 10,
        *,
        exclude: Iterable[str] = (),
        where: Filter | None = None,
        diversify: float = 0.0,
    ) -> list[list[Neighbor]]:
        """What `recommend` answers for each of `baskets`, sooner: a block of rows is scored for many of them at once.

        Memory does not grow with the number of baskets, but for the answers. Arguments and errors are those of
        `recommend`; an error that is a basket's own names it by its number, from 0.
        """
        from device_runtime.ranking.batch import Batch, naming_basket

        if isinstance(baskets, str | Mapping):
            raise InvalidArgumentError(f"baskets is {baskets!r}; give a list of baskets")
        catalog, exclude = self._catalog, several(exclude)
        k = min(_check_count("k", k), catalog.row_count)
        wanted = _candidates(k, diversify, catalog.row_count)
        batch = Batch(catalog, catalog.rows(exclude), where)
        if where or self.file.table.size > _FASTER_ONE_BY_ONE:
            rankings = batch.rankings(baskets, wanted)
            return [_neighbors(catalog, self._diversified(catalog, ranking, k, diversify)) for ranking in rankings]
        answers = []
        for number, items in enumerate(baskets):
            with naming_basket(number):
                answers.append(self.answer(catalog, likes_of(catalog, items, ()), k, exclude, None, diversify))
        return answers

    def search(
        self,
        vector: ArrayLike,
        k: int = 10,
        *,
        exclude: Iterable[str] = (),
        where: Filter | None = None,
        diversify: float = 0.0,
    ) -> list[Neighbor]:
        """The k items whose vectors point most nearly where `vector` [dims] does; its length does not matter.

        Other arguments and errors are those of `similar`.

        Raises:
            InvalidVectorError: the vector has another length, is zero, or holds a value that is not finite.
        """
        catalog = self._catalog
        query = catalog.objective.query_towards(integer_query(self._checked(vector)))
        banned = catalog.rows(several(exclude))
        if not catalog.objective.best_is_alike:
            return self._alike(catalog, query, k, banned, where, diversify)
        k = min(_check_count("k", k), catalog.row_count)
        wanted = _candidates(k, diversify, catalog.row_count)
        if where or catalog.changed:
            ranking = _ranked(catalog, query, wanted, banned, where)
        else:
            found = self._engine.search(query, min(wanted + len(banned), catalog.row_count))
            ranking = _without(found, banned, wanted)
        return _neighbors(catalog, self._diversified(catalog, ranking, k, diversify))

    def explain(self, items: Favorites, result: str, *, dislikes: Iterable[str] = ()) -> Explanation:
        """Why `recommend` gives `result` for these favorites: what each contributes, and the attributes they share.

        Raises:
            UnknownItemError: `result` or a favorite is unknown; other errors are those of `recommend`.
        """
        from device_runtime.ranking.explanation import explained

        catalog = self._catalog
        return explained(catalog, likes_of(catalog, items, dislikes), catalog.row(result))

    def place(self, attributes: Mapping[str, str | Iterable[str]]) -> NDArray[np.float32]:
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
        catalog = self._catalog
        return catalog.directions(np.array([catalog.row(item)]))[0]

    def score(self, item: str, other: str) -> float:
        """How alike two items are: the cosine that `similar` would give, from -1 to 1."""
        catalog = self._catalog
        return catalog.objective.likeness(*catalog.vectors(np.array([catalog.row(item), catalog.row(other)])))

    def row(self, item: str) -> int:
        """The row of `item` in the table: the index by which the signatures of the file know it.

        Rows of items that were added follow those of the table, and the file's signatures do not know them.

        Raises:
            UnknownItemError: no item has that id, name or alias.
        """
        return self._catalog.row(item)

    def profile(self, name: str) -> Profile:
        """What the user `name` likes; kept with the other changes. A profile that is new likes nothing yet."""
        from device_runtime.changes.profile import Profile

        return Profile(self, name)

    @property
    def profiles(self) -> list[str]:
        """The names of the profiles that like or dislike something."""
        return list(self.edits.state.profiles) if self.edits else []

    @property
    def dropped(self) -> list[str]:
        """The changes that cannot apply to this model, and why; they are kept for a model that they fit."""
        return list(self.edits.state.dropped) if self.edits else []

    @property
    def changes(self) -> list[Change]:
        """All changes in the overlay, oldest first, as `device_runtime.changes.kinds` describes them."""
        return list(self.edits.changes) if self.edits else []

    def add(
        self,
        name: str,
        attributes: Mapping[str, str | Iterable[str]] | None = None,
        *,
        id: str | None = None,  # noqa: A002 - as a catalog calls it
        neighbors: Iterable[str] = (),
    ) -> str:
        """Adds an item, which from now on comes back and can be asked for like any other, and returns its id.

        Args:
            attributes: what it is like, which places it among the others, and what `where` filters it by. The first
                value of several counts most.
            id: if none is given, made from the name.
            neighbors: items it is like; then these place it, and attributes may be any.

        Raises:
            ItemExistsError: another item has that id or name.
            UnknownAttributeError: no item has such an attribute, or the model knows no such value of it.
            UnknownItemError: there is no such neighbor.
            InvalidArgumentError: nothing is said of where it belongs, or a text is empty or holds a line break.
            ReadOnlyError: the model was not opened with `writable=True`.
            OverlayWriteError: the disk is full or failing; nothing was changed.
        """
        return self.editing().add(name, attributes or {}, id, neighbors)

    def remove(self, item: str) -> str:
        """Removes an item, and all likes of it, and returns its id: it is unknown from now on.

        Raises:
            UnknownItemError: there is no such item.
            ReadOnlyError, OverlayWriteError: see `add`.
        """
        return self.editing().remove(item)

    def rename(self, item: str, name: str) -> str:
        """Gives an item another name instead of the one it has, and returns its id, which stays, as aliases do.

        Raises:
            ItemExistsError: another item has that id or name.
            UnknownItemError: there is no such item.
            ReadOnlyError, OverlayWriteError: see `add`.
        """
        return self.editing().rename(item, name)

    def compact(self) -> None:
        """Shortens the overlay to the changes that still matter; nothing that can be asked changes.

        Raises:
            ReadOnlyError, OverlayWriteError: see `add`.
        """
        self.editing().compact()

    def close(self) -> None:
        """Ends writing, so that another may write; questions are still answered. Closing twice is fine."""
        if self.edits:
            self.edits.close()

    def __enter__(self) -> Recommender:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def editing(self) -> Edits:
        """What makes changes.

        Raises:
            ReadOnlyError: the model was not opened with `writable=True`.
        """
        if self.edits is None or not self._writable:
            raise ReadOnlyError("the model was opened to be read only; use Recommender.open(..., writable=True)")
        return self.edits

    def _apply(self, overlay: str, writable: bool) -> None:
        from pathlib import Path

        from device_runtime.changes.device_changes import Edits

        self._writable = writable
        self.edits = Edits(self._catalog, Path(overlay), self._publish, writable=writable)

    def _publish(self, catalog: Items) -> None:
        self._catalog = catalog

    def answer(  # noqa: PLR0913, PLR0917 - as many as its callers have
        self, catalog: Items, likes: Likes, k: int, exclude: Iterable[str], where: Filter | None, diversify: float
    ) -> list[Neighbor]:
        """What `recommend` answers, whatever changes meanwhile."""
        excluded = catalog.rows(several(exclude))
        k = min(_check_count("k", k), catalog.row_count)
        wanted = _candidates(k, diversify, catalog.row_count)
        if where or catalog.changed or likes.weights is not None:
            banned = np.concatenate([likes.rows, excluded])
            ranking = _ranked(catalog, query_of(catalog, likes), wanted, banned, where)
        else:
            ranking = self._engine.nearest(likes.rows, min(wanted + len(excluded), catalog.row_count))
            ranking = _without(ranking, excluded, wanted)
        return _neighbors(catalog, self._diversified(catalog, ranking, k, diversify))

    def _alike(  # noqa: PLR0913, PLR0917 - as many as its callers have
        self, catalog: Items, query: NDArray[np.int64], k: int, banned: Rows, where: Filter | None, diversify: float
    ) -> list[Neighbor]:
        """The items of a model of what people like that point where `query` [columns] does."""
        from device_runtime.ranking.ranker import alike

        k = min(_check_count("k", k), catalog.row_count)
        ranking = alike(catalog, query, _candidates(k, diversify, catalog.row_count), banned, where)
        return _neighbors(catalog, self._diversified(catalog, ranking, k, diversify))

    def _diversified(self, catalog: Items, ranking: Ranking, k: int, diversify: float) -> Ranking:
        if not diversify:
            return ranking
        rows, scores = ranking
        chosen = diversified(catalog.directions(rows), scores, k, diversify)
        return rows[chosen], scores[chosen]

    def _checked(self, vector: ArrayLike) -> NDArray[np.float32]:
        dims = self.manifest.dims
        try:
            given = np.asarray(vector)
        except ValueError as error:
            raise InvalidVectorError(f"the vector is not a list of {dims} numbers ({error})") from None
        if given.dtype.kind not in "iuf":
            raise InvalidVectorError(f"the vector is not a list of {dims} numbers, but of {given.dtype}")
        with np.errstate(over="ignore"):  # too large a number becomes infinite, and is refused as such
            array = given.astype(np.float32)
        if array.shape != (dims,):
            raise InvalidVectorError(f"the vector has shape {list(array.shape)}; vectors here have [{dims}]")
        if not np.isfinite(array).all():
            raise InvalidVectorError("the vector holds NaN or infinity; give finite numbers")
        if not array.any():
            raise InvalidVectorError("the vector is zero and points nowhere; give one that is not")
        return array


def _ranked(catalog: Items, query: NDArray[np.int64], k: int, banned: Rows, where: Filter | None) -> Ranking:
    from device_runtime.ranking.ranker import ranked  # plain questions need not wait for it

    return ranked(catalog, query, k, banned, where)


def _neighbors(catalog: Items, ranking: Ranking) -> list[Neighbor]:
    ids, names, new = catalog.ids, catalog.names, tuple.__new__  # Neighbor(...) would count its arguments each time
    pairs = zip(ranking[0].tolist(), ranking[1].tolist(), strict=True)
    return [new(Neighbor, (ids[row], names[row], score)) for row, score in pairs]


def _without(ranking: Ranking, banned: Rows, k: int) -> Ranking:
    if not len(banned):
        return ranking
    rows, scores = ranking
    kept = positions_without(rows, banned, k)
    return rows[kept], scores[kept]


def _candidates(k: int, diversify: float, rows: int) -> int:
    """How many of the best to choose k from."""
    if isinstance(diversify, bool) or not isinstance(diversify, int | float) or not 0 <= diversify <= 1:
        raise InvalidArgumentError(f"diversify is {diversify!r}; give a number from 0 to 1")
    return min(k * CANDIDATES_FOR_EACH, rows) if diversify else k


def _check_count(name: str, value: int) -> int:
    if type(value) is int and value >= 1:
        return value
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise InvalidCountError(f"{name} is {value!r}; give a whole number from 1")
    return int(value)
