"""What a candle from outside must be before it is believed, and what stands where one is missing. Pure.

Candles are seen as arrays, so that a year of them is judged in a few milliseconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..candles import COLUMNS, Candles, Floats
from ..errors import BadCandles, iso
from ..market import MINUTE_MS

LARGEST_STEP = 1000.0
"""How many times above or below the close before it a price may be."""

Span: TypeAlias = tuple[int, int]
"""Minutes from the first open time to the last one's end, ms."""

Fault: TypeAlias = tuple[NDArray[np.bool_], str]
"""Which candles are wrong, and a sentence about one of them, with the columns in braces."""


def without_repeats(candles: Candles, symbol: str) -> Candles:
    """Each candle once; raises `BadCandles` where one is given twice with different values, or after a later one."""
    times = candles.time
    steps = np.diff(times)
    if not len(steps) or int(steps.min()) > 0:
        return candles
    same = steps == 0
    equal = np.logical_and.reduce([column[1:] == column[:-1] for column in candles.arrays])
    wrong = np.flatnonzero((steps < 0) | (same & ~equal))
    if len(wrong):
        place = int(wrong[0])
        before, after = candles.at(place), candles.at(place + 1)
        if steps[place] < 0:
            raise BadCandles(symbol, after.time, f"it is out of order: it comes after the candle at {iso(before.time)}")
        raise BadCandles(symbol, after.time, f"it is given twice, as {before[1:]} and as {after[1:]}")
    return candles.where(np.concatenate(([True], ~same)))


def check(candles: Candles, symbol: str, previous_close: float | None = None) -> None:
    """Raise `BadCandles` for the first candle that cannot be true: names the symbol, its time and its values.

    Refused: open time not at a whole minute, a value that is not finite, a price ≤ 0, negative volume, high < low or
    outside of open and close, a price over 1000 times above or below the close before it.
    """
    if not len(candles):
        return
    with np.errstate(invalid="ignore", over="ignore"):
        found = [(int(np.argmax(wrong)), what) for wrong, what in _faults(candles, previous_close) if wrong.any()]
    if found:
        place, what = min(found, key=lambda fault: fault[0])
        candle = candles.at(place)
        before = previous_close if place == 0 else float(candles.close[place - 1])
        raise BadCandles(symbol, candle.time, what.format(**candle._asdict(), before=before))


def _faults(candles: Candles, previous_close: float | None) -> Iterator[Fault]:
    yield candles.time % MINUTE_MS != 0, "it does not open at a whole minute ({time})"
    for name, column in zip(COLUMNS[1:], candles.arrays[1:], strict=True):
        yield ~np.isfinite(column), f"{name} is {{{name}}}"
    for name, column in zip(COLUMNS[1:5], candles.arrays[1:5], strict=True):
        yield column <= 0, f"{name} is {{{name}}}; a price is above 0"
    yield candles.volume < 0, "volume is {volume}; it is never negative"
    high, low = candles.high, candles.low
    yield high < low, "high {high} is below low {low}"
    yield high < np.maximum(candles.open, candles.close), "high {high} is below open {open} or close {close}"
    yield low > np.minimum(candles.open, candles.close), "low {low} is above open {open} or close {close}"
    before = _closes_before(candles, previous_close)
    too_far = "{low} to {high} is over 1000 times away from the close before it, {before}"
    yield (high > before * LARGEST_STEP) | (low < before / LARGEST_STEP), too_far


def _closes_before(candles: Candles, previous_close: float | None) -> Floats:
    """The close before each candle; before the first, what is known, else its own open."""
    first = float(candles.open[0]) if previous_close is None else previous_close
    return np.concatenate(([first], candles.close[:-1]))


def holes(candles: Candles) -> list[Span]:
    """The minutes that are missing between two candles."""
    steps = np.diff(candles.time)
    return [
        (int(candles.time[place]) + MINUTE_MS, int(candles.time[place + 1]))
        for place in np.flatnonzero(steps > MINUTE_MS).tolist()
    ]


def joined(candles: Candles, more: Candles, missing: list[Span]) -> Candles:
    """`candles` with what `more` has for the minutes that are `missing` of them; elsewhere the first answer stands."""
    wanted = np.zeros(len(more), bool)
    for start, end in missing:
        wanted |= (more.time >= start) & (more.time < end)
    if not wanted.any():
        return candles
    columns = [np.concatenate(pair) for pair in zip(candles.arrays, more.where(wanted).arrays, strict=True)]
    order = np.argsort(columns[0], kind="stable")
    return Candles.of_arrays(*(column[order] for column in columns), name=candles.name)


def fill_gaps(candles: Candles) -> tuple[Candles, list[Span]]:
    """Contiguous candles, and the minutes that were filled: flat at the close before, volume 0."""
    filled = holes(candles)
    if not filled:
        return candles, []
    first = int(candles.time[0])
    count = (int(candles.time[-1]) - first) // MINUTE_MS + 1
    places = (candles.time - first) // MINUTE_MS
    there = np.zeros(count, bool)
    there[places] = True
    newest = np.maximum.accumulate(np.where(there, np.cumsum(there) - 1, 0))
    flat = candles.close[newest]
    columns: list[NDArray[Any]] = [first + np.arange(count, dtype=np.int64) * MINUTE_MS]
    columns += [np.where(there, column[newest], flat) for column in candles.arrays[1:5]]
    columns.append(np.where(there, candles.volume[newest], 0.0))
    return Candles.of_arrays(*columns, name=candles.name), filled
