"""The engine's own work: a live tick that changes nothing, a transition, a month from the shell.

A tick is a whole one on the wall clock's path: nap, ask the exchange, check, compare, settle, ask the strategy. Only
the clock does not wait and the exchange answers from memory. Each figure is checked for its result, never for its time.
"""

from __future__ import annotations

import functools
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import anyio
import anyio.lowlevel
from _machine import machine, median, row, seconds

from tickfold import Candles, Context, Live, Signal
from tickfold.exchanges import as_exchange
from tickfold.market import MINUTE_MS
from tickfold.strategy import Strategy
from tickfold_eventstore import Store, Stream

START = 1_577_836_800_000  # 2020-01-01
TICKS = 20_000
WARM = 300


class SteppingClock:
    """A wall clock that jumps to whatever is waited for, and stands still at its end."""

    replayed = False

    def __init__(self, now: int, end: int) -> None:
        self._now, self._end = now, end
        self.ended = anyio.Event()

    def now(self) -> int:
        return self._now

    async def sleep_until(self, at: int) -> None:
        if at >= self._end:
            self.ended.set()
            await anyio.sleep_forever()
        self._now = max(self._now, at)
        await anyio.lowlevel.checkpoint()

    async def pause(self, duration: int) -> None:
        self._now += duration

    def deadline(self, at: int) -> AbstractContextManager[anyio.CancelScope]:
        return anyio.CancelScope()


class InMemory:
    """An exchange that answers with a slice, so that what is measured is the engine."""

    name = "memory"

    def __init__(self, candles: Candles) -> None:
        self._candles = candles

    def candles(self, symbol: str, start: int, end: int) -> Candles:
        first = int(self._candles.time[0])
        return self._candles[max(0, (start - first) // MINUTE_MS) : (end - first) // MINUTE_MS]


def simulated(minutes: int) -> Candles:
    exchange = as_exchange("sim:3")
    given = anyio.run(exchange.candles, "BTCUSDT", START, START + minutes * MINUTE_MS)
    assert isinstance(given, Candles)
    return given


def silent(ctx: Context) -> None:
    ctx.candles("1h")


def busy(ctx: Context) -> Signal:
    return Signal.long(take_profit=ctx.price * 1.5, stop_loss=ctx.price * 0.9, lifetime=1)


def ticking(strategy: Strategy, candles: Candles, data_dir: str) -> float:
    """Seconds that a live run over the candles takes, from its first tick to its last."""

    async def run() -> float:
        clock = SteppingClock(START + WARM * MINUTE_MS + 2_000, START + len(candles) * MINUTE_MS)
        async with Live(data_dir, clock=clock) as live:
            started = time.perf_counter()
            handle = live.background("A", strategy=strategy, exchange=InMemory(candles))
            await clock.ended.wait()
            took = time.perf_counter() - started
            handle.stop(now=True)
            await handle.wait()
            return took

    return anyio.run(run)


def loop_turns(ticks: int) -> float:
    """The floor of a tick: as many turns of an event loop, each in a scope of its own."""

    async def run() -> float:
        started = time.perf_counter()
        for _ in range(ticks):
            with anyio.CancelScope():
                await anyio.lowlevel.checkpoint()
        return time.perf_counter() - started

    return anyio.run(run)


def raw_syncs(folder: str, count: int, size: int) -> list[float]:
    """The floor of a transition: one pwrite and one fdatasync over bytes that were written before."""
    descriptor = os.open(Path(folder, "raw"), os.O_RDWR | os.O_CREAT)
    try:
        os.pwrite(descriptor, b"\n" * (count * size), 0)
        os.fdatasync(descriptor)

        def once(place: int) -> None:
            os.pwrite(descriptor, b"x" * size, place * size)
            os.fdatasync(descriptor)

        return [seconds(functools.partial(once, place)) for place in range(count)]
    finally:
        os.close(descriptor)


def live_ticks(folder: str) -> None:
    strategy = Strategy("silent", silent, "1m", {"1m": 60, "1h": 3})
    candles = simulated(TICKS)
    ticks = TICKS - WARM
    took = median([ticking(strategy, candles, f"{folder}/silent{number}") for number in range(3)])
    journal = Store(f"{folder}/silent0").reader(Stream("memory", "silent", "A"))
    counted = [event.ticks for event in journal.read() if event.ticks is not None]
    assert sum(each.idle for each in counted) >= ticks - 2, "a tick was not handled"
    floor = median([loop_turns(ticks) for _ in range(3)])
    row(
        "live tick that changes nothing",
        f"{took / ticks * 1e6:.1f} us",
        f"a turn of the loop: {floor / ticks * 1e6:.1f} us",
    )


def transitions(folder: str) -> None:
    strategy = Strategy("busy", busy, "1m")
    candles = simulated(2_000 + WARM)
    took = ticking(strategy, candles, f"{folder}/busy")
    events = sum(1 for _ in Store(f"{folder}/busy").reader(Stream("memory", "busy", "A")).records())
    assert events > 3_000, "the strategy did not trade"
    synced = median(raw_syncs(folder, 2_000, 512))
    row(
        "transition, its share of the tick included",
        f"{took / events * 1e6:.1f} us",
        f"pwrite + fdatasync: {synced * 1e6:.1f} us",
    )


FILE = """
from tickfold import Signal, strategy

@strategy("bracket", interval="15m", lookback={"1m": 60})
def bracket(ctx):
    close = ctx.candles("1m").close
    if close[-1] > close[0] * 1.004:
        return Signal.long(take_profit=ctx.price * 1.012, stop_loss=ctx.price * 0.99, lifetime=240)
"""


def from_the_shell(folder: str) -> None:
    csv, file = Path(folder, "A.csv"), Path(folder, "strategy.py")
    file.write_text(FILE)
    with csv.open("w") as out:
        out.write("timestamp,open,high,low,close,volume\n")
        out.writelines(",".join(map(str, candle)) + "\n" for candle in simulated(31 * 1440).rows())
    tickfold = Path(sys.executable).with_name("tickfold")

    def run(*words: object) -> Callable[[], object]:
        return lambda: subprocess.run(list(map(str, words)), check=True, capture_output=True)

    floor = median([seconds(run(sys.executable, "-c", "import numpy")) for _ in range(5)])
    backtest = run(tickfold, "backtest", file, "--symbol", "A", "--exchange", f"csv:{csv}")
    for what, command in _commands(tickfold, backtest, run):
        took = median([seconds(command) for _ in range(5)])
        row(what, f"{took * 1e3:.0f} ms", f"python importing numpy: {floor * 1e3:.0f} ms")


def _commands(
    tickfold: Path, backtest: Callable[[], object], run: Callable[..., Callable[[], object]]
) -> Iterator[tuple[str, Callable[[], object]]]:
    yield "tickfold --help", run(tickfold, "--help")
    yield "python importing tickfold", run(sys.executable, "-c", "import tickfold")
    yield "tickfold backtest over a month of CSV", backtest


def main() -> None:
    print(machine())
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        live_ticks(folder)
        transitions(folder)
        from_the_shell(folder)


if __name__ == "__main__":
    main()
