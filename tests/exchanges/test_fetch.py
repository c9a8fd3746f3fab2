"""Candles from outside come through one door: asked with patience, checked, contiguous."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, nan
from typing import Any

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.exchanges.asking import Asking
from tests.exchanges.loopback import MINUTE, START_AT, Row, candle, candles_of, rows_of
from tickfold.candles import Candles
from tickfold.errors import BadCandles, ExchangeUnreachable, TryAgain
from tickfold.exchanges.memory import MemoryExchange
from tickfold.exchanges.trusted import as_candles

pytestmark = pytest.mark.anyio

GOOD: Row = (START_AT, 100.0, 110.0, 90.0, 105.0, 3.0)


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def at(minute: int) -> int:
    return START_AT + minute * MINUTE


def in_arrays(rows: list[Row]) -> Candles:
    time, *prices = (list(column) for column in zip(*rows, strict=True))
    opened, high, low, close, volume = prices
    return Candles(time=time, open=opened, high=high, low=low, close=close, volume=volume)


def asking(rows: list[Row]) -> Asking:
    return Asking(MemoryExchange(in_arrays(rows)))


@attrs.define
class Scripted:
    """An exchange that gives in turn what a test wrote down: an answer, an error, or a way to make one."""

    script: list[Any]
    name: str = "scripted"
    waits: bool = True
    piece: int | None = None
    asked: list[tuple[int, int]] = attrs.field(factory=list)

    async def candles(self, symbol: str, start: int, end: int) -> Any:
        self.asked.append(((start - START_AT) // MINUTE, (end - START_AT) // MINUTE))
        step = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(step, Exception):
            raise step
        return step(start, end) if callable(step) else step

    async def span(self, symbol: str) -> tuple[int, int | None]:
        return START_AT, None

    async def aclose(self) -> None:
        """Nothing is held."""


def everything(first: int, last: int) -> Callable[[int, int], list[Row]]:
    return lambda start, end: [row for row in candles_of(first, last) if start <= row[0] < end]


# What is refused.

REFUSED = {
    "open nan": ((START_AT, nan, 110.0, 90.0, 105.0, 3.0), "open is nan"),
    "high inf": ((START_AT, 100.0, inf, 90.0, 105.0, 3.0), "high is inf"),
    "low -inf": ((START_AT, 100.0, 110.0, -inf, 105.0, 3.0), "low is -inf"),
    "close nan": ((START_AT, 100.0, 110.0, 90.0, nan, 3.0), "close is nan"),
    "volume nan": ((START_AT, 100.0, 110.0, 90.0, 105.0, nan), "volume is nan"),
    "open 0": ((START_AT, 0.0, 110.0, 90.0, 105.0, 3.0), "open is 0.0; a price is above 0"),
    "low below 0": ((START_AT, 100.0, 110.0, -1.5, 105.0, 3.0), "low is -1.5; a price is above 0"),
    "close 0": ((START_AT, 100.0, 110.0, 90.0, -0.0, 3.0), "close is -0.0; a price is above 0"),
    "volume below 0": ((START_AT, 100.0, 110.0, 90.0, 105.0, -3.0), "volume is -3.0; it is never negative"),
    "high below low": ((START_AT, 100.0, 89.0, 90.0, 105.0, 3.0), "high 89.0 is below low 90.0"),
    "high below open": ((START_AT, 111.0, 110.0, 90.0, 105.0, 3.0), "high 110.0 is below open 111.0 or close 105.0"),
    "high below close": ((START_AT, 100.0, 110.0, 90.0, 111.0, 3.0), "high 110.0 is below open 100.0 or close 111.0"),
    "low above open": ((START_AT, 89.0, 110.0, 90.0, 105.0, 3.0), "low 90.0 is above open 89.0 or close 105.0"),
    "low above close": ((START_AT, 100.0, 110.0, 90.0, 89.0, 3.0), "low 90.0 is above open 100.0 or close 89.0"),
    "within a minute": ((START_AT + 1, 100.0, 110.0, 90.0, 105.0, 3.0), f"not open at a whole minute ({START_AT + 1})"),
    "a high too high": ((START_AT, 100.0, 100_001.0, 90.0, 105.0, 3.0), "high 100001.0 is over 1000 times away from"),
    "a low too low": ((START_AT, 100.0, 110.0, 0.09, 105.0, 3.0), "low 0.09 is over 1000 times away from"),
}


@pytest.mark.parametrize(("row", "what"), REFUSED.values(), ids=REFUSED)
async def test_a_candle_that_cannot_be_true_is_refused_by_symbol_time_and_value(row: Row, what: str) -> None:
    before: Row = (START_AT - MINUTE, 100.0, 100.0, 100.0, 100.0, 1.0)
    with pytest.raises(BadCandles) as caught:
        await asking([before, row]).candles(START_AT - MINUTE, at(1))
    assert (caught.value.symbol, caught.value.at) == ("A", row[0])
    assert what in str(caught.value)


@pytest.mark.parametrize(
    ("high", "low"),
    [(100_000.0, 100.0), (100.0, 0.1), (100.0, 100.0)],
    ids=["1000 times above", "1000 times below", "not moving"],
)
async def test_a_price_up_to_1000_times_away_from_the_close_before_is_believed(high: float, low: float) -> None:
    rows: list[Row] = [(at(0), 100.0, 100.0, 100.0, 100.0, 0.0), (at(1), 100.0, high, low, 100.0, 0.0)]
    assert rows_of(await asking(rows).candles(at(0), at(2))) == rows


async def test_the_first_of_several_faults_is_named() -> None:
    rows = [GOOD, (at(1), 100.0, 110.0, 90.0, 105.0, -1.0), (at(2), nan, 110.0, 90.0, 105.0, 3.0)]
    with pytest.raises(BadCandles, match="volume is -1"):
        await asking(rows).candles(at(0), at(3))


async def test_candles_out_of_order_are_refused() -> None:
    with pytest.raises(BadCandles) as caught:
        await asking([candle(0), candle(2), candle(1)]).candles(at(0), at(3))
    assert str(caught.value) == (
        "the candle of A at 2024-01-01T00:01:00.000Z cannot be used: "
        "it is out of order: it comes after the candle at 2024-01-01T00:02:00.000Z"
    )


async def test_a_candle_given_twice_with_other_values_is_refused_with_both() -> None:
    with pytest.raises(BadCandles) as caught:
        await asking([GOOD, (*GOOD[:5], 4.0), candle(1)]).candles(at(0), at(2))
    assert str(caught.value) == (
        "the candle of A at 2024-01-01T00:00:00.000Z cannot be used: it is given twice, "
        "as (100.0, 110.0, 90.0, 105.0, 3.0) and as (100.0, 110.0, 90.0, 105.0, 4.0)"
    )


async def test_a_candle_given_again_with_the_same_values_counts_once() -> None:
    rows = [candle(0), candle(0), candle(0), candle(1), candle(2), candle(2)]
    assert rows_of(await asking(rows).candles(at(0), at(3))) == candles_of(0, 3)


SHAPES = {
    "no rows": ({"a": 1}, "expected Candles, or rows of"),
    "nothing": (None, "expected Candles, or rows of"),
    "text": ("candles", "expected Candles, or rows of"),
    "rows of five": ([[1, 2, 3, 4, 5]], "expected Candles, or rows of"),
    "rows of different length": ([[1, 2, 3, 4, 5, 6], [1]], "expected Candles, or rows of"),
    "words in a row": ([[START_AT, "a", 1, 1, 1, 1]], "expected Candles, or rows of"),
    "half a millisecond": ([[START_AT + 0.5, 1, 1, 1, 1, 1]], "no whole number of milliseconds"),
    "no time": ([[None, 1, 1, 1, 1, 1]], "no whole number of milliseconds"),
    "beyond time": ([[1e300, 1, 1, 1, 1, 1]], "1e+300 is no time in milliseconds"),
    "seconds": ([[START_AT // 1000, 1, 1, 1, 1, 1]], "1704067200 looks like seconds since the epoch"),
    "microseconds": ([[START_AT * 1000, 1, 1, 1, 1, 1]], "looks like microseconds since the epoch"),
    "nanoseconds": ([[START_AT * 10**6, 1, 1, 1, 1, 1]], "looks like nanoseconds since the epoch"),
    "before all time": ([[-START_AT, 1, 1, 1, 1, 1]], "is no time of a candle in milliseconds"),
}


@pytest.mark.parametrize(("answer", "what"), SHAPES.values(), ids=SHAPES)
async def test_what_is_no_candles_is_refused_with_what_was_given(answer: object, what: str) -> None:
    with pytest.raises(BadCandles) as caught:
        await Asking(Scripted([answer])).candles(at(0), at(1))
    assert str(caught.value).startswith("candles of A cannot be used: ")
    assert what in str(caught.value)


@pytest.mark.parametrize(
    "answer", [[], (), np.empty((0, 6)), Candles.empty()], ids=["list", "tuple", "array", "Candles"]
)
async def test_no_candles_are_no_candles(answer: object) -> None:
    assert rows_of(await Asking(Scripted([answer])).candles(at(0), at(1))) == []


def test_a_long_answer_is_shown_in_part() -> None:
    with pytest.raises(BadCandles) as caught:
        as_candles("x" * 10_000, "A")
    assert len(str(caught.value)) < 400


# What is cut, filled and joined.


async def test_only_closed_candles_within_the_range_come_through() -> None:
    asked = Asking(Scripted([candles_of(0, 20)]))
    assert rows_of(await asked.candles(at(5), at(15))) == candles_of(5, 15)
    assert rows_of(await asked.candles(at(5), at(15), now=at(10) + 59_999)) == candles_of(5, 10)
    assert rows_of(await asked.candles(at(5) - 1, at(6) + 30_000)) == candles_of(5, 6)
    assert rows_of(await asked.candles(at(5), at(5))) == []


async def test_missing_candles_at_the_ends_are_not_made_up() -> None:
    asked = Asking(Scripted([candles_of(5, 10)]))
    assert rows_of(await asked.candles(at(0), at(20))) == candles_of(5, 10)
    assert asked.told == []


async def test_a_hole_is_asked_for_again_before_it_is_filled() -> None:
    exchange = Scripted([[*candles_of(0, 3), *candles_of(5, 8)], everything(0, 8)])
    asked = Asking(exchange)
    assert rows_of(await asked.candles(at(0), at(8))) == candles_of(0, 8)
    assert exchange.asked == [(0, 8), (3, 5)]
    assert asked.told == []


async def test_what_is_still_missing_stands_flat_at_the_close_before_and_is_told() -> None:
    exchange = Scripted([[*candles_of(0, 3), *candles_of(6, 8)], [candle(4)]])
    asked = Asking(exchange)
    flat: list[Row] = [
        (at(minute), close, close, close, close, 0.0) for minute, close in ((3, candle(2)[4]), (5, candle(4)[4]))
    ]
    candles = await asked.candles(at(0), at(8))
    assert rows_of(candles) == [*candles_of(0, 3), flat[0], candle(4), flat[1], *candles_of(6, 8)]
    assert asked.told == [
        "A: 1 minutes from 2024-01-01T00:03:00.000Z had no candle and are filled, flat, volume 0",
        "A: 1 minutes from 2024-01-01T00:05:00.000Z had no candle and are filled, flat, volume 0",
    ]


async def test_the_second_answer_changes_nothing_of_the_first() -> None:
    other: Row = (at(2), 50.0, 50.0, 50.0, 50.0, 1.0)
    exchange = Scripted([[*candles_of(0, 3), *candles_of(4, 6)], [other, candle(3)]])
    assert rows_of(await Asking(exchange).candles(at(0), at(6))) == candles_of(0, 6)


async def test_what_fills_a_hole_is_judged_beside_its_neighbours() -> None:
    far: Row = (at(3), 1e9, 1e9, 1e9, 1e9, 1.0)
    exchange = Scripted([[*candles_of(0, 3), *candles_of(4, 6)], [far]])
    with pytest.raises(BadCandles, match=r"high 1000000000\.0 is over 1000 times away from the close before it"):
        await Asking(exchange).candles(at(0), at(6))


async def test_holes_that_lie_within_a_piece_are_asked_for_together_and_others_apart() -> None:
    kept = [row for row in candles_of(0, 100) if (row[0] - START_AT) // MINUTE not in {10, 12, 60, 61}]
    exchange = Scripted([lambda start, end: [row for row in kept if start <= row[0] < end]], piece=50 * MINUTE)
    asked = Asking(exchange)
    assert len(await asked.candles(at(0), at(100))) == 100
    assert exchange.asked == [(0, 50), (50, 100), (10, 13), (60, 62)]
    assert len(asked.told) == 3


async def test_a_long_range_is_asked_for_piece_by_piece() -> None:
    exchange = Scripted([everything(0, 100)], piece=30 * MINUTE)
    assert rows_of(await Asking(exchange).candles(at(0), at(100))) == candles_of(0, 100)
    assert exchange.asked == [(0, 30), (30, 60), (60, 90), (90, 100)]


# Patience.


class ClientError(Exception):
    """Stands for aiohttp's: told by its package and name."""


