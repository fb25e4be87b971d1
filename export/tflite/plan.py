"""Which signatures a file gets, and the sizes of the fixed one. Imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass

from export.errors import ExportError

SIGNATURES = ("recommend_fixed", "recommend", "search", "embed")
FAVORITES = 16
RESULTS = 50
_MOST_FAVORITES = 64
_MOST_RESULTS = 1000


@dataclass(frozen=True)
class SignaturePlan:
    """What a file can be asked through an interpreter.

    Attributes:
        names: some of SIGNATURES; in the file they keep the order that they have there.
        favorites, results: how many `recommend_fixed` takes and gives.
    """

    names: tuple[str, ...] = SIGNATURES
    favorites: int = FAVORITES
    results: int = RESULTS

    @classmethod
    def parse(cls, names: str, favorites: int, results: int) -> SignaturePlan:
        """Of names with commas between them.

        Raises:
            ExportError: a name is unknown or comes twice, or a size is out of its range.
        """
        given = [name.strip() for name in names.split(",")]
        unknown = [name for name in given if name not in SIGNATURES]
        if unknown or len({*given}) < len(given):
            raise ExportError(f"signatures {names!r}: give some of {', '.join(SIGNATURES)}, each once")
        for what, count, most in (("favorites", favorites, _MOST_FAVORITES), ("results", results, _MOST_RESULTS)):
            if not 1 <= count <= most:
                raise ExportError(f"{count} {what} of recommend_fixed: give from 1 to {most}")
        return cls(tuple(name for name in SIGNATURES if name in given), favorites, results)
