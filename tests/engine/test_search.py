"""What the search passes over holds nothing: with it and without it, a backtest tells the same events and counts."""

from __future__ import annotations

import inspect
import types
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.facts import in_memory, strategy_of
from tests.support.machine import EVENTS
from tests.support.markets import Market, all_markets, random_markets
from tests.support.strategies import CASES, Case
from tickfold import Candles, Config, Event, Opened, Signal, simulation
from tickfold import search as search_module
from tickfold.config import Policy
from tickfold.notices import Progress
from tickfold.search import FIRST_STRETCH, Search
from tickfold.simulation import Simulation
from tickfold_eventstore import Stream
from tickfold_projections.active_signal import Holding

MARKETS = {market.name: market for market in all_markets()}
PLAIN_CASES = [case for case in CASES if not case.awaits]
POLICIES: tuple[Policy, ...] = ("pessimistic", "backtest_kit")


def told(candles: Candles, case: Case, config: Config, *, ticks: bool) -> tuple[list[Event], tuple[object, ...]]:
    """The events of one simulation, and what it says of itself: its counts, its last price, what is alive."""
    strategy = strategy_of(case.name, case.interval, case.lookback, case.make(Signal))
    run = Simulation(Stream("memory", case.name, "A"), strategy, candles, config, ticks=ticks)
    progress = [step for step in run.steps() if isinstance(step, Progress)]
    session = run.session
    counts = session.idle, session.waiting, session.active
    last = (progress[-1].handled, progress[-1].total) if progress else None
    return list(run.log.read()), (counts, run.price, session.state, last)


def alike(candles: Candles, case: Case, config: Config) -> bool:
    return told(candles, case, config, ticks=False) == told(candles, case, config, ticks=True)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("name", ["walk", "violent walk", "steps of one", "mostly flat", "wicks", "wide gaps", "still"])
def test_with_the_search_and_without_it_a_backtest_is_the_same(name: str, policy: Policy) -> None:
    candles = in_memory(MARKETS[name].candles)
    assert [case.name for case in PLAIN_CASES if not alike(candles, case, Config(policy=policy))] == []


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example])
@given(
    market=random_markets(max_minutes=200),
    case=st.sampled_from(PLAIN_CASES),
    policy=st.sampled_from(POLICIES),
    entry_timeout=st.sampled_from([0, 60_000, 90_500, 600_000]),
)
def test_on_any_market(market: Market, case: Case, policy: Policy, entry_timeout: int) -> None:
    config = Config(policy=policy, entry_timeout=entry_timeout)
    assert alike(in_memory(market.candles), case, config)


MUTANTS = [
    ("low[begin:stop] <= against", "low[begin:stop] < against"),
    ("high[begin:stop] >= against", "high[begin:stop] > against"),
    ("high[begin:stop] >= target if", "high[begin:stop] > target if"),
    ("else low[begin:stop] <= target)", "else low[begin:stop] < target)"),
    ("if is_long else high[begin:stop] >= against", "if not is_long else high[begin:stop] >= against"),
    ("return begin + place", "return begin + place + 1"),
    ("stop = min(end, begin + stretch)", "stop = min(end - 1, begin + stretch)"),
    ("begin, stretch = stop,", "begin, stretch = stop + 1,"),
    ("// MINUTE_MS - 1)", "// MINUTE_MS)"),
    ("min(self._count, (since", "max(self._count, (since"),
    ("return max(begin, end)", "return self._count"),
    ("priced >= signal.take_profit", "priced > signal.take_profit"),
    ("priced <= signal.take_profit", "priced < signal.take_profit"),
    ("first + int(reached.argmax()) + AVERAGED - 1", "first + int(reached.argmax()) + AVERAGED"),
    ("averages[first : until - AVERAGED + 1]", "averages[first : until - AVERAGED]"),
    ("first = max(0, begin - AVERAGED + 1)", "first = max(0, begin - AVERAGED + 2)"),
    ("self._touched(signal.entry, None, begin", "self._touched(signal.stop_loss, None, begin"),
]
"""Faults of the search: a comparison that is too strict, a candle too late, the last of a stretch, the wrong side."""


@pytest.fixture
def mutated(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    right, wrong = request.param
    source = inspect.getsource(search_module)
    assert right in source, "the search has changed: so must its mutants"
    module = types.ModuleType("tickfold.search_with_a_fault")
    module.__package__ = "tickfold"
    exec(compile(source.replace(right, wrong, 1), "search_with_a_fault", "exec"), module.__dict__)
    monkeypatch.setattr(simulation, "Search", module.__dict__["Search"])


def found_out(candles: Candles, case: Case, config: Config) -> bool:
    try:
        return not alike(candles, case, config)
    except (IndexError, TypeError, ValueError):
        return True


@pytest.mark.parametrize("mutated", MUTANTS, indirect=True, ids=[wrong for _, wrong in MUTANTS])
def test_a_fault_in_the_search_is_found_out(mutated: None) -> None:
    tries: Iterator[tuple[str, Case, Policy]] = (
        (name, case, policy)
        for name in ("steps of one", "wide steps", "walk", "calm walk", "mostly flat", "rising", "falling", "slow wave")
        for case in [*PLAIN_CASES, PATIENT_LONG, PATIENT_SHORT]
        for policy in POLICIES
    )
    assert any(
        found_out(in_memory(MARKETS[name].candles), case, Config(policy=policy, max_lifetime_minutes=None))
        for name, case, policy in tries
    )


def patient(position: str) -> Any:
    """Levels so far away that many stretches are searched."""

    def maker(proposing: Any) -> Any:
        def ask(ctx: Any) -> Any:
            price = ctx.price
            if position == "long":
                return proposing.long(take_profit=price * 1.02, stop_loss=price * 0.97, lifetime=1300)
            return proposing.short(take_profit=price * 0.98, stop_loss=price * 1.03, lifetime=1300)

        return ask

    return maker


PATIENT_LONG = Case("patient-long", "1m", {}, patient("long"))
PATIENT_SHORT = Case("patient-short", "1m", {}, patient("short"))


@pytest.mark.parametrize(
    "distance", [0, 1, FIRST_STRETCH - 1, FIRST_STRETCH, FIRST_STRETCH + 1, 3 * FIRST_STRETCH, 1000]
)
def test_the_candle_that_touches_is_found_wherever_it_lies(distance: int) -> None:
    count = distance + 5
    low = [99.0] * count
    low[distance] = 90.0
    candles = Candles(
        time=[minute * 60_000 for minute in range(count)],
        open=[100.0] * count,
        high=[101.0] * count,
        low=low,
        close=[100.0] * count,
        volume=[1.0] * count,
    )
    state = holding(stop_loss=90.0)
    assert Search(candles, None, Config()).next_candle(state, 0) == distance
    assert Search(candles, None, Config()).next_candle(holding(stop_loss=89.0), 0) == count


def holding(stop_loss: float) -> Holding:
    opened = EVENTS["opened (at market)"]
    assert isinstance(opened, Opened)
    signal = msgspec.structs.replace(
        opened.signal, stop_loss=stop_loss, take_profit=200.0, lifetime_minutes=100_000, opened_at=0
    )
    return Holding(1, signal)
