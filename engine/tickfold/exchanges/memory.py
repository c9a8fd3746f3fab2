"""Candles in memory as an exchange."""

from __future__ import annotations

from ..candles import Candles
from ..market import MINUTE_MS


class MemoryExchange:
    """Answers for every symbol with the same candles; named after them unless told otherwise."""

    waits = False
    piece: int | None = None

    def __init__(self, candles: Candles, name: str | None = None) -> None:
        self.name = name or candles.name
        self._candles = candles

    async def candles(self, symbol: str, start: int, end: int) -> Candles:
        times = self._candles.time
        # A search needs order, and whether these are in order is for `fetch` to say, with the place.
        return self._candles.where((times >= start) & (times < end))

    async def span(self, symbol: str) -> tuple[int, int | None]:
        if not len(self._candles):
            return 0, 0
        return int(self._candles.time.min()), int(self._candles.time.max()) + MINUTE_MS

    async def aclose(self) -> None:
        """Nothing is held."""
