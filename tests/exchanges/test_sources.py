"""What stands for an exchange: text, a registered name, an object, a function, candles in memory."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.exchanges.asking import Asking
from tests.exchanges.loopback import MINUTE, START_AT, Row, candles_of, rows_of
from tickfold.candles import Candles
from tickfold.errors import BadCandles, DeclarationError, SpanUnknown, UnknownName
from tickfold.exchanges import as_exchange, span
from tickfold.exchanges.ccxt import CcxtExchange
from tickfold.exchanges.csv_file import CsvExchange
from tickfold.exchanges.memory import MemoryExchange
from tickfold.exchanges.simulated import SimulatedExchange
from tickfold.frame import moment
from tickfold.sources import EXCHANGES, exchange, find_exchange

pytestmark = pytest.mark.anyio

ROWS = candles_of(0, 3)


@pytest.fixture(autouse=True)
def _nothing_registered() -> Iterator[None]:
    EXCHANGES.clear()
    yield
    EXCHANGES.clear()


@pytest.mark.parametrize(
    ("text", "kind", "name"),
    [
        ("csv:data/BTCUSDT.csv", CsvExchange, "BTCUSDT"),
        ("csv:data/binance", CsvExchange, "binance"),
        ("csv:a=b.csv", CsvExchange, "a=b"),
        ("csv:c:d.csv", CsvExchange, "c:d"),
        ("sim:7", SimulatedExchange, "sim-7"),
        ("sim:a word", SimulatedExchange, "sim-a word"),
        ("ccxt:kraken", CcxtExchange, "kraken"),
        ("binance=csv:saved.csv", CsvExchange, "binance"),
        ("x=sim:7", SimulatedExchange, "x"),
        ("here=ccxt:kraken", CcxtExchange, "here"),
        ("a=b=sim:7", SimulatedExchange, "a=b"),
    ],
)
def test_a_text_says_a_kind_and_may_say_a_name(text: str, kind: type, name: str) -> None:
    source = as_exchange(text)
    assert type(source) is kind
    assert source.name == name


def test_a_name_given_beside_the_text_comes_first() -> None:
    assert as_exchange("x=sim:7", "y").name == "y"


KINDS = (
    "there are ccxt:ID, an exchange by its ccxt id, such as ccxt:binance; "
    "csv:PATH, a file of candles or a folder of them; archive:PATH, candles that `tickfold candles download` kept; "
    "sim:SEED, a simulated market"
)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("parquet:data", f"there is no kind 'parquet'; {KINDS}"),
        ("CSV:data", f"there is no kind 'CSV'; {KINDS}"),
        ("binance", f"write [NAME=]KIND:REST; {KINDS}"),
        ("=sim:7", f"write [NAME=]KIND:REST; {KINDS}"),
        ("", f"write [NAME=]KIND:REST; {KINDS}"),
        ("csv:", "nothing follows csv: (csv:PATH, a file of candles or a folder of them)"),
        ("x=sim:", "nothing follows sim: (sim:SEED, a simulated market)"),
    ],
)
def test_another_text_is_refused_with_the_kinds_that_there_are(text: str, why: str) -> None:
    with pytest.raises(DeclarationError) as caught:
        as_exchange(text)
    assert str(caught.value) == f"{text!r} is no source of candles: {why}"


def test_a_registered_name_is_found_and_an_unknown_one_lists_those_that_exist() -> None:
    registered = exchange("mine", "sim:7")
    exchange("c:d", Candles.empty())
    assert find_exchange("mine") is registered
    assert registered.name == "mine"
    assert find_exchange("c:d").name == "c:d"
    assert find_exchange("sim:8").name == "sim-8"
    with pytest.raises(UnknownName) as caught:
        find_exchange("nine")
    assert str(caught.value) == "no exchange is named 'nine'; did you mean 'mine'? (there are: c:d, mine)"
    with pytest.raises(DeclarationError, match="exchange with the name 'mine'"):
        exchange("mine", "sim:9")


# A user's own.


class Plain:
    name = "plain"

    def candles(self, symbol: str, start: int, end: int) -> list[Row]:
        return [row for row in ROWS if start <= row[0] < end]


class Full:
    name = "full"
    piece = MINUTE

    def __init__(self) -> None:
        self.closed = 0

    async def candles(self, symbol: str, start: int, end: int) -> list[Row]:
        return Plain().candles(symbol, start, end)

    async def span(self, symbol: str) -> tuple[int, int | None]:
        return START_AT, START_AT + 3 * MINUTE

    def aclose(self) -> None:
        self.closed += 1


def listed(symbol: str, start: int, end: int) -> list[Row]:
    return ROWS


async def awaited(symbol: str, start: int, end: int) -> list[Row]:
    return ROWS


@pytest.mark.parametrize(
    ("source", "name"),
    [(Plain(), "plain"), (Full(), "full"), (listed, "listed"), (awaited, "awaited")],
    ids=["a class", "an async class", "a function", "an async function"],
)
@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_an_object_or_a_function_is_an_exchange(source: object, name: str) -> None:
    made = as_exchange(source)  # type: ignore[arg-type] # the cases are of different types
    assert (made.name, made.waits) == (name, True)
    assert rows_of(await Asking(made).candles(START_AT, START_AT + 9 * MINUTE)) == ROWS
    assert as_exchange(made, "other").name == "other"


@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_an_object_may_say_how_far_it_reaches_and_be_closed() -> None:
    source = Full()
    made = as_exchange(source)
    assert await span(made, "A") == (START_AT, START_AT + 3 * MINUTE)
    assert made.piece == MINUTE
    await made.aclose()
    assert source.closed == 1
    for silent in (as_exchange(Plain()), as_exchange(listed)):
        with pytest.raises(SpanUnknown, match="name a range"):
            await span(silent, "A")
        await silent.aclose()


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_candles_in_memory_are_an_exchange_for_every_symbol() -> None:
    time, *prices = (list(column) for column in zip(*ROWS, strict=True))
    candles = Candles(time=time, open=prices[0], high=prices[1], low=prices[2], close=prices[3], volume=prices[4])
    made = as_exchange(candles)
    assert (type(made), made.name, made.waits) == (MemoryExchange, "memory", False)
    assert await span(made, "any") == (START_AT, START_AT + 3 * MINUTE)
    assert rows_of(await Asking(made).candles(START_AT + MINUTE, START_AT + 9 * MINUTE)) == ROWS[1:]
    assert await span(as_exchange(Candles.empty()), "any") == (0, 0)


@pytest.mark.parametrize("source", [Plain, 7, None, "", object()], ids=["a class", "7", "None", "no text", "an object"])
def test_what_is_no_source_is_refused(source: object) -> None:
    with pytest.raises(DeclarationError):
        as_exchange(source)  # type: ignore[arg-type] # that it is wrong is the case


def test_a_source_without_a_name_is_asked_for_one() -> None:
    class Nameless:
        def candles(self, symbol: str, start: int, end: int) -> list[Row]:
            return ROWS

    with pytest.raises(DeclarationError, match="Nameless has no name: give it"):
        as_exchange(Nameless())  # type: ignore[arg-type] # that it has no name is the case
    assert as_exchange(Nameless(), "given").name == "given"  # type: ignore[arg-type] # as above


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_seconds_from_a_users_own_exchange_are_seen() -> None:
    def in_seconds(symbol: str, start: int, end: int) -> list[list[float]]:
        return [[row[0] / 1000, *row[1:]] for row in ROWS]

    with pytest.raises(BadCandles, match="1704067200 looks like seconds since the epoch"):
        await Asking(as_exchange(in_seconds)).candles(START_AT, START_AT + MINUTE)


# Times that people write.


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2024-01-01", START_AT),
        ("2024-01-01T00:01", START_AT + MINUTE),
        ("2024-01-01 02:01+02:00", START_AT + MINUTE),
        ("2024-01-01T00:00:00.5Z", START_AT + 500),
        (f"@{START_AT}", START_AT),
        ("@-5", -5),
        (START_AT, START_AT),
    ],
)
def test_a_moment_is_written_in_iso_8601_or_in_ms(text: str | int, at: int) -> None:
    assert moment(text) == at


@pytest.mark.parametrize("text", ["yesterday", "@", "@--5", "@²", "@1.5", "", "2024-13-01", True])
def test_another_moment_is_refused(text: str) -> None:
    with pytest.raises(DeclarationError, match="is no time: write ISO 8601"):
        moment(text)


def test_importing_tickfold_pays_for_no_event_loop_and_no_exchange() -> None:
    ask = "import tickfold, sys; print(*sorted({'asyncio', 'trio', 'ccxt', 'aiohttp'} & set(sys.modules)))"
    answer = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    assert answer.stdout.split() == []
