"""Many streams in one process: what befalls one of them befalls no other."""

from __future__ import annotations

import logging
from functools import partial
from pathlib import Path

import anyio
import pytest

from tests.live.company import actions, company, journalled, long_at_two, named, nothing
from tests.live.desk import moment
from tickfold import Config, Context, Idle, Signal
from tickfold.errors import ExchangeUnreachable, SlotMissed, StrategyFailed
from tickfold_eventstore import AppendRefused, CorruptJournal, JournalPoisoned, Store, Stream, StreamHeld, Ticks
from tickfold_projections.active_signal import recover

pytestmark = pytest.mark.anyio

LONG = named("long", long_at_two)
RAISING = named("raising", lambda ctx: 1 / 0)
STREAM = Stream("desk", "long", "BTCUSDT")


async def test_a_strategy_that_raises_stops_no_other(tmp_path: Path) -> None:
    async with company(tmp_path) as there:
        handle = there.live.background(["BTCUSDT", "ETHUSDT"], strategy=[RAISING, LONG], exchange=there.desk)
        await there.until("10:03:30")
    assert [(event.symbol, event.action) for event in sorted(there.events, key=lambda event: event.symbol)] == [
        ("BTCUSDT", "opened"),
        ("ETHUSDT", "opened"),
    ]
    assert {fault.stream for fault in there.faults} == {
        Stream("desk", "raising", name) for name in ("BTCUSDT", "ETHUSDT")
    }
    assert handle.errors == {}
    assert actions(tmp_path, Stream("desk", "raising", "BTCUSDT")) == ["started", "stopped"]


async def test_an_async_strategy_that_never_answers_delays_no_other(tmp_path: Path) -> None:
    async def never(ctx: Context) -> Signal | None:
        await anyio.sleep_forever()
        return None

    async with company(tmp_path) as there:
        there.live.background("BTCUSDT", strategy=[named("never", never), LONG], exchange=there.desk)
        await there.until("10:02:02")
        assert [(event.action, event.recorded_at) for event in there.events] == [("opened", moment("10:02:02"))]


async def test_an_exchange_that_never_answers_for_one_symbol_delays_no_other(tmp_path: Path) -> None:
    async def candles(symbol: str, start: int, end: int) -> object:
        if symbol == "STUCK":
            await anyio.sleep_forever()
        return await there.desk.candles(symbol, start, end)

    async with company(tmp_path) as there:
        handle = there.live.background(["STUCK", "BTCUSDT"], strategy=LONG, exchange=candles)  # type: ignore[arg-type]  # object: it answers with candles
        await there.until("10:02:02")
        assert [(event.symbol, event.action) for event in there.events] == [("BTCUSDT", "opened")]
        handle.stop(now=True)
        await handle.wait()
    assert handle.done


async def test_a_stream_that_is_held_is_refused_and_nothing_is_started(tmp_path: Path) -> None:
    journal, _ = Store(tmp_path).open(Stream("desk", "long", "ETHUSDT"), recover)
    async with company(tmp_path) as there:
        with pytest.raises(StreamHeld, match="desk/long/ETHUSDT"):
            there.live.background(["BTCUSDT", "ETHUSDT"], strategy=LONG, exchange=there.desk)
        await there.until("10:03:30")
        assert there.seen() == []
        journal.close()
        handle = there.live.background(["BTCUSDT", "ETHUSDT"], strategy=LONG, exchange=there.desk)
        await there.settle()
        assert [journal.head.seq for journal in handle.journals] == [1, 1]


async def test_a_damaged_journal_is_named_and_the_others_run(tmp_path: Path) -> None:
    async with company(tmp_path) as there:
        there.live.background(["BTCUSDT", "ETHUSDT"], strategy=LONG, exchange=there.desk)
        await there.until("10:02:30")
    [segment] = (tmp_path / "journal/desk/long/ETHUSDT").glob("*.jsonl")
    segment.write_bytes(segment.read_bytes().replace(b"opened", b"opEned"))
    damaged = Stream("desk", "long", "ETHUSDT")
    async with company(tmp_path, at="10:04:30") as there:
        handle = there.live.background(["BTCUSDT", "ETHUSDT"], strategy=LONG, exchange=there.desk)
        await there.until("10:05:30")
        assert [(type(error), stream) for stream, error in handle.errors.items()] == [(CorruptJournal, damaged)]
        assert [(fault.stream, fault.final) for fault in there.faults] == [(damaged, True)]
        assert [journal.stream for journal in handle.journals] == [STREAM]
        with pytest.raises(CorruptJournal):
            await anext(there.live.run("ETHUSDT", strategy=LONG, exchange=there.desk))
    assert actions(tmp_path, STREAM)[-2:] == ["started", "stopped"]


