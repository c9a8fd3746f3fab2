"""What a signal looks like on disk: the vocabulary that events carry."""

from __future__ import annotations

from typing import Literal, NamedTuple

import msgspec

Position = Literal["long", "short"]


class Stream(NamedTuple):
    """One (exchange, strategy, symbol): the name of a journal. Sorts by exchange, then strategy, then symbol."""

    exchange: str
    strategy: str
    symbol: str

    def __str__(self) -> str:
        return f"{self.exchange}/{self.strategy}/{self.symbol}"


class AcceptedSignal(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A proposal that passed every check. Prices in quote currency, times in ms since the epoch, UTC.

    `entry` is the price it opened at, or, while it waits, the level it waits for. `scheduled_at` is None for a
    signal that never waited, `opened_at` is None while it waits.
    """

    id: str
    position: Position
    entry: float
    take_profit: float
    stop_loss: float
    lifetime_minutes: int
    note: str
    scheduled_at: int | None
    opened_at: int | None


class RefusedProposal(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A proposal as a strategy gave it. What JSON cannot say (nan, inf, -inf) and what is no number stands as text."""

    position: str
    entry: float | str | None
    take_profit: float | str | None
    stop_loss: float | str | None
    lifetime_minutes: float | str | None
    note: str


class ProfitAndLoss(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Net result in percent after fees and slippage; `entry` and `exit` are the prices before slippage."""

    percentage: float
    entry: float
    exit: float


class Ticks(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Boundaries handled since the record before, by the state before each, and slots that were missed."""

    idle: int = 0
    waiting: int = 0
    active: int = 0
    missed: int = 0
