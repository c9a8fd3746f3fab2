"""Time in minutes and what a candle is worth: intervals, the average price, higher intervals.

Each number is computed by one function, in live and in backtest, summing in one order: so its bits are the same.
"""

from __future__ import annotations

import re
from functools import lru_cache

import numpy as np

from .candles import Candles, Floats
from .errors import DeclarationError

MINUTE_MS = 60_000
AVERAGED = 5
"""How many closed candles the average price is made of."""

_UNITS = {"m": 1, "h": 60, "d": 1440}
_INTERVAL = re.compile(r"([1-9][0-9]{0,5})([mhd])", re.ASCII)


@lru_cache(maxsize=256)
def parse_interval(interval: str) -> int:
    """Minutes of an interval such as 15m, 1h or 1d; raises `DeclarationError` for anything else."""
    found = _INTERVAL.fullmatch(str(interval))
    if found is None:
        raise DeclarationError(f"{interval!r} is no interval: write a number and m, h or d, such as 1m, 15m, 1h, 1d")
    return int(found[1]) * _UNITS[found[2]]


def average_price(candles: Candles, end: int) -> float:
    """The price averaged over the five candles before index `end`: typical prices, weighted by volume.

    typical = (high + low + close) / 3; the mean of the closes where nothing was traded.
    """
    part = candles[end - AVERAGED : end]
    return float(average_prices(part)[-1])


def average_prices(candles: Candles) -> Floats:
    """The average price after each candle, from the fifth on (so four fewer than there are candles)."""
    typical = (candles.high + candles.low + candles.close) / 3
    traded = _sum_of_five(candles.volume)
    with np.errstate(divide="ignore", invalid="ignore"):
        weighted = _sum_of_five(typical * candles.volume) / traded
    prices: Floats = np.where(traded == 0, _sum_of_five(candles.close) / AVERAGED, weighted)
    return prices


def _sum_of_five(values: Floats) -> Floats:
    """Sums of five neighbours, each added oldest first: not a difference of running sums, which has other bits."""
    total = values[: len(values) - AVERAGED + 1].copy()
    for offset in range(1, AVERAGED):
        total += values[offset : len(values) - AVERAGED + 1 + offset]
    return total


def resample(candles: Candles, minutes: int) -> Candles:
    """Candles of `minutes` from contiguous one-minute candles: groups aligned to the epoch, complete ones only.

    Raises `ValueError` where a minute is missing. Volume is summed oldest first, whatever stands beside the group.
    """
    if minutes == 1 or not len(candles):
        return candles
    if int(candles.time[-1]) - int(candles.time[0]) != (len(candles) - 1) * MINUTE_MS:
        raise ValueError("candles are not contiguous: a minute is missing")
    skip = -(int(candles.time[0]) // MINUTE_MS) % minutes
    groups = max(0, len(candles) - skip) // minutes
    time, opening, high, low, close, volume = (
        column[skip : skip + groups * minutes].reshape(groups, minutes) for column in candles.arrays
    )
    return Candles.of_arrays(
        time[:, 0].copy(),
        opening[:, 0].copy(),
        high.max(axis=1),
        low.min(axis=1),
        close[:, -1].copy(),
        np.add.accumulate(volume, axis=1)[:, -1].copy(),
        name=candles.name,
    )
