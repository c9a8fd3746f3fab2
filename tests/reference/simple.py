"""A backtest in the plainest words: the rules of the market, said a second time and without haste.

Nothing here is shared with the engine. Candles are tuples, events are dictionaries, numbers are added one after the
other. Long and short are told apart by `side` (+1, -1) alone: `side * a <= side * b` reads "a is at or beyond b, seen
from a long". What the engine words in its own way (ids, the sentences of a refusal) is left out; a refusal says which
fields are at fault.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Literal

import attrs

from tests.reference.prices import (
    CLOSE,
    HIGH,
    LOW,
    MINUTE,
    OPEN,
    TIME,
    Candle,
    Context,
    average_price,
    windows_are_full,
    without_holes,
)

Event = dict[str, Any]
Policy = Literal["pessimistic", "backtest_kit"]


@attrs.frozen
class Costs:
    """What one side of a trade costs, as fractions."""

    fee: float = 0.001
    slippage: float = 0.001


@attrs.frozen
class Limits:
    """What a proposal must keep to; a falsy limit is off."""

    break_even: bool = True
    stop_loss_percent: float = 20.0
    lifetime_minutes: int = 1440
    note_characters: int = 1000


@attrs.frozen
class Proposal:
    """What a strategy returns to this backtest."""

    position: str
    take_profit: float
    stop_loss: float
    lifetime: timedelta | float
    entry: float | None = None
    note: str = ""

    @classmethod
    def long(cls, **fields: Any) -> Proposal:
        return cls("long", **fields)

    @classmethod
    def short(cls, **fields: Any) -> Proposal:
        return cls("short", **fields)


Strategy = Callable[[Any], Any]


@attrs.frozen
class Rules:
    """Everything that may be set from outside."""

    policy: Policy
    costs: Costs
    limits: Limits
    entry_timeout_minutes: int


def simulate(
    candles: Sequence[Candle],
    strategy: Strategy,
    interval_minutes: int,
    lookback: Mapping[str, int],
    *,
    policy: Policy = "pessimistic",
    costs: Costs = Costs(),
    limits: Limits = Limits(),
    entry_timeout_minutes: int = 120,
    start: int = 0,
    end: int | None = None,
    symbol: str = "BTCUSDT",
) -> list[Event]:
    """Every event of a backtest over all candles, in order; `seq` is dense from 1, times are ms.

    Handled are the boundaries in [start, end); what lies before serves as lookback. A refusal
    carries `faults`, the set of field names that are wrong, in place of `reasons`.
    """
    rules = Rules(policy, costs, limits, entry_timeout_minutes)
    whole = without_holes(candles)
    events: list[Event] = []
    alive: Event | None = None
    for index in range(4, len(whole)):
        now = whole[index][TIME] + MINUTE
        if now < start or not windows_are_full(whole[0][TIME], lookback, now):
            continue
        if end is not None and now >= end:
            break
        candle = whole[index]
        average = average_price(whole[index - 4 : index + 1])
        if alive is not None:
            happened = watch(alive, candle, average, rules)
            events += happened
            alive = alive_after(happened, alive)
        if alive is None and now % (interval_minutes * MINUTE) == 0:
            price = candle[CLOSE] if policy == "pessimistic" else average
            proposal = strategy(Context(symbol, now, price, average, whole[: index + 1], lookback))
            if proposal is not None:
                happened = [answer(proposal, now, price, rules)]
                events += happened
                alive = alive_after(happened, alive)
    return [{"seq": seq, **event} for seq, event in enumerate(events, start=1)]


def alive_after(happened: Sequence[Event], before: Event | None) -> Event | None:
    """The signal that the last event leaves alive, if any."""
    if not happened:
        return before
    last = happened[-1]
    return last["signal"] if last["action"] in ("scheduled", "opened") else None


# Answering a proposal


def side_of(position: str) -> int:
    return 1 if position == "long" else -1


def answer(proposal: Any, now: int, price: float, rules: Rules) -> Event:
    """The one event with which a proposal is met: scheduled, opened or rejected."""
    side = side_of(proposal.position)
    entry = proposal.entry
    reached = entry is None or (is_price(entry) and side * price <= side * entry)
    level = price if entry is None or reached else entry
    faults = faults_of(proposal, level, rules)
    if faults:
        return {"action": "rejected", "at": now, "proposal": as_given(proposal, rules), "faults": faults}
    signal = {
        "position": proposal.position,
        "entry": float(level),
        "take_profit": float(proposal.take_profit),
        "stop_loss": float(proposal.stop_loss),
        "lifetime_minutes": int(minutes_of_lifetime(proposal.lifetime)),
        "note": proposal.note,
        "scheduled_at": None if reached else now,
        "opened_at": now if reached else None,
    }
    event = {"at": now, "signal": signal}
    return {"action": "opened", **event, "price": signal["entry"]} if reached else {"action": "scheduled", **event}


def as_given(proposal: Any, rules: Rules) -> Event:
    cut = rules.limits.note_characters or len(proposal.note)
    return {
        "position": proposal.position,
        "entry": None if proposal.entry is None else in_json(proposal.entry),
        "take_profit": in_json(proposal.take_profit),
        "stop_loss": in_json(proposal.stop_loss),
        "lifetime_minutes": in_json(minutes_of_lifetime(proposal.lifetime)),
        "note": proposal.note[:cut],
    }


def in_json(value: float) -> float | str:
    """A number, or the text that stands for one that JSON lacks."""
    return value if math.isfinite(value) else str(float(value))


def minutes_of_lifetime(lifetime: timedelta | float) -> float:
    minutes = lifetime / timedelta(minutes=1) if isinstance(lifetime, timedelta) else lifetime
    return int(minutes) if math.isfinite(minutes) and minutes == int(minutes) else minutes


def is_price(value: float) -> bool:
    return math.isfinite(value) and value > 0


def faults_of(proposal: Any, level: float, rules: Rules) -> frozenset[str]:
    """The names of the fields that are wrong."""
    limits = rules.limits
    prices = {"entry": level, "take_profit": proposal.take_profit, "stop_loss": proposal.stop_loss}
    faults = {name for name, value in prices.items() if not is_price(value)}
    side = side_of(proposal.position)
    if not faults & {"entry", "take_profit"}:
        gain = side * (proposal.take_profit - level) / level * 100
        if gain <= 0 or (limits.break_even and gain < break_even_percent(side, rules.costs)):
            faults.add("take_profit")
    if not faults & {"entry", "stop_loss"}:
        risk = side * (level - proposal.stop_loss) / level * 100
        if risk <= 0 or (limits.stop_loss_percent and risk > limits.stop_loss_percent):
            faults.add("stop_loss")
    minutes = minutes_of_lifetime(proposal.lifetime)
    if not isinstance(minutes, int) or minutes < 1 or (limits.lifetime_minutes and minutes > limits.lifetime_minutes):
        faults.add("lifetime")
    if limits.note_characters and len(proposal.note) > limits.note_characters:
        faults.add("note")
    return frozenset(faults)


def break_even_percent(side: int, costs: Costs) -> float:
    """How far a target must lie from the entry for a result of zero."""
    s, f = costs.slippage, costs.fee
    ratio = (1 + side * s) * (1 + side * 2 * f) / (1 - side * s)
    return side * (ratio - 1) * 100


def result(signal: Event, price: float, costs: Costs) -> Event:
    """Net profit or loss in percent; entry and exit before slippage."""
    s = costs.slippage
    if signal["position"] == "long":
        o = signal["entry"] * (1 + s)
        c = price * (1 - s)
        percentage = (c - o) / o * 100 - 2 * costs.fee * 100
    else:
        o = signal["entry"] * (1 - s)
        c = price * (1 + s)
        percentage = (o - c) / o * 100 - 2 * costs.fee * 100
    return {"percentage": percentage, "entry": signal["entry"], "exit": price}


# Watching what is alive


def watch(signal: Event, candle: Candle, average: float, rules: Rules) -> list[Event]:
    """What one closed candle does to what is alive: nothing, one event, or a fill and a close."""
    waiting = signal["opened_at"] is None
    if rules.policy == "pessimistic":
        return watch_waiting(signal, candle, rules) if waiting else watch_active(signal, candle, rules)
    if waiting:
        return watch_waiting_like_the_kit(signal, candle, rules)
    return watch_active_like_the_kit(signal, candle, average, rules)


def closed(signal: Event, at: int, price: float, reason: str, costs: Costs) -> Event:
    pnl = result(signal, price, costs)
    return {"action": "closed", "at": at, "signal": signal, "price": price, "reason": reason, "pnl": pnl}


def cancelled(signal: Event, at: int, reason: str) -> Event:
    return {"action": "cancelled", "at": at, "signal": signal, "reason": reason}


def filled(signal: Event, at: int) -> Event:
    return {"action": "opened", "at": at, "signal": {**signal, "opened_at": at}, "price": signal["entry"]}


def seen_from(signal: Event, candle: Candle) -> tuple[int, float, float]:
    """The side, the candle's worst price for it and its best."""
    if signal["position"] == "long":
        return 1, candle[LOW], candle[HIGH]
    return -1, candle[HIGH], candle[LOW]


