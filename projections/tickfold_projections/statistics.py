"""Every number that a report gives, from one pass over the events.

    statistics(events, *, boundaries: Ticks | None = None, start=None, end=None) -> Statistics
    statistics_of(ledger, *, boundaries: Ticks | None = None) -> Statistics

`events`: of any number of streams, each stream's from its first on, in the order of its seq; with `start` or `end`
(ms) those with an `at` in [start, end) count. `boundaries`: what a backtest counted; without it the counts are the
sums of the `ticks` of live records, or unknown where there are none. Percentages are in percent, times in minutes or
days; what each figure is stands in `figures.DEFINITIONS`. No figure is infinite or not a number. Sums are exact
(`math.fsum`), so the order of streams changes no bit.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import msgspec

from tickfold_eventstore.events import Event
from tickfold_eventstore.signals import Ticks

from .equity import DAY_MS, Drawdown, Point, daily_returns, deepest_drawdown, equity_curve
from .figures import CLOSED_NEEDED, DAYS_NEEDED, Figure, figure
from .measures import DAYS_A_YEAR, EQUAL, annual_rate, deviation, downside, mean, median
from .trades import MINUTE_MS, Ledger, Trade, ledger_of


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """Boundaries by what was alive before each (None: not counted), missed slots beside them, and events.

    `at_least`: a crash on the wall clock lost some of the boundaries.
    """

    idle: int | None
    waiting: int | None
    active: int | None
    missed: int | None
    at_least: bool
    scheduled: int
    opened: int
    cancelled: int
    closed: int
    rejected: int

    @property
    def total(self) -> int:
        """Boundaries, as far as they were counted, and events."""
        boundaries = (self.idle or 0) + (self.waiting or 0) + (self.active or 0)
        return boundaries + self.scheduled + self.opened + self.cancelled + self.closed + self.rejected


class Outcomes(msgspec.Struct, frozen=True, kw_only=True):
    """Closed signals that have something in common, or all; `name` says what."""

    name: str
    closed: int
    wins: int
    losses: int
    draws: int
    win_rate: Figure
    average_pnl: Figure
    total_pnl: Figure


class Statistics(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a strategy."""

    counts: Counts
    wins: int
    losses: int
    draws: int
    closed: Figure
    win_rate: Figure
    average_pnl: Figure
    total_pnl: Figure
    median_pnl: Figure
    best_pnl: Figure
    worst_pnl: Figure
    standard_deviation: Figure
    compounded_return: Figure
    profit_factor: Figure
    expectancy: Figure
    payoff_ratio: Figure
    sharpe_per_trade: Figure
    sharpe: Figure
    sortino: Figure
    annual_return: Figure
    max_drawdown: Figure
    max_drawdown_days: Figure
    calmar: Figure
    longest_wins: Figure
    longest_losses: Figure
    current_streak: Figure
    exposure: Figure
    average_minutes: Figure
    median_minutes: Figure
    longest_minutes: Figure
    by_reason: tuple[Outcomes, ...]
    by_side: tuple[Outcomes, ...]
    by_symbol: tuple[Outcomes, ...]


def statistics(
    events: Iterable[Event], *, boundaries: Ticks | None = None, start: int | None = None, end: int | None = None
) -> Statistics:
    """Fold events into every number that a report gives."""
    return statistics_of(ledger_of(events, start, end), boundaries=boundaries)


def statistics_of(ledger: Ledger, *, boundaries: Ticks | None = None) -> Statistics:
    """The numbers of a ledger that `ledger_of` made."""
    trades = ledger.trades
    results = [trade.percentage for trade in trades]
    figures = _results(results) | _streaks(results) | _holding(trades, ledger.first_opened_at or 0)
    return Statistics(
        counts=_counts(ledger, boundaries),
        wins=len([result for result in results if result > 0]),
        losses=len([result for result in results if result < 0]),
        draws=results.count(0.0),
        by_reason=_grouped([trade.reason for trade in trades], results),
        by_side=_grouped([trade.position for trade in trades], results),
        by_symbol=_by_symbol(trades, results),
        **figures,
        **_equity(trades, ledger.first_opened_at or 0),
    )


def _counts(ledger: Ledger, boundaries: Ticks | None) -> Counts:
    ticks = ledger.ticks if boundaries is None else boundaries
    return Counts(
        idle=None if ticks is None else ticks.idle,
        waiting=None if ticks is None else ticks.waiting,
        active=None if ticks is None else ticks.active,
        missed=None if ticks is None else ticks.missed,
        at_least=ledger.counts_lost and boundaries is None,
        **ledger.events,
    )


def _results(results: Sequence[float]) -> dict[str, Figure]:
    """What follows from the results of the signals alone, in whatever order."""
    wins = [result for result in results if result > 0]
    losses = [result for result in results if result < 0]
    none, few = _none(results), _few(results)
    lossless = None if losses else "no signal lost"
    winless = None if wins else "no signal won"
    return {
        "closed": Figure(float(len(results))),
        "win_rate": figure(lambda: 100 * len(wins) / len(results), none),
        "average_pnl": figure(lambda: mean(results), none),
        "total_pnl": figure(lambda: math.fsum(results), none),
        "median_pnl": figure(lambda: median(results), none),
        "best_pnl": figure(lambda: max(results), none),
        "worst_pnl": figure(lambda: min(results), none),
        "standard_deviation": figure(lambda: deviation(results), none, _single(results)),
        "profit_factor": figure(lambda: math.fsum(wins) / -math.fsum(losses), few, lossless),
        "expectancy": figure(lambda: (math.fsum(wins) + math.fsum(losses)) / len(results), none),
        "payoff_ratio": figure(lambda: mean(wins) / -mean(losses), few, lossless, winless),
        "sharpe_per_trade": figure(lambda: mean(results) / deviation(results), few, _alike(results, "result")),
    }


