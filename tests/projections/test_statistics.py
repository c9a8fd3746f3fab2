"""Every number of the statistics by hand, on the input that makes formulas trip."""

from __future__ import annotations

import itertools
import math
from typing import Any

import msgspec
import pytest

from tests.projections.stories import DAY_MINUTES, Story, at, in_order, trades
from tickfold_projections.figures import DEFINITIONS
from tickfold_projections.statistics import Statistics, statistics

NONE = "no signal closed"


def told(found: Statistics) -> dict[str, Any]:
    """Each figure as its value, or as its reason."""
    figures = {name: getattr(found, name) for name in DEFINITIONS}
    return {name: figure.reason if figure.value is None else figure.value for name, figure in figures.items()}


def some(found: Statistics, *names: str) -> dict[str, Any]:
    return {name: value for name, value in told(found).items() if name in names}


def test_nothing_closed_gives_reasons_and_no_numbers() -> None:
    story = Story()
    story.open(0)
    assert told(statistics(story.events)) == {
        "closed": 0,
        "win_rate": NONE,
        "average_pnl": NONE,
        "total_pnl": NONE,
        "median_pnl": NONE,
        "best_pnl": NONE,
        "worst_pnl": NONE,
        "standard_deviation": NONE,
        "compounded_return": NONE,
        "profit_factor": "0 of 10 closed signals",
        "expectancy": NONE,
        "payoff_ratio": "0 of 10 closed signals",
        "sharpe_per_trade": "0 of 10 closed signals",
        "sharpe": "0 of 10 closed signals",
        "sortino": "0 of 10 closed signals",
        "annual_return": "0 of 10 closed signals",
        "max_drawdown": NONE,
        "max_drawdown_days": NONE,
        "calmar": "0 of 10 closed signals",
        "longest_wins": 0,
        "longest_losses": 0,
        "current_streak": 0,
        "exposure": NONE,
        "average_minutes": NONE,
        "median_minutes": NONE,
        "longest_minutes": NONE,
    }
    assert told(statistics([])) == told(statistics(story.events))


def test_one_loss_is_an_average_without_a_deviation() -> None:
    found = statistics(trades([-2.0]))
    assert told(found) == {
        "closed": 1,
        "win_rate": 0,
        "average_pnl": -2,
        "total_pnl": -2,
        "median_pnl": -2,
        "best_pnl": -2,
        "worst_pnl": -2,
        "standard_deviation": "one signal does not vary",
        "compounded_return": pytest.approx(-2),
        "profit_factor": "1 of 10 closed signals",
        "expectancy": -2,
        "payoff_ratio": "1 of 10 closed signals",
        "sharpe_per_trade": "1 of 10 closed signals",
        "sharpe": "1 of 10 closed signals",
        "sortino": "1 of 10 closed signals",
        "annual_return": "1 of 10 closed signals",
        "max_drawdown": pytest.approx(2),
        "max_drawdown_days": pytest.approx(30 / DAY_MINUTES),
        "calmar": "1 of 10 closed signals",
        "longest_wins": 0,
        "longest_losses": 1,
        "current_streak": -1,
        "exposure": 100,
        "average_minutes": 30,
        "median_minutes": 30,
        "longest_minutes": 30,
    }
    assert (found.wins, found.losses, found.draws) == (0, 1, 0)


def test_a_fortnight_of_wins_and_losses_by_hand() -> None:
    # One a day, held for six hours: +10 %, -10 %, and so on, fourteen days.
    results = [10.0, -10.0] * 7
    daily = [0.1, -0.1] * 7
    end = 0.99**7
    deviation = math.sqrt(14 * 0.01 / 13)
    assert told(statistics(trades(results, every=DAY_MINUTES, held=360))) == {
        "closed": 14,
        "win_rate": 50,
        "average_pnl": 0,
        "total_pnl": 0,
        "median_pnl": 0,
        "best_pnl": 10,
        "worst_pnl": -10,
        "standard_deviation": pytest.approx(100 * deviation),
        "compounded_return": pytest.approx(100 * (end - 1)),
        "profit_factor": 1,
        "expectancy": 0,
        "payoff_ratio": 1,
        "sharpe_per_trade": 0,
        "sharpe": pytest.approx(sum(daily) / 14 / deviation * math.sqrt(365), abs=1e-12),
        "sortino": pytest.approx(0, abs=1e-12),
        "annual_return": pytest.approx(100 * (end ** (365 / 14) - 1)),
        # The peak is the first win; the trough is the last loss.
        "max_drawdown": pytest.approx(100 * (1 - end / 1.1)),
        "max_drawdown_days": 13,
        "calmar": pytest.approx((end ** (365 / 14) - 1) / (1 - end / 1.1)),
        "longest_wins": 1,
        "longest_losses": 1,
        "current_streak": -1,
        "exposure": pytest.approx(100 * 14 * 6 / (13 * 24 + 6)),
        "average_minutes": 360,
        "median_minutes": 360,
        "longest_minutes": 360,
    }


