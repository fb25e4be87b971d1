import asyncio
import http.client
import json
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit

import numpy as np
import pytest

from device_runtime import InvalidArgumentError, Recommender, overlay, server
from device_runtime.datatypes import as_record
from device_runtime.overlay import overlay_path
from device_runtime.server import Api, Options, Service

JSON = {"Content-Type": "application/json"}
GRACE = 30


class Running:
    """A service on a free port of the loopback, in a thread of its own."""

    def __init__(self, api, options):
        self._service = Service(api, options)
        self._ready = threading.Event()
        self.thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)
        self.thread.start()
        assert self._ready.wait(GRACE)

    async def _run(self):
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        (url,) = await self._service.start("127.0.0.1", 0)
        self.port = urlsplit(url).port
        self._ready.set()
        await self._stop.wait()
        await self._service.stop()

    def stop(self):
        with suppress(RuntimeError):  # it was stopped before, and its loop is closed
            self._loop.call_soon_threadsafe(self._stop.set)

    def connection(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=GRACE)

    def socket(self):
        return socket.create_connection(("127.0.0.1", self.port), GRACE)

    def ask(self, path, body=None, method=None, headers=None):
        """Status, headers and body of one answer; `body` is sent as JSON unless it is bytes."""
        connection = self.connection()
        try:
            if body is not None and not isinstance(body, bytes):
                body, headers = json.dumps(body).encode(), {**JSON, **(headers or {})}
            connection.request(method or ("GET" if body is None else "POST"), path, body, headers or {})
            response = connection.getresponse()
            return response.status, response.headers, response.read()
        finally:
            connection.close()

    def ask_json(self, path, body=None, **options):
        status, _, answer = self.ask(path, body, **options)
        return status, json.loads(answer)

    def send(self, data):
        """All bytes that come back for `data`, until the server closes or has been told the end."""
        with self.socket() as client:
            client.sendall(data)
            client.shutdown(socket.SHUT_WR)
            return read_all(client)


@contextmanager
def running(api, **options):
    started = Running(api, Options(**options))
    try:
        yield started
    finally:
        started.stop()
        started.thread.join(GRACE)
        assert not started.thread.is_alive()


def read_all(client):
    found = b""
    while block := client.recv(1 << 16):
        found += block
    return found


def statuses(answer):
    return [int(code) for code in re.findall(rb"HTTP/1\.1 (\d{3}) [A-Z]", answer)]


@pytest.fixture(scope="module", params=["numpy", "tflite"])
def api(request, model_path):
    return Api(Recommender.open(model_path, engine=request.param))


@pytest.fixture(scope="module")
def service(api):
    with running(api) as started:
        yield started


@pytest.fixture
def own_api(model_path):
    """One to change."""
    return Api(Recommender.open(model_path, engine="numpy"))


@pytest.fixture(scope="module")
def meals(model_path, api):
    return Recommender.open(model_path, engine=api.recommender.engine)


def as_json(found):
    return [result._asdict() for result in found]


def test_similar_answers_as_the_python_api_does(service, meals):
    status, answer = service.ask_json("/v1/similar?item=pancakes&k=4")
    assert (status, answer["results"]) == (200, as_json(meals.similar("pancakes", 4)))
    path = "/v1/similar?item=pancakes&where=course:soup&where=course:dessert&exclude=tiramisu&exclude=Borscht"
    expected = meals.similar("pancakes", exclude=["tiramisu", "borscht"], where={"course": ["soup", "dessert"]})
    assert service.ask_json(path)[1]["results"] == as_json(expected)


def test_weights_dislikes_filters_and_diversity_are_those_of_the_python_api(service, meals):
    where = {"course": {"not": ["soup", "dessert"]}, "served": "hot"}
    expected = meals.recommend(["borscht", "pancakes"], 7, dislikes=["tiramisu"], where=where, diversify=0.25)
    path = "/v1/recommend?item=borscht&item=pancakes&dislike=tiramisu&k=7&diversify=0.25"
    path += "&where=course!:soup&where=course!:dessert&where=served:hot"
    assert service.ask_json(path) == (200, {"results": as_json(expected)})
    body = {"items": ["borscht", "pancakes"], "dislikes": ["tiramisu"], "k": 7, "diversify": 0.25, "where": where}
    assert service.ask_json("/v1/recommend", body) == (200, {"results": as_json(expected)})
    weights = {"borscht": 2, "pancakes": 0.5, "tiramisu": -1}
    expected = meals.recommend(weights, 7)
    assert service.ask_json("/v1/recommend", {"items": weights, "k": 7})[1]["results"] == as_json(expected)
    expected = meals.similar("borscht", 5, diversify=0.5)
    assert service.ask_json("/v1/similar?item=borscht&k=5&diversify=0.5")[1]["results"] == as_json(expected)
    vector = meals.vector("borscht").tolist()
    expected = meals.search(vector, 5, diversify=0.5)
    body = {"vector": vector, "k": 5, "diversify": 0.5}
    assert service.ask_json("/v1/search", body)[1]["results"] == as_json(expected)


