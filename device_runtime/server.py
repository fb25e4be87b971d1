"""`mignon serve`: answers over HTTP, for the other devices of a local network.

    GET  /v1/info                                        what the file holds and how it was made
    GET  /v1/find?text=crepe&k=5                         items by name, alias or something like it
    GET  /v1/similar?item=pancakes&k=10                  items like one item
    GET  /v1/recommend?item=pancakes&item=borscht&k=10   items for somebody who likes these
    POST /v1/recommend                                   {"items": ["pancakes", "borscht"], "dislikes": ["tiramisu"],
                                                          "k": 10, "exclude": ["blini"], "diversify": 0.3,
                                                          "where": {"diet": "vegetarian", "course": {"not": "soup"}}}
    POST /v1/batch                                       {"baskets": [["pancakes"], {"borscht": 2, "blini": -1}]}
    GET  /v1/explain?item=pancakes&result=blini          why that is recommended; also by POST, like recommend
    GET  /v1/score?item=pancakes&item=borscht            how alike two items are
    POST /v1/search                                      {"vector": [0.1, ...], "k": 10, "exclude": [], "where": {}}
    GET  /v1/vector?item=pancakes                        the vector of an item
    GET  /v1/profile?profile=anna                        what is noted of a user
    GET  /healthz                                        {"status": "ok"}
    GET  /                                               a page to try it all

With `--writable` alone, and otherwise 403:

    POST /v1/add       {"name": "Grandma's soup", "attributes": {"form": "creamy soup"}, "neighbors": [], "id": ...}
    POST /v1/remove    {"item": "blini"}
    POST /v1/rename    {"item": "blini", "name": "Blini with caviar"}
    POST /v1/like      {"profile": "anna", "item": "borscht", "weight": 1}    below 0 a dislike, 0 takes it back
    POST /v1/forget    {"profile": "anna"}

`similar`, `recommend` and `search` also take `exclude=blini`, `where=course:dessert` and `where=course!:dessert`,
repeatable, and `diversify=0.3`; a repeated attribute allows, or forbids, several values. `recommend` and `explain` take
`dislike=tiramisu` (in JSON `dislikes`) and `profile=anna`, whose likes count too. In JSON `items` and each of up to 100
`baskets` are lists or {item: weight}. `k` runs from 1 to 1,000, times the number of baskets to 10,000, a text to 500
characters. HEAD goes wherever GET does.

`find`, `similar`, `recommend` and `search` answer {"results": [{"id": ..., "name": ..., "score": ...}, ...]}, best
first, `batch` a list of these lists; `vector` {"item": ..., "vector": [...]}, `score` {"score": ...}, `explain` the
fields of an `Explanation`, `profile` {"profile": ..., "likes": {id: weight}}: the values of the Python API. What writes
answers once the change is on the disk: `add`, `remove`, `rename` and `like` {"id": ...}, `forget` {"profile": ...}. All
is JSON in UTF-8.

An error is {"error": {"type": "UnknownItemError", "message": "...", "suggestions": ["Pancakes"]}}:

    400  BadRequestError, UnknownAttributeError, and InvalidArgumentError or what derives from it: InvalidCountError,
         InvalidVectorError, InvalidWeightError, NoFavoritesError, ContradictoryLikesError; not HTTP, not JSON, or a bad
         argument
    403  ReadOnlyError: the server was started without --writable
    404  NotFoundError, UnknownItemError: no such path, or no such item, with suggestions
    405  MethodNotAllowedError: see the header Allow
    408  RequestTimeoutError: the request took too long to arrive
    409  ItemExistsError: another item has that id or name
    411, 413, 414, 415, 417, 431, 505: the length is not given, or the body too large, the URL too long, the body not
         JSON, an expectation unknown, the headers too large, the version of HTTP unknown
    500  InternalError: a fault of the server, whose traceback is in its log under the id in the message
    500  OverlayWriteError, OverlayError: the change could not be written, as on a full disk
    503  BusyError: too many connections; the header Retry-After says when to come back

One event loop owns all sockets and a fixed pool of threads computes. So a client that sends slowly costs a small buffer
and a timer, never a thread, and a table that takes long to scan holds up nobody's timer. Memory is bounded by the
number of connections times the largest request, time by one deadline for a whole request and one for its answer.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import re
import secrets
import signal
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import formatdate
from http import HTTPStatus
from importlib import resources
from typing import Any, NoReturn, get_args
from urllib.parse import parse_qsl, unquote

from device_runtime import __version__
from device_runtime.datatypes import Match, Neighbor, as_record
from device_runtime.engines import EngineName
from device_runtime.errors import (
    InvalidArgumentError,
    InvalidCountError,
    InvalidVectorError,
    InvalidWeightError,
    ItemExistsError,
    MignonError,
    OverlayError,
    ReadOnlyError,
    UnknownAttributeError,
    UnknownItemError,
)
from device_runtime.filters import NOT
from device_runtime.likes import Items
from device_runtime.recommender import Recommender
from device_runtime.units import parse_bytes

MAX_K = 1000
MAX_BASKETS = 100
MAX_RESULTS = 10_000  # of all baskets together, so that an answer stays below a megabyte or so
MAX_TEXT = 500  # normalizing Unicode takes time in the square of a run of accents
MAX_LINE = 8 << 10
MAX_HEAD = 16 << 10
MAX_HEADERS = 100
MAX_CONNECTIONS = 64  # each has one request at a time, so this bounds the queue before the pool too
WORKERS = 4
_LINGER_SECONDS = 1.0
_RETRY_AFTER_SECONDS = 1
_PRINTABLE = 10**9  # Python takes long to print huge numbers, or refuses
_LARGEST_FLOAT32 = 3.4028234e38
_KINDS = {
    400: "BadRequestError",
    404: "NotFoundError",
    405: "MethodNotAllowedError",
    408: "RequestTimeoutError",
    411: "LengthRequiredError",
    413: "ContentTooLargeError",
    414: "URITooLongError",
    415: "UnsupportedMediaTypeError",
    417: "ExpectationFailedError",
    431: "HeadersTooLargeError",
    500: "InternalError",
    503: "BusyError",
    505: "VersionNotSupportedError",
}
_STATUS_OF: tuple[tuple[type[MignonError], int], ...] = (
    (ReadOnlyError, 403),
    (ItemExistsError, 409),
    (InvalidArgumentError, 400),
    (UnknownAttributeError, 400),
    (OverlayError, 500),
)
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_BAD_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_ORIGIN = re.compile(r"\*|[a-z][a-z0-9+.-]*://[!-.0-~]+")
_ONCE = ("content-length", "content-type", "host", "transfer-encoding")
_JSON = "application/json; charset=utf-8"
_HTML = "text/html; charset=utf-8"
_PAGE_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_LOG = logging.getLogger("mignon")

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Options:
    """What the command line sets.

    Attributes:
        max_body: bytes of the body of a request.
        timeout: seconds for a whole request to arrive, for its answer to be taken, and for a connection to be idle.
        allow_origin: pages of this origin, or `*`, may ask from a browser.
        verbose: log one line for each request.

    Raises:
        InvalidArgumentError: a value is out of its range.
    """

    max_body: int = 64_000
    timeout: float = 5.0
    allow_origin: str | None = None
    verbose: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.timeout <= 3600:
            raise InvalidArgumentError(f"the timeout is {self.timeout}; give seconds above 0 and up to 3600")
        if not 0 < self.max_body <= 1 << 30:
            raise InvalidArgumentError(f"the largest body is {self.max_body} bytes; give a size up to 1024MiB")
        if self.allow_origin is not None and not _ORIGIN.fullmatch(self.allow_origin):
            raise InvalidArgumentError(f"{self.allow_origin!r} is no origin such as http://pi.local:8000, and not '*'")


@dataclass(frozen=True)
class Request:
    """One request, read in full. `query` is decoded; header names are in small letters."""

    method: str
    target: str
    path: str
    query: list[tuple[str, str]]
    headers: Mapping[str, str]
    body: bytes
    keep_alive: bool


@dataclass(frozen=True)
class Response:
    """One answer, without the headers that every answer has."""

    status: int
    body: bytes
    content_type: str = _JSON
    headers: Headers = ()


class RequestError(Exception):
    """A request that cannot be answered, with the status that says why."""

    def __init__(self, status: int, message: str, headers: Headers = ()) -> None:
        self.status = status
        self.headers = headers
        super().__init__(message)

    def response(self) -> Response:
        """The answer that tells the client."""
        return _error(self.status, _KINDS[self.status], str(self), headers=self.headers)


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


@dataclass(frozen=True)
class Route:
    """One path: who answers, and the arguments that it takes from the query of a GET and from the body of a POST."""

    answer: Callable[[Api, Question], Response]
    query: frozenset[str] | None = None
    body: frozenset[str] | None = None
    writes: bool = False

    @property
    def methods(self) -> list[str]:
        """The methods that it answers."""
        return ["GET", "HEAD"] * (self.query is not None) + ["POST"] * (self.body is not None)


class Api:
    """Answers requests from one model file; knows nothing of sockets, and may be asked by several threads."""

    def __init__(self, recommender: Recommender, *, cross_origin: bool = False) -> None:
        self.recommender = recommender
        model = recommender.file
        self.page = resources.files("device_runtime").joinpath("page.html").read_bytes()
        self.info = {
            **model.manifest.as_record(),
            "flatbuffer_bytes": model.flatbuffer_size(),
            "entries": dict(model.entries()),
            "engine": self.recommender.engine,
            "mignon": __version__,
        }
        self._cross_origin = cross_origin
        self._read_all()

    def answer(self, request: Request) -> Response:
        """The answer to any request; never raises."""
        try:
            return self._route(request)
        except RequestError as error:
            return error.response()
        except UnknownItemError as error:
            return _error(404, type(error).__name__, str(error), error.suggestions)
        except MignonError as error:
            if status := next((status for kind, status in _STATUS_OF if isinstance(error, kind)), None):
                return _error(status, type(error).__name__, str(error))
            return _fault(request)
        except Exception:  # noqa: BLE001 - a client must not see it, nor the next one suffer
            return _fault(request)

    def _route(self, request: Request) -> Response:
        route = _ROUTES.get(request.path)
        if route is None:
            raise RequestError(404, f"there is no {request.path[:MAX_TEXT]!r} here; GET / shows what there is")
        methods = route.methods + ["OPTIONS"] * self._cross_origin
        if request.method not in methods:
            allow = ", ".join(methods)
            message = f"{request.path} does not take {request.method[:MAX_TEXT]}; it takes {allow}"
            raise RequestError(405, message, (("Allow", allow),))
        if request.method == "OPTIONS":
            return _preflight(methods)
        if route.writes and not self.recommender.writable:
            raise ReadOnlyError("this server changes nothing; start it with `mignon serve --writable`")
        if request.method == "POST":
            return route.answer(self, _question_of_body(request, route.body or frozenset()))
        return route.answer(self, _question_of_query(request.query, route.query or frozenset()))

    def _read_all(self) -> None:
        """Reads names and attributes now, so that a fault in them is told at the start, not to the first client."""
        self.recommender.find("a", 1)
        with suppress(UnknownAttributeError):
            self.recommender.search([1.0] * self.recommender.manifest.dims, 1, where={"": ()})


def _page(api: Api, _: Question) -> Response:
    return Response(200, api.page, _HTML, (("Content-Security-Policy", _PAGE_POLICY),))


def _info(api: Api, _: Question) -> Response:
    changes = {"items": len(api.recommender), "writable": api.recommender.writable, "dropped": api.recommender.dropped}
    return _json({**api.info, **changes})


def _health(_: Api, __: Question) -> Response:
    return _json({"status": "ok"})


def _find(api: Api, question: Question) -> Response:
    return _results(api.recommender.find(_only("text", question.texts), question.count(5)))


def _similar(api: Api, question: Question) -> Response:
    item = _only("item", question.items)
    return _results(api.recommender.similar(item, question.count(10), **question.ranking_options()))


def _recommend(api: Api, question: Question) -> Response:
    items = _favorites(api, question)
    options = question.ranking_options()
    return _results(api.recommender.recommend(items, question.count(10), dislikes=question.dislikes, **options))


def _favorites(api: Api, question: Question) -> Items:
    if question.profile is None:
        return question.items
    likes = api.recommender.profile(question.profile).likes
    given = question.items if isinstance(question.items, dict) else dict.fromkeys(question.items, 1.0)
    return {**likes, **given}


def _batch(api: Api, question: Question) -> Response:
    if len(question.baskets) > MAX_BASKETS:
        raise InvalidArgumentError(f"there are {len(question.baskets)} baskets; give up to {MAX_BASKETS} at a time")
    k = question.count(10)
    if len(question.baskets) * k > MAX_RESULTS:
        raise InvalidCountError(f"k is {k} for {len(question.baskets)} baskets; give up to {MAX_RESULTS} in all")
    found = api.recommender.recommend_many(question.baskets, k, **question.ranking_options())
    return _json({"results": [[neighbor._asdict() for neighbor in neighbors] for neighbors in found]})


def _explain(api: Api, question: Question) -> Response:
    result = question.needed("result")
    return _json(as_record(api.recommender.explain(_favorites(api, question), result, dislikes=question.dislikes)))


def _score(api: Api, question: Question) -> Response:
    if len(question.items) != 2:
        raise InvalidArgumentError(f"item is given {len(question.items)} times; give it twice, as item=...&item=...")
    return _json({"score": api.recommender.score(*question.items)})


def _search(api: Api, question: Question) -> Response:
    if question.vector is None:
        raise InvalidArgumentError("vector is missing; give a list of numbers")
    return _results(api.recommender.search(question.vector, question.count(10), **question.ranking_options()))


def _vector(api: Api, question: Question) -> Response:
    item = _only("item", question.items)
    return _json({"item": item, "vector": api.recommender.vector(item).tolist()})


def _profile(api: Api, question: Question) -> Response:
    profile = api.recommender.profile(question.needed("profile"))
    return _json({"profile": profile.name, "likes": profile.likes})


def _add(api: Api, question: Question) -> Response:
    name, attributes = question.needed("name"), question.attributes
    return _json({"id": api.recommender.add(name, attributes, id=question.id, neighbors=question.neighbors)})


def _remove(api: Api, question: Question) -> Response:
    return _json({"id": api.recommender.remove(question.needed("item"))})


def _rename(api: Api, question: Question) -> Response:
    return _json({"id": api.recommender.rename(question.needed("item"), question.needed("name"))})


def _like(api: Api, question: Question) -> Response:
    profile = api.recommender.profile(question.needed("profile"))
    item, weight = question.needed("item"), question.weight
    if weight > 0:
        return _json({"id": profile.like(item, weight)})
    return _json({"id": profile.dislike(item, -weight) if weight else profile.unlike(item)})


def _forget(api: Api, question: Question) -> Response:
    profile = api.recommender.profile(question.needed("profile"))
    profile.forget()
    return _json({"profile": profile.name})


_FILTERS = frozenset({"k", "exclude", "where", "diversify"})
_LIKES = frozenset({"profile", "dislikes"})
_ROUTES = {
    "/": Route(_page, query=frozenset()),
    "/healthz": Route(_health, query=frozenset()),
    "/v1/info": Route(_info, query=frozenset()),
    "/v1/find": Route(_find, query=frozenset({"text", "k"})),
    "/v1/similar": Route(_similar, query=_FILTERS | {"item"}),
    "/v1/recommend": Route(
        _recommend, query=_FILTERS | {"item", "dislike", "profile"}, body=_FILTERS | _LIKES | {"items"}
    ),
    "/v1/batch": Route(_batch, body=_FILTERS | {"baskets"}),
    "/v1/explain": Route(
        _explain, query=frozenset({"item", "dislike", "profile", "result"}), body=_LIKES | {"items", "result"}
    ),
    "/v1/score": Route(_score, query=frozenset({"item"})),
    "/v1/search": Route(_search, body=_FILTERS | {"vector"}),
    "/v1/vector": Route(_vector, query=frozenset({"item"})),
    "/v1/profile": Route(_profile, query=frozenset({"profile"})),
    "/v1/add": Route(_add, body=frozenset({"name", "attributes", "id", "neighbors"}), writes=True),
    "/v1/remove": Route(_remove, body=frozenset({"item"}), writes=True),
    "/v1/rename": Route(_rename, body=frozenset({"item", "name"}), writes=True),
    "/v1/like": Route(_like, body=frozenset({"profile", "item", "weight"}), writes=True),
    "/v1/forget": Route(_forget, body=frozenset({"profile"}), writes=True),
}


def _question_of_query(pairs: Iterable[tuple[str, str]], known: frozenset[str]) -> Question:
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
            setattr(question, name, read(name, _only(name, found[name])))
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


def _question_of_body(request: Request, known: frozenset[str]) -> Question:
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


def _only(name: str, values: Iterable[str]) -> str:
    given = list(values)
    if len(given) != 1:
        raise InvalidArgumentError(f"{name} is given {len(given)} times; give it once, as {name}=...")
    return given[0]


def _results(found: Sequence[Match | Neighbor]) -> Response:
    return _json({"results": [result._asdict() for result in found]})


def _json(record: Mapping[str, Any], status: int = 200, headers: Headers = ()) -> Response:
    text = json.dumps(record, ensure_ascii=False)
    return Response(status, text.encode("utf-8", "backslashreplace"), headers=headers)  # half a character: as \uD800


def _error(status: int, kind: str, message: str, suggestions: Iterable[str] = (), headers: Headers = ()) -> Response:
    record = {"error": {"type": kind, "message": message, "suggestions": list(suggestions)}}
    return _json(record, status, headers)


def _fault(request: Request) -> Response:
    fault = secrets.token_hex(4)
    _LOG.exception("fault %s in %s %s", fault, ascii(request.method), ascii(request.target))
    return RequestError(500, f"the server failed; its log says why under {fault}").response()


def _preflight(methods: Sequence[str]) -> Response:
    allow = ", ".join(methods)
    headers = (("Allow", allow), ("Access-Control-Allow-Methods", allow))
    return _json({"methods": methods}, headers=(*headers, ("Access-Control-Allow-Headers", "Content-Type")))


async def read_request(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, first: bytes, max_body: int
) -> Request:
    """Reads one request in full, of which the byte `first` is already here.

    Raises:
        RequestError: it is not HTTP, or larger than allowed.
        IncompleteReadError: it ended early.
    """
    method, target, version = _request_line(first + await _line(reader, 414, "the URL is too long"))
    path, query = _decoded_target(target)
    headers = await _read_headers(reader)
    if version == "HTTP/1.1" and "host" not in headers:
        raise RequestError(400, "the header Host is missing")
    length = _body_length(method, headers, max_body)
    if "expect" in headers and version == "HTTP/1.1":
        _promise_to_read(headers["expect"], writer)
    body = await reader.readexactly(length)
    return Request(method, target, path, query, headers, body, _keeps_alive(version, headers))


async def _line(reader: asyncio.StreamReader, status: int, complaint: str) -> bytes:
    try:
        line = await reader.readuntil(b"\n")
    except asyncio.LimitOverrunError:
        raise RequestError(status, f"{complaint}; a line may have {MAX_LINE} bytes") from None
    return line[:-1].removesuffix(b"\r")


def _request_line(line: bytes) -> tuple[str, str, str]:
    try:
        method, target, version = line.decode("utf-8").split(" ")  # some clients send é as it is
    except ValueError:
        raise RequestError(400, "the first line is not METHOD URL HTTP/1.1") from None
    if not _TOKEN.fullmatch(method) or _CONTROL.search(target) or not re.fullmatch(r"HTTP/[0-9]\.[0-9]", version):
        raise RequestError(400, "the first line is not METHOD URL HTTP/1.1")
    if version not in ("HTTP/1.0", "HTTP/1.1"):
        raise RequestError(505, f"this server speaks HTTP/1.0 and HTTP/1.1, not {version}")
    return method, target, version


def _decoded_target(target: str) -> tuple[str, list[tuple[str, str]]]:
    if target[:7].lower() == "http://":  # as a proxy would ask
        target = "/" + target[7:].partition("/")[2]
    path, _, query = target.partition("#")[0].partition("?")
    if _BAD_PERCENT.search(target):
        raise RequestError(400, "a % in the URL is not followed by two hexadecimal digits")
    try:
        return unquote(path, errors="strict"), parse_qsl(query, keep_blank_values=True, errors="strict")
    except ValueError:
        raise RequestError(400, "the URL is not percent-encoded UTF-8") from None


async def _read_headers(reader: asyncio.StreamReader) -> dict[str, str]:
    headers: dict[str, str] = {}
    size = 0
    for _ in range(MAX_HEADERS + 1):
        line = await _line(reader, 431, "a header is too large")
        size += len(line)
        if not line:
            return headers
        if size > MAX_HEAD:
            break
        _add_header(headers, line.decode("latin-1"))
    raise RequestError(431, f"the headers are too large; there may be {MAX_HEADERS}, of {MAX_HEAD} bytes in all")


def _add_header(headers: dict[str, str], line: str) -> None:
    name, colon, value = line.partition(":")
    name = name.lower()
    if not colon or not _TOKEN.fullmatch(name) or _CONTROL.search(value):
        raise RequestError(400, "a header is not NAME: VALUE")
    if name in headers and name in _ONCE:
        raise RequestError(400, f"the header {name} is given more than once")
    value = value.strip(" \t")
    headers[name] = f"{headers[name]}, {value}" if name in headers else value


def _body_length(method: str, headers: Mapping[str, str], most: int) -> int:
    if "transfer-encoding" in headers:
        raise RequestError(411, "bodies in chunks are not taken; send the header Content-Length")
    text = headers.get("content-length")
    if text is None:
        if method == "POST":
            raise RequestError(411, "the header Content-Length is missing")
        return 0
    if not re.fullmatch(r"[0-9]+", text):
        raise RequestError(400, "the header Content-Length is not a number of bytes")
    if len(text) > 18 or int(text) > most:
        raise RequestError(413, f"the body is larger than the {most} bytes allowed")
    return int(text)


def _promise_to_read(expectation: str, writer: asyncio.StreamWriter) -> None:
    if expectation.lower() != "100-continue":
        raise RequestError(417, "the only expectation met here is 100-continue")
    writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")


def _keeps_alive(version: str, headers: Mapping[str, str]) -> bool:
    tokens = {token.strip().lower() for token in headers.get("connection", "").split(",")}
    return "close" not in tokens and (version == "HTTP/1.1" or "keep-alive" in tokens)


class Service:
    """The sockets: a bounded number of connections, each with a deadline for whatever it waits for."""

    def __init__(self, api: Api, options: Options) -> None:
        self._api = api
        self._options = options
        self._connections: set[asyncio.Task[None]] = set()
        self._idle: set[asyncio.Task[None]] = set()
        self._stopping = False

    async def start(self, host: str, port: int) -> list[str]:
        """Starts to listen and returns the URLs; port 0 takes a free one.

        Raises:
            OSError: the address is in use, or not of this machine.
        """
        try:
            self._server = await asyncio.start_server(self._connected, host, port, limit=MAX_LINE)
        except OSError as error:
            reason = (error.strerror or str(error)).rpartition(": ")[2]
            message = f"cannot listen on {host}, port {port}: {reason}; choose others with --host and --port"
            raise OSError(message) from error
        self._pool = ThreadPoolExecutor(WORKERS, "mignon")
        return [_url(*listening.getsockname()[:2]) for listening in self._server.sockets]

    async def stop(self) -> None:
        """Stops listening, lets requests that are under way be answered, and closes all connections."""
        self._stopping = True
        self._server.close()
        for task in self._idle:
            task.cancel()
        if self._connections:
            _, late = await asyncio.wait(self._connections, timeout=self._options.timeout)
            for task in late:
                task.cancel()
        self._pool.shutdown()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - asyncio runs this as a task
        writer.transport.set_write_buffer_limits(0)  # so that drain() waits until all is sent
        self._connections.add(task)
        try:
            if len(self._connections) > 2 * MAX_CONNECTIONS:
                return
            if len(self._connections) > MAX_CONNECTIONS:
                await self._refuse(writer)
            else:
                while await self._exchange(reader, writer, task):
                    pass
            await _hang_up(reader, writer)
        except (OSError, asyncio.TimeoutError, asyncio.CancelledError):
            pass  # the client has gone or takes nothing, or the service stops: nobody is left to tell
        finally:
            self._connections.discard(task)
            writer.transport.abort()

    async def _exchange(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, task: asyncio.Task[None]
    ) -> bool:
        """Reads and answers one request; whether the connection may bring another."""
        self._idle.add(task)
        try:
            first = await asyncio.wait_for(_first_byte(reader), self._options.timeout)
        except asyncio.TimeoutError:
            return False
        finally:
            self._idle.discard(task)
        if not first:
            return False
        start = time.perf_counter()
        request, response = await self._answer(reader, writer, first)
        keep = request is not None and request.keep_alive and not self._stopping
        await self._send(writer, response, keep=keep, head=request is not None and request.method == "HEAD")
        if self._options.verbose:
            _log_request(writer, request, response, time.perf_counter() - start)
        return keep

    async def _answer(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, first: bytes
    ) -> tuple[Request | None, Response]:
        """A request, or None where none could be read, and the answer."""
        options = self._options
        try:
            request = await asyncio.wait_for(read_request(reader, writer, first, options.max_body), options.timeout)
        except RequestError as error:
            return None, error.response()
        except asyncio.IncompleteReadError:
            return None, RequestError(400, "the request ended early").response()
        except asyncio.TimeoutError:
            message = f"the request did not arrive within {options.timeout:g} seconds"
            return None, RequestError(408, message).response()
        loop = asyncio.get_running_loop()
        return request, await loop.run_in_executor(self._pool, self._api.answer, request)

    async def _refuse(self, writer: asyncio.StreamWriter) -> None:
        later = (("Retry-After", str(_RETRY_AFTER_SECONDS)),)
        message = f"there are {MAX_CONNECTIONS} connections already; come back later"
        response = RequestError(503, message, later).response()
        await self._send(writer, response, keep=False, head=False)
        if self._options.verbose:
            _log_request(writer, None, response, 0)

    async def _send(self, writer: asyncio.StreamWriter, response: Response, *, keep: bool, head: bool) -> None:
        writer.write(_head_of(response, keep, self._options.allow_origin) + (b"" if head else response.body))
        await asyncio.wait_for(writer.drain(), self._options.timeout)


async def _first_byte(reader: asyncio.StreamReader) -> bytes:
    """The first byte of a request, after the empty lines that some clients send between two; empty at the end."""
    while (byte := await reader.read(1)) in (b"\r", b"\n"):
        pass
    return byte


async def _hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Says goodbye and waits a moment: a socket closed while the client still sends takes the answer from it."""
    writer.write_eof()
    await asyncio.wait_for(_discard(reader), _LINGER_SECONDS)


