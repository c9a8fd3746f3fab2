"""The demo, from the installed command in an empty folder; and what it says where the reports differ."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.commands.typing_commands import Files, Typed
from tickfold.cli import demo
from tickfold_eventstore import Store
from tickfold_eventstore.events import Started

SCRIPT = Path(sys.executable).with_name("tickfold")


def test_it_tells_the_story_and_what_it_tells_can_be_typed(files: Files) -> None:
    # Modules that lie in the folder must not stand in the place of others.
    (files.folder / "click.py").write_text("raise SystemExit(7)")
    elsewhere = {name: value for name, value in os.environ.items() if name != "PATH"} | {"PATH": os.defpath}
    call = [str(SCRIPT), "demo", "--data-dir", "story"]
    done = subprocess.run(call, cwd=files.folder, capture_output=True, text=True, check=False, env=elsewhere)
    assert (done.returncode, done.stderr) == (0, "")
    told = done.stdout
    assert "The reports are EQUAL, byte for byte" in told
    assert told.count(": sound: ") == 2
    assert "# Live Trading Report: demo" in told
    killed, unkilled = (
        list(Store(files.folder / "story" / name).reader(demo.STREAM).read()) for name in ("killed", "unkilled")
    )
    starts = [event for event in killed if isinstance(event, Started)]
    found = re.search(r"Its journal ends with event (\d+): active since event (\d+)", told)
    assert found is not None
    assert (starts[-1].seq, starts[-1].state_seq) == (int(found[1]) + 1, int(found[2]))
    assert sum(isinstance(event, Started) for event in unkilled) == 1
    _, _, last = told.partition("Try:\n")
    replay, show, jq = (line.strip() for line in last.splitlines())
    # The shell of this test does not know tickfold, so the lines name it by its path.
    assert [line.split()[:2] for line in (replay, show)] == [[str(SCRIPT), "replay"], [str(SCRIPT), "journal"]]
    for line in (replay, show, *([jq] if shutil.which("jq") else [])):
        again = subprocess.run(line, shell=True, cwd=files.folder, capture_output=True, text=True, check=False)
        assert (again.returncode, again.stderr) == (0, "")
        assert again.stdout


def test_a_difference_is_said_and_is_exit_code_1_and_without_jq_no_line_needs_it(
    files: Files, type_: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "KILLED_AT", 1)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    call = demo._call

    def other(command: tuple[str, ...]) -> bytes:
        return call(command) + (b"!" if command[0] == "report" and "unkilled" in str(command) else b"")

    monkeypatch.setattr(demo, "_call", other)
    said = type_("demo", "--data-dir", "story")
    assert said.code == 1
    assert "The reports DIFFER" in said.out
    *_, lines, told = said.out.splitlines()
    assert told == "The journal is lines of JSON: with jq, which is not installed here, the shell can query them."
    assert subprocess.run(lines, shell=True, capture_output=True, text=True).stdout.count("\n") == 3


def test_it_touches_nothing_that_is_there(files: Files, type_: Typed) -> None:
    files.write()
    said = type_("demo", "--data-dir", files.folder)
    assert (said.code, said.out) == (2, "")
    assert "is not empty" in said.err
