"""`tickfold replay`: journals folded again, event by event, or to the state at one moment."""

from __future__ import annotations

import heapq
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import anyio
import attrs
import click

from tickfold_eventstore import Reader, Stream
from tickfold_eventstore.events import Event
from tickfold_projections.active_signal import FLAT, State, evolve
from tickfold_projections.notation import instant, shown

from . import options
from .faults import WrongUse
from .output import event_line, json_document, json_line, put, state_text, state_value
from .streams import Verdicts, open_store, select


@attrs.frozen
class Place:
    """A place in a stream: up to event `seq`, or up to the time `at` (ms), both inclusive."""

    seq: int | None = None
    at: int | None = None

    def reaches(self, event: Event) -> bool:
        return event.seq <= self.seq if self.seq is not None else event.at <= (self.at or 0)


class PlaceParameter(click.ParamType[Place]):
    """An event's number, or a time."""

    name = "SEQ|TIME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Place:
        if isinstance(value, str) and value.isascii() and value.isdigit():
            return Place(seq=int(value))
        return Place(at=options.Moment().convert(value, param, ctx))


@click.command(
    epilog=options.example(
        "tickfold replay",
        "tickfold replay --symbol BTCUSDT --at 2024-01-31T12:00",
        "tickfold replay --merge --follow --json",
    )
)
@options.selecting
@click.option("--at", "place", type=PlaceParameter(), help="Print the state there: after event SEQ, or at TIME.")
@click.option("--merge", is_flag=True, help="All streams in one order: by at, then by when it was recorded.")
@click.option("--follow", is_flag=True, help="Go on with what comes, until Ctrl-C.")
def command(
    data_dir: Path,
    exchanges: tuple[str, ...],
    strategies: tuple[str, ...],
    symbols: tuple[str, ...],
    place: Place | None,
    merge: bool,
    follow: bool,
    as_json: bool,
) -> int:
    """Fold journals: print every event with the state after it, or the state at one moment."""
    if place is not None and (merge or follow):
        raise WrongUse("--at is one moment: it does not go together with --merge or --follow")
    store = open_store(data_dir)
    folds = [Fold(store.reader(stream)) for stream in select(store, exchanges, strategies, symbols)]
    verdicts = Verdicts()
    if place is not None:
        _states(folds, place, verdicts, as_json=as_json)
    elif follow:
        anyio.run(_follow, folds, verdicts, merge, as_json)
    elif as_json:
        steps = merged(folds, verdicts) if merge else one_by_one(folds, verdicts)
        json_document("events", ({"event": event} | state_value(state) for event, state in steps))
    else:
        for event, state in merged(folds, verdicts) if merge else one_by_one(folds, verdicts):
            put(_step_line(event, state))
    return verdicts.code


class Fold:
    """One stream, folded as far as it was read."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.stream: Stream = reader.stream
        self.state: State = FLAT
        self.seq = 0
        self.at: int | None = None
        self.sound = True
        """Whether it could be read to its end."""

    def take(self, event: Event) -> tuple[Event, State]:
        """The event and the state after it."""
        self.state = evolve(self.state, event)
        self.seq, self.at = event.seq, event.at
        return event, self.state

    def go_to(self, place: Place) -> None:
        """Take what `place` reaches, and look at nothing behind a seq: damage there does not matter here."""
        if place.seq == 0:
            return
        for event in self.reader.read():
            if not place.reaches(event):
                return
            self.take(event)
            if event.seq == place.seq:
                return

    def steps(self, verdicts: Verdicts) -> Iterator[tuple[Event, State]]:
        """What there is now; ends early where the journal is damaged, which `verdicts` remembers."""
        self.sound = False
        with verdicts.each():
            for event in self.reader.read(self.seq + 1):
                yield self.take(event)
            self.sound = True


def one_by_one(folds: Sequence[Fold], verdicts: Verdicts) -> Iterator[tuple[Event, State]]:
    """Stream after stream."""
    for fold in folds:
        yield from fold.steps(verdicts)


def merged(folds: Sequence[Fold], verdicts: Verdicts) -> Iterator[tuple[Event, State]]:
    """All streams by at, then recorded_at, then stream; each stream's own events by seq, whatever clock wrote them."""
    return heapq.merge(
        *(fold.steps(verdicts) for fold in folds), key=lambda step: (step[0].at, step[0].recorded_at, step[0].stream)
    )


def _states(folds: Sequence[Fold], place: Place, verdicts: Verdicts, *, as_json: bool) -> None:
    found: list[Fold] = []
    for fold in folds:
        with verdicts.each():
            fold.go_to(place)
            if place.seq is not None and fold.seq < place.seq:
                raise WrongUse(f"{fold.stream} has no event {place.seq}: it ends at event {fold.seq}")
            found.append(fold)
    if as_json:
        json_document("streams", map(_state_record, found))
        return
    for fold in found:
        since = "before its first event" if fold.at is None else f"after event {fold.seq} of {instant(fold.at)}"
        put(f"{shown(str(fold.stream))} {since}: {state_text(fold.state)}")


def _state_record(fold: Fold) -> dict[str, object]:
    return fold.stream._asdict() | {"seq": fold.seq, "at": fold.at} | state_value(fold.state)


async def _follow(folds: Sequence[Fold], verdicts: Verdicts, merge: bool, as_json: bool) -> None:
    def line(event: Event, state: State) -> str:
        return json_line(event) if as_json else _step_line(event, state)

    for step in merged(folds, verdicts) if merge else one_by_one(folds, verdicts):
        put(line(*step))

    async def on(fold: Fold) -> None:
        with verdicts.each():
            async for event in fold.reader.follow(fold.seq + 1):
                put(line(*fold.take(event)), flush=True)

    sys.stdout.flush()
    async with anyio.create_task_group() as tasks:
        for fold in folds:
            if fold.sound:
                tasks.start_soon(on, fold)


def _step_line(event: Event, state: State) -> str:
    return f"{event_line(event)}\n{'':22}-> {state_text(state)}"
