"""A signal that comes while the command is being imported ends it by the codes that it has later, without a word."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from tests.commands.typing_commands import Files

SCRIPT = """
import signal, sys
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # a session that runs under nohup hands it down as ignored
import tickfold_command

class Sender:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            signal.raise_signal({number})

sys.meta_path.insert(0, Sender())
sys.argv = ["tickfold", *{words!r}]
tickfold_command.main()
"""
LIVE = ("live", "ups.py", "--exchange", "sim:7", "--symbol", "A", "--clock", "replay", "--to", "2020-01-02")
BACKTEST = ("backtest", "ups.py", "--exchange", "sim:7", "--symbol", "A", "--to", "2020-01-02")


def imported(files: Files, words: tuple[str, ...], module: str, number: int) -> subprocess.CompletedProcess[str]:
    """A command that gets a signal when it comes to import a module."""
    files.write()
    script = SCRIPT.format(module=module, number=int(number), words=words)
    return subprocess.run([sys.executable, "-P", "-c", script], cwd=files.folder, capture_output=True, text=True)


@pytest.mark.parametrize("module", ["tickfold", "numpy", "tickfold.live", "click", "tickfold.cli.ending"])
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0), (signal.SIGHUP, 0)], ids=["INT", "TERM", "HUP"]
)
def test_live_is_ended_before_it_has_begun_as_it_is_later(files: Files, module: str, number: int, code: int) -> None:
    done = imported(files, ("--debug", *LIVE), module, number)
    assert (done.returncode, done.stdout, done.stderr) == (code, "", "")
    assert not files.data.exists()


@pytest.mark.parametrize("module", ["tickfold", "tickfold.cli.ending", "tickfold.cli.backtest"])
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, -signal.SIGTERM)])
def test_any_other_command_is_ended_as_any_program_is(files: Files, module: str, number: int, code: int) -> None:
    done = imported(files, BACKTEST, module, number)
    assert (done.returncode, done.stdout, done.stderr.strip()) == (code, "", "")


def test_who_asks_again_while_what_is_open_is_closed_is_answered_at_once(files: Files) -> None:
    twice = "try:\n    signal.raise_signal(2)\nfinally:\n    signal.raise_signal(2)\n    print('late')\n"
    files.write(f"import signal\n{twice}")
    call = [sys.executable, "-P", "-m", "tickfold_command", *BACKTEST]
    done = subprocess.run(call, cwd=files.folder, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_nohup_keeps_a_closed_terminal_away(files: Files) -> None:
    files.write("import signal\nsignal.raise_signal(signal.SIGHUP)\n" + "from tickfold import strategy\n")
    script = "import signal, subprocess, sys; signal.signal(1, signal.SIG_IGN); sys.exit(subprocess.call(sys.argv[1:]))"
    call = [sys.executable, "-P", "-m", "tickfold_command", *LIVE]
    done = subprocess.run([sys.executable, "-c", script, *call], cwd=files.folder, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert "ups.py holds no strategy" in done.stderr
