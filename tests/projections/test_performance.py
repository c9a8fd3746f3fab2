"""Where ticks spend their time: counts that lose little, and figures that say what was not measured."""

from __future__ import annotations

import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.projections.stories import MINUTE, Story, at
from tickfold_eventstore.events import Event
from tickfold_projections.figures import Figure
from tickfold_projections.performance import (
    DEFINITIONS,
    SHORTEST_MS,
    STEP,
    Durations,
    Timings,
    delays_of,
    performance,
)
from tickfold_projections.render_table import render_table_markdown
from tickfold_projections.table import performance_table


def counted(*milliseconds: float) -> Durations:
    durations = Durations()
    for each in milliseconds:
        durations.add(each)
    return durations


def recorded(story: Story, *late: int) -> list[Event]:
    """The events of a story, each recorded so many ms after its boundary."""
    pairs = zip(story.events, late, strict=True)
    return [msgspec.structs.replace(event, recorded_at=event.at + ms) for event, ms in pairs]


@given(st.lists(st.floats(SHORTEST_MS, 1e6), min_size=1, max_size=60), st.sampled_from([0.5, 0.95, 0.99, 1.0]))
def test_so_many_took_no_longer_to_half_a_step(values: list[float], share: float) -> None:
    wanted = sorted(values)[math.ceil(share * len(values)) - 1]
    found = counted(*values).under(share)
    assert wanted / STEP**0.51 <= found <= wanted * STEP**0.51
    assert found <= max(values)


def test_counts_add_up_and_read_back() -> None:
    whole = counted(1.0, 5.0, 700.0)
    other = counted(0.0, 5.01)
    whole.take_in(other)
    assert (whole.total, whole.longest) == (5, 700.0)
    assert whole == counted(1.0, 5.0, 700.0, 0.0, 5.01)
    assert msgspec.json.decode(msgspec.json.encode(whole), type=Durations) == whole


def test_how_late_events_were_recorded_is_known_from_the_journal() -> None:
    story = Story()
    story.start(0)
    story.trade(10, 20, 1.0)
    story.trade(30, 40, 1.0)
    story.stop(50, price=None)
    events = recorded(story, 500, 2_000, 2_100, 0, 61_000, 900)
    # Starts and stops have no boundary to wait for, a replay no delay, an outage says nothing of the pace.
    assert delays_of(events) == {story.stream: counted(2_000, 2_100)}
    assert delays_of(events, start=at(15)) == {story.stream: counted(2_100)}
    assert delays_of(events, end=at(15)) == {story.stream: counted(2_000)}


def test_each_symbol_is_a_line_and_all_are_one() -> None:
    a, b = Story("A"), Story("B")
    timed = Timings(**a.stream._asdict(), first_at=at(0), last_at=at(9))
    timed.ticks = counted(4.0, 4.0, 40.0)
    timed.strategy_part = counted(1.0)
    found = performance("w", [timed], {a.stream: counted(2_000.0), b.stream: counted(3_000.0)})
    first, second = found.symbols
    assert (first.symbol, first.tick_count, first.tick_longest) == ("A", Figure(3.0), Figure(40.0))
    assert first.tick_p50.value == pytest.approx(4.0, rel=0.025)
    assert first.tick_p99.value == pytest.approx(40.0, rel=0.025)
    assert second.tick_p50 == Figure(None, "no tick was timed: run `tickfold live` with --timings")
    assert found.together["delay_count"] == Figure(2.0)
    assert found.together["delay_longest"] == Figure(3_000.0)
    text = render_table_markdown(performance_table(found))
    assert text.startswith("# Performance: w\n\n| Symbol | Ticks timed | Tick p50 |")
    assert text.count("\n| ") == 2 + 3 + 2 + len(DEFINITIONS)


def test_of_nothing_it_says_so() -> None:
    found = performance("w", [], {})
    assert render_table_markdown(performance_table(found)).endswith("\n\nNo events, and no ticks that were timed.\n")
    assert found.together["tick_p95"].value is None
    story = Story()
    story.trade(0, MINUTE, 1.0)
    (line,) = performance("w", [], delays_of(story.events)).symbols
    assert line.delay_p50 == Figure(None, "no event was recorded on the wall clock")
