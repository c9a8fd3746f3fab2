"""A disk in memory that keeps no more than POSIX promises.

What was synced stays. What was not may land by sector, in any subset and order, each sector as any of the versions it
had since the last sync, or torn within one sector; or as any prefix of the bytes, in the order in which they were
written. A size may land before or after the contents (a file that grew shows NULs). A name in a directory (created,
renamed, removed, a folder's too) lands with the directory's sync, and before it in any order. A failed sync loses what
it was asked for: the cache goes on showing it, and it counts as clean.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from functools import cache
from random import Random

SECTOR = 512


class File:
    """One file: what a reader sees, what has certainly landed, and what may have."""

    __slots__ = ("cache", "disk", "sector", "sizes", "versions", "writes")

    def __init__(self, content: bytes = b"", sector: int = SECTOR) -> None:
        self.cache = bytearray(content)
        self.disk = bytes(content)
        self.sector = sector
        self.versions: dict[int, list[bytes]] = {}
        self.sizes: list[int] = []
        self.writes: list[tuple[int, bytes]] = []

    @property
    def clean(self) -> bool:
        return not (self.versions or self.sizes)

    def write(self, offset: int, data: bytes) -> None:
        end = offset + len(data)
        start = min(offset, len(self.cache))
        if end > len(self.cache):
            self.cache.extend(bytes(end - len(self.cache)))
            self.sizes.append(end)
        self.cache[offset:end] = data
        if not self.versions and self.disk[start:end] == self.cache[start:end]:
            return
        self.writes.append((offset, data))
        self._touch(start, end)

    def cut(self, size: int) -> None:
        if size == len(self.cache):
            return
        before = len(self.cache)
        if size > before:
            self.cache.extend(bytes(size - before))
        else:
            del self.cache[size:]
        self.sizes.append(size)

    def _touch(self, start: int, end: int) -> None:
        step = self.sector
        for number in range(start // step, (end + step - 1) // step):
            now = bytes(self.cache[number * step : (number + 1) * step])
            known = self.versions.get(number)
            last = known[-1] if known else self.disk[number * step : (number + 1) * step]
            if now != last:
                self.versions.setdefault(number, []).append(now)

    def sync(self) -> None:
        if not self.clean:
            self.disk = bytes(self.cache)
            self._settle()

    def lose(self, rng: Random) -> None:
        """A sync that fails: some of it landed, nothing of it is dirty any more, the cache shows all."""
        self.disk = self.landed(
            {number: rng.randrange(len(found) + 1) for number, found in self.versions.items()},
            rng.choice([len(self.disk), *self.sizes]),
        )
        self._settle()

    def evict(self) -> None:
        """The page cache is dropped: what is clean is read from the disk again."""
        if self.clean:
            self.cache = bytearray(self.disk)
            return
        fresh = bytearray(self.disk[: len(self.cache)].ljust(len(self.cache), b"\0"))
        for number, found in self.versions.items():
            at = number * self.sector
            kept = found[-1][: max(0, len(self.cache) - at)]
            fresh[at : at + len(kept)] = kept
        self.cache = fresh

    def _settle(self) -> None:
        self.versions = {}
        self.sizes = []
        self.writes = []

    def landed(self, choice: dict[int, int], size: int) -> bytes:
        """The file after a power cut: of each dirty sector its version `choice - 1` (0: the old one)."""
        content = bytearray(self.disk)
        reach = max(size, len(content), *self.sizes)
        content.extend(bytes(reach - len(content)))
        for number, version in choice.items():
            if version:
                part = self.versions[number][version - 1]
                content[number * self.sector : number * self.sector + len(part)] = part
        if len(content) < size:
            content.extend(bytes(size - len(content)))
        del content[size:]
        return bytes(content)

    def prefix(self, whole: int, part: int) -> bytes:
        """The file after a power cut that let the first writes through, and of the next one some bytes."""
        content = bytearray(self.disk)
        for place, (offset, data) in enumerate(self.writes[: whole + 1]):
            data_now = data if place < whole else data[:part]
            if offset > len(content):
                content.extend(bytes(offset - len(content)))
            content[offset : offset + len(data_now)] = data_now
        return bytes(content)

    def copy(self) -> File:
        twin = File(b"", self.sector)
        twin.cache, twin.disk = bytearray(self.cache), self.disk
        twin.versions = {number: list(found) for number, found in self.versions.items()}
        twin.sizes, twin.writes = list(self.sizes), list(self.writes)
        return twin


class Folder:
    """One directory: the names a reader sees, those that have landed, and those that may have."""

    __slots__ = ("cache", "disk", "versions")

    def __init__(self) -> None:
        self.cache: dict[str, Node] = {}
        self.disk: dict[str, Node] = {}
        self.versions: dict[str, list[Node | None]] = {}

    def put(self, name: str, node: Node | None) -> None:
        if node is None:
            del self.cache[name]
        else:
            self.cache[name] = node
        self.versions.setdefault(name, []).append(node)

    def sync(self) -> None:
        self.disk = dict(self.cache)
        self.versions = {}


Node = File | Folder
Image = dict[str, bytes | None]
"""What a power cut leaves: the content of each file by its path, None for a folder."""


class Dead(BaseException):
    """The process that calls was killed: what it does on its way out reaches no disk."""


@cache
def _split(path: str) -> tuple[str, str]:
    """The directory that a path lies in, and its name there."""
    above, _, name = path.rstrip("/").rpartition("/")
    return above or "/", name


class Disk:
    """The seam `Files`, on files in memory. Paths are absolute; `/` is there from the start.

    `watch` is called with the call's name after each call that changes something and before each sync takes effect.
    """

    def __init__(self, image: Image | None = None, sector: int = SECTOR) -> None:
        self.root = Folder()
        self.folders: dict[str, Folder] = {"/": self.root}
        self.sector = sector
        self.descriptors: dict[int, tuple[str, Node]] = {}
        self.locks: dict[int, int] = {}
        self.poisoned: set[str] = set()
        self.next_descriptor = 3
        self.dead = False
        self.watch: Callable[[str], None] = lambda _: None
        for path, content in sorted((image or {}).items()):
            above, name = _split(path)
            node: Node = Folder() if content is None else File(content, sector)
            if isinstance(node, Folder):
                self.folders[path] = node
            folder = self.folders[above]
            folder.cache[name] = folder.disk[name] = node

    # Looking.

    def node(self, path: str) -> Node:
        if path == "/":
            return self.folder(path)
        folder, name = self._parent(path)
        if name not in folder.cache:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        return folder.cache[name]

    def folder(self, path: str) -> Folder:
        if self.dead:
            raise Dead
        known = self.folders.get(path)
        if known is not None:
            return known
        node = self.node(path)
        if not isinstance(node, Folder):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path)
        self.folders[path] = node
        return node

    def file(self, descriptor: int) -> File:
        node = self.held(descriptor)
        if not isinstance(node, File):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        return node

    def held(self, descriptor: int) -> Node:
        if self.dead:
            raise Dead
        if descriptor not in self.descriptors:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        return self.descriptors[descriptor][1]

    def exists(self, path: str) -> bool:
        try:
            self.node(path)
        except FileNotFoundError:
            return False
        return True

    def listdir(self, path: str) -> list[str]:
        return list(self.folder(path).cache)

    def walk(self) -> Iterator[tuple[str, Node]]:
        """Every file and folder as a reader sees them, a folder before what it holds."""
        waiting: list[tuple[str, Folder]] = [("", self.root)]
        yield "/", self.root
        while waiting:
            path, folder = waiting.pop()
            for name, node in folder.cache.items():
                yield f"{path}/{name}", node
                if isinstance(node, Folder):
                    waiting.append((f"{path}/{name}", node))

    def _parent(self, path: str) -> tuple[Folder, str]:
        above, name = _split(path)
        return self.folder(above), name

    # Changing.

    def open(self, path: str, *, create: bool = False, exclusive: bool = False) -> int:
        folder, name = self._parent(path)
        node: Node | None = folder if not name else folder.cache.get(name)
        if node is None and not create:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        if node is not None and create and exclusive:
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), path)
        fresh = node is None
        if node is None:
            node = File(b"", self.sector)
            folder.put(name, node)
        descriptor = self.next_descriptor
        self.next_descriptor += 1
        self.descriptors[descriptor] = (path, node)
        if fresh:
            self.watch("create")
        return descriptor

    def close(self, descriptor: int) -> None:
        node = self.held(descriptor)
        del self.descriptors[descriptor]
        if self.locks.get(id(node)) == descriptor:
            del self.locks[id(node)]

    def lock(self, descriptor: int) -> bool:
        return self.locks.setdefault(id(self.held(descriptor)), descriptor) == descriptor

    def locked(self, descriptor: int) -> bool:
        return self.locks.get(id(self.held(descriptor)), descriptor) != descriptor

    def check_fit(self, path: str) -> None:
        """This disk is as good as any."""

    def size(self, descriptor: int) -> int:
        return len(self.file(descriptor).cache)

    def evict(self, descriptor: int) -> None:
        self.file(descriptor).evict()

    def pread(self, descriptor: int, size: int, offset: int) -> bytes:
        return bytes(self.file(descriptor).cache[offset : offset + size])

    def pwrite(self, descriptor: int, data: bytes, offset: int) -> int:
        self.file(descriptor).write(offset, bytes(data))
        self.watch("pwrite")
        return len(data)

    def truncate(self, descriptor: int, size: int) -> None:
        self.file(descriptor).cut(size)
        self.watch("truncate")

    def sync(self, descriptor: int) -> None:
        """fsync or fdatasync, of a file or of a directory."""
        self.watch("sync")
        self.held(descriptor).sync()
        self.watch("synced")

    def mkdir(self, path: str) -> None:
        folder, name = self._parent(path)
        if not name or name in folder.cache:
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), path)
        folder.put(name, Folder())
        self.watch("mkdir")

    def unlink(self, path: str) -> None:
        folder, name = self._parent(path)
        self.node(path)
        folder.put(name, None)
        self.folders = {"/": self.root}
        self.watch("unlink")

    def rename(self, source: str, target: str) -> None:
        node = self.node(source)
        from_folder, from_name = self._parent(source)
        to_folder, to_name = self._parent(target)
        to_folder.put(to_name, node)
        from_folder.put(from_name, None)
        self.folders = {"/": self.root}
        self.watch("rename")

    # Ends of a process and of power.

    def kill(self) -> None:
        """The process is killed in the middle of a call: the call does not return, and no other is answered."""
        self.dead = True
        raise Dead

    def die(self) -> None:
        """The process is gone: its descriptors and locks and what it remembered go, the cache stays for the next."""
        self.dead = False
        self.descriptors.clear()
        self.locks.clear()
        self.poisoned.clear()

    def image(self) -> Image:
        """What a reader sees now."""
        return {
            path: bytes(node.cache) if isinstance(node, File) else None for path, node in self.walk() if path != "/"
        }
