"""Which items have which attributes: what `where=` asks."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from device_runtime.arguments import Values, several
from device_runtime.errors import InvalidArgumentError, UnknownAttributeError, some_of

Filter = Mapping[str, Values | Mapping[str, Values]]
NOT = "not"
_CONDITION = re.compile("(?P<attribute>[^=:]*?)(?P<not>!?)[=:](?P<value>.*)", re.DOTALL)


class AttributeIndex:
    """The attributes of all items.

    Args:
        rows: number of items.
        records: (row, (attribute, values separated by `|`)).
    """

    def __init__(self, rows: int, records: Iterable[tuple[int, tuple[str, ...]]]) -> None:
        found: dict[str, dict[str, list[int]]] = {}
        self._rows = rows
        for row, (attribute, values) in records:
            for value in values.split("|"):
                found.setdefault(attribute, {}).setdefault(value, []).append(row)
        self._rows_with = {
            attribute: {value: np.array(having, np.int64) for value, having in values.items()}
            for attribute, values in found.items()
        }

    def extended(self, items: Sequence[Mapping[str, Iterable[str]]]) -> AttributeIndex:
        """An index of further items too, whose rows follow; `items` are their attributes."""
        added: dict[str, dict[str, list[int]]] = {}
        for row, attributes in enumerate(items, start=self._rows):
            for attribute, values in attributes.items():
                for value in dict.fromkeys(values):
                    added.setdefault(attribute, {}).setdefault(value, []).append(row)
        index = AttributeIndex(self._rows + len(items), ())
        index._rows_with = dict(self._rows_with)
        for attribute, new in added.items():
            known = index._rows_with[attribute] = dict(self._rows_with.get(attribute, {}))
            for value, rows in new.items():
                known[value] = np.concatenate([known.get(value, np.empty(0, np.int64)), rows])
        return index

    def __contains__(self, attribute: object) -> bool:
        return attribute in self._rows_with

    def has(self, attribute: str, value: str) -> bool:
        """Whether an item has this value."""
        return value in self._rows_with.get(attribute, ())

    @property
    def values(self) -> list[tuple[str, str]]:
        """Each attribute with each of its values."""
        return [(attribute, value) for attribute, known in self._rows_with.items() for value in known]

    def shared(self, row: int, others: Sequence[int]) -> list[tuple[str, str, list[int]]]:
        """The attribute values that `row` has in common with any of `others`, and with which of them, best first.

        Best is a value that many of `others` have and few items at all: their number times the logarithm of how much
        rarer the value is than one that all have (inverse document frequency: Spärck Jones, "A statistical
        interpretation of term specificity", 1972).
        """
        values, numbers, _ = self._by_row
        values_of_others = {other: set(self._numbers_of(other)) for other in others}
        occurrences = np.bincount(numbers, minlength=len(values))
        found = []
        for number in self._numbers_of(row):
            both = [other for other in others if number in values_of_others[other]]
            if both:
                rarity = math.log(self._rows / int(occurrences[number]))
                found.append((-len(both) * rarity, *values[number], both))
        return [entry[1:] for entry in sorted(found)]

    def of(self, row: int) -> dict[str, list[str]]:
        """The attributes of a row; of several values of one the most frequent first."""
        found: dict[str, dict[str, int]] = {}
        values = self._by_row[0]
        for attribute, value in (values[number] for number in self._numbers_of(row)):
            found.setdefault(attribute, {})[value] = -len(self._rows_with[attribute][value])
        return {attribute: sorted(counts, key=counts.__getitem__) for attribute, counts in found.items()}

    def counts(self, removed: NDArray[np.int64]) -> dict[str, dict[str, int]]:
        """How many rows but the removed ones have each value of each attribute; the most frequent first."""
        left = np.ones(self._rows, bool)
        left[removed] = False
        found = {}
        for attribute, known in self._rows_with.items():
            of_one = ((value, int(left[rows].sum())) for value, rows in known.items())
            found[attribute] = dict(sorted((pair for pair in of_one if pair[1]), key=lambda pair: (-pair[1], pair[0])))
        return {attribute: values for attribute, values in found.items() if values}

    def _numbers_of(self, row: int) -> list[int]:
        _, numbers, starts = self._by_row
        return numbers[starts[row] : starts[row + 1]].tolist()

    @cached_property
    def _by_row(self) -> tuple[list[tuple[str, str]], NDArray[np.int32], NDArray[np.int64]]:
        """All values; the numbers of those that the rows have, row by row; and where in these each row starts."""
        having = [rows for known in self._rows_with.values() for rows in known.values()]
        rows = np.concatenate([np.empty(0, np.int64), *having])
        numbers = np.repeat(np.arange(len(having), dtype=np.int32), [len(one) for one in having])
        starts = np.searchsorted(np.sort(rows), np.arange(self._rows + 1))
        return self.values, numbers[np.argsort(rows, kind="stable")], starts

    def allowed(self, where: Filter) -> NDArray[np.bool_]:
        """Which rows meet every condition of `where`, bool [rows].

        A condition is a value, several values of which any will do, or `{"not": ...}` of which none may be there.

        Raises:
            UnknownAttributeError: no item has the attribute or the value.
            InvalidArgumentError: a condition is none of these.
        """
        allowed = np.ones(self._rows, bool)
        for attribute, condition in where.items():
            if isinstance(condition, Mapping):
                allowed &= ~self._having(attribute, _negated(attribute, condition))
            else:
                allowed &= self._having(attribute, several(condition))
        return allowed

    def _having(self, attribute: str, values: Sequence[str]) -> NDArray[np.bool_]:
        known = self._rows_with.get(attribute)
        if known is None:
            names = ", ".join(sorted(self._rows_with)) or "none"
            raise UnknownAttributeError(f"no item has an attribute {attribute!r}; there are {names}")
        mask = np.zeros(self._rows, bool)
        for value in values:
            if not isinstance(value, str):
                raise InvalidArgumentError(f"a value of {attribute} is asked for as {value!r}; give a text")
            if value not in known:
                raise UnknownAttributeError(f"no item has {value!r} as its {attribute}; {some_of(known, value)}")
            mask[known[value]] = True
        return mask


def _negated(attribute: str, condition: Mapping[str, Values]) -> list[str]:
    if list(condition) != [NOT]:
        raise InvalidArgumentError(
            f'the condition on {attribute!r} is {dict(condition)!r}; give a value, several, or {{"not": ...}}'
        )
    return several(condition[NOT])


def parse_where(conditions: Iterable[str]) -> dict[str, list[str] | dict[str, list[str]]]:
    """A filter from texts as people type them: `course=soup` or `course:soup`, and `course!=soup` to forbid a value.

    An attribute that stands in several texts allows, or forbids, each of their values.

    Raises:
        InvalidArgumentError: a text is neither, or values of one attribute are both allowed and forbidden.
    """
    values_of: dict[str, list[str]] = {}
    forbidding: dict[str, bool] = {}
    for text in conditions:
        found = _CONDITION.fullmatch(text)
        if found is None:
            raise InvalidArgumentError(
                f"where is {text!r}; give ATTRIBUTE=VALUE, such as course=dessert, or ATTRIBUTE!=VALUE"
            )
        attribute, forbids = found["attribute"], bool(found["not"])
        if forbidding.setdefault(attribute, forbids) != forbids:
            raise InvalidArgumentError(f"where both asks for and forbids values of {attribute!r}; give one kind")
        values_of.setdefault(attribute, []).append(found["value"])
    return {name: {NOT: values} if forbidding[name] else values for name, values in values_of.items()}
