"""However a backtest ends, its exchange is closed; and plain code inside an event loop is told what it cannot drive."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import anyio.lowlevel
import attrs
import pytest

from tests.support.facts import strategy_of
from tests.support.markets import MINUTE, START_AT, Candle, all_markets
from tickfold import Backtest, Config, Context, Frame, Signal, listen_done_backtest, listen_signal_backtest
from tickfold.errors import DeclarationError, LoopIsRunning, StrategyFailed
from tickfold.notices import Done

pytestmark = pytest.mark.anyio

ROWS = all_markets()[0].candles[:200]
HOURS = Frame("three hours of the walk", START_AT + 5 * MINUTE, START_AT + 200 * MINUTE)


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def quiet(ctx: Context) -> None:
    return None


def quick(ctx: Context) -> Signal:
    return Signal.long(take_profit=ctx.price * 1.05, stop_loss=ctx.price * 0.95, lifetime=5)


async def thoughtful(ctx: Context) -> None:
    await anyio.sleep(0)


QUIET, QUICK = strategy_of("quiet", "1m", {}, quiet), strategy_of("quick", "1m", {}, quick)


@attrs.define
class Shop:
    """An exchange that holds something from its first answer until it is closed."""

    name: str = "shop"
    hangs_at: str = ""
    raises: BaseException | None = None
    close: Callable[[], Awaitable[None]] = anyio.lowlevel.checkpoint
    asked: anyio.Event = attrs.field(factory=anyio.Event)
    closed: int = 0

    async def candles(self, symbol: str, start: int, end: int) -> list[Candle]:
        self.asked.set()
        if self.raises is not None:
            raise self.raises
        if symbol == self.hangs_at:
            await anyio.sleep_forever()
        await anyio.lowlevel.checkpoint()
        return [row for row in ROWS if start <= row[0] < end]

    async def aclose(self) -> None:
        await self.close()
        self.closed += 1


async def test_it_is_closed_at_the_end() -> None:
    shop = Shop()
    await Backtest().run(["A", "B"], strategy=QUIET, exchange=shop, frame=HOURS).finish()
    assert shop.closed == 1


async def test_it_is_closed_where_the_run_is_cancelled_while_it_fetches() -> None:
    shop = Shop(hangs_at="B")
    run = Backtest().run(["A", "B"], strategy=QUIET, exchange=shop, frame=HOURS)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(run.finish)
        await shop.asked.wait()
        tasks.cancel_scope.cancel()
    assert shop.closed == 1
    assert [event async for event in run] == []  # and nothing comes after it


async def test_it_is_closed_where_a_strategy_is_cancelled_while_it_thinks() -> None:
    thinking = anyio.Event()

    async def think(ctx: Context) -> None:
        thinking.set()
        await anyio.sleep_forever()

    shop, done = Shop(), list[Done]()
    unsubscribe = listen_done_backtest(done.append)
    run = Backtest().run(["A", "B"], strategy=strategy_of("thinks", "1m", {}, think), exchange=shop, frame=HOURS)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(run.finish)
        await thinking.wait()
        tasks.cancel_scope.cancel()
    unsubscribe()
    assert shop.closed == 1
    assert [(each.stream.symbol, each.error) for each in done] == [("A", None)]


async def test_it_is_closed_where_the_block_is_left_while_it_fetches() -> None:
    shop = Shop(hangs_at="A")
    async with Backtest() as backtest:
        handle = backtest.background("A", strategy=QUIET, exchange=shop, frame=HOURS)
        await shop.asked.wait()
    assert handle.done
    assert shop.closed == 1


async def test_a_stop_ends_a_fetch_that_hangs_and_nothing_is_walked_after_it() -> None:
    shop = Shop(hangs_at="B")
    async with Backtest() as backtest:
        handle = backtest.background(["A", "B", "C"], strategy=QUICK, exchange=shop, frame=HOURS)
        while not shop.asked.is_set():
            await anyio.lowlevel.checkpoint()
        shop.hangs_at = "A"
        handle.stop()
        result = await handle.wait()
    assert result.events == ()
    assert shop.closed == 1


async def test_a_loop_that_is_left_early_closes_it_through_its_block() -> None:
    shop = Shop()
    async with Backtest().run(["A", "B"], strategy=QUICK, exchange=shop, frame=HOURS) as closed:
        async for _ in closed:
            break
        assert shop.closed == 0
    assert shop.closed == 1
    await closed.aclose()
    assert shop.closed == 1


async def test_it_is_closed_where_something_raises_and_that_comes_out_as_it_is() -> None:
    async def broken() -> None:
        raise OSError("no way back")

    raising = strategy_of("raising", "1m", {}, lambda ctx: 1 / 0)
    shop, stuck = Shop(), Shop(close=broken)
    with pytest.raises(StrategyFailed):
        await Backtest().run(["A", "B"], strategy=raising, exchange=shop, frame=HOURS).finish()
    with pytest.raises(StrategyFailed) as raised:
        await Backtest().run(["A", "B"], strategy=raising, exchange=stuck, frame=HOURS).finish()
    assert (shop.closed, stuck.closed) == (1, 0)
    assert raised.value.__notes__ == ["shop could not be closed either: OSError: no way back"]
    with pytest.raises(OSError, match="no way back"):  # where all went well but this
        await Backtest().run("A", strategy=QUIET, exchange=stuck, frame=HOURS).finish()


async def test_one_that_hangs_as_it_closes_is_left_after_a_while() -> None:
    config = Config(drain_grace=10)
    shop = Shop(close=anyio.sleep_forever)
    await Backtest(config=config).run("A", strategy=QUIET, exchange=shop, frame=HOURS).finish()
    assert shop.closed == 0


async def test_it_is_closed_where_the_keyboard_interrupts() -> None:
    shop = Shop(raises=KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        await Backtest().run("A", strategy=QUIET, exchange=shop, frame=HOURS).finish()
    assert shop.closed == 1


class Stall:
    """An exchange of plain functions."""

    name = "stall"

    def __init__(self, *raises: BaseException) -> None:
        self.raises = list(raises)
        self.closed = 0

    def candles(self, symbol: str, start: int, end: int) -> list[Candle]:
        if self.raises:
            raise self.raises.pop(0)
        return [row for row in ROWS if start <= row[0] < end]

    def aclose(self) -> None:
        self.closed += 1


@pytest.mark.parametrize("error", [KeyboardInterrupt(), ZeroDivisionError()])
def test_plain_code_closes_it_too(error: BaseException) -> None:
    stall = Stall(error)
    with pytest.raises(type(error)):
        Backtest().execute("A", strategy=QUIET, exchange=stall, frame=HOURS)
    assert stall.closed == 1


# Inside an event loop.

HOW = (
    "and an event loop is running here already: write `async for closed in backtest.run(...)` or "
    "`await anyio.to_thread.run_sync(functools.partial(backtest.execute, ...))`"
)


async def handed_on(symbol: str, start: int, end: int) -> list[Candle]:
    await anyio.sleep(0)
    return list(ROWS)


def through_a_lambda() -> Any:
    def mine(symbol: str, start: int, end: int) -> Awaitable[list[Candle]]:
        return handed_on(symbol, start, end)

    return mine


@pytest.mark.parametrize(
    ("function", "source", "what"),
    [
        (thoughtful, Stall, "strategy odd"),
        (quiet, Shop, "exchange shop"),
        (quiet, through_a_lambda, "exchange mine"),
    ],
    ids=["a strategy", "an exchange", "an exchange that looks plain"],
)
async def test_execute_says_what_waits_and_what_to_write_instead(
    function: Callable[[Context], Any], source: Callable[[], Any], what: str
) -> None:
    strategy = strategy_of("odd", "1m", {}, function)
    with pytest.raises(LoopIsRunning) as told:
        Backtest().execute("A", strategy=strategy, exchange=source(), frame=HOURS)
    assert str(told.value) == f"{what} waits, {HOW}"
    # and both ways that it names are ways:
    run = Backtest().run("A", strategy=strategy, exchange=source(), frame=HOURS)
    assert [event async for event in run] == []
    result = await anyio.to_thread.run_sync(
        lambda: Backtest().execute("A", strategy=strategy, exchange=source(), frame=HOURS)
    )
    assert result.events == run.result().events


async def test_a_listener_that_waits_is_told_too() -> None:
    async def hear(event: object) -> None:
        await anyio.sleep(0)

    unsubscribe = listen_signal_backtest(hear)
    with pytest.raises(LoopIsRunning, match=r"^a listener waits, and an event loop is running here already"):
        Backtest().execute("A", strategy=QUIET, exchange=Stall(), frame=HOURS)
    unsubscribe()


async def test_what_does_not_wait_is_executed_inside_a_loop_as_outside_of_one() -> None:
    stall = Stall(TimeoutError("busy"), TimeoutError("busy"))
    config = Config(retry_pause=1)
    result = Backtest(config=config).execute("A", strategy=QUICK, exchange=stall, frame=HOURS)
    run = Backtest().run("A", strategy=QUICK, exchange=Shop(name="stall"), frame=HOURS)
    await run.finish()
    assert result.events == run.result().events
    assert (len(result.closed), stall.closed) == (38, 1)


def test_an_exchange_that_waits_though_it_says_that_it_does_not_is_told_so() -> None:
    class Liar(Shop):
        waits = False

        async def candles(self, symbol: str, start: int, end: int) -> list[Candle]:
            await asyncio.sleep(0)
            return []

    with pytest.raises(DeclarationError, match="exchange shop waits, though it says that it does not"):
        Backtest().execute("A", strategy=QUIET, exchange=Liar(), frame=HOURS)
