"""Strategies that try every way to propose: plain functions of what a context shows, the same for ever.

Each is a maker: it takes the class whose `long` and `short` build a proposal (`tickfold.Signal`, or the one of the
reference) and gives the function to ask.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any, Protocol

import anyio.lowlevel
import attrs

MINUTE = 60_000


class Window(Protocol):
    """What `candles(interval)` gives: read-only arrays, oldest first."""

    @property
    def open(self) -> Any: ...
    @property
    def high(self) -> Any: ...
    @property
    def low(self) -> Any: ...
    @property
    def close(self) -> Any: ...
    @property
    def volume(self) -> Any: ...


class Asked(Protocol):
    """The public face of a context."""

    @property
    def now(self) -> int: ...
    @property
    def price(self) -> float: ...
    @property
    def average_price(self) -> float: ...
    def candles(self, interval: str) -> Window: ...


Proposing = Any
"""A class with `long(...)` and `short(...)`."""
Plain = Callable[[Asked], Any]
Maker = Callable[[Proposing], Plain]


@attrs.frozen
class Case:
    """A strategy's declaration and its maker; `awaits` says that the engine gets it as an `async def`."""

    name: str
    interval: str
    lookback: Mapping[str, int]
    make: Maker = attrs.field(repr=False)
    awaits: bool = False

    def plain(self, proposing: Proposing) -> Plain:
        return self.make(proposing)

    def function(self, proposing: Proposing) -> Plain | Callable[[Asked], Awaitable[Any]]:
        """What is given to the engine."""
        plain = self.make(proposing)
        if not self.awaits:
            return plain

        async def asked(ctx: Asked) -> Any:
            await anyio.lowlevel.checkpoint()
            return plain(ctx)

        return asked


def minute_of(ctx: Asked) -> int:
    return ctx.now // MINUTE


def market_long(proposing: Proposing) -> Plain:
    """Buys what has risen over the last ten minutes."""

    def ask(ctx: Asked) -> Any:
        close = ctx.candles("1m").close
        if close[-1] < close[0]:
            return None
        price = ctx.price
        lifetime = timedelta(minutes=45)
        return proposing.long(take_profit=price * 1.01, stop_loss=price * 0.992, lifetime=lifetime, note="rising")

    return ask


def market_short(proposing: Proposing) -> Plain:
    """Sells what has fallen, with levels on whole numbers where prices allow it."""

    def ask(ctx: Asked) -> Any:
        close = ctx.candles("1m").close
        if close[-1] > close.mean():
            return None
        price = ctx.price
        level = round(price) if price > 20 else price
        return proposing.short(take_profit=level * 0.98, stop_loss=level * 1.02, lifetime=60)

    return ask


def limit_long(proposing: Proposing) -> Plain:
    """Waits below the lowest low of half an hour, or one step below a round price."""

    def ask(ctx: Asked) -> Any:
        entry = float(ctx.candles("5m").low.min())
        if minute_of(ctx) % 2:
            entry = float(round(ctx.price) - 1) if ctx.price > 20 else ctx.price * 0.995
        return proposing.long(take_profit=entry + entry / 50, stop_loss=entry - entry / 50, lifetime=90, entry=entry)

    return ask


def limit_short(proposing: Proposing) -> Plain:
    """Waits above, with a target just past the break-even and a stop near by."""

    def ask(ctx: Asked) -> Any:
        entry = ctx.price * 1.003 if minute_of(ctx) % 2 else max(ctx.price, float(ctx.candles("1m").high.max()))
        return proposing.short(
            take_profit=entry * 0.9955, stop_loss=entry * 1.004, lifetime=timedelta(hours=2), entry=entry, note="bounce"
        )

    return ask


def limit_reached(proposing: Proposing) -> Plain:
    """Its limit is at the price or already behind it, for either side in turn."""

    def ask(ctx: Asked) -> Any:
        price = ctx.price
        away = (0.0, 0.001, 0.01)[minute_of(ctx) % 3]
        if minute_of(ctx) % 2:
            entry = price * (1 + away)
            return proposing.long(take_profit=price * 1.012, stop_loss=price * 0.99, lifetime=30, entry=entry)
        entry = price * (1 - away)
        return proposing.short(take_profit=price * 0.988, stop_loss=price * 1.01, lifetime=30, entry=entry)

    return ask


