import json
import random
import socket
import threading
import time

import pytest

from device_runtime import InvalidArgumentError
from device_runtime.serve import service as sockets
from device_runtime.serve.service import Options
from tests.device_runtime.running import GET, GRACE, POST, read_all, running, statuses


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
    monkeypatch.setattr(sockets, "MAX_CONNECTIONS", 2)
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
