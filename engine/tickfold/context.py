"""What a strategy sees: closed candles up to `now`, and nothing later, by construction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from .candles import Candles
from .errors import WindowNotDeclared
from .market import MINUTE_MS, average_price, parse_interval, resample

Mode = Literal["live", "backtest"]


class Windows:
    """The declared windows over contiguous one-minute candles; higher intervals are made when first asked for.

    A window is made of groups aligned to the epoch, closed and complete at the boundary: exactly the newest `count`.
    """

    __slots__ = ("_minutes", "_resampled", "candles", "lookback")

    def __init__(self, candles: Candles, lookback: Mapping[str, int]) -> None:
        self.candles = candles
        self.lookback = lookback
        self._minutes = {interval: parse_interval(interval) for interval in lookback}
        self._resampled: dict[str, Candles] = {}

    def window(self, interval: str, end: int) -> Candles:
        """The window of `interval` when the first `end` one-minute candles have closed."""
        try:
            minutes, count = self._minutes[interval], self.lookback[interval]
        except KeyError:
            raise WindowNotDeclared(interval, self.lookback) from None
        if minutes == 1:
            return self.candles[end - count : end]
        groups = self._resampled.get(interval)
        if groups is None:
            groups = self._resampled[interval] = resample(self.candles, minutes)
        boundary = int(self.candles.time[end - 1]) // MINUTE_MS + 1
        stop = boundary // minutes - int(groups.time[0]) // MINUTE_MS // minutes
        return groups[stop - count : stop]


def first_boundary(first_open: int, lookback: Mapping[str, int]) -> int:
    """The first boundary (ms) that can be handled when candles begin at `first_open`: windows full, five candles."""
    first = first_open // MINUTE_MS
    ready = first + 5
    for interval, count in lookback.items():
        minutes = parse_interval(interval)
        ready = max(ready, (-(-first // minutes) + count) * minutes)
    return ready * MINUTE_MS


def warm_up(lookback: Mapping[str, int]) -> int:
    """How many ms of candles before a boundary are enough to handle it, whatever the boundary."""
    spans = [
        (count + 1) * minutes - 1 for interval, count in lookback.items() for minutes in (parse_interval(interval),)
    ]
    return max(5, *spans, 0) * MINUTE_MS


class Context:
    """What a strategy may know at a slot. A kept context never changes.

    `now` is the boundary in ms, `price` what a market signal would open at, `average_price` the volume-weighted
    typical price of the last five candles; `candles(interval)` gives a declared window, oldest first.
    """

    __slots__ = ("_end", "_windows", "mode", "now", "price", "symbol")

    def __init__(self, symbol: str, now: int, price: float, mode: Mode, windows: Windows, end: int) -> None:
        self.symbol = symbol
        self.now = now
        self.price = price
        self.mode: Mode = mode
        self._windows = windows
        self._end = end

    @property
    def average_price(self) -> float:
        return average_price(self._windows.candles, self._end)

    def candles(self, interval: str) -> Candles:
        """The declared window of `interval`: read-only arrays time, open, high, low, close, volume.

        Raises `WindowNotDeclared`, which says what to declare.
        """
        return self._windows.window(interval, self._end)
