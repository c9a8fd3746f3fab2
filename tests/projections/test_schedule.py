"""Schedule: every limit entry ends once, filled or cancelled for a reason, or it still waits."""

from __future__ import annotations

import csv
import io
import json

import msgspec
import pytest

from tests.projections.stories import Story, at, in_order
from tickfold_eventstore.events import Cancelled, CancelReason
from tickfold_projections.figures import Figure
from tickfold_projections.render_table import render_table_csv, render_table_json, render_table_markdown
from tickfold_projections.schedule import DEFINITIONS, Entries, Schedule, schedule
from tickfold_projections.table import schedule_table


def cancel(story: Story, minute: float, reason: CancelReason) -> None:
    story.cancel(minute)
    last = story.events[-1]
    assert isinstance(last, Cancelled)
    story.events[-1] = msgspec.structs.replace(last, reason=reason)


def story_of_a() -> Story:
    """Filled after 10, 20 and 60 minutes, cancelled for each reason, a market signal between, and one that waits."""
    story = Story("A")
    for begin, waited in ((0, 10), (100, 20), (200, 60)):
        story.schedule(begin)
        story.open(begin + waited)
        story.close(begin + waited + 5, 1.0)
    story.trade(300, 310, 1.0)
    for begin, waited, reason in REASONS:
        story.schedule(begin)
        cancel(story, begin + waited, reason)
    story.schedule(900)
    return story


REASONS: list[tuple[int, int, CancelReason]] = [
    (400, 120, "timeout"),
    (600, 1, "price_rejected"),
    (700, 2, "stopped"),
    (800, 5, "user"),
    (810, 8, "user"),
]


def line(told: Schedule, place: int = 0) -> dict[str, float | None]:
    return {name: getattr(told.symbols[place], name).value for name in DEFINITIONS}


def test_each_entry_is_told_by_how_it_ended_and_how_long_it_waited() -> None:
    assert line(schedule("w", story_of_a().events)) == {
        "entries": 9,
        "filled": 3,
        "timed_out": 1,
        "price_rejected": 1,
        "stopped": 1,
        "user": 2,
        "waiting": 1,
        "fill_rate": 37.5,
        "average_fill": 30,
        "median_fill": 20,
        "longest_fill": 60,
        "average_in_vain": 27.2,
        "median_in_vain": 5,
        "longest_in_vain": 120,
    }


def test_the_last_line_is_of_all_entries_and_not_of_all_lines() -> None:
    other = Story("B")
    other.schedule(0)
    other.open(100)
    told = schedule("w", in_order(story_of_a().events, other.events))
    assert [each.symbol for each in told.symbols] == ["A", "B"]
    assert told.together["filled"] == Figure(4.0)
    assert told.together["average_fill"] == Figure(47.5)
    assert told.together["median_fill"] == Figure(40.0)
    assert told.symbols[1].waiting == Figure(0.0)
    assert told.symbols[1].average_in_vain == Figure(None, "no entry was cancelled")


def test_a_signal_at_market_is_no_entry() -> None:
    story = Story()
    story.trade(0, 10, 1.0)
    told = schedule("w", story.events)
    assert told.symbols == ()
    assert told.together["fill_rate"] == Figure(None, "no entry ended")
    assert render_table_markdown(schedule_table(told)) == "# Schedule: w\n\nNo limit entries.\n"


def test_an_entry_counts_in_the_range_in_which_it_ended() -> None:
    events = story_of_a().events
    before, after = schedule("w", events, end=at(120)), schedule("w", events, start=at(120))
    assert (line(before)["filled"], line(before)["waiting"]) == (1, 1)
    assert (line(after)["filled"], line(after)["waiting"]) == (2, 1)
    whole = line(schedule("w", events))
    for name in ("filled", "timed_out", "price_rejected", "stopped", "user"):
        assert (line(before)[name] or 0) + (line(after)[name] or 0) == whole[name]


def test_it_is_written_in_each_form() -> None:
    told = schedule("w", story_of_a().events)
    lines = render_table_markdown(schedule_table(told)).splitlines()
    assert lines[2].startswith("| Symbol | Entries | Filled | Timed out | Price rejected | Stopped | By the user |")
    assert lines[4] == (
        "| A | 9 | 3 | 1 | 1 | 1 | 2 | 1 | 37.50 % | 30.0 min | 20.0 min | 60.0 min | 27.2 min | 5.0 min | 120.0 min |"
    )
    assert json.loads(render_table_json(told))["symbols"][0]["fill_rate"] == {"value": 37.5}
    rows = list(csv.reader(io.StringIO(render_table_csv(schedule_table(told)), newline="")))
    assert rows[1] == ["A", "9", "3", "1", "1", "1", "2", "1", "37.5", "30", "20", "60", "27.2", "5", "120"]


@pytest.mark.parametrize("name", DEFINITIONS)
def test_every_column_is_a_field(name: str) -> None:
    assert name in Entries.__struct_fields__
