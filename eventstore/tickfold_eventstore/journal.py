"""The journal of one stream: append one record, durably, at the head. Its only writer holds one of these.

A record is chained, checked for its length, given room, written over free space in one call, synced in one call, and
acknowledged in MARK; only then does `append` return. A sync that fails is final: whether the record is on the disk is
unknown, and only the next start can tell.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator, Sequence
from hashlib import sha256

import anyio

from .codec import encode_events, encode_header, encode_seal
from .errors import AppendRefused, JournalClosed, JournalPoisoned, RecordTooLong, WrongExpectedVersion
from .events import Event
from .folder import MARK, Folder, read_all, segment_name, write_all
from .lock import StreamLock
from .log import Head, Record, check_append
from .mark import BLANK, mark_of
from .reader import Cursor, records_newest_first
from .record import LONGEST, ZERO_HASH, line_of, parse
from .recovery import Found
from .signals import Stream
from .tail import FILLER

_log = logging.getLogger("tickfold.journal")

_SEAL_ROOM = 256
"""More bytes than a seal takes."""


class Journal:
    """An open stream. `recovered` says what opening did beside reading, in words, or is None."""

    def __init__(self, folder: Folder, lock: StreamLock, found: Found, recovered: str | None) -> None:
        self.stream: Stream = folder.stream
        self.recovered = recovered
        self._folder = folder
        self._files = folder.files
        self._lock = lock
        self._head = found.head
        self._previous = ZERO_HASH
        self._segment = 0
        self._end = self._size = 0
        self._sealed = True
        self._data: int | None = None
        self._mark: int | None = None
        self._why_closed: str | None = None
        self._appended: anyio.Event | None = None
        if found.last is not None:
            self._previous = found.last.hash
            self._segment = found.last.segment
            self._sealed = found.last.kind == b"seal"
            self._end = found.last.end
            self._data = self._files.open(folder.at(segment_name(self._segment)))
            self._size = self._files.size(self._data)
            self._mark = self._files.open(folder.at(MARK))

    @property
    def head(self) -> Head:
        return self._head

    def append(self, events: Sequence[Event], *, expected_seq: int) -> Head:
        """Append one record; it is on the disk when this returns.

        Raises `WrongExpectedVersion`, `RecordTooLong`, `AppendRefused` (nothing was written; the next append may work),
        `JournalPoisoned` (unknown whether it was), `JournalClosed`.
        """
        self._check_usable()
        if expected_seq != self._head.seq:
            raise WrongExpectedVersion(str(self.stream), expected_seq, self._head.seq)
        check_append(self.stream, events, self._head)
        seq, t, body = events[-1].seq, events[0].recorded_at * 1000, encode_events(events)
        line = line_of(self._previous, seq, t, b"events", body)
        length = len(line)
        if length > LONGEST:
            raise RecordTooLong(str(self.stream), length, LONGEST)
        if not self._sealed and self._end + length + _SEAL_ROOM > self._folder.layout.segment and self._holds_a_record:
            self._seal()
        if self._sealed:
            self._begin_segment(t)
            line = line_of(self._previous, seq, t, b"events", body)  # as long, but behind the new header
        self._write(line)
        self._previous = line[-19:-3]
        self._head = Head(seq, self._previous.decode())
        self._acknowledge()
        self._wake()
        return self._head

    def records(self, from_seq: int = 1) -> Iterator[Record]:
        return Cursor(self._folder, from_seq).records(self._head.seq)

    def read(self, from_seq: int = 1) -> Iterator[Event]:
        return Cursor(self._folder, from_seq).events(self._head.seq)

    def read_backwards(self) -> Iterator[Record]:
        return records_newest_first(self._folder, self._head.seq)

    async def follow(self, from_seq: int = 1) -> AsyncIterator[Event]:
        cursor = Cursor(self._folder, from_seq)
        while True:
            appended = self._appended = self._appended or anyio.Event()
            for event in cursor.events(self._head.seq):
                yield event
            if cursor.seq >= self._head.seq:
                self._check_usable()
                await appended.wait()

    def close(self) -> None:
        """Give the free space and the stream back; may be repeated. What was acknowledged does not depend on it."""
        if self._why_closed is not None:
            return
        self._why_closed = "the journal is closed"
        mine = self._lock.mine and self._folder.path not in self._files.poisoned
        try:
            if mine and self._data is not None and self._mark is not None:
                self._files.truncate(self._data, self._end)
                self._files.sync(self._mark)
        except OSError as error:
            # Free space that stays is no loss, and MARK is written anew at the next start.
            _log.warning("%s: its free space could not be given back: %s", self.stream, error)
        finally:
            for descriptor in (self._data, self._mark):
                if descriptor is not None:
                    self._let_go(descriptor)
            self._data = self._mark = None
            self._wake()
            self._lock.close()

    def _wake(self) -> None:
        """Tell those who wait; the next event is made by the next one who does."""
        if self._appended is not None:
            self._appended.set()
            self._appended = None

    @property
    def _holds_a_record(self) -> bool:
        return self._head.seq >= self._segment

    def _check_usable(self) -> None:
        if self._why_closed is not None:
            raise JournalClosed(str(self.stream), self._why_closed)
        if not self._lock.mine:
            raise JournalClosed(str(self.stream), "it belongs to the process that forked this one")
        if self._folder.path in self._files.poisoned:
            raise JournalPoisoned(str(self.stream), "a sync failed before")

    # One line onto the disk. What fails before a sync leaves the journal as it was; what fails in one is final.

    def _write(self, line: bytes) -> None:
        if self._end + len(line) > self._size:
            self._extend(len(line))
        data = self._descriptor()
        try:
            write_all(self._files, data, line, self._end)
        except OSError as error:
            self._take_back(len(line), error)
        self._folder.sync(data, "a record")
        self._end += len(line)

    def _extend(self, length: int) -> None:
        """Room is written and durable before a record enters it, so that an append never changes the file's size."""
        unit, data = self._folder.layout.unit, self._descriptor()
        size = -(-(self._end + length) // unit) * unit
        try:
            write_all(self._files, data, FILLER * (size - self._size), self._size)
        except OSError as error:
            self._give_back(error)
            raise AppendRefused(str(self.stream), f"there is no room for it: {error}") from error
        self._folder.sync(data, "free space")
        self._size = size

    def _give_back(self, error: OSError) -> None:
        """Cut off what an extension got, durably: no record may enter a file that has an odd size on the disk."""
        data = self._descriptor()
        try:
            self._files.truncate(data, self._size)
        except OSError as second:
            raise self._folder.poison(f"room was not made ({error}), and not given back ({second})") from second
        self._folder.sync(data, "free space")

    def _take_back(self, length: int, error: OSError) -> None:
        """Its first byte alone first, as when a torn append is cleared away at a start."""
        data = self._descriptor()
        try:
            write_all(self._files, data, FILLER, self._end)
            self._folder.sync(data, "free space")
            write_all(self._files, data, FILLER * length, self._end)
        except OSError as second:
            raise self._folder.poison(f"a write failed ({error}), and so did taking it back ({second})") from second
        self._folder.sync(data, "free space")
        raise AppendRefused(str(self.stream), str(error)) from error

    def _acknowledge(self) -> None:
        assert self._mark is not None
        try:
            write_all(self._files, self._mark, mark_of(self._head), 0)
        except OSError as error:
            raise self._folder.poison(f"the record is on the disk, but MARK could not be written ({error})") from error

    def _let_go(self, descriptor: int) -> None:
        """Close what everything is synced through: whatever the answer, the descriptor is gone and nothing is lost."""
        try:
            self._files.close(descriptor)
        except OSError as error:
            _log.warning("%s: closing a file failed: %s", self.stream, error)

    def _descriptor(self) -> int:
        assert self._data is not None
        return self._data

    # From one segment to the next.

    def _seal(self) -> None:
        try:
            content = read_all(self._files, self._descriptor(), self._end, 0)
        except OSError as error:
            raise AppendRefused(str(self.stream), f"the segment could not be read to be sealed: {error}") from error
        last = parse(content[content.rindex(FILLER, 0, -1) + 1 :])
        assert last is not None, "the last line was written here or checked at the start"
        body = encode_seal(content.count(FILLER) - 1, sha256(content).hexdigest())  # the header is no record
        line = line_of(self._previous, last.seq, last.t, b"seal", body)
        self._write(line)
        self._previous = line[-19:-3]
        self._sealed = True
        assert self._mark is not None
        self._folder.sync(self._mark, MARK)

    def _begin_segment(self, t: int) -> None:
        header = line_of(self._previous, self._head.seq, t, b"header", encode_header(self.stream, self._previous))
        unit = self._folder.layout.unit
        content = header.ljust(-(-len(header) // unit) * unit, FILLER)
        segment = self._head.seq + 1
        try:
            if self._mark is None:
                self._mark = self._folder.create(MARK, BLANK)
            data = self._folder.create(segment_name(segment), content)
        except OSError as error:
            raise AppendRefused(str(self.stream), f"a segment could not be made: {error}") from error
        if self._data is not None:
            self._let_go(self._data)
        self._data, self._segment, self._sealed = data, segment, False
        self._end, self._size, self._previous = len(header), len(content), header[-19:-3]
