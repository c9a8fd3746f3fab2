"""A live run beside its backtest: the same signals, and what became of them in either.

    beside_backtest(report, backtest) -> Report

A signal has one id in both, as long as exchange, strategy and symbol are named alike; without that, only their figures
can be compared. Only the time that the report tells of counts.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import msgspec

from .measures import EQUAL
from .report import Against, Report, Row

Signal = tuple[str, str, str]
"""Exchange, symbol and id."""


def beside_backtest(report: Report, backtest: Report) -> Report:
    """The report with what its backtest says of the same signals."""
    here, there = dict(_closed(report)), dict(_closed(backtest))
    first, last = (report.rows[0].at, report.rows[-1].at) if report.rows else (0, -1)
    shared = [signal for signal in here if signal in there]
    pairs = [(here[signal].percentage or 0.0, there[signal].percentage or 0.0) for signal in shared]
    against = Against(
        statistics=backtest.statistics,
        shared=len(shared),
        differing=sum(abs(mine - its) > EQUAL * max(1.0, abs(mine), abs(its)) for mine, its in pairs),
        here=math.fsum(mine for mine, _ in pairs),
        there=math.fsum(its for _, its in pairs),
        missed=sum(signal not in here and first <= row.at <= last for signal, row in there.items()),
        extra=sum(signal not in there for signal in here),
    )
    return msgspec.structs.replace(report, against=against)


def _closed(report: Report) -> Iterator[tuple[Signal, Row]]:
    for row in report.rows:
        if row.action == "closed" and row.percentage is not None:
            yield (row.exchange, row.symbol, row.signal_id or ""), row
