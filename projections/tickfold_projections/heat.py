"""How each symbol did: symbols × statistics.

    heat(strategy, events, *, start=None, end=None) -> Heat
    heat_of(strategy, trades, together) -> Heat

`events` and the range are those of a report. A line is what the statistics of its stream alone would say; the last,
`together`, what they say of all.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

import msgspec

from tickfold_eventstore.events import Event

from .figures import Figure
from .statistics import Statistics, statistics_of
from .trades import Ledger, Trade, ledger_of

COLUMNS = (
    "closed",
    "win_rate",
    "average_pnl",
    "total_pnl",
    "best_pnl",
    "worst_pnl",
    "profit_factor",
    "compounded_return",
    "max_drawdown",
    "sharpe_per_trade",
    "exposure",
    "average_minutes",
)
"""The figures of a line, by their names in `figures.DEFINITIONS`."""


class HeatLine(msgspec.Struct, frozen=True, kw_only=True):
    """The closed signals of one symbol at one exchange, in figures."""

    exchange: str
    symbol: str
    closed: Figure
    win_rate: Figure
    average_pnl: Figure
    total_pnl: Figure
    best_pnl: Figure
    worst_pnl: Figure
    profit_factor: Figure
    compounded_return: Figure
    max_drawdown: Figure
    sharpe_per_trade: Figure
    exposure: Figure
    average_minutes: Figure


class Heat(msgspec.Struct, frozen=True, kw_only=True):
    """A line for each symbol that closed a signal, in the order of exchange and symbol, and the figures of all."""

    strategy: str
    symbols: tuple[HeatLine, ...]
    together: dict[str, Figure]


def heat(strategy: str, events: Iterable[Event], *, start: int | None = None, end: int | None = None) -> Heat:
    """Fold the events of a strategy; with `start` or `end` (ms) what closed in [start, end) counts."""
    ledger = ledger_of(events, start, end)
    return heat_of(strategy, ledger.trades, statistics_of(ledger))


def heat_of(strategy: str, trades: Sequence[Trade], together: Statistics) -> Heat:
    """The heat of closed signals, which stand in the order of closing, and of which `together` tells."""
    by_stream = sorted(trades, key=lambda trade: trade.stream)
    return Heat(
        strategy=strategy,
        symbols=tuple(
            HeatLine(exchange=stream.exchange, symbol=stream.symbol, **_figures(_alone(list(closed))))
            for stream, closed in itertools.groupby(by_stream, key=lambda trade: trade.stream)
        ),
        together=_figures(together),
    )


def _alone(trades: Sequence[Trade]) -> Statistics:
    ledger = Ledger()
    ledger.trades = list(trades)
    ledger.first_opened_at = min(trade.opened_at for trade in trades)
    return statistics_of(ledger)


def _figures(statistics: Statistics) -> dict[str, Figure]:
    return {name: getattr(statistics, name) for name in COLUMNS}
