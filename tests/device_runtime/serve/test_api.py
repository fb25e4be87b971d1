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
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, urlencode

import numpy as np
import pytest

from device_runtime import OverlayWriteError, Recommender
from device_runtime.changes import overlay
from device_runtime.changes.overlay import overlay_path
from device_runtime.results import as_record
from device_runtime.serve import api as server
from device_runtime.serve import service as sockets
from device_runtime.serve.api import Api
from tests.device_runtime.running import GET, GRACE, JSON, POST, read_all, running, statuses


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


def test_tastes_are_blended_as_the_python_api_does(service, meals):
    assert service.ask_json("/v1/info")[1]["blends"] == ["each", "together"]
    for blend in ("each", "together"):
        expected = as_json(meals.recommend(["borscht", "tiramisu"], 6, blend=blend))
        assert service.ask_json(f"/v1/recommend?item=borscht&item=tiramisu&k=6&blend={blend}")[1]["results"] == expected
        body = {"baskets": [["borscht", "tiramisu"]], "k": 6, "blend": blend}
        assert service.ask_json("/v1/batch", body)[1]["results"] == [expected]
    assert service.ask_json("/v1/recommend?k=5")[1]["results"] == as_json(meals.recommend([], 5))


def test_filters_are_typed_alike_in_the_url_in_json_and_in_python(service, meals):
    texts = ["Course=SOUP", "course:dessert", "served!=cold"]
    expected = meals.similar("pancakes", where={"course": ["soup", "dessert"], "served": {"not": "cold"}})
    assert meals.similar("pancakes", where=texts) == expected
    path = "/v1/similar?" + urlencode([("item", "pancakes"), *(("where", text) for text in texts)])
    assert service.ask_json(path)[1]["results"] == as_json(expected)
    found = service.ask_json("/v1/recommend", {"items": ["pancakes"], "where": texts})[1]["results"]
    assert found == as_json(expected)


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
                ("/v1/add", {"name": "New", "attributes": ["form!=pie"]}, 400, "InvalidArgumentError"),
                ("/v1/like", {"profile": "anna", "item": "borscht", "weight": 1e39}, 400, "InvalidWeightError"),
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


def test_the_overlay_is_compacted_now_and_then(model_copy, monkeypatch, caplog):
    monkeypatch.setattr(server, "CHANGES_TO_TIDY", 5)
    with Recommender.open(model_copy, engine="numpy", writable=True) as meals:
        for weight in range(1, 9):
            meals.profile("anna").like("borscht", weight)
        with running(Api(meals)) as service:
            assert [change.weight for change in meals.changes] == [8]  # at the start
            held = []
            for weight in range(1, 13):
                assert service.ask_json("/v1/like", {"profile": "anna", "item": "hummus", "weight": weight})[0] == 200
                held.append(len(meals.changes))
            assert held == [2, 3, 4, 5, 2, 3, 4, 5, 6, 2, 3, 4]
            assert service.ask_json("/v1/profile?profile=anna")[1]["likes"] == {"borscht": 8, "hummus": 12}
            monkeypatch.setattr(meals, "compact", fail_to_write)
            for weight in range(1, 6):
                assert service.ask_json("/v1/like", {"profile": "anna", "item": "hummus", "weight": weight})[0] == 200
            assert [record.getMessage() for record in caplog.records] == ["the disk is full"]


def fail_to_write():
    raise OverlayWriteError("the disk is full")


def test_details_say_what_a_result_is_and_why_it_comes(service, meals):
    question = {"items": ["pancakes", "borscht"], "dislikes": ["tiramisu"], "k": 5}
    plain = service.ask_json("/v1/recommend", question)[1]["results"]
    path = "/v1/recommend?item=pancakes&item=borscht&dislike=tiramisu&k=5&details=true"
    for status, answer in (service.ask_json("/v1/recommend", {**question, "details": True}), service.ask_json(path)):
        assert status == 200
        for result, expected in zip(answer["results"], plain, strict=True):
            why = meals.explain(question["items"], result["id"], dislikes=question["dislikes"])
            assert {key: result[key] for key in expected} == expected
            assert result["attributes"] == meals.attributes_of(result["id"])
            assert result["shared"] == json.loads(json.dumps([shared._asdict() for shared in why.shared]))
            assert result["because"] == [part.name for part in why.contributions if part.share > 0]
    assert service.ask_json("/v1/recommend?item=pancakes&details=false&k=5")[1]["results"] == as_json(
        meals.recommend(["pancakes"], 5)
    )
    for wrong in ("/v1/recommend?item=pancakes&details=1", "/v1/recommend?item=pancakes&details=true&details=true"):
        assert service.ask_json(wrong)[0] == 400
    many = {"items": meals.file.lines("ids.txt")[:20], "k": 1000, "details": True}
    status, answer = service.ask_json("/v1/recommend", many)
    assert (status, answer["error"]["type"]) == (400, "InvalidCountError")


def test_what_is_typed_so_far_is_completed(service, meals):
    assert service.ask_json("/v1/complete?text=panc&k=4")[1]["results"] == as_json(meals.complete("panc", 4))
    assert service.ask_json("/v1/complete?text=")[1]["results"] == []


def test_find_answers_as_the_python_api_does(service, meals):
    assert service.ask_json("/v1/find?text=pizza+margarita")[1]["results"] == as_json(meals.find("pizza margarita"))
    assert service.ask_json("/v1/find?text=soup&k=2")[1]["results"] == as_json(meals.find("soup", 2))
    assert service.ask_json("/v1/find?text=")[1]["results"] == []


def test_attributes_come_with_their_most_frequent_values(service, meals):
    known = meals.attributes()
    answer = service.ask_json("/v1/attributes?k=3")[1]["attributes"]
    assert [entry["attribute"] for entry in answer] == list(known)
    for entry in answer:
        values = known[entry["attribute"]]
        assert entry["size"] == len(values)
        assert [(one["value"], one["count"]) for one in entry["values"]] == list(values.items())[:3]
    (course,) = service.ask_json("/v1/attributes?attribute=course")[1]["attributes"]
    assert {one["value"]: one["count"] for one in course["values"]} == known["course"]
    status, answer = service.ask_json("/v1/attributes?attribute=planet")
    assert (status, answer["error"]["type"]) == (400, "UnknownAttributeError")


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
        service.ask_json("/v1/similar?item=panc"),
        service.ask_json("/v1/recommend", {"items": ["borscht", "panc"]}),
        service.ask_json("/v1/recommend", {"items": ["borscht"], "exclude": ["panc"]}),
    ):
        assert status == 404
        assert answer["error"]["type"] == "UnknownItemError"
        assert "Pancakes" in answer["error"]["suggestions"]
        assert "did you mean Pancakes" in answer["error"]["message"]


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
        assert after["Threads"] <= before["Threads"] + sockets.WORKERS
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
