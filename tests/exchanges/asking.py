"""A patient who asks an exchange through `fetch`, waits no real time, and remembers what it waited and heard."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from tickfold.candles import Candles
from tickfold.exchanges import Exchange, fetch


@attrs.define
class Asking:
    """Asks with three attempts, a pause of 1000 ms that doubles, and no jitter."""

    exchange: Exchange
    symbol: str = "A"
    slept: list[int] = attrs.field(factory=list)
    told: list[str] = attrs.field(factory=list)
    meanwhile: Callable[[], None] = lambda: None
    """What happens in a pause."""

    async def candles(self, start: int, end: int, now: int | None = None) -> Candles:
        return await fetch(
            self.exchange,
            self.symbol,
            start,
            end,
            now=end if now is None else now,
            sleep=self.sleep,
            report=lambda error: self.told.append(str(error)),
            jitter=lambda: 0.5,
        )

    async def sleep(self, duration: int) -> None:
        self.slept.append(duration)
        self.meanwhile()
