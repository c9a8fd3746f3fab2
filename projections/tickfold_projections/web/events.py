"""The stream of events as SSE: `data:` is the flat event, `id:` the position after it in all selected streams.

A client is a position and no buffer: what it has not taken yet is in the journals. One that reads slowly is read for
slowly; one that takes nothing for a minute is let go, and misses nothing when it comes back with `Last-Event-ID`.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import AsyncGenerator
from contextlib import aclosing

import anyio
import msgspec
from starlette.types import Message, Receive, Scope, Send

from tickfold_eventstore.signals import Stream

from ..confluence import Position, position_of, position_text
from ..notation import json_shown
from .hub import Hub
from .names import id_of

HEARTBEAT_S = 15.0
"""How often a comment is sent where nothing happens, so that a lost connection is noticed."""

PATIENCE_S = 60.0
"""How long a client may take nothing."""

RETRY_MS = 1000
"""When a browser comes back after a connection was lost."""

MOST_STREAMS = 2000
"""Streams that one client may select: a position names each."""

_AT_ONCE, _CHUNK, _KEPT = 500, 1 << 16, 16

Selection = frozenset[Stream] | None


class Frames:
    """The next piece of text behind a position, made once for all clients that stand there."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._made: OrderedDict[object, tuple[bytes, str]] = OrderedDict()

    async def after(self, position: str, among: Selection) -> tuple[bytes, str]:
        """The events behind a position as frames, up to 64 KiB or one event, and the position behind them."""
        key = (position, among, self._hub.version)
        made = self._made.get(key)
        return await self._hub.ask(self._found, key) if made is None else made

    def _found(self, key: tuple[str, Selection, int]) -> tuple[bytes, str]:
        """In a thread, one at a time: those who asked for the same meanwhile find it here."""
        if key not in self._made:
            self._made[key] = self._make(*key[:2])
            while len(self._made) > _KEPT:
                self._made.popitem(last=False)
        return self._made[key]

    def _make(self, text: str, among: Selection) -> tuple[bytes, str]:
        streams = self._hub.streams
        position = position_of(text, among if among is not None else list(streams.heads))
        frames: list[bytes] = []
        size = 0
        for event in streams.after(position, _AT_ONCE, among):
            position[event.stream] = event.seq
            text = position_text(position)
            frames.append(f"id: {text}\ndata: {json_shown(msgspec.json.encode(event).decode())}\n\n".encode())
            size += len(frames[-1])
            if size > _CHUNK:
                break
        return b"".join(frames), text


class EventStream:
    """One client's events, from a position on, as an ASGI application."""

    def __init__(self, hub: Hub, frames: Frames, position: str, among: Selection) -> None:
        self._hub = hub
        self._frames = frames
        self._position = position
        self._among = among

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the client leaves, takes nothing any more, or the server closes."""
        headers = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"cache-control", b"no-store")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        if scope["method"] == "HEAD":
            await send({"type": "http.response.body", "body": b""})
            return
        self._hub.clients += 1
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(_until_gone, receive, tasks.cancel_scope)
                async with aclosing(self._chunks()) as chunks:
                    async for chunk in chunks:
                        with anyio.move_on_after(PATIENCE_S) as patience:
                            await send({"type": "http.response.body", "body": chunk, "more_body": True})
                        if patience.cancelled_caught:
                            break
                    else:
                        await send({"type": "http.response.body", "body": b""})
                tasks.cancel_scope.cancel()
        finally:
            self._hub.clients -= 1

    async def _chunks(self) -> AsyncGenerator[bytes]:
        told: dict[Stream, str] = {}
        yield f"retry: {RETRY_MS}\n\n".encode()
        while not self._hub.closing:
            wake = self._hub.wake
            chunk, self._position = await self._frames.after(self._position, self._among)
            chunk += self._faults(told)
            if chunk:
                yield chunk
                continue
            with anyio.move_on_after(HEARTBEAT_S) as pause:
                await wake.wait()
            if pause.cancelled_caught:
                yield b": nothing new\n\n"

    def _faults(self, told: dict[Stream, str]) -> bytes:
        """What keeps a stream from being read on: said once, under a name of its own and without an id."""
        frames = b""
        for stream, error in list(self._hub.streams.faults.items()):
            if (self._among is None or stream in self._among) and told.get(stream) != str(error):
                told[stream] = str(error)
                value = {"stream": id_of(stream), "error": str(error)}
                frames += f"event: fault\ndata: {json_shown(msgspec.json.encode(value).decode())}\n\n".encode()
        return frames


def beyond(position: Position, heads: Position) -> list[tuple[Stream, int]]:
    """The streams of which a position names an event that is not there: their journal is another one, or restored."""
    return [(stream, seq) for stream, seq in position.items() if seq > heads.get(stream, 0)]


async def _until_gone(receive: Receive, scope: anyio.CancelScope) -> None:
    while True:
        message: Message = await receive()
        if message["type"] == "http.disconnect":
            scope.cancel()
            return
