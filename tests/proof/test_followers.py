"""One writer and many followers in other processes: no gap, no repetition, nothing before it was on the disk."""

from __future__ import annotations

import os
import signal
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import attrs
import pytest

from tests.proof.following import expected_digest

ROOT = Path(__file__).parents[2]
EVENTS = int(os.environ.get("TICKFOLD_FOLLOWED_EVENTS", "100000"))
FOLLOWERS = 16
KILLS = 3
"""How often the writer and three followers are killed, each time at another tenth of the events."""


@attrs.define
class Cast:
    """The processes of one run."""

    home: Path
    writer: subprocess.Popen[str] = attrs.field(init=False)
    followers: dict[str, subprocess.Popen[str]] = attrs.Factory(dict)

    @property
    def shared(self) -> Path:
        return self.home / "shared"

    def start(self, *words: str) -> subprocess.Popen[str]:
        part, *names = words
        command = [sys.executable, "-m", "tests.proof.following", part, str(self.home / "data"), str(EVENTS)]
        path = os.pathsep.join([str(ROOT), str(ROOT / "eventstore")])
        return subprocess.Popen(
            [*command, str(self.shared), *names],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": path},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def follow(self, name: str) -> None:
        self.followers[name] = self.start("follow", name)

    def go(self) -> None:
        """Let the writer go on to the next tenth."""
        assert self.writer.stdin is not None
        self.writer.stdin.write("\n")
        self.writer.stdin.flush()

    def synced(self) -> int:
        (seq,) = struct.unpack("<q", self.shared.read_bytes())
        return int(seq)

    def end(self) -> None:
        for process in (self.writer, *self.followers.values()):
            process.kill()
            process.communicate()


@pytest.fixture
def cast(tmp_path: Path) -> Iterator[Cast]:
    found = Cast(tmp_path)
    found.shared.write_bytes(bytes(8))
    found.writer = found.start("write")
    yield found
    found.end()


def line(stream: IO[str] | None) -> str:
    assert stream is not None
    return stream.readline()


def killed(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def disturbed(cast: Cast, place: int) -> None:
    """Stop some followers, kill the writer while it writes and other followers while they read, start them again."""
    names = list(cast.followers)
    slow = names[place + 9 : place + 12]
    for name in slow:
        cast.followers[name].send_signal(signal.SIGSTOP)
    before = cast.synced()
    cast.go()
    while cast.synced() < before + 400:
        assert cast.writer.poll() is None, cast.writer.communicate()
    killed(cast.writer)
    cast.writer = cast.start("write")
    for name in names[place * 3 : place * 3 + 3]:
        killed(cast.followers[name])
        cast.follow(name)
    line(cast.writer.stdout)
    for name in slow:
        cast.followers[name].send_signal(signal.SIGCONT)


def test_sixteen_followers_see_every_event_once_however_often_processes_are_killed(cast: Cast) -> None:
    line(cast.writer.stdout)
    for number in range(FOLLOWERS):
        cast.follow(f"reader-{number}")
    assert {line(follower.stdout) for follower in cast.followers.values()} == {"following\n"}
    for place in range(KILLS):
        disturbed(cast, place)
    cast.go()
    while line(cast.writer.stdout):
        cast.go()
    assert cast.writer.wait() == 0, cast.writer.communicate()
    ends = {name: follower.communicate() for name, follower in cast.followers.items()}
    right = [str(expected_digest(EVENTS))]
    assert [(name, *end) for name, end in ends.items() if end[0].split()[-1:] != right or end[1]][:1] == []
    assert len(list((cast.home / "data").rglob("*.jsonl"))) > 3, "nothing was rotated"
