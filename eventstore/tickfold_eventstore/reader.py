"""Reading a journal forwards from any event, once or for ever, in the process that writes it or in another.

Every line is verified against the one before it. While a writer lives, a reader in another process stops at MARK and
never at the last line that can be parsed, for that one may not be on the disk yet.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing

from .errors import CorruptJournal
from .events import Event
from .folder import Folder, read_all, segment_name
from .lock import holder_of
from .log import Head, Record
from .record import ZERO_HASH, Line, verified
from .signals import Stream
from .tail import FILLER, judge_tail
from .walk import backwards, last_valid, record_of, records_backwards

_BLOCK = 1 << 20
_DEBOUNCE_MS, _STEP_MS, _POLL_MS = 100, 10, 500


class Cursor:
    """A place in a stream, from which one reads on as it grows. `seq` is the last event that was passed."""

    def __init__(self, folder: Folder, from_seq: int = 1) -> None:
        self.seq = 0
        self._folder = folder
        self._from_seq = max(1, from_seq)
        self._segment = 0
        self._offset = 0
        self._previous = b""

    def events(self, upto: int | None) -> Iterator[Event]:
        """The events from `from_seq` on, or from where it stands, up to event `upto` or the last valid one."""
        for record in self.records(upto):
            for event in record.events:
                if event.seq >= self._from_seq:
                    yield event

    def records(self, upto: int | None) -> Iterator[Record]:
        """The same as records. Raises `CorruptJournal`, `NewerFormat`."""
        for line in self.lines(upto):
            if line.kind == b"events" and line.seq >= self._from_seq:
                yield record_of(self._folder, line)

    def lines(self, upto: int | None) -> Iterator[Line]:
        """The lines, verified, headers and seals among them, from the beginning of the segment that holds the event."""
        while upto is None or self.seq < upto:
            if not self._segment and not self._find_segment(upto):
                return
            sealed = False
            with self._folder.opened(segment_name(self._segment)) as descriptor:
                for line in self._of_segment(descriptor):
                    kind = line.kind
                    if kind == b"events":
                        self.seq, sealed = line.seq, False
                    else:
                        sealed = kind == b"seal"
                    yield line
                    if upto is not None and self.seq >= upto:
                        return
                if not sealed:
                    self._check_end(descriptor, upto)
                    return
            if not self._next_segment(upto):
                return

    def _find_segment(self, upto: int | None) -> bool:
        segments = self._folder.segments()
        if not segments:
            self._check_reached(upto, 0)
            return False
        self._segment = max((each for each in segments if each <= self._from_seq), default=segments[0])
        self.seq = self._segment - 1
        if self._segment == segments[0]:
            with self._folder.opened(segment_name(self._segment)) as descriptor:
                header, _ = self._folder.header(descriptor, self._segment)
            if header.previous != ZERO_HASH.decode():
                raise self._folder.corrupt("missing", self._segment, 0, 0, "the segment before it is not there")
        return True

    def _of_segment(self, descriptor: int) -> Iterator[Line]:
        folder = self._folder
        if not self._offset:
            header, _ = folder.header(descriptor, self._segment, good=self.seq)
            if self._previous and header.previous.encode() != self._previous:
                raise folder.corrupt("header", self._segment, 0, self.seq, "it does not follow the segment before it")
            self._previous = header.previous.encode()
        carry = b""
        previous: bytes = self._previous
        segment, offset = self._segment, self._offset
        position = offset
        while block := folder.files.pread(descriptor, _BLOCK, position):
            position += len(block)
            pieces = (carry + block).split(FILLER)
            carry = pieces.pop()
            for piece in pieces:
                raw = piece + FILLER
                line = verified(previous, raw, segment, offset)
                if line is None:
                    return
                offset += len(raw)
                previous = raw[-19:-3]
                self._offset, self._previous = offset, previous
                yield line

    def _check_end(self, descriptor: int, upto: int | None) -> None:
        """What stands behind the last valid line of the last segment must be free space or a torn append."""
        self._check_reached(upto, self._offset)
        folder = self._folder
        size = folder.files.size(descriptor)
        tail = judge_tail(
            read_all(folder.files, descriptor, size - self._offset, self._offset), size, folder.layout.unit
        )
        if tail.damage is not None:
            raise folder.corrupt(tail.damage[0], self._segment, self._offset, self.seq, tail.damage[1])
        if folder.segments()[-1] != self._segment:
            raise folder.corrupt("seal", self._segment, self._offset, self.seq, "it does not end in a seal")
        self._check_mark()

    def _next_segment(self, upto: int | None) -> bool:
        later = [segment for segment in self._folder.segments() if segment > self._segment]
        if not later:
            self._check_reached(upto, self._offset)
            self._check_mark()
            return False
        if later[0] != self.seq + 1:
            detail = f"the segment before it ends at event {self.seq}"
            raise self._folder.corrupt("name", later[0], 0, self.seq, detail)
        self._segment, self._offset = later[0], 0
        return True

    def _check_reached(self, upto: int | None, offset: int) -> None:
        if upto is not None and self.seq < upto:
            detail = f"event {upto} was acknowledged, and what stands here is not valid"
            raise self._folder.corrupt("missing", self._segment or None, offset, self.seq, detail)

    def _check_mark(self) -> None:
        mark = self._folder.mark()
        if mark is not None and mark.seq > self.seq:
            detail = f"event {mark.seq} was acknowledged and is not there"
            raise self._folder.corrupt("missing", self._segment, self._offset, self.seq, detail)


class Reader:
    """A stream's journal for those who do not write it. Never changes a byte."""

    def __init__(self, folder: Folder) -> None:
        self.stream: Stream = folder.stream
        self.folder = folder

    def holder(self) -> str | None:
        """Who holds the stream now, in words; None where nobody does."""
        return holder_of(self.folder)

    def head(self) -> Head:
        """The last record that may be read now."""
        newest = next(self.read_backwards(), None)
        return Head(newest.seq, newest.hash) if newest else Head()

    def records(self, from_seq: int = 1) -> Iterator[Record]:
        """The records from the one that holds event `from_seq` on. Raises `CorruptJournal`, `NewerFormat`."""
        cursor = Cursor(self.folder, from_seq)
        while True:
            before, limit = self.signs_of_a_writer(), self.limit()
            try:
                yield from cursor.records(limit)
            except CorruptJournal:
                if not self.may_have_moved(before, limit):
                    raise
            else:
                return

    def read(self, from_seq: int = 1) -> Iterator[Event]:
        """The events from `from_seq` on."""
        for record in self.records(from_seq):
            for event in record.events:
                if event.seq >= from_seq:
                    yield event

    def read_backwards(self) -> Iterator[Record]:
        """The records, newest first."""
        while True:
            before, limit = self.signs_of_a_writer(), self.limit()
            records = records_newest_first(self.folder, limit)
            try:
                newest = next(records, None)
            except CorruptJournal:
                if not self.may_have_moved(before, limit):
                    raise
            else:
                if newest is not None:
                    yield newest
                    yield from records
                return

    def signs_of_a_writer(self) -> object:
        """What a writer changes when it comes, appends or goes."""
        try:
            segments = self.folder.segments()
        except CorruptJournal:
            return None  # a file with a strange name: said by whoever reads
        size = 0
        if segments:
            with self.folder.opened(segment_name(segments[-1])) as descriptor:
                size = self.folder.files.size(descriptor)
        return self.holder(), self.folder.mark(), segments[-1:], size

    def may_have_moved(self, before: object, limit: int | None) -> bool:
        """Whether what looks like damage may be a writer that came since `before`: it must be read once more.

        Who reads up to MARK (`limit`) is in nobody's way.
        """
        return limit is None and self.signs_of_a_writer() != before

    async def follow(self, from_seq: int = 1) -> AsyncGenerator[Event, None]:
        """The events from `from_seq` on up to MARK, then each as it is acknowledged, for ever."""
        async with aclosing(self.follow_records(from_seq)) as records:
            async for record in records:
                for event in record.events:
                    if event.seq >= from_seq:
                        yield event

    async def follow_records(self, from_seq: int = 1) -> AsyncGenerator[Record, None]:
        """The same as records."""
        from watchfiles import awatch

        cursor = Cursor(self.folder, from_seq)
        changes = awatch(
            self.folder.path,
            debounce=_DEBOUNCE_MS,
            step=_STEP_MS,
            rust_timeout=_POLL_MS,
            yield_on_timeout=True,
            recursive=False,
        )
        try:
            while True:
                mark = self.folder.mark()
                for record in cursor.records(mark.seq if mark else 0):
                    yield record
                await anext(changes)
        finally:
            await changes.aclose()

    def limit(self) -> int | None:
        """The last event that may be read now: MARK's while a writer lives, else None: to the last valid one."""
        if self.holder() is None:
            return None
        mark = self.folder.mark()
        return mark.seq if mark else 0


def records_newest_first(folder: Folder, upto: int | None) -> Iterator[Record]:
    """The records from event `upto`, or the last valid one, back. Raises `CorruptJournal`, `NewerFormat`."""
    segments = folder.segments()
    if not segments or upto == 0:
        return
    with folder.opened(segment_name(segments[-1])) as descriptor:
        size = folder.files.size(descriptor)
        folder.header(descriptor, segments[-1])
        last = last_valid(folder, descriptor, segments[-1], size)
        if upto is None:
            tail = judge_tail(read_all(folder.files, descriptor, size - last.end, last.end), size, folder.layout.unit)
            if tail.damage is not None:
                raise folder.corrupt(tail.damage[0], last.segment, last.end, last.seq, tail.damage[1])
    mark = folder.mark() if upto is None else Head(upto)
    if mark is not None and mark.seq > last.seq:
        detail = f"event {mark.seq} was acknowledged and is not there"
        raise folder.corrupt("missing", last.segment, last.end, last.seq, detail)
    for record in records_backwards(folder, backwards(folder, segments, last)):
        if upto is None or record.seq <= upto:
            yield record
