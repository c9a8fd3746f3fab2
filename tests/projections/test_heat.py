"""Heat: each symbol's line is what its statistics alone would say."""

from __future__ import annotations

import csv
import io
import json

from tests.projections.sample import stories
from tests.projections.stories import Story, at, in_order, trades
from tickfold_eventstore.events import Event
from tickfold_projections.figures import Figure
from tickfold_projections.heat import COLUMNS, Heat, heat, heat_of
from tickfold_projections.render_table import render_table_csv, render_table_json, render_table_markdown
from tickfold_projections.report import report
from tickfold_projections.statistics import statistics
from tickfold_projections.table import heat_table
from tickfold_projections.told import trades_of

A = trades([1.0, -2.0, 3.0] * 4, symbol="A", every=2_000)
B = trades([-0.5, 0.25], symbol="B", first=500)
BOTH = in_order(B, A)


def figures_of(told: object) -> dict[str, Figure]:
    return {name: getattr(told, name) for name in COLUMNS}


def test_each_line_is_the_statistics_of_its_stream_and_the_last_those_of_all() -> None:
    told = heat("w", BOTH)
    assert [(line.exchange, line.symbol) for line in told.symbols] == [("sim-1", "A"), ("sim-1", "B")]
    assert [figures_of(line) for line in told.symbols] == [figures_of(statistics(A)), figures_of(statistics(B))]
    assert told.together == figures_of(statistics(BOTH))
    assert told.symbols[1].profit_factor == Figure(None, "2 of 10 closed signals")


def test_a_range_tells_what_closed_in_it() -> None:
    start, end = at(1_000), at(6_030)
    told = heat("w", BOTH, start=start, end=end)
    assert figures_of(told.symbols[0]) == figures_of(statistics(A, start=start, end=end))
    assert [line.closed for line in told.symbols] == [Figure(2.0)]
    assert [line.closed for line in heat("w", BOTH, end=at(530)).symbols] == [Figure(1.0)]


def test_the_rows_of_a_report_have_the_heat_of_the_events() -> None:
    first, second = stories()
    events = [*first.events, *second.events]
    told = report("w", events)
    assert heat_of("w", trades_of(told), told.statistics) == heat("w", events)


def test_a_stream_without_closed_signals_has_no_line() -> None:
    waiting = Story("C")
    waiting.schedule(0)
    assert heat("w", waiting.events).symbols == ()
    assert render_table_markdown(heat_table(heat("w", waiting.events))) == "# Heat: w\n\nNo closed signals.\n"


def test_it_is_written_as_markdown_with_what_each_column_means() -> None:
    lines = render_table_markdown(heat_table(heat("a|b #", BOTH))).splitlines()
    assert lines[0] == r"# Heat: a\|b \#"
    assert lines[2].startswith("| Symbol | Closed signals | Win rate | Average PNL | Total PNL |")
    assert lines[4].startswith("| A | 12 | 66.67 % | +0.6667 % | +8.0000 % | +3.0000 % | -2.0000 % | 2.0000 |")
    assert lines[5].startswith(
        "| B | 2 | 50.00 % | -0.1250 % | -0.2500 % | +0.2500 % | -0.5000 % | N/A (2 of 10 closed signals) |"
    )
    assert lines[6].startswith("| All | 14 | 64.29 % | +0.5536 % | +7.7500 % |")
    assert lines[8:11] == ["## Definitions", "", "| Statistic | Definition |"]
    assert len(lines) == 12 + len(COLUMNS)


def test_it_is_written_as_json_and_csv_in_full() -> None:
    told = heat("w", BOTH)
    document = json.loads(render_table_json(told))
    assert document["symbols"][1]["profit_factor"] == {"value": None, "reason": "2 of 10 closed signals"}
    assert document["together"]["total_pnl"] == {"value": 7.75}
    lines = list(csv.reader(io.StringIO(render_table_csv(heat_table(told)), newline="")))
    assert [line[0] for line in lines] == ["Symbol", "A", "B", "All"]
    assert lines[2][1:8] == ["2", "50", "-0.125", "-0.25", "0.25", "-0.5", ""]


def test_a_symbol_at_two_exchanges_is_told_with_its_exchange() -> None:
    told: Heat = heat("w", [*trades([1.0]), *other_place()])
    assert [name for name, _ in heat_table(told).lines] == ["other/A", "sim-1/A"]


def other_place() -> list[Event]:
    story = Story("A", exchange="other")
    story.trade(0, 1, 2.0)
    return [*story.events]
