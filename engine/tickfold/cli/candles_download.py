"""What `tickfold candles download` does between the command line and the archive."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager

import attrs
import click

from tickfold_projections.notation import instant, shown

from ..archive import Archive, Shelf
from ..clock import WallClock
from ..errors import SpanUnknown
from ..exchanges import Exchange, span
from ..keeping.download import download
from ..keeping.verify import Holding, holding
from ..market import MINUTE_MS
from .asides import say
from .faults import WrongUse


@attrs.frozen
class Order:
    """What to download: [`since`, `until`), ms; what is None is taken from the source."""

    exchange: Exchange
    archive: Archive
    symbols: tuple[str, ...]
    since: int | None
    until: int | None
    replace: bool


async def downloaded(order: Order) -> list[Holding]:
    """Fill the archive, symbol by symbol; what it holds of each afterwards. stderr hears how far it is."""
    found: list[Holding] = []
    try:
        for symbol in order.symbols:
            shelf = order.archive.shelf(order.exchange.name, symbol)
            await _download_one(order, symbol, shelf)
            found.append(holding(shelf))
    finally:
        await order.exchange.aclose()
    return found


async def _download_one(order: Order, symbol: str, shelf: Shelf) -> None:
    clock = WallClock()
    start, end = await _range(order, symbol, clock.now())
    differing: list[tuple[object, object]] = []
    steps = download(
        order.exchange,
        symbol,
        shelf,
        start,
        end,
        now=clock.now() if order.exchange.waits else end,
        sleep=clock.pause,
        replace=order.replace,
    )
    with _bar(symbol, end - start) as reach:
        async for step in steps:
            reach(step.reached - start)
            differing += step.added.differing
            if step.unavailable is not None:
                first, last = map(instant, step.unavailable)
                say(f"{symbol}: {order.exchange.name} has no candles from {first} to {last} any more")
    if differing:
        kept, given = differing[0]
        verb = "were replaced" if order.replace else "differ from what is kept, which stands (--replace takes the new)"
        say(f"{symbol}: {len(differing)} candles {verb}; the first was kept as {kept} and is given as {given}")


async def _range(order: Order, symbol: str, now: int) -> tuple[int, int]:
    """What to ask for: as ordered, else all that the source says it has, else up to now."""
    since, until = order.since, order.until
    if since is None or (until is None and not order.exchange.waits):
        try:
            first, end = await span(order.exchange, symbol)
        except SpanUnknown as error:
            if since is None:
                raise WrongUse(f"{order.exchange.name} does not say since when it has candles: give --from") from error
            first, end = since, None
        since = first if since is None else since
        until = until or end
    if until is None and not order.exchange.waits:
        raise WrongUse(f"{order.exchange.name} has no end of its own: give --to")
    until = min(now, until or now) if order.exchange.waits else until or now
    if until <= since:
        raise WrongUse(f"{order.exchange.name} has no candles in this range: see --from and --to")
    return since, until


@contextmanager
def _bar(symbol: str, length: int) -> Generator[Callable[[int], None]]:
    """A progress bar on a terminal; told how far it is in ms, from the beginning."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    with click.progressbar(length=length // MINUTE_MS, label=shown(symbol), file=sys.stderr) as bar:
        yield lambda reached: bar.update(reached // MINUTE_MS - bar.pos)
