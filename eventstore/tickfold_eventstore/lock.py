"""One writer a stream: a lock that the system gives back however its holder ends, and a note for people on who."""

from __future__ import annotations

import contextlib
import os
import socket
import weakref
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from .codec import UNREADABLE
from .errors import StreamHeld
from .files import Files
from .folder import LOCK, Folder

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_HELD: weakref.WeakSet[StreamLock] = weakref.WeakSet()


class Holder(msgspec.Struct, frozen=True):
    """Who wrote LOCK last. `since` is ISO 8601, UTC."""

    pid: int
    host: str
    boot: str
    since: str

    def __str__(self) -> str:
        return f"pid {self.pid} on {self.host}, since {self.since}"


class StreamLock:
    """The right to write a stream, until it is closed or its process ends. A forked child does not have it."""

    def __init__(self, folder: Folder, what: str | None = None) -> None:
        """Take it (`what` says in words what it is, where it is no stream), without waiting. Raises `StreamHeld`,
        which says who has it.
        """
        self._files = folder.files
        self._pid = os.getpid()
        self._descriptor: int | None = None
        descriptor = self._files.open(folder.at(LOCK), create=True)
        try:
            if not self._files.lock(descriptor):
                raise StreamHeld(what or str(folder.stream), _told(self._files, descriptor))
            self._files.truncate(descriptor, 0)
            self._files.pwrite(descriptor, _who_i_am(), 0)
        except BaseException as error:
            if isinstance(error, OSError):
                error.filename = error.filename or folder.at(LOCK)
            self._files.close(descriptor)
            raise
        self._descriptor = descriptor
        _HELD.add(self)

    @property
    def mine(self) -> bool:
        """Whether this process, and not one that forked it, took it and still has it."""
        return self._descriptor is not None and self._pid == os.getpid()

    def close(self) -> None:
        """Give it back; may be repeated."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            self._files.close(descriptor)


def holder_of(folder: Folder) -> str | None:
    """Who holds the stream, in words; None where nobody does."""
    if not folder.files.exists(folder.at(LOCK)):
        return None
    with folder.opened(LOCK) as descriptor:
        return _told(folder.files, descriptor) if folder.files.locked(descriptor) else None


def _told(files: Files, descriptor: int) -> str:
    try:
        return str(msgspec.json.decode(files.pread(descriptor, 4096, 0), type=Holder))
    except UNREADABLE:
        return "a process that has not said who it is"


def _who_i_am() -> bytes:
    boot = ""
    with contextlib.suppress(OSError):  # only Linux has it, and it is for people
        boot = _BOOT_ID.read_text().strip()
    since = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return msgspec.json.encode(Holder(os.getpid(), socket.gethostname(), boot, since)) + b"\n"


def _leave_to_the_parent() -> None:
    # The lock belongs to the open file, which a child shares: kept open there, it would outlive its holder.
    for lock in list(_HELD):
        lock.close()


os.register_at_fork(after_in_child=_leave_to_the_parent)
