"""The rows of a report as CSV (RFC 4180: commas, CRLF, quotes doubled). The same report gives the same bytes."""

from __future__ import annotations

import csv
import functools
import io

from .notation import instant, number, shown
from .report import COLUMNS, Report, Row

_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a spreadsheet takes for the beginning of a formula, full width forms included."""


def render_csv(report: Report) -> str:
    """One line an event, under the columns of the Markdown table and that of its exchange; where candles were at hand,
    beside what closed how far it went.

    Numbers in full, what is not known is empty. The provenance is no part of it.
    """
    written = io.StringIO()
    lines = csv.writer(written, lineterminator="\r\n")
    if report.market is None:
        lines.writerow((*COLUMNS, "Exchange"))
        lines.writerows(map(_row, report.rows))
        return written.getvalue()
    seen = {(each.exchange, each.symbol, each.signal_id): each for each in report.market.excursions}
    lines.writerow((*COLUMNS, "Exchange", "MAE", "MFE"))
    for row in report.rows:
        found = seen.get((row.exchange, row.symbol, row.signal_id or "")) if row.action == "closed" else None
        went = ("", "") if found is None else (number(found.adverse), number(found.favourable))
        lines.writerow((*_row(row), *went))
    return written.getvalue()


@functools.lru_cache(maxsize=4096)
def harmless(text: str) -> str:
    """Text from outside on one line; what a spreadsheet would compute begins with an apostrophe."""
    text = shown(text)
    return f"'{text}" if text.lstrip().startswith(_FORMULA) else text


def _row(row: Row) -> tuple[str, ...]:
    texts = (row.action, row.symbol, row.signal_id, row.position, row.note)
    numbers = (row.price, row.entry, row.take_profit, row.stop_loss, row.percentage)
    return (
        instant(row.at),
        *map(_cell, texts),
        *map(_cell, numbers),
        _cell(row.reason),
        _cell(row.minutes),
        _cell(row.exchange),
    )


def _cell(value: float | str | None) -> str:
    if value is None:
        return ""
    return harmless(value) if isinstance(value, str) else number(value)
