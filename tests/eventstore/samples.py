"""One stream, one event of each kind, and short ways to write and to look at a journal in the tests of the store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

import attrs
import msgspec

from tests.proof.faulty import Between
from tickfold_eventstore import (
    AcceptedSignal,
    Cancelled,
    Closed,
    Event,
    EventLog,
    Journal,
    Opened,
    ProfitAndLoss,
    RefusedProposal,
    Rejected,
    Scheduled,
    Started,
    Stopped,
    Store,
    Stream,
    Ticks,
)
from tickfold_eventstore.files import files_here
from tickfold_eventstore.folder import Layout

STREAM = Stream("sim-3", "w", "A")
SMALL = Layout(unit=1024, segment=4096)
AT = 1_730_000_000_000

Tuples: TypeAlias = Iterator[tuple[Event, ...]]

_WHERE: dict[str, Any] = STREAM._asdict() | {"at": AT, "recorded_at": AT + 2_000}
_NOTE = 'π ≈ 3, \U0001f680, DEL \x7f, line \u2028 end, "quoted" \\ \0'
WAITING = AcceptedSignal(
    id="a" * 16,
    position="short",
    entry=0.1 + 0.2,
    take_profit=5e-324,
    stop_loss=1.7976931348623157e308,
    lifetime_minutes=1440,
    note=_NOTE,
    scheduled_at=AT,
    opened_at=None,
)
_OPEN = msgspec.structs.replace(WAITING, opened_at=AT + 60_000)
_REFUSED = RefusedProposal(
    position=_NOTE, entry="nan", take_profit=-0.0, stop_loss=None, lifetime_minutes="a week", note=""
)

KINDS: tuple[Event, ...] = (
    Started(
        seq=1, **_WHERE, version="0.1", config_hash="c", strategy_hash="s", state_seq=0, recovered=None, ticks=Ticks()
    ),
    Rejected(seq=2, **_WHERE, proposal=_REFUSED, reasons=("entry is nan", _NOTE), ticks=Ticks(idle=3, missed=1)),
    Scheduled(seq=3, **_WHERE, signal=WAITING),
    Opened(seq=4, **_WHERE, signal=_OPEN, price=_OPEN.entry),
    Closed(
        seq=5,
        **_WHERE,
        signal=_OPEN,
        price=100.0,
        reason="stop_loss",
        pnl=ProfitAndLoss(percentage=-0.3998, entry=0.1, exit=100.0),
        ticks=Ticks(active=1),
    ),
    Cancelled(seq=6, **_WHERE, signal=WAITING, reason="user"),
    Stopped(seq=7, **_WHERE, reason="stopped", price=1e22, state_seq=0),
)
"""Every kind of event, numbered 1 to 7, with what is hard to write: the ends of the floats, and text of every sort."""


def event(seq: int, stream: Stream = STREAM) -> Event:
    """A small event with its seq in it."""
    return Stopped(seq=seq, **(_WHERE | stream._asdict()), reason=f"event {seq}", price=None, state_seq=max(0, seq - 1))


def long_event(seq: int, length: int) -> Event:
    """An event whose line has about `length` bytes more than `event(seq)`."""
    return msgspec.structs.replace(event(seq), reason="x" * length)


def nothing(records: Tuples) -> None:
    """The fold that asks for no record."""


def everything(records: Tuples) -> list[tuple[Event, ...]]:
    """The fold that asks for all of them: newest first."""
    return list(records)


def opened(store: Store, stream: Stream = STREAM) -> Journal:
    return store.open(stream, nothing)[0]


def fill(journal: EventLog, count: int) -> None:
    """Append `count` records of one event each."""
    for seq in range(journal.head.seq + 1, journal.head.seq + 1 + count):
        journal.append([event(seq, journal.stream)], expected_seq=seq - 1)


def written(store: Store, count: int, stream: Stream = STREAM) -> Path:
    """A journal of `count` records, closed; returns its directory."""
    journal = opened(store, stream)
    fill(journal, count)
    journal.close()
    return directory(store, stream)


def directory(store: Store, stream: Stream = STREAM) -> Path:
    return Path(store.folder(stream).path)


def segments(store: Store) -> list[Path]:
    return sorted(directory(store).glob("*.jsonl"))


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a directory, and what is in it; LOCK says only who was there last."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "LOCK"
    }


@attrs.define
class Counting(Between):
    """This machine's disk, with each call's name kept."""

    files: Any = attrs.Factory(files_here)
    calls: list[str] = attrs.Factory(list)

    def around(self, name: str, call: Any, descriptor: int | None = None, half: Any = None) -> Any:
        self.calls.append(name)
        return call()
