"""The items that can be asked for: those of the model file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import cast

import numpy as np
from numpy.typing import NDArray

from device_runtime.errors import FileFormatError, InvalidArgumentError, UnknownItemError
from device_runtime.format.layout import ALIASES, ATTRIBUTES, FOLDING, IDS, NAMES, POPULARITY
from device_runtime.format.model_file import ModelFile
from device_runtime.items.attributes import AttributeIndex, Filter
from device_runtime.items.families import Family, FamilyIndex
from device_runtime.items.folding import UNICODE, Folding
from device_runtime.items.fuzzy import ONE_EDIT, SURE, UNSURE
from device_runtime.items.names import NameIndex
from device_runtime.scoring.integers import Rows
from device_runtime.scoring.objectives import Objective, objective_of

_SUGGESTIONS = 3
_ITEMS_FOR_A_FAMILY = 4
_AFTER_ITEMS = 0.003  # taken from the score of a family: of two called just so, the item comes first
_AFTER_ITEMS_NEARLY_SO = 0.0355  # of a plural or another order of words: below that of an item's alias


class Items:
    """The items of a model file, by row. What only some questions need is read when the first of them comes.

    Attributes:
        changed: whether rows were added, removed or renamed.
        row_count: rows, removed ones among them.
        removed: rows that must not come back.
        added_rows: int8 [added, columns]: what follows the table.
    """

    changed = False

    def __init__(self, model: ModelFile) -> None:
        self.model = model
        self.row_count = model.manifest.rows
        self.removed: Rows = np.empty(0, np.int64)
        self.added_rows: NDArray[np.int8] = np.empty((0, model.manifest.columns), np.int8)

    def __len__(self) -> int:
        return self.row_count - len(self.removed)

    @cached_property
    def ids(self) -> Sequence[str]:
        """The id of each row."""
        return self.model.lines(IDS)

    @cached_property
    def names(self) -> Sequence[str]:
        """The name of each row."""
        return self.model.lines(NAMES)

    @cached_property
    def objective(self) -> Objective:
        """How favorites become queries, and what is alike."""
        return objective_of(self.model)

    @cached_property
    def index(self) -> NameIndex:
        """Finds rows of the model by text."""
        return NameIndex(self.row_of_id, self.names, _Aliases(self.model), self.popularity, lambda: self.folding)

    @cached_property
    def folding(self) -> Folding:
        """How names and what is typed are folded: as the file says, or as Unicode does where it says nothing."""
        if not self.model.has(FOLDING):
            return UNICODE
        letters = {line[0]: line[1] for line in self.model.tuples(FOLDING, 2)}
        if not all(len(letter) == 1 for letter in letters):
            raise FileFormatError(f"{self.model.filename}: {FOLDING!r} has a line that is of no one character")
        return Folding(letters)

    @cached_property
    def row_of_id(self) -> Mapping[str, int]:
        """The row of each id, by `row_of_id[id]`."""
        ids = self.ids
        if isinstance(ids, list):
            return dict(zip(ids, range(len(ids)), strict=True))
        from device_runtime.format.texts import Lines, RowOfLine  # which small catalogs need not wait for

        return RowOfLine(cast("Lines", ids))

    @cached_property
    def families(self) -> FamilyIndex:
        """Finds kinds of items by text."""
        return FamilyIndex(
            self.model, lambda: self.attributes, self.removed, lambda: self.folding, changed=self.changed
        )

    @cached_property
    def attributes(self) -> AttributeIndex:
        """Which rows have which attributes."""
        return AttributeIndex(self.row_count, self.model.records(ATTRIBUTES, 2))

    def row(self, item: str) -> int:
        """The row of an item by its id, name or alias.

        Raises:
            UnknownItemError: no item has it.
            InvalidArgumentError: `item` is no text.
        """
        _check_text(item)
        row = self._row(item)
        if row is None:
            raise UnknownItemError(item, [self.names[row] for row, _ in self.find(item, _SUGGESTIONS)])
        return row

    def rows(self, items: Sequence[str]) -> Rows:
        """The rows of some items, each once."""
        known = self.row_of_id
        try:
            rows = [known[item] for item in items]
        except (KeyError, TypeError):  # one is asked for by its name, or is no text
            rows = [self.row(item) for item in items]
        return np.array(rows if len(set(rows)) == len(rows) else list(dict.fromkeys(rows)), np.int64)

    def find(self, text: str, limit: int) -> list[tuple[int, float]]:
        """Rows whose name or an alias resembles `text`, and how much; best first."""
        return self.index.find(text, limit)

    def match(self, text: str, limit: int) -> list[tuple[int | Family, float]]:
        """Rows and families whose names resemble `text`, and how much; best first, of the same an item first."""
        found: list[tuple[int | Family, float]] = list(self.find(text, limit))
        of_families = ((family, _of_family(score)) for family, score in self.families.find(text, limit))
        found += [(family, round(score, 4)) for family, score in of_families if self.families.count(family)]
        return sorted(found, key=lambda match: -match[1])[:limit]

    def complete(self, text: str, limit: int) -> list[tuple[int | Family, float]]:
        """What somebody who has typed `text` may mean: as `match`, and names that begin so, the best known first."""
        best: dict[int | Family, float] = dict(self.begun(text, limit))
        for found, score in self.match(text, limit):
            best[found] = max(score, best.get(found, 0))
        begun = self.families.begun(text, limit // _ITEMS_FOR_A_FAMILY)
        families = [(family, max(score - _AFTER_ITEMS, best.get(family, 0))) for family, score in begun]
        others = sorted(
            (match for match in best.items() if match[0] not in dict(families)), key=lambda match: -match[1]
        )
        return sorted([*others[: limit - len(families)], *families], key=lambda match: -match[1])

    def begun(self, text: str, limit: int) -> list[tuple[int, float]]:
        """Rows of which a name or an alias has a word that begins with `text`."""
        return self.index.best_first(self.index.begun(text), None, limit)

    def resolve(self, text: str) -> int | Family:
        """What `text` surely means: a row or a family, by just its name or a spelling away from one.

        Raises:
            UnknownItemError: nothing is called so; it suggests what is alike.
            InvalidArgumentError: `text` is no text.
        """
        _check_text(text)
        row = self._row(text)
        if row is not None:
            return row
        family = self.families.named(text)
        if family is not None:
            return family
        matches = self.match(text, _SUGGESTIONS)
        if not matches or matches[0][1] < SURE:
            raise UnknownItemError(text, [self.label(found) for found, _ in matches])
        return matches[0][0]

    def expand(self, texts: Sequence[str]) -> Rows:
        """The rows that `texts` mean, each once: of a family all its rows."""
        try:
            return np.array(list(dict.fromkeys(self.row_of_id[text] for text in texts)), np.int64)
        except (KeyError, TypeError):
            found = [self.resolve_unwanted(text) for text in texts]
            rows = [np.array([one]) if isinstance(one, int) else self.families.rows(one) for one in found]
            return np.array(list(dict.fromkeys(np.concatenate(rows).tolist())), np.int64)

    def resolve_unwanted(self, text: str) -> int | Family:
        """What `text` surely means to somebody who wants none of it: "no mushrooms" is about the kind, not a side dish.

        So a family goes before an item that only has it as an alias; errors are those of `resolve`.
        """
        found = self.resolve(text)
        fold = self.folding.fold
        if isinstance(found, int) and text != self.ids[found] and fold(text) != fold(self.names[found]):
            families = self.families.find(text, 1)
            if families and families[0][1] > ONE_EDIT and self.families.count(families[0][0]):
                return families[0][0]
        return found

    def label(self, found: int | Family) -> str:
        """The name of a row or a family, for a message."""
        return self.names[found] if isinstance(found, int) else found.id

    def allowed(self, where: Filter) -> NDArray[np.bool_]:
        """Which rows may come back, bool [row_count]."""
        allowed = self.attributes.allowed(where)
        allowed[self.removed] = False
        return allowed

    def vectors(self, rows: Rows) -> NDArray[np.int8]:
        """The integers of some rows: int8 [rows, columns]."""
        return self.model.table[rows]

    def directions(self, rows: Rows) -> NDArray[np.float32]:
        """The vectors of some rows, of length about 1: float32 [rows, dims]."""
        return self.objective.directions(self.vectors(rows))

    def named(self, text: str) -> int | None:
        """The row with just this id or name."""
        try:
            return self.row_of_id[text]
        except KeyError:
            return next(self._rows_by_kind(text))

    @cached_property
    def popularity(self) -> NDArray[np.uint8] | None:
        """How widely each row of the model is known: what the file says, or the bias of a model of what people like."""
        if self.model.has(POPULARITY):
            known = np.frombuffer(self.model.data(POPULARITY), np.uint8)
            if len(known) != self.model.manifest.rows:
                raise FileFormatError(f"{self.model.filename}: {POPULARITY!r} has {len(known)} bytes; export it again")
            return known
        return self.objective.popularity()

    def _row(self, text: str) -> int | None:
        return self.index.row(text)

    def _rows_by_kind(self, text: str) -> Iterator[int | None]:
        return self.index.rows_by_kind(text)


def _of_family(score: float) -> float:
    """What `score` counts for a family beside items: of two called just so the item is meant, and one nearly so, too.

    Two letters wrong make another word of the short ones that name kinds.
    """
    if score > ONE_EDIT:
        return score - (_AFTER_ITEMS if score == 1 else _AFTER_ITEMS_NEARLY_SO)
    return score - _AFTER_ITEMS if score == ONE_EDIT else min(score, UNSURE)


class _Aliases:
    """(row, alias) pairs, read from the file whenever they are gone through."""

    def __init__(self, model: ModelFile) -> None:
        self._model = model

    def __iter__(self) -> Iterator[tuple[int, str]]:
        for row, (alias,) in self._model.records(ALIASES, 1):
            yield row, alias

    def rows_of(self, alias: str) -> list[int]:
        """The rows with just this alias, in order."""
        line = re.compile(rf"^(\d+)\t{re.escape(alias)}$", re.MULTILINE)
        return [int(row) for row in line.findall(self._model.text(ALIASES))] if "\t" not in alias else []


def _check_text(item: object) -> None:
    if not isinstance(item, str):
        raise InvalidArgumentError(f"an item is asked for by its id, name or alias, not by {item!r}")


def names_of(catalog: Items, rows: Sequence[int] | Rows) -> list[str]:
    """The names of some rows, for a message."""
    return [catalog.names[int(row)] for row in rows]