def often_rejected(proposing: Proposing) -> Plain:
    """Seven answers in turn, six of them wrong, each in its own way or in all at once."""

    def ask(ctx: Asked) -> Any:
        price = ctx.price
        match minute_of(ctx) % 7:
            case 0:
                return proposing.long(take_profit=price * 1.002, stop_loss=price * 0.99, lifetime=10)
            case 1:
                return proposing.short(take_profit=price * 1.02, stop_loss=price * 0.99, lifetime=10)
            case 2:
                return proposing.long(take_profit=float("inf"), stop_loss=float("nan"), lifetime=10)
            case 3:
                return proposing.short(take_profit=price * 0.9, stop_loss=price * 1.3, lifetime=0, note="all wrong")
            case 4:
                stop_loss = price * 0.7
                return proposing.long(take_profit=price * 1.5, stop_loss=stop_loss, lifetime=1.5, entry=price * 0.99)
            case 5:
                return proposing.long(take_profit=price * 1.01, stop_loss=-price, lifetime=1441, note="x" * 1001)
            case _:
                return proposing.long(take_profit=price * 1.01, stop_loss=price * 0.99, lifetime=10)

    return ask


def several_intervals(proposing: Proposing) -> Plain:
    """Compares closes of an hour, of five minutes and of one, and the average price; buys or sells.

    Its note carries the bits of what it saw, so that a window that differs in the last one shows in the events.
    """

    def ask(ctx: Asked) -> Any:
        slow = float(ctx.candles("1h").close.mean())
        middle = ctx.candles("5m")
        if float(middle.volume.sum()) < 10:
            return None
        fast = float(ctx.candles("1m").close[-3:].mean())
        price = ctx.price
        width = max(price * 0.006, float(middle.high.max() - middle.low.min()))
        stop = min(width, price * 0.15)
        traded = [ctx.average_price, *ctx.candles("1h").volume, *middle.volume]
        note = " ".join(float(value).hex() for value in traded)
        if fast > slow and ctx.average_price >= float(middle.open[0]):
            return proposing.long(take_profit=price + width, stop_loss=price - stop, lifetime=120, note=note)
        entry = price + width / 4
        return proposing.short(take_profit=price - stop, stop_loss=price + stop, lifetime=75, entry=entry, note=note)

    return ask


def alternating(proposing: Proposing) -> Plain:
    """One side, then the other, for one to four minutes."""

    def ask(ctx: Asked) -> Any:
        price = ctx.price
        lifetime = 1 + minute_of(ctx) % 4
        if minute_of(ctx) // 4 % 2:
            return proposing.long(take_profit=price * 1.0045, stop_loss=price * 0.998, lifetime=lifetime)
        return proposing.short(take_profit=price * 0.9955, stop_loss=price * 1.002, lifetime=lifetime)

    return ask


def whole_levels(proposing: Proposing) -> Plain:
    """Entries, targets and stops on whole numbers, near enough to be touched exactly; asked every minute."""

    def ask(ctx: Asked) -> Any:
        if ctx.price < 20:
            return None
        level = float(round(ctx.price))
        if minute_of(ctx) % 2:
            return proposing.long(take_profit=level + 1, stop_loss=level - 3, lifetime=20, entry=level - 1)
        return proposing.short(take_profit=level - 1, stop_loss=level + 3, lifetime=20, entry=level + 1)

    return ask


CASES: tuple[Case, ...] = (
    Case("market-long", "5m", {"1m": 10}, market_long),
    Case("market-short", "3m", {"1m": 7}, market_short),
    Case("limit-long", "5m", {"5m": 6}, limit_long),
    Case("limit-short", "1m", {"1m": 15}, limit_short),
    Case("limit-reached", "1m", {}, limit_reached),
    Case("often-rejected", "1m", {"1m": 2}, often_rejected),
    Case("several-intervals", "15m", {"1m": 10, "5m": 6, "1h": 3}, several_intervals),
    Case("alternating", "1m", {}, alternating),
    Case("whole-levels", "1m", {}, whole_levels),
    Case("waits-for-its-answer", "2m", {"1m": 10, "15m": 4}, market_long, awaits=True),
)
