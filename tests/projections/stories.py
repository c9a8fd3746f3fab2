"""Events of made-up streams, for what is folded from them: what closed with which result, and when.

Times are minutes after START_AT unless a name says otherwise.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

import msgspec

from tickfold_eventstore.events import (
    Cancelled,
    Closed,
    CloseReason,
    Event,
    Opened,
    Rejected,
    Scheduled,
    Started,
    Stopped,
)
from tickfold_eventstore.signals import AcceptedSignal, Position, ProfitAndLoss, RefusedProposal, Stream, Ticks
from tickfold_projections.trades import Made

MINUTE = 60_000
DAY_MINUTES = 1440
START_AT = 1_640_995_200_000
"""2022-01-01 00:00 UTC."""


STORY_MADE = Made(version="1", strategy_hash="s", config_hash="c")


def at(minute: float) -> int:
    return START_AT + round(minute * MINUTE)


class Story:
    """One stream as it happens: each call is the next event. `events` is what has happened."""

    def __init__(self, symbol: str = "A", *, exchange: str = "sim-1", strategy: str = "w") -> None:
        self.stream = Stream(exchange, strategy, symbol)
        self.events: list[Event] = []
        self.signal: AcceptedSignal | None = None

    def start(self, minute: float, *, state_seq: int = 0, ticks: Ticks | None = None, made: Made = STORY_MADE) -> None:
        known = {**msgspec.structs.asdict(made), "recovered": None}
        self._add(Started, minute, ticks, state_seq=state_seq, **known)

    def stop(self, minute: float, *, price: float | None, state_seq: int = 0, ticks: Ticks | None = None) -> None:
        self._add(Stopped, minute, ticks, reason="stopped", price=price, state_seq=state_seq)

    def schedule(self, minute: float, position: Position = "long", *, note: str = "", entry: float = 100.0) -> None:
        self.signal = _signal(self.stream, minute, position, note, entry)
        self.signal = msgspec.structs.replace(self.signal, scheduled_at=at(minute))
        self._add(Scheduled, minute, None, signal=self.signal)

    def open(
        self,
        minute: float,
        position: Position = "long",
        *,
        note: str = "",
        entry: float = 100.0,
        ticks: Ticks | None = None,
    ) -> None:
        waiting = self.signal or _signal(self.stream, minute, position, note, entry)
        self.signal = msgspec.structs.replace(waiting, opened_at=at(minute))
        self._add(Opened, minute, ticks, signal=self.signal, price=self.signal.entry)

    def cancel(self, minute: float) -> None:
        signal, self.signal = self.signal, None
        self._add(Cancelled, minute, None, signal=signal, reason="timeout")

    def close(
        self, minute: float, result: float, reason: CloseReason = "time_expired", *, ticks: Ticks | None = None
    ) -> None:
        signal, self.signal = self.signal, None
        assert signal is not None
        price = round(signal.entry * (1 + result / 100), 6)
        pnl = ProfitAndLoss(percentage=result, entry=signal.entry, exit=price)
        self._add(Closed, minute, ticks, signal=signal, price=price, reason=reason, pnl=pnl)

    def reject(self, minute: float, *reasons: str, note: str = "", entry: float | str | None = None) -> None:
        proposal = RefusedProposal(
            position="long", entry=entry, take_profit="inf", stop_loss=90.0, lifetime_minutes=60.0, note=note
        )
        self._add(Rejected, minute, None, proposal=proposal, reasons=reasons)

    def trade(self, opened: float, closed: float, result: float, position: Position = "long") -> None:
        self.open(opened, position)
        reason: CloseReason = "take_profit" if result > 0 else "stop_loss" if result < 0 else "time_expired"
        self.close(closed, result, reason)

    def _add(self, kind: type[Event], minute: float, ticks: Ticks | None, **said: object) -> None:
        place = {"seq": len(self.events) + 1, "at": at(minute), "recorded_at": at(minute), "ticks": ticks}
        self.events.append(kind(**place, **self.stream._asdict(), **said))  # type: ignore[arg-type]  # fields by name


def trades(
    results: Iterable[float], *, symbol: str = "A", every: float = 60, held: float = 30, first: float = 0
) -> list[Event]:
    """A stream of signals with these results, one opened each `every` minutes and held for `held`."""
    story = Story(symbol)
    for number, result in enumerate(results):
        story.trade(first + number * every, first + number * every + held, result)
    return story.events


def in_order(*streams: Sequence[Event]) -> list[Event]:
    """The events of several streams, by time, then stream."""
    return sorted(itertools.chain(*streams), key=lambda event: (event.at, event.stream, event.seq))


def _signal(stream: Stream, minute: float, position: Position, note: str, entry: float) -> AcceptedSignal:
    reach = 0.1 if position == "long" else -0.1
    return AcceptedSignal(
        id=f"{stream.symbol.lower()}-{minute:g}",
        position=position,
        entry=entry,
        take_profit=round(entry * (1 + reach), 6),
        stop_loss=round(entry * (1 - reach), 6),
        lifetime_minutes=60,
        note=note,
        scheduled_at=None,
        opened_at=None,
    )
