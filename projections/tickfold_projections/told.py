"""The closed signals that a report tells, as trades again, so that curves and tables fold the same rows.

trades_of(report) -> list[Trade]          in the order of closing, as a ledger has them
curve_of(report) -> list[Point]           the equity behind its compounded return and its drawdown
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from tickfold_eventstore.events import CloseReason
from tickfold_eventstore.signals import Position, Stream

from .equity import Point, equity_curve
from .report import Report, Row
from .trades import MINUTE_MS, Trade


def trades_of(report: Report) -> list[Trade]:
    """One trade for each row that closed a signal."""
    streams: dict[tuple[str, str], Stream] = {}
    closed = [
        _trade(streams, report.strategy, row, row.percentage)
        for row in report.rows
        if row.action == "closed" and row.percentage is not None
    ]
    closed.sort(key=lambda trade: (trade.closed_at, trade.stream))
    return closed


def curve_of(report: Report, trades: Sequence[Trade] | None = None) -> list[Point]:
    """The equity from the first opening on; the start alone where nothing closed. `trades`: those of the report."""
    trades = trades_of(report) if trades is None else trades
    opened = [trade.opened_at for trade in trades] + [row.at for row in report.rows if row.action == "opened"]
    return equity_curve(trades, min(opened, default=0))


def opened_at(row: Row) -> int:
    """When the signal of a row that closed one was opened, in ms."""
    return row.at - round((row.minutes or 0) * MINUTE_MS)


def _trade(streams: dict[tuple[str, str], Stream], strategy: str, row: Row, percentage: float) -> Trade:
    place = (row.exchange, row.symbol)
    stream = streams.get(place) or streams.setdefault(place, Stream(row.exchange, strategy, row.symbol))
    # A row has the words of the event that it tells, as text.
    position, reason = cast("Position", row.position), cast("CloseReason", row.reason)
    return Trade(stream, position, reason, percentage, opened_at(row), row.at)
