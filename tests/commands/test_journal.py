"""`tickfold journal`: what there is, what stands in it, whether it is sound; and it never changes a byte."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands import damage
from tests.commands.typing_commands import Files, Typed
from tickfold_eventstore import Store, Stream
from tickfold_projections.active_signal import recover

DOWNS, UPS, UPS_B = "sim-7/downs/A", "sim-7/ups/A", "sim-7/ups/B"


def contents(data_dir: Path) -> dict[str, tuple[bytes, int]]:
    return {str(path): (path.read_bytes(), path.stat().st_mtime_ns) for path in data_dir.rglob("*") if path.is_file()}


@pytest.fixture(autouse=True)
def _not_a_byte_changes(journals: Path) -> Iterator[None]:
    before = contents(journals)
    yield
    assert contents(journals) == before


@pytest.fixture
def hurt(journals: Path, tmp_path: Path) -> Path:
    """A copy to be damaged."""
    return damage.copy_of(journals, tmp_path / "hurt")


def test_ls_gives_a_line_a_stream(type_: Typed, journals: Path) -> None:
    said = type_("journal", "ls", "--data-dir", journals)
    assert said.code == 0
    head, *lines = said.out.splitlines()
    assert head.split("  ")[0] == "STREAM"
    assert [line.split()[0] for line in lines] == [DOWNS, UPS, UPS_B]
    assert [line.split()[-1] for line in lines] == ["nobody"] * 3
    _, *only = type_("journal", "ls", "--symbol", "B", "--data-dir", journals).out.splitlines()
    assert [line.split() for line in only] == [lines[2].split()]


def test_ls_as_json_says_what_the_store_says(type_: Typed, journals: Path) -> None:
    rows = type_("journal", "ls", "--data-dir", journals, "--json").document["streams"]
    store = Store(journals)
    assert [Stream(row["exchange"], row["strategy"], row["symbol"]) for row in rows] == store.streams()
    for row, stream in zip(rows, store.streams(), strict=True):
        reader = store.reader(stream)
        found = recover(record.events for record in reader.read_backwards())
        assert (row["seq"], row["hash"]) == reader.head()
        assert (row["at"], row["state_seq"]) == (found.at, found.state.seq)
        assert row["bytes"] == damage.segment(journals, str(stream)).stat().st_size
        assert (row["holder"], row["damage"]) == (None, None)


def test_show_prints_the_events_of_the_streams_that_are_meant(type_: Typed, journals: Path) -> None:
    shown = type_("journal", "show", "--data-dir", journals, "--json").events
    store = Store(journals)
    assert [event["seq"] for event in shown] == [
        event.seq for stream in store.streams() for event in store.reader(stream).read()
    ]
    only = type_("journal", "show", "--data-dir", journals, "--strategy", "ups", "--symbol", "A", "--json").events
    assert only == [event for event in shown if (event["strategy"], event["symbol"]) == ("ups", "A")]
    lines = type_("journal", "show", "--data-dir", journals).out.splitlines()
    assert len(lines) == len(shown)
    assert "long at " in lines[-2]


def test_a_flat_event_has_every_field(type_: Typed, journals: Path) -> None:
    by_action = {event["action"]: event for event in type_("journal", "show", "--data-dir", journals, "--json").events}
    always = {"action", "seq", "at", "recorded_at", "exchange", "strategy", "symbol", "ticks"}
    assert {action: set(event) - always for action, event in by_action.items()} == {
        "started": {"version", "config_hash", "strategy_hash", "state_seq", "recovered"},
        "scheduled": {"signal"},
        "cancelled": {"signal", "reason"},
        "opened": {"signal", "price"},
        "closed": {"signal", "price", "reason", "pnl"},
        "stopped": {"reason", "price", "state_seq"},
    }
    assert all(always <= set(event) for event in by_action.values())


def test_verify_finds_what_is_sound_sound(type_: Typed, journals: Path) -> None:
    said = type_("journal", "verify", "--data-dir", journals)
    assert (said.code, said.err) == (0, "")
    assert [line.split(": ")[:2] for line in said.out.splitlines()] == [
        [stream, "sound"] for stream in (DOWNS, UPS, UPS_B)
    ]
    document = type_("journal", "verify", "--data-dir", journals, "--json").document
    assert [row["sound"] for row in document["streams"]] == [True] * 3
    assert [row["next"] for row in document["streams"]] == [None] * 3


def test_rot_in_the_last_record_means_that_live_does_not_start(type_: Typed, hurt: Path) -> None:
    store = Store(hurt)
    last = store.reader(Stream("sim-7", "ups", "A")).head().seq
    damage.flip(damage.segment(hurt, UPS), -1)
    before = contents(hurt)
    said = type_("journal", "verify", "--data-dir", hurt)
    assert said.code == 3
    sound, bad, what, means, next_, other = said.out.splitlines()
    assert (sound.split(": ")[1], bad, other.split(": ")[1]) == ("sound", f"{UPS}: DAMAGED", "sound")
    assert f"the last good event is {last - 1}" in what
    assert "00000000000000000001.jsonl" in what
    assert f"`live` does not start this stream; after event {last - 1}, the last that is sound: " in means
    repair = next_.split("next:  tickfold ")[1].split()
    assert type_(*repair).code == 3
    assert contents(hurt) == before


def test_rot_further_back_leaves_the_live_state_as_it_is(type_: Typed, hurt: Path) -> None:
    damage.flip(damage.segment(hurt, UPS), 4)
    document = type_("journal", "verify", "--data-dir", hurt, "--strategy", "ups", "--symbol", "A", "--json").document
    (row,) = document["streams"]
    assert (row["sound"], row["seq"]) == (False, 3)
    assert {key: row["damage"][key] for key in ("error", "segment", "last_good_seq")} == {
        "error": "corrupt",
        "segment": "00000000000000000001.jsonl",
        "last_good_seq": 3,
    }
    assert row["live"]["damage"] is None
    assert row["live"]["seq"] > 3
    newest = next(Store(hurt).reader(Stream("sim-7", "ups", "A")).read_backwards())
    assert row["live"]["at"] == newest.events[-1].at
    said = type_("journal", "verify", "--data-dir", hurt)
    assert said.code == 3
    assert "the live state is known all the same, and `live` goes on from it: " in said.out


def test_a_follower_of_nothing_but_damage_ends(type_: Typed, hurt: Path) -> None:
    damage.flip(damage.segment(hurt, UPS), 4)
    words = ("--strategy", "ups", "--symbol", "A", "--data-dir", hurt)
    assert type_("replay", "--follow", *words) == type_("replay", *words)


@pytest.mark.parametrize("command", [("journal", "show"), ("replay",), ("replay", "--merge")])
def test_a_damaged_stream_does_not_keep_a_reader_from_the_others(
    type_: Typed, hurt: Path, command: tuple[str, ...]
) -> None:
    whole = type_(*command, "--data-dir", hurt)
    damage.flip(damage.segment(hurt, UPS), 4)
    said = type_(*command, "--data-dir", hurt)
    assert said.code == 3
    assert f"tickfold: {UPS} is damaged in 00000000000000000001.jsonl at byte " in said.err
    assert said.err.count("\n") == 1
    kept = set(said.out.splitlines())
    assert kept < set(whole.out.splitlines())
    for stream, missing in ((DOWNS, False), (UPS_B, False), (UPS, True)):
        lines = [line for line in whole.out.splitlines() if stream in line]
        assert (not set(lines) <= kept) is missing


def test_a_document_is_whole_where_a_stream_is_damaged(type_: Typed, hurt: Path) -> None:
    damage.flip(damage.segment(hurt, UPS_B), 4)
    said = type_("replay", "--json", "--data-dir", hurt)
    assert said.code == 3
    assert [step["event"]["seq"] for step in said.document["events"] if step["event"]["symbol"] == "B"] == [1, 2, 3]
    rows = type_("journal", "ls", "--json", "--data-dir", hurt)
    assert rows.code == 0
    damage.flip(damage.segment(hurt, UPS_B), -1)
    rows = type_("journal", "ls", "--json", "--data-dir", hurt)
    assert rows.code == 3
    assert [row["state"] is None for row in rows.document["streams"]] == [False, False, True]
    assert "unknown: see `tickfold journal verify`" in type_("journal", "ls", "--data-dir", hurt).out


def test_a_report_over_a_damaged_journal_is_refused_as_a_whole(type_: Typed, hurt: Path) -> None:
    damage.flip(damage.segment(hurt, UPS), 4)
    said = type_("report", "ups", "--data-dir", hurt)
    assert (said.code, said.out) == (3, "")
    assert f"tickfold: {UPS} is damaged in " in said.err
    assert type_("report", "ups", "--symbol", "B", "--data-dir", hurt).code == 0


def test_a_later_format_is_no_damage_and_says_what_it_needs(type_: Typed, hurt: Path) -> None:
    damage.of_a_later_version(damage.segment(hurt, UPS))
    needed = f"{UPS} holds a journal of format version 99, which this version cannot read; it needs a later Tickfold"
    for command in (("journal", "show"), ("replay",), ("report", "ups"), ("journal", "ls")):
        said = type_(*command, "--data-dir", hurt)
        assert said.code == 1
        assert said.err == f"tickfold: {needed}\n"
    said = type_("journal", "verify", "--data-dir", hurt)
    assert said.code == 1
    assert f"{UPS}: TOO NEW\n       what:  {needed}\n" in said.out
    assert "next:  pip install --upgrade tickfold\n" in said.out


def test_a_reader_that_is_left_early_is_no_error(journals: Path) -> None:
    reading, writing = os.pipe()
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "tickfold.cli", "journal", "show", "--data-dir", str(journals)],
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        os.close(writing)
        os.close(reading)
        _, err = process.communicate()
    assert (process.returncode, err) == (0, "")


@pytest.mark.skipif(shutil.which("jq") is None, reason="jq is not installed")
def test_jq_reads_a_segment_as_it_lies_there(journals: Path) -> None:
    path = damage.segment(journals, UPS)
    done = subprocess.run(
        ["jq", "-c", ".events[]? | [.action, .signal.position, .pnl.percentage]", str(path)],
        capture_output=True,
        text=True,
        check=True,
    )
    events = list(Store(journals).reader(Stream("sim-7", "ups", "A")).read())
    assert [json.loads(line)[0] for line in done.stdout.splitlines()] == [event.action for event in events]


def test_who_holds_a_stream_is_shown(files: Files, type_: Typed, journals: Path) -> None:
    data_dir = damage.copy_of(journals, files.data)
    stream = Stream("sim-7", "ups", "A")
    journal, found = Store(data_dir).open(stream, recover)
    try:
        assert journal.head.seq == found.seq
        row = type_("journal", "ls", "--symbol", "A", "--strategy", "ups", "--json").document["streams"][0]
        assert row["holder"].startswith(f"pid {os.getpid()} on ")
        assert f"held by pid {os.getpid()}" in type_("journal", "verify", "--symbol", "A").out
    finally:
        journal.close()
