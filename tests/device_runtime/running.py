"""A service in a thread of the test, and clients that speak raw HTTP to it."""

import asyncio
import http.client
import json
import re
import socket
import threading
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

from device_runtime.serve.service import Options, Service

JSON = {"Content-Type": "application/json"}
GRACE = 30
GET = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"
POST = b"POST /v1/recommend HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


class Running:
    """A service on a free port of the loopback, in a thread of its own."""

    def __init__(self, api, options):
        self._service = Service(api.answer, options)
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
