"""The journal: what an append costs beside the disk's own flush, what opening costs as history grows, and verifying.

Everything that is compared is measured in one run, turn by turn, on the same disk. Each figure is checked for its
result, never for its time.
"""

from __future__ import annotations

import importlib.util
import os
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from _machine import machine, median, row, seconds

from tickfold_eventstore import AcceptedSignal, Event, Journal, Opened, Store, Stream
from tickfold_eventstore.codec import encode_events
from tickfold_eventstore.folder import Folder
from tickfold_eventstore.reader import Cursor
from tickfold_eventstore.record import ZERO_HASH, line_of
from tickfold_eventstore.verify import verify

STREAM = Stream("sim-3", "bench", "A")
AT = 1_730_000_000_000
APPENDS = 2_000
LONG, SHORT = 1_000_000, 1_000
SIGNAL = AcceptedSignal(
    id="0123456789abcdef",
    position="long",
    entry=67_891.23,
    take_profit=69_249.05,
    stop_loss=67_212.32,
    lifetime_minutes=720,
    note="",
    scheduled_at=None,
    opened_at=AT,
)


def event(seq: int) -> Event:
    at = AT + seq * 60_000
    return Opened(
        seq=seq, at=at, recorded_at=at + 2_000, **STREAM._asdict(), signal=SIGNAL, price=SIGNAL.entry, ticks=None
    )


def newest(records: Iterator[tuple[Event, ...]]) -> int:
    """The fold of a start: the seq that the last record says."""
    return next(records)[-1].seq


class NoFlush:
    """The disk without its flushes, to write a long journal in a moment."""

    def __init__(self, store: Store) -> None:
        self._files = store.files

    def __getattr__(self, name: str) -> object:
        return getattr(self._files, name)

    def sync(self, descriptor: int) -> None: ...


# Appending.


class Raw:
    """What no journal can be faster than: the same bytes over a file that was filled before, and one flush each."""

    def __init__(self, path: Path, size: int) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT)
        os.pwrite(self._descriptor, b"\n" * size, 0)
        os.fsync(self._descriptor)
        self.end = 0

    def write(self, line: bytes) -> None:
        os.pwrite(self._descriptor, line, self.end)
        os.fdatasync(self._descriptor)
        self.end += len(line)

    def close(self) -> None:
        os.close(self._descriptor)


class Sqlite:
    """The same body in a table, a transaction each, as durable: WAL and synchronous=FULL."""

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(path, isolation_level=None)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=FULL")
        self._database.execute("CREATE TABLE events (seq INTEGER PRIMARY KEY, body BLOB)")

    def insert(self, seq: int, body: bytes) -> None:
        self._database.execute("INSERT INTO events VALUES (?, ?)", (seq, body))

    def count(self) -> int:
        (found,) = self._database.execute("SELECT count(*) FROM events").fetchone()
        return int(found)

    def close(self) -> None:
        self._database.close()


def turns(journal: Journal, raw: Raw, sqlite: Sqlite) -> tuple[list[float], list[float], list[float]]:
    """Seconds of each append, each raw write and each insert, in turn. All three hold the same in the end."""
    appends, raws, inserts = [], [], []
    for seq in range(1, APPENDS + 1):
        one = event(seq)
        body = encode_events([one])
        line = line_of(ZERO_HASH, seq, one.recorded_at * 1000, b"events", body)
        calls: list[tuple[list[float], Callable[[], object]]] = [
            (appends, lambda one=one, seq=seq: journal.append([one], expected_seq=seq - 1)),
            (raws, lambda line=line: raw.write(line)),
            (inserts, lambda seq=seq, body=body: sqlite.insert(seq, body)),
        ]
        for place in range(3):
            times, call = calls[(seq + place) % 3]
            times.append(seconds(call))
    return appends, raws, inserts


