"""A user's own exchange, and what it may do wrong: each gets words with symbol, time and value, as far as there are."""

from __future__ import annotations

import asyncio
import functools
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from decimal import Decimal
from math import inf, nan
from typing import Any

import anyio
import numpy as np
import pandas as pd
import pytest

from tests.exchanges.asking import Asking
from tests.exchanges.loopback import MINUTE, START_AT, Row, candles_of, rows_of
from tests.support.facts import strategy_of
from tickfold import Backtest, Candles, Config, Frame, listen_error
from tickfold.errors import BadCandles, DeclarationError, ExchangeUnreachable, SpanUnknown
from tickfold.exchanges import as_exchange, fetch, span
from tickfold.notices import Fault

pytestmark = pytest.mark.anyio

ROWS = candles_of(0, 3)
END = START_AT + 3 * MINUTE


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def giving(answer: object) -> Callable[[str, int, int], Any]:
    def mine(symbol: str, start: int, end: int) -> Any:
        return answer

    return mine


async def asked(source: Any, **options: Any) -> list[Row]:
    return rows_of(await Asking(as_exchange(source)).candles(START_AT, END, **options))


def with_first(**odd: object) -> list[list[Any]]:
    """The rows, the first of them with other values."""
    names = ("time", "open", "high", "low", "close", "volume")
    first = dict(zip(names, ROWS[0], strict=True)) | odd
    return [[first[name] for name in names], *map(list, ROWS[1:])]


FRAME = pd.DataFrame(ROWS, columns=["time", "open", "high", "low", "close", "volume"])

TAKEN: dict[str, object] = {
    "rows": ROWS,
    "a tuple of lists": tuple(list(row) for row in ROWS),
    "numbers as text, as many exchanges write them": [[str(value) for value in row] for row in ROWS],
    "decimals": [[Decimal(value) for value in row] for row in ROWS],
    "numpy's scalars": [[np.int64(row[0]), *map(np.float64, row[1:])] for row in ROWS],
    "an array": np.array(ROWS),
    "the six columns of a DataFrame": FRAME,
    "more than was asked for": candles_of(-5, 9),
    "one of them twice": [ROWS[0], *ROWS],
    "the values of a dict": {row[0]: row for row in ROWS}.values(),
}


@pytest.mark.parametrize("answer", TAKEN.values(), ids=TAKEN)
async def test_rows_of_any_kind_are_taken(answer: object) -> None:
    given = list(answer) if isinstance(answer, type({}.values())) else answer
    assert await asked(giving(given)) == ROWS


def generator(symbol: str, start: int, end: int) -> Iterator[Row]:
    yield from ROWS


async def async_generator(symbol: str, start: int, end: int) -> AsyncIterator[Row]:
    for row in ROWS:
        yield row


