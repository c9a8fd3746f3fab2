"""`tickfold report`: what a strategy did, from its journals or from a backtest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tickfold_eventstore import Store, Stream
from tickfold_projections.render_csv import render_csv
from tickfold_projections.render_json import render_json
from tickfold_projections.render_markdown import render_markdown
from tickfold_projections.report import Report

from ..config import Config, Policy
from ..exchanges import Exchange, is_source_text
from ..reports import journal_events, journal_report
from . import options
from .backtest import Range, backtested
from .faults import WrongUse
from .load import find_source, load
from .output import own_stdout, put
from .streams import open_store, select

if TYPE_CHECKING:
    from tickfold_projections.heat import Heat
    from tickfold_projections.performance import Performance
    from tickfold_projections.schedule import Schedule
    from tickfold_projections.table import Table

FORMS = ("md", "html", "json", "csv", "backtest-kit")
_FORMS = "backtest-kit: Markdown in the shape of that library's own reports."

_AGAINST = "With --kind live: a backtest of it, as `--kind backtest --json --out FILE` writes it, to set beside it."
_KINDS = (
    "What a run did, what a backtest would have done, how each symbol did, how limit entries ended, or where ticks "
    "spent their time."
)


@click.command(
    epilog=options.example(
        "tickfold report sma-cross",
        "tickfold report sma-cross --format csv --from 2024-01-01 --to 2024-02-01 --out january.csv",
        "tickfold report sma-cross --format html --out sma-cross.html",
        "tickfold report sma-cross --kind heat",
        "tickfold report sma-cross --against backtest.json",
        "tickfold report sma-cross --kind backtest --file strategy.py --exchange csv:BTCUSDT.csv --symbol BTCUSDT",
    )
)
@click.argument("strategy")
@options.data_dir
@options.symbol
@click.option(
    "--exchange",
    "source",
    metavar="[NAME=]SOURCE",
    help="Only streams of this exchange; a source such as csv:PATH also gives the price of what is open and, but for "
    "Markdown, how each signal went.",
)
@click.option("--format", "form", type=click.Choice(FORMS), default="md", show_default=True, help=_FORMS)
@click.option(
    "--kind",
    type=click.Choice(["live", "backtest", "heat", "schedule", "performance"]),
    default="live",
    show_default=True,
    help=_KINDS,
)
@click.option("--file", type=click.Path(path_type=Path), help="With --kind backtest: the file with the strategy.")
@options.since
@options.until
@options.frame
@options.policy
@click.option("--against", type=click.Path(path_type=Path), help=_AGAINST)
@click.option("--log", is_flag=True, help="With --format html: the equity on a logarithmic scale at first.")
@click.option("--out", type=click.Path(path_type=Path), help="Write to this file, whole or not at all.")
@click.option("--no-provenance", is_flag=True, help="Without the block that says which events it was made from.")
@options.as_json
@options.debug
def command(
    strategy: str,
    data_dir: Path,
    symbols: tuple[str, ...],
    source: str | None,
    form: str,
    kind: str,
    file: Path | None,
    since: int | None,
    until: int | None,
    frame: str | None,
    policy: Policy,
    against: Path | None,
    log: bool,
    out: Path | None,
    no_provenance: bool,
    as_json: bool,
) -> None:
    """Print what STRATEGY did: every event, then the statistics. The same journal gives the same bytes.

    --from and --to select events by their time. --kind backtest runs the strategy of --file and reports on that; heat,
    schedule and performance tell the journals symbol by symbol. --format html makes one page that needs no network.
    """
    within = Range(frame, since, until)
    form = "json" if as_json else form
    _check(kind, form, given={"--file": file, "--frame": frame, "--against": against, "--log": log or None})
    if kind == "backtest":
        made = _of_backtest(strategy, symbols, source, file, within, Config(policy=policy), whole=form != "md")
    elif kind == "live":
        made = _of_journals(open_store(data_dir), strategy, symbols, source, within, whole=form != "md")
        made = made if against is None else _beside(made, against)
    else:
        store = open_store(data_dir)
        streams, _ = _streams(store, strategy, symbols, source)
        _put(_tabled(kind, store, strategy, streams, within, form), out)
        return
    _put(_rendered(made, form, provenance=not no_provenance, log=log), out)


def _check(kind: str, form: str, given: Mapping[str, object]) -> None:
    """What was given (not None) must belong to the kind and to the form."""
    wanted = {"--file": "backtest", "--frame": "backtest", "--against": "live"}
    for name, belongs in wanted.items():
        if given[name] is not None and kind != belongs:
            raise WrongUse(f"{name} belongs to --kind {belongs}, not to {kind}")
    if given["--log"] is not None and (form != "html" or kind not in {"live", "backtest"}):
        raise WrongUse("--log belongs to the page of a live run or a backtest: give --format html with it")
    if form == "backtest-kit" and kind not in {"live", "backtest"}:
        raise WrongUse(f"--format backtest-kit is for --kind live and backtest, not for {kind}")


def _put(text: str, out: Path | None) -> None:
    if out is None:
        put(text, end="")
    else:
        _write(out, text)


def _of_backtest(
    strategy: str,
    symbols: tuple[str, ...],
    source: str | None,
    file: Path | None,
    within: Range,
    config: Config,
    *,
    whole: bool,
) -> Report:
    if file is None or not symbols:
        raise WrongUse("--kind backtest needs the strategy and its symbols: give --file and --symbol")
    with own_stdout():
        (chosen,) = load(file, (strategy,))
        (result,) = backtested([chosen], symbols, find_source(source), within, config)
    if not whole:
        return result.as_report()
    from tickfold_projections.excursions import with_market

    return with_market(result.as_report(), result.candles)


def _of_journals(
    store: Store, strategy: str, symbols: tuple[str, ...], source: str | None, within: Range, *, whole: bool
) -> Report:
    """A damaged journal is an error of the whole: a report that silently lacks a stream would be wrong.

    `whole`: with all candles that an exchange has of the signals, not only the last price.
    """
    streams, exchange = _streams(store, strategy, symbols, source)
    made = partial(journal_report, store, strategy, streams=streams, start=within.since, end=within.until)
    if exchange is None:
        return made()
    from .report_candles import beside

    return beside(made, exchange, within, whole=whole)


def _streams(
    store: Store, strategy: str, symbols: tuple[str, ...], source: str | None
) -> tuple[list[Stream], Exchange | None]:
    """The streams that are meant, and the exchange, where a source was given rather than a name."""
    exchange = find_source(source) if source is not None and is_source_text(source) else None
    name = source if exchange is None else exchange.name
    return select(store, [] if name is None else [name], [strategy], symbols), exchange


def _beside(made: Report, path: Path) -> Report:
    """The report beside that of its backtest, which `report --kind backtest --json` wrote."""
    import msgspec

    from tickfold_projections.against import beside_backtest

    try:
        backtest = msgspec.json.decode(path.read_bytes(), type=Report)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise WrongUse(
            f"--against {path}: it is no report in JSON ({error}): make one with "
            f"`tickfold report {made.strategy} --kind backtest --json --out {path} …`"
        ) from error
    if backtest.kind != "backtest":
        raise WrongUse(f"--against {path}: it is the report of a live run, not of a backtest")
    return beside_backtest(made, backtest)


def _tabled(kind: str, store: Store, strategy: str, streams: Sequence[Stream], within: Range, form: str) -> str:
    events = journal_events(store, streams, within.until)
    if kind == "heat":
        from tickfold_projections.heat import heat
        from tickfold_projections.table import heat_table

        by_symbol = heat(strategy, events, start=within.since, end=within.until)
        return _table_as(by_symbol, heat_table(by_symbol), form)
    if kind == "performance":
        from tickfold_projections.performance import delays_of, performance
        from tickfold_projections.table import performance_table

        from ..timings import timings_of

        delays = delays_of(events, start=within.since, end=within.until)
        pace = performance(strategy, timings_of(store.data_dir, streams), delays)
        return _table_as(pace, performance_table(pace), form)
    from tickfold_projections.schedule import schedule
    from tickfold_projections.table import schedule_table

    entries = schedule(strategy, events, start=within.since, end=within.until)
    return _table_as(entries, schedule_table(entries), form)


def _table_as(told: Heat | Schedule | Performance, table: Table, form: str) -> str:
    from tickfold_projections.render_table import render_table_csv, render_table_json, render_table_markdown

    match form:
        case "html":
            from tickfold_projections.render_html import render_table_html

            return render_table_html(table)
        case "json":
            return render_table_json(told)
        case "csv":
            return render_table_csv(table)
        case _:
            return render_table_markdown(table)


def _rendered(made: Report, form: str, *, provenance: bool, log: bool) -> str:
    match form:
        case "html":
            from tickfold_projections.render_html import render_html

            return render_html(made, provenance=provenance, log=log)
        case "csv":
            return render_csv(made)
        case "json":
            return render_json(made, provenance=provenance)
        case "backtest-kit":
            from tickfold_projections.render_backtest_kit import render_backtest_kit

            return render_backtest_kit(made)
        case _:
            return render_markdown(made, provenance=provenance)


def _write(path: Path, text: str) -> None:
    """Whole or not at all, but for what is no file, such as a pipe or a device, which is written to."""
    if path.exists() and not path.is_file():
        path.write_text(text, encoding="utf-8", newline="")
        return
    beside = path.with_name(f"{path.name}.tmp")
    try:
        beside.write_text(text, encoding="utf-8", newline="")
        beside.replace(path)
    except OSError as error:
        error.filename = str(path)  # the file that was asked for, not the one that was being made
        raise
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