def appending(folder: str) -> None:
    store = Store(f"{folder}/append")
    journal, _ = store.open(STREAM, lambda records: None)
    raw = Raw(Path(folder, "raw"), APPENDS * 512)
    sqlite = Sqlite(Path(folder, "sqlite"))
    appends, raws, inserts = turns(journal, raw, sqlite)
    journal.close()
    assert sum(1 for _ in store.reader(STREAM).records()) == sqlite.count() == APPENDS
    raw.close()
    sqlite.close()
    floor = f"raw pwrite + fdatasync: {median(raws) * 1e6:.0f} us"
    ratio = median([each / beside for each, beside in zip(appends, raws, strict=True)])
    row("append of one event", f"{median(appends) * 1e6:.0f} us", floor)
    row(
        "append / raw, median of the turns (goal 1.2)", f"{ratio:.2f}", f"medians: {median(appends) / median(raws):.2f}"
    )
    row("SQLite, WAL, synchronous=FULL / raw", f"{median(inserts) / median(raws):.2f}")
    for name in ("lmdb", "eventsourcing"):
        if importlib.util.find_spec(name) is None:
            print(f"  {name}: not installed, not measured")


def without_the_disk(folder: str) -> None:
    """The same append where a flush costs nothing: what is left is our own work and three small writes."""
    store = Store(f"{folder}/noflush")
    store = Store(f"{folder}/noflush", files=NoFlush(store))
    journal, _ = store.open(STREAM, lambda records: None)
    events = [event(seq) for seq in range(1, 20_001)]

    def append_all() -> None:
        for one in events:
            journal.append([one], expected_seq=one.seq - 1)

    took = seconds(append_all)
    assert journal.head.seq == len(events)
    journal.close()
    row("append without its flush", f"{took / len(events) * 1e6:.1f} us")


# Opening and verifying.


def written(folder: str, count: int) -> Store:
    store = Store(f"{folder}/{count}")
    fast = Store(store.data_dir, files=NoFlush(store))
    journal, _ = fast.open(STREAM, lambda records: None)
    for seq in range(1, count + 1):
        journal.append([event(seq)], expected_seq=seq - 1)
    journal.close()
    return store


def opening(long: Store, short: Store) -> None:
    took: dict[Store, list[float]] = {long: [], short: []}
    for turn in range(60):
        for store in (long, short) if turn % 2 else (short, long):
            started = time.perf_counter()
            journal, seq = store.open(STREAM, newest)
            took[store].append(time.perf_counter() - started)
            assert seq == journal.head.seq == (LONG if store is long else SHORT)
            journal.close()
    ratio = median(took[long][4:]) / median(took[short][4:])
    row(f"opening a journal of {SHORT:,} events", f"{median(took[short][4:]) * 1e3:.2f} ms")
    row(f"opening a journal of {LONG:,} events", f"{median(took[long][4:]) * 1e3:.2f} ms")
    row("ratio (goal 1.5)", f"{ratio:.2f}")


def verifying(long: Store) -> None:
    folder: Folder = long.folder(STREAM)
    size = sum(path.stat().st_size for path in Path(folder.path).glob("*.jsonl"))

    def through() -> None:
        assert sum(line.kind == b"events" for line in Cursor(folder).lines(None)) == LONG

    def whole() -> None:
        verdict = verify(long.reader(STREAM))
        assert (verdict.damage, verdict.records) == (None, LONG)

    def floor() -> None:
        for path in sorted(Path(folder.path).glob("*.jsonl")):
            for line in path.read_bytes().split(b"\n"):
                len(line)

    chained = median([seconds(through) for _ in range(3)])
    decoded = median([seconds(whole) for _ in range(3)])
    split = median([seconds(floor) for _ in range(3)])
    row(
        f"verify the chain, lines of {size // LONG} bytes (goal 400,000/s)",
        f"{LONG / chained:,.0f}/s",
        f"read and split: {LONG / split:,.0f}/s",
    )
    row("verify and decode (goal 200,000/s)", f"{LONG / decoded:,.0f}/s")


def main() -> None:
    print(machine())
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        appending(folder)
        without_the_disk(folder)
        long, short = written(folder, LONG), written(folder, SHORT)
        opening(long, short)
        verifying(long)


if __name__ == "__main__":
    main()
