"""`tickfold status`: running, stopped or died, what is alive, and who watches it."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

import pytest

from tests.commands import damage
from tests.commands.typing_commands import Files, Typed
from tickfold.cli.status import ago
from tickfold_eventstore import Journal, Store, Stream
from tickfold_eventstore.events import Opened, Started, Stopped
from tickfold_eventstore.signals import AcceptedSignal
from tickfold_projections.active_signal import recover

SIGNAL = AcceptedSignal(
    id="a",
    position="long",
    entry=100.0,
    take_profit=102.0,
    stop_loss=99.0,
    lifetime_minutes=600,
    note="",
    scheduled_at=None,
    opened_at=60_000,
)


def begun(files: Files, symbol: str, *, opens: bool = False, stops: bool = False) -> Journal:
    """A journal that is held, with a run that began, perhaps opened a signal, perhaps stopped."""
    stream = Stream("x", "s", symbol)
    journal, _ = Store(files.data).open(stream, recover)
    envelope: dict[str, Any] = {"at": 60_000, "recorded_at": 60_000, **stream._asdict()}
    journal.append(
        [Started(seq=1, **envelope, version="0", config_hash="", strategy_hash="", state_seq=0, recovered=None)],
        expected_seq=0,
    )
    if opens:
        journal.append([Opened(seq=2, **envelope, signal=SIGNAL, price=100.0)], expected_seq=1)
    if stops:
        seq = journal.head.seq
        stopped = Stopped(seq=seq + 1, **envelope, reason="stopped", price=None, state_seq=seq if opens else 0)
        journal.append([stopped], expected_seq=seq)
    return journal


def rows(type_: Typed, *words: str) -> dict[str, tuple[object, ...]]:
    found = type_("status", "--json", *words).document["streams"]
    return {each["symbol"]: (each["run"], each["state"], each["unwatched"], each["seq"]) for each in found}


def test_a_stream_runs_while_it_is_held_and_never_afterwards(files: Files, type_: Typed) -> None:
    held = begun(files, "A", opens=True)
    (told,) = type_("status", "--json").document["streams"]
    assert (told["run"], told["state"], told["unwatched"]) == ("running", "active", False)
    assert (told["holder"]["pid"], told["holder"]["host"]) == (os.getpid(), socket.gethostname())
    assert told["recorded_at"] == 60_000
    assert told["age_ms"] > 365 * 86_400_000
    line = type_("status").out.splitlines()[1]
    assert f"running (pid {os.getpid()} on " in line
    assert "active since event 2: long at 100" in line
    held.close()
    assert rows(type_) == {"A": ("died", "active", True, 2)}
    assert type_("status").out.splitlines()[1].endswith("600 min, and NOBODY WATCHES IT")


def test_each_end_of_a_run_has_its_word(files: Files, type_: Typed) -> None:
    begun(files, "A", stops=True).close()
    begun(files, "B", opens=True, stops=True).close()
    begun(files, "C").close()
    assert rows(type_) == {
        "A": ("stopped", "flat", False, 2),
        "B": ("stopped", "active", True, 3),
        "C": ("died", "flat", False, 1),
    }
    assert set(rows(type_, "--symbol", "B")) == {"B"}
    # A script asks with --check; without, looking is no error.
    assert type_("status").code == 0
    assert type_("status", "--check").code == 1
    assert type_("status", "--check", "--symbol", "A").code == 0


def test_a_damaged_stream_is_no_stopped_one(files: Files, type_: Typed, journals: Path) -> None:
    damage.copy_of(journals, files.data)
    damage.flip(damage.segment(files.data, "sim-7/ups/A"), -1)
    said = type_("status", "--json", "--strategy", "ups")
    assert said.code == 3
    assert [(each["symbol"], each["run"], each["state"]) for each in said.document["streams"]] == [
        ("A", "unreadable", None),
        ("B", "stopped", said.document["streams"][1]["state"]),
    ]
    assert "sim-7/ups/A is damaged" in said.err
    assert "unknown: see `tickfold journal verify`" in type_("status").out


def test_without_a_journal_it_says_so(files: Files, type_: Typed) -> None:
    assert type_("status").code == 1
    files.data.mkdir()
    assert type_("status") == (0, "", "tickfold: there is no journal in data yet\n")


@pytest.mark.parametrize(
    ("age", "told"),
    [
        (-1, "in the future: see to the clock"),
        (999, "0 s ago"),
        (59_999, "59 s ago"),
        (60_000, "1 min ago"),
        (3_600_000, "1 h ago"),
        (86_400_000 * 3, "3 d ago"),
    ],
)
def test_an_age_is_told_in_its_largest_unit(age: int, told: str) -> None:
    assert ago(age) == told
