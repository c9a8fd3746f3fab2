"""A power cut while the text of an append that came to nothing is cleared away, of which a single byte landed.

That text is cleared by line feeds. One of them alone inside it, which only a sector that tore leaves, looks like rot of
a whole record. No sample finds that often, so every byte is tried in its turn.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

from tests.proof.disk import Disk, File, Image
from tests.proof.faulty import SHORT, Failing
from tests.proof.kept import Code, opened
from tests.proof.powercut import nothing_more_landed

FILLER = 10


def locked_out(code: Code) -> str:
    """What is wrong with what one finds after such a power cut; empty where nothing is."""
    for name, cuts_of in (("a torn append", of_a_start), ("a refused append", of_a_refusal)):
        try:
            cuts = cuts_of(code)
            told = {opened(code, Disk(image)).told for image in cuts}
        except Exception as fault:  # noqa: BLE001  whatever was raised is the finding
            return f"{name}, one byte of its clearing landed: {type(fault).__name__}: {fault}"
        if told != {(code.record(0, 1),)} or len(cuts) < 100:
            return f"{name}, one byte of its clearing landed: of {len(cuts)} power cuts came {told}"
    return ""


def of_a_start(code: Code) -> list[Image]:
    """A start finds the first two thirds of an append."""
    disk, path, _ = torn(code)
    return single_bytes(disk, path, lambda: opened(code, disk))


def of_a_refusal(code: Code) -> list[Image]:
    """The disk takes half of an append, which had landed when the append was refused."""
    disk = Disk()
    failing = Failing(disk, code=SHORT)
    subject = opened(code, failing)
    subject.append(code.record(0, 1))
    path = segment(disk)
    record = code.record(1, 300)

    def refused() -> None:
        failing.nth = failing.calls + 1
        try:
            subject.append(record)
        except code.errors.AppendRefused:
            return
        raise AssertionError("the append was not refused")

    return single_bytes(disk, path, refused)


def torn(code: Code) -> tuple[Disk, str, bytes]:
    """A disk with a record and two thirds of another; the segment's path, and that text."""
    disk = Disk()
    opened(code, disk).append(code.record(0, 1))
    whole = disk.image()
    path = segment(disk)
    disk.die()
    opened(code, disk).append(code.record(1, 300))
    before, after = whole[path] or b"", disk.image()[path] or b""
    end = len(before.rstrip(b"\n")) + 1
    text = after[end:].rstrip(b"\n")
    text = text[: len(text) * 2 // 3]
    return Disk({**whole, path: (before[:end] + text).ljust(len(before), b"\n")}), path, text


def segment(disk: Disk) -> str:
    return next(path for path in disk.image() if path.endswith(".jsonl"))


@attrs.define
class Watch:
    """Notes, at each write of line feeds over text, the disk with one of them landed, each in its turn.

    What stood there before may have landed or not, but for what was synced.
    """

    disk: Disk
    path: str
    before: bytes
    images: list[Image] = attrs.Factory(list)

    def __call__(self, call: str) -> None:
        file = self.disk.node(self.path)
        assert isinstance(file, File)
        after = bytes(file.cache)
        for before in {self.before, file.disk} if call == "pwrite" else ():
            for place, byte in enumerate(after):
                if place < len(before) and byte == FILLER != before[place]:
                    there = before[:place] + b"\n" + before[place + 1 :]
                    self.images.append({**nothing_more_landed(self.disk), self.path: there})
        self.before = after


def single_bytes(disk: Disk, path: str, act: Callable[[], Any]) -> list[Image]:
    watch = Watch(disk, path, disk.image()[path] or b"")
    disk.watch = watch
    act()
    disk.watch = lambda _: None
    return watch.images
