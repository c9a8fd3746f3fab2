"""`tickfold replay`: every event with the state after it, the state at a place, all streams in one order."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.commands import damage
from tests.commands.typing_commands import Files, Typed
from tickfold_eventstore import Store, Stream
from tickfold_eventstore.events import Event, Started, Stopped
from tickfold_projections.active_signal import FLAT, Flat, Holding, State, evolve

ONE = ("--strategy", "ups", "--symbol", "A")


def events_of(data_dir: Path, strategy: str, symbol: str) -> list[Event]:
    return list(Store(data_dir).reader(Stream("sim-7", strategy, symbol)).read())


def test_each_event_stands_with_the_state_after_it(type_: Typed, journals: Path) -> None:
    steps = type_("replay", *ONE, "--json", "--data-dir", journals).document["events"]
    events = events_of(journals, "ups", "A")
    states: list[State] = [FLAT]
    for event in events:
        states.append(evolve(states[-1], event))
    assert [step["event"]["seq"] for step in steps] == [event.seq for event in events]
    assert [(step["state"], step["state_seq"]) for step in steps] == [
        ("flat" if isinstance(state, Flat) else "active", state.seq) for state in states[1:]
    ]
    lines = type_("replay", *ONE, "--data-dir", journals).out.splitlines()
    assert len(lines) == 2 * len(events)
    assert all(line.lstrip().startswith("-> ") for line in lines[1::2])


def test_without_merge_stream_follows_stream(type_: Typed, journals: Path) -> None:
    steps = type_("replay", "--json", "--data-dir", journals).document["events"]
    order = [(step["event"]["strategy"], step["event"]["symbol"], step["event"]["seq"]) for step in steps]
    assert order == sorted(order)


def test_merge_orders_by_at_then_recorded_at_then_stream_and_never_against_seq(type_: Typed, journals: Path) -> None:
    steps = [step["event"] for step in type_("replay", "--merge", "--json", "--data-dir", journals).document["events"]]
    key = [(step["at"], step["recorded_at"], step["strategy"], step["symbol"]) for step in steps]
    assert key == sorted(key)
    for strategy, symbol in (("ups", "A"), ("ups", "B"), ("downs", "A")):
        mine = [step["seq"] for step in steps if (step["strategy"], step["symbol"]) == (strategy, symbol)]
        assert mine == [event.seq for event in events_of(journals, strategy, symbol)]


def test_merge_keeps_the_order_of_seq_where_a_clock_went_back(files: Files, type_: Typed) -> None:
    for symbol, times in (("A", (500, 100, 300)), ("B", (200, 400, 600))):
        stream = Stream("x", "s", symbol)
        journal, _ = Store(files.data).open(stream, list)
        for seq, recorded_at in enumerate(times, 1):
            envelope: dict[str, Any] = {"seq": seq, "at": 60_000, "recorded_at": recorded_at, **stream._asdict()}
            begins: dict[str, Any] = {"version": "0", "config_hash": "", "strategy_hash": "", "recovered": None}
            event = (
                Started(**envelope, **begins, state_seq=0)
                if seq % 2
                else Stopped(**envelope, reason="", price=None, state_seq=0)
            )
            journal.append((event,), expected_seq=seq - 1)
        journal.close()
    assert "late" not in type_("journal", "show").out
    steps = [step["event"] for step in type_("replay", "--merge", "--json").document["events"]]
    assert [(step["symbol"], step["recorded_at"]) for step in steps] == [
        *[("B", 200), ("B", 400), ("A", 500), ("A", 100), ("A", 300), ("B", 600)]
    ]


def test_what_was_recorded_late_says_so_to_people(files: Files, type_: Typed) -> None:
    stream = Stream("x", "s", "A")
    journal, _ = Store(files.data).open(stream, list)
    for seq, delay in enumerate((60_000, 60_001), 1):
        envelope: dict[str, Any] = {"seq": seq, "at": 120_000, "recorded_at": 120_000 + delay, **stream._asdict()}
        journal.append((Stopped(**envelope, reason="ended", price=None, state_seq=0),), expected_seq=seq - 1)
    journal.close()
    assert type_("journal", "show").out.splitlines() == [
        "1970-01-01T00:02:00Z      1  stopped    x/s/A  ended",
        "1970-01-01T00:02:00Z      2  stopped    x/s/A  ended  (late: recorded at 1970-01-01T00:03:00.001Z)",
    ]


def test_the_state_at_a_seq_and_at_a_time(type_: Typed, journals: Path) -> None:
    events = events_of(journals, "ups", "A")
    opened = next(event for event in events if event.action == "opened")
    words = ("replay", *ONE, "--json", "--data-dir", journals, "--at")

    def state(place: object) -> tuple[object, ...]:
        (row,) = type_(*words, place).document["streams"]
        return row["seq"], row["at"], row["state"], row["state_seq"]

    assert state(0) == (0, None, "flat", 0)
    assert state(1) == (1, events[0].at, "flat", 0)
    assert state(opened.seq) == (opened.seq, opened.at, "active", opened.seq)
    assert state(f"@{opened.at}")[2:] == ("active", opened.seq)
    assert state(f"@{opened.at - 1}") == (1, events[0].at, "flat", 0)
    assert state("2019-01-01") == (0, None, "flat", 0)
    assert state("2030-01-01")[:2] == (events[-1].seq, events[-1].at)
    said = type_("replay", *ONE, "--data-dir", journals, "--at", opened.seq)
    assert isinstance(evolve(FLAT, opened), Holding)
    assert said.out.startswith(f"sim-7/ups/A after event {opened.seq} of 2020-01-01T01:00:00Z: active since event ")


def test_the_state_before_damage_can_be_seen(files: Files, type_: Typed, journals: Path) -> None:
    words = ("replay", *ONE, "--at", "3", "--data-dir")
    damage.copy_of(journals, files.data)
    damage.flip(damage.segment(files.data, "sim-7/ups/A"), 4)
    assert type_(*words, files.data) == type_(*words, journals)
    assert type_("replay", *ONE, "--at", "4", "--data-dir", files.data).code == 3


def test_a_seq_that_is_not_there_is_a_usage_error(type_: Typed, journals: Path) -> None:
    last = len(events_of(journals, "ups", "A"))
    said = type_("replay", *ONE, "--data-dir", journals, "--at", last + 1)
    assert said == (2, "", f"tickfold: sim-7/ups/A has no event {last + 1}: it ends at event {last}\n")


@pytest.mark.parametrize("words", [("--at", "1", "--merge"), ("--at", "1", "--follow"), ("--at", "-1"), ("--at", "x")])
def test_what_does_not_go_together_or_is_no_place_is_a_usage_error(
    type_: Typed, journals: Path, words: tuple[str, ...]
) -> None:
    said = type_("replay", "--data-dir", journals, *words)
    assert (said.code, said.out) == (2, "")


def test_what_reads_and_what_walks_recorded_candles_imports_no_ccxt(files: Files, journals: Path) -> None:
    files.write()
    commands = [
        *[("journal", each) for each in ("ls", "show", "verify")],
        *[("replay",), ("report", "ups"), ("report", "ups", "--format", "json"), ("report", "ups", "--format", "csv")],
    ]
    runs = [
        ("backtest", "ups.py", "--exchange", "sim:7", "--symbol", "A", "--to", "2020-01-02"),
        ("live", "ups.py", "--exchange", "sim:7", "--symbol", "A", "--to", "2020-01-02", "--clock", "replay"),
    ]
    script = (
        "import sys; from tickfold.cli import run\n"
        f"codes = [run(words) for words in {[[*words, '--data-dir', str(journals)] for words in commands]}]\n"
        f"codes += [run(words) for words in {[list(words) for words in runs]}]\n"
        "print(codes, 'ccxt' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", script], capture_output=True, text=True, check=True, cwd=files.folder
    )
    assert done.stdout.splitlines()[-1] == f"{[0] * 9} False"
