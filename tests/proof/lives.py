"""Lives of a journal on the disk that lies, written down as a script, and what a power cut at each call would leave.

The oracle shares nothing with what is tried: a list of the records acknowledged so far, and the one in flight.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from random import Random
from typing import Any, Protocol

import attrs

from tests.proof.disk import Dead, Disk, Image
from tests.proof.powercut import Cut, fingerprint, nothing_more_landed, power_cuts


class Refused(Exception):
    """Opening refused."""


class Lost(Exception):
    """A record that was acknowledged did not come back, or another came."""


class Subject(Protocol):
    """A journal that opened: `told` is what it read; `append` returns when a record is promised."""

    @property
    def told(self) -> tuple[object, ...]: ...

    def append(self, record: Any) -> None: ...

    def keep_place(self) -> None:
        """A named reader writes down that it has read everything."""
        ...

    def close(self) -> None: ...


@attrs.frozen
class Trial:
    """What is tried: how it opens (raises Refused where it will not), and what its records are made of."""

    open: Callable[[Disk], Subject]
    record: Callable[[int, int], object]
    """The record that follows this many others, of about this many bytes."""
    sizes: tuple[int, ...]
    read: Callable[[Disk], tuple[object, ...] | None] = lambda _: None
    """What one reads who does not open it (None: there is no such way); raises Refused."""


CLOSE, KEEP_PLACE = 0, -1
"""Steps: close and open again; a reader's checkpoint. Any other is the size of a record to append."""


@attrs.frozen
class Life:
    """From opening to the end: what is done, at which call the process dies (0: closes at last), and whether the power
    goes with it (a seed for what lands)."""

    steps: tuple[int, ...]
    dies_after: int = 0
    power: int | None = None


@attrs.frozen
class Script:
    """A few lives on one disk: all that is needed to see a fault again."""

    lives: tuple[Life, ...]
    sector: int
    seed: int


def script_of(seed: int, sizes: tuple[int, ...]) -> Script:
    rng = Random(seed)
    lives = []
    for _ in range(rng.choice((2, 3, 3, 4))):
        steps = tuple(rng.choice((CLOSE, KEEP_PLACE, *sizes, *sizes)) for _ in range(rng.randrange(1, 6)))
        dies_after = rng.choice((0, rng.randrange(1, 60), rng.randrange(1, 20)))
        power = rng.randrange(1000) if rng.random() < 0.5 else None
        lives.append(Life(steps, dies_after, power))
    return Script(tuple(lives), rng.choice((64, 512, 4096)), seed)


@attrs.frozen
class Promise:
    """What was acknowledged, and what is in flight: of that all or nothing may be read."""

    kept: tuple[object, ...] = ()
    asked: tuple[object, ...] = ()

    def allows(self, told: tuple[object, ...]) -> bool:
        return told in (self.kept, self.kept + self.asked)


@attrs.define
class Run:
    """A script as it is lived, and every state in which a power cut could have left the disk, each once.

    A state is an image, told apart by its fingerprint, with what was promised by then.
    """

    trial: Trial
    script: Script
    budget: int
    states: dict[tuple[bytes, int], tuple[Cut, Promise]] = attrs.Factory(dict)
    promise: Promise = Promise()
    numbers: dict[Promise, int] = attrs.Factory(dict)
    """Every promise so far, by which states are told apart."""
    calls: int = 0
    rng: Random = attrs.Factory(Random)

    def run(self) -> None:
        """Raises Lost, or what the subject raises, where a kill or a power cut that was taken broke the promise."""
        self.rng = Random(self.script.seed)
        self.promised(Promise())
        disk = Disk(sector=self.script.sector)
        for life in self.script.lives:
            self.live(disk, life)
            if life.power is not None:
                cuts = [cut for cut in power_cuts(disk, Random(life.power), 6) if not cut.hole]
                disk = Disk(Random(life.power).choice(cuts).image, self.script.sector)

    def promised(self, promise: Promise) -> None:
        self.promise = promise
        self.numbers.setdefault(promise, len(self.numbers))

    def cut(self, disk: Disk) -> None:
        """Note what a power cut would leave now, and what may be read from it."""
        number = self.numbers[self.promise]
        for cut in power_cuts(disk, self.rng, self.budget):
            key = fingerprint(cut.image), number
            if key not in self.states or not cut.hole:  # a hole only where nothing else leaves the same
                self.states[key] = cut, self.promise

    def live(self, disk: Disk, life: Life) -> None:
        self.calls = 0

        def watch(call: str) -> None:
            self.calls += 1
            if not call.startswith("sync"):  # a sync takes possibilities away and adds none
                self.cut(disk)
            if self.calls == life.dies_after:
                disk.kill()

        disk.watch = watch
        with contextlib.suppress(Dead):
            self.act(disk, life.steps)
        disk.watch = lambda _: None
        disk.die()

    def act(self, disk: Disk, steps: tuple[int, ...]) -> None:
        subject = self.opened(disk)
        for step in steps:
            if step == CLOSE:
                subject.close()
                subject = self.opened(disk)
            elif step == KEEP_PLACE:
                subject.keep_place()
            else:
                self.append(subject, step)
                self.cut(disk)
        subject.close()

    def append(self, subject: Subject, size: int) -> None:
        kept = self.promise.kept
        asked = self.trial.record(len(kept), size)
        self.promised(Promise(kept, (asked,)))
        subject.append(asked)
        self.promised(Promise((*kept, asked)))

    def opened(self, disk: Disk) -> Subject:
        subject = self.trial.open(disk)
        if not self.promise.allows(subject.told):
            raise Lost(f"after {self.calls} calls, of {len(self.promise.kept)} records {len(subject.told)} came back")
        self.promised(Promise(subject.told))
        self.cut(disk)
        return subject


