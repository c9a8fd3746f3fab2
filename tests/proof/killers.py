"""The trials, each as one question to a package: what is wrong with this store? Empty where nothing was found."""

from __future__ import annotations

import errno
import subprocess
import sys
import tempfile
from collections.abc import Callable
from random import Random
from typing import Any

from tests.proof import kept
from tests.proof.clearing import locked_out, torn
from tests.proof.damage import WHICH, written
from tests.proof.disk import Disk
from tests.proof.faulty import SHORT
from tests.proof.harm import KINDS, flipped, outcomes
from tests.proof.kept import Code, opened
from tests.proof.lives import script_of, tried
from tests.proof.powercut import nothing_more_landed
from tests.proof.refusals import wrong

SCRIPTS = range(150)
"""Seeds."""


def power_cut(package: str) -> str:
    trial = kept.trial(package)
    if found := locked_out(Code(package)):
        return found
    for seed in SCRIPTS:
        if faults := tried(script_of(seed, trial.sizes), trial).faults:
            return f"seed {seed}: {faults[0]}"
    return ""


def failing_call(package: str) -> str:
    store = Code(package)
    for code in (errno.EIO, SHORT):
        for nth in range(1, 320):
            name, fault = wrong(nth, code, for_ever=False, store=store)
            if fault:
                return f"call {nth} ({name}): {fault}"
    return ""


def damage(package: str) -> str:
    for seed in (8, 1):
        journal = written(seed, package)
        for which in WHICH:
            allowed = {"right", "refused"} | (set() if "newest" in which else {"set aside", "undecidable"})
            for kind in KINDS:
                if bad := set(outcomes(kind, journal, which, Random(seed))) - allowed:
                    return f"{kind}, MARK {which}: {bad}"
            if which == "missing" and (bad := set(flipped(journal, which, Random(seed))) - {"right", "refused"}):
                return f"a bit flipped, MARK {which}: {bad}"
    return ""


def contract(package: str) -> str:
    """What needs no disk that lies: limits, versions, locks, quarantine, what a reader may see."""
    return next((found for question in QUESTIONS if (found := question(Code(package)))), "")


def long_record(code: Code) -> str:
    subject = opened(code, Disk())
    try:
        subject.append(code.record(0, 1_000_000))
    except code.errors.RecordTooLong:
        return ""
    return "a record of a million bytes was taken"


def expected_seq(code: Code) -> str:
    subject = opened(code, disk := Disk())
    subject.append(code.record(0, 1))
    before = disk.image()
    try:
        subject.journal.append(code.record(1, 1), expected_seq=7)
    except code.errors.WrongExpectedVersion:
        return "" if disk.image() == before else "an append at the wrong place was refused, and wrote"
    return "an append at the wrong place was taken"


def torn_text_is_kept(code: Code) -> str:
    disk, _, text = torn(code)
    opened(code, disk)
    there = nothing_more_landed(disk)
    kept_there = any("/quarantine/" in path and content == text for path, content in there.items())
    return "" if kept_there else "the text of a torn append is not in quarantine after a power cut"


def torn_text_is_cleared_away(code: Code) -> str:
    disk, path, text = torn(code)
    opened(code, disk)
    return "the text of a torn append still stands in the segment" if text[1:] in (disk.image()[path] or b"") else ""


def second_writer(code: Code) -> str:
    subject = opened(code, disk := Disk())
    subject.append(code.record(0, 1))
    try:
        opened(code, disk)
    except code.errors.StreamHeld:
        return ""
    return "a second writer was let in"


def reader_beside_a_writer(code: Code) -> str:
    """A record whose sync has not returned is on no disk: a reader must not see it."""
    subject = opened(code, disk := Disk())
    subject.append(code.record(0, 1))
    seen: list[Any] = []

    def look(call: str) -> None:
        if call == "sync":
            disk.watch = lambda _: None
            seen.extend(code.store(disk).reader(code.stream).read())

    disk.watch = look
    subject.append(code.record(1, 1))
    return "" if [event.seq for event in seen] == [1] else f"a reader saw {len(seen)} events when 1 was acknowledged"


FORK = """
import os, sys
from tests.proof.kept import Code, opened
from importlib import import_module
code = Code(sys.argv[1])
files = code.module("files").LinuxFiles()
subject = opened(code, files, sys.argv[2])
subject.append(code.record(0, 1))
ask, answer = os.pipe()
wait, end = os.pipe()
child = os.fork()
if child == 0:
    os.close(end)
    try:
        subject.append(code.record(1, 1))
    except code.errors.JournalClosed:
        os.write(answer, b"refused")
    else:
        os.write(answer, b"a forked child could append")
    os.read(wait, 1)
    os._exit(0)
told = os.read(ask, 100).decode()
subject.close()
try:
    opened(code, files, sys.argv[2]).close()
except code.errors.StreamHeld:
    told = "a forked child kept the lock"
print(told if told != "refused" else "", end="")
"""


def fork(code: Code) -> str:
    with tempfile.TemporaryDirectory() as home:
        asked = subprocess.run(
            [sys.executable, "-c", FORK, code.package, home],
            capture_output=True,
            check=False,
            env={"PYTHONPATH": ":".join(sys.path)},
        )
    return asked.stdout.decode() or asked.stderr.decode()[-300:]


QUESTIONS = (
    long_record,
    expected_seq,
    torn_text_is_kept,
    torn_text_is_cleared_away,
    second_writer,
    reader_beside_a_writer,
    fork,
)

KILLERS: dict[str, Callable[[str], str]] = {
    "power cut": power_cut,
    "failing call": failing_call,
    "damage": damage,
    "contract": contract,
}
