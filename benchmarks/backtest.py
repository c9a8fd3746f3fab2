"""A year of minutes, five of them, and grids: what a backtest costs, beside what it cannot cost less than.

Stated exactly: candles in memory, `Backtest().execute(...)`, all events kept, the checks of the input included; no
listeners; loading and importing not counted. The market is a random walk of 0.05 % a minute. Beside each figure stands
the strategy's own share: its function called as often on as many contexts in a bare loop. Times are of the processor,
so that what else runs on the machine counts for less; medians and spreads are over runs that take turns, so that a
noisy minute falls on all alike. Gated on equal events, never on a time.
"""

from __future__ import annotations

import functools
import itertools
import multiprocessing
import sys
import time
import tracemalloc
from collections.abc import Awaitable, Callable, Sequence

import attrs
import numpy as np
from _machine import machine, median, row

from tickfold import Backtest, Candles, Config, Context, Proposals, Signal, Slots
from tickfold.context import View
from tickfold.simulation import Simulation
from tickfold.strategy import Answer, Strategy
from tickfold_eventstore import Stream

START = 1_577_836_800_000  # 2020-01-01
MONTH, YEAR = 31 * 1440, 365 * 1440
ROUNDS = 7
SETS = 200


def walk(minutes: int) -> Candles:
    dice = np.random.default_rng(1)
    close = 100 * np.exp(np.cumsum(dice.normal(0, 0.0005, minutes)))
    opened = np.concatenate(([100.0], close[:-1]))
    wick = 1 + np.abs(dice.normal(0, 0.00025, (2, minutes)))
    return Candles(
        time=START + 60_000 * np.arange(minutes),
        open=opened,
        high=np.maximum(opened, close) * wick[0],
        low=np.minimum(opened, close) / wick[1],
        close=close,
        volume=np.ones(minutes),
    )


def bracket(ctx: Context) -> Signal:
    price = ctx.price
    return Signal.long(take_profit=price * 1.01, stop_loss=price * 0.99, lifetime=1440)


def hasty(ctx: Context) -> Signal:
    price = ctx.price
    return Signal.long(take_profit=price * 1.0045, stop_loss=price * 0.997, lifetime=60)


def never(ctx: Context) -> None:
    return None


def limit(ctx: Context) -> Signal:
    entry = ctx.price * 0.999
    return Signal.long(take_profit=entry * 1.01, stop_loss=entry * 0.99, lifetime=1440, entry=entry)


def rising(ctx: Context) -> Signal | None:
    return bracket(ctx) if (close := ctx.candles("1m").close)[-1] > close[0] * 1.004 else None


def crossing(ctx: Context) -> Signal | None:
    close = ctx.candles("1h").close
    return bracket(ctx) if close[-5:].mean() > close.mean() * 1.0015 else None


async def waiting(ctx: Context) -> Signal:
    return bracket(ctx)


def rising_at_once(slots: Slots) -> Proposals:
    close = slots.candles("1m").close
    price = slots.price
    long = close[:, -1] > close[:, 0] * 1.004
    return Proposals(long=long, take_profit=price * 1.01, stop_loss=price * 0.99, lifetime=1440)


def crossing_at_once(slots: Slots) -> Proposals:
    close = slots.candles("1h").close
    price = slots.price
    long = close[:, -5:].mean(axis=1) > close.mean(axis=1) * 1.0015
    return Proposals(long=long, take_profit=price * 1.01, stop_loss=price * 0.99, lifetime=1440)


@attrs.define
class Work:
    """One workload: a strategy, and how it is asked."""

    what: str
    strategy: Strategy
    vectorized: bool = False
    took: list[float] = attrs.field(factory=list[float])
    own: list[float] = attrs.field(factory=list[float])
    signals: set[int] = attrs.field(factory=set[int])
    asked: int = 0

    def run(self, candles: Candles) -> None:
        started = time.process_time()
        result = Backtest(vectorized=self.vectorized).execute("A", strategy=self.strategy, exchange=candles)
        self.took.append(time.process_time() - started)
        self.signals.add(len(result.closed))
        if not self.vectorized and not self.strategy.is_async:
            self.own.append(own_time(self.strategy, candles, self.asked))

    def count(self, candles: Candles) -> None:
        """How often the strategy is asked in one run."""
        if self.strategy.is_async or self.vectorized:
            return
        function, asked = self.strategy.function, itertools.count()

        def counting(ctx: Context) -> Answer | Awaitable[Answer]:
            next(asked)
            return function(ctx)

        counted = Strategy("counting", counting, self.strategy.interval, self.strategy.lookback)
        Backtest().execute("A", strategy=counted, exchange=candles)
        self.asked = next(asked)

    def told(self, minutes: int) -> None:
        assert len(self.signals) == 1, "runs over the same candles differ"
        took, spread = (
            median(self.took),
            f"{minutes / max(self.took) / 1e6:.1f} to {minutes / min(self.took) / 1e6:.1f}",
        )
        counts = f"{self.asked:,} questions, " if self.asked else ""
        counts += f"{min(self.signals):,} signals"
        own = f"; the strategy alone {median(self.own) * 1e3:.1f} of {took * 1e3:.1f} ms" if self.own else ""
        row(self.what, f"{minutes / took / 1e6:.2f} M candles/s", f"{spread}; {counts}{own}")


