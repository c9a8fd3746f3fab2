"""What a strategy sees: closed candles up to `now`, and nothing later, by construction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from .candles import Candles, Floats
from .config import Policy
from .errors import WindowNotDeclared
from .market import AVERAGED, MINUTE_MS, average_price, parse_interval, resample

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
        "_minutes",
        "_resampled",
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
        self._minutes = {interval: parse_interval(interval) for interval in lookback}
        self._resampled: dict[str, Candles] = {}

    def price(self, end: int) -> float:
        """What a market order gets when the first `end` candles have closed."""
        return self._close.item(end - 1) if self._by_close else self.average_price(end)

    def average_price(self, end: int) -> float:
        """The price averaged over the five candles before index `end`."""
        return average_price(self.candles, end) if self._averages is None else self._averages.item(end - AVERAGED)

    def window(self, interval: str, end: int) -> Candles:
        """The window of `interval` when the first `end` one-minute candles have closed."""
        try:
            minutes, count = self._minutes[interval], self.lookback[interval]
        except KeyError:
            raise WindowNotDeclared(interval, self.lookback) from None
        if minutes == 1:
            return self._cut(self.candles, interval, end - count, end)
        groups = self._resampled.get(interval)
        if groups is None:
            groups = self._resampled[interval] = resample(self.candles, minutes)
        boundary = self.first_open // MINUTE_MS + end
        stop = boundary // minutes - int(groups.time[0]) // MINUTE_MS // minutes
        return self._cut(groups, interval, stop - count, stop)

    def _cut(self, candles: Candles, interval: str, start: int, stop: int) -> Candles:
        # Nobody is asked before the windows are full; a shorter one would be a wrong answer, not a smaller one.
        if start < 0 or stop > len(candles):
            raise RuntimeError(f"the window of {interval} at candle {stop} of {len(candles)} is not full: {start}")
        return candles[start:stop]


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
