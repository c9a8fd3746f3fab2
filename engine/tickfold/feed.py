"""The candles of one stream as they are needed: fetched, checked, joined to those that were used before."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

import anyio

from .candles import Candles
from .clock import Clock
from .config import Config
from .context import warm_up
from .errors import CandlesFilled, CandlesForgotten, CandlesMissing, CandlesRevised
from .exchanges import Exchange, fetch, span
from .history import History
from .market import MINUTE_MS
from .strategy import Strategy

DAY_MS = 1440 * MINUTE_MS

OnCandles: TypeAlias = Callable[[Candles, Sequence[tuple[int, int]]], None]
"""(contiguous candles, the spans of minutes, ms, among them or before that were filled in)"""


class Feed:
    """A contiguous history of one symbol that grows by what the exchange gives; what was used stands.

    A candle that the exchange gives again with other values, or for a minute that was filled, or no longer, changes
    nothing: it is told to `report`, once. `on_candles` is told of each candle when it is used first; it must not wait.
    """

    def __init__(
        self,
        exchange: Exchange,
        symbol: str,
        strategy: Strategy,
        config: Config,
        clock: Clock,
        report: Callable[[Exception], None],
        on_candles: OnCandles | None = None,
    ) -> None:
        self._exchange = exchange
        self._symbol = symbol
        self._config = config
        self._clock = clock
        self._report = report
        self._on_candles = on_candles
        self._keep = warm_up(strategy.lookback) // MINUTE_MS + config.overlap_minutes
        self._history = History(self._keep)
        self._revised: set[int] = set()
        self._filled: set[tuple[int, int]] = set()
        self._forgotten: set[tuple[int, int]] = set()
        self._made_up: list[tuple[int, int]] = []
        self._used_until = 0
        self._last_delivered = 0

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

    async def load(self, start: int, end: int, until: int | None = None, oldest: int | None = None) -> None:
        """Begin with the candles in [start, end); what the exchange does not have, or no longer, is not there.

        A hole at either end is filled as one in the middle is, from the candles on both sides of it: for that it is
        asked up to `until`, and, where the first candle (`oldest`, where that is known) lies before, behind `start`.
        """
        until = end if until is None else max(end, until)
        self._used_until, self._made_up = 0, []
        try:
            candles = await self._fetch(start, end)
        except CandlesMissing as missing:
            if missing.end >= end:
                raise
            candles = await self._fetch(missing.end, end)
            oldest = missing.end
        if _end_of(candles) != end:
            candles = await self._reaching(int(candles.time[0]) if len(candles) else start, end, end, until)
        if (not len(candles) or int(candles.time[0]) > start) and (oldest is None or oldest < start):
            before = await self._last_before(start, oldest)
            if before is not None:
                candles = await self._reaching(before, end, end, until)
        history = History(self._keep)
        history.extend(candles.between(0, end))
        self._history = history
        self._hand_over(candles.between(0, end))
        self._note_last_delivered()

    async def extend_to(self, end: int, until: int | None = None) -> None:
        """Add the candles up to `end` that the exchange has; report those used before that it gives otherwise now.

        Where there is none up to `end`, it is asked on, up to `until`: a hole may be longer than what is asked for.
        """
        known = self._history.candles()
        next_open = self._history.next_open
        assert next_open is not None
        self._used_until, self._made_up = next_open, []
        until = end if until is None else until
        # From a candle that was delivered, so that a hole between it and the next one is seen as a hole.
        start = max(0, min(self._oldest_again, self._last_delivered))
        try:
            fetched = await self._reaching(start, next_open, end, until)
        except CandlesMissing as missing:
            if missing.end > next_open:
                raise
            # An exchange with a short memory: what it has forgotten was used already.
            if not self._forgotten:
                self._forgotten.add((start, missing.end))
                self._report(CandlesForgotten(self._symbol, start, missing.end))
            fetched = await self._reaching(missing.end, next_open, end, until)
        self._compare(known, fetched.between(int(known.time[0]), next_open))
        new = fetched.between(next_open, max(end, _end_of(fetched) or 0))
        if len(new) and int(new.time[0]) != next_open:
            raise CandlesMissing(self._symbol, next_open, int(new.time[0]))
        self._history.extend(new)
        self._hand_over(new)
        self._note_last_delivered()

    async def _reaching(self, start: int, wanted: int, end: int, until: int) -> Candles:
        """The candles from `start` up to `end`, or as much further, up to `until`, as it takes to meet one at `wanted`
        or behind it.
        """
        stretch = DAY_MS
        while True:
            candles = await self._fetch(start, end)
            if end >= until or (_end_of(candles) or 0) > wanted:
                return candles
            end = min(until, end + stretch)
            stretch *= 2

    async def _last_before(self, start: int, oldest: int | None) -> int | None:
        """The open time of the last candle before `start`; None where none is found in a day, or down to `oldest`."""
        stretch = DAY_MS
        while True:
            first = start - stretch if oldest is None else max(oldest, start - stretch)
            try:
                candles = await self._fetch(first, start)
            except CandlesMissing:
                return None
            if len(candles):
                return int(candles.time[-1])
            if oldest is None or first <= oldest:
                return None
            stretch *= 2

    def _hand_over(self, candles: Candles) -> None:
        """Tell whoever keeps them of candles that are used from now on."""
        if self._on_candles is not None:
            self._on_candles(candles, tuple(self._filled))

    def _note_last_delivered(self) -> None:
        """Remember the newest candle that came from the exchange and was not filled."""
        if self._history.next_open is None:
            return
        last = self._history.next_open - MINUTE_MS
        for start, end in sorted(self._filled, reverse=True):
            if start <= last < end:
                last = start - MINUTE_MS
        self._last_delivered = last
        # A hole is met again as long as it is asked for again.
        oldest = min(self._oldest_again, last)
        self._filled = {(start, end) for start, end in self._filled if end > oldest}

    @property
    def _oldest_again(self) -> int:
        """From where on used candles are asked for again."""
        return (self._history.next_open or 0) - self._config.overlap_minutes * MINUTE_MS

    async def _fetch(self, start: int, end: int) -> Candles:
        return await fetch(
            self._exchange,
            self._symbol,
            start,
            end,
            now=end if self._clock.replayed else self._clock.now(),
            attempts=self._config.fetch_attempts,
            pause=self._config.retry_pause,
            timeout=self._config.fetch_timeout,
            sleep=self._clock.pause,
            report=self._heard,
        )

    def _heard(self, told: Exception) -> None:
        """Pass on what a fetch tells, each hole once, however often it is met."""
        if isinstance(told, CandlesFilled):
            hole = (told.start, told.end)
            self._made_up.append(hole)
            if hole in self._filled or hole in self._forgotten:
                return
            if told.end <= self._used_until:
                self._forgotten.add(hole)
                told = CandlesForgotten(self._symbol, *hole)
            else:
                self._filled.add(hole)
        self._report(told)

    def _compare(self, known: Candles, again: Candles) -> None:
        if not len(again):
            return
        first = (int(again.time[0]) - int(known.time[0])) // MINUTE_MS
        if again.same_bytes(known[first : first + len(again)]):
            return
        for candle in again.rows():
            used = known.at((candle.time - int(known.time[0])) // MINUTE_MS)
            given = not any(start <= candle.time < end for start, end in self._made_up)
            if used != candle and given and candle.time not in self._revised:
                self._revised.add(candle.time)
                self._report(CandlesRevised(self._symbol, used, candle))


async def candles_between(
    exchange: Exchange,
    symbol: str,
    start: int,
    end: int,
    config: Config,
    report: Callable[[Exception], None],
    sleep: Callable[[int], Awaitable[None]] | None = None,
) -> Candles:
    """What the exchange has of [start, end), all closed: for a backtest, where the end of the range is the present.

    `sleep` waits for that many ms between two attempts, in place of the event loop; nothing cuts an attempt short then.
    """
    return await fetch(
        exchange,
        symbol,
        start,
        end,
        now=end,
        attempts=config.fetch_attempts,
        pause=config.retry_pause,
        timeout=config.fetch_timeout if sleep is None else 0,
        sleep=_sleep if sleep is None else sleep,
        report=report,
    )


async def _sleep(duration: int) -> None:
    await anyio.sleep(duration / 1000)


def _end_of(candles: Candles) -> int | None:
    return int(candles.time[-1]) + MINUTE_MS if len(candles) else None