def test_sharpe_and_sortino_of_days_that_differ() -> None:
    # Twelve days of +1 %, two of -2 %.
    results = [1.0] * 6 + [-2.0] + [1.0] * 6 + [-2.0]
    daily = [result / 100 for result in results]
    mean = sum(daily) / 14
    deviation = math.sqrt(sum((day - mean) ** 2 for day in daily) / 13)
    downside = math.sqrt(2 * 0.02**2 / 14)
    found = statistics(trades(results, every=DAY_MINUTES))
    assert some(found, "sharpe", "sortino", "sharpe_per_trade", "profit_factor", "payoff_ratio") == {
        "sharpe": pytest.approx(mean / deviation * math.sqrt(365)),
        "sortino": pytest.approx(mean / downside * math.sqrt(365)),
        "sharpe_per_trade": pytest.approx(mean / deviation),
        "profit_factor": 3,
        "payoff_ratio": 0.5,
    }


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (
            0.5,
            {
                "profit_factor": "no signal lost",
                "payoff_ratio": "no signal lost",
                "sharpe_per_trade": "every result is the same",
                "sharpe": "every daily return is the same",
                "sortino": "no day lost",
                "max_drawdown": 0,
                "max_drawdown_days": 0,
                "calmar": "the equity never fell",
                "longest_wins": 20,
                "longest_losses": 0,
                "current_streak": 20,
            },
        ),
        (
            -0.5,
            {
                "profit_factor": 0,
                "payoff_ratio": "no signal won",
                "sharpe_per_trade": "every result is the same",
                "sharpe": "every daily return is the same",
                "sortino": pytest.approx(-math.sqrt(365)),
                "max_drawdown": pytest.approx(100 * (1 - 0.995**20)),
                "max_drawdown_days": pytest.approx(19 + 30 / DAY_MINUTES),
                "calmar": pytest.approx((0.995**365 - 1) / (1 - 0.995**20)),
                "longest_wins": 0,
                "longest_losses": 20,
                "current_streak": -20,
            },
        ),
        (
            0.0,
            {
                "profit_factor": "no signal lost",
                "payoff_ratio": "no signal lost",
                "sharpe_per_trade": "every result is the same",
                "sharpe": "every daily return is the same",
                "sortino": "no day lost",
                "max_drawdown": 0,
                "max_drawdown_days": 0,
                "calmar": "the equity never fell",
                "longest_wins": 0,
                "longest_losses": 0,
                "current_streak": 0,
            },
        ),
    ],
    ids=["all wins", "all losses", "all draws"],
)
def test_twenty_equal_results_one_a_day(result: float, expected: dict[str, Any]) -> None:
    found = statistics(trades([result] * 20, every=DAY_MINUTES))
    assert some(found, *expected) == expected
    assert some(found, "standard_deviation", "average_pnl", "median_pnl") == {
        "standard_deviation": 0,
        "average_pnl": pytest.approx(result),
        "median_pnl": result,
    }


def test_a_draw_is_neither_win_nor_loss_and_ends_a_streak() -> None:
    found = statistics(trades([1.0, 1.0, 0.0, 1.0, -1.0, -1.0, -1.0, 0.0]))
    assert (found.wins, found.losses, found.draws) == (3, 3, 2)
    assert some(found, "win_rate", "longest_wins", "longest_losses", "current_streak") == {
        "win_rate": 37.5,
        "longest_wins": 2,
        "longest_losses": 3,
        "current_streak": 0,
    }


def test_a_total_loss_stays_one_and_gives_no_number_that_is_none() -> None:
    results = [5.0] * 7 + [-100.0] + [5.0] * 7
    found = statistics(trades(results, every=DAY_MINUTES))
    assert some(found, "compounded_return", "annual_return", "max_drawdown", "calmar", "max_drawdown_days") == {
        "compounded_return": -100,
        "annual_return": -100,
        "max_drawdown": 100,
        "calmar": -1,
        "max_drawdown_days": 8,
    }
    daily = [0.05] * 7 + [-1.0] + [0.0] * 7
    assert found.sortino.value == pytest.approx(sum(daily) / 15 / math.sqrt(1 / 15) * math.sqrt(365))
    # A short can lose more than was put in; there is nothing below 0 to lose.
    worse = statistics(trades([*results[:7], -130.0, *results[8:]], every=DAY_MINUTES))
    assert worse.compounded_return == found.compounded_return


