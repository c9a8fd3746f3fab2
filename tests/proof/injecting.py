"""The installed command while the kernel fails its calls to the disk: strace answers in the kernel's place.

A run is `fresh` (no journal yet) or goes on from where another one ended (`again`). In a fresh run only calls are
failed that the journal alone makes; in the other one only those on the files and folders of the journal, which are
there by then: for a path that is not there strace does nothing, and does not say so.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs

from tests.support.replays import decisions, journalled
from tickfold_eventstore import Event, Stream

FILE = Path(__file__).parents[1] / "parity" / "turning.py"
STREAM = Stream("sim-5", "turning", "BTCUSDT")
HALF, WHOLE = "2020-01-01T02:00", "2020-01-01T04:00"
TICKFOLD = Path(sys.executable).with_name("tickfold")

NAMES = {"rename": "?rename,?renameat,?renameat2", "mkdir": "?mkdir,?mkdirat", "look": "?newfstatat,?lstat,?stat"}
"""What a call is called in the kernel, where it has more than one name."""

FULL = ("EIO", "ENOSPC", "EDQUOT", "EROFS", "EINTR")
CALLS = {
    "fresh": {"mkdir": FULL, "pwrite64": (*FULL, "short"), "fdatasync": FULL, "ftruncate": FULL, "rename": FULL},
    "again": {
        "look": ("EIO", "EINTR"),
        "openat": (*FULL, "EMFILE"),
        "fcntl": ("EIO", "ENOLCK", "EINTR"),
        "getdents64": ("EIO", "EINTR"),
        "fadvise64": ("EIO",),
        "pread64": ("EIO", "EINTR"),
        "pwrite64": (*FULL, "short"),
        "fdatasync": FULL,
        "ftruncate": FULL,
        "close": ("EIO", "EINTR"),
    },
}
RETRIED = {"fcntl", "openat", "pread64", "pwrite64", "fdatasync", "ftruncate"}
"""What Python asks again where a signal interrupted it: interrupted for ever it asks for ever."""


TOLD = {"mkdir", "rename", "pwrite64", "fdatasync"}
"""What a run cannot go on without."""


@attrs.frozen
class Fault:
    """`call` answers with `error`: the first time, in the middle of the run, or always."""

    start: str
    call: str
    error: str
    when: str

    def __str__(self) -> str:
        return f"{self.start} {self.call} {self.error} {self.when}"

    @property
    def codes(self) -> set[int]:
        """The exit codes that the command may end with."""
        if self.error == "EINTR" and self.call in RETRIED:
            return {0}
        if self.error == "short" and self.when == "first":
            return {0}  # the note in LOCK, which is for people
        return {1} if self.call in TOLD else {0, 1}

    def rule(self, times: int) -> str:
        """What strace is told; the call is made so many times in a run that nothing disturbs."""
        answer = "retval=7" if self.error == "short" else f"error={self.error}"
        when = {"first": "1", "middle": str(times // 2 + 1), "always": "1+"}[self.when]
        return f"inject={NAMES.get(self.call, self.call)}:{answer}:when={when}"


def faults() -> Iterator[Fault]:
    for start, calls in CALLS.items():
        for call, errors in calls.items():
            for error, when in itertools.product(errors, ("first", "middle", "always")):
                if (error, when) != ("EINTR", "always") or call not in RETRIED:
                    yield Fault(start, call, error, when)


@attrs.frozen
class Ended:
    """How a command ended: its exit code, the events that it printed, and what it said on stderr."""

    code: int
    heard: tuple[dict[str, Any], ...]
    said: str


def live(data: Path, to: str, *, before: tuple[str, ...] = ()) -> Ended:
    options = ["--symbol", "BTCUSDT", "--exchange", "sim:5", "--clock", "replay", "--to", to, "--json"]
    done = typed(*before, str(TICKFOLD), "live", str(FILE), "--data-dir", str(data), *options)
    return Ended(done.returncode, tuple(map(json.loads, done.stdout.splitlines())), done.stderr)


def typed(*words: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}  # else files are renamed that are not the journal's
    return subprocess.run(words, env=env, capture_output=True, text=True, check=False)


@attrs.frozen
class Stage:
    """Journals of runs that nothing disturbed, and how often each call is made in one."""

    home: Path
    decided: list[dict[str, Any]]
    times: dict[tuple[str, str], int]

    def laid_out(self, start: str, place: Path) -> tuple[str, ...]:
        """The data directory of a run of this kind; the words that make strace look at its files alone."""
        data = place / "data"
        if start == "fresh":
            return ()
        shutil.copytree(self.home / "half", data)
        return tuple(itertools.chain.from_iterable(("-P", str(path)) for path in [data, *sorted(data.rglob("*"))]))

    def disturbed(self, fault: Fault, place: Path) -> tuple[Ended, str]:
        """How the command ended, and what strace noted."""
        only, log = self.laid_out(fault.start, place), place / "log"
        rule = fault.rule(self.times[fault.start, fault.call])
        traced = f"trace={NAMES.get(fault.call, fault.call)}"
        ended = live(place / "data", WHOLE, before=("strace", "-f", "-o", str(log), *only, "-e", traced, "-e", rule))
        return ended, log.read_text()


def staged(home: Path) -> Stage:
    for name, to in (("half", HALF), ("whole", WHOLE)):
        ended = live(home / name, to)
        assert (ended.code, ended.said) == (0, ""), ended
    stage = Stage(home, decisions(journalled(home / "whole", STREAM)), {})
    for start, calls in CALLS.items():
        place = home / start
        place.mkdir()
        names = ",".join(NAMES.get(call, call) for call in calls)
        before = ("strace", "-f", "-o", str(place / "log"), *stage.laid_out(start, place), "-e", f"trace={names}")
        assert live(place / "data", WHOLE, before=before).code == 0
        for call in calls:
            kernel = NAMES.get(call, call).replace("?", "").replace(",", "|")
            found = re.findall(rf"^\d+ +(?:{kernel})\(", (place / "log").read_text(), re.MULTILINE)
            stage.times[start, call] = len(found)
    return stage


def unheard(heard: tuple[dict[str, Any], ...], kept: list[Event]) -> list[dict[str, Any]]:
    """What was printed and does not stand in the journal as it was printed."""
    there = {event.seq: (event.action, event.at) for event in kept}
    return [told for told in heard if there.get(told["seq"]) != (told["action"], told["at"])]
