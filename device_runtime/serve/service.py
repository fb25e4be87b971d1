"""The sockets of the service: few clients at once, each request within bounds of size and time, one function to answer.

One event loop owns all sockets and a fixed pool of threads computes. So a client that sends slowly costs a small buffer
and a timer, never a thread, and an answer that takes long to compute holds up nobody's timer. Memory is bounded by the
number of connections times the largest request, time by one deadline for a whole request and one for its answer.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from device_runtime.errors import InvalidArgumentError
from device_runtime.serve.http import MAX_LINE, Request, RequestError, Response, encode_head, read_request

MAX_CONNECTIONS = 64  # each has one request at a time, so this bounds the queue before the pool too
WORKERS = 4
_LINGER_SECONDS = 1.0
_RETRY_AFTER_SECONDS = 1
_ORIGIN = re.compile(r"\*|[a-z][a-z0-9+.-]*://[!-.0-~]+")
LOG = logging.getLogger("mignon")


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
        writer.write(
            encode_head(response, keep=keep, allow_origin=self._options.allow_origin) + (b"" if head else response.body)
        )
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


def _log_request(writer: asyncio.StreamWriter, request: Request | None, response: Response, seconds: float) -> None:
    address = (writer.get_extra_info("peername") or ["?"])[0]
    asked = ascii(f"{request.method} {request.target}") if request else "-"
    LOG.info("%s %s %d %d bytes %.1f ms", address, asked, response.status, len(response.body), 1e3 * seconds)


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"
