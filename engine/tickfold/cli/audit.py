"""`tickfold audit`: does a strategy look ahead or remember, and do its two forms agree?"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path

import anyio
import attrs
import click

from tickfold_projections.notation import instant, shown

from ..audit import Change, Market, audit_forms, audit_lookahead
from ..config import Config, Policy
from ..context import warm_up
from ..errors import EndlessSource
from ..exchanges import Exchange, span
from ..feed import candles_between
from ..market import MINUTE_MS
from ..strategy import Strategy
from ..witness import Witness
from . import options
from .asides import say
from .backtest import Range
from .faults import CommandError
from .load import find_source, load
from .output import json_document, own_stdout, put
from .stdout import go_on_unread

MOST_SLOTS = 2000


@attrs.frozen
class Finding:
    """What an audit found of one strategy on one symbol; nothing, where all is in order."""

    strategy: str
    symbol: str
    slots: int
    asked: int
    changes: list[Change]
    asks_for: list[str]

    @property
    def in_order(self) -> bool:
        return not self.changes and not self.asks_for


Audit = Callable[[Market], Awaitable[tuple[list[Change], list[str]]]]


@click.group(
    epilog=options.example(
        "tickfold audit lookahead strategy.py --exchange csv:BTCUSDT.csv --symbol BTCUSDT",
        "tickfold audit forms strategy.py --exchange sim:7 --symbol BTCUSDT --to 2020-02-01",
    )
)
@options.debug
def command() -> None:
    """Does a strategy look ahead or remember, do its two forms agree? Exit code 1 where it is not in order."""


def _asking(function: Callable[..., int]) -> Callable[..., int]:
    """The options of both."""
    for option in (
        options.debug,
        options.as_json,
        options.policy,
        options.frame,
        options.until,
        options.since,
        options.source,
        options.strategy,
        options.required_symbol,
        options.file,
    ):
        function = option(function)
    return function


@command.command(
    epilog=options.example(
        "tickfold audit lookahead strategy.py --exchange sim:7 --symbol BTCUSDT --to 2020-02-01",
        "tickfold audit lookahead strategy.py --exchange csv:BTCUSDT.csv --symbol BTCUSDT --slots 500 --json",
    )
)
@_asking
@click.option(
    "--slots",
    "most",
    type=click.IntRange(min=1),
    default=MOST_SLOTS,
    show_default=True,
    help="At most so many, evenly spread.",
)
def lookahead(
    file: Path,
    symbols: tuple[str, ...],
    strategies: tuple[str, ...],
    source: str | None,
    since: int | None,
    until: int | None,
    frame: str | None,
    policy: Policy,
    as_json: bool,
    most: int,
) -> int:
    """Ask each strategy of FILE the same questions in other ways, and name every decision that changes.

    Twice in a row, in the opposite order, with other candles after the slot, without those before its windows, in
    another year, and alone. What it asks the machine for meanwhile (the time, a file, the network) is named too.
    """

    async def audit(market: Market) -> tuple[list[Change], list[str]]:
        name = market.strategy.name
        witness = Witness(inspect.getfile(inspect.unwrap(market.strategy.function)))
        changes = await audit_lookahead(lambda: load(file, [name])[0], market, witness.watching)
        return changes, witness.seen

    within = Range(frame, since, until)
    return _audited(file, symbols, strategies, source, within, Config(policy=policy), as_json, most, audit)


@command.command(
    epilog=options.example(
        "tickfold audit forms strategy.py --exchange sim:7 --symbol BTCUSDT --to 2020-02-01",
        "tickfold audit forms strategy.py --exchange csv:BTCUSDT.csv --symbol BTCUSDT --json",
    )
)
@_asking
def forms(
    file: Path,
    symbols: tuple[str, ...],
    strategies: tuple[str, ...],
    source: str | None,
    since: int | None,
    until: int | None,
    frame: str | None,
    policy: Policy,
    as_json: bool,
) -> int:
    """Ask the ordinary and the vectorised form of each strategy of FILE at every slot, and name where they differ."""

    async def audit(market: Market) -> tuple[list[Change], list[str]]:
        change = await audit_forms(market)
        return ([] if change is None else [change]), []

    within = Range(frame, since, until)
    return _audited(file, symbols, strategies, source, within, Config(policy=policy), as_json, None, audit)


def _audited(
    file: Path,
    symbols: Sequence[str],
    names: Sequence[str],
    source: str | None,
    within: Range,
    config: Config,
    as_json: bool,
    most: int | None,
    audit: Audit,
) -> int:
    go_on_unread()
    with own_stdout():
        chosen = load(file, names)
        if most is None:
            chosen = _with_two_forms(file, chosen, named=bool(names))
        exchange = find_source(source)
        found = anyio.run(partial(_all, chosen, symbols, exchange, within, config, most, audit))
    if as_json:
        json_document("audits", (attrs.asdict(finding) for finding in found))
    else:
        for finding in found:
            put(_in_words(finding))
    return 0 if all(finding.in_order for finding in found) else 1


def _with_two_forms(file: Path, chosen: Sequence[Strategy], *, named: bool) -> list[Strategy]:
    both = [strategy for strategy in chosen if strategy.form is not None]
    lacking = [strategy.name for strategy in chosen if strategy.form is None]
    if not both or (named and lacking):
        raise CommandError(f"{file}: {', '.join(lacking)} has no vectorised form to compare with")
    if lacking:
        say(f"{', '.join(lacking)} has one form only")
    return both


async def _all(
    strategies: Sequence[Strategy],
    symbols: Sequence[str],
    exchange: Exchange,
    within: Range,
    config: Config,
    most: int | None,
    audit: Audit,
) -> list[Finding]:
    found: list[Finding] = []
    try:
        frame = await within.find(exchange, symbols)
        for strategy in strategies:
            for symbol in symbols:
                first, end = (frame.start, frame.end - MINUTE_MS) if frame else await _span(exchange, symbol)
                begin = first - warm_up(strategy.lookback)
                candles = await candles_between(exchange, symbol, begin, end, config, _odd)
                every = Market.of(candles, strategy, config, symbol, start=first)
                market = every if most is None else every.thinned(most)
                if not market.slots:
                    say(f"{strategy.name} on {symbol}: too few candles in this range to ask it even once")
                changes, asks_for = await audit(market)
                found.append(Finding(strategy.name, symbol, len(every.slots), len(market.slots), changes, asks_for))
    finally:
        await exchange.aclose()
    return found


async def _span(exchange: Exchange, symbol: str) -> tuple[int, int]:
    first, end = await span(exchange, symbol)
    if end is None:
        raise EndlessSource(exchange.name)
    return first, end


def _odd(error: Exception) -> None:
    say(str(error))


def _in_words(finding: Finding) -> str:
    asked = f"{finding.asked:,} of {finding.slots:,} slots"
    verdict = "in order" if finding.in_order else "NOT in order"
    lines = [f"{shown(finding.strategy)} on {shown(finding.symbol)}, asked at {asked}: {verdict}"]
    for change in finding.changes:
        lines += [
            f"  {change.way}: {change.changed:,} of {change.asked:,} decisions change",
            f"    first at {instant(change.slot)}: {shown(change.first)}",
            f"{'then:':>34} {shown(change.then)}",
        ]
    lines += [f"  it asks for {shown(what)}" for what in finding.asks_for]
    return "\n".join(lines)
