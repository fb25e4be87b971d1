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
        values, numbers, rows = self._pairs
        values_of_others = {other: set(numbers[rows == other].tolist()) for other in others}
        occurrences = np.bincount(numbers).tolist()
        found = []
        for number in dict.fromkeys(numbers[rows == row].tolist()):
            both = [other for other in others if number in values_of_others[other]]
            if both:
                rarity = math.log(self._rows / occurrences[number])
                found.append((-len(both) * rarity, *values[number], both))
        return [entry[1:] for entry in sorted(found)]

    @cached_property
    def _pairs(self) -> tuple[list[tuple[str, str]], NDArray[np.int64], NDArray[np.int64]]:
        """All values, and the number of the value and the row of each occurrence."""
        values = [(attribute, value) for attribute, known in self._rows_with.items() for value in known]
        having = [rows for known in self._rows_with.values() for rows in known.values()]
        numbers = np.repeat(np.arange(len(having)), [len(rows) for rows in having])
        return values, numbers, np.concatenate([np.empty(0, np.int64), *having])

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
