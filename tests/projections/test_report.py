"""What a report says, as data."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec
import pytest

from tests.projections.sample import sample, stories
from tests.projections.stories import STORY_MADE, Story, at, trades
from tickfold_eventstore.events import Event
from tickfold_eventstore.signals import Stream, Ticks
from tickfold_projections.profit import Costs
from tickfold_projections.render_csv import render_csv
from tickfold_projections.render_json import render_json
from tickfold_projections.render_markdown import render_markdown
from tickfold_projections.report import Provenance, Report, Row, report
from tickfold_projections.statistics import statistics
from tickfold_projections.trades import Made


def told(story: Story) -> list[tuple[str, float | None, str | None, float | None]]:
    return [(row.action, row.price, row.reason, row.minutes) for row in report("w", story.events).rows]


def test_each_signal_event_is_a_row_and_starts_and_stops_are_none() -> None:
    story = Story()
    story.start(0)
    story.schedule(5)
    story.open(8)
    story.stop(9, price=100.5, state_seq=3)
    story.start(9, state_seq=3)
    story.close(20, 1.0, "take_profit")
    story.schedule(25)
    story.cancel(30)
    story.reject(35, "one", "two")
    assert told(story) == [
        ("scheduled", None, None, None),
        ("opened", 100.0, None, None),
        ("closed", 101.0, "take_profit", 12),
        ("scheduled", None, None, None),
        ("cancelled", None, "timeout", 5),
        ("rejected", None, "one; two", None),
    ]


def test_a_row_says_all_of_its_event() -> None:
    story = Story("BTC/USDT")
    story.open(5, "short", note="why")
    story.close(65, -2.5)
    assert report("w", story.events).rows[1] == Row(
        at=at(65),
        action="closed",
        exchange="sim-1",
        symbol="BTC/USDT",
        signal_id="btc/usdt-5",
        position="short",
        note="why",
        price=97.5,
        entry=100.0,
        take_profit=90.0,
        stop_loss=110.0,
        percentage=-2.5,
        reason="time_expired",
        minutes=60,
    )


def test_rows_are_in_the_order_of_time_then_stream_then_seq_however_streams_are_read() -> None:
    a, b = Story("A"), Story("B")
    b.open(0)
    a.open(0)
    # One candle that fills and closes: two events at one time, in the order of their seq.
    a.close(0, -1.0)
    b.close(7, 1.0)
    a.open(7)
    for events in ([*a.events, *b.events], [*b.events, *a.events]):
        rows = report("w", events).rows
        assert [(row.at, row.symbol, row.action) for row in rows] == [
            (at(0), "A", "opened"),
            (at(0), "A", "closed"),
            (at(0), "B", "opened"),
            (at(7), "A", "opened"),
            (at(7), "B", "closed"),
        ]


def test_what_is_open_is_listed_with_the_price_of_the_last_stop() -> None:
    first, second = stories()
    assert [msgspec.structs.asdict(found) for found in sample().open] == [
        {
            "exchange": "sim-1",
            "symbol": "A",
            "state": "opened",
            "since": at(14 * 1440 + 15),
            "signal": first.signal,
            "price": 46_500.25,
            "price_at": at(14 * 1440 + 30),
            # (46500.25 · 0.999 − 46306.5 · 1.001) / (46306.5 · 1.001) · 100 − 0.2
            "percentage": pytest.approx(0.0177716, abs=1e-7),
        },
        {
            "exchange": "sim-1",
            "symbol": "B/USDT",
            "state": "waiting",
            "since": at(14 * 1440),
            "signal": second.signal,
            "price": None,
            "price_at": None,
            "percentage": None,
        },
    ]


def test_a_price_from_before_the_opening_is_none_for_it() -> None:
    story = Story()
    story.stop(5, price=200.0)
    story.open(10)
    (found,) = report("w", story.events).open
    assert (found.price, found.percentage) == (None, None)


def test_a_price_that_the_caller_knows_comes_first_and_costs_are_the_callers() -> None:
    story = Story()
    story.open(0)
    story.stop(5, price=200.0, state_seq=1)
    (found,) = report("w", story.events, prices={story.stream: 110.0}, costs=Costs(fee=0.0, slippage=0.0)).open
    assert (found.price, found.price_at) == (110.0, None)
    assert found.percentage == pytest.approx(10)


def test_an_entry_that_waits_has_a_price_and_no_result() -> None:
    story = Story()
    story.schedule(0)
    story.stop(5, price=200.0, state_seq=1)
    (found,) = report("w", story.events).open
    assert (found.state, found.price, found.price_at, found.percentage) == ("waiting", 200.0, at(5), None)


def test_the_provenance_names_the_events_of_each_stream_and_its_starts() -> None:
    assert sample().provenance == (
        Provenance(
            exchange="sim-1",
            strategy="w",
            symbol="A",
            first_seq=1,
            last_seq=32,
            head_hash="e865bc97cd9b7fad",
            starts=1,
            made=(STORY_MADE,),
        ),
        Provenance(
            exchange="sim-1",
            strategy="w",
            symbol="B/USDT",
            first_seq=1,
            last_seq=3,
            head_hash="78baed294120e23b",
            starts=0,
        ),
    )


def of_one(told: Report) -> Provenance:
    """The provenance of the one stream of a report."""
    assert told.provenance is not None
    (found,) = told.provenance
    return found


def test_the_provenance_names_what_made_the_events_of_the_range_each_once() -> None:
    second = msgspec.structs.replace(STORY_MADE, strategy_hash="s2")
    third = msgspec.structs.replace(STORY_MADE, config_hash="c3")
    story = Story()
    for minute, run in ((0, STORY_MADE), (10, second), (20, second), (30, STORY_MADE), (40, third)):
        story.start(minute, made=run)
        story.trade(minute + 1, minute + 2, 1.0)

    def made(start: int | None, end: int | None = None) -> tuple[Made, ...]:
        found = of_one(report("w", story.events, start=start, end=end))
        return found.made

    assert made(None) == (STORY_MADE, second, third)
    # Before the range: the last, which may go on inside of it.
    assert made(at(15)) == (second, STORY_MADE, third)
    assert made(at(11), at(19)) == (second,)


def test_the_values_of_a_configuration_are_told_where_its_hash_is_known() -> None:
    story = Story()
    story.start(0)
    found = of_one(report("w", story.events, configurations={"c": {"policy": "pessimistic"}}))
    assert found.configuration == {"policy": "pessimistic"}
    found = of_one(report("w", story.events, configurations={"d": {}}))
    assert found.configuration is None


def test_what_made_a_backtest_is_told_by_who_ran_it() -> None:
    events = trades([1.0])
    found = of_one(report("w", events, kind="backtest", made={events[0].stream: STORY_MADE}))
    assert (found.made, found.starts) == ((STORY_MADE,), 0)


def test_hashes_may_be_filled_while_the_events_are_read() -> None:
    story = Story()
    story.trade(0, 5, 1.0)
    hashes: dict[Stream, str] = {}

    def reading() -> Iterator[Event]:
        for event in story.events:
            hashes[story.stream] = f"of event {event.seq}"
            yield event

    provenance = report("w", reading(), hashes=hashes).provenance
    assert provenance is not None
    assert [found.head_hash for found in provenance] == ["of event 2"]


def killed_and_restarted(moment: int) -> tuple[list[Event], list[Event]]:
    """A replay that was never killed, and one that was killed after event `moment` of it and started again.

    A replayed clock goes on at the last record, so the boundaries since then are counted by the second run.
    """
    whole, other = Story(), Story()
    for story, kill in ((whole, None), (other, moment)):
        story.start(0, ticks=Ticks())
        tail: list[Callable[[Story], None]] = [
            lambda s: s.open(10, ticks=Ticks(idle=10)),
            lambda s: s.close(15, 1.5, ticks=Ticks(active=5)),
            lambda s: s.schedule(20),
            lambda s: s.open(25, ticks=Ticks(waiting=5)),
            lambda s: s.close(40, -0.5, ticks=Ticks(active=15)),
            lambda s: s.reject(41, "why"),
            lambda s: s.open(50, ticks=Ticks(idle=9)),
            lambda s: s.stop(60, price=100.5, state_seq=alive(s), ticks=Ticks(active=10)),
        ]
        for number, step in enumerate(tail):
            if number == kill:
                minute = (story.events[-1].at - at(0)) / 60_000
                story.start(minute, state_seq=alive(story), ticks=Ticks())
            step(story)
    return whole.events, other.events


def alive(story: Story) -> int:
    """The seq of the event that says what is alive."""
    if story.signal is None:
        return 0
    return max(event.seq for event in story.events if event.action in {"scheduled", "opened"})


@pytest.mark.parametrize("moment", range(8))
def test_a_killed_and_restarted_replay_gives_the_same_bytes_but_for_the_provenance(moment: int) -> None:
    whole, other = (report("w", events) for events in killed_and_restarted(moment))
    assert render_markdown(other, provenance=False) == render_markdown(whole, provenance=False)
    assert render_json(other, provenance=False) == render_json(whole, provenance=False)
    assert render_csv(other) == render_csv(whole)
    foot = "\n## Provenance\n"
    assert render_markdown(other).split(foot)[0] == render_markdown(whole).split(foot)[0]
    assert [[each.starts for each in found.provenance or ()] for found in (whole, other)] == [[1], [2]]


def test_ranges_that_touch_tell_every_row_once() -> None:
    events = trades([1.0, -1.0, 0.5], every=50, held=20)
    whole = report("w", events)
    for middle in range(0, 130, 5):
        before, after = report("w", events, end=at(middle)), report("w", events, start=at(middle))
        assert before.rows + after.rows == whole.rows


def test_a_range_that_begins_while_a_signal_is_open_lists_it_as_open() -> None:
    story = Story()
    story.open(0)
    story.stop(5, price=101.0, state_seq=1)
    found = report("w", story.events, start=at(10), hashes={story.stream: "e865bc97cd9b7fad"})
    assert (found.rows, [each.price for each in found.open]) == ((), [101.0])
    assert found.provenance is not None
    assert [(each.first_seq, each.last_seq, each.head_hash) for each in found.provenance] == [(0, 0, None)]


def test_the_statistics_of_a_report_are_those_of_its_events() -> None:
    events = trades([1.0, -1.0, 2.0])
    boundaries = Ticks(idle=1, active=2)
    found = report("w", events, kind="backtest", boundaries=boundaries, start=at(60))
    assert found.statistics == statistics(events, boundaries=boundaries, start=at(60))
    assert (found.kind, found.strategy) == ("backtest", "w")


def test_a_report_reads_back_from_its_json() -> None:
    assert msgspec.json.decode(render_json(sample()), type=Report) == sample()
