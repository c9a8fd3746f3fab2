"""The engine's backtest and the plain one of the reference tell the same events, bit for bit.

Left out are ids (here only: one to a signal, never shared) and the wording of a refusal (each reason must speak of a
field that is at fault, and each fault be spoken of).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.reference.prices import minutes_of
from tests.reference.simple import Policy, Proposal, alive_after, simulate
from tests.support.facts import Facts, facts_of, fitting, in_memory, strategy_of
from tests.support.markets import Candle, Market, all_markets, random_markets
from tests.support.strategies import CASES, Case
from tickfold import Backtest, Config, Signal

MARKETS = all_markets()
POLICIES: tuple[Policy, ...] = ("pessimistic", "backtest_kit")


def told_by_the_engine(
    candles: Sequence[Candle],
    case: tuple[str, str, Mapping[str, int]],
    function: Any,
    policy: Policy,
    entry_timeout_minutes: int = 120,
) -> list[Facts]:
    """The events of an engine's backtest as facts, after its ids and what it calls open were looked at."""
    config = Config(policy=policy, entry_timeout=timedelta(minutes=entry_timeout_minutes))
    backtest = Backtest(config=config)
    result = backtest.execute("BTCUSDT", strategy=strategy_of(*case, function), exchange=in_memory(candles))
    assert_each_signal_has_an_id_of_its_own(result.events)
    facts = [facts_of(event) for event in result.events]
    alive = alive_after(facts, None)
    assert len(result.open) == (alive is not None)
    return facts


def assert_each_signal_has_an_id_of_its_own(events: Sequence[Any]) -> None:
    born: dict[str, int] = {}
    current = ""
    for event in events:
        if event.action == "rejected":
            continue
        continues = event.action in {"closed", "cancelled"} or event.signal.scheduled_at is not None != event.at
        if event.action == "scheduled" or (event.action == "opened" and event.signal.scheduled_at is None):
            assert event.signal.id not in born
            born[event.signal.id] = event.at
            current = event.signal.id
        else:
            assert continues
            assert event.signal.id == current


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
@pytest.mark.parametrize("market", MARKETS, ids=[market.name for market in MARKETS])
def test_engine_and_reference_agree(market: Market, case: Case, policy: Policy) -> None:
    expected = simulate(market.candles, case.plain(Proposal), minutes_of(case.interval), case.lookback, policy=policy)
    declared = (case.name, case.interval, case.lookback)
    actual = told_by_the_engine(market.candles, declared, case.function(Signal), policy)
    assert actual == fitting(expected, actual)


def test_the_markets_and_strategies_meet_every_rule() -> None:
    seen: set[tuple[str, str, str, str]] = set()
    for case in CASES:
        for market in MARKETS[6:18:2]:
            for policy in POLICIES:
                run = simulate(
                    market.candles, case.plain(Proposal), minutes_of(case.interval), case.lookback, policy=policy
                )
                for event in run:
                    position = (event.get("signal") or event["proposal"])["position"]
                    seen.add((policy, position, event["action"], event.get("reason", "")))
    for policy in POLICIES:
        for position in ("long", "short"):
            ends = {(action, reason) for at, side, action, reason in seen if (at, side) == (policy, position)}
            all_of_them = {("closed", reason) for reason in ("take_profit", "stop_loss", "time_expired")}
            all_of_them |= {("scheduled", ""), ("opened", ""), ("rejected", ""), ("cancelled", "timeout")}
            all_of_them |= {("cancelled", "price_rejected")} if policy == "backtest_kit" else set()
            assert ends == all_of_them


Answer = tuple[str, dict[str, Any]] | None

distances = st.integers(min_value=-4, max_value=14)
odd_numbers = st.sampled_from([0.0, -3.0, float("nan"), float("inf"), float("-inf")])
lifetimes = st.one_of(
    st.integers(1, 12), st.integers(1, 12).map(lambda m: timedelta(minutes=m)), st.just(1.5), st.just(0)
)


@st.composite
def answers(draw: st.DrawFn) -> Answer:
    """What to answer at a slot, in whole steps from the rounded price; now and then something that is no price."""
    if draw(st.integers(0, 4)) == 0:
        return None
    odd = draw(odd_numbers) if draw(st.integers(0, 14)) == 0 else None
    levels: dict[str, Any] = {"gain": draw(distances), "risk": draw(distances), "lifetime": draw(lifetimes)}
    levels["entry"] = draw(st.one_of(st.none(), st.integers(-3, 4)))
    if odd is not None:
        levels[draw(st.sampled_from(["gain", "risk", "entry"]))] = odd
    return draw(st.sampled_from(["long", "short"])), levels


def answering(plan: Sequence[Answer], proposing: Any) -> Any:
    """A strategy that goes through the plan, one answer a minute of market time."""

    def ask(ctx: Any) -> Any:
        answer = plan[ctx.now // 60_000 % len(plan)]
        if answer is None:
            return None
        position, levels = answer
        side = 1 if position == "long" else -1
        near = float(round(ctx.price))

        def level(name: str, sign: int) -> float:
            steps = levels[name]
            return steps if isinstance(steps, float) else near + sign * side * steps

        return getattr(proposing, position)(
            take_profit=level("gain", 1),
            stop_loss=level("risk", -1),
            lifetime=levels["lifetime"],
            entry=None if levels["entry"] is None else level("entry", -1),
        )

    return ask


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example])
@given(
    market=random_markets(),
    plan=st.lists(answers(), min_size=1, max_size=7),
    interval=st.sampled_from(["1m", "1m", "2m", "3m", "5m"]),
    lookback=st.sampled_from([{}, {"1m": 3}, {"1m": 9, "5m": 1}, {"3m": 4}]),
    policy=st.sampled_from(POLICIES),
    entry_timeout=st.integers(1, 20),
)
def test_engine_and_reference_agree_on_random_markets_and_proposals(
    market: Market,
    plan: list[Answer],
    interval: str,
    lookback: dict[str, int],
    policy: Policy,
    entry_timeout: int,
) -> None:
    expected = simulate(
        market.candles,
        answering(plan, Proposal),
        minutes_of(interval),
        lookback,
        policy=policy,
        entry_timeout_minutes=entry_timeout,
    )
    declared = ("plan", interval, lookback)
    actual = told_by_the_engine(market.candles, declared, answering(plan, Signal), policy, entry_timeout)
    assert actual == fitting(expected, actual)
