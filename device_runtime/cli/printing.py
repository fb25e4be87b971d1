"""What `mignon` prints: lines for people, or JSON for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from device_runtime.results import Match, Neighbor

if TYPE_CHECKING:  # which the commands that change nothing need not wait for
    from device_runtime.changes.kinds import Change


def print_results(results: Sequence[Match | Neighbor], *, as_json: bool) -> None:
    """Prints the score, the name and the id of each."""
    if as_json:
        print_json([result._asdict() for result in results])
        return
    for result in results:
        note = _note(result) if isinstance(result, Match) else ""
        print(f"{result.score:6.3f}  {result.name}  ({result.id}){note}")


def _note(match: Match) -> str:
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


def flatten(record: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    """The values of nested objects, each under its path: `quality.overlap_at_10`."""
    pairs: list[tuple[str, Any]] = []
    for key, value in record.items():
        if isinstance(value, dict):
            pairs += flatten(value, f"{prefix}{key}.")
        else:
            pairs.append((prefix + key, value))
    return pairs
