"""Where the time goes: how long live ticks took, of them the strategy's share, and how late events were written.

    performance(strategy, timed, delays) -> Performance

What a tick took is in no journal, for it changes nothing: `timed` are counts by duration that a live run keeps beside
it when asked to (`tickfold live --timings`), which may be lost. `delays` are how long after its boundary each event was
recorded, in ms, which journals know; a replayed clock has none.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from tickfold_eventstore.events import Event
from tickfold_eventstore.signals import Stream

from .figures import Definition, Figure, figure

STEP = 1.05
"""Durations that differ by less than this factor are counted as one, so a figure is off by 2.5 % at most."""

SHORTEST_MS = 0.001
"""What takes less counts as this."""


class Durations(msgspec.Struct):
    """How many durations fell into which step; step n holds those from STEP ** n ms up to the next.

    `longest` is exact.
    """

    counts: dict[int, int] = msgspec.field(default_factory=dict[int, int])
    longest: float = 0.0

    def add(self, milliseconds: float) -> None:
        """Count one."""
        milliseconds = max(milliseconds, SHORTEST_MS)
        step = math.floor(math.log(milliseconds, STEP))
        self.counts[step] = self.counts.get(step, 0) + 1
        self.longest = max(self.longest, milliseconds)

    def take_in(self, other: Durations) -> None:
        """Count all that `other` has counted."""
        for step, count in other.counts.items():
            self.counts[step] = self.counts.get(step, 0) + count
        self.longest = max(self.longest, other.longest)

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    def under(self, share: float) -> float:
        """The duration that so many of them do not exceed, to half a step: the middle of the step, or the longest."""
        wanted, seen = math.ceil(share * self.total), 0
        for step in sorted(self.counts):
            seen += self.counts[step]
            if seen >= wanted:
                return min(self.longest, float(STEP ** (step + 0.5)))
        raise ValueError("nothing was counted")


class Timings(msgspec.Struct, kw_only=True):
    """What a live run counted of one stream, ticks from `first_at` to `last_at` (boundaries, ms)."""

    exchange: str
    strategy: str
    symbol: str
    first_at: int
    last_at: int
    ticks: Durations = msgspec.field(default_factory=Durations)
    strategy_part: Durations = msgspec.field(default_factory=Durations)

    @property
    def stream(self) -> Stream:
        return Stream(self.exchange, self.strategy, self.symbol)


_TICK = (
    "Live ticks, each from the moment at which its candles were there until its last event was on the disk. A tick of "
    "a replay handles many boundaries."
)
_STRATEGY = "Ticks in which the strategy was asked, and how long it took to answer."
_DELAY = (
    "Events recorded on the wall clock, each from its boundary to its record, the time to settle included; what was "
    "booked after an outage is left out."
)
_TIMED = {
    "tick": ("Ticks timed", _TICK),
    "strategy": ("Questions timed", _STRATEGY),
    "delay": ("Records timed", _DELAY),
}


def _definitions() -> dict[str, Definition]:
    found: dict[str, Definition] = {}
    for name, (title, text) in _TIMED.items():
        found[f"{name}_count"] = Definition(title, "count", text)
        for share in (50, 95, 99):
            told = f"{share} % of them took no longer; to 2.5 % of the value."
            found[f"{name}_p{share}"] = Definition(f"{name.capitalize()} p{share}", "milliseconds", told)
        longest = f"Longest {name}"
        found[f"{name}_longest"] = Definition(longest, "milliseconds", "The one that took longest.")
    return found


DEFINITIONS = _definitions()
"""What each figure of `Pace` is, by the name of its field, in the order of tables."""


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How quick one symbol at one exchange was, or all of them."""

    exchange: str
    symbol: str
    tick_count: Figure
    tick_p50: Figure
    tick_p95: Figure
    tick_p99: Figure
    tick_longest: Figure
    strategy_count: Figure
    strategy_p50: Figure
    strategy_p95: Figure
    strategy_p99: Figure
    strategy_longest: Figure
    delay_count: Figure
    delay_p50: Figure
    delay_p95: Figure
    delay_p99: Figure
    delay_longest: Figure


class Performance(msgspec.Struct, frozen=True, kw_only=True):
    """A line for each symbol of the strategy, in the order of exchange and symbol, and the figures of all."""

    strategy: str
    symbols: tuple[Pace, ...]
    together: dict[str, Figure]


def delays_of(events: Iterable[Event], start: int | None = None, end: int | None = None) -> dict[Stream, Durations]:
    """How late the events of each stream with an `at` in [start, end) were recorded; what was booked after an outage
    (`event.late`) says nothing of the engine's pace and is left out.
    """
    first, last = -math.inf if start is None else start, math.inf if end is None else end
    found: dict[Stream, Durations] = {}
    for event in events:
        if first <= event.at < last:
            delays = found.setdefault(event.stream, Durations())
            if event.recorded_at > event.at and not event.late and event.action not in {"started", "stopped"}:
                delays.add(event.recorded_at - event.at)
    return found


def performance(strategy: str, timed: Sequence[Timings], delays: Mapping[Stream, Durations]) -> Performance:
    """The figures of a strategy's streams."""
    by_stream = {each.stream: each for each in timed}
    lines: list[Pace] = []
    parts: list[tuple[Durations, Durations, Durations]] = []
    for stream in sorted({*by_stream, *delays}):
        known = by_stream.get(stream)
        part = (
            known.ticks if known else Durations(),
            known.strategy_part if known else Durations(),
            delays.get(stream, Durations()),
        )
        parts.append(part)
        lines.append(Pace(exchange=stream.exchange, symbol=stream.symbol, **_figures(*part)))
    sums = [_sum(column) for column in zip(*parts, strict=True)] if parts else [Durations() for _ in range(3)]
    return Performance(strategy=strategy, symbols=tuple(lines), together=_figures(*sums))


def _sum(parts: Iterable[Durations]) -> Durations:
    whole = Durations()
    for part in parts:
        whole.take_in(part)
    return whole


def _figures(ticks: Durations, strategy_part: Durations, delays: Durations) -> dict[str, Figure]:
    return {
        **_spread("tick", ticks, "no tick was timed: run `tickfold live` with --timings"),
        **_spread("strategy", strategy_part, "no question was timed: run `tickfold live` with --timings"),
        **_spread("delay", delays, "no event was recorded on the wall clock"),
    }


def _spread(name: str, durations: Durations, lack: str) -> dict[str, Figure]:
    none = None if durations.counts else lack
    return {
        f"{name}_count": Figure(float(durations.total)),
        f"{name}_p50": figure(lambda: durations.under(0.5), none),
        f"{name}_p95": figure(lambda: durations.under(0.95), none),
        f"{name}_p99": figure(lambda: durations.under(0.99), none),
        f"{name}_longest": figure(lambda: durations.longest, none),
    }
