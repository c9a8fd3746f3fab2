"""What a strategy sees: closed candles up to `now`, and nothing later, by construction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .candles import Candles, Floats
from .config import Policy
from .errors import WindowNotDeclared
from .market import AVERAGED, MINUTE_MS, average_price, average_prices, parse_interval, resample

Mode = Literal["live", "backtest"]


class View:
    """One symbol's contiguous one-minute candles as a run shows them: prices, and the declared windows.

    A window is made of groups aligned to the epoch, closed and complete at the boundary: exactly the newest `count`.
    Higher intervals are made when first asked for. `averages`: what `average_prices` gives, where that is known.
    """

    __slots__ = (
        "_averages",
        "_by_close",
        "_close",
        "_windows",
        "candles",
        "first_open",
        "lookback",
        "mode",
        "symbol",
    )

    def __init__(
        self,
        candles: Candles,
        lookback: Mapping[str, int],
        *,
        symbol: str,
        mode: Mode,
        policy: Policy,
        averages: Floats | None = None,
    ) -> None:
        self.candles = candles
        self.lookback = lookback
        self.symbol = symbol
        self.mode: Mode = mode
        self.first_open = int(candles.time[0])
        self._close = candles.close
        self._by_close = policy == "pessimistic"
        self._averages = averages
        self._windows: dict[str, tuple[Candles, int, int, int]] = {}

    def price(self, end: int) -> float:
        """What a market order gets when the first `end` candles have closed."""
        return self._close.item(end - 1) if self._by_close else self.average_price(end)

    def average_price(self, end: int) -> float:
        """The price averaged over the five candles before index `end`."""
        return average_price(self.candles, end) if self._averages is None else self._averages.item(end - AVERAGED)

    def prices(self, ends: NDArray[np.int64]) -> Floats:
        """As `price`, for several ends at once."""
        return self._close[ends - 1] if self._by_close else self.average_prices(ends)

    def average_prices(self, ends: NDArray[np.int64]) -> Floats:
        """As `average_price`, for several ends at once."""
        averages = self._averages
        if averages is None:
            averages = self.candles.once("average prices", lambda: average_prices(self.candles))
        return averages[ends - AVERAGED]

    def windows(self, interval: str, ends: NDArray[np.int64]) -> tuple[Candles, NDArray[np.int64], int]:
        """The candles of `interval`, before which of them the window of each end stops, and how many it holds."""
        groups, minutes, count, after = self._of(interval)
        stops = (ends + after) // minutes
        if len(stops) and (stops[0] < count or stops[-1] > len(groups.time)):
            raise RuntimeError(f"the windows of {interval} at candles {stops} of {len(groups)} are not full")
        return groups, stops, count

    def window(self, interval: str, end: int) -> Candles:
        """The window of `interval` when the first `end` one-minute candles have closed."""
        groups, minutes, count, after = self._windows.get(interval) or self._of(interval)
        stop = (end + after) // minutes
        start = stop - count
        # Nobody is asked before the windows are full; a shorter one would be a wrong answer, not a smaller one.
        if start < 0 or stop > len(groups.time):
            raise RuntimeError(f"the window of {interval} at candle {stop} of {len(groups)} is not full: {start}")
        return groups[start:stop]

    def _of(self, interval: str) -> tuple[Candles, int, int, int]:
        """The candles of `interval`, its minutes, how many a window holds, and by how many minutes the first candle
        opens after the first of them.
        """
        if interval not in self.lookback:
            raise WindowNotDeclared(interval, self.lookback)
        if interval not in self._windows:
            minutes = parse_interval(interval)
            groups = self.candles.once(("resampled", minutes), lambda: resample(self.candles, minutes))
            after = (self.first_open - int(groups.time[0])) // MINUTE_MS
            self._windows[interval] = groups, minutes, self.lookback[interval], after
        return self._windows[interval]


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

    __slots__ = ("_end", "_view")

    def __init__(self, view: View, end: int) -> None:
        self._view = view
        self._end = end

    @property
    def symbol(self) -> str:
        return self._view.symbol

    @property
    def mode(self) -> Mode:
        return self._view.mode

    @property
    def now(self) -> int:
        return self._view.first_open + self._end * MINUTE_MS

    @property
    def price(self) -> float:
        return self._view.price(self._end)

    @property
    def average_price(self) -> float:
        return self._view.average_price(self._end)

    def candles(self, interval: str) -> Candles:
        """The declared window of `interval`: read-only arrays time, open, high, low, close, volume.

        Raises `WindowNotDeclared`, which says what to declare.
        """
        return self._view.window(interval, self._end)
