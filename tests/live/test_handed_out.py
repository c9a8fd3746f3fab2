"""What a run hands out is what stands in its journal, to the last field."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.facts import in_memory, strategy_of
from tests.support.markets import all_markets
from tests.support.strategies import CASES
from tickfold import Event, Live, Signal
from tickfold_eventstore import Stream

pytestmark = pytest.mark.anyio
EVERYTHING = {"started", "scheduled", "cancelled", "rejected", "stopped"}


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    backend: str = request.param
    return backend


async def test_the_events_of_a_run_carry_their_ticks_as_those_of_the_journal_do(tmp_path: Path) -> None:
    (case,) = [case for case in CASES if case.name == "limit-short"]
    strategy = strategy_of(case.name, case.interval, case.lookback, case.function(Signal))
    heard: list[object] = []
    async with Live(tmp_path, clock="replay") as live:
        candles = in_memory(all_markets()[0].candles)
        async with live.run("A", strategy=strategy, exchange=candles, include=EVERYTHING) as run:
            heard.extend([event async for event in run])
        journalled: list[Event] = list(live.store.reader(Stream("memory", case.name, "A")).read())
    assert heard == journalled
    assert all(event.ticks is not None for event in journalled if event.action in {"started", "scheduled"})
