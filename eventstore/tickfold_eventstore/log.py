"""What every journal can do, on disk or in memory: append one record at the head, and read what was appended."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import NamedTuple, Protocol

from .events import Event
from .signals import Stream

ZERO_HASH = "0" * 16
"""What stands before the first record of a stream."""


class Head(NamedTuple):
    """The last record: its last event's seq and its hash; seq 0 and zeros where there is none."""

    seq: int = 0
    hash: str = ZERO_HASH


class Record(NamedTuple):
    """One append: its events, in order. `seq` is that of the last one."""

    seq: int
    hash: str
    events: tuple[Event, ...]


class EventLog(Protocol):
    """One stream's events, dense from 1, in records that are whole or absent."""

    @property
    def stream(self) -> Stream:
        """Whose events these are."""
        ...

    @property
    def head(self) -> Head:
        """The last record."""
        ...

    def append(self, events: Sequence[Event], *, expected_seq: int) -> Head:
        """Append one record; on disk when it returns. Raises `WrongExpectedVersion`, `AppendRefused` (nothing was
        written), `JournalPoisoned` (unknown whether), `JournalClosed`.
        """
        ...

    def records(self, from_seq: int = 1) -> Iterator[Record]:
        """The records from the one that holds event `from_seq` on, oldest first."""
        ...

    def read(self, from_seq: int = 1) -> Iterator[Event]:
        """The events from `from_seq` on, oldest first."""
        ...

    def read_backwards(self) -> Iterator[Record]:
        """The records, newest first."""
        ...

    def follow(self, from_seq: int = 1) -> AsyncIterator[Event]:
        """The events from `from_seq` on, and then each as it is appended, for ever."""
        ...


def check_append(stream: Stream, events: Sequence[Event], head: Head) -> None:
    """What the caller must get right before any journal takes a record: raises `ValueError` for a mistake of the
    program, such as an event of another stream or a seq that is not the next.
    """
    if not events:
        raise ValueError(f"{stream}: a record holds at least one event")
    for seq, event in enumerate(events, head.seq + 1):
        if event.seq != seq:
            raise ValueError(f"{stream}: the next event is number {seq}, not {event.seq}")
        if (event.exchange, event.strategy, event.symbol) != stream:
            raise ValueError(f"{stream}: an event of {event.stream} does not belong here")
        if event.recorded_at != events[0].recorded_at:
            raise ValueError(f"{stream}: the events of one record are recorded at one time")
