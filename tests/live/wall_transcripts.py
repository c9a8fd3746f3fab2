"""Transcripts of the wall clock, as a trader would tell them. This module reads and performs them.

    # One sentence that says what is shown.
    interval: 5m                  lookback: 1m=6            config: settle=2000 (ms)
    strategy: async               (or plain)                shows: ticks requests (what changes nothing is left out)

    candle 10:06  100 111 99 111 5              what is not flat: open high low close volume of the minute from 10:06
    candle 10:06  100 111 99 111 5 given at 10:07:20      the exchange has it late
    candle 10:06  missing                       it never comes
    candle 10:06  missing given at 10:09        there is a hole until then
    candle 10:06  becomes 100 112 99 111 5 at 10:09       the exchange thinks better of it
    outage 10:06:30 to 10:09                    connections are refused;  `broken … to …`: the exchange answers nonsense
    answer 10:05  long take_profit=110 stop_loss=95 lifetime=60 after 30 s       what the strategy says to that slot
    answer 10:10  raises no idea                or `returns 5`

    10:04:30  start                             what somebody does, and when; time passes until then
      10:04:30  journal   started 10:03 []      what is seen of it, in order: journal, heard, error, done, strategy …

Actions: start, start and stop, stop, stop now, leave (Live closes), crash, clock is set to TIME, time passes.
In brackets behind what is journalled stand its ticks. After the last action `Live` closes, and the journal is verified.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import attrs

from tests.live.desk import Row, moment
from tests.live.stage import Line, Stage
from tickfold import Config, Signal

ACTION = re.compile(r"(\d\d:\d\d(?::\d\d)?)  (.+)")
FIELD = re.compile(r"(\w+)=(\S+)")
ORDER = {"heard": 1, "tick": 2, "error": 3, "done": 4}


@attrs.frozen
class Script:
    """A transcript as it is written: what is given, and who does what when."""

    head: list[str]
    actions: list[str]
    text: str


def read_script(path: Path) -> Script:
    text = path.read_text("utf-8")
    lines = text.splitlines()
    begin = next(number for number, line in enumerate(lines) if ACTION.fullmatch(line))
    return Script(lines[:begin], [line for line in lines[begin:] if ACTION.fullmatch(line)], text)


def stage_of(script: Script, data_dir: Path) -> Stage:
    """The stage as the head of a script sets it; ValueError names a line that says nothing known."""
    settings = dict(line.split(": ", 1) for line in script.head if re.match(r"[a-z]+: ", line))
    numbers: dict[str, Any] = {"retry_pause": 0}
    numbers |= {name: int(value) for name, value in FIELD.findall(settings.pop("config", ""))}
    shows = settings.pop("shows", "").split()
    stage = Stage(
        data_dir,
        Config(**numbers),
        interval=settings.pop("interval", "5m"),
        lookback={name: int(value) for name, value in FIELD.findall(settings.pop("lookback", ""))},
        waits=settings.pop("strategy", "plain") == "async",
        tells_ticks="ticks" in shows,
        tells_requests="requests" in shows,
    )
    if settings:
        raise ValueError(f"no such setting: {', '.join(settings)}")
    for line in script.head:
        if line and not line.startswith("#") and not re.match(r"[a-z]+: ", line):
            set_scene(stage, *line.split(maxsplit=2))
    return stage


def set_scene(stage: Stage, what: str, when: str, rest: str) -> None:
    desk = stage.desk
    match what:
        case "outage" | "broken":
            error = ConnectionError("refused") if what == "outage" else ValueError("nonsense")
            desk.outages.append((moment(when), moment(rest.removeprefix("to ")), error))
        case "answer":
            stage.part[moment(when)] = line_of(rest)
        case "candle" if rest.startswith("becomes "):
            row, at = rest.removeprefix("becomes ").split(" at ")
            desk.revisions.append((moment(when), moment(at), row_of(row)))
        case "candle":
            row, _, at = rest.partition(" given at ")
            if at:
                desk.given_at[moment(when)] = moment(at)
            if row == "missing":
                desk.missing.add(moment(when))
            else:
                desk.rows[moment(when)] = row_of(row)
        case _:
            raise ValueError(f"nothing known: {what} {when} {rest}")


def row_of(text: str) -> Row:
    opened, high, low, close, volume = (float(value) for value in text.split())
    return opened, high, low, close, volume


def line_of(text: str) -> Line:
    text, _, after = text.partition(" after ")
    wait = int(after.removesuffix(" s")) * 1000 if after else 0
    first, _, rest = text.partition(" ")
    match first:
        case "raises":
            return Line(raises=RuntimeError(rest), after=wait)
        case "returns":
            return Line(answer=int(rest), after=wait)
        case "long" | "short":
            make = Signal.long if first == "long" else Signal.short
            levels: dict[str, Any] = {name: float(value) for name, value in FIELD.findall(rest)}
            return Line(answer=make(**levels), after=wait)
        case _:
            raise ValueError(f"no such answer: {text}")


async def perform(script: Script, stage: Stage) -> str:
    """Everything that is seen when the script is played, in the form of the script."""
    told = list(script.head)
    first = ACTION.fullmatch(script.actions[0])
    assert first is not None
    stage.clock.move_to(moment(first[1]))
    try:
        for action in script.actions:
            await stage.settle()
            found = ACTION.fullmatch(action)
            assert found is not None
            await stage.until(moment(found[1]))
            told += drained(stage)
            told.append(action)
            await act(stage, found[2])
            await stage.settle()
            told += drained(stage)
    finally:
        await stage.end()
    told += drained(stage)
    assert not (journal := stage.journal()) or journal[-1].action == "stopped"
    return "\n".join(told) + "\n"


def drained(stage: Stage) -> list[str]:
    """What was seen since the last time. At one moment, what listeners hear stands last, listener by listener: each
    hears in order, and which of them comes first nobody promises."""
    lines = sorted(stage.lines, key=lambda line: (line[:9], ORDER.get(line[10:].split()[0], 0)))
    stage.lines.clear()
    return [f"  {line}" for line in lines]


async def act(stage: Stage, action: str) -> None:
    match action:
        case "start":
            await stage.start()
        case "start and stop":
            await stage.start()
            await act(stage, "stop")
        case "stop" | "stop now":
            assert stage.handle is not None
            stage.handle.stop(now=action == "stop now")
        case "leave":
            await stage.leave()
        case "crash":
            await stage.crash()
        case "time passes":
            pass
        case _ if action.startswith("clock is set to "):
            stage.clock.move_to(moment(action.removeprefix("clock is set to ")))
        case _:
            raise ValueError(f"no such action: {action}")
