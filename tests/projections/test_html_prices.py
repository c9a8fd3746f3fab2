"""The price with its signals: each drawn once, where and when it was, and said in words."""

from __future__ import annotations

import csv
import io
import re

import pytest

from tests.projections.reading_html import Page
from tests.projections.stories import Story, at
from tests.projections.test_excursions import candles
from tickfold_projections.excursion_figures import EXCURSION_DEFINITIONS, excursion_figures, reaches
from tickfold_projections.excursions import SIGNALS_A_STRETCH, with_market
from tickfold_projections.figures import Figure
from tickfold_projections.render_csv import render_csv
from tickfold_projections.render_html_excursions import MARKS, excursions
from tickfold_projections.render_html_prices import prices
from tickfold_projections.report import Report, report

HOUR = [(100.0, 104.0, 97.0, 101.0)] * 60


def two() -> Report:
    story = Story()
    story.open(10)
    story.close(20, 3.0, "take_profit")
    story.open(30, "short")
    story.close(45, -2.0, "stop_loss")
    story.open(50)
    return with_market(report("w", story.events), {story.stream: candles(HOUR)})


def test_each_signal_is_drawn_and_said_once() -> None:
    page = Page(prices(two()))
    assert [each.text for each in page.named("title")][1:] == [
        "long, opened 2022-01-01 00:10 at 100, target 110, stop 90; take_profit 2022-01-01 00:20 at 103, +3.0000 %",
        "short, opened 2022-01-01 00:30 at 100, target 90, stop 110; stop_loss 2022-01-01 00:45 at 98, -2.0000 %",
        "long, opened 2022-01-01 00:50 at 100, target 110, stop 90; still open",
    ]
    assert len(page.named("rect", "target")) == len(page.named("rect", "stop")) == 3 + 1  # and one in the key
    (said,) = page.named("desc")
    assert said.text.startswith("From 101 to 101, lowest 97, highest 104; of 3 signals 1 won and 1 lost, 1 still open.")


def test_a_signal_stands_where_and_when_it_was() -> None:
    told = two()
    assert told.market is not None
    (stretch,) = told.market.stretches
    first, last = stretch.points[0].at, stretch.points[-1].at + 60_000
    page = Page(prices(told))
    way = page.named("line", "way")[0].attributes
    assert way["x1"] == f"{100 * (at(10) - first) / (last - first):.2f}%"
    assert way["x2"] == f"{100 * (at(20) - first) / (last - first):.2f}%"
    rows = {each.text: float(each.attributes["y"]) + 4 for each in page.named("text") if "y" in each.attributes}
    # Levels are a straight scale: 103 lies three fifths of the way from 100 to 105.
    assert float(way["y1"]) == pytest.approx(rows["100"], abs=0.2)
    assert float(way["y2"]) == pytest.approx(rows["100"] + 0.6 * (rows["105"] - rows["100"]), abs=0.2)


def test_levels_far_from_the_price_do_not_flatten_it() -> None:
    story = Story()
    story.open(10)
    story.close(20, 0.1, "take_profit")
    told = with_market(report("w", story.events), {story.stream: candles([(100.0, 100.2, 99.9, 100.1)] * 60)})
    named = [float(each.text) for each in Page(prices(told)).named("text") if re.fullmatch(r"[\d.]+", each.text)]
    assert min(named) > 99
    assert max(named) < 101


def test_many_signals_are_folded_and_the_last_stand_open() -> None:
    story = Story()
    for number in range(4 * SIGNALS_A_STRETCH):
        story.trade(number * 4, number * 4 + 3, 1.0)
    told = with_market(report("w", story.events), {story.stream: candles(HOUR * 12)})
    page = Page(prices(told))
    folded = [each.text for each in page.named("summary")]
    assert [each.rpartition(": ")[2] for each in folded] == [f"{SIGNALS_A_STRETCH} signals"] * 3
    assert ["details" in each.path for each in page.named("figure")] == [True] * 3 + [False]
    assert len(page.named("line", "way")) == 4 * SIGNALS_A_STRETCH


