"""HTTP/1.1 for few clients: requests read from sockets within bounds of size and time, and answered by one function.

One event loop owns all sockets and a fixed pool of threads computes. So a client that sends slowly costs a small buffer
and a timer, never a thread, and an answer that takes long to compute holds up nobody's timer. Memory is bounded by the
number of connections times the largest request, time by one deadline for a whole request and one for its answer.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, unquote

from device_runtime.errors import InvalidArgumentError

MAX_LINE = 8 << 10
MAX_HEAD = 16 << 10
MAX_HEADERS = 100
MAX_CONNECTIONS = 64  # each has one request at a time, so this bounds the queue before the pool too
WORKERS = 4
_LINGER_SECONDS = 1.0
_RETRY_AFTER_SECONDS = 1
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
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_BAD_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_ORIGIN = re.compile(r"\*|[a-z][a-z0-9+.-]*://[!-.0-~]+")
_ONCE = ("content-length", "content-type", "host", "transfer-encoding")
_JSON = "application/json; charset=utf-8"
LOG = logging.getLogger("mignon")

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
        return error_response(self.status, _KINDS[self.status], str(self), headers=self.headers)


def json_response(record: Mapping[str, Any], status: int = 200, headers: Headers = ()) -> Response:
    """An answer in JSON, UTF-8."""
    text = json.dumps(record, ensure_ascii=False)
    return Response(status, text.encode("utf-8", "backslashreplace"), headers=headers)  # half a character: as \uD800


def error_response(
    status: int, kind: str, message: str, suggestions: Iterable[str] = (), headers: Headers = ()
) -> Response:
    """An answer in the form that all errors have; `kind` is the name of the error."""
    record = {"error": {"type": kind, "message": message, "suggestions": list(suggestions)}}
    return json_response(record, status, headers)


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
    """The sockets: a bounded number of connections, each with a deadline for whatever it waits for.

    Args:
        answer: computes the answer to a request, in one of several threads; must not raise.
    """

    def __init__(self, answer: Callable[[Request], Response], options: Options) -> None:
        self._compute = answer
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
        return request, await loop.run_in_executor(self._pool, self._compute, request)

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
    LOG.info("%s %s %d %d bytes %.1f ms", address, asked, response.status, len(response.body), 1e3 * seconds)


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"
