"""Several plain backtests minute by minute under risk rules: all settle, then each is asked and judged in turn.

Nothing here is shared with the engine. No book and no turn: one loop over time, and a look at what is alive.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from tests.reference.prices import CLOSE, MINUTE, TIME, Candle, Context, average_price, windows_are_full, without_holes
from tests.reference.simple import Costs, Event, Limits, Policy, Rules, Strategy, alive_after, answer, as_given, watch

Name = tuple[str, str, str]
DAY = 1440 * MINUTE


@attrs.frozen
class Rule:
    """What may be alive and lost at once; a falsy limit is off. `groups`: symbols, and how many of them at once."""

    max_open: int = 0
    max_per_symbol: int = 0
    max_daily_loss: float = 0.0
    cooldown_minutes: int = 0
    groups: Sequence[tuple[frozenset[str], int]] = ()


@attrs.define
class Lane:
    """One stream: what is given, and what has become of it. `rules` are the names of those that judge it."""

    name: Name
    candles: Sequence[Candle]
    strategy: Strategy
    interval_minutes: int
    lookback: Mapping[str, int]
    rules: Sequence[str]
    whole: list[Candle] = attrs.field(factory=list)
    events: list[Event] = attrs.field(factory=list)
    alive: Event | None = None

    def take(self, happened: list[Event]) -> None:
        self.events += happened
        self.alive = alive_after(happened, self.alive)


def simulate_together(
    lanes: Sequence[Lane], rules: Mapping[str, Rule], *, policy: Policy = "pessimistic"
) -> dict[Name, list[Event]]:
    """Every stream's events. A refusal by a rule has `faults` of the words risk, one for each rule that refuses."""
    book = Rules(policy, Costs(), Limits(), 120)
    lanes = sorted(lanes, key=lambda lane: lane.name)
    for lane in lanes:
        lane.whole = without_holes(lane.candles)
    first = min(lane.whole[0][TIME] for lane in lanes)
    last = max(lane.whole[-1][TIME] for lane in lanes)
    for now in range(first + MINUTE, last + 2 * MINUTE, MINUTE):
        here = [(lane, index) for lane in lanes if (index := handled(lane, now)) is not None]
        for lane, index in here:
            settle(lane, index, book)
        for lane, index in here:
            ask(lane, index, now, book, lanes, rules)
    return {lane.name: [{"seq": seq, **event} for seq, event in enumerate(lane.events, 1)] for lane in lanes}


def handled(lane: Lane, now: int) -> int | None:
    """The candle that closes at `now`, where the stream can handle that boundary."""
    index = (now - MINUTE - lane.whole[0][TIME]) // MINUTE
    full = windows_are_full(lane.whole[0][TIME], lane.lookback, now)
    return index if 4 <= index < len(lane.whole) and full else None


def average_at(lane: Lane, index: int) -> float:
    return average_price(lane.whole[index - 4 : index + 1])


def settle(lane: Lane, index: int, book: Rules) -> None:
    if lane.alive is not None:
        lane.take(watch(lane.alive, lane.whole[index], average_at(lane, index), book))


def ask(lane: Lane, index: int, now: int, book: Rules, lanes: Sequence[Lane], rules: Mapping[str, Rule]) -> None:
    if lane.alive is not None or now % (lane.interval_minutes * MINUTE):
        return
    average = average_at(lane, index)
    price = lane.whole[index][CLOSE] if book.policy == "pessimistic" else average
    past = lane.whole[: index + 1]
    proposal: Any = lane.strategy(Context(lane.name[2], now, price, average, past, lane.lookback))
    if proposal is None:
        return
    event = answer(proposal, now, price, book)
    refusing = [name for name in lane.rules if refuses(rules[name], name, lane, now, lanes)]
    if event["action"] != "rejected" and refusing:
        event = {"action": "rejected", "at": now, "proposal": as_given(proposal, book), "faults": frozenset(refusing)}
    lane.take([event])


def refuses(rule: Rule, name: str, asking: Lane, now: int, lanes: Sequence[Lane]) -> bool:
    """Whether the rule stands against one more signal in `asking`."""
    under = [lane for lane in lanes if name in lane.rules]
    symbol = asking.name[2]
    alive = [lane.name[2] for lane in under if lane.alive is not None]
    ended = [(lane.name[2], event) for lane in under for event in lane.events if event["action"] == "closed"]
    today = sum(event["pnl"]["percentage"] for _, event in ended if event["at"] // DAY == now // DAY)
    rests = any(where == symbol and now < event["at"] + rule.cooldown_minutes * MINUTE for where, event in ended)
    crowded = any(
        symbol in symbols and sum(where in symbols for where in alive) >= most for symbols, most in rule.groups
    )
    return bool(
        (rule.max_open and len(alive) >= rule.max_open)
        or (rule.max_per_symbol and alive.count(symbol) >= rule.max_per_symbol)
        or (rule.max_daily_loss and today <= -rule.max_daily_loss)
        or (rule.cooldown_minutes and rests)
        or crowded
    )