def _equity(trades: Sequence[Trade], start_at: int) -> dict[str, Figure]:
    """What follows from the compounded equity."""
    curve = equity_curve(trades, start_at)
    fall = deepest_drawdown(curve)
    daily = daily_returns(curve)
    days, end = len(daily), curve[-1].equity
    none, overgrown = _none(trades), _overgrown(curve)
    lacks = (_few(trades), None if days >= DAYS_NEEDED else f"{days} of {DAYS_NEEDED} days", overgrown)
    flawless = None if fall else "the equity never fell"
    root = math.sqrt(DAYS_A_YEAR)
    return {
        "compounded_return": figure(lambda: 100 * (end - 1), none, overgrown),
        "annual_return": figure(lambda: 100 * annual_rate(end, days), *lacks),
        "sharpe": figure(lambda: mean(daily) / deviation(daily) * root, *lacks, _alike(daily, "daily return")),
        "sortino": figure(lambda: mean(daily) / downside(daily) * root, *lacks, _undefeated(daily)),
        "max_drawdown": figure(lambda: 100 * _depth(fall), none, overgrown),
        "max_drawdown_days": figure(lambda: _days(fall), none, overgrown),
        "calmar": figure(lambda: annual_rate(end, days) / _depth(fall), *lacks, flawless),
    }


def _streaks(results: Sequence[float]) -> dict[str, Figure]:
    """Runs of wins and of losses, `results` in the order of closing."""
    wins = losses = longest_wins = longest_losses = 0
    for result in results:
        if result > 0:
            wins, losses = wins + 1, 0
            longest_wins = max(longest_wins, wins)
        elif result < 0:
            wins, losses = 0, losses + 1
            longest_losses = max(longest_losses, losses)
        else:
            wins = losses = 0
    return {
        "longest_wins": Figure(float(longest_wins)),
        "longest_losses": Figure(float(longest_losses)),
        "current_streak": Figure(float(wins - losses)),
    }


def _holding(trades: Sequence[Trade], start_at: int) -> dict[str, Figure]:
    """How long signals were held, and how much of the time one was."""
    minutes = [trade.minutes for trade in trades]
    none = _none(trades)
    span = (trades[-1].closed_at - start_at) / MINUTE_MS * len({trade.stream for trade in trades}) if trades else 0
    return {
        "exposure": figure(lambda: 100 * math.fsum(minutes) / span, none, None if span else "no time passed"),
        "average_minutes": figure(lambda: mean(minutes), none),
        "median_minutes": figure(lambda: median(minutes), none),
        "longest_minutes": figure(lambda: max(minutes), none),
    }


def _grouped(names: Sequence[str], results: Sequence[float]) -> tuple[Outcomes, ...]:
    """The results by the names beside them."""
    groups: dict[str, list[float]] = {name: [] for name in sorted(set(names))}
    if len(groups) == 1:
        return (_outcomes(names[0], results),)
    for name, result in zip(names, results, strict=True):
        groups[name].append(result)
    return tuple(_outcomes(name, group) for name, group in groups.items())


def _outcomes(name: str, results: Sequence[float]) -> Outcomes:
    wins = len([result for result in results if result > 0])
    losses = len([result for result in results if result < 0])
    return Outcomes(
        name=name,
        closed=len(results),
        wins=wins,
        losses=losses,
        draws=len(results) - wins - losses,
        win_rate=figure(lambda: 100 * wins / len(results)),
        average_pnl=figure(lambda: mean(results)),
        total_pnl=figure(lambda: math.fsum(results)),
    )


def _by_symbol(trades: Sequence[Trade], results: Sequence[float]) -> tuple[Outcomes, ...]:
    """The symbol is name enough, unless it was traded at several exchanges or by several strategies."""
    streams = {trade.stream for trade in trades}
    plain = len({stream.symbol for stream in streams}) == len(streams)
    names = {stream: stream.symbol if plain else str(stream) for stream in streams}
    return _grouped([names[trade.stream] for trade in trades], results)


def _none(closed: Sequence[object]) -> str | None:
    return None if closed else "no signal closed"


def _few(closed: Sequence[object]) -> str | None:
    return None if len(closed) >= CLOSED_NEEDED else f"{len(closed)} of {CLOSED_NEEDED} closed signals"


def _overgrown(curve: Sequence[Point]) -> str | None:
    return None if all(math.isfinite(point.equity) for point in curve) else "the equity is too large for a number"


def _single(results: Sequence[float]) -> str | None:
    return None if len(results) > 1 else "one signal does not vary"


def _alike(values: Sequence[float], what: str) -> str | None:
    """A ratio to a deviation that is nothing but rounding would be as large as one likes."""
    if values and max(values) - min(values) > EQUAL * max(map(abs, values)):
        return None
    return f"every {what} is the same"


def _undefeated(daily: Sequence[float]) -> str | None:
    return None if min(daily) < -EQUAL * max(map(abs, daily)) else "no day lost"


def _depth(fall: Drawdown | None) -> float:
    return fall.depth if fall else 0.0


def _days(fall: Drawdown | None) -> float:
    return (fall.end_at - fall.peak_at) / DAY_MS if fall else 0.0