async def _discard(reader: asyncio.StreamReader) -> None:
    while await reader.read(MAX_LINE):
        pass


def _head_of(response: Response, keep: bool, allow_origin: str | None) -> bytes:
    headers = [
        ("Date", formatdate(usegmt=True)),
        ("Content-Type", response.content_type),
        ("Content-Length", str(len(response.body))),
        ("X-Content-Type-Options", "nosniff"),
        ("Cache-Control", "no-store"),
        ("Connection", "keep-alive" if keep else "close"),
        *response.headers,
    ]
    if allow_origin:
        headers.append(("Access-Control-Allow-Origin", allow_origin))
    lines = [f"HTTP/1.1 {response.status} {HTTPStatus(response.status).phrase}", *(f"{n}: {v}" for n, v in headers)]
    return "\r\n".join([*lines, "", ""]).encode("ascii")


def _log_request(writer: asyncio.StreamWriter, request: Request | None, response: Response, seconds: float) -> None:
    address = (writer.get_extra_info("peername") or ["?"])[0]
    asked = ascii(f"{request.method} {request.target}") if request else "-"
    _LOG.info("%s %s %d %d bytes %.1f ms", address, asked, response.status, len(response.body), 1e3 * seconds)


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds what `run` reads, but for `file`."""
    parser.add_argument("--host", default="127.0.0.1", help="0.0.0.0 for all of the network (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8080, help="0 for any that is free (default: %(default)s)")
    parser.add_argument("--engine", choices=get_args(EngineName), default="auto", help="default: %(default)s")
    parser.add_argument("--max-body", default="64KB", metavar="SIZE", help="of a request (default: %(default)s)")
    parser.add_argument(
        "--timeout", type=float, default=5.0, metavar="SECONDS", help="for a request to arrive (default: %(default)s)"
    )
    parser.add_argument("--allow-origin", metavar="ORIGIN", help="pages from there may ask too; '*' for all")
    parser.add_argument(
        "--writable", action="store_true", help="let everybody who can reach it add, remove, rename and like items"
    )
    parser.add_argument("--verbose", action="store_true", help="log one line for each request")


def run(arguments: argparse.Namespace) -> int:
    """Serves `arguments.file` until SIGTERM or SIGINT; then returns 0.

    Raises:
        MignonError: the file or an argument is bad.
        OSError: the port is in use.
    """
    options = Options(
        parse_bytes(arguments.max_body), arguments.timeout, arguments.allow_origin, verbose=arguments.verbose
    )
    if not 0 <= arguments.port < 1 << 16:
        raise InvalidArgumentError(f"the port is {arguments.port}; give one from 0 to 65535")
    with Recommender.open(arguments.file, engine=arguments.engine, writable=arguments.writable) as recommender:
        api = Api(recommender, cross_origin=options.allow_origin is not None)
        _log_to_stderr()
        asyncio.run(_serve(Service(api, options), arguments.host, arguments.port, api.info))
    return 0


async def _serve(service: Service, host: str, port: int, info: Mapping[str, Any]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):  # signal.signal, for Windows has no loop.add_signal_handler
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))
    urls = await service.start(host, port)
    _LOG.info("%s with %d items at %s, engine %s", info["name"], info["rows"], " and ".join(urls), info["engine"])
    await stop.wait()
    await service.stop()


def _log_to_stderr() -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("mignon: %(message)s"))
    _LOG.addHandler(handler)
    _LOG.setLevel(logging.INFO)
    _LOG.propagate = False
