"""How what runs tell reaches who listens, and is never in the way of who tells it.

Each listener has a queue. A task empties it, in order, while there is something in it: an `async` function it awaits,
for a plain one it hands all that has come to a thread, at once. What a listener raises is told to `listen_error`; what
an error listener raises, to `logging`.
"""

from __future__ import annotations

import logging
import math
import time
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Generator
from contextlib import contextmanager
from functools import partial
from typing import cast

import anyio
import anyio.abc

from .listeners import Listener
from .outside import comes_from_outside
from .strategy import Strategy
from .threads import Loop, in_thread
from .voice import News, Tally, Voice

_SLOW_S = 60
_log = logging.getLogger("tickfold.listeners")

Failed = Callable[[BaseException], object]


class Bus:
    """The queues of one `Live`, or of one backtest.

    With a task group it delivers as it goes; without one, when it is drained. `inline`: plain functions are called
    where it is drained, not in a thread.
    """

    def __init__(self, tasks: anyio.abc.TaskGroup | None = None, *, inline: bool = False) -> None:
        self._tasks = tasks
        self._inline = inline
        self._queues: dict[object, _Queue] = {}
        self._owed: set[Tally] = set()
        self._deliveries: set[anyio.CancelScope] = set()
        self._closed = False

    def voice(self, name: object, strategy: Strategy | None = None, *, grace_ms: int = 0) -> Voice:
        """What the run called `name` tells through; the callbacks of its strategy hear it, too."""
        return Voice(name, strategy, grace_ms, self._put, self._owed)

    async def drain(self) -> None:
        """Return when all that was told has been heard."""
        if self._tasks is not None:
            while self._owed:
                await next(iter(self._owed)).paid()
            return
        while self._queues:
            async with anyio.create_task_group() as tasks:
                for queue in self._queues.values():
                    tasks.start_soon(self._deliver, queue)

    def drain_now(self) -> None:
        """Deliver all that is queued, from plain code, where nothing can be awaited."""
        while self._queues:
            queue = next(iter(self._queues.values()))
            while queue.waiting:
                with queue.taken() as batch:
                    while (result := batch.hear_on()) is not None:
                        batch.failed(_never_awaited(result))
            del self._queues[queue.line]

    def close(self) -> None:
        """Give up on listeners that are still at it: they would hold up for ever whoever waits for the tasks."""
        self._closed = True
        for delivery in list(self._deliveries):
            delivery.cancel()

    def _put(self, news: News) -> None:
        line = news.listener.line
        queue = self._queues.get(line)
        if queue is not None:
            queue.put(news)
        elif not self._closed:
            queue = self._queues[line] = _Queue(line)
            queue.put(news)
            self._begin(queue)

    def _begin(self, queue: _Queue) -> None:
        """Start to deliver, in the context of the run whose news come first."""
        if self._tasks is not None:
            queue.waiting[0].voice.context.copy().run(self._tasks.start_soon, self._deliver, queue)

    async def _deliver(self, queue: _Queue) -> None:
        """Deliver until another run's news come. One that is cancelled has some, too: only `close` cuts this short."""
        with anyio.CancelScope(shield=self._tasks is not None) as delivery:
            self._deliveries.add(delivery)
            try:
                voice = queue.waiting[0].voice
                while queue.waiting and queue.waiting[0].voice is voice:
                    with queue.taken() as batch:
                        await self._hear(batch)
            finally:
                self._deliveries.discard(delivery)
                if self._closed or not queue.waiting:
                    del self._queues[queue.line]
        if queue.waiting and not self._closed:
            self._begin(queue)

    async def _hear(self, batch: _Batch) -> None:
        loop = Loop()
        while batch.values:
            if self._inline or batch.listener.waits:
                result = batch.hear_on()
            else:
                result = await in_thread(partial(batch.hear_on_afar, loop), loop)
            if result is not None:
                await _awaited(result, batch.failed)


class _Queue:
    """What waits for the listeners of one line, oldest first."""

    def __init__(self, line: object) -> None:
        self.line = line
        self.waiting: deque[News] = deque()
        self._slow_at: float = math.inf

    def put(self, news: News) -> None:
        """Let it wait for its turn. One that comes when the listener has been busy for a minute says so, once."""
        self.waiting.append(news)
        if time.monotonic() > self._slow_at:
            self._slow_at = math.inf
            waiting, name = len(self.waiting), news.listener.name
            _log.warning(
                "listener %s has been at what it was told for over %d s; more waits (%d)", name, _SLOW_S, waiting
            )

    @contextmanager
    def taken(self) -> Generator[_Batch]:
        """All that can be handed over at once. Inside it is heard; afterwards nobody waits for that any more."""
        first = self.waiting.popleft()
        values = deque([first.value])
        while self.waiting and self.waiting[0].goes_with(first):
            values.append(self.waiting.popleft().value)
        count = len(values)
        batch = _Batch(first.voice, first.listener, values)
        self._slow_at = time.monotonic() + _SLOW_S
        try:
            yield batch
        finally:
            batch.given_up = True
            self._slow_at = math.inf
            first.tally.take_off(first.listener, count)


class _Batch:
    """What one listener hears of one run before anything else. Once `given_up`, nothing more of it is heard."""

    def __init__(self, voice: Voice, listener: Listener, values: deque[object]) -> None:
        self.listener = listener
        self.values = values
        self.given_up = False
        self._voice = voice

    def hear_on(self, failed: Failed | None = None) -> Awaitable[object] | None:
        """Let one value after the other be heard: all, or up to one of which the result is still to be awaited."""
        while self.values and not self.given_up:
            try:
                result = self.listener.hear(self.values.popleft())
            except (Exception, SystemExit) as error:  # noqa: BLE001  # a listener's own; it does not end the process
                (failed or self.failed)(error)
            else:
                if isinstance(result, Awaitable):
                    return cast("Awaitable[object]", result)
        return None

    def hear_on_afar(self, loop: Loop) -> Awaitable[object] | None:
        """The same from a thread of its own, in the context of the run."""

        def failed(error: BaseException) -> None:
            if self.given_up or not loop.call(partial(self.failed, error)):
                _log.error("listener %s raised when nobody waited for it", self.listener.name, exc_info=error)

        return self._voice.context.copy().run(self.hear_on, failed)

    def failed(self, error: BaseException) -> None:
        """Tell what the listener raised."""
        self._voice.failed(self.listener, error)


async def _awaited(result: Awaitable[object], failed: Failed) -> None:
    try:
        await result
    except BaseException as error:  # its own, as in `hear_on`, or done to it
        if await comes_from_outside(error):
            raise
        failed(error)


def _never_awaited(result: Awaitable[object]) -> Exception:
    if isinstance(result, Coroutine):
        result.close()
    return TypeError("it returned something to await, and here nothing can: declare it with `async def`")
