"""`tickfold tail`: the events of all streams as they come, in one order."""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import anyio
import attrs
import click

from tickfold_eventstore import Store, Stream
from tickfold_eventstore.events import Closed, Event
from tickfold_projections.confluence import Confluence, arrivals
from tickfold_projections.notation import instant
from tickfold_projections.pages import UNREADABLE

from . import options
from .asides import say
from .faults import CommandError, WrongUse, sentence
from .output import event_line, json_line, put
from .streams import Selected, awaited

_AT_ONCE = 500
_COLOURS = {"scheduled": "blue", "opened": "cyan", "cancelled": "yellow", "rejected": "magenta"}


@attrs.frozen
class Beginning:
    """Where to begin in each stream: with event `seq`, with what happened at `at` (ms) or later, with the last few of
    all, or, where nothing is said, with the first.
    """

    seq: int | None = None
    at: int | None = None
    last: int | None = None

    def of(self, streams: Confluence, stream: Stream, *, new: bool) -> int:
        """The event before the first one of this stream; `new`: it came while the others were read."""
        if self.seq is not None:
            return self.seq - 1
        if self.at is not None:
            return streams.before(stream, self.at)
        return 0 if self.last is None or new else max(0, streams.heads[stream] - self.last)


class BeginningParameter(click.ParamType[Beginning]):
    """A time, or the number of an event."""

    name = "TIME|SEQ"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Beginning:
        if isinstance(value, str) and value.isascii() and value.isdigit():
            return Beginning(seq=max(1, int(value)))
        return Beginning(at=options.Moment().convert(value, param, ctx))


@click.command(
    epilog=options.example(
        "tickfold tail",
        "tickfold tail --last 10 --strategy sma-cross",
        "tickfold tail --since 2024-01-31 --json | jq .action",
    )
)
@options.selecting
@click.option("--since", type=BeginningParameter(), help="Begin at TIME, or with event SEQ of each stream.")
@click.option("--last", type=click.IntRange(min=0), metavar="N", help="Begin with the last N events that there are.")
def command(
    data_dir: Path,
    exchanges: tuple[str, ...],
    strategies: tuple[str, ...],
    symbols: tuple[str, ...],
    since: Beginning | None,
    last: int | None,
    as_json: bool,
) -> None:
    """Print the events of all streams in one order, from the first on, and then each as it comes, until Ctrl-C.

    Only what is durable is printed. New streams are taken in. The order is that of at, then of when it was recorded,
    then of the stream; what a stream writes late comes late.
    """
    if since is not None and last is not None:
        raise WrongUse("--since and --last both say where to begin: give one of them")
    line = json_line if as_json else _coloured if _in_colour() else event_line
    anyio.run(_tail, data_dir, (exchanges, strategies, symbols), since or Beginning(last=last), line)


async def _tail(
    data_dir: Path, names: tuple[tuple[str, ...], ...], beginning: Beginning, line: Callable[[Event], str]
) -> None:
    store = opened(data_dir)
    tail = Tail(awaited(store, *names), beginning)
    async with aclosing(arrivals(store)) as wakes:
        async for there in wakes:
            for event in tail.news(there):
                put(line(event))
            sys.stdout.flush()


def opened(data_dir: Path) -> Store:
    """The store in a directory that may still be to come: whoever watches may come before the engine."""
    if data_dir.exists() and not data_dir.is_dir():
        raise CommandError(f"{data_dir} is a file, not a data directory: give another with --data-dir")
    return Store(data_dir)


class Tail:
    """What was printed of each stream, and what comes next."""

    def __init__(self, selected: Selected, beginning: Beginning) -> None:
        self._streams = Confluence(selected.store)
        self._selected = selected
        self._beginning = beginning
        self._position: dict[Stream, int] = {}
        self._said: dict[Stream, str] = {}
        self._begun = False

    def news(self, there: list[Stream]) -> Iterator[Event]:
        """What there is to print now, of these streams. What is wrong with one is said once, on stderr."""
        self._streams.look(filter(self._selected.meant, there))
        for stream in self._streams.heads.keys() - self._position.keys():
            self._begin(stream)
        events = self._events()
        yield from events if self._begun or self._beginning.last is None else deque(events, self._beginning.last)
        self._begun = True
        for stream, error in self._streams.faults.items():
            if self._said.get(stream) != str(error):
                self._said[stream] = str(error)
                say(sentence(error))

    def _begin(self, stream: Stream) -> None:
        try:
            self._position[stream] = self._beginning.of(self._streams, stream, new=self._begun)
        except UNREADABLE as error:
            self._streams.faults[stream] = error

    def _events(self) -> Iterator[Event]:
        while events := self._streams.after(self._position, _AT_ONCE):
            for event in events:
                self._position[event.stream] = event.seq
                yield event


def _in_colour() -> bool:
    """Whether stdout is a terminal whose user wants colours."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _coloured(event: Event) -> str:
    """An event's line: its time dim, its action in the action's colour, a result in that of a win or a loss."""
    when, told = instant(event.at), f"{event.action:<9}"
    _, _, rest = event_line(event).partition(told)
    colour = _COLOURS.get(event.action)
    if isinstance(event, Closed):
        colour = "green" if event.pnl.percentage > 0 else "red"
    dim = colour is None
    action = click.style(told, dim=True) if dim else click.style(told, fg=colour, bold=True)
    return f"{click.style(when, dim=True)}  {event.seq:>5}  {action}{click.style(rest, dim=True) if dim else rest}"
