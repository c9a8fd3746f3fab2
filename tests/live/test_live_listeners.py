"""Who hears what of a live run: each listener everything, once, in order, and nobody in anybody's way."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest

import tickfold
from tests.live.company import Company, actions, company, journalled, named, nothing
from tests.live.desk import moment
from tickfold import Active, Closed, Config, Context, Idle, Opened, Rejected, Scheduled, Signal
from tickfold.errors import SlotMissed
from tickfold.listeners import _listeners
from tickfold.notices import Fault
from tickfold.strategy import CALLBACKS, Strategy
from tickfold_eventstore import Store, Stream

pytestmark = pytest.mark.anyio

STREAM = Stream("desk", "busy", "BTCUSDT")
STORY = ["rejected", "opened", "closed", "scheduled", "cancelled"]


@pytest.fixture(autouse=True)
def _nobody_is_left_behind() -> Iterator[None]:
    before = list(_listeners)
    yield
    assert _listeners == before


def busy(ctx: Context) -> Signal | None:
    """Everything that can happen to a signal, in four minutes from 10:01 on; at 10:04:30 a stop ends its entry."""
    match (ctx.now - moment("10:00")) // 60_000:
        case 1:
            return Signal.long(take_profit=100.1, stop_loss=95, lifetime=60)
        case 2:
            return Signal.short(take_profit=90, stop_loss=105, lifetime=1)
        case 3:
            return Signal.long(take_profit=110, stop_loss=95, lifetime=60, entry=98)
        case _:
            return None


BUSY = named("busy", busy)


@contextmanager
def hearing(*unsubscribe: Callable[[], None]) -> Iterator[None]:
    try:
        yield
    finally:
        for forget in unsubscribe:
            forget()


async def play(there: Company, strategy: Strategy = BUSY) -> None:
    """The whole story, stopped gracefully at 10:04:30."""
    handle = there.live.background("BTCUSDT", strategy=strategy, exchange=there.desk)
    await there.until("10:04:30")
    handle.stop()
    await handle.wait()


async def test_every_listener_hears_its_own_once_in_order_and_after_it_is_durable(tmp_path: Path) -> None:
    heard: dict[str, list[Any]] = {name: [] for name in LIVE}
    durable: list[bool] = []

    async def slowly(event: Any) -> None:
        await anyio.lowlevel.checkpoint()
        durable.append(event in list(Store(tmp_path).reader(STREAM).read(event.seq)))
        heard["listen_signal"].append(event)

    listening = [
        getattr(tickfold, name)(slowly if name == "listen_signal" else heard[name].append)  # the one is async
        for name in LIVE
    ]
    with hearing(*listening):
        async with company(tmp_path) as there:
            await play(there)
            events = [event for event in journalled(tmp_path, STREAM) if event.action in STORY]
            assert [event.action for event in events] == STORY
            assert heard["listen_signal"] == events
            assert heard["listen_signal_live"] == events
            assert durable == [True] * len(STORY)
            assert heard["listen_signal_backtest"] == heard["listen_progress"] == heard["listen_done_backtest"] == []
            assert [fault.message.split(":")[0] for fault in heard["listen_error"]] == ["desk/busy/BTCUSDT"]
            assert [(done.stream, done.mode, done.error) for done in heard["listen_done_live"]] == [
                (STREAM, "live", None)
            ]
            assert [timing.at for timing in heard["listen_performance"]] == [
                moment(minute) for minute in ("10:00", "10:01", "10:02", "10:03", "10:04")
            ]


LIVE = [name for name in dir(tickfold) if name.startswith("listen_") and not name.endswith("_once")]


@pytest.mark.parametrize("name", LIVE)
async def test_a_once_listener_hears_the_first_that_passes_its_filter_and_no_more(name: str, tmp_path: Path) -> None:
    everything: list[Any] = []
    judged: list[Any] = []
    once: list[Any] = []
    other: list[Any] = []

    def second(value: Any) -> bool:
        judged.append(value)
        return len(judged) == 2

    with hearing(
        getattr(tickfold, name)(everything.append),
        getattr(tickfold, f"{name}_once")(second, once.append),
        getattr(tickfold, f"{name}_once")(lambda value: False, other.append),
    ):
        async with company(tmp_path) as there:
            await play(there)
        assert judged == everything[:2]
        assert once == everything[1:2]
        assert other == []


async def test_once_means_once_though_many_events_come_before_it_is_delivered(tmp_path: Path) -> None:
    heard: list[Any] = []

    async def listen(event: Any) -> None:
        heard.append(event.action)
        await anyio.lowlevel.checkpoint()

    with hearing(tickfold.listen_signal_once(lambda event: event.action != "rejected", listen)):
        async with company(tmp_path) as there:
            await play(there)
    assert heard == ["opened"]


async def test_who_unsubscribes_hears_no_more(tmp_path: Path) -> None:
    heard: list[str] = []

    def until_opened(event: Any) -> None:
        heard.append(event.action)
        if event.action == "opened":
            forget()

    forget = tickfold.listen_signal(until_opened)
    async with company(tmp_path) as there:
        await play(there)
    forget()
    assert heard == ["rejected", "opened"]


async def test_a_slow_listener_delays_neither_the_clock_nor_the_others_and_is_waited_for(tmp_path: Path) -> None:
    gate = anyio.Event()
    heard: list[str] = []

    async def slow(event: Any) -> None:
        await gate.wait()
        heard.append(event.action)

    with hearing(tickfold.listen_signal_live(slow)):
        async with company(tmp_path) as there:
            handle = there.live.background("BTCUSDT", strategy=BUSY, exchange=there.desk)
            await there.until("10:04:30")
            assert [event.action for event in there.events] == STORY[:4]
            handle.stop()
            await there.settle()
            assert (heard, handle.done, there.done) == ([], False, [])
            gate.set()
            await handle.wait()
            assert (heard, [done.error for done in there.done]) == (STORY, [None])


async def test_a_run_is_done_when_the_slowest_listener_has_heard_all_and_no_sooner(tmp_path: Path) -> None:
    gate, heard = anyio.Event(), list[str]()

    async def slow(event: Any) -> None:
        await gate.wait()
        heard.append(event.action)

    with hearing(tickfold.listen_signal_live(slow)):
        async with company(tmp_path, config=Config(drain_grace=0)) as there:
            handle = there.live.background("BTCUSDT", strategy=BUSY, exchange=there.desk)
            await there.until("10:04:30")
            handle.stop()
            await there.settle()
            assert (handle.done, there.done) == (False, [])
            gate.set()
            await handle.wait()
            assert (heard, len(there.done)) == (STORY, 1)


async def test_a_listener_that_never_returns_holds_a_live_that_closes_up_no_longer_than_configured(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def stuck(event: Any) -> None:
        await anyio.sleep_forever()

    with hearing(tickfold.listen_signal_live(stuck)):
        async with company(tmp_path, config=Config(drain_grace=10)) as there:
            handle = there.live.background("BTCUSDT", strategy=BUSY, exchange=there.desk)
            await there.until("10:04:30")
            handle.stop()
            await there.settle()
    assert actions(tmp_path, STREAM) == ["started", *STORY, "stopped"]
    assert "before its listeners had heard everything" in caplog.text


async def test_a_listener_that_raises_is_told_and_goes_on_hearing(tmp_path: Path) -> None:
    heard: list[str] = []

    def raising(event: Any) -> None:
        heard.append(event.action)
        raise RuntimeError(event.action)

    with hearing(tickfold.listen_signal_live(raising)):
        async with company(tmp_path) as there:
            await play(there)
            told = [repr(fault.error) for fault in there.faults if fault.error is not None]
    assert heard == STORY
    assert told == [f"RuntimeError({action!r})" for action in STORY]


async def test_a_filter_that_raises_is_told_and_costs_no_event(tmp_path: Path) -> None:
    def raising(event: Any) -> bool:
        raise LookupError(event.action)

    with hearing(tickfold.listen_signal_live_once(raising, print)):
        async with company(tmp_path) as there:
            await play(there)
            told = [repr(fault.error) for fault in there.faults if fault.error is not None]
            assert [event.action for event in there.events] == STORY
    assert told == [f"LookupError({action!r})" for action in STORY]
    assert actions(tmp_path, STREAM) == ["started", *STORY, "stopped"]


async def test_an_error_listener_that_raises_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def raising(fault: Fault) -> None:
        raise RuntimeError("deaf")

    with hearing(tickfold.listen_error(raising)):
        async with company(tmp_path) as there:
            await play(there)
            assert len(there.faults) == 1
    [record] = [record for record in caplog.records if record.name == "tickfold.listeners"]
    assert (record.levelno, repr(record.exc_info and record.exc_info[1])) == (logging.ERROR, "RuntimeError('deaf')")


async def test_what_a_done_listener_raises_is_heard_before_the_run_is_done(tmp_path: Path) -> None:
    heard: list[str] = []

    async def raising(done: Any) -> None:
        await anyio.lowlevel.checkpoint()
        raise RuntimeError("done")

    async def slowly(fault: Fault) -> None:
        for _ in range(20):
            await anyio.lowlevel.checkpoint()
        heard.append(repr(fault.error))

    with hearing(tickfold.listen_done_live(raising), tickfold.listen_error(slowly)):
        async with company(tmp_path) as there:
            await play(there)
            assert heard == ["None", "RuntimeError('done')"]


async def test_each_callback_hears_what_it_is_named_after_and_of_its_own_strategy_only(tmp_path: Path) -> None:
    heard: dict[str, list[Any]] = {on: [] for on in CALLBACKS}
    strategy = Strategy("busy", busy, "1m", {}, {on: values.append for on, values in heard.items()})
    async with company(tmp_path) as there:
        there.live.background("BTCUSDT", strategy=named("other", busy), exchange=there.desk)
        await play(there, strategy)
    ticks = heard.pop("on_tick")
    assert {on: [(type(value), value.at) for value in values] for on, values in heard.items()} == {
        "on_reject": [(Rejected, moment("10:01"))],
        "on_open": [(Opened, moment("10:02"))],
        "on_close": [(Closed, moment("10:03"))],
        "on_schedule": [(Scheduled, moment("10:03"))],
        "on_cancel": [(tickfold.Cancelled, moment("10:04"))],
        "on_idle": [(Idle, moment("10:00"))],
        "on_active": [],
    }
    assert [value.action for value in ticks] == ["idle", *STORY[:4], "waiting", "cancelled"]
    assert {value.strategy for value in ticks} == {"busy"}


async def test_an_active_result_says_what_closing_now_would_give(tmp_path: Path) -> None:
    heard: list[Active] = []

    def holds(ctx: Context) -> Signal | None:
        return Signal.long(take_profit=110, stop_loss=95, lifetime=60)

    async with company(tmp_path) as there:
        there.desk.rows[moment("10:00")] = (100, 102, 99, 101, 5)
        there.live.background("BTCUSDT", strategy=named("holds", holds, on_active=heard.append), exchange=there.desk)
        await there.until("10:01:30")
    [active] = heard
    assert (active.seq, active.at, active.price) == (2, moment("10:01"), 101)
    assert active.percentage == pytest.approx((101 * 0.999 - 100 * 1.001) / (100 * 1.001) * 100 - 0.2, abs=0.002)


async def test_a_run_yields_opened_and_closed_and_what_it_includes(tmp_path: Path) -> None:
    everything = ["started", "idle", *STORY[:4], "waiting", "stopped"]
    assert await yielded(tmp_path / "few", ()) == ["opened", "closed"]
    assert await yielded(tmp_path / "more", {"scheduled", "idle"}) == ["idle", "opened", "closed", "scheduled"]
    assert await yielded(tmp_path / "all", {*everything, "active", "cancelled"}) == everything


async def yielded(data_dir: Path, include: Any) -> list[str]:
    """What a run gives until its strategy raises, at 10:05, with an entry waiting that ended then."""
    told: list[str] = []

    def raises_at_last(ctx: Context) -> Signal | None:
        return busy(ctx)

    async with company(data_dir) as there, anyio.create_task_group() as tasks:
        run = there.live.run("BTCUSDT", strategy=named("busy", raises_at_last), exchange=there.desk, include=include)
        there.desk.outages.append((moment("10:05"), moment("10:06"), ValueError("over")))
        tasks.start_soon(there.until, "10:05:30")
        with pytest.raises(ValueError, match="over"):
            while True:
                told.append((await anext(run)).action)
    return told


async def test_nothing_is_held_open_while_the_reader_is_at_something_else(tmp_path: Path) -> None:
    async with company(tmp_path) as there, anyio.create_task_group() as tasks:
        run = there.live.run("BTCUSDT", strategy=BUSY, exchange=there.desk)
        tasks.start_soon(there.until, "10:02:30")
        opened = await anext(run)
        with anyio.CancelScope() as scope:  # a scope of the reader's own, opened and closed between two steps
            scope.cancel()
            await anyio.lowlevel.checkpoint()
        await there.until("10:03:30")
        closed = await anext(run)
        await run.aclose()
        assert [opened.action, closed.action] == ["opened", "closed"]
        with pytest.raises(StopAsyncIteration):
            await anext(run)
    assert actions(tmp_path, STREAM)[-1] == "stopped"


async def test_a_missed_slot_is_told_with_its_error(tmp_path: Path) -> None:
    async with company(tmp_path) as there:
        there.live.background("BTCUSDT", strategy=named("busy", nothing), exchange=there.desk)
        await there.settle()
        there.clock.move_to(moment("10:02:10"))
        await there.settle()
        assert [(type(fault.error), fault.stream, fault.at, fault.final) for fault in there.faults] == [
            (SlotMissed, STREAM, moment("10:01"), False)
        ]
