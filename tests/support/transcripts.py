"""Golden transcripts: candles in, events out, as a trader would tell it. This module reads them.

    # One sentence that says what is shown.
    rule: where the rule stands            policy: pessimistic | backtest_kit      interval: 1m
    lookback: 1m=6 5m=2                    entry_timeout: 3 (minutes)              costs: fee=0 slippage=0
    frame: 00:10 00:20 (from, to)          limits: off (the checks that configuration can switch off)

    00:00 x5  100 100 100 100  1           five candles from 00:00: open high low close  volume
      sees price=100 average=100           what the strategy is shown at 00:05, where that matters
      sees 5m  00:00 100 101 99 100 5      and a window: open time, open, high, low, close, volume of each group
      ask long take_profit=110 stop_loss=95 lifetime=60     what it answers at 00:05 (entry=, note= where it likes)
      00:05 opened price=100               what that causes; `opened`, `scheduled`, `rejected FIELD …`,
                                           `cancelled REASON`, `closed REASON price= pnl=` (percent, six places)
    00:05     missing                      a candle that never came
    asked: 00:05 00:09                     every boundary at which the strategy was asked, where that matters
    end: active since 00:05                or `waiting since`, or `nothing alive`

Header lines are one a line, each with a default. A line that is not understood is an error that names it. Times are
hours and minutes from START_AT; hours go on beyond 24. An `ask` that is never put to the strategy is an error.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs

from tests.reference.simple import Policy
from tests.support.markets import MINUTE, START_AT, Candle

Event = dict[str, Any]
CANDLE = re.compile(r"(\d\d:\d\d)(?: x(\d+))?\s+(.+)")
FIELD = re.compile(r'(\w+)=("[^"]*"|\S+)')


@attrs.frozen
class Ask:
    """What a strategy proposes at one slot."""

    position: str
    take_profit: float
    stop_loss: float
    lifetime: float
    entry: float | None = None
    note: str = ""


@attrs.frozen
class Sight:
    """What a strategy must have been shown at a boundary: two prices, or a window as rows."""

    at: int
    prices: dict[str, float] = attrs.field(factory=dict)
    interval: str = ""
    rows: tuple[Candle, ...] = ()


@attrs.define
class Transcript:
    """One story: its settings, its candles, and all that must come of them."""

    name: str
    policy: Policy = "pessimistic"
    interval: str = "1m"
    lookback: dict[str, int] = attrs.field(factory=dict)
    costs: dict[str, float] = attrs.field(factory=dict)
    entry_timeout: int = 120
    limits: str = "on"
    frame: tuple[int, int] | None = None
    candles: list[Candle] = attrs.field(factory=list)
    asks: dict[int, Ask] = attrs.field(factory=dict)
    sights: list[Sight] = attrs.field(factory=list)
    events: list[Event] = attrs.field(factory=list)
    asked: list[int] | None = None
    end: str = ""


def read_transcript(path: Path) -> Transcript:
    """The transcript in a file; ValueError names the file, the line and what is wrong with it."""
    reader = Reading(Transcript(path.stem))
    for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
        try:
            reader.take(line)
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{path.name}, line {number}: {line!r}: {error}") from error
    if not reader.story.end:
        raise ValueError(f"{path.name}: no line says how it ends")
    return reader.story


@attrs.define
class Reading:
    """A transcript as far as it has been read: the boundary reached, the last ask and what is alive."""

    story: Transcript
    at: int = 0
    ask: Ask | None = None
    alive: Event | None = None

    def take(self, line: str) -> None:
        if not line.strip() or line.startswith("#"):
            return
        if line.startswith("  "):
            self.take_happening(*line.split(maxsplit=1))
        elif candle := CANDLE.fullmatch(line):
            self.take_candles(candle[1], int(candle[2] or 1), candle[3])
        else:
            self.take_setting(*line.split(": ", maxsplit=1))

    def take_setting(self, name: str, value: str) -> None:
        story = self.story
        match name:
            case "rule":
                pass
            case "policy":
                story.policy = policy_of(value)
            case "interval" | "limits" | "end":
                setattr(story, name, value)
            case "entry_timeout":
                story.entry_timeout = int(value)
            case "lookback":
                story.lookback = {interval: int(count) for interval, count in FIELD.findall(value)}
            case "costs":
                story.costs = {field: float(amount) for field, amount in FIELD.findall(value)}
            case "frame":
                first, last = value.split()
                story.frame = time_of(first), time_of(last)
            case "asked":
                story.asked = [time_of(text) for text in value.split()]
            case _:
                raise ValueError("no such setting")

    def take_candles(self, first: str, count: int, values: str) -> None:
        time = time_of(first)
        if self.at and time != self.at:
            raise ValueError(f"the candle before closed at {clock_of(self.at)}")
        self.at = time + count * MINUTE
        if values == "missing":
            return
        opened, high, low, close, volume = (float(value) for value in values.split())
        for number in range(count):
            self.story.candles.append((time + number * MINUTE, opened, high, low, close, volume))

    def take_happening(self, first: str, rest: str) -> None:
        if first == "ask":
            position, levels = rest.split(maxsplit=1)
            self.ask = Ask(position, **dict(ask_fields(levels)))
            self.story.asks[self.at] = self.ask
        elif first == "sees":
            self.story.sights.append(sight_of(rest, self.at))
        elif time_of(first) != self.at:
            raise ValueError(f"the candle above closes at {clock_of(self.at)}")
        else:
            action, _, details = rest.partition(" ")
            self.add(action, details)

    def add(self, action: str, details: str) -> None:
        fields = {name: float(value) for name, value in FIELD.findall(details)}
        event: Event = {"seq": len(self.story.events) + 1, "action": action, "at": self.at}
        match action:
            case "rejected":
                event |= {"proposal": proposal_of(self.asking()), "faults": frozenset(details.split())}
            case "scheduled":
                entry = self.asking().entry
                event["signal"] = self.alive = signal_of(self.asking(), entry, scheduled_at=self.at, opened_at=None)
            case "opened":
                waited = self.alive["scheduled_at"] if self.alive else None
                signal = signal_of(self.asking(), fields["price"], scheduled_at=waited, opened_at=self.at)
                event |= {"signal": signal, "price": fields["price"]}
                self.alive = signal
            case "cancelled":
                event |= {"signal": self.alive, "reason": details}
                self.alive = None
            case "closed":
                event |= self.closing(details.split(maxsplit=1)[0], fields)
                self.alive = None
            case _:
                raise ValueError("no such event")
        self.story.events.append(event)

    def asking(self) -> Ask:
        if self.ask is None:
            raise ValueError("nothing was asked before")
        return self.ask

    def closing(self, reason: str, fields: dict[str, float]) -> Event:
        if self.alive is None:
            raise ValueError("nothing is alive")
        pnl = {"percentage": fields["pnl"], "entry": self.alive["entry"], "exit": fields["price"]}
        return {"signal": self.alive, "price": fields["price"], "reason": reason, "pnl": pnl}


def policy_of(text: str) -> Policy:
    match text:
        case "pessimistic" | "backtest_kit":
            return text
        case _:
            raise ValueError("no such policy")


def time_of(text: str) -> int:
    hours, minutes = text.split(":")
    return START_AT + (int(hours) * 60 + int(minutes)) * MINUTE


def clock_of(time: int) -> str:
    minutes = (time - START_AT) // MINUTE
    return f"{minutes // 60:02}:{minutes % 60:02}"


def ask_fields(text: str) -> Iterator[tuple[str, Any]]:
    for name, value in FIELD.findall(text):
        if name != "note":
            yield name, float(value)
        elif "*" in value:
            letter, count = value.split("*")
            yield name, letter * int(count)
        else:
            yield name, value.strip('"')


def sight_of(text: str, at: int) -> Sight:
    if "=" in text:
        return Sight(at, prices={name: float(value) for name, value in FIELD.findall(text)})
    interval, *words = text.split()
    groups = [words[start : start + 6] for start in range(0, len(words), 6)]
    rows = tuple(
        (time_of(time), float(o), float(h), float(low), float(c), float(v)) for time, o, h, low, c, v in groups
    )
    return Sight(at, interval=interval, rows=rows)


def signal_of(ask: Ask, entry: float | None, *, scheduled_at: int | None, opened_at: int | None) -> Event:
    return {
        "position": ask.position,
        "entry": entry,
        "take_profit": ask.take_profit,
        "stop_loss": ask.stop_loss,
        "lifetime_minutes": int(ask.lifetime),
        "note": ask.note,
        "scheduled_at": scheduled_at,
        "opened_at": opened_at,
    }


def proposal_of(ask: Ask) -> Event:
    numbers = {
        "entry": ask.entry,
        "take_profit": ask.take_profit,
        "stop_loss": ask.stop_loss,
        "lifetime_minutes": ask.lifetime,
    }
    text = {"nan", "inf", "-inf"}
    as_json = {name: str(value) if str(value) in text else value for name, value in numbers.items()}
    return {"position": ask.position, **as_json, "note": ask.note[:1000]}
