"""All streams of a store as one: ordered by `at`, then `recorded_at`, then stream, and never against a stream's seq.

    streams = Confluence(store)
    streams.look(store.streams())            how far each may be read now
    streams.after(position, limit=500)       the next events behind a position, at most so many
    async for there in arrivals(store)       when to look again

A position says how far one has read in each stream. Whoever keeps it, across a lost connection or a restart on either
side, goes on from there: nothing is missed and nothing comes twice. What comes late in one stream comes after what was
handed out of the others; within what is there at one time, the order holds.
"""

from __future__ import annotations

import heapq
import itertools
import re
from bisect import bisect_left
from collections.abc import AsyncGenerator, Container, Iterable, Iterator, Mapping
from contextlib import aclosing
from hashlib import sha256
from typing import cast

import anyio

from tickfold_eventstore.errors import StreamNotFound
from tickfold_eventstore.events import Event
from tickfold_eventstore.reader import Reader
from tickfold_eventstore.signals import Stream
from tickfold_eventstore.store import Store

from .pages import UNREADABLE, Pages, Shelf
from .stream import stirring

Position = Mapping[Stream, int]
"""The seq of the last event that was read, by stream; a stream that is not named was not read yet."""

_LOOK_S = 0.2
_POSITION = re.compile(r"(?:[0-9a-f]{12}:[1-9][0-9]{0,17})(?:,[0-9a-f]{12}:[1-9][0-9]{0,17})*")


class Confluence:
    """The streams that were looked at. `heads`: the last event of each that may be read; `faults`: what is wrong with
    those that cannot be read on.
    """

    def __init__(self, store: Store) -> None:
        self.heads: dict[Stream, int] = {}
        self.faults: dict[Stream, Exception] = {}
        self._store = store
        self._shelf = Shelf()
        self._pages: dict[Stream, Pages] = {}
        self._readers: dict[Stream, Reader] = {}
        self._stuck: dict[Stream, int] = {}

    def look(self, streams: Iterable[Stream]) -> set[Stream]:
        """See how far each of these may be read; those with news. Streams that are not named are forgotten."""
        there = sorted(streams)
        news = {stream for stream in there if self._moved(stream)}
        for stream in self.heads.keys() - set(there):
            del self.heads[stream]
            self._forget(stream)
            news.add(stream)
        return news

    def after(self, position: Position, limit: int, among: Container[Stream] | None = None) -> list[Event]:
        """The next events, of the streams in `among` (None: of all), in their order. A stream that cannot be read on
        gives what stands before the fault.
        """
        behind = (
            (stream, position.get(stream, 0))
            for stream, head in self.heads.items()
            if position.get(stream, 0) < min(head, self._stuck.get(stream, head)) and (among is None or stream in among)
        )
        ways = [self._way(stream, seq) for stream, seq in behind]
        merged = heapq.merge(*ways, key=lambda event: (event.at, event.recorded_at, event.stream))
        return list(itertools.islice(merged, limit))

    def of(self, stream: Stream, seq: int, limit: int) -> list[Event]:
        """The next events of one stream behind event `seq`. Raises `CorruptJournal`, `NewerFormat`, `OSError`."""
        head = min(self.heads.get(stream, 0), seq + limit)
        return list(self._pages_of(stream).after(seq, head))

    def before(self, stream: Stream, at: int) -> int:
        """The seq of the last event of a stream with an `at` (ms) under this one, 0 where there is none. Raises as
        `of` does.
        """
        seqs = range(1, self.heads.get(stream, 0) + 1)
        return bisect_left(seqs, at, key=lambda seq: self.of(stream, seq - 1, 1)[0].at)

    def reader(self, stream: Stream) -> Reader:
        """The journal of a stream. Raises `StreamNotFound`."""
        if stream not in self._readers:
            self._readers[stream] = self._store.reader(stream)
        return self._readers[stream]

    def _moved(self, stream: Stream) -> bool:
        try:
            head = readable(self.reader(stream))
        except StreamNotFound:
            return False  # gone between the list and the look
        except UNREADABLE as error:
            known = self.faults.get(stream)
            self.faults[stream] = error
            self.heads.setdefault(stream, 0)
            return known is None or str(known) != str(error)
        before = self.heads.get(stream)
        if before is not None and head < before:
            self._forget(stream)  # another journal stands in its place
        # What a disk refused once, it may give now; what is damaged stays so until something else stands there.
        healed = head != before or isinstance(self.faults.get(stream), OSError)
        if healed:
            self.faults.pop(stream, None)
            self._stuck.pop(stream, None)
        self.heads[stream] = head
        return healed

    def _way(self, stream: Stream, seq: int) -> Iterator[Event]:
        try:
            for event in self._pages_of(stream).after(seq, self.heads[stream]):
                yield event
                seq = event.seq
        except UNREADABLE as error:
            self.faults[stream], self._stuck[stream] = error, seq
            self._pages.pop(stream, None)

    def _pages_of(self, stream: Stream) -> Pages:
        if stream not in self._pages:
            self._pages[stream] = Pages(self.reader(stream), self._shelf)
        return self._pages[stream]

    def _forget(self, stream: Stream) -> None:
        self.faults.pop(stream, None)
        self._stuck.pop(stream, None)
        self._pages.pop(stream, None)
        self._readers.pop(stream, None)


async def arrivals(store: Store) -> AsyncGenerator[list[Stream]]:
    """The streams that there are, as soon as the data directory is there, then whenever one may have grown or another
    may have come, for ever. Close it where it is left.
    """
    while not store.data_dir.is_dir():
        await anyio.sleep(_LOOK_S)
    async with aclosing(cast("AsyncGenerator[list[Stream]]", stirring(store))) as wakes:
        async for there in wakes:
            yield there


def readable(reader: Reader) -> int:
    """The last event that may be told to others: what MARK names; where there is no MARK and nobody writes, the last
    that is whole. Raises `CorruptJournal`, `NewerFormat`, `OSError`.
    """
    mark = reader.folder.mark()
    if mark is not None:
        return mark.seq
    return reader.head().seq if reader.holder() is None else 0


def key_of(stream: Stream) -> str:
    """A short name of a stream in a position: 12 hex digits of the SHA-256 of its three names."""
    return sha256("\0".join(stream).encode()).hexdigest()[:12]


def position_text(position: Position) -> str:
    """A position as text: `KEY:SEQ`, comma-separated; empty where nothing was read."""
    return ",".join(f"{key}:{seq}" for key, seq in sorted((key_of(each), seq) for each, seq in position.items()) if seq)


def position_of(text: str, streams: Iterable[Stream]) -> dict[Stream, int]:
    """The position that such a text names, of these streams; of others it may name, nothing is said.

    Raises `ValueError` for a text that is none.
    """
    if text and not _POSITION.fullmatch(text):
        raise ValueError("it is no position that was handed out here")
    told = dict(pair.split(":") for pair in text.split(",")) if text else {}
    return {stream: int(told[key]) for stream in streams if (key := key_of(stream)) in told}
