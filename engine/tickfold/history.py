"""The last candles of one symbol while it is watched: it grows at one end and forgets at the other."""

from __future__ import annotations

import numpy as np

from .candles import Candles
from .market import MINUTE_MS


class History:
    """Contiguous one-minute candles: the newest `keep`, and up to as many again behind them.

    What was handed out never changes: a candle is written once, and when the room is used up, the newest move to a
    new one. So a live tick costs the same whatever the windows.
    """

    def __init__(self, keep: int) -> None:
        self._keep = keep
        self._arrays = Candles.empty().arrays
        self._end = 0
        self._shown: Candles | None = None

    @property
    def next_open(self) -> int | None:
        """The open time of the candle that must come next; None before the first."""
        return int(self._arrays[0][self._end - 1]) + MINUTE_MS if self._end else None

    def extend(self, candles: Candles) -> None:
        """Add candles that follow without a gap."""
        count = len(candles)
        if not count:
            return
        if self.next_open not in (None, int(candles.time[0])):
            raise ValueError(f"candles at {int(candles.time[0])} do not follow; {self.next_open} comes next")
        if self._end + count > len(self._arrays[0]):
            self._move(count)
        for room, new in zip(self._arrays, candles.arrays, strict=True):
            room[self._end : self._end + count] = new
        self._end += count
        self._shown = None

    def candles(self) -> Candles:
        """All that is there, as read-only views."""
        if self._shown is None:
            self._shown = Candles.of_arrays(*(array[: self._end] for array in self._arrays))
        return self._shown

    def _move(self, count: int) -> None:
        kept = slice(max(0, self._end - self._keep), self._end)
        size = kept.stop - kept.start
        arrays = tuple(np.empty(2 * self._keep + count, array.dtype) for array in self._arrays)
        for new, old in zip(arrays, self._arrays, strict=True):
            new[:size] = old[kept]
        self._arrays = arrays
        self._end = size
