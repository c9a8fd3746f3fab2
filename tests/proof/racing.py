"""Scenes with real processes for the tests: each prints one line of JSON. `python -m tests.proof.racing SCENE …`

race HOME NUMBER     so many processes open one stream at the same moment; who won, and what the others were told
few HOME LIMIT       the usual story with so few file descriptors
fill HOME            appends until the disk is full; frees HOME/../ballast, and appends once more
pad HOME             appends records that end where a block of the disk ends
append HOME NUMBER   appends until so many records are there, or something is raised; then tries twice more
"""

from __future__ import annotations

import json
import os
import resource
import sys
from collections.abc import Callable
from pathlib import Path

import attrs

from tests.proof.kept import opened
from tests.proof.killed import CODE, USUAL, found, live
from tickfold_eventstore.errors import AppendRefused, JournalPoisoned, StoreError, StreamHeld
from tickfold_eventstore.files import LinuxFiles

WIDE = attrs.evolve(CODE, unit=1 << 16, segment=1 << 26)


def race(home: str, number: int) -> object:
    """Every child waits for the start, and the winner for the end."""
    start, go = os.pipe()
    wait, end = os.pipe()
    told, tell = os.pipe()
    children = []
    for _ in range(number):
        child = os.fork()
        if child == 0:
            os.close(end)
            os.read(start, 1)
            try:
                subject = opened(CODE, LinuxFiles(), home)
            except StreamHeld as held:
                os.write(tell, f"held {held.holder}\n".encode())
            except (OSError, StoreError) as error:
                os.write(tell, f"{type(error).__name__} {error}\n".encode())
            else:
                os.write(tell, f"won {os.getpid()}\n".encode())
                os.read(wait, 1)
                subject.close()
            os._exit(0)
        children.append(child)
    os.write(go, b"." * number)
    answers = b""
    while answers.count(b"\n") < number:
        answers += os.read(told, 4096)
    os.close(end)
    for child in children:
        os.waitpid(child, 0)
    return answers.decode().splitlines()


def few(home: str, limit: int) -> object:
    """The story with `limit` descriptors; and then, with enough of them, what is there."""
    told, tell = os.pipe()
    child = os.fork()
    if child == 0:
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
        try:
            live(USUAL, LinuxFiles(), home, tell)
        except (OSError, AppendRefused) as error:
            os.write(tell, type(error).__name__.encode())
        os._exit(0)
    os.close(tell)
    os.waitpid(child, 0)
    text = os.read(told, 4096).decode()
    return {"acknowledged": text.count("."), "ended": text.strip("."), **found(USUAL, home)}


def fill(home: str) -> object:
    """A disk that runs full refuses an append; with room again it takes the next one."""
    subject, count, refused = opened(CODE, LinuxFiles(), home), 0, ""
    while not refused:
        try:
            subject.append(CODE.record(count, 1500))
            count += 1
        except AppendRefused as error:
            refused = str(error)
    (Path(home).parent / "ballast").unlink()
    subject.append(CODE.record(count, 1500))
    subject.close()
    again = opened(CODE, LinuxFiles(), home)
    return {"records": count, "refused": refused, "after": len(again.told)}


def pad(home: str) -> object:
    """Five records that fill the first block of 4096 bytes exactly; not closed, so that the others stay."""
    subject = opened(WIDE, LinuxFiles(), home)
    ends = []
    for count in range(4):
        subject.append(WIDE.record(count, 100))
        ends.append(subject.journal._end)
    bare = ends[1] - ends[0] - 100  # the fifth record's text needs as many bytes as the second's
    subject.append(WIDE.record(4, 4096 - ends[3] - bare))
    return {"records": 5, "bytes": subject.journal._end}


def append(home: str, number: int) -> object:
    """Names of what is raised by the append that fails, by the next one, and by opening anew in this process."""
    files = LinuxFiles()
    subject = opened(WIDE, files, home)
    count = len(subject.told)
    raised: list[str] = []
    print(count, flush=True)
    sys.stdin.readline()
    while count < number and not raised:
        try:
            subject.append(WIDE.record(count, 500))
            count += 1
        except (AppendRefused, JournalPoisoned) as error:
            raised.append(type(error).__name__)
    if raised:
        raised.append(error_of(lambda: subject.append(WIDE.record(count, 1))))
        subject.close()
        raised.append(error_of(lambda: opened(WIDE, files, home)))
    return {"records": count, "raised": raised}


def error_of(call: Callable[[], object]) -> str:
    try:
        call()
    except (StoreError, OSError) as error:
        return type(error).__name__
    return ""


if __name__ == "__main__":
    scene, home, *numbers = sys.argv[1:]
    scenes: dict[str, Callable[..., object]] = {"race": race, "few": few, "fill": fill, "pad": pad, "append": append}
    print(json.dumps(scenes[scene](home, *map(int, numbers))))
