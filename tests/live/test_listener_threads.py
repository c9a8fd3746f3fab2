"""Plain listeners have threads of their own: what they do there holds up nobody, and what they call is safe."""

from __future__ import annotations

import contextvars
import logging
import subprocess
import sys
import threading
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing, contextmanager, suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, cast

import anyio
import pytest

from tests.support.facts import in_memory
from tests.support.markets import MINUTE, START_AT
from tickfold import (
    Backtest,
    Candles,
    Config,
    Context,
    Event,
    Live,
    Opened,
    Signal,
    listen_done_live,
    listen_error,
    listen_signal,
    listen_signal_live,
    listen_signal_once,
)
from tickfold.handle import Handle
from tickfold.notices import Done
from tickfold.strategy import Strategy
from tickfold_eventstore import Journal, Store, Stream
from tickfold_eventstore.errors import JournalClosed

pytestmark = pytest.mark.anyio

who = contextvars.ContextVar("who", default="nobody")


def flat(minutes: int) -> Candles:
    return in_memory([(START_AT + minute * MINUTE, 100.0, 101.0, 99.0, 100.0, 1.0) for minute in range(minutes)])


def trades(ctx: Context) -> Signal:
    return Signal.long(take_profit=100.9, stop_loss=95, lifetime=timedelta(minutes=5))


@contextmanager
def hearing(*unsubscribe: Callable[[], None]) -> Iterator[None]:
    try:
        yield
    finally:
        for forget in unsubscribe:
            forget()


async def come_to(journal: Journal, seq: int) -> None:
    """Return when the journal holds event `seq`, or is closed."""
    with suppress(JournalClosed):
        async with aclosing(cast("AsyncGenerator[Event]", journal.follow(1))) as events:
            async for event in events:
                if event.seq >= seq:
                    return


def seqs(data_dir: Path, name: str) -> list[int]:
    """The seqs of what a signal listener hears of a stream."""
    events = Store(data_dir).reader(Stream("memory", name, "A")).read()
    return [event.seq for event in events if event.action not in {"started", "stopped"}]


async def test_one_that_blocks_holds_up_no_stream_and_no_other_listener(tmp_path: Path) -> None:
    go_on, blocked = threading.Event(), []
    quick: list[int] = []

    def blocks(event: Any) -> None:
        go_on.wait()
        blocked.append(event.seq)

    with hearing(listen_signal_live(blocks), listen_signal_live(lambda event: quick.append(event.seq))):
        async with Live(tmp_path, clock="replay") as live:
            handle = live.background("A", strategy=Strategy("a", trades), exchange=flat(200))
            with anyio.fail_after(60):
                await come_to(handle.journals[0], 150)
                while len(quick) < 100:
                    await anyio.lowlevel.checkpoint()
            assert blocked == []
            assert not handle.done
            go_on.set()
            await handle.wait()
    assert blocked == quick == seqs(tmp_path, "a")


async def test_plain_and_async_ones_hear_each_run_in_order_in_its_own_context_off_the_loop(tmp_path: Path) -> None:
    plain: list[tuple[str, str, int]] = []
    awaited: list[tuple[str, str, int]] = []
    threads = set()

    def hear(event: Any) -> None:
        plain.append((event.strategy, who.get(), event.seq))
        threads.add(threading.get_ident())

    async def hear_awaiting(event: Any) -> None:
        awaited.append((event.strategy, who.get(), event.seq))

    with hearing(listen_signal(hear), listen_signal(hear_awaiting)):
        async with Live(tmp_path, clock="replay") as live:
            for name in ("a", "b"):
                who.set(name)
                live.background("A", strategy=Strategy(name, trades), exchange=flat(120))
            who.set("later")
            for handle in list(live._handles):
                await handle.wait()
    for heard in (plain, awaited):
        assert {strategy == context for strategy, context, _ in heard} == {True}
        for name in ("a", "b"):
            assert [seq for strategy, _, seq in heard if strategy == name] == seqs(tmp_path, name)
    assert threading.get_ident() not in threads


async def test_a_run_may_be_stopped_from_a_listeners_thread(tmp_path: Path) -> None:
    handles: list[Handle] = []
    started = threading.Event()

    def stops(event: Any) -> None:
        started.wait()
        handles[0].stop(now=True)

    with hearing(listen_signal_live(stops)):
        async with Live(tmp_path, clock="replay") as live:
            handles.append(live.background("A", strategy=Strategy("a", trades), exchange=flat(3000)))
            started.set()
            with anyio.fail_after(60):
                await handles[0].wait()
            assert handles[0].errors == {}
            assert live._handles == set()


