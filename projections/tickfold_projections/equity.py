"""Equity, its drawdown and its daily returns, from closed signals.

Each stream is an account of its own that starts at 1 and puts all it has into each signal; the equity of several is
their mean, so each weighs the same at the start and none is topped up. An account that reaches 0 stays there; what is
too large for a number is infinite.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Sequence

import attrs
import msgspec

from tickfold_eventstore.signals import Stream

from .measures import EQUAL
from .trades import Trade

DAY_MS = 86_400_000


class Point(msgspec.Struct, frozen=True, gc=False):
    """The equity right after everything that closed at `at` (ms)."""

    at: int
    equity: float


@attrs.frozen
class Drawdown:
    """The deepest fall from a peak. `depth` is a fraction of the peak; `end_at` is when the peak was reached again,
    or the last close where it was not (`recovered` says which).
    """

    depth: float
    peak_at: int
    trough_at: int
    end_at: int
    recovered: bool


def account_curves(trades: Sequence[Trade], start_at: int) -> dict[Stream, list[Point]]:
    """The equity of each stream by itself, all from the same start; streams in order."""
    apart: dict[Stream, list[Trade]] = {}
    for trade in trades:
        apart.setdefault(trade.stream, []).append(trade)
    return {stream: equity_curve(apart[stream], start_at) for stream in sorted(apart)}


def equity_curve(trades: Sequence[Trade], start_at: int) -> list[Point]:
    """The start (equity 1), then one point for each time at which something closed.

    `trades` in the order of `closed_at`. What closes at one time is one step, so the order of streams means nothing.
    """
    accounts: dict[Stream, float] = dict.fromkeys((trade.stream for trade in trades), 1.0)
    if len(accounts) == 1:
        return _alone(trades, start_at)
    curve = [Point(start_at, 1.0)]
    for at, together in itertools.groupby(trades, key=lambda trade: trade.closed_at):
        for trade in together:
            accounts[trade.stream] *= max(0.0, 1 + trade.percentage / 100)
        curve.append(Point(at, _mean(accounts.values())))
    return curve


def _alone(trades: Sequence[Trade], start_at: int) -> list[Point]:
    """The same of one stream, whose mean is itself."""
    equity, curve = 1.0, [Point(start_at, 1.0)]
    ended_at = None
    for trade in trades:
        growth = 1 + trade.percentage / 100
        equity *= growth if growth > 0 else 0.0
        if trade.closed_at == ended_at:
            curve.pop()
        ended_at = trade.closed_at
        curve.append(Point(ended_at, equity))
    return curve


def _mean(equities: Collection[float]) -> float:
    try:
        return math.fsum(equities) / len(equities)
    except OverflowError:
        return math.inf


def deepest_drawdown(curve: Sequence[Point]) -> Drawdown | None:
    """The deepest fall from a peak to a trough after it, the first of equals; None where the equity never fell.

    A peak is the last time at the top. What is nothing but rounding is no fall.
    """
    deepest: Drawdown | None = None
    peak = trough = curve[0]
    for point in curve:
        if point.equity >= peak.equity * (1 - EQUAL):
            if deepest is not None and deepest.peak_at == peak.at and not deepest.recovered:
                deepest = attrs.evolve(deepest, end_at=point.at, recovered=True)
            peak = trough = Point(point.at, max(peak.equity, point.equity))
        elif point.equity < trough.equity:
            trough = point
            depth = 1 - trough.equity / peak.equity
            if deepest is None or depth > deepest.depth:
                deepest = Drawdown(depth, peak.at, trough.at, curve[-1].at, recovered=False)
    return deepest


def daily_returns(curve: Sequence[Point]) -> list[float]:
    """One fraction for each UTC day from the curve's start to its last close; a day without closes returned 0."""
    first = curve[0].at // DAY_MS
    returns = [0.0] * (curve[-1].at // DAY_MS - first + 1)
    before = curve[0].equity
    for day, points in itertools.groupby(curve, key=lambda point: point.at // DAY_MS):
        *_, last = points
        if before > 0:
            returns[day - first] = last.equity / before - 1
        before = last.equity
    return returns