def own_time(strategy: Strategy, candles: Candles, asked: int) -> float:
    """The strategy's function called `asked` times on contexts of its own, and nothing else."""
    view = View(candles, strategy.lookback, symbol="A", mode="backtest", policy="pessimistic")
    step = max(1, (len(candles) - 2000) // max(1, asked))
    function = strategy.function
    started = time.process_time()
    for end in range(2000, 2000 + asked * step, step):
        function(Context(view, end))
    return time.process_time() - started


def twice(
    function: Callable[[Context], Signal | None], form: Callable[[Slots], Proposals], lookback: dict[str, int]
) -> Strategy:
    strategy = Strategy(function.__name__, function, "1m", lookback)
    strategy.vectorized(form)
    return strategy


def a_year() -> None:
    candles = walk(YEAR)
    rising_twice = twice(rising, rising_at_once, {"1m": 60})
    crossing_twice = twice(crossing, crossing_at_once, {"1h": 24})
    works = [
        Work("a bracket at each 15 minutes, +1 %, -1 %, a day", Strategy("bracket", bracket, "15m")),
        Work("a hasty one, some ten thousand signals", Strategy("hasty", hasty, "15m")),
        Work("asked every minute, never trading", Strategy("never", never, "1m")),
        Work("limit entries at each 15 minutes", Strategy("limit", limit, "15m")),
        Work("a window of 60 minutes at each 15", Strategy("rising", rising, "15m", {"1m": 60})),
        Work("the same every minute", rising_twice),
        Work("the same every minute, vectorised", rising_twice, vectorized=True),
        Work("two means over 24 hours, every minute", crossing_twice),
        Work("the same, vectorised", crossing_twice, vectorized=True),
        Work("the bracket, as a coroutine", Strategy("waiting", waiting, "15m")),
    ]
    for work in works:
        work.count(candles)
    for _ in range(ROUNDS):
        for work in works:
            work.run(candles)
    for work in works:
        work.told(YEAR)
    a_signal(works[1], works[2], candles)


def a_signal(hasty_work: Work, never_work: Work, candles: Candles) -> None:
    """What the engine itself takes for a signal, and for a question without one."""
    signals = min(hasty_work.signals)
    walks = [seconds(lambda: walked(hasty_work.strategy, candles)) for _ in range(ROUNDS)]
    own = median(hasty_work.own)
    row("a signal, the strategy's own time left out", f"{(median(hasty_work.took) - own) / signals * 1e6:.1f} us")
    row("the same without the run that tells of it", f"{(median(walks) - own) / signals * 1e6:.1f} us")
    took = median(never_work.took)
    empty = f"the call alone {median(never_work.own) / never_work.asked * 1e6:.2f} us"
    row("a declined question, all in all", f"{took / never_work.asked * 1e6:.2f} us", empty)


def walked(strategy: Strategy, candles: Candles) -> Simulation:
    simulation = Simulation(Stream("memory", strategy.name, "A"), strategy, candles, Config())
    for _ in simulation.steps():
        pass
    return simulation


def long_frames() -> None:
    """Candles a second over a month, a year, five years, and the memory that the run itself adds at its peak."""
    strategy = Strategy("bracket", bracket, "15m")
    for what, minutes in (("a month", MONTH), ("a year", YEAR), ("five years", 5 * YEAR)):
        candles = walk(minutes)
        rounds = 5 * YEAR // minutes
        run = functools.partial(Backtest().execute, "A", strategy=strategy, exchange=candles)
        times = [seconds(run) for _ in range(min(25, 5 * rounds))]
        added = most_added(run)
        own = sum(column.nbytes for column in candles.arrays)
        speed = f"{minutes / median(times) / 1e6:.1f} M candles/s"
        row(f"the bracket over {what}", speed, f"memory at the peak {1 + added / own:.2f} x that of the candles")


def most_added(call: Callable[[], object]) -> int:
    """Bytes that a call holds at its peak beside what was there before."""
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        call()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


def seconds(call: Callable[[], object]) -> float:
    """How long one call keeps the processor."""
    started = time.process_time()
    call()
    return time.process_time() - started


def grids() -> None:
    """Parameter sets over one year, in one process and in two that share the candles."""
    candles = walk(YEAR)
    sets = [(1 + step / 1000, lifetime) for step in range(5, 25) for lifetime in range(60, 660, 60)][:SETS]
    started = time.perf_counter()
    alone = [closed_of(candles, each) for each in sets]
    one = time.perf_counter() - started
    started = time.perf_counter()
    with multiprocessing.get_context("fork").Pool(2) as pool:
        together = pool.map(functools.partial(closed_of, candles), sets, chunksize=SETS // 8)
    two = time.perf_counter() - started
    assert alone == together, "two processes found other signals than one"
    beside = f"{sum(alone):,} signals; two processes {one / two:.2f} x as fast"
    row(f"{SETS} sets over a year, candles shared", f"{one / SETS * 1e3:.1f} ms a set", beside)


def closed_of(candles: Candles, parameters: tuple[float, int]) -> int:
    target, lifetime = parameters

    def ask(ctx: Context) -> Signal | None:
        close = ctx.candles("1h").close
        if close[-1] < close[0]:
            return None
        return Signal.long(take_profit=ctx.price * target, stop_loss=ctx.price * 0.99, lifetime=lifetime)

    return walked(Strategy("set", ask, "1h", {"1h": 6}), candles).log.head.seq // 2


def main(parts: Sequence[str]) -> None:
    print(machine())
    for part in (a_year, long_frames, grids):
        if not parts or part.__name__ in parts:
            part()


if __name__ == "__main__":
    main(sys.argv[1:])
