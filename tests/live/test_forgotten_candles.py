"""An exchange that no longer gives candles which were used: what was decided stands, it is told once, all goes on."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from tickfold import Config, Context
from tickfold.clock import ManualClock
from tickfold.errors import CandlesForgotten, CandlesMissing
from tickfold.exchanges import as_exchange
from tickfold.feed import Feed
from tickfold.strategy import Strategy

pytestmark = pytest.mark.anyio
MINUTE = 60_000
NOW = 1_704_067_200_000 + 100 * MINUTE

Gone = Callable[[int, int], bool]
"""(open time, now) → whether the exchange has forgotten that candle."""


def ask(ctx: Context) -> None:
    ctx.candles("1m")


async def nine_minutes(gone: Gone, *, says: bool = False) -> tuple[list[bool], list[Exception]]:
    """Whether the feed has the newest candle at each of the minutes after a start, and what it told."""
    clock = ManualClock(NOW)
    told: list[Exception] = []

    async def desk(symbol: str, start: int, end: int) -> Sequence[Sequence[float]]:
        now = clock.now()
        times = [time for time in range(start, end, MINUTE) if now == NOW or not gone(time, now)]
        if says and times and times[0] > start:
            raise CandlesMissing(symbol, start, times[0])
        return [[time, 100.0, 101.0, 99.0, 100.0, 1.0] for time in times]

    strategy = Strategy("s", ask, "1m", {"1m": 10})
    feed = Feed(as_exchange(desk), "A", strategy, Config(), clock, told.append)
    await feed.load(NOW - 15 * MINUTE, NOW)
    reached = []
    for minute in range(1, 10):
        clock.move_to(NOW + minute * MINUTE)
        await feed.extend_to(clock.now())
        reached.append(feed.next_open == clock.now())
    return reached, told


@pytest.mark.parametrize("says", [False, True], ids=["without a word", "in words"])
async def test_a_memory_shorter_than_the_overlap_stops_no_tick_and_is_told_at_most_once(*, says: bool) -> None:
    reached, told = await nine_minutes(lambda time, now: time < now - 2 * MINUTE, says=says)
    assert reached == [True] * 9
    assert [type(each) for each in told] == [CandlesForgotten] * int(says)


async def test_a_used_candle_that_is_gone_between_others_is_told_once() -> None:
    reached, told = await nine_minutes(lambda time, now: time == NOW - 2 * MINUTE)
    assert reached == [True] * 9
    assert [(type(each), each.start, each.end) for each in told if isinstance(each, CandlesForgotten)] == [
        (CandlesForgotten, NOW - 2 * MINUTE, NOW - MINUTE)
    ]
    assert len(told) == 1
