"""Holes in the candles, restarts inside and beside them: a replay still decides what a backtest decides."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import anyio
import pytest

from tests.support.facts import in_memory, strategy_of
from tests.support.markets import MINUTE, START_AT, Candle, make, walk
from tests.support.replays import decisions, journalled, replay
from tests.support.strategies import CASES, Case
from tickfold import Backtest, Candles, Config, Context, Live, Signal
from tickfold.clock import ReplayClock
from tickfold.strategy import Strategy
from tickfold_eventstore import Stream

MARKET = make("walk", walk(0.002), seed=11, minutes=2400)
PLAIN = [case for case in CASES if not case.awaits]


def without(*holes: tuple[int, int]) -> Candles:
    """The market without the candles of these minutes."""
    rows: list[Candle] = [
        row for minute, row in enumerate(MARKET.candles) if not any(first <= minute < last for first, last in holes)
    ]
    return in_memory(rows)


async def until(data_dir: Path, strategy: Strategy, candles: Candles, minute: int) -> None:
    """Run a replay and leave it at the boundary that is so many minutes from the start."""
    results = {"idle", "waiting", "active", "scheduled", "cancelled", "rejected"}
    live = Live(data_dir, clock="replay")
    async with live, live.run("BTCUSDT", strategy=strategy, exchange=candles, include=results) as run:
        async for result in run:
            if result.at >= START_AT + minute * MINUTE:
                break


def check(candles: Candles, case: Case, stops: list[int]) -> None:
    strategy = strategy_of(case.name, case.interval, case.lookback, case.make(Signal))
    expected = Backtest().execute("BTCUSDT", strategy=strategy, exchange=candles)
    with TemporaryDirectory() as folder:
        for stop in stops:
            anyio.run(until, Path(folder), strategy, candles, stop)
        anyio.run(partial(replay, Path(folder), strategy, candles, Config()))
        events = journalled(Path(folder), Stream("memory", case.name, "BTCUSDT"))
    assert decisions(events) == decisions(expected.events)


@pytest.mark.parametrize("seed", range(24))
def test_whatever_is_missing_and_wherever_it_is_left_a_replay_is_its_backtest(seed: int) -> None:
    dice = Random(seed)
    holes = []
    for _ in range(dice.randint(1, 6)):
        first = dice.randint(1, 2300)
        holes.append((first, min(2395, first + dice.choice((1, 3, 10, 40, 120, 600)))))
    ends = [minute for hole in holes for minute in hole]
    stops = sorted(max(1, dice.choice(ends) + dice.randint(-3, 90)) for _ in range(3))
    check(without(*holes), dice.choice(PLAIN), stops)


def test_a_hole_longer_than_a_day_is_walked_as_a_backtest_walks_it() -> None:
    (case,) = [case for case in CASES if case.name == "market-long"]
    check(without((200, 1900)), case, [150, 300, 1000])


def test_a_hole_over_the_first_boundary_delays_nothing_else() -> None:
    (case,) = [case for case in CASES if case.name == "market-short"]
    check(without((3, 200)), case, [])


def test_a_window_is_full_where_a_start_lies_behind_a_hole() -> None:
    lengths: list[int] = []

    def ask(ctx: Context) -> None:
        lengths.append(len(ctx.candles("1h").close))

    strategy = Strategy("hourly", ask, "15m", {"1h": 4})
    candles = without((470, 565))
    with TemporaryDirectory() as folder:
        anyio.run(until, Path(folder), strategy, candles, 780)
        lengths.clear()
        anyio.run(partial(replay, Path(folder), strategy, candles, Config()))
    assert set(lengths) == {4}


@pytest.mark.anyio
async def test_a_replay_whose_end_lies_in_a_hole_ends_there(tmp_path: Path) -> None:
    (case,) = [case for case in CASES if case.name == "alternating"]
    strategy = strategy_of(case.name, case.interval, case.lookback, case.make(Signal))
    async with Live(tmp_path, clock=ReplayClock(START_AT + 505 * MINUTE)) as live:
        handle = live.background("BTCUSDT", strategy=strategy, exchange=without((500, 520)))
        await handle.wait()
    assert handle.errors == {}
    events = journalled(tmp_path, Stream("memory", case.name, "BTCUSDT"))
    assert (events[-1].action, events[-1].at) == ("stopped", START_AT + 500 * MINUTE)
