"""`tickfold tail`: what there is and what comes, of all streams, in one order, until Ctrl-C."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.commands.typing_commands import start
from tests.web import journals
from tests.web.journals import AT, MINUTE, A, B
from tickfold.cli import run
from tickfold.cli.streams import Selected
from tickfold.cli.tail import Beginning, BeginningParameter, Tail
from tickfold_eventstore import Store


@contextmanager
def tailing(*words: object, cwd: Path) -> Iterator[subprocess.Popen[str]]:
    process = start("tail", "--data-dir", "data", *words, cwd=cwd)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def told(process: subprocess.Popen[str], count: int) -> list[dict[str, Any]]:
    """The next lines, as the events that they are."""
    assert process.stdout is not None
    return [json.loads(process.stdout.readline()) for _ in range(count)]


def brief(events: list[dict[str, Any]]) -> list[tuple[str, int]]:
    return [(event["symbol"], event["seq"]) for event in events]


def interrupted(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    process.send_signal(signal.SIGINT)
    out, err = process.communicate()
    return process.returncode, out, err.strip()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    data_dir = tmp_path / "data"
    journals.written(data_dir, A, journals.story(A, 2))
    journals.written(data_dir, B, journals.story(B, 1, first_at=AT + MINUTE))
    return data_dir


MERGED = [("A", 1), ("A", 2), ("B/USDT", 1), ("A", 3), ("B/USDT", 2), ("A", 4), ("B/USDT", 3), ("A", 5)]


def test_it_begins_at_the_first_event_goes_on_takes_in_what_is_new_and_ends_at_ctrl_c(
    tmp_path: Path, data: Path
) -> None:
    with tailing("--json", cwd=tmp_path) as tail:
        first = told(tail, 8)
        assert brief(first) == MERGED
        assert first[1] == msgspec.to_builtins(journals.story(A, 2)[1])
        into = journals.journal(data, A)
        journals.append(into, [journals.stopped(A, 6, AT + 10 * MINUTE)])
        assert brief(told(tail, 1)) == [("A", 6)]
        late = journals.A._replace(symbol="late")
        journals.written(data, late, journals.story(late, 1, first_at=AT))
        assert brief(told(tail, 3)) == [("late", 1), ("late", 2), ("late", 3)]
        into.close()
        assert interrupted(tail) == (130, "", "")


@pytest.mark.parametrize(
    ("beginning", "events"),
    [
        (Beginning(), MERGED),
        (Beginning(seq=3), [("A", 3), ("A", 4), ("B/USDT", 3), ("A", 5)]),
        (Beginning(seq=99), []),
        (Beginning(at=AT + 3 * MINUTE), [("A", 4), ("B/USDT", 3), ("A", 5)]),
        (Beginning(last=2), [("B/USDT", 3), ("A", 5)]),
        (Beginning(last=0), []),
        (Beginning(last=99), MERGED),
    ],
)
def test_it_begins_where_it_is_told_to(data: Path, beginning: Beginning, events: list[Any]) -> None:
    store = Store(data)
    tail = Tail(Selected(store, (), (), ()), beginning)
    assert [(event.symbol, event.seq) for event in tail.news(store.streams())] == events
    late = A._replace(exchange="later")
    journals.written(data, late, journals.story(late, 1, first_at=AT))
    new = [("A", 1), ("A", 2), ("A", 3)]
    if beginning.seq is not None:
        new = new[beginning.seq - 1 :]
    if beginning.at is not None:
        new = []
    assert [(event.symbol, event.seq) for event in tail.news(store.streams())] == new


@pytest.mark.parametrize(
    ("text", "beginning"),
    [
        ("3", Beginning(seq=3)),
        ("0", Beginning(seq=1)),
        ("1970-01-02", Beginning(at=86_400_000)),
        ("@5", Beginning(at=5)),
    ],
)
def test_a_beginning_is_an_event_or_a_time(text: str, beginning: Beginning) -> None:
    assert BeginningParameter().convert(text, None, None) == beginning


def test_it_waits_for_a_data_directory_and_says_so(tmp_path: Path) -> None:
    with tailing("--json", cwd=tmp_path) as tail:
        assert tail.stderr is not None
        assert (
            tail.stderr.readline()
            == "tickfold: there is no such journal in data yet: waiting for one; Ctrl-C ends it\n"
        )
        journals.written(tmp_path / "data", A, journals.story(A, 0))
        assert brief(told(tail, 1)) == [("A", 1)]


def test_damage_is_said_once_and_the_other_streams_go_on(tmp_path: Path, data: Path) -> None:
    segment = Path(Store(data).folder(A).path) / "00000000000000000001.jsonl"
    segment.write_text(segment.read_text().replace('"idle":1', '"idle":7', 1))
    with tailing("--json", cwd=tmp_path) as tail:
        assert brief(told(tail, 4)) == [("A", 1), ("B/USDT", 1), ("B/USDT", 2), ("B/USDT", 3)]
        assert tail.stderr is not None
        assert tail.stderr.readline().startswith(
            "tickfold: sim-3/w/A is damaged in 00000000000000000001.jsonl at byte "
        )
        into = journals.journal(data, B)
        journals.append(into, [journals.stopped(B, 4, AT + 10 * MINUTE)])
        into.close()
        assert brief(told(tail, 1)) == [("B/USDT", 4)]
        assert interrupted(tail) == (130, "", "")


def test_a_place_is_said_in_one_way(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["tail", "--since", "1", "--last", "1"]) == 2
    assert capsys.readouterr().err == "tickfold: --since and --last both say where to begin: give one of them\n"
    file = tmp_path / "file"
    file.touch()
    assert run(["tail", "--data-dir", str(file)]) == 1
    assert capsys.readouterr().err.endswith("is a file, not a data directory: give another with --data-dir\n")


def on_a_terminal(cwd: Path, lines: int, **environment: str) -> list[str]:
    """What a terminal is sent."""
    outer, inner = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "tickfold.cli", "tail", "--data-dir", "data", "--symbol", "A"],
        cwd=cwd,
        stdout=inner,
        env={name: value for name, value in os.environ.items() if name != "NO_COLOR"} | {"TERM": "xterm"} | environment,
    )
    os.close(inner)
    try:
        sent = b""
        while sent.count(b"\n") < lines:
            sent += os.read(outer, 4096)
    finally:
        process.kill()
        process.wait()
        os.close(outer)
    return sent.decode().splitlines()


def test_a_terminal_is_given_colours_and_no_escape_from_the_journal(tmp_path: Path) -> None:
    hostile = "\x1b[31mred\x1b]0;title\x07 \u202e \u2028 \x9b31m"
    journals.written(tmp_path / "data", A, journals.story(A, 2, note=hostile))
    coloured = on_a_terminal(tmp_path, 5)
    plain = on_a_terminal(tmp_path, 5, NO_COLOR="1")
    assert plain == on_a_terminal(tmp_path, 5, TERM="dumb")
    assert [re.sub(r"\x1b\[\d*m", "", line) for line in coloured] == plain
    assert re.findall(r"((?:\x1b\[\d+m)+)(started|opened|closed)", "".join(coloured)) == [
        ("\x1b[2m", "started"),
        ("\x1b[36m\x1b[1m", "opened"),
        ("\x1b[31m\x1b[1m", "closed"),
        ("\x1b[36m\x1b[1m", "opened"),
        ("\x1b[32m\x1b[1m", "closed"),
    ]
    assert r"(\x1b[31mred\x1b]0;title\x07 \u202e \u2028 \x9b31m)" in plain[1]
    assert "\x1b" not in "".join(plain)
