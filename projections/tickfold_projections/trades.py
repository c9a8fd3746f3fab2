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


class Trade(msgspec.Struct, frozen=True, gc=False):
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


class Result(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A trade of a stream that is known."""

    position: Position
    reason: CloseReason
    percentage: float
    opened_at: int
    closed_at: int


class Sums(msgspec.Struct, frozen=True, kw_only=True):
    """All that a ledger of one whole stream has for statistics, to be kept and gone on from."""

    events: dict[str, int]
    ticks: Ticks | None
    counts_lost: bool
    first_opened_at: int | None
    running: bool
    last_at: int
    results: list[Result]


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

    def begin(self, at: int, made: Made, *, booked: bool) -> bool:
        """A run begins; whether a crash before it took ticks with it that nobody counts again.

        A start that goes on from the last record's boundary counts anew what was not yet written; one that begins
        later (a wall clock, nothing alive) leaves behind what the crashed run had counted since. What ran before the
        range is forgotten but for the last, which may go on inside of it.
        """
        if not booked:
            self.made = []
        if made not in self.made:
            self.made.append(made)
        self.starts += booked
        return self.running and at > self.last_at

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
        self.events: dict[str, int] = dict.fromkeys(TRADING, 0)
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
        if not self.before_end(event.at):
            return None
        account = self.account(event.stream)
        booked = self.enter(account, event.action, event.at, event.seq, event.ticks)
        match event:
            case Closed(signal=signal, pnl=pnl) if booked:
                self.note_closing(account, signal.position, event.reason, pnl.percentage, signal.opened_at, event.at)
            case Opened() if booked:
                self.note_opening(event.at)
            case Started():
                made = Made(version=event.version, strategy_hash=event.strategy_hash, config_hash=event.config_hash)
                self.start(account, event.at, made, booked=booked)
            case _:
                pass
        account.follow(event)
        return account if booked else None

    def sums(self, stream: Stream) -> Sums:
        """What it holds of its one stream, over no range."""
        account = self.accounts[stream]
        return Sums(
            events=dict(self.events),
            ticks=self.ticks,
            counts_lost=self.counts_lost,
            first_opened_at=self.first_opened_at,
            running=account.running,
            last_at=account.last_at,
            results=[
                Result(each.position, each.reason, each.percentage, each.opened_at, each.closed_at)
                for each in self.trades
            ],
        )

    def resume(self, stream: Stream, sums: Sums) -> None:
        """Go on from there, in a ledger that has booked nothing of the stream."""
        account = self.account(stream)
        account.running, account.last_at = sums.running, sums.last_at
        for action, count in sums.events.items():
            self.events[action] += count
        if sums.ticks is not None:
            self._count(sums.ticks)
        self.counts_lost = self.counts_lost or sums.counts_lost
        if sums.first_opened_at is not None:
            self.note_opening(sums.first_opened_at)
        self.trades.extend(
            Trade(stream, each.position, each.reason, each.percentage, each.opened_at, each.closed_at)
            for each in sums.results
        )

    def settle(self) -> None:
        """Bring the trades of several streams into the order of closing."""
        self.trades.sort(key=lambda trade: (trade.closed_at, trade.stream))

    def before_end(self, at: int) -> bool:
        """Whether the range has not ended at this time."""
        return at < self._end

    def account(self, stream: Stream) -> Account:
        """Where a stream stands."""
        account = self.accounts.get(stream)
        return self.accounts.setdefault(stream, Account(stream)) if account is None else account

    def enter(self, account: Account, action: str, at: int, seq: int, ticks: Ticks | None) -> bool:
        """What every event tells; whether it lies in the range, which begins no later than it."""
        if at < self._start:
            return False
        account.first_seq = account.first_seq or seq
        account.last_seq = seq
        if ticks is not None:
            self._count(ticks)
        if action in self.events:
            self.events[action] += 1
        return True

    def _count(self, ticks: Ticks) -> None:
        self._ticked = True
        self._idle += ticks.idle
        self._waiting += ticks.waiting
        self._active += ticks.active
        self._missed += ticks.missed

    def start(self, account: Account, at: int, made: Made, *, booked: bool) -> None:
        """A run begins."""
        lost = account.begin(at, made, booked=booked)
        self.counts_lost = self.counts_lost or (booked and lost)

    def note_opening(self, at: int) -> None:
        """A signal is opened."""
        if self.first_opened_at is None or at < self.first_opened_at:
            self.first_opened_at = at

    def note_closing(
        self,
        account: Account,
        position: Position,
        reason: CloseReason,
        percentage: float,
        opened_at: int | None,
        at: int,
    ) -> None:
        """A signal ended. Its `opened` may lie before the range."""
        opened_at = at if opened_at is None else opened_at
        self.note_opening(opened_at)
        self.trades.append(Trade(account.stream, position, reason, percentage, opened_at, at))


def ledger_of(events: Iterable[Event], start: int | None = None, end: int | None = None) -> Ledger:
    """Fold the events, each stream's in order, into a ledger."""
    ledger = Ledger(start, end)
    for event in events:
        ledger.book(event)
    ledger.settle()
    return ledger
