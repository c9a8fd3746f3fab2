"""One stream's events from anywhere, a page at a time: many readers at many places share what was read once.

    shelf = Shelf()                          the pages that were read last, of any number of streams
    pages = Pages(reader, shelf)
    pages.after(seq, upto)                   the events behind event `seq` up to event `upto`, oldest first

A reader has a place and no buffer: what it costs between two pages is a number.
"""

from __future__ import annotations

import copy
from bisect import bisect_right, insort
from collections import OrderedDict
from collections.abc import Generator, Iterator
from contextlib import closing
from typing import NamedTuple, cast

from tickfold_eventstore.errors import CorruptJournal, NewerFormat
from tickfold_eventstore.events import Event
from tickfold_eventstore.reader import Cursor, Reader
from tickfold_eventstore.record import Line
from tickfold_eventstore.walk import record_of

RECORDS = 256
"""A page ends after so many records,"""

BYTES = 1 << 18
"""or where its lines are longer than this together."""

UNREADABLE = (CorruptJournal, NewerFormat, OSError)
"""What keeps one stream from being read on, and leaves the others as they are."""


class Page(NamedTuple):
    """Some events that follow on one another; `last` is the seq of the last one, `fault` what stands behind it."""

    events: tuple[Event, ...]
    last: int
    fault: Exception | None


class Shelf:
    """Pages up to `room` events in all; the one that was not asked for the longest goes first."""

    def __init__(self, room: int = 50_000) -> None:
        self._pages: OrderedDict[tuple[Pages, int], Page] = OrderedDict()
        self._room = room

    def find(self, pages: Pages, first: int) -> Page | None:
        """The page of a stream that begins with event `first`, if it is here."""
        page = self._pages.get((pages, first))
        if page is not None:
            self._pages.move_to_end((pages, first))
        return page

    def keep(self, pages: Pages, first: int, page: Page) -> None:
        """Put a page here, in place of the one that began there."""
        before = self._pages.pop((pages, first), None)
        self._room += len(before.events) if before is not None else 0
        self._pages[pages, first] = page
        self._room -= len(page.events)
        while self._room < 0 and len(self._pages) > 1:
            _, oldest = self._pages.popitem(last=False)
            self._room += len(oldest.events)


class Pages:
    """The pages of one stream's journal. To be dropped where the journal turns out to be another one."""

    def __init__(self, reader: Reader, shelf: Shelf) -> None:
        self.stream = reader.stream
        self._folder = reader.folder
        self._shelf = shelf
        self._firsts: list[int] = []
        self._cursors: dict[int, Cursor] = {}

    def after(self, seq: int, upto: int) -> Iterator[Event]:
        """Raises `CorruptJournal`, `NewerFormat`, `OSError` behind the last event that can be read."""
        while seq < upto:
            page = self._page_with(seq + 1, upto)
            for event in page.events:
                if seq < event.seq <= upto:
                    yield event
            if page.last <= seq:
                raise page.fault or self._folder.corrupt("missing", None, 0, seq, f"event {upto} is not there")
            seq = page.last

    def _page_with(self, wanted: int, upto: int) -> Page:
        """The page that holds event `wanted`, or the one that ends before it because of its fault."""
        while True:
            first = self._first_before(wanted)
            page = self._shelf.find(self, first)
            if page is None or page.last < wanted:
                page = self._read(first, upto)
                self._shelf.keep(self, first, page)
            if page.last >= wanted or page.fault is not None or page.last + 1 not in self._cursors:
                return page

    def _first_before(self, wanted: int) -> int:
        """Where the page that holds event `wanted` begins: at a place that is known, or at one that is found now by
        verifying lines from the beginning of the segment, without making events of them.
        """
        segments = self._folder.segments()
        if not segments:
            raise self._folder.corrupt("missing", None, 0, 0, "there is no segment")
        segment = max((each for each in segments if each <= wanted), default=segments[0])
        if segment not in self._cursors:
            self._know(segment, Cursor(self._folder, segment))
        first = self._firsts[bisect_right(self._firsts, wanted) - 1]
        if wanted - first > RECORDS:
            self._skim(first, wanted - 1)
            first = self._firsts[bisect_right(self._firsts, wanted) - 1]
        return first

    def _skim(self, first: int, upto: int) -> None:
        cursor, records = copy.copy(self._cursors[first]), 0
        with _closing(cursor.lines(upto)) as lines:
            for line in lines:
                records += line.kind == b"events"
                if records == RECORDS:
                    self._know(cursor.seq + 1, copy.copy(cursor))
                    records = 0

    def _read(self, first: int, upto: int) -> Page:
        cursor = copy.copy(self._cursors[first])
        events: list[Event] = []
        records = size = 0
        fault: Exception | None = None
        try:
            with _closing(cursor.lines(upto)) as lines:
                for line in lines:
                    if line.kind != b"events":
                        continue
                    events += record_of(self._folder, line).events
                    records, size = records + 1, size + len(line.raw)
                    if records == RECORDS or size > BYTES:
                        self._know(cursor.seq + 1, copy.copy(cursor))
                        break
        except UNREADABLE as error:
            fault = error
        return Page(tuple(events), events[-1].seq if events else first - 1, fault)

    def _know(self, first: int, cursor: Cursor) -> None:
        if first not in self._cursors:
            insort(self._firsts, first)
            self._cursors[first] = cursor


def _closing(lines: Iterator[Line]) -> closing[Generator[Line]]:
    """Left in the middle, they hold a descriptor until they are closed."""
    return closing(cast("Generator[Line]", lines))
