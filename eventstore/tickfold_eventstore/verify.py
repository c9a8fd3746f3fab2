"""Is a whole journal sound? Every line, seal, name, event and the tail; never writes, and needs no lock.

While a writer lives, what is verified ends at MARK; else at the last valid record.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

import attrs

from .codec import UNREADABLE, decode_seal
from .errors import CorruptJournal, NewerFormat
from .folder import Folder, read_all, segment_name
from .log import Head
from .reader import Cursor, Reader
from .record import Line
from .tail import judge_tail
from .walk import first_seq


@attrs.frozen
class Verdict:
    """What was found sound up to `head`, and what was not. `torn`: bytes of an append that was cut short, which the
    next start sets aside. `holder`: who writes it now.
    """

    head: Head
    records: int
    segments: int
    size: int
    torn: int
    holder: str | None
    damage: CorruptJournal | NewerFormat | None

    @property
    def sound(self) -> bool:
        """Whether everything is as it was written."""
        return self.damage is None


def verify(reader: Reader, promised: Iterable[Head] = (), *, by_writer: bool = False) -> Verdict:
    """Judge a stream's whole journal. Raises `OSError` where it cannot be read.

    `promised`: records that checkpoints name; they were acknowledged, as the one that MARK names was. `by_writer`:
    whoever asks holds the lock and appends nothing meanwhile, so that all that is there is judged.
    """
    checkpoints = tuple(promised)
    while True:
        before = reader.signs_of_a_writer()
        upto = None if by_writer else reader.limit()
        verdict = _judged(reader, checkpoints, upto)
        if verdict.sound or by_writer or not reader.may_have_moved(before, upto):
            return verdict


def _judged(reader: Reader, checkpoints: tuple[Head, ...], upto: int | None) -> Verdict:
    folder = reader.folder
    mark = folder.mark()
    walk = _Walk(folder, checkpoints if mark is None else (mark, *checkpoints))
    damage: CorruptJournal | NewerFormat | None = None
    torn = 0
    holder = reader.holder()
    try:
        walk.through(Cursor(folder), upto)
        walk.check_promises(upto)
        torn = 0 if upto is not None else _torn(folder, walk.last)
    except (CorruptJournal, NewerFormat) as error:
        damage = error
    return Verdict(walk.head, walk.records, walk.segments, walk.size, torn, holder, damage)


@attrs.define
class _Walk:
    folder: Folder
    promised: tuple[Head, ...]
    found: dict[int, str] = attrs.Factory(dict[int, str])
    head: Head = Head()
    records: int = 0
    segments: int = 0
    size: int = 0
    last: Line | None = None

    def through(self, cursor: Cursor, upto: int | None) -> None:
        here = 0
        for line in cursor.lines(upto):
            kind = line.kind
            self.size += len(line.raw)
            self.last = line
            if kind == b"events":
                self._check_record(line)
                self.records += 1
                here += 1
            elif kind == b"header":
                self.segments += 1
                here = 0
            else:
                self._check_seal(line, here)

    def check_promises(self, upto: int | None) -> None:
        """MARK and checkpoints name records that were acknowledged, whatever stands there now."""
        for promised in self.promised:
            if promised.seq > self.head.seq and upto is not None:
                continue  # acknowledged since this reader looked how far it may read
            now = self.found.get(promised.seq, "no record")
            if now != promised.hash:
                detail = f"event {promised.seq} was acknowledged as {promised.hash} and is now {now}"
                segment, end = (self.last.segment, self.last.end) if self.last is not None else (None, 0)
                raise self.folder.corrupt("missing", segment, end, self.head.seq, detail)

    def _check_record(self, line: Line) -> None:
        first = first_seq(self.folder, line)
        if first != self.head.seq + 1:
            detail = f"its first event is number {first}, not {self.head.seq + 1}"
            raise self.folder.corrupt("seq", line.segment, line.offset, self.head.seq, detail)
        self.head = Head(line.seq, line.hash.decode())
        if any(promised.seq == line.seq for promised in self.promised):
            self.found[line.seq] = self.head.hash

    def _check_seal(self, line: Line, records: int) -> None:
        try:
            seal = decode_seal(line.body)
        except UNREADABLE as error:
            raise self.folder.corrupt("seal", line.segment, line.offset, self.head.seq, str(error)) from error
        with self.folder.opened(segment_name(line.segment)) as descriptor:
            content = read_all(self.folder.files, descriptor, line.offset, 0)
            behind = read_all(self.folder.files, descriptor, self.folder.files.size(descriptor) - line.end, line.end)
        if behind.strip(b"\n"):
            raise self.folder.corrupt("seal", line.segment, line.end, self.head.seq, "something stands behind it")
        if seal.count != records or seal.sha256 != sha256(content).hexdigest():
            detail = "the segment is not what it was when it was sealed"
            raise self.folder.corrupt("seal", line.segment, line.offset, self.head.seq, detail)


def _torn(folder: Folder, last: Line | None) -> int:
    if last is None:
        return 0
    with folder.opened(segment_name(last.segment)) as descriptor:
        size = folder.files.size(descriptor)
        rest = read_all(folder.files, descriptor, size - last.end, last.end)
    return len(judge_tail(rest, size, folder.layout.unit).torn)