class ConnectError(ClientError):
    pass


ClientError.__module__ = "aiohttp.client_exceptions"

PASSING = [
    TimeoutError("no answer"),
    ConnectionResetError("reset"),
    OSError("network is unreachable"),
    TryAgain("busy"),
    ConnectError("no connection"),
]


@pytest.mark.parametrize("error", PASSING, ids=lambda error: type(error).__name__)
async def test_a_network_fault_is_tried_again_after_a_growing_pause(error: Exception) -> None:
    asked = Asking(Scripted([error, error, everything(0, 5)]))
    assert rows_of(await asked.candles(at(0), at(5))) == candles_of(0, 5)
    assert asked.slept == [1000, 2000]


async def test_after_three_attempts_it_is_unreachable_and_says_why() -> None:
    asked = Asking(Scripted([TimeoutError("no answer")]))
    with pytest.raises(ExchangeUnreachable) as caught:
        await asked.candles(at(0), at(5))
    assert str(caught.value) == "scripted gave no candles of A in 3 attempts: no answer"
    assert isinstance(caught.value.__cause__, TimeoutError)
    assert asked.slept == [1000, 2000]


async def test_an_error_that_is_no_network_fault_comes_out_at_once() -> None:
    asked = Asking(Scripted([ZeroDivisionError("a bug")]))
    with pytest.raises(ZeroDivisionError, match="a bug"):
        await asked.candles(at(0), at(5))
    assert asked.slept == []


