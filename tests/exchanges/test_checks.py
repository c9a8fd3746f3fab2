"""What a candle must be before it is believed, against the same said plainly, one candle after the other."""

from __future__ import annotations

import math

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.exchanges.loopback import MINUTE, START_AT, Row
from tickfold.candles import Candles
from tickfold.exchanges.checks import fill_gaps, first_untrue, holes

PRICES = st.sampled_from(
    [100.0, 100.0, 100.0, 101.0, 99.0, 1e-9, 1e5, 0.1, 100_001.0, 0.0, -1.0, math.nan, math.inf, -math.inf]
)
VOLUMES = st.sampled_from([0.0, 0.0, 1.0, 1.0, 1e300, -1e-9, math.nan, math.inf])
TIMES = st.sampled_from([0, 0, 0, 0, 0, 0, 1, -1])


def in_arrays(rows: list[Row]) -> Candles:
    time, *values = (list(column) for column in zip(*rows, strict=True))
    opened, high, low, close, volume = values
    return Candles(time=time, open=opened, high=high, low=low, close=close, volume=volume)


def is_true(row: Row, before: float) -> bool:
    time, opened, high, low, close, volume = row
    return (
        time % MINUTE == 0
        and all(math.isfinite(value) for value in row)
        and min(opened, high, low, close) > 0
        and volume >= 0
        and low <= min(opened, close) <= max(opened, close) <= high
        and high <= before * 1000
        and low >= before / 1000
    )


@settings(deadline=None, max_examples=300)
@given(st.lists(st.tuples(TIMES, PRICES, PRICES, PRICES, PRICES, VOLUMES), min_size=1, max_size=4), st.booleans())
def test_the_first_candle_that_cannot_be_true_is_found(drawn: list[Row], knows_close: bool) -> None:
    rows = [(START_AT + minute * MINUTE + row[0], *row[1:]) for minute, row in enumerate(drawn)]
    before = 50.0 if knows_close else rows[0][1]
    wrong: int | None = None
    for place, row in enumerate(rows):
        if not is_true(row, before):
            wrong = place
            break
        before = row[4]
    fault = first_untrue(in_arrays(rows), 50.0 if knows_close else None)
    assert (None if fault is None else fault.place) == wrong


@settings(deadline=None)
@given(st.sets(st.integers(0, 30), min_size=1))
def test_holes_lie_between_candles_and_are_filled_to_the_minute(minutes: set[int]) -> None:
    there = sorted(minutes)
    rows: list[Row] = [(START_AT + m * MINUTE, 1.0, 1.0, 1.0, 1.0 + m, 1.0) for m in there]
    candles = in_arrays(rows)
    missing = [m for m in range(there[0], there[-1]) if m not in minutes]
    found = holes(candles)
    spread = [(at - START_AT) // MINUTE for start, end in found for at in range(start, end, MINUTE)]
    assert spread == missing
    filled, told = fill_gaps(candles)
    assert told == found
    assert ((filled.time - START_AT) // MINUTE).tolist() == list(range(there[0], there[-1] + 1))
    assert [int(m) for m in (filled.time[filled.volume == 0] - START_AT) // MINUTE] == missing


def test_no_candles_have_no_fault_and_no_holes() -> None:
    assert first_untrue(Candles.empty()) is None
    assert holes(Candles.empty()) == []
