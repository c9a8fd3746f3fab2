"""A process that is killed before its n-th call to the disk, for every n, on a real directory.

    python -m tests.proof.killed HOME FIRST LAST STORY

FIRST to LAST are the n (LAST 0: as many as the story has calls); STORY is a seed for what is done (0: the usual).
Prints how many calls the story makes, then a JSON line for each n: what was acknowledged before the kill, and what the
next process then found. One small process forks for each n; it has no threads and has imported nothing but the store.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from pathlib import Path
from random import Random

from tests.proof import verifier
from tests.proof.faulty import Killing
from tests.proof.kept import SIZES, Code, Kept, opened
from tests.proof.lives import CLOSE, KEEP_PLACE
from tickfold_eventstore.files import Files, LinuxFiles

USUAL = (60, 700, KEEP_PLACE, 1500, CLOSE, 700, 300, KEEP_PLACE, CLOSE, 1)
CODE = Code()
Story = tuple[int, ...]


def story_of(seed: int) -> Story:
    rng = Random(seed)
    return tuple(rng.choice((CLOSE, KEEP_PLACE, *SIZES, *SIZES)) for _ in range(8)) if seed else USUAL


def live(story: Story, files: Files, home: str, told: int) -> None:
    """The story; writes one byte for each record that was acknowledged."""
    subject = opened(CODE, files, home)
    count = 0
    for step in story:
        if step == CLOSE:
            subject.close()
            subject = opened(CODE, files, home)
        elif step == KEEP_PLACE:
            subject.keep_place()
        else:
            subject.append(CODE.record(count, step))
            os.write(told, b".")
            count += 1
    subject.close()


def calls(story: Story, home: str) -> int:
    """How many calls the story makes."""
    files = Killing(LinuxFiles())
    live(story, files, home, os.open(os.devnull, os.O_WRONLY))
    return files.calls


def killed(story: Story, home: str, nth: int) -> dict[str, object]:
    """Live and be killed; then, in another process's place, look."""
    ask, told = os.pipe()
    child = os.fork()
    if child == 0:
        live(story, Killing(LinuxFiles(), nth=nth), home, told)
        os._exit(0)
    os.close(told)
    acknowledged = 0
    while chunk := os.read(ask, 100):
        acknowledged += len(chunk)
    os.close(ask)
    _, status = os.waitpid(child, 0)
    there = found(story, home)
    return {
        "nth": nth,
        "killed": os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL,
        "acknowledged": acknowledged,
        **there,
    }


def found(story: Story, home: str) -> dict[str, object]:
    """What the verifier says, what is read, and whether an append works then and is read after a clean close."""
    place = Path(home, "journal", CODE.stream_path)
    files = {path.name: path.read_bytes() for path in place.iterdir() if path.is_file()} if place.exists() else {}
    word, _, _, last = verifier.verify(files, CODE.names, CODE.unit)
    subject: Kept = opened(CODE, LinuxFiles(), home)
    expected = tuple(CODE.record(count, size) for count, size in enumerate(size for size in story if size > 0))
    right = subject.told == expected[: len(subject.told)]
    subject.append(CODE.record(len(subject.told), 5))
    subject.close()
    again = opened(CODE, LinuxFiles(), home)
    again.close()
    return {
        "verifier": word,
        "records": len(subject.told),
        "right": right and (subject.told[-1][-1].seq if subject.told else 0) == last,
        "goes on": again.told == (*subject.told, CODE.record(len(subject.told), 5)),
    }


def main(home: str, first: int, last: int, seed: int) -> None:
    story = story_of(seed)
    number = calls(story, home)
    shutil.rmtree(home)
    print(number, flush=True)
    for nth in range(first, (last or number) + 1):
        print(json.dumps(killed(story, home, nth)), flush=True)
        shutil.rmtree(home)


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:5]))
