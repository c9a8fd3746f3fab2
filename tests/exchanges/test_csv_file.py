"""`csv:PATH`: what a file may look like, and what each fault in it is answered with."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.exchanges.asking import Asking
from tests.exchanges.loopback import MINUTE, START_AT, Row, candle, candles_of, rows_of
from tickfold import Backtest, Context, Signal
from tickfold.candles import Candles
from tickfold.errors import BadCandleFile, BadCandles, ExchangeUnreachable, UnknownName
from tickfold.exchanges import candle_text, span
from tickfold.exchanges.csv_file import CsvExchange
from tickfold.strategy import Strategy

pytestmark = pytest.mark.anyio

MONTH = Path(__file__).parents[3] / "shared" / "data" / "btc-perp-1m-2022-01.csv"
HEADER = "timestamp,open,high,low,close,volume"
LINES = [",".join(map(repr, row)) for row in candles_of(0, 5)]

Write = Callable[..., CsvExchange]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write lines, or bytes, to a file and give it as an exchange."""

    def written(*lines: str, content: bytes | None = None) -> CsvExchange:
        path = tmp_path / "prices.csv"
        path.write_bytes("".join(f"{line}\n" for line in lines).encode() if content is None else content)
        return CsvExchange(path)

    return written


async def all_of(exchange: CsvExchange, symbol: str = "A") -> list[Row]:
    first, end = await span(exchange, symbol)
    assert end is not None
    return rows_of(await exchange.candles(symbol, first, end))


def read(content: bytes) -> Candles:
    return candle_text.read_candles(content, "prices", partial(BadCandleFile, "A", "prices.csv"))


# What a file may look like.

SPELLINGS = {
    "ms": "1704067200000",
    "space": "2024-01-01 00:00:00",
    "T": "2024-01-01T00:00:00",
    "no seconds": "2024-01-01 00:00",
    "microseconds": "2024-01-01 00:00:00.000000",
    "milliseconds": "2024-01-01 00:00:00.000",
    "Z": "2024-01-01T00:00:00Z",
    "zero offset": "2024-01-01T00:00:00+00:00",
    "another offset": "2024-01-01T02:00:00+02:00",
    "compact": "20240101T000000",
    "a float": "1704067200000.0",
    "an exponent": "1.7040672e12",
    "quoted": '"2024-01-01 00:00:00"',
    "with spaces": " 2024-01-01 00:00:00 ",
}


@pytest.mark.parametrize("time", SPELLINGS.values(), ids=SPELLINGS)
async def test_a_time_may_be_spelled_in_many_ways(write: Write, time: str) -> None:
    assert await all_of(write(HEADER, f"{time},1,4,0.5,2,7")) == [(START_AT, 1.0, 4.0, 0.5, 2.0, 7.0)]


@pytest.mark.parametrize("time", ["2024-01-01 00:0{}:00", "2024-01-01T00:0{}:00Z", "170406{}000", "2024-01-01 00:0{}"])
async def test_each_line_has_its_own_time(write: Write, time: str) -> None:
    minutes = [str(7200 + 60 * minute) if time.startswith("17") else str(minute) for minute in range(4)]
    exchange = write(HEADER, *(f"{time.format(minute)},1,1,1,1,1" for minute in minutes))
    assert [row[0] for row in await all_of(exchange)] == [START_AT + minute * MINUTE for minute in range(4)]


async def test_times_of_one_width_may_be_spelled_differently(write: Write) -> None:
    times = ["2024-01-01 00:00:00.00", "2024-01-01T00:01:00.00", "2024-01-01 00:02+00:00", "2024-01-01 00:03:00.0Z"]
    exchange = write(HEADER, *(f"{time},1,1,1,1,1" for time in times))
    assert [row[0] for row in await all_of(exchange)] == [START_AT + minute * MINUTE for minute in range(4)]


