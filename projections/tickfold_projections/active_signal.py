"""What is alive in a stream: the one projection that the engine recovers and trades from.

`evolve` is the whole machine as a table: a pair of state and event that it does not name is illegal and raises.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

import attrs

from tickfold_eventstore.events import Cancelled, Closed, Event, Opened, Rejected, Scheduled, Started, Stopped
from tickfold_eventstore.signals import AcceptedSignal


@attrs.frozen
class Flat:
    """Nothing is alive: the strategy may be asked."""

    seq: int = 0
    """As in the other states the event that says what is alive; here none does."""


@attrs.frozen
class Waiting:
    """A limit entry rests at its level. `seq` is that of its `scheduled` event."""

    seq: int
    signal: AcceptedSignal


@attrs.frozen
class Holding:
    """A signal is open. `seq` is that of its `opened` event."""

    seq: int
    signal: AcceptedSignal


State = Flat | Waiting | Holding
FLAT = Flat()


class IllegalTransition(ValueError):
    """An event that cannot happen in this state: the journal and the machine disagree."""

    def __init__(self, state: State, event: Event) -> None:
        super().__init__(
            f"{event.stream}: event {event.seq} ({event.action}) cannot follow the state {type(state).__name__.lower()}"
            f" of event {state.seq}"
        )
        self.state = state
        self.event = event


def evolve(state: State, event: Event) -> State:
    """The state after `event`. Total over the legal pairs; every other pair raises `IllegalTransition`."""
    # Matched on the event alone: a match on the pair says the same and takes five times as long.
    match event:
        case Opened(signal=signal):
            if isinstance(state, Flat) and signal.scheduled_at is None:
                return Holding(event.seq, signal)
            if isinstance(state, Waiting) and signal.scheduled_at is not None and signal.id == state.signal.id:
                return Holding(event.seq, signal)
        case Closed(signal=signal):
            if isinstance(state, Holding) and signal.id == state.signal.id:
                return FLAT
        case Scheduled(signal=signal):
            if isinstance(state, Flat):
                return Waiting(event.seq, signal)
        case Cancelled(signal=signal):
            if isinstance(state, Waiting) and signal.id == state.signal.id:
                return FLAT
        case Rejected():
            if isinstance(state, Flat):
                return state
        case Started() | Stopped():
            if event.state_seq == state.seq:
                return state
        case _:
            assert_never(event)
    raise IllegalTransition(state, event)


@attrs.frozen
class Recovered:
    """Where a stream stands: what is alive, its last event, and whether the slot at that event's `at` was answered."""

    state: State = FLAT
    seq: int = 0
    at: int | None = None
    answered: bool = False


def recover(newest_first: Iterator[tuple[Event, ...]]) -> Recovered:
    """Fold the tail of a journal, reading records newest first and no further than needed.

    Needed are the event that says what is alive and every record with the `at` of the last one, for they say whether
    its slot has had its answer.
    """
    found = Recovered()
    state_seq = 0
    for record in newest_first:
        for event in reversed(record):
            if found.at is None:
                found = Recovered(FLAT, event.seq, event.at)
                state_seq = alive_after(event)
            if event.at == found.at and answers_slot(event):
                found = attrs.evolve(found, answered=True)
            if event.seq == state_seq:
                found = attrs.evolve(found, state=state_of(event))
        if found.state.seq == state_seq and record[0].at != found.at:
            break
    return found


def state_of(event: Event) -> Waiting | Holding:
    """The state that a `scheduled` or `opened` event begins."""
    match event:
        case Scheduled(seq=seq, signal=signal):
            return Waiting(seq, signal)
        case Opened(seq=seq, signal=signal):
            return Holding(seq, signal)
        case _:
            raise ValueError(f"{event.stream}: event {event.seq} ({event.action}) begins no state")


def alive_after(event: Event) -> int:
    """The seq of the event that says what is alive after `event`; 0 where nothing is. Every event knows it."""
    match event:
        case Scheduled() | Opened():
            return event.seq
        case Started() | Stopped():
            return event.state_seq
        case Closed() | Cancelled() | Rejected():
            return 0


def answers_slot(event: Event) -> bool:
    """Whether `event` is the answer to the question asked at its `at`."""
    match event:
        case Scheduled() | Rejected():
            return True
        case Opened(signal=signal):
            return signal.scheduled_at is None
        case _:
            return False
