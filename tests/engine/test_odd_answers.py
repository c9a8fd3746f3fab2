"""What a strategy may do wrong beside a wrong price: it is told as its fault, alike in live and backtest."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from math import inf, nan
from pathlib import Path
from typing import Any

import anyio
import numpy as np
import pytest

from tests.support.facts import in_memory, strategy_of
from tests.support.markets import START_AT, all_markets
from tests.support.replays import decisions, journalled, replay
from tickfold import Backtest, Config, Context, Live, Opened, Rejected, Risk, Signal, Stopped
from tickfold.errors import StrategyFailed, UnknownName
from tickfold.proposal import LONGEST_NOTE
from tickfold_eventstore import Stream

CANDLES = in_memory(all_markets()[0].candles[:200])
STREAM = Stream("memory", "odd", "A")
UNLIMITED = Config(max_note_characters=0, max_lifetime_minutes=0)

Ask = Callable[[Any], Any]


def asked(ask: Ask) -> Any:
    return strategy_of("odd", "30m", {"1m": 5}, ask)


def proposing(**odd: Any) -> Ask:
    """A strategy whose proposals are in order but for what is given."""

    def ask(ctx: Context) -> Signal:
        fields = {"take_profit": ctx.price * 1.02, "stop_loss": ctx.price * 0.98, "lifetime": 5}
        return Signal.long(**(fields | odd))

    return ask


class Mute:
    """A value that cannot be shown, and is no number although it says so."""

    def __repr__(self) -> str:
        raise RuntimeError("no repr")

    def __float__(self) -> float:
        raise RuntimeError("no number")


def sided(position: object) -> Ask:
    return lambda ctx: Signal(
        position=position, take_profit=ctx.price * 1.02, stop_loss=ctx.price * 0.98, lifetime_minutes=5
    )


NO_PRICE = "is not a finite price above 0"
NO_LIFETIME = "is not a whole number of minutes from 1 up"
HALF = "holds half of a character, which no file can hold"
REFUSED: dict[str, tuple[Ask, list[str]]] = {
    "a price as text": (proposing(take_profit="102.5"), [f"take profit '102.5' {NO_PRICE}"]),
    "a price that is true": (proposing(stop_loss=True), [f"stop loss True {NO_PRICE}"]),
    "numpy's true": (proposing(stop_loss=np.True_), [f"stop loss np.True_ {NO_PRICE}"]),
    "two prices": (proposing(stop_loss=np.array([1.0, 2.0])), [f"stop loss array([1., 2.]) {NO_PRICE}"]),
    "a complex one": (proposing(take_profit=1j), [f"take profit 1j {NO_PRICE}"]),
    "minus zero": (proposing(stop_loss=-0.0), [f"stop loss -0.0 {NO_PRICE}"]),
    "decimals that are none": (
        proposing(take_profit=Decimal("sNaN"), stop_loss=Decimal("NaN")),
        [f"take profit Decimal('sNaN') {NO_PRICE}", f"stop loss nan {NO_PRICE}"],
    ),
    "a number without end": (proposing(take_profit=10**5000), [f"take profit <int> {NO_PRICE}"]),
    "a number of 400 digits": (proposing(lifetime=10**400), [f"lifetime 1{'0' * 99} {NO_LIFETIME}"]),
    "what cannot be shown": (proposing(take_profit=Mute()), [f"take profit <Mute> {NO_PRICE}"]),
    "an entry of False": (proposing(entry=False), [f"entry False {NO_PRICE}"]),
    "an entry of 0": (proposing(entry=0), [f"entry 0.0 {NO_PRICE}"]),
    "a lifetime of nan": (proposing(lifetime=nan), [f"lifetime nan {NO_LIFETIME}"]),
    "a lifetime without end": (proposing(lifetime=inf), [f"lifetime inf {NO_LIFETIME}"]),
    "no lifetime": (proposing(lifetime=timedelta(0)), [f"lifetime 0.0 {NO_LIFETIME}"]),
    "a lifetime that was": (proposing(lifetime=timedelta(days=-1)), [f"lifetime -1440.0 {NO_LIFETIME}"]),
    "a minute and a half": (proposing(lifetime=timedelta(seconds=90)), [f"lifetime 1.5 {NO_LIFETIME}"]),
    "a lifetime as text": (proposing(lifetime="5"), [f"lifetime '5' {NO_LIFETIME}"]),
    "a lifetime of ages": (
        proposing(lifetime=timedelta.max),
        ["lifetime 1440000000000.0 minutes is over 1000000000, which nothing may outlast"],
    ),
    "no note": (proposing(note=None), ["note None is not text"]),
    "a note in bytes": (proposing(note=b"why"), ["note b'why' is not text"]),
    "half a character": (proposing(note="\ud800x"), [f"note '?x' {HALF}"]),
    "a side that is none": (sided("LONG"), ["position 'LONG' is neither long nor short"]),
    "no side": (sided(None), ["position 'None' is neither long nor short"]),
    "two sides": (sided(np.array([1, 2])), ["position 'array([1, 2])' is neither long nor short"]),
    "a side that cannot be shown": (sided(Mute()), ["position '<Mute>' is neither long nor short"]),
    "a note of 2 MB": (
        proposing(note="\U0001f600" * 500_000),
        [f"note of 500000 characters is over what a record of the journal is sure to hold, {LONGEST_NOTE}"],
    ),
    "a character too many": (
        proposing(note="x" * (LONGEST_NOTE + 1)),
        [f"note of 40001 characters is over what a record of the journal is sure to hold, {LONGEST_NOTE}"],
    ),
}


@pytest.mark.anyio
@pytest.mark.parametrize(("ask", "reasons"), REFUSED.values(), ids=REFUSED)
async def test_it_is_rejected_in_words_alike_in_live_and_backtest(ask: Ask, reasons: list[str], tmp_path: Path) -> None:
    backtest = Backtest(config=UNLIMITED).run("A", strategy=asked(ask), exchange=CANDLES)
    await backtest.finish()
    expected = backtest.result().events
    assert [list(event.reasons) for event in expected if isinstance(event, Rejected)] == [reasons] * len(expected)
    assert expected
    await replay(tmp_path, asked(ask), CANDLES, UNLIMITED, symbols=["A"])
    assert decisions(journalled(tmp_path, STREAM)) == decisions(expected)


class Text(str):
    __slots__ = ()


TAKEN: dict[str, Ask] = {
    "numpy's scalars": proposing(lifetime=np.int64(5), take_profit=np.float32(104), stop_loss=np.float64(96)),
    "decimals and fractions": proposing(take_profit=Decimal("104.5"), stop_loss=Fraction(191, 2)),
    "an array of one number": proposing(take_profit=np.array(104.5)),
    "control characters in a note": proposing(note="a\0b\x1b[31m\u202e\x7f"),
    "a text of another class": proposing(note=Text("why")),
    "a side of another class": sided(Text("long")),
    "the longest note": proposing(note="\U0001f600" * LONGEST_NOTE),
}


@pytest.mark.anyio
@pytest.mark.parametrize("ask", TAKEN.values(), ids=TAKEN)
async def test_what_can_be_meant_is_taken_alike_in_live_and_backtest(ask: Ask, tmp_path: Path) -> None:
    backtest = Backtest(config=UNLIMITED).run("A", strategy=asked(ask), exchange=CANDLES)
    await backtest.finish()
    expected = backtest.result().events
    assert isinstance(expected[0], Opened)
    assert {type(value) for value in (expected[0].signal.take_profit, expected[0].signal.stop_loss)} == {float}
    await replay(tmp_path, asked(ask), CANDLES, UNLIMITED, symbols=["A"])
    assert decisions(journalled(tmp_path, STREAM)) == decisions(expected)


@pytest.mark.anyio
async def test_the_longest_note_fits_twice_into_the_record_of_a_fill_and_its_end(tmp_path: Path) -> None:
    rows = [(100.0, 100.0, 100.0, 100.0), (100.0, 100.5, 90.0, 95.0)]
    candles = in_memory([(START_AT + minute * 60_000, *rows[minute == 30], 1.0) for minute in range(40)])
    ask = proposing(entry=99.0, stop_loss=98.0, note="\U0001f600" * LONGEST_NOTE)
    await replay(tmp_path, asked(ask), candles, UNLIMITED, symbols=["A"])
    events = journalled(tmp_path, STREAM)
    assert [event.action for event in events] == ["started", "scheduled", "opened", "closed", "stopped"]
    assert (
        Backtest(config=UNLIMITED).execute("A", strategy=asked(ask), exchange=candles).closed[0].reason == "stop_loss"
    )


@pytest.mark.anyio
async def test_reasons_of_a_users_own_rule_are_cut_to_what_a_record_can_hold(tmp_path: Path) -> None:
    rule = Risk("wordy", validators=[lambda request: "\U0001f600" * 500_000] * 50)
    strategy = strategy_of("odd", "30m", {}, proposing(note="\U0001f600" * LONGEST_NOTE))
    strategy = type(strategy)(strategy.name, strategy.function, strategy.interval, risk=rule)
    await replay(tmp_path, strategy, CANDLES, UNLIMITED, symbols=["A"])
    (first, *_) = [event for event in journalled(tmp_path, STREAM) if isinstance(event, Rejected)]
    assert [len(reason) for reason in first.reasons] == [*[1000] * 40, len("and 10 more reasons")]


# What ends a run, and only that: the strategy's own failure.


class Escaping(BaseException):
    """Not even an Exception."""


class BadMessage(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no message")


def raising(error: BaseException) -> Ask:
    def ask(ctx: Context) -> None:
        raise error

    return ask


def raising_in_time(error: BaseException) -> Ask:
    async def ask(ctx: Context) -> None:
        raise error

    return ask


def leaving(ctx: Context) -> None:
    sys.exit(3)


def yielding(ctx: Context) -> Iterator[None]:
    yield None


async def yielding_in_time(ctx: Context) -> AsyncIterator[None]:
    yield None


async def waiting(ctx: Context) -> None:
    """What a plain function must not hand on."""


def writing(ctx: Context) -> None:
    ctx.candles("1m").close[0] = 0.0


def repricing(ctx: Any) -> None:
    ctx.price = 1.0


AND_NONE = "a strategy returns Signal.long(...), Signal.short(...) or None"
FAILED: dict[str, tuple[Ask, str]] = {
    "a list": (lambda ctx: [proposing()(ctx)], f"TypeError: returned list; {AND_NONE}"),
    "a dict": (lambda ctx: {"side": "long"}, f"TypeError: returned dict; {AND_NONE}"),
    "true": (lambda ctx: True, f"TypeError: returned bool; {AND_NONE}"),
    "false": (lambda ctx: False, f"TypeError: returned bool; {AND_NONE}"),
    "a class": (lambda ctx: Signal, f"TypeError: returned type; {AND_NONE}"),
    "a generator": (yielding, f"TypeError: returned generator; {AND_NONE}"),
    "an async generator": (yielding_in_time, f"TypeError: returned async_generator; {AND_NONE}"),
    "a coroutine of a plain function": (
        lambda ctx: waiting(ctx),  # noqa: PLW0108  # a plain function is the case
        f"TypeError: returned coroutine; {AND_NONE}, and one that waits is an `async def`",
    ),
    "an exit": (leaving, "SystemExit: 3"),
    "an exit of an async one": (raising_in_time(SystemExit(4)), "SystemExit: 4"),
    "no Exception": (raising(Escaping("out")), "Escaping: out"),
    "no Exception of an async one": (raising_in_time(Escaping("out")), "Escaping: out"),
    "a group": (raising(BaseExceptionGroup("g", [Escaping()])), "BaseExceptionGroup: g (1 sub-exception)"),
    "StopIteration": (raising(StopIteration(3)), "StopIteration: 3"),
    "no memory": (raising(MemoryError()), "MemoryError"),
    "a message that cannot be read": (raising(BadMessage()), "BadMessage, whose message cannot be read"),
    "half a character": (raising(ValueError("\ud800")), "ValueError: \ud800"),
    "a message of 2 MB": (raising(ValueError("x" * 2_000_000)), "ValueError: xxx"),
    "a window that was written to": (writing, "ValueError: assignment destination is read-only"),
    "a price that was set": (repricing, "AttributeError: property 'price' of 'Context' object has no setter"),
}
FAILS_AT = "strategy of memory/odd/A failed at 2024-01-01T00:30:00.000Z: "


@pytest.mark.parametrize(("ask", "words"), FAILED.values(), ids=FAILED)
def test_it_is_the_strategys_failure_alike_in_live_and_backtest(ask: Ask, words: str, tmp_path: Path) -> None:
    with pytest.raises(StrategyFailed) as in_backtest:
        Backtest().execute("A", strategy=asked(ask), exchange=CANDLES)
    assert str(in_backtest.value).startswith(FAILS_AT + words)

    async def live() -> None:
        await replay(tmp_path, asked(ask), CANDLES, Config(), symbols=["A"])

    with pytest.raises(StrategyFailed) as in_live:
        anyio.run(live)
    assert str(in_live.value) == str(in_backtest.value)
    last = journalled(tmp_path, STREAM)[-1]
    assert isinstance(last, Stopped)
    assert last.reason == f"StrategyFailed: {in_live.value}"[:1000].replace("\ud800", "?")


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("ask", [raising(KeyboardInterrupt()), raising_in_time(KeyboardInterrupt())])
def test_an_interrupt_is_no_failure_of_whoever_it_meets(ask: Ask, backend: str) -> None:
    async def run() -> None:
        await Backtest().run("A", strategy=asked(ask), exchange=CANDLES).finish()

    with pytest.raises(KeyboardInterrupt):
        anyio.run(run, backend=backend)
    with pytest.raises(KeyboardInterrupt):
        Backtest().execute("A", strategy=asked(ask), exchange=CANDLES)


async def cancels_what_it_awaits(ctx: Context) -> None:
    task = asyncio.ensure_future(asyncio.sleep(60))
    task.cancel()
    await task


def test_a_cancellation_that_is_its_own_is_its_failure_and_ends_no_stream_in_silence(tmp_path: Path) -> None:
    async def live() -> None:
        await replay(tmp_path, asked(cancels_what_it_awaits), CANDLES, Config(), symbols=["A"])

    async def backtest() -> None:
        await Backtest().run("A", strategy=asked(cancels_what_it_awaits), exchange=CANDLES).finish()

    for run in (live, backtest):
        with pytest.raises(StrategyFailed, match="CancelledError"):
            anyio.run(run)
    with pytest.raises(StrategyFailed, match="CancelledError"):  # and where no loop runs
        Backtest().execute("A", strategy=asked(raising(asyncio.CancelledError())), exchange=CANDLES)


class Asked:
    """An object that is called, and waits."""

    async def __call__(self, ctx: Context) -> Signal:
        await anyio.sleep(0)
        answer: Signal = proposing()(ctx)
        return answer


@pytest.mark.anyio
async def test_an_object_that_is_called_may_wait_too(tmp_path: Path) -> None:
    backtest = Backtest().run("A", strategy=asked(Asked()), exchange=CANDLES)
    await backtest.finish()
    await replay(tmp_path, asked(Asked()), CANDLES, Config(), symbols=["A"])
    expected = decisions(backtest.result().events)
    assert expected
    assert decisions(journalled(tmp_path, STREAM)) == expected


def test_a_context_that_was_kept_never_changes() -> None:
    kept: list[tuple[Context, int, float, bytes]] = []

    def keep(ctx: Context) -> None:
        kept.append((ctx, ctx.now, ctx.price, ctx.candles("1m").close.tobytes()))

    Backtest().execute("A", strategy=asked(keep), exchange=CANDLES)
    assert len(kept) == 6
    assert [(ctx.now, ctx.price, ctx.candles("1m").close.tobytes()) for ctx, *_ in kept] == [told[1:] for told in kept]


def test_an_action_that_does_not_exist_is_an_error_at_the_call(tmp_path: Path) -> None:
    strategy = strategy_of("odd", "1m", {}, lambda ctx: None)
    with pytest.raises(UnknownName, match="no action is named 'typo'"):
        Backtest().run("A", strategy=strategy, exchange=CANDLES, include={"typo"})

    async def run_live() -> None:
        async with Live(tmp_path) as live:
            live.run("A", strategy=strategy, exchange=CANDLES, include={"typo"})

    with pytest.raises(UnknownName, match="no action is named 'typo'"):
        anyio.run(run_live)


def test_a_symbol_that_is_named_twice_is_one_stream(tmp_path: Path) -> None:
    strategy = strategy_of("odd", "1m", {}, lambda ctx: None)

    async def run_live() -> int:
        async with Live(tmp_path, clock="replay") as live:
            handle = live.background(["A", "A"], strategy=strategy, exchange=CANDLES)
            await handle.wait()
            assert handle.errors == {}
            return len(handle.journals)

    assert anyio.run(run_live) == 1
