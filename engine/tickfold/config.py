"""Every number that a user may want otherwise, once, with its unit."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Literal, get_args

import attrs
import msgspec

from tickfold_projections.profit import Costs

from .market import MINUTE_MS

Policy = Literal["pessimistic", "backtest_kit"]


def _milliseconds(value: timedelta | int) -> int:
    return value // timedelta(milliseconds=1) if isinstance(value, timedelta) else value


@attrs.frozen(kw_only=True)
class Config:
    """How signals are judged, filled and paid for, and how live waits. Times are timedeltas or milliseconds.

    Limits of 0, None or False are off.
    """

    costs: Costs = Costs()
    policy: Policy = attrs.field(default="pessimistic", validator=attrs.validators.in_(get_args(Policy)))

    take_profit_covers_costs: bool = True
    """Refuse a target nearer than the break-even distance."""
    max_stop_loss_distance: float | None = 0.20
    """As a fraction of the entry."""
    max_lifetime_minutes: int | None = 1440
    max_note_characters: int = 1000
    entry_timeout: int = attrs.field(default=120 * MINUTE_MS, converter=_milliseconds)
    """How long a limit entry waits; 0: for ever."""

    max_decision_delay: int = attrs.field(default=60_000, converter=_milliseconds)
    """How long after its slot an answer still counts, on the wall clock."""
    settle: int = attrs.field(default=2_000, converter=_milliseconds)
    """How long after the boundary a live tick comes."""
    slow_strategy: int = attrs.field(default=1_000, converter=_milliseconds)
    """A plain strategy that holds the engine up for longer is reported."""

    fetch_attempts: int = attrs.field(default=3, validator=attrs.validators.ge(1))
    retry_pause: int = attrs.field(default=1_000, converter=_milliseconds)
    """The pause before the second attempt; it doubles from there, with jitter."""
    late_candle_pause: int = attrs.field(default=1_000, converter=_milliseconds)
    """The pause before a newest candle that is not there yet is asked for again."""
    overlap_minutes: int = attrs.field(default=5, validator=attrs.validators.ge(1))
    """How many used candles a live tick fetches again, to report what the exchange revised."""

    drain_grace: int = attrs.field(default=5_000, converter=_milliseconds)
    """How long a run that is cut short waits for listeners that still have something to hear."""

    @property
    def hash(self) -> str:
        """Sixteen hex digits that change with any value."""
        return hashlib.sha256(msgspec.json.encode(attrs.asdict(self), order="sorted")).hexdigest()[:16]
