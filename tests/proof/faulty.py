"""A seam between the store and its disk: `around` sees each call, and may fail it or end the process there."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import attrs

from tickfold_eventstore.files import Files

T = TypeVar("T")


@attrs.define
class Between:
    """The seam `Files`, handed on call by call."""

    files: Files

    @property
    def poisoned(self) -> set[str]:
        return self.files.poisoned

    @poisoned.setter
    def poisoned(self, directories: set[str]) -> None:
        self.files.poisoned = directories

    def around(self, name: str, call: Callable[[], T], descriptor: int | None = None) -> T:
        return call()

    def open(self, path: str, *, create: bool = False, exclusive: bool = False) -> int:
        return self.around("open", lambda: self.files.open(path, create=create, exclusive=exclusive))

    def close(self, descriptor: int) -> None:
        self.around("close", lambda: self.files.close(descriptor), descriptor)

    def lock(self, descriptor: int) -> bool:
        return self.around("lock", lambda: self.files.lock(descriptor), descriptor)

    def locked(self, descriptor: int) -> bool:
        return self.around("locked", lambda: self.files.locked(descriptor), descriptor)

    def size(self, descriptor: int) -> int:
        return self.around("size", lambda: self.files.size(descriptor), descriptor)

    def pread(self, descriptor: int, size: int, offset: int) -> bytes:
        return self.around("pread", lambda: self.files.pread(descriptor, size, offset), descriptor)

    def pwrite(self, descriptor: int, data: bytes, offset: int) -> int:
        return self.around("pwrite", lambda: self.files.pwrite(descriptor, data, offset), descriptor)

    def truncate(self, descriptor: int, size: int) -> None:
        self.around("truncate", lambda: self.files.truncate(descriptor, size), descriptor)

    def sync(self, descriptor: int) -> None:
        self.around("sync", lambda: self.files.sync(descriptor), descriptor)

    def evict(self, descriptor: int) -> None:
        self.around("evict", lambda: self.files.evict(descriptor), descriptor)

    def exists(self, path: str) -> bool:
        return self.around("exists", lambda: self.files.exists(path))

    def listdir(self, path: str) -> list[str]:
        return self.around("listdir", lambda: self.files.listdir(path))

    def mkdir(self, path: str) -> None:
        self.around("mkdir", lambda: self.files.mkdir(path))

    def rename(self, source: str, target: str) -> None:
        self.around("rename", lambda: self.files.rename(source, target))

    def unlink(self, path: str) -> None:
        self.around("unlink", lambda: self.files.unlink(path))

    def check_fit(self, path: str) -> None:
        self.around("check_fit", lambda: self.files.check_fit(path))
