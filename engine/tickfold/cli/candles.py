"""`tickfold candles`: candles that are kept on disk, and got from there as from an exchange."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import anyio
import click

from tickfold_projections.notation import shown

from ..archive import Archive, Shelf
from ..candles import Candles
from ..exchanges import as_exchange, is_source_text, span
from ..keeping.verify import holding
from . import options
from .asides import say
from .candles_download import Order, downloaded
from .candles_told import extent, name_of, record, told
from .faults import DONE, ERROR, CommandError, WrongUse
from .output import json_document, put

Command = TypeVar("Command", bound=Callable[..., Any])
Names = tuple[str, ...]

archive_option = click.option(
    "--archive",
    "path",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("candles"),
    envvar="TICKFOLD_ARCHIVE",
    show_default=True,
    show_envvar=True,
    help="Where the candles lie.",
)


def selecting(command: Command) -> Command:
    """The options of every command that reads an archive."""
    exchange = click.option(
        "--exchange", "exchanges", multiple=True, metavar="NAME", help="Only this exchange; may be repeated."
    )
    for option in (options.debug, options.as_json, options.symbol, exchange, archive_option):
        command = option(command)
    return command


@click.group(
    epilog=options.example(
        "tickfold candles download --exchange ccxt:binance --symbol BTC/USDT --from 2024-01-01",
        "tickfold candles ls",
        "tickfold backtest strategy.py --exchange archive:candles --symbol BTC/USDT",
    )
)
@options.debug
def command() -> None:
    """Keep candles in an archive of Parquet files, look after them, and take them elsewhere."""


@command.command(
    epilog=options.example(
        "tickfold candles download --exchange ccxt:binance --symbol BTC/USDT --from 2024-01-01",
        "tickfold candles download --exchange binance=csv:saved.csv --symbol BTC/USDT",
    )
)
@archive_option
@click.option("--exchange", "source", metavar="[NAME=]SOURCE", required=True, help="Where from: ccxt:ID, csv:PATH, …")
@options.required_symbol
@options.since
@options.until
@click.option("--replace", is_flag=True, help="Ask for everything again, and keep what the source says now.")
@options.as_json
@options.debug
def download(
    path: Path,
    source: str,
    symbols: Names,
    since: int | None,
    until: int | None,
    replace: bool,
    as_json: bool,
) -> int:
    """Fill the archive from a source, month by month, and say what is missing.

    What was asked for before is not asked for again, so a download that was cut short is continued by the same command.
    Candles that are kept stand: where the source gives one otherwise now, that is said; --replace takes the new ones.
    """
    if since is not None and until is not None and until <= since:
        raise WrongUse("--to must lie after --from")
    if not is_source_text(source):
        raise WrongUse(f"--exchange {source} is no source: write ccxt:ID, csv:PATH, archive:PATH or sim:SEED")
    order = Order(as_exchange(source), Archive(path), symbols, since, until, replace)
    found = anyio.run(downloaded, order)
    return told(found, as_json=as_json)


@command.command(epilog=options.example("tickfold candles ls", "tickfold candles ls --symbol BTC/USDT --json"))
@selecting
def ls(path: Path, exchanges: Names, symbols: Names, as_json: bool) -> int:
    """List what is kept: of which symbols, from when to when, how many candles, gaps, and their digest."""
    return told([holding(shelf) for shelf in _chosen(path, exchanges, symbols)], as_json=as_json)


@command.command(epilog=options.example("tickfold candles verify", "tickfold candles verify --json"))
@selecting
def verify(path: Path, exchanges: Names, symbols: Names, as_json: bool) -> int:
    """Check every file: its digest, the order of its candles, gaps, and whether each candle can be true.

    Exit code 1 where something is wrong. Nothing is changed.
    """
    found = [holding(shelf) for shelf in _chosen(path, exchanges, symbols)]
    if as_json:
        json_document("symbols", map(record, found))
    else:
        for each in found:
            put(f"{name_of(each)}: {'DAMAGED' if each.faults else 'sound'}: {extent(each)}")
            for file in each.faults:
                put(f"  {shown(str(file.path))}: {shown(str(file.fault))}")
                put(f"  next: rm {shown(str(file.path))}, then `tickfold candles download` fetches the month again")
    return ERROR if any(each.faults for each in found) else DONE


@command.command(
    epilog=options.example(
        "tickfold candles export --symbol BTC/USDT --out btc.csv",
        "tickfold candles export --symbol BTC/USDT --out btc.parquet --from 2024-01-01 --to 2024-02-01",
    )
)
@archive_option
@click.option("--exchange", "exchanges", multiple=True, metavar="NAME", help="Of this exchange, where there are more.")
@options.required_symbol
@options.since
@options.until
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="FILE.csv or FILE.parquet; without it: CSV on stdout.",
)
@options.debug
def export(path: Path, exchanges: Names, symbols: Names, since: int | None, until: int | None, out: Path | None) -> int:
    """Write one symbol's candles as CSV, in the form that csv: reads, or as one Parquet file."""
    from ..keeping.export import csv_text, write_csv, write_parquet

    shelves = _chosen(path, exchanges, symbols)
    if len(shelves) != 1:
        raise WrongUse(f"one symbol of one exchange at a time, not {', '.join(map(_place, shelves))}")
    (shelf,) = shelves
    candles = anyio.run(_read, shelf, since, until)
    if not len(candles):
        raise CommandError(
            f"{shelf.symbol} has no candles in this range: see --from and --to, and `tickfold candles ls`"
        )
    if out is None:
        for text in csv_text(candles):
            put(text, end="")
    elif out.suffix == ".parquet":
        write_parquet(out, candles, shelf.exchange, shelf.symbol)
    elif out.suffix == ".csv":
        write_csv(out, candles)
    else:
        raise WrongUse(f"--out {out}: its name must end in .csv or .parquet")
    return DONE


async def _read(shelf: Shelf, since: int | None, until: int | None) -> Candles:
    from ..exchanges.archive import ArchiveExchange

    exchange = ArchiveExchange(shelf.folder.parent)
    first, end = await span(exchange, shelf.symbol)
    return await exchange.candles(
        shelf.symbol, first if since is None else since, (end or 0) if until is None else until
    )


def _chosen(path: Path, exchanges: Names, symbols: Names) -> list[Shelf]:
    """What the options name, all where they name none; raises `WrongUse` where one names nothing."""
    if not path.is_dir():
        raise CommandError(f"there is no archive {path}: give --archive, or fill one with `tickfold candles download`")
    there = Archive(path).shelves()
    for kind, wanted in (("exchange", exchanges), ("symbol", symbols)):
        known = sorted({getattr(shelf, kind) for shelf in there})
        for name in wanted:
            if name not in known:
                raise WrongUse(f"{path} holds no {kind} {name!r} (there are: {', '.join(known) or 'none'})")
    if not there:
        say(f"{path} holds no candles yet")
    return [
        shelf
        for shelf in there
        if (not exchanges or shelf.exchange in exchanges) and (not symbols or shelf.symbol in symbols)
    ]


def _place(shelf: Shelf) -> str:
    return f"{shelf.exchange}/{shelf.symbol}"
