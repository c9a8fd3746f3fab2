"""The candles of one stream as they are needed: fetched, checked, joined to those that were used before."""

from __future__ import annotations

from collections.abc import Callable

import anyio

from .candles import Candles
from .clock import Clock
from .config import Config
from .context import warm_up
from .errors import CandlesMissing, CandlesRevised
from .exchanges import Exchange, fetch, span
from .history import History
from .market import MINUTE_MS
from .strategy import Strategy


class Feed:
    """A contiguous history of one symbol that grows by what the exchange gives; what was used stands.

    A candle that the exchange gives again with other values, or for a minute that was filled, changes nothing: it is
    told to `report`, once.
    """

    def __init__(
        self,
        exchange: Exchange,
        symbol: str,
        strategy: Strategy,
        config: Config,
        clock: Clock,
        report: Callable[[Exception], None],
    ) -> None:
        self._exchange = exchange
        self._symbol = symbol
        self._config = config
        self._clock = clock
        self._report = report
        self._keep = warm_up(strategy.lookback) // MINUTE_MS + config.overlap_minutes
        self._history = History(self._keep)
        self._revised: set[int] = set()

    @property
    def candles(self) -> Candles:
        """What there is, oldest first: the declared windows of every boundary that comes, and some behind them."""
        return self._history.candles()

    @property
    def next_open(self) -> int | None:
        """The open time of the candle that comes next; None while there is none."""
        return self._history.next_open

    @property
    def first_open(self) -> int:
        """The open time of the oldest candle that is kept."""
        return int(self._history.candles().time[0])

    @property
    def last_close(self) -> float:
        """The newest close."""
        return float(self._history.candles().close[-1])

    async def span(self) -> tuple[int, int | None]:
        """The first open time that the exchange has and the end of its candles (None: endless)."""
        return await span(self._exchange, self._symbol)

    async def load(self, start: int, end: int) -> None:
        """Begin with the candles in [start, end); what the exchange does not have, or no longer, is not there."""
        history = History(self._keep)
        try:
            candles = await self._fetch(start, end)
        except CandlesMissing as missing:
            if missing.end >= end:
                raise
            candles = await self._fetch(missing.end, end)
        history.extend(candles)
        self._history = history

    async def extend_to(self, end: int) -> None:
        """Add the candles up to `end` that the exchange has; report those used before that it gives otherwise now."""
        known = self._history.candles()
        next_open = self._history.next_open
        assert next_open is not None
        start = max(int(known.time[0]), next_open - self._config.overlap_minutes * MINUTE_MS)
        fetched = await self._fetch(start, end)
        self._compare(known, fetched.between(start, next_open))
        new = fetched.between(next_open, end)
        if len(new) and int(new.time[0]) != next_open:
            raise CandlesMissing(self._symbol, next_open, int(new.time[0]))
        self._history.extend(new)

    async def _fetch(self, start: int, end: int) -> Candles:
        return await fetch(
            self._exchange,
            self._symbol,
            start,
            end,
            now=end if self._clock.replayed else self._clock.now(),
            attempts=self._config.fetch_attempts,
            pause=self._config.retry_pause,
            sleep=self._clock.pause,
            report=self._report,
        )

    def _compare(self, known: Candles, again: Candles) -> None:
        if not len(again):
            return
        first = (int(again.time[0]) - int(known.time[0])) // MINUTE_MS
        if again == known[first : first + len(again)]:
            return
        for candle in again.rows():
            used = known.at((candle.time - int(known.time[0])) // MINUTE_MS)
            if used != candle and candle.time not in self._revised:
                self._revised.add(candle.time)
                self._report(CandlesRevised(self._symbol, used, candle))


async def candles_between(
    exchange: Exchange, symbol: str, start: int, end: int, config: Config, report: Callable[[Exception], None]
) -> Candles:
    """What the exchange has of [start, end), all closed: for a backtest, where the end of the range is the present."""
    return await fetch(
        exchange,
        symbol,
        start,
        end,
        now=end,
        attempts=config.fetch_attempts,
        pause=config.retry_pause,
        sleep=lambda duration: anyio.sleep(duration / 1000),
        report=report,
    )