def watch_active(signal: Event, candle: Candle, rules: Rules) -> list[Event]:
    side, worst, best = seen_from(signal, candle)
    at = candle[TIME] + MINUTE
    stop, target = signal["stop_loss"], signal["take_profit"]
    if side * candle[OPEN] <= side * stop:
        return [closed(signal, at, candle[OPEN], "stop_loss", rules.costs)]
    if side * candle[OPEN] >= side * target:
        return [closed(signal, at, target, "take_profit", rules.costs)]
    if side * worst <= side * stop:
        return [closed(signal, at, stop, "stop_loss", rules.costs)]
    if side * best >= side * target:
        return [closed(signal, at, target, "take_profit", rules.costs)]
    if at >= signal["opened_at"] + signal["lifetime_minutes"] * MINUTE:
        return [closed(signal, at, candle[CLOSE], "time_expired", rules.costs)]
    return []


def watch_waiting(signal: Event, candle: Candle, rules: Rules) -> list[Event]:
    side, worst, best = seen_from(signal, candle)
    at = candle[TIME] + MINUTE
    entry, stop, target = signal["entry"], signal["stop_loss"], signal["take_profit"]
    if side * worst > side * entry:
        timed_out = at >= signal["scheduled_at"] + rules.entry_timeout_minutes * MINUTE
        return [cancelled(signal, at, "timeout")] if timed_out else []
    opened = filled(signal, at)
    if side * candle[OPEN] <= side * stop:
        return [opened, closed(opened["signal"], at, candle[OPEN], "stop_loss", rules.costs)]
    if side * worst <= side * stop:
        return [opened, closed(opened["signal"], at, stop, "stop_loss", rules.costs)]
    if side * best >= side * target and side * candle[OPEN] <= side * entry:
        return [opened, closed(opened["signal"], at, target, "take_profit", rules.costs)]
    return [opened]


def watch_active_like_the_kit(signal: Event, candle: Candle, average: float, rules: Rules) -> list[Event]:
    side, worst, _ = seen_from(signal, candle)
    at = candle[TIME] + MINUTE
    if candle[TIME] - signal["opened_at"] >= signal["lifetime_minutes"] * MINUTE:
        return [closed(signal, at, average, "time_expired", rules.costs)]
    if side * worst <= side * signal["stop_loss"]:
        return [closed(signal, at, signal["stop_loss"], "stop_loss", rules.costs)]
    if side * average >= side * signal["take_profit"]:
        return [closed(signal, at, signal["take_profit"], "take_profit", rules.costs)]
    return []


def watch_waiting_like_the_kit(signal: Event, candle: Candle, rules: Rules) -> list[Event]:
    side, worst, _ = seen_from(signal, candle)
    at = candle[TIME] + MINUTE
    if candle[TIME] - signal["scheduled_at"] >= rules.entry_timeout_minutes * MINUTE:
        return [cancelled(signal, at, "timeout")]
    if side * worst <= side * signal["stop_loss"]:
        return [cancelled(signal, at, "price_rejected")]
    if side * worst <= side * signal["entry"]:
        return [filled(signal, at)]
    return []