FORMS = {
    "plain": "\n".join([HEADER, *LINES]) + "\n",
    "no newline at the end": "\n".join([HEADER, *LINES]),
    "empty lines at the end": "\n".join([HEADER, *LINES]) + "\n\n\n",
    "empty lines between": "\n\n".join([HEADER, *LINES]),
    "lines of Windows": "\r\n".join([HEADER, *LINES]) + "\r\n",
    "a mark of UTF-8": "\ufeff" + "\n".join([HEADER, *LINES]),
    "a header in capitals": "\n".join(["Timestamp, Open, High, Low, Close, Volume", *LINES]),
    "a quoted header": "\n".join([",".join(f'"{name}"' for name in HEADER.split(",")), *LINES]),
    "further columns": "\n".join([f"{HEADER},trades", *(f"{line},{number}" for number, line in enumerate(LINES))]),
    "further columns of text": "\n".join([f"{HEADER},note", *(f'{line},"a, b"' for line in LINES)]),
    "a repeated line": "\n".join([HEADER, *(line for line in LINES for _ in range(2))]),
    "another order": "\n".join(
        ["volume,close,low,high,open,timestamp", *(",".join(line.split(",")[::-1]) for line in LINES)]
    ),
}


@pytest.mark.parametrize("text", FORMS.values(), ids=FORMS)
async def test_a_file_may_have_many_forms(write: Write, text: str) -> None:
    assert await all_of(write(content=text.encode())) == candles_of(0, 5)


async def test_numbers_may_have_exponents_signs_and_no_digit_before_the_point(write: Write) -> None:
    exchange = write(HEADER, f"{START_AT},+1e2,1.5E+2,.5,100,1e-7")
    assert await all_of(exchange) == [(START_AT, 100.0, 150.0, 0.5, 100.0, 1e-7)]


async def test_a_gap_is_filled_by_fetch_and_told(write: Write) -> None:
    asked = Asking(write(HEADER, *LINES[:2], *LINES[3:]))
    candles = await asked.candles(START_AT, START_AT + 5 * MINUTE)
    close = candle(1)[4]
    flat: Row = (START_AT + 2 * MINUTE, close, close, close, close, 0.0)
    assert rows_of(candles) == [*candles_of(0, 2), flat, *candles_of(3, 5)]
    assert asked.told == ["A: 1 minutes from 2024-01-01T00:02:00.000Z had no candle and are filled, flat, volume 0"]


async def test_a_file_answers_for_every_symbol_and_is_named_after_its_stem(write: Write) -> None:
    exchange = write(HEADER, *LINES)
    assert exchange.name == "prices"
    assert await all_of(exchange, "BTCUSDT") == await all_of(exchange, "ETH/USDT") == candles_of(0, 5)
    assert rows_of(await exchange.candles("A", START_AT + MINUTE, START_AT + 3 * MINUTE)) == candles_of(1, 3)


async def test_a_file_is_read_once_until_it_is_closed(write: Write) -> None:
    exchange = write(HEADER, *LINES[:2])
    assert await all_of(exchange) == candles_of(0, 2)
    write(HEADER, *LINES)
    assert await all_of(exchange) == candles_of(0, 2)
    await exchange.aclose()
    assert await all_of(exchange) == candles_of(0, 5)


# What each fault is answered with.

