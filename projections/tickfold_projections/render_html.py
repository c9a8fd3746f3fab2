"""A report, a heat, a schedule or a performance as one HTML page: no network, light, dark and on paper.

It needs no script. A report has a small one, named by its hash in the page's policy, that lets its signals be sorted
and searched: CSS can narrow a table to what won, but not order it. The same report gives the same bytes. Everything
from outside goes through `render_html_page.text`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .diagnoses import diagnoses
from .equity import Point, account_curves, deepest_drawdown
from .figures import DEFINITIONS, Figure, finite
from .heat import heat_of
from .notation import instant
from .periods import by_holding_time, by_month, by_weekday
from .render_html_curves import accounts, curves
from .render_html_excursions import excursions
from .render_html_figures import (
    definitions,
    every_figure,
    headline,
    heat_map,
    month_figures,
    months,
    outcomes,
    parts_of_all,
    shares,
    side_by_side,
)
from .render_html_page import Html, Section, document, join, row, table, text
from .render_html_prices import prices
from .render_html_signals import open_signals, signals
from .render_html_times import holding, hours
from .report import Provenance, Report
from .statistics import Statistics
from .table import Table, heat_table
from .told import curve_of, trades_of
from .trades import Trade
from .wording import TITLES
from .wording_provenance import PROVENANCE, configurations, made_texts, setting_text


def render_html(report: Report, *, provenance: bool = True, log: bool = False) -> str:
    """The report as a page; `provenance`: with the block at its foot; `log`: the equity is seen on a logarithmic scale
    until one chooses otherwise.
    """
    foot = "" if not provenance or report.provenance is None else _provenance(report.provenance)
    about = Html(f'<p class="muted">{text(_about(report))}</p>\n')
    sections = list(_sections(report, log=log))
    return document(TITLES[report.kind], report.strategy, about, sections, Html(foot), script=True)


def render_table_html(told: Table) -> str:
    """A heat, a schedule or a performance as a page."""
    body = join((heat_map(told), definitions(told.columns) if told.lines else ""))
    return document(told.title, told.strategy, Html(""), [Section("table", "By symbol", body)], Html(""))


def _about(report: Report) -> str:
    if not report.rows:
        return "No events."
    symbols = sorted({row.symbol for row in report.rows})
    counted = symbols[0] if len(symbols) == 1 else f"{len(symbols)} symbols"
    return f"{counted}, events from {instant(report.rows[0].at)} to {instant(report.rows[-1].at)}. Times are UTC."


def _sections(report: Report, *, log: bool) -> Iterator[Section]:
    statistics, trades = report.statistics, trades_of(report)
    curve = curve_of(report, trades)
    yield Section("headline", "At a glance", headline(statistics))
    yield Section("notable", "What stands out", _notable(report, curve))
    if report.against is not None:
        yield Section("against", "Beside its backtest", side_by_side(statistics, report.against.statistics))
    yield Section("curves", "Equity and drawdown", curves(curve, log=log))
    if len({trade.stream for trade in trades}) > 1:
        yield Section("portfolio", "Portfolio", _portfolio(trades, curve))
    yield Section("prices", "Price and signals", prices(report))
    yield Section("excursions", "How far signals went", excursions(report))
    yield Section("months", "Calendar", _calendar(curve, trades))
    told = heat_table(heat_of(report.strategy, trades, statistics))
    yield Section("heat", "By symbol", join((heat_map(told), definitions(told.columns))))
    yield Section("groups", "Where it comes from", _groups(statistics, trades))
    yield Section("open", "Open signals", open_signals(report))
    yield Section("signals", "Signals", signals(report))
    yield Section("statistics", "Statistics", every_figure(statistics))


def _notable(report: Report, curve: Sequence[Point]) -> Html:
    said = diagnoses(report, curve)
    if not said:
        return Html("<p>Nothing that the rules of this page look for.</p>\n")
    lines = "\n".join(f"<li>{text(each)}</li>" for each in said)
    return Html(f'<ul class="notable">\n{lines}\n</ul>\n')


def _portfolio(trades: Sequence[Trade], together: Sequence[Point]) -> Html:
    """Every symbol an account of its own with the same start; what they make together is their mean."""
    apart = account_curves(trades, together[0].at)
    several = len({stream.exchange for stream in apart}) > 1
    named = [(f"{stream.exchange}/{stream.symbol}" if several else stream.symbol, apart[stream]) for stream in apart]
    lines: list[tuple[str, Sequence[Figure]]] = []
    for (name, curve), stream in zip(named, apart, strict=True):
        change, fall = 100 * (curve[-1].equity - 1), deepest_drawdown(curve)
        values = (
            float(sum(trade.stream == stream for trade in trades)),
            change,
            change / len(named),
            100 * fall.depth if fall else 0.0,
        )
        lines.append((name, [finite(value) for value in values]))
    return join((accounts(together, named), parts_of_all(lines)))


def _calendar(curve: Sequence[Point], trades: Sequence[Trade]) -> Html:
    by_months = by_month(curve, trades)
    inner = month_figures(by_months)
    folded = f"<details><summary>Months in numbers</summary>\n{inner}</details>\n"
    return join(("<h3>Months</h3>\n", months(by_months), folded, "<h3>Days and hours</h3>\n", hours(trades)))


def _groups(statistics: Statistics, trades: Sequence[Trade]) -> Html:
    parts = (
        ("By close reason", outcomes("Closed signals by what closed them", "Reason", statistics.by_reason)),
        ("By side", outcomes("Closed signals by side", "Position", statistics.by_side)),
        ("By weekday", shares("Closed signals by the day (UTC) on which they closed", "Day", by_weekday(trades))),
        ("By holding time", shares("Closed signals by how long they were held", "Held", by_holding_time(trades))),
    )
    told = join(f"<div><h3>{title}</h3>{body}</div>" for title, body in parts)
    columns = [DEFINITIONS[name] for name in ("closed", "win_rate", "average_pnl", "total_pnl")]
    return join((f'<div class="two">\n{told}</div>\n', holding(trades), definitions(columns)))


def _provenance(streams: tuple[Provenance, ...]) -> str:
    lines = (
        row(
            text(f"{found.exchange}/{found.strategy}/{found.symbol}"),
            map(
                text,
                (
                    f"{found.first_seq} to {found.last_seq}" if found.last_seq else "none",
                    found.head_hash or "N/A",
                    str(found.starts),
                    *made_texts(found.made),
                ),
            ),
        )
        for found in streams
    )
    body = table(
        "provenance",
        "The events that this page was made from, and what made them",
        PROVENANCE,
        lines,
        none="No events.",
    )
    return f"<footer>\n<h2>Provenance</h2>\n{body}{join(_configurations(streams))}</footer>\n"


def _configurations(streams: Sequence[Provenance]) -> Iterator[Html]:
    """The values where they are known; that they are not is said too."""
    known = configurations(streams)
    for config_hash, values in known.items():
        told = "".join(f"<dt>{text(name)}</dt><dd>{text(setting_text(value))}</dd>\n" for name, value in values.items())
        yield Html(
            f"<details><summary>Configuration {text(config_hash)}, in its own units</summary>\n"
            f'<dl class="settings">\n{told}</dl>\n</details>\n'
        )
    hashes = {each.config_hash for found in streams for each in found.made}
    for config_hash in sorted(hashes - set(known)):
        yield Html(
            f"<p>Configuration {text(config_hash)}: a journal has its hash alone, and it is none of the defaults.</p>\n"
        )
