"""From a source into an archive, month by month. What was asked for before is not asked for again.

A month is kept as soon as it is there, so a download that is killed goes on, when it is started again, with the month
in which it was.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from functools import partial

import anyio.to_thread
import attrs
import numpy as np

from ..archive import Added, Shelf, Span, months_between
from ..archive.months import after
from ..candles import Candles
from ..config import Config
from ..errors import CandlesFilled, CandlesMissing
from ..exchanges import Exchange, fetch
from ..market import MINUTE_MS

SETTLED_MS = 1440 * MINUTE_MS
"""A minute this old for which an exchange has no candle will have none; a younger one is asked for again next time."""


@attrs.frozen
class Progress:
    """How far a download is: everything in [start, `reached`) was asked for. `added` is what came of the last month."""

    reached: int
    added: Added
    unavailable: Span | None = None
    """Minutes of this month that the exchange no longer has."""


async def download(
    exchange: Exchange,
    symbol: str,
    shelf: Shelf,
    start: int,
    end: int,
    *,
    now: int,
    sleep: Callable[[int], Awaitable[None]],
    config: Config = Config(),
    replace: bool = False,
) -> AsyncGenerator[Progress]:
    """Keep the candles of [start, end), ms, on a shelf; tells of each month when it is durable.

    `now` is the time at which a candle counts as closed. With `replace` everything is asked for again and what the
    exchange gives now stands. Raises `ExchangeUnreachable`, `BadCandles`, `ExtraMissing`, `OSError`; the months before
    are kept.
    """
    start, end = -(-start // MINUTE_MS) * MINUTE_MS, min(end, now) // MINUTE_MS * MINUTE_MS

    asked_for = partial(_asked_for, exchange, symbol, config, now, sleep)
    for month in months_between(start, end):
        span = max(start, month), min(end, after(month))
        added, unavailable = Added(), None
        for first, last in [span] if replace else await anyio.to_thread.run_sync(shelf.missing, *span):
            try:
                candles, asked = await asked_for(first, last)
            except CandlesMissing as missing:
                unavailable = first, min(last, missing.end)
                if missing.end >= last:
                    continue
                candles, asked = await asked_for(missing.end, last)
            part = await anyio.to_thread.run_sync(_added, shelf, candles, asked, replace)
            added = Added(added.new + part.new, added.differing + part.differing)
        yield Progress(span[1], added, unavailable)


async def _asked_for(
    exchange: Exchange,
    symbol: str,
    config: Config,
    now: int,
    sleep: Callable[[int], Awaitable[None]],
    first: int,
    last: int,
) -> tuple[Candles, list[Span]]:
    """What the exchange delivered, and the minutes for which its answer is its last word."""
    told: list[Exception] = []
    candles = await fetch(
        exchange,
        symbol,
        first,
        last,
        now=now,
        sleep=sleep,
        report=told.append,
        attempts=config.fetch_attempts,
        pause=config.retry_pause,
    )
    settled = min(last, now - SETTLED_MS if exchange.waits else last)
    reached = max(settled, int(candles.time[-1]) + MINUTE_MS if len(candles) else 0)
    filled = [(each.start, each.end) for each in told if isinstance(each, CandlesFilled)]
    return delivered(candles, filled), [(first, reached)]


def delivered(candles: Candles, filled: list[Span]) -> Candles:
    """Candles without those that were filled in."""
    if not filled:
        return candles
    stays = np.ones(len(candles), bool)
    for start, end in filled:
        stays &= (candles.time < start) | (candles.time >= end)
    return candles.where(stays)


def _added(shelf: Shelf, candles: Candles, asked: list[Span], replace: bool) -> Added:  # noqa: FBT001  # for a thread
    return shelf.add(candles, asked, replace=replace)
