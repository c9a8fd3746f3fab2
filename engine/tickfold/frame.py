"""A named range of boundaries, and moments in the forms that people write them."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import attrs

from .errors import DeclarationError
from .registry import Registry

_OF_MS = re.compile(r"@-?\d{1,18}", re.ASCII)


def moment(value: datetime | int | str) -> int:
    """ms since the epoch: of a datetime or ISO 8601 text (UTC where it says nothing; a date is its midnight), of
    `@MS`, or of ms themselves. Raises `DeclarationError`.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and _OF_MS.fullmatch(value):
        return int(value[1:])
    try:
        when = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        raise DeclarationError(f"{value!r} is no time: write ISO 8601 (2024-01-31, 2024-01-31T12:00Z) or @MS") from None
    since = (when if when.tzinfo else when.replace(tzinfo=UTC)) - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1000 + since.microseconds // 1000


FRAMES: Registry[Frame] = Registry("frame")


@attrs.frozen
class Frame:
    """A backtest's range [start, end) of boundaries, registered under its name when it is made."""

    name: str
    start: int = attrs.field(converter=moment)
    end: int = attrs.field(converter=moment)

    def __attrs_post_init__(self) -> None:
        if self.end <= self.start:
            raise DeclarationError(f"frame {self.name!r} ends at {self.end}, not after its start {self.start}")
        FRAMES.add(self.name, self)


def find_frame(frame: str | Frame) -> Frame:
    """The frame itself, or the one registered under that name."""
    return FRAMES.get(frame) if isinstance(frame, str) else frame
