"""What is alive, and how a start finds it again."""

from __future__ import annotations

import msgspec
import pytest

from tests.support.machine import EVENTS, STATES, drawing, drawn, transitions
from tickfold_eventstore.events import Closed, Event, Opened, Rejected, Scheduled, Stopped
from tickfold_projections.active_signal import FLAT, Holding, IllegalTransition, Recovered, evolve, recover

LEGAL = {
    ("Flat", "started"): "Flat",
    ("Flat", "scheduled"): "Waiting",
    ("Flat", "opened (at market)"): "Holding",
    ("Flat", "rejected"): "Flat",
    ("Flat", "stopped"): "Flat",
    ("Waiting", "started (signal alive)"): "Waiting",
    ("Waiting", "opened (filled)"): "Holding",
    ("Waiting", "cancelled"): "Flat",
    ("Waiting", "stopped (signal alive)"): "Waiting",
    ("Holding", "started (signal alive)"): "Holding",
    ("Holding", "closed"): "Flat",
    ("Holding", "stopped (signal alive)"): "Holding",
}


def test_the_product_of_states_and_events_has_these_legal_pairs_and_no_others() -> None:
    assert {pair: then for pair, then in transitions().items() if then is not None} == LEGAL


def test_an_illegal_pair_names_the_event_and_the_state() -> None:
    with pytest.raises(IllegalTransition, match=r"x/s/A: event 8 \(closed\) cannot follow the state flat of event 0"):
        evolve(FLAT, EVENTS["closed"])


def test_the_drawing_in_the_architecture_page_is_the_one_that_the_code_gives() -> None:
    assert drawn() == drawing(), "run: python -m tests.support.machine"


def _at(name: str, seq: int, at: int) -> tuple[Event, ...]:
    return (msgspec.structs.replace(EVENTS[name], seq=seq, at=at),)


def test_recovering_an_empty_journal_finds_nothing() -> None:
    assert recover(iter(())) == Recovered()


def test_recovering_reads_back_to_the_event_that_says_what_is_alive_and_not_further() -> None:
    opened = _at("opened (at market)", 7, 60)
    unread = _at("stopped", 6, 30)
    newest_first = iter([_at("stopped (signal alive)", 9, 180), _at("started (signal alive)", 8, 120), opened, unread])
    assert isinstance(opened[0], Opened)
    assert recover(newest_first) == Recovered(Holding(7, opened[0].signal), 9, 180, answered=False)
    assert next(newest_first) == unread


def test_a_slot_is_answered_by_a_signal_that_was_proposed_at_it_even_if_a_later_record_has_the_same_time() -> None:
    records = [_at("stopped", 9, 60), _at("rejected", 8, 60), _at("started", 7, 0)]
    assert recover(iter(records)) == Recovered(FLAT, 9, 60, answered=True)


@pytest.mark.parametrize(
    ("last", "answered"),
    [
        ("scheduled", True),
        ("opened (at market)", True),
        ("rejected", True),
        ("opened (filled)", False),
        ("closed", False),
    ],
)
def test_what_answers_a_slot(last: str, answered: bool) -> None:
    assert recover(iter([_at(last, 8, 60)])).answered is answered


def test_a_record_that_fills_and_closes_leaves_nothing_alive() -> None:
    record = (*_at("opened (filled)", 8, 60), *_at("closed", 9, 60))
    assert recover(iter([record])) == Recovered(FLAT, 9, 60, answered=False)


def test_the_names_of_the_states_are_those_of_the_machine() -> None:
    assert {type(state).__name__ for state in STATES.values()} == {"Flat", "Waiting", "Holding"}
    assert {type(event) for event in EVENTS.values()} >= {Scheduled, Opened, Closed, Rejected, Stopped}
