"""The signals of a report in the page: what ended, month by month where there are many, and what is open."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence

from .notation import instant
from .render_html_page import Html, cell, join, moment, price, row, table, text
from .report import OpenSignal, Report, Row
from .wording import naming, result_text

FEW = 100
"""So many signals stand in one open table; more are folded by the month."""

COLUMNS = (
    "Ended (UTC)",
    "Action",
    "Symbol",
    "Position",
    "Entry",
    "Price",
    "Take Profit",
    "Stop Loss",
    "PNL (net)",
    "Reason",
    "Minutes",
    "Note",
    "Signal ID",
)

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

_ENDS = ("closed", "cancelled", "rejected")

_FILTER = (("all", "All"), ("won", "Won"), ("lost", "Lost"), ("cancelled", "Cancelled"), ("rejected", "Rejected"))


def signals(report: Report) -> Html:
    """A row for each signal that was closed, cancelled or rejected; what is alive stands in `open_signals`."""
    ended = [each for each in report.rows if each.action in _ENDS]
    if not ended:
        return Html("<p>None.</p>\n")
    told = naming(ended)
    if len(ended) <= FEW:
        return join((_filter(), _table("Signals that ended", ended, told)))
    return join((_filter(), *_months(ended, told)))


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


def _months(ended: Sequence[Row], told: Callable[[Row], str]) -> Iterator[str]:
    for month, rows in itertools.groupby(ended, key=lambda each: instant(each.at)[:7]):
        inside = list(rows)
        counted = ", ".join(f"{sum(each.action == action for each in inside)} {action}" for action in _ENDS)
        inner = _table(f"Signals that ended in {month}", inside, told)
        yield f"<details><summary>{text(month)}: {counted}</summary>\n{inner}</details>\n"


def _table(caption: str, rows: Sequence[Row], told: Callable[[Row], str]) -> Html:
    return table("signals", caption, COLUMNS, (_row(each, told(each)) for each in rows))


def _row(each: Row, symbol: str) -> str:
    cells = (
        each.action,
        symbol,
        each.position,
        price(each.entry) if each.entry is not None else "market",
        price(each.price) if each.price is not None else "",
        price(each.take_profit),
        price(each.stop_loss),
        result_text(each.percentage) if each.percentage is not None else "",
        each.reason or "",
        "" if each.minutes is None else f"{each.minutes:g}",
        each.note,
        each.signal_id or "",
    )
    return row(text(moment(each.at)), map(text, cells), kind=_kind(each))


def _kind(each: Row) -> str:
    if each.percentage is None:
        return each.action
    return "won" if each.percentage > 0 else "lost" if each.percentage < 0 else "draw"


def _open(each: OpenSignal, symbol: Html) -> str:
    signal = each.signal
    result = each.percentage
    kind = "" if not result else "won" if result > 0 else "lost"
    as_of = "" if each.price_at is None else f" ({moment(each.price_at)})"
    plain = (
        signal.position,
        each.state,
        moment(each.since),
        signal.note,
        price(signal.entry),
        price(signal.take_profit),
        price(signal.stop_loss),
        price(each.price) + as_of,
    )
    return row(symbol, [*map(text, plain), cell(result_text(result), kind=kind), text(signal.id)])
