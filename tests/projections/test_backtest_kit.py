"""The report in backtest-kit's shape: its columns, its lines, and its figures by their definitions."""

from __future__ import annotations

import math

import pytest

from tests.projections.sample import sample
from tests.projections.stories import DAY_MINUTES, Story, trades
from tests.projections.test_excursions import candles
from tests.projections.test_rendering import HOSTILE, cells
from tickfold_projections.excursions import with_market
from tickfold_projections.kit import KIT_DEFINITIONS, kit_figures
from tickfold_projections.notation import shown
from tickfold_projections.profit import Costs, profit_and_loss
from tickfold_projections.render_backtest_kit import BACKTEST_COLUMNS, render_backtest_kit
from tickfold_projections.report import COLUMNS, Report, report


def lines_of(told: Report) -> dict[str, str]:
    """The statistics, by their titles."""
    lines = (line for line in render_backtest_kit(told).splitlines() if line.startswith("**"))
    return dict(line.removeprefix("**").split(":** ") for line in lines)


def test_a_live_run_is_a_table_of_its_events_newest_first() -> None:
    story = Story("BTCUSDT")
    story.open(0, "short", note="why")
    story.close(30.5, 1.236, "take_profit")
    story.reject(40, "no")
    text = render_backtest_kit(report("w", story.events)).splitlines()
    assert text[:6] == [
        "# Live Trading Report: w",
        "",
        f"| {' | '.join(COLUMNS)} |",
        f"| {' | '.join(['---'] * 13)} |",
        (
            "| 2022-01-01T00:30:30.000Z | CLOSED | BTCUSDT | btcusdt-0 | SHORT | why | 101.23600000 | 100.00000000 "
            "| 90.00000000 | 110.00000000 | +1.24% | take_profit | 30.5 |"
        ),
        (
            "| 2022-01-01T00:00:00.000Z | OPENED | BTCUSDT | btcusdt-0 | SHORT | why | 100.00000000 | 100.00000000 "
            "| 90.00000000 | 110.00000000 | N/A | N/A | N/A |"
        ),
    ]
    assert text[6:9] == ["", "**Total events:** 2", "**Closed signals:** 1"]


def test_a_backtest_is_a_table_of_what_closed() -> None:
    text = render_backtest_kit(report("w", trades([-0.5]), kind="backtest")).splitlines()
    assert text[2:5] == [
        f"| {' | '.join(BACKTEST_COLUMNS)} |",
        f"| {' | '.join(['---'] * 13)} |",
        (
            "| a-0 | A | LONG | N/A | 100.00000000 | 99.50000000 | 110.00000000 | 90.00000000 | -0.50% | stop_loss "
            "| 30 | 2022-01-01T00:00:00.000Z | 2022-01-01T00:30:00.000Z |"
        ),
    ]


def test_its_figures_are_those_of_its_definitions() -> None:
    results = [2.0, 1.0, -1.0, 0.0, 3.0, -2.0, -1.0] * 3
    found = report("w", trades(results, every=DAY_MINUTES, held=360), kind="backtest")
    n, average = len(results), sum(results) / len(results)
    deviation = math.sqrt(sum((result - average) ** 2 for result in results) / (n - 1))
    days = 20.25
    equity, peak, fall = 1.0, 1.0, 0.0
    for result in results:
        equity *= 1 + result / 100
        peak = max(peak, equity)
        fall = max(fall, 1 - equity / peak)
    yearly = 100 * (equity ** (365 / days) - 1)
    wanted = {
        "closed": n,
        "win_rate": 50,
        "average": average,
        "total": sum(results),
        "deviation": deviation,
        "sharpe": average / deviation,
        "annual_sharpe": average / deviation * math.sqrt(n * 365 / days),
        "certainty": 2 / (4 / 3),
        "yearly": yearly,
        "sortino": average / math.sqrt(3 * (1 + 4 + 1) / n),
        "calmar": yearly / (100 * fall),
        "recovery": (equity - 1) / fall,
        "max_drawdown": 100 * fall,
        "expectancy": average,
        "median": 0,
        "minutes": 360,
        "win_minutes": 360,
        "loss_minutes": 360,
        # Rows of wins: 2 1 | 3 | 2 1 | 3 | 2 1 | 3, of losses: -1 | -2 -1 | …; a draw ends both.
        "win_run": 3,
        "loss_run": -2,
    }
    figures = kit_figures(found)
    assert {name: figures[name].value for name in wanted} == {
        name: pytest.approx(value) for name, value in wanted.items()
    }
    assert set(figures) | {"events"} == set(KIT_DEFINITIONS)
    said = lines_of(found)
    assert list(said) == [definition.title for definition in KIT_DEFINITIONS.values()]
    assert said["Win rate"] == "50.00% (9W / 9L)"
    assert said["Average PNL"] == "+0.29%"
    assert said["Avg Duration"] == "360.0 min"
    assert said["Avg Peak PNL"] == "N/A (it takes candles: give --exchange SOURCE)"


def test_with_candles_it_knows_how_far_signals_went_and_how_deep_the_equity_was_in_between() -> None:
    story = Story()
    story.open(0)
    price = 101.0
    story.close(2, profit_and_loss("long", 100.0, price, Costs()).percentage, "time_expired")
    told = report("w", story.events, kind="backtest")
    # The bars reach 104 and 98; the exit on record is the story's.
    row = told.rows[1]
    assert row.price is not None
    assert row.percentage is not None
    cost = 100 * (row.price / 100 - 1) - row.percentage
    figures = kit_figures(with_market(told, {story.stream: candles()}))
    assert figures["peak"].value == pytest.approx(4 - cost)
    assert figures["fall"].value == pytest.approx(-2 - cost)
    assert figures["max_drawdown"].value == pytest.approx(2 + cost)
    assert kit_figures(told)["max_drawdown"].value == 0


def test_what_it_cannot_know_says_why() -> None:
    said = lines_of(report("w", trades([1.0, 2.0])))
    assert said["Sharpe Ratio"] == "N/A (2 of 10 closed signals)"
    assert said["Avg Loss Duration"] == said["Avg Consecutive Loss PNL"] == "N/A (no signal lost)"
    said = lines_of(report("w", trades([1.0, -1.0] * 10)))
    assert said["Calmar Ratio"] == "N/A (0.8 of 14 days)"
    assert render_backtest_kit(report("w", [])) == "# Live Trading Report: w\n\nNo events.\n"
    assert render_backtest_kit(report("w", [], kind="backtest")) == "# Backtest Report: w\n\nNo closed signals.\n"


@pytest.mark.parametrize("text", HOSTILE)
def test_text_from_outside_is_seen_as_it_is_and_is_no_markup(text: str) -> None:
    story = Story("A")
    story.open(0, note=text)
    seen = cells(render_backtest_kit(report("w", story.events)))
    row = seen[seen.index(COLUMNS[0]) + len(COLUMNS) :][: len(COLUMNS)]
    assert row[4:7] == ["LONG", shown(text).strip() if text else "N/A", "100.00000000"]


def test_the_same_report_gives_the_same_bytes() -> None:
    assert render_backtest_kit(sample()) == render_backtest_kit(sample())