@pytest.mark.parametrize(("count", "given"), [(9, False), (10, True)])
def test_ratios_need_ten_closed_signals(count: int, given: bool) -> None:
    results = ([2.0, -1.0] * 5)[:count]
    found = statistics(trades(results, every=2 * DAY_MINUTES))
    ratios = ("profit_factor", "payoff_ratio", "sharpe_per_trade", "sharpe", "sortino", "annual_return", "calmar")
    assert {name: getattr(found, name).reason for name in ratios} == dict.fromkeys(
        ratios, None if given else "9 of 10 closed signals"
    )


@pytest.mark.parametrize(("first", "days"), [(0, 13), (DAY_MINUTES - 20, 14)])
def test_annualised_figures_need_fourteen_utc_days(first: float, days: int) -> None:
    # Opened each full day for thirteen days; the second time the last one closes on the fourteenth.
    found = statistics(trades([2.0, -1.0] * 6 + [2.0], every=DAY_MINUTES, held=30, first=first))
    annualised = ("sharpe", "sortino", "annual_return", "calmar")
    assert {name: getattr(found, name).reason for name in annualised} == dict.fromkeys(
        annualised, None if days == 14 else "13 of 14 days"
    )
    assert found.profit_factor.value == pytest.approx(14 / 6)


def test_days_without_closes_count_as_zero() -> None:
    # Ten closes on the first day and one a month later: 31 days, 29 of them empty.
    story = Story()
    for number in range(10):
        story.trade(number * 60, number * 60 + 30, 1.0)
    story.trade(30 * DAY_MINUTES, 30 * DAY_MINUTES + 30, -1.0)
    daily = [1.01**10 - 1, *[0.0] * 29, -0.01]
    mean = sum(daily) / 31
    deviation = math.sqrt(sum((day - mean) ** 2 for day in daily) / 30)
    assert statistics(story.events).sharpe.value == pytest.approx(mean / deviation * math.sqrt(365))


def test_a_day_is_that_of_the_close_and_the_first_is_that_of_the_first_opening() -> None:
    # Opened before midnight and closed after: the first day has no close, and counts.
    found = statistics(trades([1.0, -0.5] * 7, every=DAY_MINUTES, held=60, first=DAY_MINUTES - 30))
    daily = [0.0, *[0.01, -0.005] * 7]
    mean = sum(daily) / 15
    deviation = math.sqrt(sum((day - mean) ** 2 for day in daily) / 14)
    assert found.sharpe.value == pytest.approx(mean / deviation * math.sqrt(365))


def test_all_closed_on_one_day_gives_everything_but_what_is_annualised() -> None:
    found = statistics(trades([1.0, -1.0] * 6, every=60))
    assert some(found, "sharpe", "sortino", "annual_return", "calmar", "profit_factor", "max_drawdown") == {
        "sharpe": "1 of 14 days",
        "sortino": "1 of 14 days",
        "annual_return": "1 of 14 days",
        "calmar": "1 of 14 days",
        "profit_factor": 1,
        "max_drawdown": pytest.approx(100 * (1 - 0.9999**6 / 1.01)),
    }


def test_several_symbols_are_compounded_each_and_weigh_the_same() -> None:
    up = trades([10.0, 10.0], symbol="A", every=600, held=60)
    down = trades([-10.0], symbol="B", first=300, held=60)
    found = statistics(in_order(up, down))
    # A: 1, 1.1, 1.21; B: 1, 0.9. The mean falls from 1.05 to 1.0 and ends at 1.055.
    assert some(found, "compounded_return", "max_drawdown", "max_drawdown_days", "exposure") == {
        "compounded_return": pytest.approx(5.5),
        "max_drawdown": pytest.approx(100 * (1 - 1.0 / 1.05)),
        "max_drawdown_days": pytest.approx(600 / DAY_MINUTES),
        "exposure": pytest.approx(100 * 180 / (2 * 660)),
    }
    assert [(group.name, group.closed, group.total_pnl.value) for group in found.by_symbol] == [
        ("A", 2, 20),
        ("B", 1, -10),
    ]


def test_what_closes_at_one_time_in_two_symbols_is_one_step() -> None:
    # B gains what A loses, in the same minute: the mean never moves.
    found = statistics(in_order(trades([-10.0] * 1, symbol="A"), trades([10.0] * 1, symbol="B")))
    assert some(found, "max_drawdown", "compounded_return") == {
        "max_drawdown": 0,
        "compounded_return": pytest.approx(0, abs=1e-12),
    }


