"""What a command does where stdout or stderr is closed, full, left by its reader, or speaks another encoding."""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
import sys
import termios
from pathlib import Path
from typing import Any

import pytest

from tests.commands.typing_commands import REPLAYED, TWO, Files, Said, Typed

TICKFOLD = f"{sys.executable} -P -m tickfold_command"
CLOSED = "tickfold: stdout is closed, and there is something to print: send it to a file, or to /dev/null"
FULL = "tickfold: stdout takes no more (No space left on device): what was printed is not all; send it elsewhere"
GOES_ON = "the run goes on, and its journal has every event; Ctrl-C stops it"
READS = {
    "help": "--help",
    "verify": "journal verify --data-dir {journals}",
    "replay": "replay --json --data-dir {journals}",
    "report": "report ups --data-dir {journals}",
    "backtest": "backtest ups.py --exchange sim:7 --symbol A --to 2020-01-03 --json",
}
LIVE = f"live ups.py {' '.join(REPLAYED)} --strategy ups --symbol A"

needs_dev_full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full stands for a disk that is full")


def in_a_shell(files: Files, line: str, **environment: str) -> Said:
    """A line of bash, with what it says; `tickfold` in it is the command."""
    files.write(TWO)
    env = {"PATH": os.environ["PATH"], "HOME": str(files.folder)} | environment
    script = f'set -o pipefail\ntickfold() {{ {TICKFOLD} "$@"; }}\n{line}'
    done = subprocess.run(["bash", "-c", script], cwd=files.folder, capture_output=True, env=env)
    return Said(done.returncode, done.stdout.decode(), done.stderr.decode())


@pytest.mark.parametrize("words", READS.values(), ids=READS)
@pytest.mark.parametrize(
    ("where", "said"), [(">&-", CLOSED), pytest.param(">/dev/full", FULL, marks=needs_dev_full)], ids=["closed", "full"]
)
def test_what_cannot_be_printed_is_an_error_that_blames_stdout(
    files: Files, journals: Path, words: str, where: str, said: str
) -> None:
    line = f"tickfold {words.format(journals=journals)} {where}"
    assert in_a_shell(files, line) == (1, "", f"{said}\n")


@pytest.mark.parametrize("words", READS.values(), ids=READS)
def test_a_reader_who_has_read_enough_is_no_error(files: Files, journals: Path, words: str) -> None:
    assert in_a_shell(files, f"tickfold {words.format(journals=journals)} | true") == (0, "", "")


@pytest.mark.parametrize("where", ["2>&- <&-", pytest.param("2>/dev/full", marks=needs_dev_full)])
@pytest.mark.parametrize(("words", "code"), [("--debug journal show --symbol X", 2), ("trade", 2), (LIVE, 0)])
def test_without_stderr_the_exit_code_is_the_same(
    files: Files, journals: Path, words: str, code: int, where: str
) -> None:
    said = in_a_shell(files, f"tickfold {words} {where}", TICKFOLD_DATA_DIR=str(journals) if code else "data")
    assert (said.code, said.err) == (code, "")


@pytest.mark.parametrize(
    ("where", "code", "said"),
    [
        ("| true", 0, "nobody reads stdout any more"),
        (">&-", 1, CLOSED.removeprefix("tickfold: ")),
        pytest.param(">/dev/full", 1, FULL.removeprefix("tickfold: "), marks=needs_dev_full),
    ],
)
def test_live_goes_on_without_stdout_and_its_journal_lacks_nothing(
    files: Files, type_: Typed, journals: Path, where: str, code: int, said: str
) -> None:
    found = in_a_shell(files, f"tickfold {LIVE} {where}")
    assert found.code == code
    assert found.err.startswith(f"tickfold: {said}")
    assert found.err.endswith(f"{GOES_ON}\n")
    assert (
        type_("journal", "show").out
        == type_("journal", "show", "--strategy", "ups", "--symbol", "A", "--data-dir", journals).out
    )


def test_the_exit_code_of_verify_is_its_verdict_whether_its_reader_stays_or_not(files: Files, journals: Path) -> None:
    shutil.copytree(journals, files.data)
    damaged = max(files.data.rglob("*.jsonl"))
    content = bytearray(damaged.read_bytes())
    content[1000] ^= 1
    damaged.write_bytes(content)
    for words in ("journal verify", "journal verify --json"):
        assert in_a_shell(files, f"tickfold {words} | true").code == 3


