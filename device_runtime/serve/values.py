"""Arguments of requests by kind: each is read from the texts of a query and from a value in JSON, its type checked."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, NamedTuple

from device_runtime.arguments import LARGEST_FLOAT32, Blend
from device_runtime.errors import InvalidArgumentError, InvalidCountError, InvalidVectorError, InvalidWeightError
from device_runtime.items.attributes import Filter

MAX_K = 1000
MAX_TEXT = 500  # normalizing Unicode takes time in the square of a run of accents
_PRINTABLE = 10**9  # Python takes long to print huge numbers, or refuses


class Kind(NamedTuple):
    """How arguments of one kind are read; both readers take the argument's name, for messages.

    Attributes:
        of_json: from a value of a JSON object.
        of_texts: from all texts of one name in a query; None where a query cannot hold it.
        name: in a query, where it is not that of the field.
        remedy: what to give in JSON where it is missing.
    """

    of_json: Callable[[str, Any], Any]
    of_texts: Callable[[str, list[str]], Any] | None = None
    name: str | None = None
    remedy: str = "give a text"


def check_text(name: str, text: str) -> None:
    """Refuses a text that would take long to read.

    Raises:
        InvalidArgumentError: it has too many characters.
    """
    if len(text) > MAX_TEXT:
        raise InvalidArgumentError(f"{name} has a text of {len(text)} characters; give up to {MAX_TEXT}")


def _only(name: str, texts: list[str]) -> str:
    if len(texts) != 1:
        raise InvalidArgumentError(f"{name} is given {len(texts)} times; give it once, as {name}=...")
    return texts[0]


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise InvalidArgumentError(f"{name} is not a text")
    check_text(name, value)
    return value


def _texts(name: str, value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise InvalidArgumentError(f"{name} is not a list of texts")
    for text in value:
        check_text(name, text)
    return value


def _pair(name: str, texts: list[str]) -> list[str]:
    if len(texts) != 2:
        raise InvalidArgumentError(f"{name} is given {len(texts)} times; give it twice, as {name}=...&{name}=...")
    return texts


def _weighted(name: str, value: Any) -> list[str] | dict[str, float]:
    if not isinstance(value, dict):
        return _texts(name, value)
    for item in value:
        check_text(name, item)
    return {item: _weight(f"the weight of an item in {name}", weight) for item, weight in value.items()}


def _baskets(name: str, value: Any) -> list[list[str] | dict[str, float]]:
    if not isinstance(value, list):
        raise InvalidArgumentError(f"{name} is not a list of baskets")
    return [_weighted(name, basket) for basket in value]


def _attributes(name: str, value: Any) -> list[str] | dict[str, list[str]]:
    return _texts(name, value) if isinstance(value, list) else _values(name, value)


def _values(name: str, value: Any) -> dict[str, list[str]]:
    if not isinstance(value, dict):
        raise InvalidArgumentError(f'{name} is not an object such as {{"attribute": "value"}}')
    for attribute in value:
        check_text(name, attribute)
    return {a: _texts(name, [values] if isinstance(values, str) else values) for a, values in value.items()}


def _filter(name: str, value: Any) -> list[str] | dict[str, list[str] | dict[str, list[str]]]:
    if isinstance(value, list):
        return _texts(name, value)
    negated = {a: v for a, v in value.items() if isinstance(v, dict)} if isinstance(value, dict) else {}
    plain = {a: v for a, v in value.items() if a not in negated} if negated else value
    for attribute in negated:
        check_text(name, attribute)
    return {**_values(name, plain), **{a: _values(name, condition) for a, condition in negated.items()}}


def _count(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > _PRINTABLE:
        raise InvalidCountError(f"{name} is not a whole number from 1 to {MAX_K}")
    if not 1 <= value <= MAX_K:
        raise InvalidCountError(f"{name} is {value}; give a whole number from 1 to {MAX_K}")
    return value


def _count_of_text(name: str, texts: list[str]) -> int:
    text = _only(name, texts)
    if not re.fullmatch(r"-?[0-9]{1,9}", text):
        raise InvalidCountError(f"{name} is {text!r}; give a whole number from 1 to {MAX_K}")
    return _count(name, int(text))


def _share_of_text(name: str, texts: list[str]) -> float:
    text = _only(name, texts)
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{0,20})?", text):
        raise InvalidArgumentError(f"{name} is {text!r}; give a number from 0 to 1")
    return float(text)


def _number(name: str, value: Any, error: type[InvalidArgumentError] = InvalidArgumentError) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise error(f"{name} is not a number")
    if not abs(value) <= LARGEST_FLOAT32:
        raise error(f"{name} is a number beyond float32; give a finite number")
    return float(value)


def _weight(name: str, value: Any) -> float:
    return _number(name, value, InvalidWeightError)


def _numbers(name: str, value: Any) -> list[float]:
    if not isinstance(value, list):
        raise InvalidVectorError(f"{name} is not a list of numbers")
    return [_number(f"a value of {name}", number, InvalidVectorError) for number in value]


def _all(_: str, texts: list[str]) -> list[str]:
    return texts


def _flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise InvalidArgumentError(f"{name} is not true or false")
    return value


def _flag_of_text(name: str, texts: list[str]) -> bool:
    text = _only(name, texts)
    if text not in ("true", "false"):
        raise InvalidArgumentError(f"{name} is {text!r}; give true or false")
    return text == "true"


Text = Annotated[str, Kind(_text, _only)]
OptionalText = Annotated[str | None, Kind(_text, _only)]
Blending = Annotated[Blend | None, Kind(_text, _only)]
Texts = Annotated[Sequence[str], Kind(_texts, _all)]
Dislikes = Annotated[Sequence[str], Kind(_texts, _all, "dislike")]
Pair = Annotated[Sequence[str], Kind(_texts, _pair, "item")]
Weighted = Annotated[Sequence[str] | Mapping[str, float], Kind(_weighted, _all, "item")]
Baskets = Annotated[Sequence[Sequence[str] | Mapping[str, float]], Kind(_baskets)]
Where = Annotated[Filter | None, Kind(_filter, _all)]
Attributes = Annotated[list[str] | Mapping[str, list[str]] | None, Kind(_attributes)]
Count = Annotated[int, Kind(_count, _count_of_text)]
Share = Annotated[float, Kind(_number, _share_of_text)]
Flag = Annotated[bool, Kind(_flag, _flag_of_text)]
Weight = Annotated[float, Kind(_weight)]
Vector = Annotated[Sequence[float], Kind(_numbers, remedy="give a list of numbers")]
