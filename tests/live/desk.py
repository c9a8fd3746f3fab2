"""An exchange of the test's own: flat at 100 from 09:00 on, and otherwise what the test says, when the test says."""

from __future__ import annotations

from collections.abc import Callable

import anyio.lowlevel
import attrs

from tests.support.markets import MINUTE, START_AT, Candle
from tickfold.clock import ManualClock

OPENS_AT = START_AT + 9 * 60 * MINUTE
Row = tuple[float, float, float, float, float]


def moment(text: str) -> int:
    """`10:05` or `10:05:30` on the day of every test, in ms."""
    hours, minutes, *seconds = (int(part) for part in text.split(":"))
    return START_AT + (hours * 60 + minutes) * MINUTE + sum(seconds) * 1000


def told(at: int) -> str:
    """A moment as the transcripts write it: seconds only where there are some."""
    seconds, ms = divmod(at - START_AT, 1000)
    minutes, second = divmod(seconds, 60)
    rest = f".{ms:03}" if ms else ""
    return f"{minutes // 60:02}:{minutes % 60:02}" + (f":{second:02}{rest}" if second or ms else "")


@attrs.define
class Desk:
    """One-minute candles of every symbol. A candle can be given late, left out, or become another; all can fail.

    It always gives the candle that is still forming as well, with a price that would close anything.
    """

    clock: ManualClock
    name: str = "desk"
    rows: dict[int, Row] = attrs.field(factory=dict)
    missing: set[int] = attrs.field(factory=set)
    given_at: dict[int, int] = attrs.field(factory=dict)
    revisions: list[tuple[int, int, Row]] = attrs.field(factory=list)
    outages: list[tuple[int, int, Exception]] = attrs.field(factory=list)
    heard: Callable[[str, int, int], None] | None = None
    closed: int = 0

    async def candles(self, symbol: str, start: int, end: int) -> list[Candle]:
        if self.heard is not None:
            self.heard(symbol, start, end)
        await anyio.lowlevel.checkpoint()
        now = self.clock.now()
        for begins, ends, error in self.outages:
            if begins <= now < ends:
                raise error
        forming = now - now % MINUTE
        times = range(max(start, OPENS_AT), min(end, forming), MINUTE)
        given = [(time, *self.row(time)) for time in times if self.gives(time)]
        return [*given, (forming, 100, 150, 50, 150, 1)]

    async def span(self, symbol: str) -> tuple[int, int | None]:
        return OPENS_AT, None

    async def aclose(self) -> None:
        self.closed += 1

    def gives(self, time: int) -> bool:
        return self.given_at.get(time, 0) <= self.clock.now() and (time not in self.missing or time in self.given_at)

    def row(self, time: int) -> Row:
        newest = [row for at, since, row in self.revisions if at == time and since <= self.clock.now()]
        if newest:
            return newest[-1]
        if time in self.rows:
            return self.rows[time]
        close = next((self.rows[at][3] for at in sorted(self.rows, reverse=True) if at < time), 100.0)
        return close, close, close, close, 1.0
