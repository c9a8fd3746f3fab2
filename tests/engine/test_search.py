"""What the search passes over holds nothing: with it and without it, a backtest tells the same events and counts."""

from __future__ import annotations

import inspect
import types
from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.support.facts import in_memory, strategy_of
from tests.support.markets import START_AT, Market, all_markets, random_markets
from tests.support.plans import Proposal, following, on_a_grid, proposals
from tests.support.strategies import CASES, Case
from tickfold import Candles, Config, Event, Signal, simulation
from tickfold import search as search_module
from tickfold.config import Policy
from tickfold.market import average_prices
from tickfold.notices import Progress
from tickfold.search import BLOCK, NEAR, Range, Search
from tickfold.simulation import Simulation
from tickfold_eventstore import Stream
from tickfold_eventstore.signals import AcceptedSignal, Position
from tickfold_projections.active_signal import Holding, Waiting

MARKETS = {market.name: market for market in all_markets()}
ACCEPTED = AcceptedSignal(
    id="a",
    position="long",
    entry=100.0,
    take_profit=110.0,
    stop_loss=90.0,
    lifetime_minutes=60,
    note="",
    scheduled_at=None,
    opened_at=None,
)
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


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stretches and blocks so short that a short market has many."""
    monkeypatch.setattr(search_module, "NEAR", 16)
    monkeypatch.setattr(search_module, "BLOCK", 4)


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example, HealthCheck.function_scoped_fixture],
)
@given(
    market=random_markets(max_minutes=200),
    case=st.sampled_from(PLAIN_CASES),
    policy=st.sampled_from(POLICIES),
    entry_timeout=st.sampled_from([0, 60_000, 90_500, 600_000]),
)
def test_on_any_market(small_blocks: None, market: Market, case: Case, policy: Policy, entry_timeout: int) -> None:
    config = Config(policy=policy, entry_timeout=entry_timeout)
    assert alike(in_memory(market.candles), case, config)


LONG_MARKETS, MINUTES_EACH = 100, 2100
"""Together over 200,000 candles, each walked with the search and without it."""


@settings(
    max_examples=LONG_MARKETS,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(
    seed=st.integers(0, 2**32 - 1),
    plan=st.lists(proposals(), min_size=1, max_size=6),
    interval=st.sampled_from(["1m", "3m", "7m"]),
    policy=st.sampled_from(POLICIES),
    entry_timeout=st.sampled_from([0, 60_000, 90_500, 3_600_000]),
)
def test_on_long_markets(
    small_blocks: None, seed: int, plan: list[Proposal], interval: str, policy: Policy, entry_timeout: int
) -> None:
    config = Config(policy=policy, entry_timeout=entry_timeout, max_lifetime_minutes=None)
    assert alike(on_a_grid(seed, MINUTES_EACH), Case("plan", interval, {}, following(plan)), config)


@given(
    values=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=60),
    below=st.none() | st.integers(-1, 9),
    above=st.none() | st.integers(0, 10),
    begin=st.integers(0, 61),
    end=st.integers(0, 60),
)
@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_range_finds_what_looking_at_each_place_finds(
    small_blocks: None,
    values: list[tuple[int, int]],
    below: int | None,
    above: int | None,
    begin: int,
    end: int,
) -> None:
    lows, highs = (np.array(column, float) for column in zip(*values, strict=True))
    found = Range(lows, highs).first(below, above, begin, min(end, len(values)))
    assert found == looked_for(values, below, above, begin, min(end, len(values)))


@st.composite
def states(draw: st.DrawFn) -> tuple[Waiting | Holding, Config]:
    """What is alive from the 50th candle on, on levels around 100, and how long an entry waits."""
    position: Position = draw(st.sampled_from(["long", "short"]))
    side = 1 if position == "long" else -1
    since = START_AT + 60_000 * draw(st.integers(40, 50))
    entry = float(draw(st.integers(90, 110)))
    waits = draw(st.booleans())
    signal = msgspec.structs.replace(
        ACCEPTED,
        position=position,
        entry=entry,
        take_profit=entry + side * draw(st.integers(1, 15)),
        stop_loss=entry - side * draw(st.integers(1, 15)),
        lifetime_minutes=draw(st.integers(10, 400)),
        scheduled_at=since if waits else None,
        opened_at=None if waits else since,
    )
    entry_timeout = draw(st.sampled_from([0, 600_000, 9_960_000]))
    return (Waiting if waits else Holding)(1, signal), Config(entry_timeout=entry_timeout)


def candle_named(candles: Candles, averages: list[float] | None, state: Waiting | Holding, config: Config) -> int:
    """The first candle from the 50th on that `decide` may answer with an event, candle by candle."""
    signal = state.signal
    duration = config.entry_timeout if isinstance(state, Waiting) else signal.lifetime_minutes * 60_000
    since = signal.scheduled_at if isinstance(state, Waiting) else signal.opened_at
    assert since is not None
    side = 1 if signal.position == "long" else -1
    for place in range(50, len(candles)):
        candle = candles.at(place)
        low, high = (candle.low, candle.high) if side == 1 else (-candle.high, -candle.low)
        reached = high if averages is None else side * averages[place - 4]
        if isinstance(state, Waiting):
            touched = low <= side * signal.entry
        else:
            touched = low <= side * signal.stop_loss or reached >= side * signal.take_profit
        if touched or (duration and candle.time + 60_000 >= since + duration):
            return place
    return len(candles)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32 - 1), alive=states(), averaged=st.booleans())
def test_the_search_names_the_very_candle(
    small_blocks: None, seed: int, alive: tuple[Waiting | Holding, Config], averaged: bool
) -> None:
    names_the_very_candle(Search, seed, alive, averaged=averaged)


def names_the_very_candle(
    search: type[Search], seed: int, alive: tuple[Waiting | Holding, Config], *, averaged: bool
) -> None:
    state, config = alive
    candles = on_a_grid(seed, 300)
    averages = average_prices(candles) if averaged else None
    expected = candle_named(candles, None if averages is None else averages.tolist(), state, config)
    assert search(candles, averages, config).next_candle(state, 50) == expected


def looked_for(values: list[tuple[int, int]], below: int | None, above: int | None, begin: int, end: int) -> int:
    for place in range(begin, end):
        low, high = values[place]
        if (below is not None and low <= below) or (above is not None and high >= above):
            return place
    return max(begin, end)


MUTANTS = [
    ("found = low[begin:end] <= below", "found = low[begin:end] < below"),
    ("found |= high[begin:end] >= above", "found |= high[begin:end] > above"),
    ("high[begin:end] >= (np.inf", "high[begin:end] > (np.inf"),
    ("found |= high", "found = high"),
    ("return begin + place if", "return begin + place + 1 if"),
    ("near = min(end, begin + NEAR)", "near = min(end - 1, begin + NEAR)"),
    ("above, begin, near)", "above, begin + 1, near)"),
    ("return max(begin, found)", "return end + 1"),
    ("above, near // BLOCK,", "above, near // BLOCK + 1,"),
    ("max(near, block * BLOCK), min", "block * BLOCK + 1, min"),
    ("_each(np.minimum, self._low)", "_each(np.maximum, self._low)"),
    ("_each(np.maximum, self._high)", "_each(np.minimum, self._high)"),
    ("// MINUTE_MS - 1)", "// MINUTE_MS)"),
    ("min(self._count, (since", "max(self._count, (since"),
    ("(signal.entry, None) if is_long", "(signal.stop_loss, None) if is_long"),
    ("(stop, None) if is_long else (None, stop)", "(None, stop) if is_long else (stop, None)"),
    ("(None, target) if is_long else (target, None)", "(None, target)"),
    ("ahead = AVERAGED - 1", "ahead = AVERAGED"),
    ("ahead = AVERAGED - 1", "ahead = AVERAGED - 2"),
    ("max(0, begin - ahead)", "max(0, begin - ahead + 1)"),
    ("return max(begin, self._averages", "return max(begin + 1, self._averages"),
    ("begin, self._over(signal.scheduled_at", "begin, self._over(signal.opened_at"),
]
"""Faults of the search: a comparison that is too strict, a candle too late, the last of a stretch, the wrong side."""

UNEASY = [
    ("np.arange(0, len(values), BLOCK)", "np.arange(2, len(values), BLOCK)"),
    ("min(end, (block + 1) * BLOCK)", "min(end, block * BLOCK + BLOCK - 2)"),
    ("if found < near or", "if found <= near or"),
    ("(stop, target) if is_long else (target, stop)", "(stop, target)"),
    ("end - ahead) + ahead)", "end - ahead - 1) + ahead)"),
]
"""Faults that name a candle too early, which no event shows."""


@pytest.fixture
def mutated(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> type[Search]:
    right, wrong = request.param
    source = inspect.getsource(search_module)
    assert right in source, "the search has changed: so must its mutants"
    module: Any = types.ModuleType("tickfold.search_with_a_fault")
    module.__package__ = "tickfold"
    exec(compile(source.replace(right, wrong, 1), "search_with_a_fault", "exec"), module.__dict__)
    module.NEAR, module.BLOCK = 16, 4
    next_candle = module.Search.next_candle

    def going_on(search: Any, state: Any, begin: int) -> int:
        found: int = next_candle(search, state, begin)
        if found < begin:
            raise ValueError("a search that goes back would never end")
        return found

    module.Search.next_candle = going_on
    monkeypatch.setattr(simulation, "Search", module.Search)
    faulty: type[Search] = module.Search
    return faulty


def found_out(candles: Candles, case: Case, config: Config) -> bool:
    try:
        return not alike(candles, case, config)
    except (IndexError, TypeError, ValueError):
        return True


@pytest.mark.parametrize("mutated", MUTANTS, indirect=True, ids=[wrong for _, wrong in MUTANTS])
def test_a_fault_in_the_search_is_found_out(mutated: type[Search]) -> None:
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


@pytest.mark.parametrize("mutated", [*MUTANTS, *UNEASY], indirect=True, ids=str)
def test_a_search_with_a_fault_names_another_candle(mutated: type[Search]) -> None:
    @settings(max_examples=2000, deadline=None, database=None, phases=[Phase.generate], derandomize=True)
    @given(seed=st.integers(0, 2**32 - 1), alive=states(), averaged=st.booleans())
    def names_it(seed: int, alive: tuple[Waiting | Holding, Config], averaged: bool) -> None:
        names_the_very_candle(mutated, seed, alive, averaged=averaged)

    with pytest.raises((AssertionError, IndexError, TypeError, ValueError)):
        names_it()


def patient(position: str) -> Any:
    """Levels so far away that many blocks are searched."""

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
    "distance",
    [0, 1, NEAR - 1, NEAR, NEAR + 1, NEAR + BLOCK - 1, NEAR + BLOCK, NEAR + BLOCK + 1, 3 * NEAR - 1, 3 * NEAR],
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
    return Holding(
        1,
        msgspec.structs.replace(
            ACCEPTED, stop_loss=stop_loss, take_profit=200.0, lifetime_minutes=100_000, opened_at=0
        ),
    )
