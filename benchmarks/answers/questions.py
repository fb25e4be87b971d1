"""Thirty questions with their answers, for a person to read: docs/answers.md keeps them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from device_runtime import Recommender
from training.console.files import replacing

_ANSWERS = 8


class Asked(NamedTuple):
    """What somebody likes and dislikes, and what results must be."""

    likes: tuple[str, ...]
    dislikes: tuple[str, ...] = ()
    where: tuple[str, ...] = ()


QUESTIONS = (
    Asked(("pancakes",)),
    Asked(("hamburger",), ("cheeseburger",)),
    Asked(("pho",), ("shchi",)),
    Asked(("pizza margherita",), ("hawaiian pizza",)),
    Asked(("pancakes",), ("crêpes",)),
    Asked(("hamburger", "tiramisu")),
    Asked(("pancakes", "borscht", "sushi", "tiramisu", "hot dog")),
    Asked(("pizza", "borscht")),
    Asked(("pizza",), ("mushroom",)),
    Asked(("soup",), ("mushroom",)),
    Asked(("steak",), ("french fries",)),
    Asked(("ice cream", "french fries")),
    Asked(("green salad",), (), ("diet=vegan",)),
    Asked(("chicken curry",), (), ("diet=vegetarian",)),
    Asked(("spaghetti bolognese",), ("lasagna",)),
    Asked(("oatmeal", "scrambled eggs")),
    Asked(("chocolate cake",), (), ("allergens!=egg",)),
    Asked(("sushi", "ramen"), ("sashimi",)),
    Asked(("shawarma", "falafel", "hummus")),
    Asked(("tacos al pastor", "guacamole"), ("nachos",)),
    Asked(("croissant", "baguette")),
    Asked(("mashed potatoes", "roast chicken")),
    Asked(("paella",), ("shellfish dish",)),
    Asked(("kimchi", "tiramisu")),
    Asked(("apple pie", "cheesecake"), ("banana bread",)),
    Asked(("fish and chips",), (), ("course=main",)),
    Asked(("dumplings",), ("xiaolongbao",)),
    Asked((), (), ()),
    Asked((), (), ("diet=vegan",)),
    Asked((), ("pizza", "sushi"), ()),
)


def write(recommender: Recommender, path: Path) -> None:
    """Writes all questions with their answers as a table in Markdown; one that the file does not know is left out."""
    lines = ["| likes | dislikes | only | answers |", "| --- | --- | --- | --- |"]
    lines += [_row(recommender, asked) for asked in QUESTIONS]
    with replacing(path) as temporary:
        temporary.write_text("\n".join(lines) + "\n", "utf-8")


def _row(recommender: Recommender, asked: Asked) -> str:
    options: dict[str, Any] = {"dislikes": list(asked.dislikes), "where": list(asked.where) or None}
    found = recommender.recommend(list(asked.likes), _ANSWERS, **options)
    cells = (asked.likes or ("nothing yet",), asked.dislikes, asked.where, [neighbor.name for neighbor in found])
    return f"| {' | '.join(', '.join(cell) for cell in cells)} |"
