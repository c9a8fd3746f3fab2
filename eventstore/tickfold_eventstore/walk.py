"""A stream's lines from the newest back, across its segments; each must verify against the one before it."""

from __future__ import annotations

from collections.abc import Iterator

from .codec import UNREADABLE, decode_events, decode_told
from .errors import CorruptJournal, NewerFormat
from .folder import Folder, lines_backwards, read_all, segment_name, written_end
from .log import Record
from .record import Line, parse, stored_hash, verified
from .tail import FILLER
from .upcasters import Newer


def last_valid(folder: Folder, descriptor: int, segment: int, size: int) -> Line:
    """The last line of a segment that verifies against the hash stored on the line before it; at worst the header,
    which must have been checked.
    """
    newer = (0, b"")
    end = min(size, written_end(folder.files, descriptor, size) + 1)
    for offset, raw in lines_backwards(folder.files, descriptor, end):
        previous = stored_hash(raw)
        line = verified(previous, newer[1], segment, newer[0]) if previous else None
        if line is not None:
            return line
        newer = offset, raw
    header = parse(newer[1], segment, newer[0])
    assert header is not None, "the header was checked"
    return header


def backwards(folder: Folder, segments: list[int], last: Line) -> Iterator[Line]:
    """Every line from `last` back to the first of the stream. Raises `CorruptJournal` at one that does not verify."""
    newest_first = [segment for segment in reversed(segments) if segment <= last.segment]
    end: int | None = last.end
    for place, segment in enumerate(newest_first):
        with folder.opened(segment_name(segment)) as descriptor:
            header, _ = folder.header(descriptor, segment)
            if end is None:
                size = folder.files.size(descriptor)
                end = min(size, written_end(folder.files, descriptor, size) + 1)
            yield from _of_segment(folder, descriptor, segment, end)
        if header.previous.strip("0") or place + 1 < len(newest_first):
            _check_seam(folder, segment, newest_first[place + 1 : place + 2], header.previous.encode())
        end = None


def records_backwards(folder: Folder, lines: Iterator[Line]) -> Iterator[Record]:
    """The records among such lines, decoded. Raises `NewerFormat`, `CorruptJournal`."""
    for line in lines:
        if line.kind == b"events":
            yield record_of(folder, line)


def record_of(folder: Folder, line: Line) -> Record:
    """A line's events. Raises `NewerFormat`, and `CorruptJournal` where they cannot be read."""
    try:
        return Record(line.seq, line.hash.decode(), decode_events(line.body, line.seq, line.t, folder.stream))
    except (Newer, *UNREADABLE) as error:
        raise _unread(folder, line, error) from error


def first_seq(folder: Folder, line: Line) -> int:
    """The number of a line's first event. Reads all of them, and raises, as `record_of` does."""
    try:
        return line.seq - len(decode_told(line.body)) + 1
    except (Newer, *UNREADABLE) as error:
        raise _unread(folder, line, error) from error


def _unread(folder: Folder, line: Line, error: Exception) -> CorruptJournal | NewerFormat:
    if isinstance(error, Newer):
        return folder.newer(error.what)
    detail = f"its events cannot be read: {error}"
    return folder.corrupt("unreadable", line.segment, line.offset, line.seq - 1, detail)


def check_sealed(folder: Folder, segment: int, before: int, previous: bytes) -> None:
    """Whether the segment `before` ends in the seal that `segment` goes on from. Raises `CorruptJournal`."""
    with folder.opened(segment_name(before)) as descriptor:
        size = folder.files.size(descriptor)
        end = written_end(folder.files, descriptor, size)
        _, raw = next(lines_backwards(folder.files, descriptor, min(size, end + 1)), (0, b""))
        line = parse(raw)
        if line is None or line.kind != b"seal" or line.hash != previous or line.seq + 1 != segment:
            raise folder.corrupt(
                "seal", before, end, 0, f"it does not end in the seal that {segment_name(segment)} goes on from"
            )
        if read_all(folder.files, descriptor, size - end - 1, end + 1).strip(FILLER):
            raise folder.corrupt("seal", before, end + 1, line.seq, "something stands behind the seal")


def _check_seam(folder: Folder, segment: int, before: list[int], previous: bytes) -> None:
    if not before:
        raise folder.corrupt("missing", segment, 0, 0, "the segment before it is not there")
    if not previous.strip(b"0"):
        raise folder.corrupt("header", segment, 0, segment - 1, "it says that it is the first segment, and is not")
    check_sealed(folder, segment, before[0], previous)


def _of_segment(folder: Folder, descriptor: int, segment: int, end: int) -> Iterator[Line]:
    newer = (0, b"")
    for offset, raw in lines_backwards(folder.files, descriptor, end):
        if newer[1]:
            previous = stored_hash(raw)
            line = verified(previous, newer[1], segment, newer[0]) if previous else None
            if line is None:
                raise _broken(folder, descriptor, segment, newer[0])
            yield line
        newer = offset, raw
    header = parse(newer[1], segment, newer[0])
    assert header is not None, "the header was checked"
    yield header


def _broken(folder: Folder, descriptor: int, segment: int, offset: int) -> CorruptJournal:
    last_good = last_valid(folder, descriptor, segment, offset).seq
    return folder.corrupt("chain", segment, offset, last_good, "it does not follow the line before it")
