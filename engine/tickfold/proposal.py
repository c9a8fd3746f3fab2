"""What a strategy returns: `Signal.long(...)` or `Signal.short(...)`.

Nothing is checked here. A proposal with faults is journalled as `rejected` with all of them, and to do that the engine
must be able to hold it first; `validation` says what is wrong with it.
"""

from __future__ import annotations

import math
from datetime import timedelta
from typing import SupportsFloat, cast

import attrs

from tickfold_eventstore.signals import RefusedProposal

Price = SupportsFloat
"""A number of any kind: Python's, numpy's, a Decimal."""

_SHOWN_CHARACTERS = 100


def number(value: object) -> object:
    """`value` as Python's float where it is a number of any kind, as it is where it is not."""
    if type(value) is float or value is None:
        return value
    if isinstance(value, bool | str | bytes) or not hasattr(value, "__float__"):
        return value
    try:
        return float(cast("SupportsFloat", value))
    except Exception:  # noqa: BLE001  # whatever its __float__ raises, it is no number, and the checks say so
        return value


def minutes(lifetime: object) -> object:
    """A lifetime in minutes: a timedelta is converted, a number taken as minutes already."""
    return lifetime / timedelta(minutes=1) if isinstance(lifetime, timedelta) else number(lifetime)


@attrs.frozen(kw_only=True)
class Signal:
    """A proposal: side, levels and lifetime. Prices in quote currency, `lifetime` as a timedelta or in minutes.

    Without `entry` it opens at market; with one, a limit entry waits there. `note` says why, up to 1,000 characters.
    """

    position: object
    take_profit: object = attrs.field(converter=number)
    stop_loss: object = attrs.field(converter=number)
    lifetime_minutes: object = attrs.field(converter=minutes)
    entry: object = attrs.field(default=None, converter=number)
    note: object = ""

    @classmethod
    def long(
        cls,
        *,
        take_profit: Price,
        stop_loss: Price,
        lifetime: timedelta | float,
        entry: Price | None = None,
        note: str = "",
    ) -> Signal:
        """Buy first: the target above, the stop below."""
        return cls(
            position="long",
            take_profit=take_profit,
            stop_loss=stop_loss,
            lifetime_minutes=lifetime,
            entry=entry,
            note=note,
        )

    @classmethod
    def short(
        cls,
        *,
        take_profit: Price,
        stop_loss: Price,
        lifetime: timedelta | float,
        entry: Price | None = None,
        note: str = "",
    ) -> Signal:
        """Sell first: the target below, the stop above."""
        return cls(
            position="short",
            take_profit=take_profit,
            stop_loss=stop_loss,
            lifetime_minutes=lifetime,
            entry=entry,
            note=note,
        )


def as_refused(signal: Signal, note_length: int) -> RefusedProposal:
    """The proposal in words that JSON has: nan, infinities and what is no number become text; a long note is cut."""
    return RefusedProposal(
        position=shown(signal.position),
        entry=None if signal.entry is None else _written(signal.entry),
        take_profit=_written(signal.take_profit),
        stop_loss=_written(signal.stop_loss),
        lifetime_minutes=_written(signal.lifetime_minutes),
        note=shown(signal.note, note_length or None),
    )


def shown(value: object, length: int | None = _SHOWN_CHARACTERS) -> str:
    """`value` as text that can be encoded (lone surrogates become `?`), cut to `length` characters."""
    try:
        text = value if isinstance(value, str) else repr(value)
    except Exception:  # noqa: BLE001  # a value that cannot be shown is still a fault to tell
        text = f"<{type(value).__name__}>"
    return text[:length].encode("utf-8", "replace").decode()


def _written(value: object) -> float | str | None:
    if value is None:
        return None
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    return shown(value)
