"""The public API: similar items and recommendations from one file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from device_runtime import engines, scoring
from device_runtime.datatypes import Match, Neighbor
from device_runtime.diversity import CANDIDATES_FOR_EACH, diversified
from device_runtime.engines import EngineName, Ranking
from device_runtime.errors import InvalidArgumentError, UnknownItemError
from device_runtime.filters import AttributeIndex, Filter, several
from device_runtime.model_file import Manifest, ModelFile
from device_runtime.names import NameIndex
from device_runtime.scoring import Rows

_SUGGESTIONS = 3


class Recommender:
    """Answers from one `.tflite` file made by mignon. Wherever an item is asked for, its id, name or an alias will do.

    Example:
        >>> meals = Recommender.open("build/meals.tflite")
        >>> meals.similar("pancakes", k=3)
    """

    def __init__(self, model: ModelFile, engine: EngineName = "auto") -> None:
        self._model = model
        self._engine = engines.create(engine, model)

    @classmethod
    def open(cls, path: str | Path, *, engine: EngineName = "auto") -> Recommender:
        """Opens and verifies the file at `path`.

        Args:
            engine: `tflite` (an interpreter runs the graph), `numpy` (no interpreter at all), or `auto`, all of them
                exact; or `usearch`, which asks an approximate index beside the file.

        Raises:
            ModelFileError: the file is missing, damaged or of another format.
            MissingInterpreterError: `tflite` was asked for and no interpreter is installed.
            MissingLibraryError: `usearch` was asked for and is not installed.
            IndexFileError: it was asked for and the index is missing or damaged.
        """
        return cls(ModelFile.open(path), engine)

    @property
    def manifest(self) -> Manifest:
        """What the file says of itself."""
        return self._model.manifest

    @property
    def engine(self) -> str:
        """The name of the engine in use: `tflite`, `numpy` or `usearch`."""
        return self._engine.name

    def __len__(self) -> int:
        return self._model.manifest.rows

    def find(self, text: str, limit: int = 5) -> list[Match]:
        """Items whose name or an alias resembles `text`, whatever its case and accents; best first."""
        _check_count("limit", limit)
        return [Match(self._ids[row], self._names[row], score) for row, score in self._index.find(text, limit)]

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
            diversify: from 0, the most alike, to 1, the least like one another (see `device_runtime.diversity`).

        Raises:
            UnknownItemError: no item has that id, name or alias; the error suggests some.
            InvalidArgumentError: k is below 1, or `diversify` not from 0 to 1.
            UnknownAttributeError: `where` names an attribute or a value that no item has.
        """
        return self.recommend([item], k, exclude=exclude, where=where, diversify=diversify)

    def recommend(
        self,
        items: Sequence[str],
        k: int = 10,
        *,
        exclude: Iterable[str] = (),
        where: Filter | None = None,
        diversify: float = 0.0,
    ) -> list[Neighbor]:
        """The k items nearest to the favorites `items`, none of which comes back.

        Args and errors are those of `similar`; an item named twice counts once.

        Raises:
            InvalidArgumentError: `items` is empty or one string.
        """
        if isinstance(items, str):
            raise InvalidArgumentError(f"items is the text {items!r}; give a list of items, or use similar()")
        favorites = self._rows(several(items))
        if not len(favorites):
            raise InvalidArgumentError("no favorites were given; name at least one item")
        excluded = self._rows(several(exclude))
        k = min(_check_count("k", k), len(self))
        wanted = _candidates(k, diversify, len(self))
        if where:
            query = scoring.sum_of_rows(self._model.table, favorites)
            ranking = self._filtered(query, wanted, np.union1d(favorites, excluded), where)
        else:
            ranking = self._engine.nearest(favorites, min(wanted + len(excluded), len(self)))
            ranking = _without(ranking, excluded, wanted)
        return self._neighbors(self._diversified(ranking, k, diversify))

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

        Raises:
            InvalidArgumentError: the vector has another length, is zero, or holds a value that is not finite.
        """
        query = scoring.integer_query(self._checked(vector))
        banned = self._rows(several(exclude))
        k = min(_check_count("k", k), len(self))
        wanted = _candidates(k, diversify, len(self))
        if where:
            ranking = self._filtered(query, wanted, banned, where)
        else:
            ranking = _without(self._engine.search(query, min(wanted + len(banned), len(self))), banned, wanted)
        return self._neighbors(self._diversified(ranking, k, diversify))

    def place(self, attributes: Mapping[str, str | Iterable[str]]) -> NDArray[np.float32]:
        """The vector that an item with these attributes would have: float32 [dims], of length 1, for `search`.

        Of several values of one attribute the first counts most, as in a catalog.

        Raises:
            UnknownAttributeError: no item had that attribute or value when the model was trained.
            InvalidArgumentError: there are no attributes, or they cancel out.
        """
        vectors = self._model.attribute_vectors
        total = np.zeros(self._model.manifest.dims)
        for attribute, values in attributes.items():
            rows = vectors.rows(attribute, several(values))
            shares = 1 / np.sqrt(np.arange(1, len(rows) + 1))
            total += shares @ vectors.entries[rows] / max(1.0, shares.sum())
        length = np.sqrt(total @ total)
        if length == 0:
            raise InvalidArgumentError("these attributes say nothing of where the item belongs; give more of them")
        return (total / length).astype(np.float32)

    def vector(self, item: str) -> NDArray[np.float32]:
        """The vector of `item`: float32 [dims], of length about 1."""
        manifest = self._model.manifest
        row = self._model.table[self.row(item), : manifest.dims]
        return row.astype(np.float32) * np.float32(manifest.scale)

    def score(self, item: str, other: str) -> float:
        """How alike two items are: the cosine that `similar` would give, from -1 to 1."""
        query = scoring.sum_of_rows(self._model.table, np.array([self.row(item)]))
        scores = self._model.table[[self.row(other)]].astype(np.float64) @ query
        return float(scoring.cosines(scores, query, self._model.manifest.scale)[0])

    def row(self, item: str) -> int:
        """The row of `item` in the table: the index by which the signatures of the file know it.

        Raises:
            UnknownItemError: no item has that id, name or alias.
        """
        if not isinstance(item, str):
            raise InvalidArgumentError(f"an item is asked for by its id, name or alias, not by {item!r}")
        row = self._index.row(item)
        if row is None:
            raise UnknownItemError(item, [match.name for match in self.find(item, _SUGGESTIONS)])
        return row

    @cached_property
    def _ids(self) -> list[str]:
        return self._model.lines("ids.txt")

    @cached_property
    def _names(self) -> list[str]:
        return self._model.lines("names.txt")

    @cached_property
    def _index(self) -> NameIndex:
        return NameIndex(self._ids, self._names, self._aliases())

    def _aliases(self) -> Iterator[tuple[int, str]]:
        for row, (alias,) in self._model.records("aliases.tsv", 1):
            yield row, alias

    @cached_property
    def _attributes(self) -> AttributeIndex:
        return AttributeIndex(len(self), self._model.records("attributes.tsv", 2))

    def _rows(self, items: Sequence[str]) -> Rows:
        known = self._index.row_of_id
        try:
            rows = [known[item] for item in items]
        except (KeyError, TypeError):  # one is asked for by its name, or is no text
            rows = [self.row(item) for item in items]
        return np.array(list(dict.fromkeys(rows)), np.int64)

    def _filtered(self, query: NDArray[np.int64], k: int, banned: Rows, where: Filter) -> Ranking:
        scores = scoring.scores_of(self._model.table, query)
        allowed = self._attributes.allowed(where)
        allowed[banned] = False
        scores[~allowed] = -np.inf
        return scoring.best(scores, query, k, self._model.manifest.scale)

    def _diversified(self, ranking: Ranking, k: int, diversify: float) -> Ranking:
        if not diversify:
            return ranking
        rows, scores = ranking
        vectors = self._model.table[rows] * np.float32(self._model.manifest.scale)
        chosen = diversified(vectors, scores, k, diversify)
        return rows[chosen], scores[chosen]

    def _checked(self, vector: ArrayLike) -> NDArray[np.float32]:
        dims = self._model.manifest.dims
        try:
            given = np.asarray(vector)
        except ValueError as error:
            raise InvalidArgumentError(f"the vector is not a list of {dims} numbers ({error})") from None
        if given.dtype.kind not in "iuf":
            raise InvalidArgumentError(f"the vector is not a list of {dims} numbers, but of {given.dtype}")
        with np.errstate(over="ignore"):  # too large a number becomes infinite, and is refused as such
            array = given.astype(np.float32)
        if array.shape != (dims,):
            raise InvalidArgumentError(f"the vector has shape {list(array.shape)}; vectors here have [{dims}]")
        if not np.isfinite(array).all():
            raise InvalidArgumentError("the vector holds NaN or infinity; give finite numbers")
        if not array.any():
            raise InvalidArgumentError("the vector is zero and points nowhere; give one that is not")
        return array

    def _neighbors(self, ranking: Ranking) -> list[Neighbor]:
        rows, scores = ranking
        ids, names = self._ids, self._names
        pairs = zip(rows.tolist(), scores.tolist(), strict=True)
        return [Neighbor(ids[row], names[row], score) for row, score in pairs]


def _without(ranking: Ranking, banned: Rows, k: int) -> Ranking:
    if not len(banned):
        return ranking
    rows, scores = ranking
    kept = scoring.without(rows, banned, k)
    return rows[kept], scores[kept]


def _candidates(k: int, diversify: float, rows: int) -> int:
    """How many of the best to choose k from."""
    if isinstance(diversify, bool) or not isinstance(diversify, int | float) or not 0 <= diversify <= 1:
        raise InvalidArgumentError(f"diversify is {diversify!r}; give a number from 0 to 1")
    return min(k * CANDIDATES_FOR_EACH, rows) if diversify else k


def _check_count(name: str, value: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise InvalidArgumentError(f"{name} is {value!r}; give a whole number from 1")
    return int(value)
