"""The next candle that can matter to what is alive: a search that decides nothing.

It answers one question only, *nothing happens before candle i*; candle i goes through the same `decide` as every candle
of live. What it looks for is what `decide` compares: a level touched (for the averaged price of the "backtest_kit"
policy, reached), a lifetime or a waiting time over. It may name a candle too early, never one too late.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tickfold_projections.active_signal import Holding, Waiting

from .candles import Candles, Floats
from .config import Config
from .market import AVERAGED, MINUTE_MS

NEAR = 2048
"""How many candles are looked at one by one before whole blocks are: more than a lifetime at the default limit."""

BLOCK = 256
"""How many candles share a lowest low and a highest high."""


class Search:
    """Over the candles of one backtest; `averages` is what `average_prices` gives for them, where the policy asks."""

    def __init__(self, candles: Candles, averages: Floats | None, config: Config) -> None:
        self._first_open = int(candles.time[0])
        self._count = len(candles)
        self._entry_timeout = config.entry_timeout
        self._prices = candles.once("range", lambda: Range(candles.low, candles.high))
        self._averages = None if averages is None else candles.once("averages", lambda: Range(averages, averages))

    def next_candle(self, state: Waiting | Holding, begin: int) -> int:
        """The first candle from index `begin` on that can change `state`; the number of candles where none can."""
        signal = state.signal
        is_long = signal.position == "long"
        if isinstance(state, Waiting):
            below, above = (signal.entry, None) if is_long else (None, signal.entry)
            return self._prices.first(below, above, begin, self._over(signal.scheduled_at, self._entry_timeout))
        end = self._over(signal.opened_at, signal.lifetime_minutes * MINUTE_MS)
        stop, target = signal.stop_loss, signal.take_profit
        if self._averages is None:
            below, above = (stop, target) if is_long else (target, stop)
            return self._prices.first(below, above, begin, end)
        below, above = (stop, None) if is_long else (None, stop)
        end = self._prices.first(below, above, begin, end)
        # The price averaged over the candles up to index i stands four places further to the front.
        ahead = AVERAGED - 1
        below, above = (None, target) if is_long else (target, None)
        return max(begin, self._averages.first(below, above, max(0, begin - ahead), end - ahead) + ahead)

    def _over(self, since: int | None, duration: int) -> int:
        """The candle in which `duration` (ms; 0: never) is over at the earliest that either policy looks."""
        if not duration or since is None:
            return self._count
        return min(self._count, (since + duration - self._first_open) // MINUTE_MS - 1)


class Range:
    """Lows and highs side by side, and those of each block of them once they are needed."""

    def __init__(self, low: Floats, high: Floats) -> None:
        self._low, self._high = low, high
        self._blocks: tuple[Floats, Floats] | None = None

    def first(self, below: float | None, above: float | None, begin: int, end: int) -> int:
        """The first place in [begin, end) with a low at or under `below` or a high at or over `above`; one of the two
        may be None. Where there is none, `end`, or `begin` where that lies behind it.
        """
        near = min(end, begin + NEAR)
        found = _first(self._low, self._high, below, above, begin, near)
        if found < near or near >= end:
            return max(begin, found)
        lows, highs = self._blocks = self._blocks or (_each(np.minimum, self._low), _each(np.maximum, self._high))
        block = _first(lows, highs, below, above, near // BLOCK, end // BLOCK)
        # Where no whole block holds one, what is left behind the last of them may.
        return _first(self._low, self._high, below, above, max(near, block * BLOCK), min(end, (block + 1) * BLOCK))


def _first(low: Floats, high: Floats, below: float | None, above: float | None, begin: int, end: int) -> int:
    """As `Range.first`, place by place; `end` where there is none."""
    if begin >= end:
        return end
    if below is None:
        found: NDArray[np.bool_] = high[begin:end] >= (np.inf if above is None else above)
    else:
        found = low[begin:end] <= below
        if above is not None:
            found |= high[begin:end] >= above
    place = int(found.argmax())
    return begin + place if found[place] else end


def _each(extreme: np.ufunc, values: Floats) -> Floats:
    """The extreme of each block of values; the last block may be shorter."""
    extremes: Floats = extreme.reduceat(values, np.arange(0, len(values), BLOCK))
    return extremes
