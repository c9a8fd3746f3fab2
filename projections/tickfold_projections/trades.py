"""What the events of any number of streams add up to: closed signals, what is alive, counts.

`ledger_of(events)` is the fold: one pass, each stream's events in the order of their seq, the streams in any order.
`started` and `stopped` are no trading: they are counted apart (`Account.starts`) and never among the events, so that a
replay that was killed and started again adds up to the same as one that never was.
"""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from tickfold_eventstore.events import Cancelled, Closed, CloseReason, Event, Opened, Scheduled, Started, Stopped
from tickfold_eventstore.signals import Position, Stream, Ticks

MINUTE_MS = 60_000

TRADING = ("scheduled", "opened", "cancelled", "closed", "rejected")
"""The actions that count as events of a strategy."""


@attrs.frozen
class Trade:
    """A signal that closed. `percentage` is its net result in percent, times are ms."""

    stream: Stream
    position: Position
    reason: CloseReason
    percentage: float
    opened_at: int
    closed_at: int

    @property
    def minutes(self) -> float:
        """How long it was held."""
        return (self.closed_at - self.opened_at) / MINUTE_MS


@attrs.define
class Account:
    """Where one stream stands after its events up to `last_seq`; `price` is the last one known, as of `price_at`."""

    first_seq: int
    last_seq: int = 0
    last_at: int = 0
    starts: int = 0
    stopped: bool = False
    alive: Scheduled | Opened | None = None
    price: float | None = None
    price_at: int | None = None


class Ledger:
    """Grows with each event that is booked.

    `ticks` is the sum over the records of a live run, None where no record carried any (a backtest). `counts_lost`:
    a crash on the wall clock took the ticks since the record before it, so the sum says "at least".
    """

    def __init__(self) -> None:
        self.trades: list[Trade] = []
        self.accounts: dict[Stream, Account] = {}
        self.events = dict.fromkeys(TRADING, 0)
        self.first_opened_at: int | None = None
        self.counts_lost = False
        self._idle = self._waiting = self._active = self._missed = 0
        self._ticked = False

    @property
    def ticks(self) -> Ticks | None:
        if not self._ticked:
            return None
        return Ticks(idle=self._idle, waiting=self._waiting, active=self._active, missed=self._missed)

    def book(self, event: Event) -> None:
        """Take the next event of its stream."""
        stream = event.stream
        account = self.accounts.get(stream)
        if account is None:
            account = self.accounts[stream] = Account(event.seq)
        if event.ticks is not None:
            self._count(event.ticks)
        if event.action in self.events:
            self.events[event.action] += 1
        match event:
            case Opened():
                account.alive = event
                self._opened(event.at)
            case Closed():
                account.alive = None
                self._closed(stream, event)
            case Scheduled():
                account.alive = event
            case Cancelled():
                account.alive = None
            case Started():
                account.starts += 1
                self._started(account, event)
            case Stopped(price=price) if price is not None:
                account.price, account.price_at = price, event.at
            case _:
                pass
        account.stopped = event.action == "stopped"
        account.last_seq = event.seq
        account.last_at = event.at

    def settle(self) -> None:
        """Bring the trades of several streams into the order of closing."""
        self.trades.sort(key=lambda trade: (trade.closed_at, trade.stream))

    def _count(self, ticks: Ticks) -> None:
        self._ticked = True
        self._idle += ticks.idle
        self._waiting += ticks.waiting
        self._active += ticks.active
        self._missed += ticks.missed

    def _opened(self, at: int) -> None:
        if self.first_opened_at is None or at < self.first_opened_at:
            self.first_opened_at = at

    def _closed(self, stream: Stream, event: Closed) -> None:
        signal = event.signal
        # Its `opened` may lie before the range that is folded.
        opened_at = event.at if signal.opened_at is None else signal.opened_at
        self._opened(opened_at)
        self.trades.append(Trade(stream, signal.position, event.reason, event.pnl.percentage, opened_at, event.at))

    def _started(self, account: Account, event: Started) -> None:
        # A start after a crash that goes on from the last record's boundary counts again what was not yet written; one
        # that begins later (a wall clock, nothing alive) leaves behind what the crashed run had counted since.
        if account.last_seq and not account.stopped and event.at > account.last_at:
            self.counts_lost = True


def ledger_of(events: Iterable[Event]) -> Ledger:
    """Fold the events, each stream's in order, into a ledger."""
    ledger = Ledger()
    for event in events:
        ledger.book(event)
    ledger.settle()
    return ledger
