"""What an append of the journal is measured beside: the bare disk, and three stores that promise to be as durable."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Protocol
from uuid import UUID

import lmdb
from eventsourcing.persistence import StoredEvent
from eventsourcing.sqlite import SQLiteApplicationRecorder, SQLiteDatastore


class Beside(Protocol):
    """Keeps what it is given, on the disk when `append` returns. `body` is what stands in `line` for the event."""

    def append(self, seq: int, line: bytes, body: bytes) -> None: ...

    def count(self) -> int:
        """How many it holds, asked anew."""
        ...

    def close(self) -> None: ...


class Raw:
    """What no journal can be faster than: the same bytes over a file that was filled before, and one flush each."""

    def __init__(self, path: Path, size: int) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT)
        os.pwrite(self._descriptor, b"\n" * size, 0)
        os.fsync(self._descriptor)
        self._end = 0

    def append(self, seq: int, line: bytes, body: bytes) -> None:
        os.pwrite(self._descriptor, line, self._end)
        os.fdatasync(self._descriptor)
        self._end += len(line)

    def count(self) -> int:
        return os.pread(self._descriptor, self._end, 0).count(b"\n")

    def close(self) -> None:
        os.close(self._descriptor)


class Sqlite:
    """The same body in a table, a transaction each: WAL and synchronous=FULL."""

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(path, isolation_level=None)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=FULL")
        self._database.execute("CREATE TABLE events (seq INTEGER PRIMARY KEY, body BLOB)")

    def append(self, seq: int, line: bytes, body: bytes) -> None:
        self._database.execute("INSERT INTO events VALUES (?, ?)", (seq, body))

    def count(self) -> int:
        (found,) = self._database.execute("SELECT count(*) FROM events").fetchone()
        return int(found)

    def close(self) -> None:
        self._database.close()


class Lmdb:
    """The same body under its number, a transaction each, with the flushes that LMDB makes by default."""

    def __init__(self, path: Path) -> None:
        self._environment = lmdb.open(str(path), map_size=64 << 20, subdir=False)

    def append(self, seq: int, line: bytes, body: bytes) -> None:
        with self._environment.begin(write=True) as transaction:
            transaction.put(seq.to_bytes(8, "big"), body, append=True)

    def count(self) -> int:
        return int(self._environment.stat()["entries"])

    def close(self) -> None:
        self._environment.close()


class EventSourcing:
    """The same body as a stored event of the eventsourcing package, in its SQLite recorder as it comes: in WAL mode."""

    def __init__(self, path: Path) -> None:
        self._store = SQLiteDatastore(db_name=str(path))
        self._recorder = SQLiteApplicationRecorder(self._store)
        self._recorder.create_table()
        self._aggregate = UUID(int=1)

    def append(self, seq: int, line: bytes, body: bytes) -> None:
        stored = StoredEvent(originator_id=self._aggregate, originator_version=seq, topic="tickfold:Opened", state=body)
        self._recorder.insert_events([stored])

    def count(self) -> int:
        return len(self._recorder.select_events(self._aggregate))

    def close(self) -> None:
        self._store.close()
