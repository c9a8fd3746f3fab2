"""How times, numbers and text from outside are written where people read them."""

from __future__ import annotations

import functools
import re
from datetime import date

_DAY_MS = 86_400_000
_EPOCH_DAY = date(1970, 1, 1).toordinal()

_CONTROLS = re.compile(
    "[\x00-\x1f\x7f-\x9f"  # C0, DEL and C1: what a terminal obeys
    "\u2028\u2029"  # line ends to some programs
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # turn the direction of what follows
    "\ufeff\ud800-\udfff]"  # a byte order mark, and halves of characters, which no encoding takes
)

_BEYOND_JSON = re.compile("[\x7f-\x9f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
"""The same, without what JSON escapes by itself."""


def shown(text: str) -> str:
    r"""`text` on one line, its control characters shown as `\n`, `\x1b` or `\u202e`."""
    return _CONTROLS.sub(lambda found: found[0].encode("unicode_escape", "surrogatepass").decode("ascii"), text)


def json_shown(document: str) -> str:
    r"""A JSON document that says the same, with `\u202e` and its like escaped, so that a terminal may print it."""
    return _BEYOND_JSON.sub(lambda found: f"\\u{ord(found[0]):04x}", document)


def instant(at: int) -> str:
    """A time (ms since the epoch) as ISO 8601, UTC: `2022-01-01T00:15:00Z`; `@MS` where a calendar ends."""
    days, rest = divmod(at, _DAY_MS)
    day = _date(days)
    if day is None:
        return f"@{at}"
    seconds, thousandths = divmod(rest, 1000)
    fraction = f".{thousandths:03}" if thousandths else ""
    return f"{day}T{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{fraction}Z"


def number(value: float) -> str:
    """The shortest decimal that reads back as `value`, whole numbers without a point."""
    return repr(value).removesuffix(".0")


@functools.lru_cache(maxsize=1024)
def _date(days: int) -> str | None:
    try:
        return date.fromordinal(_EPOCH_DAY + days).isoformat()
    except (ValueError, OverflowError):
        return None
