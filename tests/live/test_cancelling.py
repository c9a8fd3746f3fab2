"""A run that is ended at any await ends its journal as a clean stop does, and the next start goes on from there.

Every suspension of a watch is counted, and for each there is a life that is ended there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import anyio
import attrs
import pytest

from tests.live.desk import Desk, moment
from tests.live.stage import noted, time_passes
from tests.proof.disk import Disk
from tests.support.replays import decisions
from tickfold import Closed, Config, Context, Event, Live, Opened, Signal, listen_done_live, listen_signal_live
from tickfold.clock import ManualClock
from tickfold.handle import Handle, Run
from tickfold.strategy import Strategy
from tickfold.watch import Watch
from tickfold_eventstore import Store, Stream
from tickfold_eventstore.verify import verify

DATA = Path("/data")
STREAM = Stream("desk", "thinks", "BTCUSDT")
CONFIG = Config(retry_pause=0, late_candle_pause=5_000, drain_grace=60_000)
BEGIN, END = moment("10:00:30"), moment("10:08:30")


@attrs.define
class Counted:
    """Awaits something and calls `suspended` whenever it is about to wait."""

    awaited: Awaitable[None]
    suspended: Callable[[], None]

    def __await__(self) -> Generator[Any, Any, None]:
        steps = self.awaited.__await__()
        step: Callable[[], Any] = steps.__next__
        while True:
            try:
                waits_for = step()
            except StopIteration:
                return
            self.suspended()
            try:
                sent = yield waits_for
                step = steps.__next__ if sent is None else _sending(steps, sent)
            except BaseException as error:  # noqa: BLE001  # it belongs to what is awaited, cancellation and all
                step = _throwing(steps, error)


def _sending(steps: Generator[Any, Any, None], sent: Any) -> Callable[[], Any]:
    return lambda: steps.send(sent)


def _throwing(steps: Generator[Any, Any, None], error: BaseException) -> Callable[[], Any]:
    return lambda: steps.throw(error)


@attrs.define
class Disturbance:
    """Does something at suspension number `at` of the watches of a life; 0: never."""

    at: int = 0
    does: Callable[[], object] = lambda: None
    count: int = 0

    def suspended(self) -> None:
        self.count += 1
        if self.count == self.at:
            self.does()


@contextmanager
def counted(disturbance: Disturbance) -> Iterator[None]:
    watch = Watch.run

    async def run(self: Watch) -> None:
        await Counted(watch(self), disturbance.suspended)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Watch, "run", run)
        yield


async def thinks(ctx: Context) -> Signal | None:
    """A market order that reaches its target, then an entry that is filled and lives on."""
    await anyio.lowlevel.checkpoint()
    match (ctx.now - moment("10:00")) // 60_000:
        case 1:
            return Signal.long(take_profit=100.1, stop_loss=95, lifetime=60)
        case 2:
            return Signal.long(take_profit=110, stop_loss=95, lifetime=60)
        case 4:
            return Signal.short(take_profit=90, stop_loss=125, lifetime=60, entry=112)
        case _:
            return None


@attrs.define
class World:
    """A clock, a market and a disk that outlive every process."""

    clock: ManualClock = attrs.field(factory=lambda: ManualClock(BEGIN))
    disk: Disk = attrs.field(factory=Disk)
    desk: Desk = attrs.field(init=False)
    heard: list[Event] = attrs.field(factory=list)
    done: list[object] = attrs.field(factory=list)

    def __attrs_post_init__(self) -> None:
        self.desk = Desk(self.clock)
        self.desk.rows[moment("10:03")] = (100, 111, 99, 108, 5)
        self.desk.rows[moment("10:05")] = (108, 113, 107, 110, 5)
        self.desk.given_at[moment("10:02")] = moment("10:03:12")

    def live(self) -> Live:
        live = Live(DATA, config=CONFIG, clock=self.clock)
        live.store = Store(DATA, files=self.disk)
        return live

    def begin(self, live: Live) -> Handle:
        return live.background("BTCUSDT", strategy=Strategy("thinks", thinks), exchange=self.desk)

    def run(self, live: Live) -> Run[Opened | Closed]:
        return live.run("BTCUSDT", strategy=Strategy("thinks", thinks), exchange=self.desk)

    @contextmanager
    def listening(self) -> Iterator[None]:
        async def hear(event: Event) -> None:
            await anyio.lowlevel.checkpoint()
            self.heard.append(event)

        with ExitStack() as stack:
            stack.callback(listen_signal_live(hear))
            stack.callback(listen_done_live(noted(self.done.append)))
            yield

    def journal(self) -> list[Event]:
        store = Store(DATA, files=self.disk)
        if STREAM not in store.streams():
            return []
        reader = store.reader(STREAM)
        verdict = verify(reader)
        assert (verdict.damage, verdict.torn, verdict.holder) == (None, 0, None)
        return list(reader.read())


async def cancelled(world: World, disturbance: Disturbance) -> None:
    """The task in which `Live` is open is cancelled."""
    with anyio.CancelScope() as scope:
        disturbance.does = scope.cancel
        async with world.live() as live:
            world.begin(live)
            await time_passes(world.clock, END, world.heard)


async def stopped_now(world: World, disturbance: Disturbance) -> None:
    """The handle is told to stop now."""
    async with world.live() as live:
        handle = world.begin(live)
        disturbance.does = lambda: handle.stop(now=True)
        async with anyio.create_task_group() as tasks:

            async def passing() -> None:
                await time_passes(world.clock, END, world.heard)
                handle.stop(now=True)

            tasks.start_soon(passing)
            await handle.wait()
            tasks.cancel_scope.cancel()


async def live_closed(world: World, disturbance: Disturbance) -> None:
    """The body of `async with Live()` ends."""
    async with world.live() as live, anyio.create_task_group() as tasks:
        world.begin(live)
        disturbance.does = tasks.cancel_scope.cancel
        tasks.start_soon(time_passes, world.clock, END, world.heard)


async def iterator_closed(world: World, disturbance: Disturbance) -> None:
    """The iterator is closed from another task, and then by its reader."""
    async with world.live() as live, anyio.create_task_group() as tasks:
        run = world.run(live)

        async def passing() -> None:
            await time_passes(world.clock, END, world.heard)
            await run.aclose()

        disturbance.does = run.close
        tasks.start_soon(passing)
        async for _ in run:
            pass
        await run.aclose()
        tasks.cancel_scope.cancel()


async def loop_left(world: World, disturbance: Disturbance) -> None:
    """The reader is cancelled inside its `async for` and drops the iterator."""
    async with world.live() as live, anyio.create_task_group() as tasks:
        disturbance.does = tasks.cancel_scope.cancel
        tasks.start_soon(time_passes, world.clock, END, world.heard)
        async for event in world.run(live):
            if event.at >= moment("10:06"):
                break


WAYS = [cancelled, stopped_now, live_closed, iterator_closed, loop_left]
Way = Callable[[World, Disturbance], Awaitable[None]]


async def undisturbed() -> list[Event]:
    world = World()
    with world.listening():
        await live_closed(world, Disturbance())
    return world.journal()


@pytest.mark.anyio
@pytest.mark.parametrize("way", WAYS, ids=[way.__name__ for way in WAYS])
async def test_at_whatever_await_a_run_is_ended_its_journal_is_whole_and_the_next_start_goes_on(way: Way) -> None:
    expected = decisions(await undisturbed())
    assert [event["action"] for event in expected] == ["rejected", "opened", "closed", "scheduled", "opened"]
    at = 0
    while True:
        at += 1
        world, disturbance = World(), Disturbance(at)
        with world.listening():
            with counted(disturbance):
                await way(world, disturbance)
            if disturbance.count < at:
                break
            check_ended(world, at)
            await live_closed(world, Disturbance())  # goes on at the moment at which the first was ended
        check_ended(world, at, lives=2)
        assert decisions(world.journal()) == expected, f"ended at await {at}"
    assert at > 20


@pytest.mark.anyio
async def test_at_whatever_await_a_run_is_stopped_it_drops_what_waits_and_watches_what_is_open() -> None:
    seen: set[tuple[str, ...]] = set()
    at = 0
    while True:
        at += 1
        world, disturbance = World(), Disturbance(at)
        with world.listening(), counted(disturbance):
            async with world.live() as live:
                handle = world.begin(live)
                disturbance.does = handle.stop
                await time_passes(world.clock, END, world.heard)
                if disturbance.count < at:
                    break
                alive = world.heard[-1].action if world.heard else ""
                assert handle.done == (alive != "opened"), f"stopped at await {at}"
        check_ended(world, at)
        seen.add(tuple(event.action for event in world.heard))
    assert seen == {
        (),
        ("rejected",),
        ("rejected", "opened", "closed"),
        ("rejected", "opened", "closed", "scheduled", "cancelled"),
        ("rejected", "opened", "closed", "scheduled", "opened"),
    }


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_task_that_asyncio_itself_cancels_at_whatever_await_ends_as_well() -> None:
    expected = decisions(await undisturbed())
    at = 0
    while True:
        at += 1
        world, disturbance = World(), Disturbance(at)
        with world.listening():
            with counted(disturbance):
                life = asyncio.create_task(live_closed(world, Disturbance()))
                disturbance.does = life.cancel
                [ended] = await asyncio.gather(life, return_exceptions=True)
            if disturbance.count < at:
                break
            assert isinstance(ended, asyncio.CancelledError)
            check_ended(world, at)
            await live_closed(world, Disturbance())
        check_ended(world, at, lives=2)
        assert decisions(world.journal()) == expected, f"cancelled at await {at}"
    assert at > 20


def check_ended(world: World, at: int, lives: int = 1) -> None:
    """The journal is as after a clean stop, every listener has heard all of it, and once, and that it is done."""
    journal = world.journal()
    assert not journal or journal[-1].action == "stopped", f"ended at await {at}"
    told = [event for event in journal if event.action not in {"started", "stopped"}]
    assert (world.heard, len(world.done)) == (told, lives), f"ended at await {at}"
