"""`tickfold replay`: journals folded again, event by event, or to the state at one moment."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any, cast

import anyio
import click

from tickfold_eventstore import Stream
from tickfold_eventstore.events import Event
from tickfold_projections.active_signal import State
from tickfold_projections.notation import instant, shown
from tickfold_projections.stream import stirring

from . import options
from .faults import WrongUse
from .folds import Fold, Place, merged, one_by_one
from .output import event_line, json_document, json_line, put, state_text, state_value
from .streams import Selected, Verdicts, awaited, open_store, select


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
@click.option("--follow", is_flag=True, help="Go on with what comes, of new streams too, until Ctrl-C.")
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
    verdicts = Verdicts()
    if follow:
        anyio.run(_follow, awaited(store, exchanges, strategies, symbols), verdicts, merge, as_json)
        return verdicts.code
    folds = [Fold(store.reader(stream)) for stream in select(store, exchanges, strategies, symbols)]
    if place is not None:
        _states(folds, place, verdicts, as_json=as_json)
    elif as_json:
        steps = merged(folds, verdicts) if merge else one_by_one(folds, verdicts)
        json_document("events", ({"event": event} | state_value(state) for event, state in steps))
    else:
        for event, state in merged(folds, verdicts) if merge else one_by_one(folds, verdicts):
            put(_step_line(event, state))
    return verdicts.code


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


async def _follow(streams: Selected, verdicts: Verdicts, merge: bool, as_json: bool) -> None:
    """Print every step there is and then each that comes, of streams that come later too, for ever.

    Where all that there is turns out to be damaged, it ends.
    """
    folds: dict[Stream, Fold] = {}
    async with aclosing(cast("AsyncGenerator[list[Stream]]", stirring(streams.store))) as wakes:
        async for there in wakes:
            for stream in filter(streams.meant, there):
                if stream not in folds:
                    folds[stream] = Fold(streams.store.reader(stream))
            sound = [fold for fold in folds.values() if fold.sound]
            for event, state in merged(sound, verdicts) if merge else one_by_one(sound, verdicts):
                put(json_line(event) if as_json else _step_line(event, state))
            sys.stdout.flush()
            if folds and not any(fold.sound for fold in folds.values()):
                return


def _step_line(event: Event, state: State) -> str:
    return f"{event_line(event)}\n{'':22}-> {state_text(state)}"