class FailingFiles:
    """The disk of this machine, on which syncing fails from some moment on for one symbol."""

    def __init__(self, symbol: str) -> None:
        self._files = Store("unused").files
        self._symbol = symbol
        self._failing: set[int] = set()
        self.fails = self.full = False

    def __getattr__(self, name: str) -> object:
        return getattr(self._files, name)

    def open(self, path: str, **options: bool) -> int:
        descriptor = self._files.open(path, **options)
        (self._failing.add if self._symbol in path else self._failing.discard)(descriptor)
        return descriptor

    def pwrite(self, descriptor: int, data: bytes, offset: int) -> int:
        if self.full and descriptor in self._failing and data.strip():
            raise OSError(28, "No space left on device")
        return self._files.pwrite(descriptor, data, offset)

    def sync(self, descriptor: int) -> None:
        if self.fails and descriptor in self._failing:
            raise OSError(5, "Input/output error")
        self._files.sync(descriptor)


async def test_a_poisoned_journal_ends_its_stream_and_no_other(tmp_path: Path) -> None:
    disk = FailingFiles("ETHUSDT")
    async with company(tmp_path) as there:
        there.live.store = Store(tmp_path, files=disk)  # type: ignore[arg-type]  # it answers what the disk answers
        handle = there.live.background(["BTCUSDT", "ETHUSDT"], strategy=LONG, exchange=there.desk)
        await there.until("10:01:30")
        disk.fails = True
        await there.until("10:03:30")
        poisoned = Stream("desk", "long", "ETHUSDT")
        assert [(type(error), stream) for stream, error in handle.errors.items()] == [(JournalPoisoned, poisoned)]
        assert [(fault.stream, fault.final) for fault in there.faults] == [(poisoned, True)]
        assert [event.stream for event in there.events] == [STREAM]
        assert [done.stream for done in there.done] == [poisoned]
        assert not handle.done
    assert actions(tmp_path, STREAM) == ["started", "opened", "stopped"]


async def test_what_a_full_disk_refused_is_booked_when_there_is_room_and_its_minute_is_counted_once(
    tmp_path: Path,
) -> None:
    disk = FailingFiles("BTCUSDT")
    async with company(tmp_path) as there:
        there.desk.rows[moment("10:02")] = (100, 111, 99, 104, 5)
        there.live.store = Store(tmp_path, files=disk)  # type: ignore[arg-type]  # it answers what the disk answers
        there.live.background("BTCUSDT", strategy=LONG, exchange=there.desk)
        await there.until("10:02:30")
        disk.full = True
        await there.until("10:03:30")
        disk.full = False
        await there.until("10:04:30")
        # The slot at which it closed could not be asked in its minute.
        assert [type(fault.error) for fault in there.faults] == [AppendRefused, SlotMissed]
    closed = journalled(tmp_path, STREAM)[2]
    assert (closed.action, closed.at, closed.recorded_at) == ("closed", moment("10:03"), moment("10:04:02"))
    assert closed.ticks == Ticks(active=1)


async def test_where_one_stream_of_a_run_fails_the_run_raises_and_every_journal_is_ended(tmp_path: Path) -> None:
    def only_btc_thinks(ctx: Context) -> Signal | None:
        if ctx.symbol == "ETHUSDT" and ctx.now == moment("10:02"):
            raise RuntimeError("no idea")
        return None

    strategy = named("thinks", only_btc_thinks)
    async with company(tmp_path) as there, anyio.create_task_group() as tasks:
        tasks.start_soon(partial(there.until, "10:03:30"))
        with pytest.raises(
            StrategyFailed, match=r"ETHUSDT failed at 2024-01-01T10:02.*RuntimeError: no idea"
        ) as raised:
            await anext(there.live.run(["BTCUSDT", "ETHUSDT"], strategy=strategy, exchange=there.desk))
        assert repr(raised.value.__cause__) == "RuntimeError('no idea')"
    ended = {symbol: journalled(tmp_path, Stream("desk", "thinks", symbol))[-1] for symbol in ("BTCUSDT", "ETHUSDT")}
    assert {symbol: getattr(event, "reason", "") for symbol, event in ended.items()} == {
        "BTCUSDT": "stopped now",
        "ETHUSDT": "StrategyFailed: strategy of desk/thinks/ETHUSDT failed at 2024-01-01T10:02:00.000Z: "
        "RuntimeError: no idea",
    }


