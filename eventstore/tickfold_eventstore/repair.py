"""Going on from damage, when somebody has decided to: what would be given up, and then giving it up.

Everything from the first bad byte on moves to the quarantine, with the reason, and nothing is deleted. Each step can be
cut short and done again: the journal refuses as before until the last one.
"""

from __future__ import annotations

import re

import attrs

from .checkpoint import named_by_checkpoints
from .errors import CorruptJournal, NewerFormat
from .folder import MARK, Folder, read_all, segment_name, write_all, written_end
from .lock import StreamLock
from .log import Head
from .mark import BLANK, mark_of
from .quarantine import move_away, set_aside
from .reader import Reader
from .recovery import look
from .signals import Stream
from .store import Store
from .tail import FILLER
from .verify import Verdict, verify

_SEQ = re.compile(rb'^\{"n": *\d+,"seq": *(\d+),', re.MULTILINE)


@attrs.frozen
class Move:
    """Bytes that are no part of the journal any more: `length` of them from `offset` on of a file."""

    file: str
    offset: int
    length: int


@attrs.frozen
class Repair:
    """What is damaged, what would be kept, and what moves.

    `damage` None: everything is sound. `refuses`: whether opening refuses; where it does not, the damage lies further
    back than it reads. Events after `kept` are given up, `last_known` being the last of which anything is known.
    `checkpoints`: readers' files that name events which are given up.
    """

    damage: CorruptJournal | None
    refuses: bool
    kept: Head
    last_known: int
    moves: tuple[Move, ...] = ()
    checkpoints: tuple[str, ...] = ()


def inspect(store: Store, stream: Stream) -> Repair:
    """What repairing would do. Changes nothing. Raises `NewerFormat`: only a later program can judge such a journal."""
    return _inspected(store, stream, verify(Reader(store.folder(stream))))


def accept_loss(store: Store, stream: Stream) -> Repair:
    """Move what `inspect` names to the quarantine, so that the journal ends with the last record before the damage.

    Raises `StreamHeld`, `NewerFormat`, `OSError`, `JournalPoisoned`; what was moved until then stays moved.
    """
    folder = store.folder(stream)
    lock = StreamLock(folder)
    try:
        repair = _inspected(store, stream, verify(Reader(folder), by_writer=True))
        if repair.damage is None:
            return repair
        why = f"given up by repair: {repair.damage.kind}: {repair.damage.detail}"
        for move in reversed(repair.moves):  # the newest first, so that what is left is damaged at the same place
            if move.offset:
                _cut(folder, move, why)
            else:
                move_away(folder, folder.at(move.file), why)
        for path in repair.checkpoints:
            move_away(folder, path, why)
        _write_mark(folder, repair.kept)
        return repair
    finally:
        lock.close()


def _inspected(store: Store, stream: Stream, found: Verdict) -> Repair:
    folder = store.folder(stream)
    promised = named_by_checkpoints(store.files, store.checkpoints(stream))
    if isinstance(found.damage, NewerFormat):
        raise found.damage
    damage, refuses = found.damage, False
    try:
        look(folder, lambda records: next(records, None), promised.values())
    except CorruptJournal as error:
        refuses, damage = True, damage or error
    if damage is None:
        return Repair(None, refuses=False, kept=found.head, last_known=found.head.seq)
    # Where every line is sound and only a promise is not kept, there is nothing to move.
    moves = tuple(_moves(folder, found.damage)) if found.damage else ()
    mark = folder.mark()
    known = [found.head.seq, mark.seq if mark else 0, *(head.seq for head in promised.values())]
    known += [_last_seq(folder, move) for move in moves]
    return Repair(
        damage,
        refuses=refuses,
        kept=found.head,
        last_known=max(known),
        moves=moves,
        checkpoints=tuple(path for path, head in promised.items() if _is_gone(head, found.head)),
    )


def _is_gone(promised: Head, kept: Head) -> bool:
    return promised.seq > kept.seq or (promised.seq == kept.seq and promised.hash != kept.hash)


def _moves(folder: Folder, damage: CorruptJournal) -> list[Move]:
    if damage.kind == "name" and not damage.offset and not damage.segment[:-6].isdigit():
        return [Move(damage.segment, 0, 0)]
    first = int(damage.segment.removesuffix(".jsonl")) if damage.segment != MARK else None
    moves: list[Move] = []
    for segment in (each for each in folder.segments() if first is not None and each >= first):
        with folder.opened(segment_name(segment)) as descriptor:
            end = written_end(folder.files, descriptor, folder.files.size(descriptor))
        offset = damage.offset if segment == first else 0
        if end > offset or not offset:
            moves.append(Move(segment_name(segment), offset, max(0, end - offset)))
    return moves


def _last_seq(folder: Folder, move: Move) -> int:
    with folder.opened(move.file) as descriptor:
        content = read_all(folder.files, descriptor, move.length, move.offset)
    return max((int(found) for found in _SEQ.findall(content)), default=0)


def _cut(folder: Folder, move: Move, why: str) -> None:
    with folder.opened(move.file) as descriptor:
        content = read_all(folder.files, descriptor, move.length, move.offset)
        set_aside(folder, int(move.file.removesuffix(".jsonl")), move.offset, content, why)
        write_all(folder.files, descriptor, FILLER * move.length, move.offset)
        folder.sync(descriptor, move.file)


def _write_mark(folder: Folder, head: Head) -> None:
    content = mark_of(head) if head.seq else BLANK
    if not folder.files.exists(folder.at(MARK)):
        folder.files.close(folder.create(MARK, content))
        return
    with folder.opened(MARK) as descriptor:
        folder.files.truncate(descriptor, len(content))
        write_all(folder.files, descriptor, content, 0)
        folder.sync(descriptor, MARK)
