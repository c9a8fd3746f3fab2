"""A row of a vectorised form is what a context tells at that slot, and what it proposes becomes the same events."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.plans import Proposal, following, on_a_grid, proposals
from tickfold import Backtest, Candles, Config, Context, Event, Proposals, Signal, Slots, vectorized
from tickfold.config import Policy
from tickfold.context import View, first_boundary
from tickfold.errors import DeclarationError, StrategyFailed
from tickfold.strategy import Strategy
from tickfold.vectorized import Windows

CANDLES = on_a_grid(5, 1500)
POLICIES: tuple[Policy, ...] = ("pessimistic", "backtest_kit")
LOOKBACK = {"1m": 7, "5m": 3, "1h": 2, "2h": 1}
COLUMNS = ("time", "open", "high", "low", "close", "volume")


def windows_of(windows: Windows | Candles, row: int | None) -> list[list[float]]:
    columns = [getattr(windows, column) for column in COLUMNS]
    return [(column if row is None else column[row]).tolist() for column in columns]


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("interval", [1, 5, 7, 60, 90])
def test_a_row_is_what_a_context_tells(interval: int, policy: Policy) -> None:
    view = View(CANDLES, LOOKBACK, symbol="A", mode="backtest", policy=policy)
    first = (first_boundary(view.first_open, LOOKBACK) - view.first_open) // 60_000
    ends = np.arange(first, len(CANDLES) + 1, interval)
    slots = Slots(view, ends)
    assert (len(slots), slots.symbol, slots.mode) == (len(ends), "A", "backtest")
    for row, end in enumerate(ends.tolist()):
        ctx = Context(view, end)
        told = ctx.now, ctx.price, ctx.average_price
        assert (slots.now.item(row), slots.price.item(row), slots.average_price.item(row)) == told
    for window in LOOKBACK:
        rows = slots.candles(window)
        for row, end in enumerate(ends.tolist()):
            assert windows_of(rows, row) == windows_of(Context(view, end).candles(window), None)


def test_nothing_that_a_form_is_given_can_be_changed() -> None:
    view = View(CANDLES, LOOKBACK, symbol="A", mode="backtest", policy="pessimistic")
    slots = Slots(view, np.arange(400, 1400, 5))
    given = [slots.now, slots.price, slots.average_price]
    given += [getattr(slots.candles(window), column) for window in LOOKBACK for column in COLUMNS]
    assert [array.flags.writeable for array in given] == [False] * len(given)


def at_once(plan: list[Proposal]) -> Callable[[Slots], Proposals]:
    """What `following` does slot by slot."""

    def form(slots: Slots) -> Proposals:
        minutes = slots.now // 60_000 % len(plan)
        chosen = [plan[minute] for minute in minutes.tolist()]
        known = [each or ("long", 1, 1, 1, None) for each in chosen]
        side = np.array([1 if each[0] == "long" else -1 for each in known])
        gain, risk, lifetime = (np.array([each[column] for each in known]) for column in (1, 2, 3))
        waits = np.array([each[4] is not None for each in known])
        level = np.round(slots.price) - side * np.array([each[4] or 0 for each in known])
        proposes = np.array([each is not None for each in chosen])
        return Proposals(
            long=proposes & (side == 1),
            short=proposes & (side == -1),
            take_profit=level + side * gain,
            stop_loss=level - side * risk,
            lifetime=lifetime,
            entry=np.where(waits, level, np.nan),
        )

    return form


def events_of(strategy: Strategy, candles: Candles, config: Config, *, vectorized: bool) -> tuple[Event, ...]:
    return Backtest(config=config, vectorized=vectorized).execute("A", strategy=strategy, exchange=candles).events


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(
    seed=st.integers(0, 2**32 - 1),
    plan=st.lists(proposals(), min_size=1, max_size=6),
    interval=st.sampled_from(["1m", "3m", "7m"]),
    policy=st.sampled_from(POLICIES),
    at_a_time=st.sampled_from([1, 2, 50, 16_384]),
)
def test_both_forms_give_the_same_events(
    monkeypatch: pytest.MonkeyPatch, seed: int, plan: list[Proposal], interval: str, policy: Policy, at_a_time: int
) -> None:
    monkeypatch.setattr(vectorized, "SLOTS_AT_ONCE", at_a_time)
    strategy = Strategy("plan", following(plan)(Signal), interval)
    strategy.vectorized(at_once(plan))
    candles, config = on_a_grid(seed, 700), Config(policy=policy, max_lifetime_minutes=None)
    expected = events_of(strategy, candles, config, vectorized=False)
    assert events_of(strategy, candles, config, vectorized=True) == expected


def form(proposing: Callable[[Slots], Any]) -> Strategy:
    strategy = Strategy("form", lambda ctx: None, "15m")
    strategy.vectorized(proposing)
    return strategy


def test_one_value_for_all_slots_is_enough() -> None:
    def always(slots: Slots) -> Proposals:
        levels = {"take_profit": slots.price * 1.02, "stop_loss": slots.price * 0.98}
        return Proposals(long=True, **levels, lifetime=timedelta(minutes=1), note="again")

    events = events_of(form(always), CANDLES, Config(), vectorized=True)
    opened = [event for event in events if event.action == "opened"]
    assert {(event.signal.lifetime_minutes, event.signal.note) for event in opened} == {(1, "again")}  # type: ignore[union-attr]  # told by their action
    assert len(opened) == len(CANDLES) // 15


def test_what_is_wrong_with_a_proposal_is_found_as_in_the_ordinary_form() -> None:
    def wrong(slots: Slots) -> Proposals:
        return Proposals(long=True, take_profit=float("nan"), stop_loss=0.0, lifetime=1.5)

    ordinary = Strategy("form", lambda ctx: Signal.long(take_profit=float("nan"), stop_loss=0.0, lifetime=1.5), "15m")
    events = events_of(form(wrong), CANDLES, Config(), vectorized=True)
    assert events == events_of(ordinary, CANDLES, Config(), vectorized=False)
    assert {event.action for event in events} == {"rejected"}


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda slots: None, "returned NoneType; a vectorised form returns Proposals(...)"),
        (
            lambda slots: Proposals(long=[True], short=[True], take_profit=1, stop_loss=1, lifetime=1),
            "is both long and short",
        ),
        (
            lambda slots: Proposals(long=np.ones(3, bool), take_profit=1, stop_loss=1, lifetime=1),
            "long has the shape (3,); there are 100 slots",
        ),
        (
            lambda slots: Proposals(long=slots.price, take_profit=1, stop_loss=1, lifetime=1),
            "long and short say True or False for each slot",
        ),
        (
            lambda slots: Proposals(long=True, take_profit=1, stop_loss=1, lifetime=1, note=["a"]),
            "note has 1 texts for 100 slots",
        ),
        (lambda slots: slots.candles("4h"), "4h"),
    ],
)
def test_a_form_that_answers_what_it_cannot_mean_fails_in_words(answer: Callable[[Slots], Any], words: str) -> None:
    with pytest.raises(StrategyFailed) as failed:
        events_of(form(answer), CANDLES, Config(), vectorized=True)
    assert words in str(failed.value)


def test_without_a_vectorised_form_none_can_be_asked_for() -> None:
    with pytest.raises(DeclarationError) as refused:
        events_of(Strategy("plain", lambda ctx: None), CANDLES, Config(), vectorized=True)
    assert "strategy plain has no vectorised form" in str(refused.value)


def test_a_strategy_has_one_vectorised_form_and_it_is_a_plain_function() -> None:
    async def waits(slots: Slots) -> Proposals:
        raise NotImplementedError

    strategy = form(lambda slots: None)
    with pytest.raises(DeclarationError, match="it has a vectorised form already"):
        strategy.vectorized(lambda slots: Proposals(take_profit=1, stop_loss=1, lifetime=1))
    awaiting: Any = waits
    with pytest.raises(DeclarationError, match="is no plain function of slots"):
        Strategy("other", lambda ctx: None).vectorized(awaiting)
    with pytest.raises(AttributeError):
        strategy.name = "another"
