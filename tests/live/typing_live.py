"""Read by mypy and pyright, and run by test_typing_live: what a user can exhaust in a `match`, they must exhaust."""

from __future__ import annotations

from typing import assert_never, assert_type

from tickfold import (
    Active,
    Backtest,
    Cancelled,
    Closed,
    Event,
    Idle,
    Live,
    Opened,
    Rejected,
    Scheduled,
    Started,
    Stopped,
    Waiting,
)
from tickfold.handle import Handle, Run
from tickfold.notices import Tick


def what_happened(event: Event) -> str:
    match event:
        case Started(state_seq=state_seq):
            return f"started from {state_seq}"
        case Scheduled(signal=signal):
            return f"waits at {signal.entry}"
        case Opened(price=price):
            return f"opened at {price}"
        case Cancelled(reason=reason):
            return f"cancelled: {reason}"
        case Closed(reason=reason, pnl=pnl):
            return f"closed: {reason}, {pnl.percentage}"
        case Rejected(reasons=reasons):
            return f"rejected: {'; '.join(reasons)}"
        case Stopped(reason=reason):
            return f"stopped: {reason}"
        case _:
            assert_never(event)


def what_a_run_gave(tick: Tick) -> str:
    match tick:
        case Idle(price=price):
            return f"nothing is open at {price}"
        case Waiting(signal=signal):
            return f"{signal.id} waits"
        case Active(percentage=percentage):
            return f"open with {percentage}"
        case Started() | Scheduled() | Opened() | Cancelled() | Closed() | Rejected() | Stopped():
            return what_happened(tick)
        case _:
            assert_never(tick)


def by_position(event: Event) -> str:
    """Literals are exhausted, too."""
    if not isinstance(event, Opened | Closed):
        return ""
    match event.signal.position:
        case "long":
            return "bought"
        case "short":
            return "sold"
        case _:
            assert_never(event.signal.position)


def what_a_trader_does(event: Opened | Closed) -> str:
    """What a run gives that was not asked for more: two cases."""
    match event:
        case Opened(signal=signal):
            return f"buy {signal.take_profit}" if signal.position == "long" else f"sell {signal.take_profit}"
        case Closed(pnl=pnl):
            return f"{pnl.percentage}"
        case _:
            assert_never(event)


async def as_users_write_it(live: Live) -> list[str]:
    told: list[str] = []
    async for event in live.run("BTCUSDT", strategy="sma", exchange="desk"):
        assert_type(event, Opened | Closed)
        told.append(what_a_trader_does(event))
    async with live.run("BTCUSDT", strategy="sma", exchange="desk") as events:
        assert_type(events, Run[Opened | Closed])
    async for tick in live.run(["BTCUSDT"], strategy="sma", exchange="desk", include={"idle", "active"}):
        assert_type(tick, Tick)
        told.append(what_a_run_gave(tick))
    handle = live.background("BTCUSDT", strategy="sma", exchange="desk")
    assert_type(handle, Handle)
    assert_type(handle.done, bool)
    return told


async def over_recorded_candles(backtest: Backtest) -> list[float]:
    told: list[float] = []
    async for event in backtest.run("BTCUSDT", strategy="sma", exchange="desk"):
        assert_type(event, Closed)
        told.append(event.pnl.percentage)
    async with backtest.run("BTCUSDT", strategy="sma", exchange="desk", frame="may", include={"opened"}) as ticks:
        async for tick in ticks:
            assert_type(tick, Tick)
    return told
