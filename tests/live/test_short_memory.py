"""An exchange that keeps only its newest candles: windows fill with time, and what must be watched must be there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from tickfold import Config, Context
from tickfold.clock import ManualClock
from tickfold.errors import CandlesMissing
from tickfold.exchanges import as_exchange
from tickfold.feed import Feed
from tickfold.strategy import Strategy

pytestmark = pytest.mark.anyio
MINUTE = 60_000
START = 1_704_067_200_000
KEPT = 720


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    backend: str = request.param
    return backend


def forgetful(now: Callable[[], int]) -> Callable[[str, int, int], Awaitable[list[list[float]]]]:
    """An exchange that says so where it is asked for what it no longer has, as the ccxt adapter does."""

    async def desk(symbol: str, start: int, end: int) -> list[list[float]]:
        oldest = now() - KEPT * MINUTE
        if start < oldest:
            raise CandlesMissing(symbol, start, min(end, oldest))
        return [[time, 100.0, 101.0, 99.0, 100.0, 1.0] for time in range(start, end, MINUTE)]

    return desk


def ask(ctx: Context) -> None:
    ctx.candles("1h")


def feed(clock: ManualClock) -> Feed:
    strategy = Strategy("daily", ask, "1h", {"1h": 24})
    return Feed(as_exchange(forgetful(clock.now)), "BTCUSDT", strategy, Config(), clock, lambda fault: None)


async def test_a_start_takes_what_there_is_of_its_windows() -> None:
    now = START + 5000 * MINUTE
    candles = feed(ManualClock(now))
    await candles.load(now - 1499 * MINUTE, now)
    assert (candles.first_open, candles.next_open) == (now - KEPT * MINUTE, now)


async def test_what_must_be_watched_and_is_not_there_any_more_is_an_error() -> None:
    now = START + 5000 * MINUTE
    candles = feed(ManualClock(now))
    with pytest.raises(CandlesMissing):
        await candles.load(now - 3000 * MINUTE, now - 1000 * MINUTE)


async def test_an_outage_longer_than_the_exchange_remembers_is_an_error() -> None:
    now = START + 5000 * MINUTE
    clock = ManualClock(now)
    candles = feed(clock)
    await candles.load(now - 600 * MINUTE, now)
    clock.move_to(now + 1000 * MINUTE)
    with pytest.raises(CandlesMissing):
        await candles.extend_to(now + 1000 * MINUTE)


async def test_an_exchange_that_says_nothing_of_what_it_lost_is_found_out() -> None:
    now = START + 5000 * MINUTE
    clock = ManualClock(now)

    async def desk(symbol: str, start: int, end: int) -> list[list[float]]:
        first = max(start, clock.now() - KEPT * MINUTE)
        return [[time, 100.0, 101.0, 99.0, 100.0, 1.0] for time in range(first, end, MINUTE)]

    strategy = Strategy("daily", ask, "1h", {"1h": 24})
    candles = Feed(as_exchange(desk), "BTCUSDT", strategy, Config(), clock, lambda fault: None)
    await candles.load(now - 600 * MINUTE, now)
    clock.move_to(now + 1000 * MINUTE)
    with pytest.raises(CandlesMissing, match="no candles of BTCUSDT from"):
        await candles.extend_to(now + 1000 * MINUTE)
