"""Which items have which attributes: what `where=` asks, as a mapping or as people type it."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from device_runtime.arguments import Values, several
from device_runtime.errors import InvalidArgumentError, UnknownAttributeError
from device_runtime.items.names import listed, most_like, same_but_for_case, some_of

Filter = Mapping[str, Values | Mapping[str, Values]] | Values
NOT = "not"
_SEPARATOR = re.compile("(!?)[=:]")


class Condition(NamedTuple):
    """`attribute=value`, or `attribute!=value`, which forbids."""

    attribute: str
    value: str
    forbids: bool = False


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

    def called(self, attribute: str) -> str:
        """The attribute of this name, whatever its case.

        Raises:
            UnknownAttributeError: no item has it.
        """
        name = same_but_for_case(attribute, self._rows_with)
        if name is None:
            like = most_like(attribute, self._rows_with)
            meant = f"did you mean {', '.join(like)}? " if like else ""
            raise UnknownAttributeError(f"no item has an attribute {attribute!r}; {meant}{self._known()}")
        return name

    def read(self, text: str) -> Condition:
        """A condition as people type it: `course=soup`, `course:soup`, `course!=soup` or `course!:soup`.

        A name that holds such a sign itself is known by what the items have. A name that none has is taken as it is.

        Raises:
            InvalidArgumentError: the text is none of these.
        """
        read = [Condition(text[: m.start()], text[m.end() :], bool(m[1])) for m in _SEPARATOR.finditer(text)]
        if not read:
            having = [f"{name}={same}" for name, v in self._rows_with.items() if (same := same_but_for_case(text, v))]
            meant = f"did you mean {listed(having)}?" if having else self._known()
            raise InvalidArgumentError(f"{text!r} is no condition; give ATTRIBUTE=VALUE or ATTRIBUTE!=VALUE; {meant}")
        named = [(same_but_for_case(one.attribute, self._rows_with), one) for one in read]
        known = [one._replace(attribute=name) for name, one in named if name is not None]
        valued = (one for one in known if same_but_for_case(one.value, self._rows_with[one.attribute]) is not None)
        return next(valued, (known or read)[0])

    def read_values(self, texts: Iterable[str]) -> dict[str, list[str]]:
        """The values of each attribute, from texts as in `read`.

        Raises:
            InvalidArgumentError: a text is no condition, or forbids a value.
        """
        values: dict[str, list[str]] = {}
        for text in texts:
            one = self.read(text)
            if one.forbids:
                raise InvalidArgumentError(f"{text!r} forbids a value; give ATTRIBUTE=VALUE, what the item is like")
            values.setdefault(one.attribute, []).append(one.value)
        return values

    def spelled(self, attributes: Mapping[str, Iterable[str]]) -> dict[str, tuple[str, ...]]:
        """The same, with names as other items have them where these differ by case alone."""
        found: dict[str, tuple[str, ...]] = {}
        for attribute, values in attributes.items():
            name = same_but_for_case(attribute, self._rows_with) or attribute
            known = self._rows_with.get(name, {})
            spelled = tuple(same_but_for_case(value, known) or value for value in values)
            found[name] = (*found.get(name, ()), *spelled)
        return found

    def allowed(self, where: Filter) -> NDArray[np.bool_]:
        """Which rows meet every condition of `where`, bool [rows].

        A condition of a mapping is a value, several values of which any will do, or `{"not": ...}` of which none may be
        there; texts are those of `read`, and an attribute in several allows, or forbids, each of their values.

        Raises:
            UnknownAttributeError: no item has the attribute or the value.
            InvalidArgumentError: a condition is none of these, or both allows and forbids values of one attribute.
        """
        allowed = np.ones(self._rows, bool)
        for attribute, condition in (where if isinstance(where, Mapping) else self._read_all(several(where))).items():
            if isinstance(condition, Mapping):
                allowed &= ~self._having(attribute, _negated(attribute, condition))
            else:
                allowed &= self._having(attribute, several(condition))
        return allowed

    def _read_all(self, texts: Collection[str]) -> dict[str, list[str] | dict[str, list[str]]]:
        conditions = [self.read(text) for text in texts]
        where: dict[str, list[str] | dict[str, list[str]]] = {}
        for attribute in dict.fromkeys(one.attribute for one in conditions):
            of_one = [one for one in conditions if one.attribute == attribute]
            if len({one.forbids for one in of_one}) > 1:
                raise InvalidArgumentError(f"where both asks for and forbids values of {attribute!r}; give one kind")
            values = [one.value for one in of_one]
            where[attribute] = {NOT: values} if of_one[0].forbids else values
        return where

    def _having(self, attribute: str, values: Sequence[str]) -> NDArray[np.bool_]:
        attribute = self.called(attribute)
        known = self._rows_with[attribute]
        mask = np.zeros(self._rows, bool)
        for value in values:
            if not isinstance(value, str):
                raise InvalidArgumentError(f"a value of {attribute} is asked for as {value!r}; give a text")
            same = same_but_for_case(value, known)
            if same is None:
                raise UnknownAttributeError(f"no item has {value!r} as its {attribute}; {some_of(known, value)}")
            mask[known[same]] = True
        return mask

    def _known(self) -> str:
        """All attributes, and one value as an example, for a message."""
        for attribute, known in self._rows_with.items():
            frequent = max(known, key=lambda value: len(known[value]))
            return f"there are {listed(sorted(self._rows_with))}, as in {attribute}={frequent}"
        return "no item has any"


def _negated(attribute: str, condition: Mapping[str, Values]) -> list[str]:
    if list(condition) != [NOT]:
        raise InvalidArgumentError(
            f'the condition on {attribute!r} is {dict(condition)!r}; give a value, several, or {{"not": ...}}'
        )
    return several(condition[NOT])
