"""A named reader's place and state, replaced as one file: what the state holds was read exactly once.

DATA_DIR/checkpoints/{exchange}/{strategy}/{symbol}/{reader}.json
"""

from __future__ import annotations

import contextlib
from typing import Any

import attrs
import msgspec

from .codec import UNREADABLE
from .errors import CheckpointMismatch
from .files import Files
from .folder import read_all, write_all
from .log import Head
from .reader import Reader


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """`seq` and `h` name the last record that `state` has taken in; seq 0: none."""

    seq: int
    h: str
    state: Any = None


@attrs.frozen
class CheckpointFile:
    """Where one reader of one stream keeps its checkpoint. `path` is absolute and ends in `.json`."""

    files: Files
    path: str
    reader: str

    def load(self, journal: Reader) -> Checkpoint | None:
        """The checkpoint, None where there is none yet.

        Raises `CheckpointMismatch` where it cannot be read, or where the journal does not hold the record it names.
        """
        if not self.files.exists(self.path):
            return None
        try:
            found = msgspec.json.decode(_content(self.files, self.path), type=Checkpoint)
        except UNREADABLE as error:
            raise CheckpointMismatch(
                str(journal.stream), self.reader, 0, f"its file cannot be read ({error})"
            ) from error
        if found.seq:
            record = next(journal.records(found.seq), None)
            if record is None:
                raise CheckpointMismatch(str(journal.stream), self.reader, found.seq, "the journal ends before it")
            if record.seq != found.seq or record.hash != found.h:
                raise CheckpointMismatch(str(journal.stream), self.reader, found.seq, "another record stands there")
        return found

    def save(self, checkpoint: Checkpoint) -> None:
        """Replace it; on the disk, whole, when this returns. Raises `OSError`."""
        parent = self.path.rpartition("/")[0]
        self._make(parent)
        making = f"{self.path}.tmp"
        if self.files.exists(making):
            self.files.unlink(making)
        descriptor = self.files.open(making, create=True, exclusive=True)
        try:
            write_all(self.files, descriptor, msgspec.json.encode(checkpoint) + b"\n", 0)
            self.files.sync(descriptor)
        finally:
            self.files.close(descriptor)
        self.files.rename(making, self.path)
        _sync(self.files, parent)

    def _make(self, path: str) -> None:
        if not self.files.exists(path):
            above = path.rpartition("/")[0]
            self._make(above)
            with contextlib.suppress(FileExistsError):  # another reader made it meanwhile
                self.files.mkdir(path)
            _sync(self.files, above)


def named_by_checkpoints(files: Files, folder: str) -> dict[str, Head]:
    """The records that the checkpoints in a stream's folder name, by their path: they were acknowledged, whatever MARK
    says. One that cannot be read names none; its reader says so.
    """
    found: dict[str, Head] = {}
    for name in sorted(files.listdir(folder)) if files.exists(folder) else ():
        if name.endswith(".json"):
            try:
                checkpoint = msgspec.json.decode(_content(files, f"{folder}/{name}"), type=Checkpoint)
            except UNREADABLE:
                continue
            if checkpoint.seq:
                found[f"{folder}/{name}"] = Head(checkpoint.seq, checkpoint.h)
    return found


def _content(files: Files, path: str) -> bytes:
    descriptor = files.open(path)
    try:
        return read_all(files, descriptor, files.size(descriptor), 0)
    finally:
        files.close(descriptor)


def _sync(files: Files, path: str) -> None:
    descriptor = files.open(path)
    try:
        files.sync(descriptor)
    finally:
        files.close(descriptor)
