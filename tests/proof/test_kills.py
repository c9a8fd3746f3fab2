"""A process that is killed at any call to a real disk loses nothing acknowledged, and the next one goes on."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PARTS = 4


def run(*words: str, before: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(ROOT), str(ROOT / "eventstore")])
    command = [*before, sys.executable, *words]
    env = {**os.environ, "PYTHONPATH": path}
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)


def kept_its_promise(told: dict[str, object]) -> bool:
    acknowledged, records = told["acknowledged"], told["records"]
    assert isinstance(acknowledged, int)
    assert isinstance(records, int)
    facts = (told["verifier"], told["right"], told["goes on"])
    return facts == ("sound", True, True) and acknowledged <= records <= acknowledged + 1


@pytest.mark.parametrize("part", range(PARTS))
def test_kill_9_before_every_call_of_a_journals_life(part: int, tmp_path: Path) -> None:
    number = int(run("-m", "tests.proof.killed", str(tmp_path / "count"), "1", "1", "0").stdout.split()[0])
    share = -(-number // PARTS)
    first, last = part * share + 1, min(number, (part + 1) * share)
    told = run("-m", "tests.proof.killed", str(tmp_path / "data"), str(first), str(last), "0")
    assert told.returncode == 0, told.stderr[-2000:]
    kills = [json.loads(line) for line in told.stdout.splitlines()[1:]]
    assert number > 200
    assert [kill["nth"] for kill in kills if kill["killed"]] == list(range(first, last + 1))
    assert [kill for kill in kills if not kept_its_promise(kill)] == []


STORY = """
import sys
from tests.proof.killed import CODE, USUAL, live
from tickfold_eventstore.files import LinuxFiles
try:
    live(USUAL, LinuxFiles(), sys.argv[1], 1)
except Exception as error:
    print(type(error).__name__, end="")
"""
FOUND = """
import json, sys
from tests.proof.killed import USUAL, found
print(json.dumps(found(USUAL, sys.argv[1])))
"""


def traced(home: Path, log: Path, inject: str) -> subprocess.CompletedProcess[str]:
    tracer = ("strace", "-f", "-o", str(log), "-e", "trace=fdatasync,pwrite64", "-e", inject)
    return run("-c", STORY, str(home), before=tracer)


def tracing_is_possible() -> bool:
    if shutil.which("strace") is None:
        return False
    return subprocess.run(["strace", "true"], capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not tracing_is_possible(), reason="strace is missing or not permitted")
@pytest.mark.parametrize("when", [1, 9, 17, 23, 29])
@pytest.mark.parametrize(
    ("call", "fault", "end"),
    [
        ("fdatasync", "error=EIO", {"JournalPoisoned", "OSError", ""}),
        ("pwrite64", "error=ENOSPC", {"AppendRefused", "JournalPoisoned", "OSError", ""}),
        ("pwrite64", "signal=SIGKILL", {"killed"}),
    ],
)
def test_the_kernel_fails_a_call_and_the_journal_is_as_good_as_before(
    call: str, fault: str, end: set[str], when: int, tmp_path: Path
) -> None:
    """The same as with a seam that fails, but the fault comes from outside: nothing of the store is in its way."""
    told = traced(tmp_path / "data", tmp_path / "log", f"inject={call}:{fault}:when={when}")
    log = (tmp_path / "log").read_text()
    injected = re.findall(r"\(INJECTED\)|killed by SIGKILL", log)
    assert injected, f"nothing was injected: {log[-500:]}"
    acknowledged = told.stdout.count(".")
    ended = "killed" if told.returncode == -9 else told.stdout.strip(".")
    assert ended in end, (told.stdout, told.stderr[-500:])
    there = json.loads(run("-c", FOUND, str(tmp_path / "data")).stdout)
    assert kept_its_promise({"acknowledged": acknowledged, **there})
