"""How far each signal was in profit and in loss while it was open, and the price around it: a report beside candles.

    with_market(report, candles) -> Report

The candle that closed a signal is known to have held its open and the exit; what else it held may have come before the
exit or behind it, so it does not count. One that ran into its lifetime was open to the end of its last candle, which
counts whole. A signal that was filled and closed by one candle counts with its entry and its exit alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

import attrs
import msgspec
import numpy as np

from tickfold_eventstore.signals import Stream

from .prices import Excursion, Market, PricePoint, Stretch
from .report import Report, Row
from .told import opened_at
from .trades import MINUTE_MS

SIGNALS_A_STRETCH = 40
"""So many signals can be told apart in one drawing."""

POINTS_A_STRETCH = 500
"""So many points of the price can be seen in one drawing."""


class Minutes(Protocol):
    """One-minute candles as arrays of one length, oldest first; `time` is the open time in ms."""

    @property
    def time(self) -> Any: ...
    @property
    def open(self) -> Any: ...
    @property
    def high(self) -> Any: ...
    @property
    def low(self) -> Any: ...
    @property
    def close(self) -> Any: ...


@attrs.frozen
class _Held:
    """When a signal was open; `end_at` is the last boundary for one that still is."""

    begin_at: int
    end_at: int


def with_market(report: Report, candles: Mapping[Stream, Minutes]) -> Report:
    """The report with what the candles of its streams say. A stream without any is left out."""
    stretches: list[Stretch] = []
    excursions: dict[tuple[str, str, str], Excursion] = {}
    for stream, minutes in sorted(candles.items()):
        closed = [row for row in report.rows if row.action == "closed" and _of(stream, row)]
        stretches.extend(_stretches(stream, _held(report, stream, closed, minutes), minutes))
        found = (_excursion(row, minutes) for row in closed)
        excursions.update({(each.exchange, each.symbol, each.signal_id): each for each in found if each is not None})
    told = (
        excursions.get((row.exchange, row.symbol, row.signal_id or "")) for row in report.rows if row.action == "closed"
    )
    market = Market(stretches=tuple(stretches), excursions=tuple(each for each in told if each is not None))
    return msgspec.structs.replace(report, market=market)


def _of(stream: Stream, row: Row) -> bool:
    return row.exchange == stream.exchange and row.symbol == stream.symbol


def _excursion(row: Row, minutes: Minutes) -> Excursion | None:
    begin_at, entry, leave = opened_at(row), row.entry, row.price
    first, last = (int(place) for place in np.searchsorted(minutes.time, (begin_at, row.at)))
    if (last - first) * MINUTE_MS != row.at - begin_at or not isinstance(entry, float | int) or leave is None:
        return None
    if first < last and int(minutes.time[first]) != begin_at:
        return None
    whole = last if row.reason == "time_expired" else last - 1
    seen = [float(entry), leave]
    if first < last:
        seen.append(float(minutes.open[last - 1]))
    if first < whole:
        seen += [float(minutes.low[first:whole].min()), float(minutes.high[first:whole].max())]
    moved = [100 * (price / entry - 1) for price in (min(seen), max(seen))]
    adverse, favourable = moved if row.position == "long" else (-moved[1], -moved[0])
    return Excursion(
        exchange=row.exchange,
        symbol=row.symbol,
        signal_id=row.signal_id or "",
        adverse=adverse,
        favourable=favourable,
    )


def _held(report: Report, stream: Stream, closed: Sequence[Row], minutes: Minutes) -> list[_Held]:
    """The signals of a stream, by when they were opened."""
    end_at = int(minutes.time[-1]) + MINUTE_MS if len(minutes.time) else 0
    held = [_Held(opened_at(row), row.at) for row in closed]
    held += [
        _Held(each.since, max(each.since, end_at))
        for each in report.open
        if each.state == "opened" and (each.exchange, each.symbol) == (stream.exchange, stream.symbol)
    ]
    return sorted(held, key=lambda each: each.begin_at)


def _stretches(stream: Stream, held: Sequence[_Held], minutes: Minutes) -> Iterator[Stretch]:
    """As many signals in each, as evenly as it goes, and the price around them."""
    count = -(-len(held) // SIGNALS_A_STRETCH)
    for number in range(count):
        inside = held[len(held) * number // count : len(held) * (number + 1) // count]
        first_at, last_at = inside[0].begin_at, inside[-1].begin_at
        end_at = max(each.end_at for each in inside)
        room = (end_at - first_at) // 40 + 5 * MINUTE_MS
        points = _points(minutes, first_at - room, end_at + room)
        if points:
            yield Stretch(
                exchange=stream.exchange, symbol=stream.symbol, first_at=first_at, last_at=last_at, points=points
            )


def _points(minutes: Minutes, start: int, end: int) -> tuple[PricePoint, ...]:
    """The price from `start` to `end` in at most so many points, each of as many minutes."""
    first, last = (int(place) for place in np.searchsorted(minutes.time, (start, end)))
    if first == last:
        return ()
    step = -(-(last - first) // POINTS_A_STRETCH)
    places = np.arange(first, last, step) - first
    lows = np.minimum.reduceat(minutes.low[first:last], places)
    highs = np.maximum.reduceat(minutes.high[first:last], places)
    ends = np.minimum(places + step, last - first) - 1
    closes, times = minutes.close[first:last][ends], minutes.time[first:last][places]
    return tuple(
        PricePoint(at=at, low=low, high=high, close=close)
        for at, low, high, close in zip(times.tolist(), lows.tolist(), highs.tolist(), closes.tolist(), strict=True)
    )