BROKEN = {
    "empty": ("", None, None, "it is empty"),
    "only empty lines": ("\n\n", None, None, "it is empty"),
    "an empty header": (f"\n{LINES[0]}", None, None, "its first line, the header, is empty"),
    "no candles": (HEADER, None, None, "it holds a header and no candles"),
    "no header": (
        "\n".join(LINES),
        1,
        None,
        f"there is no header: the first line must name {HEADER}, not be '{LINES[0]}'",
    ),
    "a missing column": (
        "timestamp,open,high,low,close\n1,2,3,4,5",
        1,
        None,
        "the column volume is missing: the header names timestamp, open, high, low, close",
    ),
    "two missing columns": ("timestamp,open,high,low\n", 1, None, "the columns close, volume is missing"),
    "a column twice": (f"{HEADER},close\n{LINES[0]},1", 1, "close", "the header names it twice"),
    "text for a number": (f"{HEADER}\n{LINES[0]}\n{START_AT + MINUTE},1,x7,1,1,1", 3, "high", "'x7' is no number"),
    "nothing for a number": (f"{HEADER}\n{START_AT},1,1,1,,1", 2, "close", "'' is no number"),
    "digits with underscores": (f"{HEADER}\n{START_AT},1_0,1,1,1,1", 2, "open", "'1_0' is no number"),
    "digits of another script": (f"{HEADER}\n{START_AT},١,1,1,1,1", 2, "open", "'١' is no number"),
    "text for a time": (f"{HEADER}\nnow,1,1,1,1,1", 2, "timestamp", "'now' is no time"),
    "a colon among digits": (f"{HEADER}\n{LINES[0]}\n17040672600:0,1,1,1,1,1", 3, "timestamp", "is no time"),
    "nothing for a time": (f"{HEADER}\n,1,1,1,1,1", 2, "timestamp", "'' is no time"),
    "no such day": (f"{HEADER}\n2024-02-30 00:00,1,1,1,1,1", 2, "timestamp", "'2024-02-30 00:00' is no time"),
    "half a millisecond": (
        f"{HEADER}\n2024-01-01 00:00:00.000500,1,1,1,1,1",
        2,
        "timestamp",
        "'2024-01-01 00:00:00.000500' is no time: write whole ms",
    ),
    "within a minute": (f"{HEADER}\n{START_AT + 1},1,1,1,1,1", 2, "timestamp", "not open at a whole minute"),
    "seconds": (
        f"{HEADER}\n1704067200,1,1,1,1,1",
        2,
        "timestamp",
        "1704067200 looks like seconds since the epoch, not milliseconds: multiply by 1000",
    ),
    "microseconds": (f"{HEADER}\n1704067200000000,1,1,1,1,1", 2, "timestamp", "looks like microseconds"),
    "nanoseconds": (f"{HEADER}\n1704067200000000000,1,1,1,1,1", 2, "timestamp", "looks like nanoseconds"),
    "a time beyond time": (f"{HEADER}\n{10**30},1,1,1,1,1", 2, "timestamp", f"{10**30} is no time in ms"),
    "out of order": (
        "\n".join([HEADER, LINES[0], LINES[2], LINES[1]]),
        4,
        "timestamp",
        "it is out of order: it comes after the candle at 2024-01-01T00:02:00.000Z",
    ),
    "repeated otherwise": (
        f"{HEADER}\n{LINES[0]}\n{START_AT},1,1,1,1,1",
        3,
        "timestamp",
        f"it is given twice, as {candle(0)[1:]} and as (1.0, 1.0, 1.0, 1.0, 1.0)",
    ),
    "not a number": (f"{HEADER}\n{START_AT},1,1,1,nan,1", 2, "close", "close is nan"),
    "infinity": (f"{HEADER}\n{START_AT},1,inf,1,1,1", 2, "high", "high is inf"),
    "a negative volume": (f"{HEADER}\n{START_AT},1,1,1,1,-1", 2, "volume", "volume is -1.0; it is never negative"),
    "a price of 0": (f"{HEADER}\n{START_AT},1,1,0,1,1", 2, "low", "low is 0.0; a price is above 0"),
    "high below low": (f"{HEADER}\n{START_AT},2,1,2,2,1", 2, "high", "high 1.0 is below low 2.0"),
    "too few values": (f"{HEADER}\n{LINES[0]}\n{START_AT},1", 3, None, "2 values where the header names 6 columns"),
    "too many values": (f"{HEADER}\n{LINES[0]},8", 2, None, "7 values where the header names 6 columns"),
    "one value": (f"{HEADER}\nx", 2, None, "1 value where the header names 6 columns"),
    "one too few, then one too many": (
        f"{HEADER}\n{START_AT},1,1,1,1\n{START_AT + MINUTE},1,1,1,1,1,1",
        2,
        None,
        "5 values where the header names 6 columns",
    ),
    "semicolons": (f"{HEADER}\n{LINES[0].replace(',', ';')}", 2, None, "1 value where the header names 6 columns"),
    "after empty lines": (f"{HEADER}\n\n\n{LINES[0]}\n\nx,1,1,1,1,1", 6, "timestamp", "'x' is no time"),
}


