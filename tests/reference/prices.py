"""Candles, windows and prices of the plain backtest: loops over tuples, one number added after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import attrs
import numpy as np

MINUTE = 60_000

Candle = tuple[int, float, float, float, float, float]
"""Open time in ms, open, high, low, close, volume: one minute."""

TIME: Final = 0
OPEN: Final = 1
HIGH: Final = 2
LOW: Final = 3
CLOSE: Final = 4
VOLUME: Final = 5


@attrs.frozen
class Window:
    """Columns of a window, oldest first."""

    time: np.ndarray[Any, Any]
    open: np.ndarray[Any, Any]
    high: np.ndarray[Any, Any]
    low: np.ndarray[Any, Any]
    close: np.ndarray[Any, Any]
    volume: np.ndarray[Any, Any]


@attrs.frozen
class Context:
    """What a strategy sees at one boundary."""

    symbol: str
    now: int
    price: float
    average_price: float
    past: Sequence[Candle] = attrs.field(repr=False)
    lookback: Mapping[str, int]
    mode: str = "backtest"

    def candles(self, interval: str) -> Window:
        rows = window(self.past, minutes_of(interval), self.lookback[interval], self.now)
        return Window(*(np.array([row[column] for row in rows]) for column in range(6)))


def without_holes(candles: Sequence[Candle]) -> list[Candle]:
    """The candles, with each missing minute between two of them flat at the close before."""
    whole: list[Candle] = []
    for candle in candles:
        while whole and whole[-1][TIME] + MINUTE < candle[TIME]:
            close = whole[-1][CLOSE]
            whole.append((whole[-1][TIME] + MINUTE, close, close, close, close, 0.0))
        whole.append(candle)
    return whole


def minutes_of(interval: str) -> int:
    return int(interval[:-1]) * {"m": 1, "h": 60, "d": 1440}[interval[-1]]


def windows_are_full(first_time: int, lookback: Mapping[str, int], now: int) -> bool:
    """Whether the oldest group of every window begins no earlier than the data."""
    return all(window_start(minutes_of(name), count, now) >= first_time for name, count in lookback.items())


def window_start(minutes: int, count: int, now: int) -> int:
    width = minutes * MINUTE
    return now // width * width - count * width


def window(past: Sequence[Candle], minutes: int, count: int, now: int) -> list[Candle]:
    """The `count` newest closed groups of `minutes`, aligned to the epoch, oldest first."""
    start = (window_start(minutes, count, now) - past[0][TIME]) // MINUTE
    return [group(past[start + n * minutes : start + (n + 1) * minutes]) for n in range(count)]


def group(rows: Sequence[Candle]) -> Candle:
    volume = 0.0
    for row in rows:
        volume = volume + row[VOLUME]
    high = max(row[HIGH] for row in rows)
    low = min(row[LOW] for row in rows)
    return (rows[0][TIME], rows[0][OPEN], high, low, rows[-1][CLOSE], volume)


def average_price(five: Sequence[Candle]) -> float:
    """Volume-weighted mean of typical prices; mean of closes where nothing was traded."""
    money = 0.0
    volume = 0.0
    closes = 0.0
    for candle in five:
        typical = (candle[HIGH] + candle[LOW] + candle[CLOSE]) / 3
        money = money + typical * candle[VOLUME]
        volume = volume + candle[VOLUME]
        closes = closes + candle[CLOSE]
    return closes / len(five) if volume == 0 else money / volume
