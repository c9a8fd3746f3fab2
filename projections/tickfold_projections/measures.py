"""Short formulas over plain numbers. Sums are exact (`math.fsum`), so the order of the values changes no bit."""

from __future__ import annotations

import math
from collections.abc import Sequence

DAYS_A_YEAR = 365

EQUAL = 1e-9
"""Numbers that differ by less than this, relative to the largest, are the same: what is left is rounding."""


def mean(values: Sequence[float]) -> float:
    """Sum / n."""
    return math.fsum(values) / len(values)


def median(values: Sequence[float]) -> float:
    """The value in the middle; of an even number, the mean of the two."""
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def deviation(values: Sequence[float]) -> float:
    """Standard deviation of a sample: n - 1 as divisor. Exactly 0 where all values are the same."""
    if min(values) == max(values):
        return 0.0
    middle = mean(values)
    return math.sqrt(math.fsum([(value - middle) ** 2 for value in values]) / (len(values) - 1))


def downside(values: Sequence[float]) -> float:
    """Root of the mean square of the values under 0, over all n of them."""
    return math.sqrt(math.fsum([value**2 for value in values if value < 0]) / len(values))


def annual_rate(growth: float, days: int) -> float:
    """The return a year, as a fraction, that gives `growth` (end / start) in so many days."""
    return float(growth ** (DAYS_A_YEAR / days)) - 1
