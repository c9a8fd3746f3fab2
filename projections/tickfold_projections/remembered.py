"""The statistics of journals, remembered beside them: what has been folded once goes on with the news alone.

    statistics_of_journals(store, streams) -> Statistics

    DATA_DIR/derived/ledgers/{exchange}/{strategy}/{symbol}/ledger     what a stream's closed signals add up from
    DATA_DIR/derived/statistics/{hash of the streams}.json         the figures, and of which records

Both are derived: they may be deleted at any time, and one that cannot be read, is of another version, or names a record
that the journal does not hold is made anew. Nothing is written for short journals, which are read in a moment. With
nothing new the figures are there at once; with news the ledgers go on, and the figures are taken anew from all closed
signals, by the same functions as without any memory.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from tickfold_eventstore.log import Head, Record
from tickfold_eventstore.reader import Reader
from tickfold_eventstore.signals import Stream
from tickfold_eventstore.store import Store

from .booking import book_journal
from .statistics import Statistics, statistics_of
from .trades import Ledger, Sums

T = TypeVar("T")

VERSION = 1
"""What is on disk means something else from the next number on."""

WORTH_IT = 20_000
"""Fewer events are read in the time that a file takes; with fewer news than these a ledger is not written anew."""

_log = logging.getLogger("tickfold.remembered")


class _Kept(msgspec.Struct):
    """A stream's ledger up to a record."""

    version: int
    seq: int
    h: str
    sums: Sums


class _Answer(msgspec.Struct):
    """Figures, and the last record of each stream that is in them."""

    version: int
    heads: list[tuple[str, str, str, int, str]]
    statistics: Statistics


def statistics_of_journals(store: Store, streams: Sequence[Stream]) -> Statistics:
    """The figures of whole journals, each up to the last record that may be read now.

    Raises `StreamNotFound`, `CorruptJournal`, `NewerFormat`.
    """
    readers = {stream: store.reader(stream) for stream in sorted(set(streams))}
    heads = {stream: reader.head() for stream, reader in readers.items()}
    told = [(stream.exchange, stream.strategy, stream.symbol, head.seq, head.hash) for stream, head in heads.items()]
    path = _answer_path(store, heads)
    known = _loaded(path, _Answer)
    if known is not None and known.heads == told:
        return known.statistics
    statistics = statistics_of(_together([_ledger(store, readers[stream], heads[stream]) for stream in readers]))
    if sum(head.seq for head in heads.values()) >= WORTH_IT:
        _write(path, msgspec.json.encode(_Answer(VERSION, told, statistics)))
    return statistics


def _together(ledgers: Sequence[Ledger]) -> Ledger:
    """One ledger of all."""
    if len(ledgers) == 1:
        return ledgers[0]
    whole = Ledger()
    for ledger in ledgers:
        for stream in ledger.accounts:
            whole.resume(stream, ledger.sums(stream))
    whole.settle()
    return whole


def _ledger(store: Store, reader: Reader, head: Head) -> Ledger:
    """What was kept, and the news."""
    path = store.data_dir / "derived" / "ledgers" / store.place(reader.stream) / "ledger"
    kept = _loaded(path, _Kept) if head.seq >= WORTH_IT else None
    ledger = Ledger()
    news = None if kept is None or kept.seq > head.seq else _news(reader, Head(kept.seq, kept.h), head)
    if kept is None or news is None:
        since = head.seq
        book_journal(reader, ledger, upto=head.seq)
    else:
        since = head.seq - kept.seq
        ledger.resume(reader.stream, kept.sums)
        for record in news:
            for event in record.events:
                ledger.book(event)
    if since >= WORTH_IT:
        _write(path, msgspec.msgpack.encode(_Kept(VERSION, head.seq, head.hash, ledger.sums(reader.stream))))
    return ledger


def _news(reader: Reader, kept: Head, head: Head) -> list[Record] | None:
    """The records behind `kept` up to `head`, oldest first; None where the journal does not hold `kept`."""
    found: list[Record] = []
    for record in reader.read_backwards():
        if record.seq <= kept.seq:
            same = (record.seq, record.hash) == (kept.seq, kept.hash)
            return found[::-1] if same else None
        if record.seq <= head.seq:
            found.append(record)
    return None


def _answer_path(store: Store, streams: Iterable[Stream]) -> Path:
    names = msgspec.json.encode([list(stream) for stream in streams])
    return store.data_dir / "derived" / "statistics" / f"{hashlib.sha256(names).hexdigest()[:32]}.json"


def _loaded(path: Path, kind: type[T]) -> T | None:
    """What a file holds; None where it is not there, cannot be read, or means something else."""
    decode: Any = msgspec.json.decode if path.suffix == ".json" else msgspec.msgpack.decode
    try:
        found: Any = decode(path.read_bytes(), type=kind)
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError, msgspec.MsgspecError) as error:
        _log.info("%s is made anew: %s", path, error)
        return None
    return found if found.version == VERSION else None


def _write(path: Path, content: bytes) -> None:
    """Replace a file, whole. Where that fails, the next reader folds again."""
    making = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        making.write_bytes(content)
        making.replace(path)
    except OSError as error:
        _log.info("%s was not kept: %s", path, error)
        with contextlib.suppress(OSError):
            making.unlink(missing_ok=True)