async def test_who_subscribes_and_unsubscribes_in_a_listeners_thread_is_taken_at_its_word(tmp_path: Path) -> None:
    first: list[int] = []
    later: list[int] = []
    unsubscribe: list[Callable[[], None]] = []

    def hears_three(event: Any) -> None:
        first.append(event.seq)
        if len(first) == 3:
            unsubscribe[0]()
            unsubscribe.append(listen_signal_live(lambda event: later.append(event.seq)))

    unsubscribe.append(listen_signal_live(hears_three))
    try:
        async with Live(tmp_path, clock="replay") as live:
            await live.background("A", strategy=Strategy("a", trades), exchange=flat(400)).wait()
    finally:
        for forget in unsubscribe:
            forget()
    heard = seqs(tmp_path, "a")
    assert first == heard[:3]
    assert later == [seq for seq in heard if seq in set(later)]


async def test_a_once_listener_hears_one_event_whatever_its_filter_takes(tmp_path: Path) -> None:
    heard: list[int] = []
    with hearing(listen_signal_once(lambda event: isinstance(event, Opened), lambda event: heard.append(event.seq))):
        async with Live(tmp_path, clock="replay") as live:
            await live.background("A", strategy=Strategy("a", trades), exchange=flat(100)).wait()
    assert heard == seqs(tmp_path, "a")[:1]


async def test_what_one_raises_in_its_thread_goes_to_the_error_listeners(tmp_path: Path) -> None:
    faults: list[str] = []

    def raises(event: Any) -> None:
        raise ValueError(f"no {event.seq}")

    with hearing(listen_signal_live(raises), listen_error(lambda fault: faults.append(fault.message))):
        async with Live(tmp_path, clock="replay") as live:
            await live.background("A", strategy=Strategy("a", trades), exchange=flat(20)).wait()
    assert [fault.rpartition("ValueError: ")[2] for fault in faults] == [f"no {seq}" for seq in seqs(tmp_path, "a")]


async def test_a_stop_now_waits_for_one_that_blocks_no_longer_than_configured_and_says_for_whom(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    go_on = threading.Event()
    done: list[Done] = []

    def blocks(event: Any) -> None:
        go_on.wait()

    try:
        with (
            caplog.at_level(logging.ERROR),
            hearing(listen_signal_live(blocks), listen_done_live(done.append)),
        ):
            async with Live(tmp_path, config=Config(drain_grace=50), clock="replay") as live:
                handle = live.background("A", strategy=Strategy("a", trades), exchange=flat(3000))
                await come_to(handle.journals[0], 5)
                handle.stop(now=True)
                with anyio.fail_after(60):
                    await handle.wait()
        assert len(done) == 1
        assert any("ended before its listeners had heard everything" in each.message for each in caplog.records)
        assert any("blocks" in each.message for each in caplog.records)
    finally:
        go_on.set()


async def test_two_strategies_of_one_name_keep_their_own_callbacks(tmp_path: Path) -> None:
    heard: list[str] = []

    def hear(symbol: str, event: Any) -> None:
        heard.append(f"{symbol} hears {event.symbol}")

    with anyio.fail_after(60):
        async with Live(tmp_path, clock="replay") as live:
            for symbol in ("A", "B"):
                one = Strategy("one", trades, callbacks={"on_open": partial(hear, symbol)})
                await live.background(symbol, strategy=one, exchange=flat(8)).wait()
    assert sorted(set(heard)) == ["A hears A", "B hears B"]


def test_in_a_backtest_from_plain_code_plain_listeners_are_called_where_it_was_called() -> None:
    threads = set()
    with hearing(listen_signal(lambda event: threads.add(threading.get_ident()))):
        Backtest().execute("A", strategy=Strategy("a", trades), exchange=flat(60))
    assert threads == {threading.get_ident()}


STUCK = """
import sys, threading, anyio, numpy
from contextlib import aclosing
from tickfold import Candles, Config, Live, Signal, listen_signal
from tickfold.strategy import Strategy

def stuck(event):
    threading.Event().wait()

async def run():
    time = 1_704_067_200_000 + numpy.arange(3000) * 60_000
    price = numpy.full(3000, 100.0)
    candles = Candles(time=time, open=price, high=price + 1, low=price - 1, close=price, volume=price)
    rule = Strategy("a", lambda ctx: Signal.long(take_profit=100.9, stop_loss=95, lifetime=5))
    async with Live("data", clock="replay", config=Config(drain_grace=50)) as live:
        handle = live.background("A", strategy=rule, exchange=candles)
        async with aclosing(handle.journals[0].follow(1)) as events:
            async for event in events:
                if event.seq > 4:
                    break
        handle.stop(now=True)
        await handle.wait()
    print("ended", handle.errors)

listen_signal(stuck)
anyio.run(run, backend=sys.argv[1])
"""


@pytest.mark.parametrize("loop", ["asyncio", "trio"])
def test_a_process_ends_though_a_listener_never_returns(loop: str, tmp_path: Path) -> None:
    ran = subprocess.run([sys.executable, "-c", STUCK, loop], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert (ran.returncode, ran.stdout) == (0, "ended {}\n"), ran.stderr
