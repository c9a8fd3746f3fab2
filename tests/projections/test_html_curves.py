"""The drawings: true points, no peak or trough lost, whatever the number of points."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.projections.reading_html import Page
from tests.projections.stories import DAY_MINUTES, START_AT, Story, at, trades
from tickfold_projections.equity import Point, account_curves, deepest_drawdown
from tickfold_projections.render_html import render_html
from tickfold_projections.render_html_curves import LINES, accounts, curves, depths, growths, thinned
from tickfold_projections.render_html_drawing import COLUMNS, Scale, ticks
from tickfold_projections.report import Report, report
from tickfold_projections.told import curve_of, trades_of

results = st.lists(st.floats(-30, 30).map(lambda result: round(result, 4)), min_size=1, max_size=60)


def drawn(page: str, kind: str) -> list[tuple[int, float]]:
    """The corners of a curve: columns and rows of a thousand."""
    (figure,) = re.findall(rf'<figure class="{kind}">.*?</figure>', page, re.DOTALL)
    (path,) = re.findall(r'<path class="curve" d="M0 (.*?)"/>', figure)
    begin, *steps = re.findall(r"[HV]?[-\d.]+", path)
    corners, x = [(0, float(begin))], 0
    for step in steps:
        if step[0] == "H":
            x = int(step[1:])
        else:
            corners.append((x, float(step[1:])))
    return corners


def told(results: list[float], every: float = 700) -> Report:
    return report("w", trades(results, every=every))


@given(results)
@settings(max_examples=60, deadline=None)
def test_the_curve_goes_through_every_point_where_there_is_room(given_results: list[float]) -> None:
    curve = curve_of(told(given_results, every=10_000))
    page = curves(curve)
    corners = drawn(page, "linear")
    values = [100 * (point.equity - 1) for point in curve]
    assert len(corners) == len(curve)
    span = curve[-1].at - curve[0].at
    assert [x for x, _ in corners] == [round(COLUMNS * (point.at - curve[0].at) / span) for point in curve]
    # One scale for all of them: rows are a straight function of values, to the rounding of a tenth.
    low, high = min(values), max(values)
    if high - low > 1e-6:
        by_value = {value: y for value, (_, y) in zip(values, corners, strict=True)}
        rows = (by_value[low] - by_value[high]) / (high - low)
        for value, (_, y) in zip(values, corners, strict=True):
            assert math.isclose(y, by_value[high] + (high - value) * rows, abs_tol=0.25)


def test_of_many_points_the_highest_and_the_lowest_are_drawn() -> None:
    spiky = [0.1, -0.1] * 5_000
    spiky[3_333], spiky[3_334] = 40.0, -40.0
    spiky[7_001], spiky[7_002] = -45.0, 70.0
    curve = curve_of(told(spiky, every=60))
    page = curves(curve)
    corners = drawn(page, "linear")
    assert len(corners) < 4 * (COLUMNS + 1)
    top, bottom = max(point.equity for point in curve), min(point.equity for point in curve)
    highest, lowest = min(y for _, y in corners), max(y for _, y in corners)
    share = (corners[0][1] - highest) / (lowest - highest)
    assert math.isclose(share, (top - 1) / (top - bottom), abs_tol=1e-3)
    assert len(page) < 180_000
    assert re.search(rf"highest \+{100 * (top - 1):.2f} % at 2022-", page)
    assert f"lowest {100 * (bottom - 1):+.2f} % at 2022-" in page


@given(st.lists(st.tuples(st.integers(0, 3_000), st.integers(-5, 5)), min_size=2, max_size=400))
@settings(deadline=None)
def test_thinning_keeps_first_last_lowest_and_highest_of_each_column_in_order(pairs: list[tuple[int, int]]) -> None:
    points = [Point(at, float(value)) for at, value in sorted(pairs, key=lambda pair: pair[0])]
    scale = Scale(0, 3_000, -5, 5)
    kept = list(thinned(points, scale))
    columns: dict[int, list[Point]] = {}
    for point in points:
        columns.setdefault(round(scale.x(point.at)), []).append(point)
    for column, inside in columns.items():
        left = [point for point in kept if round(scale.x(point.at)) == column]
        assert len(left) <= 4
        assert (left[0], left[-1]) == (inside[0], inside[-1])
        values = [point.equity for point in inside]
        assert {max(values), min(values)} <= {point.equity for point in left}
    assert [point.at for point in kept] == sorted(point.at for point in kept)


@given(results)
@settings(deadline=None)
def test_the_drawdown_is_that_of_the_statistics(given_results: list[float]) -> None:
    made = told(given_results)
    deepest = -min(point.equity for point in depths(curve_of(made)))
    assert math.isclose(deepest, made.statistics.max_drawdown.value or 0, abs_tol=1e-6)


def test_the_curve_begins_with_the_first_opening_that_is_told_or_whose_end_is() -> None:
    first, other = Story("A"), Story("B")
    first.trade(10, 100, 1.0)
    other.open(5)
    events = [*first.events, *other.events]
    assert [point.at for point in curve_of(report("w", events))] == [at(5), at(100)]
    assert [point.at for point in curve_of(report("w", events, start=at(50)))] == [at(10), at(100)]
    assert [point.at for point in curve_of(report("w", first.events))] == [at(10), at(100)]


def test_the_deepest_fall_is_marked_and_told() -> None:
    story = Story()
    story.trade(0, 10, 10.0)
    story.trade(DAY_MINUTES, DAY_MINUTES + 10, -20.0)
    story.trade(2 * DAY_MINUTES, 2 * DAY_MINUTES + 10, 30.0)
    story.trade(4 * DAY_MINUTES, 4 * DAY_MINUTES + 20, 1.0)
    page = render_html(report("w", story.events))
    said = [each.text for each in Page(page).named("desc")]
    whole = (
        "Change of the equity: +15.54 % at 2022-01-05 00:20, highest +15.54 % at 2022-01-05 00:20, "
        "lowest -12.00 % at 2022-01-02 00:10."
    )
    fall = (
        "Deepest fall 20.00 %, from the peak at 2022-01-01 00:10 to the trough at 2022-01-02 00:10; "
        "made good at 2022-01-03 00:10."
    )
    assert said[:3] == [whole, whole, fall]
    (band, *_) = Page(page).named("rect", "band")
    span = 4 * DAY_MINUTES + 20
    assert band.attributes["x"] == f"{100 * 10 / span:.2f}%"
    assert band.attributes["width"] == f"{100 * 2 * DAY_MINUTES / span:.2f}%"
    (mark, *_) = Page(page).named("circle", "mark")
    assert mark.attributes["cx"] == f"{100 * (DAY_MINUTES + 10) / span:.2f}%"


def test_a_fall_that_is_still_open_is_told_as_one() -> None:
    assert "; not made good yet." in curves(curve_of(told([1.0, -2.0, 0.5])))
    assert "The equity never fell." in curves(curve_of(told([1.0, 2.0])))
    assert deepest_drawdown(curve_of(told([1.0, 2.0]))) is None


def test_days_stand_under_their_midnights() -> None:
    page = Page(curves(curve_of(told([1.0] * 9, every=DAY_MINUTES))))
    days = [each for each in page.named("text") if each.attributes["y"] == "288"][:5]
    assert [each.text for each in days] == ["2022-01-01", "2022-01-03", "2022-01-05", "2022-01-07", "2022-01-09"]
    span = 8 * DAY_MINUTES + 30
    assert [each.attributes["x"] for each in days] == [f"{100 * n * DAY_MINUTES / span:.2f}%" for n in (0, 2, 4, 6, 8)]
    assert days[0].attributes["text-anchor"] == "start"
    assert days[-1].attributes["text-anchor"] == "end"


def test_within_a_day_the_first_and_the_last_minute_are_told() -> None:
    story = Story()
    story.trade(70, 130, 1.0)
    page = Page(curves(curve_of(report("w", story.events))))
    days = [each.text for each in page.named("text") if each.attributes["y"] == "288"]
    assert days == ["2022-01-01 01:10", "2022-01-01 02:10"] * 2  # linear and logarithmic


@given(st.floats(-1e6, 0), st.floats(1e-6, 1e6))
@settings(deadline=None)
def test_levels_are_few_and_round_and_inside(low: float, high: float) -> None:
    levels = ticks(low, high)
    assert 1 <= len(levels) <= 5
    assert 0 in levels
    assert all(low * (1 + 1e-9) <= level <= high * (1 + 1e-9) for level in levels)
    assert len({f"{level:.10g}" for level in levels}) == len(levels)
    assert all(len(f"{level:+.10g}".strip("+-0").replace(".", "")) <= 9 for level in levels)


@pytest.mark.parametrize(
    ("curve", "said"),
    [
        ([Point(START_AT, 1.0)], "No curve: no signal closed."),
        (
            [Point(START_AT, 1.0), Point(START_AT, 1.1)],
            "No curve: no time passed from the first opening to the last closing.",
        ),
        ([Point(START_AT, 1.0), Point(START_AT + 1, math.inf)], "No curve: the equity is too large to be drawn."),
    ],
)
def test_why_there_is_no_curve(curve: list[Point], said: str) -> None:
    assert curves(curve) == f"<p>{said}</p>\n"


@given(results)
@settings(deadline=None)
def test_on_the_logarithmic_scale_equal_shares_are_equally_high(given_results: list[float]) -> None:
    curve = curve_of(told(given_results, every=10_000))
    corners = drawn(curves(curve), "logarithmic")
    values = [math.log(point.equity) for point in curve]
    low, high = min(values), max(values)
    if high - low > 1e-6:
        top, bottom = min(y for _, y in corners), max(y for _, y in corners)
        for value, (_, y) in zip(values, corners, strict=True):
            assert math.isclose(y, top + (high - value) * (bottom - top) / (high - low), abs_tol=0.25)


@pytest.mark.parametrize(
    ("low", "high", "levels"),
    [
        (0.91, 1.1, [0.95, 1.0, 1.05, 1.1]),
        (0.5, 2.0, [0.5, 1.0, 1.5, 2.0]),
        (0.03, 1.0, [0.05, 0.1, 0.2, 0.5, 1.0]),
        (1.0, 60.0, [1.0, 2.0, 5.0, 10.0, 20.0, 50.0]),
    ],
)
def test_levels_of_the_logarithmic_scale_are_round(low: float, high: float, levels: list[float]) -> None:
    assert growths(low, high) == pytest.approx(levels)


def test_which_scale_is_seen_is_chosen_without_a_script() -> None:
    page = render_html(told([1.0, -2.0]))
    assert [each.attributes["id"] for each in Page(page).named("input")][:2] == ["scale-linear", "scale-logarithmic"]
    assert re.search(r'<section id="curves".*id="scale-logarithmic".*<figure class="logarithmic">', page, re.DOTALL)
    assert "#curves:has(#scale-logarithmic:checked) .logarithmic{display:block}" in page


def test_an_equity_that_reaches_nothing_is_drawn_to_the_end() -> None:
    page = curves(curve_of(told([-100.0, 5.0])))
    assert "Deepest fall 100.00 %" in page
    assert "logarithmic" not in page
    assert "logarithmic" not in curves(curve_of(told([-99.9999999] * 3)))
    assert len(drawn(page, "sunk")) == 3


def test_each_symbol_is_a_line_beside_what_they_make_together() -> None:
    a, b = trades([10.0, 10.0], symbol="A"), trades([-20.0], symbol="B", first=10)
    found = report("w", [*a, *b])
    apart = account_curves(trades_of(found), at(0))
    page = accounts(curve_of(found), [(stream.symbol, curve) for stream, curve in apart.items()])
    assert [curve[-1].equity for curve in apart.values()] == [pytest.approx(1.21), pytest.approx(0.8)]
    assert re.findall(r"</svg>(\w) ([-+.\d]+ %)</li>", page) == [("A", "+21.00 %"), ("B", "-20.00 %")]
    assert len(re.findall(r'<path class="curve line\d"', page)) == 2
    assert page.count('<path class="curve whole"') == 1


def test_of_many_symbols_those_are_drawn_that_ended_furthest_from_their_start() -> None:
    events = [each for n in range(LINES + 3) for each in trades([float(n)], symbol=f"S{n:02}", first=n)]
    found = report("w", events)
    apart = [(stream.symbol, curve) for stream, curve in account_curves(trades_of(found), at(0)).items()]
    page = accounts(curve_of(found), apart)
    assert re.findall(r"</svg>(S\d\d) ", page) == [f"S{n:02}" for n in range(3, LINES + 3)]
    assert f"Drawn are the {LINES} of {LINES + 3}" in page


def test_which_scale_is_seen_first_is_chosen_by_who_makes_the_page() -> None:
    for log in (False, True):
        inputs = Page(render_html(told([1.0, -2.0]), log=log)).named("input")
        assert ["checked" in each.attributes for each in inputs[:2]] == [not log, log]
