"""The statistics agree with empyrical and quantstats, both told that a year has 365 days, on what a strategy may do.

Each is shown the same two series, made here without the code that is tested: the results one by one in the order of
closing, and the daily returns of the equity. The exceptions, each in a comment, are where their definition is another.
"""

from __future__ import annotations

import datetime as dt
import itertools
import random
from typing import Any

import attrs
import empyrical
import numpy as np
import pandas as pd
import pytest
import quantstats.stats

from tests.projections.stories import DAY_MINUTES, START_AT, Story, in_order
from tickfold_eventstore.events import Closed, Event, Opened
from tickfold_projections.statistics import Statistics, statistics

YEAR = 365

frames: Any = pd
quant: Any = quantstats.stats
empirical: Any = empyrical
"""Libraries whose types say less than is so, or other than is so."""


@attrs.frozen
class Case:
    """Events, and the two series that other libraries take."""

    name: str
    events: list[Event]
    each: Any
    steps: Any
    daily: Any


def case(name: str, *streams: list[Event]) -> Case:
    """Compound each stream by itself, take the mean, and look at it after every close and at the end of every day."""
    events = in_order(*streams)
    closed = [event for event in events if isinstance(event, Closed)]
    start = min(event.at for event in events if isinstance(event, Opened))
    equity = dict.fromkeys({event.symbol for event in closed}, 1.0)
    stepped = {frames.Timestamp(start, unit="ms"): 1.0}
    for event in closed:
        equity[event.symbol] *= 1 + event.pnl.percentage / 100
        stepped[frames.Timestamp(event.at, unit="ms")] = sum(equity.values()) / len(equity)
    curve = frames.Series(stepped)
    by_day = curve.resample("D").last().ffill()
    before_the_first = frames.Series([1.0], index=[by_day.index[0] - dt.timedelta(days=1)])
    return Case(
        name,
        events,
        frames.Series(
            [event.pnl.percentage / 100 for event in closed], index=frames.date_range("2022-01-01", periods=len(closed))
        ),
        curve.pct_change().iloc[1:],
        frames.concat([before_the_first, by_day]).pct_change().iloc[1:],
    )


def random_stream(
    seed: int, symbol: str, days: float, pace: float, spread: float, *, draws: float = 0.0
) -> list[Event]:
    """Signals at random times for so many days, one each `pace` minutes on average, results around nothing."""
    dice = random.Random(f"{seed} {symbol}")
    story = Story(symbol)
    minute = dice.uniform(0, DAY_MINUTES)
    while minute < days * DAY_MINUTES:
        opened = minute + 1 + dice.expovariate(1 / pace)
        closed = opened + dice.randint(1, 600)
        result = 0.0 if dice.random() < draws else dice.gauss(spread / 20, spread)
        story.trade(round(opened), round(closed), result, dice.choice(["long", "short"]))
        minute = closed
    return story.events


def bracket_stream(seed: int, symbol: str) -> list[Event]:
    """What targets and stops give: two results, and now and then something between."""
    dice = random.Random(seed)
    story = Story(symbol)
    for number in range(150):
        result = dice.choice([1.5998, 1.5998, -1.3992, -1.3992, dice.uniform(-1.3, 1.5)])
        story.trade(number * 700, number * 700 + dice.randint(5, 600), result)
    return story.events


CASES = (
    case("a busy year", random_stream(1, "A", 365, 200, 0.8)),
    case("a quiet year", random_stream(2, "A", 365, 6000, 2.0)),
    case("three weeks", random_stream(3, "A", 21, 300, 1.0)),
    case("violent", random_stream(4, "A", 90, 400, 20.0)),
    case("brackets", bracket_stream(5, "A")),
    case("four symbols", *(random_stream(6, symbol, 120, 700, 1.5) for symbol in "ABCD")),
    case("two symbols, one rarely", random_stream(7, "A", 200, 300, 0.7), random_stream(7, "B", 200, 9000, 4.0)),
    case("many draws", random_stream(8, "A", 60, 300, 1.0, draws=0.4)),
)


def near(value: Any) -> Any:
    return pytest.approx(float(value), rel=1e-9, abs=1e-12)


def values(found: Statistics, *names: str) -> dict[str, float | None]:
    return {name: getattr(found, name).value for name in names}


@pytest.fixture(params=CASES, ids=lambda each: each.name)
def given(request: pytest.FixtureRequest) -> Case:
    found: Case = request.param
    return found


def test_the_cases_are_worth_looking_at() -> None:
    assert min(len(each.each) for each in CASES) >= 20
    assert min(len(each.daily) for each in CASES) >= 21
    assert any(len(each.steps) > 2 * len(each.daily) for each in CASES)
    assert any((each.daily == 0).sum() > len(each.daily) / 2 for each in CASES)


def test_empyrical_agrees_on_daily_returns(given: Case) -> None:
    daily = given.daily
    assert values(statistics(given.events), "sharpe", "sortino", "annual_return", "compounded_return") == {
        "sharpe": near(empirical.sharpe_ratio(daily, annualization=YEAR)),
        "sortino": near(empirical.sortino_ratio(daily, annualization=YEAR)),
        "annual_return": near(100 * empirical.annual_return(daily, annualization=YEAR)),
        "compounded_return": near(100 * empirical.cum_returns_final(daily)),
    }


