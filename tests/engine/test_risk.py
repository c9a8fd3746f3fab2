"""What a risk rule counts, refuses, and says."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from tests.support.together import unregistered
from tickfold import Risk, RiskGroup, Signal
from tickfold.errors import DeclarationError, UnknownName
from tickfold.risk import Book, Request, find_risks
from tickfold.strategy import Strategy
from tickfold_eventstore.events import Cancelled, Closed, Event, Opened, Scheduled
from tickfold_eventstore.signals import AcceptedSignal, ProfitAndLoss

MINUTE = 60_000
MIDNIGHT = 20_000 * 86_400_000
PROPOSAL = Signal.long(take_profit=102, stop_loss=99, lifetime=60)


def signal(*, opened_at: int | None = None, scheduled_at: int | None = None) -> AcceptedSignal:
    return AcceptedSignal(
        id="a",
        position="long",
        entry=100.0,
        take_profit=102.0,
        stop_loss=99.0,
        lifetime_minutes=60,
        note="",
        scheduled_at=scheduled_at,
        opened_at=opened_at,
    )


def where(symbol: str, at: int, strategy: str = "s") -> dict[str, Any]:
    return {"seq": 1, "at": at, "recorded_at": at, "exchange": "x", "strategy": strategy, "symbol": symbol}


def opened(symbol: str, at: int, strategy: str = "s") -> Opened:
    return Opened(signal=signal(opened_at=at), price=100.0, **where(symbol, at, strategy))


def closed(symbol: str, at: int, since: int, percentage: float = 1.0) -> Closed:
    pnl = ProfitAndLoss(percentage=percentage, entry=100.0, exit=101.0)
    return Closed(signal=signal(opened_at=since), price=101.0, reason="take_profit", pnl=pnl, **where(symbol, at))


def refusals(rule: Risk, heard: list[Event], asking: Opened | Scheduled) -> tuple[str, ...]:
    book = Book(rule)
    for event in heard:
        book.hear(event)
    return book.reasons(asking, PROPOSAL)


def test_as_many_may_be_alive_as_the_rule_says_and_no_more() -> None:
    rule = unregistered("one", max_open=2)
    first, second = opened("A", MIDNIGHT), opened("B", MIDNIGHT)
    assert refusals(rule, [first], opened("C", MIDNIGHT)) == ()
    assert refusals(rule, [first, second], opened("C", MIDNIGHT)) == (
        "risk rule one: 2 signals are alive (x/s/A, x/s/B); at most 2 may be",
    )


def test_a_waiting_entry_counts_and_its_fill_does_not_count_it_twice() -> None:
    rule = unregistered("one", max_open=2)
    waiting = Scheduled(signal=signal(scheduled_at=MIDNIGHT), **where("A", MIDNIGHT))
    fill = signal(scheduled_at=MIDNIGHT, opened_at=MIDNIGHT + MINUTE)
    filled = Opened(signal=fill, price=100.0, **where("A", MIDNIGHT + MINUTE))
    asking = opened("C", MIDNIGHT + MINUTE)
    assert refusals(unregistered("one", max_open=1), [waiting], asking) != ()
    assert refusals(rule, [waiting, filled], asking) == ()
    assert (
        refusals(rule, [waiting, Cancelled(signal=waiting.signal, reason="timeout", **where("A", MIDNIGHT))], asking)
        == ()
    )


def test_what_a_stream_did_behind_the_slot_changes_nothing_at_it() -> None:
    rule = unregistered("one", max_open=1)
    ahead: list[Event] = [
        opened("A", MIDNIGHT),
        closed("A", MIDNIGHT + 5 * MINUTE, MIDNIGHT),
        opened("A", MIDNIGHT + 6 * MINUTE),
    ]
    answers = [refusals(rule, ahead, opened("B", MIDNIGHT + minute * MINUTE)) for minute in range(-1, 7)]
    assert [bool(reasons) for reasons in answers] == [False, True, True, True, True, True, False, True]


def test_an_end_that_a_journal_holds_tells_of_the_whole_life() -> None:
    rule = unregistered("one", max_open=1)
    ended = closed("A", MIDNIGHT + 5 * MINUTE, MIDNIGHT)
    assert refusals(rule, [ended], opened("B", MIDNIGHT - MINUTE)) == ()
    assert refusals(rule, [ended], opened("B", MIDNIGHT + MINUTE)) != ()
    assert refusals(rule, [ended], opened("B", MIDNIGHT + 5 * MINUTE)) == ()


def test_a_symbol_is_counted_over_all_strategies() -> None:
    rule = unregistered("one", max_per_symbol=1)
    assert refusals(rule, [opened("A", MIDNIGHT, "other")], opened("B", MIDNIGHT)) == ()
    assert refusals(rule, [opened("A", MIDNIGHT, "other")], opened("A", MIDNIGHT)) == (
        "risk rule one: 1 signal is alive (x/other/A) in A; at most 1 may be",
    )


def test_a_group_counts_its_own_symbols() -> None:
    rule = unregistered("one", groups={"majors": RiskGroup(["A", "B"], 1)})
    assert refusals(rule, [opened("A", MIDNIGHT)], opened("C", MIDNIGHT)) == ()
    assert refusals(rule, [opened("C", MIDNIGHT)], opened("B", MIDNIGHT)) == ()
    assert refusals(rule, [opened("A", MIDNIGHT)], opened("B", MIDNIGHT)) == (
        "risk rule one: 1 signal is alive (x/s/A) in the group majors; at most 1 may be",
    )


def test_a_lost_day_is_over_until_midnight() -> None:
    rule = unregistered("one", max_daily_loss=2.5)
    losses: list[Event] = [
        closed("A", MIDNIGHT - 2 * MINUTE, MIDNIGHT - 9 * MINUTE, -1.5),
        closed("B", MIDNIGHT - MINUTE, MIDNIGHT - 9 * MINUTE, -1.0),
    ]
    assert refusals(rule, losses, opened("C", MIDNIGHT - 2 * MINUTE)) == ()
    assert refusals(rule, losses, opened("C", MIDNIGHT - MINUTE)) == (
        "risk rule one: what closed since midnight UTC lost 2.5000 %; at 2.5 % the day is over",
    )
    assert refusals(rule, losses, opened("C", MIDNIGHT)) == ()


def test_a_symbol_rests_after_a_close_and_no_other_does() -> None:
    rule = unregistered("one", cooldown=timedelta(minutes=10))
    ended = closed("A", MIDNIGHT, MIDNIGHT - MINUTE)
    assert refusals(rule, [ended], opened("B", MIDNIGHT)) == ()
    assert refusals(rule, [ended], opened("A", MIDNIGHT + 9 * MINUTE)) == (
        "risk rule one: A rests for 1 more minutes after its last close",
    )
    assert refusals(rule, [ended], opened("A", MIDNIGHT + 10 * MINUTE)) == ()


def test_a_validator_sees_what_is_proposed_and_what_is_alive() -> None:
    seen: list[Request] = []

    def look(request: Request) -> str | None:
        seen.append(request)
        return "too many longs" if request.alive else None

    rule = unregistered("one", validators=[look])
    assert refusals(rule, [], opened("B", MIDNIGHT)) == ()
    assert refusals(rule, [opened("A", MIDNIGHT)], opened("B", MIDNIGHT)) == ("risk rule one: too many longs",)
    assert [(each.stream.symbol, each.at, each.price, len(each.alive)) for each in seen] == [
        ("B", MIDNIGHT, 100.0, 0),
        ("B", MIDNIGHT, 100.0, 1),
    ]
    assert seen[1].proposal is PROPOSAL


def test_a_validator_that_fails_lets_nothing_through() -> None:
    def breaks(request: Request) -> str | None:
        raise ZeroDivisionError("no equity")

    def babbles(request: Request) -> Any:
        return False

    reasons = refusals(unregistered("one", validators=[breaks, babbles]), [], opened("B", MIDNIGHT))
    assert [reason.rpartition("<locals>.")[2] for reason in reasons] == [
        "breaks raised ZeroDivisionError: no equity",
        "babbles returned False, neither a reason nor None",
    ]


@pytest.mark.parametrize("limits", [{"max_open": -1}, {"max_daily_loss": float("nan")}, {"max_per_symbol": "2"}])
def test_a_limit_that_is_no_number_from_0_up_is_refused(limits: dict[str, Any]) -> None:
    (name, value), *_ = limits.items()
    with pytest.raises(DeclarationError, match=re.escape(f"risk rule 'one': {name} is {value!r}, not a number")):
        Risk("one", **limits)


def test_a_rule_is_registered_when_it_is_made_and_found_by_its_name() -> None:
    rule = Risk("one", max_open=1)
    assert Strategy("s", lambda ctx: None, risk="one").risk == ("one",)
    assert find_risks(["one", rule]) == (rule, rule)
    with pytest.raises(DeclarationError, match="second risk rule with the name 'one'"):
        Risk("one")
    with pytest.raises(UnknownName, match="no risk rule is named 'two'"):
        find_risks(["two"])
