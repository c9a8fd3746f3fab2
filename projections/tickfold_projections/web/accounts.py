"""Statistics and reports of any streams: made one at a time in a thread, and remembered until something is added.

What was folded for statistics goes on with the new events alone. All of it is memory, and bounded: throwing it away
costs no more than folding the journals again.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from typing import Literal, assert_never

import anyio
import anyio.to_thread
import attrs
import msgspec

from tickfold_eventstore.events import Event
from tickfold_eventstore.reader import Cursor
from tickfold_eventstore.signals import Stream

from ..render_csv import render_csv
from ..render_html import render_html
from ..render_json import render_json
from ..render_markdown import render_markdown
from ..report import Report, report
from ..statistics import Statistics, statistics_of
from ..trades import Ledger
from .hub import Hub

Form = Literal["html", "md", "json", "csv"]

LONGEST_REPORT = 100_000
"""Events that a report over HTTP may tell; the command has no such limit."""

WAITING = 16
"""Who may wait for a fold at a time."""

_BOOKS, _TRADES, _BYTES = 8, 300_000, 32 << 20

Heads = tuple[tuple[Stream, int], ...]


class TooBusy(Exception):
    """So many folds are waited for that another one is refused."""


class TooLong(Exception):
    """A report would tell more events than one is made of here."""


@attrs.define
class Book:
    """A ledger that goes on: of which streams, and how far each was read."""

    ledger: Ledger = attrs.Factory(Ledger)
    cursors: dict[Stream, Cursor] = attrs.Factory(dict[Stream, Cursor])

    def read_on(self, hub: Hub, heads: Heads) -> None:
        """Book what was added. Raises `CorruptJournal`, `NewerFormat`, `OSError`."""
        for stream, head in heads:
            if stream not in self.cursors:
                self.cursors[stream] = Cursor(hub.store.reader(stream).folder)
            for event in self.cursors[stream].events(head):
                self.ledger.book(event)
        self.ledger.settle()


class Accounts:
    """What was made last, by what it was made from."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._turn = anyio.CapacityLimiter(1)
        self._waiting = 0
        self._made: OrderedDict[object, bytes] = OrderedDict()
        self._books: OrderedDict[tuple[Stream, ...], tuple[Book, Heads]] = OrderedDict()

    async def statistics(self, streams: tuple[Stream, ...], start: int | None, end: int | None) -> bytes:
        """The statistics of these streams as JSON, of what lies in [start, end). Raises `TooBusy`, `CorruptJournal`,
        `NewerFormat`, `OSError`.
        """
        heads = self._heads(streams)
        return await self._remembered(("statistics", heads, start, end), lambda: self._statistics(heads, start, end))

    async def report(self, streams: tuple[Stream, ...], form: Form, start: int | None, end: int | None) -> bytes:
        """The report on these streams, all of one strategy. Raises as `statistics` does, and `TooLong`."""
        heads = self._heads(streams)
        return await self._remembered(
            ("report", form, heads, start, end), lambda: self._report(heads, form, start, end)
        )

    def _heads(self, streams: tuple[Stream, ...]) -> Heads:
        return tuple((stream, self._hub.streams.heads[stream]) for stream in sorted(streams))

    async def _remembered(self, key: object, make: Callable[[], bytes]) -> bytes:
        if key in self._made:
            self._made.move_to_end(key)
            return self._made[key]
        if self._waiting >= WAITING:
            raise TooBusy(f"{WAITING} reports and statistics are waited for already: ask again later")
        self._waiting += 1
        try:
            made = await anyio.to_thread.run_sync(make, limiter=self._turn)
        finally:
            self._waiting -= 1
        self._made[key] = made
        while sum(map(len, self._made.values())) > _BYTES and len(self._made) > 1:
            self._made.popitem(last=False)
        return made

    def _statistics(self, heads: Heads, start: int | None, end: int | None) -> bytes:
        if start is not None or end is not None:
            ledger = Ledger(start, end)
            for event in self._events(heads, {}):
                ledger.book(event)
            ledger.settle()
        else:
            ledger = self._book(heads).ledger
        told: Statistics = statistics_of(ledger)
        return msgspec.json.encode(told)

    def _book(self, heads: Heads) -> Book:
        """The book of these streams, read on to their heads; a new one where a journal is shorter than it was."""
        streams = tuple(stream for stream, _ in heads)
        book, before = self._books.pop(streams, (Book(), ()))
        if any(now < then for (_, now), (_, then) in zip(heads, before, strict=False)):
            book = Book()
        book.read_on(self._hub, heads)
        self._books[streams] = book, heads
        while len(self._books) > _BOOKS or sum(len(kept.ledger.trades) for kept, _ in self._books.values()) > _TRADES:
            self._books.popitem(last=False)
        return book

    def _report(self, heads: Heads, form: Form, start: int | None, end: int | None) -> bytes:
        strategy = heads[0][0].strategy
        hashes: dict[Stream, str] = {}
        told = report(strategy, self._few(self._events(heads, hashes, end)), start=start, end=end, hashes=hashes)
        return rendered(told, form).encode()

    def _events(self, heads: Heads, hashes: dict[Stream, str], end: int | None = None) -> Iterator[Event]:
        """Stream after stream; `hashes` gets the hash of the last record of each before `end`."""
        for stream, head in heads:
            for record in Cursor(self._hub.store.reader(stream).folder).records(head):
                if end is not None and record.events[0].at >= end:
                    break
                hashes[stream] = record.hash
                yield from record.events

    def _few(self, events: Iterator[Event]) -> Iterator[Event]:
        for count, event in enumerate(events, 1):
            if count > LONGEST_REPORT:
                raise TooLong(
                    f"the report would tell more than {LONGEST_REPORT} events: end it earlier with to=, or make it "
                    "with `tickfold report`"
                )
            yield event


def rendered(told: Report, form: Form) -> str:
    """A report in one of its forms."""
    match form:
        case "html":
            return render_html(told)
        case "md":
            return render_markdown(told)
        case "json":
            return render_json(told)
        case "csv":
            return render_csv(told)
        case _:
            assert_never(form)


MEDIA: Mapping[Form, str] = {
    "html": "text/html; charset=utf-8",
    "md": "text/markdown; charset=utf-8",
    "json": "application/json",
    "csv": "text/csv; charset=utf-8",
}
