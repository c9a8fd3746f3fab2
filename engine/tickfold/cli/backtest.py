"""`tickfold backtest`: the strategies of FILE over candles that are all there, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import anyio
import attrs
import click

from tickfold_eventstore.events import Event

from ..backtest import Backtest
from ..backtest_result import BacktestResult
from ..config import Config, Policy
from ..errors import EndlessSource
from ..exchanges import Exchange, span
from ..frame import Frame, find_frame
from ..market import MINUTE_MS
from ..strategy import Strategy
from . import options
from .asides import faults_on_stderr, progress_bar, say
from .faults import WrongUse
from .load import find_source, load
from .output import json_line, own_stdout

EVERY_EVENT = ("scheduled", "opened", "cancelled", "closed", "rejected")

Hear = Callable[[Event], None]


@attrs.frozen
class Range:
    """Which boundaries: of a frame of FILE, or from `since` on and before `until` (ms); what is None is open."""

    frame: str | None = None
    since: int | None = None
    until: int | None = None

    def __attrs_post_init__(self) -> None:
        if self.frame is not None and (self.since, self.until) != (None, None):
            raise WrongUse("--frame is a whole range: give it, or --from and --to")
        if self.since is not None and self.until is not None and self.until <= self.since:
            raise WrongUse("--to must lie after --from")

    async def find(self, exchange: Exchange, symbols: Sequence[str]) -> Frame | None:
        """The frame; None: all that the exchange has. An open end is that of the symbol that reaches furthest."""
        if self.frame is not None:
            return find_frame(self.frame)
        since, until = self.since, self.until
        if since is None and until is None:
            return None
        if since is None or until is None:
            spans = [await span(exchange, symbol) for symbol in symbols]
            since = min(first for first, _ in spans) if since is None else since
            until = _after_the_last(exchange, [end for _, end in spans]) if until is None else until
        if until <= since:
            raise WrongUse(f"{exchange.name} has no candles in this range: see --from and --to")
        return Frame("--from/--to", since, until)


def _after_the_last(exchange: Exchange, ends: Sequence[int | None]) -> int:
    known = [end for end in ends if end is not None]
    if len(known) < len(ends):
        raise EndlessSource(exchange.name)
    return max(known) + MINUTE_MS


@click.command(
    epilog=options.example(
        "tickfold backtest strategy.py --exchange csv:BTCUSDT.csv --symbol BTCUSDT",
        "tickfold backtest strategy.py --exchange sim:7 --symbol A --symbol B --from 2020-01-01 --to 2020-02-01 --json",
    )
)
@options.file
@options.required_symbol
@options.strategy
@options.source
@options.since
@options.until
@options.frame
@options.policy
@options.as_json
@options.debug
def command(
    file: Path,
    symbols: tuple[str, ...],
    strategies: tuple[str, ...],
    source: str | None,
    since: int | None,
    until: int | None,
    frame: str | None,
    policy: Policy,
    as_json: bool,
) -> None:
    """Run the strategies of FILE over recorded or simulated candles and print the report of each.

    With --json: one event a line, as it happens, in place of the reports. Nothing is written to disk.
    """
    within = Range(frame, since, until)
    with own_stdout() as write:
        chosen = load(file, strategies)
        hear: Hear | None = (lambda event: write(json_line(event))) if as_json else None
        results = backtested(chosen, symbols, find_source(source), within, Config(policy=policy), hear)
        if not as_json:
            write("\n".join(result.report() for result in results).removesuffix("\n"))


def backtested(
    strategies: Sequence[Strategy],
    symbols: Sequence[str],
    exchange: Exchange,
    within: Range,
    config: Config,
    hear: Hear | None = None,
) -> list[BacktestResult]:
    """One result a strategy; `hear` is told each event as it happens, stderr how far it is and what is odd."""
    with faults_on_stderr(), progress_bar():
        return anyio.run(partial(_backtested, strategies, symbols, exchange, within, config, hear))


async def _backtested(
    strategies: Sequence[Strategy],
    symbols: Sequence[str],
    exchange: Exchange,
    within: Range,
    config: Config,
    hear: Hear | None,
) -> list[BacktestResult]:
    backtest = Backtest(config=config)
    try:
        frame = await within.find(exchange, symbols)
        run = backtest.run(symbols, strategy=strategies, exchange=exchange, frame=frame, include=EVERY_EVENT)
        async for tick in run:
            if hear is not None and isinstance(tick, Event):
                hear(tick)
        results = run.results()
    finally:
        await exchange.aclose()
    for result in results:
        boundaries = result.boundaries
        if not boundaries.idle + boundaries.waiting + boundaries.active:
            say(f"{result.strategy}: too few candles in this range to ask it even once")
    return results
