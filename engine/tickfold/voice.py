"""What one run tells through, and how long it waits for those who hear it."""

from __future__ import annotations

import contextvars
import logging
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

import anyio

from .errors import told
from .listeners import Listener, Topic, callbacks, everyone
from .notices import Active, Fault, Idle
from .strategy import Strategy

_log = logging.getLogger("tickfold.listeners")


class News(NamedTuple):
    """A value that a run tells to one listener, and the tally that it stands on until it is heard."""

    voice: Voice
    tally: Tally
    listener: Listener
    value: object

    def goes_with(self, other: News) -> bool:
        """Whether both are for one listener, from one run, and waited for together."""
        return self.listener is other.listener and self.tally is other.tally


class Tally:
    """Who has how much to hear still. It stands in `owed` while somebody has, and may be waited for."""

    def __init__(self, owed: set[Tally]) -> None:
        self._owed = owed
        self._left: Counter[Listener] = Counter()
        self._paid: anyio.Event | None = None

    def __str__(self) -> str:
        return ", ".join(sorted({listener.name for listener in self._left}))

    def add(self, listener: Listener) -> None:
        """It has one value more to hear."""
        self._left[listener] += 1
        self._owed.add(self)

    def take_off(self, listener: Listener, count: int) -> None:
        """It has heard so many, or never will."""
        self._left[listener] -= count
        if not self._left[listener]:
            del self._left[listener]
            if not self._left:
                self.forgive()

    def forgive(self) -> None:
        """Let nobody wait for it any more."""
        self._owed.discard(self)
        if self._paid is not None:
            self._paid.set()
            self._paid = None

    async def paid(self) -> None:
        """Return when all of it has been heard."""
        while self in self._owed:
            if self._paid is None:
                self._paid = anyio.Event()
            await self._paid.wait()


class Voice:
    """One run's. `publish` puts into queues and never waits; `hear_out` waits for those who hear.

    They hear in the context (`contextvars`) in which it was made. `name` says which run it is, in what is logged.
    """

    def __init__(
        self, name: object, strategy: Strategy | None, grace_ms: int, put: Callable[[News], None], owed: set[Tally]
    ) -> None:
        self.context = contextvars.copy_context()
        self._name = name
        self._callbacks = () if strategy is None else callbacks(strategy)
        self._grace_s = grace_ms / 1000
        self._put = put
        self._owed = owed
        self._tally = Tally(owed)
        self._hearing: anyio.CancelScope | None = None
        self._hurried = False

    @property
    def wants_ticks(self) -> bool:
        """Whether a callback hears boundaries that change nothing, so that they are made only where one does."""
        return any(Idle in each.kinds or Active in each.kinds for each in self._callbacks)

    @property
    def needs_a_loop(self) -> bool:
        """Whether one who may hear is a coroutine function, which plain code cannot call."""
        return any(each.is_async for each in (*everyone(), *self._callbacks))

    def publish(self, topic: Topic, value: object) -> None:
        """Let everyone who listens to `topic` hear `value`, each when it has heard what came before."""
        for listener in (*everyone(), *self._callbacks):
            if listener.wants(topic, value):
                self._tally.add(listener)
                self._put(News(self, self._tally, listener, value))

    def failed(self, listener: Listener, error: BaseException) -> None:
        """Tell what a listener raised: to `listen_error`, or to logging where it hears errors itself."""
        if "error" in listener.topics:
            _log.error("error listener %s raised", listener.name, exc_info=error)
        else:
            message = f"listener {listener.name} raised {told(error)}"
            self.publish("error", Fault(stream=None, at=None, message=message, error=error))

    def hurry(self) -> None:
        """Give those who hear no more than the grace from now on."""
        self._hurried = True
        if self._hearing is not None:
            self._hearing.deadline = min(self._hearing.deadline, anyio.current_time() + self._grace_s)

    async def hear_out(self) -> None:
        """Return when all has been heard: as long as that takes where the run came to its own end, and after the grace
        at the latest where it is hurried. Who is not through by then is named in the log, and waited for no more.
        """
        with anyio.CancelScope(shield=True) as self._hearing:
            if self._hurried:
                self.hurry()
            else:
                await self._say_for_whom_it_waits()
            await self._tally.paid()
        if self._hearing.cancelled_caught:
            _log.error("%s ended before its listeners had heard everything: %s", self._name, self._tally)
            self._tally.forgive()
            self._tally = Tally(self._owed)

    async def _say_for_whom_it_waits(self) -> None:
        with anyio.move_on_after(self._grace_s) as patience:
            await self._tally.paid()
        if patience.cancelled_caught:
            _log.warning("%s has ended, and waits until its listeners have heard: %s", self._name, self._tally)
