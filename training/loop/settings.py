"""Settings that describe themselves: each field of their dataclass says its range and, of an option, what it is.

The command makes its options from them, so that a setting is written down once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, fields
from numbers import Integral, Real
from typing import Any, TypeVar, get_args, get_type_hints

from training.errors import SettingsError

Settings = TypeVar("Settings")


def setting(default: Any, low: float, high: float, text: str = "") -> Any:
    """A field from `low` to `high`; `text` says what it is, for people; without it the command has no such option."""
    return field(default=default, metadata={"low": low, "high": high, "help": text})


def choice(default: Any, text: str) -> Any:
    """A field of few values: those of its `Literal`, or True and False."""
    return field(default=default, metadata={"help": text})


def list_options(kind: type) -> dict[str, Any]:
    """The type of each setting that is an option of the command, by name."""
    hints = get_type_hints(kind)
    return {each.name: hints[each.name] for each in fields(kind) if each.metadata.get("help")}


def make_settings(kind: type[Settings], given: Mapping[str, Any]) -> Settings:
    """The settings of a kind, with the defaults where none are given.

    Raises:
        SettingsError: there is no such setting, or it is out of its range.
    """
    names = [each.name for each in fields(kind)]  # type: ignore[arg-type]
    for name in given:
        if name not in names:
            raise SettingsError(f"{name} is no setting; give some of {', '.join(names)}")
    return kind(**given)


def check_settings(settings: Any) -> None:
    """Refuses settings out of their range.

    Raises:
        SettingsError: it names the first one, and its range.
    """
    hints = get_type_hints(type(settings))
    for each in fields(settings):
        value, kind = getattr(settings, each.name), hints[each.name]
        if "low" not in each.metadata:
            choices = (True, False) if kind is bool else get_args(kind)
            if value not in choices:
                raise SettingsError(f"{each.name} is {value!r}; give {' or '.join(map(str, choices))}")
            continue
        low, high = each.metadata["low"], each.metadata["high"]
        number = Integral if kind is int else Real
        if not (isinstance(value, number) and low <= value <= high):
            what = "a whole number" if kind is int else "a number"
            raise SettingsError(f"{each.name} is {value!r}; give {what} from {_text(low)} to {_text(high)}")


def _text(number: float) -> str:
    return str(number) if isinstance(number, int) else f"{number:g}"