def test_batches_scores_and_explanations_are_those_of_the_python_api(service, meals):
    baskets = [["borscht"], {"pancakes": 2, "tiramisu": -1}, ["hummus", "falafel"]]
    expected = [as_json(found) for found in meals.recommend_many(baskets, 4, exclude=["blini"])]
    body = {"baskets": baskets, "k": 4, "exclude": ["blini"]}
    assert service.ask_json("/v1/batch", body) == (200, {"results": expected})
    assert service.ask_json("/v1/batch", {}) == (200, {"results": []})
    assert service.ask_json("/v1/score?item=borscht&item=blini")[1] == {"score": meals.score("borscht", "blini")}
    why = json.loads(json.dumps(as_record(meals.explain(["borscht", "pancakes"], "blini", dislikes=["tiramisu"]))))
    assert why["contributions"][0].keys() == {"id", "name", "weight", "cosine", "part", "share"}
    path = "/v1/explain?item=borscht&item=pancakes&dislike=tiramisu&result=blini"
    assert service.ask_json(path) == (200, why)
    body = {"items": {"borscht": 1, "pancakes": 1, "tiramisu": -1}, "result": "blini"}
    assert service.ask_json("/v1/explain", body) == (200, why)


WRITES = {
    "/v1/add": {"name": "Grandma's soup", "attributes": {"form": "creamy soup", "ingredients": ["tomato", "basil"]}},
    "/v1/rename": {"item": "borscht", "name": "Red soup"},
    "/v1/remove": {"item": "blini"},
    "/v1/like": {"profile": "anna", "item": "grandmas-soup", "weight": 2},
    "/v1/forget": {"profile": "bob"},
}


@pytest.mark.parametrize("path", WRITES)
def test_without_leave_nothing_is_written(service, api, path):
    status, answer = service.ask_json(path, WRITES[path])
    assert (status, answer["error"]["type"]) == (403, "ReadOnlyError")
    assert "--writable" in answer["error"]["message"]
    assert service.ask_json(path)[0] == 405
    assert service.ask_json("/v1/info")[1]["writable"] is False
    assert not overlay_path(api.recommender.file.path).exists()


def test_with_leave_changes_are_kept_and_asked_for_like_the_rest(model_copy):
    with Recommender.open(model_copy, engine="numpy", writable=True) as meals:
        with running(Api(meals)) as service:
            for path, body in WRITES.items():
                expected = {"id": body.get("item", "grandmas-soup")} if path != "/v1/forget" else {"profile": "bob"}
                assert service.ask_json(path, body) == (200, expected)
            assert service.ask_json("/v1/like", {"profile": "anna", "item": "hummus", "weight": -1})[0] == 200
            assert service.ask_json("/v1/like", {"profile": "anna", "item": "baklava"})[0] == 200
            assert service.ask_json("/v1/like", {"profile": "anna", "item": "baklava", "weight": 0})[0] == 200
            likes = {"grandmas-soup": 2, "hummus": -1}
            assert service.ask_json("/v1/profile?profile=anna")[1] == {"profile": "anna", "likes": likes}
            found = service.ask_json("/v1/recommend?profile=anna&k=300")[1]["results"]
            assert found == as_json(meals.recommend(likes, 300))
            assert "blini" not in [neighbor["id"] for neighbor in found]
            both = service.ask_json("/v1/recommend", {"profile": "anna", "items": ["borscht"], "k": 5})[1]["results"]
            assert both == as_json(meals.recommend({**likes, "borscht": 1}, 5))
            assert service.ask_json("/v1/find?text=grandmas+soup")[1]["results"][0]["id"] == "grandmas-soup"
            assert service.ask_json("/v1/similar?item=blini")[0] == 404
            info = service.ask_json("/v1/info")[1]
            assert (info["items"], info["writable"], info["dropped"]) == (300, True, [])
            assert service.ask_json("/v1/add", WRITES["/v1/add"])[0] == 409
            for path, body, status, type_ in (
                ("/v1/add", {"name": "New"}, 400, "InvalidArgumentError"),
                ("/v1/add", {"name": "New", "attributes": {"form": "brunch"}}, 400, "UnknownAttributeError"),
                ("/v1/add", {"name": "New", "neighbors": ["no such dish"]}, 404, "UnknownItemError"),
                ("/v1/rename", {"item": "hummus"}, 400, "InvalidArgumentError"),
                ("/v1/rename", {"item": "hummus", "name": "Pancakes"}, 409, "ItemExistsError"),
                ("/v1/like", {"profile": "anna", "item": "hummus", "weight": "1"}, 400, "InvalidWeightError"),
                ("/v1/like", {"profile": "", "item": "hummus"}, 400, "InvalidArgumentError"),
                ("/v1/remove", {"item": "blini"}, 404, "UnknownItemError"),
            ):
                answer = service.ask_json(path, body)
                assert (answer[0], answer[1]["error"]["type"]) == (status, type_)
        made = meals.changes
    assert Recommender.open(model_copy).changes == made


def test_a_change_that_cannot_be_written_is_told(model_copy, monkeypatch):
    with Recommender.open(model_copy, engine="numpy", writable=True) as meals, running(Api(meals)) as service:
        monkeypatch.setattr(overlay, "MAX_FILE_BYTES", 70)
        status, answer = service.ask_json("/v1/remove", {"item": "blini"})
        assert (status, answer["error"]["type"]) == (500, "OverlayWriteError")
        assert service.ask_json("/v1/similar?item=blini")[0] == 200


