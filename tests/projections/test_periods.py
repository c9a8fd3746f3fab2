"""Months, weekdays and holding times: whole calendars, and each closed signal in one line of each."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.projections.reading_html import Page
from tests.projections.stories import DAY_MINUTES, Story, trades
from tickfold_projections.figures import Figure
from tickfold_projections.periods import (
    BANDS,
    BINS,
    WEEKDAYS,
    Bin,
    Month,
    Share,
    by_holding_time,
    by_hour,
    by_month,
    by_weekday,
    holding_bins,
)
from tickfold_projections.render_html_times import holding, hours
from tickfold_projections.report import Report, report
from tickfold_projections.told import curve_of, trades_of
from tickfold_projections.trades import Trade


def months(told: Report) -> list[Month]:
    return by_month(curve_of(told), trades_of(told))


def test_months_multiply_to_the_compounded_return_and_an_empty_one_changed_nothing() -> None:
    story = Story()
    story.trade(20 * DAY_MINUTES, 30 * DAY_MINUTES, 10.0)
    story.trade(30 * DAY_MINUTES + 1, 32 * DAY_MINUTES, -50.0)
    story.trade(95 * DAY_MINUTES, 96 * DAY_MINUTES, 0.0)
    told = months(report("w", story.events))
    assert [(month.name, month.closed, month.wins, month.total.value) for month in told] == [
        ("2022-01", 1, 1, 10.0),
        ("2022-02", 1, 0, -50.0),
        ("2022-03", 0, 0, 0.0),
        ("2022-04", 1, 0, 0.0),
    ]
    assert [month.change.value for month in told] == pytest.approx([10.0, -50.0, 0.0, 0.0])


def test_the_first_month_is_that_of_the_first_opening() -> None:
    story = Story()
    story.trade(30 * DAY_MINUTES, 32 * DAY_MINUTES, 1.0)
    assert [(month.name, month.closed) for month in months(report("w", story.events))] == [
        ("2022-01", 0),
        ("2022-02", 1),
    ]


def test_what_is_nothing_cannot_change() -> None:
    story = Story()
    story.trade(0, 10, -100.0)
    story.trade(40 * DAY_MINUTES, 41 * DAY_MINUTES, 5.0)
    assert [month.change for month in months(report("w", story.events))] == [
        Figure(-100.0),
        Figure(None, "the equity was nothing before"),
    ]


def test_nothing_closed_has_no_month() -> None:
    assert months(report("w", [])) == []


@given(st.lists(st.tuples(st.integers(0, 300_000), st.integers(0, 2_000), st.sampled_from([-2.0, 0.0, 1.5]))))
@settings(deadline=None)
def test_each_closed_signal_stands_in_one_line_of_each(gaps: list[tuple[int, int, float]]) -> None:
    story, minute = Story(), 0
    for gap, held, result in gaps:
        story.trade(minute + gap, minute + gap + held, result)
        minute += gap + held
    told = report("w", story.events)
    closed = trades_of(told)
    for lines in (by_weekday(closed), by_holding_time(closed), months(told)):
        assert sum(line.closed for line in lines) == len(gaps)
        assert sum(line.wins for line in lines) == told.statistics.wins
        assert math.isclose(math.fsum(line.total.value or 0 for line in lines), told.statistics.total_pnl.value or 0)
    growth = math.prod(1 + (month.change.value or 0) / 100 for month in months(told))
    assert math.isclose(growth, curve_of(told)[-1].equity)


def test_days_are_those_of_the_calendar() -> None:
    told = trades_of(report("w", trades([1.0] * 9, every=DAY_MINUTES, held=60)))
    expected = [datetime.fromtimestamp(trade.closed_at / 1000, UTC).strftime("%A") for trade in told]
    counted = {line.name: line.closed for line in by_weekday(told)}
    assert counted == {day: expected.count(day) for day in WEEKDAYS}
    assert counted["Saturday"] == 2  # 2022-01-01 was one


def test_a_band_begins_where_the_one_before_it_ends() -> None:
    story = Story()
    for number, minutes in enumerate((0, 14, 15, 59, 60, 239, 240, 719, 720, 1440)):
        story.trade(number * 2_000, number * 2_000 + minutes, 1.0)
    told = by_holding_time(trades_of(report("w", story.events)))
    assert told == [Share(name, 2, 2, Figure(2.0)) for name, _ in BANDS]


def test_a_signal_stands_at_the_hour_of_its_opening() -> None:
    story = Story()  # 2022-01-01 was a Saturday
    story.trade(5 * 60 + 59, 7 * 60, 1.0)
    story.trade(2 * DAY_MINUTES, 2 * DAY_MINUTES + 1, -2.0)
    story.trade(9 * DAY_MINUTES + 30, 9 * DAY_MINUTES + 31, 0.5)
    told = by_hour(trades_of(report("w", story.events)))
    assert [(len(line), line[0].name) for line in told] == [(24, f"{name} 00:00") for name in WEEKDAYS]
    assert [share for line in told for share in line if share.closed] == [
        Share("Monday 00:00", 2, 1, Figure(-1.5)),
        Share("Saturday 05:00", 1, 1, Figure(1.0)),
    ]


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**5)), max_size=30))
@settings(deadline=None)
def test_each_signal_stands_in_one_hour_and_in_one_bin(happened: list[tuple[int, int]]) -> None:
    story, minute = Story(), 0
    for gap, held in happened:
        story.trade(minute + gap, minute + gap + held, 1.0)
        minute += gap + held
    told = trades_of(report("w", story.events))
    for trade, share in zip(told, sorted_by_opening(told), strict=True):
        opened = datetime.fromtimestamp(trade.opened_at / 1000, UTC)
        assert share.name == f"{opened:%A %H}:00"
    bins = holding_bins(told)
    assert sum(each.closed for each in bins) == len(told)
    assert len(bins) <= BINS
    assert [each.begin for each in bins[1:]] == [each.end for each in bins[:-1]]
    for each in bins:
        assert each.closed == sum(each.begin <= trade.minutes < each.end for trade in told)


def sorted_by_opening(told: list[Trade]) -> list[Share]:
    """The hour in which each trade alone stands."""
    return [next(share for line in by_hour([trade]) for share in line if share.closed) for trade in told]


def test_bins_are_as_narrow_as_they_may_be() -> None:
    story = Story()
    for number, (held, result) in enumerate([(0, 1.0), (14, -1.0), (30, 0.0), (31, 2.0), (46, 1.0)]):
        story.trade(number * 60, number * 60 + held, result)
    told = holding_bins(trades_of(report("w", story.events)))
    assert [each.end - each.begin for each in told] == [2] * 24
    assert [each for each in told if each.closed] == [
        Bin(0, 2, 1, 0, 0),
        Bin(14, 16, 0, 1, 0),
        Bin(30, 32, 1, 0, 1),
        Bin(46, 48, 1, 0, 0),
    ]
    assert holding_bins([]) == []


def test_hours_and_holding_times_are_told_in_the_page() -> None:
    story = Story()
    story.trade(60, 90, 1.25)
    story.trade(120, 125, -0.5)
    told = trades_of(report("w", story.events))
    (_, *lines) = Page(hours(told)).rows("hours")
    assert lines[5] == ["Sat", "", "+1.2", "-0.5", *[""] * 21, "+0.8"]
    assert lines[0] == ["Mon", *[""] * 24, "–"]
    said = Page(holding(told))
    assert said.named("desc")[0].text == (
        "Closed signals by the time from opening to closing, in steps of 2 min; the dark part won. "
        "Most, 1 of 2, were held for 4 min to 6 min."
    )
    assert [each.text for each in said.named("title")[1:] if "0 won, 0 lost" not in each.text] == [
        "4 min to 6 min: 0 won, 1 lost, 0 draws",
        "30 min to 32 min: 1 won, 0 lost, 0 draws",
    ]