@attrs.frozen
class Finding:
    """How one script ended: states tried, how many were the one-byte hole that may be refused, how many images were
    opened for it, and each fault."""

    states: int
    holes: int
    opened: int
    faults: tuple[str, ...]


def tried(script: Script, trial: Trial, budget: int = 24, openings: Openings | None = None) -> Finding:
    """The script, and every state that a power cut during it could have left, each opened, cut again, opened again."""
    run = Run(trial, script, budget)
    openings = Openings(trial) if openings is None else openings
    before = openings.count
    faults: list[str] = []
    try:
        run.run()
    except Exception as fault:  # noqa: BLE001  whatever was raised is the finding
        faults.append(f"{type(fault).__name__}: {fault}")
    holes = 0
    for (printed, _), (cut, promise) in run.states.items():
        fault_here = broken(openings.ending(cut.image, printed), cut, promise)
        holes += fault_here == HOLE
        if fault_here and fault_here != HOLE:
            faults.append(f"{fault_here}; {cut.how}: {seen(cut.image)}")
    return Finding(len(run.states), holes, openings.count - before, tuple(faults))


HOLE = "one byte did not land inside a sector: refused, as documented"


@attrs.frozen
class Ending:
    """What opening an image came to: what was read, or why it was not."""

    told: tuple[object, ...] = ()
    refused: str = ""
    fault: str = ""


@attrs.define
class Openings:
    """What each image came to, so that none is opened twice: what comes of it depends on nothing else. Bounded."""

    trial: Trial
    bound: int = 200_000
    count: int = 0
    """How many were opened a first time."""
    endings: dict[bytes, Ending] = attrs.Factory(dict)
    settled: dict[bytes, tuple[object, ...]] = attrs.Factory(dict)
    """What was read from what a second power cut left of an image that had been opened."""

    def ending(self, image: Image, printed: bytes) -> Ending:
        known = self.endings.get(printed)
        if known is None:
            self.count += 1
            if len(self.endings) + len(self.settled) > self.bound:
                self.endings.clear()
                self.settled.clear()
            known = self.endings[printed] = self.opened(image, read_first=printed[0] % 8 == 0)
        return known

    def opened(self, image: Image, *, read_first: bool) -> Ending:
        """Of every eighth image a reader and the verifiers are asked before it is opened."""
        disk = Disk(image)
        try:
            seen = self.trial.read(disk) if read_first else None
            told = self.trial.open(disk).told
        except Refused as refused:
            return Ending(refused=str(refused))
        except Exception as fault:  # noqa: BLE001  whatever was raised is the finding
            return Ending(fault=f"{type(fault).__name__}: {fault}")
        if seen not in (None, told):
            return Ending(fault=f"{len(seen or ())} records could be read before it was opened, and {len(told)} after")
        try:
            again = self.opened_again(nothing_more_landed(disk))
        except Exception as fault:  # noqa: BLE001  whatever was raised is the finding
            return Ending(fault=f"after a second power cut, {type(fault).__name__}: {fault}")
        if again != told:
            return Ending(fault=f"a second power cut changed {len(told)} records to {len(again)}")
        return Ending(again)

    def opened_again(self, image: Image) -> tuple[object, ...]:
        """What stands in quarantine nothing reads, and is left out; its names stay."""
        image = {path: b"" if "/quarantine/" in path else content for path, content in image.items()}
        printed = fingerprint(image)
        known = self.settled.get(printed)
        if known is None:
            known = self.settled[printed] = self.trial.open(Disk(image)).told
        return known


def broken(ending: Ending, cut: Cut, promise: Promise) -> str:
    """How what came of a cut breaks the promise, empty where it is kept."""
    if ending.refused:
        return HOLE if cut.hole else f"false alarm: {ending.refused}"
    if ending.fault:
        return ending.fault
    return "" if promise.allows(ending.told) else f"of {len(promise.kept)} records {len(ending.told)} came back"


def seen(image: Image) -> str:
    """An image as a person reads it: contents without what repeats at their ends."""
    parts = []
    for path, content in sorted(image.items()):
        if content is not None:
            text = content.rstrip(b"\n\0")
            parts.append(f"{path} ({len(content)} bytes) {text[-300:]!r}")
    return "; ".join(parts)


def shrunk(script: Script, trial: Trial, budget: int = 24) -> Script:
    """A shorter script that still shows a fault: lives and steps left out as long as one remains."""
    while True:
        for shorter in shorter_scripts(script):
            if tried(shorter, trial, budget).faults:
                script = shorter
                break
        else:
            return script


def shorter_scripts(script: Script) -> Iterator[Script]:
    lives = script.lives
    for place, life in enumerate(lives):
        rest = lives[:place], lives[place + 1 :]
        if len(lives) > 1:
            yield attrs.evolve(script, lives=rest[0] + rest[1])
        for step in range(len(life.steps)):
            fewer = attrs.evolve(life, steps=life.steps[:step] + life.steps[step + 1 :])
            yield attrs.evolve(script, lives=(*rest[0], fewer, *rest[1]))
        if life.power is not None:
            yield attrs.evolve(script, lives=(*rest[0], attrs.evolve(life, power=None), *rest[1]))
