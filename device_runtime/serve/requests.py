"""What a request asks for: arguments from the query of a GET or from the JSON body of a POST, their types checked."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, NoReturn

from device_runtime.errors import InvalidArgumentError, InvalidCountError, InvalidVectorError, InvalidWeightError
from device_runtime.items.attributes import NOT
from device_runtime.serve.http import Request, RequestError

MAX_K = 1000
MAX_TEXT = 500  # normalizing Unicode takes time in the square of a run of accents
_PRINTABLE = 10**9  # Python takes long to print huge numbers, or refuses
_LARGEST_FLOAT32 = 3.4028234e38


@dataclass
class Question:
    """The arguments of a request, wherever they stood; each is checked for its type, and not yet for its meaning."""

    items: list[str] | dict[str, float] = field(default_factory=list)
    dislikes: list[str] = field(default_factory=list)
    baskets: list[list[str] | dict[str, float]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    exclude: list[str] = field(default_factory=list)
    where: dict[str, list[str] | dict[str, list[str]]] = field(default_factory=dict)
    k: int | None = None
    diversify: float = 0.0
    vector: list[float] | None = None
    profile: str | None = None
    result: str | None = None
    item: str | None = None
    name: str | None = None
    id: str | None = None
    attributes: dict[str, list[str]] = field(default_factory=dict)
    neighbors: list[str] = field(default_factory=list)
    weight: float = 1.0

    def count(self, default: int) -> int:
        """How many results are asked for."""
        k = default if self.k is None else self.k
        if not 1 <= k <= MAX_K:
            raise InvalidCountError(f"k is {k}; give a whole number from 1 to {MAX_K}")
        return k

    def ranking_options(self) -> dict[str, Any]:
        """The arguments that all rankings have."""
        return {"exclude": self.exclude, "where": self.where, "diversify": self.diversify}

    def needed(self, name: str) -> str:
        """A text that has to be given."""
        text: str | None = getattr(self, name)
        if text is None:
            raise InvalidArgumentError(f"{name} is missing; give a text")
        return text


def question_of_query(pairs: Iterable[tuple[str, str]], known: frozenset[str]) -> Question:
    """The question that a decoded query asks, of which the arguments `known` are taken.

    Raises:
        InvalidArgumentError: an argument is not known, given too often or malformed.
    """
    found: dict[str, list[str]] = {}
    for name, text in pairs:
        _check_known(name, known)
        _check_text(name, text)
        found.setdefault(name, []).append(text)
    question = Question(
        items=found.get("item", []),
        dislikes=found.get("dislike", []),
        texts=found.get("text", []),
        exclude=found.get("exclude", []),
        where=_where(found.get("where", [])),
    )
    for name, read in _ONE_VALUE.items():
        if name in found:
            setattr(question, name, read(name, only(name, found[name])))
    return question


def _where(conditions: Iterable[str]) -> dict[str, list[str] | dict[str, list[str]]]:
    wanted: dict[str, list[str]] = {}
    unwanted: dict[str, list[str]] = {}
    for text in conditions:
        attribute, colon, value = text.partition(":")
        if not colon:
            raise InvalidArgumentError(f"where is {text!r}; give ATTRIBUTE:VALUE, such as course:dessert")
        name = attribute.removesuffix("!")
        (wanted if name == attribute else unwanted).setdefault(name, []).append(value)
    if both := wanted.keys() & unwanted.keys():
        raise InvalidArgumentError(f"where both asks for and forbids values of {min(both)!r}; give one kind")
    return {**wanted, **{name: {NOT: values} for name, values in unwanted.items()}}


def _whole(_: str, text: str) -> int:
    if not re.fullmatch(r"-?[0-9]{1,9}", text):
        raise InvalidCountError(f"k is {text!r}; give a whole number from 1 to {MAX_K}")
    return int(text)


def _share(_: str, text: str) -> float:
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{0,20})?", text):
        raise InvalidArgumentError(f"diversify is {text!r}; give a number from 0 to 1")
    return float(text)


def _as_it_is(_: str, text: str) -> str:
    return text


_ONE_VALUE: dict[str, Callable[[str, str], Any]] = {
    "k": _whole,
    "diversify": _share,
    "profile": _as_it_is,
    "result": _as_it_is,
}


def question_of_body(request: Request, known: frozenset[str]) -> Question:
    """The question that a JSON body asks, of which the arguments `known` are taken.

    Raises:
        RequestError: the body is not a JSON object.
        InvalidArgumentError: an argument is not known, or of the wrong kind.
    """
    if request.query:
        raise InvalidArgumentError("a POST takes its arguments from its body; leave the query away")
    question = Question()
    for name, value in _json_object(request).items():
        _check_known(name, known)
        setattr(question, name, _CHECKS[name](name, value))
    return question


def _json_object(request: Request) -> dict[str, Any]:
    kind, *parameters = (part.strip().lower() for part in request.headers.get("content-type", "").split(";"))
    if kind != "application/json" or any(p.startswith("charset=") and p[8:].strip('"') != "utf-8" for p in parameters):
        raise RequestError(415, "the body has to be JSON in UTF-8; send the header Content-Type: application/json")
    try:
        record = json.loads(request.body.decode("utf-8"), parse_constant=_refuse_constant)
    except RecursionError:
        raise RequestError(400, "the body is nested too deeply") from None
    except ValueError as error:
        raise RequestError(400, f"the body is not JSON in UTF-8 ({error})") from None
    if not isinstance(record, dict):
        raise RequestError(400, 'the body is not a JSON object such as {"items": ["pancakes"]}')
    return record


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON; give finite numbers")


def _texts(name: str, value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise InvalidArgumentError(f"{name} is not a list of texts")
    for text in value:
        _check_text(name, text)
    return value


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise InvalidArgumentError(f"{name} is not a text")
    _check_text(name, value)
    return value


def _weighted(name: str, value: Any) -> list[str] | dict[str, float]:
    if not isinstance(value, dict):
        return _texts(name, value)
    for item in value:
        _check_text(name, item)
    return {item: _weight(f"the weight of an item in {name}", weight) for item, weight in value.items()}


def _baskets(name: str, value: Any) -> list[list[str] | dict[str, float]]:
    if not isinstance(value, list):
        raise InvalidArgumentError(f"{name} is not a list of baskets")
    return [_weighted(name, basket) for basket in value]


def _values(name: str, value: Any) -> dict[str, list[str]]:
    if not isinstance(value, dict):
        raise InvalidArgumentError(f'{name} is not an object such as {{"course": "dessert"}}')
    for attribute in value:
        _check_text(name, attribute)
    return {a: _texts(name, [values] if isinstance(values, str) else values) for a, values in value.items()}


def _filter(name: str, value: Any) -> dict[str, list[str] | dict[str, list[str]]]:
    negated = {a: v for a, v in value.items() if isinstance(v, dict)} if isinstance(value, dict) else {}
    plain = {a: v for a, v in value.items() if a not in negated} if negated else value
    for attribute in negated:
        _check_text(name, attribute)
    return {**_values(name, plain), **{a: _values(name, condition) for a, condition in negated.items()}}


def _count(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > _PRINTABLE:
        raise InvalidCountError(f"{name} is not a whole number from 1 to {MAX_K}")
    return value


def _number(name: str, value: Any, kind: type[InvalidArgumentError] = InvalidArgumentError) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise kind(f"{name} is not a number")
    if not abs(value) <= _LARGEST_FLOAT32:
        raise kind(f"{name} is a number beyond float32; give a finite number")
    return float(value)


def _weight(name: str, value: Any) -> float:
    return _number(name, value, InvalidWeightError)


def _numbers(name: str, value: Any) -> list[float]:
    if not isinstance(value, list):
        raise InvalidVectorError(f"{name} is not a list of numbers")
    return [_number(f"a value of {name}", number, InvalidVectorError) for number in value]


_CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "items": _weighted,
    "dislikes": _texts,
    "baskets": _baskets,
    "exclude": _texts,
    "where": _filter,
    "k": _count,
    "diversify": _number,
    "vector": _numbers,
    "profile": _text,
    "result": _text,
    "item": _text,
    "name": _text,
    "id": _text,
    "attributes": _values,
    "neighbors": _texts,
    "weight": _weight,
}


def _check_known(name: str, known: frozenset[str]) -> None:
    if name not in known:
        raise InvalidArgumentError(
            f"there is no argument {name[:MAX_TEXT]!r} here; there are {', '.join(sorted(known)) or 'none'}"
        )


def _check_text(name: str, text: str) -> None:
    if len(text) > MAX_TEXT:
        raise InvalidArgumentError(f"{name} has a text of {len(text)} characters; give up to {MAX_TEXT}")


def only(name: str, values: Iterable[str]) -> str:
    """The one value of an argument.

    Raises:
        InvalidArgumentError: there is none, or more than one.
    """
    given = list(values)
    if len(given) != 1:
        raise InvalidArgumentError(f"{name} is given {len(given)} times; give it once, as {name}=...")
    return given[0]
