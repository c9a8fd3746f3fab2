"""Every number that a user may want otherwise, once, with its unit."""

from __future__ import annotations

import hashlib
import operator
from datetime import timedelta
from typing import Any, Literal, get_args

import attrs
import msgspec

from tickfold_projections.profit import Costs

from .errors import DeclarationError
from .market import MINUTE_MS
from .proposal import LONGEST_LIFETIME_MINUTES, LONGEST_NOTE, number, shown

Policy = Literal["pessimistic", "backtest_kit"]

DAY_MS = 1440 * MINUTE_MS
LONGEST_WAIT_MS = DAY_MS
"""The longest that live may be told to wait for anything."""


def _whole(value: int) -> Any:
    """Python's own int of a whole number of any kind; what is none, as it is: the check says what it must be."""
    if isinstance(value, bool):
        return value
    try:
        return operator.index(value)
    except TypeError:
        return value


def _milliseconds(value: timedelta | int) -> Any:
    """A timedelta in ms, where it is a whole number of them."""
    if isinstance(value, timedelta):
        whole, rest = divmod(value, timedelta(milliseconds=1))
        return value if rest else whole
    return _whole(value)


def _is_off(value: object) -> bool:
    return value is None or value is False or (type(value) in {int, float} and value == 0)


def _limit(value: int | None) -> Any:
    """A limit; None for one that is off."""
    return None if _is_off(value) else _whole(value)  # type: ignore[arg-type]  # what it is, the check says


def _fraction_limit(value: float | None) -> Any:
    return None if _is_off(value) else number(value)


def _turned_off(value: bool | None) -> Any:  # noqa: FBT001  # the value of a field
    return False if _is_off(value) else value


def _timeout(value: timedelta | int | None) -> Any:
    """A duration in ms; 0 for one that is off."""
    return 0 if _is_off(value) else _milliseconds(value)  # type: ignore[arg-type]  # what it is, the check says


@attrs.frozen
class _Whole:
    """A check: a whole number of `unit` from `least` to `most`, or, for a limit, None."""

    unit: str
    least: int
    most: int
    may_be_off: bool = False

    def __call__(self, _: object, attribute: attrs.Attribute[Any], value: object) -> None:
        if (self.may_be_off and not value) or (type(value) is int and self.least <= value <= self.most):
            return
        written = f"a whole number of {self.unit} from {self.least} to {self.most}"
        _refuse(attribute.name, value, written + (", or 0, None or False: no limit" if self.may_be_off else ""))


def _refuse(name: str, value: object, allowed: str) -> None:
    given = shown(repr(value) if isinstance(value, str) else value)
    raise DeclarationError(f"Config.{name} is {given}; it must be {allowed}")


def _wait(least: int, most: int = LONGEST_WAIT_MS) -> _Whole:
    return _Whole("ms (or a timedelta)", least, most)


def _costs(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
    if not isinstance(value, Costs):
        _refuse(attribute.name, value, "Costs(fee=..., slippage=...), fractions of the price")


def _policy(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
    if not isinstance(value, str) or value not in get_args(Policy):
        _refuse(attribute.name, value, " or ".join(repr(each) for each in get_args(Policy)))


def _switch(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
    if not isinstance(value, bool):
        _refuse(attribute.name, value, "True or False")


def _distance(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
    if value is not None and not (type(value) is float and 0 < value <= 1):
        _refuse(
            attribute.name, value, "a fraction of the entry above 0 and up to 1 (0.2 is 20 %), or 0 or None: no limit"
        )


@attrs.frozen(kw_only=True)
class Config:
    """How signals are judged, filled and paid for, and how live waits. Times are timedeltas or milliseconds.

    Limits of 0, None or False are off. Raises `DeclarationError`, which names the field, its unit and what is allowed.
    """

    costs: Costs = attrs.field(default=Costs(), validator=_costs)
    policy: Policy = attrs.field(default="pessimistic", validator=_policy)

    take_profit_covers_costs: bool = attrs.field(default=True, converter=_turned_off, validator=_switch)
    """Refuse a target nearer than the break-even distance."""
    max_stop_loss_distance: float | None = attrs.field(default=0.20, converter=_fraction_limit, validator=_distance)
    """As a fraction of the entry."""
    max_lifetime_minutes: int | None = attrs.field(
        default=1440, converter=_limit, validator=_Whole("minutes", 1, LONGEST_LIFETIME_MINUTES, may_be_off=True)
    )
    max_note_characters: int | None = attrs.field(
        default=1000, converter=_limit, validator=_Whole("characters", 1, LONGEST_NOTE, may_be_off=True)
    )
    """Off or not, a note has at most 40,000: more may not fit into a record of the journal."""
    entry_timeout: int = attrs.field(
        default=120 * MINUTE_MS,
        converter=_timeout,
        validator=_Whole("ms (or a timedelta)", 1, LONGEST_LIFETIME_MINUTES * MINUTE_MS, may_be_off=True),
    )
    """How long a limit entry waits; 0: for ever."""

    max_decision_delay: int = attrs.field(default=60_000, converter=_milliseconds, validator=_wait(1))
    """How long after its slot an answer still counts, on the wall clock; more than `settle`."""
    settle: int = attrs.field(default=2_000, converter=_milliseconds, validator=_wait(0, MINUTE_MS - 1))
    """How long after the boundary a live tick comes."""
    slow_strategy: int = attrs.field(default=1_000, converter=_milliseconds, validator=_wait(1))
    """A plain strategy that holds the engine up for longer is reported."""

    fetch_attempts: int = attrs.field(default=3, converter=_whole, validator=_Whole("attempts", 1, 100))
    fetch_timeout: int = attrs.field(
        default=300_000, converter=_timeout, validator=_Whole("ms (or a timedelta)", 1, DAY_MS, may_be_off=True)
    )
    """How long one attempt may take, in real time; 0: for ever. ccxt's clients have shorter ones of their own."""
    retry_pause: int = attrs.field(default=1_000, converter=_milliseconds, validator=_wait(0))
    """The pause before the second attempt; it doubles from there, with jitter."""
    late_candle_pause: int = attrs.field(default=1_000, converter=_milliseconds, validator=_wait(1))
    """The pause before a newest candle that is not there yet is asked for again."""
    overlap_minutes: int = attrs.field(default=5, converter=_whole, validator=_Whole("minutes", 1, 1440))
    """How many used candles a live tick fetches again, to report what the exchange revised."""

    drain_grace: int = attrs.field(default=5_000, converter=_milliseconds, validator=_wait(0))
    """How long a run that is cut short waits for listeners that still have something to hear."""

    def __attrs_post_init__(self) -> None:
        if self.settle >= self.max_decision_delay:
            raise DeclarationError(
                f"Config.settle is {self.settle} ms and Config.max_decision_delay {self.max_decision_delay} ms: no "
                "answer would come in time; the delay must be the longer of the two"
            )

    @property
    def hash(self) -> str:
        """Sixteen hex digits that change with any value."""
        return hashlib.sha256(msgspec.json.encode(attrs.asdict(self), order="sorted")).hexdigest()[:16]