@pytest.mark.parametrize(("after", "slept"), [(5000, [5000]), (1, [1000]), (60_000, [60_000])])
async def test_the_exchange_may_ask_for_a_longer_pause(after: int, slept: list[int]) -> None:
    asked = Asking(Scripted([TryAgain("slow down", after), everything(0, 5)]))
    await asked.candles(at(0), at(5))
    assert asked.slept == slept


async def test_a_pause_of_over_a_minute_is_not_waited_for() -> None:
    asked = Asking(Scripted([TryAgain("banned", 60_001)]))
    with pytest.raises(ExchangeUnreachable, match="in 1 attempt: banned"):
        await asked.candles(at(0), at(5))
    assert asked.slept == []


async def test_a_fault_in_the_middle_costs_one_piece() -> None:
    exchange = Scripted([everything(0, 90), TimeoutError(), everything(0, 90)], piece=30 * MINUTE)
    assert rows_of(await Asking(exchange).candles(at(0), at(90))) == candles_of(0, 90)
    assert exchange.asked == [(0, 30), (30, 60), (30, 60), (60, 90)]


# Whatever it is given, what comes through is contiguous, closed and true.


@settings(deadline=None)
@given(st.lists(st.integers(0, 40), max_size=30), st.integers(0, 40), st.integers(0, 40))
def test_what_comes_through_is_contiguous_and_what_was_given_stands(minutes: list[int], first: int, last: int) -> None:
    rows = [candle(minute) for minute in sorted(minutes)]
    exchange = Scripted([lambda start, end: rows])
    asked = Asking(exchange)
    steps = asked.candles(at(first), at(last))
    with pytest.raises(StopIteration) as stopped:
        steps.send(None)
    got = rows_of(stopped.value.value)
    within = sorted({minute for minute in minutes if first <= minute < last})
    assert [row[0] for row in got] == ([] if not within else [at(m) for m in range(within[0], within[-1] + 1)])
    assert [row for row in got if row[5] != 0] == [candle(minute) for minute in within]
    before: Row | None = None
    for row in got:
        if row[5] == 0:
            assert before is not None
            assert row[1:5] == (before[4],) * 4
        before = row