def test_quantstats_agrees_on_daily_returns(given: Case) -> None:
    daily = given.daily
    assert values(statistics(given.events), "sharpe", "sortino", "annual_return", "compounded_return") == {
        "sharpe": near(quant.sharpe(daily, periods=YEAR)),
        "sortino": near(quant.sortino(daily, periods=YEAR)),
        "annual_return": near(100 * quant.cagr(daily, periods=YEAR)),
        "compounded_return": near(100 * quant.comp(daily)),
    }


def test_both_agree_on_the_drawdown_after_each_close(given: Case) -> None:
    # Theirs is that of the series they are given: of the closes it is the true one, of the days it misses what a day
    # took and gave back.
    found = statistics(given.events).max_drawdown.value
    deepest = -100 * empirical.max_drawdown(given.steps)
    assert found == near(deepest)
    assert found == near(-100 * quant.to_drawdown_series(given.steps).min())
    assert deepest >= -100 * empirical.max_drawdown(given.daily) - 1e-9


def test_both_agree_on_calmar_where_they_see_the_same_drawdown(given: Case) -> None:
    deepest = -empirical.max_drawdown(given.steps)
    missed = deepest / -empirical.max_drawdown(given.daily)
    found = statistics(given.events).calmar.value
    assert found == near(empirical.calmar_ratio(given.daily, annualization=YEAR) / missed)
    assert found == near(quant.calmar(given.daily, periods=YEAR) / missed)


def test_quantstats_agrees_on_single_results(given: Case) -> None:
    each = given.each
    found = statistics(given.events)
    names = ("average_pnl", "standard_deviation", "best_pnl", "worst_pnl", "profit_factor", "payoff_ratio")
    assert values(found, *names, "sharpe_per_trade", "longest_wins", "longest_losses") == {
        # quantstats leaves draws out of an average.
        "average_pnl": near(100 * quant.avg_return(each) * (each != 0).sum() / len(each)),
        "standard_deviation": near(100 * quant.volatility(each, annualize=False)),
        "best_pnl": near(100 * quant.best(each)),
        "worst_pnl": near(100 * quant.worst(each)),
        "profit_factor": near(quant.profit_factor(each)),
        "payoff_ratio": near(quant.payoff_ratio(each)),
        "sharpe_per_trade": near(quant.sharpe(each, annualize=False)),
        "longest_wins": quant.consecutive_wins(each),
        "longest_losses": quant.consecutive_losses(each),
    }
    # quantstats leaves draws out of the win rate too.
    assert found.win_rate.value == near(100 * quant.win_rate(each) * (each != 0).sum() / len(each))


def test_numpy_agrees_on_what_is_a_middle(given: Case) -> None:
    held = [(event.at - (event.signal.opened_at or 0)) / 60_000 for event in given.events if isinstance(event, Closed)]
    assert values(statistics(given.events), "median_pnl", "median_minutes", "average_minutes", "total_pnl") == {
        "median_pnl": near(100 * np.median(given.each)),
        "median_minutes": near(np.median(held)),
        "average_minutes": near(np.mean(held)),
        "total_pnl": near(100 * given.each.sum()),
    }


def test_the_duration_is_that_of_the_deepest_drawdown(given: Case) -> None:
    equity = (1 + given.steps).cumprod()
    start = frames.Timestamp(min(event.at for event in given.events), unit="ms")
    curve = frames.concat([frames.Series([1.0], index=[start]), equity])
    trough = (curve / curve.cummax()).idxmin()
    before = curve[:trough]
    peak = before[before == before.max()].index[-1]
    after = curve[trough:]
    reached = after[after >= before.max() * (1 - 1e-12)]
    end = reached.index[0] if len(reached) else curve.index[-1]
    assert statistics(given.events).max_drawdown_days.value == near((end - peak) / frames.Timedelta(days=1))


def test_exposure_counts_minutes(given: Case) -> None:
    closed = [event for event in given.events if isinstance(event, Closed)]
    first = min(event.at for event in given.events)
    minutes = (closed[-1].at - first) // 60_000
    shares = []
    for symbol in {event.symbol for event in closed}:
        inside = np.zeros(minutes, dtype=bool)
        for event in closed:
            if event.symbol == symbol:
                inside[((event.signal.opened_at or 0) - first) // 60_000 : (event.at - first) // 60_000] = True
        shares.append(inside.mean())
    assert statistics(given.events).exposure.value == near(100 * np.mean(shares))


def test_streaks_are_runs_of_one_sign(given: Case) -> None:
    signs = [int(np.sign(result)) for result in given.each]
    runs = [(sign, len(list(run))) for sign, run in itertools.groupby(signs)]
    assert statistics(given.events).current_streak.value == runs[-1][0] * runs[-1][1]
    assert frames.Timestamp(START_AT, unit="ms") == frames.Timestamp("2022-01-01")