def test_find_answers_as_the_python_api_does(service, meals):
    assert service.ask_json("/v1/find?text=pizza+margarita")[1]["results"] == as_json(meals.find("pizza margarita"))
    assert service.ask_json("/v1/find?text=soup&k=2")[1]["results"] == as_json(meals.find("soup", 2))
    assert service.ask_json("/v1/find?text=")[1]["results"] == []


def test_recommend_answers_as_the_python_api_does_by_get_and_post(service, meals):
    question = {"items": ["pancakes", "borscht"], "k": 6, "exclude": ["blini"], "where": {"course": "breakfast"}}
    expected = as_json(meals.recommend(question["items"], 6, exclude=["blini"], where=question["where"]))
    assert service.ask_json("/v1/recommend", question)[1]["results"] == expected
    path = "/v1/recommend?item=pancakes&item=borscht&k=6&exclude=blini&where=course:breakfast"
    assert service.ask_json(path)[1]["results"] == expected
    several = {"items": ["hot dog"], "where": {"course": ["soup", "dessert"], "served": ["cold"]}}
    assert service.ask_json("/v1/recommend", several)[1]["results"] == as_json(
        meals.recommend(["hot dog"], where=several["where"])
    )


def test_search_and_vector_answer_as_the_python_api_does(service, meals):
    answer = service.ask_json("/v1/vector?item=Hot+dog")[1]
    assert answer["item"] == "Hot dog"
    assert np.array_equal(np.array(answer["vector"], np.float32), meals.vector("hot dog"))
    found = service.ask_json("/v1/search", {"vector": answer["vector"], "k": 3})[1]["results"]
    assert found == as_json(meals.search(meals.vector("hot dog"), 3))
    assert found[0]["name"] == "Hot dog"
    question = {"vector": answer["vector"], "exclude": ["hot dog"], "where": {"course": "soup"}}
    expected = meals.search(answer["vector"], exclude=["hot dog"], where={"course": "soup"})
    assert service.ask_json("/v1/search", question)[1]["results"] == as_json(expected)


def test_info_and_health(service, model, meals):
    info = service.ask_json("/v1/info")[1]
    assert (info["rows"], info["scale"], info["license"]) == (300, meals.manifest.scale, meals.manifest.license)
    assert info["entries"] == dict(model.entries())
    assert info["engine"] in ("numpy", "tflite")
    assert service.ask_json("/healthz") == (200, {"status": "ok"})


def test_the_page_needs_nothing_from_elsewhere(service):
    status, headers, page = service.ask("/")
    assert status == 200
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert not re.search(rb"https?://|src=|@import|\burl\(", page)
    assert not re.search(rb"innerHTML|insertAdjacentHTML|document\.write|eval\(", page)


@pytest.mark.parametrize("path", ["/v1/info", "/", "/v1/similar?item=pancakes", "/nothing"])
def test_head_is_get_without_the_body(service, path):
    status, _, body = service.ask(path)
    head_status, head_headers, head_body = service.ask(path, method="HEAD")
    assert (head_status, head_body) == (status, b"")
    assert int(head_headers["Content-Length"]) == len(body)


def test_every_answer_says_what_it_is(service):
    for path in ("/v1/info", "/v1/similar?item=qqqq"):
        headers = service.ask(path)[1]
        assert headers["Content-Type"] == "application/json; charset=utf-8"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "no-store"
        assert "Access-Control-Allow-Origin" not in headers


