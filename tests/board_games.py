"""300 board games that were made up, in kinds whose columns go together, as a catalog of anyone's own might be."""

from __future__ import annotations

import csv
import random
from pathlib import Path

KINDS = (  # mechanics; themes; players; weight; length
    "worker placement|hand management; country life|animals; 1-4; medium|heavy; long",
    "route building|auction; trains|industry; 2-6; medium|heavy; long|very long",
    "cooperation|dice; fantasy|monsters; 1-4|2-6; medium; long",
    "area control|dice; history|battle; 2; heavy; very long",
    "guessing|drawing; words|humor; 4 and more; light; short",
    "pattern building|capture; no theme; 2; light|medium; short|half an hour",
    "trick taking|hand management; cards; 2-6|4 and more; light; short|half an hour",
    "area control|trade; space|science; 2-6; heavy; very long",
    "roll and write|dice; city|nature; 1-4; light; half an hour",
    "bluffing|hidden roles; crime|city; 4 and more; light; half an hour",
)
COLUMNS = ("mechanics", "theme", "players", "weight", "length")
_FIRST = ("Amber", "Brass", "Crimson", "Distant", "Emerald", "Forgotten", "Golden", "Hidden", "Iron", "Jade")
_SECOND = ("Acres", "Bridges", "Crowns", "Dunes", "Engines", "Fjords", "Gates", "Harbors", "Isles", "Lanterns")
_THIRD = ("", " Revisited", ": The Card Game")
_ODD = 0.15  # the share of cells that are of another kind


def write_board_games(path: Path, count: int = 300) -> Path:
    """The same games each time; a game of one kind has now and then a value of another."""
    rng = random.Random(0)
    names = [f"{first} {second}{third}" for third in _THIRD for first in _FIRST for second in _SECOND]
    kinds = [[cell.strip().split("|") for cell in kind.split(";")] for kind in KINDS]
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["id", "name", *COLUMNS])
        for number, name in enumerate(names[:count]):
            kind = rng.choice(kinds)
            cells = [(kind if rng.random() > _ODD else rng.choice(kinds))[i] for i in range(len(COLUMNS))]
            writer.writerow([f"g{number}", name, *(_draw(values, rng) for values in cells)])
    return path


def _draw(values: list[str], rng: random.Random) -> str:
    return "|".join(rng.sample(values, rng.randint(1, min(2, len(values)))))
