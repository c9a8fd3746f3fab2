"""A figure: a value, or the reason why there is none; and what each figure of the statistics means."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

import attrs
import msgspec

Unit = Literal["count", "share", "percent", "result", "ratio", "milliseconds", "minutes", "days"]
"""`share` is a percentage of a whole; `result` one that may be a loss: it is written with its sign."""

CLOSED_NEEDED = 10
"""Ratios need at least so many closed signals."""

DAYS_NEEDED = 14
"""Annualised figures need at least so many UTC days."""


class Figure(msgspec.Struct, frozen=True, omit_defaults=True):
    """`value` is finite, or None and then `reason` says why."""

    value: float | None
    reason: str | None = None


def figure(value: Callable[[], float], *lacks: str | None) -> Figure:
    """The value, or the first of the reasons why it has none."""
    for lack in lacks:
        if lack is not None:
            return Figure(None, lack)
    try:
        known = float(value())
    except OverflowError:
        known = math.inf
    except ZeroDivisionError:
        return Figure(None, "what it is a ratio to is too small for a number")
    return finite(known)


def finite(value: float) -> Figure:
    """The value, unless it is too large for a number."""
    return Figure(value) if math.isfinite(value) else Figure(None, "it is too large for a number")


@attrs.frozen
class Definition:
    """How a figure is called, in what it is measured, and what it is."""

    title: str
    unit: Unit
    text: str


DEFINITIONS = {
    "closed": Definition("Closed signals", "count", "Signals that were opened and have ended."),
    "win_rate": Definition(
        "Win rate", "share", "Closed signals with a PNL over 0 (W), of all closed; L is under 0, a draw exactly 0."
    ),
    "average_pnl": Definition("Average PNL", "result", "Mean of the net PNL of the closed signals, in percent."),
    "total_pnl": Definition(
        "Total PNL", "result", "Sum of the net PNL: the result where each signal has the same stake."
    ),
    "median_pnl": Definition("Median PNL", "result", "The PNL in the middle; of an even number, the mean of the two."),
    "best_pnl": Definition("Best PNL", "result", "The largest PNL of one signal."),
    "worst_pnl": Definition("Worst PNL", "result", "The smallest PNL of one signal."),
    "standard_deviation": Definition(
        "Standard deviation", "percent", "Of the PNL of the closed signals, with n - 1 as divisor."
    ),
    "compounded_return": Definition(
        "Compounded return",
        "result",
        "Change of the equity where each symbol starts with the same amount and puts all it has into each of its "
        "signals; the mean over the symbols that closed one. What reaches 0 stays there.",
    ),
    "profit_factor": Definition("Profit factor", "ratio", "Sum of the wins / sum of the losses without their sign."),
    "expectancy": Definition(
        "Expectancy",
        "result",
        "Share of wins × average win + share of losses × average loss: the PNL to expect of one signal.",
    ),
    "payoff_ratio": Definition("Payoff ratio", "ratio", "Average win / average loss without its sign."),
    "sharpe_per_trade": Definition(
        "Sharpe ratio (per trade)", "ratio", "Average PNL / standard deviation; risk-free rate 0."
    ),
    "sharpe": Definition(
        "Sharpe ratio (annualised)",
        "ratio",
        "Mean / standard deviation (n - 1) of the daily returns of the equity, × √365; risk-free rate 0. "
        "Days are UTC, by the time of closing, from the first opening to the last closing; a day without one counts 0.",
    ),
    "sortino": Definition(
        "Sortino ratio (annualised)",
        "ratio",
        "Mean of the daily returns / root of the mean square of those under 0 (over all days), × √365.",
    ),
    "annual_return": Definition(
        "Annual return", "result", "The compounded return as a rate a year: equity at the end ^ (365 / days) - 1."
    ),
    "max_drawdown": Definition(
        "Max drawdown",
        "percent",
        "Deepest fall of the compounded equity from a peak to a trough after it, of the peak.",
    ),
    "max_drawdown_days": Definition(
        "Max drawdown duration", "days", "From that peak until the equity was back at it, or to the last close."
    ),
    "calmar": Definition("Calmar ratio", "ratio", "Annual return / max drawdown."),
    "longest_wins": Definition("Longest winning streak", "count", "Most wins in a row, by the time of closing."),
    "longest_losses": Definition("Longest losing streak", "count", "Most losses in a row, by the time of closing."),
    "current_streak": Definition(
        "Current streak", "count", "Wins (or, with a minus, losses) in a row up to the last close; a draw is 0."
    ),
    "exposure": Definition(
        "Exposure",
        "share",
        "Share of the time from the first opening to the last closing that was spent in signals that closed; the mean "
        "over the symbols that closed one.",
    ),
    "average_minutes": Definition("Average holding time", "minutes", "Mean time from opening to closing."),
    "median_minutes": Definition("Median holding time", "minutes", "The holding time in the middle."),
    "longest_minutes": Definition("Longest holding time", "minutes", "The longest time from opening to closing."),
}
"""Every figure of `Statistics`, by the name of its field, in the order of reports."""

TOTAL_EVENTS = Definition(
    "Total events",
    "count",
    "Boundaries handled, by what was alive before each (idle: nothing), and the events that they led to. Starts and "
    "stops of the program are no events of the strategy.",
)