def test_names_in_any_letters_stay_intact(service, meals):
    expected = as_json(meals.similar("crepes"))
    for asked in (quote("Crêpes"), "CR%C3%8APES", quote("Cre\u0302pes")):
        assert service.ask_json(f"/v1/similar?item={asked}")[1]["results"] == expected
    raw = service.send("GET /v1/find?text=crêpes&k=1 HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    assert '"name": "Crêpes"'.encode() in raw
    assert service.ask_json("/v1/recommend", {"items": ["Döner kebab"]})[1]["results"] == as_json(
        meals.similar("doner-kebab")
    )
    for name in ("Борщ", "טחינה", "餃子", "🥞", "a\u202eb", "\x00"):
        status, answer = service.ask_json(f"/v1/vector?{urlencode({'item': name})}")
        assert answer.get("item", name) == name
        assert status == 200 or answer["error"]["type"] == "UnknownItemError"


def test_unknown_items_are_404_with_suggestions(service):
    for status, answer in (
        service.ask_json("/v1/similar?item=pancaks"),
        service.ask_json("/v1/recommend", {"items": ["borscht", "pancaks"]}),
        service.ask_json("/v1/recommend", {"items": ["borscht"], "exclude": ["pancaks"]}),
    ):
        assert status == 404
        assert answer["error"]["type"] == "UnknownItemError"
        assert "Pancakes" in answer["error"]["suggestions"]
        assert "did you mean Pancakes" in answer["error"]["message"]


@pytest.mark.parametrize(
    ("path", "type_", "message"),
    [
        ("/v1/find", "InvalidArgumentError", "give it once, as text="),
        ("/v1/find?text=a&text=b", "InvalidArgumentError", "given 2 times"),
        ("/v1/find?text=a&k=0", "InvalidCountError", "k is 0; give a whole number from 1 to 1000"),
        ("/v1/find?text=a&k=1001", "InvalidCountError", "k is 1001"),
        ("/v1/find?text=a&k=-3", "InvalidCountError", "k is -3"),
        ("/v1/find?text=a&k=2.5", "InvalidCountError", "k is '2.5'"),
        ("/v1/find?text=a&k=%D9%A3", "InvalidCountError", "whole number"),
        ("/v1/find?text=a&k=" + "9" * 5000, "InvalidArgumentError", "characters; give up to 500"),
        ("/v1/find?text=a&k=1&k=2", "InvalidArgumentError", "k is given 2 times"),
        ("/v1/find?text=a&limit=1", "InvalidArgumentError", "no argument 'limit' here; there are k, text"),
        ("/v1/find?text=" + "a" * 501, "InvalidArgumentError", "501 characters"),
        ("/v1/info?x=1", "InvalidArgumentError", "there are none"),
        ("/v1/similar?k=3", "InvalidArgumentError", "give it once, as item="),
        ("/v1/similar?item=pancakes&where=course", "InvalidArgumentError", "ATTRIBUTE:VALUE"),
        ("/v1/similar?item=pancakes&where=color:red", "UnknownAttributeError", "no item has an attribute 'color'"),
        ("/v1/similar?item=pancakes&where=course:brunch", "UnknownAttributeError", "no item has 'brunch'"),
        ("/v1/recommend", "NoFavoritesError", "no favorites"),
        (
            "/v1/similar?item=pancakes&diversify=2",
            "InvalidArgumentError",
            "diversify is 2.0; give a number",
        ),
        ("/v1/similar?item=pancakes&diversify=nan", "InvalidArgumentError", "diversify is 'nan'"),
        ("/v1/similar?item=pancakes&diversify=0&diversify=1", "InvalidArgumentError", "diversify is given 2 times"),
        ("/v1/similar?item=pancakes&where=a:b&where=a!:c", "InvalidArgumentError", "both asks for and forbids"),
        ("/v1/recommend?item=crepes&dislike=Cr%C3%AApes", "ContradictoryLikesError", "Crêpes is given the weights"),
        ("/v1/recommend?profile=nobody", "NoFavoritesError", "no favorites"),
        ("/v1/explain?item=crepes", "InvalidArgumentError", "result is missing"),
        ("/v1/explain?result=crepes", "NoFavoritesError", "no favorites"),
        ("/v1/score?item=crepes", "InvalidArgumentError", "given 1 times; give it twice"),
        ("/v1/profile", "InvalidArgumentError", "profile is missing"),
        ("/v1/find?text=%zz", "BadRequestError", "two hexadecimal digits"),
        ("/v1/find?text=%", "BadRequestError", "two hexadecimal digits"),
        ("/v1/find?text=%ff%fe", "BadRequestError", "not percent-encoded UTF-8"),
        ("/v1/%ff", "BadRequestError", "not percent-encoded UTF-8"),
    ],
)
def test_bad_questions_in_the_url_are_400(service, path, type_, message):
    status, answer = service.ask_json(path)
    assert status == 400
    assert answer["error"]["type"] == type_
    assert message in answer["error"]["message"]


@pytest.mark.parametrize(
    ("path", "body", "type_", "message"),
    [
        ("/v1/recommend", b"{", "BadRequestError", "not JSON"),
        ("/v1/recommend", b"", "BadRequestError", "not JSON"),
        ("/v1/recommend", b'{"items": ["\xff"]}', "BadRequestError", "not JSON in UTF-8"),
        ("/v1/recommend", b"\xff\xfe{\x00}\x00", "BadRequestError", "not JSON in UTF-8"),
        ("/v1/recommend", b"[" * 60_000, "BadRequestError", "nested too deeply"),
        ("/v1/recommend", b'{"where":' * 7_000, "BadRequestError", "the body is n"),
        ("/v1/recommend", [], "BadRequestError", "not a JSON object"),
        (
            "/v1/recommend",
            {"item": ["pancakes"]},
            "InvalidArgumentError",
            "no argument 'item' here; there are di",
        ),
        ("/v1/recommend", {}, "NoFavoritesError", "no favorites"),
        ("/v1/recommend", {"items": []}, "NoFavoritesError", "no favorites"),
        ("/v1/recommend", {"items": "pancakes"}, "InvalidArgumentError", "not a list of texts"),
        ("/v1/recommend", {"items": [3]}, "InvalidArgumentError", "not a list of texts"),
        ("/v1/recommend", {"items": [None]}, "InvalidArgumentError", "not a list of texts"),
        ("/v1/recommend", {"items": ["a\u0301\u0327" * 3_000]}, "InvalidArgumentError", "give up to 500"),
        ("/v1/recommend", {"items": ["pancakes"], "k": 0}, "InvalidCountError", "k is 0"),
        ("/v1/recommend", {"items": ["pancakes"], "k": 10**9}, "InvalidCountError", "k is 1000000000"),
        ("/v1/recommend", {"items": ["pancakes"], "k": 10**4000}, "InvalidCountError", "k is not a whole number"),
        ("/v1/recommend", {"items": ["pancakes"], "k": True}, "InvalidCountError", "k is not a whole number"),
        ("/v1/recommend", {"items": ["pancakes"], "k": 3.0}, "InvalidCountError", "k is not a whole number"),
        ("/v1/recommend", {"items": ["pancakes"], "where": []}, "InvalidArgumentError", "where is not an object"),
        ("/v1/recommend", {"items": ["pancakes"], "where": {"diet": 3}}, "InvalidArgumentError", "not a list of texts"),
        ("/v1/recommend", {"items": ["pancakes"], "where": {"diet": [[]]}}, "InvalidArgumentError", "list of texts"),
        ("/v1/recommend", {"items": ["pancakes"], "where": {"hue": "x"}}, "UnknownAttributeError", "attribute 'hue'"),
        ("/v1/recommend", {"items": ["pancakes"], "exclude": "x"}, "InvalidArgumentError", "not a list of texts"),
        ("/v1/recommend?k=3", {"items": ["pancakes"]}, "InvalidArgumentError", "leave the query away"),
        ("/v1/recommend", b'{"\\ud800": 1}', "InvalidArgumentError", r"no argument '\ud800' here"),
        ("/v1/recommend", {"items": {"pancakes": "1"}}, "InvalidWeightError", "the weight of an item in items is not"),
        ("/v1/recommend", {"items": {"pancakes": True}}, "InvalidWeightError", "is not a number"),
        ("/v1/recommend", b'{"items": {"pancakes": 1e999}}', "InvalidWeightError", "beyond float32"),
        ("/v1/recommend", {"items": {"pancakes": -1}}, "NoFavoritesError", "no favorites"),
        ("/v1/recommend", {"items": ["pancakes"], "dislikes": "x"}, "InvalidArgumentError", "not a list of texts"),
        (
            "/v1/recommend",
            {"items": ["pancakes"], "diversify": "1"},
            "InvalidArgumentError",
            "is not a number",
        ),
        ("/v1/recommend", {"items": ["pancakes"], "diversify": -1}, "InvalidArgumentError", "diversify is -1.0"),
        (
            "/v1/recommend",
            {"items": ["borscht"], "where": {"diet": {"no": "x"}}},
            "InvalidArgumentError",
            "condition on 'diet'",
        ),
        (
            "/v1/recommend",
            {"items": ["crepes"], "where": {"a": {"not": 3}}},
            "InvalidArgumentError",
            "list of texts",
        ),
        ("/v1/recommend", {"items": ["pancakes"], "profile": 3}, "InvalidArgumentError", "profile is not a text"),
        ("/v1/batch", {"baskets": ["x"]}, "InvalidArgumentError", "not a list of texts"),
        ("/v1/batch", {"baskets": {"x": 1}}, "InvalidArgumentError", "not a list of baskets"),
        ("/v1/batch", {"baskets": [["borscht"], []]}, "NoFavoritesError", "basket 1: no favorites"),
        ("/v1/batch", {"baskets": [["borscht"]] * 101}, "InvalidArgumentError", "101 baskets; give up to 100"),
        ("/v1/batch", {"baskets": [["borscht"]] * 11, "k": 1000}, "InvalidCountError", "k is 1000 for 11 baskets"),
        ("/v1/explain", {"items": ["borscht"]}, "InvalidArgumentError", "result is missing"),
        ("/v1/search", {}, "InvalidArgumentError", "vector is missing"),
        ("/v1/search", {"vector": "x"}, "InvalidVectorError", "not a list of numbers"),
        ("/v1/search", {"vector": ["1"] * 16}, "InvalidVectorError", "a value of vector is not a number"),
        ("/v1/search", {"vector": [True] * 16}, "InvalidVectorError", "a value of vector is not a number"),
        ("/v1/search", {"vector": [1.0] * 15}, "InvalidVectorError", "has shape [15]"),
        ("/v1/search", {"vector": []}, "InvalidVectorError", "has shape [0]"),
        ("/v1/search", {"vector": [0.0] * 16}, "InvalidVectorError", "is zero"),
        ("/v1/search", {"vector": [float("nan")] * 16}, "BadRequestError", "NaN is no JSON"),
        ("/v1/search", {"vector": [float("-inf")] * 16}, "BadRequestError", "-Infinity is no JSON"),
        ("/v1/search", b'{"vector": [1e999]}', "InvalidVectorError", "beyond float32"),
        ("/v1/search", {"vector": [1e300] * 16}, "InvalidVectorError", "beyond float32"),
        ("/v1/search", {"vector": [10**400] * 16}, "InvalidVectorError", "beyond float32"),
        ("/v1/search", b'{"vector": [' + b"9" * 5000 + b"]}", "BadRequestError", "digits"),
    ],
)
def test_bad_questions_in_the_body_are_400(service, path, body, type_, message):
    status, answer = service.ask_json(path, body, headers=JSON)
    assert status == 400
    assert answer["error"]["type"] == type_
    assert message in answer["error"]["message"]


def test_half_a_character_is_an_unknown_item(service):
    status, answer = service.ask_json("/v1/recommend", b'{"items": ["\\ud83e"]}', headers=JSON)
    assert (status, answer["error"]["type"]) == (404, "UnknownItemError")


def test_unknown_paths_are_404(service):
    for path in ("/v1", "/v1/similar/", "/favicon.ico", "/../etc/passwd", "//v1/info", "/V1/info"):
        status, answer = service.ask_json(path)
        assert (status, answer["error"]["type"]) == (404, "NotFoundError")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "BREW"])
