"""However often a replay is stopped and started again, its decisions are those of one that never was."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.facts import in_memory, strategy_of
from tests.support.markets import Market, all_markets, random_markets
from tests.support.replays import boundaries, decisions, journalled, replay
from tests.support.strategies import CASES, Case
from tickfold import Backtest, Config, Event, Signal
from tickfold.config import Policy
from tickfold_eventstore import Stream
from tickfold_eventstore.store import Store
from tickfold_eventstore.verify import verify

MARKETS = {market.name: market for market in all_markets()}
STOPPING = [case for case in CASES if not case.awaits]


def backtested(market: Market, case: Case, config: Config) -> list[dict[str, Any]]:
    strategy = strategy_of(case.name, case.interval, case.lookback, case.make(Signal))
    return decisions(
        Backtest(config=config).execute("BTCUSDT", strategy=strategy, exchange=in_memory(market.candles)).events
    )


async def started_again_and_again(
    data_dir: Path, market: Market, case: Case, config: Config, cuts: list[int]
) -> list[Event]:
    strategy = strategy_of(case.name, case.interval, case.lookback, case.function(Signal))
    candles = in_memory(market.candles)
    for cut in cuts:
        await replay(data_dir, strategy, candles, config, leave_after=cut)
    await replay(data_dir, strategy, candles, config)
    return journalled(data_dir, Stream("memory", case.name, "BTCUSDT"))


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
@pytest.mark.parametrize("name", ["walk", "steps of one", "gaps in whole numbers"])
def test_a_replay_that_was_left_after_every_few_events_ends_alike(name: str, case: Case, tmp_path: Path) -> None:
    market, config = MARKETS[name], Config()
    events = anyio.run(partial(started_again_and_again, tmp_path, market, case, config, [1, 1, 2, 1, 3, 5, 1]))
    once = anyio.run(partial(started_again_and_again, tmp_path / "once", market, case, config, []))
    assert decisions(events) == decisions(once)
    assert boundaries(events) == boundaries(once)
    if not case.awaits:
        assert decisions(events) == backtested(market, case, config)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example])
@given(
    market=random_markets(),
    case=st.sampled_from(STOPPING),
    policy=st.sampled_from(["pessimistic", "backtest_kit"]),
    cuts=st.lists(st.integers(1, 4), max_size=6),
)
def test_any_market_any_strategy_any_restarts(market: Market, case: Case, policy: Policy, cuts: list[int]) -> None:
    config = Config(policy=policy)
    with TemporaryDirectory() as folder:
        events = anyio.run(partial(started_again_and_again, Path(folder), market, case, config, cuts))
        verdicts = [verify(Store(folder).reader(stream)) for stream in Store(folder).streams()]
    assert decisions(events) == backtested(market, case, config)
    assert [verdict.damage for verdict in verdicts] == [None] * len(verdicts)


def test_started_again_at_its_end_a_replay_adds_nothing_but_started_and_stopped(tmp_path: Path) -> None:
    market, case = MARKETS["walk"], CASES[0]
    run = partial(started_again_and_again, tmp_path, market, case, Config(), [])
    once, twice = anyio.run(run), anyio.run(run)
    assert twice[: len(once)] == once
    assert [event.action for event in twice[len(once) :]] == ["started", "stopped"]
    assert boundaries(twice) == boundaries(once)
