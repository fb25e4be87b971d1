"""Kinds of items by what they have in common: what names an attribute value names all items that have it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import cached_property
from typing import NamedTuple

import numpy as np

from device_runtime.format.layout import ATTRIBUTES, FAMILIES, VOCABULARY
from device_runtime.format.model_file import ModelFile
from device_runtime.items.attributes import AttributeIndex
from device_runtime.items.folding import Folding
from device_runtime.items.names import NameIndex
from device_runtime.scoring.integers import Rows

_SEPARATOR = "="
_NAMES_OF_ONE = 4  # that may come before the next family


class Family(NamedTuple):
    """All items with one value of one attribute."""

    attribute: str
    value: str

    @property
    def id(self) -> str:
        """What names it without doubt: `attribute=value`."""
        return f"{self.attribute}{_SEPARATOR}{self.value}"


class FamilyIndex:
    """Finds families by their value, its other names, or `attribute=value`.

    Those of the model are the values it was trained with and those that the file gives other names; where items were
    added on the device, theirs too.

    Args:
        attributes: gives which items have which values, changed ones too; asked for only where it is needed.
        removed: rows that count no more.
        folding: gives how names are folded.
        changed: whether items were added, removed or renamed.
    """

    def __init__(
        self,
        model: ModelFile,
        attributes: Callable[[], AttributeIndex],
        removed: Rows,
        folding: Callable[[], Folding],
        *,
        changed: bool,
    ) -> None:
        self._model = model
        self._attributes = attributes
        self._removed = removed
        self._folding = folding
        self._changed = changed

    def find(self, text: str, limit: int) -> list[tuple[Family, float]]:
        """Families whose name resembles `text`, best first, and how much; see `fuzzy`. Of two as like, the larger."""
        best: dict[Family, float] = {}
        for row, score in self._index.find(text, _NAMES_OF_ONE * limit):
            best.setdefault(self._named[row][0], score)
        return list(best.items())[:limit]

    def begun(self, text: str, limit: int) -> list[tuple[Family, float]]:
        """Families of which a name has a word that begins with `text`; those of such a value, then the largest."""
        begun = self._index.begun(text)
        named = ((*self._named[row], score) for row, score in self._index.best_first(begun, None, len(begun)))
        best: dict[Family, float] = {}
        for family, _, score in sorted(named, key=lambda found: found[1] != found[0].value):
            best.setdefault(family, score)
        return [(family, score) for family, score in best.items() if self.count(family)][:limit]

    def named(self, text: str) -> Family | None:
        """The largest family with just this name, whatever its case and accents, or that of `attribute=value`."""
        row = self._index.row(text)
        if row is not None:
            return self._named[row][0]
        attribute, separator, value = text.partition(_SEPARATOR)
        known = separator and self._attributes().has(attribute, value)
        return Family(attribute, value) if known else None

    def is_id(self, text: str) -> bool:
        """Whether `text` is the id of a family."""
        family = self.named(text) if _SEPARATOR in text else None
        return family is not None and family.id == text

    def rows(self, family: Family) -> Rows:
        """The rows of its items, ascending, without those removed."""
        allowed = self._attributes().allowed({family.attribute: family.value})
        allowed[self._removed] = False
        return np.flatnonzero(allowed)

    def count(self, family: Family) -> int:
        """How many items it has."""
        return len(self.rows(family)) if self._changed else self._counts[family]

    @cached_property
    def _counts(self) -> Counter[tuple[str, str]]:
        """How many items of the model have each value: less to keep than which ones."""
        records = self._model.records(ATTRIBUTES, 2)
        return Counter((attribute, value) for _, (attribute, values) in records for value in values.split("|"))

    @cached_property
    def _named(self) -> list[tuple[Family, str]]:
        """Every family with its value, then with each of its other names."""
        values = [Family(*pair) for pair in self._model.tuples(VOCABULARY, 2)]
        if self._changed:
            values += [Family(*pair) for pair in self._attributes().values]
        others = self._model.tuples(FAMILIES, 3) if self._model.has(FAMILIES) else ()
        names = [(Family(attribute, value), name) for attribute, value, name in others]
        values += [family for family, _ in names]
        return [*((family, family.value) for family in dict.fromkeys(values)), *names]

    @cached_property
    def _index(self) -> NameIndex:
        families = {family.id: row for row, (family, _) in reversed(list(enumerate(self._named)))}
        sizes = np.array([self.count(family) for family, _ in self._named])
        return NameIndex(families, [name for _, name in self._named], (), sizes, self._folding)
