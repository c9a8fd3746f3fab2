"""How far a signal went while it was open, from the candles that it was open in and from nothing else."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.projections.stories import START_AT, Story, at
from tickfold.candles import Candles
from tickfold_eventstore.events import CloseReason
from tickfold_eventstore.signals import Position
from tickfold_projections.excursions import POINTS_A_STRETCH, SIGNALS_A_STRETCH, with_market
from tickfold_projections.prices import Market
from tickfold_projections.render_json import render_json
from tickfold_projections.report import Report, report

BARS = [  # open, high, low, close of the minutes from START_AT on; signals enter at 100
    (100.0, 103.0, 99.0, 102.0),
    (102.0, 104.0, 98.0, 99.0),
    (99.0, 120.0, 80.0, 95.0),
    (95.0, 96.0, 94.0, 95.0),
]


def candles(bars: Sequence[tuple[float, float, float, float]] = BARS, first: int = 0) -> Candles:
    opens, highs, lows, closes = zip(*bars, strict=True)
    time = START_AT + 60_000 * (first + np.arange(len(bars)))
    return Candles(time=time, open=opens, high=highs, low=lows, close=closes, volume=[1.0] * len(bars))


def one(opened: int, closed: int, result: float, reason: CloseReason, position: Position = "long") -> Report:
    story = Story()
    story.open(opened, position)
    story.close(closed, result, reason)
    return report("w", story.events)


def market(told: Report, given_candles: Candles) -> Market:
    found = with_market(told, {Story().stream: given_candles}).market
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("result", "reason", "adverse", "favourable"),
    [
        # Of the third candle, which reached 120 and 80, only its open and the exit count.
        (10.0, "take_profit", -2.0, 10.0),
        (-10.0, "stop_loss", -10.0, 4.0),
        # A lifetime that ended with it had all of it.
        (-5.0, "time_expired", -20.0, 20.0),
    ],
)
def test_a_signal_went_as_far_as_the_candles_that_it_was_open_in(
    result: float, reason: CloseReason, adverse: float, favourable: float
) -> None:
    (found,) = market(one(0, 3, result, reason), candles()).excursions
    assert (found.symbol, found.signal_id) == ("A", "a-0")
    assert (found.adverse, found.favourable) == pytest.approx((adverse, favourable))


def test_a_short_is_the_mirror() -> None:
    told = one(0, 3, -5.0, "time_expired", "short")
    (found,) = market(told, candles()).excursions
    assert (found.adverse, found.favourable) == pytest.approx((-20, 20))
    (found,) = market(one(0, 2, -4.0, "take_profit", "short"), candles()).excursions
    assert (found.adverse, found.favourable) == pytest.approx((-3, 4))


def test_a_signal_that_one_candle_filled_and_closed_counts_with_its_ends() -> None:
    (found,) = market(one(2, 2, -10.0, "stop_loss"), candles()).excursions
    assert (found.adverse, found.favourable) == pytest.approx((-10, 0))


@pytest.mark.parametrize(("opened", "closed"), [(2, 6), (-3, 2), (10, 12)])
def test_a_signal_whose_candles_are_not_all_there_has_none(opened: int, closed: int) -> None:
    assert market(one(opened, closed, 1.0, "take_profit"), candles()).excursions == ()


def test_a_stream_without_candles_is_left_out() -> None:
    a, b = Story("A"), Story("B")
    for story in (a, b):
        story.trade(0, 2, 1.0)
    found = with_market(report("w", [*a.events, *b.events]), {a.stream: candles()}).market
    assert found is not None
    assert [each.symbol for each in found.excursions] == ["A"]
    assert [each.symbol for each in found.stretches] == ["A"]
    assert with_market(report("w", a.events), {}).market == Market(stretches=(), excursions=())


def test_the_price_is_told_around_the_signals_in_points_that_hold_every_extreme() -> None:
    minutes = 3_000
    walk = [(100.0, 101.0 + n % 5, 99.0 - n % 4, 100.0 + n % 3) for n in range(minutes)]
    (found,) = market(one(100, 2_900, 1.0, "take_profit"), candles(walk)).stretches
    assert (found.first_at, found.last_at) == (at(100), at(100))
    assert len(found.points) <= POINTS_A_STRETCH
    assert found.points[0].at < at(100) < at(2_900) < found.points[-1].at
    assert {(point.low, point.high) for point in found.points[:-1]} == {(96.0, 105.0)}
    step = (found.points[1].at - found.points[0].at) // 60_000
    assert [point.close for point in found.points[:5]] == [
        100.0 + (((point.at - START_AT) // 60_000 + step - 1) % 3) for point in found.points[:5]
    ]


@given(st.integers(1, 3 * SIGNALS_A_STRETCH + 1), st.booleans())
@settings(deadline=None)
def test_each_signal_stands_in_one_stretch(count: int, still: bool) -> None:
    story = Story()
    for number in range(count):
        story.trade(number * 4, number * 4 + 3, 1.0)
    if still:
        story.open(count * 4)
    told = report("w", story.events)
    stretches = market(told, candles([BARS[0]] * (count * 4 + 2))).stretches
    opened = [row.at for row in told.rows if row.action == "opened"]
    inside = [[moment for moment in opened if each.first_at <= moment <= each.last_at] for each in stretches]
    assert [moment for moments in inside for moment in moments] == opened
    assert max(map(len, inside)) <= SIGNALS_A_STRETCH
    assert max(map(len, inside)) - min(map(len, inside)) <= 1


def test_a_report_with_candles_reads_back_from_its_json() -> None:
    told = with_market(one(0, 3, 1.0, "take_profit"), {Story().stream: candles()})
    assert msgspec.json.decode(render_json(told), type=Report) == told
