"""A story of appends, rotation, checkpoint, close and opening in which one call to the disk fails, once or for ever.

What is allowed: before a sync has failed, an append is refused, nothing of it is ever seen, and the next one works.
After a failed sync, or where a write could not be taken back, the stream is poisoned for this process and the outcome
unknown. A new process, after a power cut or without one, reads what was acknowledged, and of the unknown all or none.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from functools import partial
from random import Random
from typing import Any

import attrs

from tests.proof.disk import Disk, Image
from tests.proof.faulty import Failing
from tests.proof.kept import Code, Kept, opened
from tests.proof.lives import CLOSE, KEEP_PLACE
from tests.proof.powercut import nothing_more_landed, power_cuts

STORY = (60, 300, KEEP_PLACE, 1500, 700, CLOSE, 700, 300, KEEP_PLACE, CLOSE, 1)


class Wrong(Exception):
    """The store broke its contract."""


class Over(Exception):
    """The disk is dead, or the stream poisoned: this process can do no more."""


@attrs.define
class Story:
    """One process on one disk."""

    code: Code
    disk: Disk
    failing: Failing
    kept: tuple[Any, ...] = ()
    unknown: tuple[Any, ...] = ()
    cuts: list[tuple[Image, tuple[Any, ...]]] = attrs.Factory(list)
    """Power cuts during the append after a refused one, each with what may be read then."""

    def run(self) -> None:
        with contextlib.suppress(Over):
            subject = self.open()
            for step in STORY:
                if step == CLOSE:
                    self.close(subject)
                    subject = self.open()
                elif step == KEEP_PLACE:
                    self.allowed(subject.keep_place, OSError)
                else:
                    self.append(subject, step)
            self.close(subject)
        self.disk.die()
        self.look()

    def allowed(self, call: Callable[[], Any], *errors: type[Exception]) -> Any:
        """The call's result; tried again once where it failed as it may."""
        for _ in range(2):
            try:
                return call()
            except errors:
                continue
        if not self.failing.for_ever:
            raise Wrong(f"{call} failed twice after one fault ({self.failing.failed})")
        raise Over

    def open(self) -> Kept:
        """Once more where it failed; poisoned where a sync did."""

        def once() -> Kept:
            try:
                return opened(self.code, self.failing)
            except self.code.errors.JournalPoisoned:
                self.check_poisoned()
                raise Over from None

        kept: Kept = self.allowed(once, OSError)
        if kept.told != self.kept:
            raise Wrong(f"opened with {len(kept.told)} records of {len(self.kept)}")
        return kept

    def append(self, subject: Kept, size: int) -> None:
        head = subject.journal.head
        sizes = [size, 1]  # the second try is shorter: what the first one left behind it would show
        record: tuple[Any, ...] = ()

        def once() -> None:
            nonlocal record
            record = self.code.record(len(self.kept), sizes.pop(0))
            self.disk.watch = (lambda _: None) if sizes else partial(self.cut, record)
            before = len(self.failing.failed)
            try:
                subject.append(record)
            except self.code.errors.JournalPoisoned:
                self.unknown = (record,)
                self.check_no_append(subject, record)
                self.check_poisoned()
                raise Over from None
            except self.code.errors.AppendRefused:
                if "sync" in self.failing.failed[before:]:
                    raise Wrong("a sync failed, and the append was only refused") from None
                if subject.journal.head != head:
                    raise Wrong("refused, and the head moved") from None
                raise

        self.allowed(once, self.code.errors.AppendRefused)
        self.disk.watch = lambda _: None
        self.kept += (record,)

    def cut(self, record: tuple[Any, ...], call: str) -> None:
        if call == "pwrite":
            rng = Random(self.failing.calls)
            cuts = (cut for cut in power_cuts(self.disk, rng, 6) if not cut.hole)
            self.cuts.extend((cut.image, (*self.kept, record)) for cut in cuts)

    def close(self, subject: Kept) -> None:
        with contextlib.suppress(OSError):
            subject.close()

    def check_no_append(self, subject: Kept, record: tuple[Any, ...]) -> None:
        """A poisoned journal takes no append, and does not ask the disk."""
        calls = self.failing.calls
        try:
            subject.append(record)
        except self.code.errors.JournalPoisoned:
            if self.failing.calls > calls:
                raise Wrong("poisoned, and the next append went to the disk") from None
        else:
            raise Wrong("poisoned, and it took the next append")

    def check_poisoned(self) -> None:
        """No new start works in this process, nor does it write anything."""
        if not {"sync", "pwrite"} & set(self.failing.failed):
            raise Wrong(f"poisoned, though only {self.failing.failed} failed")
        before = self.disk.image()
        try:
            opened(self.code, self.failing)
        except self.code.errors.JournalPoisoned:
            if self.disk.image() != before:
                raise Wrong("poisoned, and a new start wrote to the disk") from None
        else:
            raise Wrong("poisoned, and it opened again in the same process")

    def look(self) -> None:
        """What the next process finds, with the cache as it is, and after a power cut."""
        for image, most in self.cuts:
            told = opened(self.code, Disk(image)).told
            if told not in (most, most[:-1]):
                raise Wrong(f"a power cut after a refused append: {len(told)} records of {len(most)}")
        images = [cut.image for cut in power_cuts(self.disk, Random(len(self.failing.failed)), 3) if not cut.hole]
        for disk in (*map(Disk, images), self.disk):
            told = opened(self.code, disk).told
            again = opened(self.code, Disk(nothing_more_landed(disk))).told
            if told not in (self.kept, self.kept + self.unknown) or again != told:
                raise Wrong(f"{len(self.kept)} kept, {len(self.unknown)} unknown, {len(told)} told, then {len(again)}")


def wrong(nth: int, code: int, *, for_ever: bool, store: Code, seed: int = 0) -> tuple[str, str]:
    """The name of the call that failed, empty where none was reached, and what the store did wrong then."""
    disk = Disk(sector=512)
    failing = Failing(disk, nth=nth, code=code, for_ever=for_ever, rng=Random(seed * 1000 + nth))
    try:
        Story(store, disk, failing).run()
    except Exception as fault:  # noqa: BLE001  whatever was raised is the finding
        return "".join(failing.failed[:1]), f"{type(fault).__name__}: {fault}"
    return "".join(failing.failed[:1]), ""


def calls_of_the_story(store: Code) -> int:
    disk = Disk()
    failing = Failing(disk)
    Story(store, disk, failing).run()
    return failing.calls
