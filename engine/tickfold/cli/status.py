"""`tickfold status`: what runs, what it holds, and what is alive with nobody to watch it."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

import attrs
import click
import msgspec

from tickfold_eventstore import Reader
from tickfold_eventstore.events import Event, Stopped
from tickfold_eventstore.lock import Holder
from tickfold_projections.active_signal import Flat
from tickfold_projections.notation import shown

from . import options
from .asides import say
from .faults import ERROR, sentence
from .output import json_document, state_text, table
from .standing import Standing, standing
from .stdout import go_on_unread
from .streams import BROKEN, Verdicts, open_store, select

CELLS = ("STREAM", "RUN", "SINCE", "EVENTS", "LAST RECORD", "ALIVE")


@attrs.frozen
class Status:
    """A stream as its journal and its lock say that it is. `now` is when they were asked, ms since the epoch."""

    standing: Standing
    holder: Holder | None
    last: Event | None
    now: int

    @property
    def run(self) -> str:
        """Held by a process: running. Else stopped, if the last event says so; a run that did not say so has died."""
        if self.standing.holder is not None:
            return "running"
        if self.standing.found is None:
            return "unreadable"
        return "stopped" if isinstance(self.last, Stopped) else "died"

    @property
    def unwatched(self) -> bool:
        """Whether a signal is alive and no process has the stream."""
        found = self.standing.found
        return self.standing.holder is None and found is not None and not isinstance(found.state, Flat)

    def record(self) -> dict[str, object]:
        """As JSON. `age_ms` is that of the last record: a run that has nothing to decide writes none for days."""
        told = self.standing.record()
        holder = None if self.holder is None else msgspec.to_builtins(self.holder)
        recorded_at = None if self.last is None else self.last.recorded_at
        age = None if recorded_at is None else self.now - recorded_at
        told |= {"holder": holder, "run": self.run, "unwatched": self.unwatched}
        return told | {"recorded_at": recorded_at, "age_ms": age}

    def cells(self) -> tuple[str, ...]:
        """As a line of a table."""
        found, holder = self.standing.found, self.holder
        run = self.run if holder is None else f"{self.run} (pid {holder.pid} on {holder.host})"
        alive = "unknown: see `tickfold journal verify`" if found is None else state_text(found.state)
        age = "" if self.last is None else ago(self.now - self.last.recorded_at)
        seq = "?" if found is None else str(self.standing.head.seq)
        unwatched = ", and NOBODY WATCHES IT" if self.unwatched else ""
        since = "" if holder is None else holder.since
        return shown(str(self.standing.stream)), shown(run), shown(since), seq, age, alive + unwatched


@click.command(
    epilog=options.example("tickfold status", "tickfold status --check", "tickfold status --strategy sma-cross --json")
)
@options.selecting
@click.option("--check", is_flag=True, help="Exit code 1 where a signal is alive and no process watches it.")
def command(
    data_dir: Path,
    exchanges: tuple[str, ...],
    strategies: tuple[str, ...],
    symbols: tuple[str, ...],
    as_json: bool,
    check: bool,
) -> int:
    """Print what runs: each stream, the process that holds it, its last record, what is alive.

    All of it is read from the journals and their locks. A process that holds a stream and hangs looks as one that has
    nothing to decide: only the age of the last record speaks of it. Profit is not told where no price is known.
    """
    go_on_unread()
    store = open_store(data_dir)
    found = [status(store.reader(stream)) for stream in select(store, exchanges, strategies, symbols)]
    verdicts = Verdicts()
    for each in found:
        if each.standing.damage is not None:
            say(sentence(each.standing.damage))
            verdicts.note(each.standing.damage)
    if as_json:
        json_document("streams", (each.record() for each in found))
    elif found:
        table([CELLS, *(each.cells() for each in found)])
    return verdicts.code or (ERROR if check and any(each.unwatched for each in found) else 0)


def status(reader: Reader) -> Status:
    """Look at a stream's tail and its lock, and at no more."""
    found, holder, last = standing(reader), None, None
    if found.holder is not None:
        with suppress(OSError, msgspec.MsgspecError, UnicodeDecodeError):  # who has not said who it is
            holder = msgspec.json.decode(Path(reader.folder.at("LOCK")).read_bytes(), type=Holder)
    with suppress(*BROKEN):  # `found` has it
        newest = next(reader.read_backwards(), None)
        last = None if newest is None else newest.events[-1]
    return Status(found, holder, last, time.time_ns() // 1_000_000)


def ago(age: int) -> str:
    """A duration in ms, in its largest unit: `3 min ago`."""
    if age < 0:
        return "in the future: see to the clock"
    for name, unit in (("d", 86_400_000), ("h", 3_600_000), ("min", 60_000)):
        if age >= unit:
            return f"{age // unit} {name} ago"
    return f"{age // 1000} s ago"
