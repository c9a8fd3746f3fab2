"""What a candle from outside must be before it is believed, and what stands where one is missing. Pure.

Candles are seen as arrays, so that a year of them is judged in a few milliseconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..candles import COLUMNS, Candles, Floats, Times
from ..errors import BadCandles, iso
from ..frame import EARLIEST_MS, LATEST_MS, of_another_unit
from ..market import MINUTE_MS

LARGEST_STEP = 1000.0
"""How many times above or below the close before it a price may be."""

Span: TypeAlias = tuple[int, int]
"""Minutes from the first open time to the last one's end, ms."""


class Fault(NamedTuple):
    """What is wrong with one candle: its place, the column to look at, and a sentence with the values."""

    place: int
    column: str
    what: str


Suspicion: TypeAlias = tuple[NDArray[np.bool_], str, str]
"""Which candles are wrong, the column to look at, and a sentence about one of them, with the columns in braces."""


def check(candles: Candles, symbol: str, previous_close: float | None = None) -> None:
    """Raise `BadCandles` for the first candle that cannot be true: names the symbol, its time and its values.

    Refused: open time not at a whole minute, a value that is not finite, a price ≤ 0, negative volume, high < low or
    outside of open and close, a price over 1000 times above or below the close before it.
    """
    fault = first_untrue(candles, previous_close)
    if fault is not None:
        raise BadCandles(symbol, int(candles.time[fault.place]), fault.what)


def without_repeats(candles: Candles, symbol: str) -> Candles:
    """Each candle once; raises `BadCandles` where one is given twice with different values, or after a later one."""
    if len(candles) < 2 or int(np.diff(candles.time).min()) > 0:
        return candles
    fault = first_disorder(candles)
    if fault is not None:
        raise BadCandles(symbol, int(candles.time[fault.place]), fault.what)
    return each_once(candles)


def check_unit(candles: Candles, symbol: str) -> None:
    """Raise `BadCandles` where times are in another unit than milliseconds."""
    fault = first_of_another_unit(candles.time)
    if fault is not None:
        raise BadCandles(symbol, None, fault.what)


def first_untrue(candles: Candles, previous_close: float | None = None) -> Fault | None:
    """The first candle that cannot be true, as `check` lists them."""
    if not len(candles) or _all_true(candles, previous_close):
        return None
    with np.errstate(invalid="ignore", over="ignore"):
        faults = [
            Fault(int(np.argmax(wrong)), column, what)
            for wrong, column, what in _suspicions(candles, previous_close)
            if wrong.any()
        ]
    if not faults:
        return None
    place, column, what = min(faults, key=lambda fault: fault.place)
    before = _closes_before(candles, previous_close)[place]
    return Fault(place, column, what.format(**candles.at(place)._asdict(), before=float(before)))


def _all_true(candles: Candles, previous_close: float | None) -> bool:
    """Whether no candle is suspicious, in one pass: what a tick costs is mostly how often an array is looked at."""
    low, high, opened, close = candles.low, candles.high, candles.open, candles.close
    before = _closes_before(candles, previous_close)
    with np.errstate(invalid="ignore", over="ignore"):
        # A comparison with what is not a number is false, so each of these says that its values are finite, too.
        inside = (low > 0) & (low <= opened) & (low <= close) & (opened <= high) & (close <= high) & (high < np.inf)
        near = (high <= before * LARGEST_STEP) & (low >= before / LARGEST_STEP)
        traded = (candles.volume >= 0) & (candles.volume < np.inf)
        return bool((inside & near & traded & (candles.time % MINUTE_MS == 0)).all())


def _suspicions(candles: Candles, previous_close: float | None) -> Iterator[Suspicion]:
    yield candles.time % MINUTE_MS != 0, "time", "it does not open at a whole minute ({time})"
    for name, column in zip(COLUMNS[1:], candles.arrays[1:], strict=True):
        yield ~np.isfinite(column), name, f"{name} is {{{name}}}"
    for name, column in zip(COLUMNS[1:5], candles.arrays[1:5], strict=True):
        yield column <= 0, name, f"{name} is {{{name}}}; a price is above 0"
    yield candles.volume < 0, "volume", "volume is {volume}; it is never negative"
    high, low = candles.high, candles.low
    yield high < low, "high", "high {high} is below low {low}"
    yield high < np.maximum(candles.open, candles.close), "high", "high {high} is below open {open} or close {close}"
    yield low > np.minimum(candles.open, candles.close), "low", "low {low} is above open {open} or close {close}"
    before = _closes_before(candles, previous_close)
    too_far = "is over 1000 times away from the close before it, {before}"
    yield high > before * LARGEST_STEP, "high", f"high {{high}} {too_far}"
    yield low < before / LARGEST_STEP, "low", f"low {{low}} {too_far}"


def _closes_before(candles: Candles, previous_close: float | None) -> Floats:
    """The close before each candle; before the first, what is known, else its own open."""
    first = float(candles.open[0]) if previous_close is None else previous_close
    return np.concatenate(([first], candles.close[:-1]))


def first_disorder(candles: Candles) -> Fault | None:
    """The first candle that is given again with different values, or after a later one."""
    times = candles.time
    steps = np.diff(times)
    if not len(steps) or int(steps.min()) > 0:
        return None
    equal = np.logical_and.reduce([column[1:] == column[:-1] for column in candles.arrays])
    wrong = np.flatnonzero((steps <= 0) & ~equal)
    if not len(wrong):
        return None
    place = int(wrong[0])
    before, after = candles.at(place), candles.at(place + 1)
    if after.time < before.time:
        what = f"it is out of order: it comes after the candle at {iso(before.time)}"
    else:
        what = f"it is given twice, as {before[1:]} and as {after[1:]}"
    return Fault(place + 1, "time", what)


def each_once(candles: Candles) -> Candles:
    """Candles that are in order, without those that are given again."""
    steps = np.diff(candles.time)
    return candles if steps.all() else candles.where(np.concatenate(([True], steps != 0)))


def first_of_another_unit(times: Times) -> Fault | None:
    """The first time that must be meant in another unit than milliseconds."""
    wrong = (times < EARLIEST_MS) | (times >= LATEST_MS)
    if not wrong.any():
        return None
    place = int(np.argmax(wrong))
    return Fault(place, "time", str(of_another_unit(int(times[place]))))


def holes(candles: Candles) -> list[Span]:
    """The minutes that are missing between two candles. Checked candles: each once, in order, at whole minutes."""
    if not len(candles) or int(candles.time[-1]) - int(candles.time[0]) == (len(candles) - 1) * MINUTE_MS:
        return []
    steps = np.diff(candles.time)
    return [
        (int(candles.time[place]) + MINUTE_MS, int(candles.time[place + 1]))
        for place in np.flatnonzero(steps > MINUTE_MS).tolist()
    ]


def joined(candles: Candles, more: Candles) -> Candles:
    """`candles` with what `more` has for the minutes missing between them; elsewhere the first answer stands."""
    between = (more.time > candles.time[0]) & (more.time < candles.time[-1])
    wanted = between & ~np.isin(more.time, candles.time, assume_unique=True)
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
