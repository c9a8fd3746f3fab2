"""`tickfold live`: the strategies of FILE, each event in a journal before anyone hears of it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from functools import partial
from pathlib import Path

import anyio
import anyio.to_thread
import attrs
import click

from tickfold_eventstore import Journal, Stream
from tickfold_eventstore.errors import JournalClosed, JournalPoisoned

from ..clock import Clock, ReplayClock, WallClock
from ..config import Config, Policy
from ..errors import CandlesFilled, CandlesRevised, EndlessSource, SpanUnknown
from ..exchanges import Exchange, span
from ..handle import Handle
from ..live import Live
from ..notices import Fault
from ..strategy import Strategy
from ..timings import kept
from . import options
from .asides import faults_on_stderr, say
from .faults import DAMAGED, DONE, ERROR, WrongUse, exit_code
from .interrupts import Interrupts
from .load import find_source, load
from .output import Lines, Write, event_line, json_line, own_stdout
from .streams import BROKEN, Verdicts

LAST_LINES_S = 2.0
"""How long a run that stops now waits for a stdout that takes nothing."""

_NO_END = (CandlesFilled, CandlesRevised, *BROKEN)


@attrs.frozen
class Plan:
    """What to run, where, and how to write what happens."""

    strategies: Sequence[Strategy]
    symbols: Sequence[str]
    exchange: Exchange
    data_dir: Path
    config: Config
    clock: Clock
    write: Write
    as_json: bool
    archive: Path | None


@click.command(
    epilog=options.example(
        "tickfold live strategy.py --exchange ccxt:binance --symbol BTC/USDT",
        "tickfold live strategy.py --exchange csv:BTCUSDT.csv --symbol BTCUSDT --clock replay --json",
    )
)
@options.file
@options.data_dir
@options.required_symbol
@options.strategy
@options.source
@click.option("--clock", type=click.Choice(["wall", "replay"]), default="wall", show_default=True, help="Whose time.")
@click.option("--to", "until", type=options.Moment(), help="With --clock replay: the boundary before which it ends.")
@click.option("--archive", type=click.Path(path_type=Path, file_okay=False), help="Keep the candles used in there.")
@click.option("--timings", is_flag=True, help="Count what ticks take, for `report --kind performance`.")
@options.policy
@options.as_json
@options.debug
def command(
    file: Path,
    data_dir: Path,
    symbols: tuple[str, ...],
    strategies: tuple[str, ...],
    source: str | None,
    clock: str,
    until: int | None,
    archive: Path | None,
    timings: bool,
    policy: Policy,
    as_json: bool,
) -> int:
    """Run the strategies of FILE live and print each event once it is durable.

    Ctrl-C stops gracefully: nothing is opened any more, a waiting entry is dropped, an open signal is watched to its
    close. Ctrl-C once more, or SIGTERM, stops now: what is open goes on at the next start. --clock replay runs the same
    engine, journal and all, over the recorded candles of csv:, archive: or sim: as fast as it goes.
    """
    if until is not None and clock == "wall":
        raise WrongUse("--to ends a replay: give --clock replay with it, or stop a live run with Ctrl-C")
    interrupts = Interrupts()
    with interrupts.heard(), own_stdout() as write:
        chosen = load(file, strategies)
        time = WallClock() if clock == "wall" else ReplayClock(until)
        lines = Lines(write)
        config = Config(policy=policy)
        plan = Plan(chosen, symbols, find_source(source), data_dir, config, time, lines, as_json, archive)
        with kept(data_dir) if timings else nullcontext():
            return anyio.run(_run, plan, interrupts) or lines.code


async def _run(plan: Plan, interrupts: Interrupts) -> int:
    try:
        await _check_end(plan)
        if interrupts.asked:
            return interrupts.code
        faults, telling = _Faults(), _Telling(plan)
        async with Live(plan.data_dir, config=plan.config, clock=plan.clock, archive=plan.archive) as live:
            with faults_on_stderr(faults.hear):
                handle = live.background(plan.symbols, strategy=plan.strategies, exchange=plan.exchange)
                faults.handle = handle
                stop = partial(_stop, handle, interrupts)
                # A signal handler stands between any two instructions; what it asks for is done in the loop's own time.
                with interrupts.told_to(partial(asyncio.get_running_loop().call_soon_threadsafe, stop)):
                    await telling.tell_all(handle, interrupts)
        return interrupts.code or telling.verdicts.code or _verdict(handle, faults)
    finally:
        await plan.exchange.aclose()


async def _check_end(plan: Plan) -> None:
    """A replay needs an end: of the candles, or one that was named."""
    if isinstance(plan.clock, ReplayClock) and plan.clock.to is None:
        for symbol in plan.symbols:
            try:
                _, end = await span(plan.exchange, symbol)
            except SpanUnknown as error:
                name = plan.exchange.name
                raise WrongUse(
                    f"--clock replay runs over recorded candles, and {name} does not say when it has some: "
                    "give csv:PATH or sim:SEED, or leave the clock at the wall's"
                ) from error
            if end is None:
                raise EndlessSource(plan.exchange.name)


def _stop(handle: Handle, interrupts: Interrupts) -> None:
    if not interrupts.now:
        say("stopping when no signal is open; Ctrl-C once more stops now, and the next start goes on from there")
    handle.stop(now=interrupts.now)


class _Faults:
    """What went wrong before a stream had begun: that ends the command, so that a wrong name is not tried for ever."""

    def __init__(self) -> None:
        self.handle: Handle | None = None
        self.at_start: dict[Stream, BaseException] = {}

    def hear(self, fault: Fault) -> None:
        """Take a fault before the first boundary; what is only told, and a journal that stays closed, are none."""
        if fault.stream is None or fault.at is not None or fault.error is None or isinstance(fault.error, _NO_END):
            return
        self.at_start.setdefault(fault.stream, fault.error)
        if self.handle is not None:
            self.handle.stop(now=True)


class _Telling:
    """Writes each event once it is durable, from another thread: a slow reader of stdout delays no tick.

    It reads what was written; where that is damaged already, `verdicts` says so, and the other streams are told on.
    """

    def __init__(self, plan: Plan) -> None:
        self._write = plan.write
        self._line = json_line if plan.as_json else event_line
        self._one_at_a_time = anyio.CapacityLimiter(1)
        self.verdicts = Verdicts()

    async def tell(self, journal: Journal, after: int) -> None:
        """Follow a journal from behind event `after` to its end: it is closed, or its disk failed."""
        with suppress(JournalClosed, JournalPoisoned), self.verdicts.each():
            async for event in journal.follow(after + 1):
                line = self._line(event)
                await anyio.to_thread.run_sync(self._write, line, limiter=self._one_at_a_time, abandon_on_cancel=True)

    async def tell_all(self, handle: Handle, interrupts: Interrupts) -> None:
        """Return when the run is done and all of it is told; a stop now does not wait for ever for who reads it."""
        async with anyio.create_task_group() as tasks:
            for journal in handle.journals:
                tasks.start_soon(self.tell, journal, journal.head.seq)
            await handle.wait()
            if interrupts.now:
                tasks.cancel_scope.deadline = anyio.current_time() + LAST_LINES_S
        if tasks.cancel_scope.cancelled_caught:
            say("stopped without its last lines, which nobody took from stdout; the journal has every event")


def _verdict(handle: Handle, faults: _Faults) -> int:
    codes = {stream: exit_code(error) for stream, error in handle.errors.items()}
    if DAMAGED in codes.values():
        return DAMAGED
    if faults.at_start:
        return exit_code(next(iter(faults.at_start.values())))
    return ERROR if codes else DONE
