"""Where one stream stands, from the end of its journal alone, and what a person should look at."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import attrs
import msgspec

from tickfold_eventstore.events import Event, Rejected, Started, Stopped
from tickfold_eventstore.reader import Reader, records_newest_first
from tickfold_eventstore.signals import AcceptedSignal, Stream

from ..active_signal import FLAT, Flat, Holding, State, Waiting, recover
from ..notation import instant
from ..pages import UNREADABLE
from ..profit import Costs, profit_and_loss
from .names import id_of

StateName = Literal["flat", "waiting", "active"]


class Alarm(msgspec.Struct, frozen=True):
    """What is wrong: `kind` for programs, `text` for people."""

    kind: Literal["damaged", "unwatched", "crashed", "missed", "rejected"]
    text: str


class Glance(msgspec.Struct, frozen=True, kw_only=True):
    """A stream at a glance. `at` and `recorded_at` (ms) are those of its last event, `action` what it was.

    `holder`: who writes it, in words; null: nobody does. `unrealised`: what closing at `price` would give, in percent,
    at the default costs; null where nothing is open or no price was journalled since it opened (only a stop journals
    one). `state` is null where the journal is damaged so that nobody knows.
    """

    id: str
    exchange: str
    strategy: str
    symbol: str
    seq: int
    at: int | None
    recorded_at: int | None
    action: str | None
    state: StateName | None
    state_seq: int | None
    signal: AcceptedSignal | None
    price: float | None
    price_at: int | None
    unrealised: float | None
    holder: str | None
    alarms: tuple[Alarm, ...]


@attrs.define
class Tail:
    """What the newest events of a stream say, looked at newest first."""

    last: Event | None = None
    proposed: Event | None = None
    """The newest event that is no start and no stop."""
    price: float | None = None
    price_at: int | None = None

    def see(self, event: Event) -> None:
        """Take the event before those that were seen."""
        self.last = self.last or event
        if isinstance(event, Stopped):
            if self.price is None and event.price is not None:
                self.price, self.price_at = event.price, event.at
        elif not isinstance(event, Started):
            self.proposed = self.proposed or event


def glance(reader: Reader, head: int, fault: Exception | None) -> Glance:
    """Look at the end of a journal up to event `head`, and at who holds it."""
    tail, state = Tail(), None
    try:
        holder = reader.holder()
        state = recover(_seen(reader, head, tail)).state if head else FLAT
    except UNREADABLE as error:
        fault, holder = fault or error, None
    alive = None if state is None or isinstance(state, Flat) else state.signal
    priced = isinstance(state, Holding) and (tail.price_at or 0) >= (state.signal.opened_at or 0)
    price = tail.price if priced else None
    last = tail.last
    return Glance(
        id=id_of(reader.stream),
        **reader.stream._asdict(),
        seq=head,
        at=None if last is None else last.at,
        recorded_at=None if last is None else last.recorded_at,
        action=None if last is None else last.action,
        state=None if state is None else name_of(state),
        state_seq=None if state is None else state.seq,
        signal=alive,
        price=price,
        price_at=tail.price_at if priced else None,
        unrealised=None if price is None or alive is None else _unrealised(alive, price),
        holder=holder,
        alarms=tuple(_alarms(tail, state, holder, fault)),
    )


def name_of(state: State) -> StateName:
    """A state as JSON calls it."""
    match state:
        case Flat():
            return "flat"
        case Waiting():
            return "waiting"
        case Holding():
            return "active"


def lost(stream: Stream, fault: Exception | None) -> Glance:
    """A stream that cannot even be opened."""
    nothing = dict.fromkeys(
        ("at", "recorded_at", "action", "state", "state_seq", "signal", "price", "price_at", "unrealised", "holder")
    )
    alarms = (Alarm("damaged", str(fault or "its journal is gone")),)
    told = {"id": id_of(stream), **stream._asdict(), "seq": 0, **nothing, "alarms": alarms}
    return msgspec.convert(told, Glance)


def _seen(reader: Reader, head: int, tail: Tail) -> Iterator[tuple[Event, ...]]:
    for record in records_newest_first(reader.folder, head):
        for event in reversed(record.events):
            tail.see(event)
        yield record.events


def _unrealised(signal: AcceptedSignal, price: float) -> float:
    return profit_and_loss(signal.position, signal.entry, price, Costs()).percentage


def _alarms(tail: Tail, state: State | None, holder: str | None, fault: Exception | None) -> Iterator[Alarm]:
    if fault is not None:
        yield Alarm("damaged", str(fault))
    if holder is None and isinstance(state, Waiting | Holding):
        yield Alarm("unwatched", "a signal is alive and no process watches it: start `tickfold live` again")
    if holder is None and tail.last is not None and not isinstance(tail.last, Stopped):
        yield Alarm("crashed", "the last run ended without a `stopped`: it was killed, or it crashed")
    if tail.last is not None and tail.last.ticks is not None and tail.last.ticks.missed:
        missed = tail.last.ticks.missed
        yield Alarm("missed", f"{missed} slots were missed before {instant(tail.last.at)}: the strategy was not asked")
    if isinstance(tail.proposed, Rejected):
        yield Alarm("rejected", f"the last proposal was refused: {'; '.join(tail.proposed.reasons)}")
