"""What `Live` holds, it gives back when it closes: exchanges, journals, tasks; also where the body raised."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from tests.live.company import actions, company, long_at_two, named
from tests.live.desk import Desk, moment
from tickfold import Backtest, Frame, Live, exchange
from tickfold.clock import ManualClock
from tickfold.errors import ExchangeUnreachable, NotOpen, StrategyFailed, UnknownName
from tickfold.sources import EXCHANGES
from tickfold.strategy import STRATEGIES
from tickfold_eventstore import Stream

pytestmark = pytest.mark.anyio

LONG = named("long", long_at_two)
RAISING = named("raising", lambda ctx: 1 / 0)
HOUR = Frame("an hour whose exchange is closed", moment("09:30"), moment("10:30"))


async def test_each_exchange_is_closed_once_however_many_runs_were_given_it(tmp_path: Path) -> None:
    async with company(tmp_path) as there:
        other = Desk(there.clock, name="other")
        there.live.background(["BTCUSDT", "ETHUSDT"], strategy=LONG, exchange=there.desk)
        there.live.background("XRPUSDT", strategy=LONG, exchange=there.desk)
        there.live.background("BTCUSDT", strategy=LONG, exchange=other)
        await there.until("10:02:30")
        assert (there.desk.closed, other.closed) == (0, 0)
    assert (there.desk.closed, other.closed) == (1, 1)


async def test_exchanges_are_closed_where_the_body_raises_and_its_exception_comes_out_as_it_is(tmp_path: Path) -> None:
    desk = Desk(ManualClock(moment("10:00:30")))
    with pytest.raises(KeyError, match="mine"):
        async with company(tmp_path, desk=desk) as there:
            there.live.background("BTCUSDT", strategy=LONG, exchange=desk)
            await there.settle()
            raise KeyError("mine")
    assert desk.closed == 1
    assert actions(tmp_path, Stream("desk", "long", "BTCUSDT")) == ["started", "stopped"]


async def test_exchanges_are_closed_where_the_task_is_cancelled(tmp_path: Path) -> None:
    class Slow(Desk):
        async def aclose(self) -> None:
            await anyio.lowlevel.checkpoint()
            await super().aclose()

    desk = Slow(ManualClock(moment("10:00:30")))
    with anyio.CancelScope() as scope:
        async with company(tmp_path, desk=desk) as there:
            there.live.background("BTCUSDT", strategy=LONG, exchange=desk)
            await there.settle()
            scope.cancel()
            await anyio.sleep_forever()
    assert desk.closed == 1
    assert actions(tmp_path, Stream("desk", "long", "BTCUSDT")) == ["started", "stopped"]


async def test_an_exchange_that_cannot_be_closed_is_raised_when_all_others_are(tmp_path: Path) -> None:
    class Broken(Desk):
        async def aclose(self) -> None:
            raise OSError("no")

    clock = ManualClock(moment("10:00:30"))
    first, broken, last = Desk(clock, name="first"), Broken(clock), Desk(clock, name="last")
    with pytest.raises(OSError, match="no"):
        async with company(tmp_path, desk=broken) as there:
            for each in (first, broken, last):
                there.live.background("BTCUSDT", strategy=LONG, exchange=each)
    assert (first.closed, last.closed) == (1, 1)


@pytest.mark.parametrize("fails", ["", "the exchange", "the strategy"])
async def test_a_backtest_closes_its_exchange_once_when_its_run_ends_or_fails(fails: str) -> None:
    desk = Desk(ManualClock(moment("11:00")))
    if fails == "the exchange":
        desk.outages.append((moment("11:00"), moment("12:00"), ValueError("nonsense")))
    run = Backtest().run(
        ["BTCUSDT", "ETHUSDT"],
        strategy=RAISING if fails == "the strategy" else LONG,
        exchange=desk,
        frame=HOUR,
    )
    try:
        async for _ in run:
            pass
    except (ValueError, StrategyFailed):
        assert fails
    assert desk.closed == 1


async def test_a_backtest_whose_loop_is_left_has_closed_its_exchange() -> None:
    desk = Desk(ManualClock(moment("11:00")))
    async for _ in Backtest().run("BTCUSDT", strategy=LONG, exchange=desk, frame=HOUR, include={"opened"}):
        break
    assert desk.closed == 1


async def test_a_live_that_is_not_open_runs_nothing_and_says_how(tmp_path: Path) -> None:
    clock = ManualClock(moment("10:00:30"))
    live = Live(tmp_path, clock=clock)
    for start in (live.background, live.run):
        with pytest.raises(NotOpen, match=r"use it inside `async with Live\(\) as live:`"):
            start("BTCUSDT", strategy=LONG, exchange=Desk(clock))
    async with live:
        run = live.run("BTCUSDT", strategy=LONG, exchange=Desk(clock))
    with pytest.raises(NotOpen):
        await anext(run)


async def test_an_unknown_name_is_an_error_at_the_call_that_lists_the_names_that_exist(tmp_path: Path) -> None:
    async with company(tmp_path) as there:
        STRATEGIES.add("listed-strategy", LONG)
        exchange("listed-exchange", there.desk)
        try:
            for start in (there.live.background, there.live.run):
                with pytest.raises(
                    UnknownName, match=r"no strategy is named 'listed-strategi'; .*listed-strategy"
                ) as no:
                    start("BTCUSDT", strategy="listed-strategi", exchange="listed-exchange")
                assert no.value.known == STRATEGIES.names()
                with pytest.raises(UnknownName, match=r"no exchange is named 'nowhere'.*listed-exchange") as no:
                    start("BTCUSDT", strategy="listed-strategy", exchange="nowhere")
                assert no.value.known == EXCHANGES.names()
            there.live.background("BTCUSDT", strategy="listed-strategy", exchange="listed-exchange")
            await there.until("10:02:30")
            assert [event.stream for event in there.events] == [Stream("listed-exchange", "long", "BTCUSDT")]
        finally:
            STRATEGIES._things.pop("listed-strategy")
            EXCHANGES._things.pop("listed-exchange")


async def test_an_exchange_that_is_away_is_not_closed_in_between(tmp_path: Path) -> None:
    async with company(tmp_path) as there:
        there.desk.outages.append((moment("10:00"), moment("10:01:30"), ConnectionError("refused")))
        there.live.background("BTCUSDT", strategy=LONG, exchange=there.desk)
        await there.until("10:02:30")
        assert {type(fault.error) for fault in there.faults} == {ExchangeUnreachable}
        assert (there.desk.closed, [event.action for event in there.events]) == (0, ["opened"])