@pytest.mark.parametrize("answer", [5, "long", object])
async def test_a_wrong_answer_is_raised_to_the_caller_and_the_slot_asked_again_later(
    answer: object, tmp_path: Path
) -> None:
    async with company(tmp_path) as there, anyio.create_task_group() as tasks:
        run = there.live.run("BTCUSDT", strategy=named("odd", lambda ctx: answer), exchange=there.desk)
        tasks.start_soon(partial(there.until, "10:01:30"))
        with pytest.raises(StrategyFailed, match=r"a strategy returns Signal\.long\(\.\.\.\), Signal\.short"):
            await anext(run)
        with pytest.raises(StrategyFailed, match="a strategy returns Signal"):
            await anext(run)
    assert actions(tmp_path, Stream("desk", "odd", "BTCUSDT")) == ["started", "stopped"]


async def test_an_exchange_that_fails_is_raised_to_the_caller_of_run(tmp_path: Path) -> None:
    async with company(tmp_path) as there, anyio.create_task_group() as tasks:
        there.desk.outages.append((moment("10:01:30"), moment("10:30"), ConnectionError("refused")))
        run = there.live.run("BTCUSDT", strategy=LONG, exchange=there.desk)
        tasks.start_soon(partial(there.until, "10:03:30"))
        with pytest.raises(
            ExchangeUnreachable, match="desk gave no candles of BTCUSDT in 3 attempts: refused"
        ) as raised:
            await anext(run)
        assert isinstance(raised.value.__cause__, ConnectionError)
    assert actions(tmp_path, STREAM) == ["started", "stopped"]


async def test_a_proposal_that_arrives_after_a_stop_is_dropped(tmp_path: Path) -> None:
    def stops(ctx: Context) -> Signal | None:
        handle.stop()
        return Signal.long(take_profit=110, stop_loss=95, lifetime=60)

    async with company(tmp_path) as there:
        handle = there.live.background("BTCUSDT", strategy=named("stops", stops), exchange=there.desk)
        await there.settle()
        assert (handle.done, there.events) == (True, [])
    assert actions(tmp_path, Stream("desk", "stops", "BTCUSDT")) == ["started", "stopped"]


async def test_two_runs_of_one_stream_exclude_each_other_in_one_process_too(tmp_path: Path) -> None:
    async with company(tmp_path) as there:
        there.live.background("BTCUSDT", strategy=LONG, exchange=there.desk)
        with pytest.raises(StreamHeld):
            await anext(there.live.run("BTCUSDT", strategy=LONG, exchange=there.desk))


class Told(logging.Handler):
    """What is logged, as it is said, from whatever thread."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())


async def test_a_plain_strategy_that_holds_the_engine_up_is_reported_with_its_line_each_time_that_live_is_open(
    tmp_path: Path,
) -> None:
    told = Told()
    said = told.said

    def holding(ctx: Context) -> Signal | None:
        before = len(said)
        while len(said) == before:  # until the watchdog has said so, from its thread
            pass
        return None

    log = logging.getLogger("tickfold.strategy")
    log.addHandler(told)
    try:
        strategy = named("holding", holding, interval="1h")
        async with company(tmp_path, config=Config(slow_strategy=20)) as there:
            there.live.background("BTCUSDT", strategy=strategy, exchange=there.desk)
            await there.settle()
        async with there.live:
            there.live.background("BTCUSDT", strategy=strategy, exchange=there.desk)
            await there.settle()
    finally:
        log.removeHandler(told)
    assert [text.split(" has held")[0] for text in said] == ["strategy of desk/holding/BTCUSDT"] * 2
    assert ["in holding" in text for text in said] == [True] * 2


async def test_nothing_is_made_of_boundaries_that_change_nothing_unless_somebody_asks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    monkeypatch.setattr("tickfold.session.Session.result", lambda self, at, price: made.append(self.stream.strategy))
    monkeypatch.setattr("tickfold.watch.Watch._tell", lambda self, result: anyio.lowlevel.checkpoint())
    heard: list[Idle] = []
    async with company(tmp_path) as there:
        asks = named("asks", nothing, on_idle=heard.append)
        there.live.background("BTCUSDT", strategy=[asks, named("silent", nothing)], exchange=there.desk)
        await there.until("10:02:30")
    assert made == ["asks"] * 3
