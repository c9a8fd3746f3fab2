"""Candles in memory as an exchange."""

from __future__ import annotations

from ..candles import Candles
from ..market import MINUTE_MS
from .checks import check_unit


class MemoryExchange:
    """Answers for every symbol with the same candles; named after them unless told otherwise."""

    waits = False
    piece: int | None = None

    def __init__(self, candles: Candles, name: str | None = None) -> None:
        self.name = name or candles.name
        self._candles = candles
        self._unit_checked = False

    async def candles(self, symbol: str, start: int, end: int) -> Candles:
        self._check_unit(symbol)
        times = self._candles.time
        # A search needs order, and whether these are in order is for `fetch` to say, with the place.
        return self._candles.where((times >= start) & (times < end))

    async def span(self, symbol: str) -> tuple[int, int | None]:
        self._check_unit(symbol)
        if not len(self._candles):
            return 0, 0
        return int(self._candles.time.min()), int(self._candles.time.max()) + MINUTE_MS

    async def aclose(self) -> None:
        """Nothing is held."""

    def _check_unit(self, symbol: str) -> None:
        """Raise `BadCandles` for times that are no milliseconds: no range that is asked for would hold one."""
        if not self._unit_checked:
            check_unit(self._candles, symbol)
            self._unit_checked = True
