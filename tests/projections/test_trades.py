"""The ledger: counts, what is alive, and ranges."""

from __future__ import annotations

import itertools

import pytest

from tests.projections.stories import STORY_MADE, Story, at, in_order, trades
from tickfold_eventstore.events import Closed, Opened
from tickfold_eventstore.signals import Ticks
from tickfold_projections.statistics import Counts, statistics
from tickfold_projections.trades import Account, Trade, ledger_of


def two_runs(*, crashed: bool, waited: int = 0, alive: bool = False) -> Story:
    """A run that ends or is killed at minute 15, and one that begins `waited` minutes after its last record."""
    story = Story()
    story.start(0, ticks=Ticks())
    story.open(10, ticks=Ticks(idle=10))
    if not alive:
        story.close(15, 1.0, ticks=Ticks(active=5))
    state_seq = len(story.events) if alive else 0
    if not crashed:
        story.stop(15, price=100.0, state_seq=state_seq, ticks=Ticks(active=5 if alive else 0))
    last = (story.events[-1].at - at(0)) / 60_000
    story.start(last + waited, state_seq=state_seq, ticks=Ticks())
    return story


def test_trades_are_what_closed_in_the_order_of_closing() -> None:
    a, b = Story("A"), Story("B")
    a.trade(0, 50, 1.0)
    b.trade(10, 20, -1.0, "short")
    assert ledger_of([*a.events, *b.events]).trades == [
        Trade(b.stream, "short", "stop_loss", -1.0, at(10), at(20)),
        Trade(a.stream, "long", "take_profit", 1.0, at(0), at(50)),
    ]


def test_an_account_says_what_is_alive_and_the_last_price() -> None:
    story = Story()
    story.start(0)
    story.schedule(5)
    waiting = story.events[-1]
    story.stop(7, price=101.0, state_seq=2)
    assert ledger_of(story.events).accounts == {
        story.stream: Account(
            story.stream,
            first_seq=1,
            last_seq=3,
            starts=1,
            alive=waiting,  # type: ignore[arg-type]  # it is a Scheduled
            price=101.0,
            price_at=at(7),
            last_at=at(7),
            made=[STORY_MADE],
        )
    }
    story.start(7, state_seq=2)
    story.cancel(8)
    story.stop(9, price=None)
    (account,) = ledger_of(story.events).accounts.values()
    assert (account.alive, account.price, account.price_at, account.starts) == (None, 101.0, at(7), 2)


def test_boundaries_are_summed_over_records_and_events_counted_beside_them() -> None:
    story = Story()
    story.start(0, ticks=Ticks())
    story.open(10, ticks=Ticks(idle=10, missed=2))
    story.close(15, 1.0, ticks=Ticks(active=5))
    story.reject(16, "why")
    story.schedule(20)
    story.cancel(22)
    story.stop(30, price=1.0, ticks=Ticks(idle=8, waiting=2, missed=1))
    counts = statistics(story.events).counts
    assert counts == Counts(
        idle=18,
        waiting=2,
        active=5,
        missed=3,
        at_least=False,
        scheduled=1,
        opened=1,
        cancelled=1,
        closed=1,
        rejected=1,
    )
    assert counts.total == 30


def test_without_ticks_boundaries_are_unknown_unless_a_backtest_says_them() -> None:
    events = trades([1.0])
    unknown = statistics(events).counts
    assert (unknown.idle, unknown.waiting, unknown.active, unknown.missed, unknown.total) == (None, None, None, None, 2)
    known = statistics(events, boundaries=Ticks(idle=7, active=30)).counts
    assert (known.idle, known.waiting, known.active, known.missed, known.total) == (7, 0, 30, 0, 39)


@pytest.mark.parametrize(
    ("crashed", "waited", "alive", "at_least"),
    [
        (False, 20, False, False),  # ended in order: all is counted
        (False, 0, True, False),
        (True, 20, False, True),  # killed, and the wall clock went on: what was counted since the last record is lost
        (True, 0, False, False),  # killed, and goes on from the last record's boundary: counted again
        (True, 0, True, False),
    ],
)
def test_a_crash_makes_counts_at_least_only_where_nobody_counts_again(
    crashed: bool, waited: int, alive: bool, at_least: bool
) -> None:
    story = two_runs(crashed=crashed, waited=waited, alive=alive)
    assert statistics(story.events).counts.at_least is at_least
    # Who counted them all says so.
    assert not statistics(story.events, boundaries=Ticks(idle=1)).counts.at_least


def test_a_start_in_the_range_knows_of_the_crash_before_it() -> None:
    story = two_runs(crashed=True, waited=20)
    assert statistics(story.events, start=at(30)).counts.at_least
    assert not statistics(story.events, end=at(30)).counts.at_least


def test_ranges_that_touch_split_events_exactly() -> None:
    events = in_order(trades([1.0, -1.0, 2.0, 0.0], symbol="A"), trades([-3.0, 4.0], symbol="B", every=95, held=40))
    for middle in range(0, 240, 10):
        before, after = ledger_of(events, end=at(middle)), ledger_of(events, start=at(middle))
        assert [*before.trades, *after.trades] == ledger_of(events).trades
        assert {action: before.events[action] + after.events[action] for action in before.events} == {
            "scheduled": 0,
            "opened": 6,
            "cancelled": 0,
            "closed": 6,
            "rejected": 0,
        }


def test_what_came_before_a_range_says_what_is_alive_in_it_and_is_not_booked() -> None:
    story = Story()
    story.start(0)
    story.open(10)
    opened = story.events[-1]
    story.stop(20, price=99.0, state_seq=2)
    story.start(20, state_seq=2)
    (account,) = ledger_of(story.events, start=at(20)).accounts.values()
    assert (account.first_seq, account.last_seq, account.starts, account.alive) == (3, 4, 1, opened)
    (account,) = ledger_of(story.events, start=at(21)).accounts.values()
    assert (account.first_seq, account.last_seq, account.starts, account.alive) == (0, 0, 0, opened)
    (account,) = ledger_of(story.events, end=at(15)).accounts.values()
    assert (account.first_seq, account.last_seq, account.alive, account.price) == (1, 2, opened, None)


def test_a_signal_that_was_opened_before_the_range_is_held_since_then() -> None:
    ledger = ledger_of(trades([1.0], first=0, held=30), start=at(20))
    assert [(trade.opened_at, trade.minutes) for trade in ledger.trades] == [(at(0), 30)]
    assert ledger.first_opened_at == at(0)
    assert ledger.events["opened"] == 0


def test_one_pass_suffices() -> None:
    events = iter(trades([1.0, 2.0]))
    assert len(ledger_of(events).trades) == 2
    assert next(events, None) is None


def test_the_stories_are_what_they_say() -> None:
    events = trades([1.0, -1.0])
    assert [type(event) for event in events] == [Opened, Closed, Opened, Closed]
    assert [event.seq for event in events] == [1, 2, 3, 4]
    assert all(before.at <= after.at for before, after in itertools.pairwise(events))
