"""One process that writes, others that follow: the parts that they play, each in a process of its own.

    python -m tests.proof.following write  HOME EVENTS SHARED
    python -m tests.proof.following follow HOME EVENTS SHARED NAME

SHARED is a file of 8 bytes: the last event of which the writer knows that it was synced. It is set from below the
store, when the sync of a record returns. At every tenth of the events the writer says so and waits for a line. A
follower takes every event, checks that it is the next, that it was synced before, and that it says what was written;
it keeps its place in a checkpoint and goes on from there when it was killed.
"""

from __future__ import annotations

import mmap
import struct
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import anyio
import attrs

from tests.proof.faulty import Between, T
from tickfold_eventstore.checkpoint import Checkpoint, CheckpointFile
from tickfold_eventstore.events import Event, Stopped
from tickfold_eventstore.files import LinuxFiles
from tickfold_eventstore.folder import Layout
from tickfold_eventstore.signals import Stream
from tickfold_eventstore.store import Store

STREAM = Stream("sim-3", "w", "A")
LAYOUT = Layout(unit=1 << 16, segment=1 << 20)
SAVED_EVERY = 50
"""Records between two checkpoints."""


@attrs.define
class Noting(Between):
    """Writes into `shared` what was synced."""

    shared: mmap.mmap
    written: int = 0

    def pwrite(self, descriptor: int, data: bytes, offset: int) -> int:
        if data.startswith(b'{"n":') and b'"events":[' in data[:80]:
            self.written = int(data[18:30])
        return self.files.pwrite(descriptor, data, offset)

    def around(
        self, name: str, call: Callable[[], T], descriptor: int | None = None, half: Callable[[], T] | None = None
    ) -> T:
        result = call()
        if name == "sync" and self.written:
            self.shared[:8] = struct.pack("<q", self.written)  # pack_into would show a zero in between
        return result


def event(seq: int, at: int) -> Event:
    text = f"{seq} {'x' * (seq * 7919 % 60)}"
    where = STREAM._asdict()
    return Stopped(seq=seq, at=at, recorded_at=at, **where, reason=text, price=None, state_seq=0)


def digest_of(told: Event, before: int) -> int:
    assert isinstance(told, Stopped)
    return zlib.crc32(f"{told.seq} {told.reason}".encode(), before)


def expected_digest(events: int) -> int:
    digest = 0
    for seq in range(1, events + 1):
        digest = digest_of(event(seq, 0), digest)
    return digest


def write(home: str, events: int, shared: mmap.mmap) -> None:
    store = Store(home, files=Noting(LinuxFiles(), shared), layout=LAYOUT)
    journal, _ = store.open(STREAM, lambda records: next(records, None))
    tenth = journal.head.seq * 10 // events
    while (seq := journal.head.seq) < events:
        count = min(events - seq, 1 + seq % 39)
        journal.append([event(seq + 1 + place, seq) for place in range(count)], expected_seq=seq)
        if journal.head.seq * 10 // events > tenth:
            tenth = journal.head.seq * 10 // events
            print(tenth, flush=True)
            sys.stdin.readline()
    journal.close()


async def follow(home: str, events: int, shared: mmap.mmap, name: str) -> None:
    store = Store(home, layout=LAYOUT)
    reader = store.reader(STREAM)
    place = CheckpointFile(store.files, f"{store.checkpoints(STREAM)}/{name}.json", name)
    saved = place.load(reader)
    seq, digest, since = (saved.seq, saved.state, 0) if saved else (0, 0, 0)
    print("following", flush=True)
    async for record in reader.follow_records(seq + 1):
        (synced,) = struct.unpack_from("<q", shared, 0)
        for told in record.events:
            if told.seq != seq + 1 or told.seq > synced:
                raise AssertionError(f"after event {seq} came {told.seq}, when {synced} was synced")
            seq, digest = told.seq, digest_of(told, digest)
        since += 1
        if since == SAVED_EVERY or seq == events:
            place.save(Checkpoint(seq=seq, h=record.hash, state=digest))
            since = 0
        if seq == events:
            print(digest)
            return


@contextmanager
def shared_at(path: str) -> Iterator[mmap.mmap]:
    with Path(path).open("r+b") as file, mmap.mmap(file.fileno(), 8) as shared:
        yield shared


if __name__ == "__main__":
    part, home, events, path, *names = sys.argv[1:]
    with shared_at(path) as shared:
        if part == "write":
            write(home, int(events), shared)
        else:
            anyio.run(follow, home, int(events), shared, names[0])
