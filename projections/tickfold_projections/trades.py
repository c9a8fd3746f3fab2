"""What the events of any number of streams add up to: closed signals, what is alive, counts.

    ledger_of(events, start=None, end=None) -> Ledger

One pass, each stream's events from its first on in the order of their seq, the streams in any order. With `start` or
`end` (ms) only events with an `at` in [start, end) are booked; those before it still say what is alive.
`started` and `stopped` are no trading: they are counted apart (`Account.starts`) and never among the events, so that a
replay that was killed and started again adds up to the same as one that never was.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import attrs
import msgspec

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


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """What a run was made with, as far as its `started` says: the program, the strategy's code, the configuration."""

    version: str
    strategy_hash: str
    config_hash: str


@attrs.define
class Account:
    """Where one stream stands: what is alive, the last known price (as of `price_at`), and what was booked of it.

    `first_seq` and `last_seq` are 0 where nothing was booked; `last_at` and `running` are those of its last event.
    `made`: what made the events that were booked, each once, in the order of its first start.
    """

    stream: Stream
    first_seq: int = 0
    last_seq: int = 0
    starts: int = 0
    alive: Scheduled | Opened | None = None
    price: float | None = None
    price_at: int | None = None
    last_at: int = 0
    running: bool = False
    made: list[Made] = attrs.Factory(list[Made])

    def begin(self, started: Started, *, booked: bool) -> None:
        """A run begins. What ran before the range is forgotten but for the last, which may go on inside of it."""
        made = Made(version=started.version, strategy_hash=started.strategy_hash, config_hash=started.config_hash)
        if not booked:
            self.made = []
        if made not in self.made:
            self.made.append(made)

    def lost_counts(self, started: Started) -> bool:
        """Whether a crash before this start took ticks with it that nobody counts again.

        A start that goes on from the last record's boundary counts anew what was not yet written; one that begins
        later (a wall clock, nothing alive) leaves behind what the crashed run had counted since.
        """
        return self.running and started.at > self.last_at

    def follow(self, event: Event) -> None:
        """What is alive after `event`, and what it tells of the price."""
        match event:
            case Closed() | Cancelled():
                self.alive = None
            case Opened() | Scheduled():
                self.alive = event
            case Stopped(price=price) if price is not None:
                self.price, self.price_at = price, event.at
            case _:
                pass
        self.running = event.action != "stopped"
        self.last_at = event.at


class Ledger:
    """Grows with each event that is booked.

    `ticks` is the sum over the records of a live run, None where no record carried any (a backtest). `counts_lost`:
    a crash on the wall clock took the ticks since the record before it, so the sum says "at least".
    """

    def __init__(self, start: int | None = None, end: int | None = None) -> None:
        self.trades: list[Trade] = []
        self.accounts: dict[Stream, Account] = {}
        self.events = dict.fromkeys(TRADING, 0)
        self.first_opened_at: int | None = None
        self.counts_lost = False
        self._start = -math.inf if start is None else start
        self._end = math.inf if end is None else end
        self._idle = self._waiting = self._active = self._missed = 0
        self._ticked = False

    @property
    def ticks(self) -> Ticks | None:
        if not self._ticked:
            return None
        return Ticks(idle=self._idle, waiting=self._waiting, active=self._active, missed=self._missed)

    def book(self, event: Event) -> Account | None:
        """Take the next event of its stream; its account where the event lies in the range."""
        if event.at >= self._end:
            return None
        stream = event.stream
        account = self.accounts.get(stream)
        if account is None:
            account = self.accounts[stream] = Account(stream)
        booked = event.at >= self._start
        if booked:
            self._book(account, event)
        if isinstance(event, Started):
            account.begin(event, booked=booked)
        account.follow(event)
        return account if booked else None

    def settle(self) -> None:
        """Bring the trades of several streams into the order of closing."""
        self.trades.sort(key=lambda trade: (trade.closed_at, trade.stream))

    def _book(self, account: Account, event: Event) -> None:
        account.first_seq = account.first_seq or event.seq
        account.last_seq = event.seq
        if event.ticks is not None:
            self._count(event.ticks)
        if event.action in self.events:
            self.events[event.action] += 1
        match event:
            case Closed():
                self._closed(account.stream, event)
            case Opened():
                self._opened(event.at)
            case Started():
                account.starts += 1
                self.counts_lost = self.counts_lost or account.lost_counts(event)
            case _:
                pass

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
        # Its `opened` may lie before the range.
        opened_at = event.at if signal.opened_at is None else signal.opened_at
        self._opened(opened_at)
        self.trades.append(Trade(stream, signal.position, event.reason, event.pnl.percentage, opened_at, event.at))


def ledger_of(events: Iterable[Event], start: int | None = None, end: int | None = None) -> Ledger:
    """Fold the events, each stream's in order, into a ledger."""
    ledger = Ledger(start, end)
    for event in events:
        ledger.book(event)
    ledger.settle()
    return ledger
