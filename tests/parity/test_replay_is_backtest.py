"""Live over a replayed clock decides what a backtest decides: field for field, bit for bit, market by market."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.facts import in_memory, strategy_of
from tests.support.markets import Market, all_markets
from tests.support.replays import boundaries, decisions, journalled, replay
from tests.support.strategies import CASES, Case
from tickfold import Backtest, Config, Signal
from tickfold.config import Policy
from tickfold_eventstore import Stream
from tickfold_eventstore.events import Started, Stopped

pytestmark = pytest.mark.anyio
MARKETS = all_markets()
POLICIES: tuple[Policy, ...] = ("pessimistic", "backtest_kit")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("market", MARKETS, ids=[market.name for market in MARKETS])
async def test_every_strategy_decides_alike(market: Market, policy: Policy, tmp_path: Path) -> None:
    decided = 0
    for case in CASES:
        decided += await _alike(market, case, policy, tmp_path)
    assert decided > 0 or market.name == "still"


async def _alike(market: Market, case: Case, policy: Policy, data_dir: Path) -> int:
    candles, config = in_memory(market.candles), Config(policy=policy)
    strategy = strategy_of(case.name, case.interval, case.lookback, case.function(Signal))
    expected = Backtest(config=config)
    # Beside a running loop only what needs none may be executed; an async strategy's run is driven by this one.
    run = expected.run("BTCUSDT", strategy=strategy, exchange=candles)
    await run.finish()
    result = run.result()
    await replay(data_dir, strategy, candles, config)
    events = journalled(data_dir, Stream("memory", case.name, "BTCUSDT"))
    assert decisions(events) == decisions(result.events), case.name
    assert isinstance(events[0], Started)
    assert isinstance(events[-1], Stopped)
    assert boundaries(events) == {
        "idle": result.boundaries.idle,
        "waiting": result.boundaries.waiting,
        "active": result.boundaries.active,
        "missed": 0,
    }
    return len(result.events)
