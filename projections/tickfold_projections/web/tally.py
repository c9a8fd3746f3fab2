"""How many events of which kind each stream holds, and what its ticks add up to: counted in the background."""

from __future__ import annotations

from collections.abc import Iterable

import anyio
import attrs

from tickfold_eventstore.events import Event
from tickfold_eventstore.signals import Stream

from ..pages import UNREADABLE
from .hub import Hub

ACTIONS = ("started", "scheduled", "opened", "cancelled", "closed", "rejected", "stopped")
BOUNDARIES = ("idle", "waiting", "active")

_AT_ONCE = 2_000


@attrs.define
class Count:
    """The sums over the events of a stream up to event `seq`."""

    seq: int = 0
    actions: dict[str, int] = attrs.Factory(lambda: dict.fromkeys(ACTIONS, 0))
    boundaries: dict[str, int] = attrs.Factory(lambda: dict.fromkeys(BOUNDARIES, 0))
    missed: int = 0

    def add(self, events: Iterable[Event]) -> None:
        """Count the events that follow."""
        for event in events:
            self.seq = event.seq
            self.actions[event.action] += 1
            if event.ticks is not None:
                self.missed += event.ticks.missed
                for name in BOUNDARIES:
                    self.boundaries[name] += getattr(event.ticks, name)


class Tally:
    """The counts of all streams of a hub, as far as they have come."""

    def __init__(self, hub: Hub) -> None:
        self.counts: dict[Stream, Count] = {}
        self._hub = hub

    def behind(self) -> list[Stream]:
        """The streams that are not counted to their head; what cannot be read on does not come any further."""
        hub = self._hub
        return [
            stream
            for stream, head in list(hub.streams.heads.items())
            if stream not in hub.streams.faults and self._count(stream, head).seq < head
        ]

    async def keep(self) -> None:
        """Count what is there, a piece of each stream in turn, and then what comes, until it is cancelled."""
        while True:
            wake = self._hub.wake
            for stream in self._hub.streams.heads.keys() ^ self.counts.keys():
                self.counts.pop(stream, None)
            for stream in self.behind():
                await self._hub.ask(self._go_on, stream)
            if not self.behind():
                await wake.wait()
            await anyio.lowlevel.checkpoint()

    def _count(self, stream: Stream, head: int) -> Count:
        """The count of a stream; begun anew where another journal stands in its place."""
        found = self.counts.get(stream)
        if found is None or found.seq > head:
            found = self.counts[stream] = Count()
        return found

    def _go_on(self, stream: Stream) -> None:
        streams = self._hub.streams
        if stream not in streams.heads:
            return  # forgotten meanwhile
        try:
            count = self._count(stream, streams.heads[stream])
            count.add(streams.of(stream, count.seq, _AT_ONCE))
        except UNREADABLE as error:
            streams.faults[stream] = error
