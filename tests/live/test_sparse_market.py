"""A market that trades every tenth minute: what is open is watched on, wherever the run was left."""

from __future__ import annotations

from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

from tickfold import Context, Live, Signal
from tickfold.clock import ManualClock
from tickfold.strategy import Strategy
from tickfold_eventstore import Stream

pytestmark = pytest.mark.anyio
MINUTE = 60_000
START = 1_577_836_800_000


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    backend: str = request.param
    return backend


def once(ctx: Context) -> Signal:
    return Signal.long(take_profit=ctx.price * 1.1, stop_loss=ctx.price * 0.85, lifetime=200)


class Desk:
    """Trades every tenth minute from minute 110 on, at one price."""

    name = "desk"

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock

    async def candles(self, symbol: str, start: int, end: int) -> list[list[float]]:
        closed = min(end, self._clock.now() // MINUTE * MINUTE)
        minutes = range(max(start, START), closed, MINUTE)
        return [
            [at, 100.0, 100.0, 100.0, 100.0, 1.0]
            for at in minutes
            if (at - START) // MINUTE < 110 or (at - START) // MINUTE % 10 == 0
        ]


async def let_pass(clock: ManualClock, minutes: int) -> None:
    for _ in range(minutes):
        for _ in range(30):
            await anyio.lowlevel.checkpoint()
        clock.move_to(clock.now() + MINUTE)
    for _ in range(50):
        await anyio.lowlevel.checkpoint()


async def test_an_open_signal_that_was_left_inside_a_hole_is_watched_to_its_end(tmp_path: Path) -> None:
    clock = ManualClock(START + 105 * MINUTE + 30_000)
    strategy = Strategy("once", once, "1m")
    async with Live(tmp_path, clock=clock) as live, anyio.create_task_group() as tasks:
        tasks.start_soon(let_pass, clock, 60)
        async with live.run("A", strategy=strategy, exchange=Desk(clock), include={"active"}) as run:
            async for result in run:
                if result.action == "active" and result.at >= START + 124 * MINUTE:
                    break
        tasks.cancel_scope.cancel()
    async with Live(tmp_path, clock=clock) as live:
        handle = live.background("A", strategy=strategy, exchange=Desk(clock))
        await let_pass(clock, 260)
        events = list(live.store.reader(Stream("desk", "once", "A")).read())
        handle.stop(now=True)
        await handle.wait()
    told = [(event.action, (event.at - START) // MINUTE) for event in events]
    assert ("closed", told[1][1] + 200) in told
