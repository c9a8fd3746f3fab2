"""Streams that share a risk rule, live: whose turn it is, so that each answer is judged after those before it.

At each boundary all settle first; then answers are judged in the order of streams. Only a stream that has something to
propose waits, for those that share a rule with it: until each has settled that boundary and, where it comes first, has
answered its slot. Whom a wait is for stands nearer to the present than who waits, so no two wait for each other.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import anyio

from tickfold_eventstore.events import Cancelled, Closed, Event, Opened, Scheduled
from tickfold_eventstore.log import EventLog
from tickfold_eventstore.signals import Stream
from tickfold_projections.active_signal import Flat, State

from .proposal import Signal
from .risk import Book, Risk, reasons


class Lockstep:
    """The turns of one `Live`, and a book for each rule."""

    def __init__(self) -> None:
        self._books: dict[str, Book] = {}
        self._turns: dict[Stream, Turn] = {}

    def join(self, stream: Stream, rules: Sequence[Risk]) -> Turn:
        """A stream's turn, from now until it leaves; its books hold nothing of it yet."""
        books = tuple(self._books.setdefault(rule.name, Book(rule)) for rule in rules)
        for book in books:
            book.forget(stream)
        turn = self._turns[stream] = Turn(self, stream, books)
        return turn

    def behind(self, turn: Turn, slot: int) -> Turn | None:
        """One that shares a rule with `turn` and must come before it at `slot`, and has not."""
        for other in self._turns.values():
            if other is not turn and other.shares_with(turn) and other.place < turn.needs(other, slot):
                return other
        return None

    def remove(self, turn: Turn) -> None:
        """Wait for it no more."""
        if self._turns.get(turn.stream) is turn:
            del self._turns[turn.stream]


class Turn:
    """One stream's place among those that share a rule with it.

    `place` grows: twice the boundary that was settled, and one more once that boundary's slot was answered.
    """

    def __init__(self, lockstep: Lockstep, stream: Stream, books: Sequence[Book]) -> None:
        self.stream = stream
        self.place: float = -1
        self._lockstep = lockstep
        self._books = books
        self._awaited: list[tuple[float, anyio.Event]] = []

    def shares_with(self, other: Turn) -> bool:
        """Whether one rule counts both."""
        return any(book in other._books for book in self._books)

    def needs(self, other: Turn, slot: int) -> int:
        """Where `other` must have come before an answer to `slot` is judged here."""
        return 2 * slot + (other.stream < self.stream)

    def recover(self, log: EventLog, state: State, slot: int) -> None:
        """Count what the stream's journal holds that still matters at `slot` (ms): signals that ended, one alive."""
        since = min(book.rule.counts_from(slot) for book in self._books)
        ended: list[Event] = []
        for record in log.read_backwards():
            if record.events[-1].at < since:
                break
            ended.extend(event for event in record.events if isinstance(event, Closed | Cancelled))
        self.hear(ended)
        if not isinstance(state, Flat):
            for book in self._books:
                book.hold(self.stream, state.signal)

    def hear(self, events: Iterable[Event]) -> None:
        """Count what was committed."""
        for book in self._books:
            for event in events:
                book.hear(event)

    def settled(self, boundary: int) -> None:
        """What was alive has been settled at `boundary`; its slot may still be open."""
        self._come_to(2 * boundary)

    def answered(self, boundary: int) -> None:
        """Nothing more comes of `boundary`."""
        self._come_to(2 * boundary + 1)

    def leave(self) -> None:
        """Let nobody wait any more. What is alive here goes on counting."""
        self._lockstep.remove(self)
        self._come_to(math.inf)

    async def comes(self, slot: int) -> None:
        """Return when an answer to `slot` may be judged."""
        while (other := self._lockstep.behind(self, slot)) is not None:
            await other.comes_to(self.needs(other, slot))

    def waits_for(self, slot: int) -> Stream | None:
        """The stream for which an answer to `slot` must wait now; None where it need not."""
        other = self._lockstep.behind(self, slot)
        return None if other is None else other.stream

    def reasons(self, event: Opened | Scheduled, proposal: Signal) -> tuple[str, ...]:
        """Why the rules refuse what the proposal would become; empty where they do not."""
        return reasons(self._books, event, proposal)

    async def comes_to(self, place: float) -> None:
        """Return when this stream has come to `place`, or left."""
        awaited = (place, anyio.Event())
        self._awaited.append(awaited)
        try:
            await awaited[1].wait()
        finally:
            self._awaited.remove(awaited)

    def _come_to(self, place: float) -> None:
        self.place = max(self.place, place)
        for wanted, event in self._awaited:
            if wanted <= self.place:
                event.set()