@pytest.mark.parametrize(("text", "line", "column", "what"), BROKEN.values(), ids=BROKEN)
async def test_a_fault_is_named_by_file_line_column_and_value(
    write: Write, tmp_path: Path, text: str, line: int | None, column: str | None, what: str
) -> None:
    exchange = write(content=text.encode())
    with pytest.raises(BadCandleFile) as caught:
        await Asking(exchange).candles(START_AT, START_AT + MINUTE)
    error = caught.value
    assert (error.symbol, error.path, error.line, error.column) == ("A", tmp_path / "prices.csv", line, column)
    assert what in error.what
    assert str(tmp_path / "prices.csv") in str(error)


async def test_what_is_no_text_is_refused(write: Write) -> None:
    with pytest.raises(BadCandleFile, match="there is no header"):
        await all_of(write(content=bytes(range(256)) * 4))


async def test_a_missing_file_is_an_exchange_that_cannot_be_reached(tmp_path: Path) -> None:
    asked = Asking(CsvExchange(tmp_path / "none.csv"))
    with pytest.raises(ExchangeUnreachable) as caught:
        await asked.candles(START_AT, START_AT + MINUTE)
    assert str(caught.value) == f"none gave no candles of A in 1 attempt: there is no file {tmp_path / 'none.csv'}"
    assert asked.slept == []


async def test_a_file_that_cannot_be_read_is_one_too(tmp_path: Path) -> None:
    loop = tmp_path / "loop.csv"
    loop.symlink_to(loop)
    with pytest.raises(ExchangeUnreachable, match=r"loop\.csv cannot be read: "):
        await span(CsvExchange(loop), "A")


# A folder.


async def test_a_folder_holds_a_file_for_each_symbol(tmp_path: Path) -> None:
    folder = tmp_path / "binance"
    folder.mkdir()
    for number, name in enumerate(["BTCUSDT", "BTC%2FUSDT", "%F0%9F%98%80", ".."]):
        (folder / f"{name}.csv").write_text(f"{HEADER}\n{LINES[number]}\n")
    exchange = CsvExchange(folder)
    assert exchange.name == "binance"
    for number, symbol in enumerate(["BTCUSDT", "BTC/USDT", "😀", ".."]):
        assert await all_of(exchange, symbol) == [candle(number)]
    with pytest.raises(UnknownName) as caught:
        await span(exchange, "ETHUSDT")
    assert caught.value.known == ("..", "BTC/USDT", "BTCUSDT", "😀")
    assert str(caught.value) == (f"no symbol of {folder} is named 'ETHUSDT' (there are: .., BTC/USDT, BTCUSDT, 😀)")


@pytest.mark.parametrize("symbol", ["../secret", "a\0b", "\ud800", "x" * 300, "/etc/passwd"])
async def test_no_symbol_leads_out_of_its_folder(tmp_path: Path, symbol: str) -> None:
    (tmp_path / "secret.csv").write_text(f"{HEADER}\n{LINES[0]}\n")
    (tmp_path / "folder").mkdir()
    with pytest.raises((UnknownName, ExchangeUnreachable)):
        await span(CsvExchange(tmp_path / "folder"), symbol)


