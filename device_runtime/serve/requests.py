"""What a request asks for, one class a route, read in one step from the query of a GET or the JSON body of a POST."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import MISSING, dataclass, fields
from functools import cache
from typing import Any, NoReturn, get_type_hints

from device_runtime.errors import InvalidArgumentError
from device_runtime.serve.http import Request, RequestError
from device_runtime.serve.values import (
    MAX_TEXT,
    Attributes,
    Baskets,
    Blending,
    Count,
    Dislikes,
    Flag,
    Kind,
    OptionalText,
    Pair,
    Share,
    Text,
    Texts,
    Vector,
    Weight,
    Weighted,
    Where,
    check_text,
)


@dataclass(frozen=True)
class NoQuestion:
    """A request that takes no arguments."""


@dataclass(frozen=True, kw_only=True)
class RankingQuestion:
    """What all rankings take."""

    k: Count = 10
    exclude: Texts = ()
    where: Where = None
    diversify: Share = 0.0

    def options(self) -> dict[str, Any]:
        """As the calls of `Recommender` take them."""
        return {"k": self.k, "exclude": self.exclude, "where": self.where, "diversify": self.diversify}


@dataclass(frozen=True)
class FindQuestion:
    """`/v1/find` and `/v1/complete`."""

    text: Text
    k: Count = 5


@dataclass(frozen=True)
class AttributesQuestion:
    """`/v1/attributes`: all of them, or one."""

    attribute: OptionalText = None
    k: Count = 20


@dataclass(frozen=True)
class SimilarQuestion(RankingQuestion):
    """`/v1/similar`."""

    item: Text


@dataclass(frozen=True)
class RecommendQuestion(RankingQuestion):
    """`/v1/recommend`."""

    items: Weighted = ()
    dislikes: Dislikes = ()
    profile: OptionalText = None
    details: Flag = False
    blend: Blending = None


@dataclass(frozen=True)
class BatchQuestion(RankingQuestion):
    """`/v1/batch`."""

    baskets: Baskets = ()
    blend: Blending = None


@dataclass(frozen=True)
class SearchQuestion(RankingQuestion):
    """`/v1/search`."""

    vector: Vector


@dataclass(frozen=True)
class ExplainQuestion:
    """`/v1/explain`."""

    result: Text
    items: Weighted = ()
    dislikes: Dislikes = ()
    profile: OptionalText = None
    blend: Blending = None


@dataclass(frozen=True)
class ScoreQuestion:
    """`/v1/score`."""

    items: Pair


@dataclass(frozen=True)
class ItemQuestion:
    """`/v1/vector` and `/v1/remove`."""

    item: Text


@dataclass(frozen=True)
class ProfileQuestion:
    """`/v1/profile` and `/v1/forget`."""

    profile: Text


@dataclass(frozen=True)
class AddQuestion:
    """`/v1/add`."""

    name: Text
    attributes: Attributes = None
    id: OptionalText = None
    neighbors: Texts = ()


@dataclass(frozen=True)
class RenameQuestion:
    """`/v1/rename`."""

    item: Text
    name: Text


@dataclass(frozen=True)
class LikeQuestion:
    """`/v1/like`."""

    profile: Text
    item: Text
    weight: Weight = 1.0


def parse_query(question: Any, pairs: Iterable[tuple[str, str]]) -> Any:
    """The question of this class that a decoded query asks.

    Raises:
        InvalidArgumentError: an argument is unknown, missing, given too often or malformed.
    """
    kinds = _kinds(question)
    field_of = {kind.name or name: name for name, kind in kinds.items() if kind.of_texts}
    texts: dict[str, list[str]] = {}
    for name, text in pairs:
        _check_known(name, field_of)
        check_text(name, text)
        texts.setdefault(name, []).append(text)
    for name, part in field_of.items():
        if part in _needed(question) and name not in texts:
            raise InvalidArgumentError(f"{name} is missing; give it once, as {name}=...")
    read = ((field_of[name], kinds[field_of[name]].of_texts, name) for name in texts)
    return question(**{part: of_texts(name, texts[name]) for part, of_texts, name in read if of_texts})


def parse_body(question: Any, request: Request) -> Any:
    """The question of this class that a JSON body asks.

    Raises:
        RequestError: the body is not a JSON object.
        InvalidArgumentError: an argument is unknown, missing or of the wrong kind.
    """
    if request.query:
        raise InvalidArgumentError("a POST takes its arguments from its body; leave the query away")
    kinds = _kinds(question)
    values = {}
    for name, value in _json_object(request).items():
        _check_known(name, kinds)
        values[name] = kinds[name].of_json(name, value)
    for name in _needed(question):
        if name not in values:
            raise InvalidArgumentError(f"{name} is missing; {kinds[name].remedy}")
    return question(**values)


@cache
def _kinds(question: Any) -> dict[str, Kind]:
    """The kind of each field, which its annotation bears."""
    return {name: hint.__metadata__[0] for name, hint in get_type_hints(question, include_extras=True).items()}


@cache
def _needed(question: Any) -> list[str]:
    return [part.name for part in fields(question) if part.default is MISSING]


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
        raise RequestError(400, 'the body is not a JSON object such as {"item": "..."}')
    return record


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON; give finite numbers")


def _check_known(name: str, known: Iterable[str]) -> None:
    if name not in known:
        raise InvalidArgumentError(
            f"there is no argument {name[:MAX_TEXT]!r} here; there are {', '.join(sorted(known)) or 'none'}"
        )
