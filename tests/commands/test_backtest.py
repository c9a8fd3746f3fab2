"""`tickfold backtest`: the report, or the events; a bar where somebody looks at it."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from tests.commands.typing_commands import TWO, Files, Typed
from tickfold import Backtest, Config, Frame
from tickfold.exchanges import as_exchange
from tickfold_eventstore.events import Event

WORDS = ("backtest", "ups.py", "--exchange", "sim:7", "--symbol", "A", "--symbol", "B")
RANGE = ("--from", "2020-01-02T12:00", "--to", "2020-01-05")


def test_it_prints_the_report_of_each_strategy_as_the_library_gives_it(files: Files, type_: Typed) -> None:
    files.write(TWO)
    said = type_(*WORDS, *RANGE, "--policy", "backtest-kit")
    frame = Frame("as the library", "2020-01-02T12:00", "2020-01-05")
    backtest = Backtest(config=Config(policy="backtest_kit"))
    results = [
        backtest.execute(["A", "B"], strategy=each, exchange=as_exchange("sim:7"), frame=frame)
        for each in ("ups", "downs")
    ]
    assert said == (0, "\n".join(result.report() for result in results), "")
    assert said.out.count("# Backtest Report: ") == 2


def test_json_gives_every_event_flat_a_line_in_the_order_of_strategy_and_symbol(files: Files, type_: Typed) -> None:
    files.write(TWO)
    said = type_(*WORDS, *RANGE, "--json")
    assert said.code == 0
    assert [(event["strategy"], event["symbol"]) for event in said.events] == sorted(
        ((event["strategy"], event["symbol"]) for event in said.events), key=lambda pair: (pair[0] != "ups", pair[1])
    )
    assert {event["action"] for event in said.events} >= {"scheduled", "opened", "closed"}
    decoded = [msgspec.json.decode(line, type=Event) for line in said.out.splitlines()]
    assert [msgspec.json.encode(event).decode() for event in decoded] == said.out.splitlines()


def test_adjacent_ranges_split_what_is_asked(files: Files, type_: Typed) -> None:
    files.write()
    words = WORDS[:-2]
    whole = type_(*words, "--to", "2020-01-03", "--json").events
    first = type_(*words, "--to", "2020-01-01T12:00", "--json").events
    cut = next(at for at, event in enumerate(whole) if event["at"] >= 1_577_880_000_000)
    assert first == whole[:cut]


def test_an_open_end_is_that_of_the_candles(files: Files, type_: Typed) -> None:
    files.write()
    rows = [f"{1_600_000_020_000 + minute * 60_000},10,10,10,10,1" for minute in range(90)]
    Path("A.csv").write_text("timestamp,open,high,low,close,volume\n" + "\n".join(rows) + "\n")
    words = ("backtest", "ups.py", "--exchange", "csv:A.csv", "--symbol", "A", "--json")
    whole = type_(*words)
    assert whole.code == 0
    assert [event["at"] for event in whole.events] == [1_600_002_000_000]
    assert type_(*words, "--from", "2020-09-13") == whole
    assert type_(*words, "--to", "2020-09-14") == whole
    report = type_(*words[:-1]).out
    assert type_(*words[:-1], "--from", "2020-09-13").out == report
    assert type_(*words[:-1], "--to", "2020-09-14").out == report
    assert type_(*words, "--to", "@1600002000000").events == []
    assert type_(*words, "--to", "@1600002060000") == whole
    assert type_(*words, "--from", "@1600002000000") == whole
    assert type_(*words, "--from", "@1600002060000").events == []


def test_a_range_without_a_boundary_to_handle_says_so(files: Files, type_: Typed) -> None:
    files.write()
    said = type_(*WORDS[:-2], "--to", "2020-01-01T00:20", "--json")
    assert said == (0, "", "tickfold: ups: too few candles in this range to ask it even once\n")


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        (None, 5, "there is no file A.csv"),
        ("", 1, "A.csv"),
        ("timestamp,open,high,low,close\n", 1, "volume"),
        ("timestamp,open,high,low,close,volume\n1600000020000,1,1,1,one,1\n", 1, "line 2, column close"),
    ],
)
def test_a_file_of_candles_that_cannot_be_read_is_named(
    files: Files, type_: Typed, content: str | None, code: int, said: str
) -> None:
    files.write()
    if content is not None:
        Path("A.csv").write_text(content)
    for command in (("backtest",), ("live", "--clock", "replay")):
        found = type_(command[0], "ups.py", "--exchange", "csv:A.csv", "--symbol", "A", *command[1:])
        assert (found.code, found.out) == (code, "")
        assert said in found.err


def test_a_hole_in_the_candles_is_filled_and_told(files: Files, type_: Typed) -> None:
    files.write()
    rows = [f"{1_600_000_020_000 + minute * 60_000},10,10,10,10,1" for minute in range(90) if minute not in {40, 41}]
    Path("A.csv").write_text("timestamp,open,high,low,close,volume\n" + "\n".join(rows) + "\n")
    said = type_("backtest", "ups.py", "--exchange", "csv:A.csv", "--symbol", "A", "--json")
    assert said.code == 0
    assert "A: 2 minutes from 2020-09-13T13:07:00.000Z had no candle and are filled" in said.err


def test_the_example_does_what_its_first_lines_say(type_: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    example = Path(__file__).parents[2] / "examples" / "sma_cross.py"
    monkeypatch.chdir(example.parents[1])
    (line,) = [line for line in example.read_text().splitlines() if line.startswith("tickfold ")]
    said = type_(*line.split()[1:])
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("# Backtest Report: sma-cross\n")


def test_a_bar_shows_on_a_terminal_and_not_in_the_output(files: Files) -> None:
    files.write()
    command = [sys.executable, "-P", "-m", "tickfold.cli", *WORDS, "--to", "2020-01-05", "--json"]
    shown, terminal = pty.openpty()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=terminal, cwd=files.folder) as process:
        os.close(terminal)
        out, _ = process.communicate()
    said = os.read(shown, 65536).decode()
    os.close(shown)
    assert process.returncode == 0
    assert [symbol in said for symbol in ("sim-7/ups/A", "sim-7/ups/B", "100%")] == [True, True, True]
    assert b"%" not in out
