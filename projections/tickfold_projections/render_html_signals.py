"""The signals of a report in the page: what ended, month by month where there are many, and what is open."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from .notation import instant
from .render_html_page import Html, cell, join, moment, plain_row, price, result, row, table, text
from .report import OpenSignal, Report, Row
from .wording import naming, result_text

FEW = 100
"""So many signals stand in one open table; more are folded by the month."""

COLUMNS = (
    "Ended (UTC)",
    "Symbol",
    "Position",
    "Entry",
    "Exit",
    "Take Profit",
    "Stop Loss",
    "PNL (net)",
    "Ended by",
    "Minutes",
    "Note",
    "Signal ID",
)

EXCURSIONS = ("MAE", "MFE")
"""Columns after the result, where candles were at hand."""

OPEN_COLUMNS = (
    "Symbol",
    "Position",
    "State",
    "Since (UTC)",
    "Note",
    "Entry",
    "Take Profit",
    "Stop Loss",
    "Price",
    "Unrealised PNL",
    "Signal ID",
)

NOTHING, MARKET = Html(""), Html("market")

_ENDS = ("closed", "cancelled", "rejected")

_FILTER = (("all", "All"), ("won", "Won"), ("lost", "Lost"), ("cancelled", "Cancelled"), ("rejected", "Rejected"))


def signals(report: Report) -> Html:
    """A row for each signal that was closed, cancelled or rejected; what is alive stands in `open_signals`."""
    ended = [each for each in report.rows if each.action in _ENDS]
    if not ended:
        return Html("<p>None.</p>\n")
    rows = _Rows(report, ended)
    if len(ended) <= FEW:
        return join((_filter(), rows.table("Signals that ended", ended)))
    return join((_filter(), *_months(ended, rows)))


def open_signals(report: Report) -> Html:
    """What waits or is opened after the last event."""
    told = naming(report.open)
    lines = (_open(each, text(told(each))) for each in report.open)
    return table("open", "Signals that wait or are open", OPEN_COLUMNS, lines, none="None.")


def _filter() -> Html:
    buttons = "".join(
        f'<label><input type="radio" name="show" id="show-{kept}"{" checked" if kept == "all" else ""}> {title}</label>'
        for kept, title in _FILTER
    )
    return Html(f'<fieldset class="filter"><legend>Show</legend>{buttons}</fieldset>\n')


def _months(ended: Sequence[Row], rows: _Rows) -> Iterator[str]:
    for month, group in itertools.groupby(ended, key=lambda each: instant(each.at)[:7]):
        inside = list(group)
        counted = ", ".join(f"{sum(each.action == action for each in inside)} {action}" for action in _ENDS)
        inner = rows.table(f"Signals that ended in {month}", inside)
        yield f'<details class="month"><summary>{text(month)}: {counted}</summary>\n{inner}</details>\n'


class _Rows:
    """The table of signals: how symbols are named in it, and the excursions where they are known."""

    def __init__(self, report: Report, ended: Sequence[Row]) -> None:
        self._named = naming(ended)
        market = report.market
        self._seen = market is not None
        self._excursions = (
            {} if market is None else {(each.exchange, each.symbol, each.signal_id): each for each in market.excursions}
        )

    def table(self, caption: str, rows: Sequence[Row]) -> Html:
        """Those signals."""
        columns = (*COLUMNS[:8], *EXCURSIONS, *COLUMNS[8:]) if self._seen else COLUMNS
        return table("signals", caption, columns, map(self._row, rows))

    def _row(self, each: Row) -> str:
        cells = (
            text(self._named(each)),
            text(each.position),
            MARKET if each.entry is None else price(each.entry),
            NOTHING if each.price is None else price(each.price),
            price(each.take_profit),
            price(each.stop_loss),
            NOTHING if each.percentage is None else result(each.percentage),
            *(self._went(each) if self._seen else ()),
            text(_ending(each)),
            NOTHING if each.minutes is None else Html(f"{each.minutes:g}"),
            text(each.note) if each.note else NOTHING,
            text(each.signal_id) if each.signal_id else NOTHING,
        )
        return plain_row(moment(each.at), cells, _kind(each))

    def _went(self, each: Row) -> tuple[Html, Html]:
        found = self._excursions.get((each.exchange, each.symbol, each.signal_id or ""))
        if found is None or each.action != "closed":
            return NOTHING, NOTHING
        return Html(f"{found.adverse:+.2f} %"), Html(f"{found.favourable:+.2f} %")


def _ending(each: Row) -> str:
    return each.reason or "" if each.action == "closed" else f"{each.action}: {each.reason}"


def _kind(each: Row) -> str:
    if each.percentage is None:
        return each.action
    return "won" if each.percentage > 0 else "lost" if each.percentage < 0 else "draw"


def _open(each: OpenSignal, symbol: Html) -> str:
    signal, percentage = each.signal, each.percentage
    kind = "" if not percentage else "won" if percentage > 0 else "lost"
    as_of = "" if each.price_at is None else f" ({moment(each.price_at)})"
    cells = (
        text(signal.position),
        text(each.state),
        moment(each.since),
        text(signal.note),
        price(signal.entry),
        price(signal.take_profit),
        price(signal.stop_loss),
        Html(price(each.price) + as_of),
        cell(result_text(percentage), kind=kind),
        text(signal.id),
    )
    return row(symbol, cells)
