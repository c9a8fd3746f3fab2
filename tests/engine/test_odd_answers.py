"""What a strategy may do wrong beside a wrong price: it is told as its fault, alike in live and backtest."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.support.facts import in_memory, strategy_of
from tests.support.markets import all_markets
from tests.support.replays import decisions, journalled, replay
from tickfold import Backtest, Config, Live, Rejected, Signal
from tickfold.errors import StrategyFailed, UnknownName
from tickfold_eventstore import Stream

CANDLES = in_memory(all_markets()[0].candles[:200])


class Mute:
    """A value that cannot be shown."""

    def __repr__(self) -> str:
        raise RuntimeError("no repr")


def half_a_character(ctx: Any) -> Any:
    return Signal.long(take_profit=ctx.price * 1.02, stop_loss=ctx.price * 0.98, lifetime=5, note="\ud800x")


def no_repr(ctx: Any) -> Any:
    return Signal.long(take_profit=Mute(), stop_loss=ctx.price * 0.98, lifetime=5)  # type: ignore[arg-type]  # that is the fault


def endless_number(ctx: Any) -> Any:
    return Signal.long(take_profit=10**5000, stop_loss=ctx.price * 0.98, lifetime=5)


@pytest.mark.anyio
@pytest.mark.parametrize("function", [half_a_character, no_repr, endless_number])
async def test_it_is_rejected_alike_in_live_and_backtest(function: Callable[[Any], Any], tmp_path: Path) -> None:
    strategy = strategy_of("odd", "30m", {}, function)
    backtest = Backtest().run("A", strategy=strategy, exchange=CANDLES)
    await backtest.finish()
    expected = backtest.result().events
    await replay(tmp_path, strategy, CANDLES, Config(), symbols=["A"])
    assert expected
    assert all(isinstance(event, Rejected) for event in expected)
    assert decisions(journalled(tmp_path, Stream("memory", "odd", "A"))) == decisions(expected)


def leave(ctx: Any) -> None:
    sys.exit(3)


class BadMessage(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no message")


def raise_what_cannot_be_told(ctx: Any) -> None:
    raise BadMessage


@pytest.mark.parametrize("function", [leave, raise_what_cannot_be_told])
def test_it_ends_no_process_and_keeps_nothing_from_being_told(function: Callable[[Any], Any]) -> None:
    with pytest.raises(StrategyFailed):
        Backtest().execute("A", strategy=strategy_of("odd", "1m", {}, function), exchange=CANDLES)


def test_a_cancellation_that_is_its_own_is_its_failure_and_ends_no_stream_in_silence(tmp_path: Path) -> None:
    async def awaits_a_cancelled_task(ctx: Any) -> None:
        task = asyncio.ensure_future(asyncio.sleep(60))
        task.cancel()
        await task

    async def run() -> None:
        async with Live(tmp_path, clock="replay") as live:
            strategy = strategy_of("odd", "1m", {}, awaits_a_cancelled_task)
            async with live.run("A", strategy=strategy, exchange=CANDLES) as events:
                async for _ in events:
                    pass

    with pytest.raises(StrategyFailed, match="CancelledError"):
        anyio.run(run)


def test_an_action_that_does_not_exist_is_an_error_at_the_call(tmp_path: Path) -> None:
    strategy = strategy_of("odd", "1m", {}, lambda ctx: None)
    with pytest.raises(UnknownName, match="no action is named 'typo'"):
        Backtest().run("A", strategy=strategy, exchange=CANDLES, include={"typo"})

    async def run_live() -> None:
        async with Live(tmp_path) as live:
            live.run("A", strategy=strategy, exchange=CANDLES, include={"typo"})

    with pytest.raises(UnknownName, match="no action is named 'typo'"):
        anyio.run(run_live)


def test_a_symbol_that_is_named_twice_is_one_stream(tmp_path: Path) -> None:
    strategy = strategy_of("odd", "1m", {}, lambda ctx: None)

    async def run_live() -> int:
        async with Live(tmp_path, clock="replay") as live:
            handle = live.background(["A", "A"], strategy=strategy, exchange=CANDLES)
            await handle.wait()
            assert handle.errors == {}
            return len(handle.journals)

    assert anyio.run(run_live) == 1
