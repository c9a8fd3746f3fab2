"""One live process, a hundred symbols, a simulated year under a replayed clock: its memory must not grow.

python benchmarks/_soak.py [SYMBOLS] [DAYS]
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import anyio
from _machine import machine

from tickfold import Context, Live, Signal, listen_performance
from tickfold.clock import ReplayClock
from tickfold.exchanges import as_exchange
from tickfold.market import MINUTE_MS
from tickfold.notices import Timing
from tickfold.strategy import Strategy
from tickfold_eventstore import Store
from tickfold_eventstore.verify import verify

START = 1_577_836_800_000  # 2020-01-01
DAY_MS = 1440 * MINUTE_MS
SAMPLES = 12


def now_and_then(ctx: Context) -> Signal | None:
    """A signal or two a day."""
    close = ctx.candles("1h").close
    if close[-1] > close[0] * 1.002:
        return Signal.long(take_profit=ctx.price * 1.01, stop_loss=ctx.price * 0.99, lifetime=480)
    return None


def resident_mib() -> float:
    """What the process holds in memory now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 2**20


async def soak(data_dir: str, symbols: list[str], days: int) -> list[float]:
    """Resident memory in MiB, sampled twelve times over the run, once the first stream has come so far."""
    end = START + days * DAY_MS
    samples: list[float] = []

    def sample(timing: Timing) -> None:
        if timing.stream.symbol == symbols[0] and timing.at >= START + (end - START) * (len(samples) + 1) // SAMPLES:
            samples.append(resident_mib())
            print(f"  {len(samples):>3} of {SAMPLES}: {samples[-1]:8.1f} MiB", flush=True)

    unsubscribe = listen_performance(sample)
    strategy = Strategy("now-and-then", now_and_then, "1h", {"1h": 24})
    async with Live(data_dir, clock=ReplayClock(end)) as live:
        handle = live.background(symbols, strategy=strategy, exchange=as_exchange("sim:1"))
        await handle.wait()
        assert not handle.errors, handle.errors
    unsubscribe()
    return samples


def main(count: int = 100, days: int = 365) -> int:
    print(machine())
    print(f"{count} symbols, {days} days, one process")
    symbols = [f"S{number:03}" for number in range(count)]
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        started = time.perf_counter()
        samples = anyio.run(soak, folder, symbols, days)
        took = time.perf_counter() - started
        store = Store(folder)
        verdicts = [verify(store.reader(stream)) for stream in store.streams()]
    events = sum(verdict.head.seq for verdict in verdicts)
    assert len(verdicts) == count
    assert all(verdict.sound for verdict in verdicts)
    boundaries = count * days * 1440
    print(f"  {events} events in {took:.0f} s; {boundaries / took / 1e3:.0f} k boundaries/s; every journal verified")
    # The first quarter fills caches and arenas; from there on nothing may pile up.
    first, last = samples[SAMPLES // 4], samples[-1]
    print(f"  after a quarter {first:.1f} MiB, at the end {last:.1f} MiB")
    return int(last > first * 1.1 + 8)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
