"""Closed signals by month, by day of the week, by hour and by how long they were held. All of them are UTC.

by_month(curve, trades) -> list[Month]
by_weekday(trades) -> list[Share]         Monday to Sunday, all seven
by_hour(trades) -> list[list[Share]]      the seven days, of each the 24 hours
by_holding_time(trades) -> list[Share]    every band
holding_bins(trades) -> list[Bin]         bands of one width, for a histogram
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from datetime import date, timedelta

import attrs

from .equity import DAY_MS, Point
from .figures import Figure, figure
from .trades import Trade

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

BANDS = (
    ("under 15 min", 15),
    ("15 min to 1 h", 60),
    ("1 to 4 h", 240),
    ("4 to 12 h", 720),
    ("12 h and more", math.inf),
)
"""How long signals are held: a name, and the minutes under which it applies."""

WIDTHS = (1, 2, 5, 10, 15, 20, 30, 60, 120, 180, 240, 360, 720, 1440)
"""How many minutes a bin of a histogram may span; more are whole days."""

BINS = 24
"""At most so many bins."""

_HOUR_MS = 3_600_000

_EPOCH = date(1970, 1, 1)
_THURSDAY = 3
"""The day of the week of the epoch, Monday being 0."""


@attrs.frozen
class Month:
    """A calendar month from the first opening to the last closing.

    `name` is `2022-01`, `total` the sum of the results and `change` that of the equity, in percent. A month in which
    nothing closed changed nothing.
    """

    name: str
    closed: int
    wins: int
    total: Figure
    change: Figure


@attrs.frozen
class Share:
    """Closed signals that have something in common; `total` is the sum of their results in percent."""

    name: str
    closed: int
    wins: int
    total: Figure


@attrs.frozen
class Bin:
    """Closed signals that were held for `begin` minutes or more and less than `end`."""

    begin: int
    end: int
    wins: int
    losses: int
    draws: int

    @property
    def closed(self) -> int:
        return self.wins + self.losses + self.draws


def by_month(curve: Sequence[Point], trades: Sequence[Trade]) -> list[Month]:
    """The months of an equity curve; none where nothing closed, or where a calendar cannot name them."""
    if not trades:
        return []
    try:
        first, last = _month(curve[0].at), _month(curve[-1].at)
    except OverflowError:
        return []
    closed = _grouped((_month(trade.closed_at), trade) for trade in trades)
    ends = {_month(point.at): point.equity for point in curve}
    months: list[Month] = []
    before = curve[0].equity
    for month in range(first, last + 1):
        share = _share(f"{month // 12:04}-{month % 12 + 1:02}", closed.get(month, []))
        end = ends.get(month, before)
        months.append(Month(share.name, share.closed, share.wins, share.total, change_of(before, end)))
        before = end
    return months


def change_of(before: float, after: float) -> Figure:
    """How far an equity went, in percent of what it was."""
    return figure(lambda: 100 * (after / before - 1), None if before else "the equity was nothing before")


def by_weekday(trades: Sequence[Trade]) -> list[Share]:
    """By the day on which they closed."""
    closed = _grouped(((trade.closed_at // DAY_MS + _THURSDAY) % 7, trade) for trade in trades)
    return [_share(name, closed.get(day, [])) for day, name in enumerate(WEEKDAYS)]


def by_hour(trades: Sequence[Trade]) -> list[list[Share]]:
    """By the day and the hour in which they were opened."""
    opened = _grouped((_hour_of_week(trade.opened_at), trade) for trade in trades)
    return [
        [_share(f"{name} {hour:02}:00", opened.get(day * 24 + hour, [])) for hour in range(24)]
        for day, name in enumerate(WEEKDAYS)
    ]


def _hour_of_week(at: int) -> int:
    return (at // _HOUR_MS + 24 * _THURSDAY) % (24 * 7)


def holding_bins(trades: Sequence[Trade]) -> list[Bin]:
    """From 0 to the longest time, in bins of the least of `WIDTHS` that makes no more than `BINS` of them."""
    if not trades:
        return []
    longest = max(trade.minutes for trade in trades)
    days = -(-longest // (BINS * 1440))
    width = next((width for width in WIDTHS if longest < width * BINS), 1440 * int(max(1, days)))
    if longest >= width * BINS:  # exactly at the end of the last
        width += 1440
    held = _grouped((int(trade.minutes // width), trade) for trade in trades)
    return [_bin(place * width, width, held.get(place, [])) for place in range(int(longest // width) + 1)]


def _bin(begin: int, width: int, trades: Sequence[Trade]) -> Bin:
    wins, losses = sum(trade.percentage > 0 for trade in trades), sum(trade.percentage < 0 for trade in trades)
    return Bin(begin, begin + width, wins, losses, len(trades) - wins - losses)


def by_holding_time(trades: Sequence[Trade]) -> list[Share]:
    """By the time from opening to closing."""
    closed = _grouped((next(n for n, (_, end) in enumerate(BANDS) if trade.minutes < end), trade) for trade in trades)
    return [_share(name, closed.get(band, [])) for band, (name, _) in enumerate(BANDS)]


def _month(at: int) -> int:
    """Months since the year 0."""
    day = _EPOCH + timedelta(days=at // DAY_MS)
    return day.year * 12 + day.month - 1


def _grouped(pairs: Iterable[tuple[int, Trade]]) -> dict[int, list[Trade]]:
    """What stands under each key, in the order in which it came."""
    ordered = sorted(pairs, key=lambda pair: pair[0])
    return {key: [trade for _, trade in group] for key, group in itertools.groupby(ordered, key=lambda pair: pair[0])}


def _share(name: str, trades: Sequence[Trade]) -> Share:
    results = [trade.percentage for trade in trades]
    return Share(name, len(results), sum(result > 0 for result in results), figure(lambda: math.fsum(results)))
