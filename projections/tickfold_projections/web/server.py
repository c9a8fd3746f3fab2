"""The server: a socket, patience for those who speak slowly, and an end when it is asked for.

async with serving(store, Place(host, port), token=None, version="1.0") as (server, address): ...
"""

from __future__ import annotations

import ipaddress
import resource
import socket
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import anyio
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from tickfold_eventstore.store import Store

from .gate import Gate
from .hub import Hub
from .routes import Desk
from .tally import Tally

REQUEST_S = 10.0
"""How long a connection may take to say what it wants."""

_SPARE = 128
"""Descriptors that are kept for everything but connections."""

_WANTED = 65_536


class ImpatientProtocol(H11Protocol):
    """HTTP/1.1; a connection that asks for nothing, or forms its question for too long, is closed."""

    def connection_made(self, transport: Any) -> None:
        """Begin to wait."""
        super().connection_made(transport)
        self._last: object = None
        self._watch = self.loop.call_later(REQUEST_S, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._watch.cancel()
        super().connection_lost(exc)

    def _look(self) -> None:
        cycle: Any = self.cycle  # None until a request was read
        unchanged = cycle is self._last
        if unchanged and (cycle is None or cycle.response_complete):
            self.transport.close()
            return
        self._last = cycle
        self._watch = self.loop.call_later(REQUEST_S, self._look)


class Server(uvicorn.Server):
    """Leaves signals to whoever runs it, and lets those go who follow the events before it waits for the others."""

    def __init__(self, config: uvicorn.Config, hub: Hub) -> None:
        super().__init__(config)
        self._hub = hub

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """None is taken."""
        yield

    def stop(self) -> None:
        """Ask for the end; may be repeated."""
        self._hub.close()
        self.should_exit = True


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens there; port 0: at any that is free. Raises `OSError`."""
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
        made.listen(1024)
    except BaseException:
        made.close()
        raise
    return made


@asynccontextmanager
async def serving(
    store: Store, at: socket.socket, *, token: str | None, version: str, names: Sequence[str] = ()
) -> AsyncGenerator[tuple[Server, str]]:
    """Inside, the journals of a store are served at a socket; its address is given too. Needs asyncio.

    `names`: the host names under which it may be asked, besides its addresses. `server.stop()` ends it early.
    """
    host, port = at.getsockname()[:2]
    hub = Hub(store)
    tally = Tally(hub)
    gate = Gate(Desk(hub, tally, version).app(), token, (socket.gethostname(), *names), _is_loopback(host))
    server = Server(_config(gate), hub)
    async with anyio.create_task_group() as tasks:
        served = anyio.Event()

        async def serve() -> None:
            await server.serve([at])
            served.set()

        try:
            tasks.start_soon(hub.watch)
            tasks.start_soon(tally.keep)
            tasks.start_soon(serve)
            yield server, f"http://{f'[{host}]' if ':' in host else host}:{port}/"
            server.stop()
            await served.wait()
        finally:
            at.close()
            tasks.cancel_scope.cancel()


def _config(gate: Gate) -> uvicorn.Config:
    return uvicorn.Config(
        gate,
        http=ImpatientProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=_room(),
        timeout_keep_alive=5,
        timeout_graceful_shutdown=2,
    )


def _room() -> int:
    """How many connections there may be: the soft limit of descriptors is raised as far as the hard one lets it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _WANTED if hard == resource.RLIM_INFINITY else min(_WANTED, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    return max(_SPARE, (_WANTED if soft == resource.RLIM_INFINITY else soft) - _SPARE)


def _is_loopback(host: str) -> bool:
    return ipaddress.ip_address(host.partition("%")[0]).is_loopback
