"""Small journals of the store, damaged in every way, and what opening them comes to.

Five outcomes: *right* (every record, as it was), *refused*, and, where no rule can tell, *undecidable* (the end looks
as if it was never there) or *set aside* (it looks like an append that was cut short). Else *silent*: not allowed.
"""

from __future__ import annotations

from random import Random
from typing import Any

import attrs

from tests.proof import verifier
from tests.proof.disk import Disk, Image
from tests.proof.kept import HOME, Code, folder_of, oldest_first, verdicts

UNIT = 512
WHICH = ("newest", "stale", "missing", "missing, but a reader's checkpoint is newest")
SEEDS = range(10)


@attrs.frozen
class Journal:
    """The files of a stream, its MARK by age, and what was acknowledged."""

    code: Code
    image: Image
    checkpoint: Image
    """What a reader left that has read every record."""
    marks: dict[str, bytes | None]
    records: tuple[Any, ...]
    older: tuple[Image, ...]
    """The files as they stood after each append."""

    def marked(self, which: str) -> Image:
        """The image with this MARK."""
        image = {path: content for path, content in self.image.items() if not path.endswith("/MARK")}
        if which == WHICH[3]:
            return {**image, **self.checkpoint}
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
        return [line + b"\n" for line in self.content(path).rstrip(b"\n").split(b"\n")]

    def end(self, path: str) -> int:
        """Where the free space of a segment begins."""
        return sum(map(len, self.lines(path)))


def written(seed: int, package: str = "tickfold_eventstore", symbol: str = "A") -> Journal:
    """Below seed 6 one segment with three records, else several with five in all; that of seed 9 ends in a seal."""
    rng = Random(seed)
    code = Code(package, symbol, UNIT, 1 << 20 if seed % 10 < 6 else 1024)
    disk = Disk()
    journal, _ = code.store(disk).open(code.stream, list)
    states: list[tuple[Image, Any]] = []
    for number in range(3 if seed % 10 < 6 else 5):
        record = code.record(number, rng.choice((0, 1, 30, 90)))
        journal.append(record, expected_seq=record[0].seq - 1)
        states.append((disk.image(), record))
    if seed % 10 in {3, 7}:
        journal.close()  # the free space is cut off
    image = without_lock(disk.image())
    if seed % 10 == 9:
        newest = max(path for path in image if path.endswith(".jsonl"))
        del image[newest]
        states = [state for state in states if newest not in state[0]]
    marks = [state[0][f"{code.place}/MARK"] for state in states]
    age = {"newest": marks[-1], "stale": marks[-2], "missing": None}
    older, records = zip(*states, strict=True)
    image[f"{code.place}/MARK"] = marks[-1]
    return Journal(code, image, checkpointed(code, image), age, records, older)


def checkpointed(code: Code, image: Image) -> Image:
    """The files of a reader that has read the whole journal."""
    disk = Disk(image)
    head = code.store(disk).reader(code.stream).head()
    code.keep_place(disk, HOME, head)
    return {path: content for path, content in disk.image().items() if path.startswith(f"{HOME}/checkpoints")}


@attrs.define
class Bench:
    """One journal laid out for damage: bytes are changed in place, judged, and put back."""

    journal: Journal
    which: str
    disk: Disk = attrs.field(init=False)
    folder: Any = attrs.field(init=False)
    named: tuple[Any, ...] = attrs.field(init=False)
    """The records that checkpoints name."""

    def __attrs_post_init__(self) -> None:
        self.lay(self.journal.marked(self.which))

    def lay(self, image: Image) -> None:
        self.disk = Disk(image)
        code = self.journal.code
        store = code.store(self.disk)
        self.folder = store.folder(code.stream)
        place = store.checkpoints(code.stream)
        self.named = tuple(code.module("checkpoint").named_by_checkpoints(self.disk, place).values())

    def outcome(self) -> str:
        """What opening comes to, without what it would write."""
        code = self.journal.code
        try:
            found, told = code.module("recovery").look(self.folder, oldest_first, self.named)
        except code.errors.CorruptJournal as corrupt:
            return "refused" if well_told(self.journal, corrupt) else f"refused badly: {corrupt}"
        return self.classified(told, bool(found.torn))

    def judged_outcome(self) -> str:
        """The same, held against the verifier; only the store knows of checkpoints."""
        code, looked = self.journal.code, self.outcome()
        word = verifier.verify(folder_of(self.disk, code.place), code.names, code.unit)[0]
        if (word == "damaged") == (looked == "refused") or (looked == "refused" and self.which == WHICH[3]):
            return looked
        return f"{looked}, and the verifier says {word}"

    def classified(self, told: tuple[Any, ...], torn: bool) -> str:
        records = self.journal.records
        if told == records:
            return "right"
        if told != records[: len(told)] or "newest" in self.which:
            return "silent"
        return "set aside" if torn else "undecidable"

    def whole_outcome(self) -> str:
        """The same with all that opening does; where it refuses, no byte may have changed. The verifiers agree."""
        code, before = self.journal.code, without_lock(self.disk.image())
        agree = agreed(code, self.disk)
        looked = self.judged_outcome()
        try:
            journal, told = code.store(self.disk).open(code.stream, oldest_first)
        except code.errors.CorruptJournal:
            return looked if agree and without_lock(self.disk.image()) == before else "changed, or the verifiers differ"
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
