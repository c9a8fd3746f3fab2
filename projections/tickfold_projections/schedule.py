"""How limit entries end, and how long they waited.

    schedule(strategy, events, *, start=None, end=None) -> Schedule

`events`: of any number of streams, each stream's from its first on, in the order of its seq. An entry counts in the
range [start, end) (ms) in which it ended; one that still waits at the end of the range counts as waiting.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import attrs
import msgspec

from tickfold_eventstore.events import Cancelled, CancelReason, Event, Opened, Scheduled
from tickfold_eventstore.signals import Stream

from .figures import Definition, Figure, figure
from .measures import mean, median
from .trades import MINUTE_MS

DEFINITIONS = {
    "entries": Definition("Entries", "count", "Limit entries that ended, or that still wait."),
    "filled": Definition("Filled", "count", "The price reached the entry, and the signal was opened."),
    "timed_out": Definition("Timed out", "count", "The price did not reach the entry in time."),
    "price_rejected": Definition(
        "Price rejected", "count", "Cancelled because the price was at the stop before the entry was filled."
    ),
    "stopped": Definition("Stopped", "count", "Dropped because the run was stopped gracefully."),
    "user": Definition("By the user", "count", "Cancelled by hand."),
    "waiting": Definition("Still waiting", "count", "Not ended at the end of the range."),
    "fill_rate": Definition("Fill rate", "share", "Filled entries, of those that ended."),
    "average_fill": Definition("Average wait for a fill", "minutes", "Mean time from scheduling to opening."),
    "median_fill": Definition(
        "Median wait for a fill", "minutes", "The time from scheduling to opening in the middle."
    ),
    "longest_fill": Definition("Longest wait for a fill", "minutes", "The longest time from scheduling to opening."),
    "average_in_vain": Definition("Average wait in vain", "minutes", "Mean time from scheduling to cancelling."),
    "median_in_vain": Definition(
        "Median wait in vain", "minutes", "The time from scheduling to cancelling in the middle."
    ),
    "longest_in_vain": Definition("Longest wait in vain", "minutes", "The longest time from scheduling to cancelling."),
}
"""What each figure of `Entries` is, by the name of its field, in the order of tables."""


class Entries(msgspec.Struct, frozen=True, kw_only=True):
    """The limit entries of one symbol at one exchange, or of all."""

    exchange: str
    symbol: str
    entries: Figure
    filled: Figure
    timed_out: Figure
    price_rejected: Figure
    stopped: Figure
    user: Figure
    waiting: Figure
    fill_rate: Figure
    average_fill: Figure
    median_fill: Figure
    longest_fill: Figure
    average_in_vain: Figure
    median_in_vain: Figure
    longest_in_vain: Figure


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """A line for each symbol that had a limit entry, in the order of exchange and symbol, and the figures of all."""

    strategy: str
    symbols: tuple[Entries, ...]
    together: dict[str, Figure]


@attrs.define
class _Book:
    """The entries of a stream: minutes that the filled ones waited, those of the cancelled by reason, what waits."""

    filled: list[float] = attrs.Factory(list[float])
    cancelled: dict[CancelReason, list[float]] = attrs.Factory(dict[CancelReason, list[float]])
    waiting: int = 0


def schedule(strategy: str, events: Iterable[Event], *, start: int | None = None, end: int | None = None) -> Schedule:
    """Fold the events of a strategy into what became of its limit entries."""
    first, last = -math.inf if start is None else start, math.inf if end is None else end
    books: dict[Stream, _Book] = {}
    for event in events:
        if event.at < last and isinstance(event, Scheduled | Opened | Cancelled):
            _note(books.setdefault(event.stream, _Book()), event, told=event.at >= first)
    told = {stream: book for stream, book in sorted(books.items()) if book.filled or book.cancelled or book.waiting}
    return Schedule(
        strategy=strategy,
        symbols=tuple(
            Entries(exchange=stream.exchange, symbol=stream.symbol, **_figures([book])) for stream, book in told.items()
        ),
        together=_figures(list(told.values())),
    )


def _note(book: _Book, event: Scheduled | Opened | Cancelled, *, told: bool) -> None:
    if isinstance(event, Scheduled):
        book.waiting = 1
        return
    book.waiting = 0
    scheduled_at = event.signal.scheduled_at
    if scheduled_at is None or not told:
        return
    minutes = (event.at - scheduled_at) / MINUTE_MS
    if isinstance(event, Opened):
        book.filled.append(minutes)
    else:
        book.cancelled.setdefault(event.reason, []).append(minutes)


def _figures(books: Sequence[_Book]) -> dict[str, Figure]:
    filled = [minutes for book in books for minutes in book.filled]
    in_vain = [minutes for book in books for waits in book.cancelled.values() for minutes in waits]
    waiting, ended = sum(book.waiting for book in books), len(filled) + len(in_vain)

    def cancelled(reason: CancelReason) -> Figure:
        return Figure(float(sum(len(book.cancelled.get(reason, ())) for book in books)))

    return {
        "entries": Figure(float(ended + waiting)),
        "filled": Figure(float(len(filled))),
        "timed_out": cancelled("timeout"),
        "price_rejected": cancelled("price_rejected"),
        "stopped": cancelled("stopped"),
        "user": cancelled("user"),
        "waiting": Figure(float(waiting)),
        "fill_rate": figure(lambda: 100 * len(filled) / ended, None if ended else "no entry ended"),
        **_waits("fill", filled, "no entry was filled"),
        **_waits("in_vain", in_vain, "no entry was cancelled"),
    }


def _waits(name: str, minutes: Sequence[float], lack: str) -> dict[str, Figure]:
    none = None if minutes else lack
    return {
        f"average_{name}": figure(lambda: mean(minutes), none),
        f"median_{name}": figure(lambda: median(minutes), none),
        f"longest_{name}": figure(lambda: max(minutes), none),
    }
