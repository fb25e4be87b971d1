import pytest

from training.errors import RulesError
from training.inputs import rules
from training.inputs.catalog import BUILT_IN_CATALOG, Catalog, Item, read_catalog
from training.inputs.rules import Rules, enrich, name_diets, read_rules


def with_ingredients(*names):
    return Catalog((Item(2, "a", "A", (), {"ingredients": names}),), ("ingredients",))


@pytest.mark.parametrize(
    ("ingredients", "diet", "allergens"),
    [
        (("beet", "cabbage"), ("vegan", "vegetarian", "pescatarian"), ()),
        (("beet", "sour cream"), ("vegetarian", "pescatarian"), ("milk",)),
        (("rice", "salmon", "soy sauce"), ("pescatarian",), ("fish", "gluten", "soy")),
        (("flour", "lard", "egg"), ("omnivore",), ("egg", "gluten")),
        (("honey", "walnuts"), ("vegetarian", "pescatarian"), ("nuts",)),
        (("gelatin", "sugar"), ("omnivore",), ()),
        (("oyster sauce", "broccoli"), ("pescatarian",), ("gluten", "mollusks", "soy")),
    ],
)
def test_diets_and_allergens_follow_from_ingredients(ingredients, diet, allergens):
    attributes = enrich(with_ingredients(*ingredients), read_rules(BUILT_IN_CATALOG)).items[0].attributes
    assert attributes["diet"] == diet
    assert attributes.get("allergens", ()) == allergens


@pytest.mark.parametrize("ingredients", [("beet", "moon dust"), ()])
def test_nothing_is_said_of_unknown_or_missing_ingredients(ingredients):
    attributes = enrich(with_ingredients(*ingredients), read_rules(BUILT_IN_CATALOG)).items[0].attributes
    assert "diet" not in attributes
    assert "allergens" not in attributes


def test_a_diet_that_a_catalog_gives_stays():
    item = Item(2, "a", "A", (), {"ingredients": ("beet",), "diet": ("omnivore",)})
    enriched = enrich(Catalog((item,), ("ingredients", "diet")), read_rules(BUILT_IN_CATALOG))
    assert enriched.items[0].attributes["diet"] == ("omnivore",)
    assert enriched.columns == ("ingredients", "diet", "allergens")


def test_diets_are_nested():
    assert name_diets(set()) == ("vegan", "vegetarian", "pescatarian")
    assert name_diets({"fish", "egg"}) == ("pescatarian",)
    assert name_diets({"meat"}) == ("omnivore",)


def test_no_rules_change_nothing(tmp_path):
    assert read_rules(tmp_path / "mine.csv") == Rules()
    catalog = with_ingredients("beet")
    assert enrich(catalog, Rules()) is catalog


@pytest.mark.parametrize(
    "text",
    [
        "[columns",
        "columns = 3",
        "[columns.form]\nx = 1",
        "[counts]\nform = 3",
        '[weights]\nform = "x"',
        "[weights]\nform = nan",
    ],
)
def test_bad_rules_are_one_error(tmp_path, text):
    (tmp_path / "mine.toml").write_text(text)
    with pytest.raises(RulesError, match=r"cannot be read as the rules of mine\.csv"):
        read_rules(tmp_path / "mine.csv")


def test_every_ingredient_of_the_built_in_rules_stands_once():
    raw = rules.read_toml(BUILT_IN_CATALOG.with_suffix(".toml"))
    values = [value for group in raw["ingredients"] for value in group["values"]]
    assert len(values) == len(set(values))
    assert 400 <= len(values) <= 800


def test_built_in_diets_hold_for_dishes_everybody_knows():
    catalog = enrich(read_catalog(BUILT_IN_CATALOG, popularity="known"), read_rules(BUILT_IN_CATALOG))
    diet = {item.name: item.attributes["diet"][0] for item in catalog.items}
    assert diet["Hummus"] == diet["Falafel"] == "vegan"
    assert diet["Pizza Margherita"] == "vegetarian"
    assert diet["Sushi"] == "pescatarian"
    assert diet["Shawarma"] == diet["Hot dog"] == "omnivore"
