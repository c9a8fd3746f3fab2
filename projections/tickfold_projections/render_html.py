"""A report, a heat or a schedule as one HTML page: no network, no script, light, dark and on paper.

The same report gives the same bytes. Everything from outside goes through `render_html_page.text`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .diagnoses import diagnoses
from .heat import heat_of
from .notation import instant
from .periods import by_holding_time, by_month, by_weekday
from .render_html_curves import curves
from .render_html_figures import (
    definitions,
    every_figure,
    headline,
    heat_map,
    month_figures,
    months,
    outcomes,
    shares,
)
from .render_html_page import Html, Section, document, join, row, table, text
from .render_html_signals import open_signals, signals
from .report import Provenance, Report
from .statistics import Statistics
from .table import Table, heat_table
from .told import curve_of, trades_of
from .trades import Trade
from .wording import TITLES


def render_html(report: Report, *, provenance: bool = True) -> str:
    """The report as a page; `provenance`: with the block at its foot."""
    foot = "" if not provenance or report.provenance is None else _provenance(report.provenance)
    about = Html(f'<p class="muted">{text(_about(report))}</p>\n')
    return document(f"{TITLES[report.kind]}: {report.strategy}", about, list(_sections(report)), Html(foot))


def render_table_html(told: Table) -> str:
    """A heat or a schedule as a page."""
    body = join((heat_map(told), definitions(told.columns) if told.lines else ""))
    return document(f"{told.title}: {told.strategy}", Html(""), [Section("table", "By symbol", body)], Html(""))


def _about(report: Report) -> str:
    if not report.rows:
        return "No events."
    symbols = len({(row.exchange, row.symbol) for row in report.rows})
    counted = "1 symbol" if symbols == 1 else f"{symbols} symbols"
    return f"Events from {instant(report.rows[0].at)} to {instant(report.rows[-1].at)}, {counted}. Times are UTC."


def _sections(report: Report) -> Iterator[Section]:
    statistics, curve, trades = report.statistics, curve_of(report), trades_of(report)
    yield Section("headline", "At a glance", headline(statistics))
    yield Section("curves", "Equity and drawdown", curves(curve))
    yield Section("notable", "What stands out", _notable(report))
    by_months = by_month(curve, trades)
    inner = month_figures(by_months)
    yield Section(
        "months",
        "Months",
        join((months(by_months), f"<details><summary>Months in numbers</summary>\n{inner}</details>\n")),
    )
    told = heat_table(heat_of(report.strategy, trades, statistics))
    yield Section("heat", "By symbol", join((heat_map(told), definitions(told.columns))))
    yield Section("groups", "Where it comes from", _groups(statistics, trades))
    yield Section("open", "Open signals", open_signals(report))
    yield Section("signals", "Signals", signals(report))
    yield Section("statistics", "Statistics", every_figure(statistics))


def _notable(report: Report) -> Html:
    said = diagnoses(report)
    if not said:
        return Html("<p>Nothing that the rules of this page look for.</p>\n")
    lines = "\n".join(f"<li>{text(each)}</li>" for each in said)
    return Html(f"<ul>\n{lines}\n</ul>\n")


def _groups(statistics: Statistics, trades: Sequence[Trade]) -> Html:
    parts = (
        ("By close reason", outcomes("Closed signals by what closed them", "Reason", statistics.by_reason)),
        ("By side", outcomes("Closed signals by side", "Position", statistics.by_side)),
        ("By weekday", shares("Closed signals by the day (UTC) on which they closed", "Day", by_weekday(trades))),
        ("By holding time", shares("Closed signals by how long they were held", "Held", by_holding_time(trades))),
    )
    return Html(f'<div class="two">\n{join(f"<div><h3>{title}</h3>{body}</div>" for title, body in parts)}</div>\n')


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
                ),
            ),
        )
        for found in streams
    )
    columns = ("Stream", "Events", "Head hash", "Starts")
    body = table("provenance", "The events that this page was made from", columns, lines, none="No events.")
    return f"<footer>\n<h2>Provenance</h2>\n{body}</footer>\n"