def test_a_fall_that_is_nothing_but_rounding_is_none() -> None:
    # B gains what A loses on the eighth day, but for the last bit of a float.
    a, b = Story("A"), Story("B")
    for day in range(15):
        a.trade(day * DAY_MINUTES, day * DAY_MINUTES + 30, -1.6 if day == 7 else 2.0 if day == 0 else 0.0)
    b.trade(7 * DAY_MINUTES, 7 * DAY_MINUTES + 30, 1.632)
    assert 0 < 1 - (1.02 * (1 - 0.016) + 1.01632) / (1.02 + 1) < 1e-15
    found = statistics(in_order(a.events, b.events))
    assert some(found, "sortino", "calmar", "max_drawdown", "max_drawdown_days") == {
        "sortino": "no day lost",
        "calmar": "the equity never fell",
        "max_drawdown": 0,
        "max_drawdown_days": 0,
    }


def test_the_order_in_which_streams_are_read_changes_no_bit() -> None:
    streams = [trades([0.1 * (seed - 7) + n / 7 for n in range(9)], symbol=f"S{seed}") for seed in range(15)]
    forwards = [event for stream in streams for event in stream]
    backwards = [event for stream in reversed(streams) for event in stream]
    assert msgspec.json.encode(statistics(forwards)) == msgspec.json.encode(statistics(backwards))


def test_groups_are_by_reason_side_and_symbol_and_add_up_to_the_whole() -> None:
    story = Story()
    story.trade(0, 10, 3.0, "long")
    story.trade(20, 30, -1.0, "short")
    story.trade(40, 50, 0.0, "short")
    found = statistics(story.events)

    def lines(groups: tuple[Any, ...]) -> list[tuple[object, ...]]:
        return [
            (each.name, each.closed, each.wins, each.losses, each.draws, each.win_rate.value, each.average_pnl.value)
            for each in groups
        ]

    assert lines(found.by_reason) == [
        ("stop_loss", 1, 0, 1, 0, 0, -1),
        ("take_profit", 1, 1, 0, 0, 100, 3),
        ("time_expired", 1, 0, 0, 1, 0, 0),
    ]
    assert lines(found.by_side) == [("long", 1, 1, 0, 0, 100, 3), ("short", 2, 0, 1, 1, 0, -0.5)]
    assert lines(found.by_symbol) == [("A", 3, 1, 1, 1, pytest.approx(100 / 3), pytest.approx(2 / 3))]


def test_one_symbol_at_two_exchanges_is_named_in_full() -> None:
    here, there = Story("A", exchange="here"), Story("A", exchange="there")
    here.trade(0, 10, 1.0)
    there.trade(0, 10, 2.0)
    found = statistics([*here.events, *there.events])
    assert [group.name for group in found.by_symbol] == ["here/w/A", "there/w/A"]


def test_a_signal_that_is_filled_and_closed_by_one_candle_has_no_exposure() -> None:
    found = statistics(trades([1.0], held=0))
    assert some(found, "exposure", "average_minutes") == {"exposure": "no time passed", "average_minutes": 0}


def test_figures_that_no_number_can_say_are_told_in_words() -> None:
    events = trades([1e308] * 12, every=2 * DAY_MINUTES)
    found = statistics(events)
    assert some(found, "total_pnl", "standard_deviation", "compounded_return", "calmar", "max_drawdown", "sharpe") == {
        "total_pnl": "it is too large for a number",
        "standard_deviation": 0,
        "compounded_return": "the equity is too large for a number",
        "calmar": "the equity is too large for a number",
        "max_drawdown": "the equity is too large for a number",
        "sharpe": "the equity is too large for a number",
    }
    two = statistics(in_order(trades([1e308], symbol="A"), trades([1e308], symbol="B")))
    assert two.compounded_return.value == pytest.approx(1e308)


def test_every_figure_is_finite_whatever_the_results_are() -> None:
    shapes: list[list[float]] = [
        [1e308, -1e308] * 8,
        [-1e308] * 16,
        [5e-324, -5e-324] * 8,
        [1e308, -100.0, 1e308] * 6,
        [1e150, -1e-150, 0.0] * 5,
    ]
    for results in shapes:
        encoded = msgspec.to_builtins(statistics(trades(results, every=DAY_MINUTES)))
        values = [encoded[name]["value"] for name in DEFINITIONS]
        assert all(value is None or math.isfinite(value) for value in values)


def test_a_range_takes_the_signals_that_closed_in_it() -> None:
    events = trades([1.0, 2.0, 4.0], every=100, held=50)
    borders = [at(0), at(50), at(150), at(151), at(999)]
    totals = [statistics(events, start=start, end=end).total_pnl.value for start, end in itertools.pairwise(borders)]
    assert totals == [None, 1, 2, 4]
