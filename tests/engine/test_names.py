"""Whatever can be written can be a name, and is told from every other; what cannot is refused where it is given."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.support.facts import in_memory, strategy_of
from tests.support.markets import all_markets
from tickfold import Backtest, Candles, Context, Frame, Live, Signal, exchange, strategy
from tickfold.errors import DeclarationError, UnknownName
from tickfold.strategy import Strategy
from tickfold_eventstore import Store, Stream, UnusableName

CANDLES = in_memory(all_markets()[0].candles[:60])

NO_NAMES: list[tuple[Any, str]] = [
    ("", "it is empty"),
    ("a\ud800", "it holds half of a character"),
    ("x" * 1001, "it has 1001 characters, over 1000"),
    (None, "it is NoneType, not text"),
    (7, "it is int, not text"),
    (b"BTC", "it is bytes, not text"),
    (("A", "B"), "it is tuple, not text"),
]


def quiet(ctx: Context) -> Signal | None:
    return None


DECLARING: dict[str, Callable[[Any], object]] = {
    "strategy": strategy,
    "exchange": lambda name: exchange(name, CANDLES),
    "frame": lambda name: Frame(name, "2024-01-01", "2024-01-02"),
}


@pytest.mark.parametrize("kind", DECLARING)
@pytest.mark.parametrize(("name", "why"), NO_NAMES)
def test_nothing_is_declared_under_what_is_no_name(kind: str, name: Any, why: str) -> None:
    with pytest.raises(DeclarationError) as refused:
        DECLARING[kind](name)
    assert str(refused.value).startswith(f"{kind} ")
    assert str(refused.value).endswith(f": this cannot be its name: {why}")


@pytest.mark.parametrize(("name", "why"), [row for row in NO_NAMES if not isinstance(row[0], tuple)])
def test_no_symbol_is_watched_under_what_is_no_name(name: Any, why: str, tmp_path: Path) -> None:
    chosen = strategy_of("quiet", "1m", {}, quiet)

    async def live(symbols: Any, *, in_background: bool) -> None:
        async with Live(tmp_path, clock="replay") as live:
            if in_background:
                live.background(symbols, strategy=chosen, exchange=CANDLES)
            else:
                live.run(symbols, strategy=chosen, exchange=CANDLES)

    for given in (name, ["A", name]):
        for call in (
            lambda given: Backtest().execute(given, strategy=chosen, exchange=CANDLES),
            lambda given: Backtest().run(given, strategy=chosen, exchange=CANDLES),
            lambda given: anyio.run(lambda: live(given, in_background=False)),
            lambda given: anyio.run(lambda: live(given, in_background=True)),
        ):
            with pytest.raises(
                UnusableName, match="cannot be the name of an exchange, a strategy or a symbol"
            ) as refused:
                call(given)
            assert str(refused.value).endswith(why)
    assert Store(tmp_path).streams() == []


NAMES = [
    *[" ", "/", ".", "..", "a/../../b", "a\0b", "\n", "%2F", "~", "CON", "\U0001f600", "x" * 300, "\U0001f600" * 300],
    *["BTC", "btc", "caf\u00e9", "cafe\u0301", "\u202egpj", "-rf", "LOCK", "*", "a b", "<lambda>", "{}", "''"],
]


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_any_other_name_is_a_stream_of_its_own_in_live_and_in_a_backtest(tmp_path: Path) -> None:
    expected = sorted(
        [Stream(exchange=name, strategy="quiet", symbol="A") for name in NAMES]
        + [Stream(exchange="memory", strategy=name, symbol="A") for name in NAMES]
        + [Stream(exchange="memory", strategy="quiet", symbol=name) for name in NAMES]
    )
    async with Live(tmp_path, clock="replay") as live:
        quiet_one = strategy_of("quiet", "1m", {}, quiet)
        handles = [
            live.background("A", strategy=[strategy_of(name, "1m", {}, quiet) for name in NAMES], exchange=CANDLES),
            live.background(NAMES, strategy=quiet_one, exchange=CANDLES),
        ]
        sources = [exchange(name, CANDLES) for name in NAMES]
        handles += [live.background("A", strategy=quiet_one, exchange=source) for source in sources]
        for handle in handles:
            await handle.wait()
            assert handle.errors == {}
    assert Store(tmp_path).streams() == expected
    backtest = Backtest()
    for name in NAMES:
        await backtest.run("A", strategy=strategy_of(name, "1m", {}, quiet), exchange=CANDLES).finish()
        assert (await live.report(name)).startswith("# Live Trading Report: ")
    assert {(await backtest.data(name)).counts.total for name in NAMES} == {56}
    assert [path.name for path in tmp_path.iterdir()] == ["journal"]


@pytest.mark.parametrize("name", NAMES)
def test_any_other_name_is_registered_and_found(name: str) -> None:
    declared = strategy(name)(quiet)
    frame = Frame(name, "2024-01-01", "2024-01-02")
    source = exchange(name, CANDLES)
    assert (declared.name, frame.name, source.name) == (name, name, name)
    result = Backtest().execute(name, strategy=name, exchange=name, frame=name)
    assert result.strategy == name
    for kind, again in DECLARING.items():
        with pytest.raises(DeclarationError, match=f"there is a second {kind} with the name"):
            again(name) if kind != "strategy" else strategy(name)(quiet)
    with pytest.raises(UnknownName, match="no strategy is named"):
        Backtest().execute(name, strategy=f"{name}\u0300", exchange=CANDLES)


# What is given in place of a thing.


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (quiet, "<function quiet at 0x"),
        (None, "None is no strategy"),
        (7, "7 is no strategy"),
        ([quiet], "<function quiet at 0x"),
        ([], "no strategy is given: give one, its name, or a list of them"),
    ],
)
def test_what_is_no_strategy_is_told_so(given: Any, words: str, tmp_path: Path) -> None:
    async def live() -> None:
        async with Live(tmp_path) as live:
            live.background("A", strategy=given, exchange=CANDLES)

    for call in (lambda: Backtest().execute("A", strategy=given, exchange=CANDLES), lambda: anyio.run(live)):
        with pytest.raises(DeclarationError) as refused:
            call()
        assert str(refused.value).startswith(words)


def test_no_symbol_and_no_frame_are_told() -> None:
    chosen = strategy_of("quiet", "1m", {}, quiet)
    with pytest.raises(DeclarationError, match="no symbol is named: give one, or a list of them"):
        Backtest().execute([], strategy=chosen, exchange=CANDLES)
    with pytest.raises(DeclarationError, match=r"7 is no frame: give Frame\(name, start, end\), or the name of one"):
        Backtest().execute("A", strategy=chosen, exchange=CANDLES, frame=7)  # type: ignore[arg-type]  # that is the fault


WINDOWS = 'write it as {"1m": 60, "1h": 24}, candles by interval'
DECLARATIONS: dict[str, tuple[dict[str, Any], str]] = {
    "no function": ({"function": None}, "strategy odd: None is no function of a context"),
    "a function of nothing": ({"function": lambda: None}, "too many positional arguments"),
    "a function of two": ({"function": lambda ctx, more: None}, "missing a required argument: 'more'"),
    "a window that is no mapping": ({"lookback": ["1m", 60]}, f"lookback is ['1m', 60]; {WINDOWS}"),
    "a window of none": ({"lookback": {"1m": 0}}, "lookback '1m': 0 is not a number of candles from 1 up"),
    "a window of true": ({"lookback": {"1m": True}}, "lookback '1m': True is not a number of candles from 1 up"),
    "a window of half": ({"lookback": {"1m": 1.5}}, "lookback '1m': 1.5 is not a number of candles from 1 up"),
    "a window of ages": ({"lookback": {"1d": 10**12}}, "lookback '1d': 1000000000000 candles reach back over 20 years"),
    "a unit that is none": ({"interval": "15min"}, "'15min' is no interval: write a number and m, h or d"),
    "an interval of nothing": ({"interval": "0m"}, "'0m' is no interval: write a number and m, h or d"),
    "an interval that is no text": ({"interval": ["1m"]}, "\"['1m']\" is no interval: write a number and m, h or d"),
    "a callback that is none": ({"callbacks": {"on_open": 7}}, "strategy odd: on_open is 7, which cannot be called"),
    "an unknown callback": ({"callbacks": {"on_opened": print}}, "strategy odd: no callback 'on_opened'; there are"),
    "a rule that is none": ({"risk": [7]}, "risk=[7]: give a Risk, its name, or a list of them"),
}


@pytest.mark.parametrize(("fields", "words"), DECLARATIONS.values(), ids=DECLARATIONS)
def test_a_declaration_that_cannot_be_meant_is_refused(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(DeclarationError) as refused:
        Strategy(**{"name": "odd", "function": quiet, **fields})
    assert words in str(refused.value)


def test_a_decorator_without_a_name_says_how_it_is_written() -> None:
    with pytest.raises(DeclarationError, match='write @strategy\\("name", interval="15m"\\)'):
        strategy(quiet)  # type: ignore[arg-type]  # that is the fault


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        ("2024-01-02", "2024-01-01", "'odd' ends at 1704067200000, not after its start 1704153600000"),
        (
            1_704_067_200,
            1_706_745_600,
            "'odd' ends where no candle can be: 1706745600 looks like seconds since the epoch",
        ),
        (
            0,
            1_704_067_200_000_000,
            "1704067200000000 looks like microseconds since the epoch, not milliseconds: divide",
        ),
        (0, 10**30, f"{10**30} is no time of a candle in milliseconds since the epoch"),
        (0, float("nan"), "nan is no time: write ISO 8601"),
        (None, "2024-01-01", "None is no time: write ISO 8601"),
        ("x" * 5000, "2024-01-01", "is no time: write ISO 8601"),
    ],
)
def test_a_frame_that_cannot_be_meant_is_refused(start: Any, end: Any, words: str) -> None:
    with pytest.raises(DeclarationError) as refused:
        Frame("odd", start, end)
    assert words in str(refused.value)
    assert len(str(refused.value)) < 400


def test_candles_named_oddly_are_an_exchange_of_that_name() -> None:
    rows = {column: getattr(CANDLES, column) for column in ("time", "open", "high", "low", "close", "volume")}
    result = Backtest().execute("A", strategy=strategy_of("quiet", "1m", {}, quiet), exchange=Candles(**rows, name="/"))
    assert [stream.exchange for stream in result.candles] == ["/"]
    with pytest.raises(DeclarationError, match="exchange '': this cannot be its name: it is empty"):
        Backtest().execute("A", strategy=strategy_of("quiet", "1m", {}, quiet), exchange=Candles(**rows, name=""))
