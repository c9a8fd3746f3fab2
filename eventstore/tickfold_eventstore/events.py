"""The seven things that can happen to a stream.

Each event is complete by itself: it says in which stream it happened, when in market time (`at`), when it was
recorded, and what. `action` tags are for ever: they are written by hand and never derived from a class name.
Times are ms since the epoch, UTC. Events hold no cycles, so the garbage collector need not look at them (`gc=False`).
"""

from __future__ import annotations

from typing import ClassVar, Literal

import msgspec

from .signals import AcceptedSignal, ProfitAndLoss, RefusedProposal, Stream, Ticks

LATE_AFTER_MS = 60_000
"""An event recorded more than this after its `at` is a catch-up."""

CancelReason = Literal["timeout", "price_rejected", "stopped", "user"]
CloseReason = Literal["take_profit", "stop_loss", "time_expired"]


class EventBase(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag_field="action", omit_defaults=True):
    """What every event says. `seq` is dense from 1 in its stream; `ticks` stands on a live record's first event."""

    action: ClassVar[str]

    seq: int
    at: int
    recorded_at: int
    exchange: str
    strategy: str
    symbol: str
    ticks: Ticks | None = None

    @property
    def stream(self) -> Stream:
        return Stream(self.exchange, self.strategy, self.symbol)

    @property
    def late(self) -> bool:
        """Whether it was recorded over 60 s after it happened: a catch-up, not a thing to send an order for."""
        return self.recorded_at - self.at > LATE_AFTER_MS


class Started(EventBase, frozen=True, kw_only=True, gc=False, tag="started"):
    """A run begins. `state_seq` is the seq of the event that says what is alive (0: nothing is)."""

    action: ClassVar[str] = "started"
    version: str
    config_hash: str
    strategy_hash: str
    state_seq: int
    recovered: str | None


class Scheduled(EventBase, frozen=True, kw_only=True, gc=False, tag="scheduled"):
    """A limit entry waits."""

    action: ClassVar[str] = "scheduled"
    signal: AcceptedSignal


class Opened(EventBase, frozen=True, kw_only=True, gc=False, tag="opened"):
    """A signal opened at `price`, which is `signal.entry`."""

    action: ClassVar[str] = "opened"
    signal: AcceptedSignal
    price: float


class Cancelled(EventBase, frozen=True, kw_only=True, gc=False, tag="cancelled"):
    """A waiting entry ended unfilled."""

    action: ClassVar[str] = "cancelled"
    signal: AcceptedSignal
    reason: CancelReason


class Closed(EventBase, frozen=True, kw_only=True, gc=False, tag="closed"):
    """A signal ended at `price`, before slippage."""

    action: ClassVar[str] = "closed"
    signal: AcceptedSignal
    price: float
    reason: CloseReason
    pnl: ProfitAndLoss


class Rejected(EventBase, frozen=True, kw_only=True, gc=False, tag="rejected"):
    """A proposal failed its checks, for every reason listed."""

    action: ClassVar[str] = "rejected"
    proposal: RefusedProposal
    reasons: tuple[str, ...]


class Stopped(EventBase, frozen=True, kw_only=True, gc=False, tag="stopped"):
    """A run ends. `price` is the last close seen, if any; `state_seq` as in `Started`."""

    action: ClassVar[str] = "stopped"
    reason: str
    price: float | None
    state_seq: int


Event = Started | Scheduled | Opened | Cancelled | Closed | Rejected | Stopped
"""Every event there is: a `match` over it can be exhausted."""
