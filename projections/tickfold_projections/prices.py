"""What candles add to a report, as data: how the price went, and how far each signal was in profit and in loss.

Percentages are of the entry, before costs; times are ms.
"""

from __future__ import annotations

import msgspec


class PricePoint(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Some minutes of a market, from `at` on: the lowest and the highest price in them, and the last."""

    at: int
    low: float
    high: float
    close: float


class Stretch(msgspec.Struct, frozen=True, kw_only=True):
    """The price of a symbol while some of its signals were open: those opened in [`first_at`, `last_at`], in the order
    of time. `points` reach from before the first of them to behind the end of the last.
    """

    exchange: str
    symbol: str
    first_at: int
    last_at: int
    points: tuple[PricePoint, ...]


class Excursion(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How far the price went against a signal (0 or less) and in favour of it (0 or more) while it was open."""

    exchange: str
    symbol: str
    signal_id: str
    adverse: float
    favourable: float


class Market(msgspec.Struct, frozen=True, kw_only=True):
    """`excursions` are in the order of closing; a signal whose candles are not all there has none."""

    stretches: tuple[Stretch, ...]
    excursions: tuple[Excursion, ...]
