"""Answers to requests, one function a route; docs/http.md says what may be asked, and what comes back."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, get_args

from device_runtime import __version__
from device_runtime.arguments import Blend
from device_runtime.errors import (
    InvalidArgumentError,
    InvalidCountError,
    ItemExistsError,
    MignonError,
    NoFavoritesError,
    OverlayError,
    ReadOnlyError,
    UnknownAttributeError,
    UnknownItemError,
)
from device_runtime.recommender import Recommender
from device_runtime.results import Match, Neighbor, as_record, attribute_records
from device_runtime.serve.http import Request, RequestError, Response, error_response, json_response
from device_runtime.serve.page_files import page_answer, read_page
from device_runtime.serve.requests import (
    AddQuestion,
    AttributesQuestion,
    BatchQuestion,
    ExplainQuestion,
    FindQuestion,
    ItemQuestion,
    LikeQuestion,
    NoQuestion,
    ProfileQuestion,
    RecommendQuestion,
    RenameQuestion,
    ScoreQuestion,
    SearchQuestion,
    SimilarQuestion,
    parse_body,
    parse_query,
)
from device_runtime.serve.service import LOG
from device_runtime.serve.values import MAX_TEXT

MAX_BASKETS = 100
MAX_RESULTS = 10_000  # of all baskets together, so that an answer stays below a megabyte or so
CHANGES_TO_TIDY = 1000
_STATUS_OF: tuple[tuple[type[MignonError], int], ...] = (
    (ReadOnlyError, 403),
    (ItemExistsError, 409),
    (InvalidArgumentError, 400),
    (UnknownAttributeError, 400),
    (OverlayError, 500),
)
_MOST_REASONS = 3


@dataclass(frozen=True)
class Route:
    """One path: who answers, what is asked, and by which methods.

    Attributes:
        question: the class of `requests` that is read from the query of a GET or the body of a POST.
    """

    answer: Callable[[Api, Any], Response]
    question: type[Any]
    methods: tuple[str, ...] = ("GET", "HEAD")
    writes: bool = False


class Api:
    """Answers requests from one model file; knows nothing of sockets, and may be asked by several threads."""

    def __init__(self, recommender: Recommender, *, cross_origin: bool = False) -> None:
        self.recommender = recommender
        model = recommender.file
        self._page = read_page()
        self.info = {
            **model.manifest.as_record(),
            "flatbuffer_bytes": model.flatbuffer_size(),
            "entries": dict(model.entries()),
            "digest": model.digest,
            "engine": self.recommender.engine,
            "blends": get_args(Blend)
            if model.manifest.preference is None
            else get_args(Blend)[::-1],  # its default first
            "mignon": __version__,
        }
        self._cross_origin = cross_origin
        self._tidying = threading.Lock()
        self._until_tidy = 0
        self._read_all()
        if recommender.writable:
            self._tidy()

    def answer(self, request: Request) -> Response:
        """The answer to any request; never raises."""
        try:
            return self._route(request)
        except RequestError as error:
            return error.response()
        except UnknownItemError as error:
            return error_response(404, type(error).__name__, str(error), error.suggestions)
        except MignonError as error:
            if status := next((status for kind, status in _STATUS_OF if isinstance(error, kind)), None):
                return error_response(status, type(error).__name__, str(error))
            return _fault(request)
        except Exception:  # noqa: BLE001 - a client must not see it, nor the next one suffer
            return _fault(request)

    def _route(self, request: Request) -> Response:
        if (file := page_answer(self._page, request)) is not None:
            return file
        route = _ROUTES.get(request.path)
        if route is None:
            raise RequestError(404, f"there is no {request.path[:MAX_TEXT]!r} here; GET / shows what there is")
        methods = (*route.methods, *(["OPTIONS"] * self._cross_origin))
        if request.method not in methods:
            allow = ", ".join(methods)
            message = f"{request.path} does not take {request.method[:MAX_TEXT]}; it takes {allow}"
            raise RequestError(405, message, (("Allow", allow),))
        if request.method == "OPTIONS":
            return _preflight(methods)
        if route.writes and not self.recommender.writable:
            raise ReadOnlyError("this server changes nothing; start it with `mignon serve --writable`")
        if request.method != "POST":
            return route.answer(self, parse_query(route.question, request.query))
        response = route.answer(self, parse_body(route.question, request))
        if route.writes:
            self._tidy()
        return response

    def _tidy(self) -> None:
        """Compacts the overlay at the start, and then whenever as many changes were made as it held, or 1,000.

        Without, it would grow until nothing more can be written, and memory with it.
        """
        with self._tidying:
            self._until_tidy -= 1
            if self._until_tidy > 0:
                return
            try:
                self.recommender.compact()
            except OverlayError as error:  # the changes are on the disk as they were
                LOG.warning("%s", error)
            self._until_tidy = max(CHANGES_TO_TIDY, len(self.recommender.changes))

    def _read_all(self) -> None:
        """Reads names and attributes now, so that a fault in them is told at the start, not to the first client."""
        self.recommender.find("a", 1)
        with suppress(UnknownAttributeError):
            self.recommender.search([1.0] * self.recommender.manifest.dims, 1, where={"": ()})


def _info(api: Api, _: NoQuestion) -> Response:
    changes = {"items": len(api.recommender), "writable": api.recommender.writable, "dropped": api.recommender.dropped}
    return json_response({**api.info, **changes})


def _health(_: Api, __: NoQuestion) -> Response:
    return json_response({"status": "ok"})


def _find(api: Api, question: FindQuestion) -> Response:
    return _results(api.recommender.find(question.text, question.k))


def _attributes(api: Api, question: AttributesQuestion) -> Response:
    counts = api.recommender.attributes(question.attribute)
    return json_response({"attributes": attribute_records(counts, question.k)})


def _complete(api: Api, question: FindQuestion) -> Response:
    return _results(api.recommender.complete(question.text, question.k))


def _similar(api: Api, question: SimilarQuestion) -> Response:
    return _results(api.recommender.similar(question.item, **question.options()))


def _recommend(api: Api, question: RecommendQuestion) -> Response:
    found = api.recommender.recommend(
        question.items,
        dislikes=question.dislikes,
        profile=question.profile,
        blend=question.blend,
        **question.options(),
    )
    return _detailed(api, question, found) if question.details else _results(found)


def _detailed(api: Api, question: RecommendQuestion, found: Sequence[Neighbor]) -> Response:
    """The results with their attributes and why they come back, in short."""
    profile = api.recommender.profile(question.profile).likes if question.profile is not None else ()
    count = len(question.items) + len(question.dislikes) + len(profile)
    if question.k * count > MAX_RESULTS:
        raise InvalidCountError(
            f"k is {question.k} for {count} favorites; with details give up to {MAX_RESULTS} in all"
        )
    results = []
    for neighbor in found:
        with suppress(UnknownItemError):  # it was removed in between
            results.append({**neighbor._asdict(), **_details(api.recommender, question, neighbor.id)})
    return json_response({"results": results})


def _details(recommender: Recommender, question: RecommendQuestion, item: str) -> dict[str, Any]:
    attributes = recommender.attributes_of(item)
    try:
        why = recommender.explain(
            question.items, item, dislikes=question.dislikes, profile=question.profile, blend=question.blend
        )
    except NoFavoritesError:
        return {"attributes": attributes, "shared": [], "because": []}
    because = [part.name for part in why.contributions if part.share > 0][:_MOST_REASONS]
    return {"attributes": attributes, "shared": [shared._asdict() for shared in why.shared], "because": because}


def _batch(api: Api, question: BatchQuestion) -> Response:
    count, k = len(question.baskets), question.k
    if count > MAX_BASKETS:
        raise InvalidArgumentError(f"there are {count} baskets; give up to {MAX_BASKETS} at a time")
    if count * k > MAX_RESULTS:
        raise InvalidCountError(f"k is {k} for {count} baskets; give up to {MAX_RESULTS} in all")
    found = api.recommender.recommend_many(question.baskets, blend=question.blend, **question.options())
    return json_response({"results": [[neighbor._asdict() for neighbor in neighbors] for neighbors in found]})


def _explain(api: Api, question: ExplainQuestion) -> Response:
    why = api.recommender.explain(
        question.items,
        question.result,
        dislikes=question.dislikes,
        profile=question.profile,
        blend=question.blend,
    )
    return json_response(as_record(why))


def _score(api: Api, question: ScoreQuestion) -> Response:
    return json_response({"score": api.recommender.score(*question.items)})


def _search(api: Api, question: SearchQuestion) -> Response:
    return _results(api.recommender.search(question.vector, **question.options()))


def _vector(api: Api, question: ItemQuestion) -> Response:
    return json_response({"item": question.item, "vector": api.recommender.vector(question.item).tolist()})


def _profile(api: Api, question: ProfileQuestion) -> Response:
    profile = api.recommender.profile(question.profile)
    return json_response({"profile": profile.name, "likes": profile.likes})


def _add(api: Api, question: AddQuestion) -> Response:
    made = api.recommender.add(question.name, question.attributes, id=question.id, neighbors=question.neighbors)
    return json_response({"id": made})


def _remove(api: Api, question: ItemQuestion) -> Response:
    return json_response({"id": api.recommender.remove(question.item)})


def _rename(api: Api, question: RenameQuestion) -> Response:
    return json_response({"id": api.recommender.rename(question.item, question.name)})


def _like(api: Api, question: LikeQuestion) -> Response:
    profile, item, weight = api.recommender.profile(question.profile), question.item, question.weight
    if weight > 0:
        return json_response({"id": profile.like(item, weight)})
    return json_response({"id": profile.dislike(item, -weight) if weight else profile.unlike(item)})


def _forget(api: Api, question: ProfileQuestion) -> Response:
    api.recommender.profile(question.profile).forget()
    return json_response({"profile": question.profile})


_POST = ("POST",)
_BOTH = ("GET", "HEAD", "POST")
_ROUTES = {
    "/healthz": Route(_health, NoQuestion),
    "/v1/info": Route(_info, NoQuestion),
    "/v1/find": Route(_find, FindQuestion),
    "/v1/attributes": Route(_attributes, AttributesQuestion),
    "/v1/complete": Route(_complete, FindQuestion),
    "/v1/similar": Route(_similar, SimilarQuestion),
    "/v1/recommend": Route(_recommend, RecommendQuestion, _BOTH),
    "/v1/batch": Route(_batch, BatchQuestion, _POST),
    "/v1/explain": Route(_explain, ExplainQuestion, _BOTH),
    "/v1/score": Route(_score, ScoreQuestion),
    "/v1/search": Route(_search, SearchQuestion, _POST),
    "/v1/vector": Route(_vector, ItemQuestion),
    "/v1/profile": Route(_profile, ProfileQuestion),
    "/v1/add": Route(_add, AddQuestion, _POST, writes=True),
    "/v1/remove": Route(_remove, ItemQuestion, _POST, writes=True),
    "/v1/rename": Route(_rename, RenameQuestion, _POST, writes=True),
    "/v1/like": Route(_like, LikeQuestion, _POST, writes=True),
    "/v1/forget": Route(_forget, ProfileQuestion, _POST, writes=True),
}


def _results(found: Sequence[Match | Neighbor]) -> Response:
    return json_response({"results": [result._asdict() for result in found]})


def _fault(request: Request) -> Response:
    fault = secrets.token_hex(4)
    LOG.exception("fault %s in %s %s", fault, ascii(request.method), ascii(request.target))
    return RequestError(500, f"the server failed; its log says why under {fault}").response()


def _preflight(methods: Sequence[str]) -> Response:
    allow = ", ".join(methods)
    headers = (("Allow", allow), ("Access-Control-Allow-Methods", allow))
    return json_response({"methods": methods}, headers=(*headers, ("Access-Control-Allow-Headers", "Content-Type")))
