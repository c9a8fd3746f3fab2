"""What the caller holds of a run: a handle to stop and await it, or an iterator over what it gives."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from functools import partial
from types import TracebackType
from typing import Any, Self

import anyio

from tickfold_eventstore import Journal, Stream

from .notices import Given
from .threads import Loop
from .voice import Voice
from .watch import Outlet, Watch


class Handle:
    """A run in the background, of one stream or several."""

    def __init__(self) -> None:
        self._loop = Loop()
        self.errors: dict[Stream, Exception] = {}
        """Why streams ended that did not end as asked."""
        self.on_done: Callable[[], None] | None = None
        self._watches: Sequence[Watch] = ()
        self._unopened: Sequence[Voice] = ()
        self._done = anyio.Event()

    @property
    def done(self) -> bool:
        """Whether every stream has ended and every listener has heard."""
        return self._done.is_set()

    @property
    def journals(self) -> list[Journal]:
        """What the run writes to, a journal a stream: to follow what happens, `started` and `stopped` included."""
        return [watch.journal for watch in self._watches]

    def stop(self, *, now: bool = False) -> None:
        """Open nothing more, drop waiting entries, watch what is open to its close; or end `now`. May be repeated.

        A plain call, from any thread.
        """
        self._loop.call(partial(self._stop, now=now))

    def _stop(self, *, now: bool) -> None:
        if not self.done:
            for watch in self._watches:
                watch.stop(now=now)
            for voice in self._unopened if now else ():
                voice.hurry()

    async def wait(self) -> None:
        """Return when the run is done."""
        await self._done.wait()

    def adopt(self, watches: Sequence[Watch], unopened: Sequence[Voice] = ()) -> None:
        """Take the watches that `watch` will run, so that a stop before their first step reaches them; and what was
        told of streams that could not be opened, which has to be heard before the run is done.
        """
        self._watches = watches
        self._unopened = unopened

    async def watch(self, *, together: bool) -> None:
        """Run all to their end; `together` stops the others where one fails."""

        async def one(watch: Watch) -> None:
            await watch.run()
            if watch.error is not None:
                self.errors[watch.stream] = watch.error
                if together:
                    self.stop(now=True)

        try:
            async with anyio.create_task_group() as tasks:
                for each in self._watches:
                    tasks.start_soon(one, each)
                for voice in self._unopened:
                    tasks.start_soon(voice.hear_out)
        finally:
            self._done.set()
            if self.on_done is not None:
                self.on_done()


class Run(AsyncIterator[Given]):
    """An iterator over a live run; the run starts with the first step and stops with `aclose`, or when it is dropped.

    On a replayed clock a run waits for its reader; on the wall clock what is not read yet is kept for it.
    """

    def __init__(self, start: Callable[[Outlet], Handle], *, waits_for_reader: bool) -> None:
        self._start = start
        self._loop = Loop()
        self._handle: Handle | None = None
        self._send, self._receive = anyio.create_memory_object_stream[Any](0 if waits_for_reader else math.inf)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Given:
        if self._handle is None:
            self._handle = self._start(self._send.send)
            self._handle.on_done = self._send.close
        with suppress(anyio.EndOfStream, anyio.ClosedResourceError):
            given: Given = await self._receive.receive()
            return given
        await self._handle.wait()
        self.close()
        for error in self._handle.errors.values():
            raise error  # as it is: its cause is what the strategy or the exchange raised
        raise StopAsyncIteration

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Stop the run now, and return when its journals are closed."""
        self.close()
        if self._handle is not None:
            await self._handle.wait()

    def close(self) -> None:
        """Stop the run now, from plain code in any thread."""
        self._loop.call(self._close)

    def _close(self) -> None:
        if self._handle is not None:
            self._handle.stop(now=True)
        self._send.close()
        self._receive.close()

    def __del__(self) -> None:
        self.close()
