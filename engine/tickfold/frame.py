"""A named range of boundaries, moments in the forms that people write them, and times in another unit than ms."""

from __future__ import annotations

import operator
import re
from datetime import UTC, datetime
from typing import Any

import attrs

from .errors import DeclarationError
from .proposal import shown
from .registry import Registry, check_name

EARLIEST_MS = 100_000_000_000
"""1973-03-03. A smaller number than this is one of seconds that was meant."""
LATEST_MS = 100_000_000_000_000
"""The year 5138. A greater number than this is one of microseconds or nanoseconds that was meant."""

_OTHER_UNITS = (
    ("seconds", 1, EARLIEST_MS, "multiply by 1000"),
    ("microseconds", LATEST_MS, LATEST_MS * 1000, "divide by 1000"),
    ("nanoseconds", LATEST_MS * 1000, LATEST_MS * 1_000_000, "divide by 1000000"),
)
_OF_MS = re.compile(r"@-?\d{1,18}", re.ASCII)


def moment(value: datetime | int | str) -> int:
    """ms since the epoch: of a datetime or ISO 8601 text (UTC where it says nothing; a date is its midnight), of
    `@MS`, or of ms themselves. Raises `DeclarationError`.
    """
    if isinstance(value, str) and _OF_MS.fullmatch(value):
        return int(value[1:])
    try:
        if not isinstance(value, bool | str | datetime):
            return operator.index(value)
    except TypeError:  # no whole number: a date, perhaps
        pass
    try:
        when = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        how = "write ISO 8601 (2024-01-31, 2024-01-31T12:00Z) or @MS"
        raise DeclarationError(f"{shown(repr(value))} is no time: {how}") from None
    since = (when if when.tzinfo else when.replace(tzinfo=UTC)) - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1000 + since.microseconds // 1000


def of_another_unit(at: int) -> str | None:
    """What unit a time must be meant in and what to do about it, in words; None for one in milliseconds."""
    if EARLIEST_MS <= at < LATEST_MS:
        return None
    for unit, first, last, how in _OTHER_UNITS:
        if first <= at < last:
            return f"{at} looks like {unit} since the epoch, not milliseconds: {how}"
    return f"{shown(at)} is no time of a candle in milliseconds since the epoch"


FRAMES: Registry[Frame] = Registry("frame")


@attrs.frozen
class Frame:
    """A backtest's range [start, end) of boundaries, registered under its name when it is made."""

    name: str
    start: int = attrs.field(converter=moment)
    end: int = attrs.field(converter=moment)

    def __attrs_post_init__(self) -> None:
        check_name("frame", self.name)
        if self.end <= self.start:
            raise DeclarationError(f"frame {self.name!r} ends at {self.end}, not after its start {self.start}")
        wrong = of_another_unit(self.end)
        if wrong:
            raise DeclarationError(f"frame {self.name!r} ends where no candle can be: {wrong}")
        FRAMES.add(self.name, self)


def find_frame(frame: str | Frame) -> Frame:
    """The frame itself, or the one registered under that name. Raises `UnknownName`, `DeclarationError`."""
    given: Any = frame  # whatever its annotation says
    if isinstance(given, Frame):
        return given
    if isinstance(given, str):
        return FRAMES.get(given)
    raise DeclarationError(f"{shown(given)} is no frame: give Frame(name, start, end), or the name of one")
