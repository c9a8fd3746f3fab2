"""Who listens, and to what: functions of the user's, in every run of the process, and the callbacks of a strategy.

A listener hears each event once, in order, and has a queue of its own. An `async` function is awaited in the event
loop; a plain one is called in a thread, so that it may take its time: it delays neither the clock nor another listener.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Literal, TypeVar

import attrs

from tickfold_eventstore.events import Cancelled, Closed, Opened, Rejected, Scheduled

from .notices import Active, Done, Fault, Idle, Progress, Timing, Waiting
from .strategy import Strategy

T = TypeVar("T")
Topic = Literal["live", "backtest", "tick", "error", "done_live", "done_backtest", "progress", "performance"]
Unsubscribe = Callable[[], None]

SignalEvent = Scheduled | Opened | Cancelled | Closed | Rejected
"""What a signal listener hears."""

_listeners: list[Listener] = []


@attrs.define(eq=False)
class Listener:
    """A function, what it wants to hear, and the `line` in which it stands: those of one line hear in turns."""

    topics: tuple[Topic, ...]
    function: Callable[..., object]
    passes: Callable[..., bool] | None = None
    kinds: tuple[type, ...] = (object,)
    line: object = attrs.field(default=attrs.Factory(lambda self: self, takes_self=True))
    gone: bool = False

    @property
    def name(self) -> str:
        """What the function is called, where something is said of it."""
        return getattr(self.function, "__qualname__", None) or repr(self.function)

    @property
    def waits(self) -> bool:
        """Whether to hear is to await, and nothing else: such a one is called in the event loop."""
        return self.passes is None and self.is_async

    @property
    def is_async(self) -> bool:
        """Whether the function is a coroutine function, which plain code cannot call."""
        function: object = self.function
        return any(inspect.iscoroutinefunction(each) for each in (function, getattr(function, "__call__", None)))  # noqa: B004  # an object whose __call__ is async is one, too

    def wants(self, topic: Topic, value: object) -> bool:
        """Whether this listens to `topic`, and to what has the type of `value`."""
        return topic in self.topics and isinstance(value, self.kinds)

    def hear(self, value: object) -> object:
        """Call the function, unless it has been unsubscribed: what it returns. The filter is asked here, not before:
        it is the user's own, too, and may take its time.
        """
        if self.gone:
            return None
        if self.passes is not None and not (self.passes(value) and self.forget()):
            return None
        return self.function(value)

    def forget(self) -> bool:
        """Hear no more; whether this is the call that ended it. From any thread."""
        self.gone = True
        try:
            _listeners.remove(self)
        except ValueError:
            return False
        return True


Listen = Callable[[Callable[[T], object]], Unsubscribe]
"""Takes a sync or async function of one argument; returns a function that unsubscribes it."""
ListenOnce = Callable[[Callable[[T], bool], Callable[[T], object]], Unsubscribe]
"""Takes a filter and a function, which hears the first value that passes the filter and no more."""


def _listen(*topics: Topic) -> Callable[[Callable[..., object]], Unsubscribe]:
    return lambda function: _add(Listener(topics, function))


def _once(*topics: Topic) -> Callable[[Callable[..., bool], Callable[..., object]], Unsubscribe]:
    return lambda passes, function: _add(Listener(topics, function, passes))


def _add(listener: Listener) -> Unsubscribe:
    _listeners.append(listener)

    def unsubscribe() -> None:
        listener.forget()

    return unsubscribe


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


def everyone() -> tuple[Listener, ...]:
    """Who listens now, oldest first."""
    return tuple(_listeners)


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


def callbacks(strategy: Strategy) -> tuple[Listener, ...]:
    """A strategy's callbacks, all in one line: `on_open` has returned when `on_close` is called."""
    return tuple(
        Listener(_topics(_HEARD_BY[on]), call, kinds=_HEARD_BY[on], line=strategy)
        for on, call in strategy.callbacks.items()
    )


def _topics(kinds: tuple[type, ...]) -> tuple[Topic, ...]:
    """Boundaries that change nothing are told only where somebody hears of them."""
    return ("live", "backtest", "tick") if Idle in kinds or Active in kinds else ("live", "backtest")
