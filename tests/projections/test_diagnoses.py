"""Each diagnosis speaks where its rule applies, with its evidence, and is silent on either side of it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest

from tests.projections.stories import Story, trades
from tickfold_eventstore.events import Closed, CloseReason, Opened
from tickfold_projections.diagnoses import diagnoses
from tickfold_projections.profit import Costs, profit_and_loss
from tickfold_projections.report import Report, report

LUCK = (
    "It may be luck: the average result, +0.1000 %, is 0.7 standard errors from nothing, "
    "and under 2 are common by chance."
)
ONE = (
    "All the profit is from one signal: +12.00 % in A, closed at 2022-01-01T01:30:00Z; "
    "the others together made -3.00 %."
)
EXPIRED = (
    "Many time exits: {} of 10 closed signals reached neither target nor stop within their lifetime; "
    "their average is +0.2500 %."
)
SUNK = "The deepest fall is still open: 20.00 % from the peak at 2022-01-01T00:30:00Z, not made good by the last close."


def said(results: Sequence[float]) -> list[str]:
    return diagnoses(report("w", trades(results)))


def about(told: Sequence[str], beginning: str) -> list[str]:
    return [each for each in told if each.startswith(beginning)]


def test_nothing_stands_out_in_nothing() -> None:
    assert diagnoses(report("w", [])) == []


@pytest.mark.parametrize(("count", "told"), [(1, "1 signal closed"), (29, "29 signals closed")])
def test_under_thirty_signals_are_too_few_to_tell(count: int, told: str) -> None:
    assert about(said([1.0] * count), "Too few") == [
        f"Too few to tell: {told}, and under 30 say little about the next one."
    ]
    assert about(said([1.0] * 30), "Too few") == []


def test_a_mean_within_two_standard_errors_may_be_luck() -> None:
    assert about(said([1.0, -0.8] * 20), "It may") == [LUCK]
    assert about(said([1.0, -0.8] * 14), "It may") == []
    assert about(said([1.0, -0.2] * 20), "It may") == []
    assert about(said([-1.0, 0.8] * 20), "It may") != []
    assert about(said([1.0] * 40), "It may") == []


def test_profit_that_is_that_of_one_signal_is_told_with_the_rest() -> None:
    assert about(said([-1.0, 12.0, -2.5, 0.5]), "All the profit") == [ONE]
    assert about(said([-1.0, 12.0, 1.5]), "All the profit") == []
    assert about(said([-1.0, 12.0, -11.5]), "All the profit") == []
    assert about(said([12.0]), "All the profit") == []


@pytest.mark.parametrize(("expired", "told"), [(4, False), (5, True), (10, True)])
def test_half_of_the_signals_that_ran_into_their_lifetime_are_many(expired: int, told: bool) -> None:
    story = Story()
    for number in range(10):
        reason: CloseReason = "time_expired" if number < expired else "take_profit"
        story.open(number * 60)
        story.close(number * 60 + 30, 0.25, reason)
    assert about(diagnoses(report("w", story.events)), "Many") == [EXPIRED.format(expired)] * told


@pytest.mark.parametrize(("filled", "told"), [(0, True), (4, True), (5, False)])
def test_a_waiting_entry_that_is_filled_in_less_than_half_rarely_fills(filled: int, told: bool) -> None:
    story = Story()
    story.trade(0, 1, 1.0)
    for number in range(1, 11):
        story.schedule(number * 600)
        if number <= filled:
            story.open(number * 600 + 30)
            story.close(number * 600 + 60, 1.0)
        else:
            story.cancel(number * 600 + 120)
    assert (
        about(diagnoses(report("w", story.events)), "The waiting")
        == [f"The waiting entry rarely fills: {filled} of 10 limit entries were filled."] * told
    )


def priced(stop: float, exits: Sequence[float], position: str = "long") -> Report:
    """Signals at 100 with a stop so far away, closed at these prices, at the costs of the defaults."""
    story = Story()
    for number, price in enumerate(exits):
        story.open(number * 60, "long" if position == "long" else "short")
        story.close(number * 60 + 30, 0.0)
        opened, closed = story.events[-2:]
        assert isinstance(opened, Opened)
        assert isinstance(closed, Closed)
        pnl = profit_and_loss(closed.signal.position, 100.0, price, Costs())
        signal = msgspec.structs.replace(closed.signal, stop_loss=stop)
        story.events[-1] = msgspec.structs.replace(closed, signal=signal, price=price, pnl=pnl)
    return report("w", story.events)


def test_a_stop_near_for_the_costs_is_told_with_both() -> None:
    near = "Stops are near for the costs: fees and slippage take 0.40 % a signal, the stop is 1.00 % away (median)."
    assert about(diagnoses(priced(99.0, [101.0, 99.0] * 5)), "Stops") == [near]
    assert about(diagnoses(priced(101.0, [99.5] * 10, "short")), "Stops") == [near]
    assert about(diagnoses(priced(98.0, [101.0, 99.0] * 5)), "Stops") == []
    assert about(diagnoses(priced(99.0, [101.0] * 9)), "Stops") == []


def test_profit_before_costs_and_loss_after_are_told_with_both() -> None:
    assert about(diagnoses(priced(90.0, [101.0, 99.5] * 5)), "Costs ate") == [
        "Costs ate the profit: +2.50 % before fees and slippage, -1.50 % after."
    ]
    assert about(diagnoses(priced(90.0, [101.0, 99.9] * 5)), "Costs ate") == []
    assert about(diagnoses(priced(90.0, [99.0] * 10)), "Costs ate") == []


def test_a_fall_that_is_not_made_good_is_told_until_it_is() -> None:
    assert about(said([1.0, -20.0, 5.0]), "The deepest") == [SUNK]
    assert about(said([1.0, -20.0, 30.0]), "The deepest") == []
    assert about(said([1.0, 2.0]), "The deepest") == []


def test_nothing_is_said_of_results_that_no_market_gives() -> None:
    assert said([1.0, -20.0, 1e13]) == []
    assert said([1.0, -20.0, 1e308, 1e308]) == []
