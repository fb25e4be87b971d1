"""The rules that may stand beside a catalog, in a file of the same name that ends in `.toml`.

They hold closed vocabularies, other names of their values, what each column counts in training, which column says how
widely an item is known, and what ingredients are made from, which decides diets and allergens. `meals.toml` is the
example; each part is optional.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from training.errors import RulesError
from training.inputs.catalog import Catalog, Item

_EATEN_BY: tuple[tuple[str, frozenset[str]], ...] = (
    ("vegan", frozenset()),
    ("vegetarian", frozenset({"egg", "dairy", "honey"})),
    ("pescatarian", frozenset({"egg", "dairy", "honey", "fish"})),
)
_OMNIVORE = "omnivore"
DERIVED = ("diet", "allergens")


@dataclass(frozen=True)
class Ingredient:
    """What an ingredient is: the animal it comes from, if any, and the allergens in it."""

    animal: str | None
    allergens: tuple[str, ...]


@dataclass(frozen=True)
class Rules:
    """Rules of one catalog.

    Attributes:
        vocabulary: the values that a column may hold; columns that are not here are free.
        region_of: the region of each cuisine.
        weights: what a column counts in training, 1 where absent.
        counts: fewest and most values in a cell of a column.
        limits: of the catalog as a whole.
        popularity: the column of numbers that say how widely an item is known, if there is one.
        families: (column, value, another name of that value).
    """

    vocabulary: Mapping[str, frozenset[str]] = field(default_factory=dict)
    region_of: Mapping[str, str] = field(default_factory=dict)
    ingredients: Mapping[str, Ingredient] = field(default_factory=dict)
    weights: Mapping[str, float] = field(default_factory=dict)
    counts: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    limits: Mapping[str, float] = field(default_factory=dict)
    popularity: str | None = None
    families: tuple[tuple[str, str, str], ...] = ()


def read_rules(catalog: Path) -> Rules:
    """The rules that stand beside a catalog; empty ones where there are none.

    Raises:
        RulesError: the file is there and cannot be read.
    """
    path = catalog.with_suffix(".toml")
    if not path.is_file():
        return Rules()
    try:
        return _parse(read_toml(path))
    except (OSError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise RulesError(
            f"{path}: cannot be read as the rules of {catalog.name} ({error!r}); see meals.toml"
        ) from error


def read_toml(path: Path) -> dict[str, Any]:
    """What a TOML file holds; errors are those of the library."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    return tomllib.loads(path.read_text("utf-8"))


def enrich(catalog: Catalog, rules: Rules) -> Catalog:
    """The catalog with the other names of values, and the attributes `diet` and `allergens` from `ingredients`.

    Items with ingredients that the table does not have, or none, and columns that are there already stay as they are.
    """
    if rules.families:
        catalog = replace(catalog, families=rules.families)
    if not rules.ingredients:
        return catalog
    items = tuple(_enriched(item, rules.ingredients) for item in catalog.items)
    return replace(catalog, items=items, columns=tuple(dict.fromkeys((*catalog.columns, *DERIVED))))


def name_diets(animals: set[str]) -> tuple[str, ...]:
    """Who eats what is made from these animals' products; what a vegan eats, a vegetarian eats too."""
    return tuple(name for name, eaten in _EATEN_BY if animals <= eaten) or (_OMNIVORE,)


def _enriched(item: Item, table: Mapping[str, Ingredient]) -> Item:
    names = item.attributes.get("ingredients", ())
    if not names or not table.keys() >= set(names):
        return item  # of what is not known nothing is said: a guess could call a dish vegan that is not
    found = [table[name] for name in names]
    derived = {
        "diet": name_diets({ingredient.animal for ingredient in found if ingredient.animal}),
        "allergens": tuple(sorted({allergen for ingredient in found for allergen in ingredient.allergens})),
    }
    return replace(item, attributes={**{column: v for column, v in derived.items() if v}, **item.attributes})


def _parse(raw: Mapping[str, Any]) -> Rules:
    vocabulary = {column: frozenset(rule["values"]) for column, rule in raw.get("columns", {}).items()}
    region_of = {cuisine: region for region, cuisines in raw.get("regions", {}).items() for cuisine in cuisines}
    ingredients = {
        value: Ingredient(group.get("animal"), tuple(group.get("allergens", ())))
        for group in raw.get("ingredients", ())
        for value in group["values"]
    }
    if region_of:
        vocabulary |= {"cuisine": frozenset(region_of), "region": frozenset(region_of.values())}
    if ingredients:
        vocabulary["ingredients"] = frozenset(ingredients)
    counts = {column: (int(low), int(high)) for column, (low, high) in raw.get("counts", {}).items()}
    weights = {column: float(weight) for column, weight in raw.get("weights", {}).items()}
    if not all(0 <= weight < float("inf") for weight in weights.values()):
        raise ValueError(f"weights {weights}: each is a number from 0")
    popularity = raw.get("popularity")
    if not isinstance(popularity, str | None):
        raise TypeError(f"popularity {popularity!r}: is the name of a column")
    families = tuple(
        (column, value, name)
        for column, values in raw.get("names", {}).items()
        for value, names in values.items()
        for name in names
    )
    return Rules(vocabulary, region_of, ingredients, weights, counts, dict(raw.get("limits", {})), popularity, families)
