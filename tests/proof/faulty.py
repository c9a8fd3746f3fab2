"""A seam between the store and its disk: `around` sees each call, and may fail it or end the process there."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from random import Random
from typing import TypeVar

import attrs

from tests.proof.disk import Disk, File
from tickfold_eventstore.files import Files

T = TypeVar("T")


@attrs.define
class Between:
    """The seam `Files`, handed on call by call."""

    files: Files
    poisoned: set[str] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.poisoned = self.files.poisoned

    def around(
        self, name: str, call: Callable[[], T], descriptor: int | None = None, half: Callable[[], T] | None = None
    ) -> T:
        """`half` is the same call where it does less than it was asked for."""
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
        return self.around(
            "pread",
            lambda: self.files.pread(descriptor, size, offset),
            descriptor,
            lambda: self.files.pread(descriptor, (size + 1) // 2, offset),
        )

    def pwrite(self, descriptor: int, data: bytes, offset: int) -> int:
        return self.around(
            "pwrite",
            lambda: self.files.pwrite(descriptor, data, offset),
            descriptor,
            lambda: self.files.pwrite(descriptor, data[: len(data) // 2], offset),
        )

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


SHORT = 0
"""A fault that is no error: the call does less than it was asked for."""


@attrs.define
class Failing(Between):
    """Call number `nth` fails with `code`; with `for_ever`, every later call of that name too."""

    nth: int = 0
    code: int = SHORT
    for_ever: bool = False
    rng: Random = attrs.Factory(lambda: Random(0))
    calls: int = 0
    failed: list[str] = attrs.Factory(list)

    def around(
        self, name: str, call: Callable[[], T], descriptor: int | None = None, half: Callable[[], T] | None = None
    ) -> T:
        self.calls += 1
        if self.calls != self.nth and not (self.for_ever and name in self.failed):
            return call()
        if self.code == SHORT and half is None:
            return call()
        self.failed.append(name)
        if self.code == SHORT and half is not None:
            return half()
        if name == "close":
            call()  # the descriptor is gone whatever close says
        if name == "sync" and descriptor is not None and isinstance(self.files, Disk):
            node = self.files.held(descriptor)
            if isinstance(node, File):
                node.lose(self.rng)
        raise OSError(self.code, os.strerror(self.code))


@attrs.define
class Killing(Between):
    """The process ends, as by kill -9, before call number `nth`."""

    nth: int = 0
    calls: int = 0

    def around(
        self, name: str, call: Callable[[], T], descriptor: int | None = None, half: Callable[[], T] | None = None
    ) -> T:
        self.calls += 1
        if self.calls == self.nth:
            os.kill(os.getpid(), signal.SIGKILL)
        return call()
