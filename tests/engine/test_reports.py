"""From journals, of runs that go on or have ended, and from backtests, to reports."""

from __future__ import annotations

import shutil
import threading
from hashlib import sha256
from pathlib import Path
from typing import Any

import empyrical
import msgspec
import pandas as pd
import pytest

from tests.support.facts import in_memory, strategy_of
from tests.support.markets import all_markets
from tests.support.strategies import CASES
from tickfold import Backtest, Candles, Closed, Config, Costs, Live, Opened, Signal
from tickfold.backtest_result import BacktestResult
from tickfold.errors import UnknownName
from tickfold.exchanges import as_exchange
from tickfold.reports import journal_report, out_of_the_way, write_report
from tickfold.strategy import STRATEGIES, Strategy
from tickfold.strategy import strategy as declared
from tickfold_eventstore import CorruptJournal, Store, Stream, Ticks
from tickfold_projections.render_markdown import render_markdown
from tickfold_projections.report import Report

pytestmark = pytest.mark.anyio

WALK, *OTHERS = all_markets()
MARKETS = {market.name: in_memory(market.candles) for market in (WALK, *OTHERS)}
EVERYTHING = {"scheduled", "cancelled", "rejected"}
MONTH = Path(__file__).parents[3] / "shared" / "data" / "btc-perp-1m-2022-01.csv"
STREAM = Stream("memory", "market-long", "A")


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    backend: str = request.param
    return backend


@pytest.fixture
def candles() -> Candles:
    return MARKETS["wicks"]


def named(name: str) -> Strategy:
    """One of the strategies that try every way to propose, registered nowhere."""
    (case,) = (case for case in CASES if case.name == name)
    return strategy_of(case.name, case.interval, case.lookback, case.function(Signal))


LONG = named("market-long")


async def replay(data_dir: Path, candles: Candles, strategy: Strategy = LONG, *symbols: str) -> None:
    async with Live(data_dir, clock="replay") as live:
        async for _ in live.run(symbols or "A", strategy=strategy, exchange=candles):
            pass


def comparable(found: Report) -> dict[str, Any]:
    """All that live and a backtest say alike."""
    fields: dict[str, Any] = msgspec.to_builtins(found)
    for apart in ("kind", "provenance"):
        del fields[apart]
    for signal in fields["open"]:
        del signal["price_at"]
    return fields


@pytest.mark.parametrize("name", ["market-long", "limit-short", "often-rejected", "alternating", "whole-levels"])
async def test_live_and_backtest_say_the_same_of_the_same_candles(tmp_path: Path, candles: Candles, name: str) -> None:
    strategy = named(name)
    await replay(tmp_path, candles, strategy)
    backtest = Backtest()
    async for _ in backtest.run("A", strategy=strategy, exchange=candles):
        pass
    async with Live(tmp_path, clock="replay") as live:
        live_text, live_data = await live.report(strategy), await live.data(name)
    assert live_data == await backtest.data(name)
    assert live_text.startswith(f"# Live Trading Report: {name}\n")
    result = Backtest().execute("A", strategy=strategy, exchange=candles)
    assert comparable(journal_report(Store(tmp_path), name)) == comparable(result.as_report())
    assert await backtest.report(name) == result.report()
    assert live_data.counts.total > len(candles)


async def killed_after(data_dir: Path, image: Path, candles: Candles, strategy: Strategy, events: int) -> None:
    """The data directory as it stood when the run had told of so many events: what a kill there leaves."""
    async with Live(data_dir, clock="replay") as live:
        told = 0
        async for _ in live.run("A", strategy=strategy, exchange=candles, include=EVERYTHING):
            told += 1
            if told == events:
                shutil.copytree(data_dir, image)
                break


@pytest.mark.parametrize("events", [1, 2, 7, 20])
@pytest.mark.parametrize("name", ["market-long", "limit-short"])
async def test_a_killed_and_restarted_replay_reports_the_bytes_of_one_never_killed(
    tmp_path: Path, candles: Candles, name: str, events: int
) -> None:
    strategy = named(name)
    await replay(tmp_path / "whole", candles, strategy)
    await killed_after(tmp_path / "run", tmp_path / "killed", candles, strategy, events)
    await replay(tmp_path / "killed", candles, strategy)
    whole, killed = (journal_report(Store(tmp_path / place), name) for place in ("whole", "killed"))
    assert render_markdown(killed, provenance=False) == render_markdown(whole, provenance=False)
    assert killed.provenance is not None
    assert [each.starts for each in killed.provenance] == [2]
    # Read again, it is the same to the last byte.
    assert render_markdown(journal_report(Store(tmp_path / "killed"), name)) == render_markdown(killed)


