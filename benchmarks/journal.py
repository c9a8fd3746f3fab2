"""The journal: what an append costs beside the disk's own flush and beside three other stores, what opening costs as
history grows, and verifying.

Everything that is compared is measured in one run, turn by turn, on the same disk. Each figure is checked for its
result, never for its time.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from random import Random

from _beside import Beside, EventSourcing, Lmdb, Raw, Sqlite
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
JOURNAL, RAW = "append of one event", "raw pwrite + fdatasync"
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


def turns(journal: Journal, others: Mapping[str, Beside]) -> dict[str, list[float]]:
    """Seconds of each append to the journal and to each of the others, in turn; who follows whom changes."""
    took: dict[str, list[float]] = {name: [] for name in (JOURNAL, *others)}
    rng = Random(1)
    for seq in range(1, APPENDS + 1):
        one = event(seq)
        body = encode_events([one])
        line = line_of(ZERO_HASH, seq, one.recorded_at * 1000, b"events", body)
        calls: dict[str, Callable[[], object]] = {
            name: partial(other.append, seq, line, body) for name, other in others.items()
        }
        calls[JOURNAL] = partial(journal.append, [one], expected_seq=seq - 1)
        for name in rng.sample(list(calls), len(calls)):
            took[name].append(seconds(calls[name]))
    return took


def appending(folder: str) -> None:
    store = Store(f"{folder}/append")
    journal, _ = store.open(STREAM, lambda records: None)
    others: dict[str, Beside] = {
        RAW: Raw(Path(folder, "raw"), APPENDS * 512),
        "SQLite, WAL, synchronous=FULL": Sqlite(Path(folder, "sqlite")),
        "LMDB": Lmdb(Path(folder, "lmdb")),
        "eventsourcing, on SQLite": EventSourcing(Path(folder, "eventsourcing")),
    }
    took = turns(journal, others)
    journal.close()
    assert sum(1 for _ in store.reader(STREAM).records()) == APPENDS
    assert {name: other.count() for name, other in others.items()} == dict.fromkeys(others, APPENDS)
    for other in others.values():
        other.close()
    row(JOURNAL, f"{median(took[JOURNAL]) * 1e6:.0f} us", f"{RAW}: {median(took[RAW]) * 1e6:.0f} us")
    for name in took:
        if name != RAW:
            beside = median([each / raw for each, raw in zip(took[name], took[RAW], strict=True)])
            goal = ", median of the turns (goal 1.2)" if name == JOURNAL else ""
            medians = median(took[name]) / median(took[RAW])
            row(f"{name} / raw{goal}", f"{beside:.2f}", f"medians: {medians:.2f}")


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
