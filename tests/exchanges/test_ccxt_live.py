"""A live run over the real ccxt client: through late candles and an outage of minutes it decides as a backtest does."""

from __future__ import annotations

import math
from pathlib import Path

import anyio
import anyio.lowlevel
import msgspec
import pytest

from tests.exchanges.loopback import MINUTE, START_AT, Binance, Loopback, candles_of, serving, status
from tickfold import Backtest, Candles, Context, Live, Signal
from tickfold.clock import ManualClock
from tickfold.frame import Frame
from tickfold.listeners import listen_error
from tickfold.strategy import Strategy
from tickfold.strategy import strategy as declare
from tickfold_eventstore.events import Event, Opened, Started, Stopped

pytestmark = pytest.mark.anyio

FIRST, LAST = 600, 640
"""Live runs over the boundaries from the first to the last, in minutes from START_AT."""


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def quick_to_open() -> Strategy:
    @declare("quick-to-open", interval="3m", lookback={"1m": 10})
    def propose(ctx: Context) -> Signal:
        return Signal.long(take_profit=ctx.price * 1.05, stop_loss=ctx.price * 0.9, lifetime=7)

    return propose


def in_memory() -> Candles:
    time, *prices = (list(column) for column in zip(*candles_of(FIRST - 30, LAST + 30), strict=True))
    opened, high, low, close, volume = prices
    return Candles(time=time, open=opened, high=high, low=low, close=close, volume=volume, name="binance")


async def drive(clock: ManualClock, exchange: Loopback, to: int) -> None:
    """Move both clocks to each moment that somebody waits for, one after the other, up to `to`."""
    while True:
        while not clock.now() < clock.next_wake < math.inf:
            await anyio.lowlevel.checkpoint()
        if clock.next_wake > to:
            return
        exchange.now = int(clock.next_wake)
        clock.move_to(exchange.now)


def facts_of(event: Event) -> dict[str, object]:
    """An event without what live and backtest may differ in."""
    return {
        name: value
        for name, value in msgspec.to_builtins(event).items()
        if name not in {"seq", "recorded_at", "ticks", "late"}
    }


async def test_an_outage_of_minutes_and_late_candles_change_no_decision(tmp_path: Path) -> None:
    faults: list[str] = []
    unsubscribe = listen_error(lambda fault: faults.append(fault.message))
    strategy = quick_to_open()
    at = [START_AT + minute * MINUTE for minute in range(LAST + 1)]
    async with serving(Binance()) as exchange:
        exchange.now = at[FIRST] + 5000
        clock = ManualClock(exchange.now)
        client = exchange.client()
        async with Live(tmp_path, clock=clock) as live:
            handle = live.background("BTC/USDT", strategy=strategy, exchange=client)
            # A signal is open from minute 9 to 13, and another from minute 21 to 26.
            await drive(clock, exchange, at[FIRST + 9] + 30_000)
            exchange.down = status(503)
            await drive(clock, exchange, at[FIRST + 12] + 30_000)
            exchange.down = None
            await drive(clock, exchange, at[FIRST + 23] + 30_000)
            exchange.withheld = {FIRST + 23}
            await drive(clock, exchange, at[FIRST + 24] + 20_000)
            exchange.withheld = set()
            await drive(clock, exchange, at[LAST] + 30_000)
            (journal,) = handle.journals
            events = [event for event in journal.read() if not isinstance(event, Started | Stopped)]
            handle.stop(now=True)
            await handle.wait()
        await client.aclose()
    unsubscribe()
    outage = "binance gave no candles of BTC/USDT in 3 attempts: HTTP 503 Service Unavailable: "
    assert [fault.startswith(outage) for fault in faults] == [True] * 3
    frame = Frame("as live", at[FIRST], at[LAST] + 1)
    result = Backtest().execute("BTC/USDT", strategy=strategy, exchange=in_memory(), frame=frame)
    assert [facts_of(event) for event in events] == [facts_of(event) for event in result.events]
    opened = [(event.at - START_AT) // MINUTE - FIRST for event in events if isinstance(event, Opened)]
    assert opened[:5] == [0, 3, 9, 15, 21]
