"""What a run tells besides events: results of ticks that changed nothing, ends, faults, progress. Never written.

Times are ms since the epoch, UTC.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import ClassVar, Literal, TypeVar

import msgspec

from tickfold_eventstore.errors import StoreError
from tickfold_eventstore.events import Event
from tickfold_eventstore.signals import AcceptedSignal, Stream

from .errors import TickfoldError, UnknownName, told

Mode = Literal["live", "backtest"]


class Result(msgspec.Struct, frozen=True, kw_only=True, tag_field="action"):
    """A boundary that changed nothing. `seq` is that of the stream's last event, `price` what a market order gets."""

    action: ClassVar[str]

    seq: int
    at: int
    exchange: str
    strategy: str
    symbol: str
    price: float


class Idle(Result, frozen=True, kw_only=True, tag="idle"):
    """Nothing is alive."""

    action: ClassVar[str] = "idle"


class Waiting(Result, frozen=True, kw_only=True, tag="waiting"):
    """A limit entry waits."""

    action: ClassVar[str] = "waiting"
    signal: AcceptedSignal


class Active(Result, frozen=True, kw_only=True, tag="active"):
    """A signal is open; `percentage` is what closing it at `price` would give, net."""

    action: ClassVar[str] = "active"
    signal: AcceptedSignal
    percentage: float


Tick = Event | Idle | Waiting | Active
"""Everything that a boundary can give."""

Given = TypeVar("Given", bound=Tick)
"""What a run gives of it: `Opened | Closed` (a backtest: `Closed`), or all of it where more was asked for."""


ACTIONS = frozenset(
    {
        *("started", "scheduled", "opened", "cancelled", "closed", "rejected", "stopped"),
        *("idle", "waiting", "active"),
    }
)
"""What `include` may name."""


def check_include(include: Collection[str]) -> frozenset[str]:
    """The actions that were asked for; raises `UnknownName` for one that does not exist."""
    for action in include:
        if action not in ACTIONS:
            raise UnknownName("action", action, tuple(sorted(ACTIONS)))
    return frozenset(include)


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """Something went wrong in a stream (None: in no particular one); the run goes on unless `final`."""

    stream: Stream | None
    at: int | None
    message: str
    error: BaseException | None = None
    final: bool = False


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """A run of one stream ended; `error` says why where it did not end as asked."""

    mode: Mode
    stream: Stream
    error: BaseException | None = None


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a backtest is: boundaries handled, of how many."""

    stream: Stream
    handled: int
    total: int


class Timing(msgspec.Struct, frozen=True, kw_only=True):
    """What one live tick took, in seconds, once its candles were there: all of it, and the strategy's share."""

    stream: Stream
    at: int
    tick_s: float
    strategy_s: float


def in_words(error: BaseException) -> str:
    """What an error says; with its kind before it where it is none of ours and may say little, or nothing."""
    own = isinstance(error, TickfoldError | StoreError)
    return str(error) if own else told(error)
