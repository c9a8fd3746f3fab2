"""Equity, drawdown and daily returns, also as properties against slow and obvious versions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.projections.stories import DAY_MINUTES, at
from tickfold_eventstore.signals import Stream
from tickfold_projections.equity import DAY_MS, Drawdown, Point, daily_returns, deepest_drawdown, equity_curve
from tickfold_projections.trades import Trade


def trade(symbol: str, closed: float, result: float) -> Trade:
    return Trade(Stream("x", "w", symbol), "long", "time_expired", result, at(closed - 1), at(closed))


def curve(*equities: float, every: float = 1) -> list[Point]:
    return [Point(at(number * every), equity) for number, equity in enumerate(equities)]


def test_the_curve_begins_at_one_and_has_a_point_for_each_time_of_closing() -> None:
    assert equity_curve([], at(0)) == [Point(at(0), 1.0)]
    closed = [trade("A", 5, 100.0), trade("A", 9, -50.0), trade("B", 9, 50.0), trade("B", 12, -100.0)]
    assert equity_curve(closed, at(0)) == [
        Point(at(0), 1.0),
        Point(at(5), 1.5),
        Point(at(9), 1.25),
        Point(at(12), 0.5),
    ]


def test_an_account_that_is_lost_stays_lost_and_the_others_go_on() -> None:
    closed = [trade("A", 5, -150.0), trade("A", 6, 900.0), trade("B", 7, 100.0)]
    assert [point.equity for point in equity_curve(closed, at(0))] == [1.0, 0.5, 0.5, 1.0]


@pytest.mark.parametrize(
    ("equities", "expected"),
    [
        ([1.0], None),
        ([1.0, 1.0, 2.0, 2.0], None),
        ([1.0, 0.5], Drawdown(0.5, at(0), at(1), at(1), recovered=False)),
        ([1.0, 0.5, 1.0], Drawdown(0.5, at(0), at(1), at(2), recovered=True)),
        ([1.0, 0.5, 0.75, 2.0, 1.5], Drawdown(0.5, at(0), at(1), at(3), recovered=True)),
        # The peak is the last time at the top, the trough the first time at the bottom.
        ([1.0, 1.0, 0.5, 0.5, 0.75], Drawdown(0.5, at(1), at(2), at(4), recovered=False)),
        # Of two that are as deep, the first.
        ([2.0, 1.0, 4.0, 2.0], Drawdown(0.5, at(0), at(1), at(2), recovered=True)),
        # A rise that does not reach the peak ends nothing.
        ([4.0, 3.0, 3.5, 1.0, 3.9], Drawdown(0.75, at(0), at(3), at(4), recovered=False)),
        ([1.0, 0.0, 0.0], Drawdown(1.0, at(0), at(1), at(2), recovered=False)),
    ],
)
def test_the_deepest_drawdown(equities: list[float], expected: Drawdown | None) -> None:
    assert deepest_drawdown(curve(*equities)) == expected


def test_falls_too_small_to_count_one_by_one_add_up() -> None:
    found = deepest_drawdown(curve(*(1 - number * 0.9e-9 for number in range(1001))))
    assert found is not None
    assert found.depth == pytest.approx(0.9e-6)


@given(st.lists(st.integers(min_value=0, max_value=12), max_size=40))
def test_no_fall_from_any_point_to_any_later_one_is_deeper(heights: list[int]) -> None:
    points = curve(8.0, *(float(height) for height in heights))
    falls = [
        (1 - low.equity / high.equity, high, low)
        for number, high in enumerate(points)
        for low in points[number + 1 :]
        if high.equity > low.equity
    ]
    found = deepest_drawdown(points)
    if not falls:
        assert found is None
        return
    deepest = max(depth for depth, _, _ in falls)
    assert found is not None
    assert found.depth == deepest
    peak, trough = (
        next(point for point in points if point.at == moment) for moment in (found.peak_at, found.trough_at)
    )
    assert (found.depth, peak, trough) in falls
    back = [point.at for point in points if point.at > found.trough_at and point.equity >= peak.equity]
    assert (found.end_at, found.recovered) == ((back[0], True) if back else (points[-1].at, False))


def test_a_day_is_a_utc_day_and_every_day_from_start_to_end_counts() -> None:
    day = DAY_MINUTES
    points = [
        Point(at(day - 1), 1.0),  # the last minute of the first day
        Point(at(day), 1.1),  # midnight belongs to the day that begins
        Point(at(day + 5), 1.21),
        Point(at(4 * day - 1), 1.21 * 0.5),
    ]
    assert daily_returns(points) == [0.0, pytest.approx(0.21), 0.0, pytest.approx(-0.5)]
    assert daily_returns(points[:1]) == [0.0]


def test_after_a_total_loss_days_return_nothing() -> None:
    points = curve(1.0, 0.0, 0.0, every=DAY_MINUTES)
    assert daily_returns(points) == [0.0, -1.0, 0.0]


@given(
    st.lists(st.tuples(st.integers(min_value=0, max_value=5000), st.floats(min_value=0.5, max_value=1.5)), max_size=30),
    st.integers(min_value=0, max_value=3 * DAY_MINUTES),
)
def test_daily_returns_compound_to_the_equity_at_the_end(steps: list[tuple[int, float]], start: int) -> None:
    points = [Point(at(start), 1.0)]
    for minutes, factor in steps:
        points.append(Point(points[-1].at + minutes * 60_000, points[-1].equity * factor))
    returns = daily_returns(points)
    compounded = 1.0
    for each in returns:
        compounded *= 1 + each
    assert compounded == pytest.approx(points[-1].equity)
    assert len(returns) == points[-1].at // DAY_MS - points[0].at // DAY_MS + 1
