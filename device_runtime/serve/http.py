"""HTTP/1.1 as text: requests read from a stream within bounds of size, and answers written."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, unquote

MAX_LINE = 8 << 10
MAX_HEAD = 16 << 10
MAX_HEADERS = 100
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
_ONCE = ("content-length", "content-type", "host", "transfer-encoding")
_JSON = "application/json; charset=utf-8"

Headers = tuple[tuple[str, str], ...]


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


def encode_head(response: Response, *, keep: bool, allow_origin: str | None) -> bytes:
    """The first line and the headers of an answer; `keep` says whether the connection may bring another request."""
    headers = {
        "Date": formatdate(usegmt=True),
        "Content-Type": response.content_type,
        "Content-Length": str(len(response.body)),
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
        "Connection": "keep-alive" if keep else "close",
        **dict(response.headers),
    }
    if response.status == HTTPStatus.NOT_MODIFIED:
        del headers["Content-Length"]  # it would be that of the body that the client has
    if allow_origin:
        headers["Access-Control-Allow-Origin"] = allow_origin
    fields = (f"{name}: {value}" for name, value in headers.items())
    lines = [f"HTTP/1.1 {response.status} {HTTPStatus(response.status).phrase}", *fields]
    return "\r\n".join([*lines, "", ""]).encode("ascii")
