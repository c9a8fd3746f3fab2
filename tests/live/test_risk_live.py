"""Live streams that share a risk rule: each is judged in its turn, and none waits longer than an answer counts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
import pytest

from tests.live.company import actions, company, journalled, long_at_two, named, nothing
from tests.live.desk import Desk, moment
from tests.support.markets import Candle
from tests.support.together import unregistered
from tickfold import Context, Live, Rejected, Risk, Signal
from tickfold.clock import ManualClock
from tickfold.errors import SlotMissed, UnknownName
from tickfold.strategy import Strategy
from tickfold_eventstore import Stream
from tickfold_eventstore.errors import StreamHeld

pytestmark = pytest.mark.anyio


def under(rule: Risk, ask: Any, name: str = "hand") -> Strategy:
    return attrs.evolve(named(name, ask), risk=[rule])


def stream(symbol: str, name: str = "hand") -> Stream:
    return Stream("desk", name, symbol)


@attrs.define
class UnevenDesk(Desk):
    """It has the newest candle of `slow` only from `since` on."""

    slow: str = ""
    since: int = 0

    async def candles(self, symbol: str, start: int, end: int) -> list[Candle]:
        given = await super().candles(symbol, start, end)
        late = symbol == self.slow and self.clock.now() < self.since
        return [candle for candle in given if not late or candle[0] < moment("10:01")]


async def test_of_two_proposals_at_one_slot_the_first_by_name_is_taken(tmp_path: Path) -> None:
    rule = unregistered("one", max_open=1)
    async with company(tmp_path) as there:
        there.live.background(["B", "A"], strategy=under(rule, long_at_two), exchange=there.desk)
        await there.until("10:03:30")
    assert actions(tmp_path, stream("A")) == ["started", "opened", "stopped"]
    refused = journalled(tmp_path, stream("B"))[1]
    assert isinstance(refused, Rejected)
    assert refused.reasons == ("risk rule one: 1 signal is alive (desk/hand/A); at most 1 may be",)
    assert "desk/hand/B: proposal rejected: " + refused.reasons[0] in [fault.message for fault in there.faults]


@pytest.mark.parametrize("answers", [True, False])
async def test_a_quick_proposal_waits_for_the_slow_one_before_it(tmp_path: Path, *, answers: bool) -> None:
    rule = unregistered("one", max_open=1)
    clock = ManualClock(moment("10:00:30"))

    async def thinks(ctx: Context) -> Signal | None:
        if ctx.now == moment("10:02"):
            await clock.sleep_until(moment("10:02:40"))
        return long_at_two(ctx) if answers or ctx.symbol != "A" else None

    async with company(tmp_path, desk=Desk(clock)) as there:
        there.live.background("A", strategy=under(rule, thinks, "a"), exchange=there.desk)
        there.live.background("B", strategy=under(rule, long_at_two, "b"), exchange=there.desk)
        await there.until("10:02:30")
        assert "opened" not in actions(tmp_path, stream("B", "b"))
        await there.until("10:02:50")
        assert actions(tmp_path, stream("B", "b"))[1:] == (["rejected"] if answers else ["opened"])


async def test_a_stream_under_no_rule_waits_for_nobody(tmp_path: Path) -> None:
    rule = unregistered("one", max_open=1)
    clock = ManualClock(moment("10:00:30"))

    async def thinks(ctx: Context) -> Signal | None:
        await clock.sleep_until(ctx.now + 50_000)
        return None

    async with company(tmp_path, desk=Desk(clock)) as there:
        there.live.background("A", strategy=under(rule, thinks, "a"), exchange=there.desk)
        there.live.background("B", strategy=named("b", long_at_two), exchange=there.desk)
        other = unregistered("other", max_open=1)
        there.live.background("C", strategy=under(other, long_at_two, "c"), exchange=there.desk)
        await there.until("10:02:10")
        assert actions(tmp_path, stream("B", "b")) == ["started", "opened"]
        assert actions(tmp_path, stream("C", "c")) == ["started", "opened"]


@pytest.mark.parametrize(("comes", "came"), [("10:02:40", True), ("10:03:10", False)])
async def test_a_proposal_waits_for_a_late_candle_as_long_as_its_answer_counts(
    tmp_path: Path, comes: str, *, came: bool
) -> None:
    rule = unregistered("one", max_open=2)
    desk = UnevenDesk(ManualClock(moment("10:00:30")), slow="A", since=moment(comes))
    async with company(tmp_path, desk=desk) as there:
        there.live.background(["A", "B"], strategy=under(rule, long_at_two), exchange=there.desk)
        await there.until("10:02:30")
        assert actions(tmp_path, stream("B")) == ["started"]
        await there.until("10:03:30")
        assert actions(tmp_path, stream("B")) == (["started", "opened"] if came else ["started"])
        missed = [fault.error for fault in there.faults if isinstance(fault.error, SlotMissed)]
        waits = [error.waited_for for error in missed if error.stream == stream("B")]
        assert waits == ([] if came else [stream("A")])


async def test_nobody_waits_for_a_strategy_that_failed(tmp_path: Path) -> None:
    rule = unregistered("one", max_open=1)

    def fails(ctx: Context) -> Signal | None:
        raise RuntimeError("no idea")

    async with company(tmp_path) as there:
        there.live.background("A", strategy=under(rule, fails, "a"), exchange=there.desk)
        there.live.background("B", strategy=under(rule, long_at_two, "b"), exchange=there.desk)
        await there.until("10:02:10")
        assert actions(tmp_path, stream("B", "b")) == ["started", "opened"]


async def test_nobody_waits_for_a_run_that_has_ended(tmp_path: Path) -> None:
    rule = unregistered("one", max_open=1)
    async with company(tmp_path) as there:
        first = there.live.background("A", strategy=under(rule, nothing, "a"), exchange=there.desk)
        there.live.background("B", strategy=under(rule, long_at_two, "b"), exchange=there.desk)
        await there.until("10:01:30")
        first.stop(now=True)
        await there.until("10:02:10")
        assert actions(tmp_path, stream("B", "b"))[1:] == ["opened"]


async def test_what_a_run_that_has_ended_left_alive_counts_on(tmp_path: Path) -> None:
    rule = unregistered("one", max_open=1)
    async with company(tmp_path) as there:
        first = there.live.background("A", strategy=under(rule, always_long, "a"), exchange=there.desk)
        there.live.background("B", strategy=under(rule, long_at_two, "b"), exchange=there.desk)
        await there.until("10:01:30")
        first.stop(now=True)
        await there.until("10:02:10")
        assert actions(tmp_path, stream("A", "a")) == ["started", "opened", "stopped"]
        assert actions(tmp_path, stream("B", "b"))[1:] == ["rejected"]


def always_long(ctx: Context) -> Signal | None:
    return Signal.long(take_profit=ctx.price * 1.1, stop_loss=ctx.price * 0.95, lifetime=60)


async def test_what_was_alive_before_a_restart_counts_after_it(tmp_path: Path) -> None:
    rule = unregistered("one", max_open=1)
    async with company(tmp_path) as there:
        there.live.background("A", strategy=under(rule, long_at_two, "a"), exchange=there.desk)
        await there.until("10:03:30")
    async with company(tmp_path, at="10:10:30") as there:
        there.live.background("A", strategy=under(rule, long_at_two, "a"), exchange=there.desk)
        there.live.background("B", strategy=under(rule, always_long, "b"), exchange=there.desk)
        await there.until("10:12:30")
    assert set(actions(tmp_path, stream("B", "b"))[1:-1]) == {"rejected"}


async def test_a_rule_belongs_to_one_process_at_a_time(tmp_path: Path) -> None:
    rule = unregistered("one", max_open=1)
    async with company(tmp_path) as there:
        there.live.background("A", strategy=under(rule, long_at_two, "a"), exchange=there.desk)
        async with Live(tmp_path, clock=there.clock) as other:
            with pytest.raises(StreamHeld, match="risk rule one is held by another process"):
                other.background("B", strategy=under(rule, long_at_two, "b"), exchange=there.desk)
            with pytest.raises(StreamHeld, match="desk/a/A"):
                other.background("A", strategy=named("a", long_at_two), exchange=there.desk)
    async with Live(tmp_path, clock=there.clock) as other:
        other.background("B", strategy=under(rule, long_at_two, "b"), exchange=there.desk)


async def test_a_rule_that_nobody_made_is_told_where_it_is_asked_for(tmp_path: Path) -> None:
    strategy = attrs.evolve(named("a", long_at_two), risk="two")
    async with company(tmp_path) as there:
        with pytest.raises(UnknownName, match="no risk rule is named 'two'"):
            there.live.background("A", strategy=strategy, exchange=there.desk)
        with pytest.raises(UnknownName, match="no risk rule is named 'two'"):
            there.live.run("A", strategy=strategy, exchange=there.desk)
    assert not (tmp_path / "journal").exists()
