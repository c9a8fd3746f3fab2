"""Putting a slot's question to a strategy: in time, watched over, and what it raises told apart from our own."""

from __future__ import annotations

import inspect
import logging
import sys
import threading
import time
import traceback
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType

from tickfold_eventstore.signals import Stream

from .clock import Clock
from .context import Context
from .errors import StrategyFailed
from .outside import comes_from_outside
from .proposal import Signal
from .strategy import Strategy

_log = logging.getLogger("tickfold.strategy")


class Asking:
    """One stream's questions. `late` says of the last one that its answer came too late and was dropped."""

    def __init__(self, stream: Stream, strategy: Strategy, watchdog: Watchdog | None = None) -> None:
        self.strategy = strategy
        self.late = False
        self._awaits = strategy.is_async
        self._stream = stream
        self._watchdog = watchdog
        self._spent_s = 0.0

    def take_spent(self) -> float:
        """Seconds spent in the strategy since this was asked last."""
        spent, self._spent_s = self._spent_s, 0.0
        return spent

    async def ask(self, ctx: Context, clock: Clock, deadline: int) -> Signal | None:
        """The strategy's answer; None too where it came after `deadline`. Raises `StrategyFailed`."""
        begun = time.perf_counter()
        self.late = False
        try:
            answer = self._call(ctx)
            gave_up = False
            if self._awaits and inspect.isawaitable(answer):
                with clock.deadline(deadline) as scope:
                    answer = await answer
                gave_up = scope.cancelled_caught
            self.late = gave_up or (not clock.replayed and clock.now() > deadline)
            return None if self.late else checked(answer, self._stream, ctx.now)
        except StrategyFailed:
            raise
        except BaseException as error:
            if await comes_from_outside(error):
                raise
            raise StrategyFailed(self._stream, ctx.now, error) from error
        finally:
            self._spent_s += time.perf_counter() - begun

    def _call(self, ctx: Context) -> object:
        if self._watchdog is None:
            return self.strategy.function(ctx)
        with self._watchdog.over(self._stream):
            return self.strategy.function(ctx)


def checked(answer: object, stream: Stream, slot: int) -> Signal | None:
    """What a strategy returned, if it is a proposal or None; raises `StrategyFailed` for anything else."""
    if answer is None or isinstance(answer, Signal):
        return answer
    what = f"returned {type(answer).__name__}; a strategy returns Signal.long(...), Signal.short(...) or None"
    if inspect.iscoroutine(answer):
        answer.close()  # it will never be awaited
        what += ", and one that waits is an `async def`"
    raise StrategyFailed(stream, slot, TypeError(what))


class Watchdog:
    """Reports a plain strategy that holds the engine up, while it does: it names the line where it stands.

    Only another thread can say so, for the engine's own is inside the strategy. Every stream shares one watchdog.
    """

    def __init__(self, patience: int) -> None:
        self._patience_s = patience / 1000
        self._closed = threading.Event()
        self._asked: tuple[Stream, float, int] | None = None
        self._thread: threading.Thread | None = None

    @contextmanager
    def over(self, stream: Stream) -> Generator[None]:
        """Watch what this thread does inside."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._look, name="tickfold-watchdog", daemon=True)
            self._thread.start()
        self._asked = (stream, time.monotonic(), threading.get_ident())
        try:
            yield
        finally:
            self._asked = None

    def close(self) -> None:
        """End the thread."""
        self._closed.set()
        if self._thread is not None:
            self._thread.join()

    def _look(self) -> None:
        told = None
        while not self._closed.wait(self._patience_s / 2):
            asked = self._asked
            if asked is not None and asked is not told and time.monotonic() - asked[1] > self._patience_s:
                told = asked
                frame = _frames().get(asked[2])
                where = traceback.format_stack(frame)[-1].strip() if frame else "an unknown place"
                _log.warning(
                    "strategy of %s has held the engine up for over %.1f s, at %s", asked[0], self._patience_s, where
                )


def _frames() -> dict[int, FrameType]:
    """Where each thread stands. No public call says it."""
    frames: dict[int, FrameType] = getattr(sys, "_current_frames")()  # noqa: B009  # a name of the interpreter's own
    return frames
