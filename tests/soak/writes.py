"""Changes made over HTTP by one of several clients, each of which is checked by what the server answers after it."""

from __future__ import annotations

import http.client
import json
import random
import secrets
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from tests.soak.questions import ADDED, Question, ask

_JSON = {"Content-Type": "application/json"}
_OWN_ITEMS = 20


class _Change(NamedTuple):
    path: str
    body: dict[str, Any]
    status: int
    is_made: Callable[[], bool]


class Writer:
    """Adds, renames and removes items of its own, and has a profile of its own; other clients do so meanwhile.

    Args:
        ids: items that nobody changes.
    """

    def __init__(self, number: int, ids: Sequence[str]) -> None:
        self._profile = f"load-{number}"
        self._prefix = f"{ADDED}{number}-"
        self._ids = ids
        self._rng = random.Random(number)
        self._own: list[str] = []
        self._likes: dict[str, float] = {}
        self._forget = True

    def write(self, connection: http.client.HTTPConnection) -> tuple[str, int, bool]:
        """Makes a change, or asks for one that has to be refused: its kind and status, and whether all was right."""
        self._connection = connection
        change = self._rng.choice(self._possible())()
        status, _ = self._post(change.path, change.body)
        kind = change.path if change.status == 200 else f"{change.path}, refused"
        return kind, status, status == change.status and change.is_made()

    def _possible(self) -> list[Callable[[], _Change]]:
        if self._forget:  # at first, for an earlier run may have left likes
            return [self._forget_all]
        if len(self._own) < 2:
            return [self._add]
        if len(self._own) > _OWN_ITEMS:
            return [self._remove]
        return [self._add, self._rename, self._like, self._like, self._like, self._remove, self._refused]

    def _forget_all(self) -> _Change:
        self._forget = False
        self._likes.clear()
        return _Change("forget", {"profile": self._profile}, 200, self._has_its_likes)

    def _add(self) -> _Change:
        item = f"{self._prefix}{secrets.token_hex(6)}"  # another one than in an earlier run
        self._own.append(item)
        near = self._rng.sample(self._ids, 2)
        body = {"name": f"Added {item}", "id": item, "neighbors": near}
        return _Change("add", body, 200, lambda: self._status_of(item) == 200)

    def _rename(self) -> _Change:
        item = self._rng.choice(self._own)
        name = f"Renamed {item} {secrets.token_hex(6)}"
        return _Change("rename", {"item": item, "name": name}, 200, lambda: self._status_of(name) == 200)

    def _like(self) -> _Change:
        item = self._rng.choice([*self._own, *self._ids])
        weight = self._rng.choice([1.0, 2.0, -1.0, 0.0])
        self._likes.pop(item, None)
        if weight:
            self._likes[item] = weight
        if len(self._likes) > _OWN_ITEMS:
            self._forget = True
        return _Change("like", {"profile": self._profile, "item": item, "weight": weight}, 200, self._has_its_likes)

    def _remove(self) -> _Change:
        item = self._own.pop(self._rng.randrange(len(self._own)))
        self._likes.pop(item, None)
        return _Change("remove", {"item": item}, 200, lambda: self._status_of(item) == 404)

    def _refused(self) -> _Change:
        refused: list[tuple[str, dict[str, Any], int]] = [
            ("add", {"name": "Another", "id": self._own[0], "neighbors": self._ids[:1]}, 409),
            ("add", {"name": "Nowhere"}, 400),
            ("rename", {"item": self._own[0], "name": self._own[1]}, 409),
            ("remove", {"item": f"{self._prefix}none"}, 404),
            ("like", {"profile": self._profile, "item": self._ids[0], "weight": "1"}, 400),
            ("like", {"profile": self._profile, "item": self._ids[0], "weights": 1}, 400),
        ]
        path, body, status = self._rng.choice(refused)
        return _Change(path, body, status, self._has_its_likes)

    def _status_of(self, item: str) -> int:
        return self._post("recommend", {"items": [item], "k": 5})[0]

    def _has_its_likes(self) -> bool:
        question = Question("", "GET", f"/v1/profile?profile={self._profile}", None, {}, 200)
        return bool(json.loads(ask(self._connection, question)[1]).get("likes") == self._likes)

    def _post(self, path: str, body: Any) -> tuple[int, bytes]:
        return ask(self._connection, Question(path, "POST", f"/v1/{path}", json.dumps(body).encode(), _JSON, 200))