SHAPE = "expected Candles, or rows of open time in ms, open, high, low, close and volume, not"
AT = "the candle of A at 2024-01-01T00:00:00.000Z cannot be used: "
REFUSED: dict[str, tuple[Any, str]] = {
    "a generator": (generator, f"{SHAPE} <generator object generator at"),
    "an async generator": (async_generator, f"{SHAPE} <async_generator object async_generator at"),
    "nothing": (giving(None), f"{SHAPE} None"),
    "a dict": (giving({"data": ROWS}), f"{SHAPE} {{'data': [("),
    "dicts": (giving([{"time": START_AT}]), f"{SHAPE} [{{'time': 1704067200000}}]"),
    "words": (giving("candles"), f"{SHAPE} 'candles'"),
    "a number": (giving(7), f"{SHAPE} 7"),
    "one row": (giving(ROWS[0]), f"{SHAPE} (1704067200000, 100.25,"),
    "rows of five": (giving([row[:5] for row in ROWS]), f"{SHAPE} [(1704067200000, 100.25,"),
    "a DataFrame by time": (
        giving(FRAME.set_index("time")),
        f"{SHAPE} open high low close volume time 1704067200000 100.25",
    ),
    "a frame with dates": (giving(FRAME.assign(time=pd.to_datetime(FRAME["time"], unit="ms"))), SHAPE),
    "a text for a price": (giving(with_first(open="dear")), f"{SHAPE} [[1704067200000, 'dear',"),
    "a number that no float holds": (giving(with_first(open=10**400)), f"{SHAPE} [[1704067200000, 1000"),
    "no price": (giving(with_first(open=None)), f"{AT}open is nan"),
    "nan": (giving(with_first(close=nan)), f"{AT}close is nan"),
    "infinity": (giving(with_first(high=inf)), f"{AT}high is inf"),
    "a price of 0": (giving(with_first(low=0)), f"{AT}low is 0.0; a price is above 0"),
    "a negative volume": (giving(with_first(volume=-1)), f"{AT}volume is -1.0; it is never negative"),
    "a huge price": (giving(with_first(high=2**80)), f"{AT}high 1.2089258196146292e+24 is over 1000 times away"),
    "unsorted": (
        giving(ROWS[::-1]),
        "at 2024-01-01T00:01:00.000Z cannot be used: it is out of order: it comes after the candle at 2024-01-01T00:02",
    ),
    "one of them twice, otherwise": (giving([ROWS[0], *with_first(volume=1)]), f"{AT}it is given twice, as (100.25,"),
    "seconds": (
        giving([(row[0] // 1000, *row[1:]) for row in ROWS]),
        "1704067200 looks like seconds since the epoch, not milliseconds: multiply by 1000",
    ),
    "nanoseconds": (
        giving([(row[0] * 10**6, *row[1:]) for row in ROWS]),
        "1704067200000000000 looks like nanoseconds since the epoch, not milliseconds: divide by 1000000",
    ),
    "a time that is none": (giving(with_first(time=2.0**70)), "is no time in milliseconds since the epoch"),
    "half a minute": (
        giving(with_first(time=START_AT + 30_000)),
        "of A at 2024-01-01T00:00:30.000Z cannot be used: it does not open at a whole minute (1704067230000)",
    ),
}


@pytest.mark.parametrize(("source", "words"), REFUSED.values(), ids=REFUSED)
async def test_what_is_no_candles_is_refused_in_words(source: Any, words: str) -> None:
    with pytest.raises(BadCandles) as refused:
        await asked(source)
    assert words in str(refused.value)
    assert refused.value.symbol == "A"
    assert len(str(refused.value)) < 500


async def test_a_generator_is_told_what_to_give() -> None:
    for source in (generator, async_generator):
        with pytest.raises(BadCandles, match="give what it yields, in a list"):
            await asked(source)


async def test_the_candles_of_another_time_are_none_of_those_that_were_asked_for() -> None:
    assert await asked(giving(candles_of(1000, 1003))) == []
    faults: list[Fault] = []
    unsubscribe = listen_error(faults.append)
    strategy = strategy_of("quiet", "1m", {}, lambda ctx: None)
    frame = Frame("elsewhere", START_AT + 10 * MINUTE, START_AT + 20 * MINUTE)
    run = Backtest().run("A", strategy=strategy, exchange=giving(candles_of(1000, 1003)), frame=frame)
    await run.finish()
    unsubscribe()
    assert run.result().events == ()
    assert [fault.message for fault in faults] == [
        "no candles of A from 2024-01-01T00:05:00.000Z to 2024-01-01T00:19:00.000Z; they are needed to go on"
    ]


# What it raises, and what never comes.


def leaving(symbol: str, start: int, end: int) -> list[Row]:
    sys.exit("no licence")


class Escaping(BaseException):
    """Not even an Exception."""


async def escaping(symbol: str, start: int, end: int) -> list[Row]:
    raise Escaping("out")


async def hanging(symbol: str, start: int, end: int) -> list[Row]:
    await anyio.sleep_forever()
    return []


@pytest.mark.parametrize(("source", "why"), [(leaving, "SystemExit: no licence"), (escaping, "Escaping: out")])
async def test_what_would_end_the_process_is_its_failure_and_is_not_tried_again(source: Any, why: str) -> None:
    with pytest.raises(ExchangeUnreachable, match=f"{source.__name__} gave no candles of A in 1 attempt: {why}"):
        await asked(source)


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_cancellation_that_is_its_own_is_its_failure() -> None:
    async def cancels_what_it_awaits(symbol: str, start: int, end: int) -> list[Row]:
        task = asyncio.ensure_future(asyncio.sleep(60))
        task.cancel()
        await task
        return []

    with pytest.raises(ExchangeUnreachable, match="in 1 attempt: CancelledError"):
        await asked(cancels_what_it_awaits)


async def test_what_does_not_answer_is_asked_again_and_then_told() -> None:
    slept: list[int] = []

    async def sleep(duration: int) -> None:
        slept.append(duration)

    with pytest.raises(
        ExchangeUnreachable, match=r"hanging gave no candles of A in 3 attempts: no answer came in 0\.01 s"
    ):
        await fetch(
            as_exchange(hanging), "A", START_AT, END, now=END, sleep=sleep, report=print, timeout=10, jitter=lambda: 0.5
        )
    assert slept == [1000, 2000]


async def test_who_waits_for_what_does_not_answer_can_be_cancelled() -> None:
    with anyio.move_on_after(0) as scope:
        await asked(hanging)
    assert scope.cancelled_caught


async def test_a_backtest_waits_no_longer_than_the_configuration_says() -> None:
    strategy = strategy_of("quiet", "1m", {}, lambda ctx: None)
    config = Config(fetch_timeout=10, fetch_attempts=2, retry_pause=0)
    run = Backtest(config=config).run("A", strategy=strategy, exchange=hanging, frame=Frame("day", START_AT, END))
    with pytest.raises(ExchangeUnreachable, match="in 2 attempts: no answer came"):
        await run.finish()


async def test_a_bug_comes_out_as_it_is_in_live_and_backtest() -> None:
    def broken(symbol: str, start: int, end: int) -> list[Row]:
        return [ROWS[9]]

    strategy = strategy_of("quiet", "1m", {}, lambda ctx: None)
    run = Backtest().run("A", strategy=strategy, exchange=broken, frame=Frame("day", START_AT, END))
    with pytest.raises(IndexError):
        await run.finish()


# What cannot be called as it will be, and what it says of itself.


class Shaped:
    name = "shaped"

    def candles(self, symbol: str, start: int, end: int) -> list[Row]:
        return ROWS


def shaped(**members: object) -> Any:
    return type("Shaped", (Shaped,), members)()


NO_FORM = "it cannot be called as candles(symbol, start, end): "
NO_PIECE = "it is how many ms of candles to ask for at once, a whole number of minutes (60000 or more), or None"
UNFIT: dict[str, tuple[Any, str]] = {
    "a function of two": (lambda symbol, start: [], f"<lambda>: {NO_FORM}too many positional arguments"),
    "a method of nothing": (shaped(candles=lambda self: []), f"shaped: {NO_FORM}too many positional arguments"),
    "a partial without a name": (functools.partial(generator), "partial has no name: give it"),
    "a name that is no text": (shaped(name=7), "Shaped has no name: give it"),
    "a name of half a character": (shaped(name="\ud800"), "exchange '?': this cannot be its name: it holds half of a"),
    "a piece of 0": (shaped(piece=0), f"shaped: piece is 0; {NO_PIECE}"),
    "a piece of text": (shaped(piece="1d"), f"shaped: piece is 1d; {NO_PIECE}"),
    "a piece of half a minute": (shaped(piece=30_000), f"shaped: piece is 30000; {NO_PIECE}"),
    "a class": (Shaped, "Shaped is a class; give what it makes: Shaped()"),
    "rows": (ROWS, "is no source of candles: give an object with `async def candles(symbol, start, end)`"),
    "a dict": ({"A": ROWS}, "is no source of candles"),
    "a DataFrame": (FRAME, "is no source of candles"),
    "a path that is no file": ("csv:/", "exchange '': this cannot be its name: it is empty"),
}


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize(("source", "words"), UNFIT.values(), ids=UNFIT)
async def test_what_cannot_be_an_exchange_is_refused_before_it_is_asked(source: Any, words: str) -> None:
    with pytest.raises(DeclarationError) as refused:
        as_exchange(source)
    assert words in str(refused.value)


NO_SPAN = "candles of A cannot be used: span of shaped"
SPANS: dict[str, tuple[object, str]] = {
    "nothing": (None, f"{NO_SPAN} gave None, not the first open time and the end of the last candle, in ms"),
    "one time": (START_AT, f"{NO_SPAN} gave 1704067200000, not the first open time"),
    "three": ((1, 2, 3), f"{NO_SPAN} gave (1, 2, 3), not the first open time"),
    "floats": ((1.5, nan), f"{NO_SPAN} gave (1.5, nan), not the first open time"),
    "seconds": ((START_AT // 1000, None), f"{NO_SPAN}: 1704067200 looks like seconds since the epoch"),
    "an end before the start": (
        (END, START_AT),
        f"{NO_SPAN}: its end 1704067200000 lies before its start 1704067380000",
    ),
}


@pytest.mark.parametrize(("told", "words"), SPANS.values(), ids=SPANS)
async def test_a_span_that_cannot_be_is_refused(told: object, words: str) -> None:
    with pytest.raises(BadCandles) as refused:
        await span(as_exchange(shaped(span=lambda self, symbol: told)), "A")
    assert str(refused.value).startswith(words)


async def test_a_span_may_be_of_numpys_numbers_and_may_be_empty() -> None:
    assert await span(as_exchange(shaped(span=lambda self, symbol: (np.int64(START_AT), np.int64(END)))), "A") == (
        START_AT,
        END,
    )
    assert await span(as_exchange(shaped(span=lambda self, symbol: (0, 0))), "A") == (0, 0)
    with pytest.raises(SpanUnknown):
        await span(as_exchange(shaped()), "A")


async def test_one_that_has_every_part_as_a_plain_function_is_an_exchange() -> None:
    source = shaped(waits=True, piece=None, span=lambda self, symbol: (START_AT, END), aclose=lambda self: None)
    assert await asked(source) == ROWS
    made = as_exchange(source)
    assert await span(made, "A") == (START_AT, END)
    await made.aclose()


# Candles in memory.


def columns(unit: float) -> dict[str, Any]:
    time, opened, high, low, close, volume = (list(column) for column in zip(*ROWS, strict=True))
    times = [at * unit for at in time]
    return {"time": times, "open": opened, "high": high, "low": low, "close": close, "volume": volume}


UNITS = {"seconds": (0.001, "multiply by 1000"), "microseconds": (1000, "divide by 1000")}


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize(("unit", "how"), UNITS.items())
async def test_candles_in_memory_in_another_unit_are_told_in_the_words_of_a_file(
    unit: str, how: tuple[float, str]
) -> None:
    candles = Candles(**columns(how[0]))
    strategy = strategy_of("quiet", "1m", {}, lambda ctx: None)
    words = f"looks like {unit} since the epoch, not milliseconds: {how[1]}"
    for frame in (None, Frame("day", START_AT, END)):
        with pytest.raises(BadCandles, match=words) as refused:
            Backtest().execute("A", strategy=strategy, exchange=candles, frame=frame)
        assert refused.value.symbol == "A"


COLUMNS: dict[str, tuple[str, object, str]] = {
    "shapes": ("open", [[1.0], [2.0], [3.0]], "column open of candles has 2 dimensions; it must have one"),
    "lengths": ("open", [1.0], "columns of candles differ in length: {'time': 3, 'open': 1, 'high': 3,"),
    "ragged": ("open", [[1.0], [2.0, 3.0]], "column open of candles is no array of numbers: "),
    "text": ("low", ["a", "b", "c"], "column low of candles holds <U1, not numbers"),
    "nothing": ("low", [None, 1, 2], "column low of candles holds object, not numbers"),
    "truth": ("low", [True, True, True], "column low of candles holds bool, not numbers"),
    "dates": ("time", np.array([1, 2, 3], "M8[m]"), "column time of candles holds datetime64[m], not numbers"),
    "halves": ("time", [0.5, 1, 2], "column time of candles holds 0.5, which is no whole number of milliseconds"),
    "nan": ("time", [nan, 1, 2], "column time of candles holds nan, which is no whole number of milliseconds"),
    "ages": ("time", [1e300, 1, 2], "column time of candles holds 1e+300, which is no whole number of milliseconds"),
    "wrapping": (
        "time",
        np.array([2**63, 1, 2], "u8"),
        "column time of candles holds 9223372036854775808, which is no",
    ),
}


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize(("name", "values", "words"), COLUMNS.values(), ids=COLUMNS)
async def test_columns_that_are_no_candles_are_refused(name: str, values: Any, words: str) -> None:
    with pytest.raises(DeclarationError) as refused:
        Candles(**{**columns(1), name: values})
    assert str(refused.value).startswith(words)
