"""Transcripts of several streams under risk rules, as a trader would tell them. This module reads them.

    # One sentence that says what is shown.
    rule one: max_open=1                        a rule and its limits (group=A+B:1 for a group of symbols)
    stream hand/A: one                          a strategy, a symbol, and the rules that judge it (or: none)
    candle A 00:07  100 111 99 104              what is not flat at 100: open high low close of the minute from 00:07
    until: 00:12                                the last boundary; the first is 00:05

    00:05 hand/A asks long take_profit=110 stop_loss=95 lifetime=60       what a strategy proposes at a slot
      opened                                                              what becomes of it
    00:08 hand/A
      closed take_profit                                                  what else happens, in order of time and stream

A refusal names the rules that refuse: `rejected one two`. Without a name it is for a fault of the proposal itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from tests.reference.together import Name, Rule
from tests.support.facts import SPOKEN
from tests.support.markets import MINUTE, START_AT, Market
from tests.support.strategies import Case
from tests.support.together import EXCHANGE

HAPPENS = re.compile(r"(\d\d:\d\d) (\w+)/(\w+)(?: asks (long|short) (.+))?")
FIELD = re.compile(r"(\w+)=(\S+)")
Happening = tuple[str, str, str]
"""When, in which stream (`hand/A`), and what."""


@attrs.define
class Story:
    """What a transcript gives, and all that must come of it."""

    rules: dict[str, Rule] = attrs.field(factory=dict)
    streams: dict[str, list[str]] = attrs.field(factory=dict)
    rows: dict[tuple[str, int], tuple[float, float, float, float]] = attrs.field(factory=dict)
    asks: dict[tuple[str, int], tuple[str, dict[str, float]]] = attrs.field(factory=dict)
    until: int = 0
    happens: list[Happening] = attrs.field(factory=list)

    def market(self, symbol: str) -> Market:
        """The symbol's candles: flat at 100, or at the last close, but where a row stands."""
        candles, close = [], 100.0
        for time in range(START_AT, self.until, MINUTE):
            opened, high, low, close = self.rows.get((symbol, time), (close, close, close, close))
            candles.append((time, opened, high, low, close, 1.0))
        return Market(symbol, tuple(candles))

    def case(self, strategy: str) -> Case:
        """What the strategy proposes in each of its symbols."""

        def make(proposing: Any) -> Any:
            def ask(ctx: Any) -> Any:
                found = self.asks.get((f"{strategy}/{ctx.symbol}", ctx.now))
                return None if found is None else getattr(proposing, found[0])(**found[1])

            return ask

        return Case(strategy, "1m", {}, make)


def read_story(path: Path) -> Story:
    """The story in a file; ValueError names the line that is not understood."""
    story, at, stream = Story(), "", ""
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        found = HAPPENS.fullmatch(line)
        if not line or line.startswith("#"):
            continue
        if line.startswith("  "):
            story.happens.append((at, stream, line.strip()))
        elif found:
            at, stream = found[1], f"{found[2]}/{found[3]}"
            if found[4]:
                levels = {name: float(value) for name, value in FIELD.findall(found[5])}
                story.asks[stream, moment(at)] = found[4], levels
        elif not take_setting(story, line):
            raise ValueError(f"{path.name}, line {number}: {line!r} is not understood")
    return story


def take_setting(story: Story, line: str) -> bool:
    what, _, rest = line.partition(": ")
    match what.split():
        case ["rule", name]:
            story.rules[name] = rule_of(dict(FIELD.findall(rest)))
        case ["stream", name]:
            story.streams[name] = [] if rest == "none" else rest.split()
        case ["until"]:
            story.until = moment(rest)
        case ["candle", symbol, time, *row]:
            opened, high, low, close = (float(value) for value in row)
            story.rows[symbol, moment(time)] = opened, high, low, close
        case _:
            return False
    return True


def rule_of(limits: Mapping[str, str]) -> Rule:
    groups = []
    if "group" in limits:
        symbols, most = limits["group"].split(":")
        groups.append((frozenset(symbols.split("+")), int(most)))
    numbers = {name: float(value) for name, value in limits.items() if name != "group"}
    rule = Rule(
        max_open=int(numbers.pop("max_open", 0)),
        max_per_symbol=int(numbers.pop("max_per_symbol", 0)),
        cooldown_minutes=int(numbers.pop("cooldown", 0)),
        max_daily_loss=numbers.pop("max_daily_loss", 0.0),
        groups=groups,
    )
    if numbers:
        raise ValueError(f"no such limits: {', '.join(numbers)}")
    return rule


def moment(text: str) -> int:
    hours, minutes = text.split(":")
    return START_AT + (int(hours) * 60 + int(minutes)) * MINUTE


def happened(events: Mapping[Name, list[dict[str, Any]]]) -> list[Happening]:
    """Events as the lines of a transcript: in order of time, at one time those that settle, then answers by stream."""
    lines = []
    for (exchange, strategy, symbol), facts in events.items():
        assert exchange == EXCHANGE
        for fact in facts:
            minutes = (fact["at"] - START_AT) // MINUTE
            when = f"{minutes // 60:02}:{minutes % 60:02}"
            order = (fact["at"], answers(fact), strategy, symbol, fact["seq"])
            lines.append((order, (when, f"{strategy}/{symbol}", said(fact))))
    return [line for _, line in sorted(lines)]


def answers(fact: Mapping[str, Any]) -> bool:
    """Whether the event answers a slot, rather than settling what was alive."""
    waited = fact.get("signal", {}).get("scheduled_at")
    return fact["action"] in {"rejected", "scheduled"} or (fact["action"] == "opened" and waited is None)


def said(fact: Mapping[str, Any]) -> str:
    if fact["action"] == "rejected":
        spoken = {reason.split()[2].strip(":") for reason in fact.get("reasons", ()) if reason.startswith("risk rule")}
        return " ".join(["rejected", *sorted(spoken | (fact.get("faults", frozenset()) - SPOKEN.keys()))])
    return " ".join([fact["action"], *([fact["reason"]] if "reason" in fact else [])])
