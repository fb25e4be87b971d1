"""`mignon serve` itself: a service until it is told to stop."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from device_runtime.arguments import EngineName, parse_bytes
from device_runtime.errors import InvalidArgumentError
from device_runtime.serve.service import LOG, Options, Service


@dataclass(frozen=True)
class Serve:
    """`mignon serve`, until SIGTERM or SIGINT; `max_body` is a size as people write it."""

    file: str
    host: str
    port: int
    engine: EngineName
    max_body: str
    timeout: float
    allow_origin: str | None
    writable: bool
    verbose: bool

    def __call__(self) -> None:
        """Serves the file; errors are those of opening it, and `OSError` where the port is in use."""
        options = Options(parse_bytes(self.max_body), self.timeout, self.allow_origin, verbose=self.verbose)
        if not 0 <= self.port < 1 << 16:
            raise InvalidArgumentError(f"the port is {self.port}; give one from 0 to 65535")
        from device_runtime.recommender import Recommender  # here, so that wrong options are told without waiting
        from device_runtime.serve.api import Api

        with Recommender.open(self.file, engine=self.engine, writable=self.writable) as recommender:
            api = Api(recommender, cross_origin=self.allow_origin is not None)
            _log_to_stderr()
            asyncio.run(_serve(Service(api.answer, options), self.host, self.port, api.info))


async def _serve(service: Service, host: str, port: int, info: Mapping[str, Any]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):  # signal.signal, for Windows has no loop.add_signal_handler
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))
    urls = await service.start(host, port)
    LOG.info("%s with %d items at %s, engine %s", info["name"], info["rows"], " and ".join(urls), info["engine"])
    await stop.wait()
    await service.stop()


def _log_to_stderr() -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("mignon: %(message)s"))
    LOG.addHandler(handler)
    LOG.setLevel(logging.INFO)
    LOG.propagate = False