async def test_a_report_of_a_run_that_goes_on_holds_every_event_that_was_told(tmp_path: Path, candles: Candles) -> None:
    told: list[tuple[str, str]] = []
    async with Live(tmp_path, clock="replay") as live, live.run("A", strategy=LONG, exchange=candles) as run:
        async for event in run:
            assert isinstance(event, Opened | Closed)
            told.append((event.action, event.signal.id))
            rows = [(row.action, row.signal_id) for row in journal_report(live.store, LONG).rows]
            assert rows[: len(told)] == told
            # A replayed run waits with its next event until it is taken.
            assert len(rows) - len(told) in {0, 1}
            assert (await live.data(LONG)).counts.closed in {len(told) // 2, (len(told) + 1) // 2}
            if len(told) == 9:
                break


def test_what_is_open_has_the_result_that_closing_it_at_the_last_price_would_give() -> None:
    for name in ("market-long", "limit-long", "limit-short"):
        costs = Costs(fee=0.0005, slippage=0.002)
        for end in range(400, 460, 7):
            result = Backtest(config=Config(costs=costs)).execute(
                "A", strategy=named(name), exchange=in_memory(WALK.candles[:end])
            )
            found = result.as_report().open
            assert [(each.price, each.percentage) for each in found] == [
                (each.price, each.percentage) for each in result.open
            ]


async def test_live_takes_its_own_costs_off_what_is_open(tmp_path: Path) -> None:
    config, candles = Config(costs=Costs(fee=0.0005, slippage=0.002)), in_memory(WALK.candles[:400])
    async with Live(tmp_path, config=config, clock="replay") as live:
        async for _ in live.run("A", strategy=LONG, exchange=candles):
            pass
        text = await live.report(LONG)
    (expected,) = Backtest(config=config).execute("A", strategy=LONG, exchange=candles).open
    assert expected.percentage is not None
    (line,) = text.split("## Open signals")[1].split("## Provenance")[0].strip().splitlines()[2:]
    assert line.endswith(f" | {expected.percentage:+.4f} % |")


def test_the_statistics_of_a_result_count_its_boundaries(candles: Candles) -> None:
    result = Backtest().execute("A", strategy=LONG, exchange=candles)
    counts = result.statistics.counts
    assert (counts.idle, counts.waiting, counts.active) == (
        result.boundaries.idle,
        result.boundaries.waiting,
        result.boundaries.active,
    )
    assert counts.total == len(candles) - 9 + len(result.events)
    assert result.statistics.closed.value == len(result.closed)


async def test_a_backtest_reports_over_the_last_run_of_each_symbol(candles: Candles) -> None:
    backtest = Backtest()
    for symbol, market in [("A", MARKETS["walk"]), ("B", candles), ("A", candles)]:
        async for _ in backtest.run(symbol, strategy=LONG, exchange=market):
            pass
    async for _ in backtest.run("A", strategy=named("alternating"), exchange=candles):
        pass
    assert await backtest.data(LONG) == Backtest().execute(["A", "B"], strategy=LONG, exchange=candles).statistics


async def test_what_one_backtest_ran_another_knows_nothing_of() -> None:
    backtest = Backtest()
    with pytest.raises(UnknownName, match=r"no strategy of this backtest is named 'w' \(there are: none\)"):
        await backtest.data("w")
    backtest.execute("A", strategy=LONG, exchange=MARKETS["still"])
    with pytest.raises(UnknownName, match=r"named 'w' \(there are: market-long\)"):
        await backtest.dump("w")


async def test_a_name_without_a_journal_is_an_error_that_lists_those_with_one(tmp_path: Path, candles: Candles) -> None:
    await replay(tmp_path, candles)
    async with Live(tmp_path) as live:
        for ask in (live.data, live.report, live.dump):
            with pytest.raises(UnknownName, match=r"no strategy is named 'market-lon' \(there are: market-long\)"):
                await ask("market-lon")


async def test_a_strategy_that_has_not_run_yet_has_an_empty_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(STRATEGIES, "_things", {})
    registered = declared("has-not-run")(lambda ctx: None)
    async with Live(tmp_path) as live:
        assert await live.report("has-not-run") == await live.report(registered)
        assert "No events." in await live.report(registered)
        assert (await live.data(LONG)).closed.value == 0


async def test_dump_writes_the_report_and_returns_where(
    tmp_path: Path, candles: Candles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    await replay(tmp_path / "data", candles)
    backtest = Backtest()
    backtest.execute("A", strategy=LONG, exchange=candles)
    async with Live("data") as live:
        paths = [await live.dump("market-long"), await backtest.dump(LONG), await live.dump(LONG, path="elsewhere/a")]
        assert paths == [
            Path("logs/live/market-long.md"),
            Path("logs/backtest/market-long.md"),
            Path("elsewhere/a/market-long.md"),
        ]
        text = await live.report(LONG)
    assert [path.read_bytes() for path in paths] == [
        text.encode(),
        (await backtest.report(LONG)).encode(),
        text.encode(),
    ]
    assert {path.name for path in tmp_path.rglob("*") if path.suffix in {".tmp", ".md"}} == {"market-long.md"}


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("../up", "..%2Fup.md"),
        (".", "%2E.md"),
        ("nul\x00 🚀", "nul%00%20%F0%9F%9A%80.md"),
        ("long" * 75, "long" * 58 + "lon~" + sha256(b"long" * 75).hexdigest()[:16] + ".md"),
    ],
)
def test_a_file_is_named_as_the_folder_of_a_stream_is(tmp_path: Path, name: str, file: str) -> None:
    told = BacktestResult(strategy=name, events=(), open=(), boundaries=Ticks(), config=Config())
    path = write_report(tmp_path / "reports", told.as_report())
    assert (path.parent, path.name) == (tmp_path / "reports", file)
    assert len(file.encode()) <= 255


