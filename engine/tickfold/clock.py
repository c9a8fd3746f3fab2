"""Who says what time it is: the machine, a replay, or a test's own hand. Times are ms since the epoch, UTC."""

from __future__ import annotations

import math
import time
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

import anyio

_LONGEST_NAP_S = 10.0


class Clock(Protocol):
    """What live asks of a clock. On a replayed one no time passes: it has no `now`, and every slot is asked."""

    replayed: bool

    def now(self) -> int:
        """The time in ms."""
        ...

    async def sleep_until(self, at: int) -> None:
        """Return when `at` has come."""
        ...

    async def pause(self, duration: int) -> None:
        """Return after `duration` ms."""
        ...

    def deadline(self, at: int) -> AbstractContextManager[anyio.CancelScope]:
        """A scope that is cancelled when `at` has come."""
        ...


class WallClock:
    """The machine's clock. It may jump: a wait looks again every ten seconds, so a jump is noticed."""

    replayed = False

    def now(self) -> int:
        return time.time_ns() // 1_000_000

    async def sleep_until(self, at: int) -> None:
        while (left := (at - self.now()) / 1000) > 0:
            await anyio.sleep(min(left, _LONGEST_NAP_S))

    async def pause(self, duration: int) -> None:
        await anyio.sleep(duration / 1000)

    def deadline(self, at: int) -> AbstractContextManager[anyio.CancelScope]:
        return anyio.move_on_after((at - self.now()) / 1000)


class ReplayClock:
    """The candles' own time: boundaries follow each other as fast as they can be handled, up to `to` (exclusive)."""

    replayed = True

    def __init__(self, to: int | None = None) -> None:
        self.to = to

    def now(self) -> int:
        raise RuntimeError("a replayed clock has no time of its own")

    async def sleep_until(self, at: int) -> None:
        """No time passes in a replay, so nothing is waited for."""

    async def pause(self, duration: int) -> None:
        """Real time passes all the same where a source must be tried again."""
        await anyio.sleep(duration / 1000)

    def deadline(self, at: int) -> AbstractContextManager[anyio.CancelScope]:
        return anyio.CancelScope()


class ManualClock:
    """A clock that stands still until it is moved: for tests of everything that waits."""

    replayed = False

    def __init__(self, now: int) -> None:
        self._now = now
        self._moved = anyio.Event()
        self._scopes: list[tuple[int, anyio.CancelScope]] = []
        self._sleepers: list[int] = []

    def now(self) -> int:
        return self._now

    def move_to(self, now: int) -> None:
        """Set the time, forwards or back; who waits for it wakes."""
        self._now = now
        moved, self._moved = self._moved, anyio.Event()
        moved.set()
        for at, scope in self._scopes:
            if at <= now:
                scope.cancel()

    @property
    def next_wake(self) -> float:
        """The earliest time that somebody sleeps for, or has to be done by; infinity where nobody does."""
        return min((*self._sleepers, *(at for at, _ in self._scopes)), default=math.inf)

    async def sleep_until(self, at: int) -> None:
        self._sleepers.append(at)
        try:
            while self._now < at:
                await self._moved.wait()
        finally:
            self._sleepers.remove(at)

    async def pause(self, duration: int) -> None:
        await self.sleep_until(self._now + duration)

    @contextmanager
    def deadline(self, at: int) -> Generator[anyio.CancelScope]:
        with anyio.CancelScope() as scope:
            self._scopes.append((at, scope))
            try:
                if at <= self._now:
                    scope.cancel()
                yield scope
            finally:
                self._scopes.remove((at, scope))
