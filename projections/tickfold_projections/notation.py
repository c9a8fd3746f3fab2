"""How times, numbers and text from outside are written where people read them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_CONTROLS = re.compile(
    "[\x00-\x1f\x7f-\x9f"  # C0, DEL and C1: what a terminal obeys
    "\u2028\u2029"  # line ends to some programs
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # turn the direction of what follows
    "\ufeff\ud800-\udfff]"  # a byte order mark, and halves of characters, which no encoding takes
)


def shown(text: str) -> str:
    r"""`text` on one line, its control characters shown as `\n`, `\x1b` or `\u202e`."""
    return _CONTROLS.sub(lambda found: found[0].encode("unicode_escape", "surrogatepass").decode("ascii"), text)


def instant(at: int) -> str:
    """A time (ms since the epoch) as ISO 8601, UTC: `2022-01-01T00:15:00Z`; `@MS` where a calendar ends."""
    try:
        moment = _EPOCH + timedelta(milliseconds=at)
    except OverflowError:
        return f"@{at}"
    precision = "milliseconds" if at % 1000 else "seconds"
    return moment.isoformat(timespec=precision).replace("+00:00", "Z")


def number(value: float) -> str:
    """The shortest decimal that reads back as `value`, whole numbers without a point."""
    return repr(value).removesuffix(".0")
