"""A `Live` with many streams, on a clock moved by hand, for tests that look at more than one of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import attrs

from tests.live.desk import Desk, moment
from tests.live.stage import noted, settled, time_passes
from tickfold import Config, Context, Event, Live, Signal, listen_done_live, listen_error, listen_signal_live
from tickfold.clock import ManualClock
from tickfold.notices import Done, Fault
from tickfold.strategy import Strategy
from tickfold_eventstore import Store, Stream
from tickfold_eventstore.verify import verify

Ask = Callable[[Context], Any]
QUIET = Config(retry_pause=0, drain_grace=60_000)


@attrs.define
class Company:
    """What the tests look at: the run itself, and what its listeners heard, each in order."""

    live: Live
    clock: ManualClock
    desk: Desk
    events: list[Event] = attrs.field(factory=list)
    faults: list[Fault] = attrs.field(factory=list)
    done: list[Done] = attrs.field(factory=list)

    async def until(self, text: str) -> None:
        await time_passes(self.clock, moment(text), self.seen())

    async def settle(self) -> None:
        await settled(self.seen(), self.clock)

    def seen(self) -> list[object]:
        return [*self.events, *self.faults, *self.done]


@asynccontextmanager
async def company(
    data_dir: Path, *, at: str = "10:00:30", config: Config = QUIET, desk: Desk | None = None
) -> AsyncIterator[Company]:
    """A `Live` that stands at `at`; leaving it closes it."""
    clock = ManualClock(moment(at)) if desk is None else desk.clock
    live = Live(data_dir, config=config, clock=clock)
    there = Company(live, clock, Desk(clock) if desk is None else desk)
    with ExitStack() as unsubscribing:
        unsubscribing.callback(listen_signal_live(noted(there.events.append)))
        unsubscribing.callback(listen_error(noted(there.faults.append)))
        unsubscribing.callback(listen_done_live(noted(there.done.append)))
        async with live:
            yield there


def named(name: str, ask: Ask, *, interval: str = "1m", **callbacks: Callable[[Any], object]) -> Strategy:
    """A strategy that no registry knows of."""
    return Strategy(name, ask, interval, {}, dict(callbacks))


def nothing(ctx: Context) -> Signal | None:
    return None


def long_at_two(ctx: Context) -> Signal | None:
    """A market order at 10:02, and nothing else."""
    return Signal.long(take_profit=110, stop_loss=95, lifetime=60) if ctx.now == moment("10:02") else None


def journalled(data_dir: Path, stream: Stream) -> list[Event]:
    """Every event of a stream, whose journal must be sound."""
    reader = Store(data_dir).reader(stream)
    assert verify(reader).damage is None
    return list(reader.read())


def actions(data_dir: Path, stream: Stream) -> list[str]:
    return [event.action for event in journalled(data_dir, stream)]
