"""Small journals of the store, damaged in every way, and what opening them comes to.

Five outcomes: *right* (every record, as it was), *refused*, and, where no rule can tell, *undecidable* (the end was never
there) or *set aside* (the end looks like an append that was cut short). Any other is *silent*, and must not be.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from random import Random
from typing import Any

import attrs

from tests.proof.disk import Disk, File, Image
from tests.proof.kept import HOME, Code, oldest_first, verdicts

UNIT = 512
WHICH = ("newest", "stale", "missing")
SEEDS = range(10)


@attrs.frozen
class Journal:
    """The files of a stream, its MARK by age, and what was acknowledged."""

    code: Code
    image: Image
    marks: dict[str, bytes | None]
    records: tuple[Any, ...]

    def marked(self, which: str) -> Image:
        """The image with this MARK."""
        image = {path: content for path, content in self.image.items() if not path.endswith("/MARK")}
        mark = self.marks[which]
        return image if mark is None else {**image, f"{self.code.place}/MARK": mark}

    @property
    def segments(self) -> list[str]:
        """The paths of the segments."""
        return sorted(path for path in self.image if path.endswith(".jsonl"))

    def content(self, path: str) -> bytes:
        content = self.image[path]
        assert content is not None
        return content

    def lines(self, path: str) -> list[bytes]:
        """The written lines of a segment."""
        return self.content(path).rstrip(b"\n").splitlines(keepends=True)[:-1] + [
            self.content(path).rstrip(b"\n").rsplit(b"\n", 1)[-1] + b"\n"
        ]

    def end(self, path: str) -> int:
        """Where the free space of a segment begins."""
        return sum(map(len, self.lines(path)))


def written(seed: int, package: str = "tickfold_eventstore", symbol: str = "A") -> Journal:
    """Below seed 6 one segment with three records, else several with five in all; that of seed 9 ends in a seal."""
    rng = Random(seed)
    code = Code(package, symbol, UNIT, 1 << 20 if seed < 6 else 1024)
    disk = Disk()
    journal, _ = code.store(disk).open(code.stream, list)
    states: list[tuple[Image, Any]] = []
    for number in range(3 if seed < 6 else 5):
        record = code.record(number, rng.choice((0, 1, 30, 90)))
        journal.append(record, expected_seq=record[0].seq - 1)
        states.append((disk.image(), record))
    if seed in {3, 7}:
        journal.close()  # the free space is cut off
    image = {path: content for path, content in disk.image().items() if not path.endswith("/LOCK")}
    if seed == 9:
        newest = max(path for path in image if path.endswith(".jsonl"))
        del image[newest]
        states = [state for state in states if newest not in state[0]]
    marks = [state[0][f"{code.place}/MARK"] for state in states]
    age = {"newest": marks[-1], "stale": marks[-2], "missing": None}
    return Journal(code, image, age, tuple(record for _, record in states))


@attrs.define
class Bench:
    """One journal laid out for damage: bytes are changed in place, judged, and put back."""

    journal: Journal
    which: str
    checkpoint: int | None = None
    """How many records a reader's checkpoint has taken in."""
    disk: Disk = attrs.field(init=False)
    folder: Any = attrs.field(init=False)
    named: list[Any] = attrs.Factory(list)

    def __attrs_post_init__(self) -> None:
        self.lay(self.journal.marked(self.which))

    def lay(self, image: Image) -> None:
        self.disk = Disk(image)
        code = self.journal.code
        self.folder = code.store(self.disk).folder(code.stream)

    def outcome(self) -> str:
        """What opening comes to, without what it would write."""
        code = self.journal.code
        try:
            found, told = code.module("recovery").look(self.folder, oldest_first, self.named)
        except code.errors.CorruptJournal as corrupt:
            return "refused" if well_told(self.journal, corrupt) else f"refused badly: {corrupt}"
        return self.classified(told, bool(found.torn))

    def classified(self, told: tuple[Any, ...], torn: bool) -> str:
        records = self.journal.records
        if told == records:
            return "right"
        if told != records[: len(told)] or self.which == "newest":
            return "silent"
        return "set aside" if torn else "undecidable"

    def whole_outcome(self) -> str:
        """The same with all that opening does; where it refuses, no byte may have changed. The verifiers agree."""
        code, before = self.journal.code, without_lock(self.disk.image())
        agree = agreed(code, self.disk)
        looked = self.outcome()
        try:
            journal, told = code.store(self.disk).open(code.stream, oldest_first)
        except code.errors.CorruptJournal:
            return looked if agree and without_lock(self.disk.image()) == before else f"{agree} or changed"
        journal.close()
        return looked if agree and self.classified(told, bool(journal.recovered)) == looked else "silent"


def agreed(code: Code, disk: Disk) -> bool:
    try:
        ours, theirs = verdicts(code, disk)
    except code.errors.StreamNotFound:
        return True
    return ours == theirs


def without_lock(image: Image) -> Image:
    return {path: content for path, content in image.items() if not path.endswith("/LOCK")}


def well_told(journal: Journal, corrupt: Any) -> bool:
    """A kind, a place, and a last good event that is there."""
    last = journal.records[-1][-1].seq
    return bool(corrupt.kind and corrupt.segment) and corrupt.offset >= 0 and 0 <= corrupt.last_good_seq <= last


def flips(journal: Journal, which: str, rng: Random) -> Counter[str]:
    """Every written bit of every segment and of MARK, and a sample of the free space's."""
    bench = Bench(journal, which)
    found = Counter[str]()
    for path in [*journal.segments, *([f"{journal.code.place}/MARK"] if which != "missing" else [])]:
        file = bench.disk.node(path)
        assert isinstance(file, File)
        size = len(file.cache)
        end = size if path.endswith("MARK") else journal.end(path)
        for place in [*range(end * 8), *rng.sample(range(end * 8, size * 8), min(64, (size - end) * 8))]:
            file.cache[place // 8] ^= 1 << place % 8
            file.disk = bytes(file.cache)
            found[bench.outcome()] += 1
            file.cache[place // 8] ^= 1 << place % 8
        file.disk = bytes(file.cache)
    return found


