"""Signals, to real processes on the wall clock: Ctrl-C once and twice, SIGTERM, SIGKILL, and a second writer."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.commands.typing_commands import REPLAYED, STRATEGY, TWO, Files, Typed, start
from tickfold_eventstore import Store, Stream
from tickfold_eventstore.events import Event, Opened, Started, Stopped
from tickfold_eventstore.signals import AcceptedSignal
from tickfold_projections.active_signal import recover

MINUTE = 60_000
STREAM = Stream("flat", "ups", "A")
FLAT = """
from tickfold import exchange, strategy

@strategy("ups")
def ups(ctx):
    return None

def flat(symbol, start, end):
    return [(time, 100.0, 100.0, 100.0, 100.0, 1.0) for time in range(start, end, 60_000)]

exchange("flat", flat)
"""
LIVE = ("live", "ups.py", "--symbol", "A", "--json")


class Running:
    """A live run that has begun."""

    def __init__(self, files: Files) -> None:
        self.process = start(*LIVE, cwd=files.folder)
        assert self.process.stdout is not None
        self.started: dict[str, Any] = json.loads(self.process.stdout.readline())

    def ends(self) -> tuple[int, list[dict[str, Any]], str]:
        """Its exit code, what it told after it had begun, and what it said on stderr."""
        out, err = self.process.communicate()
        return self.process.returncode, [json.loads(line) for line in out.splitlines()], err


@pytest.fixture
def running(files: Files) -> Iterator[Running]:
    files.write(FLAT)
    run = Running(files)
    yield run
    run.process.kill()
    run.process.communicate()


def open_a_signal(files: Files) -> int:
    """Leave a journal with a signal that was opened two minutes ago, and no `stopped`; its `opened_at`."""
    at = (time.time_ns() // 1_000_000 // MINUTE - 2) * MINUTE
    envelope: dict[str, Any] = {"at": at, "recorded_at": at, **STREAM._asdict()}
    begins: dict[str, Any] = {"version": "0", "config_hash": "", "strategy_hash": "", "state_seq": 0, "recovered": None}
    opened = AcceptedSignal(
        id="a",
        position="long",
        entry=100.0,
        take_profit=102.0,
        stop_loss=99.0,
        lifetime_minutes=600,
        note="",
        scheduled_at=None,
        opened_at=at,
    )
    journal, _ = Store(files.data).open(STREAM, recover)
    journal.append((Started(seq=1, **envelope, **begins),), expected_seq=0)
    journal.append((Opened(seq=2, **envelope, signal=opened, price=100.0),), expected_seq=1)
    journal.close()
    return at


def journal_of(files: Files) -> list[Event]:
    return list(Store(files.data).reader(STREAM).read())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_with_nothing_open_stops_at_once_and_well(files: Files, running: Running, number: int) -> None:
    running.process.send_signal(number)
    code, told, _ = running.ends()
    assert (code, [event["action"] for event in told]) == (0, ["stopped"])
    assert [event.action for event in journal_of(files)] == ["started", "stopped"]


def test_ctrl_c_once_watches_what_is_open_and_twice_leaves_it_to_the_next_start(files: Files) -> None:
    files.write(FLAT)
    opened_at = open_a_signal(files)
    run = Running(files)
    assert (run.started["action"], run.started["state_seq"], run.started["at"]) == ("started", 2, opened_at)
    run.process.send_signal(signal.SIGINT)
    assert run.process.stderr is not None
    assert run.process.stderr.readline() == (
        "tickfold: stopping when no signal is open; Ctrl-C once more stops now, and the next start goes on from there\n"
    )
    assert run.process.poll() is None
    run.process.send_signal(signal.SIGINT)
    code, told, err = run.ends()
    assert (code, err) == (130, "")
    assert [(event["action"], event["state_seq"], event["reason"]) for event in told] == [("stopped", 2, "stopped now")]


def test_sigterm_leaves_what_is_open_to_the_next_start(files: Files, type_: Typed) -> None:
    files.write(FLAT)
    open_a_signal(files)
    run = Running(files)
    run.process.send_signal(signal.SIGTERM)
    code, told, err = run.ends()
    assert (code, err) == (0, "")
    assert isinstance(journal_of(files)[-1], Stopped)
    assert told[-1]["state_seq"] == 2
    assert type_("journal", "ls", "--json").document["streams"][0]["state"] == "active"


def test_after_a_sigkill_the_journal_is_sound_and_the_stream_free(files: Files, type_: Typed) -> None:
    files.write(FLAT)
    open_a_signal(files)
    run = Running(files)
    run.process.kill()
    assert run.ends()[0] == -signal.SIGKILL
    assert type_("journal", "verify").code == 0
    again = Running(files)
    assert (again.started["seq"], again.started["state_seq"]) == (4, 2)
    again.process.send_signal(signal.SIGTERM)
    assert again.ends()[0] == 0


def test_a_second_writer_is_refused_and_told_who_holds_the_stream(files: Files, type_: Typed, running: Running) -> None:
    said = type_(*LIVE)
    assert (said.code, said.out) == (4, "")
    assert f"flat/ups/A is held by another process (pid {running.process.pid} on " in said.err
    assert [event.action for event in journal_of(files)] == ["started"]
    assert type_("journal", "show", "--json").events == [running.started]


def test_a_third_ctrl_c_ends_a_process_that_does_not_answer(files: Files) -> None:
    files.write("import time\nprint('importing', flush=True)\nwhile True:\n    time.sleep(60)\n")
    process = start(*LIVE, cwd=files.folder)
    assert process.stderr is not None
    assert process.stderr.readline() == "importing\n"
    for _ in range(2):
        process.send_signal(signal.SIGINT)
        assert process.poll() is None
    # Signals that come faster than they are taken count as one.
    while process.poll() is None:
        process.send_signal(signal.SIGINT)
    process.communicate()
    assert process.returncode == 130


def test_ctrl_c_before_anything_has_begun_starts_nothing(files: Files) -> None:
    files.write("import signal\nsignal.raise_signal(signal.SIGINT)\n" + FLAT)
    process = start(*LIVE, cwd=files.folder)
    out, err = process.communicate()
    assert (process.returncode, out, err) == (0, "", "")
    assert not files.data.exists()


def test_a_follower_in_another_process_hears_each_event_once(files: Files, running: Running) -> None:
    follower = start("replay", "--follow", "--json", cwd=files.folder)
    assert follower.stdout is not None
    assert json.loads(follower.stdout.readline()) == running.started
    running.process.send_signal(signal.SIGTERM)
    _, told, _ = running.ends()
    assert json.loads(follower.stdout.readline()) == told[-1]
    follower.send_signal(signal.SIGINT)
    out, err = follower.communicate()
    assert (follower.returncode, out, err.strip()) == (130, "", "")


@pytest.mark.parametrize("merge", [(), ("--merge",)])
def test_a_follower_takes_in_streams_that_appear_later_where_they_are_meant(
    files: Files, type_: Typed, merge: tuple[str, ...]
) -> None:
    files.write(TWO)
    files.data.mkdir()
    follower = start("replay", "--follow", "--json", "--symbol", "A", "--symbol", "C", *merge, cwd=files.folder)
    assert follower.stderr is not None
    assert follower.stderr.readline() == (
        "tickfold: there is no such journal in data yet: waiting for one; Ctrl-C ends it\n"
    )
    assert follower.stdout is not None
    for name, symbol, meant in (("ups", "A", True), ("ups", "B", False), ("downs", "C", True), ("ups", "A", True)):
        words = ("live", "ups.py", *REPLAYED, "--strategy", name, "--symbol", symbol, "--json")
        told = type_(*words).events
        assert not meant or told == [json.loads(follower.stdout.readline()) for _ in told]
    follower.send_signal(signal.SIGINT)
    assert follower.communicate()[0] == ""
    assert follower.returncode == 130


def test_a_replay_that_is_stopped_in_every_way_ends_as_one_never_stopped(
    files: Files, type_: Typed, journals: Path
) -> None:
    files.write(TWO)
    words = ("live", "ups.py", *REPLAYED, "--strategy", "ups", "--symbol", "A", "--symbol", "B", "--json")
    for lines, (asks, code) in enumerate(
        [((signal.SIGTERM,), 0), ((signal.SIGINT,), 0), ((signal.SIGINT, signal.SIGINT), 130), ((signal.SIGKILL,), -9)]
        * 2
    ):
        process = start(*words, cwd=files.folder)
        assert process.stdout is not None
        for _ in range(lines + 2):
            process.stdout.readline()
        for ask in asks:
            process.send_signal(ask)
        process.communicate()
        assert process.returncode in {code, 0}  # it may have been through, or have taken two for one
        assert type_("journal", "verify").code == 0
    assert type_(*words).code == 0
    told = type_("report", "ups", "--no-provenance")
    assert told == type_("report", "ups", "--no-provenance", "--data-dir", journals)


def test_who_does_not_read_stdout_holds_nothing_up(files: Files) -> None:
    files.write(STRATEGY.replace('"1h"', '"1m"').replace("lifetime=600", "lifetime=1"))
    words = ("--exchange", "sim:7", "--symbol", "A", "--clock", "replay", "--to", "2020-01-01T06:00")
    process = start("live", "ups.py", *words, "--json", cwd=files.folder)
    assert process.stdout is not None
    first = process.stdout.readline()
    reader = Store(files.data).reader(Stream("sim-7", "ups", "A"))

    async def until_it_has_stopped() -> list[Event]:
        events = []
        async for event in reader.follow():
            events.append(event)
            if isinstance(event, Stopped):
                break
        return events

    events = anyio.run(until_it_has_stopped)
    assert process.poll() is None
    out, err = process.communicate()
    lines = [first, *out.splitlines(keepends=True)]
    assert (process.returncode, err) == (0, "")
    assert sum(map(len, lines)) > 65_536 * 2  # more than a pipe takes
    assert [json.loads(line)["seq"] for line in lines] == [event.seq for event in events]


def test_a_run_goes_on_when_nobody_reads_it_any_more(files: Files) -> None:
    files.write(FLAT)
    open_a_signal(files)
    run = Running(files)
    assert run.process.stdout is not None
    assert run.process.stderr is not None
    run.process.stdout.close()
    run.process.send_signal(signal.SIGINT)  # what is open is watched on: the last line is far away
    assert "stopping when no signal is open" in run.process.stderr.readline()
    run.process.send_signal(signal.SIGTERM)
    assert run.process.wait() == 0
    assert run.process.stderr.read() == (
        "tickfold: nobody reads stdout any more: the run goes on, and its journal has every event; Ctrl-C stops it\n"
    )
    run.process.stderr.close()
    last = journal_of(files)[-1]
    assert isinstance(last, Stopped)
    assert last.state_seq == 2


def test_a_stop_now_does_not_wait_for_a_stdout_that_takes_nothing(files: Files) -> None:
    files.write(STRATEGY.replace('"1h"', '"1m"').replace("lifetime=600", "lifetime=1"))
    words = ("--exchange", "sim:7", "--symbol", "A", "--clock", "replay", "--to", "2020-02-01")
    process = start("live", "ups.py", *words, "--json", cwd=files.folder)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    while len(list(Store(files.data).reader(Stream("sim-7", "ups", "A")).read())) < 1000:  # more than a pipe takes
        continue
    process.send_signal(signal.SIGTERM)
    assert process.wait() == 0
    assert process.stderr.read() == (
        "tickfold: stopped without its last lines, which nobody took from stdout; the journal has every event\n"
    )
    process.communicate()
    assert isinstance(list(Store(files.data).reader(Stream("sim-7", "ups", "A")).read())[-1], Stopped)
