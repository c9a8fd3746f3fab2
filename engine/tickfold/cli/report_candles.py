"""The candles that lie beside a report of journals: the price of what is open, and how each signal went."""

from __future__ import annotations

import time
from collections.abc import Callable

import anyio

from tickfold_eventstore import Stream
from tickfold_projections.report import Report
from tickfold_projections.told import opened_at

from ..candles import Candles
from ..config import Config
from ..errors import SpanUnknown
from ..exchanges import Exchange, span
from ..feed import candles_between
from ..market import MINUTE_MS
from .asides import say
from .backtest import Range

_RECENT_MS = 10 * MINUTE_MS
_ROOM_MS = 60 * MINUTE_MS

Make = Callable[..., Report]
"""Makes the report, with `prices` of what is open where they are given."""


def beside(make: Make, exchange: Exchange, within: Range, *, whole: bool) -> Report:
    """The report with the last prices of what is open; `whole`: with all candles that its signals were open in.

    A price is as of the end of the range or of now; a stream without a recent one has none.
    """
    bare = make()
    candles = anyio.run(_candles, exchange, bare, within, whole)
    alive = [Stream(each.exchange, bare.strategy, each.symbol) for each in bare.open]
    prices = {stream: float(candles[stream][0].close[-1]) for stream in alive if _is_recent(*candles[stream])}
    priced = make(prices=prices) if prices else bare
    if not whole:
        return priced
    from tickfold_projections.excursions import with_market

    return with_market(priced, {stream: found for stream, (found, _) in candles.items() if len(found)})


def _is_recent(candles: Candles, end: int) -> bool:
    return len(candles) > 0 and int(candles.time[-1]) >= end - _RECENT_MS


async def _candles(exchange: Exchange, report: Report, within: Range, whole: bool) -> dict[Stream, tuple[Candles, int]]:
    """Of each stream what there is of the time that matters, and the end of that time."""
    found: dict[Stream, tuple[Candles, int]] = {}
    try:
        for stream, (begin, until) in _spans(report, whole=whole).items():
            last = await _end(exchange, stream.symbol, within)
            end = last if until is None else min(last, until)
            start = end - _RECENT_MS if begin is None else begin
            candles = await candles_between(
                exchange, stream.symbol, start, end, Config(), lambda error: say(str(error))
            )
            found[stream] = (candles, end)
    finally:
        await exchange.aclose()
    return found


def _spans(report: Report, *, whole: bool) -> dict[Stream, tuple[int | None, int | None]]:
    """From before the first signal to behind the last; with one that is still open up to now (None)."""
    spans: dict[Stream, tuple[int | None, int | None]] = {}
    if whole:
        for row in report.rows:
            if row.action == "closed":
                stream = Stream(row.exchange, report.strategy, row.symbol)
                start, end = spans.get(stream, (row.at, row.at))
                begin = opened_at(row) - _ROOM_MS
                spans[stream] = (min(start or begin, begin), max(end or 0, row.at + _ROOM_MS))
    for each in report.open:
        stream = Stream(each.exchange, report.strategy, each.symbol)
        since = each.since - _ROOM_MS if whole else None
        start, _ = spans.get(stream, (since, None))
        spans[stream] = (start, None)
    return spans


async def _end(exchange: Exchange, symbol: str, within: Range) -> int:
    try:
        _, end = await span(exchange, symbol)
    except SpanUnknown:
        end = None
    last = None if within.until is None else within.until - MINUTE_MS
    return min(moment for moment in (time.time_ns() // 1_000_000, end, last) if moment is not None)
