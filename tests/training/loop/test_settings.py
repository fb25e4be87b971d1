import pytest

from training.by_attributes.settings import AttributeSettings
from training.by_interactions.settings import InteractionSettings
from training.errors import SettingsError
from training.loop.settings import list_options, make_settings


@pytest.mark.parametrize("change", [{"dims": 1}, {"epochs": 0}, {"batch": 0}, {"patience": 0}, {"seed": -1}])
def test_attribute_settings_out_of_range_are_errors(change):
    with pytest.raises(SettingsError, match="give a whole number from"):
        AttributeSettings(**change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"dims": 1}, "dims is 1; give a whole number from 2 to 1024"),
        ({"dropout": 0}, "dropout is 0; give a number from 0.01 to 0.99"),
        ({"teacher": float("nan")}, "teacher is nan"),
        ({"weights": "square"}, "weights is 'square'; give ignore or log"),
    ],
)
def test_interaction_settings_out_of_range_are_errors(change, message):
    with pytest.raises(SettingsError, match=message):
        InteractionSettings(**change)


def test_settings_that_do_not_exist_are_errors():
    assert make_settings(AttributeSettings, {"dims": 8}) == AttributeSettings(dims=8)
    with pytest.raises(SettingsError, match="dropout is no setting; give some of dims, epochs"):
        make_settings(AttributeSettings, {"dropout": 0.5})


def test_options_have_the_types_of_their_fields():
    assert list_options(AttributeSettings) == dict.fromkeys(("dims", "epochs", "batch", "patience", "seed"), int)
    assert list_options(InteractionSettings)["validation"] is bool
    assert list_options(InteractionSettings)["dropout"] is float
