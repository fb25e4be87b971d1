"""Which signatures a file gets, and the sizes of the fixed one. Imports nothing heavy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from export.errors import ExportError

FIXED = "recommend_fixed"
NONE = -1  # in the place of a favorite, and of a result
SIGNATURES = (FIXED, "recommend", "search", "embed")
FAVORITES = 16
RESULTS = 50
MOST_FAVORITES = 64  # of a model of what people like, by any graph; of `recommend` more count as so many for the bias
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
    def parse(cls, names: str | Sequence[str], favorites: int, results: int) -> SignaturePlan:
        """Of names, in a text with commas between them.

        Raises:
            ExportError: a name is unknown or comes twice, or a size is out of its range.
        """
        given = [name.strip() for name in (names.split(",") if isinstance(names, str) else names)]
        if not given or not {*given} <= {*SIGNATURES} or len({*given}) < len(given):
            found = ", ".join(map(repr, given)) or "none"
            raise ExportError(f"signatures {found}: give some of {', '.join(SIGNATURES)}, each once")
        if given == ["embed"]:
            raise ExportError("signatures 'embed': nothing could be recommended; give one of the others too")
        for what, count, most in (("favorites", favorites, MOST_FAVORITES), ("results", results, _MOST_RESULTS)):
            if not 1 <= count <= most:
                raise ExportError(f"{count} {what} of recommend_fixed were asked for; give 1 to {most:,}")
        return cls(tuple(name for name in SIGNATURES if name in given), favorites, results)

    @property
    def takes_any_number(self) -> bool:
        """Whether favorites fit whatever their number."""
        return not {"recommend", "embed"}.isdisjoint(self.names)


ALL_SIGNATURES = SignaturePlan()
