"""The same on a month of real candles, where they lie beside the checkout."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.facts import strategy_of
from tests.support.replays import decisions, journalled, replay
from tests.support.strategies import CASES
from tickfold import Backtest, Config, Signal
from tickfold.config import Policy
from tickfold.exchanges import as_exchange
from tickfold_eventstore import Stream

MONTH = Path(__file__).parents[2].parent / "shared" / "data" / "btc-perp-1m-2022-01.csv"
pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(not MONTH.exists(), reason="the month of real candles does not lie beside the checkout"),
]
POLICIES: tuple[Policy, ...] = ("pessimistic", "backtest_kit")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("name", [case.name for case in CASES])
async def test_a_month_is_decided_alike_with_three_restarts(name: str, policy: Policy, tmp_path: Path) -> None:
    case = next(case for case in CASES if case.name == name)
    strategy = strategy_of(case.name, case.interval, case.lookback, case.function(Signal))
    exchange, config = as_exchange(f"month=csv:{MONTH}"), Config(policy=policy)
    backtest = Backtest(config=config).run("BTCUSDT", strategy=strategy, exchange=exchange)
    await backtest.finish()
    expected = decisions(backtest.result().events)
    for leave_after in (7, 50, 1, 0):
        await replay(tmp_path, strategy, exchange, config, leave_after=leave_after)
    events = journalled(tmp_path, Stream("month", case.name, "BTCUSDT"))
    assert decisions(events) == expected
    assert len(expected) > 100
