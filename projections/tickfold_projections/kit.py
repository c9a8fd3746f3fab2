"""The figures of backtest-kit's own reports, by its definitions (release 19.5), so that its users can compare.

    kit_figures(report) -> dict[str, Figure]

Where that library calls a figure unknown it is unknown here, by the limits of this project: fewer than 10 closed
signals for ratios, under 14 days for what is annualised. It puts no more than one account behind all symbols of a
report, in the order of closing.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence

import attrs

from .equity import DAY_MS
from .figures import CLOSED_NEEDED, DAYS_NEEDED, Definition, Figure, figure
from .measures import DAYS_A_YEAR, EQUAL, deviation, downside, mean, median
from .report import Report, Row
from .told import opened_at

KIT_DEFINITIONS = {
    "events": Definition("Total events", "count", "Rows of the table."),
    "closed": Definition("Closed signals", "count", "Signals that have ended."),
    "win_rate": Definition("Win rate", "share", "Wins, of wins and losses; a result of exactly 0 is neither."),
    "average": Definition("Average PNL", "result", "Mean of the net results."),
    "total": Definition("Total PNL", "result", "Sum of the net results."),
    "deviation": Definition("Standard Deviation Per Trade", "percent", "Of the net results, n - 1 as divisor."),
    "sharpe": Definition("Sharpe Ratio", "ratio", "Average / standard deviation of the results."),
    "annual_sharpe": Definition(
        "Annualized Sharpe Ratio",
        "ratio",
        "That × √(signals a year), counted from the first opening to the last closing. Tickfold's own reports take "
        "daily returns instead.",
    ),
    "certainty": Definition("Certainty Ratio", "ratio", "Average win / average loss without its sign."),
    "yearly": Definition(
        "Expected Yearly Returns", "result", "The compounded result as a rate a year: equity ^ (365 / days) - 1."
    ),
    "peak": Definition(
        "Avg Peak PNL", "result", "Mean of the best result that each signal was at while it was open, after its costs."
    ),
    "fall": Definition("Avg Max Drawdown PNL", "result", "Mean of the worst one."),
    "sortino": Definition(
        "Sortino Ratio", "ratio", "Average / root of the mean square of the losses, over all signals."
    ),
    "calmar": Definition("Calmar Ratio", "ratio", "Expected yearly returns / max drawdown."),
    "recovery": Definition("Recovery Factor", "ratio", "Compounded result / max drawdown."),
    "max_drawdown": Definition(
        "Max Drawdown",
        "percent",
        "Deepest fall of the compounded equity, in which each signal counts with the worst that it was at (where "
        "candles were at hand) before it counts with its result.",
    ),
    "expectancy": Definition("Expectancy", "result", "Share of wins × average win + share of losses × average loss."),
    "median": Definition("Median PNL", "result", "The result in the middle."),
    "minutes": Definition("Avg Duration", "minutes", "Mean time from opening to closing."),
    "win_minutes": Definition("Avg Win Duration", "minutes", "The same of the wins."),
    "loss_minutes": Definition("Avg Loss Duration", "minutes", "The same of the losses."),
    "win_run": Definition("Avg Consecutive Win PNL", "result", "Mean of what each row of wins made together."),
    "loss_run": Definition("Avg Consecutive Loss PNL", "result", "Mean of what each row of losses made together."),
}
"""By their names in `kit_figures`, in the order of its reports."""

_UNSEEN = "it takes candles: give --exchange SOURCE"


@attrs.frozen
class _Ended:
    """A closed signal: its result, when it was open, and the worst and the best that it was at, if that is known."""

    result: float
    opened_at: int
    closed_at: int
    worst: float | None
    best: float | None

    @property
    def minutes(self) -> float:
        return (self.closed_at - self.opened_at) / 60_000


def kit_figures(report: Report) -> dict[str, Figure]:
    """Every figure of `KIT_DEFINITIONS` but for `events`, which depends on the table."""
    ended = list(_ended(report))
    results = [each.result for each in ended]
    wins, losses = [r for r in results if r > 0], [r for r in results if r < 0]
    none = None if ended else "no signal closed"
    few = None if len(ended) >= CLOSED_NEEDED else f"{len(ended)} of {CLOSED_NEEDED} closed signals"
    return {
        "closed": Figure(float(len(ended))),
        "win_rate": figure(
            lambda: 100 * len(wins) / (len(wins) + len(losses)), none, _missing(wins + losses, "is decided")
        ),
        "average": figure(lambda: mean(results), none),
        "total": figure(lambda: math.fsum(results), none),
        "deviation": figure(lambda: deviation(results), few),
        "sharpe": figure(lambda: mean(results) / deviation(results), few, _alike(results)),
        "certainty": figure(lambda: (mean(wins) if wins else 0.0) / -mean(losses), few, _missing(losses, "lost")),
        "sortino": figure(lambda: mean(results) / downside(results), few, _missing(losses, "lost")),
        "expectancy": figure(lambda: (math.fsum(wins) + math.fsum(losses)) / len(results), few),
        "median": figure(lambda: median(results), none),
        "peak": _average([each.best for each in ended if each.best is not None], none),
        "fall": _average([each.worst for each in ended if each.worst is not None], none),
        **_durations(ended, none),
        **_runs(results),
        **_compounded(ended, few),
    }


def _ended(report: Report) -> Iterator[_Ended]:
    seen = {}
    if report.market is not None:
        seen = {(each.exchange, each.symbol, each.signal_id): each for each in report.market.excursions}
    for row in report.rows:
        if row.action == "closed" and row.percentage is not None:
            found = seen.get((row.exchange, row.symbol, row.signal_id or ""))
            # What the close cost is taken off everywhere: it differs by no more than the slippage of the way between.
            cost = _gross(row) - row.percentage
            worst, best = (None, None) if found is None else (found.adverse - cost, found.favourable - cost)
            yield _Ended(row.percentage, opened_at(row), row.at, worst, best)


def _gross(row: Row) -> float:
    if not isinstance(row.entry, float | int) or row.price is None:
        return row.percentage or 0.0
    moved = 100 * (row.price / row.entry - 1)
    return moved if row.position == "long" else -moved


def _average(values: Sequence[float], none: str | None) -> Figure:
    return figure(lambda: mean(values), none, None if values else _UNSEEN)


def _durations(ended: Sequence[_Ended], none: str | None) -> dict[str, Figure]:
    won = [each.minutes for each in ended if each.result > 0]
    lost = [each.minutes for each in ended if each.result < 0]
    return {
        "minutes": figure(lambda: mean([each.minutes for each in ended]), none),
        "win_minutes": figure(lambda: mean(won), none, _missing(won, "won")),
        "loss_minutes": figure(lambda: mean(lost), none, _missing(lost, "lost")),
    }


def _runs(results: Sequence[float]) -> dict[str, Figure]:
    sums: dict[int, list[float]] = {1: [], 0: [], -1: []}
    for sign, run in itertools.groupby(results, key=lambda result: (result > 0) - (result < 0)):
        sums[sign].append(math.fsum(run))
    return {
        "win_run": figure(lambda: mean(sums[1]), _missing(sums[1], "won")),
        "loss_run": figure(lambda: mean(sums[-1]), _missing(sums[-1], "lost")),
    }


def _compounded(ended: Sequence[_Ended], few: str | None) -> dict[str, Figure]:
    """What follows from the equity: each signal is at its worst first, then at its result."""
    equity = peak = 1.0
    fall = 0.0
    for each in ended:
        lowest = equity * max(0.0, 1 + min(each.worst or 0.0, each.result) / 100)
        equity *= max(0.0, 1 + each.result / 100)
        fall = max(fall, 1 - lowest / peak) if peak else fall
        peak = max(peak, equity)
    days = (ended[-1].closed_at - min(each.opened_at for each in ended)) / DAY_MS if ended else 0.0
    short = None if days >= DAYS_NEEDED else f"{days:.1f} of {DAYS_NEEDED} days"
    flawless = None if fall > EQUAL else "the equity never fell"
    results = [each.result for each in ended]

    def yearly() -> float:
        return 100 * (float(equity ** (DAYS_A_YEAR / days)) - 1)

    return {
        "annual_sharpe": figure(
            lambda: mean(results) / deviation(results) * math.sqrt(len(results) * DAYS_A_YEAR / days),
            *(few, short, _alike(results)),
        ),
        "yearly": figure(yearly, few, short),
        "calmar": figure(lambda: yearly() / (100 * fall), few, short, flawless),
        "recovery": figure(lambda: (equity - 1) / fall, few, flawless),
        "max_drawdown": figure(lambda: 100 * fall, None if ended else "no signal closed"),
    }


def _missing(some: Sequence[float], did: str) -> str | None:
    return None if some else f"no signal {did}"


def _alike(results: Sequence[float]) -> str | None:
    if results and max(results) - min(results) > EQUAL * max(map(abs, results)):
        return None
    return "every result is the same"
