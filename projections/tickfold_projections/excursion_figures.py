"""What the excursions of a report add up to: were stops and targets where the price went?

    excursion_figures(report) -> dict[str, Figure]

Percentages are of the entry, before costs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

import attrs

from .figures import Definition, Figure, figure
from .measures import mean
from .report import Report

EXCURSION_DEFINITIONS = {
    "seen": Definition(
        "Signals seen", "count", "Closed signals whose candles were all at hand; the others are left out."
    ),
    "adverse": Definition(
        "Average MAE", "result", "Maximum adverse excursion: how far the price went against a signal while it was open."
    ),
    "favourable": Definition(
        "Average MFE", "result", "Maximum favourable excursion: how far the price went in favour of a signal."
    ),
    "adverse_of_wins": Definition(
        "Average MAE of wins",
        "result",
        "How much a win had to bear first: a stop nearer than that would have ended it.",
    ),
    "favourable_of_losses": Definition("Average MFE of losses", "result", "How far losses had been ahead."),
    "edge": Definition("Edge ratio", "ratio", "Average MFE / average MAE without its sign."),
    "captured": Definition(
        "Captured by wins", "share", "What wins moved to their exit, of how far they had been ahead."
    ),
    "turned": Definition(
        "Losses that had been profits", "share", "Losses whose MFE was over what their costs took, of all losses."
    ),
}
"""By their names in `excursion_figures`, in the order of tables."""


@attrs.frozen
class Reach:
    """A closed signal with its result, net, what it moved before costs, and its excursions, in percent."""

    symbol: str
    exchange: str
    closed_at: int
    result: float
    moved: float
    adverse: float
    favourable: float


def reaches(report: Report) -> list[Reach]:
    """The closed signals whose excursions are known, in the order of closing."""
    if report.market is None:
        return []
    seen = {(each.exchange, each.symbol, each.signal_id): each for each in report.market.excursions}
    found: list[Reach] = []
    for row in report.rows:
        each = seen.get((row.exchange, row.symbol, row.signal_id or "")) if row.action == "closed" else None
        if each is None or row.percentage is None or row.price is None or not isinstance(row.entry, float | int):
            continue
        moved = 100 * (row.price / row.entry - 1) * (1 if row.position == "long" else -1)
        found.append(Reach(row.symbol, row.exchange, row.at, row.percentage, moved, each.adverse, each.favourable))
    return found


def excursion_figures(report: Report) -> dict[str, Figure]:
    """Every figure of `EXCURSION_DEFINITIONS`."""
    found = reaches(report)
    wins, losses = [each for each in found if each.result > 0], [each for each in found if each.result < 0]
    none = None if found else "no signal with candles closed"
    winless, lossless = None if wins else "no signal won", None if losses else "no signal lost"
    against, ahead = _all(found, lambda each: each.adverse), _all(found, lambda each: each.favourable)
    turned = sum(each.favourable > each.moved - each.result for each in losses)
    return {
        "seen": Figure(float(len(found))),
        "adverse": figure(lambda: mean(against), none),
        "favourable": figure(lambda: mean(ahead), none),
        "adverse_of_wins": figure(lambda: mean(_all(wins, lambda each: each.adverse)), none, winless),
        "favourable_of_losses": figure(lambda: mean(_all(losses, lambda each: each.favourable)), none, lossless),
        "edge": figure(lambda: mean(ahead) / -mean(against), none),
        "captured": figure(
            lambda: 100 * math.fsum(each.moved for each in wins) / math.fsum(each.favourable for each in wins),
            *(none, winless),
        ),
        "turned": figure(lambda: 100 * turned / len(losses), none, lossless),
    }


def _all(found: Iterable[Reach], what: Callable[[Reach], float]) -> Sequence[float]:
    return [what(each) for each in found]
