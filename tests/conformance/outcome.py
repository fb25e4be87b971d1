"""What a reader made of the conformance set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Outcome:
    """How many cases a reader passed, and which it did not."""

    reader: str
    version: str
    cases: int
    passed: int
    failed: Sequence[str]


@dataclass(frozen=True)
class NotRun:
    """A reader that was not asked, and why."""

    reader: str
    reason: str