def test_nothing_can_be_written(service, method):
    for path, allow in (("/v1/recommend", "GET, HEAD, POST"), ("/v1/info", "GET, HEAD"), ("/v1/search", "POST")):
        status, headers, _ = service.ask(path, method=method)
        assert (status, headers["Allow"]) == (405, allow)
    assert service.ask("/v1/similar?item=pancakes", b"{}", headers=JSON)[0] == 405
    assert service.ask("/v1/search")[0] == 405


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 200),
        ("Application/JSON; Charset=UTF-8", 200),
        ('application/json; charset="utf-8"', 200),
        ("application/json; charset=utf-16", 415),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("", 415),
    ],
)
def test_bodies_are_json_or_415(service, content_type, status):
    body = b'{"items": ["pancakes"]}'
    assert service.ask("/v1/recommend", body, headers={"Content-Type": content_type})[0] == status


GET = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"
POST = b"POST /v1/recommend HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (random.Random(0).randbytes(2000).replace(b"\n", b"") + b"\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n", 400),
        (b"GET /healthz\r\n\r\n", 400),
        (b"GET  /healthz HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET /a b HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET /\x01 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"G{T / HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET / HTTP/x\r\nHost: x\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
        (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
        (b"a" * 100_000, 414),
        (GET + b"X: " + b"a" * 9000 + b"\r\n\r\n", 431),
        (GET + b"X: " + b"a" * 2_000_000, 431),
        (GET + b"".join(b"X-%d: %s\r\n" % (i, b"a" * 1000) for i in range(50)) + b"\r\n", 431),
        (GET + b"X: \r\n" * 200 + b"\r\n", 431),
        (GET + b"no colon\r\n\r\n", 400),
        (GET + b"X : space\r\n\r\n", 400),
        (GET + b" folded: x\r\n\r\n", 400),
        (GET + b"X: a\rb\r\n\r\n", 400),
        (GET + b"X: a\x00b\r\n\r\n", 400),
        (GET + b"Host: y\r\n\r\n", 400),
        (GET + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 411),
        (GET + b"Expect: miracles\r\n\r\n", 417),
        (GET, 400),
        (POST + b"\r\n", 411),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", 411),
        (POST + b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n{}", 411),
        (POST + b"Content-Length: -1\r\n\r\n{}", 400),
        (POST + b"Content-Length: +2\r\n\r\n{}", 400),
        (POST + b"Content-Length: 2.0\r\n\r\n{}", 400),
        (POST + b"Content-Length: 0x2\r\n\r\n{}", 400),
        (POST + b"Content-Length: \r\n\r\n{}", 400),
        (POST + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}", 400),
        (POST + b"Content-Length: 2, 2\r\n\r\n{}", 400),
        (POST + "Content-Length: ²\r\n\r\n{}".encode("latin-1"), 400),
        (POST + b"Content-Length: 64001\r\n\r\n", 413),
        (POST + b"Content-Length: 3000000\r\n\r\n" + b"x" * 3_000_000, 413),
        (POST + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n", 413),
        (POST + b"Content-Length: 100\r\n\r\n{}", 400),
    ],
)
def test_what_is_not_http_is_refused_and_the_connection_closed(service, data, status):
    answer = service.send(data)
    assert statuses(answer) == [status]
    assert b"\r\nConnection: close\r\n" in answer
    assert b"Traceback" not in answer
    json.loads(answer.partition(b"\r\n\r\n")[2])
    assert service.ask("/healthz")[0] == 200


def test_connections_are_kept_and_requests_may_come_before_answers(service):
    connection = service.connection()
    for path, status in (("/healthz", 200), ("/v1/similar?item=qqqq", 404), ("/nothing", 404), ("/healthz", 200)):
        connection.request("GET", path)
        assert connection.getresponse().read()
        assert (path, status) in {("/healthz", 200), ("/v1/similar?item=qqqq", 404), ("/nothing", 404)}
    client = connection.sock
    client.sendall(
        GET + b"\r\n\r\n" + GET.replace(b"/healthz", b"/nothing") + b"\r\n" + GET + b"Connection: close\r\n\r\n"
    )
    assert statuses(read_all(client)) == [200, 404, 200]
    connection.close()


@pytest.mark.parametrize(
    ("head", "kept"),
    [
        (b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", True),
        (b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: Close\r\n\r\n", False),
        (b"GET /healthz HTTP/1.0\r\n\r\n", False),
        (b"GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", True),
        (b"GET http://elsewhere/healthz HTTP/1.1\r\nHost: x\r\n\r\n", True),
        (b"GET /healthz HTTP/1.1\nHost: x\n\n", True),
        (b"GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", True),
    ],
)
def test_the_connection_is_kept_as_the_client_asks(service, head, kept):
    answers = service.send(head + head)
    assert statuses(answers) == ([200, 200] if kept else [200])
    assert answers.count(b"Connection: keep-alive") == (2 if kept else 0)


def test_a_client_that_asks_first_is_told_to_go_on(service):
    body = b'{"items": ["pancakes"], "k": 1}'
    with service.socket() as client:
        client.sendall(POST + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(body))
        assert client.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(body)
        client.shutdown(socket.SHUT_WR)
        assert statuses(read_all(client)) == [200]
    refused = service.send(POST + b"Expect: 100-continue\r\nContent-Length: 64001\r\n\r\n")
    assert statuses(refused) == [413]


def test_slow_clients_are_cut_off(own_api):
    with running(own_api, timeout=0.2) as service:
        for begun in (b"G", GET, GET + b"X: 1", POST + b"Content-Length: 10\r\n\r\n{"):
            with service.socket() as client:
                client.sendall(begun)
                assert statuses(read_all(client)) == [408]
        for silent in (b"", b"\r\n"):
            with service.socket() as client:
                client.sendall(silent)
                assert read_all(client) == b""


def test_dripping_does_not_put_the_deadline_off(own_api):
    with running(own_api, timeout=0.3) as service, service.socket() as client:
        client.sendall(GET)
        client.settimeout(0.05)
        answer = None
        for _ in range(20 * GRACE):
            try:
                answer = client.recv(1000)
                break
            except TimeoutError:
                client.sendall(b"X")
        assert answer is not None
        assert statuses(answer) == [408]


def test_a_client_that_takes_no_answers_is_cut_off(own_api):
    with running(own_api, timeout=0.2) as service, socket.socket() as client:
        for buffer in (socket.SO_RCVBUF, socket.SO_SNDBUF):  # so small that the system cannot swallow it all
            client.setsockopt(socket.SOL_SOCKET, buffer, 4096)
        client.settimeout(GRACE)
        client.connect(("127.0.0.1", service.port))
        with pytest.raises(ConnectionError):
            client.sendall(b"GET /v1/similar?item=pancakes&k=299 HTTP/1.1\r\nHost: x\r\n\r\n" * 100_000)
        assert service.ask("/healthz")[0] == 200


def test_more_connections_than_allowed_are_told_to_come_back(own_api, monkeypatch):
    monkeypatch.setattr(server, "MAX_CONNECTIONS", 2)
    with running(own_api, timeout=GRACE) as service:
        kept = [service.connection() for _ in range(2)]
        for connection in kept:
            connection.request("GET", "/healthz")
            assert connection.getresponse().read()
        status, headers, body = service.ask("/healthz")
        assert (status, headers["Retry-After"], headers["Connection"]) == (503, "1", "close")
        assert json.loads(body)["error"]["type"] == "BusyError"
        refused = [service.socket() for _ in range(8)]  # those beyond twice the limit are not even told
        assert b"" in [read_all(client) for client in refused]
        for client in [*refused, *kept]:
            client.close()
        assert eventually(lambda: service.ask("/healthz")[0] == 200)


def eventually(condition):
    for _ in range(100 * GRACE):
        try:
            if condition():
                return True
        except OSError:
            pass
        time.sleep(0.01)
    return False


def test_a_fault_is_logged_once_and_not_told(own_api, caplog):
    def fail(*_, **__):
        raise RuntimeError("secret")

    own_api.recommender.similar = fail
    with running(own_api) as service:
        status, headers, body = service.ask("/v1/similar?item=pancakes")
    error = json.loads(body)["error"]
    assert (status, error["type"], headers["Connection"]) == (500, "InternalError", "keep-alive")
    assert b"secret" not in body
    (record,) = caplog.records
    fault = re.search(r"under ([0-9a-f]{8})$", error["message"])[1]
    assert record.getMessage() == f"fault {fault} in 'GET' '/v1/similar?item=pancakes'"
    assert "secret" in caplog.text


def test_other_origins_may_ask_where_they_are_allowed(model_path):
    api = Api(Recommender.open(model_path, engine="numpy"), cross_origin=True)
    with running(api, allow_origin="http://pi.local:8000") as service:
        for path in ("/v1/info", "/v1/similar?item=qqqq"):
            assert service.ask(path)[1]["Access-Control-Allow-Origin"] == "http://pi.local:8000"
        status, headers, _ = service.ask("/v1/search", method="OPTIONS")
        assert (status, headers["Access-Control-Allow-Methods"]) == (200, "POST, OPTIONS")
        assert headers["Access-Control-Allow-Headers"] == "Content-Type"


@pytest.mark.parametrize(
    "bad",
    [
        {"timeout": 0},
        {"timeout": float("nan")},
        {"max_body": 0},
        {"allow_origin": "pi.local"},
        {"allow_origin": "http://a\r\nX: y"},
        {"allow_origin": "http://a/"},
    ],
)
def test_bad_options_are_errors(bad):
    with pytest.raises(InvalidArgumentError):
        Options(**bad)


def test_stopping_lets_a_request_be_answered(own_api):
    entered, leave = threading.Event(), threading.Event()
    similar = own_api.recommender.similar

    def wait(*arguments, **options):
        entered.set()
        leave.wait(GRACE)
        return similar(*arguments, **options)

    own_api.recommender.similar = wait
    with running(own_api, timeout=GRACE) as service, service.socket() as idle:
        answers = []
        client = threading.Thread(target=lambda: answers.append(service.ask("/v1/similar?item=pancakes")))
        client.start()
        assert entered.wait(GRACE)
        service.stop()
        assert idle.recv(1) == b""
        with pytest.raises(OSError):  # noqa: PT011 - the system words it
            service.socket()
        leave.set()
        client.join(GRACE)
        ((status, headers, _),) = answers
        assert (status, headers["Connection"]) == (200, "close")


@contextmanager
def serving(*arguments):
    """`mignon serve` as a process of its own, and its port."""
    command = [sys.executable, "-m", "device_runtime", "serve", *map(str, arguments), "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            line = process.stderr.readline()
            yield process, int(re.search(r"http://127\.0\.0\.1:(\d+)/", line)[1])
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_the_process_cleanly(model_path, number):
    with serving(model_path, "--verbose") as (process, port):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=GRACE)
        connection.request("GET", "/v1/similar?item=pancakes&k=1")
        assert connection.getresponse().status == 200
        process.send_signal(number)
        assert process.wait(GRACE) == 0
        (line,) = process.stderr.read().splitlines()
        assert re.fullmatch(r"mignon: 127\.0\.0\.1 'GET /v1/similar\?item=pancakes&k=1' 200 \d+ bytes [\d.]+ ms", line)
        connection.close()


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["FILE", "--port", "TAKEN"], 1, "address already in use; choose others with --host and --port"),
        (["FILE", "--host", "192.0.2.1"], 1, "cannot listen on 192.0.2.1, port 8080: "),
        (["FILE", "--port", "65536"], 2, "the port is 65536"),
        (["FILE", "--timeout", "0"], 2, "the timeout is 0.0"),
        (["FILE", "--max-body", "lots"], 2, "'lots' is not a number of bytes"),
        (["no.tflite"], 2, "cannot be opened"),
    ],
)
def test_what_cannot_be_served_is_one_line(model_path, arguments, status, message):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        words = {"FILE": str(model_path), "TAKEN": str(taken.getsockname()[1])}
        command = [sys.executable, "-m", "device_runtime", "serve", *(words.get(word, word) for word in arguments)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=GRACE)
    assert done.returncode == status
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


MALFORMED = [
    (b"\xff\xfe\n", 400),
    (GET + b"X: " + b"a" * 20_000, 431),
    (POST + b"Content-Length: -5\r\n\r\n", 400),
    (POST + b"Content-Length: 99999999\r\n\r\n", 413),
    (POST + b"Content-Length: 50\r\n\r\n{}", 400),
    (POST + b"Transfer-Encoding: chunked\r\n\r\n", 411),
    (POST + b"Connection: close\r\nContent-Length: 40000\r\n\r\n" + b"[" * 40_000, 400),
]


class Client:
    """Asks at random until it is time to stop, and keeps what it saw and whatever was not as it should be."""

    def __init__(self, number, port, expected, until):
        self._rng, self._port, self._expected, self._until = random.Random(number), port, expected, until
        self.seen, self.faults = Counter(), []
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self):
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=GRACE)
        try:
            while time.monotonic() < self._until:
                self._check_malformed() if self._rng.random() < 0.2 else self._check(connection)
        except (OSError, http.client.HTTPException) as error:
            self.faults.append(error)
        finally:
            connection.close()

    def _check_malformed(self):
        data, status = self._rng.choice(MALFORMED)
        found = statuses(send_to(self._port, data))
        self.seen[("malformed", *found)] += 1
        if found != [status]:
            self.faults.append((data[:80], found))

    def _check(self, connection):
        item, k = self._rng.choice(list(self._expected)), self._rng.choice([0, 7, 7, 7])
        if self._rng.random() < 0.5:
            connection.request("POST", "/v1/recommend", json.dumps({"items": [item], "k": k}), JSON)
        else:
            connection.request("GET", f"/v1/similar?item={item}&k={k}")
        response = connection.getresponse()
        answer = json.loads(response.read())
        self.seen[response.status] += 1
        right = answer.get("results") == self._expected[item] if k else response.status == 400
        if not right:
            self.faults.append((item, k, answer))


