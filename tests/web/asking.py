"""Asking the server without a socket, on any event loop: whole answers, and streams that are taken frame by frame."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import anyio
import attrs
from anyio.streams.memory import MemoryObjectReceiveStream
from starlette.types import ASGIApp, Message

from tickfold_eventstore import Store
from tickfold_eventstore.folder import Layout
from tickfold_projections.web.gate import Gate
from tickfold_projections.web.hub import Hub
from tickfold_projections.web.routes import Desk
from tickfold_projections.web.tally import Tally


class Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        return json.loads(self.body)

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def fault(self) -> str:
        told: str = self.document["error"]
        return told


class Frame(NamedTuple):
    id: str
    kind: str
    data: Any


def scope_of(target: str, headers: Mapping[str, str], method: str = "GET") -> dict[str, Any]:
    parts = urlsplit(target)
    told = {"host": "127.0.0.1:1234"} | {name.lower(): value for name, value in headers.items()}
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": parts.path,
        "raw_path": parts.path.encode(),
        "root_path": "",
        "query_string": parts.query.encode(),
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in told.items()],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 1234),
    }


async def asked(app: ASGIApp, target: str, method: str = "GET", **headers: str) -> Answer:
    """The whole answer. `last_event_id` stands for the header of that name."""
    sent: list[Message] = []

    async def receive() -> Message:
        await anyio.sleep_forever()
        raise AssertionError

    async def send(message: Message) -> None:
        sent.append(message)

    told = {name.replace("_", "-"): value for name, value in headers.items()}
    await app(scope_of(target, told, method), receive, send)
    begun = sent[0]
    named = {name.decode(): value.decode() for name, value in begun["headers"]}
    assert len(named) == len(begun["headers"])
    return Answer(begun["status"], named, b"".join(message.get("body", b"") for message in sent[1:]))


class Listening:
    """A client that takes a piece when it is asked to, and nothing otherwise."""

    def __init__(self, pieces: MemoryObjectReceiveStream[bytes]) -> None:
        self._pieces = pieces
        self._rest = ""

    async def frame(self) -> Frame:
        """The next frame with data."""
        while True:
            while "\n\n" not in self._rest:
                self._rest += (await self._pieces.receive()).decode()
            told, _, self._rest = self._rest.partition("\n\n")
            fields = dict(line.split(": ", 1) for line in told.splitlines())
            if "data" in fields:
                return Frame(fields.get("id", ""), fields.get("event", ""), json.loads(fields["data"]))

    async def frames(self, count: int) -> list[Frame]:
        with anyio.fail_after(20):
            return [await self.frame() for _ in range(count)]

    async def piece(self) -> bytes:
        with anyio.fail_after(20):
            return await self._pieces.receive()


@asynccontextmanager
async def listening(app: ASGIApp, target: str = "/api/events", **headers: str) -> AsyncGenerator[Listening]:
    """Inside, a client that follows the events; it leaves at the end."""
    into, pieces = anyio.create_memory_object_stream[bytes](0)
    gone = anyio.Event()

    async def receive() -> Message:
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.body":
            await into.send(message.get("body", b""))

    async def ask() -> None:
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        async with into:
            await app(scope_of(target, told), receive, send)

    async with anyio.create_task_group() as tasks, pieces:
        tasks.start_soon(ask)
        try:
            yield Listening(pieces)
        finally:
            gone.set()
            tasks.cancel_scope.cancel()


@attrs.frozen
class Served:
    """A server without a socket, and what it knows."""

    app: ASGIApp
    hub: Hub
    desk: Desk

    async def ready(self) -> None:
        """Return when all that is there was looked at and counted."""
        with anyio.fail_after(20):
            while (await asked(self.app, "/readyz")).status != 200:
                await anyio.sleep(0.005)

    async def knows(self, events: int) -> None:
        """Return when so many events are known."""
        with anyio.fail_after(20):
            while sum(self.hub.streams.heads.values()) < events:
                await self.hub.wake.wait()


@asynccontextmanager
async def serving(data_dir: Path, token: str | None = None, layout: Layout = Layout()) -> AsyncIterator[Served]:
    hub = Hub(Store(data_dir, layout=layout))
    tally = Tally(hub)
    desk = Desk(hub, tally, "9.9")
    served = Served(Gate(desk.app(), token, ("desk.example",), local=True), hub, desk)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(hub.watch)
        tasks.start_soon(tally.keep)
        await served.ready()
        yield served
        tasks.cancel_scope.cancel()
