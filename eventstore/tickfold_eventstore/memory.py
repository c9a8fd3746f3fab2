"""The journal in a list: for backtests and for tests of what stands on a journal. Nothing is durable."""

from __future__ import annotations

import bisect
from collections.abc import AsyncIterator, Iterator, Sequence

import anyio

from .errors import WrongExpectedVersion
from .events import Event
from .log import Head, Record, check_append
from .signals import Stream


class MemoryJournal:
    """An `EventLog` whose hashes are all zeros: nothing here can be damaged."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.head = Head()
        self._records: list[tuple[Event, ...]] = []
        self._appended: anyio.Event | None = None

    def append(self, events: Sequence[Event], *, expected_seq: int) -> Head:
        if expected_seq != self.head.seq:
            raise WrongExpectedVersion(str(self.stream), expected_seq, self.head.seq)
        check_append(self.stream, events, self.head)
        self.head = head = Head(events[-1].seq)
        self._records.append(tuple(events))
        if self._appended is not None:
            self._appended.set()
            self._appended = None
        return head

    def records(self, from_seq: int = 1) -> Iterator[Record]:
        start = bisect.bisect_left(self._records, from_seq, key=lambda events: events[-1].seq)
        yield from map(_record, self._records[start:])

    def read(self, from_seq: int = 1) -> Iterator[Event]:
        for record in self.records(from_seq):
            for event in record.events:
                if event.seq >= from_seq:
                    yield event

    def read_backwards(self) -> Iterator[Record]:
        return map(_record, reversed(self._records))

    async def follow(self, from_seq: int = 1) -> AsyncIterator[Event]:
        while True:
            appended = self._appended = self._appended or anyio.Event()
            for event in self.read(from_seq):
                yield event
                from_seq = event.seq + 1
            if self.head.seq < from_seq:
                await appended.wait()


def _record(events: tuple[Event, ...]) -> Record:
    return Record(*Head(events[-1].seq), events)
