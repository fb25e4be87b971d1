"""What `mignon` prints: lines for people, or JSON for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import islice
from typing import TYPE_CHECKING, Any

from device_runtime.results import Match, Neighbor

if TYPE_CHECKING:  # which the commands that change nothing need not wait for
    from device_runtime.changes.kinds import Change

LIKING = "a score tells how well an item goes with what is liked: the higher the better, but no cosine"
_VALUES_IN_A_LINE = 5


def print_results(results: Sequence[Match | Neighbor], *, as_json: bool) -> None:
    """Prints the score, the name and the id of each."""
    if as_json:
        print_json([result._asdict() for result in results])
        return
    for result in results:
        kind = _kind(result) if isinstance(result, Match) else ""
        print(f"{result.score:6.3f}  {result.name}  ({result.id}){kind}")


def print_attributes(counts: Mapping[str, Mapping[str, int]]) -> None:
    """Prints a line for each attribute: the number of its values, and the most frequent of these."""
    width = max(map(len, counts), default=0)
    for attribute, values in counts.items():
        first = ", ".join(f"{value} {items}" for value, items in islice(values.items(), _VALUES_IN_A_LINE))
        rest = ", ..." if len(values) > _VALUES_IN_A_LINE else ""
        print(f"{attribute:{width}}  {len(values):5} {'value ' if len(values) == 1 else 'values'}  {first}{rest}")
    if not counts:
        note("no item has an attribute")


def print_values(values: Mapping[str, int], most: int) -> None:
    """Prints the most frequent values of an attribute, and how many items have each."""
    for value, items in islice(values.items(), most):
        print(f"{items:7}  {value}")
    if len(values) > most:
        note(f"these are {most} of {len(values)} values; -k {len(values)} gives all")


def note(text: str) -> None:
    """Says something that is no part of the answer."""
    print(f"mignon: {text}", file=sys.stderr)


def _kind(match: Match) -> str:
    kind = f", {match.size} items" if match.kind == "family" else ""
    return kind if match.sure else f"{kind}, only alike"


def print_json(record: Any) -> None:
    """Prints one line that is ASCII alone where the output is not UTF-8."""
    print(json.dumps(record, ensure_ascii=sys.stdout.encoding.lower() != "utf-8"))


def change_record(change: Change) -> dict[str, Any]:
    """A change as JSON has it."""
    return {"kind": type(change).__name__.lower(), **asdict(change)}


def describe_change(change: Change) -> str:
    """A change in words."""
    match change_record(change):
        case {"kind": "added", "id": id_, "name": name}:
            return f"added {name} ({id_})"
        case {"kind": "renamed", "id": id_, "name": name}:
            return f"renamed {id_} to {name}"
        case {"kind": "removed", "id": id_}:
            return f"removed {id_}"
        case {"kind": "liked", "profile": profile, "id": id_, "weight": 0}:
            return f"{profile} forgets {id_}"
        case {"kind": "liked", "profile": profile, "id": id_, "weight": weight}:
            return f"{profile} {'likes' if weight > 0 else 'dislikes'} {id_} ({abs(weight):g})"
    return f"{change_record(change)['profile']} forgets all"


def print_info(record: dict[str, Any], size: int) -> None:
    """Prints what a file of `size` bytes says of itself, for people."""
    entries = ", ".join(f"{name} {held:,}" for name, held in record["entries"].items())
    lines = [
        ("name", record["name"]),
        ("license", record["license"]),
        ("items", f"{record['rows']:,}"),
        (
            "vectors",
            f"{record['columns']} entries of {record['bits']} bits an item, learned from {record['objective']}",
        ),
        ("score", LIKING if "preference" in record else "a score is the cosine of two vectors, from -1 to 1"),
        ("file", f"{size:,} bytes, of which {record['flatbuffer_bytes']:,} flatbuffer"),
        ("", f"beside it {entries}"),
    ]
    lines += [("quality" if not number else "", text) for number, text in enumerate(_in_words(record["quality"]))]
    for name, text in lines:
        print(f"{name:8}  {text}")


def _in_words(record: Mapping[str, Any]) -> Iterator[str]:
    """The values of nested objects, each on a line: `overlap at 10: 0.995`; without those that were not measured."""
    for name, value in record.items():
        words = name.replace("_", " ")
        if isinstance(value, dict):
            yield from (f"{words}, {line}" for line in _in_words(value))
        elif value is not None:
            yield f"{words}: {value:,}" if isinstance(value, int) else f"{words}: {value}"
