"""What is in a data directory now, and the wake-up of all who follow it.

One watch and one set of pages, however many clients. Whatever reads a journal does so in a thread, one at a time, and
no longer than a page or two: a client that asks for much waits between its pages like everybody else.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from functools import partial
from typing import TypeVar

import anyio
import anyio.to_thread

from tickfold_eventstore.signals import Stream
from tickfold_eventstore.store import Store

from ..confluence import Confluence, arrivals

T = TypeVar("T")

POLL_S = 1.0
"""How often it looks where the system cannot say that something has changed."""

_log = logging.getLogger(__name__)


class Hub:
    """`streams` is to be asked inside `ask` alone; its `heads` and `faults` may be looked at anywhere."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.streams = Confluence(store)
        self.wake = anyio.Event()
        """Set, and replaced, when something has changed: take it, read, and then wait for it."""
        self.version = 0
        """How often something has changed."""
        self.looked = False
        """Whether the data directory was looked at."""
        self.closing = False
        self.clients = 0
        """How many follow the events now."""
        self._turn = anyio.CapacityLimiter(1)

    async def watch(self) -> None:
        """Look at what there is, and again whenever something may have changed, until it is cancelled."""
        async with aclosing(self._arrivals()) as wakes:
            async for there in wakes:
                news = await self.ask(self.streams.look, there)
                if news or not self.looked:
                    self.looked = True
                    self._tell()

    async def ask(self, function: Callable[..., T], *arguments: object) -> T:
        """What `function` returns, in a thread, when it is its turn."""
        return await anyio.to_thread.run_sync(partial(function, *arguments), limiter=self._turn)

    def close(self) -> None:
        """Let everybody who follows the events go."""
        self.closing = True
        self._tell()

    def _tell(self) -> None:
        self.version += 1
        told, self.wake = self.wake, anyio.Event()
        told.set()

    async def _arrivals(self) -> AsyncGenerator[list[Stream]]:
        try:
            async with aclosing(arrivals(self.store)) as wakes:
                async for there in wakes:
                    yield there
        except (OSError, RuntimeError) as error:
            # inotify has its limits; the look once a second does not.
            _log.warning("%s cannot be watched (%s): looking once a second", self.store.data_dir, error)
        while True:
            yield self.store.streams()
            await anyio.sleep(POLL_S)
