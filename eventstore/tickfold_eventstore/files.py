"""The seam to the disk: the few calls that a journal makes, and what they promise.

`Files` is what the store asks of a disk; tests put a simulated or a failing one in its place. `LinuxFiles` and
`MacFiles` are the real ones; they differ in how a sync reaches the platter, how a lock is held and whether the page
cache can be dropped. `files_here()` gives the one for this machine.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import struct
import sys
from pathlib import Path
from typing import Protocol

from .errors import UnsupportedPlatform

NETWORK_FILE_SYSTEMS = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "glusterfs", "lustre", "fuse.sshfs", "fuse.glusterfs"}
)
"""Locks or syncs on these do not mean what they must."""


_OCTAL = re.compile(r"\\([0-7]{3})")
"""How mountinfo writes a space, a tab, a line feed and a backslash; every other byte stands as it is."""


class Files(Protocol):
    """Calls raise `OSError` as the system does. Paths are absolute; a descriptor belongs to the one who opened it."""

    poisoned: set[str]
    """Stream directories of which a sync failed in this process: the cache may show what the disk never got."""

    def open(self, path: str, *, create: bool = False, exclusive: bool = False) -> int:
        """A descriptor for reading and writing a file, or for syncing a directory."""
        ...

    def close(self, descriptor: int) -> None: ...

    def lock(self, descriptor: int) -> bool:
        """Take the lock that keeps every other opener out, or say that it is taken; never waits."""
        ...

    def locked(self, descriptor: int) -> bool:
        """Whether another opener holds the lock."""
        ...

    def size(self, descriptor: int) -> int: ...

    def pread(self, descriptor: int, size: int, offset: int) -> bytes: ...

    def pwrite(self, descriptor: int, data: bytes, offset: int) -> int:
        """How many bytes were taken; may be fewer than given."""
        ...

    def truncate(self, descriptor: int, size: int) -> None: ...

    def sync(self, descriptor: int) -> None:
        """Return when the contents and size of the file, or the names in the directory, are on the disk."""
        ...

    def evict(self, descriptor: int) -> None:
        """Let the next read come from the disk where the cache holds nothing newer."""
        ...

    def exists(self, path: str) -> bool: ...

    def listdir(self, path: str) -> list[str]: ...

    def mkdir(self, path: str) -> None: ...

    def rename(self, source: str, target: str) -> None: ...

    def unlink(self, path: str) -> None: ...

    def check_fit(self, path: str) -> None:
        """Raise `UnsupportedPlatform` where this file system cannot keep a journal's promise."""
        ...


class _PosixFiles:
    """What every POSIX system does alike."""

    def __init__(self) -> None:
        self.poisoned: set[str] = set()

    def open(self, path: str, *, create: bool = False, exclusive: bool = False) -> int:
        if not create and Path(path).is_dir():
            return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        flags = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW
        if create:
            flags |= os.O_CREAT | (os.O_EXCL if exclusive else 0)
        try:
            return os.open(path, flags, 0o644)
        except OSError as error:
            if create or error.errno not in {errno.EACCES, errno.EPERM, errno.EROFS}:
                raise
            return os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)  # a reader may lack the right to write

    def close(self, descriptor: int) -> None:
        os.close(descriptor)

    def size(self, descriptor: int) -> int:
        return os.fstat(descriptor).st_size

    def pread(self, descriptor: int, size: int, offset: int) -> bytes:
        return os.pread(descriptor, size, offset)

    def pwrite(self, descriptor: int, data: bytes, offset: int) -> int:
        return os.pwrite(descriptor, data, offset)

    def truncate(self, descriptor: int, size: int) -> None:
        os.ftruncate(descriptor, size)

    def exists(self, path: str) -> bool:
        try:
            os.lstat(path)
        except (FileNotFoundError, NotADirectoryError):
            return False  # any other error is no answer: a MARK that cannot be looked for is not absent
        return True

    def listdir(self, path: str) -> list[str]:
        return [entry.name for entry in Path(path).iterdir()]

    def mkdir(self, path: str) -> None:
        Path(path).mkdir()

    def rename(self, source: str, target: str) -> None:
        Path(source).rename(target)

    def unlink(self, path: str) -> None:
        Path(path).unlink()


class LinuxFiles(_PosixFiles):
    """Linux: fdatasync, open-file-description locks, posix_fadvise."""

    _FLOCK = "hhqqi4x"  # struct flock: type, whence, start, length, pid

    def lock(self, descriptor: int) -> bool:
        try:
            fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, struct.pack(self._FLOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0))
        except OSError as error:
            if error.errno in {errno.EAGAIN, errno.EACCES}:
                return False
            raise
        return True

    def locked(self, descriptor: int) -> bool:
        asked = struct.pack(self._FLOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        answer = fcntl.fcntl(descriptor, fcntl.F_OFD_GETLK, asked)
        return bool(struct.unpack(self._FLOCK, answer)[0] != fcntl.F_UNLCK)

    def sync(self, descriptor: int) -> None:
        os.fdatasync(descriptor)

    def evict(self, descriptor: int) -> None:
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)

    def check_fit(self, path: str) -> None:
        kind = file_system_of(str(Path(path).resolve()), os.fsdecode(Path("/proc/self/mountinfo").read_bytes()))
        if kind in NETWORK_FILE_SYSTEMS:
            raise UnsupportedPlatform(
                path, f"{kind} is a network file system, on which locks and syncs cannot be trusted"
            )


class MacFiles(_PosixFiles):
    """macOS: a sync that reaches the platter is F_FULLFSYNC, the lock is flock, the cache cannot be dropped."""

    FULLFSYNC = getattr(fcntl, "F_FULLFSYNC", 51)

    def lock(self, descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def locked(self, descriptor: int) -> bool:
        if self.lock(descriptor):
            fcntl.flock(descriptor, fcntl.LOCK_UN)
            return False
        return True

    def sync(self, descriptor: int) -> None:
        fcntl.fcntl(descriptor, self.FULLFSYNC)

    def evict(self, descriptor: int) -> None:
        """Nothing here drops the cache."""

    def check_fit(self, path: str) -> None:
        """Nothing here tells a network file system."""


def file_system_of(path: str, mounts: str) -> str:
    """The kind of file system that `path` lies on, from the text of Linux's mountinfo; empty where it does not say."""
    best, kind = "", ""
    for line in filter(None, mounts.split("\n")):
        fields, _, rest = line.partition(" - ")
        mounted_at = _OCTAL.sub(lambda found: chr(int(found[1], 8)), fields.split(" ")[4])
        inside = path == mounted_at or path.startswith(mounted_at.rstrip("/") + "/")
        if inside and len(mounted_at) >= len(best):
            best, kind = mounted_at, rest.split(" ")[0]
    return kind


_HERE: list[Files] = []


def files_here() -> Files:
    """The disk of this machine: one object a process. Raises `UnsupportedPlatform` where no journal can be kept."""
    if not _HERE:
        if sys.platform.startswith("linux"):
            _HERE.append(LinuxFiles())
        elif sys.platform == "darwin":
            _HERE.append(MacFiles())
        else:
            raise UnsupportedPlatform(sys.platform, "Tickfold keeps journals on Linux and macOS; backtests run here")
    return _HERE[0]