def test_no_journal_lies_where_a_stray_print_goes(files: Files) -> None:
    asked = "    os.write(1, b'stray')\n    os.write(2, b'stray')\n    return Signal"
    files.write("import os\n" + TWO.replace("    return Signal", asked), "stray.py")
    line = f"tickfold {LIVE.replace('ups.py', 'stray.py')} >&- 2>&- <&-; tickfold journal verify"
    said = in_a_shell(files, line)
    assert said.code == 0
    assert ": sound: " in said.out


UNICODE = TWO.replace("up | we go", "hoch 🚀 é")
ASCII = {"PYTHONIOENCODING": "ascii"}
BARE = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


@pytest.fixture
def rockets(files: Files, type_: Typed) -> Files:
    """A journal whose symbol and notes are in no small alphabet."""
    path = files.write(UNICODE)
    assert type_("live", path, *REPLAYED, "--strategy", "ups", "--symbol", "🚀").code == 0
    return files


@pytest.mark.parametrize("environment", [ASCII, BARE, {"LANG": "C"}], ids=["ascii", "bare", "C"])
def test_json_says_the_same_in_every_encoding(rockets: Files, type_: Typed, environment: dict[str, str]) -> None:
    said = in_a_shell(rockets, "tickfold journal show --symbol 🚀 --json", **environment)
    assert said.code == 0
    assert said.events == type_("journal", "show", "--json").events


def test_into_a_pipe_goes_utf_8_and_what_an_encoding_lacks_is_escaped(rockets: Files, type_: Typed) -> None:
    shown = type_("journal", "show").out
    assert in_a_shell(rockets, "tickfold journal show", **BARE) == (0, shown, "")
    escaped = shown.replace("🚀", r"\ud83d\ude80").replace("é", r"\u00e9")
    assert in_a_shell(rockets, "tickfold journal show", **ASCII) == (0, escaped, "")
    report = in_a_shell(rockets, "tickfold report ups")
    assert report == in_a_shell(rockets, "tickfold report ups", **BARE)


@pytest.mark.parametrize("environment", [ASCII, BARE], ids=["ascii", "bare"])
def test_an_error_in_another_encoding_is_an_error_in_words(rockets: Files, environment: dict[str, str]) -> None:
    said = in_a_shell(rockets, "tickfold journal show --symbol 🌒", **environment)
    assert (said.code, said.out) == (2, "")
    assert "no journal here has the symbol" in said.err


def on_a_terminal(files: Files, columns: int, *words: str, **environment: str) -> tuple[int, str]:
    """A command with both stdout and stderr on a terminal so wide; what the terminal got."""
    files.write(TWO)
    ours, its = pty.openpty()
    termios.tcsetwinsize(its, (24, columns))
    call = [sys.executable, "-P", "-m", "tickfold_command", *words]
    env: dict[str, Any] = {"PATH": os.environ["PATH"], "TERM": "xterm"} | environment
    with subprocess.Popen(call, cwd=files.folder, stdin=its, stdout=its, stderr=its, env=env) as process:
        os.close(its)
        got = bytearray()
        while True:
            try:
                got += os.read(ours, 1 << 16)
            except OSError:  # so a terminal says that nobody holds its other end any more
                break
    os.close(ours)
    return process.returncode, got.decode()


BACKTEST = ("backtest", "ups.py", "--exchange", "sim:7", "--symbol", "A", "--to", "2020-01-20", "--strategy", "ups")


@pytest.mark.parametrize("columns", [20, 80])
def test_a_progress_bar_fits_into_its_line(files: Files, columns: int) -> None:
    code, got = on_a_terminal(files, columns, *BACKTEST, "--json")
    assert code == 0
    bars = [line.replace("\x1b[?25l", "").rstrip("\n") for line in got.split("\r") if "%" in line and "{" not in line]
    assert bars
    assert max(map(len, bars)) < columns + len("\x1b[?25h")


def test_a_dumb_terminal_gets_no_bar(files: Files) -> None:
    code, got = on_a_terminal(files, 80, *BACKTEST, "--json", TERM="dumb")
    assert code == 0
    assert "\x1b" not in got
    assert "%" not in got.replace('"', "")


@pytest.mark.parametrize("words", [("live", "--help"), ("journal", "ls"), ("trade",)])
def test_a_narrow_terminal_gets_all_words(files: Files, journals: Path, words: tuple[str, ...]) -> None:
    narrow = on_a_terminal(files, 20, *words, TICKFOLD_DATA_DIR=str(journals))
    wide = on_a_terminal(files, 200, *words, TICKFOLD_DATA_DIR=str(journals), NO_COLOR="1")
    assert narrow[0] == wide[0]
    assert "Traceback" not in narrow[1]
    assert len(narrow[1].split()) >= len(wide[1].split())
