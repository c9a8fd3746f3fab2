"""The streams in a data directory: which there are, and one of them to write or to read.

DATA_DIR/journal/{exchange}/{strategy}/{symbol}/      each part percent-encoded, so that any name is safe
"""

from __future__ import annotations

import contextlib
import os
import re
from hashlib import sha256
from pathlib import Path
from typing import TypeVar
from urllib.parse import unquote

from .checkpoint import named_by_checkpoints
from .errors import CorruptJournal, JournalPoisoned, NewerFormat, StreamNotFound, UnusableName
from .files import Files, files_here
from .folder import Folder, Layout, segment_name
from .journal import Journal
from .lock import StreamLock
from .reader import Reader
from .recovery import Fold, look, settle
from .signals import Stream

T = TypeVar("T")

LONGEST_NAME = 255
"""Bytes that a file name may have."""

_UNSAFE = re.compile(rb"[^A-Za-z0-9_.-]")


class Store:
    """The journals of one data directory. `layout` is for tests of what happens at the ends of segments."""

    def __init__(
        self, data_dir: str | os.PathLike[str], *, files: Files | None = None, layout: Layout = Layout()
    ) -> None:
        self.data_dir = Path(data_dir)
        self._files = files
        self._layout = layout

    @property
    def files(self) -> Files:
        """The disk. Raises `UnsupportedPlatform` where no journal can be kept."""
        if self._files is None:
            self._files = files_here()
        return self._files

    def streams(self) -> list[Stream]:
        """Every stream that something was appended to, in the order of exchange, strategy and symbol."""
        found = [f"{self._root}/journal"]
        for _ in Stream._fields:
            found = [f"{path}/{name}" for path in found for name in self._names(path)]
        return sorted(stream for path in found if (stream := self._named(path)) is not None)

    def open(self, stream: Stream, fold: Fold[T]) -> tuple[Journal, T]:
        """Take a stream and recover it: its journal, to append to, and what `fold` made of its records, newest first.

        `fold` takes as many as it needs. Nothing is changed where this raises `StreamHeld`, `CorruptJournal`,
        `NewerFormat`, `UnsupportedPlatform` or `UnusableName`; `OSError` and `JournalPoisoned` tell of a failing disk.
        """
        folder = self.folder(stream)
        self.make_directories(folder.path)
        if folder.path in self.files.poisoned:
            raise JournalPoisoned(str(stream), "a sync failed before in this process")
        lock = StreamLock(folder)
        try:
            self.sync_directories(folder)
            found, folded = look(folder, fold, named_by_checkpoints(self.files, self.checkpoints(stream)).values())
            recovered = settle(folder, found)
            return Journal(folder, lock, found, recovered), folded
        except BaseException:
            lock.close()
            raise

    def claim(self, what: str, place: str) -> StreamLock:
        """Take something other than a stream for this process, below the data directory at `place`; `what` is its name
        in words. Raises `StreamHeld`, `UnsupportedPlatform`, `OSError`.
        """
        path = f"{self._root}/{place}"
        self.make_directories(path)
        return StreamLock(Folder(self.files, path, Stream("", "", ""), self._layout), what)

    def reader(self, stream: Stream) -> Reader:
        """The stream's journal, to read. Raises `StreamNotFound`, which lists those that exist."""
        folder = self.folder(stream)
        if not folder.segments():
            raise StreamNotFound(str(stream), tuple(str(each) for each in self.streams()))
        return Reader(folder)

    def folder(self, stream: Stream) -> Folder:
        """A stream's directory, whether it is there or not. Raises `UnusableName`."""
        return Folder(self.files, f"{self._root}/journal/{self.place(stream)}", stream, self._layout)

    def checkpoints(self, stream: Stream) -> str:
        """The directory of its readers' checkpoints, whether it is there or not."""
        return f"{self._root}/checkpoints/{self.place(stream)}"

    def place(self, stream: Stream) -> str:
        """Where a stream's files lie, below `journal` and below `checkpoints`."""
        return "/".join(encoded(part) for part in stream)

    def make_directories(self, path: str) -> None:
        """Make a directory and those above it. Raises `OSError`, and `UnsupportedPlatform` on an unfit file system."""
        missing: list[str] = []
        while not self.files.exists(path):
            missing.append(path)
            path = path.rpartition("/")[0] or "/"
        self.files.check_fit(path)
        for each in reversed(missing):
            with contextlib.suppress(FileExistsError):  # another process made it meanwhile
                self.files.mkdir(each)

    def sync_directories(self, folder: Folder) -> None:
        """Make the names of a directory and of those above it durable: who made them may have died before that."""
        path = folder.path
        while path != self._root:
            folder.sync_names(path)
            path = path.rpartition("/")[0]
        folder.sync_names(path)
        with contextlib.suppress(PermissionError):  # what is not ours to open was made durable by who made it
            folder.sync_names(path.rpartition("/")[0] or "/")

    @property
    def _root(self) -> str:
        return str(self.data_dir.absolute())

    def _names(self, path: str) -> list[str]:
        """What a directory holds; nothing where it is not there, or is a file that somebody else left."""
        try:
            return self.files.listdir(path)
        except (FileNotFoundError, NotADirectoryError):
            return []

    def _named(self, path: str) -> Stream | None:
        """Whose directory this is: what its header says, or, where that is damaged, its path. None where it is none."""
        if not self._names(path):
            return None
        folder = Folder(self.files, path, Stream(*(unquote(part) for part in path.split("/")[-3:])), self._layout)
        try:
            segments = folder.segments()
            if not segments:
                return None
            with folder.opened(segment_name(segments[0])) as descriptor:
                header = folder.header(descriptor, segments[0], of_any_stream=True)[0]
        except (CorruptJournal, NewerFormat):
            return folder.stream
        return header.names if self.place(header.names) == "/".join(path.split("/")[-3:]) else folder.stream


def encoded(name: str, longest: int = LONGEST_NAME) -> str:
    """A name as one part of a path: letters, digits, `_`, `.` and `-` as they are, other bytes of its UTF-8 as %XX, a
    name of dots too; where that is longer than a file name may be (`longest` leaves room for a suffix), cut, with a
    hash of the name behind `~`.

    Raises `UnusableName` for an empty name and for one that is no text.
    """
    try:
        raw = name.encode()
    except UnicodeEncodeError:
        raise UnusableName(name, "it holds half of a character") from None
    if not raw:
        raise UnusableName(name, "it is empty")
    safe = _UNSAFE.sub(lambda found: b"%%%02X" % found[0][0], raw).decode("ascii")
    if not safe.strip("."):
        safe = safe.replace(".", "%2E")
    if len(safe) > longest:
        safe = f"{safe[: longest - 17]}~{sha256(raw).hexdigest()[:16]}"
    return safe
