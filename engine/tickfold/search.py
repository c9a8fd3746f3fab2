"""The next candle that can matter to what is alive: a search that decides nothing.

It answers one question only, *nothing happens before candle i*; candle i goes through the same `decide` as every candle
of live. What it looks for is what `decide` compares: a level touched (for the averaged price of the "backtest_kit"
policy, reached), a lifetime or a waiting time over. It may name a candle too early, never one too late.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tickfold_eventstore.signals import AcceptedSignal
from tickfold_projections.active_signal import Holding, Waiting

from .candles import Candles, Floats
from .config import Config
from .market import AVERAGED, MINUTE_MS

FIRST_STRETCH = 256
"""How many candles are looked at together; each stretch without an answer doubles the next."""

LONGEST_STRETCH = 8192


class Search:
    """Over the candles of one backtest; `averages` is what `average_prices` gives for them, where the policy asks."""

    def __init__(self, candles: Candles, averages: Floats | None, config: Config) -> None:
        self._first_open = int(candles.time[0])
        self._count = len(candles)
        self._high, self._low = candles.high, candles.low
        self._averages = averages
        self._entry_timeout = config.entry_timeout

    def next_candle(self, state: Waiting | Holding, begin: int) -> int:
        """The first candle from index `begin` on that can change `state`; the number of candles where none can."""
        signal = state.signal
        is_long = signal.position == "long"
        if isinstance(state, Waiting):
            end = self._at_the_latest(signal.scheduled_at, self._entry_timeout)
            return self._touched(signal.entry, None, begin, end, is_long=is_long)
        end = self._at_the_latest(signal.opened_at, signal.lifetime_minutes * MINUTE_MS)
        if self._averages is None:
            return self._touched(signal.stop_loss, signal.take_profit, begin, end, is_long=is_long)
        return self._stopped_or_averaged(signal, self._averages, begin, end)

    def _at_the_latest(self, since: int | None, duration: int) -> int:
        """The candle in which `duration` (ms; 0: never) is over at the earliest that either policy looks."""
        if not duration or since is None:
            return self._count
        return min(self._count, (since + duration - self._first_open) // MINUTE_MS - 1)

    def _touched(self, against: float, target: float | None, begin: int, end: int, *, is_long: bool) -> int:
        """The first candle that reaches a level below a long (above a short), or a target on the other side."""
        high, low = self._high, self._low
        stretch = FIRST_STRETCH
        while begin < end:
            stop = min(end, begin + stretch)
            found: NDArray[np.bool_] = low[begin:stop] <= against if is_long else high[begin:stop] >= against
            if target is not None:
                found = found | (high[begin:stop] >= target if is_long else low[begin:stop] <= target)
            place = int(found.argmax())
            if found[place]:
                return begin + place
            begin, stretch = stop, min(2 * stretch, LONGEST_STRETCH)
        return max(begin, end)

    def _stopped_or_averaged(self, signal: AcceptedSignal, averages: Floats, begin: int, end: int) -> int:
        """The first candle that reaches the stop, or whose averaged price reaches the target."""
        is_long = signal.position == "long"
        until = self._touched(signal.stop_loss, None, begin, end, is_long=is_long)
        first = max(0, begin - AVERAGED + 1)
        priced = averages[first : until - AVERAGED + 1]
        reached = priced >= signal.take_profit if is_long else priced <= signal.take_profit
        if not reached.any():
            return until
        return max(begin, first + int(reached.argmax()) + AVERAGED - 1)
