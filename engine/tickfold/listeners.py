"""Who hears of what: each listener has a queue of its own, so that none delays the clock or another listener.

A `Bus` belongs to one run. Publishing never waits; a task delivers each listener's queue, in order, while there is
something in it. What a listener raises is told to `listen_error`; what an error listener raises, to `logging`.
"""

from __future__ import annotations

import inspect
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Literal, TypeVar

import anyio
import anyio.abc
import attrs

from tickfold_eventstore.events import Cancelled, Closed, Opened, Rejected, Scheduled

from .notices import Active, Done, Fault, Idle, Progress, Tick, Timing, Waiting
from .strategy import Strategy

T = TypeVar("T")
Topic = Literal["live", "backtest", "tick", "error", "done_live", "done_backtest", "progress", "performance"]
Unsubscribe = Callable[[], None]

SignalEvent = Scheduled | Opened | Cancelled | Closed | Rejected
"""What a signal listener hears."""

_log = logging.getLogger("tickfold.listeners")
_listeners: list[Listener] = []


@attrs.define(eq=False)
class Listener:
    """A function and what it wants to hear."""

    topics: tuple[Topic, ...]
    function: Callable[..., object]
    wants: Callable[..., bool] | None = None
    once: bool = False

    def takes(self, value: object) -> bool:
        """Whether to hear `value`; one that listens once is forgotten when it does."""
        if self.wants is not None and not self.wants(value):
            return False
        if self.once:
            _forget(self)
        return True


def _forget(listener: Listener) -> None:
    if listener in _listeners:
        _listeners.remove(listener)


Listen = Callable[[Callable[[T], object]], Unsubscribe]
"""Takes a sync or async function of one argument; returns a function that unsubscribes it."""
ListenOnce = Callable[[Callable[[T], bool], Callable[[T], object]], Unsubscribe]
"""Takes a filter and a function, which hears the first value that passes the filter and no more."""


def _listen(*topics: Topic) -> Callable[[Callable[..., object]], Unsubscribe]:
    return lambda function: _add(Listener(topics, function))


def _once(*topics: Topic) -> Callable[[Callable[..., bool], Callable[..., object]], Unsubscribe]:
    return lambda wants, function: _add(Listener(topics, function, wants, once=True))


def _add(listener: Listener) -> Unsubscribe:
    _listeners.append(listener)
    return lambda: _forget(listener)


listen_signal: Listen[SignalEvent] = _listen("live", "backtest")
listen_signal_once: ListenOnce[SignalEvent] = _once("live", "backtest")
listen_signal_live: Listen[SignalEvent] = _listen("live")
listen_signal_live_once: ListenOnce[SignalEvent] = _once("live")
listen_signal_backtest: Listen[SignalEvent] = _listen("backtest")
listen_signal_backtest_once: ListenOnce[SignalEvent] = _once("backtest")
listen_error: Listen[Fault] = _listen("error")
listen_error_once: ListenOnce[Fault] = _once("error")
listen_done_live: Listen[Done] = _listen("done_live")
listen_done_live_once: ListenOnce[Done] = _once("done_live")
listen_done_backtest: Listen[Done] = _listen("done_backtest")
listen_done_backtest_once: ListenOnce[Done] = _once("done_backtest")
listen_progress: Listen[Progress] = _listen("progress")
listen_progress_once: ListenOnce[Progress] = _once("progress")
listen_performance: Listen[Timing] = _listen("performance")
listen_performance_once: ListenOnce[Timing] = _once("performance")


