"""The real ccxt client of two exchanges, against an exchange on loopback that speaks their wire formats."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from email.utils import formatdate
from functools import partial

import anyio
import anyio.lowlevel
import pytest
from aiohttp import web

from tests.exchanges.asking import Asking
from tests.exchanges.loopback import (
    MINUTE,
    START_AT,
    Binance,
    Dialect,
    Fault,
    Kraken,
    Loopback,
    NoFurther,
    breaks_off,
    candle,
    candles_of,
    cuts_short,
    hangs,
    resets,
    rows_of,
    says,
    serving,
    status,
)
from tickfold.errors import (
    BadCandles,
    CandlesMissing,
    DeclarationError,
    ExchangeUnreachable,
    NeedsAsyncio,
    SpanUnknown,
    TryAgain,
    UnknownName,
)
from tickfold.exchanges import span
from tickfold.exchanges.ccxt import CcxtExchange, known_ids

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """The client needs asyncio; what it says under trio has a test of its own."""
    return "asyncio"


@pytest.fixture(params=[Binance(), Kraken()], ids=["binance", "kraken"])
def dialect(request: pytest.FixtureRequest) -> Dialect:
    chosen: Dialect = request.param
    return chosen


@pytest.fixture
async def exchange(dialect: Dialect) -> AsyncIterator[Loopback]:
    async with serving(dialect) as exchange:
        exchange.minute_at(600)
        yield exchange


@pytest.fixture
async def asking(exchange: Loopback) -> AsyncIterator[Asking]:
    client = exchange.client()
    yield Asking(client, exchange.dialect.symbol)
    await client.aclose()


def at(minute: int) -> int:
    return START_AT + minute * MINUTE


async def test_the_closed_candles_of_a_range_come_bit_for_bit(asking: Asking) -> None:
    candles = await asking.candles(at(100), at(500))
    assert rows_of(candles) == candles_of(100, 500)
    assert candles.time.tolist()[:2] == [at(100), at(101)]


async def test_the_forming_candle_is_dropped(exchange: Loopback, asking: Asking) -> None:
    exchange.now += 30_000
    candles = await asking.candles(at(590), at(700), now=exchange.now)
    assert rows_of(candles) == candles_of(590, 600)


async def test_a_candle_still_forms_by_the_clock_of_the_exchange_where_ours_is_ahead(
    exchange: Loopback, asking: Asking
) -> None:
    exchange.now = at(600) - 1000
    candles = await asking.candles(at(590), at(600), now=at(600) + 3000)
    assert rows_of(candles) == candles_of(590, 599)


async def test_a_candle_that_is_late_is_missing_until_it_is_there(exchange: Loopback, asking: Asking) -> None:
    exchange.withheld = {598, 599}
    assert rows_of(await asking.candles(at(590), at(600))) == candles_of(590, 598)
    exchange.withheld = set()
    assert rows_of(await asking.candles(at(590), at(600))) == candles_of(590, 600)
    assert asking.told == []


async def test_a_hole_is_asked_for_again_then_filled_and_told(exchange: Loopback, asking: Asking) -> None:
    exchange.withheld = {595}
    candles = await asking.candles(at(590), at(600))
    close = candle(594)[4]
    flat = (at(595), close, close, close, close, 0.0)
    assert rows_of(candles) == [*candles_of(590, 595), flat, *candles_of(596, 600)]
    told = "1 minutes from 2024-01-01T09:55:00.000Z had no candle and are filled, flat, volume 0"
    assert asking.told == [f"{exchange.dialect.symbol}: {told}"]


async def test_pages_shorter_than_they_could_be_are_followed_to_the_end(exchange: Loopback, asking: Asking) -> None:
    exchange.most = 7
    if isinstance(exchange.dialect, Kraken):  # which gives from `since` on only while that is among the newest
        exchange.minute_at(30)
    last = (exchange.now - START_AT) // MINUTE
    candles = await asking.candles(at(last - 30), at(last))
    assert rows_of(candles) == candles_of(last - 30, last)
    assert exchange.pages == 5


async def test_a_row_given_twice_counts_once(exchange: Loopback, asking: Asking) -> None:
    exchange.twice = {595: candle(595), 597: candle(597)}
    assert rows_of(await asking.candles(at(590), at(600))) == candles_of(590, 600)


async def test_a_row_given_twice_with_other_values_is_refused(exchange: Loopback, asking: Asking) -> None:
    exchange.twice = {595: (*candle(595)[:5], 99.5)}
    with pytest.raises(BadCandles, match="is given twice") as caught:
        await asking.candles(at(590), at(600))
    assert (caught.value.symbol, caught.value.at) == (exchange.dialect.symbol, at(595))


PASSING: list[tuple[str, list[Fault], list[int]]] = [
    ("too many requests", [status(429, Retry_After="3")], [3000]),
    ("too many requests, banned", [status(418, Retry_After="20")], [20_000]),
    ("no pause named", [status(429)], [1000]),
    ("a pause that is no number", [status(429, Retry_After="soon")], [1000]),
    ("a pause up to a date", [status(503, Retry_After=formatdate(at(600) / 1000 + 7, usegmt=True))], [7000]),
    (
        "a pause up to a date that is past",
        [status(503, Retry_After=formatdate(at(600) / 1000 - 7, usegmt=True))],
        [1000],
    ),
    ("unavailable", [status(503)], [1000]),
    ("broken", [status(500)], [1000]),
    ("a gateway, twice", [status(502), status(504)], [1000, 2000]),
    ("half a body", [breaks_off], [1000]),
    ("half a body as if it were whole", [cuts_short], [1000]),
    ("a page of HTML", [says("<html>maintenance</html>")], [1000]),
    ("nothing at all", [says("")], [1000]),
]


@pytest.mark.parametrize(("faults", "pauses"), [case[1:] for case in PASSING], ids=[case[0] for case in PASSING])
async def test_a_fault_that_passes_costs_a_pause(
    exchange: Loopback, asking: Asking, faults: list[Fault], pauses: list[int]
) -> None:
    exchange.faults.extend(faults)
    candles = await asking.candles(at(590), at(600))
    assert rows_of(candles) == candles_of(590, 600)
    assert asking.slept == pauses


async def test_a_reset_connection_is_tried_again(exchange: Loopback, asking: Asking) -> None:
    def comes_back() -> None:
        exchange.down = None

    exchange.down = resets
    asking.meanwhile = comes_back
    assert rows_of(await asking.candles(at(590), at(600))) == candles_of(590, 600)
    assert asking.slept == [1000]


async def test_an_answer_that_does_not_come_is_given_up_and_asked_for_again(exchange: Loopback) -> None:
    client = exchange.client(timeout=1500)
    asking = Asking(client, exchange.dialect.symbol)
    exchange.faults.append(hangs)
    assert rows_of(await asking.candles(at(590), at(600))) == candles_of(590, 600)
    assert asking.slept == [1000]
    await client.aclose()


async def test_a_pause_of_over_a_minute_counts_as_unreachable(exchange: Loopback, asking: Asking) -> None:
    exchange.faults.append(status(429, Retry_After="61"))
    with pytest.raises(ExchangeUnreachable) as caught:
        await asking.candles(at(590), at(600))
    name, symbol = exchange.dialect.id, exchange.dialect.symbol
    page = "<html><body>not now</body></html>"
    assert str(caught.value) == (f"{name} gave no candles of {symbol} in 1 attempt: HTTP 429 Too Many Requests: {page}")
    assert asking.slept == []


async def test_an_outage_is_told_after_three_attempts_and_what_comes_after_it_is_read_by_the_same_client(
    exchange: Loopback, asking: Asking
) -> None:
    exchange.faults.extend([status(503)] * 8)
    for _ in range(2):
        with pytest.raises(ExchangeUnreachable, match="in 3 attempts: HTTP 503 Service Unavailable"):
            await asking.candles(at(590), at(600))
    assert rows_of(await asking.candles(at(590), at(600))) == candles_of(590, 600)
    assert asking.slept == [1000, 2000, 1000, 2000, 1000, 2000]


async def test_nobody_listening_counts_as_unreachable(dialect: Dialect) -> None:
    async with serving(dialect) as gone:
        client = gone.client()
    asking = Asking(client, dialect.symbol)
    with pytest.raises(ExchangeUnreachable, match="in 3 attempts: ExchangeNotAvailable: "):
        await asking.candles(at(0), at(1))
    await client.aclose()


WRONG_SHAPES = [
    {"a": 1},
    [1],
    [[1]],
    [["x", 2, 3, 4, 5, 6]],
    [{"time": 1}],
    "text",
    7,
    {"error": [], "result": {}},
    {"error": [], "result": {"XXBTZUSD": [[1, 2]]}},
    {"error": [], "result": {"XXBTZUSD": [["x", "1", "1", "1", "1", "1", "1", 1]]}},
    {"error": [], "result": {"XXBTZUSD": {"a": 1}}},
]


@pytest.mark.parametrize("answer", WRONG_SHAPES, ids=json.dumps)
async def test_json_of_another_shape_is_refused_at_once(exchange: Loopback, asking: Asking, answer: object) -> None:
    exchange.faults.append(says(json.dumps(answer)))
    outcome = "another form than it documents|no JSON"
    with pytest.raises((BadCandles, ExchangeUnreachable), match=outcome) as caught:
        exchange.faults.extend([says(json.dumps(answer))] * 2)
        await asking.candles(at(590), at(600))
    assert exchange.dialect.symbol in str(caught.value)


async def test_a_candle_that_cannot_be_true_is_refused_with_its_time_and_value(
    exchange: Loopback, asking: Asking
) -> None:
    exchange.withheld = {599}
    exchange.twice = {598: (at(599), 100.0, 99.0, 98.0, 100.0, 1.0)}
    with pytest.raises(BadCandles) as caught:
        await asking.candles(at(590), at(600))
    assert str(caught.value) == (
        f"the candle of {exchange.dialect.symbol} at 2024-01-01T09:59:00.000Z cannot be used: "
        "high 99.0 is below open 100.0 or close 100.0"
    )


async def test_an_unknown_symbol_is_refused_with_those_that_are_near(exchange: Loopback, asking: Asking) -> None:
    asking.symbol = "BTC/USX"
    with pytest.raises(UnknownName) as caught:
        await asking.candles(at(590), at(600))
    assert caught.value.name == "BTC/USX"
    assert set(caught.value.known) >= {exchange.dialect.symbol}
    assert exchange.pages == 0
    assert asking.slept == []


@pytest.mark.parametrize("symbols", ['{"symbols":[]}', '{"error":[],"result":{}}', "{}"])
async def test_an_exchange_that_lists_no_symbols_is_asked_again(
    exchange: Loopback, asking: Asking, symbols: str
) -> None:
    def lists_them_again() -> None:
        exchange.symbols = None

    exchange.symbols = symbols
    asking.meanwhile = lists_them_again
    assert rows_of(await asking.candles(at(590), at(600))) == candles_of(590, 600)
    assert asking.slept == [1000]


async def test_a_symbol_may_be_written_as_the_exchange_writes_it(exchange: Loopback, asking: Asking) -> None:
    asking.symbol = "BTCUSDT" if isinstance(exchange.dialect, Binance) else "XXBTZUSD"
    assert rows_of(await asking.candles(at(590), at(600))) == candles_of(590, 600)


async def test_streams_of_one_run_share_a_client(exchange: Loopback, asking: Asking) -> None:
    async def ask() -> None:
        assert rows_of(await asking.candles(at(590), at(600))) == candles_of(590, 600)

    async with anyio.create_task_group() as tasks:
        for _ in range(5):
            tasks.start_soon(ask)
    assert exchange.pages == 5
    assert len(exchange.asked) == 5 + (3 if isinstance(exchange.dialect, Binance) else 2)


async def test_one_that_is_cancelled_while_the_symbols_load_leaves_the_others_to_load_them(
    exchange: Loopback, asking: Asking
) -> None:
    answers: list[int] = []

    async def ask() -> None:
        answers.append(len(await asking.candles(at(590), at(600))))

    async def ask_and_give_up(scope: anyio.CancelScope) -> None:
        with scope:
            await ask()

    scope = anyio.CancelScope()
    exchange.symbols_open.clear()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask_and_give_up, scope)
        await exchange.symbols_asked.wait()
        tasks.start_soon(ask)
        tasks.start_soon(ask)
        await anyio.lowlevel.checkpoint()
        scope.cancel()
        exchange.symbols_open.set()
    assert answers == [10, 10]


async def test_a_client_that_is_closed_is_made_anew_when_it_is_needed(exchange: Loopback, asking: Asking) -> None:
    for _ in range(2):
        assert rows_of(await asking.candles(at(590), at(600))) == candles_of(590, 600)
        await asking.exchange.aclose()
        await asking.exchange.aclose()
    assert len(exchange.asked) == 2 * (4 if isinstance(exchange.dialect, Binance) else 3)
    gc.collect()  # what was left open would warn here, and warnings are errors


async def test_who_is_asking_while_it_is_closed_is_answered(exchange: Loopback, asking: Asking) -> None:
    await asking.candles(at(590), at(600))
    going_on = anyio.Event()

    async def slow(exchange: Loopback, request: web.Request, text: str) -> web.StreamResponse:
        going_on.set()
        await exchange.never.wait()
        return exchange.said(text)

    exchange.faults.append(slow)

    async def ask() -> None:
        assert rows_of(await asking.candles(at(590), at(600))) == candles_of(590, 600)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask)
        await going_on.wait()
        await asking.exchange.aclose()
        exchange.never.set()
    assert asking.slept == []


async def test_no_request_is_sent_faster_than_the_exchange_wants(exchange: Loopback) -> None:
    client = CcxtExchange(exchange.dialect.id)._client()
    assert client.enableRateLimit is True
    assert client.rateLimit == {"binance": 50, "kraken": 1000}[exchange.dialect.id]


async def test_a_range_may_end_within_a_minute(exchange: Loopback, asking: Asking) -> None:
    rows = await asking.exchange.candles(exchange.dialect.symbol, at(590) - 1, at(592) + 1)
    assert [tuple(row) for row in rows] == candles_of(590, 593)  # type: ignore[union-attr] # rows, not Candles
    assert exchange.pages == 1


async def test_it_does_not_know_since_when_it_has_candles(asking: Asking) -> None:
    with pytest.raises(SpanUnknown, match="name a range"):
        await span(asking.exchange, asking.symbol)


async def test_binance_gives_a_long_range_by_the_thousand() -> None:
    async with serving(Binance()) as exchange:
        exchange.minute_at(3000)
        client = exchange.client()
        candles = await Asking(client, "BTC/USDT").candles(at(0), at(2500))
        await client.aclose()
    assert rows_of(candles) == candles_of(0, 2500)
    assert exchange.pages == 3


async def test_a_hole_longer_than_a_page_does_not_end_a_range() -> None:
    async with serving(NoFurther()) as exchange:
        exchange.minute_at(900)
        exchange.withheld = set(range(150, 450))
        client = exchange.client(features={"spot": {"fetchOHLCV": {"limit": 100}}})
        rows = await client.candles("BTC/USDT", at(0), at(900))
        await client.aclose()
    assert [tuple(row) for row in rows] == [*candles_of(0, 150), *candles_of(450, 900)]
    assert exchange.pages == 10


async def test_what_was_before_the_listing_is_not_there() -> None:
    async with serving(Binance()) as exchange:
        exchange.first_minute = 1200
        exchange.minute_at(3000)
        client = exchange.client()
        candles = await Asking(client, "BTC/USDT").candles(at(0), at(1300))
        await client.aclose()
    assert rows_of(candles) == candles_of(1200, 1300)


async def test_kraken_says_that_it_keeps_only_the_newest_720() -> None:
    async with serving(Kraken()) as exchange:
        exchange.minute_at(3000)
        client = exchange.client()
        asking = Asking(client, "BTC/USD")
        assert rows_of(await asking.candles(at(2281), at(3000))) == candles_of(2281, 3000)
        missing = [(2000, 3000, 2281), (2280, 2300, 2281), (100, 200, 200)]
        for first, last, end in missing:
            with pytest.raises(CandlesMissing) as caught:
                await asking.candles(at(first), at(last))
            assert (caught.value.symbol, caught.value.start, caught.value.end) == ("BTC/USD", at(first), at(end))
        await client.aclose()


async def test_kraken_says_with_status_200_that_it_is_asked_too_often() -> None:
    async with serving(Kraken()) as exchange:
        exchange.minute_at(600)
        client = exchange.client()
        asking = Asking(client, "BTC/USD")
        exchange.faults.append(says('{"error":["EAPI:Rate limit exceeded"]}'))
        assert rows_of(await asking.candles(at(590), at(600))) == candles_of(590, 600)
        assert asking.slept == [1000]
        exchange.faults.append(says('{"error":["EGeneral:Invalid arguments"]}'))
        with pytest.raises(ExchangeUnreachable, match="in 1 attempt: BadRequest: kraken"):
            await asking.candles(at(590), at(600))
        await client.aclose()


@pytest.mark.parametrize("anyio_backend", ["trio"])
async def test_under_trio_it_says_that_it_needs_asyncio() -> None:
    exchange = CcxtExchange("binance")
    with pytest.raises(NeedsAsyncio, match="binance is read through ccxt, whose client needs asyncio"):
        await Asking(exchange, "BTC/USDT").candles(at(0), at(1))
    await exchange.aclose()


@pytest.mark.parametrize("exchange_id", ["independentreserve", "mercado"], ids=["no candles", "none of a minute"])
async def test_an_exchange_without_one_minute_candles_is_refused(exchange_id: str) -> None:
    exchange = CcxtExchange(exchange_id)
    with pytest.raises(DeclarationError, match=f"ccxt:{exchange_id} gives no one-minute candles"):
        await Asking(exchange, "BTC/USD").candles(at(0), at(1))


def test_it_may_be_used_in_one_event_loop_after_another() -> None:
    exchange = Loopback(Binance(), base="http://127.0.0.1:9").client()  # where nobody listens

    async def ask(*, close: bool) -> None:
        with pytest.raises(TryAgain, match="ExchangeNotAvailable"):
            await exchange.candles("BTC/USDT", at(0), at(1))
        assert exchange._connection is not None
        # Closed by hand, it is held on to as by a program that forgot `aclose`, and leaves no open session behind.
        await (exchange.aclose() if close else exchange._connection.client.close())

    anyio.run(partial(ask, close=False))
    anyio.run(partial(ask, close=True))


def test_an_unknown_id_is_refused_with_those_that_are_near() -> None:
    with pytest.raises(UnknownName, match="no ccxt exchange is named 'binanse'; did you mean 'binance'"):
        CcxtExchange("binanse")


def test_the_ids_are_known_without_importing_ccxt() -> None:
    script = "from tickfold.exchanges import as_exchange; as_exchange('ccxt:kraken')"
    script += "; import sys; print('ccxt' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "False"


def test_the_ids_are_those_that_ccxt_lists() -> None:
    import ccxt.async_support

    assert known_ids() == sorted(ccxt.async_support.exchanges)
