"""What a strategy returns: `Signal.long(...)` or `Signal.short(...)`.

Nothing is checked here. A proposal with faults is journalled as `rejected` with all of them, and to do that the engine
must be able to hold it first; `validation` says what is wrong with it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import timedelta
from typing import SupportsFloat, cast

import attrs
import numpy as np

from tickfold_eventstore.signals import RefusedProposal

Price = SupportsFloat
"""A number of any kind: Python's, numpy's, a Decimal."""

LONGEST_NOTE = 40_000
"""Characters of a note, limit or no limit: a character takes up to 12 bytes in the journal, the events of one record
may hold the note twice, and a record is a line of 999,999 bytes at most.
"""

LONGEST_LIFETIME_MINUTES = 1_000_000_000
"""Some 1,900 years, limit or no limit: times stay whole numbers that every reader of the journal can hold."""

LONGEST_REASON = 1_000
"""Characters of one reason, of those that users give too."""

_MOST_REASONS = 40
_SHOWN_CHARACTERS = 100
_NO_NUMBERS: tuple[type, ...] = (bool, np.bool_, str, bytes)


def number(value: object) -> object:
    """`value` as Python's float where it is a number of any kind, as it is where it is not."""
    if type(value) is float or value is None:
        return value
    if isinstance(value, _NO_NUMBERS) or not hasattr(value, "__float__"):
        return value
    try:
        return float(cast("SupportsFloat", value))
    except Exception:  # noqa: BLE001  # whatever its __float__ raises, it is no number, and the checks say so
        return value


def minutes(lifetime: object) -> object:
    """A lifetime in minutes: a timedelta is converted, a number taken as minutes already."""
    return lifetime / timedelta(minutes=1) if isinstance(lifetime, timedelta) else number(lifetime)


def _side(position: object) -> str:
    """A position as plain text, so that it can be compared: what is none will be refused as what it looks like."""
    return str(position) if isinstance(position, str) else shown(position)


@attrs.frozen(kw_only=True)
class Signal:
    """A proposal: side, levels and lifetime. Prices in quote currency, `lifetime` as a timedelta or in minutes.

    Without `entry` it opens at market; with one, a limit entry waits there. `note` says why, up to 1,000 characters.
    """

    position: str = attrs.field(converter=_side)
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


def as_refused(signal: Signal, note_length: int | None) -> RefusedProposal:
    """The proposal in words that JSON has: nan, infinities and what is no number become text; a long note is cut."""
    return RefusedProposal(
        position=shown(signal.position),
        entry=None if signal.entry is None else _written(signal.entry),
        take_profit=_written(signal.take_profit),
        stop_loss=_written(signal.stop_loss),
        lifetime_minutes=_written(signal.lifetime_minutes),
        note=shown(signal.note, note_length or LONGEST_NOTE),
    )


def as_reasons(reasons: Sequence[str]) -> tuple[str, ...]:
    """Reasons as a record can hold them beside the longest note: too long ones are cut, too many are counted."""
    told = tuple(shown(reason, LONGEST_REASON) for reason in reasons[:_MOST_REASONS])
    left_out = len(reasons) - len(told)
    return (*told, f"and {left_out} more reasons") if left_out else told


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
