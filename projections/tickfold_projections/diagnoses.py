"""What stands out in a report, in words: each a rule with its evidence, and none of them advice.

    diagnoses(report) -> list[str]

A rule speaks only where it has enough to speak of; the numbers that it compares with stand below, once.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import msgspec

from .equity import Point, deepest_drawdown
from .measures import deviation, mean, median
from .notation import instant
from .report import Report, Row
from .statistics import Statistics
from .told import curve_of

CLOSED_TO_TELL = 30
"""Fewer closed signals say little about the next one."""

ERRORS_TO_TELL = 2
"""A mean nearer to nothing than so many standard errors is what luck alone often gives."""

CLOSED_TO_COMPARE = 10
"""Shares of fewer signals are no shares."""

MANY_EXPIRED = 50
"""Percent of the closed signals that ran into their lifetime."""

FEW_FILLED = 50
"""Percent of the limit entries that were filled."""

LARGEST = 1e12
"""No market gives a result over so many percent: where one stands in a report, nothing is said."""

COSTLY = 25
"""Percent of the way to the stop that costs take."""


class _Paid(msgspec.Struct, frozen=True, gc=False):
    """A closed signal: its result before costs, what they took, and how far the stop was, in percent of the entry."""

    net: float
    cost: float
    risk: float


def diagnoses(report: Report, curve: Sequence[Point] | None = None) -> list[str]:
    """A sentence for each rule that applies. `curve`: the equity of the report, where it is at hand already."""
    closed = [row for row in report.rows if row.action == "closed" and row.percentage is not None]
    if any(abs(result) > LARGEST for result in _results(closed)):
        return []
    found = (_few(closed), _luck(closed), _one(closed), _expired(closed), _unfilled(report.rows), *_costs(closed))
    return [
        each
        for each in (*found, _sunk(curve_of(report) if curve is None else curve), *_against(report, closed))
        if each is not None
    ]


def _few(closed: Sequence[Row]) -> str | None:
    if not 0 < len(closed) < CLOSED_TO_TELL:
        return None
    counted = "1 signal" if len(closed) == 1 else f"{len(closed)} signals"
    return f"Too few to tell: {counted} closed, and under {CLOSED_TO_TELL} say little about the next one."


def _luck(closed: Sequence[Row]) -> str | None:
    """Student's t of the mean against nothing."""
    results = _results(closed)
    if len(results) < CLOSED_TO_TELL:
        return None
    average, error = mean(results), deviation(results) / math.sqrt(len(results))
    if not error or abs(average) >= ERRORS_TO_TELL * error:
        return None
    return (
        f"It may be luck: the average result, {average:+.4f} %, is {abs(average) / error:.1f} standard errors from "
        f"nothing, and under {ERRORS_TO_TELL} are common by chance."
    )


def _one(closed: Sequence[Row]) -> str | None:
    results = _results(closed)
    if len(results) < 2:
        return None
    best = max(results)
    total, rest = math.fsum(results), math.fsum([*results, -best])
    if total <= 0 or rest > 0:
        return None
    (row, *_) = (row for row in closed if row.percentage == best)
    return (
        f"All the profit is from one signal: {best:+.2f} % in {row.symbol}, closed at {instant(row.at)}; "
        f"the others together made {rest:+.2f} %."
    )


def _expired(closed: Sequence[Row]) -> str | None:
    expired = [row for row in closed if row.reason == "time_expired"]
    if len(closed) < CLOSED_TO_COMPARE or 100 * len(expired) < MANY_EXPIRED * len(closed):
        return None
    return (
        f"Many time exits: {len(expired)} of {len(closed)} closed signals reached neither target nor stop within their "
        f"lifetime; their average is {mean(_results(expired)):+.4f} %."
    )


def _unfilled(rows: Sequence[Row]) -> str | None:
    """Entries that were scheduled before the range are not seen to be entries, and are left out."""
    entries = {row.signal_id for row in rows if row.action == "scheduled"}
    ended = [row.action for row in rows if row.signal_id in entries and row.action in {"opened", "cancelled"}]
    filled = ended.count("opened")
    if len(ended) < CLOSED_TO_COMPARE or 100 * filled >= FEW_FILLED * len(ended):
        return None
    return f"The waiting entry rarely fills: {filled} of {len(ended)} limit entries were filled."


def _costs(closed: Sequence[Row]) -> Iterator[str]:
    paid = [each for each in map(_paid, closed) if each is not None]
    if len(paid) < CLOSED_TO_COMPARE:
        return
    cost, risk = mean([each.cost for each in paid]), median([each.risk for each in paid])
    if 100 * cost >= COSTLY * risk:
        yield (
            f"Stops are near for the costs: fees and slippage take {cost:.2f} % a signal, the stop is "
            f"{risk:.2f} % away (median)."
        )
    net, gross = math.fsum(each.net for each in paid), math.fsum(each.net + each.cost for each in paid)
    if net <= 0 < gross:
        yield f"Costs ate the profit: {gross:+.2f} % before fees and slippage, {net:+.2f} % after."


def _paid(row: Row) -> _Paid | None:
    entry, stop, price, net = row.entry, row.stop_loss, row.price, row.percentage
    if not isinstance(entry, float | int) or not isinstance(stop, float | int) or price is None or net is None:
        return None
    moved = 100 * (price / entry - 1)
    if moved > LARGEST:
        return None
    gross = moved if row.position == "long" else -moved
    return _Paid(net=net, cost=gross - net, risk=100 * abs(entry - stop) / entry)


def _sunk(curve: Sequence[Point]) -> str | None:
    fall = deepest_drawdown(curve)
    if fall is None or fall.recovered:
        return None
    return (
        f"The deepest fall is still open: {100 * fall.depth:.2f} % from the peak at {instant(fall.peak_at)}, "
        "not made good by the last close."
    )


def _against(report: Report, closed: Sequence[Row]) -> Iterator[str]:
    """The two means, and, where both know the same signals, what became of them."""
    against = report.against
    if against is None:
        return
    if (worse := _worse(_results(closed), against.statistics)) is not None:
        yield worse
    if against.differing and against.here < against.there:
        yield (
            f"The same signals ended worse than in the backtest: {against.differing} of {against.shared} otherwise, "
            f"{against.here:+.2f} % here, {against.there:+.2f} % there."
        )
    if against.shared and against.missed:
        yield (
            f"Signals of the backtest are missing: {against.missed} that closed there in this time did not here; "
            f"{against.shared} did in both."
        )


def _worse(here: Sequence[float], there: Statistics) -> str | None:
    """Welch's t of the two means."""
    count, average, spread = there.closed.value or 0, there.average_pnl.value, there.standard_deviation.value
    if len(here) < CLOSED_TO_COMPARE or count < CLOSED_TO_COMPARE or average is None or spread is None:
        return None
    if max(abs(average), spread) > LARGEST:
        return None
    error = math.sqrt(deviation(here) ** 2 / len(here) + spread**2 / count)
    lag = average - mean(here)
    if lag <= 0 or lag < ERRORS_TO_TELL * error:
        return None
    errors = f"; that is {lag / error:.1f} standard errors" if error else ", and neither varies"
    return (
        f"Live is worse than its backtest: on average {mean(here):+.4f} % over {len(here)} signals, "
        f"there {average:+.4f} % over {count:g}{errors}."
    )


def _results(closed: Sequence[Row]) -> list[float]:
    return [row.percentage for row in closed if row.percentage is not None]
