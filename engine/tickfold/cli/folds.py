"""Journals folded as far as they were read: each event with the state after it, one by one or all in one order."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence

import attrs

from tickfold_eventstore import Reader, Stream
from tickfold_eventstore.events import Event
from tickfold_eventstore.reader import Cursor
from tickfold_projections.active_signal import FLAT, State, evolve

from .streams import Verdicts


@attrs.frozen
class Place:
    """A place in a stream: up to event `seq`, or up to the time `at` (ms), both inclusive."""

    seq: int | None = None
    at: int | None = None

    def reaches(self, event: Event) -> bool:
        return event.seq <= self.seq if self.seq is not None else event.at <= (self.at or 0)


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
        self._cursor: Cursor | None = None

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
        """What there is now, and at each further call what has come since; ends early where the journal is damaged,
        which `verdicts` remembers.
        """
        self.sound = False
        with verdicts.each():
            for event in self._unread():
                yield self.take(event)
            self.sound = True

    def _unread(self) -> Iterator[Event]:
        """All that may be read, the first time; then what was acknowledged, which is what MARK says."""
        if self._cursor is None:
            yield from self.reader.read()
            self._cursor = Cursor(self.reader.folder, self.seq + 1)
            return
        mark = self.reader.folder.mark()
        yield from self._cursor.events(mark.seq if mark else 0)


def one_by_one(folds: Sequence[Fold], verdicts: Verdicts) -> Iterator[tuple[Event, State]]:
    """Stream after stream."""
    for fold in folds:
        yield from fold.steps(verdicts)


def merged(folds: Sequence[Fold], verdicts: Verdicts) -> Iterator[tuple[Event, State]]:
    """All streams by at, then recorded_at, then stream; each stream's own events by seq, whatever clock wrote them."""
    return heapq.merge(
        *(fold.steps(verdicts) for fold in folds), key=lambda step: (step[0].at, step[0].recorded_at, step[0].stream)
    )