def test_mixed_load_gets_right_answers_within_bounds(model_path):
    meals = Recommender.open(model_path, engine="numpy")
    expected = {match.id: as_json(meals.similar(match.id, 7)) for match in meals.similar("pancakes", 40)}
    with serving(model_path) as (process, port):
        clients = [Client(number, port, expected, time.monotonic() + 2.5) for number in range(16)]
        time.sleep(0.5)
        before = status_of(process)
        for client in clients:
            client.thread.join(GRACE)
        after = status_of(process)
        process.terminate()
        assert process.wait(GRACE) == 0
        assert process.stderr.read() == ""
    assert [client.faults for client in clients] == [[]] * 16
    seen = sum((client.seen for client in clients), Counter())
    assert set(seen) == {200, 400, *(("malformed", status) for _, status in MALFORMED)}
    if before:
        assert after["Threads"] <= before["Threads"] + server.WORKERS
        assert after["RssAnon"] < before["RssAnon"] + (16 << 10)


def send_to(port, data):
    with socket.create_connection(("127.0.0.1", port), GRACE) as client:
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)
        return read_all(client)


def status_of(process):
    path = Path(f"/proc/{process.pid}/status")
    if not path.exists():
        return {}
    pairs = (line.split(":") for line in path.read_text().splitlines())
    return {name: int(value.split()[0]) for name, value in pairs if name in ("Threads", "RssAnon")}