class Bus:
    """The queues of one run. `publish` only enqueues; a task group delivers as it goes, without one `drain` does."""

    def __init__(self, tasks: anyio.abc.TaskGroup | None = None) -> None:
        self._tasks = tasks
        self._attended: dict[str, list[Listener]] = {}
        self._queues: dict[Listener, _Queue] = {}
        self._deliveries: set[anyio.CancelScope] = set()

    def attend(self, strategy: Strategy) -> None:
        """Let a strategy's own callbacks hear what happens to its streams."""
        self._attended.setdefault(
            strategy.name, [_callback(strategy.name, on, call) for on, call in strategy.callbacks.items()]
        )

    def wants_ticks(self, strategy: str) -> bool:
        """Whether a callback hears boundaries that change nothing, so that they are made only where one does."""
        return any("tick" in listener.topics for listener in self._attended.get(strategy, ()))

    def needs_a_loop(self) -> bool:
        """Whether a listener is a coroutine function, which plain code cannot call."""
        return any(inspect.iscoroutinefunction(listener.function) for listener in self._everyone())

    def publish(self, topic: Topic, value: object) -> None:
        """Put `value` in the queue of everyone who listens to `topic`."""
        if not _listeners and not any(self._attended.values()):
            return
        for listener in self._everyone():
            if topic in listener.topics and self._takes(listener, value):
                queue = self._queues.setdefault(listener, _Queue())
                queue.values.append(value)
                queue.told += 1
                if self._tasks is not None and not queue.delivering:
                    queue.delivering = True
                    self._tasks.start_soon(self._deliver, listener, queue)

    def drain_now(self) -> None:
        """Deliver all that is queued, from plain code."""
        while waiting := [(listener, queue) for listener, queue in self._queues.items() if queue.values]:
            for listener, queue in waiting:
                try:
                    listener.function(queue.values.popleft())
                except Exception as error:  # noqa: BLE001  # a listener's own; it goes to `listen_error`
                    self._failed(listener, error)

    async def drain(self) -> None:
        """Return when everything published before has been heard."""
        if self._tasks is None:
            while waiting := [(listener, queue) for listener, queue in self._queues.items() if queue.values]:
                async with anyio.create_task_group() as tasks:
                    for listener, queue in waiting:
                        tasks.start_soon(self._deliver, listener, queue)
            return
        for _ in range(2):  # what a listener raises meanwhile is published, too, and its listeners are waited for
            for queue, told in [(queue, queue.told) for queue in self._queues.values()]:
                while queue.heard < told:
                    await queue.moved.wait()

    def close(self) -> None:
        """Give up on listeners that are still at it: they would hold up for ever whoever waits for the tasks."""
        for delivery in list(self._deliveries):
            delivery.cancel()

    def _everyone(self) -> list[Listener]:
        return [*_listeners, *(callback for callbacks in self._attended.values() for callback in callbacks)]

    async def _deliver(self, listener: Listener, queue: _Queue) -> None:
        """Deliver what is queued. A run that is cancelled has news, too: only `close` cuts a delivery short."""
        with anyio.CancelScope(shield=self._tasks is not None) as delivery:
            self._deliveries.add(delivery)
            try:
                await self._deliver_all(listener, queue)
            finally:
                self._deliveries.discard(delivery)
                queue.delivering = False

    async def _deliver_all(self, listener: Listener, queue: _Queue) -> None:
        while queue.values:
            try:
                result = listener.function(queue.values.popleft())
                if isinstance(result, Awaitable):
                    await result
            except Exception as error:  # noqa: BLE001  # a listener's own; it goes to `listen_error`
                self._failed(listener, error)
            queue.heard += 1
            moved, queue.moved = queue.moved, anyio.Event()
            moved.set()

    def _takes(self, listener: Listener, value: object) -> bool:
        try:
            return listener.takes(value)
        except Exception as error:  # noqa: BLE001  # a filter is a part of its listener
            self._failed(listener, error)
            return False

    def _failed(self, listener: Listener, error: Exception) -> None:
        name = getattr(listener.function, "__qualname__", repr(listener.function))
        if "error" in listener.topics:
            _log.error("error listener %s raised", name, exc_info=error)
        else:
            self.publish("error", Fault(stream=None, at=None, message=f"listener {name} raised: {error}", error=error))


@attrs.define(eq=False)
class _Queue:
    values: deque[object] = attrs.field(factory=deque[object])
    told: int = 0
    heard: int = 0
    delivering: bool = False
    moved: anyio.Event = attrs.field(factory=anyio.Event)


_HEARD_BY: dict[str, tuple[type, ...]] = {
    "on_open": (Opened,),
    "on_close": (Closed,),
    "on_schedule": (Scheduled,),
    "on_cancel": (Cancelled,),
    "on_reject": (Rejected,),
    "on_idle": (Idle,),
    "on_active": (Active,),
    "on_tick": (Opened, Closed, Scheduled, Cancelled, Rejected, Idle, Waiting, Active),
}


def _callback(strategy: str, on: str, call: Callable[..., object]) -> Listener:
    kinds = _HEARD_BY[on]
    topics: tuple[Topic, ...] = (
        ("live", "backtest", "tick") if Idle in kinds or Active in kinds else ("live", "backtest")
    )

    def wants(tick: Tick) -> bool:
        return isinstance(tick, kinds) and tick.strategy == strategy

    return Listener(topics, call, wants)
