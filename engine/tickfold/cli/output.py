"""How events and states are written to a terminal or a pipe: one line each, nothing from outside obeyed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager, redirect_stdout

import msgspec

from tickfold_eventstore.events import Cancelled, Closed, Event, Opened, Rejected, Scheduled, Started, Stopped
from tickfold_eventstore.signals import AcceptedSignal
from tickfold_projections.active_signal import Flat, Holding, State, Waiting
from tickfold_projections.notation import instant, json_shown, shown

from .asides import say
from .faults import DONE, ERROR
from .stdout import OutputLost, ReaderLeft

Write = Callable[[str], None]
"""Writes a line, without its end, and returns when it is on its way."""


@contextmanager
def own_stdout() -> Generator[Write]:
    """Inside, what a user's file prints goes to stderr: stdout carries what `write` is given and nothing else."""
    stdout = sys.stdout

    def write(line: str) -> None:
        stdout.write(f"{line}\n")
        stdout.flush()

    with redirect_stdout(sys.stderr):
        yield write


class Lines:
    """Writes the lines of a run that goes on without them: the journal is what counts.

    What cannot be written is told once, and the rest is left out. `code` is what that means for the exit code: that
    nobody reads any more is no error, that something is missing in what is read is one.
    """

    def __init__(self, write: Write) -> None:
        self.code = DONE
        self._write: Write | None = write

    def __call__(self, line: str) -> None:
        if self._write is None:
            return
        try:
            self._write(line)
        except ReaderLeft:
            self._write = None
            say("nobody reads stdout any more: the run goes on, and its journal has every event; Ctrl-C stops it")
        except OutputLost as error:
            self._write, self.code = None, ERROR
            say(f"{error}; the run goes on, and its journal has every event; Ctrl-C stops it")


def json_line(value: object) -> str:
    """`value` as one line of JSON, characters that a terminal obeys escaped."""
    return json_shown(msgspec.json.encode(value).decode())


def json_document(name: str, items: Iterable[object]) -> None:
    """One document, `{"name": [...]}`, an item a line, written as they come and closed even where they end early."""
    put("{" + json_line(name) + ":[", end="")
    comma = ""
    try:
        for item in items:
            put(f"{comma}\n{json_line(item)}", end="")
            comma = ","
    finally:
        put("\n]}")


def put(text: str = "", *, end: str = "\n", flush: bool = False) -> None:
    """Write to stdout, buffered: where many lines come at once, each on its way by itself would take its time."""
    sys.stdout.write(text + end)
    if flush:
        sys.stdout.flush()


def table(rows: Sequence[Sequence[str]]) -> None:
    """Print rows, the first of which names the columns."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        put("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def event_line(event: Event) -> str:
    """An event on one line for people: when, what, where, what it says, and whether it was told late."""
    late = f"  (late: recorded at {instant(event.recorded_at)})" if event.late else ""
    told = f"{shown(str(event.stream))}  {shown(_told(event))}"
    return f"{instant(event.at)}  {event.seq:>5}  {event.action:<9}  {told}{late}"


def state_text(state: State) -> str:
    """A state in words."""
    match state:
        case Flat():
            return "nothing is alive"
        case Waiting(seq=seq, signal=signal):
            return f"waiting since event {seq}: {shown(_signal(signal))}"
        case Holding(seq=seq, signal=signal):
            return f"active since event {seq}: {shown(_signal(signal))}"


def state_value(state: State) -> dict[str, object]:
    """A state as JSON: `state` flat, waiting or active, and the signal and its event's seq where there is one."""
    match state:
        case Flat():
            return {"state": "flat", "state_seq": 0, "signal": None}
        case Waiting(seq=seq, signal=signal):
            return {"state": "waiting", "state_seq": seq, "signal": signal}
        case Holding(seq=seq, signal=signal):
            return {"state": "active", "state_seq": seq, "signal": signal}


def price(value: float) -> str:
    """A price for people: ten digits, and no more than it has."""
    return f"{value:.10g}"


def _told(event: Event) -> str:
    match event:
        case Started():
            recovered = f"; {event.recovered}" if event.recovered else ""
            alive = f"event {event.state_seq} is alive" if event.state_seq else "nothing is alive"
            return f"version {event.version}, {alive}{recovered}"
        case Scheduled(signal=signal) | Opened(signal=signal):
            return _signal(signal)
        case Cancelled(signal=signal):
            return f"{signal.position} at {price(signal.entry)}: {event.reason}"
        case Closed(signal=signal):
            moved = f"{price(signal.entry)} -> {price(event.price)}"
            return f"{signal.position} {moved}: {event.reason}, {event.pnl.percentage:+.4f} %"
        case Rejected(proposal=proposal):
            return f"{proposal.position}: {'; '.join(event.reasons)}"
        case Stopped():
            return event.reason


def _signal(signal: AcceptedSignal) -> str:
    note = f" ({signal.note})" if signal.note else ""
    levels = f"target {price(signal.take_profit)}, stop {price(signal.stop_loss)}, {signal.lifetime_minutes} min"
    return f"{signal.position} at {price(signal.entry)}, {levels}{note}"
