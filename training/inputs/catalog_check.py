"""Every problem of a catalog, with its row: vocabulary, names that clash, rows alike in all, and the counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from device_runtime.items.folding import fold
from training.inputs.catalog import Catalog, Item
from training.inputs.rules import DERIVED, Rules

_NO_VALUE = {"nan", "null", "n/a", "#n/a", "<na>"}  # as other programs write an empty cell
_MOST_SHOWN = 40  # values of a column that are listed
_FEW = 10
_NEARLY_ALL = 0.9


@dataclass(frozen=True, order=True)
class Problem:
    """What is wrong, and in which row; row 0 is the catalog as a whole."""

    row: int
    text: str

    def __str__(self) -> str:
        return f"row {self.row}: {self.text}" if self.row else self.text


def find_problems(catalog: Catalog, rules: Rules) -> list[Problem]:
    """All problems, in row order."""
    found = [problem for item in catalog.items for problem in _item_problems(item, rules)]
    if catalog.columns:
        found += [Problem(item.row, f"{item.name}: has no attribute") for item in catalog.items if not item.attributes]
    found += _name_problems(catalog, rules.families)
    found += _family_problems(rules, catalog.columns)
    found += _whole_problems(catalog, rules)
    return sorted(found, key=lambda problem: problem.row)


def count_rows_alike(catalog: Catalog) -> int:
    """How many rows share all their attributes with another row."""
    same = Counter(tuple(item.attributes.get(column, ()) for column in catalog.columns) for item in catalog.items)
    return sum(count for count in same.values() if count > 1)


@dataclass(frozen=True)
class ColumnSummary:
    """What training sees in a column.

    Attributes:
        items: that have a value there.
        values: different ones.
        single: values that one item alone has, by which nothing is alike.
        note: what is left out of it, or speaks against it; empty where nothing does.
    """

    column: str
    items: int
    values: int
    single: int
    note: str


def summarize_columns(catalog: Catalog) -> list[ColumnSummary]:
    """What training sees, column by column."""
    return [_summarize(catalog, column) for column in catalog.columns]


def find_oddities(catalog: Catalog) -> list[str]:
    """What makes the whole of a catalog hard to learn from, in words; nothing of most."""
    count, blank = len(catalog), sum(not item.attributes for item in catalog.items)
    found = [f"{blank} of {count} items have no attribute: nothing tells what they are like"] if blank else []
    if count == 1:
        found.append("one item alone has no neighbors; add others")
    elif len({tuple(sorted(item.attributes.items())) for item in catalog.items}) == 1:
        found.append(f"all {count} items have the same attributes; add columns that tell them apart")
    return found


def _summarize(catalog: Catalog, column: str) -> ColumnSummary:
    counts = _count_all(catalog, column)
    filled, single = sum(column in item.attributes for item in catalog.items), sum(n == 1 for n in counts.values())
    return ColumnSummary(column, filled, len(counts), single, _note(counts, filled, single, len(catalog)))


def _count_all(catalog: Catalog, column: str) -> Counter[str]:
    return Counter(value for item in catalog.items for value in item.attributes.get(column, ()))


def _note(counts: Counter[str], filled: int, single: int, items: int) -> str:
    if not counts:
        return "left out: no item has a value"
    missing = [value for value in counts if value.casefold() in _NO_VALUE]
    if missing:
        return f"{missing[0]!r} is taken for a value that {counts[missing[0]]} items share; leave such cells empty"
    if len(counts) == 1 and filled == items:
        return "all items have the same value, which tells nothing"
    if len(counts) > _FEW and sum(map(_is_number, counts)) >= _NEARLY_ALL * len(counts):
        return "numbers are words here: 9 is as far from 10 as from 99; give ranges, such as 0-9"
    if len(counts) > _FEW and single >= _NEARLY_ALL * len(counts):
        return "nearly every value stands once and makes nothing alike; give kinds that items share"
    return ""


def _is_number(value: str) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return True


def describe_catalog(catalog: Catalog, problems: Sequence[Problem]) -> Iterator[str]:
    """Lines with the values of each column, oddities, and the number of items and problems."""
    for column in summarize_columns(catalog):
        listed = ", ".join(
            f"{value} {count}" for value, count in _count_all(catalog, column.column).most_common(_MOST_SHOWN)
        )
        more = f" and {column.values - _MOST_SHOWN} more" if column.values > _MOST_SHOWN else ""
        yield f"{column.values} values of {column.column}: {listed}{more}{f' ({column.note})' if column.note else ''}"
    yield from find_oddities(catalog)
    aliased = sum(bool(item.other_names) for item in catalog.items)
    alike = count_rows_alike(catalog)
    yield f"{len(catalog)} items, {aliased} with aliases, {alike} alike in all; {len(problems)} problems"


def _item_problems(item: Item, rules: Rules) -> Iterator[Problem]:
    for column, allowed in rules.vocabulary.items():
        for value in item.attributes.get(column, ()):
            if value not in allowed:
                yield Problem(item.row, f"{item.name}: {column} {value!r} is not in the vocabulary")
    for column, (fewest, most) in rules.counts.items():
        count = len(item.attributes.get(column, ()))
        if not fewest <= count <= most:
            yield Problem(item.row, f"{item.name}: {count} values of {column}; it takes {fewest} to {most}")
    regions = tuple(dict.fromkeys(rules.region_of.get(c, "?") for c in item.attributes.get("cuisine", ())))
    if rules.region_of and item.attributes.get("region", ()) != regions:
        yield Problem(item.row, f"{item.name}: region is not {'|'.join(regions)}, that of its cuisine")


def _name_problems(catalog: Catalog, families: Sequence[tuple[str, str, str]]) -> Iterator[Problem]:
    """Names and aliases that are one after folding case, accents, spaces and a plural's s.

    What names an item in one language may name another in another, but no two in one.
    """
    owner: dict[str, Item] = {}
    for item in catalog.items:
        owner_of_name = owner.setdefault(_near(item.name), item)
        if owner_of_name is not item:
            yield Problem(item.row, f"name {item.name!r} is nearly {owner_of_name.name!r} of row {owner_of_name.row}")
    kinds = {_near(name): f"the {column} {value!r}" for column, value, name in families}
    for item in catalog.items:
        for alias in item.other_names:
            if _near(alias) in kinds and _near(alias) != _near(item.name):
                yield Problem(item.row, f"{item.name}: alias {alias!r} also names {kinds[_near(alias)]}")
    owners = {language: dict(owner) for language in {lang for item in catalog.items for lang in item.translations}}
    for item in catalog.items:
        yield from _clashes(item, item.aliases, owner)
    for item in catalog.items:
        for language, names in item.translations.items():
            yield from _clashes(item, names, owners[language], f" in {language}")


def _clashes(item: Item, names: Sequence[str], owner: dict[str, Item], where: str = "") -> Iterator[Problem]:
    for name in names:
        other = owner.setdefault(_near(name), item)
        if other is not item and not (where and _near(other.name) == _near(name)):
            yield Problem(item.row, f"{item.name}: alias {name!r}{where} also names {other.name!r} of row {other.row}")


def _family_problems(rules: Rules, columns: Sequence[str]) -> Iterator[Problem]:
    """Names of values that the vocabulary does not have, and names of two values."""
    owner: dict[str, tuple[str, str]] = {}
    for column, value, name in rules.families:
        if value not in rules.vocabulary.get(column, {value}) or column not in (*columns, *DERIVED):
            yield Problem(0, f"the name {name!r} is of {value!r}, which is no {column} of the vocabulary")
        other = owner.setdefault(_near(name), (column, value))
        if other != (column, value):
            yield Problem(0, f"the name {name!r} of the {column} {value!r} also names the {other[0]} {other[1]!r}")


def _whole_problems(catalog: Catalog, rules: Rules) -> Iterator[Problem]:
    limits, size = rules.limits, len(catalog)
    cuisines = _counts(catalog, "cuisine")
    if len(cuisines) < limits.get("fewest_cuisines", 0):
        yield Problem(0, f"{len(cuisines)} cuisines; at least {limits['fewest_cuisines']} are wanted")
    for cuisine, count in cuisines.items():
        if count > limits.get("most_share_of_a_cuisine", 1) * size:
            yield Problem(0, f"{count} of {size} rows are {cuisine}; at most {limits['most_share_of_a_cuisine']:.0%}")
    endings = Counter(fold(item.name).rpartition(" ")[2] for item in catalog.items)
    for word, count in endings.items():
        if count > limits.get("most_names_ending_alike", size):
            yield Problem(0, f"{count} names end in {word!r}; at most {limits['most_names_ending_alike']}")
    alike = count_rows_alike(catalog)
    if alike > limits.get("most_share_alike_in_all", 1) * size:
        yield Problem(
            0, f"{alike} rows share all attributes with another; at most {limits['most_share_alike_in_all']:.0%}"
        )


def _near(name: str) -> str:
    return "".join(word.removesuffix("s") if len(word) > 3 else word for word in fold(name).split()) or name


def _counts(catalog: Catalog, column: str) -> Counter[str]:
    return Counter(item.attributes[column][0] for item in catalog.items if column in item.attributes)
