"""Opening is recovering: find the last valid record, judge what stands behind it, and only then write.

    read (nothing is changed)   the last line that verifies, the records that the caller's fold asks for, MARK, the tail
    afterwards                  the torn text to quarantine, the tail written again and synced, MARK written and synced

What was read may be in memory and not on the disk, so nothing is believed before it is written again and synced.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import attrs

from .events import Event
from .folder import MARK, Folder, read_all, segment_name, write_all
from .log import Head, Record
from .mark import BLANK, mark_of
from .quarantine import move_unfinished, set_aside
from .record import ZERO_HASH, Line
from .tail import FILLER, judge_tail
from .walk import backwards, check_sealed, last_valid, records_backwards

T = TypeVar("T")
Fold = Callable[[Iterator[tuple[Event, ...]]], T]


@attrs.frozen
class Found:
    """Where a stream stands on the disk: its last record, its last line, the torn text behind it, the files left over.

    `last` is None where nothing was ever appended.
    """

    head: Head = Head()
    last: Line | None = None
    torn: bytes = b""
    unfinished: tuple[str, ...] = ()


@attrs.define
class _Reading:
    """The records that a fold has asked for, and what they are called, to hold MARK and checkpoints against."""

    records: Iterator[Record]
    seen: dict[int, str] = attrs.Factory(dict[int, str])

    def __iter__(self) -> Iterator[tuple[Event, ...]]:
        for record in self.records:
            self.seen[record.seq] = record.hash
            yield record.events


def look(folder: Folder, fold: Fold[T], named: Iterable[Head] = ()) -> tuple[Found, T]:
    """Find where the stream stands and fold its records, newest first, as far as the fold asks. Changes nothing.

    `named`: records that a checkpoint names. Raises `CorruptJournal`, `NewerFormat`.
    """
    segments = folder.segments()
    unfinished = tuple(folder.unfinished())
    mark = folder.mark()
    promised = [head for head in (mark, *named) if head is not None]
    if not segments:
        for head in promised:
            raise folder.corrupt("missing", None, 0, 0, f"event {head.seq} was acknowledged, and there is no segment")
        return Found(unfinished=unfinished), fold(iter(()))
    with folder.opened(segment_name(segments[-1])) as descriptor:
        folder.files.evict(descriptor)
        size = folder.files.size(descriptor)
        header, _ = folder.header(descriptor, segments[-1])
        if len(segments) > 1:
            check_sealed(folder, segments[-1], segments[-2], header.previous.encode())
        elif header.previous != ZERO_HASH.decode():
            raise folder.corrupt("missing", segments[0], 0, 0, "the segment before it is not there")
        last = last_valid(folder, descriptor, segments[-1], size)
        reading = _Reading(records_backwards(folder, backwards(folder, segments, last)))
        rows = iter(reading)
        folded = fold(rows)
        if not reading.seen:
            next(rows, None)
        for head in promised:
            _check_promise(folder, head, last, reading.seen)
        rest = read_all(folder.files, descriptor, size - last.end, last.end)
    tail = judge_tail(rest, size, folder.layout.unit)
    if tail.damage is None and last.kind == b"seal" and rest.strip(FILLER):
        tail = tail._replace(damage=("seal", "something was written behind the seal"))
    if tail.damage is not None:
        raise folder.corrupt(tail.damage[0], last.segment, last.end, last.seq, tail.damage[1])
    newest = next(itertools.chain(reading.seen.items()), None)
    return Found(Head(*newest) if newest else Head(), last, tail.torn, unfinished), folded


def _check_promise(folder: Folder, head: Head, last: Line, seen: dict[int, str]) -> None:
    if head.seq > last.seq:
        detail = f"event {head.seq} was acknowledged and is not there"
        raise folder.corrupt("missing", last.segment, last.end, last.seq, detail)
    oldest_seen = min(seen, default=head.seq + 1)
    if head.seq >= oldest_seen and seen.get(head.seq) != head.hash:
        detail = f"event {head.seq} was acknowledged as {head.hash} and is now {seen.get(head.seq, 'inside a record')}"
        raise folder.corrupt("missing", last.segment, last.offset, min(last.seq, head.seq - 1), detail)


def settle(folder: Folder, found: Found) -> str | None:
    """*Afterwards*: make what was found durable, and set aside what is no part of it. Returns what was done, in words.

    Raises `OSError`, `JournalPoisoned`; nothing that was read may be believed then.
    """
    done: list[str] = []
    if found.unfinished:
        move_unfinished(folder, found.unfinished)
        done.append(f"set aside {len(found.unfinished)} unfinished file(s)")
    if found.last is not None:
        if found.torn:
            kept = set_aside(folder, found.last.segment, found.last.end, found.torn)
            done.append(f"set aside {len(found.torn)} bytes of an append that was cut short ({kept})")
        _write_again(folder, found.last, torn=bool(found.torn))
    _write_mark(folder, found)
    return "; ".join(done) or None


def _write_again(folder: Folder, last: Line, *, torn: bool) -> None:
    with folder.opened(segment_name(last.segment)) as descriptor:
        if torn:
            # Its first byte alone first: text behind a line feed is torn whatever else lands of its clearing, while a
            # single line feed that landed inside it would look like rot.
            write_all(folder.files, descriptor, last.raw + FILLER, last.offset)
            folder.sync(descriptor, "the end of the last record")
        size = max(folder.files.size(descriptor), last.end)
        if last.kind != b"seal":  # behind a seal no room is needed, and a file that grows may hold NUL for a moment
            size = -(-size // folder.layout.unit) * folder.layout.unit
        write_all(folder.files, descriptor, last.raw + FILLER * (size - last.end), last.offset)
        folder.sync(descriptor, "the tail")


def _write_mark(folder: Folder, found: Found) -> None:
    if found.last is None:
        return
    content = mark_of(found.head) if found.head.seq else BLANK
    if not folder.files.exists(folder.at(MARK)):
        folder.files.close(folder.create(MARK, content))
        return
    with folder.opened(MARK) as descriptor:
        if folder.files.size(descriptor) > len(content):
            folder.files.truncate(descriptor, len(content))
        write_all(folder.files, descriptor, content, 0)
        folder.sync(descriptor, MARK)