def test_symbols_are_folded_one_by_one() -> None:
    a, b = Story("A"), Story("B")
    for story in (a, b):
        story.trade(5, 10, 1.0)
    told = report("w", [*a.events, *b.events])
    page = Page(prices(with_market(told, {a.stream: candles(HOUR), b.stream: candles(HOUR)})))
    assert [(each.text, each.path[-1]) for each in page.named("summary")] == [("A", "details"), ("B", "details")]
    assert ["open" in each.attributes for each in page.named("details")] == [True, False]


def test_without_candles_it_says_how_to_have_them() -> None:
    story = Story()
    story.trade(0, 5, 1.0)
    assert "--exchange SOURCE" in prices(report("w", story.events))
    assert "its candles are not there" in prices(with_market(report("w", story.events), {}))


def seen() -> Report:
    """Two wins and two losses over minutes whose ways are known."""
    story, bars = Story(), [(100.0, 100.0, 100.0, 100.0)] * 60
    for minute, high, low in ((5, 103.0, 99.0), (15, 102.0, 98.0), (25, 101.0, 96.0), (35, 100.1, 97.0)):
        bars[minute] = (100.0, high, low, 100.0)
    for minute, moved in ((0, 2.0), (10, 1.0), (20, -3.0), (30, -2.0)):
        story.open(minute)
        story.close(minute + 9, moved, "time_expired")
    return with_market(report("w", story.events), {story.stream: candles(bars)})


def test_excursions_add_up() -> None:
    assert [(each.adverse, each.favourable) for each in reaches(seen())] == [
        pytest.approx((low, high)) for low, high in ((-1, 3), (-2, 2), (-4, 1), (-3, 0.1))
    ]
    wanted = {
        "seen": 4,
        "adverse": -2.5,
        "favourable": 6.1 / 4,
        "adverse_of_wins": -1.5,
        "favourable_of_losses": 0.55,
        "edge": 6.1 / 10,
        "captured": 60,
        # The story takes no costs, so that any profit was one.
        "turned": 100,
    }
    figures = excursion_figures(seen())
    assert {name: figure.value for name, figure in figures.items()} == {
        name: pytest.approx(value) for name, value in wanted.items()
    }
    assert list(figures) == list(EXCURSION_DEFINITIONS)


def test_csv_has_them_in_full_beside_what_closed() -> None:
    table = list(csv.DictReader(io.StringIO(render_csv(seen()), newline="")))
    first, *_ = reaches(seen())
    assert [(row["Action"], row["MAE"], row["MFE"]) for row in table[:3]] == [
        ("opened", "", ""),
        ("closed", repr(first.adverse), repr(first.favourable)),
        ("opened", "", ""),
    ]


def test_what_excursions_cannot_say_has_its_reason() -> None:
    story = Story()
    story.trade(0, 5, 1.0)
    told = with_market(report("w", story.events), {story.stream: candles(HOUR)})
    assert excursion_figures(told)["turned"] == Figure(None, "no signal lost")
    assert excursion_figures(with_market(report("w", story.events), {}))["edge"] == Figure(
        None, "no signal with candles closed"
    )


def test_each_signal_is_a_mark_in_either_drawing() -> None:
    page = Page(excursions(seen()))
    kinds = [each.attributes["class"] for each in page.named("circle")]
    assert kinds == ["dot won", "dot won", "dot lost", "dot lost"] * 2
    assert page.named("title")[1].text == "A, closed 2022-01-01 00:09: -1.00 %, result +2.0000 %"


def test_of_very_many_signals_the_drawing_shows_how_many_lie_where() -> None:
    story = Story()
    for number in range(MARKS + 1):
        story.trade(number * 2, number * 2 + 1, 1.0 if number % 3 else -1.0)
    told = with_market(report("w", story.events), {story.stream: candles(HOUR * (MARKS // 30 + 1))})
    page = Page(excursions(told))
    assert page.named("circle") == []
    counts = [int(each.text) for each in page.named("title") if each.text.isdigit()]
    assert sum(counts) == 2 * (MARKS + 1)