def test_a_report_that_cannot_be_written_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = Backtest().execute("A", strategy=LONG, exchange=MARKETS["still"])
    path = write_report(tmp_path, result.as_report())
    before = path.read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_report(tmp_path, Backtest().execute("A", strategy=LONG, exchange=MARKETS["walk"]).as_report())
    assert [(found, found.read_bytes()) for found in tmp_path.iterdir()] == [(path, before)]


async def test_a_range_tells_its_events_and_the_hash_of_their_last_record(tmp_path: Path, candles: Candles) -> None:
    await replay(tmp_path, candles)
    store = Store(tmp_path)
    records = list(store.reader(STREAM).records())
    whole = journal_report(store, "market-long")
    for record in records[1 :: len(records) // 5]:
        middle = record.events[0].at
        before, after = journal_report(store, LONG, end=middle), journal_report(store, LONG, start=middle)
        assert before.rows + after.rows == whole.rows
        last = [earlier for earlier in records if earlier.events[0].at < middle][-1]
        assert before.provenance is not None
        assert [(each.last_seq, each.head_hash) for each in before.provenance] == [(last.seq, last.hash)]
        assert after.provenance is not None
        assert [(each.first_seq, each.head_hash) for each in after.provenance] == [(last.seq + 1, records[-1].hash)]


async def test_a_damaged_journal_is_no_report(tmp_path: Path, candles: Candles) -> None:
    await replay(tmp_path, candles)
    (segment,) = (tmp_path / "journal").rglob("*.jsonl")
    content = bytearray(segment.read_bytes())
    content[len(content) // 2] ^= 1
    segment.write_bytes(content)
    async with Live(tmp_path) as live:
        with pytest.raises(CorruptJournal):
            await live.report(LONG)


async def test_a_report_is_made_beside_the_clock_and_not_in_its_way() -> None:
    assert await out_of_the_way(threading.get_ident) != threading.get_ident()


def test_a_month_of_real_candles_gives_what_empyrical_makes_of_it() -> None:
    if not MONTH.exists():
        pytest.skip("the month of real candles is not beside the checkout")
    result = Backtest().execute("BTC", strategy=named("several-intervals"), exchange=as_exchange(f"csv:{MONTH}"))
    found = result.statistics
    closed = {pd.Timestamp(event.at, unit="ms"): 1 + event.pnl.percentage / 100 for event in result.closed}
    opened = min(event.at for event in result.events if isinstance(event, Opened))
    equity: Any = pd.concat([pd.Series([1.0], [pd.Timestamp(opened, unit="ms")]), pd.Series(closed).cumprod()])
    days = equity.resample("D").last().ffill()
    daily = pd.concat([pd.Series([1.0], [days.index[0] - pd.Timedelta(days=1)]), days]).pct_change().iloc[1:]
    judge: Any = empyrical
    assert len(daily) > 28
    assert [found.sharpe.value, found.sortino.value, found.annual_return.value, found.max_drawdown.value] == [
        pytest.approx(judge.sharpe_ratio(daily, annualization=365)),
        pytest.approx(judge.sortino_ratio(daily, annualization=365)),
        pytest.approx(100 * judge.annual_return(daily, annualization=365)),
        pytest.approx(-100 * judge.max_drawdown(equity.pct_change().iloc[1:])),
    ]