async def test_a_fault_in_one_file_of_a_folder_leaves_the_others_readable(tmp_path: Path) -> None:
    (tmp_path / "A.csv").write_text("")
    (tmp_path / "B.csv").write_text(f"{HEADER}\n{LINES[0]}\n")
    exchange = CsvExchange(tmp_path)
    with pytest.raises(BadCandles):
        await all_of(exchange, "A")
    assert await all_of(exchange, "B") == [candle(0)]


# The quick way and the thorough one.

PRICES = st.floats(1e-3, 1e6)


@st.composite
def files(draw: st.DrawFn) -> tuple[bytes, list[Row]]:
    """A file as programs write it, and what stands in it."""
    count = draw(st.integers(1, 6))
    rows: list[Row] = []
    close = draw(PRICES)
    for minute in range(count):
        opened = close * draw(st.floats(0.9, 1.1))
        close = opened * draw(st.floats(0.9, 1.1))
        volume = draw(st.floats(0, 1e12))
        rows.append((START_AT + minute * MINUTE, opened, max(opened, close), min(opened, close), close, volume))
    iso = draw(st.booleans())
    times = [
        f"2024-01-01 00:0{minute}:00.000000" if iso else str(START_AT + minute * MINUTE) for minute in range(count)
    ]
    lines = [f"{time},{','.join(map(repr, row[1:]))}" for time, row in zip(times, rows, strict=True)]
    return "\n".join([HEADER, *lines]).encode(), rows


@settings(deadline=None)
@given(files())
def test_both_ways_read_the_same_bits(file: tuple[bytes, list[Row]]) -> None:
    content, rows = file
    blame = partial(BadCandleFile, "A", "prices.csv")
    body = candle_text._body(content, blame)
    quick, thorough = candle_text._read_at_once(body), candle_text._read_line_by_line(body, blame)
    assert quick is not None
    assert [column.tolist() for column in quick] == [column.tolist() for column in thorough]
    assert rows_of(read(content)) == rows


@settings(deadline=None)
@given(files(), st.data())
def test_a_changed_byte_is_read_alike_by_both_ways_or_refused(
    file: tuple[bytes, list[Row]], data: st.DataObject
) -> None:
    content, _ = file
    start = len(HEADER) + 1
    place = data.draw(st.integers(start, len(content) - 1))
    letter = data.draw(st.sampled_from(b'0123456789.,-+eE \n"xnN_:TZ\0'))
    changed = content[:place] + bytes([letter]) + content[place + 1 :]
    blame = partial(BadCandleFile, "A", "prices.csv")
    body = candle_text._body(changed, blame)
    quick = candle_text._read_at_once(body)
    if quick is not None:
        thorough = candle_text._read_line_by_line(body, blame)
        assert [column.tolist() for column in quick] == [column.tolist() for column in thorough]


# Used by the engine.


def never(ctx: Context) -> Signal | None:
    return None


def test_a_backtest_reads_it_from_plain_code(write: Write) -> None:
    exchange = write(HEADER, *(",".join(map(repr, row)) for row in candles_of(0, 30)))
    result = Backtest().execute("A", strategy=Strategy("never", never, "1m"), exchange=exchange)
    assert result.boundaries.idle == 26


@pytest.mark.skipif(not MONTH.exists(), reason=f"{MONTH.name} is not beside the checkout")
async def test_a_month_of_real_candles_is_read_the_same_in_both_ways() -> None:
    content = MONTH.read_bytes()
    candles = read(content)
    assert len(candles) == 45_031
    assert candles.at(0) == (1_640_991_660_000, 46319.0, 46385.0, 46319.0, 46377.0, 2300413.7295)
    assert candles.at(-1) == (1_643_693_460_000, 38525.0, 38546.0, 38525.0, 38544.0, 685906.9735)
    blame = partial(BadCandleFile, "A", "prices.csv")
    thorough = candle_text._read_line_by_line(candle_text._body(content, blame), blame)
    assert (candles.time == thorough.times).all()
    assert (thorough.values == candles.arrays[1:]).all()
