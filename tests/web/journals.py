"""Journals to serve: of small events, of whole signals, and of text that wants to be something else."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from tickfold_eventstore import (
    AcceptedSignal,
    Closed,
    Event,
    Journal,
    Opened,
    ProfitAndLoss,
    RefusedProposal,
    Rejected,
    Started,
    Stopped,
    Store,
    Stream,
    Ticks,
)
from tickfold_eventstore.folder import Layout

AT = 1_730_000_040_000
MINUTE = 60_000
A = Stream("sim-3", "w", "A")
B = Stream("sim-3", "w", "B/USDT")
SMALL = Layout(unit=1024, segment=4096)

_BEGINS: dict[str, Any] = {"version": "0.1", "config_hash": "c", "strategy_hash": "s", "state_seq": 0}


def envelope(stream: Stream, seq: int, at: int, recorded_at: int | None = None) -> dict[str, Any]:
    return {"seq": seq, "at": at, "recorded_at": at if recorded_at is None else recorded_at, **stream._asdict()}


def signal(at: int, note: str = "", *, entry: float = 100.0) -> AcceptedSignal:
    return AcceptedSignal(
        id=f"{at:016x}",
        position="long",
        entry=entry,
        take_profit=entry * 1.02,
        stop_loss=entry * 0.99,
        lifetime_minutes=600,
        note=note,
        scheduled_at=None,
        opened_at=at,
    )


def started(stream: Stream, seq: int, at: int) -> Started:
    return Started(**envelope(stream, seq, at), **_BEGINS, recovered=None)


def opened(stream: Stream, seq: int, at: int, note: str = "") -> Opened:
    return Opened(**envelope(stream, seq, at), signal=signal(at, note), price=100.0, ticks=Ticks(idle=1))


def closed(stream: Stream, seq: int, at: int, of: Opened, percentage: float = 1.5) -> Closed:
    pnl = ProfitAndLoss(percentage=percentage, entry=100.0, exit=102.0)
    told = {"signal": of.signal, "price": 102.0, "reason": "take_profit", "pnl": pnl, "ticks": Ticks(active=2)}
    return msgspec.convert(envelope(stream, seq, at) | {"action": "closed"} | msgspec.to_builtins(told), Closed)


def rejected(stream: Stream, seq: int, at: int, reason: str) -> Rejected:
    refused = RefusedProposal(
        position="long", entry=None, take_profit="nan", stop_loss=1.0, lifetime_minutes=1, note=""
    )
    return Rejected(**envelope(stream, seq, at), proposal=refused, reasons=(reason,))


def stopped(stream: Stream, seq: int, at: int, *, price: float | None = None, state_seq: int = 0) -> Stopped:
    return Stopped(**envelope(stream, seq, at), reason="stopped", price=price, state_seq=state_seq)


def story(stream: Stream, signals: int, *, note: str = "", first_at: int = AT) -> list[Event]:
    """A start, and signals that open and close, two minutes each."""
    events: list[Event] = [started(stream, 1, first_at)]
    for number in range(signals):
        at = first_at + (2 * number + 1) * MINUTE
        opening = opened(stream, 2 + 2 * number, at, note)
        events += [opening, closed(stream, 3 + 2 * number, at + MINUTE, opening, 1.5 if number % 3 else -1.0)]
    return events


def journal(data_dir: Path, stream: Stream, layout: Layout = Layout()) -> Journal:
    """A journal to append to, from its head on."""
    return Store(data_dir, layout=layout).open(stream, lambda newest_first: None)[0]


def append(to: Journal, events: Sequence[Event]) -> None:
    """Each event as a record of its own."""
    for event in events:
        to.append((event,), expected_seq=event.seq - 1)


def written(data_dir: Path, stream: Stream, events: Sequence[Event], layout: Layout = Layout()) -> None:
    """A journal with these events, closed."""
    into = journal(data_dir, stream, layout)
    append(into, events)
    into.close()
