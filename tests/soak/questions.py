"""Questions for a running `mignon serve`, each with the answer that it has when asked alone."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

import numpy as np

from device_runtime import InvalidArgumentError

ADDED = "load-"  # what the id of every item starts with that a client adds
_PATIENCE = 30.0
_JSON = {"Content-Type": "application/json"}
_ITEMS = 40
_LAST_BITS = 1e-6


class Server(NamedTuple):
    """Where it listens, and its process where that is known."""

    host: str
    port: int
    process: int | None = None


@dataclass(frozen=True)
class Question:
    """A well-formed request, and what came back for it when it was asked alone."""

    kind: str
    method: str
    path: str
    body: bytes | None
    headers: dict[str, str]
    status: int
    answer: bytes = b""

    def is_answered_by(self, status: int, answer: bytes) -> bool:
        """Whether that is the answer it had alone, to the last byte but for what added items change.

        Rankings may hold added items, between others in the same order; another path ranks these, so the scores of a
        `search` may differ in the last bits. An unknown item may have other suggestions, and there are more items.
        """
        if status != self.status or answer == self.answer:
            return status == self.status
        if not (answer.startswith(b"{") and self.answer.startswith(b"{")):
            return False
        return _agree(json.loads(answer), json.loads(self.answer))


class Asked(NamedTuple):
    """Questions, the ids of items that they are about, and whether the server takes changes."""

    questions: list[Question]
    ids: list[str]
    writable: bool


def asked_alone(server: Server, seed: int = 0) -> Asked:
    """Questions about random items, and the answers that `server` gives while nobody else asks.

    Raises:
        InvalidArgumentError: a question has another status than it should.
    """
    rng = np.random.default_rng(seed)
    with closing(connection_to(server)) as connection:
        info = _get(connection, "/v1/info")
        found: dict[str, dict[str, str]] = {}
        for _ in range(_ITEMS):
            body = {"vector": rng.standard_normal(info["dims"]).tolist(), "k": 1}
            _, answer = ask(connection, _post("search", body))
            found |= {item["id"]: item for item in json.loads(answer)["results"]}
        items = list(found.values())
        asked = [*_right(items, info["dims"], rng), *_diverse(connection, items), *_wrong(items)]
        return Asked([_with_answer(connection, question) for question in asked], list(found), info["writable"])


def connection_to(server: Server) -> http.client.HTTPConnection:
    """A connection that waits long enough for a busy server."""
    return http.client.HTTPConnection(server.host, server.port, timeout=_PATIENCE)


def ask(connection: http.client.HTTPConnection, question: Question) -> tuple[int, bytes]:
    """Status and body of the answer."""
    connection.request(question.method, question.path, question.body, question.headers)
    response = connection.getresponse()
    return response.status, response.read()


def _get(connection: http.client.HTTPConnection, path: str) -> Any:
    return json.loads(ask(connection, Question("", "GET", path, None, {}, 200))[1])


def _post(kind: str, body: Any, status: int = 200) -> Question:
    return Question(kind, "POST", f"/v1/{kind}", json.dumps(body).encode(), _JSON, status)


def _right(items: Sequence[dict[str, str]], dims: int, rng: np.random.Generator) -> Iterator[Question]:
    ids = [item["id"] for item in items]
    for path in ("/", "/v1/info", "/healthz"):
        yield Question(path, "GET", path, None, {}, 200)
    for i, item in enumerate(items):
        one, other, disliked = ids[i], ids[i - 1], ids[i - 2]
        # as an item that is added meanwhile would change how many answers each taste gets
        together = [("blend", "together"), ("item", one)]
        for kind, method, path in (
            ("similar", "GET", f"similar?{urlencode({'item': one, 'k': 1 + i})}"),
            ("find", "GET", f"find?{urlencode({'text': item['name'][:-1]})}"),
            ("vector", "GET", f"vector?{urlencode({'item': one})}"),
            ("head", "HEAD", f"similar?{urlencode({'item': one})}"),
            ("score", "GET", f"score?{urlencode([('item', one), ('item', other)])}"),
            ("explain", "GET", f"explain?{urlencode({'item': one, 'result': other})}"),
            ("dislikes", "GET", f"recommend?{urlencode([*together, ('item', other), ('dislike', disliked)])}"),
        ):
            yield Question(kind, method, f"/v1/{path}", None, {}, 200)
        several = ids[i : i + 8]
        yield _post("recommend", {"items": several, "k": 10, "exclude": ids[:i][:4], "blend": "together"})
        yield _post("recommend", {"items": {one: 2, other: 0.5, disliked: -1}, "k": 10, "blend": "together"})
        yield _post("batch", {"baskets": [several, {one: 2, disliked: -1}, [other]], "k": 5, "blend": "together"})
        yield _post("explain", {"items": {one: 2, disliked: -1}, "result": other})
        yield _post("search", {"vector": rng.standard_normal(dims).tolist(), "k": 10})


def _diverse(connection: http.client.HTTPConnection, items: Sequence[dict[str, str]]) -> Iterator[Question]:
    """Diverse answers, among items with an attribute that no added item has: it would change the choice of others."""
    for item in items:
        (near,) = _get(connection, f"/v1/similar?{urlencode({'item': item['id'], 'k': 1})}")["results"]
        shared = _get(connection, f"/v1/explain?{urlencode({'item': item['id'], 'result': near['id']})}")["shared"]
        if shared:
            where = {shared[0]["attribute"]: shared[0]["value"]}
            body = {"items": [item["id"]], "where": where, "diversify": 0.3}
            yield replace(_post("recommend", body), kind="diversify")


def _wrong(items: Sequence[dict[str, str]]) -> Iterator[Question]:
    item = items[0]["id"]
    one = quote(item, safe="")
    for kind, path, status in (
        ("no such path", "/nothing", 404),
        ("no such item", "/v1/similar?item=no+such+item+anywhere", 404),
        ("k of 0", f"/v1/similar?item={one}&k=0", 400),
        ("no such attribute", f"/v1/similar?item={one}&where=nothing:x", 400),
        ("one item", f"/v1/score?item={one}", 400),
        ("too diverse", f"/v1/similar?item={one}&diversify=2", 400),
        ("liked and disliked", f"/v1/recommend?item={one}&dislike={one}", 400),
    ):
        yield Question(kind, "GET", path, None, {}, status)
    for kind, path, text in (
        ("not JSON", "recommend", b"{"),
        ("deeply nested", "recommend", b"[" * 60_000),
        ("not a number", "search", b'{"vector": [NaN]}'),
        ("bad weight", "explain", json.dumps({"items": {item: "1"}, "result": item}).encode()),
    ):
        yield Question(kind, "POST", f"/v1/{path}", text, _JSON, 400)
    yield replace(_post("batch", {"baskets": [[item]] * 101}, 400), kind="too many baskets")
    yield Question("writing", "PUT", "/v1/recommend", b"{}", _JSON, 405)
    yield Question("a form", "POST", "/v1/recommend", b"items=x", {"Content-Type": "text/plain"}, 415)


def _with_answer(connection: http.client.HTTPConnection, question: Question) -> Question:
    status, answer = ask(connection, question)
    if status != question.status:
        raise InvalidArgumentError(f"{question.method} {question.path} gives {status} when asked alone")
    return replace(question, answer=answer)


def _agree(found: dict[str, Any], alone: dict[str, Any]) -> bool:
    if "error" in alone:
        return found["error"]["type"] == alone["error"]["type"]
    if "results" not in alone:
        return {**found, "items": 0} == {**alone, "items": 0}
    if alone["results"] and isinstance(alone["results"][0], list):
        return all(_is_start(*pair) for pair in zip(found["results"], alone["results"], strict=True))
    return _is_start(found["results"], alone["results"])


def _is_start(found: list[dict[str, Any]], alone: list[dict[str, Any]]) -> bool:
    """Whether `found` without added items is the start of `alone`, and not shorter than it with them."""
    kept = [neighbor for neighbor in found if not neighbor["id"].startswith(ADDED)]
    return len(kept) <= len(alone) <= len(found) and all(
        {**some, "score": 0} == {**other, "score": 0} and abs(some["score"] - other["score"]) < _LAST_BITS
        for some, other in zip(kept, alone, strict=False)
    )
