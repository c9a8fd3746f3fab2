"""A stream's directory: its segments, its MARK, its quarantine, and the few moves that make a file durable.

LOCK   00000000000000000001.jsonl …   MARK   quarantine/
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import attrs

from .codec import UNREADABLE, VERSION, Header, decode_header
from .errors import CorruptJournal, JournalPoisoned, NewerFormat
from .files import Files
from .log import Head
from .mark import LENGTH, parse_mark
from .record import Line, follows, parse
from .signals import Stream
from .tail import FILLER

_SEGMENT = re.compile(r"([0-9]{20})\.jsonl")
_BLOCK = 1 << 16

MARK, LOCK, QUARANTINE = "MARK", "LOCK", "quarantine"


class Layout(NamedTuple):
    """Sizes in bytes: of the steps by which a segment grows, and at which it is sealed."""

    unit: int = 1 << 16
    segment: int = 64 << 20


@attrs.frozen
class Folder:
    """One stream's directory on a disk."""

    files: Files
    path: str
    stream: Stream
    layout: Layout = Layout()

    def at(self, name: str) -> str:
        """The path of a file in it."""
        return f"{self.path}/{name}"

    def corrupt(self, kind: str, segment: int | None, offset: int, last_good_seq: int, detail: str) -> CorruptJournal:
        """The error that names the stream and the place."""
        where = MARK if segment is None else segment_name(segment)
        return CorruptJournal(str(self.stream), kind, where, offset, last_good_seq, detail)

    def newer(self, what: str) -> NewerFormat:
        """The error that names the stream and what is not known here."""
        return NewerFormat(str(self.stream), what, "a later Tickfold")

    def exists(self) -> bool:
        """Whether it is there."""
        return self.files.exists(self.path)

    def segments(self) -> list[int]:
        """The first seqs that the segments are named by, oldest first. Raises `CorruptJournal` for a strange name."""
        found: list[int] = []
        for name in self.files.listdir(self.path) if self.exists() else ():
            if not name.endswith(".jsonl"):
                continue
            named = _SEGMENT.fullmatch(name)
            if named is None:
                raise CorruptJournal(str(self.stream), "name", name, 0, 0, "no segment has such a name")
            found.append(int(named[1]))
        return sorted(found)

    def unfinished(self) -> list[str]:
        """Files that were being made when a process ended."""
        return sorted(name for name in self.files.listdir(self.path) if name.endswith(".tmp"))

    @contextmanager
    def opened(self, name: str) -> Generator[int]:
        """A descriptor of one of its files, closed at the end. An `OSError` that comes of it names the file."""
        descriptor = self.files.open(self.at(name))
        try:
            yield descriptor
        except OSError as error:
            error.filename = error.filename or self.at(name)
            raise
        finally:
            self.files.close(descriptor)

    def mark(self) -> Head | None:
        """What MARK names; None where it is absent or not to be believed."""
        if not self.files.exists(self.at(MARK)):
            return None
        with self.opened(MARK) as descriptor:
            return parse_mark(self.files.pread(descriptor, LENGTH + 1, 0))

    def header(
        self, descriptor: int, segment: int, *, good: int | None = None, of_any_stream: bool = False
    ) -> tuple[Header, Line]:
        """The first line of a segment; `good`: the last event before it that is known to be.

        Raises `CorruptJournal` where it is damaged or another's, `NewerFormat`.
        """
        raw = first_line(self.files, descriptor)
        line = parse(raw)
        last_good = segment - 1 if good is None else good
        if line is None or line.kind != b"header":
            raise self.corrupt("header", segment, 0, last_good, "the segment does not begin with a header")
        try:
            header = decode_header(line.body)
        except UNREADABLE as error:
            raise self.corrupt("header", segment, 0, last_good, f"the header cannot be read: {error}") from error
        if not follows(header.previous.encode("ascii", "replace"), raw):
            raise self.corrupt("header", segment, 0, last_good, "the header does not have its own hash")
        if header.version > VERSION:
            raise self.newer(f"a journal of format version {header.version}")
        if header.names != self.stream and not of_any_stream:
            raise self.corrupt("header", segment, 0, last_good, f"the segment belongs to {header.names}")
        if line.seq + 1 != segment:
            begins = min(last_good, line.seq) if good is None else good
            raise self.corrupt("name", segment, 0, begins, f"its header begins after event {line.seq}")
        return header, line

    def sync(self, descriptor: int, what: str) -> None:
        """Return when a file or directory is on the disk. A sync that fails is final for the life of the process: the
        cache may show what the disk never got, and the next sync may say that all is well. Raises `JournalPoisoned`.
        """
        try:
            self.files.sync(descriptor)
        except OSError as error:
            raise self.poison(f"the sync of {what} failed ({error})") from error

    def sync_names(self, path: str) -> None:
        """Make the names in a directory durable."""
        descriptor = self.files.open(path)
        try:
            self.sync(descriptor, "a directory")
        finally:
            self.files.close(descriptor)

    def poison(self, why: str) -> JournalPoisoned:
        """Let nobody in this process write the stream any more; returns the error that says so."""
        self.files.poisoned.add(self.path)
        return JournalPoisoned(str(self.stream), why)

    def create(self, name: str, content: bytes) -> int:
        """A new file, durable under its name; it has another until its content is. Returns a descriptor.

        Raises `OSError` where nothing came of it but a file that the next start sets aside, `JournalPoisoned`.
        """
        making = self.at(f"{name}.tmp")
        if self.files.exists(making):
            self.files.unlink(making)
        names = self.files.open(self.path)
        try:
            descriptor = self.files.open(making, create=True, exclusive=True)
            try:
                write_all(self.files, descriptor, content, 0)
                self.sync(descriptor, name)
                self.files.rename(making, self.at(name))
                self.sync(names, "a directory")
            except BaseException:
                self.files.close(descriptor)
                raise
        finally:
            self.files.close(names)
        return descriptor


