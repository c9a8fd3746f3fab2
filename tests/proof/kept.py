"""The store as a subject of the proof: on any disk, with segments so small that a few records fill one.

Its code is looked up by the package's name, so that a copy with a fault in it is tried in the same way.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from typing import Any

import attrs

from tests.proof import verifier
from tests.proof.disk import Disk
from tests.proof.lives import Lost, Refused, Trial
from tickfold_eventstore.files import Files

HOME = "/data"
SIZES = (1, 60, 300, 700, 1500)


@attrs.frozen
class Code:
    """The store in one package, the stream that is tried and the sizes of its segments, in bytes."""

    package: str = "tickfold_eventstore"
    symbol: str = "A"
    unit: int = 1024
    segment: int = 3072

    @property
    def names(self) -> dict[str, str]:
        return {"exchange": "sim-3", "strategy": "w", "symbol": self.symbol}

    @property
    def stream_path(self) -> str:
        """Where the stream lies in a data directory."""
        return "/".join(self.names.values())

    @property
    def place(self) -> str:
        return f"{HOME}/journal/{self.stream_path}"

    def module(self, name: str) -> Any:
        path = f"{self.package}.{name}"
        return sys.modules.get(path) or importlib.import_module(path)

    @property
    def errors(self) -> Any:
        return self.module("errors")

    @property
    def stream(self) -> Any:
        return self.module("signals").Stream(**self.names)

    def store(self, files: Files, home: str = HOME) -> Any:
        return self.module("store").Store(
            home, files=files, layout=self.module("folder").Layout(self.unit, self.segment)
        )

    def keep_place(self, files: Files, home: str, head: Any) -> None:
        """A reader named r writes down that it has read up to this record."""
        checkpoint = self.module("checkpoint")
        path = f"{home}/checkpoints/{self.stream_path}/r.json"
        checkpoint.CheckpointFile(files, path, "r").save(checkpoint.Checkpoint(seq=head.seq, h=head.hash))

    def record(self, count: int, size: int) -> tuple[Any, ...]:
        """The record after `count` others; every third holds two events. Its text needs escapes here and there."""
        first = count + count // 3 + 1
        text = ("ab\x7f\n€*", "J" * 8, '"\\*')[count % 3].ljust(size, "x")
        texts = (text, "")[: 1 + (count % 3 == 2)]
        return tuple(self.event(first + place, text, minute=count) for place, text in enumerate(texts))

    def event(self, seq: int, text: str, minute: int) -> Any:
        at = 1_730_000_000_000 + 60_000 * minute
        stopped = self.module("events").Stopped
        return stopped(seq=seq, at=at, recorded_at=at, **self.names, reason=text, price=None, state_seq=0)


@attrs.define
class Kept:
    """A journal of the store that opened, its whole history read."""

    code: Code
    files: Files
    home: str
    journal: Any
    told: tuple[Any, ...]

    def append(self, record: tuple[Any, ...]) -> None:
        self.journal.append(record, expected_seq=record[0].seq - 1)

    def keep_place(self) -> None:
        self.code.keep_place(self.files, self.home, self.journal.head)

    def close(self) -> None:
        self.journal.close()


def opened(code: Code, files: Files, home: str = HOME) -> Kept:
    """Raises what the store raises."""
    return Kept(code, files, home, *code.store(files, home).open(code.stream, oldest_first))


def oldest_first(records: Iterator[tuple[Any, ...]]) -> tuple[Any, ...]:
    return tuple(reversed(list(records)))


def trial(package: str = "tickfold_eventstore") -> Trial:
    """The store of this package as what is tried."""
    code = Code(package)

    def on(disk: Files) -> Kept:
        try:
            return opened(code, disk)
        except code.errors.CorruptJournal as corrupt:
            raise Refused(str(corrupt)) from corrupt

    def read(disk: Disk) -> tuple[Any, ...]:
        try:
            return judged(code, disk)
        except code.errors.CorruptJournal as corrupt:
            raise Refused(str(corrupt)) from corrupt

    return Trial(on, code.record, SIZES, read)


def judged(code: Code, disk: Disk) -> tuple[Any, ...]:
    """Every record that a reader finds. The store's verdict on the whole, and the verifier's, must agree with that."""
    try:
        reader = code.store(disk).reader(code.stream)
    except code.errors.StreamNotFound:
        return ()
    found = tuple(record.events for record in reader.records())
    ours, theirs = verdicts(code, disk)
    last = found[-1][-1].seq if found else 0
    if not (ours[0] == "sound" and last == ours[3] and ours == theirs):
        raise Lost(f"a reader came to event {last}, verify says {ours}, the verifier {theirs}")
    return found


Verdict = tuple[str, str, int, int]


def verdicts(code: Code, disk: Disk) -> tuple[Verdict, Verdict]:
    """What the store's `verify` says of a stream, and what the verifier says: a word, segment, offset, last good seq.

    A segment and an offset belong to damage; where all is sound the store names none.
    """
    found = code.module("verify").verify(code.store(disk).reader(code.stream))
    theirs = verifier.verify(folder_of(disk, code.place), code.names, code.unit)
    if found.damage is None:
        return ("sound", *theirs[1:3], found.head.seq), theirs
    damage = found.damage
    return ("damaged", damage.segment, damage.offset, damage.last_good_seq), theirs


def folder_of(disk: Disk, place: str) -> dict[str, bytes]:
    """The files that stand in a stream's directory."""
    files = (
        (path.removeprefix(f"{place}/"), content) for path, content in disk.image().items() if path.startswith(place)
    )
    return {name: content for name, content in files if content is not None and "/" not in name}
