"""`tickfold init` and `tickfold new`: what they write runs as it stands, and nothing that is there is touched."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.commands.typing_commands import Files, Typed
from tests.house.tree import ROOT
from tickfold.cli.planting import identifier

WRITTEN = ["strategy.py", "test_strategy.py", "README.md", ".gitignore"]


def test_a_first_project_runs_line_by_line_as_its_page_says(
    files: Files, type_: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = type_("init", "a project")
    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines()[:4] == [f"wrote a project/{name}" for name in WRITTEN]
    assert "   cd 'a project'" in said.out
    monkeypatch.chdir(files.folder / "a project")
    told = re.findall(r"^(?:tickfold|python) .*", Path("README.md").read_text(), re.MULTILINE)
    *commands, real = [shlex.split(line) for line in told]
    for program, *words in commands:
        if program == "tickfold":
            assert type_(*words).code == 0, words
        else:
            done = subprocess.run([sys.executable, *words], capture_output=True, text=True)
            assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert real[-1] == "ccxt:binance"
    assert type_("journal", "ls", "--json").document["streams"][0]["seq"] > 10
    tests = subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"], capture_output=True)
    assert tests.returncode == 0


@pytest.mark.parametrize("name", WRITTEN)
def test_init_overwrites_nothing(files: Files, type_: Typed, name: str) -> None:
    files.write("mine", name)
    said = type_("init", ".")
    assert (said.code, said.out) == (1, "")
    assert said.err == f"tickfold: {name}: there already, and nothing is overwritten; choose another place\n"
    assert [path.name for path in files.folder.iterdir()] == [name]
    assert (files.folder / name).read_text() == "mine"


def test_init_says_what_the_disk_says(files: Files, type_: Typed) -> None:
    files.write("mine", "file")
    said = type_("init", "file/below")
    assert (said.code, said.out) == (1, "")
    assert "a part of the path is a file, not a directory" in said.err


NAMES = {
    "sma-cross": "sma_cross",
    "class": "strategy_class",
    "strategy": "strategy_strategy",
    "🚀": "mine",
    'a"b\\c"""': "a_b_c",
    "x/../y": "x_y",
    "3 bars": "strategy_3_bars",
    "two\nlines\x1b\0": "two_lines",
    "é" * 300: "mine",
    "x" * 300: "x" * 100,
}


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_a_new_strategy_has_its_name_and_runs(files: Files, type_: Typed, name: str) -> None:
    assert identifier(name) == NAMES[name]
    said = type_("new", "strategy", name, "--dir", "here")
    path = Path("here", f"{NAMES[name]}.py")
    assert (said.code, said.out.splitlines()[0]) == (0, f"wrote {path}")
    words = ("backtest", path, "--exchange", "sim:7", "--symbol", "A", "--to", "2020-01-04", "--json")
    ran = type_(*words, "--strategy", name) if "\0" not in name else type_(*words)
    assert ran.code == 0
    assert {event["strategy"] for event in ran.events} == {name}
    again = type_("new", "strategy", name, "--dir", "here")
    assert (again.code, again.out) == (1, "")
    assert "there already" in again.err


def test_what_is_written_is_written_as_ours_is(files: Files, type_: Typed) -> None:
    assert type_("init", "first").code == 0
    assert type_("new", "strategy", "sma-cross", "--dir", "first").code == 0
    ruff = [str(Path(sys.executable).with_name("ruff")), "--config", str(ROOT / "pyproject.toml")]
    for command in (["format", "--check"], ["check", "--no-cache", "--extend-ignore", "S101,INP001,D103,I001"]):
        said = subprocess.run([*ruff, *command, str(files.folder / "first")], capture_output=True, text=True)
        assert said.returncode == 0, said.stdout


def test_a_name_is_needed(files: Files, type_: Typed) -> None:
    assert type_("new", "strategy", "").code == 2
    assert list(files.folder.iterdir()) == []