class ShortWrite(OSError):
    """The disk took fewer bytes than it was given."""


def segment_name(first_seq: int) -> str:
    """The file of the segment whose first event is number `first_seq`."""
    return f"{first_seq:020d}.jsonl"


def is_segment(name: str) -> bool:
    """Whether a file may be a segment by its name."""
    return _SEGMENT.fullmatch(name) is not None


def write_all(files: Files, descriptor: int, data: bytes, offset: int) -> None:
    """Write all of `data`; raises `OSError`, `ShortWrite` too where the disk took less."""
    taken = files.pwrite(descriptor, data, offset)
    if taken != len(data):
        raise ShortWrite(f"only {taken} of {len(data)} bytes were written")


def read_all(files: Files, descriptor: int, size: int, offset: int) -> bytes:
    """`size` bytes from `offset`, fewer only at the end of the file."""
    parts: list[bytes] = []
    while size > 0 and (part := files.pread(descriptor, size, offset)):
        parts.append(part)
        offset += len(part)
        size -= len(part)
    return b"".join(parts)


def first_line(files: Files, descriptor: int) -> bytes:
    """The bytes up to the first LF and with it; all where there is none."""
    content = b""
    while part := files.pread(descriptor, _BLOCK, len(content)):
        content += part
        if FILLER in part:
            return content[: content.index(FILLER) + 1]
    return content


def written_end(files: Files, descriptor: int, size: int) -> int:
    """Where the free space (LF and NUL) at the end of a file of `size` bytes begins."""
    while size:
        start = max(0, size - _BLOCK)
        used = read_all(files, descriptor, size - start, start).rstrip(b"\n\0")
        if used:
            return start + len(used)
        size = start
    return 0


def lines_backwards(files: Files, descriptor: int, end: int) -> Iterator[tuple[int, bytes]]:
    """Offset and bytes of each line that ends before or at `end`, its LF included, newest first.

    What stands behind the last LF is no line and comes first, without one.
    """
    carry = b""
    while end:
        start = max(0, end - _BLOCK)
        content = read_all(files, descriptor, end - start, start) + carry
        pieces = content.split(FILLER)
        carry = pieces[0]
        place = start + len(content)
        for number in range(len(pieces) - 1, 0, -1):
            # A piece ends in the LF that split it from the one behind it, but for the last piece.
            raw = pieces[number] if number == len(pieces) - 1 else pieces[number] + FILLER
            place -= len(raw)
            if raw:
                yield place, raw
        end = start
        if len(pieces) > 1:
            carry += FILLER
    if carry:
        yield 0, carry
