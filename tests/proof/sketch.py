"""The protocol in its fewest calls, straight on the simulated disk: one segment, the rules of `plain`.

It shows that the rules hold and that the disk is hard enough: each `fault` leaves one step out, and must be found.
"""

from __future__ import annotations

from functools import partial

from tests.proof import plain
from tests.proof.disk import Disk
from tests.proof.lives import Refused, Trial

FOLDER = "/j"
SEGMENT = "/j/00000000000000000001.jsonl"
HEADER = b'"header":{"format":"tickfold-journal","version":1,"hash":"sha256-64","previous":"0000000000000000"}'


class Sketch:
    """A journal of byte strings. `told` is what opening read."""

    def __init__(self, disk: Disk, unit: int = 1024, fault: str = "") -> None:
        self.disk, self.unit, self.fault = disk, unit, fault
        self.seq, self.previous, self.end, self.size = 0, plain.ZERO, 0, 0
        self.told: tuple[bytes, ...] = ()
        self.segment = self.mark = -1
        self._open()

    def append(self, record: bytes) -> None:
        if self.segment < 0:
            self._create()
        line = plain.line_of(self.previous, self.seq + 1, b'"events":[%s]' % record)
        grown = -(-(self.end + len(line)) // self.unit) * self.unit
        if grown > self.size and self.fault != "an append grows the file":
            self.disk.pwrite(self.segment, b"\n" * (grown - self.size), self.size)
            if self.fault != "an extension is not synced":
                self.disk.sync(self.segment)
            self.size = grown
        mark = plain.mark_of(self.seq + 1, line[-19:-3])
        if self.fault == "MARK before the record's sync":
            self._write_mark(mark)
        if self.fault == "sync before write":
            self.disk.sync(self.segment)
        self.disk.pwrite(self.segment, line, self.end)
        if self.fault not in {"no sync of a record", "sync before write"}:
            self.disk.sync(self.segment)
        self._write_mark(mark)
        self.seq, self.previous, self.end = self.seq + 1, line[-19:-3], self.end + len(line)

    def keep_place(self) -> None:
        """It knows no readers."""

    def close(self) -> None:
        """Nothing depends on a clean close."""

    def _write_mark(self, mark: bytes) -> None:
        self.disk.pwrite(self.mark, mark, 0)

    def _create(self) -> None:
        header = plain.line_of(plain.ZERO, 0, HEADER)
        file = self.disk.open(SEGMENT + ".tmp", create=True)
        self.disk.pwrite(file, header.ljust(self.unit, b"\n"), 0)
        if self.fault != "a new segment is renamed before its sync":
            self.disk.sync(file)
        self.disk.rename(SEGMENT + ".tmp", SEGMENT)
        if self.fault != "no directory sync":
            self.disk.sync(self.disk.open(FOLDER))
        self.segment, self.end, self.size, self.previous = file, len(header), self.unit, header[-19:-3]
        self.mark = self.disk.open(FOLDER + "/MARK", create=True)

    def _open(self) -> None:
        if not self.disk.exists(FOLDER):
            self.disk.mkdir(FOLDER)
        if self.fault != "no directory sync at open":
            self.disk.sync(self.disk.open(FOLDER))
            self.disk.sync(self.disk.open("/"))
        if not self.disk.exists(SEGMENT):
            return
        self.segment = self.disk.open(SEGMENT)
        file = self.disk.file(self.segment)
        file.evict()
        self.mark = self.disk.open(FOLDER + "/MARK", create=True)
        content = bytes(file.cache)
        found = plain.opening(content, bytes(self.disk.file(self.mark).cache), self.unit)
        if found.refused:
            raise Refused(f"rule {found.refused}")
        if found.torn and self.fault == "a torn tail is refused":
            raise Refused("torn")
        self.seq, self.previous, self.end = found.seq, found.hash, found.end
        self.size = -(-max(len(content), 1) // self.unit) * self.unit
        self._write_again(found, content)
        self.told = tuple(record[record.index(b'"events":[') + 10 : -plain.TAIL - 1] for record in found.records)

    def _write_again(self, found: plain.Opening, content: bytes) -> None:
        if self.fault == "the tail is believed before it is written again":
            return
        last = found.records[-1] if found.records and content[: found.end].endswith(found.records[-1]) else b""
        start = found.end - len(last)
        self.disk.pwrite(self.segment, last.ljust(self.size - start, b"\n"), start)
        if self.fault != "no sync after recovery":
            self.disk.sync(self.segment)
        if found.seq:
            self._write_mark(plain.mark_of(found.seq, found.hash))
            self.disk.sync(self.mark)


def trial(fault: str = "") -> Trial:
    """The protocol with one step left out, or whole."""
    return Trial(partial(Sketch, fault=fault), record, (1, 80, 700, 1300))


def record(count: int, size: int) -> bytes:
    return b'"%d %s"' % (count, b"x" * size)
